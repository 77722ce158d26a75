"""Tasks with known capacity and source, and kernel regression on a Gram matrix and labels.

Gaussian features are drawn and samples are learned from exactly. Nothing here uses a formula of the theory. Linear algebra runs on as
many threads as the caller allows.
"""

from ._regression import RegressionCurve, regression_curve
from ._task import SyntheticTask, draw_task

__all__ = ["RegressionCurve", "SyntheticTask", "draw_task", "regression_curve"]
