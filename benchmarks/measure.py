"""Measuring a task: seconds against the number of samples, and against what one would write down first.

Run ``python benchmarks/measure.py`` (two minutes). Target, on two idle cores: capacity and source with intervals of 2000 samples in 15 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.verify.empirical import measure
from scalinglaws.verify.empirical._eigenpairs import _krylov
from scalinglaws.verify.simulate.empirical import draw_task, regression_curve

HALVES = 12


def seconds(function: Callable[[], object]) -> float:
    """Return the wall time of one call: calls are long."""
    return best_of(function, 1)


def all_pairs(gram: np.ndarray) -> None:
    """Compute all eigenpairs of a Gram matrix and of a dozen of its halves, as NumPy does."""
    rng = np.random.default_rng(0)
    np.linalg.eigh(gram / len(gram))
    for _ in range(HALVES):
        rows = rng.permutation(len(gram))[: len(gram) // 2]
        np.linalg.eigh(gram[np.ix_(rows, rows)] / rows.size)


def measuring() -> None:
    """Print the time of measuring a task against that of all eigenpairs."""
    print(
        f"seconds to measure a task; all pairs by numpy.linalg.eigh, of the sample and {HALVES} halves"
    )
    print(
        "     n    measured   all pairs   ratio   with held-out check   capacity (1.5)   source (0.5)"
    )
    plainly = 0.0
    for n in (500, 1000, 2000, 4000):
        task = draw_task(n, alpha=1.5, decay=0.75, rng=0)
        given = {"gram": task.gram, "labels": task.labels, "center": True, "rng": 0}
        start = time.perf_counter()
        found = measure(**given, held_out=False)
        ours = time.perf_counter() - start
        largest = n == 4000
        plainly = 8 * plainly if largest else seconds(lambda g=task.gram: all_pairs(g))
        checked = "" if largest else f"{seconds(lambda t=given: measure(**t)):.2f}"
        print(
            f"{n:6d} {ours:11.2f} {plainly:11.2f}{'*' if largest else ' '} {plainly / ours:6.1f} {checked:>21}"
            f"   {found.capacity.value:14.3f} {found.source.value:14.3f}"
        )
    print("* eight times that of half as many samples")


def leading(n: int = 3000, count: int = 300) -> None:
    """Print the time and error of leading eigenpairs in three ways."""
    matrix = draw_task(n, alpha=1.5, decay=0.75, rng=0).gram
    known = np.empty(0)

    def subset() -> None:
        nonlocal known
        known = linalg.eigh(matrix, subset_by_index=(n - count, n - 1), driver="evr")[0][::-1]

    direct, everything = seconds(subset), seconds(lambda: np.linalg.eigh(matrix))
    start = time.perf_counter()
    values, _ = _krylov(matrix, count)
    krylov = time.perf_counter() - start
    errors = np.abs(values / known - 1)
    print(f"\nseconds for the leading {count} pairs of {n}")
    print(f"  all, numpy.linalg.eigh         {everything:8.2f}")
    print(
        f"  subset, LAPACK evr             {direct:8.2f}   {everything / direct:5.1f} times as fast"
    )
    print(
        f"  block Krylov                   {krylov:8.2f}   {everything / krylov:5.1f} times as fast, "
        f"errors {errors[: 2 * count // 3].max():.0e} to pair {2 * count // 3}, {errors.max():.0e} to the last"
    )


def regression() -> None:
    """Print the time of learning curves with one factorization for all sizes, and with one for each."""
    n, splits = 1600, 4
    task = draw_task(n, alpha=1.5, decay=0.75, rng=0)
    labels = task.labels - task.labels.mean()
    ridge = 1e-10 * np.trace(task.gram) / n

    def apart(sizes: np.ndarray) -> None:
        for stream in np.random.default_rng(0).spawn(splits):
            order = stream.permutation(n)
            for size in sizes:
                seen, unseen = order[:size], order[size:]
                factor = linalg.cho_factor(task.gram[np.ix_(seen, seen)] + ridge * np.eye(size))
                weights = linalg.cho_solve(factor, labels[seen])
                np.mean((labels[unseen] - task.gram[np.ix_(unseen, seen)] @ weights) ** 2)

    print(f"\nseconds for a learning curve of {n} points up to P = 800, {splits} splits")
    print("  sizes   one factorization   one for each   ratio")
    for count in (6, 20, 60):
        sizes = np.unique(np.geomspace(20, 800, count).round().astype(int))
        once = seconds(lambda s=sizes: regression_curve(task.gram, labels, s, splits=splits))
        each = seconds(lambda s=sizes: apart(s))
        print(f"  {sizes.size:5d} {once:19.2f} {each:14.2f} {each / once:7.1f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        draw_task(100, alpha=1.5, decay=0.75)  # compiles
        measuring()
        leading()
        regression()
