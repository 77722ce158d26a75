"""Pictures of recipes compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....arguments import instance
from ...empirical import RecipeComparison
from ..style import CASES, NOTE, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...empirical import ComputeMultiplier

_POINTS = 61
_BEYOND = 100.0  # times the largest compute of the runs
_MOST = len(CASES)


def compute_multipliers(comparison: RecipeComparison, *, figure: Figure | None = None) -> Figure:
    """Draw the compute that recipes need over that of the reference, for the same loss.

    Parameters
    ----------
    comparison : RecipeComparison
        What `compare_recipes` returns.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. For each recipe, at most four, the best first: the multiplier (``gid`` its name; dashed beyond the runs),
        its band (``"band"``), and the ends of the band of fits that share nothing (``"nothing shared"``, dotted). Below the line at one
        the recipe is better. Computes of which all recipes have runs are shaded. Where there is no multiplier the curve ends.
    """
    instance("comparison", comparison, RecipeComparison)
    figure = canvas(figure, (8.6, 4.6))
    axes = figure.subplots()
    names = comparison.candidates[:_MOST]
    low, high = next(iter(comparison.at.values())).compute[[0, -1]]
    compute = np.geomspace(low, _BEYOND * high, _POINTS)
    compute = np.unique(np.append(compute, high))
    axes.axvspan(low, high, color=NOTE, alpha=0.07, lw=0, gid="runs")
    axes.axhline(1, color=NOTE, lw=1, gid="one")
    drawn = []
    for name, (color, _) in zip(names, CASES, strict=False):
        found = comparison.fits.compute_multiplier(comparison.reference, name, compute)
        drawn.append(found)
        inside = compute <= high
        for part, style in ((inside, "-"), (compute >= high, "--")):
            _curve(axes, found, part, color, style, name if style == "-" else "")
        _band(axes, found, color, filled=True)
        if comparison.fits.shared:
            alone = comparison.separate.compute_multiplier(comparison.reference, name, compute)
            _band(axes, alone, color, filled=False)
    ends = [value for found in drawn for value in _limits(found, compute <= 10 * high)]
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(compute[0], compute[-1]),
        ylim=(min([*ends, 0.9]) / 1.1, max([*ends, 1.1]) * 1.1),
        xlabel=f"compute C of {comparison.reference}, FLOP",
        ylabel="compute for the same loss, over C",
    )
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
    bare(axes)
    axes.legend(frameon=False, fontsize=9)
    explain(figure, _notes(comparison))
    return figure


def _curve(
    axes: Axes, found: ComputeMultiplier, part: np.ndarray, color: str, style: str, label: str
) -> None:
    values = np.where(np.isfinite(found.multiplier), found.multiplier, np.nan)[part]
    axes.plot(
        found.compute[part],
        values,
        style,
        color=color,
        lw=1.8,
        label=label or None,
        gid=found.candidate if style == "-" else "beyond",
    )


def _band(axes: Axes, found: ComputeMultiplier, color: str, *, filled: bool) -> None:
    if found.low is None or found.high is None:
        return
    top = np.where(
        np.isfinite(found.high), found.high, 1e6
    )  # beyond the frame: there is no upper end
    if filled:
        axes.fill_between(found.compute, found.low, top, color=color, alpha=0.18, lw=0, gid="band")
        return
    for end in (found.low, top):
        axes.plot(found.compute, end, ":", color=color, lw=1, gid="nothing shared")


def _limits(found: ComputeMultiplier, near: np.ndarray) -> list[float]:
    """Return the values that the picture must show: curves and bands up to ten times the runs."""
    parts = [
        found.multiplier[near],
        *(end[near] for end in (found.low, found.high) if end is not None),
    ]
    values = np.concatenate(parts)
    return [float(value) for value in values[np.isfinite(values)]]


def _notes(comparison: RecipeComparison) -> list[str]:
    shared = ", ".join(comparison.fits.shared)
    level = next(iter(comparison.multipliers.values())).level
    notes = [
        f"Below 1 a recipe is better than {comparison.reference}. Shaded: where all recipes have runs; dashed: beyond.",
        f"Bands: {100 * level:g} %, "
        + (
            f"with {shared} shared; dotted: with nothing shared."
            if shared
            else "with nothing shared."
        )
        + " Beyond the runs they need the law to hold.",
    ]
    left_out = len(comparison.candidates) - _MOST
    return [*notes, f"{left_out} worse recipes are not drawn."] if left_out > 0 else notes
