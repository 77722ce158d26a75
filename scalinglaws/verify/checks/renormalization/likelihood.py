"""Quartic losses: what the kernel cut off learns with the likelihood that integrated modes have changed, and with the bare one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from ....arguments import Array
from ....solvers import renormalization as solve
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.renormalization import orthogonal_features, sample_likelihood
from .._measured import mean_over

_ALPHA, _LOW = 0.5, 5
_SHARE = 0.25  # of the bare loss's mean square: half of its deviation
_REACH, _NODES = 10.0, 801


@check(
    "renormalization.likelihood",
    statement="under a quartic loss the kernel cut off learns what the full one does if its likelihood has flowed, not with the bare one",
    no_law="a likelihood at finite cutoffs, no power of anything",
    compiles=8.0,
)
def sampled_likelihoods(context: Context) -> Iterator[Comparison]:
    """Low modes by elliptical slices on the same data, full and cut off: losses of each datum, and a loss over a grid."""
    yield from _per_datum(context)
    yield from _over_a_grid(context)


def _means(context: Context, name: str, features: Array, target: Array, **given: Any) -> Array:
    """Return posterior means of the low modes from two independent halves of the chains, so that their product has no bias."""
    count = features.shape[1]
    halves = [
        sample_likelihood(
            features,
            target,
            eigenvalues=np.arange(1, count + 1.0) ** -(1 + _ALPHA),
            modes=_LOW,
            chains=2,
            draws=context.pick(quick=200 if len(target) > 100 else 700, full=4000),
            warmup=50,
            rng=context.generator(name, half),
            **given,
        ).means
        for half in (0, 1)
    ]
    return np.array(halves)


def _square(one: Array, other: Array) -> float:
    """Return the mean squared difference of low modes, without what sampling errors add to it."""
    first, second = one - other
    return float(np.mean(first * second))


def _comparison(
    context: Context,
    name: str,
    source: str,
    flowed: list[float],
    bare: list[float],
    method: str,
    samples: int,
) -> Comparison:
    """Compare both deviations by the ratio of their means; every replicate is a data set and a target."""
    one, other = np.array(flowed), np.array(bare)
    ratio = one.mean() / other.mean()
    rows = ratio + (one - ratio * other) / other.mean()
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            "mean square by which posterior means of five modes differ from the full kernel's, over that with the bare loss",
            "threshold",
            0.0,
            source,
        ),
        mean_over(rows, method, samples),
        tolerance=_SHARE,
        rival=Rival("the flow makes no difference", 1.0),
        notes=(f"root mean squares: {_root(one):.4f} with the flow, {_root(other):.4f} without",),
    )


def _root(squares: Array) -> float:
    return math.sqrt(max(float(squares.mean()), 0.0))


def _per_datum(context: Context) -> Iterator[Comparison]:
    """Cut 400 modes off at 30, on 24 points of independent features; at full effort the target has all modes, as typical of the prior."""
    samples, cutoff, couplings = 24, 30, [1.0, 1.0]
    eigenvalues = np.arange(1, 401.0) ** -(1 + _ALPHA)
    removed = float(solve.integrated_variance(eigenvalues, cutoff))
    convolved = solve.convolved_likelihood(couplings, variance=removed)
    nodes = np.linspace(0, _REACH, _NODES)
    spline = CubicSpline(nodes, convolved.potential(nodes))
    for name in ("low", *(("typical",) if context.effort == "full" else ())):
        flowed, bare = [], []
        for r in range(context.pick(quick=6, full=40)):
            rng = context.generator(f"features-{name}", r)
            features = rng.standard_normal((samples, eigenvalues.size))
            target = features @ (np.sqrt(eigenvalues) * rng.standard_normal(eigenvalues.size))
            if name == "low":
                target = features[:, :_LOW] @ (1 / np.arange(1, _LOW + 1))
            full = _means(context, f"{name}-full-{r}", features, target, couplings=couplings)
            low = features[:, :cutoff]
            with_flow = _means(
                context,
                f"{name}-flow-{r}",
                low,
                target,
                potential=lambda residuals: spline(np.abs(residuals)),
                reach=_REACH,
            )
            without = _means(context, f"{name}-bare-{r}", low, target, couplings=couplings)
            flowed.append(_square(with_flow, full))
            bare.append(_square(without, full))
        yield _comparison(
            context,
            f"per-datum-{name}",
            "solvers.renormalization.convolved_likelihood",
            flowed,
            bare,
            f"elliptical slices, P = {samples}, 400 modes against {cutoff}, r = u = 1",
            samples,
        )


def _over_a_grid(context: Context) -> Iterator[Comparison]:
    """Cut 100 functions on 256 points off at five; the loss is a mean over the points."""
    points, count, quadratic, quartic = 256, 100, 0.5, 1.0
    eigenvalues = np.arange(1, count + 1.0) ** -(1 + _ALPHA)
    for basis, momentum in (("random", "generic"), ("fourier", "conserving")):
        shells = solve.shell_recursion(
            quadratic, quartic, eigenvalues=eigenvalues, cutoff=_LOW, momentum=momentum
        )
        flowed, bare = [], []
        for r in range(context.pick(quick=3, full=20)):
            rng = context.generator(f"grid-{basis}", r)
            features = orthogonal_features(points, count, basis=basis, rng=rng)
            signs = rng.choice([-1.0, 1.0], _LOW)
            target = features[:, :_LOW] @ (signs / np.arange(1, _LOW + 1))
            start = np.array([quadratic, quartic])
            end = np.array([float(shells.quadratic), float(shells.quartic)])
            low = features[:, :_LOW]
            name = f"{basis}-{r}"
            full = _means(context, f"{name}-full", features, target, couplings=start / points)
            with_flow = _means(context, f"{name}-flow", low, target, couplings=end / points)
            without = _means(context, f"{name}-bare", low, target, couplings=start / points)
            flowed.append(_square(with_flow, full))
            bare.append(_square(without, full))
        yield _comparison(
            context,
            f"grid-{basis}",
            f"solvers.renormalization.shell_recursion, {momentum}",
            flowed,
            bare,
            f"elliptical slices on {points} points, {count} functions against {_LOW}, r = {quadratic:g}, u = {quartic:g}",
            points,
        )
