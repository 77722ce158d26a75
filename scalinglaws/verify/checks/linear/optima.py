"""Optima of the linear model: the best ridge, the best split of compute, and the phases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from .... import theory
from ....notation import SourceCapacity
from ....solvers.linear import compute_frontier, ridge
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import exponent_from_replicates, local_exponent, measure
from ...registry import Context, check
from ...simulate.linear import random_feature_ridge
from .tolerances import EXPONENT_TOLERANCE, REPLICATES, SOLVER_TOLERANCE, Array


@check(
    "linear.optimal-ridge",
    statement="with noise the loss at the best ridge falls as (noise variance/P)^(m/(m + 1)), m the data exponent",
    laws=("linear.optimal_ridge",),
)
def optimal_ridge(context: Context) -> Iterator[Comparison]:
    """Direct simulation of fits with sixteen ridges each; in a full run, far out, the solver's loss, minimized over the ridge."""
    law = theory.law("linear.optimal_ridge")
    yield from _simulated_ridges(context)
    if context.effort == "quick":
        return
    tasks = {
        "source-limited": SourceCapacity(Fraction(3, 2), Fraction(2, 3)),
        "saturated": SourceCapacity(Fraction(3, 2), 4),
    }
    for name, task in tasks.items():
        spectrum = PowerLawSpectrum(task.alpha, task.beta)

        def best(samples: Any, spectrum: PowerLawSpectrum = spectrum) -> Array:
            def lowest(n: float) -> float:
                trial = np.logspace(-15, 0, 61)
                middle = int(
                    np.argmin(ridge(spectrum, samples=n, ridge=trial, noise_variance=1.0).test_loss)
                )
                found = minimize_scalar(
                    lambda x: float(
                        ridge(spectrum, samples=n, ridge=10**x, noise_variance=1.0).test_loss
                    ),
                    bounds=tuple(np.log10(trial[[max(middle - 1, 0), min(middle + 1, 60)]])),
                    method="bounded",
                    options={"xatol": 1e-7},
                )
                return float(found.fun)

            return np.array([lowest(float(n)) for n in np.atleast_1d(samples)])

        noiseless = float(theory.law("linear.data")(alpha=task.alpha, beta=task.beta))
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the best loss",
                "exponent",
                float(law(alpha=task.alpha, beta=task.beta)),
                f"{law.name}: {law.expr}",
            ),
            local_exponent(best, 1e11),
            tolerance=SOLVER_TOLERANCE * 2,
            rival=Rival("exponent without noise", noiseless),
            evidence="exact",
        )


_RIDGES = np.geomspace(2e-3, 1.0, 16)


def _simulated_ridges(context: Context) -> Iterator[Comparison]:
    """Both regimes of the bias (the first one in a quick run), noise variance 1: which ridge is best, the draws decide."""
    laws = theory.law("linear.optimal_ridge"), theory.law("linear.data")
    tasks = {
        "few-samples": PowerLawSpectrum(2, 1, 96),
        "few-samples-saturated": PowerLawSpectrum(2, 3, 64),
    }
    sizes = (16, 32, 64, 128)
    for name, task in list(tasks.items())[: context.pick(quick=1, full=2)]:
        values: dict[str, Any] = {"alpha": task.alpha, "beta": task.beta}
        exponent, noiseless = (float(law(**values)) for law in laws)

        def losses(r: int, name: str = name, task: PowerLawSpectrum = task) -> Array:
            rng = context.generator(name, r)
            return np.array(
                [
                    random_feature_ridge(
                        task,
                        samples=size,
                        ridge=_RIDGES,
                        noise_variance=1.0,
                        noise_draws=16,
                        draws=context.pick(quick=draws, full=10 * draws),
                        rng=rng,
                    ).test_loss.mean(axis=0)
                    for size, draws in zip(sizes, (80, 30, 30, 50), strict=True)
                ]
            )

        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the best loss",
                "exponent",
                exponent,
                f"{laws[0].name}: {laws[0].expr}",
                domain={"samples": (float(sizes[0]), np.inf)},
            ),
            measure(
                losses,
                lambda rows: exponent_from_replicates(
                    sizes,
                    at_best(rows),
                    method=f"ridge regressions on few samples, {task.size:g} modes, the best ridge interpolated",  # noqa: B023
                ),
                replicates=REPLICATES,
                tolerance=EXPONENT_TOLERANCE * exponent,
            ),
            tolerance=EXPONENT_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("exponent without noise", noiseless),
        )


def at_best(losses: Array) -> Array:
    """Interpolate losses, shape (replicates, sizes, ridges), at the ridge that is best for their mean: a parabola in logarithms.

    Ridges, or times, form a geometric series. One ridge for all replicates: the least of a replicate's own losses would be too
    small on average.
    """
    found = np.empty(losses.shape[:2])
    for size in range(losses.shape[1]):
        mean = np.log(losses[:, size].mean(axis=0))
        middle = int(np.clip(np.argmin(mean), 1, mean.size - 2))
        below, here, above = mean[middle - 1 : middle + 2]
        x = 0.5 * (below - above) / (below - 2 * here + above)
        weights = np.array([x * (x - 1) / 2, 1 - x * x, x * (x + 1) / 2])
        found[:, size] = np.exp(np.log(losses[:, size, middle - 1 : middle + 2]) @ weights)
    return found


@check(
    "linear.compute.allocation",
    statement="the compute optimum found by vertices is the numerical minimum over model size",
    laws=("linear.compute",),
    evidence="exact",
    effort="full",
)
def allocation(context: Context) -> Iterator[Comparison]:
    """One task per phase: the sum of bottlenecks, minimized numerically over N at two budgets."""
    law = theory.law("linear.compute")
    for alpha, beta in (
        (1.4, 0.5),
        (1.4, 1.15),
        (1.4, 2.2),
        (0.8, 0.4),
        (0.8, 1.8),
        (0.54, 2.2),
        (0.4, 2.5),
    ):
        exponent = float(law(alpha=alpha, beta=beta))

        def loss(budget: Any, alpha: float = alpha, beta: float = beta) -> Array:
            return np.array(
                [_lowest(alpha, beta, float(decade)) for decade in np.atleast_1d(budget)]
            )

        decades = np.array([1000.0, 1100.0, 1200.0])  # so far that no other term is left
        slopes = -np.diff(loss(decades)) / np.diff(decades) / np.log(10)
        yield Comparison(
            f"{context.check}/{law.regime(alpha=alpha, beta=beta)}",
            Prediction(
                "exponent of the best loss",
                "exponent",
                exponent,
                f"{law.name}, phase {law.regime(alpha=alpha, beta=beta)}",
            ),
            Measurement(
                float(slopes[-1]),
                abs(float(slopes[-1] - slopes[0])) + 1e-6,
                None,
                1,
                "sum of bottlenecks, minimized over N in logarithms",
                (1000.0, 1200.0),
                deterministic=True,
            ),
            tolerance=SOLVER_TOLERANCE,
            rival=Rival("time = model below capacity one", alpha * beta / 2)
            if abs(exponent - alpha * beta / 2) > 0.01
            else Rival("time = model above capacity one", alpha * beta / (alpha + 1)),
            evidence="exact",
        )


def _lowest(alpha: float, beta: float, decade: float) -> float:
    """Minimize the logarithm of the sum of bottlenecks over the model size, at a budget of 10**decade."""
    total = decade * np.log(10)

    def log_loss(log_n: float) -> float:
        log_t = total - (1 if alpha > 1 else 2 - alpha) * log_n
        parts = [-beta * log_t, -alpha * beta * log_n, -alpha * log_n]
        if alpha > 1:
            parts += [-log_n - (min(1.0, beta) - 1 / alpha) * log_t, -(2 - 1 / alpha) * log_t]
        elif alpha > 0.5:
            parts.append((alpha - 1) * log_n - (2 - 1 / alpha) * log_t)
        return float(np.logaddexp.reduce(parts))

    edges = np.linspace(0, total, 60)
    return min(
        float(minimize_scalar(log_loss, bounds=pair, method="bounded", options={"xatol": 1e-9}).fun)
        for pair in pairwise(edges)
    )


_Exponents = Callable[[float, float], tuple[float, float]]


def _time_model(alpha: float, beta: float) -> tuple[float, float]:
    """Return the exponents of phase Ia: of the loss, and of the best size."""
    return alpha * beta / (alpha + 1), 1 / (alpha + 1)


def _time_transient(alpha: float, beta: float) -> tuple[float, float]:
    """Return the exponents of phase II."""
    return alpha * beta / (alpha * beta + 1), 1 - alpha / (alpha * beta + 1)


def _noise_model(alpha: float, beta: float) -> tuple[float, float]:
    """Return the exponents of phase IVa."""
    return alpha / 2, 0.5


# one task per phase: (a, b), and a neighboring phase with its exponents, which the same numbers must reject
_TASKS: dict[str, tuple[tuple[float, float], str, _Exponents]] = {
    "Ia": ((1.7, 1.4), "II", _time_transient),
    "II": ((2.6, 1.4), "Ia", _time_model),
    "III": ((4.0, 1.4), "II", _time_transient),
    "Ib": ((1.3, 0.8), "Ia", _time_model),
    "Ic": ((2.0, 0.4), "IVa", _noise_model),
    "IVa": ((2.4, 0.8), "Ia", _time_model),
    "IVb": ((2.2, 0.54), "IVa", _noise_model),
}
_SLOW_CORNER = 5e-3  # absolute: phase IVb lies next to the point where four phases meet, and approaches its exponents slowly


@check(
    "linear.compute.phases",
    statement="the best loss and model size of SGD at a budget have the exponents of their phase",
    laws=("linear.compute", "linear.compute_model", "linear.phase_boundaries"),
    evidence="exact",
    effort="full",
)
def phases(context: Context) -> Iterator[Comparison]:
    """The solver's loss, minimized over the model size: three phases in a quick run, all seven in a full one, and a boundary."""
    laws = theory.law("linear.compute"), theory.law("linear.compute_model")
    for phase in list(_TASKS)[: context.pick(quick=3, full=7)]:
        (a, b), neighbor, exponents_there = _TASKS[phase]
        task = SourceCapacity.from_ab(a, b)
        alpha, beta = float(task.alpha), float(task.beta)
        if laws[0].regime(alpha=alpha, beta=beta) != phase:
            raise AssertionError(
                f"(a, b) = ({a}, {b}) lies in phase {laws[0].regime(alpha=alpha, beta=beta)}, not {phase}"
            )
        budget = 1e60 if phase == "IVb" else 1e24
        grown: dict[str, Any] = (
            {} if alpha > 1 else {"modes_per_feature": 4.0, "relative_rate": 0.5}
        )
        budgets = budget * np.array([1.0, 1e2, 1e4])
        found = compute_frontier(
            budgets, PowerLawSpectrum(alpha, beta, np.inf if alpha > 1 else 100), **grown
        )
        measured = (1 / np.asarray(found.loss), np.asarray(found.features))
        names = ("loss", "size")
        for name, law, optimum, rival in zip(
            names, laws, measured, exponents_there(alpha, beta), strict=True
        ):
            yield Comparison(
                f"{context.check}/{phase}-{name}",
                Prediction(
                    f"exponent of the best {name}",
                    "exponent",
                    float(law(alpha=alpha, beta=beta)),
                    f"{law.name}, phase {phase}",
                    domain={"compute": (budget, np.inf)},
                ),
                _slope(np.diff(np.log(optimum)) / np.log(100), budget),
                tolerance=_SLOW_CORNER if phase == "IVb" else SOLVER_TOLERANCE,
                rival=Rival(f"phase {neighbor}", rival),
                evidence="exact",
            )
    yield _boundary(context)


def _boundary(context: Context) -> Comparison:
    """Between phases Ia and II the power of the budget carries a power of its logarithm."""
    law, alpha, budget = theory.law("linear.phase_boundaries"), 1.4, 1e76
    power = float(law(alpha=alpha, beta=1))
    log_power = float(law.log_power(alpha=alpha, beta=1))
    losses = np.asarray(
        compute_frontier(budget * np.array([1.0, 1e2, 1e4]), PowerLawSpectrum(alpha, 1.0)).loss
    )
    return Comparison(
        f"{context.check}/between-Ia-and-II",
        Prediction(
            "local exponent of the best loss",
            "exponent",
            power - log_power / float(np.log(1e3 * budget)),
            f"{law.name}: C^-{power:.4g} (log C)^{log_power:.4g}",
            domain={"compute": (budget, np.inf)},
        ),
        _slope(-np.diff(np.log(losses)) / np.log(100), budget),
        tolerance=SOLVER_TOLERANCE,
        rival=Rival("no logarithm", power),
        evidence="exact",
    )


def _slope(slopes: Any, budget: float) -> Measurement:
    """Measure an exponent by the later of two slopes; its change from the earlier one is the error."""
    early, late = np.asarray(slopes)
    return Measurement(
        float(late),
        abs(float(late - early)) + 1e-5,
        None,
        1,
        "slopes of the solver's frontier over two decades each",
        (budget, 1e4 * budget),
        deterministic=True,
    )
