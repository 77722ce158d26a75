"""Figures of Bordelon, Atanasov and Pehlevan on the growth of the kernel and what it does to exponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import zeta

from ... import theory
from ...notation import SourceCapacity
from ...solvers.feature_learning import crossover_time, gradient_flow
from ...solvers.spectra import PowerLawSpectrum
from ..estimate import power_law_exponent
from ..plots.style import CASES, LAW, NOTE, bare, canvas
from ..registry import Context
from ..simulate.feature_learning import frozen_growth
from ._bordelon_flow import FAR, RICHNESS, judged, slope_at, trained
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


@figure(
    source="bordelon",
    name="bootstrap",
    title="The correction of the exponent, level by level",
    claim="The exponent of a rich network solves its own equation: a loss t^-chi makes the kernel grow, and the loss then falls with "
    "beta (2 - chi); from the lazy chi = beta on hard tasks this leads to 2 beta/(1 + beta).",
    shown="left, exponents of the first levels and their limit against beta, with those of single rich networks that "
    "were trained; right, "
    "losses of networks whose kernels grow as one level before has made them, with the derived powers (dashed), at beta = 1/2.",
    laws=("feature_learning.bootstrap", "feature_learning.time"),
    uses=(
        "simulate.feature_learning.frozen_growth",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=1,
)
def bootstrap(context: Context) -> tuple[Figure, str]:
    """Draw exponents and losses."""
    drawn = canvas(None, (10.8, 4.5))
    left, right = drawn.subplots(1, 2)
    pairs = _levels_and_limit(context, left)
    law, alpha, beta, richness = theory.law("feature_learning.bootstrap"), 4.0, 0.5, 1e3
    modes, last = context.pick(quick=80, full=200), context.pick(quick=300, full=3000)
    t, said = np.geomspace(last / 300, last, 25), []
    found = frozen_growth(
        t, PowerLawSpectrum(alpha, beta, modes), levels=3, richness=richness, points=24
    )
    losses = found.test_loss + float(zeta(alpha * beta + 1, modes + 1))
    late = t >= last / 10
    for level, (color, marker) in enumerate(CASES):
        exponent = float(law(beta=beta, n=level)) if level else beta
        slope = float(power_law_exponent(t[late], losses[level][late]))
        right.plot(t, losses[level], marker, color=color, ms=4, label=f"level {level}")
        line = losses[level][-1] * (t / t[-1]) ** -exponent
        right.plot(t, line, "--", color=color, lw=1.2)
        pairs.append((slope, exponent))
        said.append(f"{slope:.3f} ({exponent:g})")
    right.set(xscale="log", yscale="log", xlabel="time t", ylabel="loss")
    right.set_title(rf"$\beta={beta:g}$, $\alpha={alpha:g}$", loc="left", fontsize=11)
    right.legend(frameon=False, fontsize=9)
    bare(left, right)
    limit = float(theory.law("feature_learning.time")(alpha=alpha, beta=beta))
    off = max(abs(found - exact) for found, exact in pairs[: -len(CASES)])
    return drawn, (
        f"Trained networks are within {off:.3f} of the limit. At beta = 1/2 the levels have {', '.join(said)}, derived in brackets, on "
        f"both sides of their limit {limit:.4f}; {judged(pairs)}."
    )


def _levels_and_limit(context: Context, axes: Axes) -> list[tuple[float, float]]:
    """Draw exponents against beta; return those of trained networks, each with the limit."""
    law, limit = theory.law("feature_learning.bootstrap"), theory.law("feature_learning.time")
    hard, every = np.linspace(0.02, 0.98, 49), np.linspace(0.02, 1.6, 80)
    axes.plot(every, every, color=CASES[0][0], lw=1.5, label=r"lazy: $\beta$")
    for level in (1, 2, 3):
        chi = [float(law(beta=b, n=level)) for b in hard]
        axes.plot(hard, chi, color=CASES[level][0], lw=1.2, label=f"level {level}")
    exact = [float(limit(alpha=1.5, beta=b)) for b in every]
    axes.plot(every, exact, color=LAW, lw=2.2, label=r"limit: $\beta\,\max(1, 2/(1+\beta))$")
    modes, pairs = context.pick(quick=4000, full=20_000), []
    ends = {
        0.25: (175, 790),
        0.4: (265, 1400),
        0.5: (355, 2170),
        0.75: (600, 4950),
        1.25: (1000, 11_000),
        1.5: (1000, 11_000),
    }
    for beta, (quick, full) in ends.items():
        last = context.pick(quick=quick, full=full)
        t = np.geomspace(last / 10, last, 7)
        loss = trained(t, SourceCapacity(1.5, beta), modes, richness=RICHNESS)[0][0]
        slope = float(power_law_exponent(t, loss))
        pairs.append((slope, float(limit(alpha=1.5, beta=beta))))
    axes.plot(
        list(ends),
        [found for found, _ in pairs],
        "X",
        color=NOTE,
        ms=8,
        mec="white",
        label="networks, trained",
        zorder=3,
    )
    axes.set(
        xlabel=r"source $\beta$", ylabel=r"exponent of time $\chi$", xlim=(0, 1.6), ylim=(0, 1.6)
    )
    axes.legend(frameon=False, fontsize=9)
    return pairs


@figure(
    source="bordelon",
    name="kernel-growth",
    title="Growth of the kernel",
    claim="On hard tasks the kernel of a rich network grows without end, as t^((1 - beta)/(1 + beta)); on easy ones it stops; and a "
    "weakly rich network leaves the lazy one at t ~ richness^(-1/(1 - beta)).",
    shown="left, the scale of the kernel at richness 1, of the solver (lines), of single networks (marks) and as derived (dashed), at "
    "alpha = 3/2; right, the time at which the kernel has doubled against the richness, with derived powers.",
    laws=("feature_learning.kernel_scale", "feature_learning.crossover"),
    uses=(
        "solvers.feature_learning.gradient_flow",
        "solvers.feature_learning.crossover_time",
        "simulate.feature_learning.rank_one_flow",
    ),
    seconds=1,
)
def kernel_growth(context: Context) -> tuple[Figure, str]:
    """Draw scales and crossovers."""
    law, start = (theory.law(f"feature_learning.{name}") for name in ("kernel_scale", "crossover"))
    drawn = canvas(None, (10.4, 4.6))
    left, right = drawn.subplots(1, 2)
    t, modes, grown, begun, pairs = (
        np.geomspace(0.1, 1e8, 80),
        context.pick(4000, 20_000),
        [],
        [],
        [],
    )
    gammas = np.geomspace(1e-4, 1e-1, 13)
    for beta, (color, marker) in zip((0.25, 0.5, 0.75, 1.25), CASES, strict=True):
        task = SourceCapacity(1.5, beta)
        spectrum = PowerLawSpectrum(task.alpha, task.beta)

        def scale(when: Any, spectrum: PowerLawSpectrum = spectrum) -> Array:
            return np.asarray(gradient_flow(when, spectrum, richness=RICHNESS).scale)

        values, at = scale(t), np.geomspace(0.3, 300, 9)
        marks = trained(at, task, modes, richness=RICHNESS)[1][0]
        left.plot(t, values, color=color, lw=1.8, label=rf"$\beta={beta:g}$")
        left.plot(at, marks, marker, color=color, ms=4.5, mfc="white")
        slope, derived = -slope_at(scale, FAR), float(law(alpha=1.5, beta=beta))
        if beta < 1:
            late = t >= 1e2
            left.plot(t[late], values[-1] * (t[late] / t[-1]) ** derived, "--", color=color, lw=1)
            times = np.asarray(crossover_time(spectrum, richness=gammas))
            right.plot(1 / gammas, times, marker, color=color, ms=4.5, label=rf"$\beta={beta:g}$")
            power = float(start(beta=beta))
            right.plot(
                1 / gammas, times[0] * (gammas / gammas[0]) ** -power, "--", color=color, lw=1
            )
            found = float(np.log(times[0] / times[1]) / np.log(gammas[1] / gammas[0]))
            begun.append(f"{found:.4f} ({power:.4g})")
            pairs.append((found, power))
        grown.append(f"{slope:.4f} ({derived:.4g})")
        pairs.append((slope, derived))
    left.set(xscale="log", yscale="log", xlabel="time t", ylabel="scale of the kernel s")
    right.set(
        xscale="log",
        yscale="log",
        xlabel=r"1 / richness $\gamma$",
        ylabel="time at which the kernel has doubled",
    )
    left.legend(frameon=False, fontsize=9)
    right.legend(frameon=False, fontsize=9)
    bare(left, right)
    return drawn, (
        f"At t = {FAR:.0e} the scale has the local exponents {', '.join(grown)} for beta = 0.25, 0.5, 0.75, 1.25, derived in brackets; "
        f"corrections fade as one over the scale, slowly near beta = 1. The crossover has the powers {', '.join(begun)}; {judged(pairs)}."
    )
