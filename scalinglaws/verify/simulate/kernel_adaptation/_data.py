"""What samplers check of the data they are given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import floats, refuse_first, whole_numbers
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr

Array = NDArray[np.float64]


def checked(
    inputs: ArrayLike, labels: ArrayLike, dimension: int | None = None, prefix: str = ""
) -> tuple[Array, Array]:
    """Return points and their labels, finite and of matching shapes; none of either if `dimension` says what none would have."""
    x, y = floats("inputs", inputs), floats("labels", labels)
    if dimension is not None and not x.size and not y.size:
        return np.empty((0, dimension)), np.empty(0)
    if (
        x.ndim != 2
        or y.shape != (len(x),)
        or x.shape[1] == 0
        or (dimension is not None and x.shape[1] != dimension)
    ):
        raise refusal(
            f"{prefix}inputs",
            x.shape,
            f"{prefix}inputs and {prefix}labels must have shapes (P, {dimension or 'd'}) and "
            f"(P,); got {x.shape} and {y.shape}",
            named=False,
        )
    for name, values in (("inputs", x), ("labels", y)):
        refuse_first(f"{prefix}{name}", values, ~np.isfinite(values), "must be finite")
    return x, y


def unit_vector(direction: ArrayLike | None, dimension: int) -> Array:
    """Return a direction, normalized; the first axis if none is given."""
    found = np.eye(dimension)[0] if direction is None else floats("direction", direction)
    length = float(np.linalg.norm(found))
    if found.shape != (dimension,) or not 0 < length < math.inf:
        raise refusal(
            "direction",
            direction,
            f"must be a finite vector of length {dimension}, not zero; got {direction!r}",
            shown=False,
        )
    return found / length


def odd_degrees(degrees: ArrayLike) -> tuple[int, ...]:
    """Return distinct odd degrees of polynomials, below 100."""
    found = whole_numbers("degrees", degrees, low=1, high=99)
    if found.ndim != 1 or np.unique(found).size < found.size:
        raise refusal("degrees", degrees, "must be a row of distinct odd whole numbers")
    refuse_first("degrees", found, found % 2 == 0, "must be odd: a network of these is odd")
    return tuple(map(int, found))


@short_repr
@by_value
@dataclass(frozen=True)
class Reduced:
    """Data of a network that is linear in its inputs: a rotation of the points leaves min(P, d) of them that are not zero.

    Attributes
    ----------
    inputs, labels : ndarray, shapes (p, d) and (p,)
        What is left.
    basis : ndarray, shape (P, p), or None
        Orthonormal; from outputs on what is left to those on the points.
    constant : float
        Energy of the labels that no such network reaches.
    """

    inputs: Array
    labels: Array
    basis: Array | None
    constant: float

    def outputs(self, reduced: Array) -> Array:
        """Return outputs on the points from those on what is left of them."""
        return reduced if self.basis is None else self.basis @ reduced


def reduced(x: Array, y: Array, ridge: float, scale: float) -> Reduced:
    """Rotate more points than dimensions onto as many as there are dimensions."""
    if len(x) <= x.shape[1]:
        return Reduced(x, y, None, 0.0)
    basis, inputs = np.linalg.qr(x)
    labels = basis.T @ y
    missed = float(np.sum((y - basis @ labels) ** 2))
    lost = 0.5 * scale * missed / ridge + 0.5 * (len(x) - x.shape[1]) * math.log(ridge)
    return Reduced(inputs, labels, basis, lost)
