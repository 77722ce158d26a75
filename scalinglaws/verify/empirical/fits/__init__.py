"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._between_groups import BetweenGroups
from ._calibration import Calibration, calibrate, drift_per_decade
from ._comparison import ComparedLaw, LawComparison, compare_laws
from ._covariance import sandwich_covariance
from ._design import design
from ._design_record import Design
from ._estimator import LawEstimator, estimator
from ._fit import fit, from_parameters
from ._forecast import Forecast, forecast, members
from ._groups import GroupFits, fit_groups
from ._identifiability import Identifiability
from ._laws import FitLaw, fit_law
from ._local_slopes import LocalSlopes, local_slopes
from ._multiplier import ComputeMultiplier, compute_multiplier
from ._optimum import Optimum, optimum
from ._plan import plan
from ._plan_record import Plan
from ._predict import LossPrediction, predict
from ._profile import Profile
from ._recipes import RecipeComparison, compare_recipes
from ._record import Fit
from ._rolling import RollingOrigin, rolling_origin
from ._sensitivity import Sensitivity, sensitivity
from ._sharing import SharingTest
from ._solve import Solution, resolve_many, solve
from ._task_fit import fit_task
from ._task_record import AccuracyPrediction, TaskFit

__all__ = [
    "AccuracyPrediction",
    "BetweenGroups",
    "Calibration",
    "ComparedLaw",
    "ComputeMultiplier",
    "Design",
    "Fit",
    "FitLaw",
    "Forecast",
    "GroupFits",
    "Identifiability",
    "LawComparison",
    "LawEstimator",
    "LocalSlopes",
    "LossPrediction",
    "Optimum",
    "Plan",
    "Profile",
    "RecipeComparison",
    "RollingOrigin",
    "Sensitivity",
    "SharingTest",
    "Solution",
    "TaskFit",
    "calibrate",
    "compare_laws",
    "compare_recipes",
    "compute_multiplier",
    "design",
    "drift_per_decade",
    "estimator",
    "fit",
    "fit_groups",
    "fit_law",
    "fit_task",
    "forecast",
    "from_parameters",
    "local_slopes",
    "members",
    "optimum",
    "plan",
    "predict",
    "resolve_many",
    "rolling_origin",
    "sandwich_covariance",
    "sensitivity",
    "solve",
]
