"""What a law or a derivation says, as blocks.

A law turns into blocks once (`Law.blocks`, `Law.derivation_blocks`); `rendering` writes them as text, Markdown, HTML, LaTeX and
JSON. A block holds expressions, not their spelling. A document has one block of a kind, the last; each rendering has its own
order, and leaves out the kinds that it does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ..reprs import short_repr
from .evaluation import Evaluation
from .records import Caution, Form, Misprint, Published, Regime
from .references import Reference
from .steps import Step, StepCheck


@short_repr
@dataclass(frozen=True)
class Title:
    """Whose document it is.

    Attributes
    ----------
    name, statement : str
        Of the law.
    """

    name: str
    statement: str


@short_repr
@dataclass(frozen=True)
class Scaling:
    """The law as a formula.

    Attributes
    ----------
    quantity : str
        What scales.
    variable : Symbol
        With what.
    exponent : Expr
        g of ``variable**-g``, or of ``variable**g`` if the quantity grows.
    constant : Expr or None
        Leading constant, where it is known.
    growth : bool
        Whether the quantity grows.
    notation : str
        In whose symbols formulas are written.
    branches : int
        How many regimes there are.
    """

    quantity: str
    variable: sp.Symbol
    exponent: sp.Expr
    constant: sp.Expr | None
    growth: bool
    notation: str
    branches: int

    @property
    def letter(self) -> str:
        """What the constant is called: c, or k where c is a parameter, and not the constant itself."""
        parts = [part for part in (self.exponent, self.constant) if part is not None]
        taken = {str(symbol) for part in parts for symbol in part.free_symbols}
        return "k" if "c" in taken and str(self.constant) != "c" else "c"


@short_repr
@dataclass(frozen=True)
class Symbols:
    """What the parameters mean.

    Attributes
    ----------
    meanings : mapping of str to str
        By name.
    printed : mapping of str to str
        How formulas write names, where that differs.
    """

    meanings: Mapping[str, str]
    printed: Mapping[str, str] = field(default_factory=dict)


@short_repr
@dataclass(frozen=True)
class Domain:
    """Where the law holds.

    Attributes
    ----------
    conditions : tuple of Basic
        All of them at once; none if it holds everywhere.
    """

    conditions: tuple[sp.Basic, ...]


@short_repr
@dataclass(frozen=True)
class Standing:
    """How far the law is derived.

    Attributes
    ----------
    law : str
        Its name.
    standing : str
        One of the standings of `Law`.
    assumption : str
        What the whole theory takes for granted; empty if there is nothing to say.
    notation : str
        In which the law is written; empty for its own.
    """

    law: str
    standing: str
    assumption: str = ""
    notation: str = ""


@short_repr
@dataclass(frozen=True)
class Tested:
    """What tests the law.

    Attributes
    ----------
    checks : tuple of str
        Names of checks, for `scalinglaws.verify.run`; empty if there are none.
    """

    checks: tuple[str, ...]


@short_repr
@dataclass(frozen=True)
class Warned:
    """Where the law is easily misread.

    Attributes
    ----------
    caution : Caution
        With its condition in the law's notation.
    """

    caution: Caution


@short_repr
@dataclass(frozen=True)
class Regimes:
    """The branches of the law.

    Attributes
    ----------
    variable : Symbol
        What the law scales with.
    regimes : tuple of Regime
        All of them, boundaries included.
    """

    variable: sp.Symbol
    regimes: tuple[Regime, ...]


@short_repr
@dataclass(frozen=True)
class Formulas:
    """Formulas that come with the law.

    Attributes
    ----------
    forms : mapping of str to Form
        By name.
    """

    forms: Mapping[str, Form]


@short_repr
@dataclass(frozen=True)
class Steps:
    """A derivation.

    Attributes
    ----------
    steps : tuple of Step
        In order.
    checks : tuple of StepCheck or None
        What the machine found, if it was asked.
    """

    steps: tuple[Step, ...]
    checks: tuple[StepCheck, ...] | None = None


@short_repr
@dataclass(frozen=True)
class Conclusion:
    """What a derivation ends with.

    Attributes
    ----------
    exponent : Expr
        Of the law.
    conditions : tuple of Basic
        Where the law holds.
    """

    exponent: sp.Expr
    conditions: tuple[sp.Basic, ...]


@short_repr
@dataclass(frozen=True)
class Value:
    """The law at given parameters.

    Attributes
    ----------
    values : mapping of str to number
        The parameters, exact.
    exponent : Rational
        The exponent there.
    regime : str
        The branch that holds there.
    log_power : object
        Power of the logarithm of the variable; None if one is possible and not known.
    variable : Symbol
        What the law scales with.
    """

    values: Mapping[str, Any]
    exponent: Any
    regime: str
    log_power: Any
    variable: sp.Symbol


@short_repr
@dataclass(frozen=True)
class Evaluated:
    """The formulas at given numbers.

    Attributes
    ----------
    values : mapping of str to number
        The numbers, exact.
    entries : tuple of Evaluation
        Each formula with its value, or with what it lacks.
    digits : int
        Significant digits that are shown.
    """

    values: Mapping[str, Any]
    entries: tuple[Evaluation, ...]
    digits: int


@short_repr
@dataclass(frozen=True)
class Elsewhere:
    """What is printed elsewhere in place of the law.

    Attributes
    ----------
    published : Published or None
        The formula, why it is not this law's, and where it is printed; None if no other is known.
    exponent : Expr or None
        The printed exponent in the law's notation.
    value : object
        Its value at given parameters; None if none are given.
    factor : float or None
        What is printed over what is derived, at the parameters and large values of the variable; None where it is not known.
    misprints : tuple of Misprint
        Slips in print that do not reach the law itself.
    """

    published: Published | None
    exponent: sp.Expr | None
    value: Any = None
    factor: float | None = None
    misprints: tuple[Misprint, ...] = ()


@short_repr
@dataclass(frozen=True)
class Sources:
    """Where it all comes from.

    Attributes
    ----------
    references : tuple of Reference
        In order of first use.
    """

    references: tuple[Reference, ...]


Block = (
    Title
    | Scaling
    | Symbols
    | Domain
    | Standing
    | Tested
    | Warned
    | Regimes
    | Formulas
    | Steps
    | Conclusion
    | Value
    | Evaluated
    | Elsewhere
    | Sources
)
