"""Commands that show laws, their derivations and their sources."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .. import typesetting
from ..arguments import digit_count
from ..errors import DomainError
from ..notation import CONVENTIONS
from ..tables import Table
from ._app import Json, Latex, Output, Plain, Whole, app
from ._formats import Answer, check_suffix, emit, heard, write
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
    blocks: list[str | Table] = (
        [Table(header, rows)]
        if rows
        else [f"no law mentions {text!r}; scalinglaws laws lists them all"]
    )
    emit(Answer(data, blocks, (header, list(rows))), json, output, latex=latex)
    if not rows and output is not None:  # an empty file says nothing
        print(f"no law mentions {text!r}", file=sys.stderr)
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
    digits: Whole = 6,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law, and what its exponent and its formulas give at given numbers.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``.
    values : str
        Parameters, exactly: alpha=3/2 beta=0.5, or those of another notation; of percolation also the dimension of its lattice, d=3
        c=4. With numbers for the variable and for other symbols of the formulas, these are evaluated: C=1e21 E=1.69.
    notation : str
        capacity (alpha, beta), bordelon (a, b), paquette, bahri, kernel or caponnetto; of laws of the perceptron norm or squared,
        of its error relative or absolute; of flows of couplings per_datum, measure or conserving.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    plain : bool
        Write formulas in plain characters on a terminal too, as in a pipe.
    published : bool
        Show the formula printed elsewhere, where it differs, and why.
    explain : bool
        Explain the law in Markdown instead, every step of its derivation included.
    digits : int
        Significant digits of what the formulas give.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    found = _written(name, notation)
    if explain:
        text = found.explain()
        emit(_explained(found, text), json, output, plain=plain, latex=latex)
        return 0
    digit_count("digits", digits)
    exact = {key: fraction(key, value, zero=True) for key, value in pairs(values).items()}
    exact, notes = _in_dimension(found, exact)
    with heard() as warned:
        blocks = found.blocks(exact, published=published, digits=digits)
    emit(rendered(blocks, latex, notes, warned), json, output, plain=plain, latex=latex)
    return 0


def _in_dimension(found: Law, given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read the dimension of a lattice, d=3, and the order of an approximation, c=4, as the parameters that follow from them."""
    if not found.name.startswith("percolation."):
        return given, ()
    from ..theory.percolation.dimensions import in_dimension

    return in_dimension(found.symbols, given)


@app.command
def derive(
    name: str = "",
    /,
    *values: str,
    spectrum: str = "",
    signal: str = "",
    filter: str = "",
    variable: str = "t",
    resource: str = "",
    variance: str = "",
    notation: str = "capacity",
    check: Annotated[bool, Parameter(negative="")] = False,
    latex: Latex = False,
    plain: Plain = False,
    digits: Whole = 6,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law's derivation, step by step; or derive a law of your own, from a spectrum, a signal and a filter.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``; none for a law of your own.
    values : str
        Values of the parameters of a law of your own, exactly: a=3/2 b=1/3; and of the variable, t=1e6.
    spectrum : str
        Eigenvalues as a formula in k, the number of a mode: "k**-a", "k**-a*log(k)**2", "exp(-k)".
    signal : str
        Signal power of a mode: "k**-(a*b+1)".
    filter : str
        What is left of it, in the eigenvalue x and the variable: "exp(-2*x*t)", "1/(1+x*t)**2", "(1-x)**t".
    variable : str
        Name of the time.
    resource : str
        What a mode takes of a resource, with x the ridge over the eigenvalue: "1/(1+x) = P". The filter is then one of this x.
    variance : str
        Share of a mode in the fluctuations that a finite resource causes: "1/(1+x)**2".
    notation : str
        As for ``scalinglaws law``: the conclusion in another paper's symbols, or the derivation of another convention, as measure or
        conserving of flows of couplings; not for a law of your own.
    check : bool
        Let the machine check every step now (seconds; ten for the longest); exit code 1 if one is refused. A law of your
        own is always checked.
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
    notes: tuple[str, ...]
    warned: list[str] = []
    own = {
        "--spectrum": spectrum,
        "--signal": signal,
        "--filter": filter,
        "--resource": resource,
        "--variance": variance,
    }
    if any(own.values()) or not name or "=" in name:
        if notation != "capacity":
            raise DomainError(
                f"--notation {notation} is for laws of the catalogue; a law of your own has the symbols of its formulas",
                argument="notation",
                value=notation,
            )
        with heard() as warned:
            blocks, checks, notes = _own(own, variable, (name, *values), digits)
    elif values:
        raise DomainError(
            f"derive {name} takes no values; scalinglaws law {name} {' '.join(values)} does",
            argument="values",
            value=values,
        )
    else:
        found = _written(name, notation)
        checks = found.derivation.check() if check else None
        blocks, notes = found.derivation_blocks(checks), _symbols_of_steps(found)
    emit(rendered(blocks, latex, notes, warned), json, output, plain=plain, latex=latex)
    return 0 if checks is None or all(entry.passed for entry in checks) else 1


def _written(name: str, notation: str) -> Law:
    """Return a law in a notation."""
    from .. import theory

    found = theory.law(name)
    return found if notation == found.notation else found.in_notation(notation)


def _symbols_of_steps(law: Law) -> tuple[str, ...]:
    """Say what the symbols of a derivation's steps are in the notation of its conclusion, if that is another."""
    entry = CONVENTIONS[law.notation]
    if law.notation == "capacity":
        return ()
    import sympy

    alpha, beta = entry.to_canonical(*map(sympy.Symbol, entry.symbols))
    return (f"the steps are written with alpha = {alpha} and beta = {sympy.simplify(beta)}",)


def _explained(law: Law, text: str) -> Answer:
    """Bring an explanation, which is Markdown wherever it is not a file of another kind, into every form."""
    from ..theory import rendering

    return Answer(
        {"name": law.name, "markdown": text},
        [text],
        latex=lambda: rendering.document(law.explanation_blocks()),
    )


def rendered(
    blocks: Sequence[Block],
    latex: bool = False,
    notes: Sequence[str] = (),
    warned: Sequence[str] = (),
) -> Answer:
    """Bring blocks of `theory.presentation` into every form: the answer of a command that shows a law or a derivation.

    Parameters
    ----------
    blocks : sequence of Block
        Of a law or of a derivation.
    latex : bool
        Whether JSON holds formulas as LaTeX.
    notes, warned : sequence of str
        What else is to be said, below, and of what to warn.

    Returns
    -------
    Answer
        For `emit`.
    """
    import sympy

    from ..theory import rendering

    data = rendering.data(blocks, sympy.latex if latex else str)
    warnings = [f"warning: {text}" for text in warned]
    lines = "".join(f"\n  {line}" for line in (*(f"note: {note}" for note in notes), *warnings))
    said = {"notes": list(notes), "warnings": list(warned)}
    return Answer(
        data | {key: texts for key, texts in said.items() if texts},
        [rendering.text(blocks) + lines],
        terminal=lambda width: rendering.terminal(blocks, width) + lines,
        latex=lambda: rendering.document(blocks) + _paragraphs([*notes, *warnings]),
    )


def _paragraphs(texts: Sequence[str]) -> str:
    """Write what is said below in LaTeX."""
    return "".join(f"\n{typesetting.paragraph(text)}\n" for text in texts)


def _own(
    formulas: Mapping[str, str], variable: str, values: Sequence[str], digits: int
) -> tuple[Any, Any, tuple[str, ...]]:
    """Derive a law from formulas: what it says, what the machine found, and how the formulas were read."""
    from ..theory import presentation
    from ..theory.linear import own_law

    digit_count("digits", digits)
    needed = ("--spectrum", "--signal", "--filter")
    if missing := [option for option in needed if not formulas[option]]:
        raise DomainError(
            f"which law? derive NAME, or a law of your own: {' '.join(missing)} missing; as "
            '--spectrum "k**-a" --signal "k**-(a*b+1)" --filter "exp(-2*x*t)" a=3/2 b=1/3',
            argument="name",
            value=None,
        )
    if odd := [entry for entry in values if entry and "=" not in entry]:
        raise DomainError(
            f"{odd[0]!r}: a law of your own has no name; values are written a=3/2",
            argument="name",
            value=odd[0],
        )
    given = {key: fraction(key, value) for key, value in pairs([v for v in values if v]).items()}
    arguments = {option[2:]: text for option, text in formulas.items()}
    found = own_law(**arguments, variable=variable, values=given)
    law = found.law
    kinds = (
        presentation.Title,
        presentation.Scaling,
        presentation.Domain,
        presentation.Regimes,
        presentation.Value,
        presentation.Evaluated,
    )
    blocks = [block for block in law.blocks(given, digits=digits) if isinstance(block, kinds)]
    checks = law.derivation.check()
    steps = [
        block
        for block in law.derivation_blocks(checks)
        if not isinstance(block, presentation.Title)
    ]
    return [*blocks, *steps], checks, found.notes


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

    exact = {key: fraction(key, value) for key, value in pairs(values).items()}
    with heard() as warned:
        found = theory.compare(first, second, **exact)
    warnings = [f"warning: {text}" for text in warned]
    lines = "".join(f"\n{line}" for line in warnings)
    answer = Answer(
        found.to_dict() | ({"warnings": warned} if warned else {}),
        [str(found) + lines],
        terminal=lambda width: found.to_terminal(width) + lines,
        latex=lambda: found.to_latex() + _paragraphs(warnings),
    )
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
