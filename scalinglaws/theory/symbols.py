"""The letters that all theories share: what they mean, and the ranges in which derivations are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from ..arguments import instance
from ..errors import refusal
from .mellin import X, as_shape
from .parameters import as_expression

ALPHA, BETA = sp.symbols("alpha beta", positive=True)
"""Capacity and source of a task: eigenvalues fall as k^-alpha, signal power as k^-(alpha*beta + 1)."""

T, N, P, C = sp.symbols("t N P C", positive=True)
"""The four resources: training time, model size, number of samples, compute."""

INDEX = sp.Symbol("k", positive=True, integer=True)
"""Number of a mode."""

BOX = {ALPHA: (1, 4), BETA: (sp.Rational(1, 5), 4)}
"""Ranges of the parameters in which derivations are checked, where a theory has no others."""


def free_box(
    box: Mapping[sp.Symbol, tuple[Any, Any]], *exprs: sp.Expr
) -> dict[sp.Symbol, tuple[Any, Any]]:
    """Keep the ranges of the parameters that occur; all of them must have one."""
    instance("box", box, Mapping)
    used = set().union(*(expr.free_symbols for expr in exprs)) - {X}
    if missing := sorted(map(str, used - box.keys())):
        raise refusal(
            "box",
            box,
            f"gives no range for {', '.join(missing)}: the derivation is checked at points in it",
            shown=False,
        )
    return {name: limits for name, limits in box.items() if name in used}


_TAKEN = {"k", "t", "x", "K", "L", "c"}  # what derivations call by these names is no parameter


def as_exponent(name: str, value: Any, of: str) -> sp.Expr:
    """Check the exponent of a power of the number of a mode.

    Parameters
    ----------
    name : str
        Of the argument.
    value : Expr or number
        What was given.
    of : str
        What falls with that exponent, as ``"the eigenvalues k^-b"``.

    Returns
    -------
    Expr
        A finite real number, or a rational function of positive parameters.

    Raises
    ------
    DomainError
        If it is anything else, as the spectrum itself instead of its exponent.

    Examples
    --------
    >>> as_exponent("spectrum_exponent", 2 * ALPHA, "the eigenvalues k^-b")
    2*alpha
    """
    found = as_expression(name, value)
    symbols = found.free_symbols
    if {symbol.name for symbol in symbols} & _TAKEN or not found.is_rational_function(*symbols):
        raise refusal(
            name,
            value,
            f"must be the exponent of {of}: a number, or a rational function of positive parameters "
            f"(named other than {', '.join(sorted(_TAKEN))}); "
            "a spectrum that is not a power of k is what SpectrumLimited takes",
        )
    if odd := sorted(str(symbol) for symbol in symbols if not symbol.is_positive):
        raise refusal(
            name, value, f"must contain positive symbols only; declare {odd[0]} with positive=True"
        )
    return found


def check_task(model: Any, *shapes: str) -> None:
    """Check the exponents and the shapes of a task as it is described; exponents are kept as expressions."""
    for name, of in (
        ("spectrum_exponent", "the eigenvalues k^-b"),
        ("signal_exponent", "the signal power k^-a"),
    ):
        found = as_exponent(name, getattr(model, name), of)
        if name == "spectrum_exponent" and found.is_nonpositive:
            raise refusal(name, found, "must be positive: eigenvalues fall as k^-b")
        object.__setattr__(model, name, found)
    free_box(model.box, model.spectrum_exponent, model.signal_exponent)
    for name in shapes:
        as_shape(name, getattr(model, name))
