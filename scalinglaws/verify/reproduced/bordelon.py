"""Figures of Bordelon, Atanasov and Pehlevan on compute, on finite steps and on other networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import zeta

from ... import theory
from ...formatting import percent
from ...solvers import feature_learning as solve
from ...solvers import linear
from ...solvers.spectra import PowerLawSpectrum
from ..estimate import power_law_exponent
from ..plots.feature_learning import circle_slopes, dmft_curves, phase_diagram
from ..plots.style import LAW, NOTE, RIVAL, SIMULATION, THEORY, bare, canvas
from ..registry import Context
from ..simulate import feature_learning as simulate
from ._bordelon_flow import RICHNESS, TASKS, judged, powers_of, trained
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_NAMES = ("hard", "easy", "super-easy")


@figure(
    source="bordelon",
    name="phases",
    title="Hard, easy and super-easy tasks",
    claim="Tasks of source beta < 1 are hard, those beyond 2 - 1/alpha super-easy; feature learning improves the "
    "compute-optimal exponent "
    "of the hard ones and moves no boundary.",
    shown="the phases of lazy and of rich networks with exact boundaries, each with its exponent of the least loss at given compute; "
    "marked are the tasks of the other figures.",
    laws=("feature_learning.compute_lazy", "feature_learning.compute"),
    uses=("verify.plots.feature_learning.phase_diagram",),
    seconds=1.3,
)
def phases(context: Context) -> tuple[Figure, str]:
    """Draw the phase diagram."""
    drawn = phase_diagram(tasks=TASKS, resolution=context.pick(quick=200, full=400))
    said = [
        f"{name} {powers_of('feature_learning.compute_lazy', task):.4f} and {powers_of('feature_learning.compute', task):.4f}"
        for name, task in TASKS.items()
    ]
    return drawn, f"Exponents of the marked tasks are, lazy and rich: {', '.join(said)}."


@figure(
    source="bordelon",
    name="phase-table",
    title="The table of exponents, derived and computed",
    claim="Compute-optimal exponents of the loss, L ~ C^-r, and of the width, N ~ C^n, are in closed form for every "
    "task; lazy and rich ones "
    "differ on hard tasks alone.",
    shown="the formulas that the package derives, what they give for one task of each kind, and local exponents of the "
    "solvers' frontiers at "
    "C = 10^20 (rich: 10^10), lazy with the noise of one-pass SGD, rich without noise.",
    laws=(
        "feature_learning.compute_lazy",
        "feature_learning.compute",
        "feature_learning.compute_model",
        "linear.compute_model",
    ),
    uses=("solvers.linear.compute_frontier", "solvers.feature_learning.compute_frontier"),
    seconds=2.5,
)
def phase_table(context: Context) -> tuple[Figure, str]:
    """Write the table, formulas from the laws and numbers from the frontiers."""
    budgets = {"lazy": 1e20, "rich": 10.0 ** context.pick(quick=10, full=14)}
    columns = (
        ("lazy, loss", "feature_learning.compute_lazy", "lazy", "loss_exponent"),
        ("rich, loss", "feature_learning.compute", "rich", "loss_exponent"),
        ("lazy, width", "linear.compute_model", "lazy", "features_exponent"),
        ("rich, width", "feature_learning.compute_model", "rich", "features_exponent"),
    )
    drawn = canvas(None, (11.0, 3.9))
    axes = drawn.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    places = (0.28, 0.47, 0.66, 0.85)
    for x, (title, *_) in zip(places, columns, strict=True):
        axes.text(x, 0.95, title, ha="center", va="center", fontsize=12, weight="bold")
    axes.plot([0, 1], [0.885, 0.885], color=NOTE, lw=1)
    pairs = []
    for row, (name, task) in enumerate(TASKS.items()):
        y = 0.75 - 0.3 * row
        label = rf"$\alpha={task.alpha:g}$, $\beta={task.beta:g}$"
        axes.text(0.0, y + 0.04, name, va="center", fontsize=12, weight="bold")
        axes.text(0.0, y - 0.06, label, va="center", fontsize=10, color=NOTE)
        spectrum = PowerLawSpectrum(task.alpha, task.beta)
        frontiers: dict[str, Any] = {"lazy": linear.compute_frontier(budgets["lazy"], spectrum)}
        if (
            name == "hard"
        ):  # on others the flow has no noise, and the exponents are those of the lazy one
            frontiers["rich"] = solve.compute_frontier(budgets["rich"], spectrum, richness=RICHNESS)
        for x, (_, law, kind, field) in zip(places, columns, strict=True):
            given = {"alpha": task.alpha, "beta": task.beta}
            exponent = powers_of(law, task)
            formula = _formula(law, given)
            axes.text(x, y + 0.05, f"${formula}$", ha="center", va="center", fontsize=14)
            told = f"{exponent:.4f}"
            if kind in frontiers:
                found = float(getattr(frontiers[kind], field))
                told += f"   computed {found:.4f}"
                pairs.append((found, exponent))
            axes.text(x, y - 0.07, told, ha="center", va="center", fontsize=10, color=NOTE)
        axes.plot([0, 1], [y - 0.14, y - 0.14], color=RIVAL, lw=0.7)
    worst = max(abs(found - derived) for found, derived in pairs)
    return drawn, (
        f"Computed exponents are within {worst:.4f} of the derived ones: {judged(pairs)}. The frontier of rich networks is "
        "that of the flow, without the noise of small batches, and is computed for the hard task alone."
    )


def _formula(law: str, given: dict[str, float]) -> str:
    """Return the exponent of the regime in which a task lies, typeset."""
    import sympy as sp

    formula = theory.law(law)
    name = formula.regime(**given)
    exponent = next(entry.exponent for entry in formula.regimes if entry.name == name)
    return str(sp.latex(exponent)).replace(r"\frac", r"\dfrac")


@figure(
    source="bordelon",
    name="compute-frontiers",
    title="Compute frontiers, lazy and rich",
    claim="On hard tasks the best loss at a compute C = N t falls with 2 alpha beta/(alpha (1 + beta) + 2) when "
    "features learn, in place of "
    "alpha beta/(alpha + 1), and the best width grows faster; on easy tasks nothing changes.",
    shown="the solver's losses of widths from 4 to 4000 against compute (thin), lower envelopes (dots) with derived slopes "
    "(dashed), and the best of seven widths of networks that were trained (open triangles, means of the draws).",
    laws=("feature_learning.compute_lazy", "feature_learning.compute"),
    uses=(
        "solvers.feature_learning.gradient_flow",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=2.7,
)
def compute_frontiers(context: Context) -> tuple[Figure, str]:
    """Draw a panel for each of two tasks."""
    drawn = canvas(None, (10.8, 4.8))
    panels, said, pairs = drawn.subplots(1, 2), [], []
    for axes, name in zip(panels, _NAMES, strict=False):
        for kind, richness, color in (("lazy", 0.0, THEORY), ("rich", RICHNESS, SIMULATION)):
            pairs.append(_envelope(context, axes, name, kind, richness, color))
            said.append(f"{name} {kind} {pairs[-1][0]:.4f} ({pairs[-1][1]:.4f})")
        task = TASKS[name]
        axes.set(xscale="log", yscale="log", xlabel="compute C = N t", ylabel="test loss")
        axes.set_title(
            rf"{name}: $\alpha={task.alpha:g}$, $\beta={task.beta:g}$", loc="left", fontsize=11
        )
        axes.legend(frameon=False, fontsize=9, loc="lower left")
    bare(*panels)
    return drawn, (
        f"Envelopes from C = 10^3 to 10^6 fall with the exponents {', '.join(said)}, in brackets the derived ones; {judged(pairs)}."
    )


def _envelope(
    context: Context, axes: Axes, name: str, kind: str, richness: float, color: str
) -> tuple[float, float]:
    """Draw curves of widths and the best of them; return how fast that falls, and the derived exponent."""
    task = TASKS[name]
    spectrum = PowerLawSpectrum(task.alpha, task.beta)
    widths = np.geomspace(4, 4000, context.pick(quick=19, full=61)).round()
    budgets, t = np.geomspace(1e2, 1e7, 21), np.geomspace(0.5, 1e7, 100)
    losses = []
    for i, width in enumerate(widths):
        flow = solve.gradient_flow(t, spectrum, richness=richness, features=width)
        loss = np.asarray(flow.test_loss)
        if i % 3 == 0:
            shown = (width * t > 30) & (width * t < 1e7)
            axes.plot(width * t[shown], loss[shown], color=color, lw=0.6, alpha=0.45)
        known = {"left": np.inf, "right": np.inf}
        losses.append(np.interp(np.log(budgets / width), np.log(t), np.log(loss), **known))
    best = np.exp(np.min(losses, axis=0))
    exponent = powers_of(f"feature_learning.compute{'' if richness else '_lazy'}", task)
    axes.plot(budgets, best, "o", color=color, ms=4, label=f"{kind}: best width")
    line = best[12] * (budgets / budgets[12]) ** -exponent
    axes.plot(budgets, line, "--", color=color, lw=1.5, label=f"{kind}: $C^{{-{exponent:.3f}}}$")
    given = {"richness": richness, "draws": context.pick(quick=12, full=100)}
    at, rows = np.geomspace(200, 8e3, 5), []
    for width in (5, 8, 12, 18, 27, 40, 60):
        rng = context.generator(f"{name} {kind}", width)
        found = trained(at / width, task, 10 * width, features=width, rng=rng, **given)[0]
        rows.append(found.mean(axis=0))
    look: dict[str, Any] = {
        "color": color,
        "ms": 9,
        "mfc": "none",
        "label": f"{kind}: best of seven networks",
    }
    axes.plot(at, np.min(rows, axis=0), "v" if richness else "^", **look)
    window = (budgets > 0.99e3) & (budgets < 1.01e6)
    return float(power_law_exponent(budgets[window], best[window])), exponent


@figure(
    source="bordelon",
    name="circle-slopes",
    title="Networks of rectified linear units on the circle",
    claim="Networks that are not linear follow the same exponents: on the circle, a kernel of alpha = 2 and a target "
    "of beta = 1/2, lazy ones "
    "learn as t^-1/2 and rich ones as t^-2/3.",
    shown="losses of trained networks of rectified linear units, lazy and rich, the flow of the lazy kernel on the same samples and "
    "harmonics, and local slopes with the derived exponents (dashed).",
    laws=("feature_learning.circle", "feature_learning.time", "linear.time"),
    uses=("simulate.feature_learning.circle_network", "solvers.feature_learning.circle_flow"),
    seconds=1.4,
)
def circle(context: Context) -> tuple[Figure, str]:
    """Train networks at beta = 1/2."""
    task: dict[str, Any] = {
        "target_exponent": 1.0,
        "samples": context.pick(quick=1280, full=4096),
        "harmonics": context.pick(quick=512, full=1024),
    }
    neurons, draws = context.pick(quick=1200, full=6000), context.pick(quick=2, full=4)
    t = np.geomspace(1, 200, 15)
    networks = {
        name: simulate.circle_network(
            t,
            neurons=neurons,
            richness=richness,
            draws=draws,
            rng=context.generator(name[:4], 0),
            **task,
        )
        for name, richness in ((r"lazy, $\gamma = 10^{-3}$", 1e-3), (r"rich, $\gamma = 4$", 4.0))
    }
    drawn = circle_slopes(t, networks, **task)
    late = t >= 60
    flow = np.asarray(
        solve.circle_flow(
            t,
            activation_power=1,
            target_exponent=1.0,
            harmonics=task["harmonics"],
            grid=task["samples"],
        ).train_loss
    )
    lazy, rich = (
        np.array([float(power_law_exponent(t[late], row[late])) for row in found.train_loss])
        for found in networks.values()
    )
    derived = float(theory.law("feature_learning.circle")(q=1, q_y=1))
    return drawn, (
        f"From t = 60 to 200 lazy networks of {neurons} neurons have the slopes {_listed(lazy)}, their kernel's flow "
        f"{float(power_law_exponent(t[late], flow[late])):.3f}, and rich ones {_listed(rich)}, derived {derived:.4f}; very hard and easy "
        "targets reach their exponents too late to decide (check feature_learning.circle_early)."
    )


def _listed(values: Array) -> str:
    return " and ".join(f"{value:.3f}" for value in values)


@figure(
    source="bordelon",
    name="dmft-against-sgd",
    title="Dynamical mean-field theory against SGD",
    claim="For large networks mean losses along one-pass SGD follow from closed equations for correlations and responses, with features "
    "that learn and without.",
    shown="test loss and scale of the kernel by the theory (lines), trained networks of 100 features in batches of 25 "
    "(marks with one standard "
    "error, shades with 80 % of the draws), and relative deviations below.",
    uses=("solvers.feature_learning.online_dmft", "simulate.feature_learning.online_sgd"),
    seconds=0.5,
)
def dmft_online(context: Context) -> tuple[Figure, str]:
    """March through steps, and draw networks."""
    spectrum = PowerLawSpectrum(1.5, 0.75, 200)
    given: dict[str, Any] = {"features": 100, "batch": 25, "learning_rate": 0.2}
    return _steps(context, spectrum, given, solve.online_dmft, simulate.online_sgd, "test_loss")


@figure(
    source="bordelon",
    name="dmft-reuse",
    title="The theory where samples are used again",
    claim="The same equations hold for descent on a few samples that are used in every step; the train loss then "
    "leaves the test loss, and "
    "label noise makes the test loss rise.",
    shown="test and train loss and scale of the kernel by the theory (lines), trained networks of 100 features on 60 "
    "samples with label noise "
    "of variance 0.1 (marks, shades), and relative deviations below.",
    uses=("solvers.feature_learning.reuse_dmft", "simulate.feature_learning.gradient_descent"),
    seconds=0.5,
)
def dmft_reuse(context: Context) -> tuple[Figure, str]:
    """March through steps, and draw networks."""
    spectrum = PowerLawSpectrum(1.5, 0.75, 200)
    given: dict[str, Any] = {
        "features": 100,
        "samples": 60,
        "learning_rate": 0.2,
        "noise_variance": 0.1,
    }
    return _steps(
        context, spectrum, given, solve.reuse_dmft, simulate.gradient_descent, "train_loss"
    )


def _steps(
    context: Context,
    spectrum: PowerLawSpectrum,
    given: dict[str, Any],
    theory_of: Any,
    networks_of: Any,
    field: str,
) -> tuple[Figure, str]:
    """Draw theory and networks, lazy and rich."""
    draws, at = context.pick(quick=40, full=400), np.unique(np.geomspace(1, 200, 12).round())
    at = at.astype(int)
    kinds = {"lazy": 0.0, "rich": RICHNESS}
    solved = {
        name: theory_of(200, spectrum, richness=gamma, **given) for name, gamma in kinds.items()
    }
    drawn = {
        name: networks_of(
            at,
            spectrum,
            richness=gamma,
            draws=draws,
            rng=context.generator(name, 0),
            **given,
        )
        for name, gamma in kinds.items()
    }
    picture = dmft_curves(solved, simulated=drawn, at=at)
    said, inside, count = [], 0, 0
    for name, run in drawn.items():
        for which in dict.fromkeys(("test_loss", field)):
            ratio = getattr(run, which) / getattr(solved[name], which)[at]
            off = ratio.mean(axis=0) - 1
            error = ratio.std(axis=0, ddof=1) / draws**0.5
            inside, count = inside + int(np.sum(np.abs(off) < 2 * error)), count + off.size
            said.append(
                f"{percent(float(np.sqrt(np.mean(off**2))), 2)} ({name} {which.replace('_', ' ')}, standard errors up to "
                f"{percent(float(error.max()), 2)})"
            )
    return picture, (
        f"Means of {draws} draws deviate from the theory by, root mean square, {', '.join(said)}: {inside} of {count} "
        "are within two standard "
        "errors. What is left falls as all sizes grow together (check feature_learning.replicas)."
    )


@figure(
    source="bordelon",
    name="linear-network",
    title="Linear networks of which no weight is frozen",
    claim="Ordinary linear networks of two layers, without the projection of the model, learn a hard task with the same exponent "
    "2 beta/(1 + beta), and lazily with beta.",
    shown="left, losses of wide networks whose weights are all trained (marks), by the solver of infinite width "
    "(lines) and with the derived "
    "powers (dashed), beta = 1/2; right, narrow networks of 15 features (mean of the draws) beside the projected model.",
    laws=("feature_learning.linear_network", "linear.time"),
    uses=(
        "simulate.feature_learning.network_flow",
        "solvers.feature_learning.linear_network",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=0.3,
)
def networks(context: Context) -> tuple[Figure, str]:
    """Draw wide and narrow networks."""
    drawn = canvas(None, (10.4, 4.6))
    left, right = drawn.subplots(1, 2)
    said, pairs = _wide_networks(context, left)
    floor, loss, steps = _narrow_networks(context, right)
    left.set(ylabel="test loss")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="time t")
        axes.legend(frameon=False, fontsize=9, loc="lower left")
    bare(left, right)
    return drawn, (
        f"Over the last decade wide networks have the exponents {said}, derived in brackets: {judged(pairs)}. At t = "
        f"{steps:g} narrow ones have "
        f"{percent(loss / floor, 2)} of the loss at which the projected model ends: a width sets "
        f"{'no' if loss < 0.5 * floor else 'a'} floor "
        "where nothing is frozen."
    )


def _wide_networks(context: Context, axes: Axes) -> tuple[str, list[tuple[float, float]]]:
    """Draw networks eight times as wide as they have modes; return exponents in words and in numbers."""
    beta, modes = 0.5, context.pick(quick=80, full=250)
    spectrum, rest = PowerLawSpectrum(2.0, beta, modes), float(zeta(1 + 2 * beta, modes + 1))
    said, pairs = [], []
    for kind, richness, color, marker in (
        ("lazy", 0.0, THEORY, "o"),
        ("rich", 10.0, SIMULATION, "s"),
    ):
        law = theory.law("feature_learning.linear_network" if richness else "linear.time")
        exponent = float(law(alpha=2.0, beta=beta))
        last = 36 * (modes / 80) ** 1.5
        t, wide = np.geomspace(last / 100, last, 13), np.geomspace(last / 300, 3 * last, 60)
        rows = simulate.network_flow(
            t,
            spectrum,
            features=8 * modes,
            richness=richness,
            draws=context.pick(quick=3, full=6),
            rng=context.generator(f"wide {kind}", 0),
            tolerance=1e-4,
        ).test_loss
        mean = rows.mean(axis=0) + rest
        solved = solve.linear_network(wide, PowerLawSpectrum(2.0, beta), richness=richness)
        values = np.asarray(solved.test_loss)
        axes.plot(
            wide, values, color=color, lw=1.8, label=rf"{kind}, $\gamma={richness:g}$: solver"
        )
        axes.plot(t, mean, marker, color=color, ms=5, mfc="white", label=f"{kind}: networks")
        line = values[-1] * (wide / wide[-1]) ** -exponent
        axes.plot(
            wide,
            line,
            "--",
            color=LAW if richness else RIVAL,
            lw=1.3,
            label=f"$t^{{-{exponent:.3g}}}$",
        )
        late = t >= last / 10.01
        slope = float(power_law_exponent(t[late], mean[late]))
        said.append(f"{kind} {slope:.3f} ({exponent:.4g})")
        pairs.append((slope, exponent))
    axes.set_title(rf"wide: $N={8 * modes}$, $\alpha=2$, $\beta={beta:g}$", loc="left", fontsize=11)
    return " and ".join(said), pairs


def _narrow_networks(context: Context, axes: Axes) -> tuple[float, float, float]:
    """Draw networks with and without projection; return the floor, the loss without one, and when."""
    spectrum, width, t = PowerLawSpectrum(1.5, 0.5, 60), 15, np.geomspace(0.3, 100, 16)
    draws = context.pick(quick=20, full=200)
    given: dict[str, Any] = {"features": width, "richness": RICHNESS, "draws": draws}
    runs = {
        "projected": simulate.rank_one_flow(
            t, spectrum, rng=context.generator("narrow", 0), **given
        ).test_loss,
        "nothing frozen": simulate.network_flow(
            t, spectrum, rng=context.generator("narrow", 0), tolerance=1e-6, **given
        ).test_loss,
    }
    for (name, rows), (color, marker) in zip(
        runs.items(), ((NOTE, "D"), (SIMULATION, "s")), strict=True
    ):
        axes.plot(t, rows.mean(axis=0), marker + "-", color=color, ms=4.5, lw=0.8, label=name)
    floor = float(solve.static_limit(spectrum, features=width).test_loss)
    axes.axhline(floor, color=NOTE, ls=":", lw=1.3, label="end of the projected model")
    wide = solve.linear_network(t, spectrum, richness=RICHNESS)
    axes.plot(t, wide.test_loss, color=THEORY, lw=1.5, label="infinite width")
    axes.set_title(
        rf"narrow: $N={width}$, 60 modes, $\alpha=3/2$, $\beta=1/2$", loc="left", fontsize=11
    )
    return floor, float(runs["nothing frozen"].mean(axis=0)[-1]), float(t[-1])
