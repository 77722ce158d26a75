"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._dimension import IntrinsicDimension, intrinsic_dimension
from ._held_out import held_out_curve, leave_one_out_residuals
from ._learning_curve import predicted_loss
from ._measure import measure
from ._measurement import TaskMeasurement
from ._prediction import PredictedCurve, PredictedExponent, TaskPrediction
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum

__all__ = [
    "HeldOutCurve",
    "IntrinsicDimension",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "PredictedCurve",
    "PredictedExponent",
    "TaskMeasurement",
    "TaskPrediction",
    "held_out_curve",
    "intrinsic_dimension",
    "leave_one_out_residuals",
    "measure",
    "predicted_loss",
]
