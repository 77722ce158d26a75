"""What was measured of a task and what is predicted for it, as text and as a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ... import arguments
from ...errors import refusal
from ...formatting import number, short
from ...tables import Block, Table, as_text
from ..page.document import rendered, table_section
from . import _figures
from ._prediction import PredictedExponent, TaskPrediction, predict
from ._records import MeasuredExponent

if TYPE_CHECKING:
    from ._task import MeasuredTask

_COLUMNS = 100
_QUANTITIES = (
    ("capacity", "alpha"),
    ("source", "beta"),
    ("decay", "alpha beta"),
)
_ROWS = 9  # of the predicted curve


def report_text(measurement: MeasuredTask) -> str:
    """Write what was measured of a task, and what is predicted for it, as text.

    Parameters
    ----------
    measurement : TaskMeasurement
        Of `scalinglaws.verify.empirical.measure`, or loaded.

    Returns
    -------
    str
        Paragraphs and tables: exponents with 95 % intervals and verdicts, local exponents, predictions by law, the learning curve, the
        comparison with held-out data.
    """
    return as_text(
        [
            fill(block, _COLUMNS, break_long_words=False, break_on_hyphens=False)
            if isinstance(block, str)
            else block
            for block in report_blocks(measurement)
        ]
    )


def write_html(measurement: MeasuredTask, path: str | Path) -> Path:
    """Write what was measured of a task, and what is predicted for it, as a page for the browser.

    Parameters
    ----------
    measurement : TaskMeasurement
        Of `scalinglaws.verify.empirical.measure`, or loaded.
    path : str or Path
        File to write, whose name ends in ``.html``.

    Returns
    -------
    Path
        The file written: nothing beside it is needed, no network and no scripts; light and dark, for screens and paper. The same
        measurement gives the same text.

    Raises
    ------
    DomainError
        If the suffix is another one.
    OSError
        If it cannot be written.
    """
    target = arguments.path("path", path)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise refusal("path", str(path), "must end in .html")
    prediction = predict(measurement)
    target.write_text(
        rendered(
            "task.html.j2",
            measurement=measurement,
            quantities=[(name, letter, getattr(measurement, name)) for name, letter in _QUANTITIES],
            prediction=prediction,
            facts=list(_facts(measurement)),
            figures=[Markup(figure) for figure in _figures.task_figures(measurement, prediction)],
            tables=[table_section(table) for table in _tables(measurement, prediction)],
            notes=_notes(measurement, prediction),
        ),
        encoding="utf-8",
    )
    return target


def report_blocks(measurement: MeasuredTask) -> Iterator[Block]:
    """Say what was measured of a task, and what is predicted for it, in paragraphs and tables."""
    prediction = predict(measurement)
    yield ". ".join(f"{name}: {value}" for name, value in _facts(measurement)) + "."
    for name, _ in _QUANTITIES:
        reason = getattr(measurement, name).reason
        if reason:
            yield f"{name.capitalize()}: {reason}"
    yield from _tables(measurement, prediction)
    yield from _notes(measurement, prediction)


def _facts(measurement: MeasuredTask) -> Iterator[tuple[str, str]]:
    yield "Data", measurement.source_of_data
    yield "samples", short(measurement.samples)
    yield "outputs", str(measurement.outputs)
    if measurement.dimension is not None:
        estimate, interval = _estimate(measurement.dimension.value, measurement.dimension.interval)
        yield "intrinsic dimension", f"{estimate} ({interval})"


def _notes(measurement: MeasuredTask, prediction: TaskPrediction) -> list[str]:
    dimension = measurement.dimension
    return [*measurement.notes, *(dimension.notes if dimension else ()), *prediction.notes]


def _tables(measurement: MeasuredTask, prediction: TaskPrediction) -> Iterator[Table]:
    yield _measured(measurement)
    yield from _local(measurement)
    yield _exponents(prediction.exponents)
    if prediction.curve is not None:
        yield _curve(prediction)
    if prediction.held_out is not None:
        yield _held_out(prediction)


def _measured(measurement: MeasuredTask) -> Table:
    rows = []
    for name, letter in _QUANTITIES:
        found: MeasuredExponent = getattr(measurement, name)
        window = "" if found.window is None else f"{found.window[0]}-{found.window[1]}"
        rows.append(
            (
                f"{name} ({letter})",
                *_estimate(found.value, found.interval),
                *(
                    _part(getattr(found, part), found)
                    for part in ("statistical", "systematic", "drift")
                ),
                window,
                found.verdict,
            )
        )
    header = (
        "measured",
        "estimate",
        "95 % interval",
        "spread",
        "windows",
        "drift",
        "modes",
        "verdict",
    )
    return Table(header, rows, "Exponents of the data")


def _part(error: float, found: MeasuredExponent | PredictedExponent) -> str:
    return "" if found.value is None or not math.isfinite(error) else number(error, 2)


def _estimate(value: float | None, interval: tuple[float, float] | None) -> tuple[str, str]:
    if value is None:
        return "none", ""
    if interval is None:
        return number(value, 4), "unknown"
    return number(value, 4), f"{number(interval[0], 4)} to {number(interval[1], 4)}"


def _local(measurement: MeasuredTask) -> Iterator[Table]:
    names = ("capacity", "decay")
    for what, title in (
        ("consecutive", "Local exponents, by which verdicts are found"),
        ("local", "Exponents over shorter windows, by which systematic errors are found"),
    ):
        windows: dict[tuple[int, int], dict[str, float]] = {}
        for name in names:
            for first, last, value in getattr(getattr(measurement, name), what):
                windows.setdefault((first, last), {})[name] = value
        if windows:
            rows = [
                (
                    f"{first}-{last}",
                    *(number(row[name], 4) if name in row else "" for name in names),
                )
                for (first, last), row in windows.items()
            ]
            yield Table(("modes", "capacity", "alpha beta"), rows, title)


def _exponents(exponents: Sequence[PredictedExponent]) -> Table:
    rows = []
    for entry in exponents:
        remarks = [entry.reason] if entry.reason else []
        if len(entry.regimes) > 1:
            remarks.insert(0, f"a boundary is within the errors: {' or '.join(entry.regimes)}")
        rows.append(
            (
                entry.quantity,
                *_estimate(entry.value, entry.interval),
                entry.law,
                entry.regime,
                "; ".join(remarks),
            )
        )
    header = ("loss against", "exponent", "95 % interval", "law", "regime", "remarks")
    return Table(header, rows, "Predicted exponents, each by its law")


def _curve(prediction: TaskPrediction) -> Table:
    curve = prediction.curve
    rows = []
    if curve is not None:
        places = np.unique(np.rint(np.linspace(0, curve.samples.size - 1, _ROWS)).astype(int))
        rows = [
            (
                number(curve.samples[k], 3),
                number(curve.loss[k], 4),
                f"{number(curve.low[k], 4)} to {number(curve.high[k], 4)}",
                "extrapolated" if curve.extrapolated[k] else "",
            )
            for k in places
        ]
    title = "Predicted learning curve of kernel regression: mean squared error over the power of the labels"
    return Table(("P", "loss", "95 % band", ""), rows, title)


def _held_out(prediction: TaskPrediction) -> Table:
    held, ratio, allowed = prediction.held_out, prediction.ratio, prediction.allowed
    rows = []
    if held is not None and ratio is not None and allowed is not None:
        for k, size in enumerate(held.samples):
            inside = abs(math.log(ratio[k])) <= math.log(allowed[k])
            other = "" if held.leave_one_out is None else number(held.leave_one_out[k], 4)
            rows.append(
                (
                    number(size, 6),
                    number(held.measured[k], 4),
                    number(held.standard_error[k], 2),
                    other,
                    number(held.predicted[k], 4),
                    f"{ratio[k]:.3f}",
                    f"{allowed[k]:.3f}",
                    "yes" if inside else "no",
                )
            )
    header = ("P", "measured", "error", "leave one out", "predicted", "ratio", "allowed", "within")
    return Table(header, rows, "Held-out data: one half predicts, the other measures")
