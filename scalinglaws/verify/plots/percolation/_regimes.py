"""Which limit a model, and a dataset, runs into first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....errors import refusal
from ....notation import SourceCapacity
from ....theory.percolation import critical_exponents
from ....theory.plane import Limits
from .._phases import DOT, draw_phases, law_with_phases
from ..style import canvas, explain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = {"model": "percolation.model", "data": "percolation.data"}
RANGES: Limits = ((0.0, 5.0), (0.0, 1.8))
LABELS = (
    r"Zipf excess $\alpha$   (weights $k^{-(1 + \alpha)}$)",
    r"learning exponent $\beta = c/D$ of one cluster",
)
ORDERS = (2, 4)


def regime_diagram(
    *,
    dimensions: Sequence[int] = (3, 4, 5, 6),
    resolution: int = 400,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw which exponent the loss has, over the Zipf excess :math:`\alpha` and the learning exponent :math:`c/D` of one cluster.

    Parameters
    ----------
    dimensions : sequence of int
        Dimensions of lattices that are marked, at least 2, each for c = 2 (nearest neighbor) and c = 4 (piecewise linear).
    resolution : int
        Cells along an axis where regimes are filled; boundaries are curves and do not depend on it.
    limits : pair of pairs of float, optional
        ``((left, right), (bottom, top))``; by default a range with every mark in it.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure with two axes, model and data; ``figure.savefig(path)`` writes it. The boundary lines carry the boundaries'
        names as ``gid``.

    Raises
    ------
    DomainError
        If a dimension is below 2, a mark lies outside the limits, or the limits or the resolution make no sense.

    Examples
    --------
    >>> [axis.get_title() for axis in regime_diagram(resolution=50).axes]
    ['model of n degrees of freedom', 'P samples']
    """
    try:
        chosen = [critical_exponents(d) for d in dimensions]
    except TypeError:
        raise refusal("dimensions", dimensions, "must be a sequence of whole numbers") from None
    rows = {
        order: [
            SourceCapacity(float(entry.alpha), float(entry.learning(order))) for entry in chosen
        ]
        for order in ORDERS
    }
    tasks = {  # both rows have the same labels: a space keeps them apart
        f"d = {entry.dimension}" + " " * number: row[place]
        for number, row in enumerate(rows.values())
        for place, entry in enumerate(chosen)
    }
    laws = [law_with_phases(name) for name in PANELS.values()]
    figure = canvas(figure, (13.0, 4.6))
    axes = list(figure.subplots(1, 2))
    for axis, title in zip(axes, ("model of n degrees of freedom", "P samples"), strict=True):
        axis.set_title(title, fontsize=12)
    draw_phases(
        axes,
        laws,
        notation="capacity",
        tasks=tasks,
        resolution=resolution,
        limits=limits,
        ranges=RANGES,
        own=LABELS,
    )
    for axis in axes:
        for order, row in rows.items():
            x, y = [task.alpha for task in row], [task.beta for task in row]
            axis.plot(x, y, ":", color=DOT, lw=1.2, gid=f"c = {order}", zorder=3)
            if row:
                style = {"ha": "right", "va": "top", "fontsize": 9, "color": DOT}
                end = max(row, key=lambda task: task.alpha)
                axis.annotate(
                    f"c = {order}",
                    (end.alpha, end.beta),
                    (4, -7),
                    textcoords="offset points",
                    **style,
                )
    if chosen:
        explain(
            figure,
            [
                "dots: lattices of d dimensions at the threshold, whose clusters have the dimension D; c = 2: learned by nearest "
                "neighbors, c = 4: piecewise linearly",
            ],
        )
    return figure
