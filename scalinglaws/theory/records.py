"""The records that laws are made of: branches, formulas, and the outcome of a derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ..arguments import flag
from ..reprs import short_repr
from .derivation import Derivation
from .references import Reference


@short_repr
@dataclass(frozen=True)
class Factor:
    """What is printed, over what is derived, at large values of the variable.

    Attributes
    ----------
    expr : Expr
        The factor, in (alpha, beta).
    condition : Basic
        Where it is this.
    """

    expr: sp.Expr
    condition: sp.Basic


@short_repr
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
    factor : Factor or None
        By how much it is off, where that is known: a number that depends on the parameters is computed at them, not told in `reason`.
    point : mapping of str to number
        Exact parameters at which the two formulas can be told apart, as an example.
    combined : bool
        The formula is not printed itself: it is what two printed ones give when one is put into the other.
    """

    expr: sp.Expr
    reason: str
    reference: Reference
    factor: Factor | None = None
    point: Mapping[str, Any] = field(default_factory=dict)
    combined: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no flag."""
        flag("combined", self.combined)

    def factor_at(self, values: Mapping[sp.Symbol, Any]) -> float | None:
        """Return the factor at given parameters; None where it is not known there, or no factor at all is."""
        if self.factor is None or not bool(sp.sympify(self.factor.condition).subs(values)):
            return None
        return float(sp.N(self.factor.expr.subs(values)))


@short_repr
@dataclass(frozen=True)
class Misprint:
    """A formula that is printed with a slip on the way to a law, or beside it, while the law itself is right in print.

    Attributes
    ----------
    name : str
        What it is about, in a word or two joined by hyphens.
    printed : str
        What stands there.
    correct : str
        What should.
    reason : str
        Why.
    source : str
        Where it is printed, down to the equation where that is known.
    """

    name: str
    printed: str
    correct: str
    reason: str
    source: str


@short_repr
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


@short_repr
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

    def at(
        self, points: Any, values: Mapping[sp.Symbol, sp.Expr], *, growth: bool = False
    ) -> NDArray[np.float64]:
        """Evaluate the branch at parameters, where its constant and the power of its logarithm are known.

        Parameters
        ----------
        points : ndarray
            x > 1, possibly infinite.
        values : mapping of Symbol to number
            Parameters.
        growth : bool
            The exponent is one of growth.

        Returns
        -------
        ndarray
            Of the shape of `points`.
        """
        exponent, constant, log_power = (
            float(sp.sympify(entry).subs(values))
            for entry in (self.exponent, self.constant, self.log_power)
        )
        slope = exponent if flag("growth", growth) else -exponent
        with np.errstate(over="ignore"):
            # one power of exp instead of a product, which would be 0 * inf at infinite x
            leading = slope or log_power
            far = np.inf * np.sign(leading) if leading else 0.0
            logs = log_power * np.log(np.log(np.minimum(points, 1e300)))
            finite = np.where(np.isinf(points), 2.0, points)
            power = np.where(np.isinf(points), far, slope * np.log(finite) + logs)
            return np.asarray(constant * np.exp(power))

    def left_out(self, other: Regime, values: Mapping[sp.Symbol, sp.Expr], x: float) -> float:
        """Return the size of another branch's term relative to this one's at x; 0 where one of them has logarithms or no constant."""
        if self.log_power or other.log_power or other is self or other.constant is None:
            return 0.0
        size, faded = self.correction or (
            other.constant / self.constant,
            other.exponent - self.exponent,
        )
        gap, ratio = float(faded.subs(values)), sp.Abs(sp.N(size.subs(values)))
        known = ratio.is_number and ratio.is_finite
        return float(ratio) * x**-gap if known else 0.0


@short_repr
@dataclass(frozen=True)
class Form:
    """A closed formula that belongs to a law.

    Attributes
    ----------
    expr : Expr
        The formula.
    statement : str
        What it gives.
    conditions : tuple of Relational
        What its symbols must satisfy, beyond their signs: strict inequalities.
    """

    expr: sp.Expr
    statement: str
    conditions: tuple[sp.Basic, ...] = ()


@short_repr
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

    def __post_init__(self) -> None:
        """Refuse what is no flag."""
        flag("piecewise", self.piecewise)

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
