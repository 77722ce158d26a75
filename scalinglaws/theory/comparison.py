"""One law against another: exponents, validity, and where their derivations part."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import sympy as sp

from ..errors import DomainError, refusal
from ..reprs import line
from ..typesetting import escape
from .formula import Law
from .lettering import in_unicode
from .mathematical_markup import mathml
from .steps import Step

_MOST_NEW = 5  # symbols of a step that may be called otherwise: their orders are all tried


@dataclass(frozen=True)
class _Power:
    """What a law states: ``variable^-exponent``, or ``variable^exponent`` if it grows."""

    variable: sp.Symbol
    exponent: sp.Expr
    growth: bool

    def written(self, show: Callable[[Any], str], plain: Callable[[str], str]) -> str:
        """Write the power; as a formula where words and formulas are told apart."""
        exponent = self.exponent if self.growth else -self.exponent
        if plain is not str:
            return show(sp.Pow(self.variable, exponent, evaluate=False))
        return f"{show(self.variable)}^{'' if self.growth else '-'}{show(self.exponent)}"


_Line = tuple[str | sp.Basic | _Power, ...]


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
        Index of the first step at which the derivations part, whatever they call the same thing; None if they never do.
    renaming : mapping of Symbol to Symbol
        What the first derivation calls otherwise than the second, as far as they agree.
    """

    first: Law
    second: Law
    values: dict[str, Any]
    exponents: tuple[Any, Any]
    inside: tuple[bool, bool]
    agree: bool | None
    difference: int | None
    renaming: Mapping[sp.Symbol, sp.Symbol] = field(default_factory=dict)

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
            "renaming": {str(one): str(two) for one, two in self.renaming.items()},
            "words": [_joined(parts, str) for parts in self._meanings()],
        }

    @property
    def verdict(self) -> str:
        """Whether the exponents agree, in words."""
        words = {True: "the exponents agree", False: "the exponents differ", None: "no verdict"}
        return words[self.agree]

    def __repr__(self) -> str:
        return line(f"<LawComparison {self.first.name}, {self.second.name}: {self.verdict}>")

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, show: Callable[[Any], str] = str) -> str:
        """Write the comparison, formulas as `show` writes them."""
        return "\n".join(_joined(parts, show) for parts in self._lines())

    def to_terminal(self, width: int) -> str:
        """Write the comparison for a terminal of so many columns, formulas in Unicode."""
        return in_unicode(self.to_text, width)

    def to_latex(self) -> str:
        """Write the comparison as LaTeX, to be put into a document."""
        lines = (
            _joined(parts, lambda expr: f"${sp.latex(expr)}$", escape) for parts in self._lines()
        )
        return "\n\n".join(entry.strip() for entry in lines) + "\n"

    def _repr_html_(self) -> str:
        lines = (_joined(parts, mathml, html.escape) for parts in self._lines())
        return "".join(f"<p>{entry.strip()}</p>" for entry in lines)

    def _lines(self) -> Iterator[_Line]:
        """Say everything: what the laws state, whether they agree, and where their derivations part."""
        for law, exponent, inside in zip(
            (self.first, self.second), self.exponents, self.inside, strict=True
        ):
            yield (f"{law.name}: ", *_stated(law, exponent, inside), *_validity(law))
        yield (self.verdict,)
        yield from self._parting()
        yield from self._meanings()

    def _parting(self) -> Iterator[_Line]:
        called = self._called()
        if self.difference is None:
            if self.first.name != self.second.name:
                yield ("the derivations are the same, step by step", *called)
            return
        if called and self.difference:
            yield (f"the derivations agree up to step {self.difference}", *called)
        yield (f"the derivations part at step {self.difference + 1}:",)
        for law, entry in zip((self.first, self.second), self.steps(), strict=True):
            if entry is None:
                yield (f"  {law.name}: (ended)",)
            else:
                yield (f"  {law.name}: ", entry.quantity, " = ", entry.value, f" ({entry.reason})")

    def _called(self) -> _Line:
        """Say what the second calls otherwise than the first."""
        pairs = [part for one, two in self.renaming.items() for part in (", ", two, " for ", one)]
        return (f", where {self.second.name} writes ", *pairs[1:]) if pairs else ()

    def _meanings(self) -> Iterator[_Line]:
        """Say where the physics parts: what is only called alike, and what a symbol that took another's place stands for."""
        for name, meaning in self.first.symbols.items():
            other = self.second.symbols.get(name)
            if other is not None and other != meaning:
                yield (
                    sp.Symbol(name),
                    f" stands for, in {self.first.name}: {meaning}; in {self.second.name}: {other}",
                )
        for one, two in self.renaming.items():
            for law, symbol, rival, twin in (
                (self.first, one, self.second, two),
                (self.second, two, self.first, one),
            ):
                if (known := _defining(law, symbol)) is not None:
                    itself = " itself" if twin == rival.variable else ""
                    yield (
                        "what ", symbol, f" is, in {law.name}: {known.reason}, ", symbol, " = ", known.value,
                        f"; {rival.name} has ", twin, f"{itself} in its place",
                    )  # fmt: skip


def _defining(law: Law, symbol: sp.Symbol) -> Step | None:
    """Find the last step that says what a symbol is."""
    found = [entry for entry in law.derivation.steps if entry.quantity == symbol]
    return found[-1] if found and symbol != law.variable else None


def _stated(law: Law, exponent: Any, inside: bool) -> _Line:
    """Write what a law states: a power, with an exponent of its own line if it is long."""
    if not inside:
        return ("outside its validity region",)
    expr = sp.sympify(exponent)
    if expr.is_Atom:
        return (_Power(law.variable, expr, law.growth),)
    return (_Power(law.variable, sp.Symbol("g"), law.growth), ", g = ", expr)


def _validity(law: Law) -> _Line:
    parts = [part for condition in law.validity for part in (", ", condition)]
    return ("; valid for ", *(parts[1:] or ["all parameters"]))


def _joined(parts: _Line, show: Callable[[Any], str], plain: Callable[[str], str] = str) -> str:
    """Write a line: words by `plain`, expressions by `show`."""
    return "".join(
        plain(part)
        if isinstance(part, str)
        else part.written(show, plain)
        if isinstance(part, _Power)
        else show(part)
        for part in parts
    )


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
        *_parting(first, second),
    )


def _equal(one: sp.Expr, two: sp.Expr) -> bool:
    return (
        bool(one == two or sp.cancel(one - two) == 0)
        if not (one.has(sp.Piecewise) or two.has(sp.Piecewise))
        else bool(one == two)
    )


def _parting(first: Law, second: Law) -> tuple[int | None, dict[sp.Symbol, sp.Symbol]]:
    """Find the first step that differs, whatever the derivations call the same thing, and what they call otherwise."""
    chains = (first.derivation.steps, second.derivation.steps)
    names: dict[sp.Symbol, sp.Symbol] = {}
    place: int | None = None
    for number, (one, two) in enumerate(zip(*chains, strict=False)):
        found = _renamed(one, two, names)
        if found is None:
            place = number
            break
        names = found
    if place is None and len(chains[0]) != len(chains[1]):
        place = min(map(len, chains))
    # the resource itself has another name in every law of another bottleneck: that is no news
    return place, {
        one: two
        for one, two in names.items()
        if one != two and (one, two) != (first.variable, second.variable)
    }


def _renamed(
    one: Step, two: Step, names: Mapping[sp.Symbol, sp.Symbol]
) -> dict[sp.Symbol, sp.Symbol] | None:
    """Extend a one-to-one renaming such that it turns a step into another; None if there is none."""
    if one.relation.kind != two.relation.kind:
        return None
    sides = [sp.Tuple(entry.quantity, entry.value) for entry in (one, two)]
    new, other = (side.atoms(sp.Symbol) for side in sides)
    new, other = new - names.keys(), other - set(names.values())
    if len(new) != len(other):
        return None
    alike = dict.fromkeys(new & other)
    left, right = (sorted(group - alike.keys(), key=str) for group in (new, other))
    if len(left) > _MOST_NEW:
        return None
    for order in permutations(right):
        trial = {**names, **{name: name for name in alike}, **dict(zip(left, order, strict=True))}
        common = {name: sp.Dummy(positive=name.is_positive) for name in trial}
        first = sides[0].xreplace(common)
        second = sides[1].xreplace({trial[name]: dummy for name, dummy in common.items()})
        if first == second:
            return trial
    return None
