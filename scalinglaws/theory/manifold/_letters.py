"""The letters of this theory."""

from __future__ import annotations

import sympy as sp

THETA, DIMENSION, ORDER = sp.symbols("theta d q", positive=True)
WIDTH, DEPTH, FEATURES, PARAMETERS = sp.symbols("w h N p", positive=True)
