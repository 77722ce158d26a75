"""Derivations of the pattern laws, step by step: what the cheapest pattern costs, and why its parameters cannot do better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..balance import Power
from ..balance._cells import Affine, Cell, Polygon, clip, joined
from ..balance._vertices import Row, dual_vertices
from ..derivation import DEFINITION, EQUAL, Derivation, Step, step
from ..records import Derived, Regime
from ..references import DUFFIN_1967, RUBIN_2025
from ._architectures import Architecture, Attention
from ._complexity import SampleComplexity, cells_of, half_planes, plane_written, sample_complexity
from ._coordinates import SCALE, Space, half_plane, space_of
from ._cost import cost
from ._minimum import forms_at
from ._rules import Pattern


@short_repr
@dataclass(frozen=True)
class PatternLimited:
    """An architecture, in a part of the space of its exponents.

    Attributes
    ----------
    architecture : Architecture or Attention
        With one or two symbols.
    where : tuple of Relational
        Weak inequalities, linear in the symbols; what lies outside is not derived.
    """

    architecture: Architecture | Attention
    where: tuple[sp.Basic, ...] = ()


def derive_pattern(model: PatternLimited | Architecture | Attention) -> Derived:
    """Derive how the number of samples grows with d for any architecture with one or two symbolic exponents.

    Parameters
    ----------
    model : PatternLimited, Architecture or Attention
        At most two symbols.

    Returns
    -------
    Derived
        One regime per linear piece of the exponent; constants are not known, and logarithms are not seen.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import fully_connected
    >>> n = sp.Symbol("n", positive=True)
    >>> derive_pattern(fully_connected([n], 5)).expr
    Piecewise((n/6 + 5/6, n <= 1), (n/2 + 1/2, (n >= 1) & (n <= 9)), (5, n >= 9))
    """
    instance("model", model, PatternLimited, Architecture, Attention)
    architecture, where = (
        (model.architecture, model.where) if isinstance(model, PatternLimited) else (model, ())
    )
    found = sample_complexity(architecture)
    space = space_of(architecture)
    if not 1 <= len(space.symbols) <= 2:
        raise refusal(
            "model",
            architecture,
            "a law has one or two symbols; the architecture has "
            f"{', '.join(map(str, space.symbols)) or 'none'}",
            named=False,
        )
    conditions = (*found.validity, *where)
    region, limits = _region(space, where)
    pieces = _pieces(found, space, region)
    regimes = []
    for form in dict.fromkeys(form for form, _, _ in pieces):
        names = list(dict.fromkeys(str(pattern) for other, pattern, _ in pieces if other == form))
        condition = sp.Or(*(_where(cell, space, limits) for cell in _outline(pieces, form)))
        regimes.append(Regime(" / ".join(names), condition, plane_written(form, space), None, None))

    def build() -> Derivation:
        return Derivation(
            tuple(_steps(found, pieces, regimes, space, limits)), conditions, _box(architecture)
        )

    return Derived(tuple(regimes), conditions, build, piecewise=True)


def _region(space: Space, where: tuple[sp.Basic, ...]) -> tuple[Polygon, frozenset[sp.Basic]]:
    """Cut the region down, and name the half-planes that need not be repeated in every case."""
    region = space.region
    assert region is not None  # at most two symbols
    limits = set()
    for condition in where:
        difference = sp.expand(condition.gts - condition.lts)
        values = [
            difference.subs(dict.fromkeys(space.symbols, 0)),
            *(difference.coeff(symbol) for symbol in space.symbols),
        ]
        constant, first, second, *_ = [
            *(Fraction(int(entry.p), int(entry.q)) for entry in values),
            Fraction(0),
        ]
        limits.add(half_plane((constant, first, second), space.symbols))
        region = clip(region, (constant, first, second))
    if not region:
        raise refusal("where", where, ": nothing is left")
    return region, frozenset(limits)


def _box(architecture: Architecture | Attention) -> Mapping[sp.Symbol, tuple[Any, Any]]:
    high = 3 if isinstance(architecture, Attention) else 2 * architecture.degree
    ranges: dict[sp.Symbol, tuple[Any, Any]] = {
        symbol: (sp.S.Zero, sp.Integer(high)) for symbol in architecture.symbols
    }
    for exponent in architecture.size_exponents:  # 1 - s must not be negative
        if (
            len(exponent.free_symbols) == 1
            and exponent.coeff(next(iter(exponent.free_symbols))).is_negative
        ):
            (symbol,) = exponent.free_symbols
            ranges[symbol] = (
                sp.S.Zero,
                min(ranges[symbol][1], -exponent.subs(symbol, 0) / exponent.coeff(symbol)),
            )
    return ranges


def _pieces(
    found: SampleComplexity, space: Space, region: Polygon
) -> list[tuple[Affine, Pattern, list[Cell]]]:
    """Group the cells of the cheapest pattern by exponent and preferred winner."""
    patterns = [entry.pattern for entry in found.ranking]
    cells = joined(
        replace(cell, winners=cell.winners[:1]) for cell in cells_of(patterns, space, region)
    )
    groups: dict[tuple[Affine, int], list[Cell]] = {}
    for cell in sorted(cells, key=lambda entry: entry.polygon):
        groups.setdefault((cell.form, cell.winners[0]), []).append(cell)
    return [(form, patterns[number], members) for (form, number), members in groups.items()]


def _outline(pieces: list[tuple[Affine, Pattern, list[Cell]]], form: Affine) -> list[Cell]:
    cells = [
        replace(cell, winners=())
        for other, _, members in pieces
        if other == form
        for cell in members
    ]
    return sorted(joined(cells), key=lambda entry: entry.polygon)


def _where(cell: Cell, space: Space, limits: frozenset[sp.Basic]) -> sp.Basic:
    return sp.And(*(entry for entry in half_planes(cell.polygon, space) if entry not in limits))


def _steps(
    found: SampleComplexity,
    pieces: list[tuple[Affine, Pattern, list[Cell]]],
    regimes: list[Regime],
    space: Space,
    limits: frozenset[sp.Basic],
) -> list[Step]:
    steps: list[Step] = []
    for number, (form, pattern, cells) in enumerate(pieces, start=1):
        suffix = f"_{number}"
        case = sp.Or(*(_where(cell, space, limits) for cell in cells))
        steps += _reached(pattern, form, cells, space, limits, suffix, case)
        steps += _bounded(pattern, form, space, suffix, case)
    samples = sp.Symbol("P_star", positive=True)
    whole = [(SCALE**regime.exponent, regime.condition) for regime in regimes]
    each = []
    for number, (_, _, cells) in enumerate(pieces, start=1):
        each.append(
            (
                sp.Symbol(f"C_{number}_least", positive=True),
                sp.Or(*(_where(cell, space, limits) for cell in cells)),
            )
        )
    count = len(found.ranking)
    reason = f"the cheapest of {count} patterns happens, and the data must supply as much evidence as it costs: samples ~ cost"
    steps += [
        step(samples, _joined(each), DEFINITION, reason, RUBIN_2025),
        step(samples, _joined(whole), EQUAL, "a power of d in each region"),
    ]
    return steps


def _joined(parts: list[tuple[sp.Expr, sp.Basic]]) -> sp.Expr:
    if len(parts) == 1:
        return parts[0][0]
    return sp.Piecewise(*parts, evaluate=False)


def _reached(
    pattern: Pattern,
    form: Affine,
    cells: list[Cell],
    space: Space,
    limits: frozenset[sp.Basic],
    suffix: str,
    case: sp.Basic,
) -> list[Step]:
    """Insert the best parameters: the leading terms have the claimed power, the others do not exceed it."""
    posynomial = cost(pattern)
    sizes = dict(posynomial.sizes)
    names = {name: sp.Symbol(f"{name}{suffix}", positive=True) for name in posynomial.parameters}
    steps = []
    chosen: dict[sp.Symbol, sp.Expr] = {}
    for position, name in enumerate(posynomial.parameters):
        values = []
        for cell in cells:
            stationary = forms_at(pattern, _sizes_at(_center(cell), space))
            values.append(
                (SCALE ** space.written(stationary.free[position]), _where(cell, space, limits))
            )
        distinct = dict.fromkeys(value for value, _ in values)
        chosen[name] = values[0][0] if len(distinct) == 1 else _joined(values)
        steps.append(
            step(
                names[name],
                chosen[name],
                DEFINITION,
                f"the least costly {name} of {pattern}, up to a constant",
                where=case,
            )
        )
    total, largest = (
        sp.Symbol(f"C{suffix}", positive=True),
        sp.Symbol(f"h{suffix}", nonnegative=True),
    )
    inserted = [term.subs(names).subs(sizes) for term in posynomial.terms]
    reason = f"{pattern}: one term for every layer that is not lazy, and the readout"
    steps.append(step(total, sp.Add(*inserted), DEFINITION, reason, RUBIN_2025, case))
    simplified: list[tuple[sp.Expr, sp.Basic]] = []
    powers = []
    for cell in cells:
        stationary = forms_at(pattern, _sizes_at(_center(cell), space))
        here = [space.written(level) for level in stationary.levels]
        powers.append((here, _where(cell, space, limits)))
        simplified.append((sp.Add(*(SCALE**power for power in here)), _where(cell, space, limits)))
    same = len(dict.fromkeys(value for value, _ in simplified)) == 1
    steps.append(
        step(
            total,
            simplified[0][0] if same else _joined(simplified),
            EQUAL,
            "with those parameters, in powers of d",
            where=case,
        )
    )
    tops = [
        (sp.Max(*dict.fromkeys(here), evaluate=False) if len(set(here)) > 1 else here[0], where)
        for here, where in powers
    ]
    steps.append(
        step(
            largest,
            tops[0][0] if same else _joined(tops),
            DEFINITION,
            "the largest power among the terms",
            where=case,
        )
    )
    claimed = plane_written(form, space)
    steps.append(
        step(largest, claimed, EQUAL, "the leading terms; no other exceeds them", where=case)
    )
    least = sp.Symbol(f"C{suffix}_least", positive=True)
    steps.append(
        step(
            least,
            SCALE**largest,
            DEFINITION,
            "the cost up to a factor between one and the number of terms",
            where=case,
        )
    )
    return steps


def _bounded(
    pattern: Pattern, form: Affine, space: Space, suffix: str, case: sp.Basic
) -> list[Step]:
    """Bound the cost from below for any parameters: a weighted geometric mean of its terms, and of bounds that are at most one."""
    program = pattern.program
    if not pattern.parameters:
        return []
    weights = _dual(pattern, form, space)
    mean = sp.Symbol(f"G{suffix}", positive=True)
    factors = [
        (power, weight)
        for power, weight in zip([*program.terms, *program.caps], weights, strict=True)
        if weight
    ]
    anything = [sp.Symbol(f"{name}_any", positive=True) for name in pattern.parameters]
    product = sp.Mul(
        *(_power(power, anything, space) ** sp.Rational(weight) for power, weight in factors)
    )
    reason = "for any parameters within their bounds the cost is at least this geometric mean of terms, times bounds that are at most one"
    return [
        step(mean, product, DEFINITION, reason, DUFFIN_1967, case),
        step(
            mean,
            SCALE ** plane_written(form, space),
            EQUAL,
            "which is the same for all parameters: none does better",
            where=case,
        ),
    ]


def _dual(pattern: Pattern, form: Affine, space: Space) -> Row:
    """Find the dual variables that prove a linear piece."""
    program = pattern.program
    items = [*program.terms, *program.caps]
    for vertex in dual_vertices(
        tuple(term.free for term in program.terms), tuple(cap.free for cap in program.caps)
    ):
        whole = tuple(
            sum((w * item.sizes[k] for w, item in zip(vertex, items, strict=True)), Fraction(0))
            for k in range(len(space.sizes))
        )
        if space.plane(whole) == form:
            return vertex
    raise AssertionError(f"{pattern} has no piece {form}")  # pieces come from these vertices


def _power(power: Power, parameters: list[sp.Symbol], space: Space) -> sp.Expr:
    free = sp.Mul(
        *(name ** sp.Rational(entry) for name, entry in zip(parameters, power.free, strict=True))
    )
    return SCALE ** space.written(power.sizes) * free


def _center(cell: Cell) -> tuple[Fraction, Fraction]:
    """Return a point inside a cell."""
    size = len(cell.polygon)
    return sum((x for x, _ in cell.polygon), Fraction(0)) / size, sum(
        (y for _, y in cell.polygon), Fraction(0)
    ) / size


def _sizes_at(point: tuple[Fraction, Fraction], space: Space) -> Row:
    coordinates = (Fraction(1), *point[: len(space.symbols)])
    return tuple(
        sum((a * b for a, b in zip(row, coordinates, strict=True)), Fraction(0))
        for row in space.sizes
    )
