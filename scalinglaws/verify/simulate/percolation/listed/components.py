"""A single component, resolved by cells: a smooth function on a torus, approximated by pieces and tested between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import afford, generator, whole, whole_numbers
from .....errors import refusal

Array = NDArray[np.float64]

_WAVES = 4  # of the function, of wave numbers 1 and 2 along every axis
_MOST_CELLS = 10**5  # along an axis: beyond, the error of linear pieces is rounding
_HIGHEST = 10


def component_losses(
    cells: ArrayLike,
    *,
    dimension: int,
    order: int = 2,
    tests: int = 2000,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Squared error of a piecewise approximation of a random smooth function on a d-dimensional torus.

    The torus is cut into :math:`n = N^d` cubes. Pieces are constant, with the value in the middle of the cube (error of second order
    in its side), or linear along every axis, between the values at its corners (fourth order). Tested at random places.

    Parameters
    ----------
    cells : array_like of int, shape (J,)
        N, cubes along an axis, 1 to 1e5.
    dimension : int
        d, 1 to 10.
    order : {2, 4}
        Constant or linear pieces.
    tests : int
        Places where the error is measured.
    draws : int
        R, how many functions to draw, each with its own places.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (R, J)
        Mean squared errors, over the variance of the function.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> losses = component_losses([16, 32], dimension=2, draws=20).mean(axis=0)
    >>> bool(3.8 < losses[0] / losses[1] < 4.2)
    True
    """
    sides = whole_numbers("cells", cells, low=1, high=_MOST_CELLS)
    if sides.ndim != 1 or sides.size == 0:
        complaint = f"must be one-dimensional and not empty; got shape {sides.shape}"
        raise refusal("cells", sides.shape, complaint, shown=False)
    d = whole("dimension", dimension, high=_HIGHEST)
    degree = whole("order", order)
    if degree not in (2, 4):
        raise refusal("order", order, "must be 2 (constant pieces) or 4 (linear ones)")
    places, times = whole("tests", tests), whole("draws", draws)
    corners = 2**d if degree == 4 else 1
    work = float(times) * sides.size * places * corners
    afford(float(times) * sides.size, "the losses", "use fewer draws")
    afford(places * (2.0 * _WAVES + 4.0 * d), "the tests", "use fewer tests")
    afford(work / 100, "the tests of all draws", "use fewer draws or tests")
    source, losses = generator(rng), np.empty((times, sides.size))
    for row in losses:
        waves = source.integers(1, 3, (_WAVES, d)) * source.choice([-1, 1], (_WAVES, d))
        phases, heights = source.random(_WAVES), source.standard_normal(_WAVES)

        def function(
            x: Array, waves: Array = waves, phases: Array = phases, heights: Array = heights
        ) -> Array:
            return np.asarray(np.sin(2 * np.pi * (x @ waves.T + phases)) @ heights)

        x = source.random((places, d))
        truth, variance = function(x), 0.5 * float(heights @ heights)
        for j, side in enumerate(sides):
            found = (
                function((np.floor(x * side) + 0.5) / side)
                if degree == 2
                else _interpolated(function, x, float(side))
            )
            row[j] = np.mean((found - truth) ** 2) / variance
    return losses


def _interpolated(function: object, x: Array, side: float) -> Array:
    """Return what is linear along every axis between the corners of the cubes."""
    low = np.floor(x * side)
    share = x * side - low
    total = np.zeros(x.shape[0])
    for corner in np.ndindex(*(2,) * x.shape[1]):
        upper = np.array(corner)
        weight = np.prod(np.where(upper, share, 1.0 - share), axis=1)
        total += weight * function((low + upper) / side)  # type: ignore[operator]
    return total
