"""Simulated Bethe lattices: growth and nearest training sites against plain code, and an experiment of 50 datasets.

Run ``python benchmarks/simulate_percolation.py`` (two minutes).
"""

from __future__ import annotations

import os
import time
from functools import partial

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.sweep import run_many
from scalinglaws.verify.simulate.percolation import (
    bethe_dataset,
    data_losses,
    fitted_scale,
    learning_curves,
    model_loss,
    nearest_training_site,
)

SEEDS, CLUSTERS, SMALLEST, LARGEST = 50, 316, 100, 10**6
UNITS = np.unique(np.geomspace(10, 3162, 12).astype(int))
SAMPLES = np.unique(np.geomspace(30, 1e5, 12).astype(int))


def plain_dataset(clusters: int, smallest: int, largest: int, seed: int) -> int:
    """Grow clusters generation by generation with NumPy, targets and all; return the number of kept sites."""
    rng, kept, found = np.random.default_rng(seed), 0, 0
    while found < clusters:
        parents, targets, first, size = [], [np.zeros(1)], 0, 1
        children = rng.binomial(12, 1 / 11, 1)
        while children.sum() and size <= largest:
            parents.append(first + np.repeat(np.arange(children.size), children))
            targets.append(
                np.repeat(targets[-1], children) + rng.standard_normal(int(children.sum()))
            )
            first, size = size, size + int(children.sum())
            children = rng.binomial(11, 1 / 11, size - first)
        if smallest <= size <= largest:
            values = np.concatenate(targets)
            values = (values - values.mean()) / values.std()
            found, kept = found + 1, kept + values.size
    return kept


def python_dataset(clusters: int, smallest: int, largest: int, seed: int) -> int:
    """Grow clusters site by site in plain Python; return the number of kept sites."""
    rng, kept, found = np.random.default_rng(seed), 0, 0
    while found < clusters:
        parents, targets, site = [-1], [0.0], 0
        while site < len(parents) <= largest:
            for _ in range(rng.binomial(12 if site == 0 else 11, 1 / 11)):
                parents.append(site)
                targets.append(targets[site] + rng.standard_normal())
            site += 1
        if smallest <= len(parents) <= largest:
            found, kept = found + 1, kept + len(parents)
    return kept


def growth() -> None:
    """Print the time of growth and targets per kept site."""
    for clusters, largest in ((316, 10**6), (316, 10**7)):
        times, kept = [], []
        for seed in range(8 if largest == 10**6 else 3):
            call = partial(bethe_dataset, clusters, smallest=SMALLEST, largest=largest, rng=seed)
            kept.append(call().parent.size)
            times.append(best_of(call, 3))
        print(
            f"growth and targets, window 1e2 to {largest:.0e}: {sum(times) / sum(kept) * 1e9:6.1f} ns per kept site"
        )
    for name, function, largest in (
        ("NumPy, by generations", plain_dataset, 10**6),
        ("plain Python", python_dataset, 10**4),
    ):
        start = time.perf_counter()
        kept_sites = sum(function(30, SMALLEST, largest, seed) for seed in range(4))
        slow = (time.perf_counter() - start) / kept_sites
        sizes = [
            bethe_dataset(30, smallest=SMALLEST, largest=largest, rng=seed).parent.size
            for seed in range(4)
        ]
        ours = sum(
            best_of(partial(bethe_dataset, 30, smallest=SMALLEST, largest=largest, rng=seed), 3)
            for seed in range(4)
        ) / sum(sizes)
        print(
            f"  {name:22s} window 1e2 to {largest:.0e}: {slow * 1e9:6.0f} ns, ours {ours * 1e9:5.1f} ns, ratio {slow / ours:5.0f}"
        )


def nearest() -> None:
    """Print the time of a nearest-neighbor loss per site, and of a shortest-path search from all training sites."""
    data = bethe_dataset(CLUSTERS, smallest=SMALLEST, largest=LARGEST, rng=1)
    total = data.parent.size
    for count in (100, 10_000, total // 3):
        ours = best_of(partial(data_losses, data, count)) / total
        print(
            f"loss of {total:.1e} sites in all clusters, P = {count:7d}: {ours * 1e9:5.1f} ns per site"
        )
    parent, _ = data.cluster(0)
    size = parent.size
    graph = sparse.csr_array(
        (np.ones(size - 1), (np.arange(1, size), parent[1:])), shape=(size, size)
    )
    for count in (10, 1000, size // 10):
        training = np.random.default_rng(0).choice(size, count, replace=False)
        ours = best_of(partial(nearest_training_site, parent, training)) / size
        search = partial(
            sparse.csgraph.dijkstra,
            graph,
            directed=False,
            indices=training,
            unweighted=True,
            min_only=True,
        )
        theirs = best_of(search, 1) / size
        same = np.array_equal(search(), nearest_training_site(parent, training).distance)
        print(
            f"  distances in a cluster of {size:.1e}, n = {count:6d}: ours {ours * 1e9:5.1f} ns per site"
            f"   csgraph {theirs * 1e9:6.0f}   ratio {theirs / ours:4.0f}   same {same}"
        )


def one_seed(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return simulated over predicted losses of models, simulated losses of models and of pooled samples, for one dataset."""
    data = bethe_dataset(CLUSTERS, smallest=SMALLEST, largest=LARGEST, rng=seed)
    curves = learning_curves(data, rng=seed)
    scales = fitted_scale(curves.training_counts, curves.test_loss)
    # the best allocation for losses 1/sqrt(n): to the first j clusters, as the two-thirds power of their sizes
    parts = data.sizes ** (2 / 3)
    sums, rest = np.cumsum(parts), data.sizes.sum() - np.cumsum(data.sizes)
    predicted = sums**1.5 / np.sqrt(UNITS[:, None]) + rest
    last = predicted.argmin(axis=1)
    units = np.where(
        np.arange(CLUSTERS) <= last[:, None], UNITS[:, None] * parts / sums[last][:, None], 0
    )
    allocation = np.minimum(np.rint(units * scales), data.sizes - 1).astype(int)
    found = np.asarray(model_loss(data, allocation, rng=seed))
    return (
        found / predicted.min(axis=1) * data.sizes.sum(),
        found,
        np.asarray(data_losses(data, SAMPLES, rng=seed)),
    )


def experiment() -> None:
    """Print the wall time of 50 datasets with 12 models and 12 numbers of samples each, fits of all clusters included."""
    workers = os.cpu_count() or 1
    run_many(one_seed, range(workers), workers=workers)  # start the processes and compile
    start = time.perf_counter()
    found = run_many(one_seed, range(SEEDS), workers=workers)
    took = time.perf_counter() - start
    ratios, models, pooled = (np.median([entry[i] for entry in found], axis=0) for i in range(3))
    print(
        f"{SEEDS} datasets, window 1e2 to 1e6, {UNITS.size} models and {SAMPLES.size} samples each: {took:.1f} s on {workers} cores"
    )
    print("  n                 " + " ".join(f"{n:6d}" for n in UNITS))
    print("  median model loss " + " ".join(f"{loss:6.3f}" for loss in models))
    print("  over its theory   " + " ".join(f"{ratio:6.3f}" for ratio in ratios))
    print("  P                 " + " ".join(f"{n:6d}" for n in SAMPLES))
    print("  median data loss  " + " ".join(f"{loss:6.3f}" for loss in pooled))


def main() -> None:
    """Print everything."""
    with threadpool_limits(1):
        growth()
        nearest()
    experiment()


if __name__ == "__main__":
    main()
