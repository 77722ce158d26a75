"""How laws present themselves: as LaTeX, as an explanation, as a bibliography, and against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp

from ..errors import DomainError
from .records import Reference

if TYPE_CHECKING:
    from .derivation import Step
    from .formula import Law

_SIGNS = {
    "definition": r"\equiv",
    "equal": "=",
    "asymptotic": r"\sim",
    "solves": "=",
    "balance": "=",
}
_STANDINGS = {
    "derived": "derived from the model's own equation; every step can be checked by machine",
    "exact": "exact, without approximation",
    "asymptotic": "a leading term",
    "heuristic": "heuristic: an argument, not a derivation",
    "ansatz": "an ansatz: its form is assumed because it fits; only what follows from it is derived",
    "numerical": "numerical: found by computation",
}


def latex_of(law: Law) -> str:
    """Write a law as one LaTeX formula."""
    variable, exponent = sp.latex(law.variable), sp.latex(law.expr)
    quantity = rf"\text{{{law.quantity}}}"
    sign = "" if law.growth else "-"
    if isinstance(law.expr, sp.Piecewise):
        relation = rf"{quantity} \sim {variable}^{{{sign}g}}, \qquad g = {exponent}"
    else:
        relation = rf"{quantity} \sim c\,{variable}^{{{sign}{_enclosed(law.expr)}}}"
    if law.constant is not None:
        relation += rf", \qquad c = {sp.latex(law.constant)}"
    return relation


def _enclosed(expr: sp.Expr) -> str:
    return rf"\left({sp.latex(expr)}\right)" if expr.is_Add else sp.latex(expr)


def explanation_of(law: Law) -> str:
    """Write a law as Markdown: what it says, where, why, and who else says so."""
    lines = [
        f"# {law.name}",
        "",
        f"{law.statement[0].upper()}{law.statement[1:]}.",
        "",
        f"$${latex_of(law)}$$",
        "",
    ]
    lines += [
        f"* ${sp.latex(sp.Symbol(name))}$: {meaning}" for name, meaning in law.symbols.items()
    ]
    if law.validity:
        lines += [
            "",
            f"Valid for {', '.join(f'${sp.latex(condition)}$' for condition in law.validity)}.",
        ]
    lines += ["", f"Standing: {_STANDINGS[law.standing]}."]
    if law.caution is not None:
        lines += [
            "",
            f"Caution, where ${sp.latex(law._write(law.caution.condition))}$: {law.caution.reason}.",
        ]
    if len(law.regimes) > 1:
        lines += ["", "## Regimes", ""]
        for entry in law.regimes:
            logs = (
                "" if entry.log_power == 0 else ", with a power of the logarithm that is not known"
            )
            if entry.log_power:
                power = (
                    "" if entry.log_power == 1 else f"^{{{sp.latex(sp.sympify(entry.log_power))}}}"
                )
                logs = f", times $\\log{power} {sp.latex(law.variable)}$"
            lines.append(
                f"* **{entry.name}**, where ${sp.latex(entry.condition)}$: exponent ${sp.latex(entry.exponent)}${logs}"
            )
    if law.forms:
        lines += ["", "## Formulas", ""]
        lines += [
            f"* `{name}`, {form.statement}: ${sp.latex(form.expr)}$"
            for name, form in law.forms.items()
        ]
    lines += ["", "## Derivation", ""]
    for number, line in enumerate(law.derivation.steps, start=1):
        lines += _step_lines(number, line)
    if law.published is not None:
        lines += [
            "## Printed elsewhere",
            "",
            f"Exponent ${sp.latex(law.published_expr)}$ in {law.published.reference}: {law.published.reason}.",
            "",
        ]
    lines += ["## Sources", ""]
    for source in references_of([law]):
        lines.append(
            f"* {source.authors}, *{source.title}*, {source.venue} ({source.year}), {source.identifier}"
        )
    return "\n".join(lines) + "\n"


def _step_lines(number: int, entry: Step) -> list[str]:
    why = entry.reason[0].upper() + entry.reason[1:]
    if entry.relation.kind == "asymptotic":
        why += f" (as ${sp.latex(entry.relation.variable)} \\to \\infty$)"
    elif entry.relation.equation is not None:
        left, right = entry.relation.equation.args
        why += f" (solves ${sp.latex(left)} = {sp.latex(right)}$)"
    if entry.where != sp.true:
        why += f", for ${sp.latex(entry.where)}$"
    if entry.reference is not None:
        why += f" [{entry.reference.key}]"
    formula = f"{sp.latex(entry.quantity)} {_SIGNS[entry.relation.kind]} {sp.latex(entry.value)}"
    return [f"{number}. {why}.", "", f"   $${formula}$$", ""]


# -- bibliography -------------------------------------------------------------------------------------------------------


def references_of(laws: Iterable[Law]) -> list[Reference]:
    """List every source that the laws and their derivations use, each once, in order of first use."""
    found: dict[str, Reference] = {}
    for law in laws:
        used = [*law.reference, *(entry.reference for entry in law.derivation.steps)]
        if law.published is not None:
            used.append(law.published.reference)
        for entry in used:
            if entry is not None:
                found.setdefault(entry.key, entry)
    return list(found.values())


def bibtex_of(entry: Reference) -> str:
    """Write a source as a BibTeX entry."""
    kind, _, number = entry.identifier.partition(":")
    fields = {
        "author": " and ".join(
            "others" if name == "et al." else _latex_text(name)
            for name in re.split(r", ", entry.authors)
        ),
        "title": "{" + _latex_text(entry.title) + "}",
        "year": str(entry.year),
    }
    if entry.venue != "preprint":
        fields[{"arXiv": "note", "isbn": "publisher"}.get(kind, "journal")] = _latex_text(
            entry.venue
        )
    fields |= {"eprint": number, "archiveprefix": "arXiv"} if kind == "arXiv" else {kind: number}
    body = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return f"@{'misc' if kind == 'arXiv' else 'book' if kind == 'isbn' else 'article'}{{{entry.key},\n{body}\n}}"


def _latex_text(text: str) -> str:
    return text.replace("&", r"\&")


# -- one law against another --------------------------------------------------------------------------------------------


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
        verdict = {True: "the exponents agree", False: "the exponents differ", None: "no verdict"}[
            self.agree
        ]
        lines.append(verdict)
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
            raise DomainError(
                f"{name} is a parameter of neither law; known: {known}",
                argument=name,
                value=values[name],
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
        except DomainError as refusal:
            if refusal.argument != "values":
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
