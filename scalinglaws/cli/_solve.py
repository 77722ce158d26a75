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

from ..errors import DomainError, unknown_name
from ..formatting import number
from ..notation import belonging
from ..tables import Block, Table
from ._app import Json, Latex, Output, app
from ._figures import FIGURES, draw
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard
from ._grammar import MAX_ROWS, floats, pairs, to_float
from ._picture import Columns, Picture
from ._solver_help import arguments, columns, renamed, solver_help, solver_list
from ._solvers import Solver
from ._spectrum import FILES, SHAPE, file_first, take_spectrum

if TYPE_CHECKING:
    from ..theory.catalogue import Remark

_ZIPF = ("alpha", "size")
_SHOWN = 40  # rows on a screen of those that a result spreads
_LISTED = 10  # numbers that a title writes out
_FEWEST = 8  # of them for each run


class _Zipf(tuple[float, ...]):
    """Weights of clusters, k^-(1 + alpha)."""

    def __new__(cls, values: list[float], alpha: float) -> _Zipf:
        found = super().__new__(cls, values)
        found.alpha = alpha
        return found

    alpha: float


_EVERY = 10  # whole numbers of a short range that are all taken


@dataclass(frozen=True)
class _Request:
    """What was asked of a solver.

    Attributes
    ----------
    solver : Solver
        The function, and how to call it.
    spectrum : PowerLawSpectrum or None
        None for a solver without one.
    written : str
        How it was described, where that was in another notation than alpha and beta.
    fixed : dict
        What every call gets: words, and lists that are one value.
    one_by_one : dict of str to list
        Arguments of which each call gets one value.
    together : dict of str to list
        Arguments that one call gets as arrays.
    files : dict of str to str
        Where a measured spectrum was read from.
    """

    solver: Solver
    spectrum: Any
    written: str
    fixed: dict[str, Any]
    one_by_one: dict[str, list[float]]
    together: dict[str, list[float]]
    files: dict[str, str]

    @property
    def varied(self) -> list[str]:
        """Arguments with several values, of all that make rows."""
        axes, along = self.one_by_one | self.together, self.solver.shown.along
        return [key for key in axes if len(axes[key]) > 1] + ([along] if along else [])

    def title(self) -> str:
        """Name the solver, the task, and what does not vary."""
        task = "" if self.spectrum is None else _task(self)
        if self.written:
            task += f", from {self.written}"
        given = self.fixed | {
            key: axis[0]
            for key, axis in (self.one_by_one | self.together).items()
            if key not in self.varied
        }
        rest = ", ".join(
            f"{key} = {_given(value)}" for key, value in given.items() if key not in self.varied
        )
        head = f"{self.solver.name}: {task or rest}".removesuffix(": ")
        return f"{head}\n{rest}" if task and rest else head


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
    request = _request(solver, renamed(solver, pairs(file_first(solver, values))), notation)
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


# -- what is asked for --------------------------------------------------------------------------------------------------


def _request(solver: Solver, given: dict[str, str], notation: str | None = None) -> _Request:
    """Sort the arguments of a command by how the solver takes them."""
    name, shown, parameters = solver.name, solver.shown, dict(solver.parameters)
    shape = (*SHAPE, *FILES) if solver.has_spectrum else ()
    described = _ZIPF if solver.weights else ()
    files = {key: given[key] for key in FILES if key in given} if shape else {}
    spectrum, how = take_spectrum(solver, given, notation)
    for key in given:
        if key not in (*parameters, *described):
            known = [*parameters, *shape, *described]
            more = belonging(key) if shape and key not in shape else ""
            raise unknown_name(f"argument of {name}", key, known, more)
    zipf = {key: given.pop(key) for key in described if key in given}
    if zipf:
        weights = _zipf(
            name,
            str(solver.weights),
            {key: to_float(key, text) for key, text in zipf.items()},
            given,
        )
        parameters.pop(str(solver.weights))
    missing = [
        key for key, item in parameters.items() if item.default is item.empty and key not in given
    ]
    if missing:
        instead = f" ({solver.weights}= or alpha= and size=)" if solver.weights in missing else ""
        raise DomainError(
            f"{name} needs {', '.join(f'{key}=' for key in missing)}{instead}",
            argument=missing[0],
            value=None,
        )

    fixed: dict[str, Any] = {key: given.pop(key) for key in solver.words if key in given}
    fixed |= {key: _yes(key, given.pop(key)) for key in shown.flags if key in given}
    if "rng" in given:
        fixed["rng"] = _seed(given.pop("rng"))
    axes = {key: floats(key, text) for key, text in given.items()}
    axes |= {key: _counted(axes[key]) for key in solver.counted if ":" in given.get(key, "")}
    fixed |= {key: tuple(axes.pop(key)) for key in shown.whole if key in axes}
    if zipf:
        fixed[str(solver.weights)] = weights
    if shown.along in axes:
        fixed[shown.along] = _only(shown.along, axes.pop(shown.along))
    rows = math.prod(map(len, axes.values()))
    if rows > MAX_ROWS:
        raise DomainError(
            f"the grid has {rows} points; at most {MAX_ROWS} are computed",
            argument="values",
            value=rows,
        )
    one_by_one = {key: axis for key, axis in axes.items() if key in solver.one_by_one}
    together = {key: axis for key, axis in axes.items() if key not in one_by_one}
    return _Request(solver, spectrum, how, fixed, one_by_one, together, files)


def _yes(key: str, text: str) -> bool:
    """Read yes or no."""
    known = {"true": True, "yes": True, "false": False, "no": False}
    if text.lower() not in known:
        raise DomainError(f"{key} = {text!r} must be true or false", argument=key, value=text)
    return known[text.lower()]


def _seed(text: str) -> int:
    """Read the seed of a solver that samples."""
    if not text.isdecimal():
        raise DomainError(
            f"rng = {text!r} must be a seed, one whole number >= 0", argument="rng", value=text
        )
    return int(text)


def _only(key: str, values: list[float]) -> float:
    """Return a value that must be alone."""
    if len(values) > 1:
        raise DomainError(
            f"{key} must be one number, the last one: the rows are all {key} up to it",
            argument=key,
            value=values,
        )
    return values[0]


def _counted(values: list[float]) -> list[float]:
    """Return whole numbers near those of a range, each once; all of them if a range within a decade gave its ends alone."""
    first, last = round(values[0]), round(values[-1])
    if len(values) == 2 and first < last < 10 * first and last - first < _EVERY:
        return [float(value) for value in range(first, last + 1)]
    return list(dict.fromkeys(float(round(value)) for value in values))


def _zipf(name: str, key: str, shape: dict[str, float], given: dict[str, str]) -> _Zipf:
    """Return the weights that alpha= and size= describe."""
    if key in given:
        raise DomainError(
            f"{name}: {key}= and alpha= describe the same; give one of them",
            argument=key,
            value=given[key],
        )
    if set(shape) != set(_ZIPF):
        raise DomainError(
            f"{name} needs alpha= and size= together, or {key}=", argument="alpha", value=shape
        )
    excess, size = shape["alpha"], shape["size"]
    if not 0 < excess < math.inf:
        raise DomainError(
            f"alpha = {number(excess)} must be finite and > 0", argument="alpha", value=excess
        )
    if not (1 <= size <= MAX_ROWS and size == round(size)):
        raise DomainError(
            f"size = {number(size)} must be a whole number from 1 to {MAX_ROWS}",
            argument="size",
            value=size,
        )
    return _Zipf((np.arange(1, int(size) + 1) ** -(1 + excess)).tolist(), excess)


# -- what is computed ---------------------------------------------------------------------------------------------------


def _solved(request: _Request) -> _Solved:
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


def _called(request: _Request, arguments: dict[str, Any]) -> tuple[Any, list[str]]:
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


def _answer(request: _Request, solved: _Solved, *, brief: bool) -> Answer:
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
    cells = [tuple(_cell(row[i]) for i in visible) for row in rows]
    blocks: list[Block] = [
        request.title(),
        Table(tuple(list(columns)[i] for i in visible), cells),
        *(["\n".join(foot)] if foot else []),
    ]
    return Answer(data, blocks, (tuple(columns), table))


def _picture(request: _Request, solved: _Solved) -> Picture:
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


def _remark(request: _Request) -> Remark:
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


def _totals(request: _Request, solved: _Solved, data: dict[str, Any]) -> list[str]:
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
            + ", ".join(f"{_words(key)} {_cell(value)}" for key, value in each.items())
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


def _task(request: _Request) -> str:
    spectrum = request.spectrum
    if request.files:
        signal = request.files.get("signal", "")
        white = not signal and np.array_equal(spectrum.eigenvalues, spectrum.signal)
        found = (
            ", signal = eigenvalues (a white target)"
            if white
            else f", signal {signal}" * bool(signal)
        )
        return f"{request.files['spectrum']}, {number(spectrum.size)} modes{found}"
    return f"alpha = {number(spectrum.alpha)}, beta = {number(spectrum.beta)}, {number(spectrum.size)} modes"


def _given(value: Any) -> str:
    if isinstance(value, _Zipf):
        return f"k^-{number(1 + value.alpha)} for k = 1 to {len(value)}"
    if isinstance(value, tuple):
        return (
            ",".join(map(number, value))
            if len(value) <= _LISTED
            else f"{len(value)} numbers from {number(value[0])} to {number(value[-1])}"
        )
    return _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number(value)
