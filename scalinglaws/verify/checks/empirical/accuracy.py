"""Task accuracy in two steps: a model far better than all that were trained, from counts of right answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ... import empirical
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check

Array = NDArray[np.float64]

_RIVALS = 8  # sets to which the rival is fitted

SURFACE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
"""Of the loss in the task: that of Besiroglu et al."""
CURVE = {"u": 0.95, "k": 3.88, "m": 2.586}
"""Ceiling, slope and midpoint, with which the runs reach from 0.26 to 0.77."""
CHANCE = 0.25
ITEMS = 1000
NOISE = 0.01
TARGET = (1.94e10, 3.88e11)
"""Parameters and tokens of a model that is predicted, 1.7 decades of compute beyond the largest run."""
NEAR = (4e9, 8e10)
"""Another one, 0.3 decades beyond, where a power law of the error is too low; further on it crosses the sigmoid, and is too high."""
TOLERANCE = {"loss": 0.02, "accuracy": 0.02, "near": 0.015, "ceiling": 0.03}
"""Of ln L, and absolute: no more than what a single fit is off by, so that it is the mean over fits that is tested."""


def task_loss(N: ArrayLike, D: ArrayLike) -> Array:
    """Return the loss in the task."""
    at = SURFACE
    return np.asarray(
        at["E"] + at["A"] * np.asarray(N) ** -at["a"] + at["B"] * np.asarray(D) ** -at["b"]
    )


def task_accuracy(loss: ArrayLike) -> Array:
    """Return the accuracy at a loss in the task."""
    u, k, m = CURVE["u"], CURVE["k"], CURVE["m"]
    return np.asarray(CHANCE + (u - CHANCE) / (1 + np.exp(k * (np.asarray(loss) - m))))


def draw_task(rng: np.random.Generator) -> dict[str, Any]:
    """Return a table of 18 runs: six sizes at three ratios, noise of 1 %, and right answers of 1000 questions at the loss of each."""
    N = np.repeat(np.geomspace(1e8, 2e9, 6), 3)
    D = N * np.tile([10, 20, 40], 6)
    loss = task_loss(N, D) * np.exp(NOISE * rng.normal(size=N.size))
    right = rng.binomial(ITEMS, task_accuracy(loss))
    return {"params": N, "tokens": D, "task_loss": loss, "acc": right / ITEMS}


def one_step(table: dict[str, Any]) -> float:
    """Predict the accuracy of the near model by a power law of the error in compute, as if it were a loss."""
    x = table["params"] * table["tokens"]
    found = empirical.fit("power_offset", {"x": x, "loss": 1 - table["acc"]}, bootstrap=0)
    return float(1 - found.predict(x=NEAR[0] * NEAR[1]).loss)


@check(
    "empirical.task-accuracy",
    statement="loss and accuracy in a task are predicted without bias up to 1.7 decades beyond the runs, by way of the loss",
    no_law="how runs are fitted in two steps; the curves are those with which they were drawn",
)
def two_steps(context: Context) -> Iterator[Comparison]:
    """Means over sets of runs against the truth; the rivals are the best run, one step by a power law, and a ceiling of 1."""
    sets = context.pick(quick=36, full=400)
    rows, direct = [], []
    for r in range(sets):
        table = draw_task(context.generator("sets", r))
        found = empirical.fit_task(table, counts="total", bootstrap=0, items=ITEMS, chance=CHANCE)
        near, far = found.predict(*NEAR), found.predict(*TARGET)
        rows.append((np.log(far.loss), far.accuracy, near.accuracy, found.curve[0]))
        if r < _RIVALS:
            direct.append(one_step(table))
    best = task_loss(2e9, 8e10)
    truth = np.log(task_loss(*TARGET)), task_accuracy(task_loss(*TARGET))
    cases: tuple[tuple[str, str, Any, Rival], ...] = (
        ("loss", "ln L of the task", truth[0], Rival("that of the best run", float(np.log(best)))),
        (
            "accuracy",
            "accuracy",
            truth[1],
            Rival("that of the best run", float(task_accuracy(best))),
        ),
        (
            "near",
            "accuracy",
            task_accuracy(task_loss(*NEAR)),
            Rival("a power law of the error in compute", float(np.mean(direct))),
        ),
        ("ceiling", "u", CURVE["u"], Rival("all questions right", 1.0)),
    )
    for (name, quantity, value, rival), values in zip(cases, np.transpose(rows), strict=True):
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(quantity, "threshold", float(value), "that of the curves that were drawn"),
            Measurement(
                float(values.mean()),
                float(values.std(ddof=1) / np.sqrt(sets)),
                sets - 1,
                sets,
                f"verify.empirical.fit_task, mean over {sets} sets of 18 runs",
                (1.0, float(sets)),
            ),
            tolerance=TOLERANCE[name],
            rival=rival,
            notes=(f"a fit scatters by {values.std(ddof=1):.2g}",),
        )
