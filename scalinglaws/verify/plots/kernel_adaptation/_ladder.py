"""Learnability of sampled networks of several dimensions, against samples in units of a power of the dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....arguments import instance, number
from ....errors import refusal
from ....formatting import short
from ...estimate import LearnabilityLadder
from ..style import NOTE, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = "os^Dv<>P"


def learnability_collapse(
    found: LearnabilityLadder, exponent: float, *, figure: Figure | None = None
) -> Figure:
    r"""Draw measured learnability against samples over a power of the dimension, :math:`P/d^g`.

    Parameters
    ----------
    found : LearnabilityLadder
        What was measured.
    exponent : float
        g: where samples grow as this power, curves of all dimensions lie on one another.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Points carry ``"learned D"`` with their dimension as ``gid``, those of
        the lazy limit on the same data ``"lazy D"``. Points that do not count are crosses, ``"left out D"``; notes below list them.

    Raises
    ------
    DomainError
        If `found` is no ladder, or has no points.

    Examples
    --------
    >>> from scalinglaws.verify.estimate import learnability_ladder
    >>> from scalinglaws.verify.simulate.kernel_adaptation import gaussian_process_point
    >>> ladder = learnability_ladder(gaussian_process_point, [2, 3], [[60, 120], [150, 300]], datasets=2, rng=0)
    >>> figure = learnability_collapse(ladder, 2.2)
    >>> [line.get_gid() for line in figure.axes[0].get_lines() if line.get_gid()]
    ['learned 2', 'learned 3']
    """
    from matplotlib import colormaps

    instance("found", found, LearnabilityLadder)
    power = number("exponent", exponent)
    if not found.points:
        raise refusal("found", None, "must have at least one point", shown=False)
    figure = canvas(figure, (6.6, 4.4))
    axis = figure.subplots()
    dimensions = found.dimensions
    shades = colormaps["viridis"](np.linspace(0.05, 0.85, len(dimensions)))
    lazy = False
    for i, (dimension, color) in enumerate(zip(dimensions, shades, strict=True)):
        marker = _MARKERS[i % len(_MARKERS)]
        unit = float(dimension) ** power
        counted = found.at(dimension)
        samples = np.array([point.samples for point in counted]) / unit
        mean = np.array([point.mean for point in counted])
        bars = axis.errorbar(
            samples,
            mean,
            [point.error for point in counted],
            fmt=f"{marker}-",
            color=color,
            lw=1.2,
            ms=5,
            capsize=2,
            label=f"d = {dimension}",
        )
        bars.lines[0].set_gid(f"learned {dimension}")
        below = [
            float(point.lazy.mean())
            for point in counted
            if point.cold.size and np.all(np.isfinite(point.lazy))
        ]
        if below and len(below) == len(counted):
            lazy = True
            axis.plot(
                samples, below, marker, color=color, ms=5, mfc="white", gid=f"lazy {dimension}"
            )
        out = [p for p in found.points if p.dimension == dimension and p.reason]
        if out:
            axis.plot(
                [point.samples / unit for point in out],
                [point.mean for point in out],
                "x",
                color=color,
                ms=8,
                mew=1.8,
                gid=f"left out {dimension}",
            )
    key, _ = axis.get_legend_handles_labels()
    if lazy:
        key += axis.plot([], [], "o", color=NOTE, mfc="white", label="lazy limit, same data")
    if found.left_out:
        key += axis.plot([], [], "x", color=NOTE, mew=1.8, label="left out")
    axis.set_xscale("log")
    logarithmic(axis.xaxis, narrow=True)
    axis.set_ylim(bottom=0)
    unit_name = "d" if power == 1 else f"d^{{{short(power)}}}"
    axis.set_xlabel(rf"samples over a power of the dimension, $P/{unit_name}$")
    axis.set_ylabel(r"component along the target $\alpha$")
    bare(axis)
    notes = [f"left out: {line}" for line in found.left_out] or ["no point is left out"]
    explain(figure, notes, key=key)
    return figure
