"""Pictures of measured tasks and what kernels learn of them, of fits to runs, training curves, accuracies, recipes, and of runs to do."""

from ._accuracy import accuracy_in_two_steps
from ._curves import fitted_curves, predicted_curves
from ._design import design_plan
from ._fits import (
    compute_frontier,
    fit_residuals,
    fitted_losses,
    forecast_errors,
    isoflop_curves,
    parameter_profiles,
    repeated_tokens,
)
from ._learnability import task_learnability
from ._recipes import compute_multipliers
from ._tasks import learning_curve, spectrum_and_residual

__all__ = [
    "accuracy_in_two_steps",
    "compute_frontier",
    "compute_multipliers",
    "design_plan",
    "fit_residuals",
    "fitted_curves",
    "fitted_losses",
    "forecast_errors",
    "isoflop_curves",
    "learning_curve",
    "parameter_profiles",
    "predicted_curves",
    "repeated_tokens",
    "spectrum_and_residual",
    "task_learnability",
]
