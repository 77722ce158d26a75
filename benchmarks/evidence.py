"""What stands behind the laws: new solvers of percolation against plain sums, and long training against all entries of a network.

Run ``python benchmarks/evidence.py``.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, special, stats
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.percolation import (
    bethe_data_loss,
    cluster_size_probability,
    emergence,
    pruned_data_loss,
)
from scalinglaws.verify.simulate.feature_learning import gradient_flow, rank_one_flow

EXPONENT = 0.5


def emerged(rank: int) -> float:
    """Find where half of a cluster is left with SciPy's root finder and its binomial weights, ten standard deviations wide."""
    p = rank**-2 / float(special.zeta(2))

    def left(samples: float) -> float:
        width = 10 * np.sqrt(samples * p) + 30
        d = np.arange(max(0.0, np.floor(samples * p - width)), np.ceil(samples * p + width))
        chances = stats.binom.pmf(d, np.round(samples), p)
        return float(chances @ np.maximum(d, 1.0) ** -EXPONENT) - 0.5

    return float(optimize.brentq(left, 1.0, 1e3 / p, xtol=0.5))


def pruned(samples: float) -> tuple[float, float]:
    """Sum over a million clusters."""
    p = np.arange(1.0, 1e6) ** -2 / special.zeta(2)
    absent = np.exp(samples * np.log1p(-p))
    return float(np.sum(1 - absent)), float(p @ absent)


def below_threshold(samples: float, clusters: float, occupation: float) -> float:
    """Sum over sizes to a hundred cutoffs, and over Poisson counts by SciPy."""
    last = int(100 / (1 - 11 * occupation) ** 2)
    sizes = np.arange(1, last)
    weights = cluster_size_probability(sizes, coordination=12, occupation=occupation)
    mean = float(sizes @ weights)
    total = 0.0
    for size, weight in zip(sizes, weights, strict=True):
        x = samples * size / (clusters * mean)
        d = np.arange(0, x + 10 * np.sqrt(x) + 30)
        total += weight * size * float(stats.poisson.pmf(d, x) @ np.maximum(d, 1.0) ** -EXPONENT)
    return total / mean


def main() -> None:
    """Print the ratios."""
    print(f"{'':34}{'here [ms]':>11}{'baseline [ms]':>15}{'ratio':>8}   baseline")
    rows = (
        (
            "emergence of rank 30",
            lambda: emergence(30, alpha=1, exponent=EXPONENT),
            lambda: emerged(30),
            "SciPy: brentq, binomial weights",
        ),
        (
            "emergence of rank 1000",
            lambda: emergence(1000, alpha=1, exponent=EXPONENT),
            lambda: emerged(1000),
            "the same",
        ),
        (
            "pruning, a pool of 1e8",
            lambda: pruned_data_loss(1e8, alpha=1),
            lambda: pruned(1e8),
            "NumPy: a million clusters",
        ),
        (
            "Bethe lattice, 0.9 of threshold",
            lambda: bethe_data_loss(
                1e5, clusters=1000, coordination=12, occupation=0.9 / 11, exponent=EXPONENT
            ),
            lambda: below_threshold(1e5, 1000, 0.9 / 11),
            "SciPy: 10 000 sizes one by one",
        ),
    )
    with threadpool_limits(1):
        for name, here, baseline, what in rows:
            fast, slow = best_of(here), best_of(baseline, 3)
            print(f"{name:34}{1e3 * fast:11.3f}{1e3 * slow:15.2f}{slow / fast:8.1f}   {what}")
        for modes in (100, 400, 1600):
            spectrum = PowerLawSpectrum(1.5, 0.5, modes)
            fast, slow = (
                best_of(lambda run=run, s=spectrum: run(50.0, s, richness=1.0, tolerance=1e-6), 3)
                for run in (rank_one_flow, gradient_flow)
            )
            name = f"rich training, {modes} modes, t = 50"
            print(
                f"{name:34}{1e3 * fast:11.3f}{1e3 * slow:15.2f}{slow / fast:8.1f}   gradient_flow"
            )


if __name__ == "__main__":
    main()
