"""The laws of schedules that the package ships: of Gaussian features, or of features that act as if they were."""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law
from ..references import BORDELON_2026, LI_2025_FUNCTIONAL, LI_2026_SCHEDULES
from ._letters import LENGTH
from .cooldown import CooldownLimited, derive_cooldown

_ALPHA = {"alpha": "capacity: eigenvalues fall as k^-alpha"}
_BETA = {"beta": "source: signal power falls as k^-(alpha*beta + 1)"}
_POWER = {
    "p": "power of the decay (1 - t/T)^p: 0 a constant rate, 1 linear, also after a stable phase, 2 a cosine; above alpha - 1 it does not matter"
}

_build = laws_of("schedules", symbols={**_ALPHA, **_BETA})


@lru_cache(maxsize=1)
def cooldown_variance_law() -> Law:
    r"""Return ``schedules.cooldown_variance``: :math:`V \sim \theta_0\sigma^2 U^{-(1-1/\tilde b)}`, :math:`\tilde b = \min(\alpha, p+1)`."""
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
