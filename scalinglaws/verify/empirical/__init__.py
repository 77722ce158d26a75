"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._dimension import (
    SMOOTHNESS,
    IntrinsicDimension,
    KernelExponent,
    intrinsic_dimension,
    kernel_exponent,
)
from ._held_out import held_out_curve, leave_one_out_residuals
from ._learning_curve import predicted_loss
from ._measure import measure
from ._measurement import TaskMeasurement
from ._mechanism import LimitingMechanism, limiting_mechanism
from ._prediction import PredictedCurve, PredictedExponent, TaskPrediction
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum

__all__ = [
    "SMOOTHNESS",
    "HeldOutCurve",
    "IntrinsicDimension",
    "KernelExponent",
    "LimitingMechanism",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "PredictedCurve",
    "PredictedExponent",
    "TaskMeasurement",
    "TaskPrediction",
    "held_out_curve",
    "intrinsic_dimension",
    "kernel_exponent",
    "leave_one_out_residuals",
    "limiting_mechanism",
    "measure",
    "predicted_loss",
]
