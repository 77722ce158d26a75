"""The phase diagram of networks with and without feature learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....arguments import text
from ....notation import SourceCapacity
from ....theory.plane import Limits
from .._phases import draw_phases, law_with_phases
from ..style import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANGES: dict[str, Limits] = {  # the trace of the kernel is finite
    "capacity": ((1.0, 3.5), (0.0, 3.0)),
    "bordelon": ((1.0, 3.0), (1.0, 7.0)),
    "paquette": ((0.5, 1.5), (-0.5, 2.0)),
    "caponnetto": ((1.0, 3.5), (0.0, 1.5)),
}


def phase_diagram(
    *,
    notation: str = "capacity",
    tasks: Sequence[SourceCapacity] | Mapping[str, SourceCapacity] = (),
    resolution: int = 400,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the compute-optimal regimes of lazy and rich networks side by side, with exact boundaries.

    Parameters
    ----------
    notation : str
        Whose exponents are the axes: ``"capacity"``, ``"bordelon"``, ``"paquette"`` or ``"caponnetto"``.
    tasks : sequence of SourceCapacity or mapping of str to SourceCapacity
        Tasks that are marked; the label is the name in a mapping and the coordinates otherwise.
    resolution : int
        Cells along an axis where regimes are filled; boundaries are curves and do not depend on it.
    limits : pair of pairs of float, optional
        ``((left, right), (bottom, top))``; by default a range with every regime and every task in it.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure with two axes; ``figure.savefig(path)`` writes it. The boundary lines carry the boundaries' names
        as ``gid``.

    Raises
    ------
    DomainError
        If the notation is unknown or has not two parameters, a task is not a SourceCapacity or lies outside the limits, or the
        limits or the resolution make no sense.

    Examples
    --------
    >>> figure = phase_diagram(tasks={"here": SourceCapacity(2, 0.5)}, resolution=50)
    >>> [axis.get_title() for axis in figure.axes]
    ['lazy', 'rich']
    """
    panels = {"lazy": "feature_learning.compute_lazy", "rich": "feature_learning.compute"}
    laws = [law_with_phases(name) for name in panels.values()]
    figure = canvas(figure, (13.0, 4.6))
    axes = list(figure.subplots(1, 2))
    for axis, title in zip(axes, panels, strict=True):
        axis.set_title(title, fontsize=12)
    draw_phases(
        axes,
        laws,
        notation=notation,
        tasks=tasks,
        resolution=resolution,
        limits=limits,
        ranges=RANGES.get(text("notation", notation)),
    )
    return figure
