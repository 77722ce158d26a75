"""When clusters are learned one by one, how many of them samples show, and what is lost without repetitions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .... import theory
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import percolation as simulate
from .tolerances import CURVE_TOLERANCE, Array


@check(
    "percolation.emerging",
    statement="single clusters are half learned after numbers of samples that grow as their inverse weights, with the derived prefactor",
    laws=("percolation.emergence",),
)
def plateau_and_collapse(context: Context) -> Iterator[Comparison]:
    """Losses of single clusters while samples fall on infinitely many; where their mean crosses one half."""
    law, ranks, alpha = theory.law("percolation.emergence"), np.array([3, 5, 8]), 1.0
    draws = context.pick(quick=300, full=4000)
    for beta in (0.5,) if context.effort == "quick" else (0.5, 1.0, 2.0):
        half = np.array(
            [float(law.evaluate("samples", k=int(k), alpha=alpha, beta=beta)) for k in ranks]
        )
        ladder = np.unique(np.rint(np.geomspace(half[0] / 1.6, 1.6 * half[-1], 24)).astype(int))

        def crossings(r: int, beta: float = beta, ladder: NDArray[np.int64] = ladder) -> Array:
            rng = context.generator(f"beta {beta:g}", r)
            loss = simulate.emerging_losses(
                ranks, ladder, alpha=alpha, exponent=beta, draws=draws, rng=rng
            ).mean(axis=0)
            falling = np.minimum.accumulate(loss, axis=1)
            return np.exp([np.interp(-0.5, -rows, np.log(ladder)) for rows in falling])

        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "samples after which a cluster is half learned, against its rank",
                "curve",
                half,
                f"{law.name}, form samples",
                x=ranks.astype(float),
                domain={"rank": (3.0, np.inf)},
            ),
            measure(
                crossings,
                lambda rows: curve_from_replicates(
                    ranks, rows, method=f"samples that are drawn, {draws} times"
                ),
                replicates=12,
                tolerance=CURVE_TOLERANCE * half,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival(
                "when the mean number of samples leaves one half, 2^(1/beta)",
                half * 2 ** (1 / beta) / float(law.evaluate("mean", beta=beta)),
            ),
        )


@check(
    "percolation.room",
    statement="samples show as many clusters as derived, and a model with room for more learns no more",
    laws=("percolation.capacity",),
)
def limits_of_learning(context: Context) -> Iterator[Comparison]:
    """Different clusters among samples that are drawn, and models that keep as many of them as they have room for."""
    law, samples, alpha = theory.law("percolation.capacity"), np.array([300, 1000, 3000]), 1.0
    draws = context.pick(quick=20, full=400)
    distinct, expected = (
        np.array([float(law.evaluate("distinct", P=int(P), alpha=alpha)) for P in samples]),
        (samples / special.zeta(1 + alpha)) ** (1 / (1 + alpha)),
    )
    yield Comparison(
        f"{context.check}/distinct",
        Prediction(
            "different clusters against samples",
            "curve",
            distinct,
            f"{law.name}: {law.expr}",
            x=samples.astype(float),
            domain={"samples": (float(samples[0]), np.inf)},
        ),
        measure(
            lambda r: simulate.pruned_losses(
                samples, alpha=alpha, draws=draws, rng=context.generator("distinct", r)
            ).kept.mean(axis=0),
            lambda rows: curve_from_replicates(
                samples, rows, method=f"clusters of samples that are drawn, {draws} times"
            ),
            replicates=12,
            tolerance=CURVE_TOLERANCE * distinct,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("clusters that expect one sample or more", expected),
    )
    pool = 3000
    rooms = np.rint(distinct[-1] * np.array([2.0, 4.0, 8.0])).astype(int)
    floor = np.full(rooms.size, float(law.evaluate("unseen", P=pool, alpha=alpha)))
    more = context.pick(quick=40, full=400)
    yield Comparison(
        f"{context.check}/more-room",
        Prediction(
            "loss against room for clusters",
            "curve",
            floor,
            f"{law.name}, form unseen",
            x=rooms.astype(float),
            domain={"room": (float(distinct[-1]), np.inf)},
        ),
        measure(
            lambda r: simulate.remembered_losses(
                rooms,
                samples=pool,
                alpha=alpha,
                draws=more,
                rng=context.generator("more-room", r),
            ).mean(axis=0),
            lambda rows: curve_from_replicates(
                rooms, rows, method=f"the most common clusters among {pool} samples, {more} times"
            ),
            replicates=12,
            tolerance=CURVE_TOLERANCE * floor,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival(
            "a model that knows the largest clusters",
            rooms**-alpha / alpha / special.zeta(1 + alpha),
        ),
    )


@check(
    "percolation.pruned",
    statement="without repetitions the loss falls with what is kept of the samples with the exponent of models, alpha",
    laws=("percolation.pruning",),
)
def pruned(context: Context) -> Iterator[Comparison]:
    """One sample of each cluster is kept of pools that are drawn."""
    law, pools = theory.law("percolation.pruning"), np.array([300, 1000, 3000])
    draws = context.pick(quick=40, full=1000)
    for alpha in (1.0,) if context.effort == "quick" else (0.75, 1.0, 1.5):
        drawn = [
            simulate.pruned_losses(
                pools, alpha=alpha, draws=draws, rng=context.generator(f"alpha {alpha:g}", r)
            )
            for r in range(12)
        ]
        kept = np.mean([found.kept.mean(axis=0) for found in drawn], axis=0)
        loss, unpruned = (
            np.array([float(law.evaluate(form, Q=float(Q), alpha=alpha)) for Q in kept])
            for form in ("loss", "unpruned")
        )
        yield Comparison(
            f"{context.check}/alpha-{alpha:g}",
            Prediction(
                "loss against samples kept",
                "curve",
                loss,
                f"{law.name}: {law.expr}",
                x=kept,
                domain={"samples kept": (20.0, np.inf)},
            ),
            curve_from_replicates(
                kept,
                np.array([found.test_loss.mean(axis=0) for found in drawn]),
                method=f"one sample of each cluster of pools of {pools[0]} to {pools[-1]}, {draws} times",
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("as many samples that are not chosen", unpruned),
        )
