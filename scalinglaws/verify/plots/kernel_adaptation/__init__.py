"""Pictures of kernels that adapt: laws of weights, layers that specialize, and what is learned with and without adaptation."""

from ._ladder import learnability_collapse
from ._layers import layer_histograms
from ._learnability import learnability_curves
from ._weights import weight_marginal

__all__ = [
    "layer_histograms",
    "learnability_collapse",
    "learnability_curves",
    "weight_marginal",
]
