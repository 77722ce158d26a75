"""Figures of the field theory of deep networks by Ringel and others: weights, measured samples, couplings that flow."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import theory
from ...errors import AccuracyWarning
from ...solvers import kernel_adaptation as solve
from ...solvers import renormalization as flow
from ..checks.kernel_adaptation import sample_complexity as measured
from ..estimate import LearnabilityLadder, MeasuredComplexity, learnability_ladder
from ..plots import kernel_adaptation as plots
from ..plots.renormalization import flow_diagram
from ..plots.style import CASES, NOTE, RIVAL, SIMULATION, THEORY, bare, canvas, logarithmic
from ..registry import Context
from ..simulate.kernel_adaptation import (
    gaussian_process_point,
    learnability_point,
    sample_posterior,
    stratified_polynomial,
)
from ._registry import figure
from ._ringel_shared_filters import mark_learnability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_WIDE: dict[str, Any] = {
    "dimension": 100,
    "width": 1000,
    "scale": 1000,
    "perpendicular": "concentrated",
}
_CUBIC = 0.1 * math.sqrt(6)  # of z + 0.1 He_3(z), on the normalized cubic
_ALPHA = 0.5  # of the eigenvalues k^(-1 - alpha) whose modes are integrated out


# -- weights ------------------------------------------------------------------------------------------------------------


@figure(
    source="ringel",
    name="weight-marginals",
    title="Marginals of a weight: one mode, two, and four",
    claim="As samples grow, the law of a weight along the target goes from one mode to two (GM-I) and then has far modes (GM-II), in "
    "transitions of first order.",
    shown="the solver's law of a weight of 1000 neurons in 100 dimensions at three ridges per sample, with its modes, on the prior's.",
    laws=("kernel_adaptation.bimodality",),
    uses=(
        "verify.plots.kernel_adaptation.weight_marginal",
        "solvers.kernel_adaptation.two_layer",
        "solvers.kernel_adaptation.two_layer_thresholds",
    ),
    seconds=0.6,
)
def weight_marginals(context: Context) -> tuple[Figure, str]:
    """Three phases, and where they begin."""
    target = [1.0, _CUBIC]
    found = [solve.two_layer(target, ridge_per_sample=r, **_WIDE) for r in (0.1, 0.003, 0.001)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        thresholds = solve.two_layer_thresholds(target, **_WIDE)
    around = [
        solve.two_layer(target, ridge_per_sample=thresholds.bimodality * x, **_WIDE).mean[0]
        for x in (1.001, 0.999)
    ]
    law = theory.law("kernel_adaptation.bimodality")
    return plots.weight_marginal(found), (
        f"The phases are {', '.join(each.phase for each in found)}. Two modes are born at the ridge per sample "
        f"{thresholds.bimodality:.5f}, "
        f"continuously: across it the linear component moves from {around[0]:.4f} to {around[1]:.4f} as the ridge falls by 0.2 %. A far "
        "mode "
        f"exists below {thresholds.far_mode:.6f} and holds a neuron below {thresholds.far_neuron:.6f}. The equations have one solution, "
        "so that "
        f"the first order is in the shape of the law. The two modes come at samples that grow as d^{float(law()):g}."
    )


@figure(
    source="ringel",
    name="sampled-weights",
    title="Weights of sampled networks",
    claim="The weights of a finite network that has learned follow the mixture of Gaussians of the theory, no Gaussian.",
    shown="overlaps with the target of 40 neurons on 1500 samples in 8 dimensions, over draws of the exact posterior, on the solver's law "
    "and on the Gaussian of the same variance.",
    uses=(
        "solvers.kernel_adaptation.two_layer",
        "verify.simulate.kernel_adaptation.sample_posterior",
    ),
    seconds=3.5,
)
def sampled_weights(context: Context) -> tuple[Figure, str]:
    """One data set at quick effort, four at full."""
    samples, ridge, scale = 1500, 150.0, 200.0
    draws, sets = context.pick(quick=60, full=200), context.pick(quick=1, full=4)
    weights, worst = [], 0.0
    for r in range(sets):
        data, source = context.generator("data", r).spawn(2)
        x, cubic = stratified_polynomial(samples, dimension=8, rng=data)
        found = sample_posterior(
            x,
            x[:, 0] + _CUBIC * cubic,
            neurons=40,
            ridge=ridge,
            scale=scale,
            degrees=(1, 3),
            chains=2,
            draws=draws,
            warmup=draws,
            rng=source,
            on_failure="return",
        )
        weights.append(found.overlaps.ravel())
        worst = max(worst, *found.r_hat.values())
    m = np.concatenate(weights)
    law = solve.two_layer(
        [1.0, _CUBIC, 0.0],
        dimension=8,
        width=40,
        samples=samples,
        ridge=ridge,
        scale=scale,
        degrees=(1, 3, 5),
        mixed=(1,),
    )
    reach = 1.1 * float(np.abs(m).max())
    line = np.linspace(-reach, reach, 401)
    variance = law.inflation / 8
    kurtosis = float(np.mean(m**4) / np.mean(m**2) ** 2)
    drawn = canvas(None, (7.2, 4.4))
    axes = drawn.subplots()
    axes.hist(m, 50, density=True, color=SIMULATION, alpha=0.35, label="sampled neurons")
    axes.plot(line, np.asarray(law.density(line)), color=THEORY, lw=2, label=f"solver, {law.phase}")
    gaussian = np.exp(-(line**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    axes.plot(line, gaussian, "--", color=RIVAL, lw=1.6, label="Gaussian of its variance")
    axes.set(xlabel=r"weight along the target, $m = w\cdot w_*$", ylabel=r"density $\pi(m)$")
    axes.set_ylim(top=1.3 * float(np.asarray(law.density(line)).max()))
    axes.legend(frameon=False, fontsize=9, loc="upper center", ncols=3)
    bare(axes)
    return drawn, (
        f"The variance of the sampled weights is {8 * float(np.mean(m**2)):.3f} times the prior's and their kurtosis {kurtosis:.3f}; the "
        f"solver says {law.inflation:.3f} and {law.kurtosis:.3f}, a Gaussian has 3. Largest R-hat {worst:.3f}; {sets} data "
        f"set{'s' if sets > 1 else ''}."
    )


# -- measured samples ---------------------------------------------------------------------------------------------------


def _ladders(context: Context) -> tuple[LearnabilityLadder, LearnabilityLadder]:
    """Sample networks, and regress with the kernel of infinite width, at two numbers of samples around the level each."""
    chains: dict[str, Any]
    if context.effort == "full":
        brackets, lazy = measured.BRACKETS, measured.LAZY_BRACKETS
        chains = {"chains": 4, "draws": 400, "warmup": 200, "doublings": 2, "datasets": 6}
    else:
        brackets, lazy = {5: (130, 260), 10: (180, 360)}, {5: (500, 900), 7: (1200, 2000)}
        chains = {"chains": 2, "draws": 100, "warmup": 100, "doublings": 1, "datasets": 3}
    network = learnability_ladder(
        learnability_point,
        list(brackets),
        list(brackets.values()),
        ridge=measured.RIDGE,
        duration=1.0,
        folder=context.folder,
        rng=context.generator("ladder", 0),
        **chains,
    )
    process = learnability_ladder(
        gaussian_process_point,
        list(lazy),
        list(lazy.values()),
        datasets=4,
        ridge=measured.RIDGE,
        folder=context.folder,
        rng=context.generator("lazy", 0),
    )
    return network, process


@figure(
    source="ringel",
    name="measured-samples",
    title="Measured samples P_* of a cubic feature",
    claim="A network as wide as its input learns a cubic feature from a number of samples that grows as d, where its lazy limit needs d^3.",
    shown="left, the component of sampled networks along the target against samples (filled), of regression with the kernel of infinite "
    "width (open), and the mean-field equations; right, samples at which a fifth is learned.",
    laws=("patterns.two_layer",),
    uses=(
        "verify.estimate.learnability_ladder",
        "verify.simulate.kernel_adaptation.learnability_point",
        "verify.simulate.kernel_adaptation.gaussian_process_point",
        "solvers.kernel_adaptation.two_layer",
    ),
    seconds=9,
)
def measured_samples(context: Context) -> tuple[Figure, str]:
    """Two panels, and slopes."""
    network, process = _ladders(context)
    found, lazy = network.samples_at(measured.LEVEL), process.samples_at(measured.LEVEL)
    predicted = np.array([measured.mean_field_samples(int(d)) for d in found.dimensions])
    drawn = canvas(None, (10.4, 4.4))
    left, right = drawn.subplots(1, 2)
    _learned(left, network)
    right.plot(found.dimensions, predicted, color=THEORY, lw=1.8, label="mean-field equations")
    for read, color, marker, label in (
        (found, SIMULATION, "o", "sampled networks, N = d"),
        (lazy, RIVAL, "s", "kernel of infinite width"),
    ):
        right.errorbar(
            read.dimensions,
            read.samples,
            2 * read.errors,
            fmt=f"{marker}-",
            color=color,
            lw=1.2,
            ms=5.5,
            capsize=2.5,
            label=label,
        )
    right.set(
        xscale="log",
        yscale="log",
        xlabel="inputs $d$",
        ylabel=f"samples at a component of {measured.LEVEL:g}",
    )
    right.set_xticks(ticks := sorted({*found.dimensions, *lazy.dimensions}))
    right.set_xticklabels([f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    levels = [100, 200, 500, 1000, 2000, 5000]
    right.set_yticks(levels)
    right.set_yticklabels(map(str, levels))
    right.set_ylim(0.8 * predicted.min(), 1.8 * np.nanmax(lazy.samples))
    right.legend(frameon=False, fontsize=9, loc="upper left")
    bare(left, right)
    left_out = len(network.left_out)
    out = f" Points left out, as their chains disagree: {left_out}." if left_out else ""
    return drawn, f"{_slopes(found, lazy, predicted)}{out}"


def _learned(axes: Axes, network: LearnabilityLadder) -> None:
    """Draw components against samples, with the mean field's curves and the level."""
    for dimension, (color, marker) in zip(network.dimensions, CASES * 2, strict=False):
        points = network.at(dimension)
        if not points:
            continue
        for point in points:
            mark_learnability(axes, point, color, marker)
        line = np.geomspace(0.8 * points[0].samples, 1.2 * points[-1].samples, 6)
        curve = [measured.mean_field(float(p), dimension).learnability for p in line]
        axes.plot(line, curve, color=color, lw=1.5, label=f"mean field, d = N = {dimension}")
    axes.axhline(measured.LEVEL, color=RIVAL, lw=1, ls=":")
    axes.plot([], [], "o", color=NOTE, label="sampled")
    axes.plot([], [], "o", color=NOTE, mfc="white", label="infinite width, same data")
    axes.set(xscale="log", xlabel="samples P", ylabel=r"component along the target $\alpha$")
    axes.set_ylim(0, 1.5 * axes.get_ylim()[1])
    logarithmic(axes.xaxis)
    axes.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)


def _slopes(found: MeasuredComplexity, lazy: MeasuredComplexity, predicted: Array) -> str:
    """Say how samples grow, measured and predicted."""
    known = np.isfinite(found.samples)
    if known.sum() < 2:
        return f"No slope: {'; '.join(found.missing)}."
    ratio = math.exp(float(np.mean(np.log(found.samples[known] / predicted[known]))))
    law = float(theory.law("patterns.two_layer")(n=1))
    low, high = found.dimensions[known][[0, -1]]
    return (
        f"From {low:g} to {high:g} inputs samples grow as d to the power {found.slope:.2f} +- {found.slope_error:.2f}, the mean-field "
        f"equations' {measured.same_slope(found, predicted):.2f}; those of the lazy kernel as {lazy.slope:.2f} +- {lazy.slope_error:.2f}. "
        f"Networks need {ratio:.2f} times as many as the equations say; why is not known. The powers {law:g} and 3 are those of "
        "dimensions that "
        "cannot be sampled: what these runs decide is the order, not the powers."
    )


# -- flow ---------------------------------------------------------------------------------------------------------------


@figure(
    source="ringel",
    name="flow-diagram",
    title="Flow diagram of the couplings of one datum",
    claim="Integrating out modes that are not learned renormalizes the loss; a quartic term is irrelevant, and there is no "
    "Wilson-Fisher point.",
    shown="the flow of the quadratic and the quartic coupling of one datum's likelihood, with its zeros, for eigenvalues k^(-3/2).",
    laws=("renormalization.stable_exponents",),
    uses=(
        "verify.plots.renormalization.flow_diagram",
        "solvers.renormalization.fixed_points",
        "solvers.renormalization.dimensionless_flow",
        "solvers.renormalization.convolved_likelihood",
    ),
    seconds=0.6,
)
def flow_of_a_datum(context: Context) -> tuple[Figure, str]:
    """All starts end in one point."""
    points = {point.name: point for point in flow.fixed_points(_ALPHA)}
    starts = np.random.default_rng(context.root).uniform([0.0, 0.0], [1.0, 2.0], (10, 2))
    ends = [
        flow.dimensionless_flow(
            quadratic=float(r), quartic=float(u), alpha=_ALPHA, scale=[0.0, 40.0]
        )
        for r, u in starts
    ]
    worst = max(
        max(
            abs(float(np.asarray(e.quadratic)[-1]) - points["ridge"].quadratic),
            abs(float(np.asarray(e.quartic)[-1])),
        )
        for e in ends
    )
    exact = float(flow.convolved_likelihood([0.5, 0.2], variance=5.0).quartic)
    cut = float(flow.truncated_flow([0.5, 0.2], variance=5.0).quartic)
    rates = " and ".join(f"{rate:g}" for rate in points["ridge"].exponents)
    other = points["quartic"]
    return flow_diagram(_ALPHA), (
        f"From {len(starts)} random starts the flow ends within {worst:.1e} of ({points['ridge'].quadratic:g}, 0), a ridge made of "
        "integrated "
        f"modes, with the exponents {rates}, as derived -alpha and -2 alpha; the other zero, at ({other.quadratic:g}, "
        f"{other.quartic:g}), has a "
        "negative quartic coupling and no likelihood. Two couplings alone mislead far out: at variance 5 the quartic one is "
        f"{exact:.2e} by "
        f"convolution, and {cut:.2e} by this flow."
    )


@figure(
    source="ringel",
    name="flow-of-the-measure",
    title="Flow diagram where momentum is conserved",
    claim="A quartic loss over the data measure has no Wilson-Fisher fixed point.",
    shown="the one-loop flow of the couplings of an integral over the measure for waves, which conserve momentum, in units in which the "
    "massive point is (1, 0).",
    laws=("renormalization.no_wilson_fisher", "renormalization.stable_exponents"),
    uses=(
        "verify.plots.renormalization.flow_diagram",
        "solvers.renormalization.fixed_points",
        "solvers.renormalization.shell_recursion",
    ),
    seconds=0.6,
)
def flow_of_the_measure(context: Context) -> tuple[Figure, str]:
    """The zero of positive coupling, and that generic functions have none."""
    told = {
        momentum: [
            point
            for point in flow.fixed_points(_ALPHA, convention="measure", momentum=momentum)
            if point.quartic > 0
        ]
        for momentum in ("generic", "conserving")
    }
    (zero,) = told["conserving"]
    shells = {
        momentum: flow.shell_recursion(
            0.5, 1.0, eigenvalues=np.arange(1, 101.0) ** -1.5, cutoff=5, momentum=momentum
        ).quartic
        for momentum in told
    }
    return flow_diagram(_ALPHA, convention="measure", momentum="conserving"), (
        f"For eigenfunctions in general there are {len(told['generic'])} zeros of positive quartic coupling, as claimed; where momentum is "
        f"conserved there is {len(told['conserving'])}, at ({zero.quadratic:.4f}, {zero.quartic:.4f}) with the exponents "
        f"{zero.exponents[0]:.3f} and {zero.exponents[1]:.3f}, of order one, so that one loop does not control it. Mode by mode a "
        "coupling of 1 "
        f"becomes {float(shells['generic']):.4f} and {float(shells['conserving']):.4f}."
    )
