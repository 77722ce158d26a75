"""The compute of what was fitted and of what is asked for, on which horizons are measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ....errors import DataError
from .._runs import CELL, Budgets, grouped_computes
from ._record import Fit

Array = NDArray[np.float64]


def log_compute(fit: Fit, columns: Mapping[str, Array]) -> Array | None:
    r"""Compute :math:`\log_{10} C` of points; None where their columns do not say it.

    C itself if it is among the columns, or else what the fit's runs cost for a parameter and token, times N D. Of a law in one
    variable it is the logarithm of that variable: C itself, or what alone varies in C.
    """
    variables = fit.model.variables
    if len(variables) == 1:
        return np.asarray(np.log10(columns[variables[0]]))
    if "C" in columns:
        return np.asarray(np.log10(columns["C"]))
    if "N" in columns and "D" in columns:
        return np.asarray(np.log10(fit.cost) + np.log10(columns["N"]) + np.log10(columns["D"]))
    return None


def fitted_log_compute(fit: Fit) -> Array:
    r"""Compute :math:`\log_{10} C` of the points that were fitted.

    Raises
    ------
    DataError
        If there are none, or nothing says what compute they took.
    """
    if not len(fit):
        raise DataError(f"the fit has no data: its parameters are from {fit.source}")
    columns = dict(fit.columns)
    if fit.runs is not None and len(fit.model.variables) > 1:
        columns["C"] = fit.runs.C
    found = log_compute(fit, columns)
    if found is None:
        raise DataError(
            f"{fit.law} is in {', '.join(fit.model.variables)}: nothing says what compute its points took"
        )
    return found


def fitted_budgets(fit: Fit) -> tuple[NDArray[np.int64], Array, Budgets]:
    r"""Put the points of a fit that count together by compute, as `Runs.budgets` does.

    Returns
    -------
    points : ndarray of int, shape (k,)
        Which points have a weight.
    logarithms : ndarray, shape (k,)
        Their :math:`\log_{10} C`.
    budgets : Budgets
        Of these.
    """
    logarithms = fitted_log_compute(fit)
    points = np.flatnonzero(fit.row_weights > 0)
    return points, logarithms[points], grouped_computes(logarithms[points])


def upper_ends(logarithms: Array, budgets: Budgets) -> Array:
    r"""Return where budgets end, in :math:`\log_{10} C`: their values, or the upper ends of cells where they lie on a grid."""
    if not budgets.on_grid:
        return budgets.log10_compute
    smallest = logarithms.min()
    cells = np.floor((budgets.log10_compute - smallest) / CELL + 1e-9)
    return np.asarray(smallest + CELL * (cells + 1))


def largest_fitted(fit: Fit) -> float:
    r"""Return the largest :math:`\log_{10} C` that was fitted, of the points that count."""
    return float(np.max(fitted_log_compute(fit)[fit.row_weights > 0]))
