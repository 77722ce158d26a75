"""How the benchmarks take times."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def best_of(function: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest wall time of several calls, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def least_cpu(function: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest processor time of several calls, in seconds: of one thread, where other work keeps the cores busy."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def product_rate(size: int = 1200) -> float:
    """Return the rate of large square matrix products, flops per second; BLAS is to have one thread."""
    matrix = np.random.default_rng(0).standard_normal((size, size))
    return 2 * size**3 / least_cpu(lambda: matrix @ matrix)
