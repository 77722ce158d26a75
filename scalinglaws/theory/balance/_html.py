"""What balances, as a notebook shows it."""

from __future__ import annotations

from html import escape
from typing import Any

from ..mathematical_markup import mathml


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
        cells = (mathml(balance.value), equal, best, conditions + undecided(balance))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("optimum", "where", "scales", "possible if"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def undecided(balance: Any) -> str:
    """Say of a balance whose conditions could not be decided that they were not."""
    return "" if balance.possible else " (undecided whether that can be)"
