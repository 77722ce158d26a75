"""The plane of capacity and source: which law holds for a task, lazy and rich, with its exact exponent and its derivation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from html import escape
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from ... import theory
from ...errors import DomainError
from ...theory.mathematical_markup import mathml
from ...theory.plane import PhasePlane
from ..answers import PALE, Answer, Array, Drawn, Line, Number, Regions, Words, paragraphs
from ..controls import Choice, Points
from ..panel import Frame, Panel, Values
from ._shared import told

BOX = (0.0, 3.0, 0.0, 3.0)
CELLS = 240
SLIVER = 0.022  # of the plane: a phase that has no more room around a name than this is not named
QUANTITIES = {
    "compute": "compute",
    "time": "training time",
    "data": "samples",
    "model": "parameters",
}
LEARNING = {"linear": "lazy", "feature_learning": "rich (features are learned)"}
COLORS = ("#cfe0ee", "#fbe3b5", "#d3e8cf", "#f6cdc5", "#b3cde3", "#e59a93", "#e3d9ec")
INK = "#1b3a5c"


def answer(values: Values) -> Answer:
    """Return the phases of a law, and what it says about one task."""
    law = theory.law(f"{values['learning']}.{values['quantity']}")
    ((x, y),) = values["task"]
    alpha, beta = (Fraction(str(round(value, 6))) for value in (x, y))
    numbers = [Number("alpha", "capacity α", str(alpha)), Number("beta", "source β", str(beta))]
    complaint = ""
    try:
        exponent, phase = law(alpha=alpha, beta=beta), law.regime(alpha=alpha, beta=beta)
    except DomainError as failure:
        complaint = str(failure)
    else:
        numbers += [
            Number(
                "exponent",
                f"exponent g of {law.variable}",
                str(exponent),
                f"= {float(exponent):.6g}; loss ~ {law.variable}^-g",
            ),
            Number("phase", "phase", phase),
        ]
    numbers += _others(alpha, beta, without=law.name)
    words = paragraphs(complaint) + _formulas(law.name) + told(law.name)
    return Answer({"plane": list(_plane(law.name))}, numbers, words)


def _others(alpha: Fraction, beta: Fraction, without: str) -> Iterator[Number]:
    """Compare the exponents of all quantities, lazy and rich."""
    for quantity, words in QUANTITIES.items():
        for learning in LEARNING:
            name = f"{learning}.{quantity}"
            if name == without:
                continue
            short = "lazy" if learning == "linear" else "rich"
            try:
                exponent = str(theory.law(name)(alpha=alpha, beta=beta))
            except DomainError:
                exponent = "no power law"
            yield Number(name, f"exponent, {words}, {short}", exponent)


@cache
def _phases(name: str) -> PhasePlane:
    left, right, bottom, top = BOX
    return PhasePlane(
        theory.law(name), "capacity", ("alpha", "beta"), ((left, right), (bottom, top))
    )


@cache
def _plane(name: str) -> tuple[Drawn, ...]:
    """Draw the phases of a law: cells, exact boundaries and names where there is room."""
    left, right, bottom, top = BOX
    plane = _phases(name)
    x, y = (
        low + (high - low) * (np.arange(CELLS) + 0.5) / CELLS
        for low, high in ((left, right), (bottom, top))
    )
    which = plane.index(*np.meshgrid(x, y))
    drawn: list[Drawn] = [Regions(which, COLORS[: len(plane.phases)], BOX)]
    for across, up in plane.border():
        drawn.append(_line(across, up, np.isfinite(across), PALE))
    for regime in plane.edges:
        for across, up in plane.curves(regime.condition):
            drawn.append(_line(across, up, plane.valid(across, up) & np.isfinite(across), INK))
    for number, phase in enumerate(plane.phases):
        room = distance_transform_edt(np.pad(which == number, 1))[1:-1, 1:-1] / CELLS
        middle = np.argwhere(which == number).mean(axis=0)
        good = np.argwhere(room >= 0.85 * room.max())
        row, column = good[np.argmin(np.sum((good - middle) ** 2, axis=1))]
        if room[row, column] > SLIVER:
            drawn.append(Words(phase.name, float(x[column]), float(y[row])))
    return tuple(drawn)


def _line(across: Array, up: Array, good: Any, color: str) -> Line:
    """Draw a curve where it is good; elsewhere it is interrupted."""
    return Line("", np.where(good, across, BOX[0]), np.where(good, up, np.nan), color)


@cache
def _formulas(name: str) -> str:
    """Write the exponent of each phase, beside the color that it has in the plane."""
    names = [phase.name for phase in _phases(name).phases]
    colors = dict(zip(names, COLORS, strict=False))
    rows = "".join(
        f'<tr><th><span class="swatch" style="background: {colors.get(regime.name, "none")}"></span> '
        f"{escape(regime.name)}</th><td>{mathml(regime.exponent)}</td></tr>"
        for regime in theory.law(name).regimes
        if not regime.on_boundary
    )
    return f"<table><tr><th>phase</th><th>exponent</th></tr>{rows}</table>"


def _grid() -> list[tuple[tuple[float, float], ...]]:
    """List the tasks of a snapshot."""
    lattice: list[Any] = [
        ((float(round(x, 3)), float(round(y, 3))),)
        for x in np.arange(0.25, 3.01, 0.25)
        for y in np.arange(0.25, 3.01, 0.25)
    ]
    return lattice


PANEL = Panel(
    "phases",
    "Which law holds for a task?",
    "Drag the point. Eigenvalues of the kernel fall as <i>k</i><sup>−α</sup> and the target's power in them as "
    "<i>k</i><sup>−(αβ + 1)</sup>: α is the capacity of the data, β the source, large for a smooth target.",
    (
        Choice("quantity", "Loss against", QUANTITIES, "compute"),
        Choice("learning", "Learning", LEARNING, "linear"),
        Points("task", "Task (α, β)", "plane", BOX, ((1.5, 0.5),)),
    ),
    (Frame("plane", "capacity α", "source β", box=BOX, height=460),),
    answer,
    {"quantity": tuple(QUANTITIES), "learning": tuple(LEARNING), "task": _grid()},
)
