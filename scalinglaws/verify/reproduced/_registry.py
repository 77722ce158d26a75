"""The table of reproduced figures."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...arguments import number, text
from ...errors import DomainError, known_name, refusal, unknown_name
from ...reprs import short_repr
from ...theory.catalogue import CATALOGUE
from ...theory.references import (
    ATANASOV_2024,
    BORDELON_2024_FEATURES,
    BRILL_2024,
    DAMICO_2025,
    RINGEL_2025,
    Reference,
)
from ..registry import Context

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES: dict[str, Reference] = {
    "atanasov": ATANASOV_2024,
    "bordelon": BORDELON_2024_FEATURES,
    "brill": BRILL_2024,
    "damico": DAMICO_2025,
    "ringel": RINGEL_2025,
}
"""Sources by the names of their modules; the citation key of each begins with it."""

Drawing = Callable[[Context], "tuple[Figure, str]"]


@short_repr
@dataclass(frozen=True)
class ReproducedFigure:
    """A figure of a source, and how it is drawn.

    Attributes
    ----------
    source : str
        Name of the source, ``"atanasov"`` for instance.
    name : str
        Of the figure, unique within its source; files are called by it.
    title : str
        In a few words.
    claim : str
        What the source says, in a sentence.
    shown : str
        What is drawn, in a sentence that follows on "Shown: ".
    laws : tuple of str
        Names of the laws that it shows.
    uses : tuple of str
        Solvers, simulations and data behind it.
    seconds : float
        Of work at quick effort, roughly.
    requires : tuple of str
        Packages that are not always installed, as they are imported.
    function : callable
        From a `Context` to the drawing and a sentence that says, with numbers computed then, whether the claim holds.
    """

    source: str
    name: str
    title: str
    claim: str
    shown: str
    laws: tuple[str, ...]
    uses: tuple[str, ...]
    seconds: float
    requires: tuple[str, ...]
    function: Drawing

    @property
    def lacks(self) -> tuple[str, ...]:
        """Required packages that are not installed."""
        return tuple(name for name in self.requires if find_spec(name) is None)

    def caption(self, found: str) -> str:
        """Return the claim, what is shown and what was found."""
        return f"{self.claim} Shown: {self.shown} {found}".replace("+-", "±")


_FIGURES: dict[tuple[str, str], ReproducedFigure] = {}


def figure(
    *,
    source: str,
    name: str,
    title: str,
    claim: str,
    shown: str,
    laws: Sequence[str] = (),
    uses: Sequence[str] = (),
    seconds: float = 1.0,
    requires: Sequence[str] = (),
) -> Callable[[Drawing], Drawing]:
    """Register a function as a figure of a source.

    Parameters
    ----------
    source : str
        One of ``atanasov``, ``bordelon``, ``brill``, ``damico``, ``ringel``.
    name : str
        Of the figure: small letters, digits and hyphens.
    title : str
        In a few words.
    claim : str
        What the source says, in a sentence.
    shown : str
        What is drawn, in a sentence that follows on "Shown: ".
    laws : sequence of str
        Names of the laws that it shows.
    uses : sequence of str
        Solvers, simulations and data behind it, by their names.
    seconds : float
        Of work at quick effort, roughly.
    requires : sequence of str
        Packages that are not always installed, as they are imported: without them the figure is left out of those of its source.

    Returns
    -------
    callable
        A decorator that returns the function unchanged. The function is given a `Context` (its `pick`, its `generator`) and returns
        a Matplotlib figure that belongs to no window, and a sentence that says, with numbers computed then, whether the claim holds.

    Raises
    ------
    DomainError
        If the name is taken or is none, or the source or a law is not known.
    """
    known_name("source", source, SOURCES)
    if not isinstance(name, str) or not name.replace("-", "").isalnum() or name != name.lower():
        raise refusal("name", name, "must be of small letters, digits and hyphens")
    if (source, name) in _FIGURES:
        raise DomainError(
            f"{source} has a figure named {name!r} already", argument="name", value=name
        )
    for argument, words in (("title", title), ("claim", claim), ("shown", shown)):
        text(argument, words)
    for law in laws:
        known_name("law", law, CATALOGUE)
    cost = number("seconds", seconds, low=0)

    def register(function: Drawing) -> Drawing:
        about = (title, claim, shown, tuple(laws), tuple(uses), cost, tuple(requires))
        _FIGURES[source, name] = ReproducedFigure(source, name, *about, function)
        return function

    return register


@cache
def _load_shipped() -> None:
    package = __name__.rpartition(".")[0]
    for info in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        import_module(info.name)


def registered() -> dict[tuple[str, str], ReproducedFigure]:
    """Return all figures by source and name, those of a source in the order in which its module has them."""
    _load_shipped()
    return dict(sorted(_FIGURES.items(), key=lambda item: item[0][0]))


def sources() -> tuple[str, ...]:
    """List the sources of which figures are reproduced.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> "atanasov" in sources()
    True
    """
    return tuple(dict.fromkeys(source for source, _ in registered()))


def one_source(source: str) -> str:
    """Return the name of a source that is given by it, or by its citation key as ``scalinglaws cite`` prints it.

    Examples
    --------
    >>> one_source("atanasov2024scaling")
    'atanasov'
    """
    known = sources()
    for name in known:
        if isinstance(source, str) and source in (name, SOURCES[name].key):
            return name
    raise unknown_name("source", source, known, likeness=1.0)  # few: all are told


def figures_of(source: str, names: Sequence[str] | None = None) -> tuple[ReproducedFigure, ...]:
    """Return the figures of a source.

    Parameters
    ----------
    source : str
        Its name, as `sources` lists it, or its citation key.
    names : sequence of str, optional
        Of figures; all by default.

    Returns
    -------
    tuple of ReproducedFigure
        In the order of the source.

    Raises
    ------
    DomainError
        If there is no such source or figure.

    Examples
    --------
    >>> figures_of("atanasov", ["bottlenecks"])[0].laws
    ('linear.time', 'linear.data', 'linear.model')
    """
    of = one_source(source)
    found = {name: entry for (its, name), entry in registered().items() if its == of}
    if names is None:
        return tuple(found.values())
    if isinstance(names, str) or not isinstance(names, (list, tuple)) or not names:
        raise refusal("names", names, "must be a sequence of names, at least one")
    for name in names:
        known_name("figure", name, found)
    return tuple(entry for name, entry in found.items() if name in names)
