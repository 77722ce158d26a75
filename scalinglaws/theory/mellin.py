r"""Functions on the positive axis, stored as ratios of Gamma functions.

.. math:: g^*(s) = \int_0^\infty x^{s-1} g(x)\,dx = C\,c^{\,s}\,\frac{\prod_i \Gamma(a_i + b_i s)}{\prod_j \Gamma(c_j + d_j s)}

The poles of the transform encode how the function behaves at zero and at infinity, and stay simple under every operation here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from ..arguments import flag, instance
from ..errors import refusal
from ..reprs import short_repr
from .parameters import as_expression

X = sp.Symbol("x", positive=True)

_LARGEST = 1000  # exponent whose factorial can be written down
POLE_SEARCH = 16  # poles of one Gamma looked at before concluding that the rest are cancelled, as for a step function


def _at_gamma_pole(argument: sp.Expr) -> bool:
    value = sp.cancel(argument)
    return bool(value.is_integer and value.is_nonpositive)


def _gamma(name: str, argument: sp.Expr) -> sp.Expr:
    """Write a Gamma function, of a number only where its factorial can be written down."""
    value = sp.cancel(argument)
    if value.is_number and abs(value) > _LARGEST:
        raise refusal(name, value, f"asks for Gamma beyond {_LARGEST}")
    return sp.gamma(value)


@short_repr
@dataclass(frozen=True)
class MellinSymbol:
    r"""A function on the positive axis, stored through its Mellin transform.

    Attributes
    ----------
    numerator : tuple of (a, b, first)
        Factors :math:`\Gamma(a + b s)`. Poles :math:`s_j = -(a + j)/b`. For ``b > 0`` those with ``j >= first`` lie to
        the left of the strip of convergence (they encode the behaviour at 0), the others to the right; mirrored for ``b < 0``.
    denominator : tuple of (c, d)
        Factors :math:`1/\Gamma(c + d s)`.
    coefficient, base : Expr
        The factors :math:`C` and :math:`c^s`.
    function : Expr
        The function itself, in the variable `X`.

    Examples
    --------
    >>> EXP.compose(-2).function
    exp(-1/x**2)
    >>> RATIONAL(1, 1).transform(sp.Symbol("s"))
    gamma(-s)*gamma(s + 1)
    """

    numerator: tuple[tuple[sp.Expr, sp.Expr, int], ...]
    denominator: tuple[tuple[sp.Expr, sp.Expr], ...] = ()
    coefficient: sp.Expr = sp.S.One
    base: sp.Expr = sp.S.One
    function: sp.Expr = field(default=sp.S.Zero, compare=False)

    def __post_init__(self) -> None:
        """Refuse Gamma factors whose poles cannot be put on one side."""
        instance("numerator", self.numerator, tuple)
        for _, given, _ in self.numerator:
            slope = as_expression("numerator", given)
            if not (slope.is_positive or slope.is_negative):
                raise refusal(
                    "numerator",
                    slope,
                    f"the sign of {slope} is undecidable: declare its symbols with positive=True, or give "
                    "numbers",
                    named=False,
                )

    def transform(self, s: sp.Expr) -> sp.Expr:
        """Return the Mellin transform at `s`; at a number, where all Gamma functions are of numbers up to 1000 in size."""
        s = as_expression("s", s)
        return (
            self.coefficient
            * self.base**s
            * sp.Mul(*(_gamma("s", a + b * s) for a, b, _ in self.numerator))
            / sp.Mul(*(_gamma("s", c + d * s) for c, d in self.denominator))
        )

    def compose(self, power: sp.Expr | float) -> MellinSymbol:
        """Return ``x -> g(x**power)`` for a nonzero power of known sign."""
        c = as_expression("power", power)
        if not (c.is_positive or c.is_negative):
            raise refusal(
                "power",
                c,
                "must be nonzero and of known sign: declare its symbols with positive=True",
            )
        return MellinSymbol(
            tuple((a, b / c, first) for a, b, first in self.numerator),
            tuple((a, b / c) for a, b in self.denominator),
            self.coefficient / (c if c.is_positive else -c),
            self.base ** (1 / c),
            self.function.subs(X, X**c),
        )

    def scale(self, factor: sp.Expr | float) -> MellinSymbol:
        """Return ``x -> g(factor * x)`` for a positive factor."""
        factor = as_expression("factor", factor)
        if not factor.is_positive:
            raise refusal("factor", factor, "must be positive")
        return replace(self, base=self.base / factor, function=self.function.subs(X, factor * X))

    def times_power(self, power: sp.Expr | float) -> MellinSymbol:
        """Return ``x -> x**power * g(x)``."""
        q = as_expression("power", power)
        return MellinSymbol(
            tuple((a + b * q, b, first) for a, b, first in self.numerator),
            tuple((c + d * q, d) for c, d in self.denominator),
            self.coefficient * self.base**q,
            self.base,
            X**q * self.function,
        )

    def __mul__(self, factor: sp.Expr | float) -> MellinSymbol:
        factor = as_expression("factor", factor)
        return replace(self, coefficient=factor * self.coefficient, function=factor * self.function)

    __rmul__ = __mul__

    def __neg__(self) -> MellinSymbol:
        return self * -1

    def __add__(self, other: MellinSymbol | MellinCombination) -> MellinCombination:
        return MellinCombination((self,)) + other

    def __sub__(self, other: MellinSymbol | MellinCombination) -> MellinCombination:
        return self + (-other)

    # -- poles ------------------------------------------------------------------------------------------------------

    def poles(self, index: int, *, left: bool) -> Iterator[Pole]:
        """Yield the uncancelled poles of one Gamma factor on one side, nearest to the strip first."""
        a, b, first = self.numerator[index]
        outward = bool(b.is_positive) == flag("left", left)
        orders = range(first, first + POLE_SEARCH) if outward else range(first - 1, -1, -1)
        for j in orders:
            place = sp.cancel(-(a + j) / b)
            if not any(_at_gamma_pole(c + d * place) for c, d in self.denominator):
                yield Pole(self, index, j, place)

    def right_poles(self) -> list[sp.Expr]:
        """Return the nearest right pole of every Gamma factor that has one."""
        return [
            pole.place
            for i in range(len(self.numerator))
            if (pole := next(self.poles(i, left=False), None)) is not None
        ]


@short_repr
@dataclass(frozen=True)
class Pole:
    """The pole of order ``order`` of one Gamma factor of a symbol."""

    symbol: MellinSymbol
    index: int
    order: int
    place: sp.Expr

    def own_residue(self) -> sp.Expr:
        """Residue of the Gamma factor alone."""
        return sp.S.NegativeOne**self.order / (
            sp.factorial(self.order) * self.symbol.numerator[self.index][1]
        )

    def rest(self, *without: int) -> sp.Expr:
        """Everything but the Gamma factors `without`, at the pole."""
        kept = tuple(entry for i, entry in enumerate(self.symbol.numerator) if i not in without)
        return replace(self.symbol, numerator=kept).transform(self.place)

    def residue(self) -> sp.Expr:
        """Residue of the whole transform."""
        return self.own_residue() * self.rest(self.index)


@short_repr
@dataclass(frozen=True)
class MellinCombination:
    """A linear combination of symbols; every operation acts term by term."""

    symbols: tuple[MellinSymbol, ...]

    @property
    def function(self) -> sp.Expr:
        """The function itself, in the variable `X`."""
        return sp.Add(*(entry.function for entry in self.symbols))

    def like_terms(self) -> tuple[MellinSymbol, ...]:
        """Return the symbols with multiples of the same function added up, and those that vanish left out."""
        found: dict[tuple[object, ...], MellinSymbol] = {}
        for entry in self.symbols:
            key = (entry.numerator, entry.denominator, entry.base)
            if key in found:
                first = found[key]
                entry = replace(
                    entry,
                    coefficient=first.coefficient + entry.coefficient,
                    function=first.function + entry.function,
                )
            found[key] = entry
        return tuple(entry for entry in found.values() if sp.expand(entry.coefficient) != 0)

    def transform(self, s: sp.Expr) -> sp.Expr:
        """Return the Mellin transform at `s`."""
        return sp.Add(*(entry.transform(s) for entry in self.symbols))

    def compose(self, power: sp.Expr | float) -> MellinCombination:
        """Return ``x -> g(x**power)``."""
        return MellinCombination(tuple(entry.compose(power) for entry in self.symbols))

    def scale(self, factor: sp.Expr | float) -> MellinCombination:
        """Return ``x -> g(factor * x)``."""
        return MellinCombination(tuple(entry.scale(factor) for entry in self.symbols))

    def times_power(self, power: sp.Expr | float) -> MellinCombination:
        """Return ``x -> x**power * g(x)``."""
        return MellinCombination(tuple(entry.times_power(power) for entry in self.symbols))

    def __mul__(self, factor: sp.Expr | float) -> MellinCombination:
        return MellinCombination(tuple(entry * factor for entry in self.symbols))

    __rmul__ = __mul__

    def __neg__(self) -> MellinCombination:
        return self * -1

    def __add__(self, other: MellinSymbol | MellinCombination) -> MellinCombination:
        if not isinstance(other, (MellinSymbol, MellinCombination)):
            return NotImplemented
        return MellinCombination(
            self.symbols + (other.symbols if isinstance(other, MellinCombination) else (other,))
        )

    def __sub__(self, other: MellinSymbol | MellinCombination) -> MellinCombination:
        return self + (-other)


EXP = MellinSymbol(((sp.S.Zero, sp.S.One, 0),), function=sp.exp(-X))
r""":math:`e^{-x}`."""

ONE_MINUS_EXP = MellinSymbol(
    ((sp.S.Zero, sp.S.One, 1),), coefficient=sp.S.NegativeOne, function=1 - sp.exp(-X)
)
r""":math:`1 - e^{-x}`: minus :math:`\Gamma(s)` on the strip :math:`-1 < \Re s < 0`."""

STEP = MellinSymbol(
    ((sp.S.Zero, sp.S.One, 0),), ((sp.S.One, sp.S.One),), function=sp.Heaviside(1 - X, 1)
)
r""":math:`\theta(1 - x)`."""

TAIL = MellinSymbol(
    ((sp.S.Zero, -sp.S.One, 0),), ((sp.S.One, -sp.S.One),), function=sp.Heaviside(X - 1, 0)
)
r""":math:`\theta(x - 1)`."""


def RATIONAL(m: sp.Expr | float, n: sp.Expr | float) -> MellinSymbol:
    r"""Return the symbol of :math:`x^m / (1 + x)^n`.

    Parameters
    ----------
    m, n : Expr or number
        Exponents; ``n > 0``. A number n is at most 1000, so that its factorial can be written down.

    Returns
    -------
    MellinSymbol
        With transform :math:`\Gamma(s + m)\,\Gamma(n - m - s)/\Gamma(n)`.

    Examples
    --------
    >>> RATIONAL(2, 2).function
    x**2/(x + 1)**2
    """
    m, n = as_expression("m", m), as_expression("n", n)
    if not n.is_positive:
        raise refusal("n", n, "must be positive")
    return MellinSymbol(
        ((m, sp.S.One, 0), (n - m, -sp.S.One, 0)),
        (),
        1 / _gamma("n", n),
        sp.S.One,
        X**m / (1 + X) ** n,
    )


def as_shape(name: str, value: Any) -> MellinSymbol | MellinCombination:
    """Return a shape; refuse plain expressions, whose Mellin transform is not known."""
    if not isinstance(value, (MellinSymbol, MellinCombination)):
        raise refusal(
            name,
            value,
            "must be a shape: EXP, ONE_MINUS_EXP, STEP, TAIL, RATIONAL(m, n), a MellinSymbol of your "
            "own, or what their methods and sums give",
        )
    return value
