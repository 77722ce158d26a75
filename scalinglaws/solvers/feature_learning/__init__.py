r"""The linear random-feature model when features learn too, in the flow limit.

The model :math:`f = \frac1N w \cdot A\psi` of the lazy solvers, with A trained as well; the richness :math:`\gamma` says how fast.
Features :math:`\psi` with variances :math:`\lambda_k`, targets :math:`y = w^*\cdot\psi` without noise. Losses are
:math:`E(f-y)^2` without a factor 1/2. `circle_flow` is the lazy reference of a network that is not linear, with its own loss.
"""

from ._circle import CircleFlow, circle_flow
from ._crossover import crossover_time
from ._flow import FeatureLearningFlow, gradient_flow, static_limit
from ._frontier import compute_frontier
from ._network import linear_network
from ._realization import RealizationFlow, realization_flow

__all__ = [
    "CircleFlow",
    "FeatureLearningFlow",
    "RealizationFlow",
    "circle_flow",
    "compute_frontier",
    "crossover_time",
    "gradient_flow",
    "linear_network",
    "realization_flow",
    "static_limit",
]
