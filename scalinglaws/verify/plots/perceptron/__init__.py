"""Pictures of the perceptron at fixed norm, and of networks along their complexity."""

from ._curves import best_norm, collapse, error_curves
from ._margins import margin_histogram
from ._networks import complexity_curves, exponent_bars

__all__ = [
    "best_norm",
    "collapse",
    "complexity_curves",
    "error_curves",
    "exponent_bars",
    "margin_histogram",
]
