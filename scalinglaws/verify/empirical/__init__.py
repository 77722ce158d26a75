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
    BetweenGroups,
    Calibration,
    ComparedLaw,
    ComputeMultiplier,
    Fit,
    Forecast,
    GroupFits,
    Identifiability,
    LawComparison,
    LawEstimator,
    LocalSlopes,
    LossPrediction,
    Optimum,
    Profile,
    RollingOrigin,
    SharingTest,
    compare_laws,
    compute_multiplier,
    estimator,
    fit,
    fit_groups,
    from_parameters,
    local_slopes,
    optimum,
    sandwich_covariance,
)

__all__ = [
    "SMOOTHNESS",
    "WARNINGS",
    "BetweenGroups",
    "Budgets",
    "Calibration",
    "CodedWarning",
    "ComparedLaw",
    "ComputeMultiplier",
    "Fit",
    "Forecast",
    "GroupFits",
    "HeldOutCurve",
    "Identifiability",
    "IntrinsicDimension",
    "KernelExponent",
    "LawComparison",
    "LawEstimator",
    "LimitingMechanism",
    "LocalSlopes",
    "LossPrediction",
    "MeasuredExponent",
    "MeasuredSpectrum",
    "Optimum",
    "PredictedCurve",
    "PredictedExponent",
    "Profile",
    "RollingOrigin",
    "Runs",
    "SharingTest",
    "TaskMeasurement",
    "TaskPrediction",
    "compare_laws",
    "compute_multiplier",
    "estimator",
    "example_runs",
    "fit",
    "fit_groups",
    "from_parameters",
    "held_out_curve",
    "intrinsic_dimension",
    "kernel_exponent",
    "leave_one_out_residuals",
    "limiting_mechanism",
    "local_slopes",
    "measure",
    "optimum",
    "predicted_loss",
    "read_runs",
    "sandwich_covariance",
    "warning_table",
]
