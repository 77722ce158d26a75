"""Simulations, measurements, and comparisons that can fail.

Examples
--------
>>> from scalinglaws import verify
>>> "linear.statics" in verify.available()
True
"""

from .comparison import Comparison, Crash, Measurement, Prediction, Rival
from .registry import available, check, run
from .report import Report
from .rule import Outcome, judge, judge_curve

__all__ = [
    "Comparison",
    "Crash",
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
