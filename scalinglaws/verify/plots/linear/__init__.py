"""Pictures of the lazy linear model: bottlenecks and training against simulation, compute-optimal phases and frontiers."""

from ._bottlenecks import Bottleneck, bottlenecks
from ._curves import loss_curves
from ._isoflop import isoflop
from ._phases import phase_diagram
from ._stopping import best_losses

__all__ = [
    "Bottleneck",
    "best_losses",
    "bottlenecks",
    "isoflop",
    "loss_curves",
    "phase_diagram",
]
