"""The pattern engine: compiling, diagrams and symbolic minima, against one numerical linear program per pattern and point.

Run ``python benchmarks/patterns.py``; half a minute. First calls are timed in a fresh process, after imports. Targets for the
three-layer network: rules, compilation and a diagram of 200 x 200 points below 1 s, the closed forms of one pattern below 0.5 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import best_of

POINTS = 200
TARGETS = {
    "rules and compilation": 1.0,
    "diagram, 200 x 200": 1.0,
    "closed forms of one pattern": 0.5,
    "piecewise law": 1.0,
}


def calls() -> dict[str, Callable[[], Any]]:
    """List what is timed, all for a three-layer network and a cubic target."""
    from scalinglaws.theory import patterns

    network = patterns.fully_connected(["n_1", "n_2"], 3)

    def compiled() -> None:
        for pattern in patterns.enumerate_patterns(network):
            _ = pattern.program.forms, pattern.program.feasible

    def ranked() -> Any:
        return [
            entry.parameters
            for entry in patterns.sample_complexity(patterns.fully_connected([2, "3/2"], 3)).ranking
        ]

    one = next(
        pattern for pattern in patterns.enumerate_patterns(network) if str(pattern) == "S(1) G(3)"
    )
    return {
        "rules and compilation": compiled,
        "diagram, 200 x 200": lambda: patterns.phase_diagram(network, points=POINTS),
        "the same with purity": lambda: patterns.phase_diagram(network, points=POINTS, purity=True),
        "piecewise law": lambda: patterns.sample_complexity(network).exponent,
        "closed forms of one pattern": lambda: patterns.closed_forms(one),
        "ranking at one point, with parameters": ranked,
    }


def first_calls() -> None:
    """Print the first call in a fresh process and the best of later ones."""
    print(f"{'seconds, three-layer network':<40}{'first':>8}{'again':>9}")
    for label in calls():
        answer = subprocess.run(
            [sys.executable, __file__, "--row", label],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        first, again = json.loads(answer.stdout)
        print(
            f"{label:<40}{first:8.3f}{again:9.4f}{'   ABOVE TARGET' if first > TARGETS.get(label, np.inf) else ''}"
        )


def one_row(label: str) -> None:
    """Time one call; the first, and the best of five more."""
    call = calls()[label]
    start = time.perf_counter()
    call()
    first = time.perf_counter() - start
    print(json.dumps([first, best_of(call, 5)]))


def against_linprog(points: int = 20) -> None:
    """Compare exponents and times with SciPy's linear programs at random widths."""
    from fractions import Fraction

    from scipy.optimize import linprog

    from scalinglaws.theory import patterns

    network = patterns.fully_connected(["n_1", "n_2"], 3)
    programs = [pattern.program for pattern in patterns.enumerate_patterns(network)]
    rng = np.random.default_rng(0)
    widths = [[Fraction(int(rng.integers(0, 601)), 100) for _ in range(2)] for _ in range(points)]

    def numerical(pair: list[Fraction]) -> float:
        sizes = np.array([*map(float, pair), 1.0, 0.0])
        best = np.inf
        for program in programs:
            items = [*program.terms, *program.caps]
            rows = [
                [*map(float, item.free), -1.0 if number < len(program.terms) else 0.0]
                for number, item in enumerate(items)
            ]
            right = [-float(np.dot(np.array(item.sizes, float), sizes)) for item in items]
            free = len(rows[0]) - 1
            best = min(
                best,
                linprog(
                    [0.0] * free + [1.0], A_ub=rows, b_ub=right, bounds=[(None, None)] * (free + 1)
                ).fun,
            )
        return float(best)

    def exactly(pair: list[Fraction]) -> Fraction:
        sizes = (*pair, Fraction(1), Fraction(0))
        return min(
            found[0] for program in programs if (found := program.minimum(sizes)) is not None
        )

    start = time.perf_counter()
    theirs = np.array([numerical(pair) for pair in widths])
    slow = (time.perf_counter() - start) / points
    start = time.perf_counter()
    exact = np.array([float(exactly(pair)) for pair in widths])
    middle = (time.perf_counter() - start) / points
    compiled = np.array(
        [
            float(min(program.exponent((*pair, Fraction(1), Fraction(0))) for program in programs))
            for pair in widths
        ]
    )
    grid = best_of(lambda: patterns.phase_diagram(network, points=POINTS), 5)
    print(
        f"\n{len(programs)} patterns at {points} random pairs of widths against scipy.optimize.linprog (HiGHS)"
    )
    print(
        f"largest difference: exact {np.max(np.abs(exact - theirs)):.1e}, compiled {np.max(np.abs(compiled - theirs)):.1e}"
    )
    print("                                          per point     diagram of 200 x 200")
    print(
        f"linprog, one program per pattern        {slow:11.2e}  {slow * POINTS**2:11.2e} s, extrapolated"
    )
    print(
        f"exact vertices in fractions             {middle:11.2e}  {middle * POINTS**2:11.2e} s, extrapolated"
    )
    print(
        f"diagram, with regions and boundaries    {grid / POINTS**2:11.2e}  {grid:11.2e} s, {slow * POINTS**2 / grid:.1e} times faster"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--row"]:
        one_row(sys.argv[2])
    else:
        first_calls()
        against_linprog()
