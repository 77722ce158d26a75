"""The records that laws are made of: branches, formulas, and the outcome of a derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from .derivation import Derivation
from .references import Reference


@dataclass(frozen=True)
class Published:
    """A formula as it is printed elsewhere, and why this package says something else.

    Attributes
    ----------
    expr : Expr
        The printed exponent, in (alpha, beta).
    reason : str
        Where it stops being right.
    reference : Reference
        Where it is printed.
    """

    expr: sp.Expr
    reason: str
    reference: Reference


@dataclass(frozen=True)
class Caution:
    """Where a law is right but easily misread.

    Attributes
    ----------
    condition : Basic
        Where, in (alpha, beta).
    reason : str
        What it does not say there.
    """

    condition: sp.Basic
    reason: str


@dataclass(frozen=True)
class Regime:
    """One branch of a law.

    Attributes
    ----------
    name : str
        What dominates.
    condition : Basic
        Where; ``true`` if everywhere.
    exponent : Expr
        g in ``constant * x**-g * log(x)**log_power``.
    constant : Expr
        Leading constant.
    log_power : int, Expr or None
        Power of the logarithm, 0 except on boundaries; None where a power of a logarithm is possible but not known.
    correction : tuple of Expr or None
        c and g of the relative size c x^-g of what the leading term leaves out; by default the ratio of the other
        regimes' terms to this one's.
    """

    name: str
    condition: sp.Basic
    exponent: sp.Expr
    constant: sp.Expr | None
    log_power: Any = 0
    correction: tuple[sp.Expr, sp.Expr] | None = None

    @property
    def on_boundary(self) -> bool:
        """Whether the branch holds only on a line, where an equality between parameters holds."""
        return bool(self.condition.atoms(sp.Eq))


@dataclass(frozen=True)
class Form:
    """A closed formula that belongs to a law.

    Attributes
    ----------
    expr : Expr
        The formula.
    statement : str
        What it gives.
    """

    expr: sp.Expr
    statement: str


@dataclass(frozen=True)
class Derived:
    """The outcome of a derivation.

    Attributes
    ----------
    regimes : tuple of Regime
        All branches, boundaries included.
    conditions : tuple of Relational
        What the derivation had to assume.
    build : Derivation or callable
        The steps, or a function of no arguments that writes them when they are first asked for.
    piecewise : bool
        The exponent goes by regime. By default the slowest decay among the regimes is the exponent.
    forms : mapping of str to Form
        Formulas that come with the derivation.
    """

    regimes: tuple[Regime, ...]
    conditions: tuple[sp.Basic, ...]
    build: Derivation | Callable[[], Derivation]
    piecewise: bool = False
    forms: Mapping[str, Form] = field(default_factory=dict)

    @cached_property
    def derivation(self) -> Derivation:
        """The steps."""
        return self.build if isinstance(self.build, Derivation) else self.build()

    @cached_property
    def expr(self) -> sp.Expr:
        """The exponent of the law."""
        if not self.piecewise:
            return sp.Min(*(regime.exponent for regime in self.regimes))
        inner = [regime for regime in self.regimes if not regime.on_boundary]
        if len(inner) == 1 and inner[0].condition == sp.true:
            return inner[0].exponent
        pieces = ((regime.exponent, _closed(regime.condition)) for regime in inner or self.regimes)
        return sp.Piecewise(
            *pieces, evaluate=False
        )  # evaluation would merge the conditions of equal exponents past recognition

    @cached_property
    def constant(self) -> sp.Expr | None:
        """The leading constant, by regime; None where it is not known."""
        if any(regime.constant is None for regime in self.regimes):
            return None
        if len(self.regimes) == 1:
            return self.regimes[0].constant
        return sp.Piecewise(*((regime.constant, regime.condition) for regime in self.regimes))


def _closed(condition: sp.Basic) -> sp.Basic:
    """Add its boundary to a region: exponents are continuous there."""
    if condition.atoms(sp.Eq):
        return condition
    weak = {sp.StrictGreaterThan: sp.Ge, sp.StrictLessThan: sp.Le}
    return condition.replace(
        lambda part: part.func in weak, lambda part: weak[part.func](*part.args)
    )
