"""Tables of the notation page, written from what the package knows: conventions of papers, and letters of the laws."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

set_formulas = runpy.run_path(str(Path(__file__).with_name("typed_formulas.py")))["set_formulas"]


def conventions() -> str:
    """Write how papers name the pair (alpha, beta); each translation is taken back, and must return what it began with."""
    import sympy as sp

    from scalinglaws.notation import CONVENTIONS

    rows = [
        "| notation | parameters | $\\alpha$ | $\\beta$ | used by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for entry in CONVENTIONS.values():
        letters = sp.symbols(entry.symbols, positive=True)
        alpha, beta = entry.to_canonical(*letters)
        extra = letters[2:]
        if entry.name != "bahri":  # which is a line in the plane of the two, and takes numbers back
            back = entry.from_canonical(alpha, beta, *extra)
            assert all(sp.simplify(a - b) == 0 for a, b in zip(back, letters, strict=True))
        said = "; ".join(
            f"${_latex(letter)}$ (`{name}`): {_readable(meaning)}"
            for letter, name, meaning in zip(letters, entry.parameters, entry.meanings, strict=True)
        )
        rows.append(
            f"| `{entry.name}` | {said} | ${_latex(alpha)}$ | ${_latex(beta)}$ | {_cell(entry.source)} |"
        )
    return "\n".join(rows)


def back() -> str:
    """Write the inverse translations."""
    import sympy as sp

    from scalinglaws.notation import CONVENTIONS

    alpha, beta, dimension = sp.symbols("alpha beta d", positive=True)
    rows = ["| notation | from $\\alpha$ and $\\beta$ |", "| --- | --- |"]
    for entry in CONVENTIONS.values():
        names = sp.symbols(entry.symbols, positive=True)
        if entry.name == "bahri":
            rows.append("| `bahri` | $\\alpha_K=\\alpha-1$, where $\\alpha\\beta=\\alpha-1$ |")
            continue
        extra = (dimension,) * (len(entry.parameters) - 2)
        found = entry.from_canonical(alpha, beta, *extra)
        said = ", ".join(
            f"${_latex(name)}={_latex(value)}$"
            for name, value in zip(names, found, strict=True)
            if name != value or entry.name == "capacity"
        )
        rows.append(f"| `{entry.name}` | {said} |")
    return "\n".join(rows)


def letters() -> str:
    """Write the letters of all laws, theory by theory."""
    from scalinglaws.theory.catalogue import CATALOGUE

    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name, entry in CATALOGUE.items():
        theory, _, law = name.partition(".")
        for letter, meaning in entry.symbols.items():
            found.setdefault(theory, {}).setdefault((letter, meaning), []).append(law)
    parts = []
    for theory, table in found.items():
        rows = [
            f"### `{theory}`\n",
            "| letter | keyword | meaning | laws |",
            "| --- | --- | --- | --- |",
        ]
        for (letter, meaning), laws in sorted(table.items(), key=lambda row: row[0][0].lower()):
            shown = ", ".join(f"`{law}`" for law in laws[:3]) + (
                f" and {len(laws) - 3} more" if len(laws) > 3 else ""
            )
            rows.append(f"| ${_symbol(letter)}$ | `{letter}` | {_readable(meaning)} | {shown} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _symbol(letter: str) -> str:
    import sympy as sp

    return str(sp.latex(sp.Symbol(letter)))


def _latex(expr: Any) -> str:
    import sympy as sp

    return str(sp.latex(sp.sympify(expr)))


def _readable(meaning: str) -> str:
    """Set the formulas among words, and keep Markdown from reading signs of its own in the words."""
    parts = re.split(r"(\$[^$]*\$)", set_formulas(meaning.replace(">=", "≥").replace("<=", "≤")))
    return "".join(
        part if part.startswith("$") else re.sub(r"([*_`<\[])", r"\\\1", _cell(part))
        for part in parts
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PLACES = {
    "<!-- conventions -->": conventions,
    "<!-- conventions, back -->": back,
    "<!-- letters of the laws -->": letters,
}


def fill(app, docname, source):
    """Put the tables where the page has a place for them."""
    if docname == "notation":
        for place, write in PLACES.items():
            source[0] = source[0].replace(place, write())


def setup(app):
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
