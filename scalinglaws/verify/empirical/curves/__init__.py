"""Laws of training curves that know the schedule of the learning rate."""

from ._compare import ComparedCurveLaw, CurveComparison, compare_curves
from ._fit import fit_curves
from ._record import CurveFit, CurvePrediction, FittedCurve, HeldOutRun

__all__ = [
    "ComparedCurveLaw",
    "CurveComparison",
    "CurveFit",
    "CurvePrediction",
    "FittedCurve",
    "HeldOutRun",
    "compare_curves",
    "fit_curves",
]
