"""Data made of percolation clusters: which limit comes first, and the losses against samples and model size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from ... import theory
from ...equality import by_value
from ...errors import DomainError
from ...formatting import typeset
from ...reprs import short_repr
from ...solvers import percolation as solve
from ...theory.percolation import critical_exponents
from ...theory.plane import PhasePlane
from ..answers import COLORS, Answer, Array, Drawn, Line, Marks, Number, Regions, Words, paragraphs
from ..controls import Choice, Points, Slider
from ..panel import Frame, Panel, Values
from ._shared import decades, heard, told

BOX = (2.0, 3.0, 0.0, 1.8)
CELLS = 200
LARGEST = 1e12
QUANTITIES = {"data": "samples", "model": "degrees of freedom of the model"}
LATTICES = {
    "free": "the point in the plane",
    **{str(d): f"{d} dimensions" for d in range(2, 6)},
    "6": "six dimensions and more, Bethe lattice",
}
SMOOTHNESS = {"2": "nearest neighbor (c = 2)", "4": "piecewise linear (c = 4)"}
PHASES = ("#cfe0ee", "#fbe3b5")
INK = "#1b3a5c"
SIZES = np.unique(np.round(decades(1, LARGEST, 4)))
FAR = decades(1e4, LARGEST, 1)  # where the leading terms are drawn


@short_repr
@by_value
@dataclass(frozen=True)
class Task:
    """Exponents of clusters, and how a person reads them."""

    tau: Any
    alpha: Any  # None where the largest cluster has all the weight
    beta: Any
    said: tuple[str, str, str]


def answer(values: Values) -> Answer:
    """Return the regimes, and the losses of one kind of data."""
    task = _task(values["lattice"], int(values["c"]), values["clusters"])
    with heard() as words:
        curves, numbers, complaint = _losses(task, values)
    numbers = [
        Number("tau", "cluster numbers τ", task.said[0]),
        Number("alpha", "Zipf excess α", task.said[1]),
        Number("beta", "learning exponent β of a cluster", task.said[2]),
        *_exponents(task, values["lattice"], int(values["c"])),
        *numbers,
    ]
    plane = [*_plane(values["quantity"]), *_lattices()]
    if values["lattice"] != "free":
        plane.append(Marks("this lattice", [float(task.tau)], [float(task.beta)], COLORS[1]))
    if values["lattice"] != "free":
        words.append("The large point is not used: this lattice has exponents of its own.")
    if math.isfinite(values["rank"]):
        words.append("Exponents are those at the threshold, where no rank is cut off.")
    page = paragraphs(complaint, *words) + told("percolation.quanta", *_names())
    return Answer({"plane": plane, "losses": curves}, numbers, page)


def _names() -> tuple[str, ...]:
    return tuple(f"percolation.{quantity}" for quantity in QUANTITIES)


def _task(lattice: str, c: int, point: Any) -> Task:
    """Return the exponents of a lattice, or of a point in the plane."""
    if lattice != "free":
        known = critical_exponents(int(lattice))
        own = known.tau, known.alpha, known.learning(c)
        return Task(
            own[0].value, own[1].value, own[2].value, (f"{own[0]}", f"{own[1]}", f"{own[2]}")
        )
    ((x, y),) = point
    tau, beta = (Fraction(str(round(value, 6))) for value in (x, y))
    if tau == 2:
        return Task(tau, None, beta, (str(tau), "infinite", str(beta)))
    alpha = 0 if tau == 3 else theory.law("percolation.quanta")(tau=tau)
    return Task(tau, alpha, beta, (str(tau), str(alpha), str(beta)))


def _exponents(task: Task, lattice: str, c: int) -> list[Number]:
    """List what the laws say, exact where the exponents are."""
    if task.alpha is None:
        return [
            Number(
                f"{quantity}_exponent", f"exponent, {words}", str(task.beta), "one cluster alone"
            )
            for quantity, words in QUANTITIES.items()
        ]
    found = []
    for quantity, words in QUANTITIES.items():
        law, given = theory.law(f"percolation.{quantity}"), {"alpha": task.alpha, "beta": task.beta}
        try:
            exponent, phase, logs = law(**given), law.regime(**given), law.log_power(**given)
        except DomainError as failure:
            found.append(
                Number(f"{quantity}_exponent", f"exponent, {words}", "no power law", str(failure))
            )
            continue
        said = str(exponent)
        if lattice != "free":
            known = critical_exponents(int(lattice))
            told_by = known.model_exponent if quantity == "model" else known.data_exponent
            said = str(told_by(c).exponent)
        note = phase + (f": times the logarithm to the power {logs}" if logs else "")
        found.append(Number(f"{quantity}_exponent", f"exponent, {words}", said, note))
    return found


def _losses(task: Task, values: Values) -> tuple[list[Drawn], list[Number], str]:
    """Solve the losses against samples and model size, and draw the laws beside."""
    if task.beta <= 0 or task.alpha == 0:
        return (
            [],
            [],
            "There is no loss to draw: at τ = 3 weights add up to nothing finite, at β = 0 no cluster is learned.",
        )
    beta, rank = float(task.beta), float(values["rank"])
    drawn: list[Drawn] = []
    numbers = []
    for place, (quantity, words) in enumerate(QUANTITIES.items()):
        size = float(values[quantity])
        losses = _solved(quantity, np.append(SIZES, size), task.alpha, beta, rank)
        drawn.append(Line(f"against {words}", SIZES, losses[:-1], COLORS[place]))
        drawn.append(Marks("at the sliders", [size], losses[-1:], COLORS[place]))
        numbers.append(
            Number(f"{quantity}_loss", f"loss, {typeset(size, 3)} {words}", float(losses[-1]))
        )
        if math.isinf(rank) and task.alpha is not None:
            law = theory.law(f"percolation.{quantity}")
            term = law.asymptote(FAR, alpha=task.alpha, beta=task.beta) / _whole(
                quantity, task.alpha, beta
            )
            drawn.append(
                Line(
                    f"law, {words}", FAR, np.where(term > 0, term, np.nan), COLORS[place], "dashed"
                )
            )
    complaint = (
        ""
        if task.alpha is not None
        else "At τ = 2 the largest cluster has all the weight, and the loss is that of one cluster: no logarithm."
    )
    return drawn, numbers, complaint


def _solved(quantity: str, size: Array, alpha: Any, beta: float, rank: float) -> Array:
    """Return losses over that without data or model, at the threshold or below it."""
    if alpha is None:
        return np.asarray(solve.data_loss(np.round(size), weights=[1.0], exponent=beta).loss)
    excess = float(alpha)
    if math.isfinite(rank):
        below = solve.crossover_data_loss if quantity == "data" else solve.crossover_model_loss
        return np.asarray(below(size, alpha=excess, exponent=beta, crossover_rank=rank))
    if quantity == "data":
        return np.asarray(solve.data_loss(size, alpha=excess, exponent=beta).loss)
    losses = np.asarray(solve.zipf_model_loss(size, alpha=excess, exponent=beta).loss)
    return losses / _whole(quantity, alpha, beta)


def _whole(quantity: str, alpha: Any, beta: float) -> float:
    """Return the loss of nothing, by which losses are divided."""
    if quantity == "data":
        return 1.0
    return float(solve.zipf_model_loss(0.0, alpha=float(alpha), exponent=beta).loss)


@cache
def _plane(quantity: str) -> tuple[Drawn, ...]:
    """Draw the regimes over the cluster numbers and the learning of one cluster."""
    left, right, bottom, top = BOX
    tau, beta = (
        low + (high - low) * (np.arange(CELLS) + 0.5) / CELLS
        for low, high in ((left, right), (bottom, top))
    )
    excess = np.asarray(theory.law("percolation.quanta")(tau=tau))
    law = theory.law(f"percolation.{quantity}")
    plane = PhasePlane(law, "capacity", ("alpha", "beta"), ((0.0, 2.0 * CELLS), (bottom, top)))
    which = plane.index(*np.meshgrid(excess, beta))
    drawn: list[Drawn] = [Regions(which, PHASES, BOX)]
    for regime in plane.edges:
        (edge,) = sp.solve(regime.condition, plane.symbols[1])
        at = sp.lambdify(plane.symbols[0], edge, "numpy")(excess)
        drawn.append(Line("equal limits: a logarithm", tau, np.where(at <= top, at, np.nan), INK))
    for number, phase in enumerate(plane.phases):
        rows, columns = np.nonzero(which == number)
        row = np.median(rows)
        column = np.quantile(columns[np.abs(rows - row) < 1], 0.7)  # beside the lattices
        drawn.append(Words(phase.name, float(tau[int(column)]), float(beta[int(row)])))
    return tuple(drawn)


@cache
def _lattices() -> tuple[Drawn, ...]:
    """Mark lattices of two to six dimensions."""
    drawn: list[Drawn] = []
    for place, (c, words) in enumerate(SMOOTHNESS.items()):
        known = [critical_exponents(d) for d in range(2, 7)]
        rows = [(float(entry.tau), float(entry.learning(int(c)))) for entry in known]
        x, y = zip(*(row for row in rows if row[1] <= BOX[3]), strict=True)
        drawn.append(Marks(f"lattices, {words}", x, y, COLORS[2 + place]))
    return tuple(drawn)


PANEL = Panel(
    "percolation",
    "What limits the loss first: the clusters, or how each is learned?",
    "Drag the point, or choose a lattice. Data fall into clusters with numbers <i>n</i><sub>s</sub> ~ <i>s</i><sup>−τ</sup>, "
    "of which the one of rank k weighs <i>k</i><sup>−(1 + α)</sup>; each is learned by itself with the exponent β = c/D.",
    (
        Choice("lattice", "Clusters of", LATTICES, "free"),
        Choice("c", "Lattices are learned by", SMOOTHNESS, "2"),
        Points("clusters", "Clusters (τ, β)", "plane", BOX, ((2.4, 0.4),), digits=3),
        Choice("quantity", "Plane of the loss against", QUANTITIES, "data"),
        Slider("data", "samples", 1, LARGEST, 1e6, 0.05, logarithmic=True, whole=True),
        Slider("model", "degrees of freedom", 1, LARGEST, 1e6, 0.05, logarithmic=True),
        Slider(
            "rank",
            "cutoff rank (right end: at the threshold)",
            10,
            1e6,
            math.inf,
            0.1,
            logarithmic=True,
            unlimited=True,
        ),
    ),
    (
        Frame("plane", "exponent τ of cluster numbers", "learning exponent β", box=BOX, height=420),
        Frame("losses", "samples P, degrees of freedom n", "loss", x_log=True, y_log=True),
    ),
    answer,
    {
        "quantity": tuple(QUANTITIES),
        "clusters": [
            ((round(float(x), 3), round(float(y), 3)),)
            for x in np.linspace(2.1, 2.9, 9)
            for y in np.linspace(0.2, 1.6, 8)
        ],
    },
)
