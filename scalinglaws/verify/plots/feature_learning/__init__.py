"""Pictures of feature learning: what it changes in training, and in the compute-optimal regimes."""

from ._curves import kernel_scale, loss_curves
from ._phases import phase_diagram

__all__ = ["kernel_scale", "loss_curves", "phase_diagram"]
