"""The command that runs a solver."""

from __future__ import annotations

import inspect
import itertools
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import DomainError, unknown_name
from ..formatting import number
from ..tables import Block, Table
from ._app import Json, Output, app
from ._figures import FIGURES, Columns, draw
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit
from ._grammar import MAX_ROWS, floats, pairs, to_float
from ._solvers import SOLVERS, SolverEntry

_SPECTRUM = ("alpha", "beta", "a", "b", "size")
_HIDDEN = (
    "spectrum",
    "on_failure",
    "matrices",
    "with_allocation",
    "distinct",
    "digits",
)  # arguments that a table has no use for
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


@dataclass(frozen=True)
class _Request:
    """What was asked of a solver.

    Attributes
    ----------
    name : str
        Of the solver.
    entry : SolverEntry
        How to call it.
    solver : callable
        The function.
    spectrum : PowerLawSpectrum or None
        None for a solver without one.
    fixed : dict
        What every call gets: words, and lists that are one value.
    one_by_one : dict of str to list
        Arguments of which each call gets one value.
    together : dict of str to list
        Arguments that one call gets as arrays.
    """

    name: str
    entry: SolverEntry
    solver: Callable[..., Any]
    spectrum: Any
    fixed: dict[str, Any]
    one_by_one: dict[str, list[float]]
    together: dict[str, list[float]]

    @property
    def varied(self) -> list[str]:
        """Arguments with several values, of all that make rows."""
        axes = self.one_by_one | self.together
        return [key for key in axes if len(axes[key]) > 1] + (
            [self.entry.along] if self.entry.along else []
        )

    def title(self) -> str:
        """Name the solver, the task, and what does not vary."""
        task = "" if self.spectrum is None else _task(self.spectrum)
        given = self.fixed | {
            key: axis[0]
            for key, axis in (self.one_by_one | self.together).items()
            if key not in self.varied
        }
        rest = ", ".join(
            f"{key} = {_given(value)}" for key, value in given.items() if key not in self.varied
        )
        head = f"{self.name}: {task or rest}".removesuffix(": ")
        return f"{head}\n{rest}" if task and rest else head


@dataclass(frozen=True)
class _Solved:
    """Columns of a table, results, the number of rows that each run made, and what was warned of."""

    columns: Columns
    results: list[Any]
    lengths: list[int]
    warnings: list[str]


@app.command
def solve(name: str, /, *values: str, json: Json = False, output: Output = None) -> int:
    """Run a solver: linear.ridge, linear.gradient_flow, linear.online_sgd, linear.compute_frontier, and others.

    Parameters
    ----------
    name : str
        Name of a solver; a wrong one lists those that there are.
    values : str
        The spectrum (alpha= beta= or a= b=, and size=) and the solver's own arguments. A number (0.5, 1/2, 1e9, inf),
        a list (1,2,5) or a logarithmic range (1e3:1e9, one point per decade, or 1e3:1e9:25); several make a grid.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .txt; a picture as .png, .svg, .pdf).
    """
    if name not in SOLVERS:
        raise unknown_name("solver", name, SOLVERS)
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    request = _request(name, pairs(values))
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
        draw(request.title(), solved.columns, request.entry.columns, request.varied, output)
    else:
        emit(_answer(request, solved, brief=output is None), json, output)
    return 0


# -- what is asked for --------------------------------------------------------------------------------------------------


def _request(name: str, given: dict[str, str]) -> _Request:
    """Sort the arguments of a command by how the solver takes them."""
    entry = SOLVERS[name]
    module, _, function = entry.path.partition(":")
    solver = getattr(import_module(module), function)
    signature = inspect.signature(solver).parameters
    parameters = {key: item for key, item in signature.items() if key not in _HIDDEN}
    shape = _SPECTRUM if "spectrum" in signature else ()
    for key in given:
        if key not in parameters and key not in shape and not (entry.zipf and key in _ZIPF):
            raise unknown_name(
                f"argument of {name}", key, [*parameters, *shape, *(_ZIPF if entry.zipf else ())]
            )
    spectrum = (
        _spectrum(name, {key: to_float(key, given.pop(key)) for key in shape if key in given})
        if shape
        else None
    )
    zipf = {key: given.pop(key) for key in _ZIPF if key in given} if entry.zipf else {}
    if zipf:
        weights = _zipf(
            name, str(entry.zipf), {key: to_float(key, text) for key, text in zipf.items()}, given
        )
        parameters = {key: item for key, item in parameters.items() if key != entry.zipf}
    missing = [
        key for key, item in parameters.items() if item.default is item.empty and key not in given
    ]
    if missing:
        instead = f" ({entry.zipf}= or alpha= and size=)" if entry.zipf in missing else ""
        raise DomainError(
            f"{name} needs {', '.join(f'{key}=' for key in missing)}{instead}",
            argument=missing[0],
            value=None,
        )

    fixed: dict[str, Any] = {
        key: given.pop(key)
        for key, item in parameters.items()
        if isinstance(item.default, str) and key in given
    }
    if "rng" in given:
        fixed["rng"] = _seed(given.pop("rng"))
    axes = {key: floats(key, text) for key, text in given.items()}
    axes |= {key: _rounded(axes[key]) for key in entry.counted if ":" in given.get(key, "")}
    fixed |= {key: tuple(axes.pop(key)) for key in entry.whole if key in axes}
    if zipf:
        fixed[str(entry.zipf)] = weights
    if entry.along in axes:
        fixed[entry.along] = _only(entry.along, axes.pop(entry.along))
    rows = math.prod(map(len, axes.values()))
    if rows > MAX_ROWS:
        raise DomainError(
            f"the grid has {rows} points; at most {MAX_ROWS} are computed",
            argument="values",
            value=rows,
        )
    one_by_one = {key: axis for key, axis in axes.items() if key in entry.single or entry.along}
    return _Request(
        name,
        entry,
        solver,
        spectrum,
        fixed,
        one_by_one,
        {key: axis for key, axis in axes.items() if key not in one_by_one},
    )


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


def _rounded(values: list[float]) -> list[float]:
    """Return whole numbers near those of a range, each once."""
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


def _spectrum(name: str, shape: dict[str, float]) -> Any:
    """Build the spectrum from the arguments that describe it."""
    from ..solvers import PowerLawSpectrum

    size = shape.pop("size", math.inf)
    if set(shape) == {"alpha", "beta"}:
        return PowerLawSpectrum(**shape, size=size)
    if set(shape) == {"a", "b"}:
        return PowerLawSpectrum.from_ab(**shape, size=size)
    raise DomainError(
        f"{name} needs a spectrum: alpha= and beta=, or a= and b=; got {', '.join(shape) or 'neither'}",
        argument="alpha",
        value=shape,
    )


# -- what is computed ---------------------------------------------------------------------------------------------------


def _solved(request: _Request) -> _Solved:
    """Call a solver once for every combination of what it takes one at a time."""
    entry, axes = request.entry, request.together
    # times along the last axis, where they must not decrease
    order = [key for key in axes if key not in entry.leading] + [
        key for key in axes if key in entry.leading
    ]
    mesh = dict(
        zip(order, np.meshgrid(*(np.array(axes[key]) for key in order), indexing="ij"), strict=True)
    )
    makes_grid = len([key for key in order if key in entry.leading]) > 1
    arrays = {key: np.array(axis) for key, axis in axes.items()} if makes_grid else mesh
    words = {key: value for key, value in request.fixed.items() if isinstance(value, str)}
    rows = [
        *words,
        *request.one_by_one,
        *order,
        *([entry.along] if entry.along else []),
        *entry.columns,
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
        source = result if entry.view is None else entry.view(result, request.fixed | values)
        shown = {
            key: getattr(source, key) if hasattr(source, key) else source for key in entry.columns
        }
        shown |= words | values | mesh
        if entry.along:
            shown[entry.along] = getattr(source, entry.along)
        shape = np.broadcast_shapes(*(np.shape(value) for value in shown.values()))
        for key, column in solved.columns.items():
            column += np.broadcast_to(np.asarray(shown[key]), shape).ravel().tolist()
        solved.lengths.append(math.prod(shape))
    return solved


def _called(request: _Request, arguments: dict[str, Any]) -> tuple[Any, list[str]]:
    """Call a solver once; return its result and its warnings."""
    positional = [arguments.pop(key) for key in request.entry.leading]
    if request.spectrum is not None:
        positional.append(request.spectrum)
    with warnings.catch_warnings(record=True) as caught:
        result = request.solver(*positional, **arguments)
    return result, [str(entry.message) for entry in caught]


# -- what is shown ------------------------------------------------------------------------------------------------------


def _answer(request: _Request, solved: _Solved, *, brief: bool) -> Answer:
    """Bring together what is shown; brief for a screen."""
    from ..results import jsonable

    columns, spectrum = solved.columns, request.spectrum
    data: dict[str, Any] = {
        "solver": request.name,
        "spectrum": None
        if spectrum is None
        else jsonable({key: getattr(spectrum, key) for key in ("alpha", "beta", "size")}),
        "arguments": jsonable(
            {
                key: value
                for key, value in request.fixed.items()
                if key not in columns or key == request.entry.along
            }
        ),
        "columns": jsonable(columns),
    }
    if solved.warnings:
        data["warnings"] = solved.warnings
    foot = _totals(request, solved, data)
    if request.entry.note is not None:
        alone = {
            key: axis[0]
            for key, axis in (request.one_by_one | request.together).items()
            if len(axis) == 1
        }
        foot += filter(None, [request.entry.note(spectrum, request.fixed | alone)])
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
    if request.entry.along and brief:
        kept = _chosen(solved.lengths)
        rows = [table[i] for i in kept]
        if len(kept) < len(table):
            foot.append(
                f"{len(kept)} of {len(table)} rows; --json or --output FILE has all of them"
            )
    visible = [
        i for i, key in enumerate(columns) if key in request.entry.columns or key in request.varied
    ]
    cells = [tuple(_cell(row[i]) for i in visible) for row in rows]
    blocks: list[Block] = [
        request.title(),
        Table(tuple(list(columns)[i] for i in visible), cells),
        *(["\n".join(foot)] if foot else []),
    ]
    return Answer(data, blocks, (tuple(columns), table))


def _totals(request: _Request, solved: _Solved, data: dict[str, Any]) -> list[str]:
    """Write what belongs to a whole run, a line for each."""
    from ..results import jsonable

    if not request.entry.totals:
        return []
    runs = [
        dict(zip(request.one_by_one, chosen, strict=True))
        for chosen in itertools.product(*request.one_by_one.values())
    ]
    found = [
        {key: getattr(result, key) for key in request.entry.totals} for result in solved.results
    ]
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


def _task(spectrum: Any) -> str:
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
