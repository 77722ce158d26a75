r"""Kernels that adapt: when a Bayesian network's weights follow the target, and how many samples that takes.

A cost, minus the logarithm of the prior probability of a predictor, and a number of samples are two readings of one free energy:
:math:`P_\alpha = \kappa_e I'(\alpha)/[\chi y^2(1 - \alpha)]`. Laws are leading orders of the mean-field equations that
`scalinglaws.solvers.kernel_adaptation` solves.
"""

from .alignment import SpecializedNeurons, derive_alignment
from .bimodality import LinearTeacher, derive_bimodality
from .convolution import AdaptedFilters, derive_convolution
from .gradients import gradient

__all__ = [
    "AdaptedFilters",
    "LinearTeacher",
    "SpecializedNeurons",
    "derive_alignment",
    "derive_bimodality",
    "derive_convolution",
    "gradient",
]
