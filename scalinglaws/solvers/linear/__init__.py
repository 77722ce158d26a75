r"""The lazy linear random-feature model, by deterministic equivalents: statics, training, building blocks.

Features :math:`\psi` with variances :math:`\lambda_k`, targets :math:`y = w^* \cdot \psi + \sigma\epsilon`, student
:math:`f = N^{-1/2}\, v \cdot A\psi` with an iid Gaussian N x M matrix A, P samples. Losses are :math:`E(f-y)^2` without
a factor 1/2; the test loss leaves out the irreducible :math:`\sigma^2`, the train loss contains it.

Features are taken to be Gaussian, or to act as if they were (universality). That is an assumption: kernel regression of
:math:`\sin\theta + \sin 2\theta` on the circle (`scalinglaws.solvers.kernels.circle_kernel`, q = 1) has a loss above this
theory's by factors of about 1.7, 7 and 10 in the mean over training sets of 5, 20 and 100 inputs, and of 1.4, 2.7 and 7 in the
median.
"""

from ._descent import GradientDescentSolution, gradient_descent
from ._flow import GradientFlowSolution, gradient_flow
from ._frontier import ComputeFrontier, LossSurface, compute_frontier, loss_surface
from ._inverse_loss import features_for_loss, samples_for_loss, time_for_loss
from ._learnability import DegreesOfFreedom, degrees_of_freedom, effective_ridge, learnability
from ._ridge import RidgeSolution, ridge
from ._sgd import OnlineSGDSolution, online_sgd
from ._stability import SGDStability, largest_eigenvalue, sgd_stability

__all__ = [
    "ComputeFrontier",
    "DegreesOfFreedom",
    "GradientDescentSolution",
    "GradientFlowSolution",
    "LossSurface",
    "OnlineSGDSolution",
    "RidgeSolution",
    "SGDStability",
    "compute_frontier",
    "degrees_of_freedom",
    "effective_ridge",
    "features_for_loss",
    "gradient_descent",
    "gradient_flow",
    "largest_eigenvalue",
    "learnability",
    "loss_surface",
    "online_sgd",
    "ridge",
    "samples_for_loss",
    "sgd_stability",
    "time_for_loss",
]
