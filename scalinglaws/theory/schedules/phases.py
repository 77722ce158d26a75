"""Where one balance of bottlenecks gives way to another: regions, the lines between them, and the points where lines meet.

Within a region all bottlenecks are powers, and exponents are continuous across the lines where balances change: they follow from
either side. Where hard tasks meet easy ones, powers of one bottleneck meet; what that brings is derived by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import sympy as sp

from ...errors import refusal
from ...reprs import short_repr
from ..balance import Balance
from ..optimum import CostLimited
from ..records import Regime
from ..relations import against_zero, strongest
from .bottlenecks import inside

_STEP = sp.Rational(1, 10**6)
_EQUAL = 1e-12


@short_repr
@dataclass(frozen=True)
class Region:
    """A part of the space of parameters in which every bottleneck is one power.

    Attributes
    ----------
    condition : Basic
        Where.
    model : CostLimited
        The sum and its budget.
    """

    condition: sp.Basic
    model: CostLimited


@short_repr
@dataclass(frozen=True)
class Line:
    """Where two regions meet and powers of one bottleneck are equal.

    Attributes
    ----------
    name : Symbol
        The parameter that is fixed there.
    value : Expr
        Its value.
    condition : Basic
        What else holds.
    model : CostLimited or None
        The sum there, with its logarithms; None where no logarithm is claimed, and exponents follow from the last of the regions.
    """

    name: sp.Symbol
    value: sp.Expr
    condition: sp.Basic
    model: CostLimited | None = None


@short_repr
@dataclass(frozen=True)
class _Edge:
    """A line or a point, and the balances next to it, by their places among all."""

    values: Mapping[sp.Symbol, sp.Expr]
    condition: sp.Basic
    beside: tuple[int, ...]
    special: bool = False  # on the line between regions
    along: int = 0  # there, place among its balances


@short_repr
@dataclass(frozen=True)
class Diagram:
    """The phases of an optimum.

    Attributes
    ----------
    regions : tuple of Region
        Disjoint.
    line : Line or None
        Between two of them.
    meeting : tuple of Expr
        Differences that vanish where two powers of one bottleneck are equal inside of a region: a logarithm is possible there.
    """

    regions: tuple[Region, ...]
    line: Line | None = None
    meeting: tuple[sp.Expr, ...] = ()

    @property
    def box(self) -> dict[sp.Symbol, tuple[Any, Any]]:
        """The smallest box that contains those of all regions."""
        found: dict[sp.Symbol, tuple[Any, Any]] = {}
        for region in self.regions:
            for name, (low, high) in region.model.box.items():
                before = found.get(name, (low, high))
                found[name] = (min(before[0], low), max(before[1], high))
        return found

    def regimes(self, of: sp.Expr | None = None) -> tuple[Regime, ...]:
        """Return the regimes of the loss, or of a monomial in the scales: inside of regions, at points where lines meet, on lines.

        On a line where the optimum leaves what is asked for free within a range, and on both sides it is another, there is no regime.
        """
        return self._all(of)[0]

    def jumps(self, of: sp.Expr | None = None) -> tuple[sp.Basic, ...]:
        """Return the conditions that exclude the lines on which what is asked for is not determined."""
        return self._all(of)[1]

    @cached_property
    def _known(self) -> dict[sp.Expr | None, tuple[tuple[Regime, ...], tuple[sp.Basic, ...]]]:
        return {}

    def _all(self, of: sp.Expr | None) -> tuple[tuple[Regime, ...], tuple[sp.Basic, ...]]:
        if of is not None and not isinstance(of, sp.Expr):
            raise refusal("of", of, "must be a SymPy expression in the scales")
        if of not in self._known:
            inner = self._inner(of)
            found, lost = list(inner), []
            model = self.line.model if self.line is not None else None
            met = () if model is None else model.regimes(of)
            for edge in (*self._points, *self._lines):
                regime = self._on(edge, inner, met)
                if regime is None:
                    lost.append(sp.to_nnf(sp.Not(edge.condition)))
                else:
                    found.append(regime)
            self._known[of] = tuple(found), tuple(lost)
        return self._known[of]

    # -- inside -----------------------------------------------------------------------------------------------------

    @cached_property
    def _winners(self) -> tuple[tuple[Region, Balance, sp.Basic], ...]:
        """All balances that win somewhere, and where."""
        return tuple(
            (region, entry, sp.And(*strongest((*_parts(region.condition), *_parts(condition)))))
            for region in self.regions
            for entry, condition in region.model.winners
        )

    def _inner(self, of: sp.Expr | None) -> list[Regime]:
        found = [entry for region in self.regions for entry in region.model.regimes(of)]
        return [
            Regime(entry.name, condition, entry.exponent, entry.constant, entry.log_power)
            for entry, (_, _, condition) in zip(found, self._winners, strict=True)
        ]

    @cached_property
    def _tests(self) -> tuple[Callable[..., bool], ...]:
        """Where each balance wins, as functions of numbers: one next to a line has to be found at many points."""
        return tuple(sp.lambdify(list(self.box), where, "math") for *_, where in self._winners)

    def _beside(self, points: Iterable[Mapping[sp.Symbol, Any]]) -> tuple[int, ...]:
        """List the balances that win at points, each once and in their order."""
        numbers = [[float(point[name]) for name in self.box] for point in points]
        return tuple(
            place
            for place, wins in enumerate(self._tests)
            if any(wins(*values) for values in numbers)
        )

    # -- on lines and at points -------------------------------------------------------------------------------------

    @cached_property
    def _lines(self) -> tuple[_Edge, ...]:
        found = []
        places = range(len(self._winners))
        for one, two in combinations(places, 2):
            (region, _, first), (other, _, second) = self._winners[one], self._winners[two]
            if region is other:
                found += [
                    _Edge(values, condition, (one, two))
                    for values, condition in _between(first, second, region.model.box)
                ]
        if self.line is not None:
            found += self._between_regions(self.line)
        return tuple(found)

    def _between_regions(self, line: Line) -> Iterable[_Edge]:
        """Write down the parts of the line between two regions."""
        name, value = line.name, line.value
        box = {key: ends for key, ends in self.box.items() if key != name}
        if line.model is not None:
            wins = [condition for _, condition in line.model.winners]
        else:
            wins = [
                sp.And(*(_bound(part.subs(name, value)) for part in _parts(condition)))
                for _, condition in self.regions[-1].model.winners
            ]
        for place, condition in enumerate(wins):
            try:
                point = inside(box, sp.And(line.condition, condition))
            except ValueError:
                continue
            sides = [{**point, name: value.subs(point) + side * _STEP} for side in (-1, 1)]
            bounds = strongest((*_parts(line.condition), *_parts(condition)))
            whole = sp.And(sp.Eq(name, value), *bounds)
            yield _Edge({name: value}, whole, self._beside(sides), True, place)

    @cached_property
    def _points(self) -> tuple[_Edge, ...]:
        found: dict[tuple[Any, ...], _Edge] = {}
        for one, two in combinations(self._lines, 2):
            values = {**one.values, **two.values}
            if len(values) < 2 or len(self.box) != 2:
                continue
            point = {name: _tidy(values[name].subs(values)) for name in sorted(values, key=str)}
            if any(value.free_symbols for value in point.values()):
                continue
            key = tuple(point.values())
            (first, x), (second, y) = point.items()
            around = [{first: x + dx * _STEP, second: y + dy * _STEP} for dx, dy in _AROUND]
            beside = self._beside(around)
            if key not in found and len(beside) > 2:
                condition = sp.And(*(sp.Eq(*pair) for pair in point.items()))
                special = one.special or two.special
                found[key] = _Edge(point, condition, beside, special)
        return tuple(found.values())

    def _on(self, edge: _Edge, inner: list[Regime], met: tuple[Regime, ...]) -> Regime | None:
        """Write down the regime of a line or a point; None where what is asked for is not determined."""
        beside = [inner[place] for place in edge.beside]
        name = " | ".join(sorted({entry.name for entry in beside}, key=self._order))
        if edge.special and met and len(edge.values) == 1:
            exponent = met[edge.along].exponent
        else:
            exponent, *others = (entry.exponent.subs(edge.values) for entry in beside)
            if any(not _same(exponent, other, edge, self.box) for other in others):
                return None
            exponent = _tidy(exponent)
        return Regime(name, edge.condition, exponent, None, self._logs(edge, met))

    def _logs(self, edge: _Edge, met: tuple[Regime, ...]) -> Any:
        """Return the power of the logarithm on a line or at a point; None where it does not follow."""
        if any(_tidy(part.subs(edge.values)) == 0 for part in self.meeting):
            return None
        if not edge.special:
            return 0
        if not met:
            return None
        # at a point, both parts of the line must agree
        parts = met if len(edge.values) > 1 else (met[edge.along],)
        powers = {_tidy(sp.sympify(entry.log_power).subs(edge.values)) for entry in parts}
        power = powers.pop()
        return None if powers else int(power) if isinstance(power, sp.Integer) else power

    def _order(self, name: str) -> tuple[int, str]:
        """Order names as the regions' models list them."""
        listed = list(
            dict.fromkeys(n for region in self.regions for n in region.model.names.values())
        )
        return (listed.index(name) if name in listed else len(listed), name)


_AROUND = ((9, 1), (1, 9), (-1, 9), (-9, 1), (-9, -1), (-1, -9), (1, -9), (9, -1))


def _parts(condition: sp.Basic) -> tuple[sp.Basic, ...]:
    return tuple(part for part in sp.And.make_args(condition) if part != sp.true)


def _opposite(part: sp.Basic) -> sp.Basic:
    turned = {sp.StrictGreaterThan: sp.Lt, sp.StrictLessThan: sp.Gt}
    return turned[part.func](*part.args)


def _between(
    first: sp.Basic, second: sp.Basic, box: Mapping[sp.Symbol, tuple[Any, Any]]
) -> Iterable[tuple[dict[sp.Symbol, sp.Expr], sp.Basic]]:
    """Find the lines on which two conditions meet: where one inequality of them turns."""
    one, two = _parts(first), _parts(second)
    edges = [part for part in one if _opposite(part) in two]
    if len(edges) != 1:
        return  # they meet at a point, if at all
    (edge,) = edges
    rest = {*one, *two} - {edge, _opposite(edge)}
    difference = edge.lhs - edge.rhs
    name = max(difference.free_symbols, key=str)
    low, high = box[name]
    for value in sp.roots(sp.Poly(difference, name)):
        if not value.free_symbols and not low < value < high:
            continue
        bounds = [_bound(part.subs(name, value)) for part in rest]
        if sp.false not in bounds:
            yield (
                {name: value},
                sp.And(sp.Eq(name, value), *strongest(sorted(bounds, key=sp.default_sort_key))),
            )


def _bound(part: sp.Basic) -> sp.Basic:
    """Write an inequality for one parameter alone as a bound of it, others reduced."""
    if part in (sp.true, sp.false):
        return part
    difference = part.gts - part.lts
    if len(difference.free_symbols) == 1:
        (name,) = difference.free_symbols
        linear = sp.Poly(difference, name) if difference.is_polynomial(name) else None
        if linear is not None and linear.degree() == 1:
            slope, rest = linear.all_coeffs()
            edge = _tidy(-rest / slope)
            return sp.Gt(name, edge) if slope > 0 else sp.Lt(name, edge)
    return against_zero(difference, sp.Gt)


def _tidy(value: sp.Expr) -> sp.Expr:
    """Reduce an exponent on a line; numbers with roots are written without roots in denominators."""
    if not any(part.exp.is_Rational and not part.exp.is_Integer for part in value.atoms(sp.Pow)):
        return sp.cancel(value)
    if not value.is_number:
        return value
    above, below = (sp.expand(part) for part in sp.fraction(sp.together(value)))
    return sp.radsimp(above / below)


def _same(
    one: sp.Expr, two: sp.Expr, edge: _Edge, box: Mapping[sp.Symbol, tuple[Any, Any]]
) -> bool:
    kept = {name: ends for name, ends in box.items() if name not in edge.values}
    place = inside(kept, sp.true)
    return bool(abs(float(one.subs(place)) - float(two.subs(place))) < _EQUAL)
