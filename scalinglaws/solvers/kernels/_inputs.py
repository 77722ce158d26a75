"""Rows of inputs, and matrices that are filled tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import afford, numbers
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr

Array = NDArray[np.float64]
Make = Callable[[slice, slice, Array], None]

ROWS, COLUMNS = 256, 256  # of a tile: some of them lie in the second cache together


@short_repr
@by_value
@dataclass(frozen=True)
class Inputs:
    """Rows of two sets of inputs; those of the second are those of the first where there is only one.

    Attributes
    ----------
    x : ndarray, shape (n, d)
    z : ndarray, shape (m, d)
    alone : bool
        Whether there is only one set.
    """

    x: Array
    z: Array
    alone: bool

    def matrix(self, make: Make, diagonal: Array | float) -> Array:
        """Fill a matrix tile by tile; of a symmetric one, compute the upper half, and set the diagonal.

        Parameters
        ----------
        make : callable
            Of the rows, the columns and the tile, which it fills.
        diagonal : ndarray or float
            What stands there if there is only one set of inputs.

        Returns
        -------
        ndarray, shape (n, m)
        """
        found = np.empty((len(self.x), len(self.z)))
        columns = min(COLUMNS, found.shape[1])
        rows = ROWS if self.alone else ROWS * COLUMNS // columns
        tile = np.empty(rows * columns)
        for top in range(0, found.shape[0], rows):
            i = slice(top, min(top + rows, found.shape[0]))
            for left in range(top if self.alone else 0, found.shape[1], columns):
                j = slice(left, min(left + columns, found.shape[1]))
                part = room(tile, i, j)
                make(i, j, part)
                found[i, j] = part
                if self.alone:
                    found[j, i] = part.T
            if self.alone:  # what was written twice
                square = found[i, i]
                lower = np.tril_indices(len(square), -1)
                square[lower] = square.T[lower]
        if self.alone:
            np.fill_diagonal(found, diagonal)
        return found


def room(buffer: Array, i: slice, j: slice) -> Array:
    """Return the beginning of a buffer as a tile of the size of two slices, contiguous."""
    rows, columns = i.stop - i.start, j.stop - j.start
    return buffer[: rows * columns].reshape(rows, columns)


def buffers(count: int) -> tuple[Array, ...]:
    """Return so many buffers, of a tile each."""
    return tuple(np.empty(ROWS * COLUMNS) for _ in range(count))


def read_inputs(x: ArrayLike, z: ArrayLike | None, *, layers: int = 1) -> Inputs:
    """Check rows of inputs, and that memory holds their matrix.

    Parameters
    ----------
    x, z : array_like
        As they were given.
    layers : int
        How many numbers of each row are kept beside its own.

    Returns
    -------
    Inputs
    """
    first = _rows("x", x)
    alone = z is None or z is x
    second = first if alone else _rows("z", z)
    if second.shape[1] != first.shape[1]:
        complaint = f"must have rows as long as those of x, {first.shape[1]}; got {second.shape[1]}"
        raise refusal("z", z, complaint, shown=False)
    (n, width), m = first.shape, len(second)
    held = float(n) * m + 3.0 * (n + m) * (width + layers) + 8.0 * ROWS * COLUMNS
    afford(held, f"a matrix of {n} by {m} entries", "use fewer inputs, or give them in portions")
    return Inputs(first, second, alone)


def _rows(name: str, value: ArrayLike | None) -> Array:
    found = numbers(name, value)  # type: ignore[arg-type]
    if found.ndim != 2 or 0 in found.shape:
        one = "; give one input as [input]" if found.ndim == 1 and found.size else ""
        complaint = f"must be a matrix whose rows are inputs; got shape {found.shape}{one}"
        raise refusal(name, value, complaint, shown=False)
    return np.ascontiguousarray(found)


def refuse_overflow(name: str, squares: Array, what: str) -> None:
    """Refuse inputs whose kernel with themselves, or squared length, is too large for a float."""
    wrong = np.flatnonzero(~np.isfinite(squares))
    if wrong.size:
        complaint = f"is too large: {what} exceeds 1.8e308; scale the inputs down"
        raise refusal(name, None, complaint, shown=False, at=int(wrong[0]))
