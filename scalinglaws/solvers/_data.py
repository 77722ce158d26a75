"""Data sets as they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import refusal

Array = NDArray[np.float64]

GRAM_ROWS = "rows of the Gram matrix"


def data_rows(name: str, value: ArrayLike) -> Array:
    """Return inputs, one in each row."""
    found = numbers(name, value)
    if found.ndim != 2 or 0 in found.shape:
        one = "; give one input as [input]" if found.ndim == 1 and found.size else ""
        complaint = f"must be a matrix whose rows are inputs; got shape {found.shape}{one}"
        raise refusal(name, value, complaint, shown=False)
    return np.array(found, order="C")


def data_values(
    name: str,
    value: ArrayLike,
    count: int,
    *,
    of: str = "inputs",
    what: str = "target",
    columns: bool = False,
) -> Array:
    """Return values, such as targets, one for each of `count` inputs or (with `columns`) a row of several."""
    found = numbers(name, value)
    allowed = (1, 2) if columns else (1,)
    if found.ndim not in allowed or len(found) != count or found.size == 0:
        each = f"one {what}, or one row of them," if columns else f"one {what}"
        complaint = f"must hold {each} for each of {count} {of}; got shape {found.shape}"
        raise refusal(name, value, complaint, shown=False)
    return np.array(found)
