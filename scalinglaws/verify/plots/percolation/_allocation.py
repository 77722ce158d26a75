"""How a model's degrees of freedom are divided between clusters, by three rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .... import theory
from ....arguments import number, whole
from ....solvers.percolation import allocate, allocate_integer
from ..style import LAW, RIVAL, SIMULATION, THEORY, bare, canvas, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

BEYOND = 4.0  # ranks drawn, as a multiple of the published break rank
MOST_CLUSTERS = 100_000


def allocation_by_rank(
    n: float,
    *,
    alpha: float,
    exponent: float,
    clusters: int | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw how a budget is divided between clusters of weights :math:`k^{-(1+\alpha)}`, and what other divisions would lose.

    Three rules: the exact optimum, the optimum in whole units, and the published one, :math:`n_k = A\,n\,k^{-a}` up to the break rank of
    the forms ``published_amplitude`` and ``published_break_rank`` of the law ``percolation.model``.

    Parameters
    ----------
    n : float
        Budget, a whole number from 2 to 1e6.
    alpha : float
        Excess of the exponent of the weights, > 0.
    exponent : float
        Learning exponent beta of each cluster, > 0, by the hard law.
    clusters : int, optional
        How many there are; by default four times the published break rank.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left the allocations, with ``"exact"``, ``"integer"`` and
        ``"published"`` as ``gid``; right the loss, over that of the best, if the largest :math:`k_b` clusters are learned and shares are
        optimal between them (``"loss"``), with the break ranks of the rules on it.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> figure = allocation_by_rank(1000, alpha=1, exponent=0.5)
    >>> [line.get_gid() for line in figure.axes[0].get_lines() if not line.get_gid().startswith("level")]
    ['published', 'integer', 'exact']
    """
    n = whole("n", n, low=2, high=1e6)
    for name, value in (("alpha", alpha), ("exponent", exponent)):
        number(name, value, low=0, high=100, strict=True)
    last, amplitude = _published(n, alpha, exponent)
    count = (
        min(math.ceil(BEYOND * last) + 10, MOST_CLUSTERS)
        if clusters is None
        else whole("clusters", clusters, low=2, high=MOST_CLUSTERS)
    )
    rank: Array = np.arange(1, count + 1, dtype=float)
    weights: Array = np.asarray(rank ** -(1.0 + alpha), dtype=float)
    exact = allocate(weights, float(n), exponents=exponent)
    integer = allocate_integer(weights, int(n), exponents=exponent)
    assert exact.allocation is not None
    assert integer.allocation is not None
    a = (1 + alpha) / (1 + exponent)
    printed = np.where(rank <= last, amplitude * n * rank**-a, np.nan)
    figure = canvas(figure, (10.8, 4.4))
    left, right = figure.subplots(1, 2)
    _shares(left, rank, exact.allocation, integer.allocation, printed, exponent)
    _losses(
        right,
        n,
        weights,
        exponent,
        {"exact": int(exact.included), "published": min(int(last), count)},
    )
    bare(left, right)
    explain(
        figure,
        [
            "dotted: the last cluster that is learned; x*: the least share that is worth having, of the exact rule",
            "right: what it costs to learn another number of clusters, with the best shares between them",
        ],
    )
    return figure


def _published(n: float, alpha: float, exponent: float) -> tuple[float, float]:
    """Return break rank and amplitude as printed."""
    law = theory.law("percolation.model")
    values = {"alpha": alpha, "beta": exponent, "n": n}
    last, amplitude = (
        float(law.evaluate(f"published_{name}", **values)) for name in ("break_rank", "amplitude")
    )
    return max(last, 1.0), amplitude


def _shares(
    axis: Axes, rank: Array, exact: Array, whole: Array, printed: Array, exponent: float
) -> None:
    smallest = (1 + exponent) ** (1 / exponent)
    axis.plot(rank, printed, color=RIVAL, lw=2.2, gid="published", label="published")
    kept = whole > 0
    axis.plot(
        rank[kept], whole[kept], ".", color=SIMULATION, ms=5, gid="integer", label="whole units"
    )
    kept = exact > 0
    axis.plot(rank[kept], exact[kept], color=THEORY, lw=1.6, gid="exact", label="exact")
    ends = [(np.nanmax(rank[kept]), exact[kept][-1], THEORY)]
    if np.isfinite(printed).any():
        ends.append((rank[np.isfinite(printed)][-1], printed[np.isfinite(printed)][-1], RIVAL))
    for k, share, color in ends:
        axis.plot([k, k], [share, 0.45], ":", color=color, lw=1.2, gid="level break")
    axis.axhline(smallest, color=LAW, lw=1, ls="--", gid="level x*")
    axis.annotate(
        f"$x^* = {smallest:.4g}$",
        (1, smallest),
        (0, 4),
        textcoords="offset points",
        color=LAW,
        fontsize=9,
    )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="rank $k$",
        ylabel="degrees of freedom $n_k$",
        ylim=(0.45, None),
    )
    axis.legend(frameon=False, fontsize=9)


def _losses(axis: Axes, n: float, weights: Array, exponent: float, rules: dict[str, int]) -> None:
    """Draw the loss against the number of clusters that are learned."""
    parts = weights ** (1 / (1 + exponent))
    heads, tails = np.cumsum(parts), weights.sum() - np.cumsum(weights)
    loss = heads ** (1 + exponent) * float(n) ** -exponent + np.maximum(tails, 0)
    best = loss.min()
    rank = np.arange(1, weights.size + 1)
    near = loss < 2 * best
    axis.plot(rank[near], loss[near] / best, color=THEORY, lw=1.6, gid="loss")
    for (name, last), color, marker in zip(rules.items(), (THEORY, RIVAL), "os", strict=True):
        excess = loss[last - 1] / best - 1
        words = f"{name}: {last} clusters" + (f", {excess:+.1%}" if excess > 1e-9 else "")
        axis.plot(last, 1 + excess, marker, color=color, ms=7, gid=name, label=words, zorder=3)
    axis.set(xscale="log", xlabel="number of clusters learned", ylabel="loss / smallest loss")
    axis.legend(frameon=False, fontsize=9, loc="upper center")
