"""Percolation on lattices: sites per second against `scipy.ndimage.label`, the memory's bandwidth, and a plain union-find.

Run ``python benchmarks/simulate_lattice.py`` (two minutes).
"""

from __future__ import annotations

import random
import time

import numpy as np
from scipy import ndimage
from threadpoolctl import threadpool_limits
from timing import best_of, least_cpu

from scalinglaws.verify.simulate.percolation import (
    label_clusters,
    lattice_clusters,
    newman_ziff,
    sample_lattices,
)
from scalinglaws.verify.simulate.percolation.lattice import kernels as kernels

LATTICES = (  # about 1.7e7 sites each, at the threshold
    (2, 4096, 0.59274605),
    (3, 256, 0.31160768),
    (4, 64, 0.19688561),
    (5, 28, 0.14079633),
    (6, 16, 0.10901666),
)
SITES_TRIED = 100_000  # by the plain sweep of a large lattice, the cost of the rest being no less


def labelling() -> None:
    """Print a line per dimension."""
    print("millions of sites per second at the threshold")
    for dimension, length, occupation in LATTICES:
        shape, sites = (length,) * dimension, length**dimension
        words = np.zeros(sites // 64 + 2, np.uint64)
        chance = np.uint64(round(occupation * 2**53))
        drawn = best_of(
            lambda c=chance, n=sites, w=words: kernels.flip_coins(np.uint64(1), c, n, w)
        )
        given = {"occupation": occupation, "roots": 0}
        sample_lattices(length, dimension, samples=1, **given)
        # what one more lattice costs: the first one pays for fresh memory
        several = best_of(
            lambda d=dimension, n=length, g=given: sample_lattices(n, d, samples=4, **g), 3
        )
        one = best_of(
            lambda d=dimension, n=length, g=given: sample_lattices(n, d, samples=1, **g), 3
        )
        whole = (several - one) / 3
        occupied = (
            lattice_clusters(shape, occupation, labels=True, periodic=False, rng=1).labels > 0
        )
        ours = least_cpu(lambda a=occupied: label_clusters(a), 5)
        cross = ndimage.generate_binary_structure(dimension, 1)
        theirs = least_cpu(lambda a=occupied, c=cross: ndimage.label(a, c), 3)
        same = np.array_equal(label_clusters(occupied).labels > 0, occupied)
        same &= label_clusters(occupied).sizes.size == ndimage.label(occupied, cross)[1]
        source, target = np.ones(sites, np.int32), np.empty(sites, np.int32)
        copied = best_of(lambda a=target, b=source: np.copyto(a, b))
        print(
            f"  d = {dimension}, L = {length:4d}: drawn {sites / drawn / 1e6:5.0f}, drawn and connected (periodic)"
            f" {sites / whole / 1e6:4.0f}, connected {sites / (whole - drawn) / 1e6:4.0f}   array: ours {sites / ours / 1e6:4.0f},"
            f" scipy {sites / theirs / 1e6:4.1f}, ratio {theirs / ours:4.1f}{'' if same else ' (NOT THE SAME)'}"
            f"   labels copied {sites / copied / 1e6:5.0f}, share of that {copied / ours:.0%}"
        )


def plain(length: int, tried: int) -> float:
    """Occupy sites of a square lattice one by one in plain Python; return the seconds per site."""
    sites = length * length
    order = random.Random(1).sample(range(sites), tried)
    link: dict[int, int] = {}
    begin = time.perf_counter()
    largest, squares, path = 0, 0, []
    for site in order:
        link[site] = -1
        root, squares, largest = site, squares + 1, max(largest, 1)
        x, y = site % length, site - site % length
        for other in (
            y + (x + 1) % length,
            y + (x - 1) % length,
            x + (y + length) % sites,
            x + (y - length) % sites,
        ):
            if other in link:
                while link[other] >= 0:
                    path.append(other)
                    other = link[other]
                for passed in path:
                    link[passed] = other
                path.clear()
                if other != root:
                    if link[other] < link[root]:
                        root, other = other, root
                    squares += 2 * link[root] * link[other]
                    link[root] += link[other]
                    link[other] = root
                    largest = max(largest, -link[root])
    return (time.perf_counter() - begin) / tried


def sweeps() -> None:
    """Print a line per size."""
    print("sites occupied one by one, millions per second")
    for length, samples, tried in ((256, 10, 65536), (4096, 1, SITES_TRIED)):
        newman_ziff(length, 2)
        ours = (
            best_of(lambda n=length, s=samples: newman_ziff(n, 2, samples=s), 3)
            / samples
            / length**2
        )
        theirs = plain(length, tried)
        note = "" if tried == length**2 else f" (from the first {tried}, mostly isolated)"
        print(
            f"  L = {length:4d}: ours {1e-6 / ours:5.1f}   plain Python {1e-6 / theirs:5.2f}{note}   ratio {theirs / ours:4.0f}"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        labelling()
        sweeps()
