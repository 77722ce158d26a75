"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._design import design
from ._design_record import Design
from ._fit import fit, from_parameters
from ._laws import FitLaw, fit_law
from ._record import Fit
from ._solve import Solution, resolve_many, solve

__all__ = [
    "Design",
    "Fit",
    "FitLaw",
    "Solution",
    "design",
    "fit",
    "fit_law",
    "from_parameters",
    "resolve_many",
    "solve",
]
