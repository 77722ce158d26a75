"""What a pattern costs, as a posynomial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..balance import Power
from ._architectures import Architecture
from ._coordinates import SCALE
from ._rules import Pattern


@short_repr
@dataclass(frozen=True)
class Cost:
    r"""The cost of a pattern: minus the logarithm of its prior probability, up to constants.

    Attributes
    ----------
    pattern : Pattern
        What is paid for.
    terms : tuple of Expr
        Monomials in sizes and parameters: one per layer that is not lazy, and the readout.
    parameters : tuple of Symbol
        What is free: amplitudes u, numbers of specialized neurons M, inflations beta.
    bounds : tuple of Relational
        What the parameters must satisfy.
    sizes : mapping of Symbol to Expr
        The sizes as powers of d.
    """

    pattern: Pattern
    terms: tuple[sp.Expr, ...]
    parameters: tuple[sp.Symbol, ...]
    bounds: tuple[sp.Basic, ...]
    sizes: Mapping[sp.Symbol, sp.Expr] = field(compare=False)

    @property
    def expr(self) -> sp.Expr:
        """The posynomial."""
        return sp.Add(*self.terms)

    def __str__(self) -> str:
        bounds = f" with {', '.join(map(str, self.bounds))}" if self.bounds else ""
        return f"{self.expr}{bounds}"


def cost(pattern: Pattern) -> Cost:
    """Write the cost of a pattern.

    Parameters
    ----------
    pattern : Pattern
        From `enumerate_patterns`.

    Returns
    -------
    Cost
        Posynomial, parameters and bounds. Heuristic: prefactors are dropped.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import enumerate_patterns, fully_connected
    >>> for pattern in enumerate_patterns(fully_connected([1], 3)):
    ...     print(f"{pattern}: {cost(pattern).expr}")
    GP: d**3
    S1(1): N/u**6 + d*u**2
    S(1): M*d + N/M
    G(1): N*beta + d**3/beta**3
    """
    instance("pattern", pattern, Pattern)
    program, names = pattern.program, pattern.parameters
    terms = tuple(written_power(pattern, term) for term in program.terms)
    bounds: list[sp.Basic] = []
    for cap in program.caps:
        relation = written_bound(pattern, cap)
        if relation not in (sp.true, *bounds):
            bounds.append(relation)
    symbols = sizes_of(pattern)
    exponents = zip(symbols, pattern.architecture.size_exponents, strict=True)
    return Cost(
        pattern,
        terms,
        names,
        tuple(bounds),
        {name: SCALE**power for name, power in exponents if isinstance(name, sp.Symbol)},
    )


def sizes_of(pattern: Pattern) -> tuple[sp.Expr, ...]:
    """Return the size symbols; a dense network has no patches."""
    symbols = pattern.architecture.size_symbols
    if (
        isinstance(pattern.architecture, Architecture)
        and pattern.architecture.readout_multiplicity == 0
    ):
        return (*symbols[:-1], sp.S.One)
    return symbols


def written_power(pattern: Pattern, power: Power) -> sp.Expr:
    """Write a monomial in the symbols of a pattern."""
    factors = [
        *zip(sizes_of(pattern), power.sizes, strict=True),
        *zip(pattern.parameters, power.free, strict=True),
    ]
    return sp.Mul(
        *(
            base ** sp.Rational(exponent.numerator, exponent.denominator)
            for base, exponent in factors
        )
    )


def written_bound(pattern: Pattern, cap: Power) -> sp.Basic:
    """Write a cap as a person would: M >= 1, M <= N, u >= 1/sqrt(d), beta M/N <= 1."""
    single = [
        (name, power) for name, power in zip(pattern.parameters, cap.free, strict=True) if power
    ]
    if len(single) == 1:
        name, power = single[0]
        rest = Power(cap.sizes, (Fraction(0),) * len(cap.free))
        limit = written_power(pattern, rest ** (-1 / power))
        return sp.Ge(name, limit) if power < 0 else sp.Le(name, limit)
    return sp.Le(written_power(pattern, cap), 1)
