r"""Derivations whose every step a machine can check.

A `Derivation` is a tuple of `Step`; each step is an equation for one quantity together with its relation to what was
known of that quantity before. `Derivation.check` looks at every step with one checker per relation and refuses those
that do not hold, wherever the error sits: a corrupted definition is caught by the step that uses it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import mpmath
import sympy as sp
from sympy.integrals.quadrature import gauss_legendre

from ..errors import DomainError
from .relations import changing_part

if TYPE_CHECKING:
    from .formula import Reference

_DIGITS = 20
_SCALES = (12, 14, 16)  # decades at which ratios of asymptotic steps are looked at
# distance of sample points from boundaries, where convergence is logarithmically slow: the largest for which there are points
_MARGINS = (Fraction(3, 10), Fraction(1, 10), Fraction(1, 30))


@dataclass(frozen=True)
class Relation:
    """How a step follows from what was known of the same quantity.

    Attributes
    ----------
    kind : str
        ``"definition"``, ``"equal"``, ``"asymptotic"``, ``"balance"`` or ``"solves"``.
    variable : Symbol or None
        What grows without bound in an asymptotic step.
    equation : Eq or None
        What is solved, or which two terms are balanced.
    """

    kind: str
    variable: sp.Symbol | None = None
    equation: sp.Basic | None = None

    def __post_init__(self) -> None:
        """Refuse relations without a checker."""
        if self.kind not in _CHECKERS:
            raise DomainError(f"kind = {self.kind!r} must be one of {', '.join(_CHECKERS)}", argument="kind", value=self.kind)
        if (self.kind == "asymptotic") != (self.variable is not None):
            raise DomainError("an asymptotic relation, and no other, names its variable", argument="variable", value=self.variable)
        if (self.kind in ("solves", "balance")) != (self.equation is not None):
            raise DomainError("a solution or a balance, and no other, names its equation", argument="equation", value=self.equation)

    def __str__(self) -> str:
        if self.variable is not None:
            return f"asymptotic, {self.variable} -> oo"
        if self.equation is not None:
            return f"{self.kind} {self.equation.lhs} = {self.equation.rhs}"
        return self.kind


def asymptotic(variable: sp.Symbol) -> Relation:
    """Relation of a leading term to the whole as `variable` grows."""
    return Relation("asymptotic", variable=variable)


def solves(equation: sp.Basic) -> Relation:
    """Relation of a solution to its equation."""
    return Relation("solves", equation=equation)


def balance(equation: sp.Basic) -> Relation:
    """Relation of an optimum to the two terms that are equal there."""
    return Relation("balance", equation=equation)


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes
    ----------
    expr : Eq
        ``Eq(quantity, expression, evaluate=False)``; the quantity is a symbol.
    relation : Relation
        Why the line follows from earlier ones.
    reason : str
        The same for a person.
    reference : Reference or None
        Where the line comes from, if from outside.
    """

    expr: sp.Basic
    relation: Relation
    reason: str
    reference: Reference | None = None

    @property
    def quantity(self) -> sp.Symbol:
        """The left side."""
        return self.expr.args[0]

    @property
    def value(self) -> sp.Expr:
        """The right side."""
        return self.expr.args[1]


def step(quantity: sp.Symbol, value: sp.Expr, relation: Relation, reason: str, reference: Reference | None = None) -> Step:
    """Write one step, left and right side kept as they are."""
    return Step(sp.Eq(quantity, value, evaluate=False), relation, reason, reference)


@dataclass(frozen=True)
class StepCheck:
    """What the checker found.

    Attributes
    ----------
    passed : bool
        Whether the step holds.
    detail : str
        How it was checked, with the numbers.
    """

    passed: bool
    detail: str


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

    def refused(self, *, seed: int = 0) -> int | None:
        """Return the index of the first step that does not hold, or None; stops there."""
        return next((index for index, found in enumerate(self._checks(seed)) if not found.passed), None)

    def _checks(self, seed: int) -> Iterator[StepCheck]:
        points = list(self._points(random.Random(seed)))
        known: dict[sp.Symbol, sp.Expr] = {}
        for entry in self.steps:
            try:
                yield _CHECKERS[entry.relation.kind](entry, known, points)
            except (TypeError, ValueError, ZeroDivisionError) as failure:
                yield StepCheck(False, f"cannot be evaluated: {failure}")
            known[entry.quantity] = entry.value

    def _points(self, source: random.Random) -> Iterator[dict[sp.Symbol, sp.Rational]]:
        """Draw rational parameter points: every side of every boundary twice, and every boundary once."""
        if not self.box:
            yield {}
            return
        boundaries = list({boundary for entry in self.steps for boundary in _boundaries(entry.value)})
        sides: dict[tuple[bool, ...], int] = {}
        for wanted in _MARGINS:
            for _ in range(400):
                point = self._draw(source)
                margins = [sp.Abs(boundary.subs(point)) for boundary in boundaries]
                margins += [(condition.gts - condition.lts).subs(point) for condition in self.conditions]
                if all(margin >= wanted for margin in margins):
                    side = tuple(bool(boundary.subs(point) > 0) for boundary in boundaries)
                    sides[side] = sides.get(side, 0) + 1
                    if sides[side] <= 2:
                        yield point
            if sides:
                break
        else:
            ranges = ", ".join(f"{name} in {limits}" for name, limits in self.box.items())
            raise DomainError(f"no point with {ranges} lies in the validity region {self.conditions}", argument="box", value=self.box)
        for boundary in boundaries:
            name = max(boundary.free_symbols, key=str)
            solutions = sp.solve(boundary, name)
            for _ in range(100 if solutions else 0):
                point = self._draw(source)
                point[name] = solutions[0].subs(point)
                inside = self.box[name][0] <= point[name] <= self.box[name][1]
                if inside and all(bool(condition.subs(point)) for condition in self.conditions):
                    yield point
                    break

    def _draw(self, source: random.Random) -> dict[sp.Symbol, sp.Rational]:
        return {name: _rational(source, low, high) for name, (low, high) in self.box.items()}


def _rational(source: random.Random, low: Any, high: Any) -> sp.Rational:
    return sp.Rational(low) + sp.Rational(source.randrange(1, 60), 60) * (sp.Rational(high) - sp.Rational(low))


def _boundaries(expr: sp.Expr) -> set[sp.Expr]:
    """Collect the differences that change sign between the branches of an expression."""
    found = set()
    for piecewise in expr.atoms(sp.Piecewise):
        for _, condition in piecewise.args:
            for relation in condition.atoms(sp.core.relational.Relational):
                found.add(_signless(relation.lhs - relation.rhs))
    for extremum in expr.atoms(sp.Min, sp.Max):
        for one, two in pairwise(extremum.args):
            found.add(_signless(one - two))
    return found


def _signless(difference: sp.Expr) -> sp.Expr:
    """Reduce a difference to the part that can change sign, with a fixed overall sign."""
    kept = changing_part(difference)
    return -kept if kept.could_extract_minus_sign() else kept


# -- one checker per relation -------------------------------------------------------------------------------------------


def _expand(expr: sp.Expr, known: Mapping[sp.Symbol, sp.Expr], fixed: frozenset[sp.Symbol]) -> sp.Expr:
    """Insert what is known of every quantity, until only parameters and `fixed` symbols are left."""
    for _ in range(len(known) + 1):
        here = {name: known[name] for name in expr.free_symbols & known.keys() - fixed}
        if not here:
            break
        expr = expr.subs(here)
    return expr


def _check_definition(entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    if entry.quantity in known:
        return StepCheck(False, f"{entry.quantity} was defined before")
    if entry.quantity in entry.value.free_symbols:
        return StepCheck(False, f"{entry.quantity} is defined by itself")
    return StepCheck(True, "a new quantity; checked by the steps that use it")


def _check_equal(entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    if entry.quantity not in known:
        return StepCheck(False, f"{entry.quantity} was not defined before")
    return _agree(known[entry.quantity], entry.value, known, points)


def _check_equation(entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    equation = entry.relation.equation
    assert equation is not None
    solved = dict(known)
    solved[entry.quantity] = entry.value
    return _agree(equation.args[0], equation.args[1], solved, points)


def _agree(left: sp.Expr, right: sp.Expr, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    """Compare two expressions: symbolically, else at random points."""
    left, right = (_expand(side, known, frozenset()) for side in (left, right))
    if not (left.has(sp.Sum) or right.has(sp.Sum) or left.has(sp.Piecewise) or right.has(sp.Piecewise)):
        difference = sp.gammasimp(sp.powsimp(left - right, force=True))
        if difference == 0:
            return StepCheck(True, "the difference vanishes identically")
    others = _other_scales(left, right, points[0])
    worst = 0.0
    for number, point in enumerate(points):
        if _on_boundary(left - right, point):
            continue
        values = {**point, **{name: value * (number + 1) for name, value in others.items()}}
        one, two = _number(left, values), _number(right, values)
        worst = max(worst, float(abs(one - two) / max(abs(one), abs(two), mpmath.mpf(10) ** -300)))
    passed = worst < 1e-10
    return StepCheck(passed, f"largest relative difference {worst:.1e} at {len(points)} rational points")


def _other_scales(left: sp.Expr, right: sp.Expr, *known: Mapping[sp.Symbol, Any]) -> dict[sp.Symbol, sp.Integer]:
    """Give a number to every symbol that is neither a parameter nor otherwise fixed."""
    free = (left.free_symbols | right.free_symbols) - set().union(*known)
    return {name: sp.Integer(2003 + 7 * index) for index, name in enumerate(sorted(free, key=str))}


def _on_boundary(expr: sp.Expr, point: Mapping[sp.Symbol, sp.Rational]) -> bool:
    """Whether a point lies where two branches meet: there an extremum hides the logarithm that a Piecewise shows."""
    return any(boundary.subs(point) == 0 for boundary in _boundaries(expr))


def _check_asymptotic(entry: Step, known: Mapping[sp.Symbol, sp.Expr], points: list[Any]) -> StepCheck:
    variable = entry.relation.variable
    assert variable is not None
    if entry.quantity not in known:
        return StepCheck(False, f"{entry.quantity} was not defined before")
    fixed = frozenset({variable})
    whole, leading = (_expand(side, known, fixed) for side in (known[entry.quantity], entry.value))
    others = _other_scales(whole, leading, points[0], {variable: None})
    worst, note = 0.0, ""
    for point in points:
        term = leading.subs(point)
        ratios = []
        for decade in _SCALES:
            values = {**point, **others, variable: sp.Integer(10) ** decade}
            ratios.append(_number(whole, values) / _number(term, values))
        first, middle, last = ratios
        slack = mpmath.mpf(10) ** -6  # the sums are good to about 1e-8
        if term.has(sp.log):
            # whole / leading is 1 + c / log(x): extrapolate in 1 / log(x)
            limit = (_SCALES[2] * last - _SCALES[0] * first) / (_SCALES[2] - _SCALES[0])
        else:
            # whole / leading is 1 + c x^-g at equally spaced decades: Aitken's extrapolation is exact
            curvature = last - 2 * middle + first
            limit = last if abs(last - middle) < slack else last - (last - middle) ** 2 / curvature
        approaches = abs(last - 1) <= abs(first - 1) + slack and abs(last - 1) < mpmath.mpf("0.2")
        distance = float(abs(limit - 1)) if approaches else float("inf")
        if distance >= worst:
            place = ", ".join(f"{name} = {value}" for name, value in point.items()) or "the given exponents"
            worst, note = distance, f"at {place}: ratio {mpmath.nstr(last, 8)} at {variable} = 1e{_SCALES[2]}"
    return StepCheck(worst < 2e-3, f"{len(points)} points over four decades; slowest {note}")


_CHECKERS: dict[str, Callable[[Step, Mapping[sp.Symbol, sp.Expr], list[Any]], StepCheck]] = {
    "definition": _check_definition,
    "equal": _check_equal,
    "asymptotic": _check_asymptotic,
    "solves": _check_equation,
    "balance": _check_equation,
}


DEFINITION = Relation("definition")
EQUAL = Relation("equal")


# -- numbers ------------------------------------------------------------------------------------------------------------


def _number(expr: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> Any:
    """Evaluate an expression that may contain infinite sums, to about 12 digits or more."""
    with mpmath.workdps(_DIGITS):
        numeric = expr.subs(values)
        sums = {entry: sp.Float(_infinite_sum(entry), _DIGITS) for entry in numeric.atoms(sp.Sum)}
        return mpmath.mpf(sp.N(numeric.xreplace(sums), _DIGITS))


@lru_cache(maxsize=4096)
def _infinite_sum(total: sp.Sum) -> Any:
    r"""Sum a smooth function over k = 1, 2, ... whose scale may be astronomically large.

    The first modes one by one, the rest as an integral over log k (Gauss-Legendre on unit intervals: the terms
    change on the scale of k itself) with Euler-Maclaurin corrections at its lower end.
    """
    (index, low, high), function = total.limits[0], total.function
    if low != 1 or high is not sp.oo:
        raise DomainError(f"only sums from 1 to infinity are evaluated; got {low} to {high}", argument="total", value=total)
    if function.has(sp.Heaviside):
        raise DomainError(f"the sum over {function} has jumps, and only smooth sums are evaluated", argument="total", value=total)
    term = sp.lambdify(index, function, "mpmath", cse=True)
    start = 40
    value = mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, start)) + term(mpmath.mpf(start)) / 2
    value -= mpmath.diff(term, start) / 12 - mpmath.diff(term, start, 3) / 720
    nodes = _unit_quadrature()
    position, previous = mpmath.log(start), mpmath.inf
    tolerance = mpmath.mpf(10) ** -13
    for _ in range(4000):
        piece = mpmath.fsum(w * (k := mpmath.exp(position + x)) * term(k) for x, w in nodes)
        value += piece
        position += 1
        if abs(piece) < abs(previous) and abs(piece) < tolerance * abs(value):
            ratio = piece / previous if mpmath.isfinite(previous) and previous else mpmath.mpf(0)
            return value + piece * ratio / (1 - ratio)  # what is left falls like a power: a geometric series over the intervals
        previous = piece
    raise DomainError(f"the sum over {function} does not converge", argument="total", value=total)


@lru_cache(maxsize=1)
def _unit_quadrature() -> list[tuple[Any, Any]]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    nodes, weights = gauss_legendre(16, _DIGITS + 5)
    return [((1 + mpmath.mpf(x)) / 2, mpmath.mpf(w) / 2) for x, w in zip(nodes, weights, strict=True)]
