"""The table of laws: where each is built, what it states of which parameters, whom it cites and what tests it; and of remarks.

Listing, searching and citing import no SymPy; a law's module is loaded when the law is asked for. The table is the file
``catalogue.json`` beside this one. Nobody writes it by hand: ``python tests/write_catalogue.py`` makes it from the laws (every
function in this package whose name ends in ``_law``), from what checks declare and from the modules ``remarks`` of theories, and
tests compare it with all of them. Run that after a law, a check or a remark has been added or changed.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..reprs import short_repr
from .references import Reference


@short_repr
@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue.

    Attributes
    ----------
    builder : str
        ``"module:function"``; the function takes no arguments and returns the law.
    statement : str
        What the law says.
    symbols : mapping of str to str
        Parameters and what they mean.
    sources : tuple of str
        Keys of all that the law, its derivation and the formula it corrects cite, in order of first use.
    checks : tuple of str
        Names of the checks that test the law.
    """

    builder: str
    statement: str
    symbols: Mapping[str, str]
    sources: tuple[str, ...]
    checks: tuple[str, ...]


ASSUMPTIONS = {
    "linear": "Gaussian features (universality); other features, as those of a kernel on a circle, can cost several times more"
}
"""What all laws and solvers of a theory assume, and is not theirs to check: a line that is shown with each of them."""


def assumption(name: str) -> str:
    """Return what the theory of a law or a solver assumes; empty if there is nothing to say.

    Examples
    --------
    >>> assumption("percolation.data")
    ''
    """
    return ASSUMPTIONS.get(name.partition(".")[0], "")


def _read() -> tuple[dict[str, Entry], dict[str, Reference], dict[str, str]]:
    table: dict[str, Any] = json.loads(pkgutil.get_data(__package__, "catalogue.json") or b"")
    laws = {
        name: Entry(
            entry["builder"],
            entry["statement"],
            entry["symbols"],
            tuple(entry["sources"]),
            tuple(entry["checks"]),
        )
        for name, entry in table["laws"].items()
    }
    sources = {key: Reference(key, **entry) for key, entry in table["sources"].items()}
    return laws, sources, table["remarks"]


CATALOGUE, SOURCES, REMARKS = _read()


def matching(text: str) -> tuple[str, ...]:
    """List the laws that mention a text: in a name, a statement, a symbol or its meaning, or as an author, ignoring case.

    Parameters
    ----------
    text : str
        Part of any of these.

    Returns
    -------
    tuple of str
        Names of laws, in alphabetical order.

    Examples
    --------
    >>> matching("Paquette")[:2]
    ('feature_learning.compute', 'feature_learning.compute_lazy')
    """
    wanted = text.lower()
    return tuple(
        name
        for name, entry in sorted(CATALOGUE.items())
        if any(wanted in said.lower() for said in _said(name, entry))
    )


def _said(name: str, entry: Entry) -> list[str]:
    authors = (SOURCES[key].authors for key in entry.sources)
    return [name, entry.statement, *entry.symbols, *entry.symbols.values(), *authors]
