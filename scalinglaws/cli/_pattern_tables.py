"""The tables of a talk on patterns, beside what the engine derives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..tables import Block, Table
from ._app import Json, Latex, Output
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit
from ._pattern_answers import conditions_of, parameters_of
from ._patterns import patterns

if TYPE_CHECKING:
    from ..theory.patterns import Architecture, Attention

Network = Literal["fcn2", "cnn", "fcn3", "attention"]


_SOURCE = "Z. Ringel, talk on patterns of feature learning and their sample complexity; a dash where no printed cost is on record"


@dataclass(frozen=True)
class _Printed:
    """What the talk says of one network: the law, a title, and patterns with their costs as printed and the closed form that is meant."""

    law: str
    title: str
    costs: dict[str, tuple[str, int]]


_TALK: dict[str, _Printed] = {
    "fcn2": _Printed(
        "patterns.two_layer",
        "two layers, N = d^n neurons, cubic target",
        {"GP": ("", 0), "S1(1)": ("", 0), "S(1)": ("", 0), "G(1)": ("", 0)},
    ),
    "cnn": _Printed(
        "patterns.convolutional",
        "linear network of d^(1 - s) patches of S = d^s inputs, C = d^n channels",
        {"GP": ("", 0), "S1(1)": ("S + N*C ~ sqrt(d*C) ~ d", 1), "S(1)": ("", 0), "G(1)": ("", 0)},
    ),
    "fcn3": _Printed(
        "patterns.three_layer",
        "three layers, N_1 = d^n_1 and N_2 = d^n_2 neurons, cubic target",
        {
            "S1(1) S1(1)": ("d + N_1 + N_2", 3),
            "GP S(1)": ("2*sqrt(N_2*d)", 0),
            "S(1) GP": ("2*sqrt(N_1*d)", 0),
            "S(1) G(3)": ("3*(N_1*N_2*d)^(1/3)", 0),
            "S1(1) S(1)": ("", 0),
            "GP S1(1)": ("", 0),
            "S1(1) GP": ("", 0),
        },
    ),
    "attention": _Printed(
        "patterns.attention",
        "softmax head on sequences of L = d^ell tokens, prior deviations 1/A of scores and 1/W of values",
        {"softmax": ("L^(1/2)", 0), "GP": ("", 0)},
    ),
}


@patterns.command
def table(
    network: Network,
    /,
    *,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show what patterns cost as printed in the talk they are from, and as the engine derives it.

    Parameters
    ----------
    network : {"fcn2", "cnn", "fcn3", "attention"}
        Two layers, patches, three layers, or a softmax head.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt).
    """
    if output is not None:
        check_suffix(output, TABLE_FORMATS)
    emit(_answer(network), json, output, latex=latex)
    return 0


def _architecture(network: str) -> Architecture | Attention:
    from ..theory import patterns as engine

    if network == "cnn":
        return engine.convolutional(["n"], patch_exponent="s")
    if network == "attention":
        return engine.attention("ell")
    return engine.fully_connected(["n"] if network == "fcn2" else ["n_1", "n_2"], 3)


def _answer(network: str) -> Answer:
    from ..theory import law
    from ..theory.patterns import closed_forms, enumerate_patterns

    talk = _TALK[network]
    formula = law(talk.law)
    known = {str(pattern): pattern for pattern in enumerate_patterns(_architecture(network))}
    records: list[dict[str, Any]] = []
    for name, (printed, place) in talk.costs.items():
        for i, form in enumerate(closed_forms(known[name])):
            records.append(
                {
                    "pattern": name,
                    "printed": printed if printed and i == place else None,
                    "least": str(form.value),
                    "exponent": str(form.exponent),
                    "parameters": parameters_of(form),
                    "valid": conditions_of(form.validity),
                }
            )
    header = ("pattern", "as printed", "least cost here", "exponent", "parameters", "valid where")
    rows = [tuple(entry[key] or "-" for key in records[0]) for entry in records]
    corrections = [
        {"printed": slip.printed, "here": slip.correct, "reason": slip.reason}
        for slip in formula.misprints
    ]
    blocks: list[Block] = [
        f"{talk.title}\n{_SOURCE}",
        Table(header, rows, title="costs of patterns; sizes are powers of d (heuristic)"),
        Table(
            ("exponent of the cheapest", "pattern", "where"),
            [(str(each.exponent), each.name, str(each.condition)) for each in formula.regimes],
            title=formula.name,
        ),
    ]
    if formula.published is not None:
        exponent = str(formula.published.expr)
        corrections.insert(
            0, {"printed": exponent, "here": "as above", "reason": formula.published.reason}
        )
    blocks += [
        f"printed: {each['printed']}\nhere: {each['here']}\n{each['reason']}"
        for each in corrections
    ]
    data = {
        "network": network,
        "law": formula.name,
        "standing": formula.standing,
        "patterns": records,
        "regimes": [
            {"exponent": str(each.exponent), "pattern": each.name, "where": str(each.condition)}
            for each in formula.regimes
        ],
        "corrections": corrections,
    }
    return Answer(data, blocks, (header, rows))
