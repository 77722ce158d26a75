"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._fit import fit, from_parameters
from ._forecast import Forecast, LossPrediction, forecast, members, predict
from ._laws import FitLaw, fit_law
from ._record import Fit
from ._solve import Solution, resolve_many, solve

__all__ = [
    "Fit",
    "FitLaw",
    "Forecast",
    "LossPrediction",
    "Solution",
    "fit",
    "fit_law",
    "forecast",
    "from_parameters",
    "members",
    "predict",
    "resolve_many",
    "solve",
]
