"""Pictures of schedules: losses along them, the best cooldown, where the shape of a decay matters, frontiers of methods, and forecasts."""

from ._cooldown import cooldown_losses
from ._diagram import saturation_diagram
from ._forecast import schedule_forecast
from ._frontiers import compute_frontiers
from ._losses import schedule_losses

__all__ = [
    "compute_frontiers",
    "cooldown_losses",
    "saturation_diagram",
    "schedule_forecast",
    "schedule_losses",
]
