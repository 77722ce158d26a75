r"""How likely it is that features are learned by chance: large deviations of networks under their prior.

The cost of a pattern of feature learning is minus the logarithm of the probability that a network drawn from its prior shows
it. Here these probabilities are computed, without assuming a pattern: for a sum of cubes (`log_tail`, its rate `cube_rate`) and
for a two-layer network (`log_alignment`, its mean-field rate `alignment_rate`), next to the costs of the patterns themselves.
"""

from ._aligned_neurons import AlignedNeurons, aligned_neurons
from ._alignment import (
    AlignmentRate,
    alignment_rate,
)
from ._alignment_sampler import AlignmentProbability, log_alignment
from ._attention import attention_overlap
from ._costs import (
    Configuration,
    GaussianCost,
    SpecializedCost,
    gaussian_cost,
    optimize_configuration,
    specialized_cost,
)
from ._cubes import SPINODAL, TRANSITION, CubeRate, cube_rate
from ._tail import TailProbability, log_tail

__all__ = [
    "SPINODAL",
    "TRANSITION",
    "AlignedNeurons",
    "AlignmentProbability",
    "AlignmentRate",
    "Configuration",
    "CubeRate",
    "GaussianCost",
    "SpecializedCost",
    "TailProbability",
    "aligned_neurons",
    "alignment_rate",
    "attention_overlap",
    "cube_rate",
    "gaussian_cost",
    "log_alignment",
    "log_tail",
    "optimize_configuration",
    "specialized_cost",
]
