"""What balances, in words and formulas: for terminals that show Unicode, for LaTeX and for notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import sympy as sp

from ... import typesetting as tex
from ...arguments import several, text, whole
from ..lettering import in_unicode
from ..mathematical_markup import mathml
from ._records import Balance

_LONG = 10**7  # numerators and denominators beyond are shown as decimals


def on_terminal(found: Any, before: str, after: str, width: int) -> str:
    """Write all balances for a terminal of so many columns, formulas in Unicode.

    Parameters
    ----------
    found : Allocation
        What balances.
    before, after : str
        Lines around them.
    width : int
        Columns.

    Returns
    -------
    str
        Lines.
    """
    listed = several("found", found, Balance)
    around = text("before", before), text("after", after)
    width = whole("width", width)
    return in_unicode(lambda show: "\n".join([around[0], *_lines(listed, show), around[1]]), width)


def as_latex(found: Any, before: str, after: str) -> str:
    """Write all balances as LaTeX, to be put into a document; before and after them, words."""
    balances = several("found", found, Balance)

    def entry(place: int, balance: Any) -> str:
        value = rf"{_formula(balance.value)}"
        if balance.exact_constant is not None:
            value += rf" \qquad \text{{exactly times}}\quad {_formula(balance.exact_constant)}"
        where = " = ".join(map(sp.latex, balance.duals))
        reached = [rf"\ensuremath{{{sp.latex(item)}}} reached" for item in _closed(balance)]
        parts = [f"{place}. where {', '.join([f'${where}$', *reached])}: {tex.display(value)}"]
        for name, best in balance.allocation.items():
            if best is None:
                parts.append(rf"${sp.latex(name)}$ is not determined.")
            else:
                parts.append(tex.display(rf"{sp.latex(name)} \sim {_formula(best)}"))
        if balance.conditions:
            conditions = ", ".join(f"${sp.latex(condition)}$" for condition in balance.conditions)
            parts.append(f"possible if {conditions}{_undecided(balance)}")
        return "\n".join(parts)

    listed = [entry(place, balance) for place, balance in enumerate(balances, start=1)]
    words = [tex.paragraph(text(*given)) for given in (("before", before), ("after", after))]
    return "\n\n".join([words[0], *listed, words[1]]).strip("\n") + "\n"


def as_html(found: Any) -> str:
    """Write all balances for a notebook."""
    rows = []
    for balance in found:
        best = "".join(
            f"<div>{mathml(name, chr(92) + 'sim', value)}</div>"
            for name, value in balance.allocation.items()
            if value is not None
        )
        conditions = ", ".join(map(mathml, balance.conditions)) or escape("always")
        equal = " = ".join(map(mathml, balance.duals))
        cells = (mathml(balance.value), equal, best, conditions + _undecided(balance))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("optimum", "where", "scales", "possible if"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _lines(found: Any, show: Callable[[Any], str]) -> Iterator[str]:
    for place, balance in enumerate(found, start=1):
        exactly = balance.exact_constant
        yield f"{place:>3}. {show(_rounded(balance.value))}" + (
            "" if exactly is None else f", exactly times {show(_rounded(exactly))}"
        )
        reached = "".join(f", {show(item)} reached" for item in _closed(balance))
        yield f"     where {' = '.join(map(show, balance.duals))}{reached}"
        for name, value in balance.allocation.items():
            written = "(not determined)" if value is None else show(_rounded(value))
            yield f"     {show(name)} ~ {written}"
        if balance.conditions:
            yield f"     possible if {', '.join(map(show, balance.conditions))}{_undecided(balance)}"


def _closed(balance: Any) -> tuple[Any, ...]:
    """Return the caps that are reached."""
    return tuple(balance.active[len(balance.duals) :])


def _undecided(balance: Any) -> str:
    return "" if balance.possible else " (undecided whether that can be)"


def _formula(expr: Any) -> str:
    return str(sp.latex(_rounded(expr)))


def _rounded(expr: Any) -> Any:
    """Write numbers of many digits as decimals: those of data are no more exact."""
    if expr.is_number and not expr.is_Rational:
        return sp.N(expr, 6)
    long = {
        part: sp.N(part, 6) for part in expr.atoms(sp.Rational) if max(abs(part.p), part.q) > _LONG
    }
    return expr.xreplace(long)
