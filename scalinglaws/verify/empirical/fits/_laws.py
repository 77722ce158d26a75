"""Which laws can be fitted, by name or expression."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ....arguments import several
from ....errors import refusal, unknown_name
from . import _formulas, _repeated, _surface
from ._law import FREE, STEEPEST, FitLaw, checked_bounds

__all__ = ["FitLaw", "fit_law"]

LEAST_RATES, MOST_RATES = (-1.0, -1.0), (6.0, 6.0)
"""Bounds of ln R_D and ln R_N: at the upper one no decay was seen."""

_WORD = re.compile(r"[A-Za-z_][\w.]*")  # a name, and no formula
_ALIASES = {
    "empirical.chinchilla": "surface",
    "chinchilla": "surface",
    "empirical.surface_power": "surface_power",
}


@lru_cache(maxsize=1)
def _hand_written() -> dict[str, FitLaw]:
    surface = FitLaw(
        id="surface",
        catalogue="empirical.chinchilla",
        names=("E", "A", "B", "a", "b"),
        logs=(True, True, True, False, False),
        variables=("N", "D"),
        formula="L = E + A/N^a + B/D^b",
        low=(-FREE, -FREE, -FREE, 0.0, 0.0),
        high=(FREE, FREE, FREE, STEEPEST, STEEPEST),
        kernel=_surface.surface,
        centers=((1, 3, 0), (2, 4, 1)),
    )
    power = replace(
        surface,
        id="surface_power",
        catalogue="empirical.surface_power",
        names=(*surface.names, "c"),
        logs=(*surface.logs, False),
        formula="L = E + (A/N^a + B/D^b)^c",
        low=(*surface.low, 0.05),
        high=(*surface.high, 3.0),
        kernel=_surface.surface_power,
        simpler="surface",
    )
    repetition = replace(
        surface,
        id="repetition",
        catalogue=None,
        names=(*surface.names, "R_D", "R_N"),
        logs=(*surface.logs, True, True),
        variables=("N", "D", "U"),
        formula="L = E + A/N'^a + B/D'^b, N' and D' what counts with U unique tokens",
        low=(*surface.low, *LEAST_RATES),
        high=(*surface.high, *MOST_RATES),
        kernel=_repeated.repetition,
        like="unrepeated",
        alike=((2, 1),),
    )
    return {law.id: law for law in (surface, power, repetition)}


def fit_law(
    law: str | FitLaw | Any,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    variables: Sequence[str] = (),
) -> FitLaw:
    """Return a law that can be fitted.

    Parameters
    ----------
    law : str, Law or FitLaw
        Its name here or in the catalogue, an expression, or a law of `scalinglaws.theory`.
    bounds : mapping, optional
        Bounds of parameters; in an expression, those with a negative lower bound may have either sign. They are not applied:
        `FitLaw.constrained` does.
    variables : sequence of str
        Names in an expression, beside N, D, C, P, n, m and x, that are columns and no parameters.

    Returns
    -------
    FitLaw
        With its default bounds.

    Raises
    ------
    DomainError
        If there is no such law, or the expression is none that can be fitted.
    """
    if isinstance(law, FitLaw):
        return law
    ends = checked_bounds(bounds)
    own = tuple(dict.fromkeys(several("variables", variables, str)))
    named = law if isinstance(law, str) else getattr(law, "name", None)
    if not isinstance(named, str) or not (isinstance(law, str) or hasattr(law, "forms")):
        raise refusal("law", law, "must be the name of a law, an expression, or a law")
    name = _ALIASES.get(named, _formulas.ALIASES.get(named, named))
    if name in _hand_written():
        return _hand_written()[name]
    if name in _formulas.NAMED:
        return _formulas.named_law(name)
    if not isinstance(law, str):
        return _formulas.catalogue_expression(law, ends)
    if _WORD.fullmatch(law):
        known = [*_hand_written(), *_formulas.NAMED]
        if law.startswith("empirical.") or "." in law:
            from ....theory import law as catalogue_law

            return _formulas.catalogue_expression(catalogue_law(law), ends)
        raise unknown_name("law", law, known)
    return _formulas.expression_law(law, tuple(sorted(ends.items())), own)
