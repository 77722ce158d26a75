"""Tasks with known capacity and source, kernel regression on a Gram matrix and labels, and kernels of networks that are drawn.

Features, weights and subsets are drawn, and samples are learned from exactly. Nothing here uses a formula of the theory. Linear
algebra runs on as many threads as the caller allows.
"""

from ._networks import SampledKernels, sampled_kernels
from ._regression import RegressionCurve, regression_curve
from ._task import SyntheticTask, draw_task

__all__ = [
    "RegressionCurve",
    "SampledKernels",
    "SyntheticTask",
    "draw_task",
    "regression_curve",
    "sampled_kernels",
]
