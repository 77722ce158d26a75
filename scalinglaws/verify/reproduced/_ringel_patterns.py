"""Figures of the talk on patterns of feature learning: costs, phases, and how rare an aligned network is."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ... import theory
from ...errors import AccuracyWarning
from ...formatting import percent
from ...solvers import patterns as solve
from ...theory import patterns as engine
from ..estimate import power_law_exponent
from ..plots import patterns as plots
from ..plots.style import CASES, LAW, RIVAL, SIMULATION, THEORY, bare, canvas
from ..registry import Context
from ..simulate.patterns import anneal_alignment
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_DEGREE = 3
_FAR = np.array([1e10, 1e12])  # dimensions between which slopes of costs are read


def _sampled(
    context: Context, width: Fraction, dimensions: tuple[int, ...]
) -> list[solve.AlignmentProbability]:
    """Sample probabilities of alignment without assuming a pattern."""
    return [
        solve.log_alignment(
            round(d ** float(width)),
            d,
            samples=context.pick(quick=1000, full=10_000),
            rng=context.generator(f"{width}-{d}", 0),
        )
        for d in dimensions
    ]


def _off(measured: list[solve.AlignmentProbability], prices: list[float]) -> str:
    """Say how far sampled costs are from computed ones at most."""
    return percent(
        max(abs(m.log_probability / -p - 1) for m, p in zip(measured, prices, strict=True)), 2
    )


@figure(
    source="ringel",
    name="costs",
    title="What each pattern costs",
    claim="A target of degree 3 is learned when the network is aligned with it, at a number of samples that grows as minus the logarithm "
    "of the prior's probability of that; a network that specializes a few neurons pays least.",
    shown="costs of the patterns of a network with N = d, with all prefactors, mean-field theory and importance sampling, which assume "
    "no pattern; right, local slopes in d over the exponents of the engine (dashed).",
    laws=("patterns.two_layer",),
    uses=(
        "verify.plots.patterns.cost_curves",
        "solvers.patterns.specialized_cost",
        "solvers.patterns.gaussian_cost",
        "solvers.patterns.alignment_rate",
        "solvers.patterns.log_alignment",
    ),
    seconds=4.2,
)
def costs(context: Context) -> tuple[Figure, str]:
    """As wide as the input."""
    dimensions = (10, 20, 40, 80, 160) if context.effort == "quick" else (10, 20, 40, 80, 160, 320)
    measured = _sampled(context, Fraction(1), dimensions)
    drawn = plots.cost_curves(np.geomspace(10, 3200, 15).round(), measured=measured)
    far = {
        "S(1)": solve.specialized_cost(_FAR, _FAR).cost,
        "G(1)": solve.gaussian_cost(_FAR, _FAR).cost,
        "GP": solve.gaussian_cost(_FAR, _FAR, inflation=1).cost,
    }
    ranking = engine.sample_complexity(engine.fully_connected([1], _DEGREE)).ranking
    powers = {str(entry): entry.exponent for entry in ranking}
    slopes = ", ".join(
        f"{-float(power_law_exponent(_FAR, np.asarray(cost))):.3f} for {name} ({powers.get(name, powers['S1(1)'])})"
        for name, cost in far.items()
    )
    prices = [float(solve.alignment_rate(m.n, m.d).corrected) for m in measured]
    sampled = [-m.log_probability for m in measured[-2:]]
    grown = math.log(sampled[1] / sampled[0]) / math.log(dimensions[-1] / dimensions[-2])
    least = float(theory.law("patterns.two_layer")(n=1))
    return drawn, (
        f"Between d = 1e10 and 1e12 the slopes are {slopes}, the engine's in brackets. Sampled costs grow as d^{grown:.3f} from d = "
        f"{dimensions[-2]} on, where the law says {least:g}, and are within {_off(measured, prices)} of mean-field theory with its "
        "prefactor; the exponents are those of large sizes, and all but the first are approached slowly."
    )


@figure(
    source="ringel",
    name="narrow-layer",
    title="A layer narrower than its input",
    claim="Where the layer is narrower than its input, a single neuron specializes.",
    shown="costs at N = d^(1/2) against the dimension, and their local slopes on the exponents of the engine, in which a neuron may "
    "specialize in part; points are sampled.",
    laws=("patterns.two_layer",),
    uses=("verify.plots.patterns.cost_curves", "solvers.patterns.log_alignment"),
    seconds=0.6,
)
def narrow_layer(context: Context) -> tuple[Figure, str]:
    """Width as the root of the dimension."""
    width = Fraction(1, 2)
    measured = _sampled(context, width, (64, 144, 400, 1024))
    drawn = plots.cost_curves(
        np.geomspace(16, 1e5, 15).round(), width_exponent=width, measured=measured
    )
    cost = np.asarray(solve.specialized_cost(_FAR**0.5, _FAR).cost)
    slope = -float(power_law_exponent(_FAR, cost))
    law = float(theory.law("patterns.two_layer")(n=width))
    rates = [solve.alignment_rate(m.n, m.d) for m in measured]
    off = _off(measured, [float(rate.corrected) for rate in rates])
    short = percent(float(rates[-1].shortfall), 2)
    return drawn, (
        f"Between d = 1e10 and 1e12 the slope of the cost of one neuron is {slope:.4f}, where the law says (3 + n)/4 = {law:g} and a "
        f"neuron that must specialize in full has 1. Mean-field theory takes a share of a neuron where there is none to be had, and is "
        f"{short} too cheap at d = {measured[-1].d:g}; sampled costs are within {off} of the sum over whole numbers of neurons."
    )


# -- phases -------------------------------------------------------------------------------------------------------------


@figure(
    source="ringel",
    name="phases-two-layer",
    title="Phase diagram of two layers",
    claim="Which pattern wins depends on the width alone: a neuron specializes, or many do, or none where the layer is far wider than its "
    "input.",
    shown="the exponent of the samples of every pattern against the width exponent n of N = d^n, for a target of degree 3; "
    "boundaries are exact.",
    laws=("patterns.two_layer",),
    uses=("theory.patterns.phase_diagram", "verify.plots.patterns.phase_diagram"),
    seconds=0.4,
)
def phases_two_layer(context: Context) -> tuple[Figure, str]:
    """A line."""
    network = engine.fully_connected(["n"], _DEGREE)
    diagram = engine.phase_diagram(network, {"n": (0, 6)}, points=2)
    regions = sorted(
        diagram.regions, key=lambda region: min(corner[0] for corner in region.corners)
    )
    said = ", ".join(
        f"{region.winners[0]} from n = {min(c[0] for c in region.corners)} with d^({region.exponent})"
        for region in regions
    )
    law, found = theory.law("patterns.two_layer"), engine.sample_complexity(network)
    widths = [Fraction(i, 4) for i in range(1, 25)]
    same = sum(law(n=n) == found.at(n=n).exponent for n in widths)
    inflated = sum(str(found.at(n=n).winners[0]).startswith("G(") for n in widths)
    return plots.phase_diagram(diagram), (
        f"The winners are {said}; the derived law has the engine's exponent at {same} of {len(widths)} widths. That all neurons learn, "
        f"G(1), is the first choice at {inflated} of them: at equal cost specialization gives more."
    )


@figure(
    source="ringel",
    name="phases-three-layer",
    title="Phase diagram of three layers: which layer learns",
    claim="Of two hidden layers, the first specializes and the second learns the cubic feature, from (N_1 N_2 d)^(1/3) samples.",
    shown="the cheapest pattern over the width exponents of both layers, N_i = d^(n_i), with its exponent and exact boundaries.",
    laws=("patterns.three_layer",),
    uses=("theory.patterns.phase_diagram", "verify.plots.patterns.phase_diagram"),
    seconds=1,
)
def phases_three_layer(context: Context) -> tuple[Figure, str]:
    """A plane, and the printed exponent on a grid of it."""
    network = engine.fully_connected(["n_1", "n_2"], _DEGREE)
    diagram = engine.phase_diagram(network, {"n_1": (0, 6), "n_2": (0, 6)}, points=2)
    found, law = engine.sample_complexity(network), theory.law("patterns.three_layer")
    assert law.published is not None
    places = [Fraction(i, 2) for i in range(1, 13)]
    same = alone = tied = total = 0
    for n_1, n_2 in product(places, places):
        at = found.at(n_1=n_1, n_2=n_2)
        names = [str(winner) for winner in at.winners]
        total += 1
        same += law(n_1=n_1, n_2=n_2) == at.exponent
        tied += "S(1) G(3)" in names
        alone += names == ["S(1) G(3)"]
    wide = found.at(n_1=2, n_2=2)
    printed = law.published.expr.subs(dict.fromkeys(law.published.expr.free_symbols, 2))
    return plots.phase_diagram(diagram, marks={"$N_1 = N_2 = d$": (1, 1)}), (
        f"S(1) G(3) is alone the cheapest at {alone} of {total} pairs of widths and ties at {tied}; at N_1 = N_2 = d^2 the printed "
        "exponent "
        f"is {printed}, the least one {wide.exponent}, by {wide.winners[0]}: a single layer specializes on the direction, the narrower "
        "one. "
        f"The derived law has the engine's exponent at {same} of the {total} pairs."
    )


@figure(
    source="ringel",
    name="phases-clean",
    title="The same where features must be clean",
    claim="An alignment of order one does not exclude that the network learns rubbish on top; the talk's rules leave that open.",
    shown="the cheapest pattern over the widths if every feature must be stronger than the noise of the layers that it passes.",
    laws=("patterns.three_layer",),
    uses=("theory.patterns.phase_diagram", "verify.plots.patterns.phase_diagram"),
    seconds=0.6,
)
def phases_clean(context: Context) -> tuple[Figure, str]:
    """The plane up to n = 3, pure."""
    network = engine.fully_connected(["n_1", "n_2"], _DEGREE)
    within = {"n_1": (0, 3), "n_2": (0, 3)}
    diagram = engine.phase_diagram(network, within, points=2, purity=True)
    clean = engine.sample_complexity(network, purity=True)
    found = engine.sample_complexity(network)
    places = [Fraction(i, 2) for i in range(7)]
    pairs = list(product(places, places))
    simple = sum(
        clean.at(n_1=n_1, n_2=n_2).exponent == max(Fraction(1), (1 + min(n_1, n_2)) / 2)
        for n_1, n_2 in pairs
    )
    half = {"n_1": Fraction(1, 2), "n_2": Fraction(1, 2)}
    return plots.phase_diagram(diagram), (
        f"The exponent is max(1, (1 + min(n_1, n_2))/2) at {simple} of {len(pairs)} pairs of widths. At N_1 = N_2 = d^(1/2) it is "
        f"{clean.at(**half).exponent}, and {found.at(**half).exponent} without the demand: exponents below one belong to the alignment, "
        "not "
        "to clean learning, and this is the reading to compare with samples."
    )


@figure(
    source="ringel",
    name="phases-attention",
    title="Softmax attention: samples against the length",
    claim="One softmax head learns to compare positions from L^(1/2) samples at sequences of length L.",
    shown="the exponent of the samples against that of the length, L = d^ell, with prior deviations 1/d of scores and d^(-1/2) of "
    "values.",
    laws=("patterns.attention",),
    uses=("theory.patterns.phase_diagram", "verify.plots.patterns.phase_diagram"),
    seconds=0.3,
)
def phases_attention(context: Context) -> tuple[Figure, str]:
    """A line with a bend, and what bends it."""
    diagram = engine.phase_diagram(engine.attention("ell"), {"ell": (0, 2)}, points=2)
    law = theory.law("patterns.attention")
    before, after = (
        law(ell=Fraction(3, 4)) - law(ell=Fraction(1, 4)),
        law(ell=Fraction(7, 4)) - law(ell=Fraction(5, 4)),
    )
    reach = solve.attention_overlap([1.0, 2.0, 4.0], length=64)
    overlaps = ", ".join(f"{value:.3f}" for value in np.asarray(reach))
    return plots.phase_diagram(diagram), (
        f"The exponent grows by {before * 2} for each power of L up to L = d, as printed, and by {after * 2} beyond: the softmax saturates "
        f"(at L = 64 couplings 1, 2 and 4 give the overlaps {overlaps}). The priors add 3/2, which the printed power leaves out. The "
        "printed "
        "target x_1^a x_2^a x_3^b has no overlap with the pattern; x_1^a x_2^b x_3^b is meant."
    )


# -- rare events --------------------------------------------------------------------------------------------------------


@figure(
    source="ringel",
    name="sum-of-cubes",
    title="The sum of cubes: two ways to be large",
    claim="Specialization is a large deviation without exponential moments: a sum of cubes becomes large by a little of every term, or "
    "from a threshold on by one term alone.",
    shown="left, the rate function with its transition and the branch that loses; right, tail probabilities by importance sampling in two "
    "parts (marks) and by a single tilt of all terms (crosses), which misses the jump.",
    uses=(
        "verify.plots.patterns.tail_curves",
        "solvers.patterns.log_tail",
        "solvers.patterns.cube_rate",
    ),
    seconds=1.5,
)
def sum_of_cubes(context: Context) -> tuple[Figure, str]:
    """Ten and a hundred terms."""
    thresholds, tails = np.geomspace(1.5, 42, 11), []
    samples = context.pick(quick=5000, full=20_000)
    for n in (10, 100):
        rng = context.generator(f"terms {n}", 0)
        tails.append(solve.log_tail(n, thresholds, "importance", samples=samples, rng=rng))
        with warnings.catch_warnings():  # that one tilt misses the event is what is shown
            warnings.simplefilter("ignore", AccuracyWarning)
            tails.append(solve.log_tail(n, thresholds[::2], "tilt", samples=samples, rng=rng))
    deep = tails[2]
    exact = float(solve.log_tail(100, 42.0).log_probability)
    off = float(np.asarray(deep.log_probability)[-1]) - exact
    error = float(np.asarray(deep.standard_error)[-1])
    one = float(-np.log(0.5 * math.erfc(1000 ** (1 / 3) / math.sqrt(2))))
    return plots.tail_curves(tails), (
        f"The transition is at sigma = {solve.TRANSITION:.6f}, where one term takes half of the excess "
        f"({solve.cube_rate(solve.TRANSITION).jump:.4f}). "
        f"At N = 100 and 42 standard deviations log P is {exact:.4f} by convolution, and the sampled one off by {off:+.4f} +- "
        f"{error:.4f}. The "
        f"printed -log P(a^3 > t) = t^(2/3) lacks its 1/2: at t = 1000 it is {one:.1f}, against t^(2/3)/2 = 50."
    )


@figure(
    source="ringel",
    name="alignment",
    title="Alignment: what a rare network looks like",
    claim="Networks of the prior that are aligned with a cubic target have O(1) neurons that specialize, and all others as drawn.",
    shown="the law of one weight in networks drawn at random and in aligned ones (N = d = 100) with the cheapest weights as ticks; "
    "right, the "
    "number of neurons beyond a weight, expected, in the optimum, and sampled.",
    laws=("patterns.two_layer",),
    uses=(
        "verify.plots.patterns.weight_configuration",
        "solvers.patterns.optimize_configuration",
        "solvers.patterns.log_alignment",
    ),
    seconds=0.6,
)
def alignment(context: Context) -> tuple[Figure, str]:
    """A hundred neurons and inputs."""
    size = 100
    found = solve.optimize_configuration(size, size, rng=context.generator("starts", 0))
    (sampled,) = _sampled(context, Fraction(1), (size,))
    rate, one = solve.alignment_rate(size, size), solve.specialized_cost(size, size, neurons=1)
    return plots.weight_configuration(found, size, sampled=sampled), (
        f"An optimization over all {size} weights, which knows no pattern, ends at a cost of {found.cost:.3f} with {found.specialized} "
        f"neurons at {found.weights[0]:.4f}; one neuron would cost {one.cost:.1f}. Sampled, -log P = {-sampled.log_probability:.2f} +- "
        f"{sampled.standard_error:.2f} with {sampled.specialized:.2f} specialized neurons on average; mean-field theory has "
        f"{float(rate.rate):.2f}, {float(rate.corrected):.2f} with its prefactor. Three is the number of this toy, which drops the error "
        "function's constants: other normalizations of the target have one or eight."
    )


@figure(
    source="ringel",
    name="rare-filters",
    title="Channels of a convolutional network",
    claim="A linear convolutional network of C channels on N patches of S inputs learns a filter at the cost S + N C of one channel, "
    "printed as proportional to (d C)^(1/2) and to d.",
    shown="minus the logarithm of the probability of alignment at N = S = C = d^(1/2), from networks whose weights are moved one by "
    "one; the "
    "cost of one channel, and the least one, which G(1) reaches, with their constants.",
    laws=("patterns.convolutional",),
    uses=("verify.simulate.patterns.anneal_alignment",),
    seconds=0.6,
)
def rare_filters(context: Context) -> tuple[Figure, str]:
    """Simulated probabilities between two costs."""
    dimensions = np.array([1e3, 1e4, 1e5, 1e6] + ([1e7] if context.effort == "full" else []))
    draws = context.pick(quick=4, full=12)
    sides = np.sqrt(dimensions).round()
    rows = np.array(
        [
            [
                anneal_alignment(
                    int(side),
                    int(side),
                    degree=1,
                    activation="linear",
                    patches=int(side),
                    levels=8,
                    sweeps=20,
                    rng=context.generator(f"{side:g}", r),
                ).cost
                for side in sides
            ]
            for r in range(draws)
        ]
    )
    actual = sides**2
    mean, error = rows.mean(axis=0), rows.std(axis=0, ddof=1) / math.sqrt(draws)
    wide = np.geomspace(actual[0] / 2, actual[-1] * 3, 60)
    channels = np.sqrt(wide)

    def inflated(d: Array, c: Array) -> Array:
        """Return the least c/2 (b - 1 - log b) + d/(2 b) over b."""
        b = (1 + np.sqrt(1 + 4 * d / c)) / 2
        return np.asarray(c / 2 * (b - 1 - np.log(b)) + d / (2 * b))

    drawn = canvas(None, (7.2, 4.6))
    axes = drawn.subplots()
    axes.plot(
        wide, (channels + wide) / 2, "--", color=RIVAL, lw=1.6, label="one channel, $(S + NC)/2$"
    )
    axes.plot(
        wide, np.sqrt(channels * wide), "--", color=LAW, lw=1.6, label="least power, $(dC)^{1/2}$"
    )
    axes.plot(wide, inflated(wide, channels), color=THEORY, lw=2, label="least cost of G(1)")
    axes.errorbar(
        actual,
        mean,
        2 * error,
        fmt=CASES[1][1],
        color=SIMULATION,
        ms=5.5,
        capsize=2.5,
        zorder=3,
        label="simulated, two standard errors",
    )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="inputs $d$   ($N = S = C = d^{1/2}$)",
        ylabel=r"$-\log P(A \geq 1)$",
    )
    axes.legend(frameon=False, fontsize=9)
    bare(axes)
    law = theory.law("patterns.convolutional")
    assert law.published is not None
    half = {symbol: Fraction(1, 2) for symbol in law.published.expr.free_symbols}
    exponent, printed = float(law(n=0.5, s=0.5)), law.published.expr.subs(half)
    slope = -float(power_law_exponent(actual[1:], mean[1:]))
    late = -float(
        power_law_exponent(actual[-2:], inflated(actual[-2:] * 1e12, np.sqrt(actual[-2:] * 1e12)))
    )
    worst = percent(float(np.max(np.abs(mean / inflated(actual, np.sqrt(actual)) - 1))), 2)
    return drawn, (
        f"Simulated costs grow as d^{slope:.3f} from d = 1e4 on, where the law says {exponent:g} and the printed formula {printed}; "
        "they are "
        f"within {worst} of the least cost of Gaussian feature learning, whose slope at d = 1e18 is {late:.4f}. M specialized channels "
        "cost as "
        "much at their best number: both are (d C)^(1/2), and one channel is d."
    )
