"""Symbols that the laws of lazy learning share."""

import sympy as sp

MODE = sp.Symbol("k", positive=True)
"""Number of the mode that is asked about."""
STRENGTH, FADING = sp.symbols("s rho", positive=True)
"""The ridge is s P^-rho."""
OTHER = sp.Symbol("j", positive=True, integer=True)
"""Number of any mode."""
RIDGE, KAPPA, DF = sp.symbols("sigma2 kappa df", positive=True)
TRACE, COST = sp.symbols("K C", positive=True)
"""Tr K and the cost of an alignment, as `derive_bound` of the theory of patterns writes them."""
BOX = {sp.Symbol("alpha", positive=True): (sp.Rational(1, 2), 3), FADING: (0, 4)}
"""Ranges of the parameters in which derivations are checked."""
