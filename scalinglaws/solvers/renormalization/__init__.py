r"""Renormalizing a Gaussian process: what takes the place of modes that are integrated out.

Two actions are told apart by a ``convention``. ``per_datum``: every datum has a potential :math:`V(f - y)`, and modes that are
independent from datum to datum convolve its weight (`convolved_likelihood`, `truncated_flow`); for a squared loss they add to the
ridge, and with the correlations that data impose this is `ridge_flow`. ``measure``: :math:`r\int(f - y)^2 + u\int(f - y)^4` over the
measure of the data, as in a field theory, to one loop (`shell_recursion`). Both as flows of dimensionless couplings are
`dimensionless_flow`.

Cutoffs :math:`\Lambda` are mode numbers. Where a number :math:`\alpha` stands for a spectrum, it is :math:`\lambda_k = k^{-1-\alpha}`.
"""

from ._dimensionless import DimensionlessFlow, dimensionless_flow
from ._fixed_points import FixedPoint, fixed_points
from ._infrared import InfraredScale, infrared_scale
from ._integrated_modes import integrated_variance
from ._likelihood import ConvolvedLikelihood, convolved_likelihood
from ._ridge_flow import RidgeFlow, ridge_flow
from ._shells import ShellRecursion, shell_recursion
from ._truncation import TruncatedFlow, truncated_flow

__all__ = [
    "ConvolvedLikelihood",
    "DimensionlessFlow",
    "FixedPoint",
    "InfraredScale",
    "RidgeFlow",
    "ShellRecursion",
    "TruncatedFlow",
    "convolved_likelihood",
    "dimensionless_flow",
    "fixed_points",
    "infrared_scale",
    "integrated_variance",
    "ridge_flow",
    "shell_recursion",
    "truncated_flow",
]
