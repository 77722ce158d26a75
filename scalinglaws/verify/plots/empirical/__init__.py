"""Pictures of measured tasks: spectrum and labels with their fits, the learning curve, and runs to do next."""

from ._design import design_plan
from ._tasks import learning_curve, spectrum_and_residual

__all__ = ["design_plan", "learning_curve", "spectrum_and_residual"]
