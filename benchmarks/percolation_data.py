"""Loss in the number of samples: a point of an infinite list against plain sums, its expansion, and long finite lists.

Run ``python benchmarks/percolation_data.py``; ``--bulk`` for points in an array against single ones alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from scipy import special, stats
from threadpoolctl import threadpool_limits
from timing import best_of, least_cpu

from scalinglaws.solvers.percolation import (
    bethe_data_loss,
    crossover_data_loss,
    crossover_model_loss,
    data_loss,
    data_loss_expansion,
    distinct_clusters,
    pruned_data_loss,
)

ALPHA, EXPONENT = 1.0, 0.5


def plain(samples: float, ranks: np.ndarray) -> float:
    """Sum over ranks with SciPy's binomial weights, over ten standard deviations of the counts."""
    total = 0.0
    for p in ranks ** -(1 + ALPHA) / special.zeta(1 + ALPHA):
        width = 10 * np.sqrt(samples * p) + 30
        d = np.arange(max(0.0, np.floor(samples * p - width)), np.ceil(samples * p + width))
        total += p * float(stats.binom.pmf(d, samples, p) @ np.maximum(d, 1.0) ** -EXPONENT)
    return total


def many_digits(samples: int, rank: int) -> mpmath.mpf:
    """Sum over the counts of one cluster in extended precision."""
    with mpmath.workdps(30):
        p = rank ** -mpmath.mpf(1 + ALPHA) / mpmath.zeta(1 + ALPHA)
        chance, total = (1 - p) ** samples, (1 - p) ** samples
        for d in range(1, samples + 1):
            chance *= (samples - d + 1) * p / ((1 - p) * d)
            total += chance * mpmath.mpf(d) ** -EXPONENT
        return total


def in_bulk() -> None:
    """Print what a point costs in an array, against one call for each point."""
    many = np.geomspace(1e4, 1e12, 100).round()
    few = np.geomspace(10, 1e6, 100).round()
    listed = np.arange(1, 1001.0) ** -2
    rows: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
        "data_loss, 1e4 to 1e12 samples": (
            lambda p: data_loss(p, alpha=ALPHA, exponent=EXPONENT).loss,
            many,
        ),
        "data_loss, 10 to 1e6 samples": (
            lambda p: data_loss(p, alpha=ALPHA, exponent=EXPONENT).loss,
            few,
        ),
        "data_loss, law of a tree": (
            lambda p: data_loss(p, alpha=ALPHA, exponent=0.5, law="tree").loss,
            many,
        ),
        "data_loss, drawn by a power": (
            lambda p: data_loss(p, alpha=ALPHA, exponent=EXPONENT, sampling=0.7).loss,
            many,
        ),
        "data_loss, list of 1000 clusters": (
            lambda p: data_loss(p, weights=listed, exponent=EXPONENT).loss,
            many,
        ),
        "data_loss_expansion": (
            lambda p: data_loss_expansion(p, alpha=ALPHA, exponent=EXPONENT).loss,
            many,
        ),
        "crossover_data_loss": (
            lambda p: crossover_data_loss(p, alpha=ALPHA, exponent=EXPONENT),
            few,
        ),
        "crossover_model_loss": (
            lambda n: crossover_model_loss(n, alpha=ALPHA, exponent=EXPONENT),
            few,
        ),
        "bethe_data_loss": (
            lambda p: bethe_data_loss(
                p, clusters=1000, coordination=12, occupation=0.09, exponent=EXPONENT
            ),
            few,
        ),
        "distinct_clusters": (lambda p: distinct_clusters(p, alpha=ALPHA), few),
        "pruned_data_loss": (lambda p: pruned_data_loss(p, alpha=ALPHA).loss, few),
    }
    print(
        f"{'microseconds a point, 100 points':<36}{'one by one':>12}{'in an array':>13}{'ratio':>8}   largest difference"
    )
    for name, (call, points) in rows.items():
        values = points.tolist()
        apart = np.array([call(point) for point in values])
        off = float(np.max(np.abs(call(points) / apart - 1)))
        single = (
            least_cpu(lambda call=call, values=values: [call(v) for v in values], 5) / points.size
        )
        bulk = least_cpu(lambda call=call, points=points: call(points)) / points.size
        print(f"{name:<36}{1e6 * single:12.1f}{1e6 * bulk:13.1f}{single / bulk:8.1f}{off:21.0e}")
    print()


def main() -> None:
    """Print the tables."""
    in_bulk()
    if "--bulk" in sys.argv[1:]:
        return
    print(
        f"{'samples':>10}{'point [ms]':>12}{'plain sum [s]':>15}{'ratio':>10}   (plain sum to rank (10 P)^(1/2), extrapolated)"
    )
    for samples in (1e4, 1e8, 1e12):
        point = best_of(
            lambda samples=samples: data_loss(samples, alpha=ALPHA, exponent=EXPONENT), 15
        )
        last = int((10 * samples) ** (1 / (1 + ALPHA)))
        edges = np.unique(np.geomspace(1, last + 1, 12).astype(int))
        slow = 0.0
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            ranks = np.unique(np.geomspace(low, high - 1, 5).astype(int)).astype(float)
            slow += (
                best_of(lambda samples=samples, ranks=ranks: plain(samples, ranks), 1)
                * (high - low)
                / ranks.size
            )
        print(f"{samples:10.0e}{1e3 * point:12.3f}{slow:15.2f}{slow / point:10.0f}")
    one = best_of(lambda: many_digits(10**4, 3), 1)
    print(
        f"extended precision, one cluster at 1e4 samples: {one:.3f} s; the 316 clusters above: {316 * one:.0f} s (extrapolated)"
    )

    samples = np.geomspace(1e4, 1e12, 100).round()
    print(
        f"expansion, 100 values of P: {1e3 * best_of(lambda: data_loss_expansion(samples, alpha=ALPHA, exponent=EXPONENT)):.3f} ms"
    )
    print(
        f"exact,     100 values of P: {1e3 * best_of(lambda: data_loss(samples, alpha=ALPHA, exponent=EXPONENT)):.1f} ms"
    )

    rng = np.random.default_rng(0)
    sizes = np.floor(100 * rng.random(10**6) ** -0.5)
    scales = 1 + 10 * rng.random(sizes.size)
    for count in (10**5, 10**8):
        times = [
            best_of(
                lambda count=count, given=given: data_loss(
                    count, weights=sizes, exponent=0.5, **given
                ),
                3,
            )
            for given in (
                {},
                {"law": "tree"},
                {"scales": scales},
                {"scales": scales, "law": "tree"},
                {"distinct": True},
            )
        ]
        names = ("common scale", "tree, common scale", "scales", "tree", "distinct sites")
        print(
            f"1e6 clusters, {count:.0e} samples: "
            + ", ".join(f"{name} {time:.2f} s" for name, time in zip(names, times, strict=True))
        )
    model = best_of(lambda: crossover_model_loss(1e5, alpha=1, exponent=0.5))
    data = best_of(lambda: crossover_data_loss(1e5, alpha=1, exponent=0.5))
    print(f"off criticality, one point: model {1e3 * model:.2f} ms, data {1e3 * data:.2f} ms")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
