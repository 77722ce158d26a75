"""The phase diagram of the lazy linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....notation import SourceCapacity
from ....theory.plane import Limits
from .._phases import draw_phases, law_with_phases
from ..style import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def phase_diagram(
    *,
    notation: str = "capacity",
    tasks: Sequence[SourceCapacity] | Mapping[str, SourceCapacity] = (),
    law: str = "linear.compute",
    resolution: int = 400,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the phases of a law in the plane of the two exponents of a task, with exact boundaries.

    Parameters
    ----------
    notation : str
        Whose exponents are the axes: ``"capacity"``, ``"bordelon"``, ``"paquette"`` or ``"caponnetto"``.
    tasks : sequence of SourceCapacity or mapping of str to SourceCapacity
        Tasks that are marked; the label is the name in a mapping and the coordinates otherwise.
    law : str
        A law with several regimes in (alpha, beta).
    resolution : int
        Cells along an axis where phases are filled; boundaries are curves and do not depend on it.
    limits : pair of pairs of float, optional
        ``((left, right), (bottom, top))``; by default a range with every phase and every task in it.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. The boundary lines carry the boundaries' names as ``gid``.

    Raises
    ------
    DomainError
        If the notation is unknown or has not two parameters, the law is unknown or has no phases in (alpha, beta), a task is not a
        SourceCapacity or lies outside the limits, or the limits or the resolution make no sense.

    Examples
    --------
    >>> figure = phase_diagram(notation="paquette", tasks={"easy": SourceCapacity(2, 1.25)}, resolution=50)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("I")]
    ['Ia', 'Ib', 'Ic', 'II', 'III', 'IVa', 'IVb']
    """
    found = law_with_phases(law)
    figure = canvas(figure, (7.8, 4.9))
    draw_phases(
        [figure.subplots()],
        [found],
        notation=notation,
        tasks=tasks,
        resolution=resolution,
        limits=limits,
    )
    return figure
