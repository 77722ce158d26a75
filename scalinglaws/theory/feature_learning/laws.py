"""The laws of feature learning that the package ships."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp

from ..asymptotics import RATIONAL
from ..building import laws_of
from ..formula import Caution, Law, Published
from ..linear import ModeLimited, derive_compute, derive_mode
from ..references import ALTSCHULER_2023, BORDELON_2024_FEATURES, PAQUETTE_2024
from ..symbols import ALPHA, BETA, C, N, P, T
from .bootstrap import derive_bootstrap
from .bottlenecks import WarpedLimited, derive_warped, noise
from .chain import ChainLimited, derive_depth, derive_kernel_scale
from .compute import compute_limited
from .exponents import LAZINESS, FeedbackLimited, derive_crossover, derive_feedback
from .label_noise_descent import derive_label_noise
from .reduction import derive_reduction
from .schedules import (
    SLOWNESS,
    STEPS,
    StepsLimited,
    derive_excess,
    derive_silver,
    derive_steps,
    derive_window,
)
from .warp import WarpLimited, derive_network, derive_prefactor

ORDER, TARGET_ORDER = sp.symbols("q q_y", positive=True)
_SYMBOLS = {
    "alpha": "capacity: eigenvalues of the initial kernel fall as k^-alpha",
    "beta": "source: signal power falls as k^-(alpha*beta + 1)",
}
_GAMMA = {"gamma": "richness: how much faster the features learn than in the lazy limit, > 0"}
_STATIC = "test loss at convergence; the same with and without feature learning"


_build = laws_of(
    "feature_learning", symbols=_SYMBOLS, variable=T, reference=(BORDELON_2024_FEATURES,)
)


# -- time ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def time_law() -> Law:
    r"""Return ``feature_learning.time``: :math:`L(t) \sim t^{-\beta\max(1,\, 2/(1 + \beta))}` for any richness above zero."""
    return _build(
        "time",
        "loss of a network that learns features against training time: hard tasks gain, "
        "easy ones do not",
        derive=derive_feedback,
        model=FeedbackLimited(),
    )


@lru_cache(maxsize=1)
def bootstrap_law() -> Law:
    r"""Return ``feature_learning.bootstrap``: exponents :math:`\chi_{n+1} = \beta(2 - \chi_n)`, starting from the lazy :math:`\beta`."""
    symbols = {
        "beta": _SYMBOLS["beta"],
        "n": "level: how many times the growth of the kernel is inserted",
    }
    return _build(
        "bootstrap",
        "exponent of feature learning from inserting the growth of the kernel level by level",
        derive=derive_bootstrap,
        model=FeedbackLimited(),
        symbols=symbols,
        quantity="test loss, to the n-th level",
    )


@lru_cache(maxsize=1)
def prefactor_law() -> Law:
    r"""Return ``feature_learning.prefactor``: :math:`L(t) \simeq \frac{I_2}{\alpha}\big[\frac{c(1+\beta)}{2}t\big]^{-2\beta/(1+\beta)}`."""
    return _build(
        "prefactor",
        "loss of a network that learns features at long times, with its constant for any richness",
        derive=derive_prefactor,
        model=WarpLimited(),
        symbols={**_SYMBOLS, **_GAMMA},
    )


@lru_cache(maxsize=1)
def crossover_law() -> Law:
    r"""Return ``feature_learning.crossover``: :math:`t_* \sim \gamma^{-1/(1 - \beta)}`."""
    return _build(
        "crossover",
        "when a weakly rich network leaves the lazy curve",
        derive=derive_crossover,
        model=FeedbackLimited(),
        symbols={"beta": _SYMBOLS["beta"]},
        quantity="time at which the rich loss leaves the lazy one, against ell = 1/gamma",
        variable=LAZINESS,
        growth=True,
    )


@lru_cache(maxsize=1)
def circle_law() -> Law:
    r"""Return ``feature_learning.circle``: :math:`\alpha = 2q`, :math:`\beta = (2q_y - 1)/(2q)`."""
    box = {ORDER: (sp.Rational(3, 5), 2), TARGET_ORDER: (sp.Rational(3, 5), 4)}
    return _build(
        "circle",
        "a network of given smoothness learns a target on the circle",
        derive=derive_feedback,
        model=FeedbackLimited(
            spectrum_exponent=2 * ORDER, signal_exponent=2 * TARGET_ORDER, box=box
        ),
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
    return _build(
        "linear_network",
        "loss of a two-layer linear network with no frozen weights against training time",
        derive=derive_network,
        model=WarpLimited(),
    )


@lru_cache(maxsize=1)
def kernel_scale_law() -> Law:
    r"""Return ``feature_learning.kernel_scale``: :math:`s \simeq C_s t^{(1-\beta)/(1+\beta)}` on hard tasks."""
    return _build(
        "kernel_scale",
        "how the kernel grows with training time: a power on hard tasks, at beta = 1 the root of a logarithm, a limit on easy ones",
        derive=derive_kernel_scale,
        model=WarpLimited(),
        symbols={**_SYMBOLS, **_GAMMA},
        quantity="scale s of the kernel",
        growth=True,
        standing="asymptotic",
    )


@lru_cache(maxsize=1)
def depth_law() -> Law:
    r"""Return ``feature_learning.depth``: :math:`\chi = (m+1)\beta/(1+m\beta)` with m hidden factors."""
    return _build(
        "depth",
        "loss of a chain of m hidden factors that all learn, against training time: 0 is the lazy model, 1 the network of two layers",
        derive=derive_depth,
        model=ChainLimited(),
        symbols={
            **_SYMBOLS,
            **_GAMMA,
            "m": "number of hidden factors that learn, any real number >= 0",
        },
    )


# -- steps --------------------------------------------------------------------------------------------------------------

_PACE = {
    "c": "rate of a step in units of one over the largest eigenvalue of the growing kernel, below 2"
}


@lru_cache(maxsize=1)
def steps_law() -> Law:
    r"""Return ``feature_learning.steps``: :math:`L(n) \simeq \frac{I_2}{\alpha} (cn)^{-\beta}` at the rate :math:`c/s_n`."""
    return _build(
        "steps",
        "loss against the number of steps, each step stable at a rate c over the scale of the kernel: the exponent is the lazy one",
        derive=derive_steps,
        model=StepsLimited(),
        symbols={**_SYMBOLS, **_PACE},
        variable=STEPS,
        quantity="test loss after n steps at the learning rate c/s, features and samples unlimited",
        standing="asymptotic",
    )


@lru_cache(maxsize=1)
def steps_silver_law() -> Law:
    r"""Return ``feature_learning.steps_silver``: :math:`L(n) \sim n^{-1.2716\,\beta}` in silver steps, rich or lazy."""
    return _build(
        "steps_silver",
        "loss against the number of silver steps, long ones among short ones: a schedule gains an exponent that growing features do not",
        derive=derive_silver,
        model=StepsLimited(),
        variable=STEPS,
        quantity="test loss after n = 2^k - 1 silver steps over the scale of the kernel, full batches",
        reference=(BORDELON_2024_FEATURES, ALTSCHULER_2023),
        standing="numerical",
    )


@lru_cache(maxsize=1)
def window_law() -> Law:
    r"""Return ``feature_learning.window``: :math:`n_* \sim \eta^{-2/(1-\beta)}` steps until a fixed rate is unstable."""
    return _build(
        "window",
        "how many steps a fixed learning rate allows on a hard task, until the kernel has grown to the edge of stability",
        derive=derive_window,
        model=StepsLimited(),
        symbols={**_SYMBOLS, **_GAMMA},
        variable=SLOWNESS,
        quantity="steps at a fixed learning rate 1/r until eta s = 2, features and samples unlimited",
        growth=True,
        standing="asymptotic",
    )


@lru_cache(maxsize=1)
def sgd_excess_law() -> Law:
    r"""Return ``feature_learning.sgd_excess``: :math:`L/L_{B=\infty} - 1 \simeq C_\beta\,(\eta\,\mathrm{Tr}\Lambda/B)\,s(t)`."""
    return _build(
        "sgd_excess",
        "what small batches at a fixed learning rate add to the loss of a rich hard task, relative to it: it grows as the kernel",
        derive=derive_excess,
        model=StepsLimited(),
        quantity="loss over that of unlimited batches at the same learning rate, minus 1, in units of eta Tr(Lambda)/B",
        growth=True,
        standing="asymptotic",
        caution=Caution(
            BETA < 1,
            "local slopes are above this at any time that can be reached, by a memory of earlier losses, by corrections of order "
            "1/s and at finite eta s: compare with s(t) itself; the constants (.82, .79, .77 at beta = 1/4, 1/2, 3/4) are measured",
        ),
    )


@lru_cache(maxsize=1)
def label_noise_law() -> Law:
    r"""Return ``feature_learning.label_noise``: :math:`t_n = 1/(\gamma\,\theta\,\sigma^2\,\mathrm{Tr}\Lambda)`, :math:`\theta = \eta/B`."""
    return _build(
        "label_noise",
        "how many steps of a fixed rate noisy labels take to shrink the kernel that a rich network has grown",
        derive=derive_label_noise,
        model=StepsLimited(),
        symbols={"alpha": _SYMBOLS["alpha"]},
        quantity="steps on which the scale of the kernel falls, against r = 1/(learning rate)",
        variable=SLOWNESS,
        growth=True,
        standing="heuristic",
    )


# -- size ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``feature_learning.model``: :math:`L(N) \sim N^{-\alpha\min(1, \beta)}`."""
    return _build(
        "model",
        "loss of a network that learns features against its width; learning features does "
        "not change it",
        derive=derive_mode,
        model=ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        quantity=_STATIC,
        variable=N,
        published=Published(
            ALPHA * sp.Min(2, BETA),
            "the square of the mean error alone, as for a finite number of samples; but N features leave fluctuations of the same "
            "order as that mean, and with them the best fit is a projection, which leaves kappa/(lambda + kappa) of a mode, not its square",
            BORDELON_2024_FEATURES.at("model bottleneck"),
            point={"alpha": sp.Rational(3, 2), "beta": sp.Rational(3, 2)},
        ),
    )


@lru_cache(maxsize=1)
def reduction_law() -> Law:
    r"""Return ``feature_learning.reduction``: N features are unlimited ones with noise :math:`\sim N^{-\alpha\min(1, \beta)}`."""
    return _build(
        "reduction",
        "online SGD of a network of N features is that of unlimited features on another spectrum, whose labels have noise: how much",
        derive=derive_reduction,
        model=ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        quantity="variance of the noise that acts as what N features cannot reach",
        variable=N,
    )


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``feature_learning.data``: :math:`L(P) \sim P^{-\alpha\min(2, \beta)}`."""
    model = ModeLimited(resource=P, residual=RATIONAL(2, 2), variance=RATIONAL(0, 2))
    return _build(
        "data",
        "loss of a network that learns features against the number of samples; learning "
        "features does not change it",
        derive=derive_mode,
        model=model,
        quantity=_STATIC,
        variable=P,
    )


# -- transients ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def transient_law() -> Law:
    r"""Return ``feature_learning.transient``: :math:`L(t, N) - L(t, \infty) \sim N^{-1} t^{-(\min(1, \beta) - 1/\alpha) f}`."""
    return _build(
        "transient",
        "what a finite width adds to the loss of a network that learns features, before "
        "it saturates",
        derive=derive_warped,
        model=WarpedLimited(),
        standing="heuristic",
        quantity="N (L(t, N) - L(t, inf)), at equal times; grows where the exponent is negative",
        published=Published(
            (1 - 1 / ALPHA) * sp.Max(1, 2 / (1 + BETA)),
            "its value for beta >= 1, where the first modes decide; for harder tasks the modes at the edge of what is learned weigh "
            "more, and relative to the loss what they add grows as t^(1/alpha)/N for a fixed kernel",
            BORDELON_2024_FEATURES.at("finite-N transient"),
            point={"alpha": sp.Rational(3, 2), "beta": sp.S.Half},
        ),
    )


@lru_cache(maxsize=1)
def sgd_noise_law() -> Law:
    r"""Return ``feature_learning.sgd_noise``: the noise of one-pass SGD decays as :math:`t^{-(2 - 1/\alpha) f}`."""
    return _build(
        "sgd_noise",
        "how fast a network that learns features forgets the noise of one-pass SGD",
        derive=derive_warped,
        model=noise(),
        standing="heuristic",
        quantity="noise kernel of online SGD, in units of eta^2/B, at t = learning rate times steps",
        caution=Caution(
            BETA < 1,
            "for rich hard tasks this is the rate at which a kick from the gradient noise is forgotten, not what the noise adds: at "
            "a fixed learning rate the kernel grows, and with it what is left of a kick, which itself falls slower by "
            "(1 - beta)/(1 + beta); the effect of the noise is an excess relative to the loss that grows with time",
        ),
    )


# -- compute ------------------------------------------------------------------------------------------------------------


_FLOW = "flow time, or steps at a fixed small rate inside the window (feature_learning.window)"
_SUBSTITUTED = sp.Piecewise(
    (2 * ALPHA * BETA / ((1 + BETA) * (ALPHA + 1)), BETA <= 1),
    (ALPHA * BETA / (ALPHA * BETA + 1), BETA <= 2 - 1 / ALPHA),
    (1 - 1 / (2 * ALPHA), True),
)


def _compute(name: str, statement: str, of: sp.Expr | None, power: int = 1, **fields: Any) -> Law:
    def derive(model: Any) -> Any:
        return derive_compute(model, of)

    return _build(
        name,
        statement,
        derive=derive,
        model=compute_limited(power),
        variable=C,
        reference=(BORDELON_2024_FEATURES, PAQUETTE_2024),
        **fields,
    )


@lru_cache(maxsize=1)
def compute_law() -> Law:
    r"""Return ``feature_learning.compute``: the loss at the best model size for compute :math:`C = N t`, hard, easy or super-easy."""
    return _compute(
        "compute",
        "loss of a network that learns features at the best width for a given compute: "
        "hard, easy, super-easy",
        None,
        quantity=f"test loss at the compute optimum of online SGD, C = N t, t {_FLOW}",
        published=Published(
            _SUBSTITUTED,
            "the lazy compute law with beta -> 2 beta/(1 + beta), as the law in time suggests; but growing features change time alone: "
            "the floor N^(-alpha beta) and what a finite width adds on the way keep the beta of the task. (The compute law that is "
            "printed there agrees with this one.)",
            BORDELON_2024_FEATURES.at("law in time, put into the compute law of the lazy model"),
            combined=True,
            point={"alpha": sp.Rational(3, 2), "beta": sp.S.Half},
        ),
    )


@lru_cache(maxsize=1)
def compute_lazy_law() -> Law:
    """Return ``feature_learning.compute_lazy``: the same for a kernel that does not grow."""
    return _compute(
        "compute_lazy",
        "the same without feature learning, to compare with",
        None,
        0,
        quantity="test loss at the compute optimum of online SGD without feature learning, C = N t",
    )


@lru_cache(maxsize=1)
def compute_time_law() -> Law:
    """Return ``feature_learning.compute_time``: how long the compute optimum trains."""
    return _compute(
        "compute_time",
        "training time at the compute optimum of a network that learns features",
        C / N,
        quantity=f"t at the compute optimum of online SGD, C = N t, {_FLOW}",
        growth=True,
    )


@lru_cache(maxsize=1)
def compute_model_law() -> Law:
    """Return ``feature_learning.compute_model``: how many features the compute optimum has."""
    return _compute(
        "compute_model",
        "width at the compute optimum of a network that learns features",
        N,
        quantity=f"features at the compute optimum of online SGD, C = N t, t {_FLOW}",
        growth=True,
    )
