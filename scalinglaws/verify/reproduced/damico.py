"""Figures of D'Amico, Bocchi and Negri, and of the talk about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from ... import theory
from ...formatting import percent
from ...notation import SourceCapacity
from ...solvers import perceptron
from ...solvers.linear import ridge
from ...solvers.spectra import PowerLawSpectrum
from .. import empirical
from ..checks.manifold import excess_losses, losses_of_pieces, sampled_excess
from ..checks.perceptron.published import ARCHITECTURES, PUBLISHED, pairings
from ..estimate import norm_exponents, power_law_exponent
from ..plots import perceptron as plots
from ..plots.style import CASES, LAW, NOTE, RIVAL, SIMULATION, bare, canvas, logarithmic
from ..registry import Context
from ..simulate.perceptron import SimulatedPerceptrons, digits_curves, fixed_norm
from ._bottlenecks import three_bottlenecks
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_TASK = SourceCapacity(1.5, 1.6)
_FAR = 3.0  # standard errors beyond which exponents differ
_DATA = "rpj"  # the runs of one data set
_SIMULATED = (1.0, 10.0)  # samples per input of perceptrons that are fitted


@figure(
    source="damico",
    name="empirical-laws",
    title="The three empirical laws and their optimum",
    claim="Losses of language models fall as powers of their parameters N and of their tokens D, and where both grow in the best "
    "proportion as a power of compute C, with a best size that is itself a power of C.",
    shown="35 published training runs of one data set, less what the fitted law E + A N^-a + B D^-b says of the other resource and "
    "of the least loss E, with its power laws; last, the best size with its 95 % band.",
    laws=("empirical.chinchilla",),
    uses=("verify.empirical.fit", "verify.empirical.optimum", "runs of Gadre et al."),
    seconds=1,
)
def empirical_laws(context: Context) -> tuple[Figure, str]:
    """Fit the additive law, and take its parts away one by one."""
    runs = empirical.example_runs("gadre", where={"dataset": _DATA})
    fit = empirical.fit(
        "surface", runs, bootstrap=context.pick(quick=200, full=4000), rng=context.root
    )
    least, size, data, a, b = (fit.parameters[name] for name in ("E", "A", "B", "a", "b"))
    wide = np.geomspace(runs.C.min() / 3, runs.C.max() * 30, 60)
    best = empirical.optimum(fit, compute=wide)
    params = np.asarray(best.params)
    drawn = canvas(None, (11.0, 6.6))
    panels = drawn.subplots(2, 2).ravel()
    sizes, tokens = (np.geomspace(x.min() / 2, x.max() * 2, 40) for x in (runs.N, runs.D))
    curves = (
        (runs.N, runs.loss - least - data * runs.D**-b, sizes, size * sizes**-a),
        (runs.D, runs.loss - least - size * runs.N**-a, tokens, data * tokens**-b),
        (runs.C, runs.loss - least, wide, np.asarray(best.loss) - least),
    )
    exponent = float(theory.law("empirical.chinchilla")(a=a, b=b))
    words = (
        ("parameters N", "$L - E - B D^{-b}$ (nats)", f"$N^{{-{a:.3f}}}$"),
        ("tokens D", "$L - E - A N^{-a}$ (nats)", f"$D^{{-{b:.3f}}}$"),
        ("compute C = 6 N D (FLOP)", "$L - E$ (nats)", f"best size: $C^{{-{exponent:.3f}}}$"),
    )
    for axes, (x, y, line, value), (label, what, power) in zip(panels, curves, words, strict=False):
        seen = y > 0
        axes.plot(x[seen], y[seen], "o", color=SIMULATION, ms=4, alpha=0.7, label="runs")
        axes.plot(line, value, color=LAW, lw=2, label=power)
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel=what)
        logarithmic(axes.yaxis)
        axes.legend(frameon=False, fontsize=9)
    last = panels[3]
    last.fill_between(wide, best.params_low, best.params_high, color=LAW, alpha=0.2, lw=0)
    growth = b / (a + b)
    last.plot(wide, params, color=LAW, lw=2, label=f"best N: $C^{{{growth:.3f}}}$")
    last.plot(runs.C, runs.N, "o", color=SIMULATION, ms=4, alpha=0.7, label="runs")
    last.set(xscale="log", yscale="log", xlabel="compute C = 6 N D (FLOP)", ylabel="parameters N")
    last.legend(frameon=False, fontsize=9)
    bare(*panels)
    found = (
        float(power_law_exponent(wide, np.asarray(best.loss) - least)),
        -float(power_law_exponent(wide, params)),
    )
    below = int(sum(np.sum(y <= 0) for _, y, _, _ in curves))
    hidden = f" {below} points lie below the axes." if below else ""
    return drawn, (
        f"The fit has a = {a:.3f}, b = {b:.3f} and E = {least:.2f}, with residuals of {percent(fit.rms, 2)}; its exact optimum falls "
        f"with the exponent {found[0]:.4f}, as derived a b/(a + b) = {exponent:.4f}, and its size grows with {found[1]:.4f}, as "
        f"derived b/(a + b) = {growth:.4f}.{hidden}"
    )


@figure(
    source="damico",
    name="variance-and-resolution",
    title="Variance-limited and resolution-limited",
    claim="Where one resource is plentiful and the other fixed, what is left to gain falls with the exponent 1 whatever the task; where a "
    "resource resolves a manifold of d dimensions, the loss falls as N^(-q/d).",
    shown="left, the loss above its limit in simulated regressions against the surplus of samples over features (or of features over "
    "samples), over the solver; right, squared errors of N constant (q = 2) and linear (q = 4) pieces on tori.",
    laws=(
        "manifold.variance_limited",
        "manifold.variance_limited_model",
        "manifold.model_resolution",
    ),
    uses=("solvers.linear.ridge", "simulated regressions", "simulated pieces on a torus"),
    seconds=1.5,
)
def variance_and_resolution(context: Context) -> tuple[Figure, str]:
    """Two panels."""
    drawn = canvas(None, (10.4, 4.6))
    left, right = drawn.subplots(1, 2)
    variance, resolution = _variance(context, left), _resolution(context, right)
    bare(left, right)
    return drawn, f"{variance} {resolution}"


def _variance(context: Context, axes: Axes) -> str:
    """Draw excess losses on few features with many samples, and the other way around."""
    fixed, surplus = 12, (24, 48, 96, 192)
    draws, replicates = context.pick(quick=100, full=1000), 8
    spectrum, wide = PowerLawSpectrum(1.5, 0.8, 60), np.geomspace(12, 400, 40)
    said = []
    for (word, other, simulate), (color, marker) in zip(
        (("samples", "features", sampled_excess), ("features", "samples", excess_losses)),
        CASES,
        strict=False,
    ):
        limit: dict[str, Any] = {other: fixed}
        many: dict[str, Any] = {word: wide + fixed}
        above = (
            np.asarray(ridge(spectrum, **limit, **many).test_loss)
            - ridge(spectrum, **limit).test_loss
        )
        rows = np.array(
            [simulate(fixed, surplus, draws, context.generator(word, r)) for r in range(replicates)]
        )
        slopes = [float(power_law_exponent(np.array(surplus), row)) for row in rows]
        style = "-" if word == "samples" else (0, (4, 4))  # one lies on the other
        axes.plot(
            wide,
            above,
            ls=style,
            color=color,
            lw=1.8,
            label=f"{fixed} {other}, more {word}: solver",
        )
        axes.errorbar(
            np.array(surplus) * (0.97 if word == "samples" else 1.03),
            rows.mean(axis=0),
            1.96 * rows.std(axis=0, ddof=1) / np.sqrt(replicates),
            fmt=marker,
            color=color,
            ms=5,
            capsize=2.5,
            label="simulation, 95 %",
        )
        error = np.std(slopes, ddof=1) / np.sqrt(replicates)
        said.append(f"{np.mean(slopes):.3f} +- {error:.3f} in {word}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"surplus over the {fixed} that are fixed",
        ylabel="test loss above its limit",
    )
    axes.set_title("variance-limited: exponent 1", loc="left", fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    logarithmic(axes.xaxis)
    return f"Simulated exponents of the excess are {' and '.join(said)}, against 1."


def _resolution(context: Context, axes: Axes) -> str:
    """Draw errors of pieces around random anchors."""
    law, sizes = theory.law("manifold.model_resolution"), (500, 1000, 2000, 4000)
    places, said = context.pick(quick=2000, full=20_000), []
    for dimension, (color, _) in zip((1, 2, 3), CASES, strict=False):
        rng = context.generator(f"dimension {dimension}", 0)
        errors = np.mean(
            [losses_of_pieces(sizes, dimension, places, rng) for _ in range(12)], axis=0
        )
        for order, row, fill, style in ((2, errors[0], color, "-"), (4, errors[1], "white", "--")):
            if (dimension, order) == (1, 4):
                continue  # a few of the longest gaps on a line make nearly all of it
            exponent = float(law(d=dimension, q=order))
            line = row[-1] * (np.array(sizes) / sizes[-1]) ** -exponent
            axes.plot(sizes, line, style, color=color, lw=1.5)
            axes.plot(sizes, row, "o", color=color, mfc=fill, ms=5.5)
            axes.annotate(
                f"d = {dimension}, q = {order}",
                (sizes[-1], row[-1]),
                (7, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=color,
                annotation_clip=False,
            )
            found = float(power_law_exponent(np.array(sizes), row))
            said.append(f"{found:.2f} ({exponent:.2f}) at d = {dimension}, q = {order}")
    axes.set(
        xscale="log", yscale="log", xlabel="pieces N", ylabel="squared error", xlim=(430, 9000)
    )
    axes.set_xticks([500, 1000, 2000, 4000], ["500", "1000", "2000", "4000"])
    axes.minorticks_off()
    axes.set_title("resolution-limited: lines fall as $N^{-q/d}$", loc="left", fontsize=11)
    return f"Those of pieces, with q/d in brackets, are {', '.join(said)}."


@figure(
    source="damico",
    name="bottlenecks",
    title="Three bottlenecks: time, samples, features",
    claim="In a solvable model each of time, samples and features limits the loss with an exponent of its own when the others are "
    "plentiful, and all three follow from the task.",
    shown="the solver's loss against each resource where the others are unlimited, the derived law with its constant, and direct "
    "simulations of 1024 modes (for time, of 768 features and samples), at alpha = 1.5 and beta = 1.6.",
    laws=("linear.time", "linear.data", "linear.model"),
    uses=("solvers.linear.ridge", "solvers.linear.gradient_flow", "simulate.linear"),
    seconds=4,
)
def bottlenecks(context: Context) -> tuple[Figure, str]:
    """Three panels."""
    return three_bottlenecks(context, _TASK)


def _perceptrons(context: Context) -> dict[float, SimulatedPerceptrons]:
    """Fit perceptrons at a few norms."""
    return {
        alpha: fixed_norm(
            [0.1, 1, 5, 20],
            alpha=alpha,
            inputs=inputs,
            draws=context.pick(quick=8, full=60),
            rng=context.generator(f"alpha {alpha:g}", 0),
        )
        for alpha, inputs in zip(_SIMULATED, (150, 100), strict=True)
    }


@figure(
    source="damico",
    name="error-against-norm",
    title="Error against norm, with elbows and envelope",
    claim="At a fixed norm lambda of its weights a perceptron's error falls as lambda^(-gamma_1), up to an elbow that moves with the "
    "number of samples; the least errors are the envelope of these curves.",
    shown="the replica solution (lines), perceptrons fitted by L-BFGS (points), the early power law (dashed) up to the elbow, and the "
    "envelope of least errors.",
    laws=("perceptron.gamma1", "perceptron.elbow", "perceptron.combined"),
    uses=(
        "solvers.perceptron.surface",
        "solvers.perceptron.optimal_norm",
        "simulate.perceptron.fixed_norm",
    ),
    seconds=2,
)
def error_against_norm(context: Context) -> tuple[Figure, str]:
    """Five numbers of samples, two of them simulated."""
    simulated = _perceptrons(context)
    drawn = plots.error_curves((1, 10, 100, 1e3, 1e4), simulated=simulated)
    worst = max(
        float(
            np.max(
                np.abs(
                    found.error.mean(axis=0) / perceptron.fixed_norm(alpha, [0.1, 1, 5, 20]).error
                    - 1
                )
            )
        )
        for alpha, found in simulated.items()
    )
    alphas = np.array([1e2, 1e4, 1e6])
    slopes = [_steepest(alpha) for alpha in alphas]
    far = np.array([1e4, 1e6])
    least = np.asarray(perceptron.optimal_norm(far).error)
    gamma1 = float(theory.law("perceptron.gamma1")())
    total = float(power_law_exponent(far, least))
    combined = float(theory.law("perceptron.combined").in_notation("absolute")())
    steep = ", ".join(f"{slope:.4f}" for slope in slopes)
    return drawn, (
        f"The steepest slopes are {steep} at alpha = 1e2, 1e4, 1e6, on their way to gamma_1 = {gamma1:g}; the envelope falls with "
        f"the exponent {total:.5f}, as derived {combined:g} for the error itself (half of it is that at fixed norm). Simulations "
        f"are within {percent(worst, 2)} of the solution."
    )


def _steepest(alpha: float) -> float:
    """Return the largest local exponent of the error in the norm."""
    norm = np.geomspace(0.3, alpha, 400)
    error = np.asarray(perceptron.fixed_norm(alpha, norm).error)
    return float(np.max(-np.gradient(np.log(error), np.log(norm))))


@figure(
    source="damico",
    name="best-norm",
    title="The best norm against the number of samples",
    claim="The best norm grows as a power of the number of samples, lambda_opt = k_2 alpha^gamma_2.",
    shown="the best norm of the replica solution with the laws for many and for few samples, and its local exponent.",
    laws=("perceptron.gamma2",),
    uses=("solvers.perceptron.optimal_norm",),
    seconds=0.6,
)
def best_norm(context: Context) -> tuple[Figure, str]:
    """Two panels."""
    drawn = plots.best_norm(np.geomspace(1e-2, 1e4, context.pick(quick=41, full=121)))
    law, far = theory.law("perceptron.gamma2"), np.array([1e3, 1e6])
    norm = np.asarray(perceptron.optimal_norm(far).norm)
    growth = -float(power_law_exponent(far, norm))
    assert law.constant is not None
    return drawn, (
        f"From alpha = 1e3 to 1e6 the exponent is {growth:.6f} and lambda_opt/alpha {norm[1] / far[1]:.7f}, as derived "
        f"{float(law()):g} and {float(law.constant):.7f}; for few samples the exponent is 1/2, so that fits at small alpha find less."
    )


@figure(
    source="damico",
    name="collapse",
    title="Collapse of the error curves",
    claim="In units of the best norm and of the least error, the curves at different numbers of samples fall on one.",
    shown="the replica solution at four numbers of samples (lines), fitted perceptrons (points), the derived master curve for many samples "
    "(dashed) and relative deviations from it below.",
    laws=("perceptron.gamma1", "perceptron.gamma2", "perceptron.early_amplitude"),
    uses=(
        "solvers.perceptron.fixed_norm",
        "solvers.perceptron.master_curve",
        "simulate.perceptron.fixed_norm",
    ),
    seconds=0.7,
)
def collapse(context: Context) -> tuple[Figure, str]:
    """One curve."""
    drawn = plots.collapse((1, 3, 10, 100), simulated=_perceptrons(context))
    x = np.geomspace(0.1, 10, 41)
    master = np.asarray(perceptron.master_curve(x).ratio)
    said = []
    for alpha in (10.0, 100.0, 1000.0):
        best = perceptron.optimal_norm(alpha)
        ratio = np.asarray(perceptron.fixed_norm(alpha, x * best.norm).error) / best.error
        said.append(f"{percent(float(np.max(np.abs(ratio / master - 1))), 2)} at alpha = {alpha:g}")
    return drawn, (
        f"Within a factor of ten of the best norm, deviations from the master curve are at most {', '.join(said)}: the collapse is one "
        "of many samples, and exact only in their limit."
    )


@figure(
    source="damico",
    name="complexity-along-training",
    title="Spectral complexity along training",
    claim="A network's spectral complexity grows along training and plays the part of the norm: the error falls as a power of it, up to an "
    "elbow that moves with the number of samples, and gamma = gamma_1 gamma_2.",
    shown="networks of one hidden layer on images of digits: the complexity against steps, and the error against it, with elbows and the "
    "common complexity at which gamma_0 is read (dotted).",
    laws=("perceptron.composite",),
    uses=("simulate.perceptron.digits_curves", "solvers.perceptron.spectral_complexity"),
    seconds=2.6,
    requires=("sklearn",),
)
def complexity_along_training(context: Context) -> tuple[Figure, str]:
    """Train on digits, and measure exponents."""
    steps = np.unique(np.geomspace(1, context.pick(quick=1000, full=3000), 30).round())
    samples = [40, 160, 640] if context.effort == "quick" else [20, 40, 80, 160, 320, 640, 1200]
    curves = digits_curves(
        steps,
        samples,
        seeds=context.pick(quick=3, full=6),
        observe=lambda weights: perceptron.spectral_complexity(weights).complexity,
        scale=0.1,
        learning_rate=3e-3,
        rng=context.root,
    )
    found = norm_exponents(curves.samples, curves.observed[0], curves.error)
    drawn = plots.complexity_curves(curves, found)
    said = {
        name: f"{getattr(found, name):.2f} +- {found.standard_errors[name]:.2f}"
        for name in ("product", "total", "measured")
    }
    apart = {
        name: (found.measured - getattr(found, name)) / error
        for name, error in found.difference_errors.items()
    }
    product, total = (abs(apart[name]) for name in ("product", "total"))
    verdict = (
        "these runs do not tell the two apart"
        if max(product, total) <= _FAR
        else f"neither is within {_FAR:g}, and the {'sum' if total < product else 'product'} is nearer"
        if min(product, total) > _FAR
        else "the product alone is not it, since curves at different numbers of samples do not coincide at equal complexity"
        if product > total
        else "the product alone is enough"
    )
    logarithmic(drawn.axes[1].yaxis)
    return drawn, (
        f"The product gamma_1 gamma_2 is {said['product']}, with gamma_0 added {said['total']}, and the measured exponent "
        f"{said['measured']}, which differs from them by {apart['product']:+.1f} and {apart['total']:+.1f} standard errors: {verdict}."
    )


@figure(
    source="damico",
    name="table-of-nine",
    title="The table of nine: predicted and measured exponents of networks",
    claim="For nine pairs of network and data the exponent of the learning curve is the product of two that are measured along "
    "training, gamma = gamma_1 gamma_2.",
    shown="the published exponents against each other, with one standard error of their difference, and their differences in "
    "units of it; the numbers are the authors', nothing here was trained.",
    uses=("published table",),
    seconds=0.4,
)
def table_of_nine(context: Context) -> tuple[Figure, str]:
    """Points on a diagonal, and their differences row by row."""
    table = np.array(list(PUBLISHED.values()))
    drawn = canvas(None, (10.0, 4.4))
    left, right = drawn.subplots(1, 2, width_ratios=(1, 1.1))
    left.plot([0, 0.8], [0, 0.8], color=RIVAL, lw=1, zorder=1)
    labels: list[str] = []
    for i, (data, rows) in enumerate(zip(PUBLISHED, table, strict=True)):
        color = CASES[i][0]
        for j, (kind, (predicted, measured, error)) in enumerate(
            zip(ARCHITECTURES, rows, strict=True)
        ):
            marker = CASES[j][1]
            look = {"fmt": marker, "color": color, "ms": 6, "capsize": 2.5, "lw": 1}
            left.errorbar(predicted, measured, error, **look)
            right.errorbar((measured - predicted) / error, len(labels), xerr=1, **look)
            labels.append(f"{data} {kind}   {predicted:.2f}  {measured:.2f}")
        left.plot([], [], "o", color=color, label=data)
    for j, kind in enumerate(ARCHITECTURES):
        left.plot([], [], CASES[j][1], color=NOTE, mfc="none", label=kind)
    left.set(
        xlabel=r"predicted $\gamma_1\gamma_2$",
        ylabel=r"measured $\gamma$",
        xlim=(0, 0.8),
        ylim=(0, 0.8),
        aspect="equal",
    )
    left.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)
    right.axvline(0, color=RIVAL, lw=1, zorder=1)
    right.set(
        yticks=range(len(labels)),
        yticklabels=labels,
        ylim=(len(labels) - 0.5, -0.5),
        xlabel="(measured $-$ predicted) / standard error",
    )
    right.set_title("predicted and measured exponent", loc="right", x=-0.02, fontsize=9, color=NOTE)
    bare(left, right)
    chi2, correlation = pairings(table)
    p = float(chdtrc(table[..., 0].size, chi2[0]))
    weights = table[..., 2] ** -2
    bias = float(np.sum(weights * (table[..., 1] - table[..., 0])) / weights.sum())
    return drawn, (
        f"Chi-square is {chi2[0]:.2f} for nine pairs (p = {p:.2f}), against {np.mean(chi2):.0f} on average if predictions are "
        f"exchanged among the networks of a data set, and the mean rank correlation within data sets is {correlation[0]:.2f}: the "
        f"pairs agree, with a mean difference of {bias:+.3f} +- {weights.sum() ** -0.5:.3f}; that errors of a fourth and more "
        "allow no sharper verdict is what the check perceptron.published-exponents says."
    )
