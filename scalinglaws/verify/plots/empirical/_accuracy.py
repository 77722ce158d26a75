"""A picture of the accuracy in a task, fitted in two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance
from ...empirical import AccuracyPrediction, TaskFit
from ...empirical.fits._accuracy_curve import sigmoid
from ...empirical.fits._intervals import percentiles
from ..style import CASES, NOTE, SIMULATION, THEORY, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_POINTS = 121
_LEVEL = 0.95
_MARGIN = 0.05  # of the range of losses
_PREDICTED = CASES[2][0]


def accuracy_in_two_steps(
    found: TaskFit, prediction: AccuracyPrediction | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw both steps from models to the accuracy in a task.

    Parameters
    ----------
    found : TaskFit
        What `fit_task` returned.
    prediction : AccuracyPrediction, optional
        What its `predict` returned.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. Left, the loss in the task against compute: runs (``gid`` ``"runs"``) and the surface at their N and D
        (``"surface"``). Right, accuracy against that loss, better losses to the right: runs with their binomial errors (``"accuracies"``),
        the sigmoid (``"sigmoid"``) with its band (``"band"``), chance, ceiling and midpoint (``"chance"``, ``"ceiling"``, ``"midpoint"``).
        Predictions (``"predicted"``) with the intervals of both in each panel.
    """
    instance("found", found, TaskFit)
    if prediction is not None:
        instance("prediction", prediction, AccuracyPrediction)
    figure = canvas(figure, (10.4, 4.6))
    left, right = figure.subplots(1, 2)
    _losses(left, found, prediction)
    _accuracies(right, found, prediction)
    bare(left, right)
    notes = [
        f"Left: {100 * found.fit.rms:.2g} % from the surface. Right: bars are one standard error of {found.items} questions."
    ]
    if len(found.samples):
        level = _LEVEL if prediction is None else prediction.level
        notes.append(f"Bands and bars of predictions: {100 * level:g} %, both steps fitted again.")
    if not (found.given_ceiling or found.midpoint_passed):
        notes.append("No run is clearly past the midpoint: the ceiling is a guess.")
    explain(figure, notes)
    return figure


def _losses(axes: Axes, found: TaskFit, prediction: AccuracyPrediction | None) -> None:
    fit = found.fit
    compute = fit.cost * fit.columns["N"] * fit.columns["D"]
    fitted = np.exp(fit.model.predict(fit.x, fit.columns))
    axes.plot(compute, fit.losses, "o", color=SIMULATION, ms=5, label="runs", gid="runs")
    axes.plot(
        compute,
        fitted,
        "_",
        color=THEORY,
        ms=12,
        mew=1.6,
        label="surface at their N and D",
        gid="surface",
    )
    if prediction is not None:
        at = fit.cost * prediction.params * prediction.tokens
        _predicted(
            axes, at, prediction.loss, yerr=(prediction.loss_low, prediction.loss_high), label=True
        )
    axes.set(xscale="log", xlabel="compute C, FLOP", ylabel="loss in the task")
    logarithmic(axes.xaxis)
    axes.legend(frameon=False, fontsize=9)


def _accuracies(axes: Axes, found: TaskFit, prediction: AccuracyPrediction | None) -> None:
    losses, shares = found.fit.losses, found.accuracy
    ends = [losses] if prediction is None else [losses, np.ravel(prediction.loss)]
    for limits in () if prediction is None else (prediction.loss_low, prediction.loss_high):
        ends.append(np.ravel(limits)[np.isfinite(np.ravel(limits))])
    held = np.concatenate(ends)
    room = _MARGIN * float(np.ptp(held))
    x = np.linspace(held.min() - room, held.max() + room, _POINTS)
    if len(found.samples):
        level = _LEVEL if prediction is None else prediction.level
        low, high = percentiles(sigmoid(x, found.samples, found.chance), level)
        axes.fill_between(x, low, high, color=THEORY, alpha=0.15, lw=0, gid="band")
    axes.plot(
        x,
        sigmoid(x, found.curve, found.chance),
        color=THEORY,
        lw=1.8,
        label="sigmoid",
        gid="sigmoid",
    )
    u, _, m = found.curve
    for height, name, side in ((found.chance, "chance", 1), (u, "ceiling", 0)):
        axes.axhline(height, color=NOTE, lw=0.9, ls=":", gid=name)
        axes.annotate(
            f"{name} {height:.3g}",
            (side, height),
            (4 - 8 * side, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha=("left", "right")[side],
            fontsize=8,
            color=NOTE,
        )
    if x[0] <= m <= x[-1]:
        axes.axvline(m, color=NOTE, lw=0.9, ls=":", gid="midpoint")
    deviation = np.sqrt(shares * (1 - shares) / found.items)
    drawn = axes.errorbar(
        losses, shares, yerr=deviation, fmt="o", color=SIMULATION, ms=5, lw=1, label="runs"
    )
    drawn[0].set_gid("accuracies")
    if prediction is not None:
        _predicted(
            axes,
            prediction.loss,
            prediction.accuracy,
            xerr=(prediction.loss_low, prediction.loss_high),
            yerr=(prediction.low, prediction.high),
        )
    axes.set(
        xlim=(x[-1], x[0]),
        ylim=(min(0.0, float(shares.min())), 1.06),
        xlabel="loss in the task",
        ylabel=f"accuracy ({found.task})",
    )


def _predicted(
    axes: Axes,
    x: Array,
    y: Array,
    *,
    xerr: tuple[Array, Array] | None = None,
    yerr: tuple[Array, Array] | None = None,
    label: bool = False,
) -> None:
    """Draw predictions, with intervals where there are any."""

    def reach(ends: tuple[Array, Array] | None, center: Array) -> Array | None:
        if ends is None or np.isnan(np.ravel(ends)).any():
            return None
        low, high = (np.ravel(end) for end in ends)
        return np.maximum([np.ravel(center) - low, high - np.ravel(center)], 0.0)

    drawn = axes.errorbar(
        np.ravel(x),
        np.ravel(y),
        xerr=reach(xerr, x),
        yerr=reach(yerr, y),
        fmt="D",
        color=_PREDICTED,
        ms=7,
        lw=1.6,
        capsize=3,
        zorder=5,
        label="predicted" if label else None,
    )
    drawn[0].set_gid("predicted")
