r"""The lazy linear random-feature model, by deterministic equivalents: statics, training, building blocks.

Features :math:`\psi` with variances :math:`\lambda_k`, targets :math:`y = w^* \cdot \psi + \sigma\epsilon`, student
:math:`f = N^{-1/2}\, v \cdot A\psi` with an iid Gaussian N x M matrix A, P samples. Losses are :math:`E(f-y)^2` without
a factor 1/2; the test loss leaves out the irreducible :math:`\sigma^2`, the train loss contains it.
"""

from ._blocks import DegreesOfFreedom, degrees_of_freedom, effective_ridge, learnability
from ._descent import GradientDescentSolution, gradient_descent
from ._edge import SGDStability, largest_eigenvalue, sgd_stability
from ._flow import GradientFlowSolution, gradient_flow
from ._sgd import OnlineSGDSolution, online_sgd
from ._statics import RidgeSolution, ridge

__all__ = [
    "DegreesOfFreedom",
    "GradientDescentSolution",
    "GradientFlowSolution",
    "OnlineSGDSolution",
    "RidgeSolution",
    "SGDStability",
    "degrees_of_freedom",
    "effective_ridge",
    "gradient_descent",
    "gradient_flow",
    "largest_eigenvalue",
    "learnability",
    "online_sgd",
    "ridge",
    "sgd_stability",
]
