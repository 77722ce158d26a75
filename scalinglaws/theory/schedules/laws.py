"""The laws of schedules that the package ships: of Gaussian features, or of features that act as if they were."""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law
from ..references import (
    BORDELON_2026,
    CAPONNETTO_2007,
    LI_2025_FUNCTIONAL,
    LI_2026_SCHEDULES,
    METEREZ_2026,
    MUECKE_2019,
    PAQUETTE_2024,
)
from ._letters import INTRINSIC, LENGTH, STEPS
from .cooldown import CooldownLimited, derive_cooldown
from .functional import FunctionalLimited, derive_functional
from .optimal import OptimalLimited, derive_optimal
from .tuned import TunedLimited, derive_shapes

_ALPHA = {"alpha": "capacity: eigenvalues fall as k^-alpha"}
_BETA = {"beta": "source: signal power falls as k^-(alpha*beta + 1)"}
_POWER = {
    "p": "power of the decay (1 - t/T)^p: 0 a constant rate, 1 linear, after a stable phase too, 2 a cosine; any above alpha - 1 is as good"
}

_SAMPLES = {
    "sigma2": "variance of the label noise, in constants",
    "B": "batch, in constants",
    "eta_max": "largest learning rate, in constants of hard tasks",
}

_build = laws_of("schedules", symbols={**_ALPHA, **_BETA})


@lru_cache(maxsize=1)
def cooldown_variance_law() -> Law:
    r"""Return ``schedules.cooldown_variance``: :math:`V \sim U^{-(1-1/\tilde b)}`, :math:`\tilde b = \min(\alpha, p + 1)`."""
    return _build(
        "cooldown_variance",
        "label noise left in the loss by a decay of the learning rate, against its intrinsic length: how the rate vanishes decides, or "
        "the spectrum",
        quantity="label noise at the end of a decay, in units of eta_0 sigma^2/B",
        variable=LENGTH,
        symbols={**_ALPHA, **_POWER},
        model=CooldownLimited(),
        derive=derive_cooldown,
        reference=(LI_2025_FUNCTIONAL, LI_2026_SCHEDULES, BORDELON_2026),
    )


@lru_cache(maxsize=1)
def functional_law() -> Law:
    r"""Return ``schedules.functional``: :math:`L = F + V`, :math:`F \simeq \frac{\Gamma(\beta)}{\alpha}(2X)^{-\beta}`."""
    return _build(
        "functional",
        "loss without label noise against intrinsic time, the sum of the rates, whatever the schedule; label noise adds what it leaves",
        quantity="test loss of one-pass SGD without label noise, temperature small, at intrinsic time X",
        variable=INTRINSIC,
        symbols={
            **_ALPHA,
            **_BETA,
            "theta": "temperature of the first steps: learning rate over batch",
        },
        model=FunctionalLimited(),
        derive=derive_functional,
        standing="asymptotic",
        reference=(LI_2025_FUNCTIONAL, PAQUETTE_2024),
    )


@lru_cache(maxsize=1)
def tuned_law() -> Law:
    r"""Return ``schedules.tuned``: :math:`L \sim T^{-\beta/(\beta + 1/\tilde b)}`, :math:`T^{-\beta}` on hard tasks."""
    return _build(
        "tuned",
        "loss with label noise after T steps at the best rate, for a constant rate, a linear, cosine or other decay, or an average",
        quantity="test loss of one-pass SGD with label noise at the best learning rate, batch fixed",
        variable=STEPS,
        symbols={**_ALPHA, **_BETA, **_POWER, **_SAMPLES},
        model=TunedLimited(),
        derive=derive_shapes,
        reference=(LI_2026_SCHEDULES, BORDELON_2026, METEREZ_2026, MUECKE_2019),
    )


@lru_cache(maxsize=1)
def optimal_law() -> Law:
    r"""Return ``schedules.optimal``: :math:`\eta_t \propto (1 - t/T)^{2\alpha-1}` and :math:`L \sim T^{-\alpha\beta/(\alpha\beta + 1)}`."""
    return _build(
        "optimal",
        "loss with label noise after T steps under the best schedule of the rate: a decay of power 2 alpha - 1, or a late cooldown",
        quantity="test loss of one-pass SGD with label noise under the best schedule, batch fixed",
        variable=STEPS,
        symbols={**_ALPHA, **_BETA, **_SAMPLES},
        model=OptimalLimited(),
        derive=derive_optimal,
        reference=(LI_2026_SCHEDULES, BORDELON_2026, CAPONNETTO_2007),
    )
