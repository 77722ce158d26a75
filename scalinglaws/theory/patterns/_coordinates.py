"""The symbols in which an architecture is described, as coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import sympy as sp

from ...reprs import short_repr
from ..balance._cells import Affine, Polygon, clip
from ..balance._vertices import Row
from ._architectures import Architecture, Attention

SCALE = sp.Symbol("d", positive=True)
FAR = Fraction(10**6)  # beyond every crossing of lines whose coefficients are small fractions


@short_repr
@dataclass(frozen=True)
class Space:
    """How size exponents depend on symbols.

    Attributes
    ----------
    symbols : tuple of Symbol
        Coordinates; none if all exponents are numbers.
    sizes : tuple of tuple of Fraction
        Each size exponent as a constant and one coefficient per symbol.
    """

    symbols: tuple[sp.Symbol, ...]
    sizes: tuple[Row, ...]

    @property
    def numbers(self) -> Row | None:
        """The size exponents, if they are numbers."""
        return None if self.symbols else tuple(row[0] for row in self.sizes)

    def row(self, form: Row) -> Row:
        """Turn a linear function of the size exponents into one of the symbols: a constant, then coefficients."""
        width = len(self.symbols) + 1
        return tuple(
            sum(
                (weight * size[k] for weight, size in zip(form, self.sizes, strict=True)),
                Fraction(0),
            )
            for k in range(width)
        )

    def plane(self, form: Row) -> Affine:
        """Return the same in exactly two coordinates, the second one idle if there is one symbol."""
        constant, *slopes = self.row(form)
        first, second, *_ = [*slopes, Fraction(0), Fraction(0)]
        return (constant, first, second)

    def written(self, form: Row) -> sp.Expr:
        """Return the same as an expression."""
        return written(self.row(form), self.symbols)

    def condition(self, form: Row) -> sp.Basic:
        """Write that a linear function of the size exponents is not negative."""
        if len(self.symbols) <= 2:
            return half_plane(self.plane(form), self.symbols)
        expr = self.written(form)
        return sp.Ge(expr, 0)

    @property
    def region(self) -> Polygon | None:
        """Where no size exponent is negative, as a polygon that ends far away; None for more than two symbols."""
        return None if len(self.symbols) > 2 else self.box([(Fraction(0), FAR)] * len(self.symbols))

    def box(self, ranges: Iterable[tuple[Fraction, Fraction]]) -> Polygon:
        """Return a rectangle, cut down to where no size exponent is negative."""
        (left, right), (low, high), *_ = [
            *ranges,
            (Fraction(0), Fraction(1)),
            (Fraction(0), Fraction(1)),
        ]
        polygon: Polygon = ((left, low), (right, low), (right, high), (left, high))
        for number in range(len(self.sizes)):
            unit = tuple(Fraction(index == number) for index in range(len(self.sizes)))
            if polygon:
                polygon = clip(polygon, self.plane(unit))
        return polygon


def space_of(architecture: Architecture | Attention) -> Space:
    """Read the coordinates of an architecture."""
    symbols = architecture.symbols
    rows = []
    for exponent in architecture.size_exponents:
        constant = exponent.subs(dict.fromkeys(symbols, 0))
        slopes = [
            exponent.coeff(symbol)
            if exponent.is_Add or exponent.is_Mul or exponent.is_Symbol
            else sp.S.Zero
            for symbol in symbols
        ]
        rows.append(tuple(Fraction(int(entry.p), int(entry.q)) for entry in (constant, *slopes)))
    return Space(symbols, tuple(rows))


def written(row: Row, symbols: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Write a constant and coefficients as an expression.

    Examples
    --------
    >>> written((Fraction(1, 2), Fraction(1)), (sp.Symbol("n", positive=True),))
    n + 1/2
    """
    return sp.Add(
        *(sp.Rational(entry) * base for entry, base in zip(row, (sp.S.One, *symbols), strict=True))
    )


def primitive(form: Affine) -> Affine:
    """Scale a linear function by a positive number so that its coefficients are the smallest integers.

    Examples
    --------
    >>> [str(entry) for entry in primitive((Fraction(1), Fraction(1, 2), Fraction(-3, 4)))]
    ['4', '2', '-3']
    """
    scale = lcm(*(entry.denominator for entry in form))
    whole = [int(entry * scale) for entry in form]
    common = gcd(*whole) or 1
    constant, first, second = (Fraction(entry // common) for entry in whole)
    return constant, first, second


def half_plane(form: Affine, symbols: tuple[sp.Symbol, ...]) -> sp.Basic:
    """Write that a linear function is not negative, with the constant on the right and the first symbol counted positively.

    Examples
    --------
    >>> half_plane((Fraction(1), Fraction(-1, 2), Fraction(0)), sp.symbols("n_1 n_2", positive=True))
    n_1 <= 2
    """
    constant, *slopes = primitive(form)
    leading = next((slope for slope in slopes if slope), Fraction(0))
    if not leading:
        return sp.true if constant >= 0 else sp.false
    sign = 1 if leading > 0 else -1
    size = abs(leading) if sum(bool(slope) for slope in slopes) == 1 else Fraction(1)
    left = sp.Add(
        *(
            sp.Rational(sign * slope / size) * name
            for slope, name in zip(slopes, symbols, strict=False)
        )
    )
    return (sp.Ge if sign > 0 else sp.Le)(left, sp.Rational(-sign * constant / size))
