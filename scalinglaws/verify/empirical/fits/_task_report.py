"""A fit of a task in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ....formatting import scientific
from .._coded_warnings import warning_lines
from ._report import described_runs

if TYPE_CHECKING:
    from ._task_record import AccuracyPrediction, TaskFit

_COLUMNS = 100
_MOST = 12  # models whose predictions are written


def task_lines(
    found: TaskFit, prediction: AccuracyPrediction | None, verbose: bool
) -> Iterator[str]:
    """Write a fit of a task: runs, formulas, parameters, predictions, warnings."""
    fit = found.fit
    assert fit.runs is not None
    yield from described_runs(fit.runs)
    best, worst = float(found.accuracy.max()), float(found.accuracy.min())
    yield f"  accuracy = {found.task} of {found.items} questions, {worst:.3g} to {best:.3g}, chance {found.chance:.3g}"
    yield ""
    how = f"95 % of {len(found.samples)} resamples" if len(found.samples) else "no resamples"
    yield f"{fit.model.formula}, accuracy = {found.chance:.3g} + (u - {found.chance:.3g})/(1 + exp(k (L - m)))"
    rows = [["", "value", how]]
    for name, value in found.parameters.items():
        if name == "u" and found.given_ceiling:
            rows.append([name, f"{value:.4g}", "as given"])
            continue
        ends = ""
        if len(found.samples):
            low, high = found.interval(name)
            ends = f"{low:.4g} .. {high:.4g}"
        rows.append([name, f"{value:.4g}", ends])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield f"  {row[0].ljust(widths[0])}  {row[1].rjust(widths[1])}  {row[2]}".rstrip()
    beyond = int(np.sum(fit.losses < found.curve[2]))
    yield f"residuals: {100 * fit.rms:.2g} % of the loss; accuracies {found.scatter:.2g} times the variance of {found.items} questions"
    yield f"{beyond} of {len(found)} runs are past the midpoint, a loss of {found.curve[2]:.4g}"
    if prediction is not None:
        yield ""
        yield from prediction_lines(prediction)
    told = warning_lines(found.warnings, verbose)
    if told:
        yield ""
        yield from (told if verbose else map(_cut, told))


def prediction_lines(found: AccuracyPrediction) -> Iterator[str]:
    """Write predictions in a table, a line for each model."""
    percent = f"{100 * found.level:g} %"
    rows = [["N", "D", "task loss", percent, "accuracy", percent]]
    flat = [
        np.ravel(column)
        for column in (
            found.params,
            found.tokens,
            found.loss,
            found.loss_low,
            found.loss_high,
            found.accuracy,
            found.low,
            found.high,
        )
    ]
    for N, D, *numbers in list(zip(*flat, strict=True))[:_MOST]:
        loss, low, high, accuracy, least, most = numbers
        rows.append(
            [
                scientific(float(N), 3),
                scientific(float(D), 3),
                _short(loss),
                _ends(low, high),
                f"{accuracy:.3f}",
                _ends(least, most),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()
    rest = flat[0].size - _MOST
    if rest > 0:
        yield f"and {rest} more"


def _ends(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{_short(low)} .. {_short(high)}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"


def _cut(line: str) -> str:
    return line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 3]}..."
