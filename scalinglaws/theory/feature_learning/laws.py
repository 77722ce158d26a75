"""The laws of feature learning that the package ships."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy as sp

from ..asymptotics import RATIONAL
from ..catalogue import CATALOGUE
from ..formula import Caution, Law, Published
from ..linear import ModeLimited, derive_compute, derive_mode
from ..references import BORDELON_2024_FEATURES, PAQUETTE_2024
from ..symbols import ALPHA, BETA, C, N, P, T
from .bootstrap import derive_bootstrap
from .bottlenecks import WarpedLimited, derive_warped, noise
from .compute import compute_limited
from .exponents import LAZINESS, FeedbackLimited, derive_crossover, derive_feedback
from .warp import WarpLimited, derive_network, derive_prefactor

ORDER, TARGET_ORDER = sp.symbols("q q_y", positive=True)
_SYMBOLS = {
    "alpha": "capacity: eigenvalues of the initial kernel fall as k^-alpha",
    "beta": "source: signal power falls as k^-(alpha*beta + 1)",
}
_GAMMA = {"gamma": "richness: how much faster the features learn than in the lazy limit, > 0"}
_STATIC = "test loss at convergence; the same with and without feature learning"


def _law(name: str, derive: Callable[[Any], Any], model: Any, **fields: Any) -> Law:
    given = {
        "quantity": "test loss",
        "symbols": _SYMBOLS,
        "standing": "derived",
        "variable": T,
        "reference": (BORDELON_2024_FEATURES,),
        **fields,
    }
    name = f"feature_learning.{name}"
    return Law(name=name, statement=CATALOGUE[name].statement, model=model, derive=derive, **given)


# -- time ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def time_law() -> Law:
    r"""Return ``feature_learning.time``: :math:`L(t) \sim t^{-\beta\max(1,\, 2/(1 + \beta))}` for any richness above zero."""
    return _law("time", derive_feedback, FeedbackLimited())


@lru_cache(maxsize=1)
def bootstrap_law() -> Law:
    r"""Return ``feature_learning.bootstrap``: exponents :math:`\chi_{n+1} = \beta(2 - \chi_n)`, starting from the lazy :math:`\beta`."""
    symbols = {
        "beta": _SYMBOLS["beta"],
        "n": "level: how many times the growth of the kernel is inserted",
    }
    return _law(
        "bootstrap",
        derive_bootstrap,
        FeedbackLimited(),
        symbols=symbols,
        quantity="test loss, to the n-th level",
    )


@lru_cache(maxsize=1)
def prefactor_law() -> Law:
    r"""Return ``feature_learning.prefactor``: :math:`L(t) \simeq \frac{I_2}{\alpha}\big[\frac{c(1+\beta)}{2}t\big]^{-2\beta/(1+\beta)}`."""
    return _law("prefactor", derive_prefactor, WarpLimited(), symbols={**_SYMBOLS, **_GAMMA})


@lru_cache(maxsize=1)
def crossover_law() -> Law:
    r"""Return ``feature_learning.crossover``: :math:`t_* \sim \gamma^{-1/(1 - \beta)}`."""
    return _law(
        "crossover",
        derive_crossover,
        FeedbackLimited(),
        symbols={"beta": _SYMBOLS["beta"]},
        quantity="time at which the rich loss leaves the lazy one, against ell = 1/gamma",
        variable=LAZINESS,
        growth=True,
    )


@lru_cache(maxsize=1)
def circle_law() -> Law:
    r"""Return ``feature_learning.circle``: :math:`\alpha = 2q`, :math:`\beta = (2q_y - 1)/(2q)`."""
    box = {ORDER: (sp.Rational(3, 5), 2), TARGET_ORDER: (sp.Rational(3, 5), 4)}
    return _law(
        "circle",
        derive_feedback,
        FeedbackLimited(spectrum=2 * ORDER, signal=2 * TARGET_ORDER, box=box),
        symbols={
            "q": "smoothness of the initial kernel: its Fourier coefficients fall as k^-(2q)",
            "q_y": "smoothness of the target: the squares of its Fourier coefficients fall as k^-(2q_y)",
        },
    )


@lru_cache(maxsize=1)
def linear_network_law() -> Law:
    r"""Return ``feature_learning.linear_network``: the same exponents where no weights are frozen.

    At N features the kernel is :math:`A^\top A/N + \gamma |w|^2/N`, of full rank once the readout w has grown: the width delays
    what this law says, but leaves no floor.
    """
    return _law("linear_network", derive_network, WarpLimited())


# -- size ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``feature_learning.model``: :math:`L(N) \sim N^{-\alpha\min(1, \beta)}`."""
    return _law(
        "model",
        derive_mode,
        ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        quantity=_STATIC,
        variable=N,
        published=Published(
            ALPHA * sp.Min(2, BETA),
            "the square of the mean error alone, as for a finite number of samples; but N features leave fluctuations of the same "
            "order as that mean, and with them the best fit is a projection, which leaves kappa/(lambda + kappa) of a mode, not its square",
            BORDELON_2024_FEATURES.at("model bottleneck"),
        ),
    )


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``feature_learning.data``: :math:`L(P) \sim P^{-\alpha\min(2, \beta)}`."""
    model = ModeLimited(resource=P, residual=RATIONAL(2, 2), variance=RATIONAL(0, 2))
    return _law("data", derive_mode, model, quantity=_STATIC, variable=P)


# -- transients ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def transient_law() -> Law:
    r"""Return ``feature_learning.transient``: :math:`L(t, N) - L(t, \infty) \sim N^{-1} t^{-(\min(1, \beta) - 1/\alpha) f}`."""
    return _law(
        "transient",
        derive_warped,
        WarpedLimited(),
        standing="heuristic",
        quantity="N (L(t, N) - L(t, inf)), at equal times; grows where the exponent is negative",
        published=Published(
            (1 - 1 / ALPHA) * sp.Max(1, 2 / (1 + BETA)),
            "its value for beta >= 1, where the first modes decide; for harder tasks the modes at the edge of what is learned weigh "
            "more, and relative to the loss what they add grows as t^(1/alpha)/N for a fixed kernel",
            BORDELON_2024_FEATURES.at("finite-N transient"),
        ),
    )


@lru_cache(maxsize=1)
def sgd_noise_law() -> Law:
    r"""Return ``feature_learning.sgd_noise``: the noise of one-pass SGD decays as :math:`t^{-(2 - 1/\alpha) f}`."""
    return _law(
        "sgd_noise",
        derive_warped,
        noise(),
        standing="heuristic",
        quantity="noise kernel of online SGD, in units of eta^2/B, at t = learning rate times steps",
        caution=Caution(
            BETA < 1,
            "for rich hard tasks this is the rate at which a kick from the gradient noise is forgotten, not what the noise adds: at "
            "a fixed learning rate the kernel grows, and the effect of the noise is an excess relative to the loss that grows with time",
        ),
    )


# -- compute ------------------------------------------------------------------------------------------------------------


def _compute(name: str, of: sp.Expr | None, power: int = 1, **fields: Any) -> Law:
    def derive(model: Any) -> Any:
        return derive_compute(model, of)

    return _law(
        name,
        derive,
        compute_limited(power),
        variable=C,
        reference=(BORDELON_2024_FEATURES, PAQUETTE_2024),
        **fields,
    )


@lru_cache(maxsize=1)
def compute_law() -> Law:
    r"""Return ``feature_learning.compute``: the loss at the best model size for compute :math:`C = N t`, hard, easy or super-easy."""
    return _compute(
        "compute", None, quantity="test loss at the compute optimum of online SGD, C = N t"
    )


@lru_cache(maxsize=1)
def compute_lazy_law() -> Law:
    """Return ``feature_learning.compute_lazy``: the same for a kernel that does not grow."""
    return _compute(
        "compute_lazy",
        None,
        0,
        quantity="test loss at the compute optimum of online SGD without feature learning, C = N t",
    )


@lru_cache(maxsize=1)
def compute_time_law() -> Law:
    """Return ``feature_learning.compute_time``: how many steps the compute optimum takes."""
    return _compute(
        "compute_time",
        C / N,
        quantity="steps at the compute optimum of online SGD, C = N t",
        growth=True,
    )


@lru_cache(maxsize=1)
def compute_model_law() -> Law:
    """Return ``feature_learning.compute_model``: how many features the compute optimum has."""
    return _compute(
        "compute_model",
        N,
        quantity="features at the compute optimum of online SGD, C = N t",
        growth=True,
    )
