"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._laws import FitLaw, fit_law
from ._solve import Solution, resolve_many, solve

__all__ = ["FitLaw", "Solution", "fit_law", "resolve_many", "solve"]
