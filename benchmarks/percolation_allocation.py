"""Allocation of a budget to clusters: against a general optimizer, cost against their number, and the infinite ensemble.

Run ``python benchmarks/percolation_allocation.py``; add ``--long`` for ten million clusters (a minute, 2 GB).
"""

from __future__ import annotations

import math
import sys

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers.percolation import (
    allocate,
    allocate_integer,
    prepare_allocation,
    zipf_model_loss,
)


def ensemble(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, scales and exponents that differ from cluster to cluster."""
    k = np.arange(1, count + 1.0)
    return k**-1.7 * (1 + 0.3 * np.sin(k)), 1 + 0.5 * np.cos(k), 0.4 + 0.3 * np.sin(k) ** 2


def general(count: int) -> float:
    """Return the loss of the shifted law by sequential quadratic programming, with gradients."""
    w, m, beta = ensemble(count)
    found = minimize(
        lambda x: np.sum(w * (1 + np.maximum(x, 0) * count / m) ** -beta),
        np.full(count, 1 / count),
        jac=lambda x: -w * beta * count / m * (1 + np.maximum(x, 0) * count / m) ** (-1 - beta),
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    return float(found.fun)


def against_optimizer() -> None:
    """Print times of both at sizes where the general optimizer still runs."""
    print("shifted law, weights, scales and exponents all different, n = K")
    print(f"  {'K':>6}{'SLSQP, s':>12}{'here, s':>12}{'ratio':>10}{'loss ratio - 1':>18}")
    for count in (10, 30, 100, 300):
        w, m, beta = ensemble(count)
        slow = best_of(lambda count=count: general(count), 2)
        fast = best_of(
            lambda w=w, m=m, beta=beta: allocate(
                w, float(w.size), exponents=beta, scales=m, law="shifted"
            )
        )
        excess = (
            general(count) / allocate(w, float(count), exponents=beta, scales=m, law="shifted").loss
            - 1
        )
        print(f"  {count:6d}{slow:12.4f}{fast:12.2e}{slow / fast:10.0f}{excess:18.1e}")


def against_size(counts: tuple[int, ...]) -> None:
    """Print times against the number of clusters, with the growth exponent over the last step."""
    print(
        f"\nseconds for K =                      {''.join(f'{count:>11.0e}' for count in counts)}   growth"
    )
    rows = {
        "common, hard: build": lambda c: prepare_allocation(c[0], exponent=0.5),
        "common, hard: build, unsorted": lambda c: prepare_allocation(c[3], exponent=0.5),
        "general, hard, n = K": lambda c: allocate(
            c[0], float(c[0].size), exponents=c[2], scales=c[1]
        ),
        "general, hard, n = 1000 K": lambda c: allocate(
            c[0], 1e3 * c[0].size, exponents=c[2], scales=c[1]
        ),
        "general, shifted, n = K": lambda c: allocate(
            c[0], float(c[0].size), exponents=c[2], scales=c[1], law="shifted"
        ),
        "common, shifted": lambda c: allocate(c[0], float(c[0].size), exponents=0.5, law="shifted"),
        "general, tree, n = K": lambda c: allocate(
            c[0], float(c[0].size), exponents=0.5, scales=c[1], law="tree"
        ),
        "whole units, hard, n = K": lambda c: allocate_integer(c[0], c[0].size, exponents=0.5),
    }
    found: dict[str, list[float]] = {name: [] for name in rows}
    for count in counts:
        columns = ensemble(count)
        weights = np.arange(1, count + 1.0) ** -2
        mixed = np.random.default_rng(0).permutation(weights)
        for name, call in rows.items():
            given = (
                weights if name.startswith("common") else columns[0],
                columns[1],
                columns[2],
                mixed,
            )
            found[name].append(best_of(lambda call=call, given=given: call(given), 3))
        prepared = prepare_allocation(weights, exponent=0.5)
    for name, times in found.items():
        growth = math.log(times[-1] / times[-2]) / math.log(counts[-1] / counts[-2])
        print(f"  {name:<35}{''.join(f'{time:11.4f}' for time in times)}{growth:9.2f}")
    budgets = 10.0 ** np.random.default_rng(1).uniform(0, 9, 1000)
    values = budgets.tolist()
    one = best_of(lambda: [prepared.solve(n) for n in values]) / budgets.size
    many = best_of(lambda: prepared.solve(budgets)) / budgets.size
    print(
        f"  a budget of the largest: {1e6 * one:.1f} us in a loop, {1e6 * many:.2f} us in an array"
    )


def infinite() -> None:
    """Print times of the infinite ensemble."""
    print("\ninfinite ensemble, alpha = 1")
    print(f"  {'exponent':>9}{'n':>9}{'double, us':>14}{'in an array, us':>18}{'30 digits, s':>16}")
    for exponent in (0.5, 1.0, 1.5):
        for n in (1e3, 1e9, 1e15, 1e30):
            single = best_of(lambda n=n, e=exponent: zipf_model_loss(n, alpha=1, exponent=e), 50)
            array = (
                best_of(
                    lambda n=n, e=exponent: zipf_model_loss(np.full(200, n), alpha=1, exponent=e),
                    10,
                )
                / 200
            )
            digits = best_of(
                lambda n=n, e=exponent: zipf_model_loss(n, alpha=1, exponent=e, digits=30), 3
            )
            print(f"  {exponent:9}{n:9.0e}{1e6 * single:14.1f}{1e6 * array:18.1f}{digits:16.4f}")


def main() -> None:
    """Print the tables."""
    against_optimizer()
    against_size((10_000, 100_000, 1_000_000, *((10_000_000,) if "--long" in sys.argv[1:] else ())))
    infinite()


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
