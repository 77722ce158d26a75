r"""Direct simulation of the random-feature model: draw features and samples, train, and look at the loss.

Features :math:`\psi` are Gaussian with variances :math:`\lambda_k`, labels are :math:`y = w^*\cdot\psi + \sigma\epsilon`, the
student is :math:`f = N^{-1/2}\, v\cdot A\psi` with an N x M Gaussian matrix A and a readout v that starts at zero. Nothing here
uses a formula of the theory: data are drawn, the student is fitted or trained, and the population loss
:math:`\sum_k \lambda_k e_k^2` of the error vector :math:`e = w^* - A^\top v/\sqrt N` is summed up.

Linear algebra runs on as many threads as the caller allows (``threadpoolctl.threadpool_limits(1)`` is best where many calls run
side by side); which random numbers a draw sees never depends on it.
"""

from ._descent import gradient_descent
from ._flow import gradient_flow
from ._records import SimulatedLosses
from ._sgd import online_sgd
from ._statics import population_projection, random_feature_ridge

__all__ = [
    "SimulatedLosses",
    "gradient_descent",
    "gradient_flow",
    "online_sgd",
    "population_projection",
    "random_feature_ridge",
]
