"""Figures of the sources, drawn again with the package's own laws, solvers and simulations.

A module for each source; what is decorated with `figure` there is found without a list.
"""

from ._gallery import Written, write_figures
from ._registry import ReproducedFigure, figure, figures_of, sources

__all__ = [
    "ReproducedFigure",
    "Written",
    "figure",
    "figures_of",
    "sources",
    "write_figures",
]
