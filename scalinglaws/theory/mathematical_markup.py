"""Formulas as MathML, which browsers draw without any script.

SymPy's printer of presentation markup does the work; what it leaves as plain text is written here: tables of cases, infinity,
hypergeometric functions, and functions without a notation of their own.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter

_SIGNS = {
    r"\sim": "∼",
    r"\equiv": "≔",
    r"\to": "→",
    "=": "=",
}


def mathml(*parts: Any, display: bool = False) -> str:
    r"""Write expressions and the signs between them as one MathML element.

    Parameters
    ----------
    *parts : Basic or str
        Expressions, and signs as LaTeX writes them: ``"="``, ``r"\sim"``, ``r"\equiv"``, ``r"\to"``.
    display : bool
        On a line of its own.

    Returns
    -------
    str
        An element that can stand in HTML.

    Examples
    --------
    >>> from sympy.abc import x
    >>> mathml(x, "=", 1 / x)
    '<math><mi>x</mi><mo>=</mo><mfrac><mn>1</mn><mi>x</mi></mfrac></math>'
    """
    inner = "".join(
        f"<mo>{_SIGNS[part]}</mo>" if isinstance(part, str) else markup(part) for part in parts
    )
    how = ' display="block"' if display else ""
    return f"<math{how}>{inner}</math>"


def markup(expr: Any) -> str:
    """Write one expression, without the element around it."""
    printer = _Printer({})
    found: str = printer._print(sp.sympify(expr)).toxml()
    return found


class _Printer(MathMLPresentationPrinter):  # type: ignore[misc]
    """SymPy's printer, with what it has no markup for."""

    def _element(self, tag: str, *children: Any, **attributes: str) -> Any:
        found = self.dom.createElement(tag)
        for name, value in attributes.items():
            found.setAttribute(name, value)
        for child in children:
            found.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return found

    def _print_Symbol(self, expr: Any, style: str = "plain") -> Any:
        if expr.name == "ell":
            return self._element("mi", "ℓ")
        return super()._print_Symbol(expr, style)

    _print_Dummy = _print_Symbol

    def _print_Infinity(self, expr: Any) -> Any:
        return self._element("mn", "∞")

    def _print_NegativeInfinity(self, expr: Any) -> Any:
        return self._element("mrow", self._element("mo", "−"), self._element("mn", "∞"))

    def _print_BooleanTrue(self, expr: Any) -> Any:
        return self._element("mtext", "always")

    def _print_Relational(self, expr: Any) -> Any:
        # SymPy leaves < and > as they are, which no document can hold
        sign = {"==": "=", "<": "&lt;", ">": "&gt;", "<=": "≤", ">=": "≥", "!=": "≠"}[expr.rel_op]
        return self._element(
            "mrow", self._print(expr.lhs), self._element("mo", sign), self._print(expr.rhs)
        )

    def _print_Piecewise(self, expr: Any) -> Any:
        rows = []
        for value, condition in expr.args:
            words = (
                [self._element("mtext", "otherwise")]
                if condition == sp.true
                else [self._element("mtext", "for\u00a0"), self._print(condition)]
            )
            cells = [self._element("mtd", self._print(value)), self._element("mtd", *words)]
            rows.append(self._element("mtr", *cells))
        table = self._element("mtable", *rows, columnalign="left")
        return self._element("mrow", self._element("mo", "{"), table)

    def _print_And(self, expr: Any) -> Any:
        return self._listed(expr.args, ",")

    def _print_Or(self, expr: Any) -> Any:
        return self._listed(expr.args, "or")

    def _listed(self, entries: Any, sign: str) -> Any:
        parts: list[Any] = []
        for entry in entries:
            separator = (
                self._element("mo", sign)
                if sign == ","
                else self._element("mtext", f"\u00a0{sign}\u00a0")
            )
            parts += [*([separator] if parts else []), self._print(entry)]
        return self._element("mrow", *parts)

    def _print_Tuple(self, expr: Any) -> Any:
        bracketed = [self._element("mo", "("), self._listed(expr, ","), self._element("mo", ")")]
        return self._element("mrow", *bracketed)

    def _print_hyper(self, expr: Any) -> Any:
        upper, lower = (str(len(part)) for part in expr.args[:2])
        name = self._element(
            "mmultiscripts",
            self._element("mi", "F"),
            self._element("mn", lower),
            self._element("none"),
            self._element("mprescripts"),
            self._element("mn", upper),
            self._element("none"),
        )
        inside = self._listed([*expr.args[0], *expr.args[1], expr.args[2]], ",")
        brackets = (self._element("mo", "("), self._element("mo", ")"))
        return self._element("mrow", name, brackets[0], inside, brackets[1])

    def _print_InverseLaplaceTransform(self, expr: Any) -> Any:
        transformed, before, after = expr.args[:3]
        name = self._element(
            "msup",
            self._element("mi", "L"),
            self._element("mrow", self._element("mo", "−"), self._element("mn", "1")),
        )
        inside = self._element("mrow", self._print(transformed))
        marks = [self._element("mo", sign) for sign in ("[", ";", "→", "]")]
        return self._element(
            "mrow", name, marks[0], inside, marks[1], self._print(before), marks[2], self._print(after), marks[3]
        )  # fmt: skip
