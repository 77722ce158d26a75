"""The panels of the explorer, one module each; what has to be said about a panel without importing a solver stands here."""

from __future__ import annotations

from importlib import import_module

from ...arguments import choice
from ..panel import Panel

TITLES = {
    "phases": "Phases",
    "losses": "Loss curves",
    "schedules": "Schedules",
    "allocation": "Allocation",
    "perceptron": "Perceptron",
    "percolation": "Percolation",
    "patterns": "Patterns",
    "runs": "Your runs",
}
"""Name of a panel -> its title, in the order in which they are offered."""


def panel(name: str) -> Panel:
    """Return a panel by name; its module and the rooms behind it are imported now.

    Parameters
    ----------
    name : str
        One of `TITLES`.

    Returns
    -------
    Panel
        What it sets, draws and answers.

    Raises
    ------
    DomainError
        For another name.
    """
    module = import_module(f"{__name__}.{choice('panel', name, tuple(TITLES))}")
    found: Panel = module.PANEL
    return found
