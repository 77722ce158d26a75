"""What measured curves say of another schedule: laws fitted to simulated runs, against runs that the fit has not seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....solvers.schedules import Schedule
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import ScheduledCurve, fit_schedule_law, measure
from ...registry import Context, check
from .._measured import mean_over
from .replicates import REPLICATES, replicated, run

_MODES = {"quick": 50, "full": 200}  # of which longer runs must not reach the last
_STEPS, _RATE, _BATCH, _NOISE = 1500, 0.15, 2, 1.0
_START = 5  # runs are short, and their first steps alone see the bias fall
_AT = np.unique(
    np.round(
        np.concatenate(
            (np.geomspace(_START, _STEPS, 40), _STEPS + 1 - np.geomspace(1, _STEPS - _START, 40))
        )
    ).astype(int)
)
_FITTED = {
    "constant": Schedule.constant(_RATE, _STEPS),
    "drop": Schedule.from_array(np.repeat([_RATE, 0.3 * _RATE], _STEPS // 2)),
}
_DRAWS = {"fitted": 300, "predicted": 30}
TOLERANCE = 0.01  # absolute: a decay takes .065 off the loss, and the tolerance is 15 % of that


def _task(context: Context) -> PowerLawSpectrum:
    return PowerLawSpectrum.from_ab(1.8, 1.6, _MODES[context.effort])


def _simulated(context: Context, name: str, schedule: Schedule, draws: int) -> ScheduledCurve:
    """Return the mean loss of many runs, label noise included, which a measured loss contains."""
    losses = run(
        schedule,
        _task(context),
        batch=_BATCH,
        noise_variance=_NOISE,
        at=_AT,
        draws=draws,
        rng=context.generator(name, 0),
    )
    return ScheduledCurve(schedule, _AT, losses.mean_loss + _NOISE)


@check(
    "schedules.bridge",
    statement="a law that knows the schedule, fitted to a constant rate and one that drops, predicts how low a decay ends",
    no_law="the law is fitted, with an effective kernel; what is tested is the prediction of a schedule that it has not seen",
    compiles=4,
)
def bridge(context: Context) -> Iterator[Comparison]:
    """The final loss of wsd, in a full run of longer ones too; the schedule-blind fit to the same curves expects .04 more."""
    draws = context.pick(quick=1, full=10) * _DRAWS["fitted"]
    curves = [_simulated(context, name, row, draws) for name, row in _FITTED.items()]
    fits = {
        law: fit_schedule_law(curves, start=_START, law=law, bootstrap=0)
        for law in ("functional", "intrinsic_time", "steps")
    }
    for name, factor in (("wsd", 1), ("longer", 3))[: context.pick(quick=1, full=2)]:
        schedule = Schedule.wsd(rate=_RATE, steps=factor * _STEPS)
        found = {law: fit.predict(schedule, at=schedule.steps) for law, fit in fits.items()}
        expected = found["functional"]
        losses = replicated(
            context,
            name,
            _DRAWS["predicted"],
            lambda count, rng, schedule=schedule: (
                run(  # type: ignore[misc]
                    schedule,
                    _task(context),
                    batch=_BATCH,
                    noise_variance=_NOISE,
                    at=schedule.steps,
                    draws=count,
                    rng=rng,
                ).test_loss
            ),
        )
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "final loss of wsd",
                "threshold",
                float(expected.loss),
                f"verify.estimate.fit_schedule_law to the means of {draws} runs at a constant rate and {draws} at one that drops",
                se=float(expected.standard_error),
            ),
            measure(
                lambda r, losses=losses: losses(r) + _NOISE,  # type: ignore[misc]
                lambda rows, steps=schedule.steps: mean_over(  # type: ignore[misc]
                    rows, "direct simulation of one-pass SGD", float(steps)
                ),
                replicates=REPLICATES,
                tolerance=TOLERANCE,
            ),
            tolerance=TOLERANCE,
            rival=Rival("the schedule-blind fit to the same curves", float(found["steps"].loss)),
            notes=(
                f"a fit in intrinsic time alone expects {found['intrinsic_time'].loss:.4f}",
                f"residuals of the fit: {fits['functional'].residual:.1e}",
            ),
        )
