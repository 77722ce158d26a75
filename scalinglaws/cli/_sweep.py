"""The command that runs a solver over a grid, here or on a cluster."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from ..errors import DomainError, ScalingLawsError
from ..formatting import number
from ..tables import Table
from ._app import Json, Latex, Output, app, whole
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard, wrote
from ._grammar import pairs
from ._signals import stopped_by
from ._solve import _solved
from ._solver_help import renamed
from ._solver_request import Request, read_request
from ._solvers import Solver
from ._spectrum import file_first
from ._waiting import aside


@app.command
def sweep(
    name: str,
    /,
    *values: str,
    scheduler: str | None = None,
    workers: Annotated[int | None, Parameter(converter=whole)] = None,
    on_failure: str = "raise",
    fresh: Annotated[bool, Parameter(negative=())] = False,
    notation: str | None = None,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Run a solver at every point of a grid, each kept as it ends: interrupted, the same command goes on from there.

    Parameters
    ----------
    name : str
        Name of a solver, as solve --list shows them; solve NAME --help tells what its arguments mean.
    values : str
        The spectrum and the solver's arguments, as solve takes them: numbers, lists (1,2,5) and logarithmic ranges (1e3:1e9:25).
    scheduler : str
        Address of a dask.distributed scheduler (tcp://HOST:8786) whose workers do the work.
    workers : int
        Processes on this machine; one per available core by default. The numbers do not depend on it.
    on_failure : str
        What an error at a point does: raise (end the sweep) or return (a row that says what went wrong).
    fresh : bool
        Compute every point, whatever is kept, and keep none.
    notation : str
        How the spectrum is written, as for solve.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.parquet, .csv, .json, .md, .tex, .txt).
    """
    from ..sweep import end_workers, run

    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, ".parquet"))
        if output.suffix == ".parquet":
            _parquet()  # before the work, not after it
    solver = Solver.named(name)
    request = read_request(solver, renamed(solver, pairs(file_first(solver, values))), notation)
    axes = request.one_by_one | request.together
    grid = {key: axis for key, axis in axes.items() if len(axis) > 1}
    if not grid:
        raise DomainError(
            "a sweep needs an argument that varies: give a list or a range",
            argument="values",
            value=values,
        )
    fixed = {
        key: tuple(value) if isinstance(value, tuple) else value
        for key, value in request.fixed.items()
    }
    alone = {key: axis[0] for key, axis in axes.items() if key not in grid}
    point = functools.partial(rows_of, solver.name, request.spectrum, fixed, alone)
    done: list[int] = []
    try:
        with heard() as said, doers(scheduler, workers) as chosen, aside():
            found = run(
                point,
                grid,
                workers=chosen,
                cache=False if fresh else None,
                on_failure=on_failure,
                on_done=done.append,
            )
    except KeyboardInterrupt as interrupt:
        end_workers()
        word, code = stopped_by(interrupt)
        kept = "finished" if fresh else "finished and kept; run it again to go on from there"
        print(f"{word}: {len(done)} points are {kept}", file=sys.stderr)
        return code
    except ScalingLawsError as failure:
        for note in getattr(failure, "__notes__", ()):
            print(note, file=sys.stderr)
        raise
    for warning in said:
        print(f"warning: {warning}", file=sys.stderr)
    table = found.columns()
    if output is not None and output.suffix == ".parquet":
        _write_parquet(table, output)
        return 0
    header, rows = tuple(table), list(zip(*table.values(), strict=True))
    data = {
        "solver": solver.name,
        "columns": {key: [_jsonable(cell) for cell in column] for key, column in table.items()},
    }
    cells = [tuple(_cell(cell) for cell in row) for row in rows]
    answer = Answer(data, [request.title(), Table(header, cells)], (header, rows))
    emit(answer, json, output, latex=latex)
    return 0


def rows_of(
    name: str, spectrum: Any, fixed: dict[str, Any], alone: dict[str, float], **point: float
) -> dict[str, Any]:
    """Return the rows that a solver makes at one point, as arrays by the names of columns."""
    solver = Solver.named(name)
    values = {key: [value] for key, value in (alone | point).items()}
    request = Request(
        solver,
        spectrum,
        "",
        fixed,
        {key: value for key, value in values.items() if key in solver.one_by_one},
        {key: value for key, value in values.items() if key not in solver.one_by_one},
        {},
    )
    found = _solved(request)
    for warning in found.warnings:
        warnings.warn(warning, UserWarning, stacklevel=1)
    lone = sum(found.lengths) == 1
    return {
        key: column[0] if lone else np.array(column)
        for key, column in found.columns.items()
        if key not in point
    }


@contextlib.contextmanager
def doers(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """Give what does the work: processes here, one per core where nothing is said, or a cluster."""
    from ..sweep import connect

    if scheduler is None:
        yield cores() if workers is None else workers
        return
    if workers is not None:
        raise DomainError(
            "--scheduler and --workers exclude each other: a cluster has its own workers",
            argument="workers",
            value=workers,
        )
    with connect(scheduler) as client:
        yield client


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value if isinstance(value, str) else number(value)


def _jsonable(value: Any) -> Any:
    from ..results import jsonable

    return None if isinstance(value, float) and value != value else jsonable(value)


def _parquet() -> Any:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise DomainError(
            "a Parquet file needs pyarrow, which is not installed: pip install pyarrow; or write .csv",
            argument="output",
            value=".parquet",
        ) from None


def _write_parquet(table: dict[str, list[Any]], output: Path) -> None:
    arrow, parquet = _parquet()
    made = {}
    for key, column in table.items():
        held = {type(value) for value in column} - {type(None)}
        if held == {int, float}:
            column = [None if value is None else float(value) for value in column]
        elif len(held) > 1:
            column = [None if value is None else str(value) for value in column]
        made[key] = column
    try:
        parquet.write_table(arrow.table(made), output)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror or failure}", argument="output", value=output
        ) from failure
    wrote(output)
