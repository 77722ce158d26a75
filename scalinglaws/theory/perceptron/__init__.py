r"""The perceptron at fixed norm: how its error falls with the norm and with the data, and how the two combine.

A student of N inputs with the norm :math:`\lambda\sqrt N` learns :math:`\alpha N` labels of a teacher by a decreasing convex loss of its
margins. Replica theory is exact here, since the problem is convex. Laws are derived for the logistic loss and, in functions
``derive_...``, for any other.
"""

from .composite import NormLimited, derive_norm
from .corrections import derive_amplitude, derive_slope, first_correction
from .early import derive_early, derive_hebb, squared_force
from .limits import Posterior, derive_bayes, derive_stability, stability_equation
from .losses import (
    EXPONENTIAL,
    HINGE,
    LOGISTIC,
    MARGIN,
    SQUARED_HINGE,
    FixedNorm,
    closed_integral,
    tail_power,
)
from .master import MasterOptimum, derive_best_norm, derive_combined, derive_elbow, master_optimum

__all__ = [
    "EXPONENTIAL",
    "HINGE",
    "LOGISTIC",
    "MARGIN",
    "SQUARED_HINGE",
    "FixedNorm",
    "MasterOptimum",
    "NormLimited",
    "Posterior",
    "closed_integral",
    "derive_amplitude",
    "derive_bayes",
    "derive_best_norm",
    "derive_combined",
    "derive_early",
    "derive_elbow",
    "derive_hebb",
    "derive_norm",
    "derive_slope",
    "derive_stability",
    "first_correction",
    "master_optimum",
    "squared_force",
    "stability_equation",
    "tail_power",
]
