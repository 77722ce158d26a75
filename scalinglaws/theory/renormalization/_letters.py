"""Symbols that the laws of renormalization share."""

import sympy as sp

CUTOFF = sp.Symbol("Lambda", positive=True)
"""Modes up to it are kept."""
RATIO = sp.Symbol("X", positive=True)
"""Lambda_0/Lambda: how far the cutoff has come down."""
KAPPA, RIDGE = sp.symbols("kappa sigma2", positive=True)
"""Effective ridge, and the given one."""
OTHER = sp.Symbol("j", positive=True, integer=True)
"""Number of any mode."""
QUADRATIC, QUARTIC = sp.symbols("R U", real=True)
"""Dimensionless couplings."""
BOX = {sp.Symbol("alpha", positive=True): (sp.Rational(1, 4), 3)}
"""Ranges of the parameters in which derivations are checked."""
