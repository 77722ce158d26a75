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
from ...estimate import local_exponent
from ...registry import Context, check
from .common import SOLVER_TOLERANCE, Array


@check(
    "linear.optimal-ridge",
    statement="with noise the loss at the best ridge falls as (noise variance/P)^(m/(m + 1)), m the data exponent",
)
def optimal_ridge(context: Context) -> Iterator[Comparison]:
    """Both regimes of the bias, by minimizing the solver's loss over the ridge."""
    law = theory.law("linear.optimal_ridge")
    tasks = {"source-limited": SourceCapacity(Fraction(3, 2), Fraction(2, 3)), "saturated": SourceCapacity(Fraction(3, 2), 4)}
    for name, task in tasks.items():
        spectrum = PowerLawSpectrum(task.alpha, task.beta)

        def best(samples: Any, spectrum: PowerLawSpectrum = spectrum) -> Array:
            def lowest(n: float) -> float:
                trial = np.logspace(-15, 0, 61)
                middle = int(np.argmin(ridge(spectrum, samples=n, ridge=trial, noise_variance=1.0).test_loss))
                found = minimize_scalar(
                    lambda x: float(ridge(spectrum, samples=n, ridge=10**x, noise_variance=1.0).test_loss),
                    bounds=tuple(np.log10(trial[[max(middle - 1, 0), min(middle + 1, 60)]])),
                    method="bounded",
                    options={"xatol": 1e-7},
                )
                return float(found.fun)

            return np.array([lowest(float(n)) for n in np.atleast_1d(samples)])

        noiseless = float(theory.law("linear.data")(alpha=task.alpha, beta=task.beta))
        yield Comparison(
            f"{context.check}/{name}",
            Prediction("exponent of the best loss", "exponent", float(law(alpha=task.alpha, beta=task.beta)), f"{law.name}: {law.expr}"),
            local_exponent(best, 1e11),
            tolerance=SOLVER_TOLERANCE * 2,
            rival=Rival("exponent without noise", noiseless),
            evidence="exact",
        )


@check("linear.compute.allocation", statement="the compute optimum found by vertices is the numerical minimum over model size")
def allocation(context: Context) -> Iterator[Comparison]:
    """One task per phase: the sum of bottlenecks, minimized numerically over N at two budgets."""
    law = theory.law("linear.compute")
    for alpha, beta in ((1.4, 0.5), (1.4, 1.15), (1.4, 2.2), (0.8, 0.4), (0.8, 1.8), (0.54, 2.2), (0.4, 2.5)):
        exponent = float(law(alpha=alpha, beta=beta))

        def loss(budget: Any, alpha: float = alpha, beta: float = beta) -> Array:
            return np.array([_lowest(alpha, beta, float(decade)) for decade in np.atleast_1d(budget)])

        decades = np.array([1000.0, 1100.0, 1200.0])  # so far that no other term is left
        slopes = -np.diff(loss(decades)) / np.diff(decades) / np.log(10)
        yield Comparison(
            f"{context.check}/{law.regime(alpha=alpha, beta=beta)}",
            Prediction("exponent of the best loss", "exponent", exponent, f"{law.name}, phase {law.regime(alpha=alpha, beta=beta)}"),
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
    return min(float(minimize_scalar(log_loss, bounds=pair, method="bounded", options={"xatol": 1e-9}).fun) for pair in pairwise(edges))


# one task per phase: (a, b), the neighboring phase and its exponent at the same task
_TASKS: dict[str, tuple[tuple[float, float], str, Callable[[float, float], float]]] = {
    "Ia": ((1.7, 1.4), "II", lambda alpha, beta: alpha * beta / (alpha * beta + 1)),
    "II": ((2.6, 1.4), "Ia", lambda alpha, beta: alpha * beta / (alpha + 1)),
    "III": ((4.0, 1.4), "II", lambda alpha, beta: alpha * beta / (alpha * beta + 1)),
    "Ib": ((1.3, 0.8), "Ia", lambda alpha, beta: alpha * beta / (alpha + 1)),
    "Ic": ((2.0, 0.4), "IVa", lambda alpha, beta: alpha / 2),
    "IVa": ((2.4, 0.8), "Ib", lambda alpha, beta: alpha * beta / 2),
    "IVb": ((2.2, 0.54), "IVa", lambda alpha, beta: alpha / 2),
}
_SLOW_CORNER = 5e-3  # absolute: phase IVb lies next to the point where four phases meet, and approaches its exponent slowly


@check("linear.compute.phases", statement="the best loss of SGD at a budget falls with the exponent of its phase")
def phases(context: Context) -> Iterator[Comparison]:
    """The solver's loss, minimized over the model size: three phases in a quick run, all seven in a full one."""
    law = theory.law("linear.compute")
    for phase in list(_TASKS)[: context.pick(quick=3, full=7)]:
        (a, b), neighbor, exponent_there = _TASKS[phase]
        task = SourceCapacity.from_ab(a, b)
        alpha, beta = float(task.alpha), float(task.beta)
        if law.regime(alpha=alpha, beta=beta) != phase:
            raise AssertionError(f"(a, b) = ({a}, {b}) lies in phase {law.regime(alpha=alpha, beta=beta)}, not {phase}")
        budget = 1e60 if phase == "IVb" else 1e24
        grown: dict[str, Any] = {} if alpha > 1 else {"modes_per_feature": 4.0, "relative_rate": 0.5}
        found = compute_frontier([budget, 100 * budget], PowerLawSpectrum(alpha, beta, np.inf if alpha > 1 else 100), **grown)
        early, late = np.asarray(found.loss_exponent)
        yield Comparison(
            f"{context.check}/{phase}",
            Prediction(
                "exponent of the best loss",
                "exponent",
                float(law(alpha=alpha, beta=beta)),
                f"{law.name}, phase {phase}",
                domain={"compute": (budget, np.inf)},
            ),
            Measurement(
                float(late),
                abs(float(late - early)) + 1e-5,
                None,
                1,
                "local slope of the solver's frontier, two budgets",
                (budget, 100 * budget),
                deterministic=True,
            ),
            tolerance=_SLOW_CORNER if phase == "IVb" else SOLVER_TOLERANCE,
            rival=Rival(f"phase {neighbor}", exponent_there(alpha, beta)),
            evidence="exact",
        )
