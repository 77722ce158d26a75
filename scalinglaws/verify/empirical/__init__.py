"""People's own measurements: capacity and source of their data, training runs and fits of them, and what theories predict."""

from ._coded_warnings import WARNINGS, CodedWarning, warning_table
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
from ._read_runs import example_runs, read_runs
from ._records import HeldOutCurve, MeasuredExponent, MeasuredSpectrum
from ._runs import Budgets, Runs
from .fits import (
    Design,
    Fit,
    Forecast,
    Identifiability,
    LawEstimator,
    LossPrediction,
    Optimum,
    Profile,
    design,
    estimator,
    fit,
    from_parameters,
    optimum,
    sandwich_covariance,
)

__all__ = [
    "SMOOTHNESS",
    "WARNINGS",
    "Budgets",
    "CodedWarning",
    "Design",
    "Fit",
    "Forecast",
    "HeldOutCurve",
    "Identifiability",
    "IntrinsicDimension",
    "KernelExponent",
    "LawEstimator",
    "LimitingMechanism",
    "LossPrediction",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "Optimum",
    "PredictedCurve",
    "PredictedExponent",
    "Profile",
    "Runs",
    "TaskMeasurement",
    "TaskPrediction",
    "design",
    "estimator",
    "example_runs",
    "fit",
    "from_parameters",
    "held_out_curve",
    "intrinsic_dimension",
    "kernel_exponent",
    "leave_one_out_residuals",
    "limiting_mechanism",
    "measure",
    "optimum",
    "predicted_loss",
    "read_runs",
    "sandwich_covariance",
    "warning_table",
]
