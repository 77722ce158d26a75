"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._held_out import held_out_curve, leave_one_out_residuals
from ._learning_curve import predicted_loss
from ._prediction import PredictedCurve, PredictedExponent, TaskPrediction
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum

__all__ = [
    "HeldOutCurve",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "PredictedCurve",
    "PredictedExponent",
    "TaskPrediction",
    "held_out_curve",
    "leave_one_out_residuals",
    "predicted_loss",
]
