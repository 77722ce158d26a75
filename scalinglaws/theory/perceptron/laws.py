"""The laws of the fixed-norm perceptron that the package ships."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp

from ..building import laws_of
from ..formula import Law, Published
from ..records import Factor
from ..references import (
    AUBIN_2020,
    DAMICO_2025,
    OPPER_1990,
    OPPER_1991,
    VALLET_1989,
)
from ..symbols import ALPHA, P
from .composite import EARLY, FIXED, GROWTH, NormLimited, derive_norm
from .corrections import DISTANCE, derive_amplitude, derive_slope
from .early import derive_early, derive_hebb
from .limits import Posterior, derive_bayes, derive_stability
from .losses import LAMBDA, LAMBDA_SQUARED, FixedNorm
from .master import derive_best_norm, derive_combined, derive_elbow, printed_over_derived

_SLIDES = DAMICO_2025.at("as presented in the authors' slides")
_SQUARED = FixedNorm(convention="squared")
_IN_NORM, _IN_SQUARE = "lambda = |w|/sqrt(N)", "lambda_s = |w|^2/N"
_EARLY = "generalization error over that at zero norm, 1 << lambda << alpha"


_build = laws_of(
    "perceptron",
    quantity="generalization error",
    symbols={},
    variable=ALPHA,
    reference=(DAMICO_2025, AUBIN_2020),
    model=FixedNorm(),
    task=False,
)


def _measured(quantity: str, **squared: Any) -> dict[str, Any]:
    """Give a law both conventions for the norm, which its quantity names."""
    return {
        "quantity": f"{quantity}, {_IN_NORM}",
        "conventions": {
            "norm": {},
            "squared": {"model": _SQUARED, "quantity": f"{quantity}, {_IN_SQUARE}", **squared},
        },
    }


@lru_cache(maxsize=1)
def gamma1_law() -> Law:
    r"""Return ``perceptron.gamma1``: :math:`\varepsilon/\varepsilon_0 \simeq k_1\lambda^{-1/2}`, with :math:`k_1 \approx 0.5552`."""
    return _build(
        "gamma1",
        "how the error of a perceptron falls with the norm while that is far below alpha: the early power law",
        derive=derive_early,
        variable=LAMBDA,
        **_measured(_EARLY, variable=LAMBDA_SQUARED),
    )


@lru_cache(maxsize=1)
def early_amplitude_law() -> Law:
    r"""Return ``perceptron.early_amplitude``: :math:`k_1`, with the first correction :math:`1 + m_1\lambda/\alpha`."""
    return _build(
        "early_amplitude",
        "the amplitude of the early power law, from the curve at fixed lambda/alpha, and its first correction there",
        derive=derive_amplitude,
        variable=DISTANCE,
        growth=True,
        quantity="sqrt(alpha) times the error over that at zero norm, against y = alpha/lambda",
        conventions={
            "norm": {},
            "squared": {
                "model": _SQUARED,
                "quantity": "sqrt(alpha) times the error over that at zero norm, against y = alpha^2/lambda_s",
            },
        },
    )


@lru_cache(maxsize=1)
def gamma2_law() -> Law:
    r"""Return ``perceptron.gamma2``: :math:`\lambda_{\rm opt} \simeq 0.8836\,\alpha`."""
    return _build(
        "gamma2",
        "how the best norm of a perceptron grows with the number of samples per input",
        derive=derive_best_norm,
        growth=True,
        **_measured("norm of the least generalization error, alpha >> 1"),
    )


@lru_cache(maxsize=1)
def combined_law() -> Law:
    r"""Return ``perceptron.combined``: :math:`\varepsilon_{\rm opt}/\varepsilon_0 \sim \alpha^{-\gamma_1\gamma_2}`.

    The error itself falls as :math:`\alpha^{-(\gamma_0 + \gamma_1\gamma_2)}`.
    """
    absolute = {
        "quantity": "generalization error at the best norm, alpha >> 1",
        "derive": lambda model: derive_combined(model, absolute=True),
        "published": Published(
            sp.Rational(1, 2),
            "gamma_1 gamma_2, the exponent of the error over that at zero norm; at fixed norm the error itself falls with gamma_0 = 1/2, "
            "and at the best norm with gamma_0 + gamma_1 gamma_2 = 1",
            _SLIDES,
        ),
    }
    return _build(
        "combined",
        "error of a perceptron at the best norm: gamma_1 gamma_2 for the error over that at zero norm, gamma_0 more for the error itself",
        derive=derive_combined,
        quantity="generalization error at the best norm over that at zero norm, alpha >> 1",
        published=Published(
            sp.Rational(1, 2),
            "the amplitude that goes with it, k_1 k_2^(-gamma_1), continues the early power law up to the best norm; but the curve "
            "has left it there, far beyond the elbow. And it is the exponent of the relative error: that of the error itself is "
            "gamma_0 + gamma_1 gamma_2 = 1",
            _SLIDES,
            Factor(printed_over_derived(FixedNorm()), sp.true),
        ),
        conventions={
            "relative": {},
            "absolute": absolute,
            "norm": {},
            "squared": {"model": _SQUARED},
        },
    )


@lru_cache(maxsize=1)
def elbow_law() -> Law:
    r"""Return ``perceptron.elbow``: the early power law meets the least error at :math:`\lambda \simeq 0.2511\,\alpha`."""
    return _build(
        "elbow",
        "where the early power law of a perceptron ends: continued, it reaches the least error there",
        derive=derive_elbow,
        growth=True,
        **_measured("norm of the elbow, alpha >> 1"),
    )


@lru_cache(maxsize=1)
def finite_alpha_slope_law() -> Law:
    r"""Return ``perceptron.finite_alpha_slope``: the largest local slope is :math:`\frac12 - 0.7609\,\alpha^{-2/3}`."""
    return _build(
        "finite_alpha_slope",
        "by how much the steepest slope of the error against the norm misses gamma_1 at finite alpha",
        derive=derive_slope,
        **_measured("gamma_1 minus the largest -d ln(error)/d ln(norm)"),
    )


@lru_cache(maxsize=1)
def hebb_law() -> Law:
    r"""Return ``perceptron.hebb``: :math:`\varepsilon_0 = \frac1\pi\arctan\sqrt{\pi/2\alpha}` at zero norm, for every loss."""
    return _build(
        "hebb",
        "error of a perceptron at zero norm, which is that of Hebb's rule, for every loss",
        derive=derive_hebb,
        quantity="generalization error at zero norm, alpha >> 1",
        reference=(VALLET_1989, DAMICO_2025),
    )


@lru_cache(maxsize=1)
def max_stability_law() -> Law:
    r"""Return ``perceptron.max_stability``: :math:`\varepsilon \simeq 0.5005/\alpha` at infinite norm."""
    return _build(
        "max_stability",
        "error of a perceptron at infinite norm, which is that of the largest stability",
        derive=derive_stability,
        quantity="generalization error at infinite norm, alpha >> 1",
        reference=(OPPER_1990, DAMICO_2025),
    )


@lru_cache(maxsize=1)
def bayes_law() -> Law:
    r"""Return ``perceptron.bayes``: :math:`\varepsilon \simeq 0.4417/\alpha`, which no rule can beat."""
    return _build(
        "bayes",
        "the least error that any rule can reach on the labels of a teacher",
        derive=derive_bayes,
        model=Posterior(),
        quantity="generalization error of Bayes' rule, alpha >> 1",
        reference=(OPPER_1991,),
    )


@lru_cache(maxsize=1)
def composite_law() -> Law:
    r"""Return ``perceptron.composite``: :math:`q_1 + k_1 P^{-\gamma_0}(k_2 P^{\gamma_2} + q_2)^{-\gamma_1}`."""
    return _build(
        "composite",
        "the fit with offsets for networks: error against samples at the best norm, where curves at fixed norm fall with the samples, too",
        derive=derive_norm,
        model=NormLimited(fixed=FIXED, box={**NormLimited().box, FIXED: (sp.Rational(1, 10), 1)}),
        variable=P,
        standing="ansatz",
        quantity="generalization error at the best norm, above its floor",
        symbols={
            "gamma_0": "exponent of the error against the samples at fixed norm, >= 0",
            "gamma_1": "exponent of the error against the norm",
            "gamma_2": "exponent of the best norm against the samples",
            "k_1": "amplitude of the error",
            "k_2": "amplitude of the norm",
        },
        reference=(DAMICO_2025,),
        published=Published(
            EARLY * GROWTH,
            "that of the relative error: it is also that of the error itself where curves at different P coincide at equal norm below "
            "their elbows; if the error there falls as P^(-gamma_0), that exponent is added (1/2 for the perceptron)",
            _SLIDES,
            point={"gamma_0": sp.Rational(1, 2), "gamma_1": sp.Rational(1, 2), "gamma_2": 1},
        ),
    )
