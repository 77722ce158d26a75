"""Weight decay, Langevin noise and early stopping of the linear model: against simulation, and the law of the best time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from .... import theory
from ....solvers.linear import gradient_descent, gradient_flow, online_sgd
from ....solvers.spectra import PowerLawSpectrum
from ..._least_losses import best_ridge, best_stop
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, local_exponent, measure
from ...registry import Context, check
from ...simulate import linear as simulate
from .optima import at_best
from .tolerances import CURVE_TOLERANCE, EXPONENT_TOLERANCE, REPLICATES, SOLVER_TOLERANCE, Array
from .training import curves

_TASK = PowerLawSpectrum.from_ab(2, 1.5, 400)
_SIZES: dict[str, Any] = {"features": 60, "samples": 150}
_HEAT = 0.01  # temperature
_RUNS = 8  # with Langevin noise of their own, for each draw


@check(
    "linear.weight-decay",
    statement="test and train loss along gradient flow with weight decay, and what Langevin noise adds to them",
    no_law="the solver's curves at finite sizes, where no power law holds",
)
def weight_decay(context: Context) -> Iterator[Comparison]:
    """Early, and where the decay has ended training; what noise adds is measured against the same draw without."""
    t = np.array([10.0, 300.0, 3e3])
    draws = context.pick(quick=22, full=300)
    given: dict[str, Any] = {**_SIZES, "noise_variance": 0.09, "weight_decay": 0.01}

    @cache
    def replicate(r: int) -> dict[str, Array]:
        cold, warm = (
            simulate.gradient_flow(
                t,
                _TASK,
                **given,
                temperature=temperature,
                noise_draws=_RUNS,
                draws=draws,
                rng=context.generator("simulation", r),
            )
            for temperature in (0.0, _HEAT)
        )
        found = {name: getattr(cold, name).mean(axis=0) for name in ("test_loss", "train_loss")}
        for name in ("test", "train"):
            found[f"langevin_{name}"] = (
                getattr(warm, f"{name}_loss").mean(axis=0) - found[f"{name}_loss"]
            )
        return found

    solved = gradient_flow(t, _TASK, **given, temperature=_HEAT)
    plain = gradient_flow(t, _TASK, **_SIZES, noise_variance=0.09)
    rivals = {
        "test_loss": ("no decay", plain.test_loss),
        "train_loss": ("no decay", plain.train_loss),
        "langevin_test": ("the same for test and train loss", solved.langevin_train),
        "langevin_train": ("the same for test and train loss", solved.langevin_test),
    }
    for name, (rival, wrong) in rivals.items():
        curve = np.asarray(getattr(solved, name))
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"{name.replace('_', ' ')} against time",
                "curve",
                curve,
                "solvers.linear.gradient_flow",
                x=t,
                domain={"time": (1.0, np.inf)},
            ),
            measure(
                lambda r, name=name: replicate(r)[name],  # type: ignore[misc]
                lambda rows: curve_from_replicates(
                    t, rows, method=f"direct simulation, {REPLICATES} times {draws} draws"
                ),
                replicates=REPLICATES,
                tolerance=CURVE_TOLERANCE * curve,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival(rival, np.asarray(wrong)),
        )


@check(
    "linear.decoupled-decay",
    statement="with momentum, decay outside of the gradient ends at a smaller ridge than decay within",
    no_law="the solver's curves at finite sizes, where no power law holds",
    effort="full",
)
def decoupled_decay(context: Context) -> Iterator[Comparison]:
    """Both kinds of decay, each the other's rival."""
    steps = np.array([10, 40, 300])
    given: dict[str, Any] = {
        **_SIZES,
        "learning_rate": 0.15,
        "momentum": 0.8,
        "noise_variance": 0.09,
        "weight_decay": 0.1,
    }
    kinds = {"coupled": False, "decoupled": True}
    solved = {
        name: gradient_descent(steps, _TASK, **given, decoupled=flag)
        for name, flag in kinds.items()
    }
    for (name, flag), other in zip(kinds.items(), ("decoupled", "coupled"), strict=True):
        yield from curves(
            context,
            steps.astype(float),
            "steps",
            "solvers.linear.gradient_descent",
            {
                "test_loss": solved[name].test_loss,
                "train_loss": solved[name].train_loss,
            },
            f"{other} decay",
            {
                "test_loss": solved[other].test_loss,
                "train_loss": solved[other].train_loss,
            },
            lambda draws, rng, flag=flag: simulate.gradient_descent(  # type: ignore[misc]
                steps, _TASK, **given, decoupled=flag, draws=draws, rng=rng
            ),
            10,
            name=f"{name}-",
        )


@check(
    "linear.sgd-decay",
    statement="test loss along one-pass SGD with weight decay",
    no_law="the solver's curves at finite sizes, where no power law holds",
    effort="full",
)
def sgd_decay(context: Context) -> Iterator[Comparison]:
    """A decay that ends training above where it would end without."""
    steps = np.array([20, 100, 400])
    given: dict[str, Any] = {"features": 60, "learning_rate": 0.3, "noise_variance": 0.1}
    solved = online_sgd(steps, _TASK, **given, batch=4, weight_decay=0.02)
    plain = online_sgd(steps, _TASK, **given, batch=4)
    yield from curves(
        context,
        steps.astype(float),
        "steps",
        "solvers.linear.online_sgd",
        {"test_loss": solved.test_loss},
        "no decay",
        {"test_loss": plain.test_loss},
        lambda draws, rng: simulate.online_sgd(
            steps, _TASK, **given, batch=4, weight_decay=0.02, draws=draws, rng=rng
        ),
        12,
    )


# -- the best time ------------------------------------------------------------------------------

_EASY_TOLERANCE = 5e-3  # absolute: ridge approaches its saturated exponent slowly


@check(
    "linear.early-stopping",
    statement="the loss at the best time falls as (noise variance/P)^((a - 1)/a), where the best ridge saturates too",
    laws=("linear.early_stopping",),
    evidence="exact",
)
def early_stopping(context: Context) -> Iterator[Comparison]:
    """The solver's losses, minimized: exponents of stopping and of ridge, and where they share one, the ratio of the losses."""
    law = theory.law("linear.early_stopping")
    tasks = {"hard": (2, 1.5), "easy": (6, 1.5), "steep": (2.5, 1.25), "mild": (4.5, 1.5)}
    for name, (a, b) in list(tasks.items())[: context.pick(quick=2, full=4)]:
        task = PowerLawSpectrum.from_ab(a, b)
        values: dict[str, Any] = {"alpha": task.alpha, "beta": task.beta}
        own, shrunk = float(law(**values)), float(law.evaluate("ridge_exponent", **values))
        saturated = task.beta > 2
        for kind, exponent, rival, best in (
            ("stopping", own, Rival("same exponent as ridge", shrunk), best_stop),
            ("ridge", shrunk, Rival("same exponent as stopping", own), best_ridge),
        ):
            if not saturated:
                rival = Rival("exponent without noise", task.alpha * task.beta)
            yield Comparison(
                f"{context.check}/{name}-{kind}",
                Prediction(
                    "exponent of the least loss",
                    "exponent",
                    exponent,
                    f"{law.name}: {law.expr if kind == 'stopping' else law.forms['ridge_exponent'].expr}",
                    domain={"samples": (1e8, np.inf)},
                ),
                local_exponent(
                    lambda p, best=best, task=task: np.array(  # type: ignore[misc]
                        [best(task, float(n))[0] for n in np.atleast_1d(p)]
                    ),
                    1e9,
                ),
                tolerance=_EASY_TOLERANCE if saturated else SOLVER_TOLERANCE,
                rival=rival,
                evidence="exact",
            )
        if not saturated:
            yield _ratio(context, name, task, values)


def _ratio(
    context: Context, name: str, task: PowerLawSpectrum, values: dict[str, Any]
) -> Comparison:
    """Compare the ratio of the least losses with its closed form."""
    law, samples = theory.law("linear.early_stopping"), np.array([1e8, 1e9])
    found = np.array([best_stop(task, p)[0] / best_ridge(task, p)[0] for p in samples])
    return Comparison(
        f"{context.check}/{name}-ratio",
        Prediction(
            "least loss of stopping over that of ridge",
            "curve",
            np.full(2, float(law.evaluate("ratio", **values))),
            f"{law.name}: the ratio in closed form",
            x=samples,
            domain={"samples": (1e8, np.inf)},
        ),
        Measurement(
            found,
            1e-6 * found,
            None,
            1,
            "solvers, minimized over time and over ridge",
            (1e8, 1e9),
            deterministic=True,
        ),
        tolerance=SOLVER_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("equal losses", np.ones(2)),
        evidence="exact",
    )


_TIMES = np.geomspace(2.0, 2e3, 20)


@check(
    "linear.early-stopping.simulated",
    statement="on few samples the loss at the best time falls with the exponent of the law",
    laws=("linear.early_stopping",),
    effort="full",
)
def simulated_stopping(context: Context) -> Iterator[Comparison]:
    """Which time is best, the draws decide; the solver's losses at the same sizes are fitted alike."""
    law = theory.law("linear.early_stopping")
    task, sizes = PowerLawSpectrum(2, 1, 96), (16, 32, 64, 128)
    values: dict[str, Any] = {"alpha": 2, "beta": 1}

    def losses(r: int) -> Array:
        rng = context.generator("simulation", r)
        return np.array(
            [
                simulate.gradient_flow(
                    _TIMES, task, samples=size, noise_variance=1.0, draws=draws, rng=rng
                ).test_loss.mean(axis=0)
                for size, draws in zip(sizes, (1500, 900, 700, 600), strict=True)
            ]
        )

    exponent = float(law(**values))
    yield Comparison(
        f"{context.check}/few-samples",
        Prediction(
            "exponent of the least loss",
            "exponent",
            exponent,
            f"{law.name}: {law.expr}",
            domain={"samples": (float(sizes[0]), np.inf)},
        ),
        measure(
            losses,
            lambda rows: exponent_from_replicates(
                sizes,
                at_best(rows),
                method="gradient flow on few samples, 96 modes, the best time interpolated",
            ),
            replicates=REPLICATES,
            tolerance=EXPONENT_TOLERANCE * exponent,
        ),
        tolerance=EXPONENT_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("exponent without noise", float(theory.law("linear.data")(**values))),
    )
