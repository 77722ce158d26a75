"""Losses along schedules of the same length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ....arguments import number
from ....errors import refusal
from ....formatting import typeset
from ....solvers.schedules import ScheduledTraining
from ..style import NOTE, RIVAL, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 10
ROOM = 0.02  # part of the steps from which on the second panel shows everything


def schedule_losses(
    solutions: Mapping[str, ScheduledTraining],
    *,
    power: float | None = None,
    floor: float = 0.0,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw test losses along schedules: over all times, and over the course of each run.

    Parameters
    ----------
    solutions : mapping of str to ScheduledTraining
        Up to ten runs by name, each with several steps; an average's loss is drawn dashed.
    power : float, optional
        An exponent g, in :math:`(0, 10]`: a line :math:`T^{-g}` through the lowest of the last losses, on which those of other
        lengths lie, each with its best rate.
    floor : float
        A level that no run falls below, as the noise that a constant rate leaves; 0 for none. The loss of the best predictor from
        limited features is drawn anyway.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Curves carry their names as ``gid``, the line ``"power"``, levels
        ``"floor"``.

    Raises
    ------
    DomainError
        If there are no runs or more than ten, a run has fewer than two steps, or a number is out of range.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum, schedules
    >>> task = PowerLawSpectrum.from_ab(2, 1.5)
    >>> shapes = {"constant": schedules.Schedule.constant(0.1, 500), "cosine": schedules.Schedule.cosine(rate=0.1, steps=500)}
    >>> runs = {name: schedules.train(shape, task, batch=4) for name, shape in shapes.items()}
    >>> figure = schedule_losses(runs, power=0.5)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['constant', 'cosine', 'power']
    """
    _check(solutions)
    floor = number("floor", floor, low=0.0)
    figure = canvas(figure, (9.6, 4.3))
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    for position, (name, run) in enumerate(solutions.items()):
        steps = np.asarray(run.steps, dtype=float)
        length = steps[-1]
        losses = [(np.asarray(run.test_loss), "-", name)]
        if run.averaged_loss is not None:
            losses.append((np.asarray(run.averaged_loss), "--", f"{name}, averaged"))
        for values, style, gid in losses:
            seen = values > 0
            look = {"color": f"C{position}", "lw": 1.8, "ls": style, "gid": gid, "label": gid}
            left.plot(steps[seen & (steps > 0)], values[seen & (steps > 0)], **look)
            right.plot((steps / length)[seen], values[seen], **look)
    left.set(xscale="log", yscale="log", xlabel="steps", ylabel="test loss")
    right.set(yscale="log", xlabel="part of all steps", xlim=(0, 1))
    lowest, last = _lowest(solutions)
    if power is not None:
        g = number("power", power, low=0.0, strict=True, high=10.0)
        along = np.geomspace(last / 1e3, last, 33)
        left.plot(along, lowest * (along / last) ** -g, color=NOTE, lw=1, ls="--", gid="power")
        left.annotate(
            rf"$T^{{-{typeset(g, 4).strip('$')}}}$",
            (along[4], lowest * (along[4] / last) ** -g),
            (-6, -10),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=NOTE,
        )
    for level in sorted({floor, *(float(run.floor) for run in solutions.values())} - {0.0}):
        for axes in (left, right):
            axes.axhline(level, color=RIVAL, lw=1, ls=":", gid="floor")
    _limits(right, solutions, floor)
    for axes in (left, right):
        logarithmic(axes.yaxis)
    logarithmic(left.xaxis)
    left.legend(frameon=False, fontsize=9)
    bare(left, right)
    return figure


def _check(solutions: Mapping[str, ScheduledTraining]) -> None:
    """Refuse what is no mapping of runs."""
    if not isinstance(solutions, Mapping) or not 1 <= len(solutions) <= MOST:
        raise refusal("solutions", solutions, f"must be a mapping of 1 to {MOST} runs", shown=False)
    for name, run in solutions.items():
        if not isinstance(run, ScheduledTraining):
            raise refusal(
                "solutions", run, f"has {name!r}, which is no ScheduledTraining", shown=False
            )
        if np.ndim(run.steps) != 1 or np.size(run.steps) < 2:
            raise refusal("solutions", run, f"has {name!r} with fewer than two steps", shown=False)


def _ends(run: ScheduledTraining) -> list[float]:
    """Return the last losses of a run."""
    found = [run.test_loss] if run.averaged_loss is None else [run.test_loss, run.averaged_loss]
    return [float(np.asarray(values)[-1]) for values in found]


def _lowest(solutions: Mapping[str, ScheduledTraining]) -> tuple[float, float]:
    """Return the lowest of the last losses, and its step."""
    return min((min(_ends(run)), float(np.asarray(run.steps)[-1])) for run in solutions.values())


def _limits(axes: Axes, solutions: Mapping[str, ScheduledTraining], floor: float) -> None:
    """Show what happens after the very beginning."""
    high, low = 0.0, math.inf
    for run in solutions.values():
        steps, losses = np.asarray(run.steps), np.asarray(run.test_loss)
        after = losses[steps >= ROOM * steps[-1]]
        high = max(high, float(np.max(after)))
        low = min(low, *_ends(run))
    if low > 0:
        axes.set_ylim(0.7 * min(low, floor or low), 1.3 * high)
