"""Blocks as text, Markdown, HTML, LaTeX and JSON.

Each rendering is a table from kinds of blocks to the function that writes them, in the order in which they are shown; what a
table does not list, it does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from html import escape
from typing import Any

import sympy as sp

from .. import typesetting as tex
from ..formatting import number
from .decimals import decimal
from .lettering import in_unicode
from .mathematical_markup import markup, mathml
from .presentation import (
    Block,
    Conclusion,
    Domain,
    Elsewhere,
    Evaluated,
    Formulas,
    Regimes,
    Scaling,
    Sources,
    Standing,
    Steps,
    Symbols,
    Tested,
    Title,
    Value,
    Warned,
)
from .records import Regime
from .steps import Step, aligned, in_latex

Show = Callable[[Any], str]
"""Writes an expression: `str` or `sympy.latex`."""

_MANY = 4  # regimes: with more, a formula for the exponent takes lines that nobody reads
_STANDINGS = {
    "derived": "derived from the model's own equation; every step can be checked by machine",
    "exact": "exact, without approximation",
    "asymptotic": "a leading term",
    "heuristic": "heuristic: an argument, not a derivation",
    "ansatz": "an ansatz: its form is assumed because it fits; only what follows from it is derived",
    "numerical": "numerical: found by computation",
}


def text(blocks: Iterable[Block], show: Show = str) -> str:
    """Write blocks as plain text.

    Parameters
    ----------
    blocks : iterable of Block
        Of a law or of a derivation.
    show : callable
        How formulas are written; conditions are always plain.

    Returns
    -------
    str
        Without a newline at the end.
    """
    return "\n".join(line for lines in _written(_TEXT, blocks, show) for line in lines)


def terminal(blocks: Iterable[Block], width: int) -> str:
    """Write blocks for a terminal of so many columns, formulas in Unicode: fractions stacked, cases as a table."""
    blocks = tuple(blocks)
    return in_unicode(lambda show: text(blocks, show), width)


def markdown(blocks: Iterable[Block]) -> str:
    """Write blocks as Markdown, with formulas between dollar signs."""
    return _prose(blocks, _MARKDOWN)


def html(blocks: Iterable[Block]) -> str:
    """Write blocks as HTML, with formulas as MathJax and KaTeX read them."""
    return _prose(blocks, _HTML)


def notebook(blocks: Iterable[Block]) -> str:
    """Write blocks as HTML that needs no script and no network: formulas are MathML."""
    return _prose(blocks, _NOTEBOOK, _WHOLE)


def document(blocks: Iterable[Block]) -> str:
    """Write blocks as LaTeX, to be put into a document that loads `scalinglaws.typesetting.PACKAGES`."""
    return _prose(blocks, _DOCUMENT, _WHOLE)


def latex(blocks: Iterable[Block]) -> str:
    """Write the formulas of blocks as LaTeX, without dollar signs."""
    return "\n".join(_written(_LATEX, blocks))


def data(blocks: Iterable[Block], show: Show = str) -> dict[str, Any]:
    """Return what blocks say as JSON can hold it.

    Parameters
    ----------
    blocks : iterable of Block
        Of a law or of a derivation.
    show : callable
        How formulas are written; validity conditions are always plain.

    Returns
    -------
    dict
        Strings, numbers, lists and dictionaries.
    """
    found: dict[str, Any] = {}
    for part in _written(_DATA, blocks, show):
        found |= part
    return found


def _written(
    table: Mapping[Any, Callable[..., Any]], blocks: Iterable[Block], *how: Any
) -> list[Any]:
    """Write each block by the table, in the table's order."""
    found = {type(block): block for block in blocks}
    return [write(found[kind], *how) for kind, write in table.items() if kind in found]


# -- text ---------------------------------------------------------------------------------------------------------------


def _scaling_text(block: Scaling, show: Show) -> list[str]:
    known = block.constant is not None
    sign = "" if block.growth else "-"
    lines = [
        "",
        f"  {block.quantity} ~ {f'{block.letter} ' if known else ''}{block.variable}^{sign}g",
    ]
    if block.branches <= _MANY:
        lines.append(f"  g         {show(block.exponent)}")
    if block.branches <= 1 and known:
        lines.append(f"  {block.letter}         {show(block.constant)}")
    return lines


def _standing_text(block: Standing, show: Show) -> list[str]:
    what = "what follows from it: " if block.standing == "ansatz" else ""
    notation = f" --notation {block.notation}" if block.notation else ""
    lines = [f"  standing  {block.standing}: {what}scalinglaws derive {block.law}{notation}"]
    return [*lines, *([f"  assumes   {block.assumption}"] if block.assumption else [])]


def _tested_text(block: Tested, show: Show) -> list[str]:
    return [f"  tested    {_command(block) or 'by no check yet'}"]


def _command(block: Tested) -> str:
    return f"scalinglaws verify {' '.join(block.checks)}" if block.checks else ""


def _plain_power(block: Regimes) -> bool:
    """Whether exponent and constant say all: one branch, without a logarithm."""
    return len(block.regimes) <= 1 and not any(entry.log_power for entry in block.regimes)


def _regimes_text(block: Regimes, show: Show) -> list[str]:
    if _plain_power(block):
        return []
    width = max(15, *(len(entry.name) for entry in block.regimes))
    lines = ["", "  regimes:"]
    for entry in block.regimes:
        constant = "" if entry.constant is None else f", c = {show(entry.constant)}"
        lines.append(
            f"    {entry.name:<{width}} {_plain(entry.condition)}: g = {show(entry.exponent)}{constant}"
            + _logarithm(entry.log_power, block.variable)
        )
    return lines


def _formulas_text(block: Formulas, show: Show) -> list[str]:
    lines = [
        f"    {name:<18} {form.statement}: {show(form.expr)}" for name, form in block.forms.items()
    ]
    return ["", "  formulas:", *lines] if lines else []


def _value_text(block: Value, show: Show) -> list[str]:
    at = ", ".join(f"{name} = {value}" for name, value in block.values.items())
    whole = block.exponent == int(block.exponent)
    decimal = "" if whole else f" = {number(float(block.exponent), 6)}"
    where = f"{block.regime}{_logarithm(block.log_power, block.variable)}"
    return ["", f"  at {at}: g = {block.exponent}{decimal} ({where})"]


def _evaluated_text(block: Evaluated, show: Show) -> list[str]:
    width = max((len(entry.name) for entry in block.entries), default=0)
    lines = []
    for entry in block.entries:
        value = "" if entry.value is None else f"= {decimal(entry.value, block.digits)}"
        note = f"({entry.note})" if value and entry.note else entry.note
        lines.append(f"    {entry.name:<{width}} {' '.join(filter(None, (value, note)))}")
    at = ", ".join(f"{name} = {_given(value)}" for name, value in block.values.items())
    return ["", f"  formulas at {at}:", *lines] if lines else []


def _given(value: Any) -> str:
    """Write a number that was given: fractions as decimals where these end."""
    written = decimal(sp.sympify(value), 12)
    return written if sp.Rational(written) == value or len(str(value)) > 12 else str(value)


def _elsewhere_text(block: Elsewhere, show: Show) -> list[str]:
    slips = [
        f"  misprint: {slip.printed}; it should be {slip.correct}: {slip.reason} ({slip.source})"
        for slip in block.misprints
    ]
    if block.published is None:
        return ["", "  no other formula for this law is known to be in print", *slips]
    lines = ["", f"  published elsewhere: {show(block.exponent)} ({block.published.reference})"]
    if block.value is not None:
        lines.append(f"  which would give g = {block.value} here")
    lines.append(f"  why not: {block.published.reason}")
    if block.published.factor:
        lines.append(f"  by how much: {_factor(block)}")
    return [*lines, *slips]


def _factor(block: Elsewhere) -> str:
    """Say by how much a printed formula is off, at the parameters if they are given."""
    assert block.published is not None
    factor = block.published.factor
    assert factor is not None
    if block.factor is not None:
        return f"at these parameters the printed formula tends to {number(block.factor, 5)} times the derived one"
    return (
        f"for {factor.condition} the printed formula tends to {factor.expr} times the derived one"
    )


def _steps_text(block: Steps, show: Show) -> list[str]:
    lines = []
    for position, entry in enumerate(block.steps):
        source = f" [{entry.reference}]" if entry.reference else ""
        lines += [
            "",
            f"{position + 1:>3}. {show(entry.quantity)} {entry.sign.text} {show(entry.value)}",
            f"     {entry.relation}; {entry.reason}{source}",
        ]
        if block.checks is not None:
            found = block.checks[position]
            lines.append(f"     {'checked' if found.passed else 'REFUSED'}: {found.detail}")
    return lines


def _plain(condition: sp.Basic) -> str:
    """Write a condition as a person would."""
    if condition == sp.true:
        return "everywhere"
    # the arguments are sorted, those of And.make_args are not
    parts = condition.args if isinstance(condition, sp.And) else (condition,)
    return ", ".join(
        f"{part.lhs} = {part.rhs}" if isinstance(part, sp.Eq) else str(part) for part in parts
    )


def _logarithm(power: Any, variable: sp.Symbol) -> str:
    """Write the power of a logarithm that multiplies a law."""
    if power is None:
        return f", times an unknown power of log {variable}"
    if power == 0:
        return ""
    return f", times log {variable}" if power == 1 else f", times (log {variable})^({power})"


def _listed(conditions: Iterable[sp.Basic]) -> str:
    return ", ".join(map(str, conditions))


def _symbols_text(block: Symbols) -> list[str]:
    """Write every name as it is given and, where formulas write another, that one too."""
    labels = {
        name: ", ".join((name, *block.printed.get(name, "").split())) for name in block.meanings
    }
    room = max([9, *(len(label) + 1 for label in labels.values() if len(label) > 9)])
    return [f"  {labels[name]:<{room}} {meaning}" for name, meaning in block.meanings.items()]


_TEXT: dict[type, Callable[[Any, Show], list[str]]] = {
    Title: lambda block, show: [f"{block.name}: {block.statement}"],
    Scaling: _scaling_text,
    Domain: lambda block, show: (
        [f"  valid for {_listed(block.conditions)}"] if block.conditions else []
    ),
    Symbols: lambda block, show: _symbols_text(block),
    Standing: _standing_text,
    Tested: _tested_text,
    Sources: lambda block, show: [f"  source    {entry}" for entry in block.references],
    Regimes: _regimes_text,
    Formulas: _formulas_text,
    Value: _value_text,
    Evaluated: _evaluated_text,
    Elsewhere: _elsewhere_text,
    Steps: _steps_text,
    Conclusion: lambda block, show: [
        "",
        f"Hence g = {show(block.exponent)}"
        + (f" for {_listed(block.conditions)}." if block.conditions else "."),
    ],
}


# -- Markdown and HTML: the same words, marked up differently -----------------------------------------------------------


@dataclass(frozen=True)
class _Markup:
    """Marks of a document; `plain` takes words as they are, `math` and `display` expressions and signs, all others marked-up words."""

    plain: Callable[[str], str]
    math: Callable[..., str]
    display: Callable[..., str]
    code: Callable[[str], str]
    strong: Callable[[str], str]
    emphasis: Callable[[str], str]
    heading: Callable[[int, str], str]
    paragraph: Callable[[str], str]
    items: Callable[[list[str]], str]
    step: Callable[[int, str, str], str]
    """A numbered line of words above a formula, as `display` sets it."""
    scaling: Callable[[Scaling], str]
    """The law itself."""


def _formula(*parts: Any) -> str:
    """Write expressions, and signs between them, as LaTeX."""
    return " ".join(part if isinstance(part, str) else in_latex(part) for part in parts)


_MARKDOWN = _Markup(
    plain=str,
    math=lambda *parts: f"${_formula(*parts)}$",
    display=lambda *parts: f"$${_formula(*parts)}$$",
    code=lambda words: f"`{words}`",
    strong=lambda words: f"**{words}**",
    emphasis=lambda words: f"*{words}*",
    heading=lambda level, words: f"{'#' * level} {words}",
    paragraph=str,
    items=lambda lines: "\n".join(f"* {line}" for line in lines),
    step=lambda number, words, formula: f"{number}. {words}\n\n   {formula}",
    scaling=lambda block: f"$${_scaling_latex(block)}$$",
)
_HTML = _Markup(
    plain=escape,
    math=lambda *parts: rf"\({escape(_formula(*parts))}\)",
    display=lambda *parts: rf"\[{escape(_formula(*parts))}\]",
    code=lambda words: f"<code>{words}</code>",
    strong=lambda words: f"<strong>{words}</strong>",
    emphasis=lambda words: f"<em>{words}</em>",
    heading=lambda level, words: f"<h{level}>{words}</h{level}>",
    paragraph=lambda words: f"<p>{words}</p>",
    items=lambda lines: "\n".join(["<ul>", *(f"<li>{line}</li>" for line in lines), "</ul>"]),
    step=lambda number, words, formula: f'<ol start="{number}"><li>{words}<br>{formula}</li></ol>',
    scaling=lambda block: rf"<p>\[{escape(_scaling_latex(block))}\]</p>",
)
_NOTEBOOK = replace(
    _HTML,
    math=mathml,
    display=partial(mathml, display=True),
    heading=lambda level, words: f"<h{level + 2}>{words}</h{level + 2}>",
    scaling=lambda block: f"<p>{_scaling_mathml(block)}</p>",
)
_DOCUMENT = _Markup(
    plain=tex.escape,
    math=lambda *parts: f"${_formula(*parts)}$",
    display=lambda *parts: tex.display(_formula(*parts)),
    code=lambda words: rf"\texttt{{{words}}}",
    strong=lambda words: rf"\textbf{{{words}}}",
    emphasis=lambda words: rf"\emph{{{words}}}",
    heading=lambda level, words: rf"\{'sub' * (level - 1)}section*{{{words}}}",
    paragraph=str,
    items=lambda lines: "\n".join(
        [r"\begin{itemize}", *(rf"\item {line}" for line in lines), r"\end{itemize}"]
    ),
    step=lambda number, words, formula: f"{number}. {words}\n{formula}",
    scaling=lambda block: tex.display(_scaling_latex(block, tex.escape)),
)


def _prose(
    blocks: Iterable[Block], markup: _Markup, table: Mapping[Any, Callable[..., Any]] | None = None
) -> str:
    parts = (part for parts in _written(table or _PROSE, blocks, markup) for part in parts)
    return "\n\n".join(parts) + "\n"


def _title_prose(block: Title, markup: _Markup) -> list[str]:
    statement = markup.plain(_sentence(block.statement))
    return [markup.heading(1, markup.plain(block.name)), markup.paragraph(f"{statement}.")]


def _symbols_prose(block: Symbols, markup: _Markup) -> list[str]:
    lines = [
        f"{markup.math(sp.Symbol(block.printed.get(name, name)))}: {markup.plain(meaning)}"
        for name, meaning in block.meanings.items()
    ]
    return [markup.items(lines)] if lines else []


def _domain_prose(block: Domain, markup: _Markup) -> list[str]:
    conditions = ", ".join(markup.math(condition) for condition in block.conditions)
    return [markup.paragraph(f"Valid for {conditions}.")] if conditions else []


def _standing_prose(block: Standing, markup: _Markup) -> list[str]:
    lines = [markup.paragraph(f"Standing: {markup.plain(_STANDINGS[block.standing])}.")]
    if block.assumption:
        lines.append(markup.paragraph(f"Assumes {markup.plain(block.assumption)}."))
    return lines


def _tested_prose(block: Tested, markup: _Markup) -> list[str]:
    command = _command(block)
    how = markup.code(markup.plain(command)) if command else "by no check yet"
    return [markup.paragraph(f"Tested: {how}.")]


def _warned_prose(block: Warned, markup: _Markup) -> list[str]:
    where, reason = markup.math(block.caution.condition), block.caution.reason
    return [markup.paragraph(f"Caution, where {where}: {markup.plain(reason)}.")]


def _regimes_prose(block: Regimes, markup: _Markup) -> list[str]:
    if _plain_power(block):
        return []

    def line(entry: Regime) -> str:
        name, where = (
            markup.strong(markup.plain(entry.name)),
            markup.math(entry.condition),
        )
        logs = ""
        if entry.log_power is None:
            logs = ", with a power of the logarithm that is not known"
        elif entry.log_power:
            logs = ", times " + markup.math(sp.log(block.variable) ** sp.sympify(entry.log_power))
        return f"{name}, where {where}: exponent {markup.math(entry.exponent)}{logs}"

    return [markup.heading(2, "Regimes"), markup.items(list(map(line, block.regimes)))]


def _formulas_prose(block: Formulas, markup: _Markup) -> list[str]:
    lines = [
        f"{markup.code(markup.plain(name))}, {markup.plain(form.statement)}: {markup.math(form.expr)}"
        for name, form in block.forms.items()
    ]
    return [markup.heading(2, "Formulas"), markup.items(lines)] if lines else []


def _evaluated_prose(block: Evaluated, markup: _Markup) -> list[str]:
    lines = []
    for entry in block.entries:
        value = "" if entry.value is None else f": {decimal(entry.value, block.digits)}"
        note = f" ({markup.plain(entry.note)})" if entry.note else ""
        lines.append(f"{markup.code(markup.plain(entry.name))}{value}{note}")
    return [markup.heading(2, "In numbers"), markup.items(lines)] if lines else []


def _steps_prose(block: Steps, markup: _Markup) -> list[str]:
    return [
        markup.heading(2, "Derivation"),
        *(_step_prose(number, entry, markup) for number, entry in enumerate(block.steps, start=1)),
    ]


def _step_prose(position: int, entry: Step, markup: _Markup) -> str:
    why = markup.plain(_sentence(entry.reason))
    if entry.relation.variable is not None:
        limit = markup.math(entry.relation.variable, r"\to", sp.oo)
        why += f" (as {limit})"
    elif entry.relation.equation is not None:
        left, right = entry.relation.equation.args
        why += f" (solves {markup.math(left, '=', right)})"
    if entry.where != sp.true:
        why += f", for {markup.math(entry.where)}"
    if entry.reference is not None:
        why += f" [{entry.reference.key}]"
    formula = markup.display(entry.quantity, entry.sign.latex, entry.value)
    return markup.step(position, f"{why}.", formula)


def _elsewhere_prose(block: Elsewhere, markup: _Markup) -> list[str]:
    if block.published is None and not block.misprints:
        return []
    said = []
    if block.published is not None:
        exponent, reference = markup.math(block.exponent), block.published.reference
        where, why = markup.plain(str(reference)), markup.plain(block.published.reason)
        said.append(f"Exponent {exponent} in {where}: {why}.")
        if block.published.factor:
            said.append(f"{_sentence(markup.plain(_factor(block)))}.")
    said += [
        markup.plain(f"{slip.source}: {slip.printed}; it should be {slip.correct}: {slip.reason}.")
        for slip in block.misprints
    ]
    return [markup.heading(2, "Printed elsewhere"), *map(markup.paragraph, said)]


def _sources_prose(block: Sources, markup: _Markup) -> list[str]:
    lines = [
        f"{markup.plain(entry.authors)}, {markup.emphasis(markup.plain(entry.title))}, "
        + markup.plain(f"{entry.venue} ({entry.year}), {entry.identifier}")
        for entry in block.references
    ]
    return [markup.heading(2, "Sources"), markup.items(lines)]


def _sentence(words: str) -> str:
    """Begin with a capital letter."""
    return words[0].upper() + words[1:]


_PROSE: dict[type, Callable[[Any, _Markup], list[str]]] = {
    Title: _title_prose,
    Scaling: lambda block, markup: [markup.scaling(block)],
    Symbols: _symbols_prose,
    Domain: _domain_prose,
    Standing: _standing_prose,
    Tested: _tested_prose,
    Warned: _warned_prose,
    Regimes: _regimes_prose,
    Formulas: _formulas_prose,
    Evaluated: _evaluated_prose,
    Steps: _steps_prose,
    Elsewhere: _elsewhere_prose,
    Sources: _sources_prose,
}


def _value_prose(block: Value, markup: _Markup) -> list[str]:
    at = ", ".join(
        markup.math(sp.Symbol(name), "=", sp.sympify(value)) for name, value in block.values.items()
    )
    found = markup.math(sp.Symbol("g"), "=", sp.sympify(block.exponent))
    where = markup.plain(f"{block.regime}{_logarithm(block.log_power, block.variable)}")
    return [markup.paragraph(f"At {at}: {found} ({where}).")]


def _conclusion_prose(block: Conclusion, markup: _Markup) -> list[str]:
    conditions = ", ".join(map(markup.math, block.conditions))
    where = f", for {conditions}" if conditions else ""
    found = markup.math(sp.Symbol("g"), "=", block.exponent)
    return [markup.paragraph(f"Hence {found}{where}.")]


_BEFORE: dict[type, tuple[type, Callable[[Any, _Markup], list[str]]]] = {
    Steps: (Value, _value_prose),  # behind the formulas
    Elsewhere: (Conclusion, _conclusion_prose),  # behind the steps
}
_WHOLE: dict[type, Callable[[Any, _Markup], list[str]]] = {}
for _kind, _write in _PROSE.items():
    if _kind in _BEFORE:
        _WHOLE.update([_BEFORE[_kind]])
    _WHOLE[_kind] = _write
"""All that a law or a derivation says: the value at parameters and the conclusion too."""


def _scaling_mathml(block: Scaling) -> str:
    """Write the law as MathML: quantity, sign, constant, power."""
    sign = "" if block.growth else "<mo>−</mo>"
    cases = isinstance(block.exponent, sp.Piecewise)
    power = "<mi>g</mi>" if cases else markup(block.exponent)
    if not cases and block.exponent.is_Add:
        power = f"<mo>(</mo>{power}<mo>)</mo>"
    base = f"<msup>{markup(block.variable)}<mrow>{sign}{power}</mrow></msup>"
    constant = f"<mi>{block.letter}</mi>" if block.constant is not None else ""
    formula = f"<mtext>{escape(block.quantity)}</mtext><mo>∼</mo>{constant}{base}"
    ends = [("g", block.exponent)] if cases else []
    ends += [(block.letter, block.constant)] if block.constant is not None else []
    for name, expr in ends:
        formula += f'<mo>,</mo><mspace width="1em"/><mi>{name}</mi><mo>=</mo>{markup(expr)}'
    return f'<math display="block">{formula}</math>'


# -- LaTeX --------------------------------------------------------------------------------------------------------------


def _scaling_latex(block: Scaling, words: Callable[[str], str] = str) -> str:
    variable, exponent = in_latex(block.variable), in_latex(block.exponent)
    quantity = rf"\text{{{words(block.quantity)}}}"
    sign = "" if block.growth else "-"
    if isinstance(block.exponent, sp.Piecewise):
        relation = rf"{quantity} \sim {variable}^{{{sign}g}}, \qquad g = {exponent}"
    else:
        enclosed = rf"\left({exponent}\right)" if block.exponent.is_Add else exponent
        relation = rf"{quantity} \sim {block.letter}\,{variable}^{{{sign}{enclosed}}}"
    if block.constant is not None:
        relation += rf", \qquad {block.letter} = {in_latex(block.constant)}"
    return relation


_LATEX: dict[type, Callable[[Any], str]] = {
    Scaling: _scaling_latex,
    Steps: lambda block: aligned(block.steps),
}


# -- JSON ---------------------------------------------------------------------------------------------------------------


def _scaling_data(block: Scaling, show: Show) -> dict[str, Any]:
    return {
        "notation": block.notation,
        "variable": str(block.variable),
        "exponent": show(block.exponent),
        "constant": _shown(block.constant, show),
    }


def _regimes_data(block: Regimes, show: Show) -> dict[str, Any]:
    rows = [
        {
            "name": entry.name,
            "condition": show(entry.condition),
            "exponent": show(entry.exponent),
            "constant": _shown(entry.constant, show),
            "log_power": _power_data(entry.log_power),
        }
        for entry in block.regimes
    ]
    return {"regimes": rows}


def _formulas_data(block: Formulas, show: Show) -> dict[str, Any]:
    forms = {
        name: {"statement": form.statement, "expression": show(form.expr)}
        for name, form in block.forms.items()
    }
    return {"forms": forms} if forms else {}


def _value_data(block: Value, show: Show) -> dict[str, Any]:
    return {
        "values": {name: str(value) for name, value in block.values.items()},
        "value": str(block.exponent),
        "decimal": float(block.exponent),
        "regime": block.regime,
        "log_power": _power_data(block.log_power),
    }


def _evaluated_data(block: Evaluated, show: Show) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return decimal(value, block.digits) if block.digits > 15 else float(value)

    rows = {
        entry.name: ({} if entry.value is None else {"value": plain(entry.value)})
        | ({"note": entry.note} if entry.note else {})
        for entry in block.entries
    }
    return {"numbers": rows} if rows else {}


def _elsewhere_data(block: Elsewhere, show: Show) -> dict[str, Any]:
    slips = {"misprints": [asdict(slip) for slip in block.misprints]} if block.misprints else {}
    if block.published is None:
        return {"published": None, **slips}
    printed: dict[str, Any] = {
        "exponent": show(block.exponent),
        "reason": block.published.reason,
        "reference": str(block.published.reference),
    }
    if block.value is not None:
        printed["value"] = str(block.value)
    if block.published.factor is not None:
        printed["factor"] = str(block.published.factor.expr)
        printed["factor_condition"] = str(block.published.factor.condition)
    if block.factor is not None:
        printed["factor_here"] = block.factor
    return {"published": printed, **slips}


def _steps_data(block: Steps, show: Show) -> dict[str, Any]:
    rows = []
    for position, entry in enumerate(block.steps):
        row: dict[str, Any] = {
            "step": position + 1,
            "quantity": show(entry.quantity),
            "expression": show(entry.value),
            "relation": str(entry.relation),
            "reason": entry.reason,
            "reference": str(entry.reference) if entry.reference else None,
        }
        if block.checks is not None:
            found = block.checks[position]
            row |= {"passed": found.passed, "detail": found.detail}
        rows.append(row)
    return {"steps": rows}


def _shown(expr: Any, show: Show) -> str | None:
    return None if expr is None else show(expr)


def _power_data(power: Any) -> int | str | None:
    return power if power is None or isinstance(power, int) else str(power)


_DATA: dict[type, Callable[[Any, Show], dict[str, Any]]] = {
    Title: lambda block, show: {"name": block.name, "statement": block.statement},
    Scaling: _scaling_data,
    Regimes: _regimes_data,
    Domain: lambda block, show: {"validity": [str(entry) for entry in block.conditions]},
    Symbols: lambda block, show: {"symbols": dict(block.meanings)},
    Standing: lambda block, show: (
        {"standing": block.standing} | ({"assumes": block.assumption} if block.assumption else {})
    ),
    Tested: lambda block, show: {"checks": list(block.checks)},
    Sources: lambda block, show: {"references": [str(entry) for entry in block.references]},
    Formulas: _formulas_data,
    Value: _value_data,
    Evaluated: _evaluated_data,
    Elsewhere: _elsewhere_data,
    Conclusion: lambda block, show: {"exponent": show(block.exponent)},
    Steps: _steps_data,
}
