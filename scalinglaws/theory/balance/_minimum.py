"""The exact minimum of a sum of monomials under budgets and caps, where everything is a number.

In the logarithms of the scales the problem is convex: a sum of exponentials of linear functions under linear constraints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from scipy.optimize import linprog

from ...errors import ConvergenceError, refusal
from ...reprs import short_repr
from ..monomials import Monomial
from ._program import Program, reduce_rows

_GUARD = 30  # digits beyond those that are asked for
_STEPS = 2000  # of Newton's method, each of which moves a term by a factor of e at most
_HALVINGS = 60
_BARRIERS = 20  # decades over which the barrier is taken down
_PINNED = 1e-9  # room that a cap has, as a logarithm, below which it has none

Row = Sequence[Any]


@short_repr
@dataclass(frozen=True)
class Minimum:
    """The exact minimum of a sum at given numbers.

    Attributes
    ----------
    excess : float or mpf
        Least value of the terms that an allocation can change.
    irreducible : float, mpf or None
        What none can change; None if a number is missing there.
    scales : mapping of Symbol to number or None
        Where the minimum is; None for a scale that may take several values there.
    shares : mapping of Expr to number
        Part of each term in the excess; 0 for one that can be made as small as one likes.
    elasticities : mapping of Basic to number
        By how many percent the excess changes when the bound of a budget or cap grows by one percent.
    """

    excess: Any
    irreducible: Any
    scales: Mapping[sp.Symbol, Any]
    shares: Mapping[sp.Expr, Any]
    elasticities: Mapping[sp.Basic, Any]

    @property
    def total(self) -> Any:
        """Excess and irreducible part together; None if a number is missing."""
        return None if self.irreducible is None else self.excess + self.irreducible

    @property
    def reached(self) -> bool:
        """Whether there is an allocation with this value, and not only some that come arbitrarily near."""
        return all(share > 0 for share in self.shares.values())

    def rounded(self) -> Minimum:
        """Return the same in floats; refuse numbers that floats do not hold."""

        def as_float(value: Any) -> Any:
            if value is None:
                return None
            found = float(value)
            if not np.isfinite(found) or (found == 0) != (value == 0):
                raise refusal(
                    "digits",
                    None,
                    f"{mpmath.nstr(value, 5)} is no number that a float holds; give digits=15",
                    named=False,
                )
            return found

        return Minimum(
            as_float(self.excess),
            as_float(self.irreducible),
            {name: as_float(value) for name, value in self.scales.items()},
            {term: float(value) for term, value in self.shares.items()},
            {bound: float(value) for bound, value in self.elasticities.items()},
        )


def minimum_at(program: Program, exact: Mapping[sp.Symbol, sp.Expr], digits: int) -> Minimum:
    """Minimize a sum at given numbers, to so many digits.

    Parameters
    ----------
    program : Program
        Terms, budgets and caps.
    exact : mapping of Symbol to number
        Numbers for all parameters but those of constants.
    digits : int
        Significant digits.

    Returns
    -------
    Minimum
        Of mpmath numbers.

    Raises
    ------
    DomainError
        If budgets and caps have no common point.
    ConvergenceError
        If two precisions do not agree.

    Notes
    -----
    Terms that can be made arbitrarily small without cost are left out. Where caps may bind, a logarithmic barrier tells which
    do; Newton's method then solves for the logarithms of the scales, in two precisions that must agree. Milliseconds
    without caps, tenths of a second with them.
    """
    whole = _numbers(program, exact, digits + _GUARD)
    alive, useful = _supported(whole)
    with mpmath.workdps(_GUARD):
        pinned, closed, start = _reached(whole.only(alive, useful))
    found = []
    for precision in (digits + _GUARD, 2 * (digits + _GUARD)):
        with mpmath.workdps(precision):
            here = _numbers(program, exact, precision).only(alive, useful)
            found.append(_solved(here, closed, start))
            start = found[-1][0]
    (first, *_), (z, shares, slopes, size) = found
    with mpmath.workdps(digits + _GUARD):
        allowed = mpmath.mpf(10) ** -(digits + 1)
        agree = all(abs(a - b) <= allowed for a, b in zip(first, z, strict=True))
        pushed = dict(zip(closed, slopes[len(here.fixed) :], strict=True))
        left = any(slope < -allowed for q, slope in pushed.items() if q not in pinned)
        good = agree and not left and _optimal(here, z, shares, slopes, closed, allowed)
    if not good:
        raise ConvergenceError(
            f"the minimum over {', '.join(map(str, program.free))} was not found to {digits} digits; fewer may do, "
            "or terms of more similar size"
        )
    determined = _determined(here, closed)
    constants = sp.Add(*(item.expr for item in program.constants)).subs(exact)
    labels = [item.expr for item in program.budgets]
    labels += [program.caps[useful[q]].expr for q in closed]
    with mpmath.workdps(digits):
        return Minimum(
            +size,
            _mp(constants) if constants.is_number else None,
            {
                name: mpmath.exp(value) if sure else None
                for name, value, sure in zip(program.free, z, determined, strict=True)
            },
            {
                term.expr: +shares[alive.index(i)] if i in alive else mpmath.mpf(0)
                for i, term in enumerate(program.terms)
            },
            {label: -slope for label, slope in zip(labels, slopes, strict=True)},
        )


@dataclass(frozen=True)
class _Problem:
    """Minimize sum(exp(terms @ z + heights)) where fixed @ z = bounds and caps @ z <= limits; rows are exact, the rest rounded."""

    terms: list[Row]
    heights: list[Any]
    fixed: list[Row]
    bounds: list[Any]
    caps: list[Row]
    limits: list[Any]

    @property
    def width(self) -> int:
        """Number of unknowns."""
        return len(self.terms[0])

    def only(self, terms: list[int], caps: list[int]) -> _Problem:
        """Return the problem with these terms and caps alone."""
        return _Problem(
            [self.terms[i] for i in terms],
            [self.heights[i] for i in terms],
            self.fixed,
            self.bounds,
            [self.caps[q] for q in caps],
            [self.limits[q] for q in caps],
        )


def _numbers(program: Program, exact: Mapping[sp.Symbol, sp.Expr], precision: int) -> _Problem:
    """Insert the numbers; coefficients enter by their logarithms."""
    # exact powers of long fractions can take minutes
    rounded = {name: sp.N(value, precision) for name, value in exact.items()}

    def rows(items: tuple[Monomial, ...]) -> list[Row]:
        return [[sp.sympify(power).subs(exact) for power in item.exponents] for item in items]

    def logs(items: tuple[Monomial, ...]) -> list[Any]:
        return [mpmath.log(_mp(item.coefficient.subs(rounded))) for item in items]

    with mpmath.workdps(precision):
        return _Problem(
            rows(program.terms),
            logs(program.terms),
            rows(program.budgets),
            logs(program.budgets),
            rows(program.caps),
            logs(program.caps),
        )


def _mp(expr: sp.Expr) -> Any:
    return mpmath.mpf(sp.N(expr, mpmath.mp.dps))


def _floats(rows: Sequence[Row], width: int) -> Any:
    return np.array([[float(entry) for entry in row] for row in rows]).reshape(-1, width)


# -- which terms and caps count -------------------------------------------------------------------------------------------


def _supported(problem: _Problem) -> tuple[list[int], list[int]]:
    """Tell which terms cannot vanish without cost, and which caps may bind: some positive combination of all of them is 0."""
    width = problem.width
    signed = np.vstack([_floats(problem.terms, width), _floats(problem.caps, width)])
    free = _floats(problem.fixed, width)
    count, more, terms = len(signed), len(free), len(problem.terms)
    # weights y = t + u with 0 <= t <= 1: the largest sum of t has t = 1 wherever a weight can be positive
    found = linprog(
        np.concatenate([-np.ones(count), np.zeros(count + more)]),
        A_eq=np.hstack([signed.T, signed.T, free.T]),
        b_eq=np.zeros(width),
        bounds=[(0, 1)] * count + [(0, None)] * count + [(None, None)] * more,
    )
    positive = [i for i in range(count) if found.x[i] > 0.5]
    return [i for i in positive if i < terms], [i - terms for i in positive if i >= terms]


def _reached(problem: _Problem) -> tuple[list[int], list[int], list[Any]]:
    """Tell which caps leave no room, and which are reached at the minimum; return a point near it, too."""
    pinned = _pinned(problem)
    inside = [q for q in range(len(problem.caps)) if q not in pinned]
    start = _start(problem, pinned, inside)
    if not inside:
        return pinned, pinned, start
    plane = _plane(problem, pinned)
    point, closed = plane.nearest(start), list(pinned)
    size = mpmath.fsum(plane.sizes(point))
    for decade in range(_BARRIERS):
        barrier = mpmath.mpf(10) ** -decade
        point = _newton(plane, point, [plane.walls[q] for q in inside], barrier * size)
        size = mpmath.fsum(plane.sizes(point))
    for q in inside:  # the multiplier of a cap is the barrier over the room that is left
        room = plane.room(plane.walls[q], point)
        if room < barrier / room:
            closed.append(q)
    return pinned, sorted(closed), plane.at(point)


def _pinned(problem: _Problem) -> list[int]:
    """List the caps that leave no room: together with the other constraints they hold as equations."""
    width, found = problem.width, []
    caps, limits = _floats(problem.caps, width), np.array([float(g) for g in problem.limits])
    for q, row in enumerate(caps):
        # let the row itself sink by 1: it cannot, if the others hold it
        least = linprog(
            row,
            A_ub=np.vstack([caps, -row]),
            b_ub=np.append(limits, 1 - limits[q]),
            bounds=(None, None),
            **_equations(problem, []),
        )
        if least.success and least.fun >= limits[q] - _PINNED:
            found.append(q)
    return found


def _equations(problem: _Problem, closed: list[int], more: int = 0) -> dict[str, Any]:
    """Return the equations of a linear program, with columns for further unknowns."""
    rows = [*problem.fixed, *(problem.caps[q] for q in closed)]
    right = [*problem.bounds, *(problem.limits[q] for q in closed)]
    if not rows:
        return {}
    matrix = np.hstack([_floats(rows, problem.width), np.zeros((len(rows), more))])
    return {"A_eq": matrix, "b_eq": np.array([float(value) for value in right])}


def _start(problem: _Problem, closed: list[int], inside: list[int]) -> list[Any]:
    """Minimize the largest term instead of the sum, at some distance from the caps."""
    width = problem.width
    terms, caps = _floats(problem.terms, width), _floats(problem.caps, width)[inside]
    # unknowns: z, the room s of all caps, and the largest term m
    upper = np.vstack(
        [
            np.hstack([terms, np.zeros((len(terms), 1)), -np.ones((len(terms), 1))]),
            np.hstack([caps, np.ones((len(caps), 1)), np.zeros((len(caps), 1))]),
        ]
    )
    right = np.array(
        [-float(h) for h in problem.heights] + [float(problem.limits[q]) for q in inside]
    )
    aim = np.append(np.zeros(width), [-1, 0])
    room: tuple[float | None, float | None] = (None, 1.0)
    for _ in range(2):
        found = linprog(
            aim,
            A_ub=upper,
            b_ub=right,
            bounds=[(None, None)] * width + [room, (None, None)],
            **_equations(problem, closed, 2),
        )
        if not found.success:
            raise refusal("caps", None, "budgets and caps have no common point", named=False)
        aim, room = np.append(np.zeros(width), [0, 1]), (found.x[width] / 2, None)
    return [mpmath.mpf(value) for value in found.x[:width]]


# -- the minimum on the plane of the equations --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plane:
    """The solutions of the equations, up to directions that change nothing, and terms and caps as functions on it."""

    origin: list[Any]
    directions: list[list[Any]]
    terms: list[tuple[list[Any], Any]]
    walls: list[tuple[list[Any], Any]]

    def at(self, point: list[Any]) -> list[Any]:
        """Return the logarithms of the scales."""
        return [
            value + mpmath.fdot(point, [direction[i] for direction in self.directions])
            for i, value in enumerate(self.origin)
        ]

    def nearest(self, z: list[Any]) -> list[Any]:
        """Return the point of the plane that is nearest to another."""
        if not self.directions:
            return []
        matrix = np.array([[float(entry) for entry in row] for row in self.directions]).T
        right = np.array([float(a - b) for a, b in zip(z, self.origin, strict=True)])
        return [mpmath.mpf(value) for value in np.linalg.lstsq(matrix, right, rcond=None)[0]]

    def sizes(self, point: list[Any]) -> list[Any]:
        """Return the terms."""
        return [mpmath.exp(mpmath.fdot(row, point) + height) for row, height in self.terms]

    def room(self, wall: tuple[list[Any], Any], point: list[Any]) -> Any:
        """Return how far a cap is from being reached."""
        return wall[1] - mpmath.fdot(wall[0], point)


def _plane(problem: _Problem, closed: list[int]) -> _Plane:
    rows = [*problem.fixed, *(problem.caps[q] for q in closed)]
    right = [*problem.bounds, *(problem.limits[q] for q in closed)]
    width = problem.width
    origin, basis = [mpmath.mpf(0)] * width, [list(row) for row in sp.eye(width).tolist()]
    if rows:
        unit = sp.eye(len(rows)).tolist()
        reduced, pivots = reduce_rows([[*row, *unit[i]] for i, row in enumerate(rows)])
        solved = [column for column in pivots if column < width]
        for line, column in zip(reduced, solved, strict=False):
            origin[column] = mpmath.fdot([_mp(entry) for entry in line[width:]], right)
        basis = []
        for free in (column for column in range(width) if column not in solved):
            direction = [sp.Integer(column == free) for column in range(width)]
            for line, column in zip(reduced, solved, strict=False):
                direction[column] = -line[free]
            basis.append(direction)
    changes = [[_dot(row, entry) for entry in basis] for row in (*problem.terms, *problem.caps)]
    kept = reduce_rows(changes)[1] if basis else ()
    rounded = [[_mp(row[column]) for column in kept] for row in changes]
    there = [
        mpmath.fdot([_mp(entry) for entry in row], origin)
        for row in (*problem.terms, *problem.caps)
    ]
    count = len(problem.terms)
    heights = [a + b for a, b in zip(problem.heights, there[:count], strict=True)]
    limits = [a - b for a, b in zip(problem.limits, there[count:], strict=True)]
    return _Plane(
        origin,
        [[_mp(entry) for entry in basis[column]] for column in kept],
        list(zip(rounded[:count], heights, strict=True)),
        list(zip(rounded[count:], limits, strict=True)),
    )


def _dot(one: Row, two: Row) -> sp.Expr:
    return sp.expand(sp.Add(*(a * b for a, b in zip(one, two, strict=True))))


def _newton(plane: _Plane, point: list[Any], walls: list[Any], barrier: Any) -> list[Any]:
    """Minimize the sum of the terms and of -barrier log(room) by damped Newton steps, until they are lost in rounding."""
    if not point:
        return point

    def value(at: list[Any]) -> Any:
        rooms = [plane.room(wall, at) for wall in walls]
        if any(room <= 0 for room in rooms):
            return mpmath.inf
        return mpmath.fsum(plane.sizes(at)) - barrier * mpmath.fsum(map(mpmath.log, rooms))

    tiny, last = mpmath.mpf(10) ** (5 - mpmath.mp.dps), 2
    now = value(point)
    for _ in range(_STEPS):
        move, gain = _newton_step(plane, point, walls, barrier)
        if gain <= tiny * abs(now):
            # values cannot tell points apart any more; undamped steps still gain digits
            point = [a - b for a, b in zip(point, move, strict=True)]
            last -= 1
            if not last:
                break
            continue
        for _ in range(_HALVINGS):
            trial = [a - b for a, b in zip(point, move, strict=True)]
            if (new := value(trial)) <= now:
                break
            move = [entry / 2 for entry in move]
        else:
            break
        point, now = trial, new
    return point


def _newton_step(
    plane: _Plane, point: list[Any], walls: list[Any], barrier: Any
) -> tuple[list[Any], Any]:
    """Return Newton's step and how much it gains to first order."""
    weighted = list(zip((row for row, _ in plane.terms), plane.sizes(point), strict=True))
    first = [mpmath.fsum(size * row[i] for row, size in weighted) for i in range(len(point))]
    for wall in walls:
        room = plane.room(wall, point)
        first = [a + barrier * b / room for a, b in zip(first, wall[0], strict=True)]
        weighted.append((wall[0], barrier / room**2))
    second = mpmath.matrix(len(point))
    for i in range(len(point)):
        for j in range(i + 1):
            second[i, j] = second[j, i] = mpmath.fsum(
                size * row[i] * row[j] for row, size in weighted
            )
    try:
        move = list(mpmath.lu_solve(second, mpmath.matrix(first)))
    except ZeroDivisionError:
        raise ConvergenceError(
            "the terms are of too different sizes for these digits: ask for more of them"
        ) from None
    return move, mpmath.fdot(first, move)


def _solved(
    problem: _Problem, closed: list[int], start: list[Any]
) -> tuple[list[Any], list[Any], list[Any], Any]:
    """Return logarithms of the scales, shares of the terms, multipliers of budgets and reached caps, and the sum."""
    plane = _plane(problem, closed)
    point = _newton(plane, plane.nearest(start), [], 0)
    sizes = plane.sizes(point)
    total = mpmath.fsum(sizes)
    shares = [size / total for size in sizes]
    rows = [*problem.fixed, *(problem.caps[q] for q in closed)]
    slopes: list[Any] = []
    if rows:
        # the shares' exponents are a combination of those of the constraints, which may depend on each other
        pull = mpmath.matrix(
            [
                mpmath.fsum(y * _mp(row[i]) for y, row in zip(shares, problem.terms, strict=True))
                for i in range(problem.width)
            ]
        )
        independent = reduce_rows(sp.Matrix(rows).T.tolist())[1]
        matrix = mpmath.matrix(
            [[_mp(rows[q][i]) for q in independent] for i in range(problem.width)]
        )
        found = dict(zip(independent, mpmath.lu_solve(matrix, -pull), strict=True))
        slopes = [found.get(q, mpmath.mpf(0)) for q in range(len(rows))]
    return plane.at(point), shares, slopes, total


def _optimal(
    problem: _Problem,
    z: list[Any],
    shares: list[Any],
    slopes: list[Any],
    closed: list[int],
    allowed: Any,
) -> bool:
    """Whether all constraints hold, and those that hold as equations balance the terms: then a convex problem is solved."""

    def along(row: Row) -> Any:
        return mpmath.fdot([_mp(entry) for entry in row], z)

    off = [along(row) - bound for row, bound in zip(problem.fixed, problem.bounds, strict=True)]
    over = [along(row) - limit for row, limit in zip(problem.caps, problem.limits, strict=True)]
    rows = [*problem.terms, *problem.fixed, *(problem.caps[q] for q in closed)]
    pull = [
        mpmath.fsum(
            weight * _mp(row[i]) for weight, row in zip([*shares, *slopes], rows, strict=True)
        )
        for i in range(problem.width)
    ]
    return bool(max(map(abs, [*off, *pull])) <= allowed and max(over, default=0) <= allowed)


def _determined(problem: _Problem, closed: list[int]) -> list[bool]:
    """Tell which scales have one value only at the minimum: terms and constraints fix them."""
    rows = [*problem.terms, *problem.fixed, *(problem.caps[q] for q in closed)]
    reduced, pivots = reduce_rows(rows)
    sure = {
        pivot
        for line, pivot in zip(reduced, pivots, strict=False)
        if all(entry == 0 for column, entry in enumerate(line) if column != pivot)
    }
    return [column in sure for column in range(problem.width)]
