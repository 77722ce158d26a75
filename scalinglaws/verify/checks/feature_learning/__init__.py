"""Feature learning: its flow and exponents, training in steps, networks without projection, and networks on the circle."""

from . import circle, flow, network
from . import dmft as march

__all__ = ["circle", "flow", "march", "network"]
