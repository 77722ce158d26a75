"""What the command line says of solvers: which there are, and what their arguments mean, from their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from textwrap import fill
from typing import Any

from ..errors import DomainError
from ..formatting import number
from ..tables import Table
from ._formats import Answer
from ._solvers import Solver

_SYMBOLS = {
    "N": ("features", "n"),
    "width": ("features",),
    "P": ("samples",),
    "B": ("batch",),
    "T": ("steps",),
    "t": ("time",),
    "time": ("t",),
    "eta": ("learning_rate", "rate"),
    "lr": ("learning_rate", "rate"),
    "learning_rate": ("rate",),
    "sigma2": ("noise_variance",),
    "gamma": ("richness",),
    "C": ("compute",),
    "L": ("loss",),
    "M": ("size",),
    "z": ("coordination",),
    "p": ("occupation",),
}
_WIDTH = 100


def renamed(solver: Solver, given: dict[str, str]) -> dict[str, str]:
    """Return arguments by the solver's own names, where they were given by the symbols that papers use.

    A symbol is taken for an argument only where the solver has no argument of that name and exactly one that it stands for.
    """
    known = set(solver.parameters) | ({"size"} if solver.has_spectrum else set())
    if "rng" in known:  # what a sampler calls samples is drawn, not learned from
        known.discard("samples")
    found: dict[str, str] = {}
    for key, text in given.items():
        meant = [name for name in _SYMBOLS.get(key, ()) if name in known]
        name = meant[0] if key not in solver.signature and len(meant) == 1 else key
        if name in found or (name != key and name in given):
            raise DomainError(f"{key} and {name} are the same; give one", argument=key, value=text)
        found[name] = text
    return found


def solver_list(text: str) -> Answer:
    """List the solvers whose name or purpose mentions a text."""
    from ..solvers.catalogue import available

    solvers = [Solver.named(name) for name in available()]
    rows = [(entry.name, _purpose(entry.function)) for entry in solvers]
    wanted = text.lower().split()
    rows = [row for row in rows if all(word in " ".join(row).lower() for word in wanted)]
    if not rows:
        raise DomainError(
            f"no solver mentions {text!r}; scalinglaws solve --list shows all",
            argument="name",
            value=text,
        )
    header = ("solver", "what it does")
    data = [dict(zip(header, row, strict=True)) for row in rows]
    hint = "scalinglaws solve NAME --help says what its arguments mean"
    return Answer(data, [Table(header, rows), hint], (header, list(rows)))


def solver_help(solver: Solver) -> Answer:
    """Say what a solver does, what its arguments mean, and what comes out."""
    documented = arguments(solver)
    rows = []
    for key, item in solver.parameters.items():
        default = "needed" if item.default is item.empty else f"default {_cell(item.default)}"
        rows.append((key, default, documented.get(key, "")))
    spectrum = []
    if solver.has_spectrum:
        spectrum = [
            ("alpha", "needed", "capacity: eigenvalues fall as k^-alpha"),
            ("beta", "needed", "source: signal power falls as k^-(alpha beta + 1)"),
            ("size", "default inf", "number of modes"),
        ]
    elif solver.weights:
        spectrum = [
            (
                "alpha",
                "",
                f"instead of {solver.weights}: they fall as k^-(1 + alpha), k = 1 to size",
            ),
            ("size", "", "number of them"),
        ]
    known = columns(solver)
    result = [
        (name, known[name])
        for name in (*solver.shown.columns, *solver.shown.optional, *solver.shown.totals)
        if known.get(name)
    ]
    symbols = [
        f"{symbol}= for {name}="
        for symbol, names in _SYMBOLS.items()
        for name in names
        if renamed(solver, {symbol: "1"}) == {name: "1"} and symbol != name
    ]
    taken = [*spectrum, *rows]
    blocks: list[str | Table] = [fill(f"{solver.name}: {_purpose(solver.function)}", _WIDTH)]
    blocks.append(_listed("arguments, as name=value:", taken))
    also = ["a= and b=, or what --notation names, for alpha= and beta="] * solver.has_spectrum
    if also or symbols:
        blocks.append(fill("also " + ", ".join(also + symbols), _WIDTH))
    if result:
        blocks.append(_listed("columns:", [(name, "", meaning) for name, meaning in result]))
    data = {
        "solver": solver.name,
        "purpose": _purpose(solver.function),
        "arguments": [
            {
                "name": key,
                "needed": default == "needed",
                "default": default.removeprefix("default "),
                "meaning": meaning,
            }
            for key, default, meaning in taken
        ],
        "columns": [{"name": name, "meaning": meaning} for name, meaning in result],
    }
    return Answer(data, blocks, (("argument", "default", "meaning"), taken))


def documented(kind: type) -> dict[str, str]:
    """Say what the attributes of a class mean, by its docstring."""
    return dict(_entries(kind, "Attributes"))


def columns(solver: Solver) -> dict[str, str]:
    """Say what the columns of a solver mean, as far as its documentation does."""
    shown = solver.shown
    found = dict(_entries(_returned(solver.function), "Attributes")) | dict(shown.meanings)
    if len(shown.columns) == 1:
        found.setdefault(shown.columns[0], _purpose(solver.function).removeprefix("Compute "))
    return found


def arguments(solver: Solver) -> dict[str, str]:
    """Say what the arguments of a solver mean."""
    found = dict(_entries(solver.function, "Parameters"))
    for name, meaning in found.items():
        if elsewhere := re.match(r"As for (\w+)\.", meaning):
            own = inspect.unwrap(solver.function)
            other = getattr(own, "__globals__", {}).get(elsewhere[1])
            there = dict(_entries(other, "Parameters")).get(name, "")
            found[name] = there + meaning.removeprefix(elsewhere[0]) if there else meaning
    return found


def _listed(title: str, rows: list[tuple[str, str, str]]) -> str:
    """Write names with their meanings, wrapped."""
    indent = max(len(name) for name, _, _ in rows) + 4
    lines, before = [title], ""
    for name, default, meaning in rows:
        said = "as above" if meaning == before else meaning.removesuffix(".")
        text, before = (f"{said} ({default})" if default else said), meaning
        lines.append(
            fill(
                text,
                _WIDTH,
                initial_indent=f"  {name}".ljust(indent),
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            if text
            else f"  {name}"
        )
    return "\n".join(lines)


def _cell(default: Any) -> str:
    if isinstance(default, tuple):  # one value that is a list
        return ",".join(map(_cell, default)) or "none"
    if isinstance(default, bool):
        return str(default).lower()
    return "none" if default is None else default if isinstance(default, str) else number(default)


def _purpose(function: Callable[..., Any]) -> str:
    """Return the first line of a docstring, without the full stop."""
    return _plain((inspect.getdoc(function) or "").partition("\n")[0]).removesuffix(".")


def _returned(function: Callable[..., Any]) -> Any:
    """Return the class that a function returns, if it is one of the package."""
    own = inspect.unwrap(function)
    name = str(own.__annotations__.get("return", ""))
    return getattr(own, "__globals__", {}).get(name)


def _entries(documented: Any, section: str) -> Iterator[tuple[str, str]]:
    """Read names and meanings from a section of a docstring in NumPy's style."""
    text = inspect.getdoc(documented) or "" if documented is not None else ""
    found = re.search(
        rf"^{section}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE
    )
    for block in re.split(r"^(?=\S)", found[1] if found else "", flags=re.MULTILINE):
        head, _, body = block.partition("\n")
        for name in head.partition(" : ")[0].split(","):
            if name.strip():
                chosen = re.match(r"\{(.*)\}", head.partition(" : ")[2])
                choices = f"{chosen[1]}: ".replace('"', "") if chosen else ""
                yield name.strip(), choices + _plain(" ".join(body.split()))


def _plain(text: str) -> str:
    """Write a docstring's markup as a terminal shows it."""
    text = re.sub(r":math:`([^`]*)`", lambda found: _formula(found[1]), text)
    text = re.sub(r":\w+:`([^`]*)`", r"\1", text).replace("\\|", "|")
    return re.sub(r"``([^`]*)``|`~?([^`]*)`", lambda found: found[1] or found[2], text)


def _formula(text: str) -> str:
    """Write a short LaTeX formula as plain text."""
    text = re.sub(
        r"\\mathrm\{([^}]*)\}|\\text\{([^}]*)\}", lambda found: found[1] or found[2], text
    )
    text = re.sub(r"(?<=\w)\\(log|exp)", r" \1", text)
    text = re.sub(r"\\[td]?frac(\w|\{[^{}]*\})(\w|\{[^{}]*\})", r"(\1)/(\2)", text)
    text = (
        text.replace("\\ge", ">=").replace("\\le", "<=").replace("\\,", " ").replace("\\cdot", "*")
    )
    text = (
        text.replace("\\infty", "inf")
        .replace("\\to", "->")
        .replace("\\hat ", "")
        .replace("\\langle", "<")
        .replace("\\rangle", ">")
    )
    return re.sub(r"\s+", " ", re.sub(r"[\\{}]", "", text)).strip()
