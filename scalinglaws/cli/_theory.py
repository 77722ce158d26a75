"""Commands of the first room: laws, their derivations, and the calculus itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ..errors import DomainError, unknown_name
from ..tables import Table
from ._app import Json, Output, app
from ._formats import Answer, check_suffix, emit, write
from ._grammar import fraction, pairs


@app.command
def laws(text: str = "", /, *, json: Json = False, output: Output = None) -> int:
    """List the laws, or those that mention a text.

    Parameters
    ----------
    text : str
        Part of a name, a statement or a symbol.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .txt).
    """
    from .. import theory
    from ..theory.catalogue import CATALOGUE

    names = theory.laws() if not text else tuple(law.name for law in theory.find(text))
    rows = [(name, CATALOGUE[name].statement) for name in names]
    data = [{"name": name, "statement": statement} for name, statement in rows]
    header = ("law", "statement")
    blocks: list[str | Table] = [Table(header, rows)] if rows else [f"no law mentions {text!r}"]
    emit(Answer(data, blocks, (header, list(rows))), json, output)
    return 0 if rows else 1


@app.command
def law(
    name: str,
    /,
    *values: str,
    notation: str = "capacity",
    latex: Annotated[bool, Parameter(negative="")] = False,
    published: Annotated[bool, Parameter(negative="")] = False,
    explain: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law, and its exponent at given parameters.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``.
    values : str
        Parameters, exactly: alpha=3/2 beta=0.5, or those of another notation.
    notation : str
        capacity (alpha, beta), bordelon (a, b), paquette, bahri, kernel or caponnetto.
    latex : bool
        Print formulas as LaTeX.
    published : bool
        Show the formula printed elsewhere, where it differs, and why.
    explain : bool
        Explain the law in Markdown instead, every step of its derivation included.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
    """
    import sympy

    from .. import theory
    from ..notation import convention

    found = theory.law(name)
    if convention(notation).name != found.notation:
        found = found.in_notation(notation)
    if explain:
        text = found.explain()
        emit(Answer({"name": name, "markdown": text}, [text]), json, output)
        return 0
    show = sympy.latex if latex else str
    exact: dict[str, Any] = {key: fraction(key, value) for key, value in pairs(values).items()}

    exponent, constant = show(found.expr), None if found.constant is None else show(found.constant)
    sign = "" if found.growth else "-"
    data: dict[str, Any] = {
        "name": name,
        "statement": found.statement,
        "notation": notation,
        "variable": str(found.variable),
        "exponent": exponent,
        "constant": constant,
        "regimes": [
            {
                "name": entry.name,
                "condition": show(entry.condition),
                "exponent": show(entry.exponent),
                "constant": None if entry.constant is None else show(entry.constant),
                "log_power": _log_power(entry.log_power),
            }
            for entry in found.regimes
        ],
        "validity": [str(condition) for condition in found.validity],
        "symbols": dict(found.symbols),
        "standing": found.standing,
        "references": [str(entry) for entry in found.reference],
    }
    lines = [
        f"{name}: {found.statement}",
        "",
        f"  {found.quantity} ~ {'' if constant is None else 'c '}{found.variable}^{sign}g",
        *([] if len(found.regimes) > 4 else [f"  g         {exponent}"]),
        *([] if len(found.regimes) > 1 or constant is None else [f"  c         {constant}"]),
        f"  valid for {', '.join(map(str, found.validity))}",
        *(f"  {symbol:<9} {meaning}" for symbol, meaning in found.symbols.items()),
        f"  standing  {found.standing}: {'what follows from it: ' if found.standing == 'ansatz' else ''}scalinglaws derive {name}",
        *(f"  source    {entry}" for entry in found.reference),
    ]
    if len(found.regimes) > 1:
        width = max(15, *(len(entry.name) for entry in found.regimes))
        lines += ["", "  regimes:"]
        lines += [
            f"    {entry.name:<{width}} {_condition(entry.condition)}: g = {show(entry.exponent)}"
            + ("" if entry.constant is None else f", c = {show(entry.constant)}")
            + _logarithm(entry.log_power, found.variable)
            for entry in found.regimes
        ]
    if found.forms:
        lines += ["", "  formulas:"]
        lines += [
            f"    {key:<18} {form.statement}: {show(form.expr)}"
            for key, form in found.forms.items()
        ]
        data["forms"] = {
            key: {"statement": form.statement, "expression": show(form.expr)}
            for key, form in found.forms.items()
        }
    if exact:
        value = found(**exact)
        data["values"] = {key: str(value) for key, value in exact.items()}
        here = next(entry for entry in found.regimes if entry.name == found.regime(**exact))
        power = None if here.log_power is None else found.log_power(**exact)
        data |= {
            "value": str(value),
            "decimal": float(value),
            "regime": here.name,
            "log_power": _log_power(power),
        }
        at = ", ".join(f"{key} = {value}" for key, value in exact.items())
        decimal = "" if value == int(value) else f" = {float(value):.6g}"
        lines += [
            "",
            f"  at {at}: g = {value}{decimal} ({here.name}{_logarithm(power, found.variable)})",
        ]
    if published:
        if found.published is None:
            lines += ["", "  no other formula for this law is known to be in print"]
            data["published"] = None
        else:
            printed = show(found.published_expr)
            data["published"] = {
                "exponent": printed,
                "reason": found.published.reason,
                "reference": str(found.published.reference),
            }
            lines += ["", f"  published elsewhere: {printed} ({found.published.reference})"]
            if exact:
                data["published"]["value"] = str(found.published_value(**exact))
                lines.append(f"  which would give g = {data['published']['value']} here")
            lines.append(f"  why not: {found.published.reason}")
    emit(Answer(data, ["\n".join(lines)]), json, output)
    return 0


def _condition(condition: Any) -> str:
    """Write a condition as a person would."""
    parts = condition.args if condition.func.__name__ == "And" else (condition,)
    return ", ".join(
        f"{part.lhs} = {part.rhs}" if getattr(part, "rel_op", "") == "==" else str(part)
        for part in parts
    )


def _logarithm(power: Any, variable: Any) -> str:
    """Write the power of a logarithm that multiplies a law."""
    if power is None:
        return f", times an unknown power of log {variable}"
    if power == 0:
        return ""
    return f", times log {variable}" if power == 1 else f", times (log {variable})^({power})"


def _log_power(power: Any) -> int | str | None:
    return power if power is None or isinstance(power, int) else str(power)


@app.command
def derive(
    name: str,
    /,
    *,
    check: Annotated[bool, Parameter(negative="")] = False,
    latex: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law's derivation, step by step.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``.
    check : bool
        Let the machine check every step now (seconds; ten for the longest); exit code 1 if one is refused.
    latex : bool
        Print formulas as LaTeX.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
    """
    import sympy

    from .. import theory

    found = theory.law(name)
    show = sympy.latex if latex else str
    checks = found.derivation.check() if check else None
    signs = {"definition": ":=", "equal": "=", "asymptotic": "~", "solves": "=", "balance": "="}
    lines, data = [f"{name}: {found.statement}"], []
    for position, entry in enumerate(found.derivation.steps, start=1):
        kind = entry.relation.kind
        formula = f"{show(entry.quantity)} {signs[kind]} {show(entry.value)}"
        why = f"{entry.relation}; {entry.reason}" + (
            f" [{entry.reference}]" if entry.reference else ""
        )
        lines += ["", f"{position:>3}. {formula}", f"     {why}"]
        record: dict[str, Any] = {
            "step": position,
            "quantity": show(entry.quantity),
            "expression": show(entry.value),
            "relation": str(entry.relation),
            "reason": entry.reason,
            "reference": str(entry.reference) if entry.reference else None,
        }
        if checks is not None:
            outcome = checks[position - 1]
            record |= {"passed": outcome.passed, "detail": outcome.detail}
            lines.append(f"     {'checked' if outcome.passed else 'REFUSED'}: {outcome.detail}")
        data.append(record)
    refused = checks is not None and not all(outcome.passed for outcome in checks)
    lines += ["", f"Hence g = {show(found.expr)} for {', '.join(map(str, found.validity))}."]
    emit(
        Answer({"name": name, "exponent": show(found.expr), "steps": data}, ["\n".join(lines)]),
        json,
        output,
    )
    return 1 if refused else 0


@app.command
def compare(
    first: str, second: str, /, *values: str, json: Json = False, output: Output = None
) -> int:
    """Compare two laws: exponents, validity, and the first step at which their derivations part.

    Parameters
    ----------
    first : str
        As listed by ``scalinglaws laws``.
    second : str
        Another.
    values : str
        Parameters: alpha=3/2 beta=0.5.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
    """
    from .. import theory

    found = theory.compare(
        first, second, **{key: fraction(key, value) for key, value in pairs(values).items()}
    )
    steps = [
        None if entry is None else {"expression": str(entry.value), "reason": entry.reason}
        for entry in found.steps()
    ]
    data = {
        "laws": [first, second],
        "values": {key: str(value) for key, value in found.values.items()},
        "exponents": [None if exponent is None else str(exponent) for exponent in found.exponents],
        "inside": list(found.inside),
        "agree": found.agree,
        "first_differing_step": None if found.difference is None else found.difference + 1,
        "steps": steps,
    }
    emit(Answer(data, [str(found)]), json, output)
    return 0


@app.command
def cite(*names: str, output: Annotated[Path | None, Parameter(name="--output")] = None) -> int:
    """Print BibTeX entries for exactly the sources that laws use.

    Parameters
    ----------
    names : str
        As listed by ``scalinglaws laws``; all by default.
    output : Path
        File to write (.bib, .txt).
    """
    from .. import theory

    text = theory.cite(*names)
    if output is None:
        sys.stdout.write(text)
        return 0
    check_suffix(output, {".bib": None, ".txt": None})
    write(output, text)
    return 0


@app.command
def allocate(
    terms: str,
    /,
    *values: str,
    budget: tuple[str, ...] = (),
    cap: tuple[str, ...] = (),
    free: str = "",
    scale: str = "",
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
        What grows without bound; by default the bound of the only budget.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
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
                [f"     possible if {', '.join(map(str, entry.conditions))}"]
                if entry.conditions
                else []
            ),
        ]
    data: dict[str, Any] = {
        "terms": terms,
        "free": [str(name) for name in chosen],
        "balances": records,
    }
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
        winner = found.at(numbers, bound)
        place = ", ".join(f"{name} = {value}" for name, value in numbers.items())
        result = f"{bound}^({winner.value})" if bound is not None else str(winner.value)
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
    emit(Answer(data, ["\n".join(lines)]), json, output)
    return 0


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
