"""Commands that show laws, their derivations and their sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

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
        A text or words of what laws say and are called: names, statements, symbols, standings, authors, titles.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .txt).
    """
    from ..theory.catalogue import CATALOGUE, matching

    rows = [(name, CATALOGUE[name].statement) for name in matching(text)]
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
        capacity (alpha, beta), bordelon (a, b), paquette, bahri, kernel or caponnetto; of laws of the perceptron norm or squared,
        of its error relative or absolute.
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
    from ..theory import rendering

    found = theory.law(name)
    if notation != found.notation:
        found = found.in_notation(notation)
    if explain:
        text = found.explain()
        emit(Answer({"name": name, "markdown": text}, [text]), json, output)
        return 0
    exact = {key: fraction(key, value) for key, value in pairs(values).items()}
    blocks, show = found.blocks(exact, published=published), sympy.latex if latex else str
    emit(
        Answer(rendering.data(blocks, show), [rendering.text(blocks, show)]),
        json,
        output,
    )
    return 0


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
    from ..theory import rendering

    found, show = theory.law(name), sympy.latex if latex else str
    checks = found.derivation.check() if check else None
    blocks = found.derivation_blocks(checks)
    emit(Answer(rendering.data(blocks, show), [rendering.text(blocks, show)]), json, output)
    return 0 if checks is None or all(entry.passed for entry in checks) else 1


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
    emit(Answer(found.to_dict(), [str(found)]), json, output)
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
