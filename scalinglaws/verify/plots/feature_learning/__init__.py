"""Pictures of feature learning: what it changes in the compute-optimal regimes."""

from ._phases import phase_diagram

__all__ = ["phase_diagram"]
