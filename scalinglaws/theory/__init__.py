"""Closed-form laws, derived.

Examples
--------
>>> from scalinglaws import theory
>>> theory.laws()
('linear.data', 'linear.model', 'linear.time')
>>> theory.law("linear.time").expr
beta
>>> [law.name for law in theory.find("samples, trained")]
['linear.data']
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import unknown_name
from .catalogue import CATALOGUE

if TYPE_CHECKING:
    from .formula import Law

__all__ = ["find", "law", "laws"]


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
        or any(wanted in symbol.lower() or wanted in meaning.lower() for symbol, meaning in law(name).symbols.items())
        for found in [law(name)]
    ]
