"""How rare a large sum of cubes is: its rate with the first-order transition, and probabilities far into the tail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....arguments import several
from ....errors import refusal
from ....solvers.patterns import SPINODAL, TRANSITION, TailProbability, cube_rate
from ..style import CASES, RIVAL, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
KINDS = {
    "lattice convolution": "lattice",
    "importance sampling in two parts": "sampled",
    "importance sampling, one tilt": "one tilt",
}


def tail_curves(
    tails: TailProbability | Iterable[TailProbability], *, figure: Figure | None = None
) -> Figure:
    r"""Draw the rate function of a sum of cubes with its transition, and tail probabilities on it.

    Parameters
    ----------
    tails : TailProbability or iterable of TailProbability
        From `scalinglaws.solvers.patterns.log_tail`, by any of its methods, for up to four numbers of terms in all and positive
        thresholds.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left :math:`I(\sigma)`, both branches, with the metastable one
        dotted and the transition marked, and :math:`-\log P/\sqrt{15N}` of what was computed; right :math:`\log_{10} P` against the
        threshold. Lattice values are lines, sampled ones marks with bars of one standard error, those of a single
        tilt crosses, or arrows where they are off the picture.
        ``gid`` are ``"rate"``, ``"metastable"``, ``"transition"``, and ``"N = 100, lattice"`` and the like.

    Raises
    ------
    DomainError
        If something else is given, a threshold is not positive, or there are more than four numbers of terms.

    Examples
    --------
    >>> from scalinglaws.solvers.patterns import log_tail
    >>> figure = tail_curves(log_tail(2, [1.0, 3.0, 6.0]))
    >>> figure.axes[1].get_ylabel()
    '$\\log_{10} P(A_N > s)$'
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    given = several("tails", tails, TailProbability)
    if not given:
        raise refusal("tails", tails, "must be results of log_tail, one or more", shown=False)
    terms = sorted({float(n) for entry in given for n in np.ravel(entry.n)})
    if len(terms) > len(CASES):
        raise refusal(
            "tails",
            terms,
            f"has {len(terms)} numbers of terms: give one to {len(CASES)}",
            shown=False,
        )
    if any(np.any(np.asarray(entry.s) <= 0) for entry in given):
        raise refusal(
            "tails", [entry.s for entry in given], "must have positive thresholds", shown=False
        )
    figure = canvas(figure, (10.6, 4.6))
    left, right = figure.subplots(1, 2)
    runs = []
    for entry in given:
        kind = KINDS.get(entry.diagnostics.method, "lattice")
        n, s, value, error = (
            np.ravel(column)
            for column in np.broadcast_arrays(
                entry.n, entry.s, entry.log_probability, entry.standard_error
            )
        )
        for number, size in enumerate(terms):
            rows = np.flatnonzero(
                (n == size) & (np.isfinite(value) | (kind == "one tilt"))
            )  # a tilt may miss the event in every sample
            if rows.size:
                rows = rows[np.argsort(s[rows])]
                runs.append((kind, number, size, s[rows], value[rows], error[rows]))
    trusted = [run for run in runs if run[0] != "one tilt"] or runs
    deepest = 1.12 * min(float(run[4].min()) for run in trusted) / np.log(10)
    highest = 1.6 * max(float(-run[4].min()) / np.sqrt(15 * run[2]) for run in trusted)
    for kind, number, size, s, value, error in runs:
        speed, gid = np.sqrt(15 * size), f"N = {size:g}, {kind}"
        _draw(left, s / np.sqrt(speed), -value / speed, error / speed, kind, number, gid)
        _draw(right, s, value / np.log(10), error / np.log(10), kind, number, gid)
        if kind == "one tilt":
            _point_out(left, s / np.sqrt(speed), -value / speed > highest, highest, "^", number)
            _point_out(right, s, value / np.log(10) < deepest, deepest, "v", number)
    sigmas = [run[3] / (15 * run[2]) ** 0.25 for run in runs]
    _rate(
        left,
        min(0.3, *(float(x.min()) for x in sigmas)),
        max(1.5, *(1.1 * float(x.max()) for x in sigmas)),
    )
    left.set(
        xlabel=r"$\sigma = s/(15N)^{1/4}$",
        ylabel=r"$-\log P/\sqrt{15N}$",
        xscale="log",
        yscale="log",
        ylim=(None, highest),
    )
    right.set(
        xlabel="threshold $s$, in standard deviations of the sum",
        ylabel=r"$\log_{10} P(A_N > s)$",
        xscale="log",
    )
    right.set_ylim(deepest, 0)
    for axis in (left.xaxis, right.xaxis, left.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if axis is right.xaxis else (1, 3)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    _legend(left, right, terms, {run[0] for run in runs})
    bare(left, right)
    return figure


def _draw(axes: Axes, x: Array, y: Array, error: Array, kind: str, number: int, gid: str) -> None:
    color, marker = CASES[number]
    if kind == "lattice":
        axes.plot(x, y, color=color, lw=1.6, gid=gid, zorder=2)
    elif kind == "one tilt":
        axes.plot(x, y, "x", color=color, ms=7, mew=1.6, gid=gid, zorder=4)
    else:
        axes.errorbar(
            x, y, error, fmt=marker, color=color, mfc="white", ms=5.5, capsize=2, zorder=3
        )[0].set_gid(gid)


def _point_out(
    axes: Axes, x: Array, off: NDArray[np.bool_], edge: float, marker: str, number: int
) -> None:
    """Mark at the edge what is off the picture."""
    if off.any():
        axes.plot(
            x[off],
            np.full(int(off.sum()), edge),
            marker,
            color=CASES[number][0],
            ms=8,
            zorder=4,
            clip_on=False,
            in_layout=False,
            gid="off the picture",
        )


def _rate(axes: Axes, least: float, most: float) -> None:
    sigma = np.union1d(np.geomspace(least, most, 400), [SPINODAL, TRANSITION])
    found = cube_rate(sigma)
    axes.plot(sigma, found.rate, color=THEORY, gid="rate", lw=2.6, alpha=0.45, zorder=1)
    other = np.asarray(found.metastable, dtype=float)
    shown = np.isfinite(other) & (sigma <= 1.6 * TRANSITION)
    axes.plot(
        np.where(shown, sigma, np.nan),
        np.where(shown, other, np.nan),
        color=THEORY,
        ls=":",
        lw=1.6,
        gid="metastable",
        zorder=1,
    )
    axes.plot(
        TRANSITION,
        TRANSITION**2 / 2,
        "o",
        color=RIVAL,
        ms=9,
        mec="white",
        gid="transition",
        zorder=1.5,
    )


def _legend(left: Axes, right: Axes, terms: list[float], kinds: set[str]) -> None:
    from matplotlib.lines import Line2D

    gray = "#555555"
    left.legend(
        handles=[
            Line2D(
                [], [], color=THEORY, lw=2.6, alpha=0.45, label=r"rate $I(\sigma)$, $N\to\infty$"
            ),
            Line2D([], [], color=THEORY, ls=":", lw=1.6, label="the branch that loses"),
            Line2D(
                [],
                [],
                color=RIVAL,
                ls="",
                marker="o",
                ms=8,
                label=f"transition, $\\sigma_* = {TRANSITION:.4f}$",
            ),
        ],
        frameon=False,
        fontsize=9,
        loc="lower right",
    )
    handles = [
        Line2D([], [], color=CASES[i][0], lw=3, label=f"$N = {size:g}$")
        for i, size in enumerate(terms)
    ]
    looks = {
        "lattice": Line2D([], [], color=gray, lw=1.6, label="lattice convolution"),
        "sampled": Line2D(
            [], [], color=gray, ls="", marker="o", mfc="white", label="importance sampling ± s.e."
        ),
        "one tilt": Line2D(
            [],
            [],
            color=gray,
            ls="",
            marker="x",
            mew=1.6,
            label="a single tilt; arrows: off the picture",
        ),
    }
    right.legend(
        handles=[*handles, *(line for kind, line in looks.items() if kind in kinds)],
        frameon=False,
        fontsize=9,
        loc="lower left",
    )
