"""Data sets as they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import numbers
from ...errors import refusal

Array = NDArray[np.float64]


def data_rows(name: str, value: ArrayLike) -> Array:
    """Return inputs, one in each row."""
    found = numbers(name, value)
    if found.ndim != 2 or 0 in found.shape:
        one = "; give one input as [input]" if found.ndim == 1 and found.size else ""
        complaint = f"must be a matrix whose rows are inputs; got shape {found.shape}{one}"
        raise refusal(name, value, complaint, shown=False)
    return np.array(found, order="C")


def data_targets(name: str, value: ArrayLike, count: int, *, columns: bool) -> Array:
    """Return targets, one for each input or (with `columns`) a row of several."""
    found = numbers(name, value)
    allowed = (1, 2) if columns else (1,)
    if found.ndim not in allowed or len(found) != count or found.size == 0:
        each = "one target, or one row of them," if columns else "one target"
        complaint = f"must hold {each} for each of {count} inputs; got shape {found.shape}"
        raise refusal(name, value, complaint, shown=False)
    return np.array(found)
