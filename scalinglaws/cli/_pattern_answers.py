"""What the commands for patterns show: a ranking at numbers, or who wins where exponents have symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tables import Block, Table
from ._formats import Answer

if TYPE_CHECKING:
    from ..theory.patterns import Cost, Minimum, SampleComplexity

_SHOWN = 40  # patterns on a screen


def numeric(found: SampleComplexity, *, brief: bool) -> Answer:
    """Show the ranking at given numbers; brief for a screen, where only the first ones are minimized."""
    ranking = found.ranking[:_SHOWN] if brief else found.ranking
    winners = {str(entry) for entry in found.winners}
    header = ("", "pattern", "exponent", "parameters", "cost")
    rows = [
        (
            "*" if str(entry) in winners else "",
            str(entry),
            str(entry.exponent),
            _powers(entry.parameters),
            _cost(entry.cost),
        )
        for entry in ranking
    ]
    rows += [("", str(pattern), "infeasible", "", "") for pattern in found.infeasible]
    exponent = found.ranking[0].exponent
    tie = "" if len(winners) == 1 else f", and {len(winners) - 1} more at the same exponent"
    foot = _foot(found)
    if len(ranking) < len(found.ranking):
        foot.insert(
            0, f"{_SHOWN} of {len(found.ranking)} patterns; --json or --output FILE has all of them"
        )
    blocks: list[Block] = [
        title(found),
        f"samples ~ {_power('d', exponent)} (heuristic): {found.winners[0]}{tie}",
        Table(header, rows),
        "\n".join(foot),
    ]
    data = _common(found) | {
        "exponent": str(exponent),
        "decimal": float(exponent),
        "winners": [str(entry) for entry in found.winners],
        "patterns": [
            _record(str(entry), entry.cost)
            | {
                "exponent": str(entry.exponent),
                "winner": str(entry) in winners,
                "parameters": {str(name): str(power) for name, power in entry.parameters.items()},
            }
            for entry in ranking
        ],
    }
    return Answer(
        data,
        blocks,
        (("winner", *header[1:]), [("yes" if row[0] else "no", *row[1:]) for row in rows]),
    )


def symbolic(found: SampleComplexity) -> Answer:
    """Show who wins where, and the winners' least costs."""
    from ..theory.patterns import closed_forms

    header = ("where", "exponent", "winner", "tied with")
    regions = sorted(found.regions, key=lambda region: (region.corners, str(region.winners[0])))
    rows = [
        (
            conditions_of(region.conditions),
            str(region.exponent),
            str(region.winners[0]),
            ", ".join(map(str, region.winners[1:])) or "-",
        )
        for region in regions
    ]
    forms = [(entry, form) for entry in found.winners for form in closed_forms(entry.pattern)]
    costs = [
        (str(entry), str(form.value), parameters_of(form), conditions_of(form.validity))
        for entry, form in forms
    ]
    blocks: list[Block] = [
        title(found),
        Table(header, rows, title="samples ~ d^exponent (heuristic)"),
        Table(
            ("pattern", "least cost", "parameters", "valid where"),
            costs,
            title="least costs of the winners; sizes are powers of d",
        ),
        "\n".join(_foot(found)),
    ]
    data = _common(found) | {
        "symbols": [str(symbol) for symbol in found.architecture.symbols],
        "exponent": str(found.exponent),
        "winners": [str(entry) for entry in found.winners],
        "regions": [
            {
                "conditions": [str(condition) for condition in region.conditions],
                "corners": [[str(entry) for entry in corner] for corner in region.corners],
                "exponent": str(region.exponent),
                "winners": [str(pattern) for pattern in region.winners],
            }
            for region in regions
        ],
        "closed_forms": [
            {
                "pattern": str(entry),
                "cost": str(form.value),
                "exponent": str(form.exponent),
                "parameters": {str(name): str(power) for name, power in form.exponents.items()},
                "reached": [str(bound) for bound in form.clamped],
                "validity": [str(condition) for condition in form.validity],
            }
            for entry, form in forms
        ],
        "patterns": [
            _record(str(entry), entry.cost) | {"exponent": str(entry.exponent)}
            for entry in found.ranking
        ],
    }
    return Answer(data, blocks, (header, rows))


def title(found: SampleComplexity) -> str:
    """Say which architecture is ranked, and by what."""
    from ..theory.patterns import Attention

    architecture = found.architecture
    if isinstance(architecture, Attention):
        sizes = zip(
            ("length L", "prior deviations 1/A of scores", "1/W of values"),
            architecture.size_exponents,
            (1, -1, -1),
            strict=True,
        )
        return "softmax attention, " + ", ".join(
            f"{name} = {_power('d', sign * power)}" for name, power, sign in sizes
        )
    named = zip(architecture.size_symbols, architecture.width_exponents, strict=False)
    widths = ", ".join(f"{name} = {_power('d', power)}" for name, power in named)
    dense = architecture.readout_multiplicity == 0 and architecture.fan_in == 1
    if dense:
        kind = f"fully connected network, hidden layer{'s' if architecture.depth > 1 else ''} of width {widths}, d inputs"
    else:
        kind = (
            f"convolutional network, {widths} channels, N = {_power('d', architecture.readout_multiplicity)} patches of "
            f"S = {_power('d', architecture.fan_in)} inputs{'' if architecture.weight_sharing else ', not shared'}"
        )
    clean = "\nfeatures must be clean (--purity)" if found.purity else ""
    return f"{kind}\n{architecture.activation} activation, target of degree {architecture.degree}{clean}"


def _foot(found: SampleComplexity) -> list[str]:
    from ..theory.patterns import MEANINGS

    known = [*(entry.pattern for entry in found.ranking), *found.infeasible]
    kinds = {layer.kind for pattern in known for layer in pattern.layers}
    return [
        *(words for kind, words in MEANINGS.items() if kind in kinds),
        "heuristic: a scaling argument, good for exponents; the theorem is the bound of `scalinglaws law patterns.unlearnability_bound`",
    ]


def _common(found: SampleComplexity) -> dict[str, Any]:
    names = zip(found.architecture.size_symbols, found.architecture.size_exponents, strict=True)
    return {
        "architecture": title(found).replace("\n", ", "),
        "sizes": {
            str(name): _power("d", power)
            for name, power in names
            if str(name) != "d" and str(name) != "q_0"
        },
        "purity": found.purity,
        "standing": "heuristic",
        "infeasible": [str(pattern) for pattern in found.infeasible],
    }


def _record(name: str, paid: Cost) -> dict[str, Any]:
    return {
        "pattern": name,
        "cost": str(paid.expr),
        "bounds": [str(bound) for bound in paid.bounds],
    }


def _cost(paid: Cost) -> str:
    return " + ".join(str(term) for term in paid.terms)


def _power(base: str, exponent: Any) -> str:
    text = str(exponent)
    return (
        "1"
        if text == "0"
        else base
        if text == "1"
        else f"{base}^{text}"
        if text.replace("_", "").isalnum()
        else f"{base}^({text})"
    )


def _powers(parameters: Any) -> str:
    return ", ".join(f"{name} ~ {_power('d', power)}" for name, power in parameters.items()) or "-"


def parameters_of(form: Minimum) -> str:
    """Write the exponents of the parameters at a minimum."""
    return ", ".join(f"{name} = {value}" for name, value in form.parameters.items()) or "-"


def conditions_of(conditions: tuple[Any, ...]) -> str:
    """Write half-planes, two bounds of one symbol together."""
    bounds: dict[str, dict[str, str]] = {}
    for condition in conditions:
        bounds.setdefault(str(condition.lhs), {})[condition.rel_op] = str(condition.rhs)
    parts = []
    for left, sides in bounds.items():
        if {">=", "<="} <= set(sides):
            parts.append(f"{sides['>=']} <= {left} <= {sides['<=']}")
        else:
            parts += [f"{left} {sign} {right}" for sign, right in sides.items()]
    return ", ".join(parts) or "everywhere"
