"""The command that fits laws of the schedule to training curves, and predicts another schedule."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from warnings import catch_warnings, simplefilter

from cyclopts import Parameter

from ..errors import DataError, DomainError, ExtrapolationWarning, refusal, unknown_name
from ..formatting import number, percent, scientific, short, uncertain
from ..reprs import line
from ._app import Json, Output, Whole, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard, write, wrote
from ._grammar import pairs, to_float
from ._runs import Source, cut, plain_json
from ._schedule_words import FORMS, make_schedule, split
from ._waiting import waiting

if TYPE_CHECKING:
    from ..solvers.schedules import Schedule
    from ..verify.empirical import CurveComparison, CurveFit, CurvePrediction

Words = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())]

_PAGE = ".html"
_ALL, _NONE = "all", "none"
_LINES, _COLUMNS = 24, 100
_MOST = 4  # schedules that are predicted at once
_ON_THE_WAY = (0.25, 0.5, 0.75, 0.9, 1.0)  # parts of the steps of a single one
_DRAWN = 101  # steps at which a prediction is drawn, besides those dense at both ends; they hold the parts above
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


@dataclass(frozen=True)
class _Found:
    """What was fitted and predicted."""

    comparison: CurveComparison
    fit: CurveFit | None
    schedules: dict[str, Schedule]
    predictions: dict[str, CurvePrediction]
    others: dict[str, dict[str, float]]
    said: list[str]


@app.command
def curves(
    file: Source,
    /,
    *,
    run: str = "run",
    step: str = "step",
    lr: str = "lr",
    loss: str = "loss",
    law: str = _ALL,
    holdout: str | None = None,
    warmup: Whole = 0,
    predict: Words = (),
    json: Json = False,
    output: Output = None,
) -> int:
    """Fit laws that know the schedule to training curves, compare them by curves that were held out, and predict another schedule.

    Parameters
    ----------
    file : str
        A table with a row for each logged step of each run (.csv, .tsv, .json, .jsonl, .parquet, packed as .gz; - for standard input), or a
        folder with a table for each run.
    run : str
        Column with the name of the run; without such a column a table is one run, called like its file.
    step : str
        Column with the number of the step, counted from 0.
    lr : str
        Column with the learning rate of that step.
    loss : str
        Column with the loss after that step.
    law : str
        functional, multi_power, momentum, several of them (momentum,multi_power), or all.
    holdout : str
        Column, each value of which is held out in turn; by default the run. none: nothing is held out.
    warmup : int
        Steps of linear warm-up in tables whose first row comes after it.
    predict : tuple of str
        A table with the columns step and lr, or schedules in words: wsd:0.2 cosine steps=20000, with rate= (by default the peak of
        the curves), steps= (the longest curve's) and warmup= (the curves').
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt; a page as .html; a picture as .png, .svg or .pdf).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES, _PAGE))
    names = _laws(law)
    from ..verify import empirical

    group = run if holdout is None else None if holdout.strip().lower() == _NONE else holdout
    asked = _asked(predict)
    columns = {"run": run, "step": step, "lr": lr, "loss": loss}
    with waiting(f"fitting {', '.join(names)} to {file}"), heard() as said:
        with _options(file, columns | {"holdout": holdout or run}):
            comparison = empirical.compare_curves(
                file, laws=names, lr=lr, step=step, loss=loss, run=run, holdout=group, warmup=warmup
            )
        found = _predicted(comparison, asked, {"step": step, "lr": lr, "warmup": warmup})
    found.said.extend(said)
    if output is not None and output.suffix in FIGURES:
        _draw(found, output)
        output = None
    if output is not None and output.suffix == _PAGE:
        write(output, _page(found, file))
        output = None
    emit(_answer(found, file), json, output)
    return 0 if found.fit is not None else 1


# -- what is asked for --------------------------------------------------------------------------------------------------


def _laws(text: str) -> tuple[str, ...]:
    """Read the laws to fit."""
    from ..verify.empirical.curves._laws import LAWS

    names = tuple(
        dict.fromkeys(name.strip().replace("-", "_") for name in text.split(",") if name.strip())
    )
    for name in names:
        if name not in (*LAWS, _ALL):
            raise unknown_name("law", name, (*LAWS, _ALL))
    if not names:
        raise refusal("law", text, f"must be {', '.join(LAWS)} or {_ALL}")
    return LAWS if _ALL in names else names


def _asked(words: Sequence[str]) -> tuple[list[str], dict[str, float]]:
    """Tell schedules, in words or one in a file, from the numbers that belong to them; refuse what cannot be meant."""
    files = [word for word in words if _is_file(word)]
    rest = [word for word in words if word not in files]
    given = pairs([word for word in rest if "=" in word])
    shapes = [part for word in rest if "=" not in word for part in word.split(",") if part]
    for key in given:
        if key not in ("rate", "steps", "warmup"):
            raise unknown_name("number of a schedule", key, ("rate", "steps", "warmup"))
    numbers = {key: to_float(key, text) for key, text in given.items()}
    if files:
        if rest or len(files) > 1:
            raise refusal("predict", files[0], "is a table, which stands alone")
        return files, {}
    for shape in shapes:
        if "." in shape.partition(":")[0] or "/" in shape:
            raise DataError(f"cannot read {shape}: there is no such file")
        split("schedule", shape, FORMS)
    if numbers and not shapes:
        raise refusal(
            "predict", " ".join(words), "needs a shape, as wsd:0.2, in front of its numbers"
        )
    if len(shapes) > _MOST:
        raise refusal("predict", " ".join(shapes), f"must be at most {_MOST} schedules")
    return list(dict.fromkeys(shapes)), numbers


def _is_file(text: str) -> bool:
    return Path(text).is_file()


def _schedule(
    fit: CurveFit, shape: str, numbers: dict[str, float], reading: dict[str, Any]
) -> Schedule:
    """Make the schedule that a word or a file names; what is not said is as in the fitted curves."""
    if _is_file(shape):
        from ..verify.empirical.curves._read_schedule import read_schedule

        return read_schedule(shape, **reading)
    usual = {
        "rate": fit.unit,
        "steps": max(int(curve.steps[-1]) for curve in fit.curves),
        "warmup": _warmup(fit),
    }
    return make_schedule(shape, **(usual | numbers))


def _warmup(fit: CurveFit) -> int:
    """Return the steps of warm-up of the curve that has most of them; a curve that begins at its peak has none."""
    most = max(fit.curves, key=lambda curve: curve.warmup)
    return most.warmup if most.warmup > 1 else 0


@contextmanager
def _options(file: str, columns: Mapping[str, str]) -> Iterator[None]:
    """Say which columns there are, and the option that names one, where a column is missing."""
    try:
        yield
    except DomainError as failure:
        name = next((key for key, value in columns.items() if value == failure.value), None)
        if name is None or not str(failure).startswith("unknown column"):
            raise
        from ..verify.empirical._run_tables import read_table

        said = str(failure).partition(";")[0]
        if Path(file).is_file():  # a folder's message names the file
            said = f"{said}; there are {', '.join(read_table(file).columns)}"
        told = f"{said}; say --{name} NAME of the column that holds it"
        raise DomainError(told, argument=name, value=failure.value) from failure


# -- what is found ------------------------------------------------------------------------------------------------------


def _predicted(
    comparison: CurveComparison,
    asked: tuple[list[str], dict[str, float]],
    reading: dict[str, Any],
) -> _Found:
    """Predict the schedules that were asked for by the law that forecasts best, and their ends by the others."""
    import numpy as np

    shapes, numbers = asked
    fit = _chosen(comparison)
    schedules: dict[str, Schedule] = {}
    predictions: dict[str, CurvePrediction] = {}
    others: dict[str, dict[str, float]] = {}
    if fit is None:
        if shapes:
            raise DataError("no law could be fitted: " + _reasons(comparison)[0][1])
        return _Found(comparison, None, {}, {}, {}, [])
    for shape in shapes:
        schedules[shape] = made = _schedule(fit, shape, numbers, reading)
        at = np.asarray(fit.predict(made).steps)
        parts = np.ceil(np.linspace(0, 1, _DRAWN) * made.steps)
        at = np.union1d(at, parts[parts >= at[0]]).astype(int)
        predictions[shape] = fit.predict(made, at)
        others[shape] = {}
        for name, other in comparison.fits.items():
            if name == fit.law:
                continue
            with catch_warnings(), suppress(DataError, ExtrapolationWarning):
                simplefilter("error", ExtrapolationWarning)  # a law that knows nothing of the peak
                others[shape][name] = float(other.predict(made, at=made.steps).loss)
    return _Found(comparison, fit, schedules, predictions, others, [])


def _is_blind(fit: CurveFit) -> bool:
    """Whether no curve shows what a decay does."""
    from ..verify.empirical.curves._fit import FALL

    return fit.fall >= FALL


def _chosen(comparison: CurveComparison) -> CurveFit | None:
    """Return the fit that forecasts best; where nothing tells, the one with the smallest residuals of those that predict a decay."""
    if comparison.best:
        return comparison.fits[comparison.best]
    if not comparison.fits:
        return None
    able = [fit for fit in comparison.fits.values() if not _is_blind(fit)]
    return min(able or comparison.fits.values(), key=lambda fit: fit.residual_rms)


def _reasons(comparison: CurveComparison) -> list[tuple[str, str]]:
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


# -- what is shown ------------------------------------------------------------------------------------------------------


def _answer(found: _Found, file: str) -> Answer:
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
    return Answer(plain_json(data), ["\n".join(_screen(found, file))], (header, list(rows)))


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


def _prediction_rows(found: _Found) -> Iterator[tuple[Any, ...]]:
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


def _screen(found: _Found, file: str) -> list[str]:
    """Write the answer in lines that a terminal holds at once."""
    comparison, fit = found.comparison, found.fit
    head = line(_head(found, file), _COLUMNS)
    lines = [head, *_table(comparison)]
    below = [*_prediction(found), *(f"warning: {text}" for text in found.said)]
    reasons = [
        part
        for who, why in _reasons(comparison)[:2]
        for part in _folded(f"not by {who}: {why}", _REASON)
    ]
    if fit is not None and _is_blind(fit) and not found.predictions:
        why = "in no curve does the rate fall below half of its earlier maximum"
        reasons.append(f"no decay can be predicted: {why}")
    if fit is not None:
        lines += _parameters(fit)
        reasons = reasons[: max(_LINES - len(lines) - len(below), 0)]
        lines += _held_out(fit, _LINES - len(lines) - len(below) - len(reasons))
    return [cut(text) for text in (*lines, *reasons, *below)]


def _head(found: _Found, file: str) -> str:
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


def _prediction(found: _Found) -> Iterator[str]:
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


# -- pictures and pages -------------------------------------------------------------------------------------------------


def _pictures(found: _Found) -> dict[str, Any]:
    from ..verify.plots.empirical import fitted_curves, predicted_curves

    if found.fit is None:
        raise DataError("there is nothing to draw: " + _reasons(found.comparison)[0][1])
    drawn = {"Measured curves and the law": fitted_curves(found.fit)}
    if found.predictions:
        drawn["The predicted schedule"] = predicted_curves(found.fit, found.predictions)
    return drawn


def _draw(found: _Found, output: Path) -> None:
    """Draw the schedules that were predicted; without any the curves that were fitted."""
    figure = list(_pictures(found).values())[-1]
    try:
        figure.savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


def _page(found: _Found, file: str) -> str:
    """Write a page with pictures and with what the terminal shows."""
    import io
    import re

    from markupsafe import Markup

    from ..verify.page.document import rendered

    sections = []
    for place, (title, figure) in enumerate(_pictures(found).items()):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
        drawn = re.sub(r"(?s)^.*?(?=<svg )| <metadata>.*?</metadata>", "", stream.getvalue())
        sections.append(
            {"anchor": f"s{place}", "title": title, "words": (), "figures": (("", Markup(drawn)),)}
            | {"tables": ()}
        )
    lines = _screen(found, file)
    return rendered(
        "fit.html.j2",
        title=f"Training curves of {Path(file).name}",
        facts=lines[:1],
        tone="pass" if found.comparison.best else "open",
        verdict=found.comparison.verdict,
        reasons=[f"{who}: {why}" for who, why in _reasons(found.comparison)] + found.said,
        warnings=(),
        sections=sections,
        screen="\n".join(lines),
    )
