"""Pictures of early stopping beside ridge: the least losses of both against the number of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .... import theory
from ....arguments import instance, number, one_row
from ....solvers.spectra import PowerLawSpectrum
from ..._least_losses import best_ridge, best_stop
from ..style import SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = 1e12


def best_losses(
    spectrum: PowerLawSpectrum,
    samples: ArrayLike,
    *,
    noise_variance: float = 1.0,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the least test losses of early stopping and of ridge against the number of samples, and their ratio.

    Parameters
    ----------
    spectrum : PowerLawSpectrum
        A task; features are unlimited.
    samples : array_like, shape (n,)
        P, from 10 times the noise variance (and 10) to 1e12, increasing, at least two.
    noise_variance : float
        :math:`\sigma^2`, between 1e-3 and 1e3.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: the least loss over times (``gid`` ``"stopping"``) and over
        ridges (``"ridge"``) by the solvers, dashed the leading terms of ``linear.early_stopping`` and ``linear.optimal_ridge`` (their
        names). Right: the ratio of the two (``"ratio"``), dashed its closed form where ridge does not saturate (``"closed"``).

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Minima by Brent's method: about 30 ms for each number of samples.

    Examples
    --------
    >>> figure = best_losses(PowerLawSpectrum.from_ab(6, 1.5), [1e3, 1e6])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['stopping', 'linear.early_stopping', 'ridge', 'linear.optimal_ridge']
    """
    instance("spectrum", spectrum, PowerLawSpectrum)
    noise = number("noise_variance", noise_variance, low=1e-3, high=1e3)
    sizes = one_row("samples", samples, least=2, increasing=True)
    number("samples", float(sizes[0]), low=10 * max(1.0, noise), high=_LARGEST)
    number("samples", float(sizes[-1]), low=10 * max(1.0, noise), high=_LARGEST)
    values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    shown = {
        "stopping": ("linear.early_stopping", best_stop, THEORY, "early stopping"),
        "ridge": ("linear.optimal_ridge", best_ridge, SIMULATION, "ridge"),
    }
    figure = canvas(figure, (9.6, 4.2))
    left, right = figure.subplots(1, 2)
    least = {}
    for name, (law, best, color, label) in shown.items():
        least[name] = np.array([best(spectrum, float(p), noise)[0] for p in sizes])
        left.plot(sizes, least[name], color=color, lw=1.8, label=label, gid=name)
        if np.isinf(spectrum.size) and spectrum.alpha > 1 and spectrum.beta != 2:
            leading = theory.law(law).asymptote(sizes / noise, **values)
            left.plot(sizes, leading, "--", color=color, lw=1, gid=law)
    left.set(xscale="log", yscale="log", xlabel="samples P", ylabel="least test loss")
    left.legend(frameon=False, fontsize=9)
    ratio = least["stopping"] / least["ridge"]
    right.plot(sizes, ratio, color=THEORY, lw=1.8, gid="ratio")
    if np.isinf(spectrum.size) and spectrum.alpha > 1 and spectrum.beta < 2:
        closed = float(theory.law("linear.early_stopping").evaluate("ratio", **values))
        right.axhline(closed, color=THEORY, lw=1, ls="--", gid="closed")
    right.set(xscale="log", xlabel="samples P", ylabel="stopping / ridge")
    bare(left, right)
    return figure
