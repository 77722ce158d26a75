"""Steps of derivations, and the relations that lead from one to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import sympy as sp

from ..arguments import choice, instance, text
from ..errors import refusal
from ..reprs import line, short_repr
from .parameters import as_expression
from .references import Reference


class Sign(NamedTuple):
    """How a relation is written.

    Attributes
    ----------
    text, latex : str
        Between the two sides of a step.
    """

    text: str
    latex: str


SIGNS = {
    "definition": Sign(":=", r"\equiv"),
    "equal": Sign("=", "="),
    "asymptotic": Sign("~", r"\sim"),
    "solves": Sign("=", "="),
    "balance": Sign("=", "="),
}
"""Every kind of relation, and its sign."""


@short_repr
@dataclass(frozen=True)
class Relation:
    """How a step follows from what was known of the same quantity.

    Attributes
    ----------
    kind : str
        ``"definition"``, ``"equal"``, ``"asymptotic"``, ``"balance"`` or ``"solves"``.
    variable : Symbol or None
        What grows without bound in an asymptotic step.
    equation : Eq or None
        What is solved, or which two terms are balanced.
    """

    kind: str
    variable: sp.Symbol | None = None
    equation: sp.Basic | None = None

    def __post_init__(self) -> None:
        """Refuse relations that no machine can check."""
        choice("kind", self.kind, SIGNS)
        if (self.kind == "asymptotic") != (self.variable is not None):
            raise refusal(
                "variable",
                self.variable,
                "an asymptotic relation, and no other, names its variable",
                named=False,
            )
        if (self.kind in ("solves", "balance")) != (self.equation is not None):
            raise refusal(
                "equation",
                self.equation,
                "a solution or a balance, and no other, names its equation",
                named=False,
            )

    def __str__(self) -> str:
        if self.variable is not None:
            return f"asymptotic, {self.variable} -> oo"
        if self.equation is not None:
            return f"{self.kind} {self.equation.lhs} = {self.equation.rhs}"
        return self.kind


def asymptotic(variable: sp.Symbol) -> Relation:
    """Relation of a leading term to the whole as `variable` grows."""
    return Relation("asymptotic", variable=variable)


def solves(equation: sp.Basic) -> Relation:
    """Relation of a solution to its equation."""
    return Relation("solves", equation=equation)


def balances(equation: sp.Basic) -> Relation:
    """Relation of an optimum to the two terms that are equal there."""
    return Relation("balance", equation=equation)


DEFINITION = Relation("definition")
EQUAL = Relation("equal")


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes
    ----------
    expr : Eq
        ``Eq(quantity, expression, evaluate=False)``; the quantity is a symbol.
    relation : Relation
        Why the line follows from earlier ones.
    reason : str
        The same for a person.
    reference : Reference or None
        Where the line comes from, if from outside.
    where : Basic
        The case that the line belongs to; ``true`` if it holds in all of the validity region.
    """

    expr: sp.Basic
    relation: Relation
    reason: str
    reference: Reference | None = None
    where: sp.Basic = sp.true

    def __repr__(self) -> str:
        return line(f"<Step {self}: {self.relation}>")

    def __str__(self) -> str:
        return f"{self.quantity} {self.sign.text} {self.value}"

    @property
    def quantity(self) -> sp.Symbol:
        """The left side."""
        return self.expr.args[0]

    @property
    def value(self) -> sp.Expr:
        """The right side."""
        return self.expr.args[1]

    @property
    def sign(self) -> Sign:
        """What stands between the two sides."""
        return SIGNS[self.relation.kind]


def step(
    quantity: sp.Symbol,
    value: sp.Expr,
    relation: Relation,
    reason: str,
    reference: Reference | None = None,
    where: sp.Basic = sp.true,
) -> Step:
    """Write one step, left and right side kept as they are."""
    instance("quantity", quantity, sp.Basic)
    instance("relation", relation, Relation)
    text("reason", reason)
    if reference is not None:
        instance("reference", reference, Reference)
    instance("where", where, sp.Basic)
    if not isinstance(value, sp.Basic):
        value = as_expression("value", value)
    return Step(sp.Eq(quantity, value, evaluate=False), relation, reason, reference, where)


@short_repr
@dataclass(frozen=True)
class StepCheck:
    """What the checker found.

    Attributes
    ----------
    passed : bool
        Whether the step holds.
    detail : str
        How it was checked, with the numbers.
    """

    passed: bool
    detail: str


def in_latex(expr: sp.Basic) -> str:
    """Write an expression as LaTeX.

    To write a product SymPy sets all symbols to zero, and stumbles where a least of terms has no value there; such a term is
    written first, and stands in the product under a name.
    """
    try:
        return str(sp.latex(expr))
    except ValueError:
        names = {
            sp.Dummy(positive=True): (term, str(sp.latex(term)))
            for term in expr.atoms(sp.Min, sp.Max)
        }
        shown = expr.xreplace({term: name for name, (term, _) in names.items()})
        written = {name: text for name, (_, text) in names.items()}
        return str(sp.latex(shown, symbol_names=written))


def aligned(steps: Iterable[Step]) -> str:
    """Write steps as one LaTeX environment, a line for each, with reasons."""
    rows = (
        rf"{in_latex(entry.quantity)} &{entry.sign.latex} {in_latex(entry.value)} && \text{{{entry.reason}}}"
        for entry in steps
    )
    return r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}"
