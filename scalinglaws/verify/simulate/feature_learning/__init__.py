r"""Direct simulation of linear networks that learn features: draw them, train both layers, and look at the loss.

Inputs :math:`\psi` are Gaussian with variances :math:`\lambda_k`, the target is :math:`y = w^*\cdot\psi`, the student
:math:`f = \frac1N w\cdot A\psi` has a readout w that starts at zero, or small, and an N x M matrix A that starts at random. The
equations of motion of both are integrated in time as they stand, or iterated step by step: no conserved quantity, change of time
or average enters, so each of these can be put to the test. `rank_one_flow` trades this for length and size: a conserved quantity
leaves one vector to integrate, and what it finds agrees with `gradient_flow` draw by draw. `frozen_growth` trains networks whose
kernels grow as others would have made them. `circle_network` is no linear network: rectified linear units that learn a function
of an angle.
"""

from ._chain import chain_flow
from ._circle import circle_network
from ._flow import gradient_flow, kernel_spectrum
from ._layers import SimulatedLayers, layer_descent
from ._levels import frozen_growth
from ._network import network_flow
from ._noise import PairedTraining, opposite_noise
from ._perceptron import circle_perceptron
from ._rank_one import rank_one_flow
from ._records import KernelSpectrum, SimulatedCircle, SimulatedLevels, SimulatedTraining
from ._steps import gradient_descent, online_sgd

__all__ = [
    "KernelSpectrum",
    "PairedTraining",
    "SimulatedCircle",
    "SimulatedLayers",
    "SimulatedLevels",
    "SimulatedTraining",
    "chain_flow",
    "circle_network",
    "circle_perceptron",
    "frozen_growth",
    "gradient_descent",
    "gradient_flow",
    "kernel_spectrum",
    "layer_descent",
    "network_flow",
    "online_sgd",
    "opposite_noise",
    "rank_one_flow",
]
