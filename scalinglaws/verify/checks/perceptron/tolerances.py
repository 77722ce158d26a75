"""What the checks of the perceptron share: tolerances, replicates, numbers computed by the solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....solvers import perceptron as solve
from ....theory.formula import Law

Array = NDArray[np.float64]

REPLICATES = 12  # streams per comparison: 11 degrees of freedom
CURVE_TOLERANCE = (
    0.05  # relative: corrections of order 1/N = 1/200 and more, and the default for curves
)
SIMULATED_TOLERANCE = 0.03  # absolute: the same of exponents of one half
EXPONENT_TOLERANCE = 0.05  # absolute, of simulated exponents between 0.4 and 1
SOLVER_TOLERANCE = 1e-4  # absolute: what is left of the corrections at a million samples per input
AMPLITUDE_TOLERANCE = 1e-3  # relative: the same for constants
ASYMPTOTIC_TOLERANCE = 0.1  # relative: of laws for many samples at eight per input, corrections of order alpha^-2/3 and smaller
COLLAPSE_TOLERANCE = 2e-4  # relative: the error in the middle of the curve at alpha = 1000
RATIO_TOLERANCE = 0.03  # relative: a fifth of the largest distance of the flow from the path
BAYES_TOLERANCE = 0.03  # relative: a fourteenth of the distance to Gibbs' rule


def constant(law: Law) -> float:
    """Return the constant of a law that has one."""
    assert law.constant is not None
    return float(law.constant)


def relative_error(alpha: Any, norm: Any) -> Array:
    """Return the error at a norm over that at zero norm."""
    found = solve.fixed_norm(alpha, norm).error
    return np.asarray(found / np.asarray(solve.hebb(alpha).error))
