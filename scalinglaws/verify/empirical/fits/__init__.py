"""Fits of laws to runs: starts, Newton steps, and what follows from them."""

from ._between_groups import BetweenGroups
from ._fit import fit, from_parameters
from ._groups import GroupFits, fit_groups
from ._laws import FitLaw, fit_law
from ._multiplier import ComputeMultiplier, compute_multiplier
from ._record import Fit
from ._sharing import SharingTest
from ._solve import Solution, resolve_many, solve

__all__ = [
    "BetweenGroups",
    "ComputeMultiplier",
    "Fit",
    "FitLaw",
    "GroupFits",
    "SharingTest",
    "Solution",
    "compute_multiplier",
    "fit",
    "fit_groups",
    "fit_law",
    "from_parameters",
    "resolve_many",
    "solve",
]
