"""Away from the threshold: where the loss leaves its plateau, the one curve on which all distances fall, and clusters above it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers import percolation as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate import percolation as simulate
from .tolerances import COORDINATION, CURVE_TOLERANCE, Array

_THRESHOLD = 1 / (COORDINATION - 1)
_HALF = 0.5  # beta: piecewise constant on critical clusters
_CUTOFFS = 8  # a finite cluster has this many times the cutoff at most: 6e-5 of their sites are in larger ones
_UNITS = np.array([1.0, 3.0, 10.0, 30.0])  # samples over the crossover rank
_TAU, _SIGMA = 2.5, 0.5  # of trees
_SIDES = ("below", "above")
_GROWN = "clusters grown around random sites"


def _dual(occupation: float) -> float:
    """Return the occupation below the threshold whose clusters are the finite ones at the given occupation."""
    return (
        occupation
        if occupation < _THRESHOLD
        else float(solve.dual_occupation(coordination=COORDINATION, occupation=occupation))
    )


def _crossover_rank(clusters: float, occupation: float) -> float:
    """Return k_xi by the law, whose two amplitudes are those of a tree at its threshold."""
    z = COORDINATION
    share = z / math.sqrt(
        2 * math.pi * (z - 1) * (z - 2)
    )  # of clusters with s sites, times s^(3/2)
    law = theory.law("percolation.subcritical_crossover")
    return float(
        law.evaluate(
            "crossover",
            K=clusters,
            s_min=(2 * share) ** 2,
            A=2 * (z - 2) / (z - 1) ** 3,
            tau=_TAU,
            sigma=_SIGMA,
            r=1 / (_THRESHOLD - _dual(occupation)),
        )
    )


def _sizes(context: Context, side: str, distance: float, rank: int, r: int) -> tuple[Array, Any]:
    """Return sizes of as many clusters as put the crossover at a rank, and the stream of random numbers that goes on."""
    rng = context.generator(f"{side}/{distance}", r)
    occupation = _THRESHOLD * (1 + (distance if side == "above" else -distance))
    cutoff = 1 / float(solve.cluster_cutoff(coordination=COORDINATION, occupation=occupation))
    grown = simulate.rooted_sizes(
        round(rank / _crossover_rank(1.0, occupation)),
        coordination=COORDINATION,
        occupation=occupation,
        largest=round(_CUTOFFS * cutoff),
        rng=rng,
    )
    return grown.sizes.astype(float), rng


@check(
    "percolation.off-threshold",
    statement="away from the threshold the loss has a plateau that ends where the law says, and one curve for all distances",
    laws=("percolation.subcritical_crossover",),
)
def plateau(context: Context) -> Iterator[Comparison]:
    """Sites drawn from grown clusters at three distances; at full effort also above the threshold, from the finite ones."""
    rank, replicates = 400, context.pick(quick=16, full=40)
    samples = np.rint(_UNITS * rank)
    curve = np.asarray(
        solve.crossover_data_loss(samples, alpha=1, exponent=_HALF, crossover_rank=float(rank))
    )
    for side in _SIDES if context.effort == "full" else _SIDES[:1]:
        for distance in (0.03, 0.015, 0.0075):

            def replicate(r: int, side: str = side, distance: float = distance) -> Array:
                sizes, rng = _sizes(context, side, distance, rank, r)
                return np.asarray(simulate.listed_losses(sizes, samples, exponent=_HALF, rng=rng))

            yield Comparison(
                f"{context.check}/{side}-{distance:g}",
                Prediction(
                    f"loss against samples over k_xi, at {distance:g} of the threshold {side} it",
                    "curve",
                    curve,
                    "solvers.percolation.crossover_data_loss, k_xi by the law",
                    x=_UNITS,
                    domain={"P/k_xi": (float(_UNITS[0]), float(_UNITS[-1]))},
                ),
                measure(
                    replicate,
                    lambda rows: curve_from_replicates(
                        _UNITS, rows, method=f"sites drawn from {_GROWN}, {rank} of them large"
                    ),
                    replicates=replicates,
                    tolerance=CURVE_TOLERANCE * curve,
                ),
                tolerance=CURVE_TOLERANCE,
                tolerance_kind="relative",
                rival=Rival(
                    "the critical law, P^(-1/2) from the first point on",
                    curve[0] * _UNITS**-0.5,
                ),
            )


@check(
    "percolation.crossover-exponent",
    statement="half is learned from a number of samples in proportion to the distance from the threshold",
    laws=("percolation.subcritical_crossover",),
    effort="full",
)
def crossover_exponent(context: Context) -> Iterator[Comparison]:
    """Sites drawn from grown clusters at three distances below the threshold.

    A lattice has clusters of one site and none smaller, so that the samples that learn half are fewer by some two epsilon at
    p = p_c (1 - epsilon): between .02 and .002 that takes .02 from the exponent, within its tolerance.
    """
    law = theory.law("percolation.subcritical_crossover")
    distances, rank = np.array([0.02, 0.0063, 0.002]), 400
    samples = np.rint(rank * np.geomspace(12.0, 60.0, 9))

    def replicate(r: int) -> Array:
        halves = []
        for distance in distances.tolist():
            sizes, rng = _sizes(context, "below", distance, rank, r)
            losses = np.asarray(simulate.listed_losses(sizes, samples, exponent=_HALF, rng=rng))
            halves.append(np.exp(np.interp(-0.5, -losses, np.log(samples))) / sizes.size)
        return np.array(halves)

    yield Comparison(
        f"{context.check}/half-learned",
        Prediction(
            "exponent of the samples that learn half, per cluster, against the distance from the threshold",
            "exponent",
            float(law(tau=_TAU, sigma=_SIGMA)),
            f"{law.name}: {law.expr}",
        ),
        measure(
            replicate,
            lambda rows: exponent_from_replicates(
                1 / (_THRESHOLD * distances),
                rows,
                method=f"sites drawn from {_GROWN}, {rank} of them large",
            ),
            replicates=120,
            tolerance=CURVE_TOLERANCE,
        ),
        tolerance=CURVE_TOLERANCE,
        rival=Rival("the critical law, which knows of no distance", 0.0),
    )


@check(
    "percolation.duality",
    statement="above the threshold, finite clusters have the sizes of another occupation below it",
    no_law="an identity of trees, which the solver's dual occupation states",
)
def duality(context: Context) -> Iterator[Comparison]:
    """Shares of the finite clusters with more than s sites, far above the threshold; nothing is expanded."""
    occupation, sizes = 1.5 * _THRESHOLD, np.array([1, 2, 4, 8])
    clusters, replicates = context.pick(quick=15_000, full=100_000), 16
    every = np.arange(1, int(sizes[-1]) + 1)

    def beyond(p: float) -> Array:
        found = np.asarray(
            solve.cluster_size_probability(every, coordination=COORDINATION, occupation=p)
        )
        return np.asarray(1 - np.cumsum(found)[sizes - 1])

    def replicate(r: int) -> Array:
        grown = simulate.rooted_sizes(
            clusters,
            coordination=COORDINATION,
            occupation=occupation,
            largest=500,
            rng=context.generator("simulation", r),
        ).sizes
        return np.array([float(np.mean(grown > s)) for s in sizes])

    expected = beyond(_dual(occupation))
    yield Comparison(
        f"{context.check}/sizes",
        Prediction(
            "share of the finite clusters with more than s sites",
            "curve",
            expected,
            "solvers.percolation.cluster_size_probability at dual_occupation",
            x=sizes,
            domain={"s": (float(sizes[0]), float(sizes[-1]))},
        ),
        measure(
            replicate,
            lambda rows: curve_from_replicates(
                sizes, rows, method=f"{replicates} times {clusters} finite clusters"
            ),
            replicates=replicates,
            tolerance=CURVE_TOLERANCE * expected,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival(
            "the mirror image, as far below the threshold", beyond(2 * _THRESHOLD - occupation)
        ),
    )
