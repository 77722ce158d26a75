"""The command that compares schedules of the learning rate, each at its best rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ..errors import DomainError, refusal, unknown_name
from ..formatting import number, short
from ..notation import belonging
from ..results import jsonable
from ..tables import Block, Table
from ._app import Json, Output, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard, wrote
from ._grammar import pairs, to_float
from ._schedule_words import FORMS, make_average, make_method, make_schedule, split
from ._solver_help import renamed
from ._solvers import Solver
from ._spectrum import FILES, SHAPE, file_first, take_spectrum

Words = Annotated[tuple[str, ...] | None, Parameter(consume_multiple=True, negative=())]

OPTIMAL = "optimal"
USUAL = ("constant", "linear", "cosine", "wsd:0.2", OPTIMAL)
_NUMBERS = (
    "steps",
    "batch",
    "noise_variance",
    "features",
    "rate",
    "max_rate",
    "momentum",
    "warmup",
)
_WORDS = ("method", "average")
_MOST = 10  # schedules in a picture
_ROUNDING = 0.01  # of a sum of rates over the rate, as a number of steps
_COLUMNS = ("schedule", "rate", "test_loss", "gap", "capped", "serial_steps")


@dataclass(frozen=True)
class _Task:
    """What is trained, and how."""

    spectrum: Any
    title: str
    arguments: dict[str, Any]
    steps: int
    warmup: int
    rate: float | None
    max_rate: float | None
    given: dict[str, Any]


@dataclass(frozen=True)
class _Row:
    """A schedule at its rate."""

    word: str
    schedule: Any
    rate: float
    loss: float
    error: float
    capped: bool


@app.command
def schedule(
    *values: str,
    compare: Words = None,
    notation: str | None = None,
    json: Json = False,
    output: Output = None,
) -> int:
    """Compare learning-rate schedules of one length, each at its best rate: losses, gaps, and the steps that a batch ramp needs.

    Parameters
    ----------
    values : str
        The spectrum (alpha= beta= or a= b=, and size=; or spectrum=FILE with measured eigenvalues, perhaps signal=FILE), steps=, and,
        as far as needed, batch= (1), noise_variance= (0), features= (inf), momentum=, method= (sgd, heavy_ball:0.9, nesterov:0.9, dana),
        average= (tail:0.5, ema:0.01), warmup=, max_rate=; rate= takes one rate for all schedules instead of the best of each.
    compare : tuple of str
        Schedules: constant, linear, cosine, wsd:0.2, power:2, inverse_power:0.5, exponential:0.01, optimal; by default
        constant,linear,cosine,wsd:0.2,optimal.
    notation : str
        How the spectrum is written, if not as alpha and beta or in a way that its names tell: bordelon (a, b), paquette, bahri,
        kernel, caponnetto, or an author who writes the same.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt; a picture of the loss curves as .png, .svg, .pdf).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    if not values and compare is None:
        app.help_print(["schedule"])
        return 2
    words, rest = _sorted(values, compare or ())
    task = _task(rest, notation)
    with heard() as said:
        rows = [_row(task, word) for word in _chosen(words, task)]
    if output is not None and output.suffix in FIGURES:
        _draw(task, rows, output)
        output = None
    emit(_answer(task, rows, said), json, output)
    return 0


# -- what is asked for --------------------------------------------------------------------------------------------------


def _sorted(values: Sequence[str], compared: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell the schedules from the arguments, wherever they stand."""
    from ..solvers.spectrum_files import SUFFIXES

    words: list[str] = []
    rest: list[str] = []
    for value in (*values, *compared):
        if "=" in value or (value.endswith(SUFFIXES) and value in values[:1]):
            rest.append(value)
        else:
            words += [word for word in value.split(",") if word]
    return list(dict.fromkeys(words)), rest


def _task(values: Sequence[str], notation: str | None) -> _Task:
    """Read what is trained."""
    solver = replace(Solver.named("schedules.train"), name="schedule")
    given = renamed(solver, pairs(file_first(solver, values)))
    spectrum, how = take_spectrum(solver, given, notation)
    known = (*_NUMBERS, *_WORDS)
    for key in given:
        if key not in known:
            raise unknown_name(
                "argument of schedule", key, [*known, *SHAPE, *FILES], belonging(key)
            )
    numbers = {key: _number(key, given[key]) for key in _NUMBERS if key in given}
    if "steps" not in numbers:
        raise DomainError("schedule needs steps=, as steps=1e6", argument="steps", value=None)
    steps, warmup = (_whole(key, numbers.get(key, 0)) for key in ("steps", "warmup"))
    features = numbers.get("features", math.inf)
    trained: dict[str, Any] = {
        "batch": numbers.get("batch", 1.0),
        "noise_variance": numbers.get("noise_variance", 0.0),
        "features": features,
        "method": make_method(
            given.get("method", "sgd"),
            momentum=numbers.get("momentum"),
            spectrum=spectrum,
            features=features,
        ),
        "average": make_average(given.get("average")),
    }
    read: dict[str, Any] = {
        "steps": steps,
        "batch": trained["batch"],
        "noise_variance": trained["noise_variance"],
    }
    read |= {key: value for key, value in numbers.items() if key not in read}
    read |= {key: given[key] for key in _WORDS if key in given}
    said = ", ".join(
        f"{key} = {value if isinstance(value, str) else number(value)}"
        for key, value in read.items()
    )
    what = _described(spectrum) + (f", from {how}" if how else "")
    rates = (numbers.get("rate"), numbers.get("max_rate"))
    return _Task(spectrum, f"schedule: {what}\n{said}", read, steps, warmup, *rates, trained)


def _number(key: str, text: str) -> float:
    if "," in text or ":" in text:
        raise DomainError(f"{key} = {text!r} must be one number", argument=key, value=text)
    return to_float(key, text)


def _whole(key: str, value: float) -> int:
    if not (math.isfinite(value) and value == round(value)):
        raise refusal(key, value, "must be a whole number")
    return int(value)


def _described(spectrum: Any) -> str:
    modes = f"{number(spectrum.size)} modes"
    if not hasattr(spectrum, "alpha"):
        return modes
    return f"alpha = {number(spectrum.alpha)}, beta = {number(spectrum.beta)}, {modes}"


def _chosen(words: list[str], task: _Task) -> list[str]:
    """Return the schedules to compare, checked before anything is computed."""
    known: dict[str, tuple[str, ...]] = {**FORMS, OPTIMAL: ()}
    for word in words:
        split("schedule", word, known)
    if OPTIMAL in words and (why := _not_optimal(task)):
        raise DomainError(f"optimal {why}", argument="compare", value=OPTIMAL)
    if words:
        return words
    return [word for word in USUAL if word != OPTIMAL or not _not_optimal(task)]


def _not_optimal(task: _Task) -> str:
    """Say why there is no optimal schedule, if there is none."""
    from ..solvers.schedules import SGD

    if not isinstance(task.given["method"], SGD) or task.given["average"] is not None:
        return "is for SGD without an average"
    if not task.given["noise_variance"] > 0 or math.isinf(task.given["batch"]):
        return "needs label noise, noise_variance= > 0, and a finite batch="
    return ""


# -- what is computed ---------------------------------------------------------------------------------------------------


def _row(task: _Task, word: str) -> _Row:
    """Train along a schedule at its rate."""
    from ..solvers.schedules import train, tuned_rate

    if word == OPTIMAL:
        from ..solvers.schedules import optimal_schedule

        given = {key: task.given[key] for key in ("features", "batch", "noise_variance")}
        found = optimal_schedule(task.steps, task.spectrum, max_rate=task.max_rate, **given)
        made = found.schedule
        return _Row(word, made, found.rate, found.test_loss, found.test_error, found.capped)
    shape = make_schedule(word, rate=task.rate or 1.0, steps=task.steps, warmup=task.warmup)
    if task.rate is None:
        tuned = tuned_rate(shape, task.spectrum, max_rate=task.max_rate, **task.given)
        rated = shape.with_rate(tuned.rate)
        return _Row(word, rated, tuned.rate, tuned.test_loss, tuned.test_error, tuned.capped)
    run = train(shape, task.spectrum, at=task.steps, **task.given)
    loss = run.test_loss if run.averaged_loss is None else run.averaged_loss
    return _Row(word, shape, shape.rate, float(loss), float(run.test_error), False)


def _draw(task: _Task, rows: list[_Row], output: Path) -> None:
    """Draw the losses along the schedules."""
    from ..solvers.schedules import train
    from ..verify.plots.schedules import schedule_losses
    from ..verify.plots.style import explain

    if len(rows) > _MOST:
        raise refusal(
            "output", output, f"takes at most {_MOST} schedules in a picture", shown=False
        )
    with heard():
        runs = {row.word: train(row.schedule, task.spectrum, **task.given) for row in rows}
    figure = schedule_losses(runs)
    explain(figure, [], title=task.title)
    try:
        figure.savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


# -- what is shown ------------------------------------------------------------------------------------------------------


def _answer(task: _Task, rows: list[_Row], said: list[str]) -> Answer:
    """Bring together what is shown."""
    least = min(row.loss for row in rows)
    table = [
        (
            row.word,
            row.rate,
            row.loss,
            row.loss / least - 1 if least > 0 else math.nan,
            row.capped,
            math.ceil(row.schedule.intrinsic_time / row.rate - _ROUNDING),
        )
        for row in rows
    ]
    data: dict[str, Any] = {
        "spectrum": _described(task.spectrum),
        "arguments": task.arguments,
        "schedules": [dict(zip(_COLUMNS, entry, strict=True)) for entry in table],
        "errors": [row.error for row in rows],
    }
    if said:
        data["warnings"] = said
    return Answer(jsonable(data), list(_blocks(task, table, said)), (_COLUMNS, table))


def _blocks(task: _Task, table: list[tuple[Any, ...]], said: list[str]) -> Iterator[Block]:
    yield task.title
    cells = [
        (
            word,
            short(rate),
            number(loss, 6),
            "least" if gap == 0 else f"+{number(100 * gap, 3)} %",
            "yes" if capped else "no",
            number(serial),
        )
        for word, rate, loss, gap, capped, serial in table
    ]
    yield Table(("schedule", "rate", "loss", "gap", "capped", "serial steps"), cells)
    notes = [
        "rate      at the start, the given one"
        if task.rate is not None
        else "rate      at the start, the best one for this shape"
    ]
    notes += [
        "gap       to the least loss",
        "capped    whether the largest stable rate is the best; optimal stays below half of it",
        "serial    steps if the batch grows instead of the rate falling, on as many samples",
    ]
    yield "\n".join(notes)
    yield from (f"warning: {text}" for text in said)
