"""Exponents, curves, thresholds and advantages from replicates, with standard errors."""

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
    "advantage_from_pairs",
    "crossing",
    "curve_from_replicates",
    "exponent_from_replicates",
    "fit_exponent",
    "local_exponent",
    "measure",
    "power_law_exponent",
    "same_estimator",
    "threshold_from_crossings",
]
