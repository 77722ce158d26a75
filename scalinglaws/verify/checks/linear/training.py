"""Training of the linear model: curves of gradient flow, descent with momentum and online SGD against simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from .... import theory
from ....solvers.linear import gradient_descent, gradient_flow, online_sgd
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, local_exponent, measure
from ...registry import Context, check
from ...simulate import linear as simulate
from .tolerances import CURVE_TOLERANCE, REPLICATES, SOLVER_TOLERANCE, Array

_TASK = PowerLawSpectrum.from_ab(2, 1.5, 400)
_SIZES: dict[str, Any] = {"features": 60, "samples": 150}
_LEADING_TOLERANCE = 1e-3  # relative: the corrections at the smallest time


def curves(
    context: Context,
    x: Array,
    domain: str,
    source: str,
    theory_curves: dict[str, Any],
    rival: str,
    rival_curves: dict[str, Any],
    draw: Callable[[int, np.random.Generator], Any],
    draws: int,
    *,
    name: str = "",
) -> Iterator[Comparison]:
    """Compare curves with replicates of as many draws each; their names begin with `name`."""
    prefix = name

    @cache
    def replicate(r: int) -> dict[str, Array]:
        found = draw(context.pick(quick=draws, full=10 * draws), context.generator("simulation", r))
        return {name: np.asarray(getattr(found, name)).mean(axis=0) for name in theory_curves}

    method = (
        f"direct simulation, {REPLICATES} times {context.pick(quick=draws, full=10 * draws)} draws"
    )
    for name, curve in theory_curves.items():
        yield Comparison(
            f"{context.check}/{prefix}{name}",
            Prediction(
                f"{name.replace('_', ' ')} against {domain}",
                "curve",
                np.asarray(curve),
                source,
                x=x,
                domain={domain: (1.0, np.inf)},
            ),
            measure(
                lambda r, name=name: replicate(r)[name],  # type: ignore[misc]
                lambda rows: curve_from_replicates(x, rows, method=method),
                replicates=REPLICATES,
                tolerance=CURVE_TOLERANCE * np.asarray(curve),
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival(rival, np.asarray(rival_curves[name])),
        )


@check(
    "linear.flow",
    statement="test and train loss along gradient flow with few features and samples, label noise included",
    no_law="the solver's curves at finite sizes, where no power law holds",
)
def flow(context: Context) -> Iterator[Comparison]:
    """From the first modes to interpolation, with the overfitting in between."""
    t = np.array([1.0, 10.0, 100.0, 1e3, 1e4])
    given: dict[str, Any] = {"noise_variance": 0.09}
    solved, rival = (
        gradient_flow(t, _TASK, **_SIZES, **given),
        gradient_flow(t, _TASK, samples=150, **given),
    )
    return curves(
        context,
        t,
        "time",
        "solvers.linear.gradient_flow",
        {"test_loss": solved.test_loss, "train_loss": solved.train_loss},
        "N = infinity",
        {"test_loss": rival.test_loss, "train_loss": rival.train_loss},
        lambda draws, rng: simulate.gradient_flow(
            t, _TASK, **_SIZES, **given, draws=draws, rng=rng
        ),
        40,
    )


@check(
    "linear.momentum",
    statement="test and train loss along gradient descent with momentum, step by step",
    no_law="the solver's curves at finite sizes, where no power law holds",
    effort="full",
)
def momentum(context: Context) -> Iterator[Comparison]:
    """Heavy ball with a large momentum: ten times faster than plain descent."""
    steps = np.array([200, 500, 1000, 2000])
    given: dict[str, Any] = {"learning_rate": 0.15, "noise_variance": 0.09}
    solved = gradient_descent(steps, _TASK, **_SIZES, **given, momentum=0.8)
    rival = gradient_descent(steps, _TASK, **_SIZES, **given)
    return curves(
        context,
        steps.astype(float),
        "steps",
        "solvers.linear.gradient_descent",
        {"test_loss": solved.test_loss, "train_loss": solved.train_loss},
        "no momentum",
        {"test_loss": rival.test_loss, "train_loss": rival.train_loss},
        lambda draws, rng: simulate.gradient_descent(
            steps, _TASK, **_SIZES, **given, momentum=0.8, draws=draws, rng=rng
        ),
        25,
    )


@check(
    "linear.sgd",
    statement="test loss along one-pass SGD with small batches, gradient noise included",
    no_law="the solver's curves at finite sizes, where no power law holds",
)
def sgd(context: Context) -> Iterator[Comparison]:
    """A large learning rate and a batch of two, so that the noise of the gradients counts."""
    steps = np.array([3, 10, 30, 100, 300])
    given: dict[str, Any] = {"features": 60, "learning_rate": 0.25, "noise_variance": 0.09}
    solved = online_sgd(steps, _TASK, **given, batch=2)
    rival = online_sgd(steps, _TASK, **given, batch=np.inf)
    return curves(
        context,
        steps.astype(float),
        "steps",
        "solvers.linear.online_sgd",
        {"test_loss": solved.test_loss},
        "gradients without noise",
        {"test_loss": rival.test_loss},
        lambda draws, rng: simulate.online_sgd(
            steps, _TASK, **given, batch=2, draws=draws, rng=rng
        ),
        60,
    )


@check(
    "linear.transients",
    statement="late in training the losses of the solver are the derived powers, constants included",
    laws=("linear.time", "linear.transient", "linear.sgd_noise"),
    evidence="exact",
)
def transients(context: Context) -> Iterator[Comparison]:
    """Time, the transient of finite models, and the noise of SGD, at times that no simulation reaches."""
    t = np.geomspace(1e8, 1e12, 5)
    law, task = theory.law("linear.time"), PowerLawSpectrum(1.5, 0.5)
    values = {"alpha": task.alpha, "beta": task.beta}
    leading = np.asarray(law.asymptote(t, **values))
    yield _leading(
        context,
        "time",
        law.name,
        t,
        leading,
        gradient_flow(t, task).test_loss,
        "weights 2 left out",
        2**task.beta * leading,
    )

    law, task = theory.law("linear.transient"), PowerLawSpectrum.from_ab(4.5, 1.6)
    t, features = np.geomspace(1e5, 1e7, 5), 1e12
    excess = features * (
        np.asarray(gradient_flow(t, task, features=features).test_loss)
        - np.asarray(gradient_flow(t, task).test_loss)
    )
    leading = np.asarray(law.asymptote(t, alpha=task.alpha, beta=task.beta))
    slower = leading * (t / t[0]) ** (1 - 1 / task.alpha - (task.beta - 1 / task.alpha))
    yield _leading(
        context, "finite-model", law.name, t, leading, excess, "exponent beta - 1/alpha", slower
    )

    law = theory.law("linear.sgd_noise")
    exponent = float(law(alpha=task.alpha))
    yield Comparison(
        f"{context.check}/sgd-noise",
        Prediction(
            "exponent of the test loss",
            "exponent",
            exponent,
            f"{law.name}: t^-({law.expr})",
            domain={"steps": (1e11, np.inf)},
        ),
        local_exponent(
            lambda steps: online_sgd(steps, task, batch=4, learning_rate=0.1).test_loss, 1e13
        ),
        tolerance=SOLVER_TOLERANCE,
        rival=Rival("exponent beta of the noiseless flow", task.beta),
        evidence="exact",
    )


@check(
    "linear.transient.hard",
    statement="on a hard task what few features add falls as t^-(beta - 1/alpha), not as the published t^-(1 - 1/alpha)",
    laws=("linear.transient",),
    refutes=("linear.transient",),
    evidence="exact",
)
def transient_hard(context: Context) -> Iterator[Comparison]:
    """The solver's loss at many features above that of unlimited ones, long before it saturates."""
    law, features = theory.law("linear.transient"), 1e8
    assert law.published is not None
    point = law.published.point
    task = PowerLawSpectrum(*(float(point[name]) for name in ("alpha", "beta")))

    def added(t: Any) -> Any:
        limited = np.asarray(gradient_flow(t, task, features=features).test_loss)
        return features * (limited - np.asarray(gradient_flow(t, task).test_loss))

    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "exponent of N (L(t, N) - L(t, inf))",
            "exponent",
            float(law(**point)),
            f"{law.name}: t^-({law.expr})",
            domain={"t": (1e6, np.inf)},
        ),
        local_exponent(added, 1e7),
        tolerance=SOLVER_TOLERANCE,
        rival=Rival(f"published {law.published.expr}", float(law.published_value(**point))),
        evidence="exact",
    )


def _leading(
    context: Context,
    name: str,
    source: str,
    x: Array,
    leading: Array,
    solved: Any,
    rival: str,
    wrong: Array,
) -> Comparison:
    """Compare the solver's curve with a law's leading term; what the next term is still worth is the error."""
    values = np.asarray(solved)
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            f"{name} against its leading term",
            "curve",
            leading,
            source,
            x=x,
            domain={"t": (float(x[0]), np.inf)},
        ),
        Measurement(
            values,
            1e-8 * np.abs(values),
            None,
            1,
            "solver",
            (float(x[0]), float(x[-1])),
            deterministic=True,
        ),
        tolerance=_LEADING_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival(rival, wrong),
        evidence="exact",
    )
