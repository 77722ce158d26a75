r"""LaTeX that compiles: words escaped, long formulas broken, tables set, and a document around it all.

What stands in a document may be put into any other that loads the same packages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from .letters import greek_name

PACKAGES = ("amsmath", "amssymb", "array", "longtable")
"""What fragments need."""

_LONGEST = 95  # signs of a formula that fit into a line
_ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "≠": r"\ensuremath{\neq}",
    "±": r"\ensuremath{\pm}",
    "−": r"\ensuremath{-}",
    "·": r"\ensuremath{\cdot}",
    "∞": r"\ensuremath{\infty}",
    "→": r"\ensuremath{\to}",
    "“": "``",
    "”": "''",
    "’": "'",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
}


def escape(words: str) -> str:
    r"""Write words for LaTeX; names may be broken after dots and slashes.

    Examples
    --------
    >>> print(escape("50 % of df_1"))
    50 \% of df\_\allowbreak{}1
    """
    written = "".join(_ESCAPED.get(sign) or _letter(sign) for sign in words)
    return re.sub(r"(?<=[\w}])([./])(?=[\w\\])", r"\1\\allowbreak{}", written)


def _letter(sign: str) -> str:
    """Write a letter: Greek ones as formulas, others without accents that plain LaTeX has no letter for."""
    if ord(sign) < 0x180:
        return sign
    if letter := greek_name(sign):
        return rf"\ensuremath{{\{letter}}}"
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return plain or "?"


def display(formula: str) -> str:
    r"""Set a formula on a line of its own, or on several: it is broken at its outermost operators if it is long.

    Examples
    --------
    >>> print(display("g = 1"))
    \[ g = 1 \]
    """
    if _signs(formula) <= _LONGEST:
        return rf"\[ {formula} \]"
    rows, row = [], ""
    for part in _parts(formula):
        if row and _signs(row + part) > _LONGEST:
            rows.append(row)
            row = ""
        row += part
    rows.append(row)
    if len(rows) == 1:
        return rf"\[ {formula} \]"
    first, *rest = rows
    lines = [f"& {first}", *(rf"&\quad {row}" for row in rest)]
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _signs(formula: str) -> int:
    """Estimate how many signs of a formula stand side by side."""
    seen = re.sub(r"\\(left|right|begin|end|text|mathrm)\b|[{}\s&]", "", formula)
    return len(re.sub(r"\\[A-Za-z]+", "x", seen))


def _parts(formula: str) -> list[str]:
    """Split a formula in front of its outermost operators."""
    depth, start, parts = 0, 0, []
    for token in re.finditer(
        r"\\left|\\right|\\begin|\\end|\\sim|\\equiv|\\qquad|\\\\|\\[A-Za-z]+|[{}+=-]", formula
    ):
        word = token.group()
        depth += (word in ("{", r"\left", r"\begin")) - (word in ("}", r"\right", r"\end"))
        outermost = depth == 0 and word in ("+", "-", "=", r"\sim", r"\equiv", r"\qquad")
        if outermost and formula[start : token.start()].strip():
            parts.append(formula[start : token.start()])
            start = token.start()
    return [*parts, formula[start:]]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """Set a table that may go over pages, its columns as wide as what stands in them.

    Parameters
    ----------
    header : sequence of str
        Names of the columns, not yet escaped.
    rows : sequence of sequence of str
        Cells, not yet escaped.
    title : str
        Shown above.

    Returns
    -------
    str
        A `longtable`.
    """
    longest = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    wide = [min(max(length, 4), 60) for length in longest]
    room = 0.96 - 0.02 * len(header)
    widths = [room * length / sum(wide) for length in wide]
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{width:.3f}\linewidth}}" for width in widths
    )

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(escape, cells)) + r" \\"

    parts = [
        *([rf"\textbf{{{escape(title)}}}"] if title else []),
        rf"{{\small\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        r"\hline",
        line(header),
        r"\hline\endhead",
        *map(line, rows),
        r"\hline",
        r"\end{longtable}}",
    ]
    return "\n".join(parts)


def paragraph(words: str) -> str:
    """Set lines of plain words, each on a line of its own; empty lines begin a paragraph."""
    paragraphs = re.split(r"\n\s*\n", words.strip("\n"))
    return "\n\n".join(
        " \\\\\n".join(escape(line.strip()) for line in part.split("\n") if line.strip())
        for part in paragraphs
    )


def document(*bodies: str) -> str:
    """Put fragments into a document that compiles."""
    packages = ",".join(PACKAGES)
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage[margin=2.2cm]{geometry}",
            rf"\usepackage{{{packages}}}",
            r"\setlength{\parindent}{0pt}\setlength{\parskip}{5pt}",
            r"\allowdisplaybreaks\sloppy",
            r"\begin{document}",
            *(body.rstrip("\n") + "\n" for body in bodies),
            r"\end{document}",
            "",
        ]
    )
