"""A softmax head that reads sequences, and a prior that is weighed network by network."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar

from ....arguments import Array
from ....solvers import patterns as solve
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.patterns import head_overlap, weigh_networks
from .._measured import mean_over
from .tolerances import exponent_tolerance

_LENGTHS, _POWER = (16, 64, 256), 0.5  # of sequences, L = d^(1/2)
_COUPLINGS = np.geomspace(0.1, 1.6, 7)
_OVERLAP = 0.05  # relative: a quarter of what saturation takes away
_NOISE = 10.0  # much more than the labels' variance: the bound is reached up to its inverse
_BITS = (6, 8, 10, 12)
_CONSTANT = 0.1  # relative: the next term, 1/(2 noise), twice


@check(
    "patterns.head",
    statement="a head that compares positions costs samples as the root of their number, over both prior deviations, and saturates later",
    laws=("patterns.attention",),
    refutes=("patterns.attention",),
)
def reading_head(context: Context) -> Iterator[Comparison]:
    """Least cost over score and value of a head whose overlap is measured on sequences; sequences as long as the root of the dimension."""
    formula = law("patterns.attention")
    assert formula.published is not None
    exponent = float(formula(ell=_POWER))
    dimensions = np.array([length ** (1 / _POWER) for length in _LENGTHS])
    draws, sequences = context.pick(quick=6, full=16), context.pick(quick=24, full=200)

    def least(length: int, dimension: float, overlap: Array) -> float:
        # scores of prior deviation 1/d, values of d^(-1/2)
        curve = make_interp_spline(np.log(_COUPLINGS), np.log(overlap), k=3)
        found = minimize_scalar(
            lambda x: (
                math.exp(2 * x) * dimension**2 / 2
                + length * dimension / 2 * math.exp(-2 * float(curve(x)))
            ),
            bounds=(math.log(_COUPLINGS[0]), math.log(_COUPLINGS[-1])),
            method="bounded",
        )
        return float(found.fun)

    slopes = []
    for r in range(draws):
        costs = [
            least(
                length,
                float(d),
                head_overlap(
                    _COUPLINGS,
                    length,
                    draws=sequences,
                    rng=context.generator(f"sequences-{length}", r),
                ).mean(axis=0),
            )
            for length, d in zip(_LENGTHS, dimensions, strict=True)
        ]
        slopes.append(float(np.polyfit(np.log(dimensions), np.log(costs), 1)[0]))
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent of the cost in d, L = d^(1/2), sign reversed",
            "exponent",
            -exponent,
            formula.name,
            domain={"dimension": (float(dimensions[0]), math.inf)},
        ),
        mean_over(
            -np.array(slopes),
            f"overlaps on {sequences} sequences of {_LENGTHS[0]} to {_LENGTHS[-1]} tokens; least cost over both weights",
            float(dimensions[-1]),
        ),
        tolerance=exponent_tolerance(exponent),
        rival=Rival("the power of the length alone, as published", -_POWER / 2),
    )
    length, coupling = 64, 2.0
    rows = head_overlap(
        [coupling],
        length,
        draws=context.pick(quick=800, full=4000),
        rng=context.generator("overlap", 0),
    )[:, 0]
    yield Comparison(
        f"{context.check}/overlap",
        Prediction(
            f"overlap at a coupling of {coupling:g}, {length} tokens",
            "threshold",
            float(solve.attention_overlap(coupling, length)),
            "solvers.patterns.attention_overlap",
        ),
        mean_over(rows, "sequences read by the head", float(length)),
        tolerance=_OVERLAP,
        tolerance_kind="relative",
        rival=Rival("linear in the coupling", (1 - 1 / length) * coupling),
    )


@check(
    "patterns.bound",
    statement="a posterior whose networks differ everywhere is aligned at the bound's samples, in proportion to the cost, or little later",
    laws=("patterns.unlearnability_bound",),
    refutes=("patterns.unlearnability_bound",),
)
def weighed_networks(context: Context) -> Iterator[Comparison]:
    """All parities of up to twelve bits: outputs and labels have variance one, and the noise ten times that."""
    formula = law("patterns.unlearnability_bound")
    assert formula.constant is not None
    values = {"sigma2": _NOISE, "K": 1, "y2": 1}
    constant = float(
        formula.constant.subs(
            {symbol: values[str(symbol)] for symbol in formula.constant.free_symbols}
        )
    )
    draws = context.pick(quick=8, full=40)
    found = [
        weigh_networks(bits, noise=_NOISE, draws=draws, rng=context.generator(f"{bits}", 0))
        for bits in _BITS
    ]
    costs = np.array([each.cost for each in found])
    samples = np.array([each.samples for each in found])
    method = f"all networks weighed, {_BITS[0]} to {_BITS[-1]} bits; one data set per replicate"
    exponent = float(formula())
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent in the cost of the samples that align half of the posterior, sign reversed",
            "exponent",
            -exponent,
            formula.name,
        ),
        mean_over(-np.polyfit(np.log(costs), np.log(samples), 1)[0], method, costs[-1]),
        tolerance=exponent_tolerance(exponent),
        rival=Rival("one over the eigenvalue of a lazy kernel, 2^bits", -float(costs.mean())),
    )
    yield Comparison(
        f"{context.check}/constant",
        Prediction(
            "these samples over the cost",
            "threshold",
            constant,
            f"{formula.name}: two times the noise over the variances of outputs and labels",
        ),
        mean_over((samples / costs[:, None]).mean(axis=0), method, costs[-1]),
        tolerance=_CONSTANT,
        tolerance_kind="relative",
        rival=Rival("one, as published", 1.0),
        notes=(
            f"least samples of a data set over the bound's: {np.min(samples / (constant * costs[:, None])):.4f}",
        ),
    )
