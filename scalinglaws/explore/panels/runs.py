"""One's own runs: a file that is dropped in is read and fitted in memory, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import PureWindowsPath

import numpy as np

from ...errors import DataError, DomainError
from ...formatting import typeset, visible
from ...verify.empirical import Fit, Runs, example_runs, fit, optimum, read_runs
from ...verify.empirical._run_tables import table_from
from ..answers import COLORS, PALE, Answer, Array, Drawn, Line, Marks, Number, paragraphs
from ..controls import Choice, File, Slider
from ..panel import Frame, Panel, Values
from ._shared import heard

LARGEST = 3_000_000  # bytes of a file
MOST = 1500  # runs
LINES = 10 * MOST  # of a table: to read more would keep others waiting
RESAMPLES, DRAWN = 200, 100_000  # at most, and runs drawn in all of them
MOST_SHOWN = 1e100
BUDGETS = 4  # that are drawn one by one
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")
LAWS = {
    "surface": "surface, E + A/N^a + B/D^b",
    "surface_power": "surface with a power, E + (A/N^a + B/D^b)^c",
    "power_offset": "power of compute above a floor",
    "power": "power of compute",
    "three_region": "plateau, power and floor in compute",
}
SAMPLE = {"dataset": "c4_original"}


def answer(values: Values) -> Answer:
    """Return the fit of a law to runs."""
    given, budget = values["file"], float(values["budget"])
    with heard() as words:
        runs = _sample() if given is None else _read(*given)
        found = fit(values["law"], runs, bootstrap=min(RESAMPLES, DRAWN // len(runs)))
        drawn: dict[str, list[Drawn]] = {
            "compute": [Marks("runs", runs.C, runs.loss, COLORS[0])],
            "size": [Marks("runs", runs.C, runs.N, COLORS[0])],
        }
        numbers = [
            Number("runs", "runs", len(runs), PureWindowsPath(runs.source).name),
            *_parameters(found),
        ]
        try:
            numbers += _law(found, runs, budget, drawn)
        except DomainError as failure:  # the fit has no best size
            words.append(str(failure))
        if "N" in found.model.variables:
            drawn["budgets"] = list(_budgets(found, runs))
    return Answer(drawn, numbers, _page(found, runs, words, sample=given is None))


def _sample() -> Runs:
    return example_runs("gadre", where=SAMPLE)


def _read(name: str, content: bytes) -> Runs:
    """Read the runs of a file that is nowhere but in memory."""
    shown = visible(PureWindowsPath(name).name)[-60:]  # either kind of slash
    if not shown.lower().endswith(SUFFIXES):
        raise DataError(f"{shown or 'the file'} must be one of {', '.join(SUFFIXES)}")
    if len(content) > LARGEST:
        raise DataError(f"{shown} is larger than {LARGEST // 1000} kB: use scalinglaws fit")
    if not shown.lower().endswith(".json") and (lines := content.count(b"\n")) > LINES:
        raise DataError(f"{shown} has {lines} lines, more than {LINES}: use scalinglaws fit")
    runs = read_runs(table_from(shown, content))
    if len(runs) > MOST:
        raise DataError(f"{shown} holds {len(runs)} runs, more than {MOST}: use scalinglaws fit")
    return runs


def _law(found: Fit, runs: Runs, budget: float, drawn: dict[str, list[Drawn]]) -> Iterator[Number]:
    """Draw a fitted law against compute, with its intervals, and say what it forecasts for one budget."""
    grid = np.geomspace(min(runs.C.min(), budget), max(runs.C.max(), budget), 60)
    here = np.array([budget])
    if "N" not in found.model.variables:
        told, one = (found.predict(interval="run", x=x) for x in (grid, here))
        drawn["compute"] += _band("the law", grid, told.loss, told.low, told.high)
        drawn["compute"].append(Marks("this compute", here, _finite(one.loss), COLORS[2]))
        yield _interval("loss", "loss at this compute", one.loss, one.low, one.high)
        return
    best, at = optimum(found, grid), optimum(found, here)
    name = "the law at the best size"
    drawn["compute"] += _band(name, grid, best.loss, best.loss_run_low, best.loss_run_high)
    drawn["size"] += _band("the best size", grid, best.params, best.params_low, best.params_high)
    drawn["compute"].append(Marks("this compute", here, _finite(at.loss), COLORS[2]))
    drawn["size"].append(Marks("this compute", here, _finite(at.params), COLORS[2]))
    yield _interval("params", "best parameters", at.params, at.params_low, at.params_high)
    yield _interval("tokens", "best tokens", at.tokens, at.tokens_low, at.tokens_high)
    yield _interval("ratio", "tokens for each parameter", at.ratio, at.ratio_low, at.ratio_high)
    yield _interval("loss", "loss of a new run there", at.loss, at.loss_run_low, at.loss_run_high)


def _band(label: str, x: Array, middle: Array, low: Array, high: Array) -> list[Drawn]:
    """Draw a curve between the ends of its interval."""
    lines: list[Drawn] = [Line(label, x, _finite(middle), COLORS[1])]
    return lines + [Line("95 %", x, _finite(end), PALE, "dotted") for end in (low, high)]


def _finite(y: Array) -> Array:
    return np.where(np.isfinite(y) & (y < MOST_SHOWN), y, np.nan)


def _interval(name: str, label: str, middle: Array, low: Array, high: Array) -> Number:
    value = float(middle[0]) if np.isfinite(middle[0]) else "beyond all numbers"
    return Number(name, label, value, _range(low[0], high[0]))


def _range(low: float, high: float) -> str:
    return f"95 %: {typeset(float(low))} to {typeset(float(high))}"


def _parameters(found: Fit) -> Iterator[Number]:
    """List what was fitted, with uncertainties from resampled runs."""
    for name, value in found.parameters.items():
        low, high = found.interval(name)
        yield Number(name, name, value, _range(low, high))
    yield Number("rms", "deviation of the runs", found.rms, "of ln L, root mean square")


def _budgets(found: Fit, runs: Runs) -> Iterator[Drawn]:
    """Draw the loss against model size at a few budgets, the fit beside the runs."""
    budgets = runs.budgets()
    counts = np.bincount(budgets.member)
    chosen = np.flatnonzero(counts >= 3)
    picked = (
        chosen[np.unique(np.linspace(0, len(chosen) - 1, BUDGETS).round().astype(int))]
        if len(chosen)
        else chosen
    )
    for place, member in enumerate(picked):
        compute = 10 ** float(budgets.log10_compute[member])
        own = budgets.member == member
        size = np.geomspace(runs.N[own].min() / 2, runs.N[own].max() * 2, 60)
        told = found.predict(N=size, D=compute / (found.cost * size))
        name = f"C = {compute:.1e}"
        yield Marks(name, runs.N[own], runs.loss[own], COLORS[place])
        yield Line(name, size, _finite(told.loss), COLORS[place])


def _page(found: Fit, runs: Runs, words: list[str], *, sample: bool) -> str:
    """Say what was read, what was fitted, and what is doubtful in either."""
    first = (
        "Nothing was dropped in yet: these are public runs on C4 (Gadre et al. 2024, MIT licence). A table needs columns for the loss "
        "and two of parameters, tokens and compute."
        if sample
        else "Read and fitted in memory: nothing of the file was written or kept."
    )
    doubts = [
        f"{entry}. {entry.cause}; {entry.cure}" for entry in (*runs.warnings, *found.warnings)
    ]
    ended = "" if found.success else f"The fit did not settle: {found.message}"
    formula = f"{found.model.formula}, {len(found.samples)} resamples"
    summary = f"<pre>{escape(runs.summary(0))}</pre>"
    return paragraphs(first, formula, ended, *words, *doubts) + summary


PANEL = Panel(
    "runs",
    "What do your runs say?",
    "Drop in a table of training runs: it is fitted in memory, and stays on this machine. Choose a law, and a compute to spend.",
    (
        File("file", "A table of runs", ",".join(SUFFIXES), LARGEST),
        Choice("law", "Law", LAWS, "surface"),
        Slider("budget", "compute to spend, FLOP", 1e14, 1e28, 1e21, 0.1, logarithmic=True),
    ),
    (
        Frame("compute", "compute C, FLOP", "loss", x_log=True),
        Frame("size", "compute C, FLOP", "parameters N", x_log=True, y_log=True),
        Frame("budgets", "parameters N", "loss", x_log=True),
    ),
    answer,
)
