"""Closed-form laws, derived.

Examples
--------
>>> from scalinglaws import theory
>>> theory.laws()
('empirical.bnsl', 'empirical.chinchilla', ...)
>>> theory.law("linear.time").expr
beta
>>> [law.name for law in theory.find("samples, trained")]
['linear.data']
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from ..errors import unknown_name
from ..rooms import lazy_submodules
from .catalogue import CATALOGUE, REMARKS, SOURCES, Entry, Remark, matching, own_name

if TYPE_CHECKING:
    from . import balance
    from .comparison import LawComparison
    from .formula import Law

__all__ = ["allocate", "cite", "compare", "find", "law", "laws", "remark"]

_FEW = 5  # laws that a message names

__getattr__, __dir__ = lazy_submodules(__name__)


def laws() -> tuple[str, ...]:
    """List the names of all laws, in alphabetical order."""
    return tuple(sorted(CATALOGUE))


def law(name: str) -> Law:
    """Return a law by name.

    Parameters
    ----------
    name : str
        As listed by `laws`; or the short name of a law that measured losses are fitted with, as ``"surface"``: see
        `scalinglaws.theory.catalogue.FITTED`.

    Returns
    -------
    Law
        Derived when its exponent, constant or derivation is first asked for.

    Raises
    ------
    DomainError
        If there is no such law; the message names the nearest.
    """
    return _built(_entry(name).builder)


@cache
def _built(builder: str) -> Law:
    module, _, function = builder.partition(":")
    built: Law = getattr(import_module(module), function)()
    return built


def _entry(name: str) -> Entry:
    if isinstance(name, str):
        name = own_name(name)
    if not isinstance(name, str) or name not in CATALOGUE:
        tested = [
            law
            for law, entry in CATALOGUE.items()
            if isinstance(name, str) and name in entry.checks
        ]
        more = f"a check of that name tests {' and '.join(tested)}" if tested else ""
        raise unknown_name("law", name, CATALOGUE, more or _mentioned(name))
    return CATALOGUE[name]


def _mentioned(name: object) -> str:
    """Say which laws mention what is no name of one: an author, a theory."""
    found = matching(name) if isinstance(name, str) and name.strip() else []
    if len(found) > _FEW:
        return f"{len(found)} laws mention it: scalinglaws laws {shlex.quote(str(name))}"
    return f"it is mentioned by {' and '.join(found)}" if found else ""


def find(text: str) -> list[Law]:
    """Search what laws say and what they are called, ignoring case.

    Parameters
    ----------
    text : str
        A text, or words, of names, statements, symbols and their meanings, standings, authors, titles and places of sources, and of
        what else a theory goes by.

    Returns
    -------
    list of Law
        In alphabetical order of names. `scalinglaws.theory.catalogue.matching` lists their names and loads none.
    """
    return [law(name) for name in matching(text)]


def allocate(
    terms: Any,
    budget: str | Sequence[str] = (),
    caps: str | Sequence[str] = (),
    *,
    free: str | Sequence[str] = (),
) -> balance.Allocation:
    """Minimize a sum of monomials under budgets and caps, all of them given as text.

    Parameters
    ----------
    terms : str
        The sum: ``"1.69 + 406.4/N**0.34 + 410.7/D**0.28"``. Every symbol is positive; decimals are read exactly.
    budget : str or sequence of str
        Equations: ``"6*N*D = C"``, or with a number on the right.
    caps : str or sequence of str
        Upper bounds: ``"D <= 1e12"``.
    free : str or sequence of str
        Names of the scales to choose; by default those on the left of budgets and caps.

    Returns
    -------
    balance.Allocation
        Its `minimum` is the exact optimum at given numbers; its entries are the ways in which terms can balance. As
        `scalinglaws.theory.balance.allocate` returns it, which takes expressions.

    Raises
    ------
    DomainError
        If a text cannot be read, or nothing keeps the sum from falling to zero.

    Examples
    --------
    >>> best = allocate("1.69 + 406.4/N**0.34 + 410.7/D**0.28", "6*N*D = C").minimum({"C": 1e21})
    >>> round(best.excess, 6), round(best.total, 6)
    (0.638883, 2.328883)
    """
    from . import balance

    problem = balance.read_problem(terms, budget, caps, free)
    return balance.allocate(problem.terms, problem.free, problem.budgets, problem.caps)


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
    from .references import bibtex_of

    keys = dict.fromkeys(key for name in names or laws() for key in _entry(name).sources)
    return "\n\n".join(bibtex_of(SOURCES[key]) for key in keys) + "\n"


def compare(first: str, second: str, /, **values: Any) -> LawComparison:
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
    from .comparison import contrast

    return contrast(law(first), law(second), values)


def remark(solver: str, /, **values: Any) -> Remark:
    """Say in a line what the theory derives for what a solver was asked.

    A theory says it in a function of the solver's name in its module ``remarks``.

    Parameters
    ----------
    solver : str
        Its name, as ``"linear.compute_frontier"``.
    **values
        Arguments of the solver, tuples of those that have several values; of a spectrum its `alpha` and `beta`. Where a remark
        depends on one that has several, there is none.

    Returns
    -------
    Remark
        A line, a str; empty if the theory has no remark on this solver or on these values. Its `powers` are the derived powers of
        the independent variable, by the solver's columns.

    Examples
    --------
    >>> remark("percolation.data_loss", alpha=1, exponent=0.25)
    'smoothness-limited: loss P^-0.25 (percolation.data)'
    >>> remark("linear.ridge", alpha=2, beta=1)
    ''
    """
    if not isinstance(solver, str) or solver not in REMARKS:
        return Remark("")
    function = getattr(import_module(REMARKS[solver]), solver.partition(".")[2])
    several = {name for name, value in values.items() if isinstance(value, tuple)}
    if several & set(signature(function).parameters):
        return Remark("")
    found: Remark = function(**{k: value for k, value in values.items() if k not in several})
    return found
