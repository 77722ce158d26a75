"""Margins of the training examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....arguments import whole
from ....errors import refusal
from ....solvers import perceptron as solve
from ...simulate.perceptron import SimulatedPerceptrons
from ..style import CASES, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 4


def margin_histogram(
    found: SimulatedPerceptrons, *, alpha: float, bins: int = 160, figure: Figure | None = None
) -> Figure:
    r"""Draw the margins of simulated perceptrons at up to four norms, with the density that the replica solution gives.

    Parameters
    ----------
    found : SimulatedPerceptrons
        With margins, of norms > 0.
    alpha : float
        Samples per input of the simulation.
    bins : int
        Of the histogram, from 5 to 1000.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        Histograms (steps, ``"histogram L"`` as ``gid``) under lines (``"density L"``), L the norm.

    Raises
    ------
    DomainError
        If there are no margins, more than four norms, or a norm of zero.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.perceptron import fixed_norm
    >>> figure = margin_histogram(fixed_norm([1, 5], alpha=4, inputs=50, margins=True), alpha=4)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['density 1', 'density 5']
    """
    if not isinstance(found, SimulatedPerceptrons) or found.margins is None:
        raise refusal("found", found, "must be SimulatedPerceptrons with margins=True", shown=False)
    if found.norm.size > _MOST or np.any(found.norm == 0):
        raise refusal("found", found.norm, f"must have one to {_MOST} norms, all above 0")
    count = whole("bins", bins, low=5, high=1000)
    solution = solve.fixed_norm(alpha, found.norm)
    margins = np.moveaxis(found.margins, 1, 0).reshape(found.norm.size, -1)
    first, last = np.quantile(margins, (0.0, 0.9995))
    edges = np.linspace(float(first), float(last), count + 1)
    figure = canvas(figure, (7.0, 4.2))
    axis = figure.subplots()
    fine = np.linspace(edges[0], edges[-1], 600)
    density = np.asarray(solution.margin_density(fine))
    for i, norm in enumerate(found.norm):
        color = CASES[i][0]
        heights = np.histogram(margins[i], edges)[0] / (margins.shape[1] * np.diff(edges))
        axis.stairs(heights, edges, color=color, alpha=0.45, lw=0.8, gid=f"histogram {norm:g}")
        axis.plot(
            fine,
            density[i],
            color=color,
            lw=1.6,
            gid=f"density {norm:g}",
            label=rf"$\lambda = {norm:g}$",
        )
    axis.set(
        xlabel=r"margin $\Delta$", ylabel="density", xlim=(edges[0], edges[-1]), ylim=(0, None)
    )
    axis.legend(frameon=False, title=rf"$\alpha = {alpha:g}$", fontsize=9)
    bare(axis)
    return figure
