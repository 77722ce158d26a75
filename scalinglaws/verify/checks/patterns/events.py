"""Rare networks of the prior, found without assuming a pattern: how their probability falls with the sizes, and what they look like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from ....solvers import patterns as solve
from ....theory import law
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates
from ...registry import Context, check
from ...simulate.patterns import AlignmentCost, anneal_alignment
from .._measured import mean_over
from .tolerances import exponent_tolerance

_STRENGTH = 8 / (
    3 * math.pi
)  # squared overlap of a neuron whose weight along the target is large, in units of the toy's
_COST = 0.02  # relative: the length across the target is its mean, below one by 1/d, which is 0.5 %; as much for the integral
_NUMBER = 0.12  # relative: weights beyond 0.7 are counted here, and beyond 1 there
_DIMENSION = 64
_SWEEPS, _MOST_SWEEPS = 40, 600  # of each level
_MOVES, _MOVES_OF_FEW = 6000, 20_000  # few neurons are few chances that one becomes large


def growth(
    context: Context,
    name: str,
    sizes: tuple[int, ...],
    cost: Callable[[int, np.random.Generator], AlignmentCost],
) -> tuple[Measurement, tuple[str, ...]]:
    """Measure the exponent of the cost in the dimension, sign reversed, and tell the mean costs."""
    draws = context.pick(quick=4, full=9)
    costs = np.array(
        [[cost(d, context.generator(f"{name}-{d}", r)).cost for d in sizes] for r in range(draws)]
    )
    slopes = np.polyfit(np.log(sizes), np.log(costs).T, 1)[0]
    measured = mean_over(
        -slopes, f"weights moved neuron by neuron, d = {sizes[0]:g} to {sizes[-1]:g}", sizes[-1]
    )
    told = ", ".join(f"{mean:.5g}" for mean in costs.mean(axis=0))
    return measured, (
        f"minus the logarithms of the probability at d = {', '.join(f'{d:g}' for d in sizes)}: {told}",
    )


@check(
    "patterns.event",
    statement="aligned networks of two layers get rarer with the sizes as the cheapest pattern says, of which the simulation knows nothing",
    laws=("patterns.two_layer",),
    compiles=3.0,
)
def rare_networks(context: Context) -> Iterator[Comparison]:
    """As wide as its input, where three neurons specialize, and narrow, where one does in part; networks have the true error function."""
    formula = law("patterns.two_layer")
    cases: list[tuple[Fraction, tuple[int, ...], str, float]] = [
        (
            Fraction(1),
            ((40, 80, 160) if context.effort == "quick" else (40, 80, 160, 320)),
            "Gaussian feature learning",
            1.5,
        ),
        (
            Fraction(1, 4),
            (10_000, 1_000_000, 100_000_000),
            "Gaussian feature learning",
            15 / 16,
        ),
    ]
    if context.effort == "full":
        cases.append((Fraction(3, 2), (32, 64, 128, 256), "Gaussian feature learning", 15 / 8))
    for width, sizes, told, other in cases:
        name = f"{width.numerator}-{width.denominator}"
        exponent = float(formula(n=width))

        moves = _MOVES if width >= 1 else _MOVES_OF_FEW

        def cost(
            d: int, rng: np.random.Generator, power: float = float(width), moves: int = moves
        ) -> AlignmentCost:
            n = round(d**power)
            sweeps = min(max(_SWEEPS, moves // n), _MOST_SWEEPS)
            return anneal_alignment(n, d, sweeps=sweeps, rng=rng)

        measured, notes = growth(context, name, sizes, cost)
        yield Comparison(
            f"{context.check}/exponent-{name}",
            Prediction(
                f"exponent of -log P(A >= 1) in d, N = d^({width}), sign reversed",
                "exponent",
                -exponent,
                formula.name,
                domain={"dimension": (float(sizes[0]), math.inf)},
            ),
            measured,
            tolerance=exponent_tolerance(exponent),
            rival=Rival(told, -other),
            notes=notes,
        )


@check(
    "patterns.filters",
    statement="aligned linear networks of patches become unlikely as d^(3/4) where patches, filters and their number are all d^(1/2)",
    laws=("patterns.convolutional",),
    refutes=("patterns.convolutional",),
)
def rare_filters(context: Context) -> Iterator[Comparison]:
    """A prior of channels that all see all patches; as printed, a single channel costs d."""
    formula = law("patterns.convolutional")
    assert formula.published is not None
    exponent = float(formula(n=0.5, s=0.5))
    sizes = (
        (10_000, 100_000, 1_000_000)
        if context.effort == "quick"
        else (100_000, 1_000_000, 10_000_000)
    )

    def cost(d: int, rng: np.random.Generator) -> AlignmentCost:
        root = round(math.sqrt(d))
        return anneal_alignment(
            root, root, degree=1, activation="linear", patches=root, levels=8, sweeps=20, rng=rng
        )

    measured, notes = growth(context, "filters", sizes, cost)
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent of -log P(A >= 1) in d, N = S = C = d^(1/2), sign reversed",
            "exponent",
            -exponent,
            formula.name,
            domain={"dimension": (float(sizes[0]), math.inf)},
        ),
        measured,
        tolerance=exponent_tolerance(exponent),
        rival=Rival("one channel, as published", -1.0),
        notes=notes,
    )


@check(
    "patterns.specialization",
    statement="how many neurons specialize, and what that costs, against the width, from a quarter of the input's dimension on",
    no_law="the solver's numbers at finite sizes, all factors included",
    effort="full",
)
def specialization(context: Context) -> Iterator[Comparison]:
    """Neurons whose weights across the target keep their length, as the solver's; the alignment is set for the solver's overlap."""
    widths, draws = (16, 64, 256, 1024), 6
    x = np.array(widths, dtype=float)
    found = [
        [
            anneal_alignment(
                n,
                _DIMENSION,
                alignment=math.sqrt(_STRENGTH),
                held=True,
                levels=20,
                sweeps=60,
                rng=context.generator(f"{n}", r),
            )
            for n in widths
        ]
        for r in range(draws)
    ]
    method = "weights moved neuron by neuron; the last level for the number"
    theory = solve.alignment_rate(widths, _DIMENSION)
    single = solve.specialized_cost(widths, _DIMENSION, neurons=1)
    yield Comparison(
        f"{context.check}/cost",
        Prediction(
            f"minus log probability against the width, d = {_DIMENSION}",
            "curve",
            np.asarray(theory.corrected),
            "solvers.patterns.alignment_rate, corrected",
            x=x,
        ),
        curve_from_replicates(
            x, np.array([[entry.cost for entry in row] for row in found]), method=method
        ),
        tolerance=_COST,
        rival=Rival("a single neuron specializes", np.asarray(single.cost)),
    )
    numbers = np.array([row[-1].specialized[-1] for row in found])
    yield Comparison(
        f"{context.check}/neurons",
        Prediction(
            f"neurons that specialize at N = {widths[-1]}",
            "threshold",
            float(np.asarray(theory.specialized)[-1]),
            "solvers.patterns.alignment_rate",
        ),
        mean_over(numbers, method, float(widths[-1])),
        tolerance=_NUMBER,
        tolerance_kind="relative",
        rival=Rival("three, as at N = d", 3.0),
        notes=tuple(
            f"N = {n}: {np.mean([row[i].specialized[-1] for row in found]):.2f}"
            for i, n in enumerate(widths)
        ),
    )
