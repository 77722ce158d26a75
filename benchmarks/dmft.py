"""The march of feature learning: against the dense iteration and a plain NumPy march, and as a share of the matrix-product rate.

Run ``python benchmarks/dmft.py``; the dense iteration at 700 steps takes several minutes.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import online_dmft, reuse_dmft

ORACLE = runpy.run_path(
    str(Path(__file__).parent.parent / "tests" / "solvers" / "feature_learning" / "dmft_oracle.py")
)
TASK = PowerLawSpectrum(1.5, 0.75, 50)
STEPS = (100, 300, 700)
GIVEN = {"features": 50, "learning_rate": 0.2, "richness": 1.0}


def product_rate() -> float:
    """Return the rate of large square matrix products, flops per second."""
    matrix = np.random.default_rng(0).standard_normal((1200, 1200))
    return 2 * 1200**3 / best_of(lambda: matrix @ matrix)


def fast(steps: int, reuse: bool, modes: str, spectrum: PowerLawSpectrum = TASK) -> np.ndarray:
    """Return the losses by the package."""
    if reuse:
        return reuse_dmft(steps, spectrum, samples=50, modes=modes, **GIVEN).test_loss
    return online_dmft(steps, spectrum, batch=50, modes=modes, **GIVEN).test_loss


def slow(steps: int, reuse: bool, name: str) -> np.ndarray:
    """Return the losses by one of the oracles."""
    eigenvalues, signal = TASK.explicit()
    found = ORACLE[name](steps, eigenvalues, signal / eigenvalues, data=50, reuse=reuse, **GIVEN)
    return found[0] if name == "dense_fixed_point" else found


def row(
    label: str, call: Callable[[int], np.ndarray], times: dict[int, float], repeats: int
) -> dict[int, float]:
    """Time one method at all numbers of steps; print times, ratios to `times` and the growth exponent."""
    found = {}
    for steps in STEPS:
        found[steps] = best_of(partial(call, steps), repeats if steps < 700 or repeats > 3 else 1)
    cells = "".join(f"{found[steps]:9.3f}" if steps in found else f"{'-':>9}" for steps in STEPS)
    ratios = "".join(
        f"{found[steps] / times[steps]:7.1f}" if times and steps in found else f"{'-':>7}"
        for steps in STEPS
    )
    last = sorted(found)[-2:]
    print(
        f"  {label:<34}{cells}   {ratios}   {math.log(found[last[1]] / found[last[0]]) / math.log(last[1] / last[0]):6.2f}",
        flush=True,
    )
    return found


def main() -> None:
    """Print the tables."""
    rate = product_rate()
    print(f"large matrix products on this machine, one thread: {rate / 1e9:.0f} GF/s\n")
    for reuse in (False, True):
        fast(10, reuse, "full")
        name = "reuse" if reuse else "online"
        gap = max(
            np.max(np.abs(slow(100, reuse, one) / fast(100, reuse, "full") - 1))
            for one in ("plain_march", "dense_fixed_point")
        )
        print(f"{name}, 50 modes, richness 1 (three methods agree to {gap:.0e})")
        print(
            f"  {'seconds for steps':<34}{''.join(f'{steps:9d}' for steps in STEPS)}   {'ratios':>21}   growth"
        )
        times = row("march, every mode", lambda steps, r=reuse: fast(steps, r, "full"), {}, 5)
        row(
            "march, merged modes, M = inf",
            lambda steps, r=reuse: fast(steps, r, "merged", PowerLawSpectrum(1.5, 0.75)),
            times,
            5,
        )
        row("plain NumPy march", lambda steps, r=reuse: slow(steps, r, "plain_march"), times, 2)
        row(
            "dense fixed-point iteration",
            lambda steps, r=reuse: slow(steps, r, "dense_fixed_point"),
            times,
            1,
        )
        shares = [(2 if reuse else 4 / 3) * 50 * steps**3 / times[steps] / rate for steps in STEPS]
        print(
            f"  share of the product rate, counting only mode sums:      {'  '.join(f'{share:.0%}' for share in shares)}\n"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
