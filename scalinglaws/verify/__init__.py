"""Simulations, measurements, and comparisons that can fail.

Examples
--------
>>> from scalinglaws import verify
>>> "linear.statics" in verify.available()
True
"""

from .comparison import Comparison, Measurement, Outcome, Prediction, Rival, judge, judge_curve
from .registry import available, check, run
from .report import Report

__all__ = [
    "Comparison",
    "Measurement",
    "Outcome",
    "Prediction",
    "Report",
    "Rival",
    "available",
    "check",
    "judge",
    "judge_curve",
    "run",
]
