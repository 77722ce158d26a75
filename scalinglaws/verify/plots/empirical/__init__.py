"""Pictures of measured tasks and of fits to runs."""

from ._fits import (
    compute_frontier,
    fit_residuals,
    fitted_losses,
    forecast_errors,
    isoflop_curves,
    parameter_profiles,
)
from ._tasks import learning_curve, spectrum_and_residual

__all__ = [
    "compute_frontier",
    "fit_residuals",
    "fitted_losses",
    "forecast_errors",
    "isoflop_curves",
    "learning_curve",
    "parameter_profiles",
    "spectrum_and_residual",
]
