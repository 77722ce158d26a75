"""How the loss of the linear model falls in time: its laws, each against training that is simulated step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from .... import theory
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate import linear as simulate
from .tolerances import CURVE_TOLERANCE, EXPONENT_TOLERANCE, REPLICATES, Array


def _falls(
    context: Context,
    name: str,
    quantity: str,
    exponent: float,
    source: str,
    t: Array,
    replicate: Callable[[int], Array],
    method: str,
    rival: Rival,
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare a law's exponent in time with simulated curves."""
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            f"exponent of the {quantity}",
            "exponent",
            exponent,
            source,
            domain={"t": (float(t[0]), np.inf)},
        ),
        measure(
            replicate,
            lambda losses: exponent_from_replicates(t, losses, method=method),
            replicates=REPLICATES,
            tolerance=EXPONENT_TOLERANCE * exponent,
        ),
        tolerance=EXPONENT_TOLERANCE,
        tolerance_kind="relative",
        rival=rival,
        notes=notes,
    )


@check(
    "linear.time.simulated",
    statement="trained on samples that are never seen twice, the loss falls as t^-beta, with its constant",
    laws=("linear.time",),
)
def time(context: Context) -> Iterator[Comparison]:
    """SGD without a limit on features, with batches so large that their noise is small beside the tolerance."""
    law, task = theory.law("linear.time"), PowerLawSpectrum(2, 0.75, 500)
    steps, rate = np.array([62, 125, 250, 500, 1000]), 0.2
    t = rate * steps
    values: dict[str, Any] = {"alpha": task.alpha, "beta": task.beta}
    draws = context.pick(quick=1, full=10)

    @cache
    def replicate(r: int) -> Array:
        found = simulate.online_sgd(
            steps,
            task,
            batch=16,
            learning_rate=rate,
            draws=draws,
            rng=context.generator("simulation", r),
        )
        return np.asarray(found.test_loss.mean(axis=0))

    method = f"online SGD, {task.size:g} modes, batches of 16, t = {rate} steps"
    yield _falls(
        context,
        "exponent",
        "test loss",
        float(law(**values)),
        f"{law.name}: t^-({law.expr})",
        t,
        replicate,
        method,
        Rival("exponent alpha*beta, as of a resource", float(task.alpha * task.beta)),
    )
    leading = np.asarray(law.asymptote(t, **values))
    yield Comparison(
        f"{context.check}/loss",
        Prediction(
            "test loss against time",
            "curve",
            leading,
            f"{law.name}: {law.constant}",
            x=t,
            domain={"t": (float(t[0]), np.inf)},
        ),
        measure(
            replicate,
            lambda losses: curve_from_replicates(t, losses, method=method),
            replicates=REPLICATES,
            tolerance=CURVE_TOLERANCE * leading,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("time counted once", 2**task.beta * leading),
    )


@check(
    "linear.transient.simulated",
    statement="what few features add to the loss of an easy task falls as t^-(1 - 1/alpha) before it saturates",
    laws=("linear.transient",),
)
def transient(context: Context) -> Iterator[Comparison]:
    """Gradient flow of drawn students above the flow without a limit on features, long before N^alpha."""
    law, task = theory.law("linear.transient"), PowerLawSpectrum(5, 2, 20)
    features, draws = 64, context.pick(quick=320, full=3200)
    t = np.geomspace(10, 1000, 5)
    unlimited = simulate.gradient_flow(t, task).test_loss[0]

    def replicate(r: int) -> Array:
        found = simulate.gradient_flow(
            t, task, features=features, draws=draws, rng=context.generator("simulation", r)
        )
        return np.asarray(features * (found.test_loss.mean(axis=0) - unlimited))

    yield _falls(
        context,
        "exponent",
        "excess loss of few features",
        float(law(alpha=task.alpha, beta=task.beta)),
        f"{law.name}: t^-({law.expr})",
        t,
        replicate,
        f"gradient flow, {features} random features, {task.size:g} modes",
        Rival("beta - 1/alpha, as on hard tasks", float(task.beta - 1 / task.alpha)),
    )


@check(
    "linear.sgd-noise",
    statement="what is left by the noise of SGD's gradients falls as t^-(2 - 1/alpha), however easy the task",
    laws=("linear.sgd_noise",),
)
def noise(context: Context) -> Iterator[Comparison]:
    """A task so easy that its own loss t^-beta is soon forgotten: batches of two samples, features without limit."""
    law, task = theory.law("linear.sgd_noise"), PowerLawSpectrum(3, 4, 40)
    steps, rate, draws = np.array([100, 200, 400, 800]), 0.5, context.pick(quick=100, full=1000)

    def replicate(r: int) -> Array:
        found = simulate.online_sgd(
            steps,
            task,
            batch=2,
            learning_rate=rate,
            draws=draws,
            rng=context.generator("simulation", r),
        )
        return np.asarray(found.test_loss.mean(axis=0))

    yield _falls(
        context,
        "exponent",
        "test loss",
        float(law(alpha=task.alpha)),
        f"{law.name}: t^-({law.expr})",
        rate * steps,
        replicate,
        f"online SGD, {task.size:g} modes, batches of 2, t = {rate} steps",
        Rival("exponent beta of the noiseless flow", float(task.beta)),
    )
