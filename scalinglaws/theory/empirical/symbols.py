"""Letters that fitted formulas share, and how their laws are built."""

from __future__ import annotations

import sympy as sp

from ..building import laws_of

N, D, C, P, x = sp.symbols("N D C P x", positive=True)
OFFSET = sp.Symbol("E", nonnegative=True)
LOSS, EXCESS, CONSTANT, SLOPE = sp.symbols("L L_excess c_0 g", positive=True)
EXPONENTS = (sp.Rational(1, 10), sp.Rational(3, 2))

build = laws_of("empirical", standing="ansatz")

APPARENT = "slope of log loss against log scale"


def slope_of(loss: sp.Expr, scale: sp.Symbol, named: sp.Expr) -> sp.Expr:
    """Return minus the slope of log loss against log scale, with the loss in the denominator under its name."""
    return -scale * sp.diff(loss, scale) / named
