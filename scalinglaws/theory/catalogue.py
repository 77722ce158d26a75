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

from ..errors import refusal, unknown_name
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
    standing : str
        ``"derived"``, ``"ansatz"`` and so on, as `Law.standing`.
    places : tuple of str
        Equations and sections of the sources.
    """

    builder: str
    statement: str
    symbols: Mapping[str, str]
    sources: tuple[str, ...]
    checks: tuple[str, ...]
    standing: str = ""
    places: tuple[str, ...] = ()


_GAUSSIAN = "Gaussian features (universality); other features, as those of a kernel on a circle, can cost several times more"
ASSUMPTIONS = {"linear": _GAUSSIAN, "schedules": _GAUSSIAN}
"""What all laws and solvers of a theory assume, and is not theirs to check: a line that is shown with each of them."""


ALSO_CALLED = {
    "empirical": "fits, Chinchilla, Kaplan, broken power law, BNSL, irreducible loss, language models, pre-training, isoFLOP",
    "feature_learning": "rich regime, mean field, muP, maximal update, dynamical mean-field theory, DMFT, SGD, kernel evolution",
    "kernel_adaptation": "Bayesian feature learning, adaptive kernels, kernel scaling, Gaussian mixture, mean-field, NNGP, "
    "sample complexity, specialization",
    "learnability": "lazy regime, Gaussian process regression, kernel ridge regression, effective ridge, eigenmodes, sample complexity, "
    "large deviations, Jensen, NNGP, NTK",
    "linear": "lazy regime, bottleneck, kernel ridge regression, ridgeless, NTK, neural tangent kernel, random features, "
    "source and capacity, double descent, SGD, gradient flow",
    "manifold": "intrinsic dimension, resolution-limited, variance-limited, interpolation",
    "patterns": "feature-learning patterns, large deviations, sample complexity, specialization, Gaussian process, GP, "
    "scaling analysis",
    "perceptron": "implicit bias, teacher-student, learning curve, logistic loss, margin, support vector machine, replica, "
    "early stopping, spectral complexity",
    "percolation": "quanta, clusters, hierarchy, Zipf, critical phenomena, Bethe lattice",
    "renormalization": "renormalization group, RG, Wilson-Fisher fixed point, phi^4 theory, critical exponents, power counting, relevant, "
    "irrelevant, effective ridge, Gaussian process",
    "schedules": "learning rate schedule, warmup, cooldown, annealing, WSD, warmup-stable-decay, cosine, linear decay, batch ramp, "
    "batch size, momentum, heavy ball, Nesterov, DANA, optimizer, weight averaging, EMA, functional scaling law, SGD",
}
"""What else the laws of a theory go by: words that people search for."""


FITTED = {
    "bnsl": "empirical.bnsl",
    "kaplan": "empirical.kaplan",
    "perceptron": "empirical.perceptron",
    "power": "empirical.power",
    "power_offset": "empirical.hestness",
    "rosenfeld": "empirical.rosenfeld",
    "surface": "empirical.chinchilla",
    "surface_power": "empirical.surface_power",
    "three_region": "empirical.three_region",
}
"""Short names of the laws that measured losses are fitted with, by what they look like, and the laws' own names."""


def own_name(name: str) -> str:
    """Return a law's own name for any that it is known by: its own, or that of `FITTED`, with or without ``empirical.``.

    Names that are none are returned as they are.

    Examples
    --------
    >>> own_name("surface"), own_name("empirical.power_offset"), own_name("linear.time")
    ('empirical.chinchilla', 'empirical.hestness', 'linear.time')
    """
    return FITTED.get(name.removeprefix("empirical."), name)


def fitted_name(name: str) -> str:
    """Return the short name under which a fit shows a law, for any name that it is known by.

    Parameters
    ----------
    name : str
        ``"surface"``, ``"empirical.surface"``, ``"empirical.chinchilla"`` or ``"chinchilla"``.

    Returns
    -------
    str
        A key of `FITTED`.

    Raises
    ------
    DomainError
        If no law that measured losses are fitted with is called so.

    Examples
    --------
    >>> fitted_name("empirical.chinchilla"), fitted_name("hestness"), fitted_name("surface")
    ('surface', 'power_offset', 'surface')
    """
    if isinstance(name, str):
        for wanted in (own_name(name), f"empirical.{name}"):
            for short, own in FITTED.items():
                if own == wanted:
                    return short
    raise unknown_name("law to fit", name, FITTED)


class Remark(str):
    """What a theory says in a line about a solver's task.

    Attributes
    ----------
    powers : mapping of str to float
        Derived powers of the independent variable, by the solver's columns; empty where there is no plain power.
    """

    powers: Mapping[str, float]

    def __new__(cls, line: str, powers: Mapping[str, float] | None = None) -> Remark:
        """Make a line of text with powers."""
        found = super().__new__(cls, line)
        found.powers = dict(powers or {})
        return found


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
            entry.get("standing", ""),
            tuple(entry.get("places", ())),
        )
        for name, entry in table["laws"].items()
    }
    sources = {key: Reference(key, **entry) for key, entry in table["sources"].items()}
    return laws, sources, table["remarks"]


CATALOGUE, SOURCES, REMARKS = _read()


def matching(text: str) -> tuple[str, ...]:
    """List the laws that mention a text or, if none does, every word of it, ignoring case.

    Names, statements, symbols and their meanings, standings, authors, titles and places of sources are searched, and what else
    a theory goes by.

    Parameters
    ----------
    text : str
        Words, or parts of them.

    Returns
    -------
    tuple of str
        Names of laws, in alphabetical order.

    Examples
    --------
    >>> matching("Paquette")[:2]
    ('feature_learning.compute', 'feature_learning.compute_lazy')
    """
    if not isinstance(text, str):
        raise refusal("text", text, "must be a text")
    said = {name: _said(name, entry) for name, entry in sorted(CATALOGUE.items())}
    for wanted in ([text.lower()], text.lower().split()):
        found = tuple(name for name in said if all(part in said[name] for part in wanted))
        if found:
            break
    return found


def _said(name: str, entry: Entry) -> str:
    """Return all that is searched, in small letters; no word reaches from one piece into the next."""
    sources = (SOURCES[key] for key in entry.sources)
    cited = (text for source in sources for text in (source.authors, source.title))
    also = ALSO_CALLED.get(name.partition(".")[0], "")
    pieces = (name, entry.statement, *entry.symbols, *entry.symbols.values(), *cited)
    return "\n".join((*pieces, entry.standing, *entry.places, also)).lower()
