"""What stands in for a decay, and what memory does: batch ramps, constant and adapted momentum, and budgets, against simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .... import theory
from ....equality import by_value
from ....reprs import short_repr
from ....solvers.schedules import Schedule, train
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate.schedules import train as simulate
from .._measured import mean_over
from .._optima import optima
from .replicates import (
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
_RATIO_TOLERANCE = 0.03  # relative: corrections of the order of rate times eigenvalue


@check(
    "schedules.batch-ramp.simulated",
    statement="a batch that grows does what a decay does, in fewer steps; large early batches restore the exponent of super-easy tasks",
    laws=("schedules.batch_ramp",),
)
def ramps(context: Context) -> Iterator[Comparison]:
    """A linear decay and the ramp that equals it, both simulated; then noise-free batches that are large early."""
    law = theory.law("schedules.batch_ramp")
    yield _equivalent(context, law)
    a, b, rate, times = 4.4, 1.6, 0.3, (100, 200, 400, 800)
    values, task = exponents_of(a, b), whole_task(a, b, 120)
    early = [_early_batches(law, steps, values) for steps in times]
    exponent = float(law.evaluate("early_loss", **values))
    yield slope(
        context,
        "early",
        [float(sizes.sum()) for sizes in early],
        exponent,
        Rival("the noise of the first steps", 2 - 1 / b),
        replicated(
            context,
            "early",
            20,
            lambda draws, rng: np.stack(
                [
                    simulate(
                        np.full(sizes.size, rate), task, batch=sizes, draws=draws, rng=rng
                    ).test_loss
                    for sizes in early
                ],
                axis=-1,
            ),
        ),
        source=f"{law.name}: large early batches",
        method=_METHOD,
        against="samples",
    )


def _early_batches(law: Any, steps: int, values: dict[str, Any]) -> Array:
    """Return the law's batches in whole samples."""
    found = law.evaluate("early_batch", t=float(steps), s=np.arange(float(steps)), **values)
    return np.asarray(np.ceil(found))


def _equivalent(context: Context, law: Any) -> Comparison:
    """Compare the loss after a ramp of the batch with that after the decay, in units of the latter."""
    rate, batch, steps = 0.05, 32, 1000
    given: dict[str, Any] = {"noise_variance": 8.0}
    task = whole_task(2, 1.5, 60)
    decay = Schedule.power(1, rate=rate, steps=steps)
    count = round(float(law.evaluate("serial_steps", t=float(steps), p=1)))
    sizes = law.evaluate("batch", B=float(batch), p=1, u=np.arange(count) / count)
    ramp, flat = Schedule.from_array(np.round(sizes)), Schedule.constant(rate, count)

    def ratio(r: int) -> float:
        draws, rng = context.pick(quick=12, full=120), context.generator("ramp", r)
        ramped, decayed = (
            run(schedule, task, batch=size, **given, draws=draws, rng=rng).mean_loss
            for schedule, size in ((flat, ramp), (decay, batch))
        )
        return float(ramped / decayed)

    kept, ended = (
        float(train(schedule, task, batch=batch, at=schedule.steps, **given).test_loss)
        for schedule in (flat, decay)
    )
    return Comparison(
        f"{context.check}/equivalent",
        Prediction(
            "loss under the ramp over that under the decay",
            "threshold",
            1.0,
            f"{law.name}: the ramp that equals a decay",
        ),
        measure(
            ratio,
            lambda rows: mean_over(rows, f"{_METHOD}, {count} steps against {steps}", steps),
            replicates=REPLICATES,
            tolerance=_RATIO_TOLERANCE,
        ),
        tolerance=_RATIO_TOLERANCE,
        rival=Rival("as many steps at the batch of the start", kept / ended),
    )


@check(
    "schedules.momentum.simulated",
    statement="heavy ball does what SGD does at the rate over 1 - momentum, noise included, and no exponent changes",
    laws=("schedules.momentum",),
)
def rescaled(context: Context) -> Iterator[Comparison]:
    """Late losses with noisy labels, against the solver's SGD; without noise the exponent, which momentum does not improve."""
    law, momentum, rate, batch = theory.law("schedules.momentum"), 0.9, 0.005, 4
    effective = float(law.evaluate("effective_rate", eta=rate, mu=momentum))
    at, task = np.array([300, 600]), whole_task(2, 1.5, 60)
    noise: dict[str, Any] = {"noise_variance": 1.0}

    def descended(rate: float, size: float) -> Array:
        schedule = Schedule.constant(rate, int(at[-1]))
        return np.asarray(train(schedule, task, batch=size, at=at, **noise).test_loss)

    yield curve(
        context,
        "loss",
        at,
        descended(effective, batch),
        {
            "momentum averages the noise of 1/(1 - momentum) steps": descended(
                effective, batch / (1 - momentum)
            ),
            "the rate itself": descended(rate, batch),
        },
        replicated(
            context,
            "loss",
            45,
            lambda draws, rng: (
                run(
                    Schedule.constant(rate, int(at[-1])),
                    task,
                    batch=batch,
                    momentum=momentum,
                    **noise,
                    at=at,
                    draws=draws,
                    rng=rng,
                ).test_loss
            ),
        ),
        source=f"{law.name}: SGD at the effective rate",
        method=_METHOD,
        tolerance=_RATIO_TOLERANCE,
    )
    times, values, task = (
        np.array([500, 1000, 2000, 4000]),
        exponents_of(2, 1.5),
        whole_task(2, 1.5, 250),
    )
    adapted = theory.law("schedules.dana_decaying")
    yield slope(
        context,
        "exponent",
        times,
        float(law(**values)),
        Rival("the exponent of momentum that adapts", float(adapted.evaluate("time", **values))),
        replicated(
            context,
            "exponent",
            1,
            lambda draws, rng: (
                run(
                    Schedule.constant(0.01, int(times[-1])),
                    task,
                    batch=16,
                    momentum=momentum,
                    at=times,
                    draws=draws,
                    rng=rng,
                ).test_loss
            ),
        ),
        source=f"{law.name}: t^-({law.expr})",
        method=_METHOD,
    )


_HARD = (2.2, 3.0)  # signal k^-2.2, eigenvalues k^-3
_DANA_RATE, _STRENGTH, _DANA_BATCH = 0.1, 10.0, 16


def _memory(kind: str, features: float, steps: int) -> Array | None:
    """Return the rates of the memory, None for SGD."""
    if kind == "sgd":
        return None
    fading = (1.0 + np.arange(steps)) ** (-1 / _HARD[1]) if kind == "decaying" else 1 / features
    return np.asarray(_STRENGTH * _DANA_RATE * fading * np.ones(steps))


@check(
    "schedules.dana.simulated",
    statement="with momentum that fades as t^-(1/b) the loss of unlimited features falls with an exponent that is chi times SGD's",
    laws=("schedules.dana_decaying",),
)
def adapted(context: Context) -> Iterator[Comparison]:
    """A hard task, where the exponent is soon there."""
    law, (a, b) = theory.law("schedules.dana_decaying"), _HARD
    values, task, times = (
        exponents_of(a, b),
        whole_task(a, b, 200),
        np.array([500, 1000, 2000, 4000]),
    )
    steps = int(times[-1])
    yield slope(
        context,
        "time",
        times,
        float(law.evaluate("time", **values)),
        Rival("SGD", float(theory.law("linear.time")(**values))),
        replicated(
            context,
            "time",
            4,
            lambda draws, rng: (
                simulate(
                    np.full(steps, _DANA_RATE),
                    task,
                    batch=_DANA_BATCH,
                    memory_rates=_memory("decaying", np.inf, steps),
                    at=times,
                    draws=draws,
                    rng=rng,
                ).test_loss
            ),
        ),
        source=f"{law.name}, unlimited features",
        method=_METHOD,
    )


@short_repr
@by_value
@dataclass(frozen=True)
class _Frontier:
    """Students of several sizes, and budgets N t."""

    sizes: tuple[int, ...]
    budgets: tuple[float, ...]

    def steps(self, size: int) -> list[int]:
        """Return how many steps each budget allows a size."""
        return [round(budget / size) for budget in self.budgets]

    def rows(self, losses: Callable[[int, int], Array]) -> tuple[Array, Array]:
        """Return least losses and best sizes, shape (replicates, budgets), of losses by replicate and size."""
        found = np.array([[losses(r, size) for size in self.sizes] for r in range(REPLICATES)])
        return optima(np.array(self.sizes, float), found)

    def compare(
        self,
        context: Context,
        name: str,
        quantity: str,
        falls: Array,
        exponent: float,
        rival: Rival,
        source: str,
    ) -> Comparison:
        """Compare the exponent of what falls with the budget."""
        tolerance = allowed(exponent)
        return Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"exponent of the best {quantity}",
                "exponent",
                exponent,
                source,
                domain={"compute": (self.budgets[0], np.inf)},
            ),
            self._measured(falls, tolerance),
            tolerance=tolerance,
            rival=rival,
        )

    def _measured(self, falls: Array, tolerance: float) -> Measurement:
        return measure(
            lambda r: falls[r],
            lambda rows: exponent_from_replicates(
                self.budgets,
                rows,
                method="jackknife over replicates of a cubic through simulated losses of several sizes",
            ),
            replicates=REPLICATES,
            tolerance=tolerance,
        )


@check(
    "schedules.dana.frontier",
    statement="the least loss at a budget with momentum that fades with time, or shrinks with the size, has the exponent of power counting",
    laws=("schedules.dana_decaying", "schedules.dana_constant"),
    effort="full",
)
def frontiers(context: Context) -> Iterator[Comparison]:
    """Students of ten sizes on a hard task; SGD's exponents are the rivals.

    The least loss is so flat in the size that two decades of budgets do not show the exponent of the size to within the tolerance.
    """
    a, b = _HARD
    values, task = exponents_of(a, b), whole_task(a, b, 400)
    frontier = _Frontier((8, 11, 16, 22, 32, 45, 64, 90, 128, 181), (1e4, 3e4, 1e5, 3e5))
    plain = theory.law("linear.compute")
    for kind in ("decaying", "constant"):
        law = theory.law(f"schedules.dana_{kind}")

        def losses(r: int, size: int, kind: str = kind) -> Array:
            at = frontier.steps(size)
            return simulate(
                np.full(at[-1], _DANA_RATE),
                task,
                batch=_DANA_BATCH,
                features=size,
                memory_rates=_memory(kind, size, at[-1]),
                at=at,
                draws=context.pick(quick=1, full=20),
                rng=context.generator(f"{kind}-{size}", r),
            ).mean_loss

        least, _ = frontier.rows(losses)
        yield frontier.compare(
            context,
            f"{kind}-loss",
            "loss",
            least,
            float(law(**values)),
            Rival("SGD", float(plain(**values))),
            f"{law.name}: C^-({law.expr})",
        )


@check(
    "schedules.compute.simulated",
    statement="with label noise and a decayed rate the least loss at a budget has the exponent of the noise-free hard task",
    laws=("schedules.compute",),
    effort="full",
)
def noisy(context: Context) -> Iterator[Comparison]:
    """A hard task, whose best rate is the largest; no constant rate does as well."""
    law, (a, b) = theory.law("schedules.compute"), (2.5, 3.0)
    values, task = exponents_of(a, b), whole_task(a, b, 300)
    frontier = _Frontier((8, 11, 16, 22, 32, 45, 64, 90), (5e3, 1.5e4, 5e4, 1.5e5))

    def losses(r: int, size: int) -> Array:
        return np.array(
            [
                run(
                    Schedule.power(2 * b - 1, rate=0.4, steps=steps),
                    task,
                    batch=64,
                    noise_variance=1.0,
                    features=size,
                    draws=context.pick(quick=1, full=20),
                    rng=context.generator(f"size-{size}", r),
                ).mean_loss
                for steps in frontier.steps(size)
            ]
        )

    least, _ = frontier.rows(losses)
    yield frontier.compare(
        context,
        "loss",
        "loss",
        least,
        float(law(**values)),
        Rival("the best constant rate", float(law.evaluate("constant", **values))),
        f"{law.name}: C^-({law.expr})",
    )
