"""Networks along a norm of their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ....arguments import instance, whole
from ....errors import refusal
from ...estimate import NormExponents
from ...simulate.perceptron import DigitsCurves
from ..style import LAW, RIVAL, SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EXPONENTS = {
    "product": r"$\gamma_1\gamma_2$",
    "total": r"$\gamma_0 + \gamma_1\gamma_2$",
    "measured": r"$\gamma$ measured",
}


def complexity_curves(
    curves: DigitsCurves,
    exponents: NormExponents,
    *,
    which: int = 0,
    name: str = "spectral complexity",
    figure: Figure | None = None,
) -> Figure:
    """Draw a norm along training, and the error against it, for several numbers of samples.

    Parameters
    ----------
    curves : DigitsCurves
        What was trained.
    exponents : NormExponents
        Measured from the same curves.
    which : int
        Which of the observed norms, from 0.
    name : str
        What it is called.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        Left the norm against steps, the mean over seeds (``"norm P"``); right the averaged error against the norm (``"error P"``), with
        the elbows (``"elbows"``) and the place where gamma0 is taken (``"common norm"``).

    Raises
    ------
    DomainError
        If the two do not belong together.
    """
    from matplotlib import colormaps

    instance("curves", curves, DigitsCurves)
    instance("exponents", exponents, NormExponents)
    index = whole("which", which, low=0, high=curves.observed.shape[0] - 1)
    if not np.array_equal(curves.samples, exponents.samples):
        raise refusal(
            "exponents", exponents.samples, f"must be of the samples {curves.samples} of curves"
        )
    figure = canvas(figure, (10.4, 4.4))
    left, right = figure.subplots(1, 2)
    count = curves.samples.size
    for j, size in enumerate(curves.samples):
        color = colormaps["viridis"](0.9 - 0.85 * j / max(count - 1, 1))
        mean = curves.observed[index, :, j].mean(axis=0)
        left.plot(curves.steps, mean, color=color, lw=1.5, gid=f"norm {size:g}")
        right.plot(
            exponents.norm[j],
            exponents.error[j],
            color=color,
            lw=1.5,
            gid=f"error {size:g}",
            label=f"P = {size:g}",
        )
    heights = [
        np.interp(elbow, norm, error)
        for elbow, norm, error in zip(exponents.elbow, exponents.norm, exponents.error, strict=True)
    ]
    right.plot(exponents.elbow, heights, "o", color=SIMULATION, ms=5, gid="elbows", label="elbow")
    right.axvline(exponents.common_norm, color=RIVAL, ls=":", lw=1, gid="common norm")
    left.set(xscale="log", yscale="log", xlabel="steps", ylabel=name)
    right.set(xscale="log", yscale="log", xlabel=name, ylabel="test error")
    right.legend(frameon=False, fontsize=8)
    bare(left, right)
    return figure


def exponent_bars(found: Mapping[str, NormExponents], *, figure: Figure | None = None) -> Figure:
    """Draw the measured exponent of several runs beside the two predictions, with bootstrap intervals.

    Parameters
    ----------
    found : mapping of str to NormExponents
        Runs, or norms, by their names.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        One row for each run: the product, the total and the measured exponent (``"product"``, ``"total"``, ``"measured"`` as ``gid``),
        with 95 % intervals.

    Raises
    ------
    DomainError
        If there is none.
    """
    instance("found", found, Mapping)
    if not found or not all(isinstance(each, NormExponents) for each in found.values()):
        raise refusal("found", list(found), "must be names with NormExponents, at least one")
    figure = canvas(figure, (7.0, 1.4 + 0.6 * len(found)))
    axis = figure.subplots()
    rows = np.arange(len(found))
    for shift, (name, label), color, marker in zip(
        (0.2, 0.0, -0.2), _EXPONENTS.items(), (RIVAL, THEORY, LAW), "sDo", strict=True
    ):
        values = np.array([getattr(each, name) for each in found.values()])
        ends = np.array([each.interval(name) for each in found.values()])
        spread = np.abs(ends - values[:, None]).T
        axis.errorbar(
            values, rows - shift, xerr=spread, fmt=marker, color=color, ms=5, lw=1.2, label=label
        ).lines[0].set_gid(name)
    axis.set(yticks=rows, yticklabels=list(found), xlabel="exponent", ylim=(len(found) - 0.5, -0.5))
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    bare(axis)
    return figure
