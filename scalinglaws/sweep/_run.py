"""A function over a grid of named values: every point is kept as it ends."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from ..arguments import choice, flag
from ..arguments import path as checked_path
from ..errors import DomainError, WorkerError, brief, refusal
from ..keeping import cache_folder, digest_of, keep, kept, name_of_call, tidy
from ..provenance import source_digest
from ..results import Result
from ._many import MapLike, collect
from ._progress import progress
from ._records import Failure, Point, Sweep

_MOST = 1_000_000  # points
_TOLD = 10  # warnings


def default_folder() -> Path:
    """Return the folder in which points are kept: ``sweep`` in the user's cache folder."""
    return cache_folder("sweep")


def run(
    function: Callable[..., Any],
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    *,
    workers: int | MapLike = 1,
    cache: str | Path | bool | None = None,
    on_failure: str = "raise",
    progress_bar: bool = True,
    on_done: Callable[[int], None] | None = None,
) -> Sweep:
    """Call a function at every point of a grid; what is finished is kept, and never computed again.

    Parameters
    ----------
    function : callable
        Called with the values of a point by name; it returns a `Result`, a number or a word, an array of these, or a dictionary of such.
        `functools.partial` binds what does not vary. With several workers it must be importable by name.
    grid : mapping of str to sequence, or sequence of mappings
        The values of each argument, of which all combinations are taken, those of the last name next to each other; or the points
        themselves, one by one, all with the same names.
    workers : int or map-like
        Processes; or any callable that maps like the built-in ``map``, as that of a pool; or a client of ``dask.distributed``.
        The numbers do not depend on it.
    cache : str, Path or False
        Where finished points are kept: ``sweep`` in the user's cache folder by default, another folder, or nowhere (False).
    on_failure : {"raise", "return"}
        What an exception at a point does: end the sweep, whose finished points are kept, or become that point's result, a `Failure`.
    progress_bar : bool
        Whether a terminal shows how many points are done, and how long the rest may take.
    on_done : callable, optional
        Called in this process with the position of every point as it ends.

    Returns
    -------
    Sweep
        Results in the order of the grid, with their values.

    Raises
    ------
    DomainError
        If the grid is not of this form or has more than a million points, or the function returns something else.
    WorkerError
        If a worker process died; the same call goes on from there.

    Warns
    -----
    UserWarning
        Of everything that points warned of, now or when they were computed; and where points cannot be kept, since the function has no
        name, as a lambda, or an argument holds what cannot be told apart.

    Notes
    -----
    A point is found again if the function's name, the file in which it is defined, this package's sources, the versions of Python
    and of the numerical packages, and all arguments are the same. What a function of yours reads besides, other modules and files, is
    not looked at: give ``cache=False`` if that changes.

    A worker writes each point before it hands it over, if it sees the folder; this process writes what arrives from elsewhere. An
    interrupt loses what is being computed at that moment, nothing else.

    Examples
    --------
    >>> from functools import partial
    >>> from scalinglaws import solvers, sweep
    >>> spectrum = solvers.PowerLawSpectrum(alpha=1.5, beta=0.5)
    >>> found = sweep.run(partial(solvers.linear.ridge, spectrum), {"samples": [10, 1000], "ridge": [0, 0.1]}, cache=False)
    >>> found.shape, found.values[1]
    ((2, 2), (10, 0.1))
    >>> [f"{loss:.3f}" for loss in found.columns()["test_loss"]]
    ['0.497', '0.606', '0.017', '0.333']
    """
    if not callable(function):
        raise refusal("function", function, "must be a function")
    if on_done is not None and not callable(on_done):
        raise refusal("on_done", on_done, "must be a function")
    choice("on_failure", on_failure, ("raise", "return"))
    flag("progress_bar", progress_bar)
    names, values, shape = points_of(grid)
    folder = _folder(function, cache)
    paths: list[Path | None] = [None] * len(values)
    if folder is not None:
        paths = _paths(folder, names, values, asked=_is_folder(cache))
    found: dict[int, Point] = {
        place: point
        for place, path in enumerate(paths)
        if path is not None and (point := kept(Point, path)) is not None
    }
    fresh = [place for place in range(len(values)) if place not in found]
    for place in found:
        if on_done is not None:
            on_done(place)
    with progress("sweep", len(values), len(found), progress_bar) as advance:

        def arrived(position: int, point: Point) -> None:
            place = fresh[position]
            found[place] = point
            path = paths[place]
            if path is not None and not isinstance(point.output, Failure) and not path.exists():
                _keep(point, path)
            advance()
            if on_done is not None:
                on_done(place)

        try:
            collect(
                _Call(function, names, on_failure),
                [(values[place], paths[place]) for place in fresh],
                workers,
                {},
                arrived,
            )
        except WorkerError as failure:
            complaint = str(failure).rpartition("; ")[0].rpartition("; ")[0]
            advice = " and kept: run it again to go on from there" if folder is not None else ""
            raise WorkerError(
                f"{complaint}; {len(found)} of {len(values)} points are finished{advice}",
                finished={place: point.output for place, point in sorted(found.items())},
            ) from failure
    ordered = [found[place] for place in range(len(values))]
    _warn(names, values, ordered)
    return Sweep(names, values, tuple(point.output for point in ordered), shape)


# -- the grid -----------------------------------------------------------------------------------------------------------


def points_of(grid: Any) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], tuple[int, ...]]:
    """Return the names of a grid, the values of its points, and its shape."""
    if isinstance(grid, Mapping):
        names = _names(grid)
        axes = [_axis(name, grid[name]) for name in names]
        shape = tuple(map(len, axes))
        if math.prod(shape) > _MOST:
            raise refusal(
                "grid", math.prod(shape), f"points are too many; at most {_MOST} are computed"
            )
        return names, tuple(itertools.product(*axes)), shape
    if not isinstance(grid, (list, tuple)):
        raise refusal(
            "grid", grid, "must map names to lists of values, or be a list of such points"
        )
    if not grid or not all(isinstance(point, Mapping) for point in grid):
        raise refusal("grid", grid, "must hold points, which map names to values, at least one")
    if len(grid) > _MOST:
        raise refusal("grid", len(grid), f"points are too many; at most {_MOST} are computed")
    names = _names(grid[0])
    for place, point in enumerate(grid):
        if set(point) != set(names):
            complaint = f"must have the names of the first point, {', '.join(names)}"
            raise refusal("grid", tuple(point), complaint, at=place)
    values = tuple(tuple(_plain(point[name]) for name in names) for point in grid)
    return names, values, (len(values),)


def _names(point: Mapping[Any, Any]) -> tuple[str, ...]:
    names = tuple(point)
    for name in names:
        if not (isinstance(name, str) and name.isidentifier()):
            raise refusal("grid", name, "must have names of arguments")
    if not names:
        raise refusal("grid", point, "must name an argument that varies")
    return names


def _axis(name: str, values: Any) -> list[Any]:
    one_row = isinstance(values, (list, tuple, range)) or (
        isinstance(values, np.ndarray) and values.ndim == 1
    )
    if not one_row or not len(values):
        raise refusal("grid", values, f"must list values of {name}, at least one")
    if len(values) > _MOST:
        raise refusal("grid", len(values), f"values of {name} are too many; at most {_MOST}")
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """Return Python's own number for one of NumPy's, so that both are the same point."""
    return value.item() if isinstance(value, np.generic) else value


# -- what is kept -------------------------------------------------------------------------------------------------------


def _is_folder(cache: Any) -> bool:
    """Tell whether a folder was asked for, where points must be kept or the sweep is refused."""
    return cache is not None and not isinstance(cache, bool)


def _folder(function: Callable[..., Any], cache: Any) -> Path | None:
    """Return the folder of a function's points; None if nothing is to be kept."""
    if cache is False:
        return None
    place = checked_path("cache", cache) if _is_folder(cache) else default_folder()
    key = name_of_call(function)
    if key is None:
        _not_kept(
            "function",
            f"the points of {brief(function)} cannot be kept: it, or what is bound to it, is not to be found again by name",
            asked=_is_folder(cache),
        )
        return None
    tidy(place)
    folder = place / source_digest() / key
    try:  # a worker that sees it writes there
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        complaint = f"the points cannot be kept in {folder}: {failure.strerror}"
        _not_kept("cache", complaint, asked=_is_folder(cache))
        return None
    return folder


def _paths(
    folder: Path, names: tuple[str, ...], values: tuple[tuple[Any, ...], ...], *, asked: bool
) -> list[Path | None]:
    order = sorted(range(len(names)), key=lambda i: names[i])
    found: list[Path | None] = []
    try:
        for point in values:
            key = digest_of([[names[i], point[i]] for i in order])
            found.append(folder / f"{key}.npz")
    except DomainError as failure:
        _not_kept("grid", f"the points cannot be kept: {failure}", asked=asked)
        return [None] * len(values)
    return found


def _not_kept(argument: str, complaint: str, *, asked: bool) -> None:
    if asked:
        raise DomainError(complaint, argument=argument, value=None)
    warnings.warn(
        f"{complaint} (cache=False keeps none, and says nothing)", UserWarning, stacklevel=4
    )


def _keep(point: Point, path: Path) -> None:
    """Write a point; a result that cannot be written is no reason to lose a run."""
    try:
        keep(point, path)
    except DomainError as failure:
        warnings.warn(f"a point is not kept: {failure}", UserWarning, stacklevel=2)


class _Call:
    """A picklable call of a function at a point, which catches what it warns of and keeps what it finds."""

    def __init__(
        self, function: Callable[..., Any], names: tuple[str, ...], on_failure: str
    ) -> None:
        self.function, self.names, self.on_failure = function, names, on_failure

    def __call__(self, item: tuple[tuple[Any, ...], Path | None]) -> Point:
        values, path = item
        if path is not None and (found := kept(Point, path)) is not None:
            return found  # a worker that died since has finished it
        started = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                output = _checked(
                    self.function(**dict(zip(self.names, values, strict=True))), self.function
                )
            except Exception as failure:
                if self.on_failure == "raise":
                    failure.add_note(f"at {_where(self.names, values)}")
                    raise
                return Point(
                    Failure(type(failure).__name__, str(failure)), time.perf_counter() - started
                )
        said = dict.fromkeys(
            (entry.category.__name__, str(entry.message))
            for entry in caught
            if issubclass(entry.category, UserWarning)
        )
        point = Point(output, time.perf_counter() - started, tuple(said))
        if path is not None and path.parent.is_dir():
            _keep(point, path)
        return point


def _checked(output: Any, function: Any) -> Any:
    """Return what a point may have as a result, numbers as Python's own."""
    if isinstance(output, Result):
        return output
    if isinstance(output, Mapping) and all(isinstance(name, str) for name in output):
        return {name: _checked_entry(entry, function) for name, entry in output.items()}
    return _checked_entry(output, function)


def _checked_entry(entry: Any, function: Any) -> Any:
    if isinstance(entry, np.ndarray) and entry.dtype.kind in "biufU" and entry.ndim:
        return entry
    if isinstance(entry, (np.generic, np.ndarray)) and entry.dtype.kind in "biufU":
        return entry.item()
    if isinstance(entry, (bool, int, float, str)):
        return entry
    name = getattr(function, "__name__", None) or brief(function)
    raise DomainError(
        f"{name} returned {brief(entry)}: a point's result is a Result, a number, an array or a dictionary of such",
        argument="function",
        value=entry,
    )


def _where(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {brief(value)}" for name, value in zip(names, values, strict=True))


def _warn(names: tuple[str, ...], values: tuple[tuple[Any, ...], ...], points: list[Point]) -> None:
    """Warn of what points warned of, wherever and whenever they were computed."""
    said = [
        (category, f"{_where(names, point_values)}: {message}")
        for point_values, point in zip(values, points, strict=True)
        for category, message in point.warnings
    ]
    for category, message in said[:_TOLD]:
        kind = getattr(errors, category, UserWarning)
        warnings.warn(message, kind, stacklevel=3)
    if len(said) > _TOLD:
        warnings.warn(f"{len(said) - _TOLD} more warnings", UserWarning, stacklevel=3)
