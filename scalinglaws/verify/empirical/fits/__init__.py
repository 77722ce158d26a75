"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._covariance import sandwich_covariance
from ._design import design
from ._design_record import Design
from ._estimator import LawEstimator, estimator
from ._fit import fit, from_parameters
from ._forecast import Forecast, LossPrediction, forecast, members, predict
from ._identifiability import Identifiability
from ._laws import FitLaw, fit_law
from ._optimum import Optimum, optimum
from ._profile import Profile
from ._record import Fit
from ._solve import Solution, resolve_many, solve

__all__ = [
    "Design",
    "Fit",
    "FitLaw",
    "Forecast",
    "Identifiability",
    "LawEstimator",
    "LossPrediction",
    "Optimum",
    "Profile",
    "Solution",
    "design",
    "estimator",
    "fit",
    "fit_law",
    "forecast",
    "from_parameters",
    "members",
    "optimum",
    "predict",
    "resolve_many",
    "sandwich_covariance",
    "solve",
]
