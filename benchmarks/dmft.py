"""The march of feature learning: against the dense iteration and a plain NumPy march, and as a share of the matrix-product rate.

Run ``python benchmarks/dmft.py``; the dense iteration at 700 steps takes several minutes. ``python benchmarks/dmft.py --share``
prints the share of the rate of matrix products at 2000 steps alone (two minutes).
"""

from __future__ import annotations

import math
import runpy
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from timing import best_of, least_cpu, product_rate

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import online_dmft, reuse_dmft

ORACLE = runpy.run_path(
    str(Path(__file__).parent.parent / "tests" / "solvers" / "feature_learning" / "dmft_oracle.py")
)
TASK = PowerLawSpectrum(1.5, 0.75, 50)
STEPS = (100, 300, 700)
GIVEN = {"features": 50, "learning_rate": 0.2, "richness": 1.0}


def fast(steps: int, reuse: bool, modes: str, spectrum: PowerLawSpectrum = TASK) -> np.ndarray:
    """Return the losses by the package."""
    if reuse:
        return reuse_dmft(steps, spectrum, samples=50, modes=modes, **GIVEN).test_loss
    return online_dmft(steps, spectrum, batch=50, modes=modes, method="march", **GIVEN).test_loss


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


def share(steps: int = 2000) -> None:
    """Print the share of the product rate at many steps: of products of matrices, and of everything that is multiplied and added.

    With n modes, row t takes products of matrices of 4 n t^2 flops online and 6 n t^2 under reuse (E and C_0 applied to all W_k, and two
    triangular systems), and products with vectors of about 6 t^2 and 10 t^2, which the memory's bandwidth limits.
    """
    rate = product_rate()
    print(f"{steps} steps, 50 modes; large matrix products: {rate / 1e9:.0f} GF/s")
    print(f"  {'':<8}{'seconds':>9}{'share':>8}{'with products with vectors':>29}")
    for reuse in (False, True):
        fast(10, reuse, "full")
        seconds = least_cpu(partial(fast, steps, reuse, "full"), 1)
        products, vectors = (100, 10 / 3) if reuse else (200 / 3, 2)
        shares = [n * steps**3 / seconds / rate for n in (products, products + vectors)]
        name = "reuse" if reuse else "online"
        print(f"  {name:<8}{seconds:9.1f}{shares[0]:8.0%}{shares[1]:29.0%}", flush=True)


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
        share()
        if "--share" not in sys.argv[1:]:
            main()
