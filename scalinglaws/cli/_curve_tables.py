"""What the command for training curves shows: fits, laws side by side, predictions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..formatting import number, percent, scientific, short, uncertain
from ..reprs import line, short_repr
from ._formats import Answer
from ._runs import cut, plain_json

if TYPE_CHECKING:
    from ..solvers.schedules import Schedule
    from ..verify.empirical import CurveComparison, CurveFit, CurvePrediction

_LINES, _COLUMNS = 24, 100
_ON_THE_WAY = (0.25, 0.5, 0.75, 0.9, 1.0)  # parts of the steps of a single one
_REASON = 4  # lines of a reason
_HELD: tuple[str, ...] = (
    "law",
    "run",
    "points",
    "rms",
    "mean",
    "final_loss",
    "predicted_loss",
    "final_error",
)
_PREDICTED: tuple[str, ...] = ("schedule", "step", "lr", "loss", "low", "high", "standard_error")


@short_repr
@dataclass(frozen=True)
class Found:
    """What was fitted and predicted."""

    comparison: CurveComparison
    fit: CurveFit | None
    schedules: dict[str, Schedule]
    predictions: dict[str, CurvePrediction]
    others: dict[str, dict[str, float]]
    said: list[str]


def reasons(comparison: CurveComparison) -> list[tuple[str, str]]:
    """Return why laws were not fitted, and curves not predicted, each reason once with all whom it concerns."""
    found: dict[str, list[str]] = {}
    for row in comparison.rows:
        if row.message:
            bare = row.message.replace(f"the {row.law} law", "the law")
            found.setdefault(bare, []).append(row.law)
    for law, fit in comparison.fits.items():
        for held in fit.held_out:
            if held.message:
                bare = held.message.replace(f"the {law} law", "the law")
                found.setdefault(bare, []).append(f"{law} without {held.name}")
    return [(", ".join(who), why) for why, who in found.items()]


def is_blind(fit: CurveFit) -> bool:
    """Whether no curve shows what a decay does."""
    from ..verify.empirical.curves._fit import FALL

    return fit.fall >= FALL


def answer(found: Found, file: str) -> Answer:
    """Bring together what is printed, written as a table, and kept as JSON."""
    comparison = found.comparison
    data: dict[str, Any] = {
        "source": file,
        "best": comparison.best,
        "compared": list(comparison.compared),
        "laws": [row.to_dict() for row in comparison.rows],
        "fits": {name: _fit_data(fit) for name, fit in comparison.fits.items()},
    }
    if found.predictions:
        assert found.fit is not None
        data["predicted_by"] = found.fit.law
        data["predictions"] = {name: one.to_dict() for name, one in found.predictions.items()}
        data["ends_by_other_laws"] = found.others
    if found.said:
        data["warnings"] = found.said
    header, rows = (
        (_PREDICTED, _prediction_rows(found))
        if found.predictions
        else (_HELD, _held_rows(comparison))
    )
    return Answer(plain_json(data), ["\n".join(screen(found, file))], (header, list(rows)))


def _fit_data(fit: CurveFit) -> dict[str, Any]:
    return {
        "parameters": fit.parameters,
        "standard_errors": fit.standard_errors,
        "residual_rms": fit.residual_rms,
        "scale": fit.scale,
        "condition": fit.condition,
        "weakest": list(fit.weakest),
        "converged": fit.converged,
        "points": fit.points,
        "fall": fit.fall,
        "held_out": [row.to_dict() for row in fit.held_out],
    }


def _prediction_rows(found: Found) -> Iterator[tuple[Any, ...]]:
    import numpy as np

    for name, one in found.predictions.items():
        columns = (one.steps, one.rates, one.loss, one.low, one.high, one.standard_error)
        rows = np.stack([np.asarray(column, float) for column in columns], axis=1)
        for row in rows.tolist():
            yield (name, int(row[0]) - 1, *row[1:])


def _held_rows(comparison: CurveComparison) -> Iterator[tuple[Any, ...]]:
    for law, fit in comparison.fits.items():
        for row in fit.held_out:
            values = (row.rms, row.mean, row.final_loss, row.predicted_loss, row.final_error)
            shown = ("" if value != value else value for value in values)
            yield (law, row.name, row.points, *shown)


def screen(found: Found, file: str) -> list[str]:
    """Write the answer in lines that a terminal holds at once."""
    comparison, fit = found.comparison, found.fit
    head = line(_head(found, file), _COLUMNS)
    lines = [head, *_table(comparison)]
    below = [*_prediction(found), *(f"warning: {text}" for text in found.said)]
    whys = [
        part
        for who, why in reasons(comparison)[:2]
        for part in _folded(f"not by {who}: {why}", _REASON)
    ]
    if fit is not None and is_blind(fit) and not found.predictions:
        why = "in no curve does the rate fall below half of its earlier maximum"
        whys.append(f"no decay can be predicted: {why}")
    if fit is not None:
        lines += _parameters(fit)
        whys = whys[: max(_LINES - len(lines) - len(below), 0)]
        lines += _held_out(fit, _LINES - len(lines) - len(below) - len(whys))
    return [cut(text) for text in (*lines, *whys, *below)]


def _head(found: Found, file: str) -> str:
    fit = found.fit
    name = Path(file).name or file
    if fit is None:
        return f"{name}: no law could be fitted"
    low, high = fit.rates
    peak = short(high) if low == high else f"{short(low)} to {short(high)}"
    first = next(iter(fit.curves)).name
    count = f"{len(fit)} curves" if len(fit) > 1 else f"1 curve, {first}"
    return f"{name}: {count}, {fit.points} points fitted, peak rate {peak}"


def _table(comparison: CurveComparison) -> Iterator[str]:
    """Yield a line for each law that was fitted, and the verdict."""
    yield "  law           p  residuals  held-out rms    at the end  curves"
    for row in comparison.rows:
        if row.message:
            yield f"  {row.law:12}    not fitted"
            continue
        mark = "*" if row.law == comparison.best else " "
        values = (row.residual_rms, row.held_out_rms, row.held_out_final)
        first, second, third = ("none" if v != v else f"{100 * v:.2f} %" for v in values)
        yield f"{mark} {row.law:12} {row.free:2d} {first:>10} {second:>13} {third:>13} {row.predicted:7d}"
    yield comparison.verdict


def _parameters(fit: CurveFit) -> Iterator[str]:
    """Yield parameters with their errors, two in a line, and how well they are known."""
    errors = fit.standard_errors
    cells = [
        f"{name:6} {_with_error(value, errors[name])}" for name, value in fit.parameters.items()
    ]
    yield f"{fit.law} law, fitted to all" if fit.held_out else f"{fit.law} law"
    for place in range(0, len(cells), 3):
        yield "  " + "".join(f"{cell:32}" for cell in cells[place : place + 3]).rstrip()
    told = f"condition {scientific(fit.condition)}, weakest {' and '.join(fit.weakest)}"
    yield f"  {told}" + ("" if fit.converged else "; the fit did not settle")


def _with_error(value: float, error: float) -> str:
    if error == 0:
        return f"{short(value)}, at a bound"
    if not error < 3 * abs(value):
        return f"{short(value)}, not known"
    return uncertain(value, error)


def _held_out(fit: CurveFit, room: int) -> list[str]:
    """Return the curves that were held out, the worst ones first, in at most so many lines."""
    rows = sorted((row for row in fit.held_out if not row.message), key=lambda row: -row.rms)
    if not rows or room < 2:
        return []
    found = [f"  {'held out':30} {'rms':>9}  {'at the end':>11}   predicted - measured ln L"]
    shown = rows[: room - 1] if len(rows) <= room - 1 else rows[: room - 2]
    for row in shown:
        name = line(row.name, 30)
        values = f"{100 * row.rms:7.2f} %  {100 * row.final_error:+9.2f} %"
        found.append(f"  {name:30} {values}   {row.predicted_loss:.4f} for {row.final_loss:.4f}")
    if len(shown) < len(rows):
        found.append(f"  and {len(rows) - len(shown)} more that were predicted better")
    return found


def _prediction(found: Found) -> Iterator[str]:
    """Yield what is predicted: one schedule on its way, or the ends of several."""
    if not found.predictions:
        return
    import numpy as np

    assert found.fit is not None
    first = next(iter(found.predictions.values()))
    if len(found.predictions) > 1:
        yield f"predicted by {found.fit.law}; {_said(next(iter(found.schedules.values())))}"
        yield f"  {'schedule':20} {'last rate':>10} {'loss':>9}   {percent(first.level)} band         other laws"
        for name, one in found.predictions.items():
            ends = [np.asarray(row)[-1] for row in (one.rates, one.loss, one.low, one.high)]
            band = f"{ends[2]:.4f}..{ends[3]:.4f}"
            other = ", ".join(f"{law} {value:.4f}" for law, value in found.others[name].items())
            yield f"  {line(name, 20):20} {short(ends[0]):>10} {ends[1]:9.4f}   {band:18} {other}"
        return
    (name, one), (made,) = next(iter(found.predictions.items())), found.schedules.values()
    yield f"{line(name, 40)} predicted by {found.fit.law}: {_said(made)}"
    yield f"  {'steps':>10} {'rate':>10} {'loss':>9}   {percent(one.level)} band"
    steps = np.asarray(one.steps)
    for part in _ON_THE_WAY:
        at = int(np.searchsorted(steps, np.ceil(part * made.steps)))
        rate, middle, low, high = (
            np.asarray(row)[at] for row in (one.rates, one.loss, one.low, one.high)
        )
        yield f"  {number(float(steps[at])):>10} {short(rate):>10} {middle:9.4f}   {low:.4f}..{high:.4f}"
    other = ", ".join(f"{law} {value:.4f}" for law, value in found.others[name].items())
    if other:
        yield f"  at its end by other laws: {other}"


def _said(made: Schedule) -> str:
    warmup = f", warm-up {made.warmup}" if made.warmup else ""
    peak = short(float(made.values().max()))
    return f"{number(float(made.steps))} steps, peak {peak}{warmup}"


def _folded(text: str, most: int) -> list[str]:
    """Break a line into a few."""
    parts = textwrap.wrap(text, _COLUMNS - 2, subsequent_indent="  ")
    if len(parts) > most:
        parts[most - 1] = f"{parts[most - 1][: _COLUMNS - 3]}..."
    return parts[:most]
