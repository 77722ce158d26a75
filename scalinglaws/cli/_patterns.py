"""Commands that rank the patterns of feature learning by their sample complexity."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from ..errors import DomainError
from ..tables import Block, Table
from ._app import Json, Latex, Output, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote

if TYPE_CHECKING:
    from ..theory.patterns import Architecture, Attention, Cost, Minimum, SampleComplexity

_SHOWN = 40  # patterns on a screen

Widths = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Range = Annotated[tuple[str, str] | None, Parameter(name="--range", negative=())]
Word = Annotated[str, Parameter(show_default=False)]
Diagram = Annotated[Path | None, Parameter(name="--diagram")]

patterns = App(
    name="patterns",
    help="Rank patterns of feature learning by the number of samples that they need: an exponent, by a heuristic scaling argument.",
    help_format="plaintext",
)
app.command(patterns)


@patterns.command
def fcn(
    *,
    widths: Widths,
    degree: int = 3,
    activation: Word = "",
    tracked: Word = "",
    purity: Flag = False,
    diagram: Diagram = None,
    range: Range = None,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Rank the patterns of a fully connected network with inputs in d dimensions.

    Parameters
    ----------
    widths : str
        Width exponent of each hidden layer, d^n neurons: 1 3/2, or names of symbols: n_1 n_2 (N_1 and d^3/2 are understood).
    degree : int
        Degree of the Hermite target.
    activation : str
        odd (as erf, tanh), even, generic or linear; what fits the degree by default.
    tracked : str
        Degrees that layers may carry: 1,3, or all; by default 1 and that of the target.
    purity : bool
        Features must be clean: what is learned off target must not exceed the target.
    diagram : Path
        Picture to draw (.pdf, .png, .svg): who wins over the symbols, or over the widths if there are none.
    range : str
        Ends of the picture's axes: 0 3.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt).
    """
    from ..theory.patterns import fully_connected

    given = [_exponent("widths", text) for text in widths]
    return _answer(
        lambda: fully_connected(
            given, degree, activation=activation or None, tracked=_tracked(tracked)
        ),
        purity,
        diagram,
        range,
        latex,
        json,
        output,
    )


@patterns.command
def cnn(
    *,
    widths: Widths,
    degree: int = 1,
    patch: str = "1/2",
    patches: Word = "",
    activation: Word = "",
    local: Flag = False,
    tracked: Word = "",
    purity: Flag = False,
    diagram: Diagram = None,
    range: Range = None,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Rank the patterns of a network whose first layer sees patches of the input.

    Parameters
    ----------
    widths : str
        Exponent of the number of channels of each hidden layer, d^n: 1/2, or names of symbols: n.
    degree : int
        Degree of the target in the projection of each patch on one direction.
    patch : str
        Exponent of a patch's size, d^s; a number or a symbol.
    patches : str
        Exponent of the number of patches; 1 - s by default, so that they cover the input once.
    activation : str
        linear for degree 1 by default; odd, even, generic or linear.
    local : bool
        Patches do not share their channels.
    tracked : str
        Degrees that layers may carry: 1,3, or all; by default 1 and that of the target.
    purity : bool
        Features must be clean: what is learned off target must not exceed the target.
    diagram : Path
        Picture to draw (.pdf, .png, .svg): who wins over the symbols, or over the widths if there are none.
    range : str
        Ends of the picture's axes: 0 3.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt).
    """
    from ..theory.patterns import convolutional

    given = [_exponent("widths", text) for text in widths]
    return _answer(
        lambda: convolutional(
            given,
            degree,
            patch_exponent=_exponent("patch", patch),
            patches_exponent=_exponent("patches", patches) if patches else None,
            activation=activation or None,
            weight_sharing=not local,
            tracked=_tracked(tracked),
        ),
        purity,
        diagram,
        range,
        latex,
        json,
        output,
    )


@patterns.command
def attention(
    *,
    length: str,
    score: str = "1",
    value: str = "1/2",
    diagram: Diagram = None,
    range: Range = None,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Rank the patterns of a softmax attention head.

    Parameters
    ----------
    length : str
        Exponent of the sequences' length, d^l; a number or a symbol.
    score : str
        a, where d^-a is the prior standard deviation of the scores' matrix.
    value : str
        v, where d^-v is that of the values.
    diagram : Path
        Picture to draw (.pdf, .png, .svg): who wins over one or two symbols.
    range : str
        Ends of the picture's axes: 0 3.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt).
    """
    from ..theory.patterns import attention as head

    given = [
        _exponent(name, text)
        for name, text in (("length", length), ("score", score), ("value", value))
    ]
    return _answer(
        lambda: head(given[0], score_exponent=given[1], value_exponent=given[2]),
        False,
        diagram,
        range,
        latex,
        json,
        output,
    )


# -- what is asked for --------------------------------------------------------------------------------------------------


def _exponent(argument: str, text: str) -> Any:
    """Read an exponent."""
    from ..theory.patterns._architectures import exponent_of

    if "," in text:
        raise DomainError(
            f"--{argument} {text}: write numbers one by one: --{argument} {text.replace(',', ' ')}",
            argument=argument,
            value=text,
        )
    # a size is written for its exponent: N for the n of N = d^n, d^3/2 for 3/2
    size = re.fullmatch(r"([NLS])(_?\w*)|d(?:\^(.+))?", text)
    if size:
        text = f"{size[1].lower()}{size[2]}" if size[1] else (size[3] or "1").strip("()")
    return exponent_of(f"--{argument}", text)


def _tracked(text: str) -> Any:
    if text in ("", "all"):
        return text or None
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise DomainError(
            f"--tracked {text}: write degrees as 1,3, or all", argument="tracked", value=text
        )
    return tuple(map(int, parts))


def _answer(
    describe: Callable[[], Architecture | Attention],
    purity: bool,
    diagram: Path | None,
    ends: tuple[str, str] | None,
    latex: bool,
    json: bool,
    output: Path | None,
) -> int:
    """Rank the patterns of an architecture, draw what is asked for, and show the ranking."""
    from ..theory.patterns import sample_complexity

    if diagram is not None:
        check_suffix(diagram, FIGURES, option="--diagram")
    elif ends is not None:
        raise DomainError("--range belongs to --diagram FILE", argument="range", value=ends)
    if output is not None:
        check_suffix(output, TABLE_FORMATS)
    found = sample_complexity(describe(), purity=purity)
    if diagram is not None:
        _draw(found, diagram, ends)
    if len(found.architecture.symbols) > 2:
        names = ", ".join(map(str, found.architecture.symbols))
        raise DomainError(
            f"winners are found for at most two symbols; got {names}: give numbers to the rest",
            argument="widths",
            value=names,
        )
    answer = (
        _symbolic(found)
        if found.architecture.symbols
        else _numeric(found, brief=output is None and not json)
    )
    emit(answer, json, output, latex=latex)
    return 0


def _draw(found: SampleComplexity, path: Path, ends: tuple[str, str] | None) -> None:
    """Draw who wins, and where the architecture is if it has a place."""
    from ..theory.patterns import Attention, phase_diagram
    from ..verify.plots.patterns import phase_diagram as drawn

    architecture = found.architecture
    free = architecture.symbols
    marks = {}
    if not free and not isinstance(architecture, Attention) and architecture.depth <= 2:
        names = ["n"] if architecture.depth == 1 else ["n_1", "n_2"]
        marks = {"here": tuple(map(float, architecture.width_exponents))}
    else:
        names = list(map(str, free))
    if not 1 <= len(names) <= 2:
        hint = (
            f"these exponents have the symbols {', '.join(names)}"
            if names
            else "write symbols for one or two exponents, as n_1"
        )
        raise DomainError(
            f"--diagram: a picture has one or two axes; {hint}",
            argument="diagram",
            value=path,
        )
    axes = (
        None
        if ends is None
        else {name: tuple(_exponent("range", end) for end in ends) for name in names}
    )
    picture = phase_diagram(architecture, axes, points=2, purity=found.purity)
    inside = all(
        axis[0] <= at <= axis[-1]
        for at, (_, axis) in zip(marks.get("here", ()), picture.axes, strict=False)
    )
    figure = drawn(picture, marks=marks if inside else {}, title=_title(found))
    try:
        figure.savefig(path, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {path}: {failure.strerror}", argument="diagram", value=path
        ) from failure
    wrote(path)


# -- what is shown ------------------------------------------------------------------------------------------------------


def _numeric(found: SampleComplexity, *, brief: bool) -> Answer:
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
        _title(found),
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


def _symbolic(found: SampleComplexity) -> Answer:
    """Show who wins where, and the winners' least costs."""
    from ..theory.patterns import closed_forms

    header = ("where", "exponent", "winner", "tied with")
    regions = sorted(found.regions, key=lambda region: (region.corners, str(region.winners[0])))
    rows = [
        (
            _conditions(region.conditions),
            str(region.exponent),
            str(region.winners[0]),
            ", ".join(map(str, region.winners[1:])) or "-",
        )
        for region in regions
    ]
    forms = [(entry, form) for entry in found.winners for form in closed_forms(entry.pattern)]
    costs = [
        (str(entry), str(form.value), _parameters(form), _conditions(form.validity))
        for entry, form in forms
    ]
    blocks: list[Block] = [
        _title(found),
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


def _title(found: SampleComplexity) -> str:
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
        "architecture": _title(found).replace("\n", ", "),
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


def _parameters(form: Minimum) -> str:
    return ", ".join(f"{name} = {value}" for name, value in form.parameters.items()) or "-"


def _conditions(conditions: tuple[Any, ...]) -> str:
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
