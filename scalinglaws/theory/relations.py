"""Conditions on exponents, reduced to the form in which a person would write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import sympy as sp


@lru_cache(maxsize=8192)
def factored(expr: sp.Expr) -> sp.Expr:
    """Factor an expression, each one once: the same differences are asked for in many places."""
    return sp.factor(expr)


@lru_cache(maxsize=8192)
def is_positive(expr: sp.Expr) -> bool | None:
    """Decide the sign: True if positive, False if not, None if it depends on the parameters."""
    for form in (sp.cancel(expr), factored(expr)):
        if form.is_positive:
            return True
        if form.is_nonpositive:
            return False
    return None


def vanishes(expr: sp.Expr) -> bool:
    """Whether an expression is zero for all parameters."""
    return bool(sp.cancel(expr) == 0)


@lru_cache(maxsize=8192)
def changing_part(difference: sp.Expr) -> sp.Expr:
    """Drop the factors of known sign from a difference, keeping its own sign.

    Parameters
    ----------
    difference : Expr
        An expression in symbols declared positive.

    Returns
    -------
    Expr
        With the sign of `difference` everywhere; leading coefficient of unit size.

    Examples
    --------
    >>> alpha, beta = sp.symbols("alpha beta", positive=True)
    >>> changing_part(2 * alpha - alpha * beta)
    2 - beta
    """
    kept = sp.S.One
    numerator, denominator = sp.fraction(factored(difference))
    for factor in (
        *sp.Mul.make_args(numerator),
        *sp.Mul.make_args(denominator),
    ):  # 1/x has the sign of x
        base, power = factor.as_base_exp()
        if power.is_integer and power.is_positive and not base.is_number:
            factor = base if power.is_odd else base**2
        if factor.is_negative:
            kept = -kept
        elif not factor.is_positive:
            kept *= factor
    terms = sp.expand(kept)
    coefficient = (
        terms.as_coeff_Add()[1].as_coeff_Mul()[0] if terms.as_coeff_Add()[1].is_Mul else sp.S.One
    )
    return (
        sp.expand(terms / abs(coefficient)) if coefficient.is_number and coefficient != 0 else terms
    )


def against_zero(difference: sp.Expr, relation: Callable[[sp.Expr, sp.Expr], sp.Basic]) -> sp.Basic:
    """Write ``relation(difference, 0)`` reduced, with the constant on the right; a product stays one.

    Parameters
    ----------
    difference : Expr
        What is compared with zero.
    relation : callable
        ``sympy.Gt``, ``sympy.Eq`` and so on.

    Returns
    -------
    Basic
        A relation, or true or false where it does not depend on the symbols.

    Examples
    --------
    >>> a, b = sp.symbols("a b", positive=True)
    >>> against_zero((a - 1) / b, sp.Gt), against_zero(2 * b - (a - 1), sp.Gt)
    (a > 1, a - 2*b < 1)
    """
    kept = changing_part(difference)
    product = factored(kept)
    if product.is_Mul and sum(bool(factor.free_symbols) for factor in product.args) > 1:
        return relation(product, sp.S.Zero)
    constant, rest = kept.as_coeff_Add()
    if rest.could_extract_minus_sign():
        flipped = {sp.Gt: sp.Lt, sp.Ge: sp.Le, sp.Lt: sp.Gt, sp.Le: sp.Ge}
        return flipped.get(relation, relation)(-rest, constant)
    return relation(rest, -constant)


def strongest(conditions: Iterable[sp.Basic]) -> tuple[sp.Basic, ...]:
    """Drop conditions implied by others of the form ``same expression > constant``, and those that are always true.

    Examples
    --------
    >>> alpha = sp.Symbol("alpha", positive=True)
    >>> strongest([alpha > sp.Rational(1, 2), alpha > 1])
    (alpha > 1,)
    """
    kept: dict[sp.Basic, sp.Basic] = {}
    for condition in conditions:
        if condition == sp.true:
            continue
        bound = isinstance(condition, sp.StrictGreaterThan)
        key = condition.gts if bound else condition
        if key not in kept or (bound and (condition.lts - kept[key].lts).is_positive):
            kept[key] = condition
    return tuple(kept.values())
