r"""Perceptrons trained on drawn data, and small networks trained on images of digits.

Inputs are drawn, a teacher labels them, and a student is fitted at a fixed norm, follows the gradient, has the largest stability, or
is drawn from all that make no error; networks are trained on the digits that come with scikit-learn. Nothing here uses a formula of
the theory. Linear algebra runs on as many threads as the caller allows.
"""

from ._digits import DigitsCurves, digits_curves
from ._fixed_norm import SimulatedPerceptrons, fixed_norm
from ._gradient_flow import SimulatedFlow, gradient_flow
from ._network import TrainedNetwork, train_network
from ._stability import SimulatedStability, max_stability
from ._version_space import SimulatedVersionSpace, version_space

__all__ = [
    "DigitsCurves",
    "SimulatedFlow",
    "SimulatedPerceptrons",
    "SimulatedStability",
    "SimulatedVersionSpace",
    "TrainedNetwork",
    "digits_curves",
    "fixed_norm",
    "gradient_flow",
    "max_stability",
    "train_network",
    "version_space",
]
