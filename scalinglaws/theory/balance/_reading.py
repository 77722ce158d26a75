"""Problems of allocation as people type them: a sum, budgets and caps as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from ...errors import refusal
from ...parsing import parse_expression, spelled_number, spelled_out
from ...reprs import short_repr


@short_repr
@dataclass(frozen=True)
class Problem:
    """A sum of monomials, and what limits its scales.

    Attributes
    ----------
    terms : Expr
        The sum.
    free : tuple of Symbol
        The scales to choose.
    budgets, caps : tuple of (Expr, Expr)
        Monomials and their bounds.
    typed : mapping of Basic to str
        Terms, and left sides of budgets and caps, as they were typed.
    """

    terms: sp.Expr
    free: tuple[sp.Symbol, ...]
    budgets: tuple[tuple[sp.Expr, sp.Expr], ...]
    caps: tuple[tuple[sp.Expr, sp.Expr], ...]
    typed: Mapping[sp.Basic, str]


def read_problem(
    terms: str,
    budget: str | Sequence[str] = (),
    caps: str | Sequence[str] = (),
    free: str | Sequence[str] = (),
) -> Problem:
    """Read a problem of allocation from text.

    Parameters
    ----------
    terms : str
        The sum, as ``"A*N**-a + B*D**-b"``.
    budget, caps : sequence of str
        Equations, as ``"6*N*D=C"``, and upper bounds, as ``"D<=D_0"``.
    free : sequence of str
        Names of the scales to choose; by default those on the left of budgets and caps.

    Returns
    -------
    Problem
        With positive symbols.

    Raises
    ------
    DomainError
        If a text cannot be read, or no scale is free.

    Examples
    --------
    >>> read_problem("1/N + 1/D", ["6*N*D = 1e21"]).free
    (N, D)
    """
    whole = parse_expression(terms, "terms")
    budget, caps, free = (
        _texts(name, value) for name, value in (("budget", budget), ("caps", caps), ("free", free))
    )
    budgets = tuple(
        _forward(_constraint("budget", text, "="), whole.free_symbols) for text in budget
    )
    bounds = tuple(_constraint("cap", text, "<=") for text in caps)
    if odd := [name for name in free if not name.isidentifier()]:
        raise refusal("free", ",".join(free), f": {odd[0]!r} is no name; write N,D")
    named = tuple(sp.Symbol(spelled_out(name), positive=True) for name in free)
    found_in = (symbol for left, _ in (*budgets, *bounds) for symbol in left.free_symbols)
    typed = re.findall(r"\w+", spelled_out(" ".join((*budget, *caps))))
    chosen = named or tuple(sorted(set(found_in), key=lambda symbol: typed.index(str(symbol))))
    if not chosen:
        raise refusal(
            "free", None, "which scales are free? give --free N,D, or a --budget", named=False
        )
    labels = {parse_expression(part, "terms"): part for part in _summands(terms.strip())}
    for text, (left, _) in zip((*budget, *caps), (*budgets, *bounds), strict=True):
        sides = [side.strip() for side in re.split("<?==?", text)]
        labels[left] = next(side for side in sides if _side(side, "budget") == left)
    return Problem(whole, chosen, budgets, bounds, labels)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """Return one text or several as several."""
    found = (value,) if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or not all(isinstance(part, str) for part in found):
        raise refusal(name, value, "must be text, or a list of texts")
    return tuple(found)


def _summands(text: str) -> list[str]:
    """Split a sum that could be read into the texts of its terms."""
    node, found = ast.parse(text, mode="eval").body, []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found.append(ast.get_source_segment(text, node.right) or "")
        node = node.left
    return [ast.get_source_segment(text, node) or "", *reversed(found)]


def _forward(sides: tuple[sp.Expr, sp.Expr], scales: set[sp.Basic]) -> tuple[sp.Expr, sp.Expr]:
    """Put the scales of an equation on its left."""
    left, right = sides
    turned = not left.free_symbols & scales and right.free_symbols & scales
    return (right, left) if turned else sides


def _constraint(argument: str, text: str, sign: str) -> tuple[Any, Any]:
    if argument == "budget" and (bound := re.search("[<>]", text)):
        raise refusal(
            argument, text, f"is an equation, with = ; what {bound[0]} bounds is a cap: --cap"
        )
    if argument == "budget":
        text = text.replace("==", "=")
    left, found, right = text.partition(sign)
    if not found or not left.strip() or not right.strip():
        raise refusal(argument, text, f"must have the form monomial{sign}bound")
    return _side(left, argument), _side(right, argument)


def _side(text: str, argument: str) -> Any:
    """Read a side of an equation or a bound, which may be a number with a letter for its size, as 7B."""
    return parse_expression(spelled_number(text.strip()), argument)
