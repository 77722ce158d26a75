"""Pictures of measured tasks: spectrum and labels with their fits, and the learning curve."""

from ._tasks import learning_curve, spectrum_and_residual

__all__ = ["learning_curve", "spectrum_and_residual"]
