"""Phase diagrams: which pattern wins where, on a grid and with exact boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from ...arguments import flag, whole
from ...equality import by_value
from ...errors import refusal, unknown_name
from ...reprs import short_repr
from ..balance._cells import Cell, edges_between, joined, value_at
from ..parameters import to_exact
from ._architectures import Architecture, Attention
from ._complexity import WinningRegion, cells_of, half_planes, plane_written
from ._coordinates import Space, half_plane, space_of
from ._rules import Pattern, enumerate_patterns

_EXACT = 2**62


@short_repr
@dataclass(frozen=True)
class Boundary:
    """A segment, or a point in one dimension, on which the winner changes.

    Attributes
    ----------
    start, end : tuple of Rational
        Its ends; equal in one dimension.
    equation : Eq
        The line, in the symbols of the axes.
    sides : tuple of Pattern
        The winners on the two sides.
    """

    start: tuple[sp.Rational, ...]
    end: tuple[sp.Rational, ...]
    equation: sp.Basic
    sides: tuple[Pattern, Pattern]


@short_repr
@dataclass(frozen=True)
@by_value
class PhaseDiagram:
    """Which pattern is the cheapest, over one or two exponents.

    Attributes
    ----------
    architecture : Architecture or Attention
        With a symbol for every axis.
    axes : tuple of (Symbol, ndarray)
        The grid; its points are rational numbers, here rounded to floats.
    patterns : tuple of Pattern
        Those that win at some point of the grid or in some region, preferred ones first.
    winner : ndarray of int
        Position in `patterns` of the preferred winner, indexed by the axes in their order; -1 where no pattern is possible.
    exponent : ndarray of float
        Power of d in the number of samples; inf where no pattern is possible.
    tied : ndarray of int
        How many patterns cost the same.
    regions : tuple of WinningRegion
        The same as convex regions with exact corners.
    boundaries : tuple of Boundary
        Where the preferred winner changes.
    purity : bool
        Whether features had to be clean.
    """

    architecture: Architecture | Attention
    axes: tuple[tuple[sp.Symbol, npt.NDArray[np.float64]], ...]
    patterns: tuple[Pattern, ...]
    winner: npt.NDArray[np.int64] = field(compare=False)
    exponent: npt.NDArray[np.float64] = field(compare=False)
    tied: npt.NDArray[np.int64] = field(compare=False)
    regions: tuple[WinningRegion, ...]
    boundaries: tuple[Boundary, ...]
    purity: bool


def phase_diagram(
    architecture: Architecture | Attention,
    axes: Mapping[Any, tuple[Any, Any]] | None = None,
    *,
    points: int = 200,
    purity: bool = False,
) -> PhaseDiagram:
    """Map which pattern wins over one or two exponents.

    Parameters
    ----------
    architecture : Architecture or Attention
        With one or two symbols among its exponents. Without any, the widths of an architecture with one or two hidden layers are
        freed, under the names n, or n_1 and n_2.
    axes : mapping of Symbol or str to (low, high), optional
        Range of each symbol, rational; all from 0 to twice the degree by default (0 to 3 for attention).
    points : int
        Points per axis, ends included.
    purity : bool
        As for `sample_complexity`.

    Returns
    -------
    PhaseDiagram
        Grid, regions, and exact boundaries. Heuristic: exponents only.

    Raises
    ------
    DomainError
        If a symbol has no range, a range is empty or leaves the sizes no room, or there are more than two axes.

    Notes
    -----
    The grid is evaluated in integers: exponents and ties on it are exact. Cost: about a hundred linear functions per point for a
    three-layer network.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import fully_connected
    >>> found = phase_diagram(fully_connected(["n"], 3), {"n": (0, 6)}, points=7)
    >>> [str(found.patterns[number]) for number in found.winner]
    ['S1(1)', 'S1(1)', 'S(1)', 'S(1)', 'S(1)', 'GP', 'GP']
    >>> [(str(line.equation.lhs), line.equation.rhs) for line in found.boundaries]
    [('n', 1), ('n', 5)]
    """
    flag("purity", purity)
    architecture = _freed(architecture)
    space = space_of(architecture)
    if not 1 <= len(space.symbols) <= 2:
        raise refusal(
            "architecture",
            architecture,
            "a diagram has one or two axes; the architecture has the symbols "
            f"{', '.join(map(str, space.symbols)) or 'none'}: give numbers or symbols to its "
            "exponents accordingly",
            named=False,
        )
    points = whole("points", points, low=2, high=5000)
    ranges = _ranges(space, axes, architecture)
    box = space.box(ranges)
    if not box:
        raise refusal("axes", axes, ": a size falls below one everywhere in this range")
    ordered = sorted(
        enumerate_patterns(architecture, purity=purity), key=lambda pattern: pattern.rank
    )
    winner, exponent, tied = _on_grid(ordered, space, ranges, points)
    cells = cells_of(ordered, space, box)
    used = sorted(
        {int(number) for number in np.unique(winner) if number < len(ordered)}
        | {cell.winners[0] for cell in cells}
    )
    position = np.full(len(ordered) + 1, -1)
    position[used] = np.arange(len(used))
    return PhaseDiagram(
        architecture,
        tuple(
            (
                symbol,
                np.array(
                    [float(low + (high - low) * Fraction(k, points - 1)) for k in range(points)]
                ),
            )
            for symbol, (low, high) in zip(space.symbols, ranges, strict=True)
        ),
        tuple(ordered[number] for number in used),
        position[winner],
        exponent,
        tied,
        tuple(_region(cell, ordered, space) for cell in cells),
        tuple(_boundaries(cells, ordered, space)),
        purity,
    )


def _freed(architecture: Architecture | Attention) -> Architecture | Attention:
    """Put symbols in the place of the widths of an architecture without any."""
    if not isinstance(architecture, (Architecture, Attention)):
        raise refusal(
            "architecture",
            architecture,
            "must come from fully_connected, convolutional or attention",
        )
    if architecture.symbols or isinstance(architecture, Attention) or architecture.depth > 2:
        return architecture
    names = ["n"] if architecture.depth == 1 else ["n_1", "n_2"]
    return replace(
        architecture, width_exponents=tuple(sp.Symbol(name, positive=True) for name in names)
    )


def _ranges(
    space: Space, axes: Mapping[Any, tuple[Any, Any]] | None, architecture: Architecture | Attention
) -> list[tuple[Fraction, Fraction]]:
    given = {str(name): ends for name, ends in (axes or {}).items()}
    known = [str(symbol) for symbol in space.symbols]
    for name in given:
        if name not in known:
            raise unknown_name("axis", name, known)
    default = (0, 3 if isinstance(architecture, Attention) else 2 * architecture.degree)
    found = []
    for name in known:
        if axes is not None and name not in given:
            raise refusal("axes", axes, f"must give a range for {name}", shown=False)
        ends = given.get(name, default)
        try:
            low, high = (to_exact(end) for end in ends)
        except (TypeError, ValueError):
            raise refusal(
                "axes", axes, f": {name} in {ends!r} must be two rational numbers", shown=False
            ) from None
        if not (low.is_Rational and high.is_Rational and 0 <= low < high):
            raise refusal(
                "axes",
                axes,
                f": {name} in ({low}, {high}) must satisfy 0 <= low < high, both rational",
                shown=False,
            )
        found.append((Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q))))
    return found


def _on_grid(
    patterns: list[Pattern], space: Space, ranges: list[tuple[Fraction, Fraction]], points: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Evaluate all patterns on the grid in integers: numerators over one denominator."""
    rows = {
        form: space.row(form)
        for pattern in patterns
        for form in (*pattern.program.forms, *pattern.program.feasible)
    }
    limits = [
        space.sizes[number] for number in range(len(space.sizes)) if any(space.sizes[number][1:])
    ]
    slopes = lcm(*(entry.denominator for row in (*rows.values(), *limits) for entry in row))
    steps = lcm(
        *(entry.denominator for low, high in ranges for entry in (low, (high - low) / (points - 1)))
    )
    whole = [
        np.arange(points, dtype=np.int64) * int((high - low) / (points - 1) * steps)
        + int(low * steps)
        for low, high in ranges
    ]
    largest = max(abs(entry) * slopes for row in (*rows.values(), *limits) for entry in row)
    if largest * 4 * max(steps, *(int(high * steps) for _, high in ranges)) >= _EXACT:
        raise refusal(
            "axes",
            ranges,
            ": the grid needs fractions too long to be exact; use simpler ends or another number "
            "of points",
            shown=False,
        )

    def evaluated(row: tuple[Fraction, ...]) -> npt.NDArray[np.int64]:
        constant, *along = (int(entry * slopes) for entry in row)
        values: npt.NDArray[np.int64] = along[0] * whole[0] + constant * steps
        return values if len(whole) == 1 else values[:, None] + (along[1] * whole[1])[None, :]

    shape = (points,) * len(whole)
    never = np.iinfo(np.int64).max
    least = np.full(shape, never)
    winner = np.full(shape, len(patterns))
    tied = np.zeros(shape, dtype=np.int64)
    known: dict[tuple[Any, Any], npt.NDArray[np.int64]] = {}
    for number, pattern in enumerate(patterns):
        forms = tuple(dict.fromkeys(rows[form] for form in pattern.program.forms))
        feasible = tuple(dict.fromkeys(rows[row] for row in pattern.program.feasible))
        if (forms, feasible) not in known:
            height = np.broadcast_to(evaluated(forms[0]), shape)
            for form in forms[1:]:
                height = np.maximum(height, evaluated(form))
            for row in feasible:
                height = np.where(evaluated(row) >= 0, height, never)
            known[forms, feasible] = height
        height = known[forms, feasible]
        lower = height < least
        winner[lower] = number
        tied = np.where(lower, 1, tied + (height == least))
        least = np.minimum(least, height)
    for row in limits:
        least = np.where(evaluated(row) >= 0, least, never)
    outside = least == never
    winner[outside] = len(patterns)
    tied[outside] = 0
    exponent = np.where(outside, np.inf, least / (slopes * steps))
    return winner, exponent, tied


def _region(cell: Cell, patterns: list[Pattern], space: Space) -> WinningRegion:
    width = len(space.symbols)
    corners = tuple(
        dict.fromkeys(tuple(map(sp.Rational, corner[:width])) for corner in cell.polygon)
    )
    winners = tuple(patterns[number] for number in cell.winners)
    return WinningRegion(
        winners, plane_written(cell.form, space), half_planes(cell.polygon, space), corners
    )


def _boundaries(cells: tuple[Cell, ...], patterns: list[Pattern], space: Space) -> list[Boundary]:
    """List where the preferred winner changes, line by line."""
    merged = joined(replace(cell, winners=cell.winners[:1]) for cell in cells)
    width = len(space.symbols)
    found = []
    for start, end, first, second in edges_between(merged):
        sides = (patterns[merged[first].winners[0]], patterns[merged[second].winners[0]])
        if sides[0] == sides[1]:
            continue
        normal = (end[1] - start[1], start[0] - end[0])
        line = (-normal[0] * start[0] - normal[1] * start[1], *normal)
        assert value_at(line, end) == 0
        condition = half_plane(line, space.symbols)
        equation = sp.Eq(condition.lhs, condition.rhs, evaluate=False)
        ends = [tuple(map(sp.Rational, point[:width])) for point in (start, end)]
        found.append(Boundary(ends[0], ends[1], equation, sides))
    return sorted(found, key=lambda entry: (entry.start, entry.end))
