"""The command that finds what balances in a sum of monomials under budgets."""

from __future__ import annotations

import re
from typing import Any

from ..errors import DomainError, unknown_name
from ._app import Json, Latex, Output, Plain, app
from ._formats import Answer, emit
from ._grammar import fraction, pairs


@app.command
def allocate(
    terms: str,
    /,
    *values: str,
    budget: tuple[str, ...] = (),
    cap: tuple[str, ...] = (),
    free: str = "",
    scale: str = "",
    latex: Latex = False,
    plain: Plain = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Minimize a sum of monomials under budgets: which terms balance, and how the optimum scales.

    Parameters
    ----------
    terms : str
        The sum: "A*N**-a + B*D**-b".
    values : str
        Numbers for parameters, to find the winner there: a=1/3 b=0.4.
    budget : str
        An equation: "6*N*D=C". May be repeated.
    cap : str
        An upper bound: "D<=D_0". May be repeated.
    free : str
        The scales to choose, as N,D; by default those on the left of budgets and caps.
    scale : str
        What grows without bound; by default the bound of the only budget, unless it has a value.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    import sympy

    from ..parsing import parse_expression
    from ..theory import balance

    budgets = [_constraint("budget", text, "=") for text in budget]
    caps = [_constraint("cap", text, "<=") for text in cap]
    listed = [name.strip() for name in free.split(",") if name.strip()]
    if odd := [name for name in listed if not name.isidentifier()]:
        raise DomainError(
            f"--free {free}: {odd[0]!r} is no name; write --free N,D", argument="free", value=free
        )
    named = [sympy.Symbol(name, positive=True) for name in listed]
    found_in = (symbol for left, _ in [*budgets, *caps] for symbol in left.free_symbols)
    typed = re.findall(r"\w+", " ".join((*budget, *cap)))
    chosen = named or sorted(set(found_in), key=lambda symbol: typed.index(str(symbol)))
    if not chosen:
        raise DomainError(
            "which scales are free? give --free N,D, or a --budget", argument="free", value=free
        )
    whole = parse_expression(terms, "terms")
    found = balance.allocate(whole, chosen, budgets, caps)
    bound = _scale(scale, budgets, whole)
    records = []
    subject = f", subject to {', '.join((*budget, *cap))}" if budget or cap else ""
    lines = [f"minimize {whole} over {', '.join(map(str, chosen))}{subject}", ""]
    before = lines[0]
    for number, entry in enumerate(found, start=1):
        best = entry.allocation
        records.append(
            {
                "value": str(entry.value),
                "exact_constant": None
                if entry.exact_constant is None
                else str(entry.exact_constant),
                "active": [str(item) for item in entry.active],
                "duals": {str(key): str(value) for key, value in entry.duals.items()},
                "conditions": [str(condition) for condition in entry.conditions],
                "possible": entry.possible,
                "allocation": {
                    str(name): None if value is None else str(value) for name, value in best.items()
                },
            }
        )
        lines += [
            f"{number:>3}. {entry.value}"
            + ("" if entry.exact_constant is None else f", exactly times {entry.exact_constant}"),
            f"     where {' = '.join(map(str, entry.duals))}"
            + "".join(f", {item} reached" for item in entry.active[len(entry.duals) :]),
            *(
                f"     {name} ~ {value if value is not None else '(not determined)'}"
                for name, value in best.items()
            ),
            *(
                [
                    f"     possible if {', '.join(map(str, entry.conditions))}"
                    + ("" if entry.possible else " (undecided whether that can be)")
                ]
                if entry.conditions
                else []
            ),
        ]
    heading = len(lines)
    data: dict[str, Any] = {
        "terms": terms,
        "free": [str(name) for name in chosen],
        "balances": records,
        "irreducible": str(found.irreducible) if found.irreducible else None,
    }
    if found.irreducible:
        lines += [
            "",
            f"all of this is the excess over {found.irreducible}, which no allocation changes",
        ]
    if len(found) > 1:
        lines += [
            "",
            "the optimum is the largest of those that are possible, up to a constant factor",
        ]
    if values:
        numbers = {
            sympy.Symbol(key, positive=True): fraction(key, value)
            for key, value in pairs(values).items()
        }
        if not scale and bound in numbers:  # it is as large as told: compare values
            bound = None
        winner = found.at(numbers, bound)
        place = ", ".join(f"{name} = {value}" for name, value in numbers.items())
        result = f"{bound}^({winner.value})" if bound is not None else _decimal(winner.value)
        position = list(found).index(winner.balance) + 1
        lines += [
            "",
            f"at {place}: number {position}, {result}"
            + (" (tied: a logarithm is possible)" if winner.ties else ""),
        ]
        data["winner"] = {
            "balance": position,
            "scale": None if bound is None else str(bound),
            "value": str(winner.value),
            "tied": bool(winner.ties),
        }
    after = "\n".join(lines[heading:])
    answer = Answer(
        data,
        ["\n".join(lines)],
        terminal=lambda width: balance.on_terminal(found, f"{before}\n", after, width),
        latex=lambda: balance.as_latex(found, before, after),
    )
    emit(answer, json, output, plain=plain, latex=latex)
    return 0


def _decimal(value: Any) -> str:
    """Write a number as it is, and in decimals where it is no fraction."""
    return (
        str(value) if value.is_Rational or not value.is_number else f"{value} = {float(value):.6g}"
    )


def _constraint(argument: str, text: str, sign: str) -> tuple[Any, Any]:
    from ..parsing import parse_expression

    left, found, right = text.partition(sign)
    if not found or not left.strip() or not right.strip():
        raise DomainError(
            f"--{argument} {text!r} must have the form monomial{sign}bound",
            argument=argument,
            value=text,
        )
    return parse_expression(left, argument), parse_expression(right, argument)


def _scale(name: str, budgets: list[tuple[Any, Any]], whole: Any) -> Any:
    """Return the symbol that grows: the one named, else the bound of the only budget if it is one."""
    import sympy

    if name:
        known = {
            str(symbol): symbol
            for part in (whole, *(side for pair in budgets for side in pair))
            for symbol in part.free_symbols
        }
        if name not in known:
            raise unknown_name("symbol of the problem", name, known)
        return known[name]
    return budgets[0][1] if len(budgets) == 1 and isinstance(budgets[0][1], sympy.Symbol) else None
