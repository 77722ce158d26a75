"""The plane of two widths: which pattern of feature learning is the cheapest, and how many samples it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from html import escape
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ...equality import by_value
from ...errors import DomainError
from ...reprs import short_repr
from ...theory.mathematical_markup import mathml
from ...theory.patterns import (
    MEANINGS,
    Architecture,
    PhaseDiagram,
    RankedPattern,
    SampleComplexity,
    convolutional,
    fully_connected,
    phase_diagram,
    sample_complexity,
)
from ..answers import (
    COLORS,
    PALE,
    Answer,
    Array,
    Drawn,
    Line,
    Marks,
    Number,
    Regions,
    Words,
    paragraphs,
)
from ..controls import Choice, Points
from ..panel import Frame, Panel, Values
from ._shared import told

WIDEST = 6
BOX = (0.0, float(WIDEST), 0.0, float(WIDEST))
CELLS = 120
ALONG = np.linspace(0, WIDEST, 121)
SHOWN = 8  # patterns in the ranking
LETTER = (0.03, 0.012)  # half of its height and width, of the plane
ROOM = 0.8  # around a name, in halves of its own
NETWORKS = {
    "fcn": "fully connected",
    "cnn": "convolutional, patches of d^(1/2) inputs",
    "lcn": "locally connected, patches of d^(1/2) inputs",
}
FEATURES = {"any": "aligned with the target", "clean": "aligned, and nothing learned beside it"}
PHASES = (
    *("#cfe0ee", "#d3e8cf", "#fbe3b5", "#f6cdc5", "#d9cfe8", "#93b7d6"),
    *("#a7cfa0", "#f2c879", "#e59a93", "#b6a3d3", "#e3d9cc", "#bcdedb"),
)
INK = "#1b3a5c"
AXES = ("n_1", "n_2")


@short_repr
@by_value
@dataclass(frozen=True)
class Plane:
    """A diagram, and winner, exponent and conditions of its regions as functions of both widths."""

    diagram: PhaseDiagram
    pieces: tuple[tuple[int, Callable[..., Any], tuple[Callable[..., Any], ...]], ...]


def answer(values: Values) -> Answer:
    """Return which pattern wins over the plane, and what it costs at one point."""
    network, degree = values["network"], int(values["degree"])
    purity = values["features"] == "clean"
    ((x, y),) = values["widths"]
    widths = tuple(Fraction(str(round(value, 6))) for value in (x, y))
    plane = _plane(network, degree, purity)
    numbers = [
        Number(name, f"width exponent n{mark}", str(width))
        for name, mark, width in zip(AXES, "₁₂", widths, strict=True)
    ]
    try:
        found = sample_complexity(_network(network, degree, widths), purity=purity)
    except DomainError as failure:
        numbers.append(Number("exponent", "exponent of d in samples", "no pattern"))
        drawn, page = list(_cuts(plane, x, y)), paragraphs(str(failure))
    else:
        numbers += _costs(found)
        height = float(found.exponent)
        here = Marks("here", [x, y], [height, height], COLORS[2])
        drawn, page = [*_lazy(found), *_cuts(plane, x, y), here], _ranking(found)
    page += _meanings(plane.diagram) + told("patterns.unlearnability_bound")
    return Answer({"plane": list(_drawn(network, degree, purity)), "cut": drawn}, numbers, page)


def _network(name: str, degree: int, widths: Any) -> Architecture:
    """Return an architecture with two hidden layers."""
    if name == "fcn":
        return fully_connected(widths, degree)
    return convolutional(widths, degree, weight_sharing=name == "cnn")


def _costs(found: SampleComplexity) -> Iterator[Number]:
    """Say which pattern wins, and what it costs."""
    best, minimum = found.winners[0], found.winners[0].minimum
    ties = len(found.winners) - 1
    yield Number("exponent", "exponent of d in samples", str(found.exponent), "heuristic")
    yield Number("winner", "cheapest pattern", str(best), f"and {ties} more" if ties else "")
    yield Number("cost", "its cost", str(best.cost))
    yield Number("least", "at least", str(minimum.value), f"~ d^({minimum.exponent})")
    for name, power in best.parameters.items():
        yield Number(str(name), f"parameter {name}", f"d^({power})")


def _ranking(found: SampleComplexity) -> str:
    """Write the cheapest patterns as a table."""
    rows = "".join(
        f"<tr><td>{escape(str(entry))}</td><td>d^({entry.exponent})</td>"
        f"<td>{_cost(entry)}</td></tr>"
        for entry in found.ranking[:SHOWN]
    )
    head = "<tr><th>pattern</th><th>samples</th><th>cost</th></tr>"
    return f"<table>{head}{rows}</table>"


def _cost(entry: RankedPattern) -> str:
    """Write the cost of a pattern and the bounds of its parameters."""
    bounds = ", ".join(mathml(bound) for bound in entry.cost.bounds)
    return mathml(entry.cost.expr) + (f" with {bounds}" if bounds else "")


def _meanings(diagram: PhaseDiagram) -> str:
    """Say what names of patterns mean."""
    kinds = {layer.kind for pattern in diagram.patterns for layer in pattern.layers}
    return paragraphs(
        *(words for kind, words in MEANINGS.items() if kind in kinds),
        "One word for each hidden layer, the first one first. Exponents are those of a scaling argument; the bound is a theorem.",
    )


def _lazy(found: SampleComplexity) -> Iterator[Drawn]:
    """Draw how many samples it takes where nothing is learned."""
    for entry in found.ranking:
        if str(entry) == "GP GP":
            level = float(entry.exponent)
            yield Line("lazy, here", [0.0, WIDEST], [level, level], PALE, "dashed")


def _cuts(plane: Plane, x: float, y: float) -> Iterator[Drawn]:
    """Draw the exponent through a point, along either width."""
    fixed_x, fixed_y = np.full(ALONG.shape, x), np.full(ALONG.shape, y)
    across, up = _on(plane, ALONG, fixed_y)[1], _on(plane, fixed_x, ALONG)[1]
    yield Line(f"along n₁, n₂ = {y:g}", ALONG, across, COLORS[0])
    yield Line(f"along n₂, n₁ = {x:g}", ALONG, up, COLORS[1])


def _on(plane: Plane, x: Array, y: Array) -> tuple[NDArray[np.int_], Array]:
    """Return the winner and its exponent at points of the plane; -1 and NaN where no pattern is possible."""
    which, found = np.full(x.shape, -1), np.full(x.shape, np.nan)
    for winner, exponent, conditions in plane.pieces:
        inside = np.all([condition(x, y) for condition in conditions], axis=0) & (which < 0)
        which[inside] = winner
        found = np.where(inside, exponent(x, y), found)
    return which, found


@cache
def _plane(network: str, degree: int, purity: bool) -> Plane:
    """Map the winners, with exact boundaries."""
    free = _network(network, degree, list(AXES))
    limits = dict.fromkeys(AXES, (0, WIDEST))
    diagram = phase_diagram(free, limits, points=2, purity=purity)
    symbols = [symbol for symbol, _ in diagram.axes]
    names = [str(pattern) for pattern in diagram.patterns]
    pieces = []
    for region in diagram.regions:
        inside = (sp.lambdify(symbols, entry, "numpy") for entry in region.conditions)
        exponent = sp.lambdify(symbols, region.exponent, "numpy")
        pieces.append((names.index(str(region.winners[0])), exponent, tuple(inside)))
    return Plane(diagram, tuple(pieces))


@cache
def _drawn(network: str, degree: int, purity: bool) -> tuple[Drawn, ...]:
    """Draw the plane, with names where there is room."""
    plane = _plane(network, degree, purity)
    centers = WIDEST * (np.arange(CELLS) + 0.5) / CELLS
    x, y = np.meshgrid(centers, centers)
    which, _ = _on(plane, x, y)
    drawn: list[Drawn] = [Regions(which, PHASES[: len(plane.diagram.patterns)], BOX)]
    for line in plane.diagram.boundaries:
        across, up = (
            [float(start), float(end)] for start, end in zip(line.start, line.end, strict=True)
        )
        drawn.append(Line("", across, up, INK))
    for number, pattern in enumerate(plane.diagram.patterns):
        name = str(pattern)
        box = LETTER[0] * CELLS, LETTER[1] * CELLS * len(name)
        there = np.pad(which == number, 1)
        room = distance_transform_edt(there, sampling=(1 / box[0], 1 / box[1]))[1:-1, 1:-1]
        if room.max() > ROOM:
            good = np.argwhere(room > 0.95 * room.max())
            row, column = good[len(good) // 2]
            drawn.append(Words(name, float(x[row, column]), float(y[row, column])))
    return tuple(drawn)


def _grid() -> list[tuple[tuple[float, float], ...]]:
    """List the widths of a snapshot."""
    steps = np.arange(0.5, WIDEST + 0.1, 0.5)
    return [((float(x), float(y)),) for x in steps for y in steps]


PANEL = Panel(
    "patterns",
    "How does a network learn, and what does it cost?",
    "Drag the point. Two hidden layers have <i>d</i><sup>n₁</sup> and <i>d</i><sup>n₂</sup> neurons (channels), "
    "the target is a Hermite polynomial in one direction. Each way to learn it costs samples; the cheapest one is expected to happen.",
    (
        Choice("network", "Network", NETWORKS, "fcn"),
        Choice("degree", "Degree of the target", {str(m): str(m) for m in range(1, 6)}, "3"),
        Choice("features", "Features", FEATURES, "any"),
        Points("widths", "Widths (n₁, n₂)", "plane", BOX, ((2.0, 1.5),)),
    ),
    (
        Frame("plane", "width exponent n₁", "width exponent n₂", box=BOX, height=460),
        Frame("cut", "width exponent", "exponent of d in samples"),
    ),
    answer,
    {"widths": _grid()},
)
