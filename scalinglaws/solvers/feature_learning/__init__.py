r"""The linear random-feature model when features learn too: in the flow limit, and step by step.

The model :math:`f = \frac1N w \cdot A\psi` of the lazy solvers, with A trained as well; the richness :math:`\gamma` says how fast.
Features :math:`\psi` with variances :math:`\lambda_k`, targets :math:`y = w^*\cdot\psi`, for steps also with label noise. Losses
are :math:`E(f-y)^2` without a factor 1/2; the test loss leaves out the irreducible :math:`\sigma^2`, the train loss contains it.
`circle_flow` is the lazy reference of a network that is not linear, with its own loss.
"""

from ._circle import CircleFlow, circle_flow
from ._crossover import crossover_time
from ._descent import FeatureLearningDescent, gradient_descent, silver_steps
from ._flow import FeatureLearningFlow, gradient_flow, static_limit
from ._frontier import compute_frontier
from ._network import linear_network
from ._realization import RealizationFlow, realization_flow
from .dmft.online import OnlineDMFTSolution, online_dmft
from .dmft.solutions import MarchMatrices, ReuseDMFTSolution, reuse_dmft

__all__ = [
    "CircleFlow",
    "FeatureLearningDescent",
    "FeatureLearningFlow",
    "MarchMatrices",
    "OnlineDMFTSolution",
    "RealizationFlow",
    "ReuseDMFTSolution",
    "circle_flow",
    "compute_frontier",
    "crossover_time",
    "gradient_descent",
    "gradient_flow",
    "linear_network",
    "online_dmft",
    "realization_flow",
    "reuse_dmft",
    "silver_steps",
    "static_limit",
]
