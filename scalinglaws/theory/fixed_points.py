r"""Exponents that depend on themselves.

Feedback turns an exponent into the solution of an equation with minima and maxima, such as
:math:`\chi = \beta\max(1, 2 - \chi)`: every extremum is replaced by one of its arguments, the equation is solved, and the
solution is kept with the conditions under which those arguments were the extremal ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy as sp

from ..errors import ConvergenceError, refusal
from ..reprs import short_repr
from .monomials import exact_numbers
from .parameters import to_exact
from .relations import against_zero, is_positive

_MAX_CHOICES = 256


@short_repr
@dataclass(frozen=True)
class FixedPointBranch:
    """One solution and where it holds.

    Attributes
    ----------
    solution : Expr
        The value of the unknown.
    conditions : tuple of Relational
        Where it solves the equation; empty if everywhere. Boundaries belong to it.
    """

    solution: sp.Expr
    conditions: tuple[sp.Basic, ...]


@short_repr
@dataclass(frozen=True)
class FixedPoint:
    """All solutions of a self-consistent equation.

    Attributes
    ----------
    branches : tuple of FixedPointBranch
        Solutions with their conditions.
    """

    branches: tuple[FixedPointBranch, ...]

    def at(self, values: Mapping[sp.Symbol, Any]) -> sp.Expr:
        """Evaluate at numbers, exactly.

        Parameters
        ----------
        values : mapping of Symbol to number
            Numbers for all parameters; floats are read as the decimals they print as.

        Returns
        -------
        Expr
            The solution.

        Raises
        ------
        DomainError
            If no branch holds there, or a number is missing.
        ConvergenceError
            If branches with different values hold there: the equation does not determine the exponent.
        """
        exact = {name: to_exact(value) for name, value in values.items()}
        place = ", ".join(f"{name} = {value}" for name, value in values.items())
        needed = set().union(
            *(
                part.free_symbols
                for branch in self.branches
                for part in (branch.solution, *branch.conditions)
            )
        )
        if missing := sorted(str(name) for name in needed - exact.keys()):
            raise refusal("values", values, f"are missing for {', '.join(missing)}", shown=False)
        found: dict[sp.Expr, None] = {}
        for branch in self.branches:
            number = branch.solution.subs(exact)
            decimal = sp.N(number, 30, chop=True)
            if decimal.is_real and all(
                _holds(condition.subs(exact)) for condition in branch.conditions
            ):
                found[sp.radsimp(number)] = None
        if not found:
            raise refusal(
                "values", dict(values), f"the equation has no solution at {place}", named=False
            )
        if len(found) > 1:
            raise ConvergenceError(
                f"at {place} the equation has several solutions, {', '.join(map(str, found))}",
                result=tuple(found),
            )
        return next(iter(found))

    def as_piecewise(self) -> sp.Expr:
        """Assemble the solutions as one expression; nan where there is none."""
        return sp.Piecewise(
            *((branch.solution, sp.And(*branch.conditions)) for branch in self.branches)
        )

    def _repr_latex_(self) -> str:
        return f"${sp.latex(self.as_piecewise())}$"


def _holds(condition: sp.Basic) -> bool:
    """Whether a condition between numbers holds, boundaries included; radicals that look complex are evaluated."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    margin = sp.N(condition.gts - condition.lts, 30, chop=True)
    return bool(margin.is_real and margin >= -sp.Float("1e-20"))


def fixed_point(rhs: sp.Expr, x: sp.Symbol) -> FixedPoint:
    r"""Solve :math:`x = \mathrm{rhs}(x)` where the right side contains minima and maxima.

    Parameters
    ----------
    rhs : Expr
        A rational function of `x` and of parameters declared positive, with ``Min`` and ``Max``, nested or not.
    x : Symbol
        The unknown exponent.

    Returns
    -------
    FixedPoint
        Every solution that some parameters allow, with its conditions.

    Raises
    ------
    DomainError
        If `rhs` does not depend on `x` or holds for all of it, is not rational in it, has no solution at all, or none in closed
        form (cubics and higher with symbolic parameters).

    Notes
    -----
    One equation per choice of arguments, products of their numbers; a few milliseconds each.

    Examples
    --------
    The exponent of a kernel that grows while it learns:

    >>> chi, beta = sp.symbols("chi beta", positive=True)
    >>> for branch in fixed_point(beta * sp.Max(1, 2 - chi), chi).branches:
    ...     print(branch.solution, *branch.conditions)
    beta beta >= 1
    2*beta/(beta + 1) beta <= 1
    """
    if not isinstance(rhs, (sp.Expr, int, float)):
        raise refusal("rhs", rhs, "must be a SymPy expression")
    rhs = exact_numbers(sp.sympify(rhs))
    if not isinstance(x, sp.Symbol):
        raise refusal("x", x, "must be a symbol")
    if x not in rhs.free_symbols:
        raise refusal("rhs", rhs, f"does not depend on {x}: there is nothing to solve")
    branches: dict[sp.Expr, list[tuple[sp.Basic, ...]]] = {}
    for number, (plain, comparisons) in enumerate(_choices(rhs)):
        if number >= _MAX_CHOICES:
            raise refusal(
                "rhs", rhs, f"has more than {_MAX_CHOICES} combinations of arguments", shown=False
            )
        for solution in _solutions(plain, x, rhs):
            conditions = _conditions(
                solution, [difference.subs(x, solution) for difference in comparisons], x
            )
            if conditions is not None and conditions not in branches.setdefault(solution, []):
                branches[solution].append(conditions)
    found = tuple(
        FixedPointBranch(solution, one) for solution, several in branches.items() for one in several
    )
    if not found:
        raise refusal("rhs", rhs, f"{x} = {rhs} has no solution", named=False)
    return FixedPoint(found)


def _choices(expr: sp.Expr) -> Iterator[tuple[sp.Expr, tuple[sp.Expr, ...]]]:
    """Replace every extremum by one of its arguments; yield with it what must then be nonnegative."""
    if not expr.has(sp.Min, sp.Max):
        yield expr, ()
        return
    if isinstance(expr, (sp.Min, sp.Max)):
        sign = 1 if isinstance(expr, sp.Max) else -1
        for chosen in product(*(tuple(_choices(argument)) for argument in expr.args)):
            inner = tuple(difference for _, differences in chosen for difference in differences)
            for number, (value, _) in enumerate(chosen):
                others = (other for position, (other, _) in enumerate(chosen) if position != number)
                yield value, (*inner, *(sign * (value - other) for other in others))
        return
    for chosen in product(*(tuple(_choices(argument)) for argument in expr.args)):
        yield (
            expr.func(*(value for value, _ in chosen)),
            tuple(d for _, differences in chosen for d in differences),
        )


def _solutions(plain: sp.Expr, x: sp.Symbol, rhs: sp.Expr) -> list[sp.Expr]:
    """Solve one equation without extrema; identities and complex roots are no solutions."""
    numerator, denominator = sp.fraction(sp.cancel(sp.together(x - plain)))
    if not numerator.is_polynomial(x):
        raise refusal("rhs", rhs, f"is not a rational function of {x}")
    if numerator == 0:
        raise refusal(
            "rhs",
            rhs,
            f"{x} = {plain} holds for every {x}: the equation does not determine it",
            named=False,
        )
    if x not in numerator.free_symbols:
        return []
    unknown = sp.Dummy(
        "x"
    )  # without assumptions: a root is refused by its conditions, not by the sign of a symbol
    polynomial = sp.Poly(numerator.subs(x, unknown), unknown)
    if polynomial.free_symbols_in_domain:
        found = sp.roots(polynomial, cubics=False, quartics=False)
        if sum(found.values()) < polynomial.degree():
            raise refusal(
                "rhs",
                rhs,
                f"{x} = {plain} has no simple closed form (degree {polynomial.degree()}): give "
                "numbers for its parameters",
                named=False,
            )
    else:
        found = dict.fromkeys(polynomial.real_roots())
    return [
        sp.factor(root)
        for root in found
        if root.is_real is not False and sp.cancel(denominator.subs(x, root)) != 0
    ]


def _conditions(
    solution: sp.Expr, differences: list[sp.Expr], x: sp.Symbol
) -> tuple[sp.Basic, ...] | None:
    """Reduce what must be nonnegative, and the sign of the unknown; None if it never holds."""
    kept: dict[sp.Basic, None] = {}
    for difference in [*differences, *([solution] if x.is_positive else [])]:
        if is_positive(difference) is True or sp.cancel(difference) == 0:
            continue
        if is_positive(difference) is False:
            return None
        condition = against_zero(difference, sp.Ge)
        if condition == sp.false:
            return None
        if condition != sp.true:
            kept[condition] = None
    return tuple(kept)
