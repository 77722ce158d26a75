r"""Feature learning in a solvable model: two layers trained together on Gaussian features.

Features :math:`\psi` with variances :math:`\lambda_k`, targets :math:`y = w^* \cdot \psi + \sigma\epsilon`, student
:math:`f = \frac1N w^T A\psi` with an iid standard normal N x M matrix A at the start. Losses are :math:`E(f-y)^2` without
a factor 1/2; the test loss leaves out the irreducible :math:`\sigma^2`, the train loss contains it.
"""

from ._march import MarchMatrices, OnlineDMFTSolution, ReuseDMFTSolution, online_dmft, reuse_dmft

__all__ = ["MarchMatrices", "OnlineDMFTSolution", "ReuseDMFTSolution", "online_dmft", "reuse_dmft"]
