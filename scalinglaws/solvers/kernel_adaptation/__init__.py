r"""Networks whose kernel adapts to the data: self-consistent equations of Bayesian feature learning.

Last-layer weights have the prior :math:`a_c \sim N(0, \sigma_a^2/(N\chi))` and the likelihood the variance :math:`\kappa/\chi`, with the
scale :math:`\chi` (1: standard, N: mean-field). The readout is integrated out exactly; what is left is a kernel
:math:`Q = \frac{\sigma_a^2}{N} \sum_c \phi_c \phi_c^T` that depends on the hidden weights, and the mean predictor
:math:`\bar f = Q (Q + \kappa)^{-1} y`. At infinite width and fixed :math:`\chi` the kernel does not adapt.
"""

from ._alignment import SamplesForAlignment, samples_for_alignment, samples_for_cost
from ._exact_linear import ExactLinear, exact_two_layer_linear
from ._general import AdaptedKernels, adapt
from ._linear_cnn import LinearCNN, linear_cnn
from ._thresholds import TwoLayerThresholds, two_layer_thresholds
from ._two_layer import TwoLayer, two_layer

__all__ = [
    "AdaptedKernels",
    "ExactLinear",
    "LinearCNN",
    "SamplesForAlignment",
    "TwoLayer",
    "TwoLayerThresholds",
    "adapt",
    "exact_two_layer_linear",
    "linear_cnn",
    "samples_for_alignment",
    "samples_for_cost",
    "two_layer",
    "two_layer_thresholds",
]
