"""Colors and manners that the pictures of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import refusal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THEORY, SIMULATION, LAW, RIVAL = "#1b3a5c", "#d1495b", "#4a8c6f", "#9a9a9a"
CASES = (("#1b3a5c", "o"), ("#d1495b", "s"), ("#e09f3e", "^"), ("#5b9bd5", "D"))
"""Color and marker of cases side by side; the colors differ in lightness too."""


def bare(*axes: Axes) -> None:
    """Take away the lines that frame nothing."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)


def canvas(figure: Figure | None, size: tuple[float, float]) -> Figure:
    """Return the figure to draw in: the one that was given, or a new one of so many inches that belongs to no window."""
    from matplotlib.figure import Figure

    if figure is None:
        return Figure(figsize=size, layout="constrained")
    if not isinstance(figure, Figure):
        raise refusal("figure", figure, "must be a Matplotlib figure")
    return figure
