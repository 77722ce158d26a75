"""Pictures of the lazy linear model: its bottlenecks against simulation, and its compute-optimal phases."""

from ._bottlenecks import Bottleneck, bottlenecks
from ._phases import phase_diagram

__all__ = ["Bottleneck", "bottlenecks", "phase_diagram"]
