"""Commands that rank the patterns of feature learning by their sample complexity."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from ..errors import DomainError
from ._app import Json, Latex, Output, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, check_suffix, emit, wrote
from ._pattern_answers import numeric, symbolic, title

if TYPE_CHECKING:
    from ..theory.patterns import Architecture, Attention, SampleComplexity

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
        symbolic(found)
        if found.architecture.symbols
        else numeric(found, brief=output is None and not json)
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
    figure = drawn(picture, marks=marks if inside else {}, title=title(found))
    try:
        figure.savefig(path, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {path}: {failure.strerror}", argument="diagram", value=path
        ) from failure
    wrote(path)
