"""What a decay of the rate buys: laws of cooldowns, tuned rates and the best schedule against simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers.schedules import Schedule
from ....solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum, Spectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import advantage_from_pairs, exponent_from_replicates, measure
from ...registry import Context, check
from .replicates import (
    CURVE_TOLERANCE,
    REPLICATES,
    Array,
    allowed,
    curve,
    exponents_of,
    replicated,
    run,
    slope,
    whole_task,
)

_METHOD = "direct simulation of one-pass training"


def _ends(
    schedules: list[Schedule], task: Spectrum, **given: Any
) -> Callable[[int, np.random.Generator], Array]:
    """Return what simulates schedules of several lengths, each to its end: mean losses of shape (1, schedules).

    The longest takes as many draws as are asked for, the others as many more as cost the same.
    """
    longest = max(schedule.steps for schedule in schedules)

    def losses(draws: int, rng: np.random.Generator) -> Array:
        found = [
            run(schedule, task, **given, draws=draws * longest // schedule.steps, rng=rng).mean_loss
            for schedule in schedules
        ]
        return np.array([found], dtype=float)

    return losses


@check(
    "schedules.functional.simulated",
    statement="without label noise the loss depends on the sum of the rates alone; with it, a constant rate adds a floor, a decay less",
    laws=("schedules.functional", "schedules.cooldown_variance"),
)
def functional(context: Context) -> Iterator[Comparison]:
    """Linear decays and constant rates to the same intrinsic times, at a small temperature."""
    a, b, rate, batch = 2.0, 1.5, 0.05, 40  # noise that is large against the loss
    law, left = theory.law("schedules.functional"), theory.law("schedules.cooldown_variance")
    values, task = exponents_of(a, b), whole_task(a, b, 100)
    spent = np.array([12.5, 25.0, 50.0])
    decays = [Schedule.power(1, rate=rate, steps=round(2 * x / rate)) for x in spent]
    flat = [Schedule.constant(rate, round(x / rate)) for x in spent]

    def bias_at(times: Array) -> Array:
        return np.array([float(law.evaluate("bias", X=x, **values)) for x in times])

    bias = bias_at(spent)
    noisy = {"theta": rate / batch, "sigma2": 10.0, "alpha": b}
    floor, decayed = (
        np.array([float(left.evaluate("decay", U=x, p=p, **noisy)) for x in spent]) for p in (0, 1)
    )
    cases: dict[str, tuple[int, list[Schedule], float, Array, dict[str, Array]]] = {
        "bias": (
            2,
            decays,
            0.0,
            bias,
            {"a schedule-blind time: steps times the first rate": bias_at(2 * spent)},
        ),
        "floor": (20, flat, 10.0, bias + floor, {"no label noise": bias}),
        "decay": (
            8,
            decays,
            40.0,
            bias + 4 * decayed,
            {"the floor of the constant rate": bias + 4 * floor, "no label noise": bias},
        ),
    }
    for name, (draws, schedules, noise, predicted, rivals) in cases.items():
        yield curve(
            context,
            name,
            spent,
            predicted,
            rivals,
            replicated(
                context,
                name,
                draws,
                _ends(schedules, task, batch=batch, noise_variance=noise),
            ),
            source=law.name if name != "decay" else f"{law.name} + {left.name}",
            method=_METHOD,
            tolerance=CURVE_TOLERANCE,
            against="X",
        )


def _noise_left(
    power: float, rate: float, lengths: Array, b: float, modes: int
) -> Callable[[int, np.random.Generator], Array]:
    """Return what simulates decays of several intrinsic lengths on labels that are noise, over what one step's temperature is."""
    spectrum = PowerLawSpectrum.from_ab(2, b, modes)
    batch = 1000  # no noise but that of the labels
    empty = EmpiricalSpectrum(spectrum.explicit()[0], np.zeros(modes))
    decays = [
        Schedule.power(power, rate=rate, steps=round((power + 1) * length / rate))
        for length in lengths
    ]
    simulated = _ends(decays, empty, batch=batch, noise_variance=1.0)
    return lambda draws, rng: simulated(draws, rng) * batch / rate


@check(
    "schedules.cooldown.simulated",
    statement="of label noise a decay (1 - t/T)^p of intrinsic length U leaves U^-(1 - 1/min(b, p + 1)), constants included",
    laws=("schedules.cooldown_variance",),
    effort="full",
)
def cooldown(context: Context) -> Iterator[Comparison]:
    """Labels that are nothing but noise: a linear decay, both terms, and exponents, of a steep decay and of two limited by their shape."""
    law = theory.law("schedules.cooldown_variance")
    lengths, b = np.array([20.0, 40.0, 80.0]), 1.5
    given = {"theta": 1.0, "sigma2": 1.0, "alpha": b}
    both = [float(law.evaluate("decay", U=length, p=1, **given)) for length in lengths]
    floor = float(law.evaluate("floor", **given))
    yield curve(
        context,
        "linear",
        lengths,
        both,
        {
            "the floor of a constant rate": np.full(lengths.size, floor),
            "a rate that vanishes as its square": [
                float(law.evaluate("decay", U=length, p=2, **given)) for length in lengths
            ],
        },
        replicated(context, "linear", 50, _noise_left(1, 0.5, lengths, b, 100)),
        source=f"{law.name}, both terms",
        method=_METHOD,
        tolerance=CURVE_TOLERANCE,
        against="U",
        quantity="noise over temperature",
    )
    cases: dict[str, tuple[float, float, int, int, tuple[float, ...]]] = {
        "steep": (4, 1.5, 400, 6, (60, 120, 240, 480)),
        "shape-limited": (0.5, 3, 30, 60, (60, 120, 240, 480, 960)),
        "linear-shape-limited": (1, 5, 12, 60, (60, 240, 960, 3840)),
    }
    for name, (power, b, modes, draws, sizes) in cases.items():
        limit = "b" if power + 1 > b else "p + 1"
        other = 1 - 1 / b if limit == "p + 1" else power / (power + 1)
        yield slope(
            context,
            name,
            sizes,
            float(law(alpha=b, p=power)),
            Rival(f"limited by {'b' if limit == 'p + 1' else 'p + 1'}", other),
            replicated(context, name, draws, _noise_left(power, 1.5, np.array(sizes), b, modes)),
            source=f"{law.name}: U^-({law.expr})",
            method=_METHOD,
            against="U",
            quantity="noise over temperature",
        )


def _at_best(rows: Array) -> Array:
    """Return the losses at the best rate, shape (replicates, times), of losses at rates in geometric progression, (.., rates, times).

    A parabola in logarithms through the mean over replicates says which rate is best, within the range of the rates; each replicate
    keeps its own parabola's level there.
    """
    logs = np.log(rows)
    count = logs.shape[1]
    places = np.arange(count) - (count - 1) / 2
    found = np.empty((logs.shape[0], logs.shape[2]))
    for j in range(logs.shape[2]):
        bend, lean, level = np.polyfit(places, np.log(rows[:, :, j].mean(axis=0)), 2)
        ends = places[[0, -1]]
        best = float(np.clip(-lean / (2 * bend), *ends)) if bend > 0 else 0.0
        if bend <= 0:
            best = float(ends[np.argmin([np.polyval([bend, lean, level], end) for end in ends])])
        own = np.polyfit(places, logs[:, :, j].T, 2)
        found[:, j] = np.exp(own[0] * best**2 + own[1] * best + own[2])
    return found


def _tuned(
    context: Context,
    name: str,
    task: Spectrum,
    times: tuple[int, ...],
    shape: Callable[[float, int], Schedule],
    rates: Callable[[int], Array],
    exponent: float,
    rival: Rival,
    draws: int,
    source: str,
    average: bool = False,
    **given: Any,
) -> Comparison:
    """Simulate a schedule of given shape at several rates for several numbers of steps, and compare the exponent of the least loss."""
    count = rates(times[0]).size

    def losses(r: int) -> Array:
        found = np.empty((count, len(times)))
        for j, steps in enumerate(times):
            more = {"tail_start": steps // 2} if average else {}
            for i, rate in enumerate(rates(steps)):
                runs = run(
                    shape(float(rate), steps),
                    task,
                    **given,
                    **more,
                    draws=context.pick(quick=draws, full=10 * draws) * times[-1] // steps,
                    rng=context.generator(name, r),  # the same noise at all rates
                )
                left = runs.test_loss if runs.averaged_loss is None else runs.averaged_loss
                found[i, j] = left.mean()
        return found.reshape(-1)

    tolerance = allowed(exponent)
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            "exponent of the least loss",
            "exponent",
            exponent,
            source,
            domain={"steps": (float(times[0]), np.inf)},
        ),
        measure(
            losses,
            lambda rows: exponent_from_replicates(
                times,
                _at_best(rows.reshape(len(rows), count, len(times))),
                method=f"{_METHOD} at {count} rates, interpolated to the best",
            ),
            replicates=REPLICATES,
            tolerance=tolerance,
        ),
        tolerance=tolerance,
        rival=rival,
    )


_FACTORS = 2.0 ** np.array([-1.0, 0.0, 1.0])


@check(
    "schedules.tuned.simulated",
    statement="with label noise, at the best rate, a decay changes the exponent of the loss; on a hard task the largest rate is best",
    laws=("schedules.tuned",),
)
def tuned(context: Context) -> Iterator[Comparison]:
    """A hard task with little noise, trained at several rates; an easy one with much, a constant rate and an average in a full run."""
    law, times = theory.law("schedules.tuned"), (100, 200, 400, 800, 1600)
    source, hard = f"{law.name}: {law.expr}", exponents_of(2.5, 3)
    yield _tuned(
        context,
        "hard-decay",
        whole_task(2.5, 3, 40),
        times,
        lambda rate, steps: Schedule.power(3, rate=rate, steps=steps),
        lambda steps: np.array([0.25, 0.5, 1.0]),
        float(law(p=3, **hard)),
        Rival("a constant rate", float(law(p=0, **hard))),
        1,
        source,
        batch=64,
        noise_variance=1.0,
    )
    if context.effort == "quick":
        return
    task, easy = whole_task(3, 1.5, 60), exponents_of(3, 1.5)
    decayed, constant = (float(law(p=p, **easy)) for p in (2, 0))
    shapes: dict[str, tuple[Callable[[float, int], Schedule], float, float, float, Rival]] = {
        "easy-decay": (
            lambda rate, steps: Schedule.power(2, rate=rate, steps=steps),
            1.4,
            0.5,
            decayed,
            Rival("a constant rate", constant),
        ),
        "easy-constant": (Schedule.constant, 0.57, 0.571, constant, Rival("a decay", decayed)),
        "easy-average": (
            Schedule.constant,
            0.9,
            0.5,
            float(law.evaluate("averaged", **easy)),
            Rival("a constant rate, not averaged", constant),
        ),
    }
    for name, (shape, scale, power, exponent, rival) in shapes.items():
        yield _tuned(
            context,
            name,
            task,
            times,
            shape,
            lambda steps, scale=scale, power=power: scale * steps**-power * _FACTORS,  # type: ignore[misc]
            exponent,
            rival,
            6,
            source,
            average=name == "easy-average",
            batch=1,
            noise_variance=1.0,
        )


@check(
    "schedules.optimal.simulated",
    statement="the loss under the best schedule, a decay of power 2 b - 1 at its best rate, is what is derived, constant included",
    laws=("schedules.optimal",),
    effort="full",
)
def optimal(context: Context) -> Iterator[Comparison]:
    """Three lengths with much noise; decays of other powers, each at its best rate, end higher."""
    a, b, times = 2.0, 1.5, (500, 1000, 2000)
    law, left = theory.law("schedules.optimal"), theory.law("schedules.cooldown_variance")
    values, task = exponents_of(a, b), whole_task(a, b, 200)
    noise = {"sigma2": 1.0, "B": 1.0}
    bias, cost = float(law.evaluate("C_F", **values)), float(law.evaluate("C_V", alpha=b))
    power = float(law.evaluate("power", alpha=b))

    def spent(steps: int) -> float:
        return float(law.evaluate("X", T=float(steps), **noise, **values))

    def schedule(steps: int) -> Schedule:
        peak = float(law.evaluate("peak", T=float(steps), X=spent(steps), alpha=b))
        return Schedule.power(power, rate=peak, steps=steps)

    def constant(steps: int) -> float:
        """Return the loss at the best constant rate: bias, and noise without a decay."""
        times = spent(steps) * np.geomspace(0.1, 2, 20)
        noises = [
            left.evaluate("decay", U=x, p=0, theta=x / steps, sigma2=1.0, alpha=b) for x in times
        ]
        return float(np.min(bias * times ** -values["beta"] + np.array(noises, float)))

    yield curve(
        context,
        "loss",
        times,
        [
            bias * spent(steps) ** -values["beta"] + cost / steps * spent(steps) ** (1 / b)
            for steps in times
        ],
        {"the best constant rate": [constant(steps) for steps in times]},
        replicated(
            context,
            "loss",
            3,
            _ends([schedule(steps) for steps in times], task, batch=1, noise_variance=1.0),
        ),
        source=f"{law.name}: {law.expr}",
        method=_METHOD,
        tolerance=CURVE_TOLERANCE,
    )
    steps = 3000
    for other in (0.5, 5.0):
        yield _beaten(context, other, steps, schedule(steps), task)


def _beaten(
    context: Context, power: float, steps: int, best: Schedule, task: Spectrum
) -> Comparison:
    """Compare the best schedule with a decay of another power, at the best of several rates."""
    name, draws = f"power-{power:g}", 20
    peak = best.intrinsic_time * (power + 1) / steps
    noisy: dict[str, Any] = {"batch": 1, "noise_variance": 1.0}

    def mean(schedule: Schedule, r: int) -> float:
        rng = context.generator(name, r)
        return float(run(schedule, task, **noisy, draws=draws, rng=rng).mean_loss)

    first = np.array([mean(best, r) for r in range(REPLICATES)])
    others = np.array(
        [
            [
                mean(Schedule.power(power, rate=peak * factor, steps=steps), r)
                for factor in (0.5, 0.7, 1.0, 1.4)
            ]
            for r in range(REPLICATES)
        ]
    )
    second = others[:, int(np.argmin(others.mean(axis=0)))]
    found, sign = advantage_from_pairs(
        first, second, method=f"{_METHOD}, paired by seed", window=(float(steps), float(steps))
    )
    return _ranked(
        context, name, f"the best power against {power:g}", found, f"sign test: p = {sign:.2g}"
    )


def _ranked(
    context: Context, name: str, quantity: str, found: Measurement, note: str
) -> Comparison:
    return Comparison(
        f"{context.check}/{name}",
        Prediction(quantity, "ranking", 1.0, "schedules.optimal"),
        found,
        tolerance=0.02,
        rival=Rival("the other power is better", -1.0),
        notes=(note,),
    )
