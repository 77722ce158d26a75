r"""Derivations whose every step a machine can check.

A `Derivation` is a tuple of `Step`; each step is an equation for one quantity together with its relation to what was
known of that quantity before. `Derivation.check` looks at every step with one checker per relation and refuses those
that do not hold, wherever the error sits: a corrupted definition is caught by the step that uses it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ..errors import refusal
from ..reprs import line
from .mathematical_markup import mathml
from .relations import changing_part
from .steps import (
    DEFINITION,
    EQUAL,
    Relation,
    Step,
    StepCheck,
    aligned,
    asymptotic,
    balances,
    solves,
    step,
)
from .sums_and_integrals import DIGITS, number

__all__ = [
    "DEFINITION",
    "EQUAL",
    "Derivation",
    "Relation",
    "Step",
    "StepCheck",
    "asymptotic",
    "balances",
    "solves",
    "step",
]

_DRAWS = 600
_AGREE = 1e-10
_GRID = 120  # parameters are drawn on a grid, so that they are short fractions
_BRANCHING = (sp.Sum, sp.Integral, sp.InverseLaplaceTransform, sp.Piecewise, sp.Min, sp.Max)
_SCALES = (12, 14, 16)  # decades at which ratios of asymptotic steps are looked at
_SLOW_SCALES = (12, 20, 36)  # the same where what is left out fades as 1/log
# distance of sample points from boundaries, where convergence is logarithmically slow: the largest for which there are points
_MARGINS = (0.3, 0.1, 0.03)


@dataclass(frozen=True)
class Derivation:
    """A chain of steps, and where in the space of parameters it claims to hold.

    Attributes
    ----------
    steps : tuple of Step
        In the order of the argument.
    conditions : tuple of Relational
        Validity region.
    box : mapping of Symbol to (low, high)
        Parameters, and the range from which the checker draws them; empty where all exponents are numbers.
    """

    steps: tuple[Step, ...]
    conditions: tuple[sp.Basic, ...] = ()
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        ending = f", at last {self.steps[-1]}" if self.steps else ""
        return line(f"<Derivation of {len(self.steps)} steps{ending}>")

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{place}. {escape(entry.reason)}</p>"
            + mathml(entry.quantity, entry.sign.latex, entry.value, display=True)
            for place, entry in enumerate(self.steps, start=1)
        )

    def _repr_latex_(self) -> str:
        return f"$${aligned(self.steps)}$$"

    def check(self, *, seed: int = 0) -> tuple[StepCheck, ...]:
        """Check every step.

        Parameters
        ----------
        seed : int
            Chooses the random rational parameter points.

        Returns
        -------
        tuple of StepCheck
            One per step, in order.

        Notes
        -----
        ``definition``: the quantity is new. ``equal``: the difference vanishes identically, or numerically at random rational
        points of the validity region (20 digits). ``asymptotic``: the ratio to the previous expression tends to 1
        over four decades, sums being evaluated by Euler-Maclaurin summation (so their terms must be smooth). ``solves`` and
        ``balance``: the value satisfies its equation. Points are drawn on both sides of every boundary, and on it.
        """
        return tuple(self._checks(seed))

    def refused(self, *, seed: int = 0, start: int = 0) -> int | None:
        """Return the index of the first step that does not hold, or None; stops there.

        Parameters
        ----------
        seed : int
            Chooses the random rational parameter points.
        start : int
            Steps before this one are taken for granted.

        Returns
        -------
        int or None
            Position in `steps`.
        """
        return next(
            (
                start + index
                for index, found in enumerate(self._checks(seed, start))
                if not found.passed
            ),
            None,
        )

    def _checks(self, seed: int, start: int = 0) -> Iterator[StepCheck]:
        points = list(self._points(random.Random(seed)))
        known: dict[sp.Symbol, sp.Expr] = {
            entry.quantity: entry.value for entry in self.steps[:start]
        }
        for entry in self.steps[start:]:
            here = [point for point in points if bool(entry.where.subs(point))]
            try:
                yield (
                    _CHECKERS[entry.relation.kind](entry, known, here)
                    if here
                    else StepCheck(False, f"no point with {entry.where}")
                )
            except (TypeError, ValueError, ZeroDivisionError) as failure:
                yield StepCheck(False, f"cannot be evaluated: {failure}")
            known[entry.quantity] = entry.value

    def _points(self, source: random.Random) -> Iterator[dict[sp.Symbol, sp.Rational]]:
        """Draw rational parameter points: every side of every boundary twice, and every boundary once."""
        if not self.box:
            yield {}
            return
        names = list(self.box)
        parts = [part for entry in self.steps for part in (entry.value, entry.where)]
        boundaries = sorted(
            {
                edge
                for part in parts
                for edge in _boundaries(part)
                if edge.free_symbols <= self.box.keys()
            },
            key=str,
        )
        limits = [condition.gts - condition.lts for condition in self.conditions]
        shares = np.array(
            [[source.randrange(1, _GRID) for _ in names] for _ in range(_DRAWS)]
        ).reshape(_DRAWS, len(names))
        ends = np.array([[float(end) for end in self.box[name]] for name in names]).reshape(
            len(names), 2
        )
        columns = list((ends[:, 0] + shares / _GRID * (ends[:, 1] - ends[:, 0])).T)
        distances = np.array([_on_points(edge, names, columns) for edge in boundaries]).reshape(
            len(boundaries), _DRAWS
        )
        margins = np.array(
            [*abs(distances), *(_on_points(limit, names, columns) for limit in limits)]
        ).reshape(-1, _DRAWS)
        smallest = margins.min(axis=0) if len(margins) else np.full(_DRAWS, np.inf)
        sides: dict[tuple[bool, ...], list[int]] = {}
        for wanted in _MARGINS:
            found = {side: list(members) for side, members in sides.items()}
            for index in np.flatnonzero(smallest >= wanted):
                side = tuple(bool(distance > 0) for distance in distances[:, index])
                if side not in sides and len(found.setdefault(side, [])) < (
                    2 if len(boundaries) < 4 else 1
                ):
                    found[side].append(int(index))
            sides = found
        if not sides:
            ranges = ", ".join(f"{name} in {ends}" for name, ends in self.box.items())
            raise refusal(
                "box",
                self.box,
                f"no point with {ranges} lies in the validity region {self.conditions}",
                named=False,
            )
        for members in sides.values():
            yield from (self._point(shares[index]) for index in members)
        for boundary in boundaries:
            name = max(boundary.free_symbols, key=str)
            solutions = _zeros(boundary, name)
            for _ in range(100 if solutions else 0):
                point = self._draw(source)
                point[name] = solutions[0].subs(point)
                inside = self.box[name][0] <= point[name] <= self.box[name][1]
                if inside and all(bool(condition.subs(point)) for condition in self.conditions):
                    yield point
                    break

    def _draw(self, source: random.Random) -> dict[sp.Symbol, sp.Rational]:
        return self._point([source.randrange(1, _GRID) for _ in self.box])

    def _point(self, shares: Any) -> dict[sp.Symbol, sp.Rational]:
        ends = (
            (name, sp.Rational(low), sp.Rational(high)) for name, (low, high) in self.box.items()
        )
        return {
            name: low + sp.Rational(int(share), _GRID) * (high - low)
            for share, (name, low, high) in zip(shares, ends, strict=True)
        }


def _on_points(expr: sp.Expr, names: list[sp.Symbol], columns: list[Any]) -> Any:
    """Evaluate an expression at all points, in floats."""
    return np.broadcast_to(sp.lambdify(names, expr, "numpy")(*columns), len(columns[0])).astype(
        float
    )


@lru_cache(maxsize=1024)
def _zeros(boundary: sp.Expr, name: sp.Symbol) -> list[sp.Expr]:
    found: list[sp.Expr] = sp.solve(boundary, name)
    return found


def _relations(expr: sp.Basic) -> list[sp.Basic]:
    """List the relations between parameters that decide between branches."""
    conditions = [
        condition for piecewise in expr.atoms(sp.Piecewise) for _, condition in piecewise.args
    ]
    if not isinstance(expr, sp.Expr):
        conditions.append(expr)
    return [
        relation
        for condition in conditions
        for relation in condition.atoms(sp.core.relational.Relational)
    ]


def _boundaries(expr: sp.Basic) -> set[sp.Expr]:
    """Collect the differences that change sign between the branches of an expression."""
    found = {_signless(relation.lhs - relation.rhs) for relation in _relations(expr)}
    for extremum in expr.atoms(sp.Min, sp.Max):
        for one, two in pairwise(extremum.args):
            if not extremum.has(sp.Piecewise):
                found.add(_signless(one - two))
    return found


@lru_cache(maxsize=4096)
def _signless(difference: sp.Expr) -> sp.Expr:
    """Reduce a difference to the part that can change sign, with a fixed overall sign."""
    kept = changing_part(difference)
    return -kept if kept.could_extract_minus_sign() else kept


# -- one checker per relation -------------------------------------------------------------------------------------------


def _expand(
    expr: sp.Expr,
    known: Mapping[sp.Symbol, sp.Expr],
    fixed: frozenset[sp.Symbol],
    point: Mapping[sp.Symbol, Any],
) -> sp.Expr:
    """Insert a parameter point and what is known of every quantity, until only `fixed` and free scales are left."""
    expr = _at(expr, point)
    for _ in range(len(known) + 1):
        here = {name: _at(known[name], point) for name in expr.free_symbols & known.keys() - fixed}
        if not here:
            break
        expr = expr.subs(here)
    return expr


def _at(expr: sp.Expr, point: Mapping[sp.Symbol, Any]) -> sp.Expr:
    """Insert a parameter point: branches are chosen exactly, numbers rounded, since exact powers of long fractions take minutes."""
    if not point:
        return expr
    for piecewise in expr.atoms(sp.Piecewise):
        decided = [(value, condition.subs(point)) for value, condition in piecewise.args]
        if all(condition in (sp.true, sp.false) for _, condition in decided):
            expr = expr.xreplace(
                {piecewise: next((value for value, condition in decided if condition), sp.nan)}
            )
    rounded = {
        name: value if value.is_Integer else sp.N(value, 2 * DIGITS)
        for name, value in point.items()
    }
    return expr.subs(rounded)


def _check_definition(
    entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]
) -> StepCheck:
    if entry.quantity in known:
        return StepCheck(False, f"{entry.quantity} was defined before")
    if _circular(entry, known):
        return StepCheck(False, f"{entry.quantity} is defined by itself")
    return StepCheck(True, "a new quantity; checked by the steps that use it")


def _check_equal(entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    if entry.quantity not in known:
        return StepCheck(False, f"{entry.quantity} was not defined before")
    return _agree(known[entry.quantity], entry.value, known, points)


def _check_equation(
    entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]
) -> StepCheck:
    equation = entry.relation.equation
    assert equation is not None
    if _circular(entry, known):
        return StepCheck(False, f"{entry.quantity} is not solved for: its value depends on it")
    solved = dict(known)
    solved[entry.quantity] = entry.value
    return _agree(equation.args[0], equation.args[1], solved, points)


def _agree(
    left: sp.Expr, right: sp.Expr, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]
) -> StepCheck:
    """Compare two expressions: symbolically, else at random points."""
    if not _involves(left, known, _BRANCHING) and not _involves(right, known, _BRANCHING):
        one, two = (_expand(side, known, frozenset(), {}) for side in (left, right))
        if _vanishes(one - two):
            return StepCheck(True, "the difference vanishes identically")
    worst, used = 0.0, 0
    for point in points:
        if _tied(left, known, point) or _tied(right, known, point):
            continue  # there an extremum hides the logarithm that a Piecewise shows
        one, two = (_expand(side, known, frozenset(), point) for side in (left, right))
        scales = {name: value * (used + 1) for name, value in _other_scales(one, two).items()}
        one, two = number(one, scales), number(two, scales)
        worst = max(worst, float(abs(one - two) / max(abs(one), abs(two), mpmath.mpf(10) ** -300)))
        used += 1
        if worst >= _AGREE:
            break
    if not used:
        return StepCheck(False, "no point lies off the boundaries")
    return StepCheck(
        worst < _AGREE, f"largest relative difference {worst:.1e} at {used} rational points"
    )


def _vanishes(difference: sp.Expr) -> bool:
    try:
        return bool(sp.gammasimp(sp.powsimp(difference, force=True)) == 0)
    except IndexError:  # powsimp stumbles over powers that reduce to one: numbers decide
        return False


def _involves(expr: sp.Expr, known: Mapping[sp.Symbol, sp.Expr], kinds: tuple[type, ...]) -> bool:
    """Whether an expression, or anything it is made of, contains one of some functions."""
    return any(part.has(*kinds) for part in _ingredients(expr, known))


def _ingredients(expr: sp.Expr, known: Mapping[sp.Symbol, sp.Expr]) -> list[sp.Expr]:
    """List an expression and what is known of the quantities in it."""
    seen: dict[sp.Symbol, None] = {}
    parts, left = [expr], list(expr.free_symbols & known.keys())
    while left:
        name = left.pop()
        if name not in seen:
            seen[name] = None
            parts.append(known[name])
            left += known[name].free_symbols & known.keys()
    return parts


def _circular(entry: Step, known: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether a value contains the quantity itself, by way of what it is made of."""
    return any(entry.quantity in part.free_symbols for part in _ingredients(entry.value, known))


def _tied(
    expr: sp.Expr, known: Mapping[sp.Symbol, sp.Expr], point: Mapping[sp.Symbol, Any]
) -> bool:
    """Whether a point lies where two branches of a Piecewise in an expression meet."""
    return any(
        sp.expand((relation.lhs - relation.rhs).subs(point)) == 0
        for part in _ingredients(expr, known)
        for relation in _relations(part)
    )


def _other_scales(
    left: sp.Expr, right: sp.Expr, *known: Mapping[sp.Symbol, Any]
) -> dict[sp.Symbol, sp.Integer]:
    """Give a number to every symbol that is neither a parameter nor otherwise fixed."""
    free = (left.free_symbols | right.free_symbols) - set().union(*known)
    return {name: sp.Integer(2003 + 7 * index) for index, name in enumerate(sorted(free, key=str))}


def _check_asymptotic(
    entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]
) -> StepCheck:
    variable = entry.relation.variable
    assert variable is not None
    if entry.quantity not in known:
        return StepCheck(False, f"{entry.quantity} was not defined before")
    fixed = frozenset({variable})
    worst, note, used = 0.0, "", 0
    for point in points:
        if _tied(entry.value, known, point) and not any(
            _holds(relation, point) for relation in _relations(entry.value)
        ):
            continue  # nothing is claimed on this boundary
        used += 1
        whole, term = (
            _expand(side, known, fixed, point) for side in (known[entry.quantity], entry.value)
        )
        others = _other_scales(whole, term, {variable: None})
        ratios = []
        slow = term.has(sp.log) or (whole.has(sp.Sum) and whole.has(sp.log))
        scales = _SLOW_SCALES if slow else _SCALES
        for decade in scales:
            values = {**others, variable: sp.Integer(10) ** decade}
            ratios.append(number(whole, values) / number(term, values))
        first, middle, last = ratios
        slack = mpmath.mpf(10) ** -6  # the sums are good to about 1e-8
        if slow:
            # whole / leading is a polynomial in 1 / log(x) next to zero: extrapolate through three points
            limit = mpmath.fsum(
                ratio
                * mpmath.mpf(here) ** 2
                / mpmath.fprod(here - other for other in scales if other != here)
                for ratio, here in zip(ratios, scales, strict=True)
            )
        else:
            # whole / leading is 1 + c x^-g at equally spaced decades: Aitken's extrapolation is exact
            curvature = last - 2 * middle + first
            limit = last if abs(last - middle) < slack else last - (last - middle) ** 2 / curvature
        approaches = abs(last - 1) <= abs(first - 1) + slack and abs(last - 1) < mpmath.mpf("0.2")
        distance = float(abs(limit - 1)) if approaches else float("inf")
        if distance >= worst:
            place = (
                ", ".join(f"{name} = {value}" for name, value in point.items())
                or "the given exponents"
            )
            worst, note = (
                distance,
                f"at {place}: ratio {mpmath.nstr(last, 8)} at {variable} = 1e{scales[2]}",
            )
    return StepCheck(used > 0 and worst < 2e-3, f"{used} points over four decades; slowest {note}")


def _holds(relation: sp.Basic, point: Mapping[sp.Symbol, Any]) -> bool:
    return isinstance(relation, sp.Eq) and bool(relation.subs(point))


_CHECKERS: dict[str, Callable[[Step, Mapping[sp.Symbol, sp.Expr], list[Any]], StepCheck]] = {
    "definition": _check_definition,
    "equal": _check_equal,
    "asymptotic": _check_asymptotic,
    "solves": _check_equation,
    "balance": _check_equation,
}
