"""The command that runs a solver."""

from __future__ import annotations

import itertools
import math
import re
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from ..errors import DomainError
from ..formatting import number
from ..tables import Block, Table
from ._app import Json, Latex, Output, app
from ._figures import FIGURES, draw
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard
from ._grammar import pairs
from ._picture import Columns, Picture
from ._solver_help import arguments, columns, renamed, solver_help, solver_list
from ._solver_request import Request, read_request, written
from ._solvers import Solver
from ._spectrum import file_first

if TYPE_CHECKING:
    from ..theory.catalogue import Remark

_SHOWN = 40  # rows on a screen of those that a result spreads
_FEWEST = 8  # of them for each run


@dataclass(frozen=True)
class _Solved:
    """Columns of a table, results, the number of rows that each run made, and what was warned of."""

    columns: Columns
    results: list[Any]
    lengths: list[int]
    warnings: list[str]


@app.command(help_flags=())
def solve(
    name: str | None = None,
    /,
    *values: str,
    listed: Annotated[bool, Parameter(name="--list", negative="")] = False,
    described: Annotated[bool, Parameter(name=("--help", "-h"), negative="")] = False,
    notation: str | None = None,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Run a solver: linear.ridge, linear.gradient_flow, linear.online_sgd, linear.compute_frontier, and others.

    Parameters
    ----------
    name : str
        Name of a solver, as --list shows them; with --help, what its arguments mean.
    values : str
        The spectrum (alpha= beta= or a= b=, and size=; or spectrum=FILE with measured eigenvalues, perhaps
        signal=FILE) and the solver's own arguments. A number (0.5, 1/2, 1e9, inf),
        a list (1,2,5) or a logarithmic range (1e3:1e9, one point per decade, or 1e3:1e9:25; of whole numbers, 2:7 are all six);
        several make a grid.
    listed : bool
        List the solvers, all or those whose name or purpose mentions NAME.
    described : bool
        Describe a solver and its arguments; without NAME, this command.
    notation : str
        How the spectrum is written, if not as alpha and beta or in a way that its names tell: bordelon (a, b), paquette, bahri,
        kernel, caponnetto, or an author who writes the same.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt; a picture as .png, .svg, .pdf).
    """
    if listed:
        emit(solver_list(name or ""), json, output, latex=latex)
        return 0
    if name is None:
        app.help_print(["solve"])
        return 0 if described else 2
    solver = Solver.named(name)
    if described:
        emit(solver_help(solver), json, output, latex=latex)
        return 0
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    request = read_request(solver, renamed(solver, pairs(file_first(solver, values))), notation)
    if output is not None and output.suffix in FIGURES and not request.varied:
        raise DomainError(
            "a picture needs an argument that varies: give a list or a range",
            argument="output",
            value=output,
        )
    solved = _solved(request)
    for warning in solved.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if output is not None and output.suffix in FIGURES:
        draw(_picture(request, solved), output)
    else:
        emit(_answer(request, solved, brief=output is None), json, output, latex=latex)
    return 0


# -- what is computed ---------------------------------------------------------------------------------------------------


def _solved(request: Request) -> _Solved:
    """Call a solver once for every combination of what it takes one at a time."""
    solver, axes = request.solver, request.together
    shown = solver.shown
    # independent variables along the last axes: times must not decrease along the last one
    order = [key for key in axes if key not in solver.independent] + [
        key for key in axes if key in solver.independent
    ]
    mesh = dict(
        zip(order, np.meshgrid(*(np.array(axes[key]) for key in order), indexing="ij"), strict=True)
    )
    makes_grid = len([key for key in order if key in solver.independent]) > 1
    arrays = {key: np.array(axis) for key, axis in axes.items()} if makes_grid else mesh
    words = {key: value for key, value in request.fixed.items() if isinstance(value, str)}
    rows = [
        *words,
        *request.one_by_one,
        *order,
        *([shown.along] if shown.along else []),
        *shown.columns,
        *shown.optional,
    ]
    solved = _Solved({key: [] for key in rows}, [], [], [])
    for chosen in itertools.product(*request.one_by_one.values()):
        values = dict(zip(request.one_by_one, chosen, strict=True))
        result, complaints = _called(request, request.fixed | values | arrays)
        solved.results.append(result)
        where = ", ".join(
            f"{key} = {number(values[key])}" for key in request.varied if key in values
        )
        solved.warnings.extend(
            f"{where}: {complaint}" if where else complaint for complaint in complaints
        )
        source = (
            SimpleNamespace(**shown.rows(result, request.fixed | values)) if shown.rows else result
        )
        cells = {
            key: getattr(source, key) if hasattr(source, key) else source
            for key in (*shown.columns, *shown.optional)
        }
        cells |= words | values | mesh
        if shown.along:
            cells[shown.along] = getattr(source, shown.along)
        shape = np.broadcast_shapes(*(np.shape(value) for value in cells.values()))
        for key, column in solved.columns.items():
            column += np.broadcast_to(np.asarray(cells[key]), shape).ravel().tolist()
        solved.lengths.append(math.prod(shape))
    for key in shown.optional:
        if not any(solved.columns[key]):
            del solved.columns[key]
    return solved


def _called(request: Request, arguments: dict[str, Any]) -> tuple[Any, list[str]]:
    """Call a solver once; return its result and its warnings."""
    if request.spectrum is not None:
        arguments["spectrum"] = request.spectrum
    try:
        with heard() as said:
            result = request.solver.function(**arguments)
    except DomainError as failure:
        name = str(failure.argument)
        if name not in request.together:
            raise
        # a grid was made of what was typed: its indices are nobody's, and the value tells which one it is
        told = re.sub(rf"^{re.escape(name)}\[\d+(?:, \d+)*\]", name, str(failure))
        raise DomainError(told, argument=name, value=failure.value) from failure
    return result, said


# -- what is shown ------------------------------------------------------------------------------------------------------


def _answer(request: Request, solved: _Solved, *, brief: bool) -> Answer:
    """Bring together what is shown; brief for a screen."""
    from ..results import jsonable
    from ..theory.catalogue import assumption

    columns, spectrum, shown = solved.columns, request.spectrum, request.solver.shown
    data: dict[str, Any] = {
        "solver": request.solver.name,
        "spectrum": None
        if spectrum is None
        else request.files | {"size": spectrum.size}
        if request.files
        else jsonable({key: getattr(spectrum, key) for key in ("alpha", "beta", "size")}),
        "arguments": jsonable(
            {
                key: value
                for key, value in request.fixed.items()
                if key not in columns or key == shown.along
            }
        ),
        "columns": jsonable(columns),
    }
    if solved.warnings:
        data["warnings"] = solved.warnings
    foot = _totals(request, solved, data)
    foot += filter(None, [_remark(request)])
    if assumed := assumption(request.solver.name):
        foot.append(f"assumes {assumed}")
        data["assumes"] = assumed
    if diagnostics := [
        result.diagnostics for result in solved.results if hasattr(result, "diagnostics")
    ]:
        worst = max(diagnostics, key=lambda entry: entry.error_estimate)
        foot.append(
            f"{worst.method}; {_effort(diagnostics)}estimated relative error {worst.error_estimate:.1e}"
        )
        data["diagnostics"] = {**vars(worst), "status": worst.status.name}
    table = list(zip(*columns.values(), strict=True))
    rows = table
    if shown.along and brief:
        kept = _chosen(solved.lengths)
        rows = [table[i] for i in kept]
        if len(kept) < len(table):
            foot.append(
                f"{len(kept)} of {len(table)} rows; --json or --output FILE has all of them"
            )
    seen = {*shown.columns, *shown.optional, *request.varied}
    visible = [i for i, key in enumerate(columns) if key in seen]
    cells = [tuple(written(row[i]) for i in visible) for row in rows]
    blocks: list[Block] = [
        request.title(),
        Table(tuple(list(columns)[i] for i in visible), cells),
        *(["\n".join(foot)] if foot else []),
    ]
    return Answer(data, blocks, (tuple(columns), table))


def _picture(request: Request, solved: _Solved) -> Picture:
    """Bring together what a picture shows."""
    from ..theory.catalogue import assumption

    solver, said = request.solver, _remark(request)
    defaults = {key: item.default for key, item in solver.parameters.items()}
    given = {
        key: axis[0]
        for key, axis in (request.one_by_one | request.together).items()
        if key not in request.varied
    }
    assumed = assumption(solver.name)
    drawn = tuple(
        key for key in (*solver.shown.columns, *solver.shown.optional) if key in solved.columns
    )
    return Picture(
        title=request.title(),
        columns=solved.columns,
        shown=replace(solver.shown, columns=drawn),
        varied=request.varied,
        meanings=columns(solver),
        arguments=arguments(solver),
        constant=defaults | given,
        derived=said.powers,
        remarks=[
            *_totals(request, solved, {}),
            *([f"derived: {said}"] if said else []),
            *([f"assumes {assumed}"] if assumed else []),
            *(f"warning: {warning}" for warning in solved.warnings),
        ],
    )


def _remark(request: Request) -> Remark:
    """Return what the theory says about a task, where it says the same of all values of arguments that have several."""
    from ..theory import remark
    from ..theory.catalogue import Remark

    if request.files:
        return Remark("")  # remarks are about power laws
    task = request.spectrum
    values = {} if task is None else {"alpha": task.alpha, "beta": task.beta}
    axes = request.one_by_one | request.together
    alone = {key: axis[0] if len(axis) == 1 else tuple(axis) for key, axis in axes.items()}
    return remark(request.solver.name, **(request.fixed | alone | values))


def _totals(request: Request, solved: _Solved, data: dict[str, Any]) -> list[str]:
    """Write what belongs to a whole run, a line for each."""
    from ..results import jsonable

    totals = request.solver.shown.totals
    if not totals:
        return []
    runs = [
        dict(zip(request.one_by_one, chosen, strict=True))
        for chosen in itertools.product(*request.one_by_one.values())
    ]
    found = [{key: getattr(result, key) for key in totals} for result in solved.results]
    data["totals"] = [jsonable(run | each) for run, each in zip(runs, found, strict=True)]
    lines = []
    for run, each in zip(runs, found, strict=True):
        where = ", ".join(f"{key} = {number(run[key])}" for key in request.varied if key in run)
        lines.append(
            (f"{where}: " if where else "")
            + ", ".join(f"{_words(key)} {written(value)}" for key, value in each.items())
        )
    return lines


def _words(name: str) -> str:
    return name.replace("_", " ")


def _effort(diagnostics: list[Any]) -> str:
    """Say how many iterations it took, if it took some."""
    steps = max(entry.iterations for entry in diagnostics)
    kind = "samples" if "sampling" in diagnostics[0].method else "steps at most"
    return f"{steps} {kind}, " if steps > 1 else ""


def _chosen(lengths: list[int]) -> list[int]:
    """Choose rows of each run, evenly in the logarithm: the first ones, the last one, and some in between."""
    count = max(_FEWEST, _SHOWN // len(lengths))
    kept, start = [], 0
    for length in lengths:
        ends = np.geomspace(1, length, count) if length > count else np.arange(1, length + 1)
        kept += [start + int(i) - 1 for i in np.unique(np.rint(ends))]
        start += length
    return kept
