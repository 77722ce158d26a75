"""Exponents, curves, thresholds and advantages from replicates, with standard errors."""

from ._ladder import LearnabilityLadder, MeasuredComplexity, learnability_ladder
from ._norm_exponents import NormExponents, norm_exponents
from ._parametric import FORMS, ExponentFit, fit_exponent
from ._pilot import measure
from ._replicates import (
    advantage_from_pairs,
    crossing,
    curve_from_replicates,
    exponent_from_replicates,
    local_exponent,
    power_law_exponent,
    same_estimator,
    threshold_from_crossings,
)

__all__ = [
    "FORMS",
    "ExponentFit",
    "LearnabilityLadder",
    "MeasuredComplexity",
    "NormExponents",
    "advantage_from_pairs",
    "crossing",
    "curve_from_replicates",
    "exponent_from_replicates",
    "fit_exponent",
    "learnability_ladder",
    "local_exponent",
    "measure",
    "norm_exponents",
    "power_law_exponent",
    "same_estimator",
    "threshold_from_crossings",
]
