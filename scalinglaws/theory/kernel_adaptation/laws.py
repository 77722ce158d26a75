"""The laws of kernel adaptation that the package ships."""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law
from ..references import RINGEL_2025, RUBIN_2025
from .alignment import SpecializedNeurons, derive_alignment
from .bimodality import GROKKING_2023, LinearTeacher, derive_bimodality
from .convolution import AdaptedFilters, derive_convolution
from .symbols import DIMENSION

_SYMBOLS = {
    "kappa": "effective ridge, kappa_e: what the labels' noise and the modes that are not learned add up to",
    "chi": "mean-field scale: last-layer prior variances and the noise are divided by it",
}

_build = laws_of(
    "kernel_adaptation",
    variable=DIMENSION,
    standing="asymptotic",
    growth=True,
)


@lru_cache(maxsize=1)
def cnn_sample_complexity_law() -> Law:
    r"""Return ``kernel_adaptation.cnn_sample_complexity``: :math:`P_* = \kappa_e\sqrt{C d/\chi}`, 3/4 at C = d^(1/2)."""
    return _build(
        "cnn_sample_complexity",
        "samples by which a linear convolutional network learns one filter, once its filters adapt: d^(3/4) with sqrt(d) channels, "
        "where the lazy kernel needs d",
        quantity="samples at which the learnability of the target leaves zero",
        symbols={"c": "channel exponent: there are d^c channels", **_SYMBOLS},
        reference=(RINGEL_2025, RUBIN_2025),
        model=AdaptedFilters(),
        derive=derive_convolution,
    )


@lru_cache(maxsize=1)
def bimodality_law() -> Law:
    r"""Return ``kernel_adaptation.bimodality``: two modes of the weights are born at :math:`P \sim \kappa_e\sqrt d` for a linear target."""
    return _build(
        "bimodality",
        "samples by which the weights of a two-layer network become bimodal along a linear target, with the learnability there",
        quantity="samples at which the density of weights along the target has a minimum at zero",
        symbols={
            "nu": "neurons over the mean-field scale, N/chi",
            "kappa": _SYMBOLS["kappa"],
        },
        reference=(GROKKING_2023, RINGEL_2025),
        model=LinearTeacher(),
        derive=derive_bimodality,
    )


@lru_cache(maxsize=1)
def alignment_samples_law() -> Law:
    r"""Return ``kernel_adaptation.alignment_samples``: :math:`P_\alpha = 9.7686\,\kappa_e\sqrt{N d/\chi}/(1 - \alpha)`, cubic target."""
    return _build(
        "alignment_samples",
        "samples by which a two-layer network is aligned with a cubic Hermite polynomial, from the cost of the alignment: "
        "P = P_0/(1 - alpha)",
        quantity="samples P_0 at which alignment with the target begins",
        symbols={"n": "width exponent: the hidden layer has d^n neurons", **_SYMBOLS},
        reference=(RUBIN_2025, RINGEL_2025),
        model=SpecializedNeurons(),
        derive=derive_alignment,
    )
