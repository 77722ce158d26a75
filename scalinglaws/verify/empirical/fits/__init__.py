"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._fit import fit, from_parameters
from ._laws import FitLaw, fit_law
from ._plan import plan
from ._plan_record import Plan
from ._record import Fit
from ._solve import Solution, resolve_many, solve

__all__ = [
    "Fit",
    "FitLaw",
    "Plan",
    "Solution",
    "fit",
    "fit_law",
    "from_parameters",
    "plan",
    "resolve_many",
    "solve",
]
