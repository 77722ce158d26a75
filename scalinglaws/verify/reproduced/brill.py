"""Figures of Brill on scaling laws from the data distribution: clusters, their ranks, exponents, and how a model is divided."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sympy import Rational

from ... import theory
from ...formatting import percent
from ...solvers import percolation as solve
from ...theory.percolation import (
    chinchilla_width,
    critical_exponents,
    critical_threshold,
)
from ..estimate import power_law_exponent
from ..plots import percolation as plots
from ..plots.style import CASES, LAW, RIVAL, bare, canvas, explain, logarithmic
from ..registry import Context
from ..simulate import percolation as simulate
from ._brill_more import (
    below_threshold,
    beside,
    lattice_ranks,
    lattices,
    measured_exponents,
    plans_of,
    tree_ranks,
)
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_TYPICAL = 16 / math.pi  # scale of a cluster whose target varies as it does on average
_FITTED = {"Hoffmann et al.": (0.34, 0.28), "reanalyzed": (0.35, 0.37)}  # exponents in N and D


def _trees(
    context: Context, replicate: int, clusters: int, least: int, most: int
) -> simulate.BetheDataset:
    """Grow clusters of a critical Bethe lattice, with targets."""
    rng = context.generator("trees", replicate)
    return simulate.bethe_dataset(clusters, smallest=least, largest=most, rng=rng)


def _scales(data: simulate.BetheDataset) -> Array:
    """Return the derived scales of all clusters."""
    return np.asarray(
        solve.cluster_scale(data.sizes, variance=data.raw_variance, coordination=data.coordination)
    )


# -- clusters -----------------------------------------------------------------------------------------------------------


@figure(
    source="brill",
    name="clusters",
    title="Clusters at the percolation threshold",
    claim="Where sites of a lattice are occupied at random there are, at the threshold, connected clusters of all sizes, numbers of which "
    "fall as s^-tau: a data distribution made of many separate things, a few common and most of them rare.",
    shown="the clusters of a square lattice at its threshold; the largest have colors.",
    laws=("percolation.quanta",),
    uses=("simulate.percolation.lattice_clusters", "simulate.percolation.fisher_exponent"),
    seconds=0.3,
)
def clusters(context: Context) -> tuple[Figure, str]:
    """One lattice to look at, and more to measure."""
    length, plan = context.pick(quick=400, full=800), plans_of(context)[2]
    threshold = float(critical_threshold(2))
    seen = simulate.lattice_clusters(
        (length, length), threshold, labels=True, rng=context.generator("shown", 0)
    )
    samples = lattices(context, 2, plan.length, plan.samples, 0)
    tau = simulate.fisher_exponent(samples, powers=plan.powers)
    share = seen.largest / float(seen.sizes @ seen.counts)
    return plots.lattice_slice(seen), (
        f"{seen.count} clusters, of which the largest has {percent(share, 2)} of the occupied sites. On {plan.samples} lattices of length "
        f"{plan.length} tau is {beside(tau, float(critical_exponents(2).tau))}, the exact value in brackets."
    )


@figure(
    source="brill",
    name="tree",
    title="A cluster with its target",
    claim="In many dimensions clusters are those of a Bethe lattice, which are trees, and a target that varies smoothly in space varies "
    "like a random walk along paths: the variance of its increments is the distance along the tree.",
    shown="a cluster of the Bethe lattice around the middle of its longest path, in the colors of its target.",
    laws=("percolation.cluster_learning",),
    uses=("simulate.percolation.bethe_dataset", "solvers.percolation.cluster_scale"),
    seconds=0.5,
)
def tree(context: Context) -> tuple[Figure, str]:
    """One tree to look at, and many whose variances are compared with the mean that theory has."""
    shown = _trees(context, 0, 40, 1000, 30_000)
    many = _trees(context, 1, context.pick(quick=400, full=4000), 1000, 30_000)
    ratio = np.sqrt(
        _TYPICAL / _scales(many)
    )  # of the raw variance to its mean over trees of a size
    low, high = np.quantile(ratio, (0.05, 0.95))
    error = float(ratio.std(ddof=1)) / math.sqrt(ratio.size)
    return plots.cluster_tree(shown, rank=1), (
        f"Over {ratio.size} trees the raw variance of the target is {float(ratio.mean()):.3f} +- {error:.3f} of the mean derived for "
        f"large trees, and between {low:.2f} and {high:.2f} of it for nine in ten: clusters of one size are not equally hard."
    )


# -- ranks and exponents ------------------------------------------------------------------------------------------------


@figure(
    source="brill",
    name="rank-law",
    title="Sizes of clusters against their rank",
    claim="Cluster sizes follow Zipf's law, s_k ~ k^-(1 + alpha) with alpha = (3 - tau)/(tau - 2), so that percolation makes the "
    "quanta that earlier theories took for granted.",
    shown="left, clusters of random sites of a critical Bethe lattice and k^-2; right, three-dimensional lattices, whose clusters are "
    "drawn by a random site (the published choice) or counted once each, with the slopes derived for both.",
    laws=("percolation.quanta", "percolation.quanta_lattice"),
    uses=(
        "simulate.percolation.rooted_sizes",
        "simulate.percolation.sample_lattices",
        "simulate.percolation.rank_exponent",
    ),
    seconds=0.8,
)
def rank_law(context: Context) -> tuple[Figure, str]:
    """Two panels."""
    drawn = canvas(None, (10.8, 4.4))
    left, right = drawn.subplots(1, 2)
    said = [tree_ranks(context, left), lattice_ranks(context, right)]
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="rank $k$")
        axes.legend(frameon=False, fontsize=9)
    left.set_ylabel("sites of the cluster")
    bare(left, right)
    return drawn, " ".join(said)


@figure(
    source="brill",
    name="exponents-by-dimension",
    title="Exponents by dimension",
    claim="The dimension of the lattice and the order c of the approximation fix all exponents: alpha_N = min(alpha, c/D), "
    "alpha_D = min(alpha/(1 + alpha), c/D).",
    shown="the derived exponents from two to eight dimensions for c = 2 (nearest neighbor) and c = 4 (piecewise linear), those that follow "
    "from D and tau as measured on simulated lattices (crosses), and the ratio of the two.",
    laws=("percolation.model", "percolation.data", "percolation.cluster_learning"),
    uses=(
        "solvers.percolation.exponents",
        "simulate.percolation.fractal_dimension",
        "simulate.percolation.fisher_exponent",
    ),
    seconds=0.8,
)
def exponents_by_dimension(context: Context) -> tuple[Figure, str]:
    """Two panels, and what simulations have for D and tau."""
    dimensions = np.arange(2, 9)
    drawn = canvas(None, (10.8, 4.4))
    left, right = drawn.subplots(1, 2)
    for c, (color, _) in zip((2, 4), CASES, strict=False):
        known = solve.exponents(dimensions, smoothness=c)
        look = {"color": color, "ms": {2: 9, 4: 5}[c]}
        left.plot(dimensions, known.model, "-o", lw=1.8, label=rf"model, $c = {c}$", **look)
        left.plot(dimensions, known.data, "--s", mfc="white", label=f"data, $c = {c}$", **look)
        right.plot(dimensions, known.ratio, "-o", lw=1.8, label=f"$c = {c}$", **look)
    said, away = [], []
    for d, plan in plans_of(context).items():
        D, tau = measured_exponents(context, d, plan)
        exact = critical_exponents(d)
        said.append(f"{beside(D, float(exact.D))} and {beside(tau, float(exact.tau))} at d = {d}")
        for c in (2, 4):
            found = c / D.value, min(c / D.value, 3 - tau.value)
            left.plot([d, d], found, "x", color="black", ms=6, mew=1.5, zorder=4)
            derived = solve.exponents(d, smoothness=c)
            away += [found[0] / float(derived.model) - 1, found[1] / float(derived.data) - 1]
    left.plot([], [], "x", color="black", ms=6, mew=1.5, label="from simulated lattices")
    for axes, words in ((left, "exponent of the loss"), (right, r"ratio $\alpha_D/\alpha_N$")):
        axes.set(xlabel="dimension $d$", ylabel=words, ylim=(0, None), xticks=dimensions)
        axes.legend(frameon=False, fontsize=9)
    bare(left, right)
    explain(
        drawn,
        [
            "from six dimensions on: a logarithm multiplies the data law for c = 2, its square the model law for c = 4",
        ],
    )
    worst = max(map(abs, away))
    return drawn, (
        f"Simulations have for D and tau {', '.join(said)}, known values in brackets, and the exponents that follow are within "
        f"{percent(worst, 2)} of the derived ones. Distances are in space: along the paths of clusters other exponents hold below six "
        "dimensions (percolation.cluster_paths)."
    )


# -- a model divided ----------------------------------------------------------------------------------------------------


@figure(
    source="brill",
    name="allocation",
    title="How a model is divided between clusters",
    claim="At the least loss the cluster of rank k gets n_k = A n k^-a degrees of freedom, a = (1 + alpha)/(1 + beta), up to a break "
    "rank at which n_k = 1, and nothing beyond.",
    shown="left, shares by the exact optimum, by that in whole units and by the published rule; right, what it costs to learn another "
    "number of clusters, at alpha = 1, beta = 1/2, n = 1000.",
    laws=("percolation.model", "percolation.break_rank"),
    uses=("solvers.percolation.allocate", "solvers.percolation.allocate_integer"),
    seconds=0.6,
)
def allocation(context: Context) -> tuple[Figure, str]:
    """Exact and published numbers side by side."""
    n, alpha, beta = 1000.0, 1.0, 0.5
    law = theory.law("percolation.model")
    last, amplitude, printed = (
        float(law.evaluate(f"published_{name}", alpha=alpha, beta=beta, n=n))
        for name in ("break_rank", "amplitude", "loss")
    )
    ranks = np.arange(1.0, 1e5)
    best = solve.allocate(ranks ** -(1 + alpha), n, exponents=beta)
    assert best.allocation is not None
    shares = best.allocation[: best.included]
    exact = solve.zipf_model_loss(n, alpha=alpha, exponent=beta)
    spent = float(np.sum(amplitude * n * ranks[ranks <= last] ** (-(1 + alpha) / (1 + beta))))
    slope = float(power_law_exponent(ranks[: shares.size], shares))
    return plots.allocation_by_rank(n, alpha=alpha, exponent=beta), (
        f"Shares fall with the exponent {slope:.4f}, derived {(1 + alpha) / (1 + beta):.4f}, but {int(exact.break_rank)} clusters are "
        f"learned and not {last:.1f}, the last with {shares[-1]:.3f} and not 1; the published shares add up to {spent:.0f}, and the "
        f"published loss {printed:.4f} is {printed / float(exact.loss):.3f} of the exact {float(exact.loss):.4f}."
    )


@figure(
    source="brill",
    name="random-allocations",
    title="Random allocations to simulated clusters",
    claim="Of thousands of random divisions n_k ~ k^-a between the first k_b clusters, the best have the exponent and the break rank "
    "of the theory.",
    shown="losses of random divisions between simulated clusters of weights k^-2 against the number of clusters learned, the best of "
    "them simulated directly, the exact rule with the loss of its law, and the published break rank (dotted).",
    laws=("percolation.break_rank", "percolation.model"),
    uses=("simulate.percolation.random_allocations", "solvers.percolation.allocate"),
    seconds=1.5,
)
def random_allocations(context: Context) -> tuple[Figure, str]:
    """Three sizes of a model."""
    sizes, count = (100.0, 300.0, 1000.0), 316
    weights = np.arange(1.0, count + 1) ** -2
    drawn: dict[float, simulate.RandomAllocations] = {}
    best: dict[float, list[tuple[float, float]]] = {n: [] for n in sizes}
    for r in range(context.pick(quick=9, full=40)):
        data = _trees(context, r, count, 100, context.pick(quick=30_000, full=10**5))
        rng = context.generator("divisions", r)
        curves = simulate.learning_curves(data, rng=rng)
        scales = simulate.fitted_scale(curves.training_counts, curves.test_loss)
        for n in sizes:
            tried = simulate.random_allocations(
                data, curves, n, scales=scales, weights=weights, rng=rng
            )
            drawn.setdefault(n, tried)
            best[n].append((tried.break_rank, tried.loss))
    exact: dict[float, tuple[int, float]] = {}
    said, ratios, nearer = [], [], 0
    law = theory.law("percolation.break_rank")
    for n in sizes:
        found = solve.allocate(weights, n, exponents=0.5)
        exact[n] = int(found.included), float(found.loss) / float(weights.sum())
    picture = plots.tried_allocations(drawn, exact=exact)
    if (key := picture.axes[0].get_legend()) is not None:
        key.remove()  # for one above all panels
    for axes, n in zip(picture.axes, sizes, strict=False):
        printed = float(law.evaluate("published_break_rank", n=n, alpha=1, beta=0.5))
        axes.axvline(printed, color=RIVAL, ls=":", lw=1.5, label="published break rank")
        rank, loss = np.median(best[n], axis=0)
        said.append(f"{rank:.0f}, exact {exact[n][0]}, published {printed:.0f} at n = {n:g}")
        ratios.append(f"{loss / exact[n][1]:.2f}")
        nearer += abs(math.log(rank / exact[n][0])) < abs(math.log(rank / printed))
    handles, labels = picture.axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return picture, (
        f"The best break rank, as the median over {len(best[sizes[0]])} datasets, is {'; '.join(said)}: nearer to the exact rule for "
        f"{nearer} of {len(sizes)} sizes. Losses of the best are {', '.join(ratios)} of what the exact rule says with the law that is "
        "fitted."
    )


# -- losses of simulated clusters ---------------------------------------------------------------------------------------


@figure(
    source="brill",
    name="ideal-losses",
    title="Model and data scaling of ideal clusters",
    claim="The loss falls with the size of a model as n^-min(alpha, beta) and with samples as P^-min(beta, alpha/(1 + alpha)).",
    shown="exact losses of infinitely many clusters of weights k^-2 for four exponents beta of a single cluster, and their local "
    "exponents on the derived ones (dashed; where two limits meet with the slope of the logarithm).",
    laws=("percolation.model", "percolation.data"),
    uses=("solvers.percolation.zipf_model_loss", "solvers.percolation.data_loss"),
    seconds=0.6,
)
def ideal_losses(context: Context) -> tuple[Figure, str]:
    """The picture of the theory page, and constants."""
    sizes = np.geomspace(1e2, 1e12, context.pick(quick=21, full=81)).round()
    picture = plots.loss_curves(sizes)
    ends = np.array([1e12, 1e13])
    said = []
    for name, beta in (("model", 0.5), ("data", 0.25)):
        law = theory.law(f"percolation.{name}")
        found = (
            solve.zipf_model_loss(ends, alpha=1, exponent=beta).loss
            if name == "model"
            else solve.data_loss(ends, alpha=1, exponent=beta).loss
        )
        loss = np.asarray(found, dtype=float)
        variable = {"n" if name == "model" else "P": float(ends[-1])}
        printed = float(law.evaluate("published_loss", alpha=1, beta=beta, **variable))
        if name == "data":
            printed /= float(law.evaluate("normalized", alpha=1))
        said.append(
            f"{float(power_law_exponent(ends, loss)):.4f} for the {name} at beta = {beta:g} (derived {float(law(alpha=1, beta=beta)):g}), "
            f"where the published loss is {printed / loss[-1]:.3f} of the exact one"
        )
    return picture, (f"Between 1e12 and 1e13 exponents are {' and '.join(said)}.")


@figure(
    source="brill",
    name="simulated-losses",
    title="Losses of simulated clusters against model and data size",
    claim="Losses of a nearest-neighbor learner on simulated percolation clusters follow the theory against model size and against "
    "data size.",
    shown="losses against allocated (left) and random (right) training sites, geometric means over datasets, on a theory that knows sizes "
    "and variances of the clusters and has nothing to fit; below, medians of the ratio with quartiles.",
    laws=("percolation.model", "percolation.data", "percolation.cluster_learning"),
    uses=("simulate.percolation.bethe_dataset", "plots.percolation.dataset_losses"),
    seconds=0.8,
)
def simulated_losses(context: Context) -> tuple[Figure, str]:
    """Datasets of a hundred trees."""
    most = context.pick(quick=10**5, full=10**6)
    data = [_trees(context, r, 100, 1000, most) for r in range(context.pick(quick=8, full=24))]
    picture = plots.dataset_losses(
        data,
        units=np.unique(np.geomspace(30, 3000, 7).astype(int)),
        samples=np.unique(np.geomspace(100, 10_000, 7).astype(int)),
        rng=context.generator("sites", 0),
    )
    said = []
    for words, above, below in zip(
        ("model", "data"), picture.axes[:2], picture.axes[2:], strict=True
    ):
        (marks,) = (line for line in below.get_lines() if line.get_gid() == "simulation")
        ratio = np.asarray(marks.get_ydata(), dtype=float)
        (means,) = (line for line in above.get_lines() if line.get_gid() == "simulation")
        x, y = (np.asarray(part, dtype=float) for part in means.get_data())
        (line,) = (line for line in above.get_lines() if line.get_gid() == "theory")
        slope, expected = (
            float(power_law_exponent(x[-3:], values[-3:]))
            for values in (y, np.asarray(line.get_ydata(), dtype=float))
        )
        said.append(
            f"between {percent(float(ratio.min()), 2)} and {percent(float(ratio.max()), 2)} for the {words}, whose last three losses fall "
            f"with the exponent {slope:.2f} (theory {expected:.2f})"
        )
        above.tick_params(which="both", labelbottom=False)
    return picture, (
        f"Simulations deviate by medians {' and '.join(said)}; "
        "both exponents tend to 1/2 for infinitely many clusters, that of data with a logarithm."
    )


@figure(
    source="brill",
    name="single-clusters",
    title="Learning curves of single clusters",
    claim="A single cluster is learned as (n/n_0)^-1/2 from a scale n_0 on that is of order one and differs from cluster to cluster.",
    shown="losses of single clusters against training sites, and over the scales fitted to them, with the power that is fitted "
    "(dashed) and the law of a critical tree, h.",
    laws=("percolation.cluster_learning",),
    uses=(
        "simulate.percolation.learning_curves",
        "simulate.percolation.fitted_scale",
        "solvers.percolation.cluster_scale",
    ),
    seconds=0.7,
)
def single_clusters(context: Context) -> tuple[Figure, str]:
    """A dataset of a hundred trees, whose scales are compared with those of the law."""
    data = _trees(context, 0, 100, 3000, context.pick(quick=3 * 10**5, full=10**6))
    curves = simulate.learning_curves(data, rng=context.generator("sites", 0))
    fitted = np.log(np.asarray(simulate.fitted_scale(curves.training_counts, curves.test_loss)))
    derived = np.log(_scales(data))
    law = solve.cluster_learning_curve(curves.training_counts / np.exp(derived)[:, None])
    of_law = np.log(np.asarray(simulate.fitted_scale(curves.training_counts, law)))
    low, high = np.exp(np.quantile(fitted, (0.05, 0.95)))
    together = float(np.corrcoef(fitted, derived)[0, 1])
    ratio = float(np.exp(np.median(fitted - derived)))
    return plots.cluster_curves(data, curves), (
        f"Fitted scales have the median {float(np.exp(np.median(fitted))):.1f}, nine in ten lie between {low:.1f} and {high:.1f}. "
        f"Derived from a cluster's size s and the raw variance V of its target, n_0 = 2s/(v V^2) has the correlation {together:.2f} "
        f"with them in logarithms; fitted ones are {ratio:.2f} of derived ones (medians), and would be "
        f"{float(np.exp(np.median(of_law - derived))):.2f} for curves that follow h without noise: the power is not the law in the middle."
    )


@figure(
    source="brill",
    name="off-threshold",
    title="Below the threshold: a plateau, and where it ends",
    claim="Away from the threshold clusters end at a size s_xi: the loss has a plateau until some number of clusters k_xi ~ |p - p_c| "
    "is learned, and falls with the critical exponents beyond.",
    shown="left, the loss over that without samples at three distances below the threshold of a Bethe lattice, simulated and summed "
    "over all sizes (lines); right, the same against P/k_xi on the limit of large clusters.",
    laws=("percolation.subcritical_crossover",),
    uses=(
        "simulate.percolation.rooted_sizes",
        "solvers.percolation.bethe_data_loss",
        "solvers.percolation.crossover_data_loss",
    ),
    seconds=1.7,
)
def off_threshold(context: Context) -> tuple[Figure, str]:
    """Three distances, each a few times as many clusters as are large."""
    drawn = canvas(None, (10.8, 4.4))
    left, right = drawn.subplots(1, 2, sharey=True)
    distances, halves, worst = (0.1, 0.03, 0.01), [], 0.0
    for distance, (color, marker) in zip(distances, CASES, strict=False):
        found = below_threshold(context, distance)
        look = {"color": color, "label": rf"$1 - p/p_c = {distance:g}$"}
        for axes, unit in ((left, 1.0), (right, found.crossover)):
            axes.plot(found.fine / unit, found.exact, color=color, lw=1.5)
            axes.plot(found.samples / unit, found.simulated, marker, ms=5, **look)
        halves.append(math.exp(np.interp(-0.5, -found.exact, np.log(found.fine))))
        worst = max(worst, float(np.max(np.abs(found.simulated / found.expected - 1))))
    units = np.geomspace(0.01, 1e3, 60)
    limit = solve.crossover_data_loss(
        (units * 1e4).round(), alpha=1, exponent=0.5, crossover_rank=1e4
    )
    right.plot(units, limit, "--", color=LAW, lw=2, label="limit of large clusters")
    for axes, words in ((left, "samples $P$"), (right, r"$P/k_\xi$")):
        axes.set(xscale="log", yscale="log", xlabel=words)
        axes.legend(frameon=False, fontsize=9, loc="lower left")
    logarithmic(left.yaxis)
    left.set_ylabel("loss / loss without samples")
    bare(left, right)
    growth = -float(power_law_exponent(distances[1:], halves[1:]))
    law = float(
        theory.law("percolation.subcritical_crossover")(tau=Rational(5, 2), sigma=Rational(1, 2))
    )
    return drawn, (
        f"Simulations are within {percent(worst, 2)} of the sums. Half is learned from {', '.join(f'{x:.0f}' for x in halves)} "
        f"samples on, which between the two nearest distances goes as the distance to the power {growth:.2f}, derived {abs(law):g} in "
        "its limit."
    )


@figure(
    source="brill",
    name="width",
    title="Width of published models against their size",
    claim="If a network's degrees of freedom are its width rather than its parameters, the exponent in parameters is less than one: width "
    "grows as a power of N in published models.",
    shown="the 50 models of the Chinchilla family, a published table, with the power fitted by least squares.",
    laws=("percolation.model",),
    uses=("theory.percolation.chinchilla_models", "theory.percolation.chinchilla_width"),
    seconds=0.2,
)
def width(context: Context) -> tuple[Figure, str]:
    """The table and its fit, and exponents beside those that others fitted to losses."""
    fit, alpha = chinchilla_width(), float(critical_exponents(6).alpha)
    predicted = (
        fit.parameter_exponent(alpha),
        float(critical_exponents(6).data_exponent(4).exponent),
    )
    said = " and ".join(f"({n:g}, {d:g}) {who}" for who, (n, d) in _FITTED.items())
    far = [
        abs(p / value - 1)
        for pair in _FITTED.values()
        for p, value in zip(predicted, pair, strict=True)
    ]
    return plots.width_against_size(), (
        f"Width grows as N to the power {fit.exponent:.4f} +- {fit.standard_error:.4f}, which for alpha = {alpha:g} makes "
        f"(alpha_N, alpha_D) = ({predicted[0]:.3f}, {predicted[1]:g}), where fits to losses have {said}: off by at most "
        f"{percent(max(far[0::2]), 2)} in N, and by up to {percent(max(far[1::2]), 2)} in D."
    )
