"""What pictures of repetition show: losses against epochs, and what the next token is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....errors import DataError
from ....formatting import scientific
from . import _repetition
from ._intervals import interval
from ._panels import BAND, DATA, LAW, LINE, NOTE, POINTS, RIVAL, Mark, Panel

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

_SERIES = 4  # corpora and sizes that are shown
_STEPS = 121  # of a curve
_AHEAD = 2.0  # times the largest number of epochs


def repetition_panels(fit: Fit) -> list[Panel]:
    """Show losses against epochs, by size and corpus, and the worth of the next token against epochs.

    Raises
    ------
    DataError
        If the fit is none of ``repetition`` to data.
    """
    if fit.law != "repetition" or not len(fit):
        raise DataError(f"{fit.law} has no picture of repetition: fit the law repetition to runs")
    return [_losses(fit), _worth(fit)]


def _losses(fit: Fit) -> Panel:
    N, D, U = (fit.columns[name] for name in "NDU")
    kept = fit.row_weights > 0
    pairs, member, counts = np.unique(
        np.column_stack([U, N])[kept], axis=0, return_inverse=True, return_counts=True
    )
    epochs, losses = (D / U)[kept], fit.losses[kept]
    member = np.asarray(member).ravel()
    most = np.array([epochs[member == k].max() for k in range(len(pairs))])
    chosen = np.lexsort((-most, -counts))
    chosen = np.sort(chosen[_spread(len(chosen))])  # in the order of corpora, then of sizes
    marks = []
    for series, k in enumerate(chosen):
        unique, size = pairs[k]
        seen = epochs[member == k]
        grid = np.geomspace(seen.min(), _AHEAD * most.max(), _STEPS)
        points = {"N": np.full(_STEPS, size), "D": grid * unique, "U": np.full(_STEPS, unique)}
        curve = np.exp(fit.model.predict(fit.x, points))
        inside = grid <= seen.max() * (1 + 1e-9)
        look = str(series)
        if not series:
            fresh = np.exp(fit.model.predict(fit.x, {**points, "U": points["D"]}))
            marks.append(Mark(LINE, grid, fresh, look=NOTE, label="the first, were all tokens new"))
        label = f"N = {scientific(size)}, U = {scientific(unique)}"
        marks.append(Mark(POINTS, seen, losses[member == k], look=look, label=label))
        marks.append(Mark(LINE, grid[inside], curve[inside], look=look))
        marks.append(Mark(LINE, grid[~inside], curve[~inside], look=look, dashed=True))
    return Panel("epochs", "Loss against epochs", "epochs D/U", "loss", tuple(marks), log_y=True)


def _spread(count: int) -> NDArray[np.int64]:
    """Return places of at most a few of so many, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, _SERIES)).round().astype(np.int64))


def _worth(fit: Fit) -> Panel:
    rate, most = fit.parameters["R_D"], _repetition.largest_epochs(fit)
    half = _repetition.half_value(rate)
    end = max(_AHEAD * most, 1.5 * _repetition.half_value(_repetition.R_D))
    grid = np.linspace(1.0, end, _STEPS)
    marks = []
    if fit.cov is not None or len(fit.samples):
        low, high = interval(fit, "R_D", 0.95)
        ends = _value(grid, low), _value(grid, high)
        marks.append(Mark(BAND, grid, low=ends[0], high=ends[1], look=LAW, label="95 %"))
    published = _value(grid, _repetition.R_D)
    marks.append(Mark(LINE, grid, published, look=RIVAL, label="published constant"))
    inside = grid <= most
    values = _value(grid, rate)
    last = max(int(np.count_nonzero(inside)) - 1, 0)
    marks.append(Mark(LINE, grid[: last + 1], values[: last + 1], label="fit"))
    marks.append(Mark(LINE, grid[last:], values[last:], label="beyond the runs", dashed=True))
    if half <= end:
        at = np.array([half])
        words = f"half after {half:.3g} epochs"
        marks.append(Mark(POINTS, at, np.array([0.5]), look=DATA, label=words))
    return Panel(
        "worth",
        "Worth of a repeated token",
        "epochs D/U",
        "next token, of a new one",
        tuple(marks),
        log_x=False,
    )


def _value(epochs: Array, rate: float) -> Array:
    """Return dD'/dD: what one more token is worth."""
    if not math.isfinite(rate):
        return np.ones(epochs.shape)
    return np.asarray(np.exp(-(epochs - 1) / rate))
