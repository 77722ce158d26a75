"""The solvers, by name."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import DomainError, unknown_name
from ..tables import Block, Table
from ._answers import TABLE_FORMATS, Answer, check_suffix, emit
from ._app import Json, Output, app
from ._figures import FIGURES, draw
from ._values import MAX_ROWS, floats, number, pairs, to_float


def _compute_phase(spectrum: Any, options: dict[str, Any]) -> str:
    """Say what the theory derives for this task."""
    from .. import theory

    if options.get("dynamics", "sgd") != "sgd":
        return "the phases of linear.compute are those of dynamics=sgd"
    law, size = theory.law("linear.compute"), theory.law("linear.compute_model")
    values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    return f"phase {law.regime(**values)}: loss C^-{float(law(**values)):.4g}, features C^{float(size(**values)):.4g} (linear.compute)"


def _rich_phase(spectrum: Any, options: dict[str, Any]) -> str:
    """Say what the theory derives for this task when features learn."""
    from .. import theory

    loss, size = theory.law("feature_learning.compute"), theory.law("feature_learning.compute_model")
    values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    exponents = f"loss C^-{float(loss(**values)):.4g}, features C^{float(size(**values)):.4g}"
    return f"{loss.regime(**values)}: {exponents} for a positive richness (feature_learning.compute)"


@dataclass(frozen=True)
class SolverEntry:
    """A solver that the command line can call.

    Attributes
    ----------
    path : str
        ``"module:function"``; one argument is a spectrum.
    columns : tuple of str
        Fields of the result that a table shows; the name of the result if it is a plain array.
    leading : tuple of str
        Positional arguments before the spectrum; their ranges make the rows.
    single : tuple of str
        Keywords that the solver takes one at a time: ranges of them are gone through one by one.
    note : callable, optional
        From spectrum and options to a remark below the table.
    """

    path: str
    columns: tuple[str, ...]
    leading: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    note: Callable[[Any, dict[str, Any]], str] | None = None


_LINEAR = "scalinglaws.solvers.linear"
_TRAINING = ("batch", "learning_rate", "relative_rate", "noise_variance", "modes_per_feature")

SOLVERS: dict[str, SolverEntry] = {
    "linear.ridge": SolverEntry(f"{_LINEAR}:ridge", ("test_loss", "train_loss", "kappa", "bias")),
    "linear.gradient_flow": SolverEntry(f"{_LINEAR}:gradient_flow", ("test_loss", "train_loss"), ("t",)),
    "linear.gradient_descent": SolverEntry(f"{_LINEAR}:gradient_descent", ("test_loss", "train_loss"), ("steps",)),
    "linear.online_sgd": SolverEntry(f"{_LINEAR}:online_sgd", ("test_loss",), ("steps",)),
    "linear.sgd_stability": SolverEntry(f"{_LINEAR}:sgd_stability", ("stable", "kernel_norm", "largest_eigenvalue", "max_learning_rate")),
    "linear.compute_frontier": SolverEntry(
        f"{_LINEAR}:compute_frontier",
        ("features", "time", "loss", "loss_exponent", "features_exponent"),
        ("compute",),
        ("dynamics", *_TRAINING),
        _compute_phase,
    ),
    "linear.loss_surface": SolverEntry(f"{_LINEAR}:loss_surface", ("loss",), ("features", "time"), ("dynamics", *_TRAINING)),
    "linear.time_for_loss": SolverEntry(f"{_LINEAR}:time_for_loss", ("time",), ("loss",), ("features", "samples", "noise_variance")),
    "linear.features_for_loss": SolverEntry(
        f"{_LINEAR}:features_for_loss", ("features",), ("loss",), ("samples", "t", "ridge", "noise_variance")
    ),
    "linear.samples_for_loss": SolverEntry(
        f"{_LINEAR}:samples_for_loss", ("samples",), ("loss",), ("features", "t", "ridge", "noise_variance")
    ),
    "linear.effective_ridge": SolverEntry(f"{_LINEAR}:effective_ridge", ("kappa",)),
    "linear.degrees_of_freedom": SolverEntry(f"{_LINEAR}:degrees_of_freedom", ("df1", "df2"), ("kappa",)),
    "linear.learnability": SolverEntry(f"{_LINEAR}:learnability", ("learnability",), ("k",)),
}

_RICH = "scalinglaws.solvers.feature_learning"

SOLVERS |= {
    "feature_learning.gradient_flow": SolverEntry(f"{_RICH}:gradient_flow", ("test_loss", "train_loss", "scale"), ("t",)),
    "feature_learning.static_limit": SolverEntry(f"{_RICH}:static_limit", ("test_loss", "train_loss")),
    "feature_learning.crossover_time": SolverEntry(f"{_RICH}:crossover_time", ("time",)),
    "feature_learning.compute_frontier": SolverEntry(
        f"{_RICH}:compute_frontier",
        ("features", "time", "loss", "loss_exponent", "features_exponent"),
        ("compute",),
        ("richness",),
        _rich_phase,
    ),
    "feature_learning.linear_network": SolverEntry(f"{_RICH}:linear_network", ("test_loss", "scale"), ("t",)),
}

_SPECTRUM = ("alpha", "beta", "a", "b", "size")


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
    from ..results import jsonable

    if name not in SOLVERS:
        raise unknown_name("solver", name, SOLVERS)
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    entry = SOLVERS[name]
    module, _, function = entry.path.partition(":")
    solver = getattr(import_module(module), function)
    parameters = {key: item for key, item in inspect.signature(solver).parameters.items() if key not in ("spectrum", "on_failure")}

    given = pairs(values)
    for key in given:
        if key not in parameters and key not in _SPECTRUM:
            raise unknown_name(f"argument of {name}", key, [*parameters, *_SPECTRUM])
    spectrum = _spectrum(name, {key: to_float(key, given.pop(key)) for key in _SPECTRUM if key in given})
    missing = [key for key, item in parameters.items() if item.default is item.empty and key not in given]
    if missing:
        raise DomainError(f"{name} needs {', '.join(f'{key}=' for key in missing)}", argument=missing[0], value=None)

    options = {key: [given.pop(key)] for key, item in parameters.items() if isinstance(item.default, str) and key in given}
    axes = {key: floats(key, text) for key, text in given.items()}
    rows = math.prod(map(len, axes.values()))
    if rows > MAX_ROWS:
        raise DomainError(f"the grid has {rows} points; at most {MAX_ROWS} are computed", argument="values", value=rows)
    outer: dict[str, list[Any]] = {**options, **{key: axis for key, axis in axes.items() if key in entry.single}}
    columns, results = _solved(solver, spectrum, entry, outer, {key: axis for key, axis in axes.items() if key not in outer})

    head = f"{name}: alpha = {spectrum.alpha:.10g}, beta = {spectrum.beta:.10g}, {number(spectrum.size)} modes"
    foot = [] if entry.note is None else [entry.note(spectrum, {key: value[0] for key, value in options.items()})]
    data: dict[str, Any] = {
        "solver": name,
        "spectrum": jsonable({"alpha": spectrum.alpha, "beta": spectrum.beta, "size": spectrum.size}),
        "columns": jsonable(columns),
    }
    if diagnostics := [result.diagnostics for result in results if hasattr(result, "diagnostics")]:
        worst = max(diagnostics, key=lambda entry: entry.error_estimate)
        steps = max(entry.iterations for entry in diagnostics)
        foot.append(f"{worst.method}; {steps} steps at most, estimated relative error {worst.error_estimate:.1e}")
        data["diagnostics"] = {**vars(worst), "status": worst.status.name}
    if output is not None and output.suffix in FIGURES:
        draw(head, columns, entry.columns, [key for key, axis in axes.items() if len(axis) > 1], output)
        return 0
    shown = [tuple(_cell(value) for value in row) for row in zip(*columns.values(), strict=True)]
    table = Table(tuple(columns), shown)
    blocks: list[Block] = [head, table, *(["\n".join(foot)] if foot else [])]
    emit(Answer(data, blocks, (tuple(columns), list(zip(*columns.values(), strict=True)))), json, output)
    return 0


def _spectrum(name: str, shape: dict[str, float]) -> Any:
    """Build the spectrum from the arguments that describe it."""
    from ..solvers import PowerLawSpectrum

    size = shape.pop("size", math.inf)
    if set(shape) == {"alpha", "beta"}:
        return PowerLawSpectrum(**shape, size=size)
    if set(shape) == {"a", "b"}:
        return PowerLawSpectrum.from_ab(**shape, size=size)
    raise DomainError(
        f"{name} needs a spectrum: alpha= and beta=, or a= and b=; got {', '.join(shape) or 'neither'}", argument="alpha", value=shape
    )


def _solved(
    solver: Callable[..., Any], spectrum: Any, entry: SolverEntry, outer: dict[str, list[Any]], inner: dict[str, list[float]]
) -> tuple[dict[str, list[Any]], list[Any]]:
    """Call a solver once for every combination of what it takes one at a time; return the columns of the table."""
    # times along the last axis, where they must not decrease
    order = [key for key in inner if key not in entry.leading] + [key for key in inner if key in entry.leading]
    if len(entry.leading) > 1:  # a surface, which makes its own grid
        grid = {key: np.array(inner[key]) for key in entry.leading}
        mesh = np.meshgrid(*grid.values(), indexing="ij")
        points = dict(zip(grid, mesh, strict=True))
    else:
        points = dict(zip(order, np.meshgrid(*(np.array(inner[key]) for key in order), indexing="ij"), strict=True))
        grid = points
    columns: dict[str, list[Any]] = {key: [] for key in [*outer, *order, *entry.columns]}
    results = []
    for chosen in itertools.product(*outer.values()):
        fixed = dict(zip(outer, chosen, strict=True))
        keywords = {key: value for key, value in grid.items() if key not in entry.leading}
        result = solver(*(grid[key] for key in entry.leading), spectrum, **keywords, **fixed)
        results.append(result)
        shape = np.shape(next(iter(points.values()))) if points else ()
        for key in entry.columns:
            solved = getattr(result, key) if hasattr(result, key) else result
            columns[key] += np.broadcast_to(np.asarray(solved), shape).ravel().tolist()
        for key, mesh_values in points.items():
            columns[key] += mesh_values.ravel().tolist()
        for key, value in fixed.items():
            columns[key] += [value] * math.prod(shape)
    return columns, results


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number(value)
