"""What the weights of an aligned network look like: the optimum over all of them, and the law of one neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import cumulative_trapezoid

from ....arguments import number
from ....errors import refusal
from ....solvers.patterns import (
    AlignmentProbability,
    Configuration,
    alignment_rate,
    specialized_cost,
)
from ..style import LAW, RIVAL, SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 4001


def weight_configuration(
    configuration: Configuration,
    d: float,
    *,
    sampled: AlignmentProbability | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the most likely weights of a network that is aligned with its target, on the mean-field law of one neuron.

    Parameters
    ----------
    configuration : Configuration
        From `scalinglaws.solvers.patterns.optimize_configuration`.
    d : float
        The input dimension that it was found for.
    sampled : AlignmentProbability, optional
        From `scalinglaws.solvers.patterns.log_alignment` at the same width and dimension: how many neurons specialize on average.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left the law of a neuron's weight in the network that is drawn at
        random and in one that is aligned, with the optimized weights as ticks; right the number of neurons with a weight beyond x:
        expected (lines), in the optimum (steps) and sampled (mark). ``gid`` are ``"prior"``, ``"aligned"``, ``"optimum"``,
        ``"pattern"`` (the closed form of the specialized weight) and ``"sampled"``.

    Raises
    ------
    DomainError
        If the configuration is of another kind, its cost is not that of its weights at this d, or `sampled` is of another network.

    Examples
    --------
    >>> from scalinglaws.solvers.patterns import optimize_configuration
    >>> figure = weight_configuration(optimize_configuration(50, 50, starts=5, rng=0), 50)
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['weight $w$ on the target', '$x$']
    """
    d = number("d", d, low=1)
    if not isinstance(configuration, Configuration):
        raise refusal(
            "configuration",
            configuration,
            f"must come from optimize_configuration; got {type(configuration).__name__}",
            shown=False,
        )
    weights = np.asarray(configuration.weights)
    n = weights.size
    r = weights**2
    cost = d / 2 * r.sum() + n / (2 * ((r / (3 + 2 * r)) ** 3).sum())
    if not abs(cost / configuration.cost - 1) < 1e-6:
        raise refusal(
            "d", d, f"is not the dimension of the configuration: its cost would be {cost:.6g}"
        )
    if sampled is not None and not (
        isinstance(sampled, AlignmentProbability) and (sampled.n, sampled.d) == (n, d)
    ):
        raise refusal(
            "sampled", sampled, f"must come from log_alignment with n = {n}, d = {d:g}", shown=False
        )

    best = specialized_cost(n, d)
    place = float(np.sqrt(best.squared_weight))
    reach = max(1.5 * float(weights[0]), 1.5 * place, 6 / np.sqrt(d))
    x = np.linspace(0, reach, _POINTS)
    prior = -d * x**2 / 2
    tilted = prior + float(alignment_rate(n, d).tilt) * (x**2 / (3 + 2 * x**2)) ** 3
    laws = {}
    for name, logs in (("prior", prior), ("aligned", tilted)):
        density = np.exp(logs - logs.max())
        laws[name] = density / (2 * np.trapezoid(density, x))

    figure = canvas(figure, (10.4, 4.8))
    left, right = figure.subplots(1, 2)
    looks = {"prior": (RIVAL, "drawn at random"), "aligned": (THEORY, "aligned, mean-field theory")}
    both = np.concatenate((-x[:0:-1], x))
    for name, density in laws.items():
        color, words = looks[name]
        left.plot(
            both,
            np.concatenate((density[:0:-1], density)),
            color=color,
            lw=4 if name == "prior" else 1.8,
            gid=name,
            label=words,
        )
        beyond = 2 * n * cumulative_trapezoid(density[::-1], -x[::-1], initial=0)[::-1]
        right.plot(x, beyond, color=color, lw=4 if name == "prior" else 1.8, gid=name, label=words)
    top = float(laws["prior"].max())
    left.set(
        yscale="log",
        xlabel="weight $w$ on the target",
        ylabel="probability density of one neuron",
        ylim=(top * 1e-8, top * 4),
    )
    left.plot(
        weights, np.full(n, top * 2.5e-8), "|", color=SIMULATION, ms=11, mew=1.6, gid="optimum"
    )
    count = np.concatenate(([n], np.arange(n, -1, -1)))
    steps = np.concatenate(([0.0], weights[::-1], [weights[0]]))
    right.plot(
        steps,
        count,
        drawstyle="steps-pre",
        color=SIMULATION,
        lw=1.6,
        gid="optimum",
        label="cheapest weights, up to sign",
    )
    right.axvline(
        place,
        color=LAW,
        lw=1,
        ls="--",
        zorder=1,
        gid="pattern",
        label=f"pattern: {best.neurons:.0f} neurons at {place:.4g}",
    )
    if sampled is not None:
        right.plot(
            1,
            sampled.specialized,
            "o",
            color=LAW,
            ms=7,
            mec="white",
            zorder=4,
            gid="sampled",
            label="sampled, beyond 1",
        )
    right.set(
        yscale="log",
        ylim=(0.05, 2 * n),
        xlim=(0, reach),
        xlabel="$x$",
        ylabel=r"neurons with $|w| > x$",
    )
    bare(left, right)
    handles = {
        line.get_gid(): line
        for axes in (left, right)
        for line in axes.get_lines()
        if line.get_gid() != "optimum" or axes is right
    }
    figure.legend(
        handles=list(handles.values()),
        frameon=False,
        fontsize=9,
        loc="outside lower center",
        ncols=3,
    )
    return figure
