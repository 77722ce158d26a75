"""A learning-rate schedule drawn by hand, its loss, and those of the usual shapes at the same largest rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from ... import theory
from ...errors import ScalingLawsError
from ...formatting import number, typeset
from ...solvers import PowerLawSpectrum
from ...solvers.schedules import Schedule, optimal_schedule, stability, train
from ..answers import COLORS, PALE, Answer, Line, Number, paragraphs
from ..controls import Points, Slider
from ..panel import Frame, Panel, Values
from ._beside import near
from ._shared import heard, told

PIECES = 16
"""Straight pieces of a drawing that are followed: each takes some milliseconds."""
LEAST = 1e-6
"""Least rate over the largest, but for an end at zero."""
LOOKS = 120
"""Points of a curve, half of them evenly spaced in the logarithm of the steps."""
MANY = 10.0  # times the least: from here on a factor is easier to read than percents
USUAL = {"constant": PALE, "linear": COLORS[0], "cosine": COLORS[3], "wsd": COLORS[2]}
USUAL |= {"optimal": COLORS[4]}
LABELS = {"wsd": "stable, then a cooldown of 20 %", "optimal": "best by the functional law"}
Knots = tuple[tuple[float, float], ...]


def answer(values: Values) -> Answer:
    """Return the losses along the drawn schedule and along the others."""
    task = (round(values["alpha"], 6), round(values["beta"], 6))
    given = (*task, int(values["steps"]), values["batch"], values["noise"], values["peak"])
    rate, words = _rate(*given[:4], values["peak"]), list[str]()
    shapes, curves = list[Line](), list[Line]()
    final: dict[str, float] = {}
    for name, knots in {**dict.fromkeys(USUAL), "drawn": values["drawn"]}.items():
        label, color = LABELS.get(name, name), USUAL.get(name, COLORS[1])
        try:
            shares, rates, steps, losses, said = _run(name, knots, *given)
        except ScalingLawsError as failure:
            words.append(f"{label}: {failure}")
            continue
        words += said
        shapes.append(Line(label, shares, rates, color))
        curves.append(Line(label, steps, losses, color))
        final[name] = float(losses[-1])
    law, promised, said = _law(*task, rate, given[2])
    words += said
    least = min(final.values(), default=math.nan)
    numbers = [
        Number(name, f"final loss, {LABELS.get(name, name)}", final[name], _gap(final[name], least))
        for name in ("drawn", *USUAL)
        if name in final
    ]
    numbers.append(Number("rate", "largest rate", rate, f"{values['peak']:g} of the stable ones"))
    text = paragraphs(*dict.fromkeys(words)) + told("schedules.optimal", "linear.time")
    return Answer(
        {"schedule": shapes, "losses": [*curves, *near(law, curves)]}, [*numbers, *promised], text
    )


def _gap(loss: float, least: float) -> str:
    if loss == least:
        return "least"
    more = loss / least
    return (
        f"+{number(100 * (more - 1), 3)} %" if more < MANY else f"{typeset(more, 3)} times as much"
    )


# -- schedules ----------------------------------------------------------------------------------------------------------


def _rate(alpha: float, beta: float, steps: int, batch: float, share: float) -> float:
    """Return the rate that is a share of the largest stable one."""
    flat = Schedule.constant(1.0, steps)
    return share * stability(flat, PowerLawSpectrum(alpha, beta), batch=batch).max_rate


def drawn_schedule(knots: Knots, rate: float, steps: int) -> tuple[Schedule, Knots]:
    """Return the schedule through knots, shares of the steps and of the largest rate, and those that were kept."""
    whole = {min(round(x * steps), steps): y for x, y in knots}  # of several at one step the last
    kept = [(float(x), y if x == steps and y == 0 else max(y, LEAST)) for x, y in whole.items()]
    kept = _shaping(kept, PIECES + 1)
    left, shares = np.array(kept).T
    left = steps - left  # from the end on, where digits are needed

    def shape(t: Any) -> Any:
        return np.maximum(np.interp(steps - t, left[::-1], shares[::-1]), 1e-280)

    breaks = [x for x, _ in kept if 0 < x < steps]
    made = Schedule.from_function(shape, breaks, steps=steps, rate=rate)
    return made, tuple((x / steps, y) for x, y in kept)


def _shaping(knots: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Keep the knots that shape a drawing most: again and again the one goes that spans the least area with its neighbors."""
    kept = list(knots)
    while len(kept) > most:
        (x0, y0), (x, y), (x1, y1) = (
            np.array(part).T for part in (kept[:-2], kept[1:-1], kept[2:])
        )
        area = np.abs((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0))
        del kept[int(np.argmin(area)) + 1]
    return kept


@lru_cache(maxsize=256)
def _run(
    name: str,
    knots: Knots | None,
    alpha: float,
    beta: float,
    steps: int,
    batch: float,
    noise: float,
    share: float,
) -> tuple[Any, Any, Any, Any, tuple[str, ...]]:
    """Return a schedule, the losses along it, and what was warned of; kept, for most stay as they are while one draws."""
    task, rate = PowerLawSpectrum(alpha, beta), _rate(alpha, beta, steps, batch, share)
    with heard() as said:
        if knots is not None:
            schedule, kept = drawn_schedule(knots, rate, steps)
            if len(kept) < len(knots):
                said.append(
                    f"drawn: of its {len(knots)} knots the {len(kept)} that shape it most are followed"
                )
        elif name == "optimal":
            found = optimal_schedule(steps, task, batch=batch, noise_variance=noise, max_rate=rate)
            schedule = found.schedule
        else:
            make = Schedule.power if name == "linear" else getattr(Schedule, name)
            schedule = make(rate=rate, steps=steps)
        run = train(schedule, task, batch=batch, noise_variance=noise)
    places = np.linspace(0, steps - 1, LOOKS)
    looks = np.concatenate([np.geomspace(1, steps, LOOKS // 2), np.linspace(1, steps, LOOKS // 2)])
    taken, losses = np.asarray(run.steps), np.asarray(run.test_loss)
    at = np.unique(np.searchsorted(taken, looks).clip(max=taken.size - 1))
    return places / steps, schedule(places) / rate, taken[at], losses[at], tuple(said)


@lru_cache(maxsize=256)
def _law(
    alpha: float, beta: float, rate: float, steps: int
) -> tuple[list[Line], list[Number], tuple[str, ...]]:
    """Return what is known in closed form: the loss without noise at the largest rate, and the power of the best schedule."""
    exact: dict[str, Any] = {"alpha": Fraction(str(alpha)), "beta": Fraction(str(beta))}
    numbers = []
    for name, what in {
        "linear.time": "t, no noise",
        "schedules.optimal": "T, best schedule",
    }.items():
        law = theory.law(name)
        numbers.append(Number(name, f"exponent of {what}", str(law(**exact)), law.regime(**exact)))
    with heard() as said:
        t = np.geomspace(1, steps, LOOKS // 2)
        t = t[rate * t > 1]
        if t.size == 0:
            return [], numbers, ()
        losses = theory.law("linear.time").asymptote(rate * t, **exact)
    label = f"law without noise: t^-({numbers[0].value}), at the largest rate"
    return [Line(label, t, losses, PALE, "dashed")], numbers, tuple(said)


START: Knots = ((0.0, 1.0), (0.7, 0.9), (0.85, 0.3), (1.0, 0.0))
PANEL = Panel(
    "schedules",
    "Which schedule ends lowest?",
    "Draw a learning-rate schedule: its mean test loss under one-pass SGD is computed exactly, and that of other shapes "
    "with the same largest rate. Labels have noise, which the end of a schedule averages away.",
    (
        Points("drawn", "Schedule", "schedule", (0, 1, 0, 1), START, most=64, digits=3),
        Slider("alpha", "capacity α", 1.05, 3, 1.5),
        Slider("beta", "source β", 0.05, 3, 0.5),
        Slider("steps", "steps T", 100, 1e8, 1e7, 0.1, logarithmic=True, whole=True),
        Slider("batch", "batch B", 1, 1e6, 8, 0.1, logarithmic=True, unlimited=True, whole=True),
        Slider("noise", "noise variance σ²", 0, 4, 1, 0.05),
        Slider("peak", "largest rate, share of the stable ones", 0.01, 0.9, 0.2),
    ),
    (
        Frame(
            "schedule",
            "share of the steps",
            "rate over the largest",
            box=(-0.02, 1.02, -0.03, 1.05),
        ),
        Frame("losses", "steps", "mean test loss", True, True),
    ),
    answer,
    {
        "alpha": (1.25, 1.5, 2.0),
        "beta": (0.25, 0.5, 1.0),
        "steps": (1e4, 1e7),
        "noise": (0.1, 1.0),
        "peak": (0.05, 0.2, 0.6),
    },
)
