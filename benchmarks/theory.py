"""Derivations: time of every law in a fresh process, of every row of the calculus, and `allocate` against a numerical solver.

Run ``python benchmarks/theory.py``; a minute or two. Imports are timed apart; the target is 1 s for the
first call of every row.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

TARGET = 1.0  # seconds

# -- laws ---------------------------------------------------------------------------------------------------------------

_ONE_LAW = """
import json, sys, time
start = time.perf_counter()
from scalinglaws import theory
import scalinglaws.theory.formula
law = theory.law(sys.argv[1])
marks = [time.perf_counter()]
law.expr
marks.append(time.perf_counter())
steps = law.derivation
marks.append(time.perf_counter())
checks = steps.check()
marks.append(time.perf_counter())
print(json.dumps([marks[0] - start, *(later - sooner for sooner, later in zip(marks, marks[1:])), len(checks),
                  all(found.passed for found in checks)]))
"""


def laws() -> None:
    """Print, for every law in a process of its own, the time of import, exponent, derivation and check."""
    from scalinglaws import theory

    print("seconds, each law in a fresh process")
    print(f"{'law':<27}{'import':>8}{'expr':>8}{'derivation':>12}{'check':>8}{'steps':>7}")
    for name in theory.laws():
        answer = subprocess.run(
            [sys.executable, "-c", _ONE_LAW, name],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        imported, expr, derivation, check, steps, passed = json.loads(answer.stdout)
        verdict = "" if passed else "   REFUSED"
        print(
            f"{name:<27}{imported:8.2f}{expr:8.3f}{derivation:12.3f}{check:8.2f}{steps:7d}{verdict}"
        )


# -- the calculus -------------------------------------------------------------------------------------------------------


def rows() -> dict[str, Callable[[], Any]]:
    """List the derivations of the calculus: sums, optima, fixed points."""
    import sympy as sp

    from scalinglaws.theory.asymptotics import (
        EXP,
        ONE_MINUS_EXP,
        RATIONAL,
        TAIL,
        inverse_laplace_power,
        power_sum,
    )
    from scalinglaws.theory.balance import allocate, regimes_in_region
    from scalinglaws.theory.fixed_points import fixed_point

    a, b, alpha, beta, nu, d, t, K = sp.symbols("a b alpha beta nu d t K", positive=True)
    N, D, C, A, B, M, x, sizes, many, P, v, D0, chi = sp.symbols(
        "N D C A B M x N_1 N_2 P v D_0 chi", positive=True
    )
    point = sp.Rational(101, 100)
    time_, model = t ** (-(a - 1) / b), N ** (1 - a) + N**-b

    def embedding() -> Any:
        df1 = power_sum(0, RATIONAL(0, 1).compose(b)).terms[0]
        heads = power_sum(a - b, RATIONAL(0, 2).compose(b)).candidates
        head = next(term for term in heads if term.origin == "gamma")
        return inverse_laplace_power(df1.coefficient * head.coefficient / N, -1 / b, 2 * t)

    def phases(terms: sp.Expr, budget: Any, box: Any) -> Any:
        return regimes_in_region(allocate(terms, (N, t), budget), C, box)

    above, between, below = (
        {a: (point, 6), b: limits} for limits in ((point, 3), (0.51, 0.99), (0.1, 0.49))
    )
    noise, slow = t ** (-2 + 1 / b), (N ** (2 - b) * t, C)
    return {
        "flow, in (a, b)": lambda: power_sum(a, EXP.compose(-b)).leading((2 * t) ** (1 / b)),
        "flow, in (alpha, beta)": lambda: power_sum(alpha * beta + 1, EXP.compose(-alpha)).leading(
            (2 * t) ** (1 / alpha)
        ),
        "data bias": lambda: power_sum(a, RATIONAL(2, 2).compose(b)).leading(K),
        "model residual": lambda: power_sum(a, RATIONAL(1, 1).compose(b)).leading(K),
        "degrees of freedom": lambda: power_sum(0, RATIONAL(0, 1).compose(b)).leading(K),
        "SGD kernel": lambda: power_sum(2 * b, EXP.compose(-b)).leading((2 * t) ** (1 / b)),
        "feature embedding": embedding,
        "1/d law": lambda: power_sum(1 + nu / d, RATIONAL(2, 2).compose(1 + nu / d)).exponent(),
        "nearest neighbor": lambda: power_sum(0, EXP.compose(d), mode="integral").leading(
            P ** (-1 / d)
        ),
        "quanta, model": lambda: power_sum(1 + alpha, TAIL).leading(N),
        "quanta, data": lambda: power_sum(1 + alpha, EXP.compose(-(1 + alpha))).leading(
            D ** (1 / (1 + alpha))
        ),
        "distinct items": lambda: power_sum(0, ONE_MINUS_EXP.compose(-(1 + alpha))).leading(
            D ** (1 / (1 + alpha))
        ),
        "time and model, N t = C": lambda: [
            one.exponent(C) for one in allocate(t**-beta + N ** (-alpha * beta), (N, t), (N * t, C))
        ],
        "A N^-a + B D^-b, 6 N D = C": lambda: [
            (one.value, one.exact_constant, one.exact_alloc)
            for one in allocate(A * N**-a + B * D**-b, (N, D), (6 * N * D, C))
        ],
        "N x + (d/x)^3": lambda: [
            (one.value, one.exact_constant) for one in allocate(N * x + (d / x) ** 3, x)
        ],
        "d M + N_1 x/M + N_2/x": lambda: [
            (one.value, one.exact_alloc)
            for one in allocate(d * M + sizes * x / M + many / x, (M, x))
        ],
        "N^-alpha + D^-beta, D <= D_0": lambda: [
            (one.value, one.allocation)
            for one in allocate(N**-alpha + D**-beta, (N, D), (N * D, C), [(D, D0)])
        ],
        "best ridge, with regimes": lambda: regimes_in_region(
            allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K), P, {a: (point, 8), b: (1, 3)}
        ),
        "phases, b > 1": lambda: phases(
            time_ + model + t ** (-1 + 1 / b) / N + noise, (N * t, C), above
        ),
        "phases, 1/2 < b < 1": lambda: phases(time_ + model + N ** (b - 1) * noise, slow, between),
        "phases, b < 1/2": lambda: phases(time_ + model, slow, below),
        "chi = beta (2 - chi)": lambda: fixed_point(beta * (2 - chi), chi).as_piecewise(),
        "chi = beta max(1, 2 - chi)": lambda: fixed_point(
            beta * sp.Max(1, 2 - chi), chi
        ).as_piecewise(),
        "its exponent in the optimum": lambda: [
            one.exponent(C)
            for one in allocate(
                t ** (-2 * beta / (1 + beta)) + N ** (-alpha * beta), (N, t), (N * t, C)
            )
        ],
    }


def one_row(label: str) -> None:
    """Time one derivation; the first and the second call."""
    call = rows()[label]
    marks = [time.perf_counter()]
    for _ in range(2):
        call()
        marks.append(time.perf_counter())
    print(json.dumps([later - sooner for sooner, later in pairwise(marks)]))


def calculus() -> None:
    """Print the time of every row of the calculus, first call in a fresh process."""
    print(
        f"\nseconds, each derivation in a fresh process; the target of the first call is {TARGET:g}"
    )
    print(f"{'derivation':<32}{'first':>8}{'again':>9}")
    slowest = 0.0
    for label in rows():
        command = [sys.executable, __file__, "--row", label]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        first, again = json.loads(answer.stdout)
        slowest = max(slowest, first)
        print(f"{label:<32}{first:8.3f}{again:9.4f}{'   ABOVE TARGET' if first > TARGET else ''}")
    print(f"slowest: {slowest:.2f}")


# -- against a numerical linear programme -------------------------------------------------------------------------------


def against_linprog(points: int = 300) -> None:
    """Compare the exponents of the five-term optimum with SciPy's linear programmes at random parameters."""
    import numpy as np
    import sympy as sp
    from scipy.optimize import linprog

    from scalinglaws.theory.balance import allocate, regimes_in_region

    a, b, N, t, C = sp.symbols("a b N t C", positive=True)
    terms = [t ** (-(a - 1) / b), N ** (1 - a), N**-b, t ** (-1 + 1 / b) / N, t ** (-2 + 1 / b)]
    start = time.perf_counter()
    vertices = allocate(terms, (N, t), budget=(N * t, C))
    listed = time.perf_counter() - start
    start = time.perf_counter()
    box = {a: (sp.Rational(101, 100), 6), b: (sp.Rational(101, 100), 3)}
    regions = regimes_in_region(vertices, C, box)
    mapped = time.perf_counter() - start
    start = time.perf_counter()
    evaluate = sp.lambdify((a, b), regions.as_piecewise(), "numpy")
    compiled = time.perf_counter() - start

    source = np.random.default_rng(0)
    at_a, at_b = source.uniform(1.01, 6, points), source.uniform(1.01, 3, points)

    def numerical(x: float, y: float) -> float:
        """Minimize h over the exponents (n, m) of N and t: every term's power <= h, and n + m = 1."""
        rows_ = [
            [0, -(x - 1) / y, -1],
            [1 - x, 0, -1],
            [-y, 0, -1],
            [-1, -1 + 1 / y, -1],
            [0, -2 + 1 / y, -1],
        ]
        found = linprog(
            [0, 0, 1],
            A_ub=rows_,
            b_ub=np.zeros(5),
            A_eq=[[1, 1, 0]],
            b_eq=[1],
            bounds=[(None, None)] * 3,
        )
        return float(found.fun)

    start = time.perf_counter()
    theirs = np.array([numerical(x, y) for x, y in zip(at_a, at_b, strict=True)])
    slow = (time.perf_counter() - start) / points
    many = 1000
    start = time.perf_counter()
    ours = evaluate(at_a, at_b)
    for _ in range(many - 1):
        evaluate(at_a, at_b)
    fast = (time.perf_counter() - start) / points / many
    exact_points = 20
    start = time.perf_counter()
    exact = [
        float(vertices.at({a: x, b: y}, scale=C).value)
        for x, y in zip(at_a[:exact_points], at_b[:exact_points], strict=True)
    ]
    single = (time.perf_counter() - start) / exact_points

    print(
        f"\nfive terms, two scales, one budget: {points} random parameter points against scipy.optimize.linprog (HiGHS)"
    )
    by_regions, at_points = (
        np.max(np.abs(ours - theirs)),
        np.max(np.abs(exact - theirs[:exact_points])),
    )
    print(f"largest difference: by regions {by_regions:.1e}, exactly at a point {at_points:.1e}")
    print("                                                      seconds      ratio")
    print(f"linprog, per point                                  {slow:9.2e}          1")
    print(
        f"Allocation.at, per point, exact arithmetic          {single:9.2e}  {slow / single:9.2g}"
    )
    print(f"regions as a function, per point of an array        {fast:9.2e}  {slow / fast:9.2g}")
    print(
        f"once: vertices {listed:.2f}, their regions {mapped:.2f}, compiling the function of regions {compiled:.2f}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--row"]:
        one_row(sys.argv[2])
    else:
        laws()
        calculus()
        against_linprog()
