"""Limits that earlier theories describe, and the weight of a cluster: samples, cells and masked values drawn one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from .... import theory
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate import percolation as simulate
from .tolerances import CURVE_TOLERANCE, Array

_SQUARE_THRESHOLD, _SQUARE_DIMENSION = 0.592746, 91 / 48  # of sites of the square lattice


@check(
    "percolation.one-sample",
    statement="where one sample teaches a cluster, the loss is the weight of those that none has hit, with its derived prefactor",
    laws=("percolation.hutter",),
)
def one_sample_each(context: Context) -> Iterator[Comparison]:
    """Samples fall on infinitely many clusters one by one; at alpha = 1, with full effort also at 3/4 and 3/2."""
    law, samples = theory.law("percolation.hutter"), np.array([100, 300, 1000])
    draws = context.pick(quick=80, full=1000)
    for alpha in (1.0,) if context.effort == "quick" else (0.75, 1.0, 1.5):
        s = alpha / (1 + alpha)
        loss = np.array([float(law.asymptote(float(size), alpha=alpha)) for size in samples])
        expected = special.zeta(1 + alpha) ** (s - 1) / alpha * samples**-s

        def replicate(r: int, alpha: float = alpha) -> Array:
            rng = context.generator(f"alpha {alpha:g}", r)
            drawn = simulate.pruned_losses(samples, alpha=alpha, draws=draws, rng=rng)
            return np.asarray(drawn.test_loss.mean(axis=0))

        yield Comparison(
            f"{context.check}/alpha-{alpha:g}",
            Prediction(
                "loss against samples",
                "curve",
                loss,
                f"{law.name}: {law.expr}",
                x=samples.astype(float),
                domain={"samples": (float(samples[0]), np.inf)},
            ),
            measure(
                replicate,
                lambda rows: curve_from_replicates(
                    samples,
                    rows,
                    method=f"clusters not hit by samples that are drawn, {draws} times",
                ),
                replicates=12,
                tolerance=CURVE_TOLERANCE * loss,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("clusters are learned that expect one sample or more", expected),
        )


@check(
    "percolation.most-common",
    statement="a model that keeps the n most common clusters loses the weight of the others",
    laws=("percolation.michaud",),
)
def most_common(context: Context) -> Iterator[Comparison]:
    """It does not know the weights: it keeps what it has seen most often."""
    law, kept = theory.law("percolation.michaud"), np.array([32, 64, 96])
    samples, replicates = 400_000, context.pick(quick=4, full=12)
    for alpha in (1.0,) if context.effort == "quick" else (0.75, 1.0):
        loss = np.array([float(law.asymptote(float(n), alpha=alpha)) for n in kept])
        loss /= special.zeta(1 + alpha)
        yield Comparison(
            f"{context.check}/alpha-{alpha:g}",
            Prediction(
                "loss against clusters kept",
                "curve",
                loss,
                f"{law.name}: {law.expr}, for weights that add up to one",
                x=kept.astype(float),
                domain={"clusters kept": (30.0, np.inf)},
            ),
            measure(
                lambda r, alpha=alpha: simulate.remembered_losses(  # type: ignore[misc]
                    kept,
                    samples=samples,
                    alpha=alpha,
                    rng=context.generator(f"alpha {alpha:g}", r),
                )[0],
                lambda rows: curve_from_replicates(
                    kept, rows, method=f"counts of {samples} samples that are drawn"
                ),
                replicates=replicates,
                tolerance=CURVE_TOLERANCE * loss,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival(
                "exponent of data, from the first point on",
                loss[0] * (kept / kept[0]) ** (-alpha / (1 + alpha)),
            ),
        )


@check(
    "percolation.one-component",
    statement="a d-dimensional component in n pieces loses n^(-2/d) if they are constant, n^(-4/d) if they are linear",
    laws=("percolation.sharma_kaplan",),
)
def one_component(context: Context) -> Iterator[Comparison]:
    """Smooth functions on a torus cut into cubes."""
    law, cells = theory.law("percolation.sharma_kaplan"), np.array([16, 32, 64, 128])
    draws = context.pick(quick=4, full=40)
    cases = ((2, 2), (3, 2), (2, 4)) if context.effort == "quick" else ((1, 2), (2, 2), (3, 2), (2, 4), (3, 4))  # fmt: skip
    for d, c in cases:
        exponent = float(law(c=c, d=d))
        tolerance = max(0.03, CURVE_TOLERANCE * exponent)

        def replicate(r: int, d: int = d, c: int = c) -> Array:
            rng = context.generator(f"{d}/{c}", r)
            return np.asarray(
                simulate.component_losses(
                    cells, dimension=d, order=c, tests=1000, draws=draws, rng=rng
                ).mean(axis=0)
            )

        yield Comparison(
            f"{context.check}/{'constant' if c == 2 else 'linear'}-{d}",
            Prediction(
                "exponent of the squared error", "exponent", exponent, f"{law.name}: {law.expr}"
            ),
            measure(
                replicate,
                lambda rows, d=d: exponent_from_replicates(  # type: ignore[misc]
                    cells**d,
                    rows,
                    method=f"{draws} smooth functions, {cells[0]} to {cells[-1]} cells a side",
                ),
                replicates=12,
                tolerance=tolerance,
            ),
            tolerance=tolerance,
            rival=Rival("one dimension more", float(law(c=c, d=d + 1))),
        )


@check(
    "percolation.loss-reduction",
    statement="knowing a cluster saves cross-entropy as derived, and in all contexts together in proportion to its size",
    laws=("percolation.loss_reduction",),
)
def loss_reduction(context: Context) -> Iterator[Comparison]:
    """Values of a masked coordinate, drawn and counted, and lines through clusters of square lattices."""
    law, vocabulary, background = theory.law("percolation.loss_reduction"), 1000, 0.1
    extents, values = np.array([3, 10, 30, 100, 300]), context.pick(quick=10_000, full=200_000)
    gain, first = (
        np.array([float(law.evaluate(form, R=int(R), V=vocabulary, p=background)) for R in extents])
        for form in ("reduction", "first_order")
    )
    yield Comparison(
        f"{context.check}/masked",
        Prediction(
            "cross-entropy saved against extent of the cluster",
            "curve",
            gain,
            f"{law.name}, form reduction",
            x=extents.astype(float),
            domain={"extent": (1.0, float(vocabulary - 1))},
        ),
        measure(
            lambda r: simulate.masked_gains(
                extents,
                vocabulary=vocabulary,
                background=background,
                values=values,
                rng=context.generator("masked", r),
            )[0],
            lambda rows: curve_from_replicates(
                extents, rows, method=f"{values} values drawn from a vocabulary of {vocabulary}"
            ),
            replicates=40,
            tolerance=CURVE_TOLERANCE * gain,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("first order: proportional to the extent throughout", first),
    )
    lines, places = context.pick(quick=64, full=512), 4096
    edges = 16 * 4 ** np.arange(5)

    def sizes_and_weights(r: int) -> Array:
        rng = context.generator("lines", r)
        found = simulate.label_clusters(
            rng.random((lines, places)) < _SQUARE_THRESHOLD, periodic=True
        )
        weights = simulate.line_gains(found, background=0.5)
        group = np.digitize(found.sizes, edges)
        return np.array(
            [[f[group == j].mean() for j in range(1, edges.size)] for f in (found.sizes, weights)]
        )

    drawn = [sizes_and_weights(r) for r in range(context.pick(quick=6, full=12))]
    sizes = np.mean([row[0] for row in drawn], axis=0)
    yield Comparison(
        f"{context.check}/weight",
        Prediction(
            "exponent of a cluster's weight against its size",
            "exponent",
            1.0,
            f"{law.name}: extent times number of contexts is the size",
        ),
        exponent_from_replicates(
            1 / sizes,
            np.array([row[1] * sizes / row[0] for row in drawn]),
            method=f"clusters of {edges[0]} to {edges[-1]} sites, {lines} lines of {places} places at the threshold",
        ),
        tolerance=CURVE_TOLERANCE,
        rival=Rival("its extent alone, s^(1/D)", 1 / _SQUARE_DIMENSION),
    )
