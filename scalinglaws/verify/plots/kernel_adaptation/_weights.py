"""The law of a weight along the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....arguments import several
from ....errors import refusal
from ....formatting import short
from ....solvers.kernel_adaptation import TwoLayer
from ..style import CASES, KEY_SIZE, RIVAL, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 1201
_DECADES = 10.0  # below the highest density
_LEAST = 3.0  # half of the horizontal axis
_ROOM = 1.25  # beyond the farthest mode


def weight_marginal(
    found: TwoLayer | Sequence[TwoLayer], *, figure: Figure | None = None
) -> Figure:
    r"""Draw the density of a weight along the target, with its modes, against the prior.

    Parameters
    ----------
    found : TwoLayer or sequence of TwoLayer
        Up to four solutions, of networks with one prior of the weights.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Densities carry ``"density I"`` with their place as ``gid``, their
        modes ``"modes I"`` (on both sides), and the prior ``"prior"``.

    Raises
    ------
    DomainError
        If an object is no such solution, there are none or more than four, or their priors differ.

    Notes
    -----
    On a logarithmic axis: a far mode matters to a network of N neurons where it holds more than 1/N of the weight. The key says how
    many neurons lie beyond `far`.

    Examples
    --------
    >>> from scalinglaws.solvers.kernel_adaptation import two_layer
    >>> found = two_layer([1, 0.2], dimension=100, width=1000, scale=1000, ridge_per_sample=0.03)
    >>> figure = weight_marginal(found)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['prior', 'density 0', 'modes 0']
    """
    solutions = several("found", found, TwoLayer)
    if not 1 <= len(solutions) <= len(CASES):
        raise refusal(
            "found", None, f"must be 1 to {len(CASES)} solutions; got {len(solutions)}", shown=False
        )
    variances = {each.weight_variance / each.dimension for each in solutions}
    if len(variances) > 1:
        raise refusal("found", None, "must have one weight_variance and one dimension", shown=False)
    variance = variances.pop()
    farthest = max(float(np.max(each.modes, initial=0.0)) for each in solutions)
    reach = max(_LEAST * min(1.0, 4 * math.sqrt(variance)), _ROOM * farthest)
    weights = np.linspace(-reach, reach, _POINTS)
    figure = canvas(figure, (7.2, 4.4))
    axis = figure.subplots()
    with np.errstate(under="ignore"):
        prior = np.exp(-(weights**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    axis.plot(weights, prior, color=RIVAL, lw=1.4, ls="--", label="prior", gid="prior")
    top = float(prior.max())
    for i, (each, (color, marker)) in enumerate(zip(solutions, CASES, strict=False)):
        density = np.asarray(each.density(weights))
        top = max(top, float(density.max()))
        label = rf"$\kappa'$ = {short(each.ridge_per_sample)}: {each.phase}"
        if each.far_neurons >= 1e-3:
            label += f", {short(each.far_neurons)} of {short(each.width)} far out"
        axis.plot(weights, density, color=color, lw=1.7, label=label, gid=f"density {i}")
        modes = np.union1d(-each.modes, each.modes)
        axis.plot(
            modes,
            np.asarray(each.density(modes)),
            marker,
            color=color,
            ms=6,
            mec="white",
            gid=f"modes {i}",
        )
    axis.set_yscale("log")
    axis.set_ylim(top * 10**-_DECADES, 3 * top)
    axis.set_xlim(-reach, reach)
    axis.set_xlabel(r"weight along the target, $m = w\cdot w_*$")
    axis.set_ylabel(r"density $\pi(m)$")
    figure.legend(loc="outside upper left", fontsize=KEY_SIZE, frameon=False, ncols=2)
    bare(axis)
    return figure
