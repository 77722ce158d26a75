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
from ._schedule_law import (
    ScheduledCurve,
    ScheduleLawFit,
    SchedulePrediction,
    fit_schedule_law,
)

__all__ = [
    "FORMS",
    "ExponentFit",
    "LearnabilityLadder",
    "MeasuredComplexity",
    "NormExponents",
    "ScheduleLawFit",
    "SchedulePrediction",
    "ScheduledCurve",
    "advantage_from_pairs",
    "crossing",
    "curve_from_replicates",
    "exponent_from_replicates",
    "fit_exponent",
    "fit_schedule_law",
    "learnability_ladder",
    "local_exponent",
    "measure",
    "norm_exponents",
    "power_law_exponent",
    "same_estimator",
    "threshold_from_crossings",
]
