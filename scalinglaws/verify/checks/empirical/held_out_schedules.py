"""What laws of training curves say of a schedule that was held out: curves of simulated training, which knows no law."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from ....solvers.schedules import Schedule
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...empirical import fit_curves
from ...estimate import ScheduledCurve, fit_schedule_law, measure
from ...registry import Context, check
from ...simulate.schedules import train as simulate
from .._measured import mean_over

_SIZES = {
    "quick": (800, 40),
    "full": (2000, 100),
}  # steps, and modes, of which no run reaches the last
_RATE, _BATCH, _NOISE = 0.15, 2, 1.0
_START = 5  # runs are short, and their first steps alone see the bias fall
_DRAWS = {"fitted": 300, "predicted": 12}
_REPLICATES = 12
TOLERANCE = 0.01  # absolute: a decay takes .06 off the loss, and the tolerance is a sixth of that
BLIND = {"steps": "a power law in steps", "intrinsic_time": "a power law in the sum of rates"}
"""Laws that are fitted to the same curves and do not know what a decay does."""


def _fitted(steps: int) -> dict[str, Schedule]:
    return {
        "constant": Schedule.constant(_RATE, steps),
        "drop": Schedule.from_array(np.repeat([_RATE, 0.3 * _RATE], steps // 2)),
        "wsd10": Schedule.wsd(rate=_RATE, steps=steps, cooldown=0.1),
    }


def _held_out(steps: int) -> dict[str, Schedule]:
    return {
        "wsd20": Schedule.wsd(rate=_RATE, steps=steps, cooldown=0.2),
        "linear": Schedule.power(1, rate=_RATE, steps=steps),
    }


def _simulated(context: Context, name: str, schedule: Schedule) -> ScheduledCurve:
    """Return the mean loss of many runs, label noise included, which a measured loss contains."""
    steps, _ = _SIZES[context.effort]
    early = np.geomspace(_START, steps, 40)
    late = steps + 1 - np.geomspace(1, steps - _START, 40)
    at = np.unique(np.round(np.concatenate((early, late))).astype(int))
    draws = context.pick(quick=1, full=4) * _DRAWS["fitted"]
    losses = _runs(context, schedule, at=at, draws=draws, rng=context.generator(name, 0)).mean_loss
    return ScheduledCurve(schedule, at, losses + _NOISE)


def _runs(context: Context, schedule: Schedule, **given: Any) -> Any:
    """Simulate training along a schedule."""
    task = PowerLawSpectrum.from_ab(1.8, 1.6, _SIZES[context.effort][1])
    return simulate(schedule.values(), task, batch=_BATCH, noise_variance=_NOISE, **given)


@check(
    "empirical.schedule",
    statement="a law fitted to a constant rate, a drop and a short cooldown predicts where two schedules that it has not seen end",
    no_law="the law is fitted; what is tested is its forecast of schedules that were held out",
    compiles=4,
)
def schedule(context: Context) -> Iterator[Comparison]:
    """Final losses by the multi-power law, in a full run by the functional one too; laws that know no decay are rejected."""
    steps, _ = _SIZES[context.effort]
    curves = {name: _simulated(context, name, row) for name, row in _fitted(steps).items()}
    fits = {
        law: fit_curves(law, curves, holdout=None, start=_START)
        for law in ("multi_power", "functional")[: context.pick(quick=1, full=2)]
    }
    blind = {
        law: fit_schedule_law(list(curves.values()), start=_START, law=law, bootstrap=0)
        for law in BLIND
    }
    for name, made in _held_out(steps).items():
        wrong = {BLIND[law]: float(fit.predict(made, at=steps).loss) for law, fit in blind.items()}
        draws = context.pick(quick=1, full=10) * _DRAWS["predicted"]

        @cache
        def losses(r: int, name: str = name, made: Schedule = made, draws: int = draws) -> Any:
            rng = context.generator(name, r)
            found = _runs(context, made, at=steps, draws=draws, rng=rng).test_loss
            return found.mean(axis=0) + _NOISE

        measured = measure(
            losses,
            lambda rows: mean_over(rows, "direct simulation of one-pass SGD", float(steps)),
            replicates=_REPLICATES,
            tolerance=TOLERANCE,
        )
        for law, fit in fits.items():
            found = fit.predict(made, at=steps)
            expected = float(found.loss)
            nearest = min(wrong, key=lambda title: abs(wrong[title] - expected))
            yield Comparison(
                f"{context.check}/{name}" + ("" if law == "multi_power" else f"-{law}"),
                Prediction(
                    f"final loss of {name}",
                    "threshold",
                    expected,
                    f"verify.empirical.fit_curves, the {law.replace('_', '-')} law of {', '.join(curves)}",
                    se=float(found.standard_error),
                ),
                measured,
                tolerance=TOLERANCE,
                rival=Rival(f"{nearest}, fitted to the same curves", wrong[nearest]),
                notes=tuple(f"{title} expects {value:.4f}" for title, value in wrong.items()),
            )
