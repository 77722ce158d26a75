"""People's own measurements: capacity and source of their data, and what the theories predict for it."""

from ._coded_warnings import WARNINGS, CodedWarning, warning_table
from ._read_runs import example_runs, read_runs
from ._runs import Budgets, Runs
from .fits import Fit, fit, from_parameters

__all__ = [
    "WARNINGS",
    "Budgets",
    "CodedWarning",
    "Fit",
    "Runs",
    "example_runs",
    "fit",
    "from_parameters",
    "read_runs",
    "warning_table",
]
