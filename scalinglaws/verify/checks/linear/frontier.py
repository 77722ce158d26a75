"""The compute optimum of the linear model by direct simulation: many sizes, each trained for every budget that is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .... import theory
from ....equality import by_value
from ....reprs import short_repr
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate.linear import online_sgd
from .._optima import optima as _optima
from .tolerances import EXPONENT_TOLERANCE, REPLICATES, Array

_LEAST_TOLERANCE = 0.03  # absolute: the default for exponents below 0.6
_RELATIVE_RATE, _BATCH = (
    0.3,
    4,
)  # rate times trace: so that no small student among thousands diverges


@short_repr
@by_value
@dataclass(frozen=True)
class _Sweep:
    """What is trained: sizes and budgets around the optimum of a task, and how often (small students, which vary more, more often)."""

    phase: str
    task: PowerLawSpectrum
    sizes: tuple[int, ...]
    budgets: tuple[float, ...]
    draws: int
    rival: str
    others: tuple[float, float, float]


def _sweeps() -> tuple[_Sweep, ...]:
    hard = PowerLawSpectrum(3, 0.5, 512)
    sizes, budgets = (8, 11, 16, 22, 32, 45, 64, 90, 128), (1e4, 3e4, 1e5, 3e5)
    alike = "features and steps grow alike", (0.25, 0.5, 0.5)
    alpha, beta = 2.0, 1.25
    easy = PowerLawSpectrum(alpha, beta, 800)
    larger, smaller = (16, 23, 32, 45, 64, 90, 128, 181, 256), (5e3, 1e4, 2.5e4, 5e4)
    other = alpha * beta / (alpha + 1), 1 / (alpha + 1), alpha / (alpha + 1)
    return (
        _Sweep("Ia", hard, sizes, budgets, 60, *alike),
        _Sweep("II", easy, larger, smaller, 90, "phase Ia", other),
    )


@check(
    "linear.compute.simulated",
    statement="the least loss at a budget, and the size and the steps that reach it, are powers of the budget as the phase says",
    laws=("linear.compute", "linear.compute_model", "linear.compute_time"),
    effort="full",
)
def compute(context: Context) -> Iterator[Comparison]:
    """SGD on small batches, students of many sizes: a hard task, and the least loss of an easy one.

    No simulation reaches the optimum of a very easy task (phase III) where its exponents can be read off: larger students, more
    budget, or those phases that need eigenvalues without a finite sum.
    """
    for sweep in _sweeps():
        task, budgets = sweep.task, np.array(sweep.budgets)
        values: dict[str, Any] = {"alpha": task.alpha, "beta": task.beta}
        rate = _RELATIVE_RATE / float(task.explicit()[0].sum())

        def losses(r: int, sweep: _Sweep = sweep, rate: float = rate) -> Array:
            rng = context.generator(sweep.phase, r)
            return np.array([_trained(sweep, size, rate, rng) for size in sweep.sizes])

        rows = np.array([losses(r) for r in range(REPLICATES)])
        found = _optima(np.array(sweep.sizes, float), rows)
        # an easy task's least loss is so flat in the size that its exponent would need four times the draws
        names = ("compute", "compute_model", "compute_time")[: 3 if sweep.phase == "Ia" else 1]
        for index, name in enumerate(names):
            law = theory.law(f"linear.{name}")
            if law.regime(**values) != sweep.phase:
                raise AssertionError(
                    f"{values} lies in phase {law.regime(**values)}, not {sweep.phase}"
                )
            exponent = float(law(**values))
            tolerance = max(_LEAST_TOLERANCE, EXPONENT_TOLERANCE * exponent)
            falls = (found[0], 1 / found[1], found[1] / budgets)[index]
            subject = ("loss", "size", "steps")[index]
            yield Comparison(
                f"{context.check}/{sweep.phase}-{subject}",
                Prediction(
                    f"exponent of the best {subject}",
                    "exponent",
                    exponent,
                    f"{law.name}, phase {sweep.phase}",
                    domain={"compute": (sweep.budgets[0], np.inf)},
                ),
                measure(
                    lambda r, falls=falls: falls[r],  # type: ignore[misc]
                    lambda rows: exponent_from_replicates(
                        sweep.budgets,  # noqa: B023
                        rows,
                        method="jackknife over replicates of a cubic through simulated losses of several sizes",
                    ),
                    replicates=REPLICATES,
                    tolerance=tolerance,
                ),
                tolerance=tolerance,
                rival=Rival(sweep.rival, sweep.others[index]),
            )


@check(
    "linear.compute.boundary",
    statement="between phases Ia and II the least loss at a budget falls with a logarithm of it",
    laws=("linear.phase_boundaries",),
    effort="full",
)
def boundary(context: Context) -> Iterator[Comparison]:
    """SGD on small batches on the boundary, students of many sizes: the slope over a decade of budgets, as the logarithm bends it."""
    law, task = theory.law("linear.phase_boundaries"), PowerLawSpectrum(2, 1, 800)
    budgets = np.array([1e4, 2.2e4, 4.6e4, 1e5])
    sizes = (16, 23, 32, 45, 64, 90, 128, 181, 256, 362)
    sweep = _Sweep("boundary", task, sizes, tuple(budgets.tolist()), 60, "", (0.0, 0.0, 0.0))
    rate = _RELATIVE_RATE / float(task.explicit()[0].sum())
    rows = np.array(
        [
            [_trained(sweep, size, rate, rng) for size in sizes]
            for rng in (context.generator("boundary", r) for r in range(REPLICATES))
        ]
    )
    least, _ = _optima(np.array(sizes, float), rows)
    power = float(law(alpha=task.alpha, beta=task.beta))
    logarithm = float(law.log_power(alpha=task.alpha, beta=task.beta))
    bent = power - logarithm / float(np.log(budgets).mean())
    tolerance = EXPONENT_TOLERANCE * bent
    yield Comparison(
        f"{context.check}/between-Ia-and-II",
        Prediction(
            "exponent of the least loss over a decade",
            "exponent",
            bent,
            f"{law.name}: C^-{power:.4g} (log C)^{logarithm:.4g}",
            domain={"compute": (float(budgets[0]), np.inf)},
        ),
        measure(
            lambda r: least[r],
            lambda found: exponent_from_replicates(
                budgets,
                found,
                method="jackknife over replicates of a cubic through simulated losses of several sizes",
            ),
            replicates=REPLICATES,
            tolerance=tolerance,
        ),
        tolerance=tolerance,
        rival=Rival("no logarithm", power),
    )


def _trained(sweep: _Sweep, size: int, rate: float, rng: np.random.Generator) -> Array:
    """Return mean losses of students of one size, at the end of every budget."""
    steps = [round(budget / size) for budget in sweep.budgets]
    found = online_sgd(
        steps,
        sweep.task,
        features=size,
        batch=_BATCH,
        learning_rate=rate,
        draws=sweep.draws * max(1, min(3, 28 // size)),
        rng=rng,
    )
    return np.asarray(found.test_loss.mean(axis=0))
