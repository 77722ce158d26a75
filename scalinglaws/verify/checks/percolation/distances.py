"""The largest cluster of a lattice, learned from its nearest training sites: above the threshold, and at it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from .... import theory
from ....theory.percolation import critical_exponents, critical_threshold, path_dimension
from ...comparison import Comparison, Prediction, Rival
from ...estimate import exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate import percolation as simulate
from .tolerances import Array


class _Plan(NamedTuple):
    """Length of a lattice, its occupation over the threshold, training sites, and how many are drawn."""

    length: int
    factor: float
    counts: tuple[int, ...]
    replicates: int


_METRICS = {
    "euclidean_square": "squared distance in space",
    "chemical": "steps along the cluster",
    "tree": "steps along a spanning tree",
}
_SETS = 3  # of training sites on every lattice
_SHARE = 0.05  # of an exponent above 0.6: the default


@check(
    "percolation.supercritical",
    statement="the infinite cluster is learned as a homogeneous solid beyond its correlation length, and as a fractal within it",
    laws=("percolation.supercritical",),
)
def supercritical(context: Context) -> Iterator[Comparison]:
    """Squared distances to the nearest of random training sites in three dimensions, far above the threshold and just above it.

    Training sites are from 4 to 16 lattice units apart, in a homogeneous cluster beyond the correlation length, within it where
    that is tens of units. In two dimensions the two exponents differ by a twentieth and nothing could be told.
    """
    law, dimension, order = theory.law("percolation.supercritical"), 3, 2
    threshold = float(critical_threshold(dimension))
    fractal = float(law(c=order, D=float(critical_exponents(dimension).D)))
    solid = float(law.evaluate("early_exponent", c=order, d=dimension))
    quick = context.effort == "quick"
    near = (
        _Plan(96, 1.001, (60, 180, 540), 40) if quick else _Plan(256, 1.0015, (400, 1200, 4000), 40)
    )
    far = _Plan(64, 1.5, (50, 150, 500), 12) if quick else _Plan(192, 1.5, (300, 1000, 3000), 20)
    for name, plan, expected, other, what in (
        ("homogeneous", far, solid, fractal, "the fractal within its correlation length"),
        ("fractal", near, fractal, solid, "the homogeneous cluster"),
    ):

        def replicate(r: int, name: str = name, plan: _Plan = plan) -> Array:
            found = simulate.lattice_distances(
                plan.length,
                dimension,
                _SETS * plan.counts,
                occupation=plan.factor * threshold,
                periodic=True,
                metrics=("euclidean",),
                tests=context.pick(quick=2000, full=20_000),
                rng=context.generator(name, r),
            ).euclidean_square
            return np.asarray(found.reshape(_SETS, -1).mean(axis=0))

        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"exponent of the squared error at {plan.factor:g} of the threshold",
                "exponent",
                expected,
                f"{law.name}: "
                + ("form early_exponent" if name == "homogeneous" else f"{law.expr}"),
            ),
            measure(
                replicate,
                lambda rows, plan=plan: exponent_from_replicates(  # type: ignore[misc]
                    plan.counts,
                    rows,
                    method=f"{plan.replicates} periodic lattices of length {plan.length}, squared distances in space",
                ),
                replicates=plan.replicates,
                tolerance=_SHARE * expected,
            ),
            tolerance=_SHARE,
            tolerance_kind="relative",
            rival=Rival(what, other),
        )


@check(
    "percolation.which-distance",
    statement="critical clusters have one exponent for distances in space and another along their paths",
    laws=("percolation.cluster_learning", "percolation.cluster_paths"),
    effort="full",
)
def which_distance(context: Context) -> Iterator[Comparison]:
    """The largest clusters of periodic lattices in two and three dimensions; each exponent has the other as its rival.

    A target whose increments vary by the number of steps need not exist on a graph with loops; on a spanning tree it does, and its
    exponent is that of the cluster. Slopes rise where steps are fewer than some thirty: windows end before.
    """
    space, paths = (
        theory.law("percolation.cluster_learning"),
        theory.law("percolation.cluster_paths"),
    )
    for dimension, plan in (
        (2, _Plan(2048, 1.0, (30, 100, 300, 1000), 20)),
        (3, _Plan(192, 1.0, (30, 100, 300), 40)),
    ):
        D = float(critical_exponents(dimension).D)
        smooth = float(space(c=2, D=D))
        walk = float(paths(D=D, d_min=float(path_dimension(dimension))))

        @cache
        def drawn(
            r: int, dimension: int = dimension, plan: _Plan = plan
        ) -> simulate.LatticeDistances:
            return simulate.lattice_distances(
                plan.length,
                dimension,
                plan.counts,
                occupation=float(critical_threshold(dimension)),
                periodic=True,
                rng=context.generator(str(dimension), r),
            )

        for name, law, expected, other, metric, tolerance in (
            ("space", space, smooth, walk, "euclidean_square", _SHARE * smooth),
            ("paths", paths, walk, smooth, "chemical", 0.03),
            ("tree", paths, walk, smooth, "tree", 0.03),
        ):
            yield Comparison(
                f"{context.check}/{name}-{dimension}",
                Prediction(
                    f"exponent of the {_METRICS[metric]}, {dimension} dimensions",
                    "exponent",
                    expected,
                    f"{law.name}: {law.expr}",
                ),
                measure(
                    lambda r, drawn=drawn, metric=metric: getattr(drawn(r), metric),  # type: ignore[misc]
                    lambda rows, plan=plan: exponent_from_replicates(  # type: ignore[misc]
                        plan.counts,
                        rows,
                        method=f"{plan.replicates} periodic lattices of length {plan.length}",
                    ),
                    replicates=plan.replicates,
                    tolerance=tolerance,
                ),
                tolerance=tolerance,
                rival=Rival(
                    "distance along paths" if name == "space" else "squared distance in space",
                    other,
                ),
            )
