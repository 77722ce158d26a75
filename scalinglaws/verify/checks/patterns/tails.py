"""Rare events of the prior: sampled probabilities against the lattice, the rate function and mean-field theory."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np

from ....errors import AccuracyWarning
from ....solvers import patterns as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, threshold_from_crossings
from ...registry import Context, check
from .tolerances import REPLICATES, mean_of

_LOG_TOLERANCE = 0.05  # absolute, of a logarithm: 5 % of a probability, whatever its size
_THRESHOLD_TOLERANCE = (
    0.05  # relative: the default for thresholds; the next term is log(N)/sqrt(15 N) < 2.4 %
)
# relative, of -log P: each of the three specialized neurons and the readout has a prefactor of half a logarithm of the cost,
# 2 log(900) = 14 of 884 at N = d = 100, and less beyond
_RATE_TOLERANCE = 0.02
_COUNT_TOLERANCE = 0.5  # of a mean number of neurons: half the distance to the next


@check(
    "patterns.tail",
    statement="importance sampling in two parts finds tail probabilities of a sum of cubes, down to 1e-50",
    no_law="the solver's probabilities of sums of cubes",
)
def tail(context: Context) -> Iterator[Comparison]:
    """Around the transition and far beyond; a single tilt misses what jumps. The lattice takes seconds per point."""
    for n, s in ((1000, 31),) if context.effort == "quick" else ((1000, 31), (100, 12), (100, 42)):
        name, samples = f"{n}-{s}", context.pick(quick=1000, full=60_000)
        exact = float(solve.log_tail(n, s).log_probability)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)  # what it misses is the point
            tilted = float(
                solve.log_tail(
                    n, s, "tilt", samples=samples, rng=context.generator(f"{name}-tilt", 0)
                ).log_probability
            )
        shared = -math.sqrt(15 * n) * (s / (15 * n) ** 0.25) ** 2 / 2
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "log probability", "threshold", exact, "solvers.patterns.log_tail, method lattice"
            ),
            mean_of(
                lambda r, n=n, s=s, name=name, samples=samples: float(  # type: ignore[misc]
                    solve.log_tail(
                        n, s, "importance", samples=samples, rng=context.generator(name, r)
                    ).log_probability
                ),
                replicates=REPLICATES,
                method=f"importance sampling in two parts, {samples} samples each",
                window=(float(s), float(s)),
            ),
            tolerance=_LOG_TOLERANCE,
            rival=Rival("a single tilt", tilted)
            if tilted > -math.inf
            else Rival("a deviation shared by all terms", shared),
            notes=()
            if tilted > -math.inf
            else ("no single tilt within the convex part reaches this deviation",),
        )


@check(
    "patterns.transition",
    statement="from a sharp threshold on one large term is likelier than a deviation that all terms share",
    no_law="the solver's threshold for sums of cubes",
)
def transition(context: Context) -> Iterator[Comparison]:
    """Where sampled probabilities with and without a jump are equal, at three sizes, extrapolated to infinitely many terms."""
    if context.effort == "quick":
        sizes, samples = (10_000, 20_000, 40_000), (100, 50, 50)
    else:
        sizes, samples = (10_000, 30_000, 100_000), (1000, 500, 200)
    sigma = np.array([0.86, 0.92])
    inverse = [np.log(n) / math.sqrt(15 * n) for n in sizes]

    def crossing(r: int) -> tuple[float, ...]:
        found = []
        for n, count in zip(sizes, samples, strict=True):
            rng = context.generator(f"size {n}", r)
            with warnings.catch_warnings():
                # errors of either logarithm count over their slopes, of the order of sqrt(15 N)
                warnings.simplefilter("ignore", AccuracyWarning)
                parts = solve.log_tail(
                    n, sigma * (15 * n) ** 0.25, "importance", samples=count, rng=rng
                )
            excess = np.asarray(parts.log_shared) - np.asarray(parts.log_jump)
            # both rates are smooth here, the difference of their slopes constant to 5 %
            found.append(
                float(sigma[0] + (sigma[1] - sigma[0]) * excess[0] / (excess[0] - excess[1]))
            )
        return (*found, float(np.polynomial.Polynomial.fit(inverse, found, 1).convert().coef[0]))

    rows = np.array([crossing(r) for r in range(REPLICATES)])
    measured = threshold_from_crossings(
        rows[:, -1],
        method=f"equal sampled probabilities at N = {sizes[0]}, {sizes[1]}, {sizes[2]}, linear in log(N)/sqrt(N)",
        window=(float(sigma[0]), float(sigma[1])),
    )
    yield Comparison(
        f"{context.check}/crossing",
        Prediction(
            "scaled deviation of equal probability",
            "threshold",
            solve.TRANSITION,
            "solvers.patterns.cube_rate, 2 3^(-3/4)",
            domain={"N": (float(sizes[0]), np.inf)},
        ),
        measured,
        tolerance=_THRESHOLD_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("the spinodal", solve.SPINODAL),
        notes=(
            "at the three sizes: "
            + ", ".join(f"{value:.4f}" for value in rows[:, :-1].mean(axis=0)),
        ),
    )


@check(
    "patterns.alignment",
    statement="mean-field theory gives the probability of aligned networks, up to prefactors, and how many neurons specialize",
    no_law="the solver's mean-field theory of rare networks, at finite sizes",
)
def alignment(context: Context) -> Iterator[Comparison]:
    """Sampled probabilities of networks as wide as their inputs are long."""
    sizes = np.array((100, 200) if context.effort == "quick" else (100, 200, 400))
    samples = context.pick(quick=100, full=10_000)
    rate, single = (
        solve.alignment_rate(sizes, sizes),
        solve.specialized_cost(sizes, sizes, neurons=1),
    )

    def draw(r: int) -> list[list[float]]:
        rng = context.generator("simulation", r)
        found = [solve.log_alignment(int(n), float(n), samples=samples, rng=rng) for n in sizes]
        return [[-entry.log_probability for entry in found], [entry.specialized for entry in found]]

    rows, method = (
        np.array([draw(r) for r in range(REPLICATES)]),
        f"importance sampling, {samples} samples",
    )
    x = sizes.astype(float)
    yield Comparison(
        f"{context.check}/rate",
        Prediction(
            "minus log probability against N = d",
            "curve",
            np.asarray(rate.rate),
            "solvers.patterns.alignment_rate",
            x=x,
            domain={"size": (100.0, np.inf)},
        ),
        curve_from_replicates(x, rows[:, 0], method=method),
        tolerance=_RATE_TOLERANCE,
        rival=Rival("a single neuron specializes", np.asarray(single.cost)),
    )
    counts = rows[:, 1, 0]
    yield Comparison(
        f"{context.check}/neurons",
        Prediction(
            "mean number of specialized neurons",
            "threshold",
            float(np.asarray(rate.specialized)[0]),
            "solvers.patterns.alignment_rate",
        ),
        mean_of(
            lambda r: float(counts[r]), replicates=REPLICATES, method=method, window=(x[0], x[0])
        ),
        tolerance=_COUNT_TOLERANCE,
        rival=Rival("a single neuron", 1.0),
    )
