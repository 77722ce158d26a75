"""Whether conditions on positive parameters can hold together: proved either way, or left undecided."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb, prod

import sympy as sp
from sympy.polys.polyerrors import BasePolynomialError

from ..relations import changing_part
from ._vertices import rational_vertices

_MOST_FACTORS = 8  # whose signs are tried in every combination
_TRIES = 30
_MOST_BASES = 20_000


def can_be_positive(signs: Sequence[sp.Expr]) -> bool | None:
    r"""Tell whether all of some expressions can be positive at once.

    Parameters
    ----------
    signs : sequence of Expr
        Rational functions of symbols that are positive.

    Returns
    -------
    bool or None
        True if a point was found where they are, False if there is none, None if neither is proved.

    Notes
    -----
    First a few random points are tried, in fractions: one is a proof. Then every expression is split into irreducible factors
    of changing sign. For each assignment of signs to factors that makes all expressions positive, Gordan's alternative decides in
    fractions: either some combination of them with weights that are not negative vanishes, or they can all be positive.
    Products of symbols are taken for positive unknowns of their own: a refutation then still is one, a point is not.

    Examples
    --------
    >>> a, b, c = sp.symbols("a b c", positive=True)
    >>> can_be_positive([b - c, c - b]), can_be_positive([a - b, b - c])
    (False, True)
    """
    names = sorted(set().union(*(sign.free_symbols for sign in signs)), key=str)
    if not names:
        return all(bool(sign.is_positive) for sign in signs)
    if _at_some_point([sp.Mul(*sp.fraction(sign)) for sign in signs], names):
        return True
    kept = [changing_part(sign) for sign in signs]
    changing = [part for part in kept if part.free_symbols]
    if any(part.is_positive is not True for part in kept if not part.free_symbols):
        return False
    splits = [_factors(part) for part in changing]
    distinct = list(dict.fromkeys(factor for _, factors in splits for factor in factors))
    if len(distinct) > _MOST_FACTORS:
        return None
    outcomes = {_linear_program(pattern) for pattern in _patterns(splits, distinct)}
    return True if True in outcomes else None if None in outcomes else False


def _factors(kept: sp.Expr) -> tuple[sp.Expr, list[sp.Expr]]:
    """Split into a number and the factors whose signs decide: those of odd power."""
    number, powers = sp.factor_list(kept)
    return number, [factor for factor, power in powers if power % 2]


def _patterns(
    splits: list[tuple[sp.Expr, list[sp.Expr]]], distinct: list[sp.Expr]
) -> Iterator[list[sp.Expr]]:
    """Yield, for every assignment of signs that makes all products positive, what must be positive."""
    for signs in product((1, -1), repeat=len(distinct)):
        chosen = dict(zip(distinct, signs, strict=True))
        if any(factor.is_positive and sign < 0 for factor, sign in chosen.items()):
            continue
        if all(
            number * sp.prod(chosen[factor] for factor in factors) > 0 for number, factors in splits
        ):
            yield [sign * factor for factor, sign in chosen.items()]


def _linear_program(positive: list[sp.Expr]) -> bool | None:
    """Tell whether expressions can be positive, every product of symbols taken for an unknown of its own; None if such are needed."""
    terms = [
        [term.as_coeff_Mul() for term in sp.Add.make_args(sp.expand(expr))] for expr in positive
    ]
    unknowns = list(dict.fromkeys([sp.S.One, *(part for row in terms for _, part in row)]))
    if not all(part.is_positive for part in unknowns):
        return None
    rows = [[Fraction(0)] * len(unknowns) for _ in terms]
    for row, entries in zip(rows, terms, strict=True):
        for number, part in entries:
            row[unknowns.index(part)] += Fraction(int(number.p), int(number.q))
    rows += [[Fraction(one is other) for other in unknowns] for one in unknowns]
    if comb(len(rows), len(unknowns) + 1) > _MOST_BASES:
        return None
    # Gordan: some nonnegative combination of the rows vanishes, or all of them can be positive
    target = [Fraction(0)] * len(unknowns) + [Fraction(1)]
    if rational_vertices([[*row, Fraction(1)] for row in rows], target):
        return False
    return True if all(part.is_Symbol or part is sp.S.One for part in unknowns) else None


def _at_some_point(exprs: list[sp.Expr], names: list[sp.Symbol]) -> bool:
    """Try random points, in whole numbers of twentieths."""
    source = random.Random(0)
    points = [[Fraction(source.randrange(1, 80), 20) for _ in names] for _ in range(_TRIES)]
    try:
        polynomials = [sp.Poly(expr, *names, domain="QQ") for expr in exprs]
    except BasePolynomialError:  # with radicals
        exact = (
            {
                name: sp.Rational(one.numerator, one.denominator)
                for name, one in zip(names, point, strict=True)
            }
            for point in points
        )
        return any(
            all(sp.expand(expr.subs(point)).is_positive for expr in exprs) for point in exact
        )
    rows = [
        [(powers, Fraction(int(number.p), int(number.q))) for powers, number in entry.terms()]
        for entry in polynomials
    ]
    return any(all(_polynomial(row, point) > 0 for row in rows) for point in points)


def _polynomial(row: list[tuple[tuple[int, ...], Fraction]], point: list[Fraction]) -> Fraction:
    return sum(
        (
            number * prod(one**power for one, power in zip(point, powers, strict=True) if power)
            for powers, number in row
        ),
        Fraction(0),
    )
