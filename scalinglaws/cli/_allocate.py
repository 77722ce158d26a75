"""The command that finds what balances in a sum of monomials under budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import digit_count
from ..errors import refusal, unknown_name
from ..parsing import spelled_out
from ._app import Json, Latex, Output, Plain, Whole, app
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
    digits: Whole = 6,
    json: Json = False,
    output: Output = None,
) -> int:
    """Minimize a sum of monomials under budgets: the optimum in numbers, which terms balance, and how it scales.

    Parameters
    ----------
    terms : str
        The sum: "A*N**-a + B*D**-b", or with numbers: "1.69 + 406.4/N**0.34 + 410.7/D**0.28".
    values : str
        Numbers for parameters, to find the winner there: a=1/3 b=0.4 C=1e21. Where all have one, the optimum is exact.
    budget : str
        An equation: "6*N*D=C", "6*N*D=5.76e23" or "D=300B". May be repeated.
    cap : str
        An upper bound: "D<=D_0", or "N<=7B". May be repeated.
    free : str
        The scales to choose, as N,D; by default those on the left of budgets and caps.
    scale : str
        What grows without bound; by default the bound of the only budget, unless it has a value.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    digits : int
        Significant digits of decimals.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    import sympy

    from ..theory import balance

    digit_count("digits", digits)
    problem = balance.read_problem(
        terms, budget, cap, [name.strip() for name in free.split(",") if name.strip()]
    )
    found = balance.allocate(problem.terms, problem.free, problem.budgets, problem.caps)
    bound = _scale(scale, problem)
    given = pairs(values)
    numbers = {
        sympy.Symbol(key, positive=True): fraction(key, value) for key, value in given.items()
    }
    place = ", ".join(f"{name} = {value}" for name, value in given.items())
    missing = found.parameters - set(numbers)
    if not scale and bound in numbers:  # it is as large as told: compare values
        bound = None
    if numbers and bound is None and missing:
        raise _undecided(problem, missing)
    subject = f", subject to {', '.join((*budget, *cap))}" if budget or cap else ""
    before = f"minimize {terms.strip()} over {', '.join(map(str, problem.free))}{subject}"
    lines = [before]
    data: dict[str, Any] = {
        "terms": terms,
        "free": [str(name) for name in problem.free],
        "balances": [_record(entry, digits) for entry in found],
        "irreducible": str(found.irreducible) if found.irreducible else None,
    }
    listed = found if found.parameters or len(found) > 1 else ()
    if listed:
        lines += ["", *_balances(found, problem, digits)]
    heading = len(lines)
    if len(found) > 1:
        lines += [
            "",
            "the optimum is the largest of those that are possible, up to a constant factor",
        ]
    if found.irreducible:
        lines += [
            "",
            f"all of this is the excess over {_constant(found.irreducible, problem)}, which no allocation changes",
        ]
    if numbers or not missing:
        lines += ["", *_at(found, numbers, bound, problem, digits, data, place)]
    after = "\n".join(lines[heading:])
    answer = Answer(
        data,
        ["\n".join(lines)],
        terminal=lambda width: balance.on_terminal(listed, f"{before}\n", after, width),
        latex=lambda: balance.as_latex(listed, before, after),
    )
    emit(answer, json, output, plain=plain, latex=latex)
    return 0


def _decimals(expr: Any, digits: int) -> str:
    from ..theory.decimals import with_decimals

    return with_decimals(expr, digits)


def _constant(expr: Any, problem: Any) -> str:
    """Write the sum of the constants as it was typed."""
    return " + ".join(problem.typed.get(part, str(part)) for part in expr.as_ordered_terms())


def _record(entry: Any, digits: int) -> dict[str, Any]:
    """Return a balance as JSON holds it."""
    constant = entry.exact_constant
    return {
        "value": _decimals(entry.value, digits),
        "exact_constant": None if constant is None else _decimals(constant, digits),
        "active": [str(item) for item in entry.active],
        "duals": {str(key): str(value) for key, value in entry.duals.items()},
        "conditions": [str(condition) for condition in entry.conditions],
        "possible": entry.possible,
        "allocation": {
            str(name): None if value is None else _decimals(value, digits)
            for name, value in entry.allocation.items()
        },
    }


def _balances(found: Any, problem: Any, digits: int) -> list[str]:
    """List every way in which terms can balance."""
    lines = []
    for number, entry in enumerate(found, start=1):
        constant = entry.exact_constant
        exactly = "" if constant is None else f", exactly times {_decimals(constant, digits)}"
        lines += [
            f"{number:>3}. {_decimals(entry.value, digits)}{exactly}",
            f"     where {' = '.join(problem.typed.get(term, str(term)) for term in entry.duals)}"
            + "".join(f", {item} reached" for item in entry.active[len(entry.duals) :]),
        ]
        if found.parameters:
            lines += [
                f"     {name} ~ {'(not determined)' if value is None else _decimals(value, digits)}"
                for name, value in entry.allocation.items()
            ]
        if entry.conditions:
            undecided = "" if entry.possible else " (undecided whether that can be)"
            lines.append(f"     possible if {', '.join(map(str, entry.conditions))}{undecided}")
    return lines


def _at(
    found: Any,
    numbers: Mapping[Any, Any],
    bound: Any,
    problem: Any,
    digits: int,
    data: dict[str, Any],
    place: str,
) -> list[str]:
    """Say what holds at given numbers: which balance wins, and the exact optimum where nothing grows."""
    from ..theory.decimals import decimal

    winner = found.at(numbers, bound)
    position = list(found).index(winner.balance) + 1
    data["winner"] = {
        "balance": position,
        "scale": None if bound is None else str(bound),
        "value": _decimals(winner.value, digits),
        "tied": bool(winner.ties),
    }
    tied = " (tied: a logarithm is possible)" if winner.ties else ""
    if bound is not None:
        return [
            f"at {place}: number {position}, {bound}^({winner.value})"
            + ("" if winner.value.is_Integer else f" = {bound}^{decimal(winner.value, digits)}")
            + tied,
            *_leading(winner, numbers, bound, digits, "excess" if found.irreducible else "least"),
        ]
    best = found.minimum(numbers, digits=max(digits, 15))
    data["optimum"] = {
        "excess": _plain(best.excess, digits),
        "irreducible": _plain(best.irreducible, digits),
        "total": _plain(best.total, digits),
        "scales": {str(key): _plain(value, digits) for key, value in best.scales.items()},
        "shares": {str(key): _plain(value, digits) for key, value in best.shares.items()},
        "elasticities": {
            str(key): _plain(value, digits) for key, value in best.elasticities.items()
        },
    }
    rows = [
        (str(name), "several values are as good" if value is None else decimal(value, digits))
        for name, value in best.scales.items()
    ]
    rows.append(("excess" if found.irreducible else "least", decimal(best.excess, digits)))
    if found.irreducible:
        unknown = ", ".join(sorted(map(str, found.irreducible.free_symbols)))
        total = f"needs {unknown}" if best.total is None else decimal(best.total, digits)
        rows.append(("total", total))
    width = max(len(name) for name, _ in rows)
    leads = (
        f"number {position} = {_decimals(winner.value, digits)}{tied}, up to a factor; the optimum"
    )
    listed = found.parameters or len(found) > 1
    lines = [(f"at {place}: " if place else "") + (leads if listed else "the optimum")]
    lines += [f"  {name:<{width}} = {value}" for name, value in rows]
    for term, share in best.shares.items():
        label = problem.typed.get(term, str(term))
        much = f"{decimal(100 * share, digits)} %" if share else "nothing, in a limit"
        lines.append(f"  {label} is {much} of {'the excess' if found.irreducible else 'it'}")
    if not best.reached:
        lines.append("  no allocation reaches this: some scale must grow, or shrink, without end")
    for item, power in best.elasticities.items():
        left = problem.typed.get(item.args[0], item.args[0])
        sign = "falls" if power < 0 else "grows"
        lines.append(
            f"  1 % more of {left}: {'the excess' if found.irreducible else 'it'} {sign} by {decimal(abs(power), digits)} %"
            if power
            else f"  more of {left} changes nothing"
        )
    return lines


def _leading(
    winner: Any, numbers: Mapping[Any, Any], bound: Any, digits: int, word: str
) -> list[str]:
    """Write the leading term with its number in front, where all numbers but the scale are given."""
    from ..theory.monomials import with_numbers
    from ..theory.parameters import to_exact

    entry, exact = winner.balance, {name: to_exact(value) for name, value in numbers.items()}
    if winner.ties:
        return []
    rows = {word: entry.value * entry.leading_constant}
    rows |= {str(name): value for name, value in entry.leading_alloc.items() if value is not None}
    return [
        f"  {name} ~ {_decimals(value, digits)}"
        for name, value in ((key, with_numbers(value, exact)) for key, value in rows.items())
        if value.free_symbols <= {bound}
    ]


def _plain(value: Any, digits: int) -> Any:
    """Return a number as JSON holds it: as text where it has more digits than a float."""
    from ..theory.decimals import decimal

    if value is None:
        return None
    return decimal(value, digits) if digits > 15 else float(value)


def _undecided(problem: Any, missing: set[Any]) -> Exception:
    """Say what is missing to name a winner: values, or what grows."""
    names = ", ".join(sorted(map(str, missing)))
    bounds = [str(right) for _, right in (*problem.budgets, *problem.caps) if right in missing]
    grow = f", or let one of them grow: --scale {' or --scale '.join(bounds)}" if bounds else ""
    return refusal("values", None, f"values are missing for {names}: give them{grow}", named=False)


def _scale(name: str, problem: Any) -> Any:
    """Return the symbol that grows: the one named, else the bound of the only budget if it is one."""
    import sympy

    budgets = problem.budgets
    if name := spelled_out(name):
        known = {
            str(symbol): symbol
            for part in (
                problem.terms,
                *(side for pair in (*budgets, *problem.caps) for side in pair),
            )
            for symbol in part.free_symbols
        }
        if name not in known:
            raise unknown_name("symbol of the problem", name, known)
        return known[name]
    return budgets[0][1] if len(budgets) == 1 and isinstance(budgets[0][1], sympy.Symbol) else None
