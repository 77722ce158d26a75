"""Pictures of kernels that adapt: laws of weights with their modes, and what is learned with and without adaptation."""

from ._ladder import learnability_collapse
from ._learnability import learnability_curves
from ._weights import weight_marginal

__all__ = [
    "learnability_collapse",
    "learnability_curves",
    "weight_marginal",
]
