"""Measured loss curves, and what a law that was fitted to them expects of another schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ....arguments import instance
from ....errors import refusal
from ....formatting import percent
from ...estimate import ScheduledCurve, SchedulePrediction
from ..style import CASES, RIVAL, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8  # measured curves
_ROOM = 0.08  # of the logarithms that are shown, above and below
_EARLY = 0.01  # part of the steps of the shortest prediction before which losses are not shown


def schedule_forecast(
    curves: Mapping[str, ScheduledCurve],
    predictions: Mapping[str, SchedulePrediction],
    *,
    measured: Mapping[str, ScheduledCurve] | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw measured loss curves, and predictions for other schedules with their bands.

    Parameters
    ----------
    curves : mapping of str to ScheduledCurve
        Up to eight curves by name, those that were fitted.
    predictions : mapping of str to SchedulePrediction
        Up to four predictions by name, each of several steps.
    measured : mapping of str to ScheduledCurve, optional
        Curves that were not fitted, under names of predictions: marks on their bands.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Curves and predictions carry their names as ``gid``, bands the name
        and ``", band"``, marks the name and ``", measured"``. From a hundredth of the steps of the shortest prediction on.

    Raises
    ------
    DomainError
        If a mapping is empty, too large, or holds something else; a prediction has a single step; or a name of `measured` is not one of the
        predictions.

    Examples
    --------
    >>> from scalinglaws.verify.estimate import fit_schedule_law
    >>> rates = np.repeat([0.2, 0.05], 300)
    >>> loss = lambda at: 1 + at**-0.5
    >>> at = np.arange(20, 600, 5)
    >>> curves = {"drop": ScheduledCurve(rates, steps=at, losses=loss(at))}
    >>> fit = fit_schedule_law(list(curves.values()), bootstrap=0)
    >>> figure = schedule_forecast(curves, {"longer": fit.predict(np.repeat([0.2, 0.05], 600))})
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['drop', 'longer']
    """
    _check("curves", curves, ScheduledCurve, MOST)
    _check("predictions", predictions, SchedulePrediction, len(CASES))
    instance("measured", measured or {}, Mapping)
    known = dict(measured or {})
    if known:
        _check("measured", known, ScheduledCurve, len(CASES))
    for name in known:
        if name not in predictions:
            raise refusal("measured", name, f"has {name!r}, which is no prediction", shown=False)
    for name, found in predictions.items():
        if np.ndim(found.steps) != 1 or np.size(found.steps) < 2:
            raise refusal(
                "predictions", found, f"has {name!r} with fewer than two steps", shown=False
            )
    figure = canvas(figure, (7.2, 4.5))
    axes = figure.subplots()
    begin = _EARLY * min(float(np.max(found.steps)) for found in predictions.values())
    shades = np.linspace(0.35, 0.75, len(curves)) if len(curves) > 1 else [0.5]
    seen: list[Any] = []
    for (name, curve), shade in zip(curves.items(), shades, strict=True):
        shown = curve.steps >= begin
        axes.plot(
            curve.steps[shown],
            curve.losses[shown],
            color=str(shade),
            lw=1.2,
            gid=name,
            label=f"{name}, fitted",
        )
        seen.append(curve.losses[shown])
    for (name, found), (color, marker) in zip(predictions.items(), CASES, strict=False):
        steps = np.asarray(found.steps)
        shown = steps >= begin
        low, high = np.asarray(found.low)[shown], np.asarray(found.high)[shown]
        label = f"{name}, predicted, {percent(found.level)} band"
        axes.fill_between(
            steps[shown], low, high, color=color, alpha=0.35, lw=0, gid=f"{name}, band"
        )
        losses = np.asarray(found.loss)[shown]
        axes.plot(steps[shown], losses, color=color, lw=1.8, gid=name, label=label)
        seen.append(losses)
        if name in known:
            curve = known[name]
            shown = curve.steps >= begin
            some = _thinned(curve.steps[shown])
            axes.plot(
                curve.steps[shown][some],
                curve.losses[shown][some],
                marker,
                color=color,
                mec="white",
                ms=5,
                gid=f"{name}, measured",
                label=f"{name}, measured",
            )
            seen.append(curve.losses[shown])
    axes.set(xscale="log", yscale="log", xlabel="steps", ylabel="loss")
    values = np.concatenate(seen)
    bottom, top = float(values.min()), float(values.max())
    room = (top / bottom) ** _ROOM
    axes.set_ylim(bottom / room, top * room)
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis, narrow=top < 5 * bottom)
    axes.legend(frameon=False, fontsize=9)
    axes.grid(color=RIVAL, alpha=0.2, lw=0.6)
    bare(axes)
    return figure


def _check(name: str, given: Any, kind: type, most: int) -> None:
    """Refuse what is no mapping of a few objects of a kind."""
    if not isinstance(given, Mapping) or not 1 <= len(given) <= most:
        raise refusal(
            name, given, f"must be a mapping of 1 to {most} of {kind.__name__}", shown=False
        )
    for key, value in given.items():
        if not isinstance(value, kind):
            raise refusal(name, value, f"has {key!r}, which is no {kind.__name__}", shown=False)


def _thinned(steps: Any) -> Any:
    """Return the places of some thirty steps, evenly in the logarithm and at the end."""
    wanted = np.geomspace(steps[0], steps[-1], 30)
    return np.unique(np.searchsorted(steps, wanted).clip(0, steps.size - 1))
