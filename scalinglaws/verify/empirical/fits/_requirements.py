"""What points must be, for a law to be fitted to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ....errors import DataError
from ._law import FitLaw

Array = NDArray[np.float64]

_MORE = 2  # points beyond the number of parameters
_SAME_RATIO = 0.02  # spread of D/N below which N and D cannot be told apart


def enough(law: FitLaw, columns: Mapping[str, Array], weights: Array) -> None:
    """Refuse points that cannot determine a law, those without weight left out.

    Raises
    ------
    DataError
        If there are fewer than parameters + 2, or all have the same value of a variable, or the same D/N.
    """
    free = int(np.sum(law.free))
    if not free:
        raise DataError(f"all parameters of {law.id} are fixed: nothing is left to fit")
    points = int(np.count_nonzero(weights))
    if points < free + _MORE:
        raise DataError(
            f"{points} points are too few for the {free} parameters of {law.id}; at least {free + _MORE} are needed"
        )
    kept = {name: column[weights > 0] for name, column in columns.items()}
    followers = {law.variables[one] for one, _ in law.alike}  # unique tokens may be one corpus
    for name, column in kept.items():
        if name not in followers and np.ptp(column) == 0:
            cure = "power_offset needs only one scale" if len(kept) > 1 else "add runs at others"
            raise DataError(
                f"all runs have {name} = {column[0]:.4g}: {law.id} needs several; {cure}"
            )
    if "U" in followers and not np.any(kept["D"] > kept["U"]):
        raise DataError(
            f"no run sees more tokens than are unique: {law.id} has nothing to fit; use surface, or add runs of several epochs"
        )
    if "N" in kept and "D" in kept:
        ratio = kept["D"] / kept["N"]
        if np.ptp(ratio) < _SAME_RATIO * np.mean(ratio):
            raise DataError(
                f"all runs have D/N = {np.mean(ratio):.4g}: {law.id} cannot tell N and D apart; fit power_offset in C, "
                "or add runs at other ratios"
            )
