"""The command that fits laws of the schedule to training curves, and predicts another schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from warnings import catch_warnings, simplefilter

from cyclopts import Parameter

from ..errors import DataError, DomainError, ExtrapolationWarning, refusal, unknown_name
from ._app import Json, Output, Whole, app
from ._curve_tables import Found, answer, is_blind, reasons, screen
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, check_suffix, emit, heard, write, wrote
from ._grammar import pairs, to_float
from ._runs import Source
from ._schedule_words import FORMS, make_schedule, split
from ._waiting import waiting

if TYPE_CHECKING:
    from ..solvers.schedules import Schedule
    from ..verify.empirical import CurveComparison, CurveFit, CurvePrediction

Words = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())]

_PAGE = ".html"
_ALL, _NONE = "all", "none"
_MOST = 4  # schedules that are predicted at once
_DRAWN = 101  # steps at which a prediction is drawn, besides those dense at both ends; they hold the parts that are shown


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
    emit(answer(found, file), json, output)
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
) -> Found:
    """Predict the schedules that were asked for by the law that forecasts best, and their ends by the others."""
    import numpy as np

    shapes, numbers = asked
    fit = _chosen(comparison)
    schedules: dict[str, Schedule] = {}
    predictions: dict[str, CurvePrediction] = {}
    others: dict[str, dict[str, float]] = {}
    if fit is None:
        if shapes:
            raise DataError("no law could be fitted: " + reasons(comparison)[0][1])
        return Found(comparison, None, {}, {}, {}, [])
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
    return Found(comparison, fit, schedules, predictions, others, [])


def _chosen(comparison: CurveComparison) -> CurveFit | None:
    """Return the fit that forecasts best; where nothing tells, the one with the smallest residuals of those that predict a decay."""
    if comparison.best:
        return comparison.fits[comparison.best]
    if not comparison.fits:
        return None
    able = [fit for fit in comparison.fits.values() if not is_blind(fit)]
    return min(able or comparison.fits.values(), key=lambda fit: fit.residual_rms)


# -- pictures and pages -------------------------------------------------------------------------------------------------


def _pictures(found: Found) -> dict[str, Any]:
    from ..verify.plots.empirical import fitted_curves, predicted_curves

    if found.fit is None:
        raise DataError("there is nothing to draw: " + reasons(found.comparison)[0][1])
    drawn = {"Measured curves and the law": fitted_curves(found.fit)}
    if found.predictions:
        drawn["The predicted schedule"] = predicted_curves(found.fit, found.predictions)
    return drawn


def _draw(found: Found, output: Path) -> None:
    """Draw the schedules that were predicted; without any the curves that were fitted."""
    figure = list(_pictures(found).values())[-1]
    try:
        figure.savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


def _page(found: Found, file: str) -> str:
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
    lines = screen(found, file)
    return rendered(
        "fit.html.j2",
        title=f"Training curves of {Path(file).name}",
        facts=lines[:1],
        tone="pass" if found.comparison.best else "open",
        verdict=found.comparison.verdict,
        reasons=[f"{who}: {why}" for who, why in reasons(found.comparison)] + found.said,
        warnings=(),
        sections=sections,
        screen="\n".join(lines),
    )
