"""A picture of the runs to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance
from ....formatting import typeset
from ...empirical.fits._design_record import Design
from ..style import CASES, LAW, NOTE, RIVAL, THEORY, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_CHOSEN = CASES[1][0]
_TARGETS = {"loss": r"$\ln L$", "params": r"$\ln N_{opt}$"}
_ISO_SIZES = 7


def design_plan(design: Design, *, figure: Figure | None = None) -> Figure:
    """Draw the runs of a design among its candidates, with the target, and what to expect of them.

    Parameters
    ----------
    design : Design
        What `scalinglaws.verify.empirical.design` returned.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. Left, in compute and model size: candidates (``gid`` ``"candidates"``), runs that there are
        (``"existing"``), the chosen ones (``"chosen"``, larger where there are several seeds), the isoFLOP plan of the same cost
        (``"isoflop"``), the best size for a compute (``"best"``, dashed to the target, ``"target"``). Then, for each target, the
        expected standard deviation now, with these runs and with the isoFLOP plan, its noise part in a darker color: the squares of
        the parts add up.
    """
    instance("design", design, Design)
    figure = canvas(figure, (10.4, 4.8))
    count = len(design.names)
    axes = figure.subplots(1, 1 + count, width_ratios=(3, *(1,) * count))
    _plan(axes[0], design)
    for k, name in enumerate(design.names):
        _expected(axes[1 + k], design, k, _TARGETS[name])
    bare(*axes)
    lines = design.summary().splitlines()
    explain(figure, (f"{lines[1]}; the squares of noise and misfit parts add up",), title=lines[0])
    return figure


def _plan(axes: Axes, design: Design) -> None:
    axes.plot(
        design.candidate_C,
        design.candidate_N,
        ".",
        ms=2.5,
        color=RIVAL,
        gid="candidates",
        label="candidates",
    )
    if design.existing_C.size:
        axes.plot(
            design.existing_C,
            design.existing_N,
            "o",
            ms=4,
            mfc="none",
            mec=THEORY,
            mew=0.8,
            gid="existing",
            label="runs there are",
        )
    axes.plot(
        design.isoflop_C,
        design.isoflop_N,
        "x",
        ms=5,
        color=LAW,
        gid="isoflop",
        label="isoFLOP plan of this cost",
    )
    axes.scatter(
        design.C,
        design.N,
        s=28.0 * design.seeds,
        color=_CHOSEN,
        zorder=3,
        lw=0,
        gid="chosen",
        label="runs to do",
    )
    budgets = design.isoflop_C.reshape(-1, _ISO_SIZES)[:, 0]
    best = np.exp(np.log(design.isoflop_N).reshape(-1, _ISO_SIZES).mean(axis=1))
    axes.plot(budgets, best, color=NOTE, lw=1, gid="best", label="best size")
    if design.for_compute:
        ends = [budgets[-1], design.target_compute], [best[-1], design.target_params]
        axes.plot(*ends, "--", color=NOTE, lw=1)
    axes.plot(
        [design.target_compute],
        [design.target_params],
        "*",
        ms=13,
        color=CASES[2][0],
        gid="target",
        label="target",
    )
    axes.set(xscale="log", yscale="log", xlabel="compute C, FLOP", ylabel="parameters N")
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
    axes.legend(frameon=False, fontsize=8.5, loc="lower right")


def _expected(axes: Axes, design: Design, k: int, name: str) -> None:
    bars = [("with\nthese", design.sd[k], design.sd_noise[k], _CHOSEN)]
    bars.append(("iso-\nFLOP", design.isoflop_sd[k], design.isoflop_sd_noise[k], LAW))
    if np.isfinite(design.sd_now[k]) and design.sd_now[k] < 5 * max(bar[1] for bar in bars):
        bars.insert(0, ("now", design.sd_now[k], np.nan, RIVAL))
    for place, (_, whole, noise, color) in enumerate(bars):
        axes.bar(place, whole, width=0.62, color=color, alpha=0.45, lw=0, gid="expected")
        if np.isfinite(noise):
            axes.bar(place, noise, width=0.62, color=color, lw=0, gid="noise")
        axes.annotate(
            typeset(float(whole), 2),
            (place, whole),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
        )
    axes.set_xticks(range(len(bars)), [bar[0] for bar in bars], fontsize=8.5)
    axes.set_title(f"expected sd of {name}", loc="left", fontsize=9.5)
    axes.tick_params(axis="y", labelsize=8)
    axes.annotate(
        "dark: noise alone",
        (1, 1),
        (0, -4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7.5,
        color=NOTE,
    )
    axes.set_ylim(0, 1.18 * max(bar[1] for bar in bars))
