"""Simulations, measurements, and comparisons that can fail.

Examples
--------
>>> from scalinglaws import verify
>>> "linear.statics" in verify.available()
True
"""

from ..rooms import lazy_submodules
from .comparison import Comparison, Crash, Measurement, Prediction, Rival
from .registry import available, check, checks_of, run
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
    "checks_of",
    "judge",
    "judge_curve",
    "run",
]

__getattr__, __dir__ = lazy_submodules(__name__)
