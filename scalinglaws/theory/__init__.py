"""Closed-form laws, derived.

Examples
--------
>>> from scalinglaws import theory
>>> theory.laws()
('empirical.chinchilla', 'empirical.hestness', ...)
>>> theory.law("linear.time").expr
beta
>>> [law.name for law in theory.find("samples, trained")]
['linear.data']
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import unknown_name
from .catalogue import CATALOGUE, REMARKS

if TYPE_CHECKING:
    from .formula import Law
    from .presentation import LawComparison

__all__ = ["cite", "compare", "find", "law", "laws", "remark"]


def laws() -> tuple[str, ...]:
    """List the names of all laws, in alphabetical order."""
    return tuple(sorted(CATALOGUE))


@cache
def law(name: str) -> Law:
    """Return a law by name.

    Parameters
    ----------
    name : str
        As listed by `laws`.

    Returns
    -------
    Law
        Derived when its exponent, constant or derivation is first asked for.

    Raises
    ------
    DomainError
        If there is no such law; the message names the nearest.
    """
    if name not in CATALOGUE:
        raise unknown_name("law", name, CATALOGUE)
    module, _, function = CATALOGUE[name].builder.partition(":")
    built: Law = getattr(import_module(module), function)()
    return built


def find(text: str) -> list[Law]:
    """Search names, statements and symbols, ignoring case.

    Parameters
    ----------
    text : str
        Part of a name, of a statement, of a parameter's name or of its meaning.

    Returns
    -------
    list of Law
        In alphabetical order of names.
    """
    wanted = text.lower()
    return [
        found
        for name in laws()
        if wanted in name.lower()
        or wanted in CATALOGUE[name].statement.lower()
        or any(
            wanted in symbol.lower() or wanted in meaning.lower()
            for symbol, meaning in law(name).symbols.items()
        )
        for found in [law(name)]
    ]


def cite(*names: str) -> str:
    """Return BibTeX entries for exactly the sources that laws use: theirs, those of their steps, and of formulas they correct.

    Parameters
    ----------
    *names : str
        Names of laws; all by default.

    Returns
    -------
    str
        Entries in order of first use, each once.

    Examples
    --------
    >>> print(cite("empirical.hestness").splitlines()[0])
    @misc{hestness2017deep,
    """
    from .presentation import bibtex_of, references_of

    return "\n\n".join(map(bibtex_of, references_of(law(name) for name in names or laws()))) + "\n"


def compare(first: str, second: str, **values: Any) -> LawComparison:
    """Compare two laws: what they say, where they hold, and the first step at which their derivations part.

    Parameters
    ----------
    first, second : str
        Names of laws.
    **values
        Parameters, each handed to the laws that have it.

    Returns
    -------
    LawComparison
        Prints as a short report.

    Raises
    ------
    DomainError
        If a law does not exist, or a parameter belongs to neither.

    Examples
    --------
    >>> found = compare("linear.data", "linear.model", alpha=2, beta=3)
    >>> found.exponents, found.agree
    ((4, 2), False)
    """
    from .presentation import contrast

    return contrast(law(first), law(second), values)


def remark(solver: str, /, **values: Any) -> str:
    """Say in a line what the theory derives for what a solver was asked.

    Parameters
    ----------
    solver : str
        Its name, as ``"linear.compute_frontier"``.
    **values
        Arguments of the solver that have one value; of a spectrum its `alpha` and `beta`.

    Returns
    -------
    str
        A line; empty if the theory has no remark on this solver or on these values.

    Examples
    --------
    >>> remark("percolation.data_loss", alpha=1, exponent=0.25)
    'smoothness-limited: loss P^-0.25 (percolation.data)'
    >>> remark("linear.ridge", alpha=2, beta=1)
    ''
    """
    if solver not in REMARKS:
        return ""
    module, _, function = REMARKS[solver].partition(":")
    line: str = getattr(import_module(module), function)(**values)
    return line
