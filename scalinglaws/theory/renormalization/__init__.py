r"""Integrating out the modes of a Gaussian process: what late modes do to the ridge and to the loss of those that are kept.

Eigenvalues are :math:`\lambda_k = k^{-(1+\alpha)}`; modes beyond :math:`\Lambda` are integrated. Three conventions differ in the loss:
a likelihood that each datum has for itself (``per_datum``), or the action
:math:`\frac12\sum f_k^2/\lambda_k + r\int(f-y)^2 + u\int(f-y)^4` over the measure, for eigenfunctions in general (``measure``) or for
those of a kernel that is invariant under translations (``conserving``).
"""

from .exponents import derive_no_wilson_fisher, derive_stable_exponents
from .flows import Flow, action_flow, likelihood_flow
from .ridge import IntegratedModes, derive_infrared, derive_ridge_flow
from .scaling import Zero, zeros

__all__ = [
    "Flow",
    "IntegratedModes",
    "Zero",
    "action_flow",
    "derive_infrared",
    "derive_no_wilson_fisher",
    "derive_ridge_flow",
    "derive_stable_exponents",
    "likelihood_flow",
    "zeros",
]
