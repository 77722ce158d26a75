"""Pictures of training curves, of laws that were fitted to them, and of schedules that were predicted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from ....arguments import instance
from ....errors import refusal
from ....formatting import percent
from ...empirical import CurveFit, CurvePrediction
from ..style import CASES, NOTE, bare, canvas, explain, logarithmic, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  # curves
_EARLY = 0.02  # part of the steps of the longest curve before which losses set no limits
_ROOM = 0.06  # of the logarithms that are shown, above and below
_DASHES = ("-", "--")
_MARKS = 60  # measured points of a curve that are drawn


def fitted_curves(fit: CurveFit, *, figure: Figure | None = None) -> Figure:
    r"""Draw measured training curves with the law that was fitted to them, and by how much they are off it.

    Parameters
    ----------
    fit : CurveFit
        What `fit_curves` returns; its first eight curves are drawn.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Above: losses as measured (``gid`` the name and ``", measured"``, hollow
        where nothing of the curve was fitted) and the law (the name). Below: measured less fitted :math:`\ln L` in percent at points
        after warm-up (the name and ``", residuals"``).

    Raises
    ------
    DomainError
        If it is something else.
    """
    instance("fit", fit, CurveFit)
    figure = canvas(figure, (8.6, 5.6))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    seen: list[Any] = []
    early = _EARLY * max(float(curve.steps[-1]) for curve in fit.curves)
    below.axhline(0, color=NOTE, lw=0.8)
    for curve, (color, marker) in zip(fit.curves[:MOST], cycle(CASES), strict=False):
        late = curve.steps >= curve.warmup
        style = _DASHES[len(seen) // len(CASES) % 2]
        known = bool(np.any(curve.used))
        some = _thinned(curve.steps)
        above.plot(
            curve.steps[some],
            curve.losses[some],
            marker,
            color=color,
            mfc=color if known else "none",
            ms=3.2,
            alpha=0.55,
            lw=0,
            gid=f"{curve.name}, measured",
        )
        above.plot(
            curve.steps[late],
            curve.fitted[late],
            style,
            color=color,
            lw=1.6,
            gid=curve.name,
            label=curve.name if known else f"{curve.name}, not fitted",
        )
        shown = curve.steps >= max(curve.warmup, early)
        errors = 100 * np.log(curve.losses[shown] / curve.fitted[shown])
        below.plot(
            curve.steps[shown],
            errors,
            style,
            color=color,
            lw=1,
            gid=f"{curve.name}, residuals",
        )
        seen.append(np.concatenate([curve.losses[shown], curve.fitted[shown]]))
    _limits(above, np.concatenate(seen))
    above.set(ylabel="loss")
    below.set(xlabel="steps", ylabel="measured less law, %")
    plain(below.xaxis)
    above.legend(frameon=False, fontsize=9)
    bare(above, below)
    explain(figure, _notes(fit))
    return figure


def predicted_curves(
    fit: CurveFit,
    predictions: Mapping[str, CurvePrediction],
    *,
    figure: Figure | None = None,
) -> Figure:
    """Draw what a fitted law predicts of other schedules, with its bands, beside the curves that were measured.

    Parameters
    ----------
    fit : CurveFit
        What `fit_curves` returns; its first eight curves are drawn.
    predictions : mapping of str to CurvePrediction
        One to four predictions by name, each of several steps.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: the rates. Right: measured losses (gray, with the name as ``gid``),
        predictions (with theirs), and bands (the name and ``", band"``).

    Raises
    ------
    DomainError
        If the mapping is empty, too large, or holds something else; or a prediction has a single step.
    """
    instance("fit", fit, CurveFit)
    if not isinstance(predictions, Mapping) or not 1 <= len(predictions) <= len(CASES):
        complaint = f"must be a mapping of 1 to {len(CASES)} of CurvePrediction"
        raise refusal("predictions", predictions, complaint, shown=False)
    for name, found in predictions.items():
        instance("predictions", found, CurvePrediction)
        if np.ndim(found.steps) != 1 or np.size(found.steps) < 2:
            complaint = f"has {name!r} with fewer than two steps"
            raise refusal("predictions", found, complaint, shown=False)
    figure = canvas(figure, (10.4, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    early = _EARLY * min(float(np.max(found.steps)) for found in predictions.values())
    seen: list[Any] = []
    drawn = fit.curves[:MOST]
    shades = np.linspace(0.4, 0.75, len(drawn)) if len(drawn) > 1 else [0.5]
    for curve, shade in zip(drawn, shades, strict=True):
        left.plot(curve.steps, curve.rates, color=str(shade), lw=1.1)
        shown = curve.steps >= max(early, curve.warmup)
        right.plot(
            curve.steps[shown],
            curve.losses[shown],
            color=str(shade),
            lw=1.1,
            gid=curve.name,
            label=f"{curve.name}, measured",
        )
        seen.append(curve.losses[shown])
    for (name, found), (color, _) in zip(predictions.items(), CASES, strict=False):
        steps = np.asarray(found.steps)
        left.plot(steps, np.asarray(found.rates), color=color, lw=1.8)
        shown = steps >= early
        low, high = np.asarray(found.low)[shown], np.asarray(found.high)[shown]
        right.fill_between(
            steps[shown], low, high, color=color, alpha=0.3, lw=0, gid=f"{name}, band"
        )
        losses = np.asarray(found.loss)[shown]
        label = f"{name}, predicted, {percent(found.level)} band"
        right.plot(steps[shown], losses, color=color, lw=1.8, gid=name, label=label)
        seen.append(losses)
    left.set(xlabel="steps", ylabel="learning rate", ylim=(0, None))
    right.set(xlabel="steps", ylabel="loss")
    plain(left.xaxis)
    plain(left.yaxis)
    plain(right.xaxis)
    _limits(right, np.concatenate([row for row in seen if row.size]))
    right.legend(frameon=False, fontsize=9)
    bare(left, right)
    explain(figure, _notes(fit))
    return figure


def _limits(axes: Axes, values: Any) -> None:
    """Let a logarithmic axis show the values, and what goes beyond them cross its frame."""
    bottom, top = float(values.min()), float(values.max())
    room = (top / bottom) ** _ROOM
    axes.set(yscale="log", ylim=(bottom / room, top * room))
    logarithmic(axes.yaxis, narrow=top < 5 * bottom)


def _thinned(steps: Any) -> Any:
    """Return the places of some points, evenly in the steps."""
    wanted = np.linspace(steps[0], steps[-1], _MARKS)
    return np.unique(np.searchsorted(steps, wanted).clip(0, steps.size - 1))


def _notes(fit: CurveFit) -> list[str]:
    law = fit.law.replace("_", "-")
    notes = [f"The {law} law; points are off it by {100 * fit.residual_rms:.2g} % rms."]
    told = sum(not row.message for row in fit.held_out)
    if told:
        held = "1 curve that was" if told == 1 else f"{told} curves that were"
        notes[0] = (
            f"{notes[0][:-1]}, {held} held out by {100 * fit.held_out_rms:.2g} %, "
            f"at the end by {100 * fit.held_out_final:.2g} %."
        )
    left_out = len(fit.curves) - MOST
    return [*notes, f"{left_out} more curves are not drawn."] if left_out > 0 else notes
