"""What forms of losses imply, read off noisy runs that follow them: sizes and losses at the best use of compute, and slopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from .... import theory
from ...comparison import Comparison, Prediction, Rival
from ...estimate import power_law_exponent
from ...registry import Context, check
from .._measured import mean_over
from .plans import BESIROGLU, KAPLAN, POWER

Array = NDArray[np.float64]

BUDGETS = np.geomspace(1e19, 1e23, 9)
_NOISE = 3e-3  # of ln L: what seeds of one size differ by
_SPAN, _ACROSS = 2.0, 25  # of ln N on either side of the best, and sizes in it
_SIZE_TOLERANCE = 0.03  # absolute: a fifth of what early studies were off by
_LOSS_TOLERANCE = 0.05  # relative: a fourteenth and less of what the rival is off by
_SLOPE_TOLERANCE = 0.03  # absolute: an eighth of what an offset takes away
_WINDOW, _POINTS = 3.0, 25  # of x, from end to end around where a slope is asked for


@dataclass(frozen=True)
class _Surface:
    """A loss of size and data, what it is above, its numbers, and what another study says of the best size."""

    loss: Callable[[Any, Any], Any]
    offset: float
    parameters: dict[str, float]
    guess: tuple[float, float]  # ln N of the best size at the first budget, roughly, and its growth
    single: float  # exponent of the size alone


def _surfaces() -> dict[str, _Surface]:
    p, q, k = BESIROGLU, POWER, KAPLAN
    return {
        "chinchilla": _Surface(
            lambda N, D: p["E"] + p["A"] * N ** -p["a"] + p["B"] * D ** -p["b"],
            p["E"],
            p,
            (19.0, 0.5),
            p["a"],
        ),
        "surface_power": _Surface(
            lambda N, D: q["E"] + (q["A"] * N ** -q["a"] + q["B"] * D ** -q["b"]) ** q["c"],
            q["E"],
            q,
            (19.0, 0.5),
            q["a"] * q["c"],
        ),
        "kaplan": _Surface(
            lambda N, D: ((k["N_c"] / N) ** (k["a_N"] / k["a_D"]) + k["D_c"] / D) ** k["a_D"],
            0.0,
            k,
            (19.0, 0.6),
            k["a_N"],
        ),
    }


@check(
    "empirical.isoflops",
    statement="read off noisy runs on several budgets, best sizes and their losses are powers of compute with the laws' exponents",
    laws=("empirical.chinchilla", "empirical.surface_power", "empirical.kaplan"),
    evidence="exact",
)
def isoflops(context: Context) -> Iterator[Comparison]:
    """Least losses of 25 sizes on each of nine budgets; the runs follow the surface, and know nothing of its optimum."""
    replicates = context.pick(quick=16, full=100)
    for name, surface in _surfaces().items():
        law = theory.law(f"empirical.{name}")
        found = np.array(
            [_best(surface, context.generator(name, replicate)) for replicate in range(replicates)]
        )
        ends, best = BUDGETS[[0, -1]], _named(law.forms["N"].expr, surface.parameters)
        sizes = np.array([float(law.evaluate("N", C=float(C), **best)) for C in ends])
        method = (
            f"least losses of {_ACROSS} sizes on {BUDGETS.size} budgets, ln L with noise {_NOISE:g}"
        )
        yield Comparison(
            f"{context.check}/{name.replace('_', '-')}-size",
            Prediction(
                "exponent of the best size with compute",
                "exponent",
                -float(power_law_exponent(ends, sizes)),
                f"{law.name}, form N",
            ),
            mean_over(found[:, 0], method, float(ends[-1])),
            tolerance=_SIZE_TOLERANCE,
            rival=Rival("0.73, of models counted without embeddings", 0.73),
            evidence="exact",
        )
        yield Comparison(
            f"{context.check}/{name.replace('_', '-')}-loss",
            Prediction(
                "exponent of the least loss above its floor with compute",
                "exponent",
                float(law(**_named(law.expr, surface.parameters))),
                f"{law.name}: {law.expr}",
            ),
            mean_over(found[:, 1], method, float(ends[-1])),
            tolerance=_LOSS_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("that of the size alone", surface.single),
            evidence="exact",
        )


def _named(expr: sp.Expr, values: Mapping[str, float]) -> dict[str, Any]:
    """Return those values that an expression contains."""
    names = {symbol.name for symbol in expr.free_symbols}
    return {key: value for key, value in values.items() if key in names}


def _best(surface: _Surface, rng: np.random.Generator) -> tuple[float, float]:
    """Return exponents of best size and least loss, by parabolas through noisy runs of each budget."""
    sizes, losses = [], []
    center, growth = surface.guess
    for budget in BUDGETS:
        middle = center + growth * np.log(budget / BUDGETS[0])
        for _ in range(2):  # around what was found first
            u = middle + np.linspace(-_SPAN, _SPAN, _ACROSS)
            exact = surface.loss(np.exp(u), budget / (6 * np.exp(u)))
            noisy = np.log(exact) + _NOISE * rng.standard_normal(_ACROSS)
            curve = np.polynomial.Polynomial.fit(u, noisy, 4)
            fine = np.linspace(u[0], u[-1], 801)
            values = curve(fine)
            middle = float(fine[int(np.argmin(values))])
        sizes.append(middle)
        losses.append(float(np.exp(values.min())) - surface.offset)
    slope = np.polyfit(np.log(BUDGETS), sizes, 1)[0]
    return float(slope), float(power_law_exponent(BUDGETS, losses))


@dataclass(frozen=True)
class _Curve:
    """A loss of one scale, its numbers, and where its slope is asked for."""

    loss: Callable[[Array], Array]
    parameters: dict[str, float]
    at: float


def _curves() -> dict[str, _Curve]:
    return {
        "hestness": _Curve(lambda x: 0.5 + 3 * x**-0.4, {"E": 0.5, "c": 3.0, "gamma": 0.4}, 100.0),
        "power": _Curve(
            lambda x: 3 * x**-0.4 * (1 + 4 * x**-0.5),
            {"c": 3.0, "gamma": 0.4, "u": 4.0, "omega": 0.5},
            30.0,
        ),
        "three_region": _Curve(
            lambda x: 0.1 + 0.9 * (1 + (x / 30) ** 2) ** -0.25,
            {"E": 0.1, "L_0": 1.0, "x_0": 30.0, "gamma": 0.5, "s": 2.0},
            40.0,
        ),
        "bnsl": _Curve(
            lambda x: 0.05 + 2 * x**-0.2 * (1 + (x / 50) ** 2) ** -0.2,
            {"a": 0.05, "b": 2.0, "c_0": 0.2, "c_1": 0.4, "d_1": 50.0, "f_1": 0.5},
            50.0,
        ),
    }


@check(
    "empirical.apparent",
    statement="a line through noisy losses in double logarithmic axes has the slope that the form implies there, not its exponent",
    laws=("empirical.hestness", "empirical.power", "empirical.three_region", "empirical.bnsl"),
    evidence="exact",
)
def apparent(context: Context) -> Iterator[Comparison]:
    """Runs over half a decade, which follow each form; what is tested is its slope there, not that losses follow it."""
    replicates = context.pick(quick=32, full=200)
    for name, curve in _curves().items():
        law, form = theory.law(f"empirical.{name}"), "apparent_exponent"
        x = curve.at * np.geomspace(_WINDOW**-0.5, _WINDOW**0.5, _POINTS)
        rng = context.generator(name, 0)
        losses = curve.loss(x) * np.exp(0.01 * rng.standard_normal((replicates, _POINTS)))
        yield Comparison(
            f"{context.check}/{name.replace('_', '-')}",
            Prediction(
                f"slope of the loss around x = {curve.at:g}, sign reversed",
                "exponent",
                float(
                    law.evaluate(form, x=curve.at, **_named(law.forms[form].expr, curve.parameters))
                ),
                f"{law.name}, form apparent_exponent",
            ),
            mean_over(
                np.asarray(power_law_exponent(x, losses)),
                f"lines through {_POINTS} losses with noise of 1 %",
                float(x[-1]),
            ),
            tolerance=_SLOPE_TOLERANCE,
            rival=Rival("the form's exponent", float(law(**_named(law.expr, curve.parameters)))),
            evidence="exact",
        )
