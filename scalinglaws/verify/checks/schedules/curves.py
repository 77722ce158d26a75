"""Exact losses under schedules, momentum and averages, against simulation run by run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....equality import by_value
from ....reprs import short_repr
from ....solvers.schedules import (
    DANA,
    EMA,
    SGD,
    HeavyBall,
    Nesterov,
    Schedule,
    TailAverage,
    train,
)
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison
from ...registry import Context, check
from .replicates import (
    CLOSE_TOLERANCE,
    CURVE_TOLERANCE,
    EXACT_TOLERANCE,
    Array,
    curve,
    replicated,
    run,
)

_TASK = PowerLawSpectrum.from_ab(2, 1.5, 100)
_STEPS = 400
_GIVEN: dict[str, Any] = {"batch": 4, "noise_variance": 0.1}
_METHOD = "direct simulation of one-pass training"
_NO_LAW = "exact second moments at finite sizes, where no power law holds"
_BLIND = "a schedule-blind theory: the first rate throughout"


def _solved(schedule: Schedule, at: Any, task: PowerLawSpectrum = _TASK, **given: Any) -> Array:
    return np.asarray(train(schedule, task, at=at, **{**_GIVEN, **given}).test_loss)


@check(
    "schedules.decays",
    statement="the loss under a rate that decays is that of the exact recursion of second moments, at every step",
    no_law=_NO_LAW,
    demo=True,
)
def decays(context: Context) -> Iterator[Comparison]:
    """Wsd and cosine, late in the decay and at its end; time alone does not tell, nor does the noise-free path."""
    at = np.array([380, 400])
    shapes = {
        "wsd": Schedule.wsd(rate=0.25, steps=_STEPS, cooldown=0.2),
        "cosine": Schedule.cosine(rate=0.25, steps=_STEPS),
    }
    for name, schedule in shapes.items():
        flat = Schedule.constant(0.25, _STEPS)
        spent = np.cumsum(schedule.values())[at - 1] / 0.25
        rivals = {
            _BLIND: _solved(flat, at),
            "a constant rate at the same intrinsic time": _solved(flat, np.round(spent)),
            "gradients without noise": _solved(schedule, at, batch=np.inf),
        }
        yield curve(
            context,
            name,
            at,
            _solved(schedule, at),
            rivals,
            replicated(
                context,
                name,
                60,
                lambda draws, rng, schedule=schedule: (
                    run(  # type: ignore[misc]
                        schedule, _TASK, **_GIVEN, at=at, draws=draws, rng=rng
                    ).test_loss
                ),
            ),
            source="solvers.schedules.train",
            method=_METHOD,
        )


@check(
    "schedules.batches",
    statement="the loss under a batch that grows is that of the exact recursion of second moments",
    no_law=_NO_LAW,
)
def batches(context: Context) -> Iterator[Comparison]:
    """Batches from 2 to 17 at a constant rate, with much noise; the mean batch, and the last one, end elsewhere."""
    steps, at = 400, np.array([100, 200, 400])
    schedule, noise = Schedule.constant(0.1, steps), 0.5
    sizes = 2.0 + np.arange(steps) // 25
    batch = Schedule.from_array(sizes)
    given: dict[str, Any] = {"noise_variance": noise}
    rivals = {
        title: _solved(schedule, at, batch=value, **given)
        for title, value in (
            ("the mean batch throughout", float(sizes.mean())),
            ("the last batch throughout", float(sizes[-1])),
        )
    }
    yield curve(
        context,
        "growing",
        at,
        _solved(schedule, at, batch=batch, **given),
        rivals,
        replicated(
            context,
            "growing",
            60,
            lambda draws, rng: (
                run(schedule, _TASK, batch=batch, **given, at=at, draws=draws, rng=rng).test_loss
            ),
        ),
        source="solvers.schedules.train",
        method=_METHOD,
    )


@short_repr
@by_value
@dataclass(frozen=True)
class _Memory:
    """A method with memory: what the solver is told, what the simulation is, and how many draws a replicate takes."""

    schedule: Schedule
    method: Any
    simulated: dict[str, Any]
    rival: str
    rescaled: Schedule
    draws: int


_MOMENTUM = 0.9


def _methods() -> dict[str, _Memory]:
    wsd, faster = (
        Schedule.wsd(rate=rate, steps=_STEPS, cooldown=0.2)
        for rate in (0.025, 0.025 / (1 - _MOMENTUM))
    )
    rival = "SGD at the rate over 1 - momentum"
    kept = {"momentum": _MOMENTUM}
    return {
        "heavy-ball": _Memory(wsd, HeavyBall(_MOMENTUM), kept, rival, faster, 150),
        "nesterov": _Memory(
            wsd, Nesterov(_MOMENTUM), {**kept, "nesterov": True}, rival, faster, 180
        ),
    }


@check(
    "schedules.memories",
    statement="the loss with momentum is that of the exact recursion of three second moments per mode, not that of rescaled SGD",
    no_law=_NO_LAW,
)
def memories(context: Context) -> Iterator[Comparison]:
    """Heavy ball under wsd, in a full run Nesterov too, and dimension-adapted momentum, whose gradient part alone learns too slowly."""
    for name, entry in list(_methods().items())[: context.pick(quick=1, full=2)]:
        yield curve(
            context,
            name,
            [_STEPS],
            _solved(entry.schedule, [_STEPS], method=entry.method),
            {entry.rival: _solved(entry.rescaled, [_STEPS])},
            replicated(
                context,
                name,
                entry.draws,
                lambda draws, rng, entry=entry: (
                    run(  # type: ignore[misc]
                        entry.schedule,
                        _TASK,
                        **_GIVEN,
                        **entry.simulated,
                        at=[_STEPS],
                        draws=draws,
                        rng=rng,
                    ).test_loss
                ),
            ),
            source="solvers.schedules.train",
            method=_METHOD,
            tolerance=CLOSE_TOLERANCE,
        )
    task, at = _SMALLER, np.array([100, 300])
    schedule, memory = (
        Schedule.constant(0.1, 300),
        Schedule.inverse_power(1 / 1.5, rate=0.1, start=1, steps=300),
    )
    given = {"task": task, **_SMALLER_GIVEN}
    yield curve(
        context,
        "dana",
        at,
        _solved(schedule, at, method=DANA.decaying(1.5), **given),
        {
            "the gradient part alone": _solved(schedule, at, method=SGD(), **given),
            "a memory that does not decay": _solved(
                schedule, at, method=HeavyBall(_MOMENTUM), **given
            ),
        },
        replicated(
            context,
            "dana",
            45,
            lambda draws, rng: (
                run(
                    schedule,
                    task,
                    **_SMALLER_GIVEN,
                    memory_rates=memory.values(),
                    at=at,
                    draws=draws,
                    rng=rng,
                ).test_loss
            ),
        ),
        source="solvers.schedules.train",
        method=_METHOD,
    )


_SMALLER = PowerLawSpectrum.from_ab(1.75, 1.5, 80)
_SMALLER_GIVEN: dict[str, Any] = {"batch": 2, "noise_variance": 0.05}


@check(
    "schedules.averages",
    statement="the loss of an average of iterates, from a step on or exponential, is that of its exact second moments",
    no_law=_NO_LAW,
)
def averages(context: Context) -> Iterator[Comparison]:
    """At a constant rate: the tail is not the last iterate, and an exponential average no window of the same length.

    The rivals that are no rivals: a linear decay over the same steps ends within 1 % of the tail's average, and the last iterate
    within 1 % of the exponential one.
    """
    steps, first = _STEPS, 201
    schedule = Schedule.constant(0.25, steps)
    yield _average(
        context,
        "tail",
        schedule,
        _TASK,
        _GIVEN,
        TailAverage(start=first),
        {"tail_start": first},
        {"the last iterate": _solved(schedule, [steps])},
        35,
    )
    steps, weight = 300, 0.03
    schedule = Schedule.constant(0.15, steps)
    given: dict[str, Any] = {"task": _SMALLER, **_SMALLER_GIVEN}
    window = TailAverage(start=steps + 1 - round(1 / weight))
    yield _average(
        context,
        "ema",
        schedule,
        _SMALLER,
        _SMALLER_GIVEN,
        EMA(weight=weight),
        {"ema_weight": weight},
        {"the mean of the last 1/w iterates": _averaged(schedule, window, **given)},
        120,
        tolerance=CLOSE_TOLERANCE,
    )


def _averaged(schedule: Schedule, average: Any, task: PowerLawSpectrum, **given: Any) -> Array:
    found = train(schedule, task, average=average, at=[schedule.steps], **given)
    assert found.averaged_loss is not None
    return np.asarray(found.averaged_loss)


def _average(
    context: Context,
    name: str,
    schedule: Schedule,
    task: PowerLawSpectrum,
    given: dict[str, Any],
    average: Any,
    simulated: dict[str, Any],
    rivals: dict[str, Array],
    draws: int,
    tolerance: float = EXACT_TOLERANCE,
) -> Comparison:
    def losses(draws: int, rng: np.random.Generator) -> Array:
        found = run(schedule, task, **given, **simulated, at=[schedule.steps], draws=draws, rng=rng)
        assert found.averaged_loss is not None
        return found.averaged_loss

    return curve(
        context,
        name,
        [schedule.steps],
        _averaged(schedule, average, task, **given),
        rivals,
        replicated(context, name, draws, losses),
        source="solvers.schedules.train",
        method=_METHOD,
        tolerance=tolerance,
        quantity="loss of the average",
    )


@check(
    "schedules.few-features",
    statement="with few features the loss under a decay is that of the deterministic equivalent, up to corrections of order 1/N",
    no_law=_NO_LAW,
)
def few_features(context: Context) -> Iterator[Comparison]:
    """Thirty features, drawn anew for each run; the noise of the gradients is felt on top of what they cannot express."""
    features, at = 30, np.array([100, 320, 400])
    schedule = Schedule.wsd(rate=0.2, steps=_STEPS, cooldown=0.2)
    given: dict[str, Any] = {"features": features}
    yield curve(
        context,
        "decay",
        at,
        _solved(schedule, at, **given),
        {"gradients without noise": _solved(schedule, at, batch=np.inf, **given)},
        replicated(
            context,
            "decay",
            90,
            lambda draws, rng: (
                run(schedule, _TASK, **_GIVEN, **given, at=at, draws=draws, rng=rng).test_loss
            ),
        ),
        source="solvers.schedules.train",
        method=_METHOD,
        tolerance=CURVE_TOLERANCE,
    )
