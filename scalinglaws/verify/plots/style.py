"""Colors and manners that the pictures of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THEORY, SIMULATION, LAW, RIVAL = "#1b3a5c", "#d1495b", "#4a8c6f", "#9a9a9a"
CASES = (("#1b3a5c", "o"), ("#d1495b", "s"), ("#e09f3e", "^"), ("#5b9bd5", "D"))
"""Color and marker of cases side by side; the colors differ in lightness too."""


def bare(*axes: Axes) -> None:
    """Take away the lines that frame nothing."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
