"""What a sweep returns: results with the values they belong to, as tables and as arrays with names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

import numpy as np

from ..arguments import afford
from ..errors import refusal
from ..results import Diagnostics, Result

_PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class Failure(Result):
    """Why a point of a sweep has no result.

    Attributes
    ----------
    kind : str
        Name of the exception.
    message : str
        What it said.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Point(Result):
    """What came of one point of a sweep, as it is kept on disk.

    Attributes
    ----------
    output : object
        What the function returned, or a `Failure`.
    seconds : float
        The time it took.
    warnings : tuple of tuple of str
        What was warned of meanwhile: names of categories, and messages.
    """

    output: Any
    seconds: float
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sweep(Result):
    """Results of a function over a grid, in the order of the grid.

    Attributes
    ----------
    names : tuple of str
        Arguments that vary.
    values : tuple of tuple
        For each point their values, in the order of `names`.
    results : tuple
        For each point what the function returned, or a `Failure`.
    shape : tuple of int
        Of the grid: the number of values for each name, or the number of points where they were listed one by one.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    results: tuple[Any, ...]
    shape: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.results)

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Go through the points: their values by name, and their results."""
        for values, result in zip(self.values, self.results, strict=True):
            yield dict(zip(self.names, values, strict=True)), result

    @property
    def failures(self) -> tuple[int, ...]:
        """Positions of the points that have no result."""
        return tuple(i for i, result in enumerate(self.results) if isinstance(result, Failure))

    def columns(self) -> dict[str, list[Any]]:
        """Return a table: one row for each point, or for each entry where results hold arrays.

        Returns
        -------
        dict of str to list
            Values of the grid; then what results hold, ``result`` where that has no name; None where a point lacks something, and
            a column ``failure`` where one failed.

        Raises
        ------
        DomainError
            If a result holds arrays that do not lie along each other.
        ResourceError
            If the table would not fit into the memory budget.

        Examples
        --------
        >>> Sweep(("x",), ((1,), (2,)), (1.0, 4.0), (2,)).columns()
        {'x': [1, 2], 'result': [1.0, 4.0]}
        """
        parts = [_cells(result) for result in self.results]
        found: dict[str, list[Any]] = {
            name: []
            for name in dict.fromkeys((*self.names, *(key for part in parts for key in part)))
        }
        rows = 0
        for position, (values, part) in enumerate(zip(self.values, parts, strict=True)):
            own = {
                name: value if isinstance(value, _PLAIN) or value is None else str(value)
                for name, value in zip(self.names, values, strict=True)
                if isinstance(value, _PLAIN) or value is None or name not in part
            }
            cells = {name: np.asarray(value) for name, value in (part | own).items()}
            try:
                shape = np.broadcast_shapes(*(cell.shape for cell in cells.values()))
            except ValueError:
                shapes = ", ".join(f"{name} {cell.shape}" for name, cell in cells.items())
                complaint = f"point {position} holds arrays that are no columns of one table: {shapes}; use results"
                raise refusal("results", None, complaint, named=False) from None
            rows += math.prod(shape)
            afford(rows * len(found), "the table", "use results, which are not spread over rows")
            for name, column in found.items():
                spread = np.broadcast_to(cells.get(name, np.array(None)), shape)
                column += spread.ravel().tolist()
        return found

    def to_dataframe(self) -> Any:
        """Return the table of `columns` as a pandas data frame; needs pandas."""
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError(
                "to_dataframe needs pandas, which is not installed; use columns(), to_dict() or save()"
            ) from None
        return pandas.DataFrame(self.columns())

    def to_xarray(self) -> Any:
        """Return the results as an xarray data set with the values of the grid as coordinates; needs xarray.

        Returns
        -------
        xarray.Dataset
            A dimension for each name, or ``point`` where points were listed one by one; entries of arrays have further dimensions,
            called like the array with a number. What a point lacks is NaN.

        Raises
        ------
        DomainError
            If arrays of the same name have different shapes.
        """
        try:
            xarray = import_module("xarray")
        except ImportError:
            raise ImportError(
                "to_xarray needs xarray, which is not installed; use columns(), to_dict() or save()"
            ) from None
        grid = len(self.shape) == len(self.names)
        dims = self.names if grid else ("point",)
        coordinates = {}
        for place, name in enumerate(self.names):
            held = _row([values[place] for values in self.values])
            if grid:
                along = np.moveaxis(held.reshape(self.shape), place, 0)
                held = along.reshape(self.shape[place], -1)[:, 0]
            coordinates[name] = ((name if grid else "point",), held)
        parts = [_cells(result) for result in self.results]
        held_by_name = {}
        for name in dict.fromkeys(key for part in parts for key in part):
            if name in self.names:
                continue
            cells = [np.asarray(part[name]) if name in part else None for part in parts]
            shapes = {cell.shape for cell in cells if cell is not None}
            if len(shapes) > 1:
                complaint = f"{name} has different shapes at different points; use columns()"
                raise refusal("results", None, complaint, named=False)
            shape = shapes.pop()
            afford(len(parts) * math.prod(shape), f"the array of {name}", "use results")
            lacks = np.full(shape, "" if any(_is_text(cell) for cell in cells) else np.nan)
            stack = np.stack([lacks if cell is None else cell for cell in cells])
            inner = tuple(f"{name}_{axis}" for axis in range(len(shape)))
            held_by_name[name] = ((*dims, *inner), stack.reshape(*self.shape, *shape))
        return xarray.Dataset(held_by_name, coordinates)


def _is_text(cell: Any) -> bool:
    return cell is not None and cell.dtype.kind == "U"


def _row(values: list[Any]) -> Any:
    """Return an array of values, of objects where they are no numbers or words."""
    if all(isinstance(value, _PLAIN) for value in values):
        return np.array(values)
    row = np.empty(len(values), dtype=object)
    row[:] = values
    return row


def _cells(result: Any) -> dict[str, Any]:
    """Return what a result holds that has a place in a table, by name."""
    if isinstance(result, Failure):
        return {"failure": f"{result.kind}: {result.message}"}
    if isinstance(result, Mapping):
        return dict(result)
    if not isinstance(result, Result):
        return {"result": result}
    return {
        field.name: value
        for field in fields(result)  # type: ignore[arg-type]
        if not isinstance(value := getattr(result, field.name), Diagnostics)
        and (
            isinstance(value, _PLAIN)
            or (isinstance(value, np.ndarray) and not value.dtype.hasobject)
        )
    }
