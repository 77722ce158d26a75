"""Monomials in scales: split, multiplied and compared by their exponents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp

from ..errors import refusal
from ..reprs import short_repr
from .parameters import as_expression, to_exact
from .relations import factored, vanishes

_ROOT = 1000  # denominators of exponents up to which SymPy takes powers of numbers as a whole
_LARGEST_PRIME = 2**15  # that is looked for


@short_repr
@dataclass(frozen=True)
class Monomial:
    """A coefficient times powers of the free scales.

    Attributes
    ----------
    expr : Expr
        As it was given.
    coefficient : Expr
        The factor in front; of a budget or cap, the bound divided by it.
    exponents : tuple of Expr
        Powers of the free scales, in their order.
    """

    expr: sp.Basic
    coefficient: sp.Expr
    exponents: tuple[sp.Expr, ...]


def monomial(argument: str, expr: Any, free: tuple[sp.Symbol, ...]) -> Monomial:
    """Split a monomial into coefficient and powers of the free scales.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for error messages.
    expr : Expr
        The monomial.
    free : tuple of Symbol
        The free scales; all other symbols belong to the coefficient.

    Returns
    -------
    Monomial
        Exponents reduced, floats among them read as decimals.

    Raises
    ------
    DomainError
        If it is no monomial, or the sign of its coefficient is not positive or cannot be decided.
    """
    expr = as_expression(argument, expr)
    powers = dict.fromkeys(free, sp.S.Zero)
    coefficient = sp.S.One
    for factor in sp.Mul.make_args(sp.expand_power_exp(_spread(expr))):
        base, power = factor.as_base_exp()
        if base in powers and not power.free_symbols & set(free):
            powers[base] += power
        elif not factor.free_symbols & set(free):
            coefficient *= factor
        else:
            raise refusal(
                argument,
                expr,
                f": {expr} is not a monomial in {', '.join(map(str, free))}: {factor} cannot be split",
                shown=False,
            )
    if not coefficient.is_positive:
        raise refusal(
            argument,
            expr,
            f": the coefficient {coefficient} of {expr} must be positive; declare its symbols "
            "with positive=True, or put a positive symbol in its place",
            shown=False,
        )
    exponents = tuple(sp.cancel(exact_numbers(power)) for power in powers.values())
    for power in exponents:
        if power.is_extended_real is False or power.has(sp.oo, sp.zoo, sp.nan):
            raise refusal(
                argument, expr, f": the exponent {power} in {expr} must be real", shown=False
            )
    return Monomial(expr, coefficient, exponents)


@lru_cache(maxsize=8192)
def _spread(expr: sp.Expr) -> sp.Expr:
    """Write a product as powers of single factors; all of them are positive."""
    if not any(power.base.is_Pow or power.base.is_Mul for power in expr.atoms(sp.Pow)):
        return expr
    return sp.expand_power_base(sp.powdenest(expr, force=True), force=True)


def exact_numbers(expr: sp.Expr) -> sp.Expr:
    """Read floats as the decimals they print as."""
    return expr.xreplace({number: to_exact(float(number)) for number in expr.atoms(sp.Float)})


def like_terms(terms: list[Monomial]) -> tuple[Monomial, ...]:
    """Add up terms that differ by a number only: they are one term."""
    kept: list[Monomial] = []
    for term in terms:
        for number, other in enumerate(kept):
            alike = (term.coefficient / other.coefficient).is_number
            if alike and all(
                vanishes(one - two)
                for one, two in zip(term.exponents, other.exponents, strict=True)
            ):
                kept[number] = Monomial(
                    other.expr + term.expr, other.coefficient + term.coefficient, other.exponents
                )
                break
        else:
            kept.append(term)
    return tuple(kept)


def power_product(factors: Iterable[tuple[sp.Expr, sp.Expr]]) -> sp.Expr:
    """Multiply powers, collecting equal bases and reducing their exponents.

    Examples
    --------
    >>> a, x = sp.symbols("a x", positive=True)
    >>> power_product([(2 * x, a), (x, 1 - a)])
    2**a*x
    """
    powers: dict[sp.Expr, sp.Expr] = {}
    for expr, exponent in factors:
        for factor in sp.Mul.make_args(_spread(expr)):
            base, power = factor.as_base_exp()
            powers[base] = powers.get(base, sp.S.Zero) + power * exponent
    return sp.Mul(*(raised(base, reduced(power)) for base, power in powers.items()))


def raised(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """Raise a base to a power; of a number, each of its primes.

    With a large denominator in the exponent, SymPy would collect the primes of a number in one root of an integer of as many digits.

    Examples
    --------
    >>> raised(sp.Integer(96) * 10**21, sp.Rational(-3180631, 17840000)).evalf(6)
    7.99046e-5
    """
    if not (base.is_Rational and exponent.is_Rational and exponent.q > _ROOT and base.is_positive):
        return base**exponent
    primes = sp.factorrat(base, limit=_LARGEST_PRIME)
    return sp.Mul(*(sp.Integer(prime) ** (count * exponent) for prime, count in primes.items()))


def with_numbers(expr: sp.Expr, numbers: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Insert numbers into sums and products of powers; of numbers, `power_product` tells how powers are taken.

    Examples
    --------
    >>> a, x = sp.symbols("a x", positive=True)
    >>> with_numbers(x**a + x, {x: sp.Integer(9), a: sp.Rational(1, 2)})
    12
    """
    if expr.is_Add or expr.is_Mul:
        return expr.func(*(with_numbers(part, numbers) for part in expr.args))
    if expr.is_Pow:
        return raised(with_numbers(expr.base, numbers), with_numbers(expr.exp, numbers))
    return expr.subs(numbers)


@lru_cache(maxsize=8192)
def power_of(monomial: sp.Expr, scale: sp.Symbol) -> sp.Expr:
    """Return the exponent of a symbol in a monomial.

    Examples
    --------
    >>> x, y = sp.symbols("x y", positive=True)
    >>> power_of(3 * x**2 / y, y)
    -1
    """
    total = sp.S.Zero
    for factor in sp.Mul.make_args(_spread(monomial)):
        base, power = factor.as_base_exp()
        if base == scale:
            total += power
        elif scale in factor.free_symbols:
            raise refusal("scale", scale, f"{monomial} is not a power of {scale}", named=False)
    return reduced(total)


@lru_cache(maxsize=8192)
def reduced(exponent: sp.Expr) -> sp.Expr:
    """Write a rational exponent in lowest terms, with as few minus signs as possible.

    Examples
    --------
    >>> a, b = sp.symbols("a b", positive=True)
    >>> reduced((1 - a) / (-a - b)), reduced(1 - a / 2), reduced(-a * b / (a + b))
    ((a - 1)/(a + b), 1 - a/2, -a*b/(a + b))
    """
    form = factored(exponent)
    if not form.free_symbols:
        return sp.radsimp(form)
    numerator, denominator = sp.fraction(form)
    if denominator.is_number:
        expanded = sp.expand(form)
        return expanded if expanded.is_Add and len(expanded.args) == 2 else form
    if sum(_minus_signs(part) for part in (-numerator, -denominator)) < sum(
        _minus_signs(part) for part in (numerator, denominator)
    ):
        return factored(-numerator) / factored(-denominator)
    return form


def _minus_signs(expr: sp.Expr) -> int:
    return sum(term.as_coeff_Mul()[0].is_negative for term in sp.Add.make_args(sp.expand(expr)))
