"""Commands that show laws, their derivations and their sources."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..tables import Table
from ._app import Json, Latex, Output, Plain, app
from ._formats import Answer, check_suffix, emit, write
from ._grammar import fraction, pairs

if TYPE_CHECKING:
    from ..theory.formula import Law
    from ..theory.presentation import Block


@app.command
def laws(
    text: str = "", /, *, latex: Latex = False, json: Json = False, output: Output = None
) -> int:
    """List the laws, or those that mention a text.

    Parameters
    ----------
    text : str
        A text or words of what laws say and are called: names, statements, symbols, standings, authors, titles.
    latex : bool
        Print LaTeX.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .tex, .txt).
    """
    from ..theory.catalogue import CATALOGUE, matching

    rows = [(name, CATALOGUE[name].statement) for name in matching(text)]
    data = [{"name": name, "statement": statement} for name, statement in rows]
    header = ("law", "statement")
    blocks: list[str | Table] = [Table(header, rows)] if rows else [f"no law mentions {text!r}"]
    emit(Answer(data, blocks, (header, list(rows))), json, output, latex=latex)
    return 0 if rows else 1


@app.command
def law(
    name: str,
    /,
    *values: str,
    notation: str = "capacity",
    latex: Latex = False,
    plain: Plain = False,
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
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    published : bool
        Show the formula printed elsewhere, where it differs, and why.
    explain : bool
        Explain the law in Markdown instead, every step of its derivation included.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    from .. import theory
    from ..notation import convention

    found = theory.law(name)
    if convention(notation).name != found.notation:
        found = found.in_notation(notation)
    if explain:
        text = found.explain()
        emit(_explained(found, text), json, output, plain=plain, latex=latex)
        return 0
    exact = {key: fraction(key, value) for key, value in pairs(values).items()}
    blocks = found.blocks(exact, published=published)
    emit(rendered(blocks, latex), json, output, plain=plain, latex=latex)
    return 0


@app.command
def derive(
    name: str,
    /,
    *,
    check: Annotated[bool, Parameter(negative="")] = False,
    latex: Latex = False,
    plain: Plain = False,
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
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    from .. import theory

    found = theory.law(name)
    checks = found.derivation.check() if check else None
    blocks = found.derivation_blocks(checks)
    emit(rendered(blocks, latex), json, output, plain=plain, latex=latex)
    return 0 if checks is None or all(entry.passed for entry in checks) else 1


def _explained(law: Law, text: str) -> Answer:
    """Bring an explanation, which is Markdown wherever it is not a file of another kind, into every form."""
    from ..theory import rendering

    return Answer(
        {"name": law.name, "markdown": text},
        [text],
        latex=lambda: rendering.document(law.explanation_blocks()),
    )


def rendered(blocks: Sequence[Block], latex: bool = False) -> Answer:
    """Bring blocks of `theory.presentation` into every form: the answer of a command that shows a law or a derivation.

    Parameters
    ----------
    blocks : sequence of Block
        Of a law or of a derivation.
    latex : bool
        Whether JSON holds formulas as LaTeX.

    Returns
    -------
    Answer
        For `emit`.
    """
    import sympy

    from ..theory import rendering

    return Answer(
        rendering.data(blocks, sympy.latex if latex else str),
        [rendering.text(blocks)],
        terminal=lambda width: rendering.terminal(blocks, width),
        latex=lambda: rendering.document(blocks),
    )


@app.command
def compare(
    first: str,
    second: str,
    /,
    *values: str,
    latex: Latex = False,
    plain: Plain = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Compare two laws: exponents, validity, and where and why their derivations part.

    Parameters
    ----------
    first : str
        As listed by ``scalinglaws laws``.
    second : str
        Another.
    values : str
        Parameters: alpha=3/2 beta=0.5.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    from .. import theory

    found = theory.compare(
        first, second, **{key: fraction(key, value) for key, value in pairs(values).items()}
    )
    answer = Answer(found.to_dict(), [str(found)], terminal=found.to_terminal, latex=found.to_latex)
    emit(answer, json, output, plain=plain, latex=latex)
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
