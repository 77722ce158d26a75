"""Plans against searches that know no formula, and what counting without embeddings does to the exponent of the best size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_simpson
from scipy.optimize import minimize_scalar

from .... import theory
from ... import empirical
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check

Array = NDArray[np.float64]
Loss = Callable[[Any, Any], Any]

BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
POWER = {"E": 1.7, "A": 4000.0, "B": 20000.0, "a": 0.45, "b": 0.46, "c": 0.75}
KAPLAN = {"a_N": 0.076, "a_D": 0.103, "N_c": 6.4e13, "D_c": 1.8e13}
BUDGETS = np.geomspace(1e20, 1e25, 6)
SERVED = 1e12
OMEGA = 47491.0
SIZES = (768.0, 1.5e9)
"""Parameters without embeddings of the smallest and the largest model that exponents of 0.7 and more were measured with."""

PLAN_TOLERANCE = 1e-4  # relative: a minimum hides where it is, to about the root of rounding
COUNT_TOLERANCE = 0.01  # absolute: a twentieth of what the rival is off by
_NOISE = 3e-4  # of ln L: seeds of one size differ by more, and a frontier of many runs by less
_SPAN = 1.5  # of ln n on either side of the best, from which it is read off
_ACROSS = 15  # sizes on each budget
_BUDGETS = 20


@check(
    "empirical.planning",
    statement="the best model sizes for computes are those that a search finds, for three laws and with inference",
    laws=("empirical.chinchilla", "empirical.surface_power", "empirical.kaplan"),
    evidence="exact",
)
def planning(context: Context) -> Iterator[Comparison]:
    """Plans of `empirical.plan` against SciPy's search of the loss at fixed spending."""
    p, q, k = BESIROGLU, POWER, KAPLAN

    def surface(N: Any, D: Any) -> Any:
        return p["E"] + p["A"] * N ** -p["a"] + p["B"] * D ** -p["b"]

    def power(N: Any, D: Any) -> Any:
        return q["E"] + (q["A"] * N ** -q["a"] + q["B"] * D ** -q["b"]) ** q["c"]

    def kaplan(N: Any, D: Any) -> Any:
        return ((k["N_c"] / N) ** (k["a_N"] / k["a_D"]) + k["D_c"] / D) ** k["a_D"]

    cases: dict[str, tuple[str, dict[str, float], Loss, float]] = {
        "surface": ("surface", p, surface, 0.0),
        "surface-power": ("surface_power", q, power, 0.0),
        "kaplan": ("kaplan", k, kaplan, 0.0),
        "served": ("surface", p, surface, SERVED),
    }
    for name, (law, parameters, loss, served) in cases.items():
        fit = empirical.from_parameters(law, parameters)
        found = empirical.plan(fit, compute=BUDGETS, inference_tokens=served)
        searched = np.array([searched_size(loss, budget, served) for budget in BUDGETS])
        rival = (
            Rival(
                "without the cost of inference",
                np.asarray(empirical.plan(fit, compute=BUDGETS).params),
            )
            if served
            else Rival("20 tokens for each parameter", np.sqrt(BUDGETS / 120))
        )
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "best model size",
                "curve",
                np.asarray(found.params),
                f"empirical.plan: {found.certificate}",
                x=BUDGETS,
                domain={"compute": (float(BUDGETS[0]), np.inf)},
            ),
            Measurement(
                searched,
                1e-6 * searched,
                None,
                1,
                "SciPy's bounded search of the loss along the budget",
                (float(BUDGETS[0]), float(BUDGETS[-1])),
                deterministic=True,
            ),
            tolerance=PLAN_TOLERANCE,
            tolerance_kind="relative",
            rival=rival,
            evidence="exact",
        )


def searched_size(loss: Loss, budget: float, served: float) -> float:
    """Find the size with the least loss at 6 N D + 2 N D_inf = budget: a grid, a bounded search, and a parabola through its end."""

    def lost(u: float) -> float:
        size = math.exp(u)
        data = (budget / size - 2 * served) / 6
        return float(loss(size, data)) if data > 1 else math.inf

    grid = np.linspace(10.0, 35.0, 251)
    at = int(np.argmin([lost(u) for u in grid]))
    found = minimize_scalar(
        lost, bounds=(grid[at - 1], grid[at + 1]), method="bounded", options={"xatol": 1e-9}
    )
    steps = float(found.x) + 0.02 * np.arange(-2, 3)
    # beyond rounding, a quartic through five points shows where the least one is
    polynomial = np.polynomial.Polynomial.fit(steps, [lost(u) for u in steps], 4)
    roots = polynomial.deriv().roots()
    real = roots[np.abs(roots.imag) < 1e-9].real
    return math.exp(float(real[np.argmin(np.abs(real - found.x))]))


@check(
    "empirical.counting",
    statement="models counted without embeddings seem to grow faster with compute than those counted with all parameters",
    laws=("empirical.kaplan_reconciliation",),
    evidence="exact",
)
def counting(context: Context) -> Iterator[Comparison]:
    """A line through the best sizes of noisy runs against one through the law's local exponents."""
    replicates = context.pick(quick=16, full=100)
    for name, parameters in (
        ("besiroglu", BESIROGLU),
        ("hoffmann", {"E": 1.6934, "A": 406.4, "B": 410.7, "a": 0.3392, "b": 0.2849}),
    ):
        log_computes, slope = predicted_line(parameters)
        generators = (context.generator(name, r) for r in range(replicates))
        slopes = simulated_slopes(parameters, log_computes, SIZES[0], generators)
        spread = float(np.std(slopes, ddof=1)) / math.sqrt(replicates)
        a, b = parameters["a"], parameters["b"]
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the best size without embeddings, line over the sizes of early studies",
                "exponent",
                slope,
                "empirical.kaplan_reconciliation, integrated over ln n",
            ),
            Measurement(
                float(np.mean(slopes)),
                spread,
                replicates - 1,
                replicates,
                f"least losses of {_ACROSS} sizes on each of {_BUDGETS} budgets, ln L with noise {_NOISE:g}",
                SIZES,
            ),
            tolerance=COUNT_TOLERANCE,
            rival=Rival("b/(a+b), as if all parameters were counted", b / (a + b)),
            evidence="exact",
        )


def local_exponent(sizes: Array, a: float, b: float) -> Array:
    """Return how fast the best size grows with compute, both without embeddings."""
    law = theory.law("empirical.kaplan_reconciliation")
    return np.asarray(law(n=sizes, a=a, b=b, omega=OMEGA), float)


def predicted_line(parameters: dict[str, float]) -> tuple[Array, float]:
    """Return ln C over that of the smallest size, and the slope of a line of ln n on it, by the local exponent alone."""
    low, high = np.log(SIZES).tolist()
    logs = np.linspace(low, high, 1 + 64 * (_BUDGETS - 1))
    growth = local_exponent(np.exp(logs), parameters["a"], parameters["b"])
    log_computes = cumulative_simpson(1 / growth, x=logs, initial=0.0)[::64]
    return log_computes, float(np.polyfit(log_computes, logs[::64], 1)[0])


def simulated_slopes(
    parameters: dict[str, float],
    log_computes: Array,
    smallest: float,
    generators: Iterator[np.random.Generator],
) -> list[float]:
    """Return slopes of lines through the best sizes of noisy runs, on budgets of which a search finds the least one."""

    def log_loss(u: Any, log_budget: Any) -> Any:
        n = np.exp(u)
        every, data = n + OMEGA * np.cbrt(n), np.exp(log_budget) / (6 * n)
        return np.log(
            parameters["E"]
            + parameters["A"] * every ** -parameters["a"]
            + parameters["B"] * data ** -parameters["b"]
        )

    budgets = _budget_of(log_loss, math.log(smallest)) + log_computes
    rows = []
    for log_budget in budgets:
        center = _least(lambda u, at=log_budget: log_loss(u, at))
        u = center + np.linspace(-_SPAN, _SPAN, _ACROSS)
        rows.append((u, log_loss(u, log_budget)))
    slopes = []
    for rng in generators:
        best = []
        for u, exact in rows:
            noisy = exact + _NOISE * rng.standard_normal(_ACROSS)
            curve = np.polynomial.Polynomial.fit(u, noisy, 4)
            best.append(_least(curve, float(u[0]), float(u[-1])))
        slopes.append(float(np.polyfit(budgets, best, 1)[0]))
    return slopes


def _least(function: Callable[..., Any], low: float = -5.0, high: float = 40.0) -> float:
    """Find where a function of one number is least: the best of a grid, then a bounded search."""
    grid = np.linspace(low, high, 201)
    at = min(max(int(np.argmin(function(grid))), 1), 199)
    found = minimize_scalar(
        function, bounds=(grid[at - 1], grid[at + 1]), method="bounded", options={"xatol": 1e-10}
    )
    return float(found.x)


def _budget_of(log_loss: Callable[..., Any], u: float) -> float:
    """Find the ln C whose best size is e^u, by bisection."""
    low, high = 0.0, 120.0
    for _ in range(60):
        middle = (low + high) / 2
        best = _least(lambda w, at=middle: log_loss(w, at))
        low, high = (middle, high) if best < u else (low, middle)
    return (low + high) / 2
