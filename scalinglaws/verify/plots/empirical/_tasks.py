"""Pictures of a measured task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....arguments import instance
from ....errors import DataError
from ...empirical._measurement import TaskMeasurement
from ...empirical._prediction import SIGMA, TaskPrediction
from ...empirical._records import MeasuredExponent, MeasuredSpectrum
from ...empirical._spectrum_curves import SpectrumCurves, eigenvalue_curves, residual_curves
from ..style import LAW, NOTE, RIVAL, SIMULATION, THEORY, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def spectrum_and_residual(measurement: TaskMeasurement, *, figure: Figure | None = None) -> Figure:
    """Draw eigenvalues and residual of a sample, with windows, fits and local exponents.

    Parameters
    ----------
    measurement : TaskMeasurement
        With a spectrum.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: eigenvalues as measured (``gid`` ``"measured"``) and without
        their bias (``"corrected"``), with the fit (``"fit"``, dashed outside the window, which is shaded). Right: the share of the
        labels outside the first k modes. Below: exponents by least squares over a factor of 2 in k (``"local"``), with the estimate
        and its 95 % interval.

    Raises
    ------
    DataError
        If no spectrum was measured.
    """
    instance("measurement", measurement, TaskMeasurement)
    spectrum = measurement.spectrum
    if spectrum is None:
        raise DataError(f"there is no spectrum to draw: {measurement.capacity.reason}")
    figure = canvas(figure, (10.4, 5.6))
    rows = figure.subplots(2, 2, sharex="col", height_ratios=(2.4, 1))
    for column, curves, found, names in (
        (0, eigenvalue_curves(spectrum), measurement.capacity, ("eigenvalue of K/n", r"\alpha")),
        (
            1,
            residual_curves(spectrum),
            measurement.decay,
            ("labels outside $k$ modes", r"\alpha\beta"),
        ),
    ):
        _values(rows[0, column], curves, spectrum, names[0])
        _slopes(rows[1, column], curves, spectrum, found, names[1])
        estimate = "no estimate" if found.value is None else f"${names[1]} = {found.value:.4g}$"
        rows[0, column].set_title(f"{estimate}: {found.verdict}", loc="left", fontsize=11)
    rows[0, 0].legend(frameon=False, fontsize=9)
    bare(*rows.ravel())
    return figure


def _values(axes: Axes, curves: SpectrumCurves, spectrum: MeasuredSpectrum, name: str) -> None:
    first, last = spectrum.window
    axes.axvspan(first, last, color=THEORY, alpha=0.07, lw=0, gid="window")
    axes.plot(
        curves.k,
        curves.measured,
        "o",
        ms=3.5,
        mfc="none",
        mec=RIVAL,
        gid="measured",
        label="as measured",
    )
    axes.plot(
        curves.k,
        curves.corrected,
        "o",
        ms=2.5,
        color=SIMULATION,
        gid="corrected",
        label="without bias",
    )
    inside = (curves.fit_k >= first) & (curves.fit_k <= last)
    axes.plot(curves.fit_k, curves.fit, "--", color=THEORY, lw=0.9)
    axes.plot(
        curves.fit_k[inside],
        curves.fit[inside],
        color=THEORY,
        lw=1.8,
        gid="fit",
        label=f"fit, modes {first} to {last}",
    )
    values = np.concatenate([curves.measured, curves.corrected])
    axes.set(xscale="log", yscale="log", ylabel=name, ylim=(values.min() / 1.5, values.max() * 1.5))


def _slopes(
    axes: Axes,
    curves: SpectrumCurves,
    spectrum: MeasuredSpectrum,
    found: MeasuredExponent,
    name: str,
) -> None:
    axes.axvspan(*spectrum.window, color=THEORY, alpha=0.07, lw=0)
    axes.plot(curves.slope_k, curves.slope, color=NOTE, lw=1.2, gid="local")
    if found.interval is not None:
        axes.axhspan(*found.interval, color=LAW, alpha=0.25, lw=0, gid="interval")
    if found.value is not None:
        axes.axhline(found.value, color=LAW, lw=1.3, gid="estimate")
    axes.set(xlabel="mode k", ylabel=f"local ${name}$")


def learning_curve(
    measurement: TaskMeasurement,
    prediction: TaskPrediction | None = None,
    *,
    figure: Figure | None = None,
) -> Figure:
    """Draw the predicted learning curve of a measured task with its band, and the losses of held-out data.

    Parameters
    ----------
    measurement : TaskMeasurement
        With a spectrum.
    prediction : TaskPrediction, optional
        What was predicted, if it was already; by default ``measurement.predict()``.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure. Left: the predicted curve (``gid`` ``"predicted"``, dashed beyond the largest number of samples that was
        checked), its 95 % band, and losses of held-out data with bars of 1.96 standard errors (``"held out"``). Right: their ratio to the
        prediction from the other half, with what is allowed (``"ratio"``); empty if nothing was checked. Below, in words, what is known.

    Raises
    ------
    DataError
        If no curve can be predicted; the message says why.
    """
    instance("measurement", measurement, TaskMeasurement)
    found = measurement.predict() if prediction is None else prediction
    instance("prediction", found, TaskPrediction)
    curve, held = found.curve, found.held_out
    if curve is None:
        raise DataError("there is no learning curve to draw. " + " ".join(found.notes))
    figure = canvas(figure, (10.4, 4.2))
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    checked = ~np.asarray(curve.extrapolated, dtype=bool)
    if np.any(checked):
        left.plot(
            curve.samples[checked],
            curve.loss[checked],
            color=THEORY,
            lw=1.8,
            gid="predicted",
            label="predicted",
        )
    left.fill_between(
        curve.samples,
        curve.low,
        curve.high,
        color=THEORY,
        alpha=0.15,
        lw=0,
        gid="band",
        label="95 % band",
    )
    beyond = "beyond what was checked" if np.any(checked) else "predicted, not checked"
    left.plot(curve.samples, curve.loss, "--", color=THEORY, lw=1, gid="beyond", label=beyond)
    left.set(xscale="log", yscale="log", xlabel="samples P", ylabel="loss / power of labels")
    if held is None or found.ratio is None or found.allowed is None:
        right.text(
            0.5,
            0.5,
            "not checked\non held-out data",
            ha="center",
            va="center",
            color=NOTE,
            transform=right.transAxes,
        )
        right.set_axis_off()
        bare(left)
    else:
        look = {"fmt": "o", "color": SIMULATION, "ms": 4.5, "capsize": 2, "zorder": 3}
        error = SIGMA * held.standard_error
        left.errorbar(held.samples, held.measured, error, label="held-out data", **look)[0].set_gid(
            "held out"
        )
        right.fill_between(
            held.samples, 1 / found.allowed, found.allowed, color=THEORY, alpha=0.15, lw=0
        )
        right.axhline(1, color=THEORY, lw=1)
        right.plot(held.samples, found.ratio, "o", color=SIMULATION, ms=4.5, gid="ratio")
        right.set(xscale="log", xlabel="samples P", ylabel="measured / predicted")
        logarithmic(right.xaxis)
        bare(left, right)
    left.legend(frameon=False, fontsize=9)
    logarithmic(left.xaxis)
    logarithmic(left.yaxis)
    explain(figure, found.notes)
    return figure
