"""Whether conditions on positive parameters can hold together: proved either way, or left undecided."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product

import sympy as sp
from sympy.solvers.simplex import InfeasibleLPError, lpmax

from ..relations import changing_part

_MOST_FACTORS = 8  # whose signs are tried in every combination
_TRIES = 30
_ROOM = sp.Dummy("room")


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
    of changing sign. For each assignment of signs to factors that makes all expressions positive, an exact linear program looks
    for a point; products of symbols are taken for positive unknowns of their own. If no program has a point, there is none
    (Farkas' lemma). A point that a program has counts only if all expressions are positive there: always so without products.

    Examples
    --------
    >>> a, b, c = sp.symbols("a b c", positive=True)
    >>> can_be_positive([b - c, c - b]), can_be_positive([a - b, b - c])
    (False, True)
    """
    kept = [changing_part(sign) for sign in signs]
    changing = [part for part in kept if part.free_symbols]
    if any(part.is_positive is not True for part in kept if not part.free_symbols):
        return False
    names = sorted(set().union(*(part.free_symbols for part in changing)), key=str)
    source = random.Random(0)
    for _ in range(_TRIES if names else 0):
        point = {name: sp.Rational(source.randrange(1, 80), 20) for name in names}
        if _positive(changing, point):
            return True
    splits = [_factors(part) for part in changing]
    distinct = list(dict.fromkeys(factor for _, factors in splits for factor in factors))
    if len(distinct) > _MOST_FACTORS:
        return None
    points = [_inside(pattern, names) for pattern in _patterns(splits, distinct)]
    found = [point for point in points if point is not None]
    if any(_positive(changing, point) for point in found):
        return True
    return None if found else False


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


def _inside(positive: list[sp.Expr], names: list[sp.Symbol]) -> dict[sp.Symbol, sp.Expr] | None:
    """Find a point where expressions are positive, every product of symbols taken for an unknown of its own."""
    unknowns: dict[sp.Expr, sp.Dummy] = {}
    constraints = [_ROOM <= 1]
    for expr in positive:
        terms = []
        for term in sp.Add.make_args(sp.expand(expr)):
            coefficient, monomial = term.as_coeff_Mul()
            if monomial != 1:
                monomial = unknowns.setdefault(monomial, sp.Dummy(str(monomial)))
            terms.append(coefficient * monomial)
        constraints.append(sp.Add(*terms) >= _ROOM)
    constraints += [
        unknown >= _ROOM for monomial, unknown in unknowns.items() if monomial.is_positive
    ]
    try:
        room, found = lpmax(_ROOM, constraints)
    except InfeasibleLPError:
        return None
    if room <= 0:
        return None
    return {name: found.get(unknowns.get(name), sp.S.One) for name in names}


def _positive(exprs: list[sp.Expr], point: dict[sp.Symbol, sp.Expr]) -> bool:
    return all(sp.expand(expr.subs(point)).is_positive is True for expr in exprs)
