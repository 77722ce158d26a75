"""The letters that all theories share: what they mean, and the ranges in which derivations are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from ..errors import refusal
from .asymptotics import X

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
    used = set().union(*(expr.free_symbols for expr in exprs)) - {X}
    if missing := sorted(map(str, used - box.keys())):
        raise refusal(
            "box",
            box,
            f"gives no range for {', '.join(missing)}: the derivation is checked at points in it",
            shown=False,
        )
    return {name: limits for name, limits in box.items() if name in used}
