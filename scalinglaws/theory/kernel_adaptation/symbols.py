"""Symbols that the laws share."""

import sympy as sp

DIMENSION, KAPPA, CHI = sp.symbols("d kappa chi", positive=True)
"""Inputs d, the effective ridge and the mean-field scale."""
WIDTH = sp.Symbol("n", positive=True)
"""The hidden layer has d^n neurons."""
RATIO = sp.Symbol("nu", positive=True)
"""Neurons over the mean-field scale."""
