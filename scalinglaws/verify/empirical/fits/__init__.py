"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._calibration import Calibration, calibrate, drift_per_decade
from ._covariance import sandwich_covariance
from ._design import design
from ._design_record import Design
from ._estimator import LawEstimator, estimator
from ._fit import fit, from_parameters
from ._forecast import Forecast, forecast, members
from ._identifiability import Identifiability
from ._laws import FitLaw, fit_law
from ._optimum import Optimum, optimum
from ._plan import plan
from ._plan_record import Plan
from ._predict import LossPrediction, predict
from ._profile import Profile
from ._record import Fit
from ._rolling import RollingOrigin, rolling_origin
from ._solve import Solution, resolve_many, solve

__all__ = [
    "Calibration",
    "Design",
    "Fit",
    "FitLaw",
    "Forecast",
    "Identifiability",
    "LawEstimator",
    "LossPrediction",
    "Optimum",
    "Plan",
    "Profile",
    "RollingOrigin",
    "Solution",
    "calibrate",
    "design",
    "drift_per_decade",
    "estimator",
    "fit",
    "fit_law",
    "forecast",
    "from_parameters",
    "members",
    "optimum",
    "plan",
    "predict",
    "resolve_many",
    "rolling_origin",
    "sandwich_covariance",
    "solve",
]
