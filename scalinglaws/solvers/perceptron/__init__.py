r"""Perceptrons that learn a teacher's labels, at a fixed norm of their weights, and the norms of deep networks.

In the limit of many inputs, at :math:`\alpha` samples for each, the student with the smallest training loss at norm
:math:`\lambda` is described by two equations (`fixed_norm`); training without constraint passes near these students as its norm
grows (`gradient_flow`). `spectral_complexity` measures what takes the place of the norm in deep networks.
"""

from ._complexity import SpectralComplexity, spectral_complexity
from ._fixed_norm import FixedNormSolution, fixed_norm, surface
from ._gradient_flow import GradientFlow, gradient_flow
from ._layers import Attention, Residual, fold_normalization
from ._limits import LearningCurve, MaxStability, bayes, gibbs, hebb, max_stability
from ._master import MasterCurve, master_curve
from ._optimum import OptimalNorm, optimal_norm, ridge

__all__ = [
    "Attention",
    "FixedNormSolution",
    "GradientFlow",
    "LearningCurve",
    "MasterCurve",
    "MaxStability",
    "OptimalNorm",
    "Residual",
    "SpectralComplexity",
    "bayes",
    "fixed_norm",
    "fold_normalization",
    "gibbs",
    "gradient_flow",
    "hebb",
    "master_curve",
    "max_stability",
    "optimal_norm",
    "ridge",
    "spectral_complexity",
    "surface",
]
