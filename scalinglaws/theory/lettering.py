"""Formulas for people's eyes, in Unicode: in one line, or stacked, with fractions and tables of cases.

A text is written as ever, by a function that is told how to write a formula; here each formula leaves a mark in its line, and
when all of the line is known, formulas take the marks' places: stacked if that fits, else in one line that is broken at operators.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import greek_unicode, pretty_symbol
from sympy.printing.pretty.stringpict import prettyForm
from sympy.printing.str import StrPrinter

from ..wrapping import wrapped

Show = Callable[[Any], str]

_FIRST = 0xE000  # the private use area of Unicode: no text has these characters
_TALLEST = 12  # lines of a stacked formula
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_GREEK = re.compile(rf"\b({'|'.join(sorted(greek_unicode, key=len, reverse=True))})(?=\b|_)(?!\()")
_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = rf"[^\W\d_{_RAISED}]"
# products without a sign: a number or a single letter in front of a single letter that is no function
_ADJACENT = re.compile(
    rf"(?<![\w√.^{_RAISED}])(\d*{_LETTER}[{_RAISED}]*|\d+)\*(?={_LETTER}(?![\w(]))"
)


def in_unicode(write: Callable[[Show], str], width: int) -> str:
    """Write a text with formulas in Unicode, no line longer than a width.

    Parameters
    ----------
    write : callable
        Writes the text; its argument is a function that writes a formula.
    width : int
        Columns.

    Returns
    -------
    str
        Lines.

    Examples
    --------
    >>> from sympy.abc import a, b
    >>> print(in_unicode(lambda show: f"g = {show(a / (b + 1))}, for b >= 0", 40))
          a
    g = ─────, for b ≥ 0
        b + 1
    """
    formulas: list[Any] = []

    def mark(expr: Any) -> str:
        formulas.append(expr)
        return chr(_FIRST + len(formulas) - 1)

    return "\n".join(_laid_out(line, formulas, width) for line in write(mark).split("\n"))


def in_one_line(expr: Any) -> str:
    """Write a formula in one line.

    Examples
    --------
    >>> from sympy import Min, Symbol, gamma
    >>> alpha, beta = Symbol("alpha"), Symbol("beta")
    >>> in_one_line(Min(2 * alpha, alpha * beta)), in_one_line(gamma(beta) / (2 * alpha) ** beta)
    ('min(2α, αβ)', 'Γ(β)/(2α)^β')
    """
    written: str = _Linear({"order": None}).doprint(expr)
    for _ in range(
        written.count("*")
    ):  # a letter can be the second of one product and the first of the next
        written, found = _ADJACENT.subn(r"\1", written)
        if not found:
            break
    return written.replace("*", "·")


def greek(words: str) -> str:
    """Put Greek letters and true signs into words that name them.

    Examples
    --------
    >>> greek("eigenvalues fall as k^-alpha, beta <= 1")
    'eigenvalues fall as k^-α, β ≤ 1'
    """
    words = _GREEK.sub(lambda found: greek_unicode[found[1]], words)
    words = re.sub(r"(?<=[^\W\d_])_(\d)\b", lambda found: found[1].translate(_SUBSCRIPT), words)
    words = re.sub(r"(?<=[\w)])\*(?=[\w(])", "·", words.replace("**", "^"))
    return words.replace("<=", "≤").replace(">=", "≥").replace("-> oo", "→ ∞")


def _laid_out(line: str, formulas: list[Any], width: int) -> str:
    """Put formulas in the places of their marks in one line."""
    words = _words(line)
    pieces = re.split(f"([{chr(_FIRST)}-{chr(_FIRST + len(formulas))}])", words)
    if len(pieces) == 1:
        return wrapped(words, width)
    held = [formulas[ord(piece) - _FIRST] for piece in pieces[1::2]]
    flat = [in_one_line(expr) for expr in held]
    if all(_is_flat(expr, text) for expr, text in zip(held, flat, strict=True)):
        return wrapped(_joined(pieces, flat), width)
    stacked = [
        [text] if _is_flat(expr, text) else _stacked(expr)
        for expr, text in zip(held, flat, strict=True)
    ]
    drawn = _side_by_side(pieces, stacked)
    if len(drawn) <= _TALLEST and max(map(len, drawn)) <= width:
        return "\n".join(drawn)
    if isinstance(held[-1], sp.Piecewise) and not pieces[-1].strip():
        return "\n".join(_cases(_joined(pieces[:-2], flat[:-1]), held[-1], width))
    return wrapped(_joined(pieces, flat), width)


def _words(line: str) -> str:
    """Put letters into the words around formulas; a command is to be typed, and what a parameter is called too."""
    if "scalinglaws " in line:
        return line
    named = re.match(r"  (\w+)( +)", line)
    if named and named[1] in greek_unicode and len(named[2]) > 1:
        label = f"{named[1]}, {greek_unicode[named[1]]}"
        room = len(named[1] + named[2])
        return (
            f"  {label:<{room}} ".rstrip()
            + " " * max(1, room - len(label))
            + greek(line[named.end() :])
        )
    return greek(line)


def _joined(pieces: list[str], written: list[str]) -> str:
    return "".join(part for pair in zip(pieces[::2], [*written, ""], strict=True) for part in pair)


def _is_flat(expr: Any, written: str) -> bool:
    """Whether a formula needs no stacking."""
    if not isinstance(expr, sp.Basic):
        return True
    return "/" not in written and not expr.has(sp.Piecewise, sp.Sum, sp.Integral)


class _Drawn(list[str]):
    """Lines of a stacked formula, all of one length."""

    baseline: int


def _stacked(expr: Any) -> _Drawn:
    form = _Stacked({"use_unicode": True, "wrap_line": False})._print(expr)
    lines = str(form.render(wrap_line=False)).split("\n")
    longest = max(map(len, lines))
    drawn = _Drawn(text.ljust(longest) for text in lines)
    drawn.baseline = form.baseline
    return drawn


def _side_by_side(pieces: list[str], columns: list[Any]) -> list[str]:
    """Set words and stacked formulas on one line."""
    blocks: list[tuple[list[str], int]] = []
    for place, piece in enumerate(pieces):
        block = columns[place // 2] if place % 2 else [piece]
        blocks.append((block, getattr(block, "baseline", 0)))
    above = max(base for _, base in blocks)
    below = max(len(block) - base for block, base in blocks)
    rows = [""] * (above + below)
    for block, base in blocks:
        wide = len(block[0])
        for row in range(len(rows)):
            inside = row - above + base
            rows[row] += block[inside] if 0 <= inside < len(block) else " " * wide
    return [row.rstrip() for row in rows]


def _cases(head: str, expr: sp.Piecewise, width: int) -> list[str]:
    """Write cases below each other, each in lines of its own, as a table."""
    lines = wrapped(head.rstrip(), width).split("\n") if head.strip() else []
    indent = len(head) - len(head.lstrip()) + 2
    for value, condition in expr.args:
        where = "otherwise" if condition == sp.true else f"for {in_one_line(condition)}"
        space = " " * indent
        lines += wrapped(f"{space}│ {in_one_line(value)}   {where}", width).split("\n")
    return lines


def _name(name: str) -> str:
    """Write the name of a symbol; of what stands below it, only what is short."""
    above, _, below = name.partition("_")
    written: str = pretty_symbol(name)
    if below and not below.isdecimal() and len(written) > len(pretty_symbol(above)) + 1:
        return f"{pretty_symbol(above)}_{pretty_symbol(below)}"
    return written


class _Stacked(PrettyPrinter):  # type: ignore[misc]
    """SymPy's printer of stacked formulas, with names as in one line."""

    def _print_Symbol(self, expr: Any, bold_name: bool = False) -> Any:
        return prettyForm(_name(expr.name))

    def _print_Min(self, expr: Any) -> Any:
        return self._helper_print_function(expr.func, _sorted(expr), func_name="min")

    def _print_Max(self, expr: Any) -> Any:
        return self._helper_print_function(expr.func, _sorted(expr), func_name="max")


class _Linear(StrPrinter):  # type: ignore[misc]
    """SymPy's printer of text, with letters, powers and signs as people write them."""

    def _print_Symbol(self, expr: Any) -> str:
        return _name(expr.name)

    _print_Dummy = _print_Symbol

    def _print_Infinity(self, expr: Any) -> str:
        return "∞"

    def _print_Pi(self, expr: Any) -> str:
        return "π"

    def _print_gamma(self, expr: Any) -> str:
        return f"Γ({self._print(expr.args[0])})"

    def _print_zeta(self, expr: Any) -> str:
        return f"ζ({', '.join(map(self._print, expr.args))})"

    def _print_Min(self, expr: Any) -> str:
        return f"min({', '.join(self._print(part) for part in _sorted(expr))})"

    def _print_Max(self, expr: Any) -> str:
        return f"max({', '.join(self._print(part) for part in _sorted(expr))})"

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, power = expr.args
        if power == sp.Rational(1, 2):
            inner = self._print(base)
            return f"√{inner}" if base.is_Atom else f"√({inner})"
        if power.is_Rational and power < 0 and power.is_Integer is False:
            return f"1/{self.parenthesize(expr.func(base, -power, evaluate=False), 60)}"
        if power == -1:
            return f"1/{self.parenthesize(base, 60)}"
        below: str = self.parenthesize(base, 60)
        if power.is_Integer:
            return below + str(power).translate(_SUPERSCRIPT)
        above = self._print(power)
        return f"{below}^{above}" if power.is_Symbol else f"{below}^({above})"

    def _print_Relational(self, expr: Any) -> str:
        sign = {"==": "=", "<=": "≤", ">=": "≥", "!=": "≠"}.get(expr.rel_op, expr.rel_op)
        return f"{self._print(expr.lhs)} {sign} {self._print(expr.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return ", ".join(map(self._print, expr.args))

    def _print_Or(self, expr: Any) -> str:
        return " or ".join(map(self._print, expr.args))

    def _print_Piecewise(self, expr: Any) -> str:
        cases = (
            self._print(value)
            + (" otherwise" if condition == sp.true else f" for {self._print(condition)}")
            for value, condition in expr.args
        )
        return f"{{{'; '.join(cases)}}}"

    def _print_Sum(self, expr: Any) -> str:
        return self._ranged("Σ", expr, "=", "")

    def _print_Product(self, expr: Any) -> str:
        return self._ranged("Π", expr, "=", "")

    def _print_Integral(self, expr: Any) -> str:
        return self._ranged("∫", expr, " = ", f" d{self._print(expr.limits[0][0])}")

    def _ranged(self, sign: str, expr: Any, relation: str, ending: str) -> str:
        index, *ends = expr.limits[0]
        span = (
            f"({self._print(index)}{relation}{'..'.join(map(self._print, ends))})" if ends else ""
        )
        return f"{sign}{span}[{self._print(expr.function)}]{ending}"


def _sorted(expr: Any) -> list[Any]:
    """Return arguments in the order in which `str` shows them."""
    return sorted(expr.args, key=sp.default_sort_key)
