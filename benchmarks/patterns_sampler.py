"""Rare events of patterns: relative error per second against plain Monte Carlo and a single tilt, and costs of the lattice.

Run ``python benchmarks/patterns_sampler.py``.
"""

from __future__ import annotations

import math

import numpy as np
from timing import best_of

from scalinglaws.solvers.patterns import attention_overlap, log_alignment, log_tail

SAMPLES = 20_000
MEASURED = 1_000_000  # draws of plain Monte Carlo that are timed


def plain_time(n: int) -> float:
    """Return the seconds of one plain draw of a sum of n cubes, by NumPy in blocks."""
    rng = np.random.default_rng(0)
    block = MEASURED // n
    return best_of(lambda: np.sum(rng.standard_normal((block, n)) ** 3, axis=1), 3) / block


def main() -> None:
    """Print the table."""
    log_tail(10, 3, "importance", samples=10, rng=0)
    print("seconds for a relative error of 1 %, sum of n cubes above s standard deviations")
    for n, s in ((10, 3), (100, 5), (100, 12), (100, 42), (1000, 31)):
        found = log_tail(n, s, "importance", samples=SAMPLES, rng=1)
        ours = best_of(lambda n=n, s=s: log_tail(n, s, "importance", samples=SAMPLES, rng=1), 3)
        needed = ours * (found.standard_error / 0.01) ** 2
        exact = log_tail(n, s)
        log_plain = math.log(plain_time(n)) - exact.log_probability + math.log(1e4)
        missed = math.exp(
            log_tail(n, s, "tilt", samples=SAMPLES, rng=1).log_probability - exact.log_probability
        )
        lattice = best_of(lambda n=n, s=s: log_tail(n, s), 1)
        print(
            f"  n = {n:4d}, s = {s:2d}: log P = {exact.log_probability:9.3f}   sampling {needed:7.3f} s ({SAMPLES} samples {ours:.3f} s)   "
            f"plain 10^{log_plain / math.log(10):.1f} s (extrapolated), ratio 10^{(log_plain - math.log(needed)) / math.log(10):.1f}   "
            f"one tilt finds {missed:.1e} of it   lattice {lattice:.1f} s"
        )
    print("aligned networks, 10000 samples")
    for size in (20, 100, 1000):
        found = log_alignment(size, size, rng=1)
        took = best_of(lambda size=size: log_alignment(size, size, rng=1), 3)
        print(
            f"  N = d = {size:4d}: log P = {found.log_probability:10.3f} +- {found.standard_error:.3f}   {took:.3f} s"
        )
    print("overlap of a softmax head")
    for coupling, length in ((1.0, 64), (3.0, 256), (10.0, 10**6)):
        took = best_of(
            lambda coupling=coupling, length=length: attention_overlap(coupling, length), 3
        )
        print(f"  coupling {coupling:4.1f}, {length:7d} tokens: {1e3 * took:.0f} ms")


if __name__ == "__main__":
    main()
