"""Sums over the modes of a spectrum that grow as their number."""

from __future__ import annotations

import sympy as sp

from ..errors import refusal
from .asymptotics import MellinCombination, MellinSymbol, PowerSum, power_sum
from .parameters import tidy


def extensive(
    name: str, shape: MellinSymbol | MellinCombination, b: sp.Expr
) -> tuple[PowerSum, sp.Expr]:
    """Sum a share over all modes; return the sum and its constant per K, refusing sums that are not proportional to K."""
    found = power_sum(0, shape.compose(b))
    if len(found.terms) != 1 or found.terms[0].exponent != 1 or found.terms[0].log_power:
        raise refusal(
            name,
            shape,
            f": its sum over the modes must grow as K; it grows as K^({found.exponent()})",
            shown=False,
        )
    return found, sp.gammasimp(tidy(found.terms[0].coefficient))
