"""Parameters of laws from the dimension of a lattice: what stands behind ``scalinglaws law percolation.model d=3 c=4``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from ...errors import refusal
from .exponents import Estimate, critical_exponents, path_dimension

_DIGITS = 7  # of parameters that are measured: more than their errors leave


def in_dimension(
    symbols: Collection[str], values: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    r"""Replace d, and c, by the parameters of a law that they decide: :math:`\alpha, \tau, \sigma, D, d_{min}`, and :math:`\beta = c/D`.

    Parameters
    ----------
    symbols : collection of str
        Names of the law's own parameters.
    values : mapping of str to number
        What was given. Parameters that are given themselves stay.

    Returns
    -------
    tuple of dict and tuple of str
        Values of the law's parameters, and lines that say what came from where; without ``d`` among the values nothing changes, nor
        where the law has a ``d`` and a ``D`` of which both are given.

    Raises
    ------
    DomainError
        If d is not a whole number >= 2, or c not a number >= 1.

    Examples
    --------
    >>> in_dimension(["alpha", "beta"], {"d": 6, "c": 2})[0]
    {'alpha': Fraction(1, 1), 'beta': Fraction(1, 2)}
    """
    given = dict(values)
    if "d" not in given:
        return given, ()
    d = given["d"]
    if d != int(d):
        raise refusal("d", d, "must be a whole number >= 2")
    known = critical_exponents(int(d))
    found = {name: getattr(known, name) for name in ("alpha", "tau", "sigma", "D")}
    if "d_min" in symbols and "d_min" not in given:
        found["d_min"] = path_dimension(int(d))
    order = given.get("c")
    if order is not None and "beta" in symbols:
        found["beta"] = known.learning(sp.Rational(str(order)))
    new = {
        name: estimate for name, estimate in found.items() if name in symbols and name not in given
    }
    lines = [f"d = {int(d)}: {', '.join(f'{name} = {value}' for name, value in new.items())}"]
    if not new:
        return given, ()
    given |= {name: _exact(estimate) for name, estimate in new.items()}
    for name in ("d", "c"):
        if name not in symbols:
            given.pop(name, None)
    return given, tuple(lines)


def _exact(estimate: Estimate) -> Fraction:
    """Return a number as a fraction, a measured one rounded."""
    if estimate.exact:
        return Fraction(str(estimate.value))
    return Fraction(f"{float(estimate):.{_DIGITS}g}")
