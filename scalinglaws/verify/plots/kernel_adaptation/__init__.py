"""Pictures of kernels that adapt: laws of weights with their modes, and what is learned with and without adaptation."""

from ._learnability import learnability_curves
from ._weights import weight_marginal

__all__ = [
    "learnability_curves",
    "weight_marginal",
]
