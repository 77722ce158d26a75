r"""The laws of batch ramps, of momentum and of the compute optimum under label noise.

What stands behind each: the equivalence of ramp and decay, and the moments of momentum, are exact to leading order in the rate; exponents
of the ramp and of the compute optimum are derived and agree with solvers. That momentum at :math:`\eta/(1-\mu)` is SGD is known; the
early batches of ``schedules.batch_ramp`` are derived here, and we know of no source. Momentum that is adapted to the dimension is
power counting, heuristic, whose exponents agree with measured ones, slowly next to :math:`\beta = 1` and undecided for the decaying one
beyond :math:`\alpha = (3 + \sqrt5)/2`. It is stated without label noise: with it, easy tasks gain nothing, and hard ones keep
:math:`\beta\chi` under a cooldown of all rates, at most up to :math:`(\alpha\beta)/(\alpha\beta + 1)`, which is a conjecture.
"""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law
from ..references import BORDELON_2026, FERBACH_2025, PAQUETTE_2024, SMITH_2018
from ..symbols import C, T
from .compute import NoisyLimited, derive_compute
from .dana import DanaLimited, derive_dana
from .momentum import MomentumLimited, derive_momentum
from .ramps import SAMPLES, RampLimited, derive_batch_ramp

_SYMBOLS = {
    "alpha": "capacity: eigenvalues fall as k^-alpha",
    "beta": "source: signal power falls as k^-(alpha*beta + 1)",
}

_build = laws_of("schedules", symbols=_SYMBOLS)


@lru_cache(maxsize=1)
def batch_ramp_law() -> Law:
    r"""Return ``schedules.batch_ramp``: serial steps :math:`S \sim D^{\min(1,\ \alpha/(\alpha\beta + 1))}`, and what batches do."""
    return _build(
        "batch_ramp",
        "serial steps of the best batch ramp, which equals a decay of the rate sample by sample: easy tasks need ever fewer of them",
        derive=derive_batch_ramp,
        model=RampLimited(),
        quantity="steps one after the other at the largest stable rate, against samples in all, labels noisy and features unlimited",
        variable=SAMPLES,
        reference=(SMITH_2018, BORDELON_2026),
        growth=True,
    )


@lru_cache(maxsize=1)
def momentum_law() -> Law:
    r"""Return ``schedules.momentum``: heavy ball is SGD at :math:`\eta/(1-\mu)`, with the same exponent :math:`\min(\beta, \chi)`."""
    return _build(
        "momentum",
        "loss under constant momentum: that of SGD at the rate eta/(1 - mu), with the same exponents and a bound on that rate",
        derive=derive_momentum,
        model=MomentumLimited(),
        quantity="test loss without label noise at t = eta/(1 - mu) times steps, once 1/(1 - mu) of them have passed",
        variable=T,
        reference=(FERBACH_2025,),
    )


@lru_cache(maxsize=1)
def dana_decaying_law() -> Law:
    r"""Return ``schedules.dana_decaying``: modes with :math:`\gamma_3\lambda t^2 > 1` are learned, :math:`\gamma_3 \sim t^{-1/\alpha}`."""
    return _build(
        "dana_decaying",
        "loss at the best model size for a given compute under dimension-adapted momentum that fades with time",
        derive=derive_dana,
        model=DanaLimited(),
        quantity="test loss at the compute optimum of decaying DANA without label noise, C = N t",
        variable=C,
        reference=(FERBACH_2025,),
        standing="heuristic",
    )


@lru_cache(maxsize=1)
def dana_constant_law() -> Law:
    r"""Return ``schedules.dana_constant``: modes with :math:`\gamma_3\lambda t^2 > 1` are learned, :math:`\gamma_3 \sim 1/N`."""
    return _build(
        "dana_constant",
        "loss at the best model size for a given compute under dimension-adapted momentum that shrinks with the number of features",
        derive=derive_dana,
        model=DanaLimited(fading=0, shrinking=1),
        quantity="test loss at the compute optimum of constant DANA without label noise, C = N t",
        variable=C,
        reference=(FERBACH_2025,),
        standing="heuristic",
    )


@lru_cache(maxsize=1)
def compute_law() -> Law:
    r"""Return ``schedules.compute``: the loss at the best model size and the best rate for compute :math:`C = N t`, labels noisy."""
    return _build(
        "compute",
        "loss at the best model size and learning rate for a given compute, labels noisy, under a decay of the rate",
        derive=derive_compute,
        model=NoisyLimited(),
        quantity="test loss at the compute optimum of online SGD with label noise and a decayed rate (1 - t/T)^p, p + 1 > alpha, C = N t",
        variable=C,
        reference=(BORDELON_2026, PAQUETTE_2024),
    )
