"""Pictures of feature learning: what it changes in training, in steps and in the limit, and in the compute-optimal regimes."""

from ._circle import circle_slopes
from ._curves import kernel_scale, loss_curves
from ._dmft import correlation_maps, dmft_curves
from ._phases import phase_diagram

__all__ = [
    "circle_slopes",
    "correlation_maps",
    "dmft_curves",
    "kernel_scale",
    "loss_curves",
    "phase_diagram",
]
