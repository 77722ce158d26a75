"""Figures of Bordelon, Atanasov and Pehlevan on exponents of time, of width and of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import zeta

from ... import theory
from ...formatting import percent
from ...notation import SourceCapacity
from ...solvers.feature_learning import gradient_flow, online_dmft, static_limit
from ...solvers.linear import online_sgd
from ...solvers.spectra import PowerLawSpectrum
from ..checks.feature_learning.tolerances import simulated_exponent
from ..estimate import local_exponent, power_law_exponent
from ..plots.style import CASES, LAW, NOTE, RIVAL, SIMULATION, THEORY, bare, canvas
from ..registry import Context
from ..rule import quantile
from ..simulate.feature_learning import rank_one_flow
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

TASKS = {
    "hard": SourceCapacity(2.0, 0.5),
    "easy": SourceCapacity(2.0, 1.25),
    "super-easy": SourceCapacity(2.0, 2.0),
}
"""One of each kind."""

RICHNESS = 1.0
_STEP_ERROR = 1e-5  # of the integrators, far below what is read off
FAR = 1e8  # time at which exponents of the solver are read
_KINDS = (("lazy", 0.0, THEORY, "o"), ("rich", RICHNESS, SIMULATION, "s"))


def powers_of(law: str, task: SourceCapacity) -> float:
    """Return the exponent that a law has for a task."""
    return float(theory.law(law)(alpha=task.alpha, beta=task.beta))


def judged(pairs: Iterable[tuple[float, float]]) -> str:
    """Say whether exponents that were found agree with derived ones, within the tolerance of the checks."""
    pairs = list(pairs)
    off = sum(abs(found - derived) > simulated_exponent(abs(derived)) for found, derived in pairs)
    if off:
        return (
            f"{off} of {len(pairs)} differ by more than the tolerance of the checks, max(0.03, 5 %)"
        )
    return f"all {len(pairs)} agree within the tolerance of the checks, max(0.03, 5 %)"


def trained(t: Array, task: SourceCapacity, modes: int, **given: Any) -> tuple[Array, Array]:
    """Train networks; return losses, with the signal of the modes left out, and scales of the kernel, one row a draw."""
    found = rank_one_flow(
        t, PowerLawSpectrum(task.alpha, task.beta, modes), tolerance=_STEP_ERROR, **given
    )
    return found.test_loss + float(zeta(task.alpha * task.beta + 1, modes + 1)), found.kernel_scale


def _loss(task: SourceCapacity, richness: float) -> Callable[[Any], Array]:
    """Return the loss of the flow without limits as a function of time."""
    spectrum = PowerLawSpectrum(task.alpha, task.beta)
    return lambda t: np.asarray(gradient_flow(t, spectrum, richness=richness).test_loss)


def slope_at(function: Callable[[Any], Any], x: float) -> float:
    """Return minus the slope of the logarithm of a function in that of its argument."""
    return float(np.asarray(local_exponent(function, x).value))


@figure(
    source="bordelon",
    name="lazy-and-rich",
    title="Lazy and rich networks on hard, easy and super-easy tasks",
    claim="Features that learn improve the exponent of time of hard tasks, from beta to 2 beta/(1 + beta), and of no others; the "
    "exponent of super-easy tasks, beta > 2 - 1/alpha, is set by the noise of small batches, lazy and rich alike.",
    shown="the solver's loss against time with unlimited features and data (lines), single networks that are "
    "trained (marks), one-pass SGD in batches of 2 on the super-easy task (dotted), and below local exponents "
    "over the derived ones (dashed).",
    laws=("feature_learning.time", "linear.time", "linear.sgd_noise"),
    uses=(
        "solvers.feature_learning.gradient_flow",
        "solvers.feature_learning.online_dmft",
        "solvers.linear.online_sgd",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=3,
)
def lazy_and_rich(context: Context) -> tuple[Figure, str]:
    """Draw a column for each kind of task."""
    drawn = canvas(None, (11.6, 6.2))
    upper, lower = drawn.subplots(2, 3, sharex=True, height_ratios=(1.35, 1))
    said, pairs = [], []
    for (name, task), top, bottom in zip(TASKS.items(), upper, lower, strict=True):
        found = [_one_kind(context, task, kind, top, bottom) for kind in _KINDS]
        pairs += [(value, exact) for *values, exact in found for value in values]
        told = [f"{far:.4f} ({near:.3f}, {exact:.4g})" for far, near, exact in found]
        said.append(f"{name} {' and '.join(told)}")
        top.set_title(rf"{name}: $\alpha={task.alpha:g}$, $\beta={task.beta:g}$", fontsize=11)
        top.set(xscale="log", yscale="log")
        bottom.set(xlabel="time t (SGD: learning rate times steps)")
        derived = dict.fromkeys(
            (powers_of("linear.time", task), powers_of("feature_learning.time", task))
        )
        for exponent, color in zip(derived, (RIVAL, LAW), strict=False):
            bottom.axhline(exponent, color=color, ls="--", lw=1.3, zorder=1)
        bottom.set_ylim(0.6 * min(derived), 1.3 * max(derived))
    noise = float(theory.law("linear.sgd_noise")(alpha=TASKS["super-easy"].alpha))
    noisy = _noisy(context, upper[2], lower[2])
    lower[2].axhline(noise, color=NOTE, ls="--", lw=1.3, zorder=1)
    upper[0].set_ylabel("test loss")
    lower[0].set_ylabel(r"local exponent $-d\,\log L\,/\,d\,\log t$")
    upper[0].legend(frameon=False, fontsize=9, loc="lower left")
    upper[2].legend(frameon=False, fontsize=9, loc="lower left")
    bare(*upper, *lower)
    return drawn, (
        f"At t = {FAR:.0e} the solver's exponents, with those of networks over the last decade before their modes run "
        "out and the derived "
        f"ones in brackets, are, lazy and rich: {'; '.join(said)}; {judged(pairs)}. SGD on the super-easy task has "
        f"{noisy}, derived 2 - 1/alpha = {noise:g}."
    )


def _one_kind(
    context: Context,
    task: SourceCapacity,
    kind: tuple[str, float, str, str],
    top: Axes,
    bottom: Axes,
) -> tuple[float, float, float]:
    """Draw lazy or rich networks on a task; return exponents: of the solver, of trained networks, derived."""
    name, richness, color, marker = kind
    modes, t = context.pick(quick=4000, full=20_000), np.geomspace(1, 1e6, 61)
    loss = _loss(task, richness)
    last = (0.01 * modes**task.alpha) ** (1 / (1.0 if richness == 0 else 1.45))
    last = min(last, context.pick(quick=3000, full=20_000))
    at = np.geomspace(1, last, 12)
    marks = trained(at, task, modes, richness=richness)[0][0]
    values = loss(t)
    top.plot(t, values, color=color, lw=1.8, label=f"{name}: solver")
    top.plot(at, marks, marker, color=color, ms=4.5, mfc="white", label=f"{name}: one network")
    bottom.plot(t[1:-1], _local(t, values), color=color, lw=1.8)
    window = np.geomspace(last / 10, last, 7)
    slope = power_law_exponent(window, trained(window, task, modes, richness=richness)[0][0])
    derived = powers_of("feature_learning.time" if richness else "linear.time", task)
    return slope_at(loss, FAR), float(slope), derived


def _local(t: Array, values: Array) -> Array:
    """Return local exponents at the inner times."""
    found: Array = -np.log(values[2:] / values[:-2]) / np.log(t[2:] / t[:-2])
    return found


def _noisy(context: Context, top: Axes, bottom: Axes) -> str:
    """Draw SGD on the super-easy task, and say its exponents."""
    rate, batch, task = 0.2, 2, TASKS["super-easy"]
    spectrum = PowerLawSpectrum(task.alpha, task.beta)
    given: dict[str, Any] = {"batch": batch, "learning_rate": rate}
    steps = np.unique(np.geomspace(5, 5e6, 61).round())
    few = steps[steps <= context.pick(quick=5000, full=200_000)]
    runs = (
        (steps, online_sgd(steps, spectrum, **given).test_loss),
        (
            few,
            online_dmft(
                int(few[-1]), spectrum, richness=RICHNESS, at=few.astype(int), **given
            ).test_loss,
        ),
    )
    slopes = []
    for (name, _, color, _), (where, loss) in zip(_KINDS, runs, strict=True):
        top.plot(rate * where, loss, ":", color=color, lw=1.8, label=f"{name}: SGD, $B={batch}$")
        slopes.append(_local(where, np.asarray(loss)))
        bottom.plot(rate * where[1:-1], slopes[-1], ":", color=color, lw=1.8)
    lazy, rich = slopes[0][few.size - 3], slopes[1][-1]
    far = slope_at(lambda n: online_sgd(n, spectrum, **given).test_loss, 1e12)
    return f"still {lazy:.3f} (lazy) and {rich:.3f} (rich) at t = {rate * few[-2]:.0f}, and {far:.4f} (lazy) at {rate * 1e12:.0e}"


@figure(
    source="bordelon",
    name="finite-sizes",
    title="Few features and few samples",
    claim="Few features or few samples end the power law of time at a floor that they set; features that learn get there sooner, and "
    "to the same floor.",
    shown="test losses of the solver, lazy (dashed) and rich (solid), at several widths N and numbers of samples P, means of trained "
    "networks with 95 %, and the floors (dotted), on the hard task.",
    laws=("feature_learning.model", "feature_learning.data"),
    uses=(
        "solvers.feature_learning.gradient_flow",
        "solvers.feature_learning.static_limit",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=1.4,
)
def finite_sizes(context: Context) -> tuple[Figure, str]:
    """Draw widths on the left, samples on the right."""
    task, modes, draws = TASKS["hard"], 800, context.pick(quick=24, full=200)
    spectrum = PowerLawSpectrum(task.alpha, task.beta, modes)
    t, at = np.geomspace(0.3, 1e4, 80), np.geomspace(1, 3e3, 8)
    drawn = canvas(None, (10.4, 4.5))
    panels, worst, apart, far = drawn.subplots(1, 2, sharey=True), {}, 0.0, 0.0
    for axes, word, letter in zip(panels, ("features", "samples"), "NP", strict=True):
        worst[word] = 0.0
        for size, (color, marker) in zip((10, 40, 160), CASES, strict=False):
            limited: dict[str, Any] = {word: size}
            floor = float(static_limit(spectrum, **limited).test_loss)
            axes.axhline(floor, color=color, ls=":", lw=1.2)
            for richness, style, fill in ((0.0, "--", "white"), (RICHNESS, "-", color)):
                solved = gradient_flow(t, spectrum, richness=richness, **limited).test_loss
                apart = max(
                    apart,
                    abs(
                        float(gradient_flow(1e14, spectrum, richness=richness, **limited).test_loss)
                        / floor
                        - 1
                    ),
                )
                axes.plot(t, solved, style, color=color, lw=1.7)
                rng = context.generator(f"{word} {size}", int(richness))
                rows = rank_one_flow(
                    at,
                    spectrum,
                    richness=richness,
                    draws=draws,
                    rng=rng,
                    tolerance=1e-4,
                    **limited,
                ).test_loss
                mean = rows.mean(axis=0)
                reach = quantile(0.95, draws - 1) * rows.std(axis=0, ddof=1) / draws**0.5
                look: dict[str, Any] = {"color": color, "mfc": fill, "ms": 4.5, "capsize": 2}
                axes.errorbar(at, mean, reach, fmt=marker, lw=1, ls="", **look)
                expected = np.asarray(
                    gradient_flow(at, spectrum, richness=richness, **limited).test_loss
                )
                off = np.abs(mean - expected)
                far = max(far, float(np.max(off / reach)))
                if size > 10:
                    worst[word] = max(worst[word], float(np.max(off / expected)))
            axes.plot([], [], color=color, marker=marker, ms=4.5, label=f"${letter} = {size}$")
        axes.set(xscale="log", yscale="log", xlabel="time t")
        axes.set_title(f"few {word} (dotted: end of training)", loc="left", fontsize=11)
        axes.legend(frameon=False, fontsize=9)
    panels[1].plot([], [], color=NOTE, ls="--", label="lazy")
    panels[1].plot([], [], color=NOTE, label="rich")
    panels[1].legend(frameon=False, fontsize=9)
    panels[0].set_ylabel("test loss")
    bare(*panels)
    return drawn, (
        f"Means of {draws} draws at sizes of 40 and 160 are within {percent(worst['features'], 2)} (features) and "
        f"{percent(worst['samples'], 2)} (samples) of the solver, those at all sizes within {far:.1f} times their 95 "
        "% interval; it is the leading order in one over the size. At t = 1e14 lazy and "
        f"rich losses are off the common floor by at most {apart:.0e} of it."
    )


@figure(
    source="bordelon",
    name="floors",
    title="The floor against width and samples",
    claim="At the end of training the loss is a power of the width or of the number of samples, which features that learn do not change; "
    "the paper has the exponent alpha min(2, beta) for both.",
    shown="losses of rich networks that are trained to their end (means, 95 %), the solver's limit, the derived law, "
    "and for the width the "
    "printed exponent (dotted), at alpha = 2 and beta = 3/2.",
    laws=("feature_learning.model", "feature_learning.data"),
    uses=(
        "solvers.feature_learning.static_limit",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=1,
)
def floors(context: Context) -> tuple[Figure, str]:
    """Draw two panels."""
    task, sizes = SourceCapacity(2.0, 1.5), np.array([15, 25, 40, 65])
    wide = np.geomspace(10, 1e3, 60)
    drawn = canvas(None, (10.4, 4.5))
    panels, said = drawn.subplots(1, 2), []
    for axes, (word, letter, name, many) in zip(
        panels, (("features", "N", "model", 20), ("samples", "P", "data", 10)), strict=True
    ):
        law, draws = theory.law(f"feature_learning.{name}"), context.pick(quick=40, full=200)
        exponent, rng = powers_of(law.name, task), context.generator(word, 0)

        def limit(size: Any, modes: float = np.inf, word: str = word) -> Array:
            sought: dict[str, Any] = {word: size}
            finite = PowerLawSpectrum(task.alpha, task.beta, modes)
            return np.asarray(static_limit(finite, **sought).test_loss)

        rows, own = [], []
        for size in sizes.tolist():
            given: dict[str, Any] = {word: size, "richness": RICHNESS, "draws": draws}
            end = np.array([100.0 * size**task.alpha])
            rows.append(trained(end, task, many * size, rng=rng, **given)[0][:, 0])
            rest = float(zeta(task.alpha * task.beta + 1, many * size + 1))
            own.append(float(limit(size, many * size)) + rest)
        mean = np.mean(rows, axis=1)
        reach = quantile(0.95, draws - 1) * np.std(rows, axis=1, ddof=1) / draws**0.5
        solved = limit(wide)
        axes.plot(wide, solved, color=THEORY, lw=2, label="solver, end of training")
        line = solved[-1] * (wide / wide[-1]) ** -exponent
        derived = f"derived: ${letter}^{{-{exponent:g}}}$"
        axes.plot(wide, line, "--", color=LAW, lw=1.5, label=derived)
        against = ""
        if law.published is not None:
            printed = float(law.published_value(alpha=task.alpha, beta=task.beta))
            start = limit(sizes[0]) * (wide / sizes[0]) ** -printed
            axes.plot(wide, start, ":", color=RIVAL, lw=2, label=f"printed: $N^{{-{printed:g}}}$")
        look: dict[str, Any] = {"fmt": "o", "color": SIMULATION, "ms": 5, "capsize": 2.5}
        label = f"rich networks, {draws} draws"
        axes.errorbar(sizes, mean, reach, label=label, zorder=3, **look)
        axes.set(xscale="log", yscale="log", xlabel=f"{word} {letter}")
        axes.legend(frameon=False, fontsize=9)
        slopes = [float(power_law_exponent(sizes, values)) for values in (mean, np.array(own))]
        spread = np.std(rows, axis=1, ddof=1) / mean / draws**0.5
        x = np.log(sizes) - np.log(sizes).mean()
        error = float(np.sqrt(np.sum((x * spread) ** 2)) / np.sum(x**2))
        if law.published is not None:
            against = f", printed {printed:g}, which is {abs(printed - slopes[0]) / error:.0f} standard errors away"
        said.append(
            f"{word}, {slopes[0]:.2f} +- {error:.2f} simulated where the solver has {slopes[1]:.2f} with as many modes, "
            f"and {slope_at(limit, 1e8):.4f} "
            f"at 1e8 of them (derived {exponent:g}{against})"
        )
    panels[0].set_ylabel("test loss at the end of training")
    bare(*panels)
    return drawn, (
        f"Exponents are, for {'; for '.join(said)}. The printed exponent of the width squares the mean error alone "
        "(check feature_learning.model)."
    )


@figure(
    source="bordelon",
    name="transient",
    title="What a finite width adds before it saturates",
    claim="Before a width N limits the loss it adds 1/N times a power of time, in print t^(-(1 - 1/alpha) max(1, 2/(1 + beta))).",
    shown="what the loss at width N = 10^8 has above that at unlimited width, times N, by the solver, lazy and rich, "
    "on a hard and an easy task; "
    "derived powers (dashed) and for the hard task the printed one (dotted), at alpha = 3/2.",
    laws=("feature_learning.transient", "linear.transient"),
    uses=("solvers.feature_learning.gradient_flow",),
    seconds=0.5,
)
def transient(context: Context) -> tuple[Figure, str]:
    """Draw two panels."""
    width, points = 1e8, context.pick(quick=41, full=81)
    t, far = np.geomspace(1, 1e6, points), 1e5
    drawn = canvas(None, (10.4, 4.5))
    panels, said, pairs = drawn.subplots(1, 2), [], []
    for axes, (name, beta) in zip(panels, (("hard", 0.5), ("easy", 1.75)), strict=True):
        task = SourceCapacity(1.5, beta)
        spectrum = PowerLawSpectrum(task.alpha, task.beta)
        for kind, richness, color, _ in _KINDS:
            law = theory.law("feature_learning.transient" if richness else "linear.transient")

            def added(
                when: Any, richness: float = richness, spectrum: PowerLawSpectrum = spectrum
            ) -> Array:
                narrow, wide = (
                    np.asarray(
                        gradient_flow(when, spectrum, richness=richness, features=n).test_loss
                    )
                    for n in (width, np.inf)
                )
                difference: Array = width * (narrow - wide)
                return difference

            values = added(t)
            axes.plot(t, values, color=color, lw=4, alpha=0.55, label=f"{kind}: solver")
            exponent = powers_of(law.name, task)
            anchor = float(added(far))
            line = anchor * (t / far) ** -exponent
            axes.plot(t, line, "--", color=LAW, lw=1.5, zorder=3)
            pairs.append((slope_at(added, far), exponent))
            told = f"{kind} {pairs[-1][0]:.4f} (derived {exponent:.4f}"
            if richness and name == "hard":
                printed = float(law.published_value(alpha=task.alpha, beta=task.beta))
                middle = float(added(30.0))
                axes.plot(t, middle * (t / 30) ** -printed, ":", color=RIVAL, lw=2)
                told += f", printed {printed:.4f}"
            said.append(f"{name}, {told})")
        axes.plot([], [], "--", color=LAW, lw=1.3, label="derived")
        if name == "hard":
            axes.plot([], [], ":", color=RIVAL, lw=2, label="printed, for rich")
        axes.set(xscale="log", yscale="log", xlabel="time t")
        axes.set_title(rf"{name}: $\beta={beta:g}$", loc="left", fontsize=11)
        axes.legend(frameon=False, fontsize=9)
    panels[0].set_ylabel(r"$N\,(L_N - L_\infty)$")
    bare(*panels)
    return drawn, (
        f"Exponents of decay at t = {far:.0e}: {'; '.join(said)}; {judged(pairs)}. What is printed is the value for "
        "beta >= 1: on hard tasks the addition "
        "may grow, which changes no compute-optimal exponent."
    )
