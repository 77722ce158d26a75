"""A law in the coordinates in which it is fitted: logarithms of what is positive, in which it is smooth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import instance, number, numbers
from ....errors import refusal, unknown_name
from ....reprs import short_repr
from . import _newton, _starts

Array = NDArray[np.float64]
Columns = Mapping[str, ArrayLike]

NOTHING = -1e3
"""The logarithm that stands for zero: exp of it is exactly 0."""

FREE = math.inf
STEEPEST = 20.0
"""Largest exponent unless bounds say otherwise: beyond, amplitudes leave the range of floats."""
_GRID = np.linspace(0.05, 1.5, 30)


def checked_bounds(
    bounds: Mapping[str, tuple[float, float]] | None,
) -> dict[str, tuple[float, float]]:
    """Return bounds of parameters, each two numbers of which the first is smaller.

    Examples
    --------
    >>> checked_bounds({"a": (0, 1)})
    {'a': (0.0, 1.0)}
    """
    if bounds is None:
        return {}
    instance("bounds", bounds, Mapping)
    found = {}
    for name, given in bounds.items():
        ends = numbers(f"bounds[{name!r}]", given, infinite=True)
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise refusal(f"bounds[{name!r}]", given, "must be two increasing numbers")
        found[name] = (float(ends[0]), float(ends[1]))
    return found


@short_repr
@dataclass(frozen=True)
class FitLaw:
    """A law with coordinates in which it is fitted.

    Attributes
    ----------
    id : str
        The name that is printed.
    catalogue : str or None
        Name of the law in `scalinglaws.theory`.
    names : tuple of str
        Parameters in the order of the coordinates.
    logs : tuple of bool
        Whether the coordinate is the parameter's logarithm.
    variables : tuple of str
        Columns that the law needs.
    formula : str
        The law as people write it.
    low, high : tuple of float
        Bounds of the coordinates; equal where a parameter is fixed.
    centers : tuple of (int, int, int)
        Amplitude, its exponent, and the variable that both belong to: A x^-a is written with x over its geometric mean.
    simpler : str or None
        The law from whose optimum this one starts.
    kernel : callable
        Its logarithm with gradient and Hessian, compiled.
    linear : tuple of int
        Coordinates whose parameters enter the loss linearly: a start has their best values for each shape.
    boxes : tuple of (int, (float, float) or str)
        Range of each other coordinate in which starts are looked for; ``"scale"`` for that of the logarithms of the variables.
    like : str or None
        The law of which this one is a case in other coordinates, and from whose optimum it starts; ``"unrepeated"`` for a surface on
        the points that repeat no token.
    own : tuple of str
        Variables that a person named: columns that may be 0.
    alike : tuple of (int, int)
        Variables measured in the unit of another one: what is subtracted from the second is subtracted from the first.
    """

    id: str
    catalogue: str | None
    names: tuple[str, ...]
    logs: tuple[bool, ...]
    variables: tuple[str, ...]
    formula: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    kernel: Callable[..., float] = field(repr=False)
    centers: tuple[tuple[int, int, int], ...] = ()
    simpler: str | None = None
    linear: tuple[int, ...] = ()
    boxes: tuple[tuple[int, Any], ...] = ()
    like: str | None = None
    own: tuple[str, ...] = ()
    alike: tuple[tuple[int, int], ...] = ()

    @property
    def engine(self) -> _newton.Engine:
        """The compiled functions that fit the law."""
        return _newton.engine(self.kernel)

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which coordinates are fitted."""
        return np.array([low < high for low, high in zip(self.low, self.high, strict=True)])

    def logarithms(self, columns: Columns) -> Array:
        """Return the logarithms of the variables, shape (variables, points)."""
        instance("columns", columns, Mapping)
        rows = []
        for name in self.variables:
            if name not in columns:
                raise refusal(
                    name,
                    None,
                    f"is missing: {self.id} needs {', '.join(self.variables)}",
                    shown=False,
                )
            rows.append(self.column(name, columns[name]))
        table: Array = np.array(np.broadcast_arrays(*rows), float).reshape(len(rows), -1)
        if self.own:
            return np.where(table > 0, np.log(np.where(table > 0, table, 1.0)), NOTHING)
        return np.asarray(np.log(table))

    def column(self, name: str, values: ArrayLike) -> Array:
        """Check a column: positive, or, where a person named it a variable, at least 0."""
        return numbers(name, values, low=0, strict=name not in self.own)

    def predict(self, x: ArrayLike, columns: Columns) -> Array:
        """Compute ln L at points.

        Parameters
        ----------
        x : array_like, shape (p,) or (B, p)
            Coordinates.
        columns : mapping
            Variables, each of shape (m,).

        Returns
        -------
        ndarray, shape (m,) or (B, m)
            Logarithms of losses.
        """
        return self.values(np.asarray(x, float), self.logarithms(columns))

    def gradient(self, x: ArrayLike, columns: Columns) -> Array:
        """Compute the gradient of ln L in the coordinates at points, shape (m, p) or (B, m, p)."""
        return self.gradients(np.asarray(x, float), self.logarithms(columns))

    def values(self, x: Array, logs: Array) -> Array:
        """Compute ln L as `predict`, from logarithms of the variables."""
        rows = np.ascontiguousarray(np.atleast_2d(x))
        found = self.engine.values(rows, logs)
        return found if x.ndim > 1 else found[0]

    def gradients(self, x: Array, logs: Array) -> Array:
        """Compute the gradient as `gradient`, from logarithms of the variables."""
        rows = np.ascontiguousarray(np.atleast_2d(x))
        found = self.engine.gradients(rows, logs)
        return found if x.ndim > 1 else found[0]

    def parameters(self, x: ArrayLike) -> dict[str, float | Array]:
        """Turn coordinates, shape (p,) or (B, p), into parameters by name."""
        given = np.asarray(x, float)
        with np.errstate(under="ignore", over="ignore"):
            found = {
                name: np.exp(given[..., j]) if log else given[..., j].copy()
                for j, (name, log) in enumerate(zip(self.names, self.logs, strict=True))
            }
        return found if given.ndim > 1 else {name: float(value) for name, value in found.items()}

    def coordinates(self, parameters: Mapping[str, float]) -> Array:
        """Turn parameters by name into coordinates; refuse names that are missing or unknown."""
        for name in parameters:
            if name not in self.names:
                raise unknown_name("parameter", name, self.names)
        missing = [name for name in self.names if name not in parameters]
        if missing:
            raise refusal(
                "parameters", None, f"of {self.id} must name {', '.join(missing)}", shown=False
            )
        return np.array([self.coordinate(name, parameters[name]) for name in self.names])

    def coordinate(self, name: str, value: float) -> float:
        """Turn one parameter into its coordinate."""
        if name not in self.names:
            raise unknown_name("parameter", name, self.names)
        if not self.logs[self.names.index(name)]:
            return float(value)
        if not value >= 0:
            raise refusal(name, value, "must be >= 0")
        return math.log(value) if value > 0 else NOTHING

    def constrained(
        self,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        fixed: Mapping[str, float] | None = None,
    ) -> FitLaw:
        """Return the law with bounds on parameters, or with some of them fixed at values."""
        low, high = list(self.low), list(self.high)
        asked = checked_bounds(bounds)
        for name, (least, most) in asked.items():
            ends = self.coordinate(name, least), self._upper(name, most)
            if not ends[0] < ends[1]:
                raise refusal(f"bounds[{name!r}]", (least, most), "must be two increasing numbers")
            low[self.names.index(name)], high[self.names.index(name)] = ends
        if fixed is not None:
            instance("fixed", fixed, Mapping)
        for name, value in (fixed or {}).items():
            at = self.coordinate(name, number(f"fixed[{name!r}]", value))
            if name in asked and not asked[name][0] <= value <= asked[name][1]:
                raise refusal(f"fixed[{name!r}]", value, f"lies outside of bounds, {asked[name]}")
            low[self.names.index(name)] = high[self.names.index(name)] = at
        for amplitude, exponent, _ in self.centers:  # a term that is left out has no exponent
            if high[amplitude] <= NOTHING and low[exponent] < high[exponent]:
                low[exponent] = high[exponent] = 0.0
        return replace(self, low=tuple(low), high=tuple(high))

    def _upper(self, name: str, value: float) -> float:
        return math.inf if value == math.inf else self.coordinate(name, value)

    def middles(self, logs: Array) -> Array:
        """Return what is subtracted from the logarithms of the variables before a fit: their means.

        Nothing is subtracted where the amplitude has bounds or is fixed: it keeps its own coordinate.
        """
        found = np.zeros(len(self.variables))
        for amplitude, _, variable in self.centers:
            if self.low[amplitude] == -math.inf and self.high[amplitude] == math.inf:
                found[variable] = float(np.mean(logs[variable]))
        for variable, other in self.alike:
            found[variable] = found[other]
        return found

    def shifted(self, x: Array, middles: Array) -> Array:
        """Return coordinates, shape (..., p), for logarithms of variables from which `middles` were subtracted."""
        found = np.array(x, float)
        for amplitude, exponent, variable in self.centers:
            found[..., amplitude] -= found[..., exponent] * middles[variable]
        return found

    def within(self, x: Array) -> Array:
        """Return the coordinates moved to where bounds allow."""
        return np.clip(x, self.low, self.high)

    def grid_starts(self, logs: Array, losses: Array, weights: Array) -> list[Array]:
        """Return starts from a grid of shapes with the best amplitudes of each.

        Two where there is no offset: such surfaces have a minimum with a > b and another with a < b.
        """
        if self.id != "surface":
            found = _starts.shape_starts(
                lambda x: self.values(x, logs),
                logs,
                losses,
                weights,
                self.low,
                self.high,
                self.linear,
                dict(self.boxes),
            )
            return [self.within(x) for x in found]
        centers = logs.mean(axis=1)
        grids = []
        for j in (3, 4):  # exponents a and b
            low, high = self.low[j], self.high[j]
            inside = [value for value in _GRID if low <= value <= high]
            grids.append(np.array(inside or [min(max(0.35, low), high)]))
        u, v = logs - centers[:, None]
        offset = self.high[0] > NOTHING
        found = []
        for side in (0,) if offset else (1, -1):
            x = _starts.surface_start(
                u, v, losses, weights, grids[0], grids[1], offset=offset, side=side
            )
            x[1] += x[3] * centers[0]
            x[2] += x[4] * centers[1]
            found.append(self.within(x))
        return found
