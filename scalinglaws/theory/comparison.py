"""One law against another: exponents, validity, and where their derivations part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from ..errors import DomainError, refusal
from ..reprs import line
from .formula import Law
from .steps import Step


@dataclass(frozen=True)
class LawComparison:
    """Two laws side by side.

    Attributes
    ----------
    first, second : Law
        What is compared.
    values : mapping of str to number
        Parameters; may be empty.
    exponents : tuple
        The two exponents: numbers at the given parameters, else expressions.
    inside : tuple of bool
        Whether the parameters lie in each law's validity region.
    agree : bool or None
        Whether the exponents are equal; None where a law says nothing.
    difference : int or None
        Index of the first step at which the derivations part; None if they never do.
    """

    first: Law
    second: Law
    values: dict[str, Any]
    exponents: tuple[Any, Any]
    inside: tuple[bool, bool]
    agree: bool | None
    difference: int | None

    def steps(self) -> tuple[Step | None, Step | None]:
        """Return the two steps at which the derivations part; None for a derivation that has ended."""
        if self.difference is None:
            return None, None
        chains = (self.first.derivation.steps, self.second.derivation.steps)
        one, two = (
            steps[self.difference] if self.difference < len(steps) else None for steps in chains
        )
        return one, two

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON can hold it; steps are counted from 1."""
        steps = [
            None if entry is None else {"expression": str(entry.value), "reason": entry.reason}
            for entry in self.steps()
        ]
        return {
            "laws": [self.first.name, self.second.name],
            "values": {name: str(value) for name, value in self.values.items()},
            "exponents": [None if entry is None else str(entry) for entry in self.exponents],
            "inside": list(self.inside),
            "agree": self.agree,
            "first_differing_step": None if self.difference is None else self.difference + 1,
            "steps": steps,
        }

    @property
    def verdict(self) -> str:
        """Whether the exponents agree, in words."""
        words = {True: "the exponents agree", False: "the exponents differ", None: "no verdict"}
        return words[self.agree]

    def __repr__(self) -> str:
        return line(f"<LawComparison {self.first.name}, {self.second.name}: {self.verdict}>")

    def __str__(self) -> str:
        lines = []
        for law, exponent, inside in zip(
            (self.first, self.second), self.exponents, self.inside, strict=True
        ):
            shown = (
                str(exponent) if sp.sympify(exponent if inside else 0).is_Atom else f"({exponent})"
            )
            says = (
                f"{law.variable}^{'' if law.growth else '-'}{shown}"
                if inside
                else "outside its validity region"
            )
            lines.append(
                f"{law.name}: {says}; valid for {', '.join(map(str, law.validity)) or 'all parameters'}"
            )
        lines.append(self.verdict)
        if self.difference is not None:
            one, two = self.steps()
            lines.append(f"the derivations part at step {self.difference + 1}:")
            for law, entry in ((self.first, one), (self.second, two)):
                text = (
                    "(ended)"
                    if entry is None
                    else f"{entry.quantity} = {entry.value} ({entry.reason})"
                )
                lines.append(f"  {law.name}: {text}")
        return "\n".join(lines)


def contrast(first: Law, second: Law, values: dict[str, Any]) -> LawComparison:
    """Compare two laws at given parameters; every parameter must belong to one of them."""
    for name in values:
        if name not in first.symbols and name not in second.symbols:
            known = ", ".join(dict.fromkeys([*first.symbols, *second.symbols]))
            raise refusal(
                name, values[name], f"is a parameter of neither law; known: {known}", shown=False
            )
    exponents, inside = [], []
    for law in (first, second):
        own = {name: value for name, value in values.items() if name in law.symbols}
        if not own:
            exponents.append(law.expr)
            inside.append(True)
            continue
        try:
            exponents.append(law(**own))
            inside.append(True)
        except DomainError as failure:
            if failure.argument != "values":
                raise
            exponents.append(None)
            inside.append(False)
    agree = None
    if all(inside):
        one, two = (sp.sympify(exponent) for exponent in exponents)
        if first.growth != second.growth:  # one falls, the other grows
            one = -one
        agree = (
            abs(float(one) - float(two)) < 1e-12
            if one.is_number and two.is_number
            else _equal(one, two)
        )
    return LawComparison(
        first,
        second,
        dict(values),
        (exponents[0], exponents[1]),
        (inside[0], inside[1]),
        agree,
        _parting(first, second),
    )


def _equal(one: sp.Expr, two: sp.Expr) -> bool:
    return (
        bool(one == two or sp.cancel(one - two) == 0)
        if not (one.has(sp.Piecewise) or two.has(sp.Piecewise))
        else bool(one == two)
    )


def _parting(first: Law, second: Law) -> int | None:
    """Find the first step that differs, the laws' own variables taken for one."""
    common = sp.Dummy("x", positive=True)
    chains = [
        [
            (
                step.quantity.subs(law.variable, common),
                step.value.subs(law.variable, common),
                step.relation.kind,
            )
            for step in law.derivation.steps
        ]
        for law in (first, second)
    ]
    for number, (one, two) in enumerate(zip(*chains, strict=False)):
        if one != two:
            return number
    return None if len(chains[0]) == len(chains[1]) else min(map(len, chains))
