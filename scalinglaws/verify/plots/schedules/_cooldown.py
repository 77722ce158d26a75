"""Losses against the part of the steps in which the rate is cooled down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import number, one_row, refuse_first
from ....errors import refusal
from ....formatting import typeset
from ....solvers.schedules import Schedule, train, tuned_rate
from ....solvers.spectra import Spectrum, one_spectrum
from ..style import CASES, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def cooldown_losses(
    spectrum: Spectrum,
    *,
    steps: ArrayLike,
    cooldown: ArrayLike,
    batch: float,
    noise_variance: float,
    features: float = math.inf,
    rate: float | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the loss at the end of a stable phase and a linear cooldown, against the part of the steps that is cooldown.

    For a hard task at its largest stable rate there is a best part, which falls as a power of the steps; for an easy one whose rate is
    tuned the loss falls as the cooldown grows, and all that changes is a factor.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    steps : array_like, shape (K,)
        One to four lengths T, increasing.
    cooldown : array_like, shape (C,)
        Parts f, increasing in (0, 1], at least two.
    batch : float
        B >= 1.
    noise_variance : float
        :math:`\sigma^2 > 0`.
    features : float
        N >= 1, ``math.inf`` for the limit.
    rate : float, optional
        The rate of all runs; by default each has its own best one.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Losses are over the least of their curve; a curve carries
        ``"T = ..."`` as ``gid``, its least point ``"least"`` if that is inside.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    One run of `scalinglaws.solvers.schedules.train` for each point, 10 to 40 ms; `tuned_rate` where the rate is not given, half a
    second.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(1.4, 2.5)
    >>> figure = cooldown_losses(task, steps=[1000], cooldown=[0.03, 0.3], rate=0.5, batch=8, noise_variance=1)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['T = 1000']
    """
    one_spectrum(spectrum, steps=steps)
    lengths = one_row("steps", steps, low=10.0, increasing=True)
    refuse_first("steps", lengths, lengths != np.floor(lengths), "must be a whole number")
    if not 1 <= lengths.size <= len(CASES):
        raise refusal("steps", lengths, f"must be 1 to {len(CASES)} lengths", shown=False)
    parts = one_row("cooldown", cooldown, least=2, low=0.0, strict=True, increasing=True)
    refuse_first("cooldown", parts, parts > 1, "must be at most 1")
    figure = canvas(figure, (6.8, 4.3))
    axes = figure.subplots()
    for length, (color, marker) in zip(lengths.tolist(), CASES, strict=False):
        losses = np.array(
            [
                _loss(spectrum, int(length), part, rate, features, batch, noise_variance)
                for part in parts.tolist()
            ]
        )
        least = int(np.argmin(losses))
        name = f"T = {number('steps', length):g}"
        label = f"$T$ = {typeset(length, 3)}: {typeset(float(losses[least]), 3)} at the least"
        relative = losses / losses[least]
        axes.plot(parts, relative, color=color, lw=1.6, marker=".", ms=4, gid=name, label=label)
        if 0 < least < parts.size - 1:
            axes.plot(
                parts[least], 1, marker, color=color, ms=8, mec="white", gid="least", zorder=4
            )
    axes.set(xscale="log", yscale="log", xlabel="part of the steps that is cooldown")
    axes.set_ylabel("loss at the end over the least of the curve")
    logarithmic(axes.xaxis)
    low, high = axes.get_ylim()
    logarithmic(axes.yaxis, narrow=high < 5 * low)
    axes.legend(frameon=False, fontsize=9)
    bare(axes)
    return figure


def _loss(
    spectrum: Spectrum,
    steps: int,
    part: float,
    rate: float | None,
    features: float,
    batch: float,
    noise: float,
) -> float:
    """Return the loss at the end of a run."""
    shape = Schedule.wsd(rate=rate or 1.0, steps=steps, cooldown=part)
    if rate is None:
        found = tuned_rate(shape, spectrum, features=features, batch=batch, noise_variance=noise)
        return found.test_loss
    run = train(shape, spectrum, features=features, batch=batch, noise_variance=noise, at=steps)
    return float(run.test_loss)
