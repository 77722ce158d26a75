"""Pictures of fits to runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....arguments import instance
from ...empirical.fits import Fit
from ...empirical.fits._error_panels import pair_panels, profile_panels, rolling_panels
from ...empirical.fits._panels import (
    BAND,
    BARS,
    DATA,
    LAW,
    LINE,
    NOTE,
    RIVAL,
    Mark,
    Panel,
    fit_panels,
    frontier_panels,
    isoflop_panels,
    residual_panels,
)
from ...empirical.fits._repetition_panels import repetition_panels
from ..style import NOTE as GRAY
from ..style import RIVAL as LIGHT
from ..style import SIMULATION, THEORY, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = {LAW: THEORY, RIVAL: SIMULATION, DATA: GRAY, NOTE: LIGHT}
_SERIES = ("#1b3a5c", "#d1495b", "#e09f3e", "#5b9bd5", "#4a8c6f", "#8a5fa8", "#7a6248", "#2f9c95")
_ACROSS = 3  # panels beside each other
_MANY = 120  # points, from which on they are small


def fitted_losses(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw the loss against compute: runs, the best model with its bands, and the largest budget as those below foretell it.

    Parameters
    ----------
    fit : Fit
        To data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. Beyond the runs the law is dashed. Losses of a law in several other variables are drawn against fitted ones.
    """
    instance("fit", fit, Fit)
    return _drawn(fit_panels(fit), figure)


def isoflop_curves(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw budgets with several sizes: the law's exact curves and minima, parabolas through the runs, and the bias of theirs.

    Parameters
    ----------
    fit : Fit
        Of laws in N and D, to data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure: curves on the left, best sizes against compute on the right.

    Raises
    ------
    DataError
        If the law has other variables, or no budget has five sizes.
    """
    instance("fit", fit, Fit)
    return _drawn(isoflop_panels(fit), figure)


def fit_residuals(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw residuals against each variable, D/N and C.

    Parameters
    ----------
    fit : Fit
        To data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure, with a band of twice their standard deviation.
    """
    instance("fit", fit, Fit)
    return _drawn(residual_panels(fit), figure)


def repeated_tokens(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw losses against epochs with the fit, and what the next token is worth.

    Parameters
    ----------
    fit : Fit
        Of ``repetition``, to data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure: a color for each size and corpus, at most four; on the right the fit with its interval, beside the published
        constant.

    Raises
    ------
    DataError
        If the fit is one of another law, or has no data.
    """
    instance("fit", fit, Fit)
    return _drawn(repetition_panels(fit), figure)


def forecast_errors(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw the errors of forecasts of later budgets from earlier ones, by law, against how far ahead they were.

    Parameters
    ----------
    fit : Fit
        With its `rolling` forecasts.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure: bars are 95 % by the law alone, the band adds the drift.

    Raises
    ------
    DataError
        If there were no forecasts.
    """
    instance("fit", fit, Fit)
    return _drawn(rolling_panels(fit), figure)


def compute_frontier(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw the best model's size and loss against compute, beside those of published laws.

    Parameters
    ----------
    fit : Fit
        Of laws in N and D, to data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; beyond the runs the fit is dashed.

    Raises
    ------
    DataError
        If the law has other variables.
    """
    instance("fit", fit, Fit)
    return _drawn(frontier_panels(fit), figure)


def parameter_profiles(fit: Fit, *, figure: Figure | None = None) -> Figure:
    """Draw the objective along each parameter, all others fitted anew, and pairs of parameters of resampled fits.

    Parameters
    ----------
    fit : Fit
        To data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. Profiles only where delta is at least the scatter of the residuals, pairs only with resampled fits.

    Raises
    ------
    DataError
        If there is neither.
    """
    instance("fit", fit, Fit)
    panels = profile_panels(fit) + (pair_panels(fit) if len(fit.samples) else [])
    return _drawn(panels, figure)


def _drawn(panels: Sequence[Panel], figure: Figure | None) -> Figure:
    across = min(len(panels), _ACROSS if len(panels) > 4 else 2)
    down = -(-len(panels) // across)
    figure = canvas(figure, (5.2 * across if across > 1 else 7.0, 3.9 * down))
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        _panel(axes, panel)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    for mark in panel.marks:
        _mark(axes, mark)
    axes.set(
        xscale="log" if panel.log_x else "linear",
        yscale="log" if panel.log_y else "linear",
        xlabel=panel.x_name,
        ylabel=panel.y_name,
    )
    axes.set_title(panel.title, loc="left", fontsize=11)
    if panel.log_x:
        logarithmic(axes.xaxis)
    if panel.log_y:
        logarithmic(axes.yaxis)
    if any(mark.label for mark in panel.marks):
        axes.legend(frameon=False, fontsize=8)
    bare(axes)


def _mark(axes: Axes, mark: Mark) -> None:
    color = _SERIES[int(mark.look) % len(_SERIES)] if mark.look.isdecimal() else _COLORS[mark.look]
    label = mark.label or None
    if mark.kind == BAND:
        axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.13, lw=0, label=label)
    elif mark.kind == BARS:
        axes.vlines(mark.x, mark.low, mark.high, color=color, lw=1.3, label=mark.label)
    elif mark.kind == LINE:
        style = "--" if mark.dashed else "-"
        axes.plot(mark.x, mark.y, style, color=color, lw=1.5, label=label)
    else:
        size = 4.0 if mark.x.size <= _MANY else 2.0
        inside = "none" if mark.dashed else color
        axes.plot(mark.x, mark.y, "o", ms=size, mec=color, mfc=inside, lw=0, label=label)
