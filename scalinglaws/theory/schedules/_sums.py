"""Sums over modes at large intrinsic time, as the laws of schedules write them."""

from __future__ import annotations

import sympy as sp

from ...errors import refusal
from ..asymptotics import MellinCombination, MellinSymbol, X
from ..relations import against_zero
from ..symbols import INDEX


def over_modes(
    weight: sp.Expr, shape: MellinSymbol | MellinCombination, b: sp.Expr, time: sp.Expr
) -> sp.Sum:
    """Write the sum of a shape of the eigenvalue k^-b times a time, over all modes."""
    return sp.Sum(weight * shape.function.subs(X, time * INDEX ** (-b)), (INDEX, 1, sp.oo))


def finite_trace(b: sp.Expr) -> tuple[sp.Basic, ...]:
    """Return what a spectrum must satisfy for its eigenvalues to have a finite sum; refuse one that never does.

    Examples
    --------
    >>> a = sp.Symbol("alpha", positive=True)
    >>> finite_trace(a), finite_trace(sp.Integer(2))
    ((alpha > 1,), ())
    """
    condition = against_zero(b - 1, sp.Gt)
    if condition == sp.false:
        raise refusal(
            "spectrum_exponent",
            b,
            "must exceed 1: the noise of all modes adds up to the sum of the eigenvalues",
        )
    return () if condition == sp.true else (condition,)


def tidy_gammas(expr: sp.Expr) -> sp.Expr:
    """Cancel the arguments of Gamma functions, and two of them that differ by one against each other.

    Examples
    --------
    >>> p = sp.Symbol("p", positive=True)
    >>> tidy_gammas(sp.gamma(p / 2) / sp.gamma((p + 2) / 2))
    2/p
    """

    def written(argument: sp.Expr) -> sp.Expr:
        return sp.gamma(sp.factor(argument))

    whole = expr.replace(sp.gamma, written)
    top, bottom = sp.fraction(whole)
    for above in top.atoms(sp.gamma):
        for below in bottom.atoms(sp.gamma):
            if sp.cancel(below.args[0] - above.args[0]) == 1:
                top, bottom = top.subs(above, 1), bottom.subs(below, above.args[0])
                break
    return sp.factor(top / bottom).replace(sp.gamma, written)


def excluded(condition: sp.Basic, given: tuple[sp.Basic, ...]) -> bool:
    """Whether a condition on one parameter contradicts what is given.

    Examples
    --------
    >>> a = sp.Symbol("alpha", positive=True)
    >>> excluded(a < 1, (a > 1,)), excluded(a < 2, (a > 1,))
    (True, False)
    """
    parts = [part for part in sp.And.make_args(condition) if len(part.free_symbols) == 1]
    return condition == sp.false or any(
        sp.And(
            part, *(entry for entry in given if entry.free_symbols == part.free_symbols)
        ).simplify()
        == sp.false
        for part in parts
    )
