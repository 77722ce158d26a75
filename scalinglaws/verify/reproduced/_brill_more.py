"""Clusters of lattices and trees, as the figures of Brill need them: their ranks, and their exponents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from ...formatting import percent
from ...solvers.percolation import (
    bethe_data_loss,
    cluster_cutoff,
    cluster_size_probability,
)
from ...theory.percolation import critical_exponents, critical_threshold, rank_exponent
from ..plots.style import CASES, SIMULATION, THEORY
from ..registry import Context
from ..simulate import percolation as simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_LARGEST, _SMALLEST = 10**9, 10  # sites of the trees that are ranked, and of those that tell tau


class BelowThreshold(NamedTuple):
    """Losses over that without samples, simulated and summed over all sizes, at some samples and at many; k_xi."""

    samples: Array
    simulated: Array
    expected: Array
    fine: Array
    exact: Array
    crossover: float


class Plan(NamedTuple):
    """Length and number of lattices, first and last power of 4 where windows begin, and lengths for the largest cluster."""

    length: int
    samples: int
    powers: tuple[int, int]
    lengths: tuple[int, ...]


_QUICK = {
    2: Plan(1024, 12, (3, 5), (32, 64, 128)),
    3: Plan(96, 40, (3, 4), (12, 24, 48)),
    4: Plan(32, 24, (3, 3), (6, 10, 16)),
}
_FULL = {
    2: Plan(4096, 20, (4, 7), (32, 64, 128)),
    3: Plan(256, 20, (4, 6), (16, 32, 64)),
    4: Plan(64, 20, (4, 4), (8, 16, 24)),
    5: Plan(28, 60, (4, 4), (6, 10, 14)),
    6: Plan(16, 20, (3, 5), (6, 8, 10)),
}


def lattices(
    context: Context, dimension: int, length: int, samples: int, roots: int
) -> simulate.LatticeSamples:
    """Draw periodic lattices at their threshold."""
    return simulate.sample_lattices(
        length,
        dimension,
        occupation=float(critical_threshold(dimension)),
        samples=samples,
        roots=roots,
        rng=context.generator(f"{dimension} dimensions", length),
    )


def plans_of(context: Context) -> dict[int, Plan]:
    """Return the clusters to simulate at an effort, by dimension."""
    return _QUICK if context.effort == "quick" else _FULL


def beside(found: simulate.LatticeEstimate, known: float) -> str:
    """Say how far an estimate is from what is known."""
    error = math.hypot(found.standard_error, found.systematic_error or 0.0)
    return f"{found.value:.3f} +- {error:.3f} ({known:.3f})"


def tree_ranks(context: Context, axes: Axes) -> str:
    """Draw sizes of clusters of a Bethe lattice on the power of the law, and measure tau."""
    count = context.pick(quick=6000, full=60_000)
    found = simulate.rooted_sizes(count, largest=_LARGEST, rng=context.generator("roots", 0))
    sizes = np.sort(found.sizes)[::-1].astype(float)
    rank = np.unique(np.geomspace(1, count, 200).round().astype(int))
    z, p = found.coordination, found.occupation
    far = 1e6  # there P(S >= s) = 2 s P(S = s), as for any tail s^-1/2
    tail = 2 * far * float(cluster_size_probability(far, coordination=z, occupation=p))
    exponent = float(rank_exponent(critical_exponents(6).tau.value, ensemble="site_rooted"))
    axes.plot(rank, sizes[rank - 1], "o", color=SIMULATION, ms=3.5, label=f"Bethe lattice, z = {z}")
    low, high = (far * (count * tail / gammaincinv(rank, q)) ** exponent for q in (0.975, 0.025))
    axes.fill_between(rank, low, high, color=THEORY, alpha=0.15, lw=0, label="95 % of samples")
    axes.plot(
        rank,
        far * (rank / (count * tail)) ** -exponent,
        color=THEORY,
        lw=1.5,
        label=f"$k^{{-{exponent:g}}}$, with its constant",
    )
    tau = simulate.rooted_exponent(
        found.sizes[found.sizes >= _SMALLEST], smallest=_SMALLEST, largest=_LARGEST, coordination=z
    )
    inside = float(np.mean((sizes[rank - 1] >= low) & (sizes[rank - 1] <= high)))
    axes.set_title("clusters of random sites, six dimensions", loc="left", fontsize=11)
    return (
        f"On the Bethe lattice tau is {beside(tau, 2.5)} for clusters of {_SMALLEST} sites or more, the derived value in brackets, and "
        f"{percent(inside, 2)} of the drawn ranks are within the band of a sample of this size."
    )


def lattice_ranks(context: Context, axes: Axes) -> str:
    """Draw ranks on lattices in both ensembles."""
    dimension, plan, power = 3, plans_of(context)[3], context.pick(quick=3, full=4)
    samples = lattices(context, dimension, plan.length, plan.samples, 10_000)
    tau, said, apart = critical_exponents(dimension).tau.value, [], 0.0
    published = float(rank_exponent(tau, ensemble="site_rooted"))
    for (ensemble, words), tails, (color, marker) in zip(
        {"site_rooted": "drawn by a site", "lattice": "each counted once"}.items(),
        (samples.tail_roots, samples.tail_clusters),
        (CASES[0], CASES[1]),
        strict=True,
    ):
        rank = tails.mean(axis=0)
        size = 4.0 ** np.arange(rank.size)
        used = rank >= 1
        exponent = float(rank_exponent(tau, ensemble=ensemble))
        found = simulate.rank_exponent(samples, ensemble=ensemble, powers=(power, power))
        axes.plot(rank[used], size[used], marker, color=color, ms=5, label=words)
        axes.plot(
            rank[used],
            size[power] * (rank[used] / rank[power]) ** -exponent,
            color=color,
            lw=1.5,
            label=f"derived: $k^{{-{exponent:.3f}}}$",
        )
        said.append(f"{found.value:.2f} +- {found.standard_error:.2f} ({exponent:.2f}) if {words}")
        apart = abs(found.value - published) / found.standard_error
    axes.set_title(f"lattices of {plan.length}$^3$ sites", loc="left", fontsize=11)
    axes.set_ylim(0.3, 3 * size[used].max())
    return (
        f"In three dimensions sizes of 4^{power} to 4^{power + 1} sites fall as k to the power {' and '.join(said)}, derived ones in "
        f"brackets: from the published exponent, clusters counted once are {apart:.0f} standard errors away."
    )


def measured_exponents(
    context: Context, dimension: int, plan: Plan
) -> tuple[simulate.LatticeEstimate, simulate.LatticeEstimate]:
    """Return D and tau of simulated lattices."""
    count = context.pick(quick=200, full=400)
    groups = [lattices(context, dimension, length, count, 0) for length in plan.lengths]
    tails = lattices(context, dimension, plan.length, plan.samples, 0)
    return simulate.fractal_dimension(groups), simulate.fisher_exponent(tails, powers=plan.powers)


def below_threshold(context: Context, distance: float) -> BelowThreshold:
    """Draw samples from clusters grown at a relative distance below the threshold of a Bethe lattice."""
    clusters, z, beta = 20_000, 12, 0.5
    critical = 1 / (z - 1)
    occupation = critical * (1 - distance)
    far = 1e6
    share = far**1.5 * float(
        cluster_size_probability(far, coordination=z, occupation=critical)
    )  # of sizes s at the threshold, times s^(3/2)
    cutoff = float(cluster_cutoff(coordination=z, occupation=occupation))
    samples, fine = np.geomspace(30, 3e5, 9).round(), np.geomspace(10, 1e6, 36)
    rows = []
    for r in range(context.pick(quick=4, full=40)):
        rng = context.generator(f"distance {distance:g}", r)
        grown = simulate.rooted_sizes(clusters, occupation=occupation, largest=10**7, rng=rng)
        rows.append(simulate.listed_losses(grown.sizes, samples, exponent=beta, rng=rng))
    expected, exact = (
        np.asarray(
            bethe_data_loss(
                x, clusters=clusters, coordination=z, occupation=occupation, exponent=beta
            )
        )
        for x in (samples, fine)
    )
    crossover = 2 * share * clusters * math.sqrt(cutoff)
    return BelowThreshold(samples, np.array(rows).mean(axis=0), expected, fine, exact, crossover)
