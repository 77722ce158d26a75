"""Figures of the field theory of deep networks by Ringel and others: filters that a convolutional network shares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import theory
from ...formatting import typeset
from ...solvers import kernel_adaptation as solve
from ..plots import kernel_adaptation as plots
from ..plots.style import CASES, NOTE, bare, canvas, logarithmic
from ..registry import Context
from ..simulate.kernel_adaptation import (
    LearnabilityPoint,
    convolutional_point,
)
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def _filters(dimension: int) -> dict[str, Any]:
    """Return sizes of a convolutional network with as many patches as a filter is long."""
    side = round(math.sqrt(dimension))
    return {
        "patches": side,
        "patch_size": side,
        "channels": 25 * side,
        "ridge": 1.0,
        "scale": 25.0,
    }


@figure(
    source="ringel",
    name="cnn-learnability",
    title="Learnability of a linear convolutional network",
    claim="A convolutional network whose filters adapt learns one filter from far fewer samples than one whose filters do not.",
    shown="learnability against samples by the free energy (lines) at 16 inputs and more, of filters that adapt and of lazy ones (dashed), "
    "and sampled networks with lazy regression on the same data (filled and open marks, two standard errors over data sets).",
    laws=("kernel_adaptation.cnn_sample_complexity",),
    uses=(
        "verify.plots.kernel_adaptation.learnability_curves",
        "solvers.kernel_adaptation.linear_cnn",
        "verify.simulate.kernel_adaptation.convolutional_point",
    ),
    seconds=3.5,
)
def cnn_learnability(context: Context) -> tuple[Figure, str]:
    """Sampled networks on the solver's curves."""
    places: dict[int, tuple[int, ...]] = (
        {16: (29, 58), 36: (59, 118)}
        if context.effort == "quick"
        else {16: (16, 29, 58), 64: (45, 90, 180), 144: (83, 166, 332)}
    )
    curves = [
        solve.linear_cnn(samples=np.geomspace(5, 2000, 50), directions="all", **_filters(d))
        for d in places
    ]
    drawn = plots.learnability_curves(curves)
    (axes,) = drawn.axes
    apart, lazy_apart, gains, left_out = [], [], [], 0
    for (dimension, samples), (color, marker) in zip(places.items(), CASES, strict=False):
        for count in samples:
            point = convolutional_point(
                count,
                datasets=context.pick(quick=4, full=12),
                chains=2,
                draws=context.pick(quick=80, full=200),
                warmup=context.pick(quick=120, full=200),
                rng=context.generator(f"{dimension}-{count}", 0),
                **_filters(dimension),
            )
            if point.reason:
                left_out += 1
                continue
            mark_learnability(axes, point, color, marker)
            theory_ = solve.linear_cnn(samples=count, directions="all", **_filters(dimension))
            apart.append(point.mean - float(theory_.learnability))
            lazy_apart.append(float(point.lazy.mean()) - float(theory_.lazy_learnability))
            gains.append(point.mean - float(point.lazy.mean()))
    axes.plot([], [], "o", color=NOTE, label="sampled")
    axes.plot([], [], "o", color=NOTE, mfc="white", label="lazy, same data")
    axes.legend(loc="upper left", fontsize=9, frameon=False)
    out = f" {left_out} points whose chains disagree are left out." if left_out else ""
    return drawn, (
        f"Sampled networks learn {min(gains):.3f} to {max(gains):.3f} more than lazy ones and are {min(apart):+.3f} to "
        f"{max(apart):+.3f} off "
        f"the solver; lazy regression is off by {min(lazy_apart):+.3f} to {max(lazy_apart):+.3f}.{out}"
    )


def mark_learnability(axes: Axes, point: LearnabilityPoint, color: str, marker: str) -> None:
    """Draw a measured point, and what the lazy network learns from the same data."""
    at: dict[str, Any] = {"fmt": marker, "color": color, "ms": 6, "capsize": 2.5, "zorder": 4}
    axes.errorbar(point.samples, point.mean, 2 * point.error, **at)
    lazy = float(np.std(point.lazy, ddof=1)) / math.sqrt(point.lazy.size)
    axes.errorbar(point.samples, float(point.lazy.mean()), 2 * lazy, mfc="white", **at)


@figure(
    source="ringel",
    name="cnn-collapse",
    title="Why samples of a convolutional network grow as d^(3/4)",
    claim="With channels that grow as the root of the dimension, learnability is a function of P/d^(3/4) alone, zero up to P_* and "
    "1 - P_*/P beyond.",
    shown="learnability by the free energy, of filters that adapt (solid) and of lazy ones (dashed), at sizes that grow, and the limit.",
    laws=("kernel_adaptation.cnn_sample_complexity",),
    uses=("solvers.kernel_adaptation.linear_cnn",),
    seconds=0.6,
)
def cnn_collapse(context: Context) -> tuple[Figure, str]:
    """Four sizes."""
    unit = np.geomspace(0.5, 20, context.pick(quick=60, full=200))
    law = theory.law("kernel_adaptation.cnn_sample_complexity")
    assert law.constant is not None
    drawn = canvas(None, (7.2, 4.6))
    axes = drawn.subplots()
    sizes, halves, fours = (1, 4, 16, 256), [], []
    ridge = 1.0
    for a, (color, _) in zip(sizes, CASES, strict=True):
        dimension = 500.0 * a**2
        found = solve.linear_cnn(
            samples=unit * dimension**0.75,
            ridge=1,
            scale=100,
            channels=1000 * a,
            patches=10 * a,
            patch_size=50 * a,
        )
        learned = np.asarray(found.learnability)
        axes.plot(unit, learned, color=color, lw=1.8, label=f"d = {typeset(dimension, 3)}")
        axes.plot(unit, np.asarray(found.lazy_learnability), "--", color=color, lw=1.2)
        halves.append(float(np.exp(np.interp(0.5, learned, np.log(unit)))) * dimension**0.75)
        fours.append(float(np.interp(4.0, unit, learned)))
        ridge = float(np.asarray(found.effective_ridge)[0])
    values = {"kappa": 2.0, "chi": 100.0}  # the effective ridge is kappa + 1 while P << d
    constant = float(law.constant.subs({s: values[str(s)] for s in law.constant.free_symbols}))
    limit = constant * math.sqrt(1000 / math.sqrt(500))
    axes.plot(
        unit, np.maximum(0, 1 - limit / unit), ":", color="black", lw=1.8, label="limit, $1-P_*/P$"
    )
    axes.plot([], [], "--", color=NOTE, lw=1.2, label="lazy filters")
    axes.set(
        xscale="log",
        ylim=(0, 1),
        xlabel="samples $P/d^{3/4}$",
        ylabel=r"learnability $\mathcal{L}$",
    )
    logarithmic(axes.xaxis)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    bare(axes)
    slopes = [
        math.log(after / before) / (2 * math.log(b / a))
        for before, after, a, b in zip(halves, halves[1:], sizes, sizes[1:], strict=False)
    ]
    told = ", ".join(f"{value:.4f}" for value in fours)
    return drawn, (
        f"At P = 4 d^(3/4) the learnability is {told} along increasing sizes, and {1 - limit / 4:.4f} in the limit, with the effective "
        "ridge "
        f"{ridge:.3f} at the largest, 2 in the limit. Samples for half of the filter grow as d^{slopes[0]:.3f} between the first two "
        "sizes and "
        f"as d^{slopes[-1]:.3f} between the last two; the law says {float(law(c=0.5)):g}: approached slowly, as filters are inflated as "
        "d^(1/4) "
        "only."
    )
