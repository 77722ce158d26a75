"""Forecasts of losses: all laws of a fit, weighted, with the variances of the mean, of one run, and with drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, broadcast, instance, numbers, text
from ....errors import refusal, unknown_name
from ....results import Result
from .._run_columns import letter_of, name_of
from ._budgets import largest_fitted, log_compute
from ._laws import fit_law
from ._record import Fit

Array = NDArray[np.float64]

INTERVALS = ("mean", "run", "calibrated")
"""Of the law's own value, of a new run, and of a new run with the drift that forecasts showed."""


@dataclass(frozen=True)
class Forecast(Result):
    r"""Logarithms of losses at points, and three variances of each.

    Attributes
    ----------
    log_loss : ndarray, shape (m,)
        :math:`f = \sum_k w_k f_k` over the laws, in :math:`\ln L`.
    mean_variance : ndarray, shape (m,)
        :math:`\sum_k w_k[v_k + (f_k - f)^2]` with :math:`v_k = J_k \mathrm{Cov}_k J_k^T`; NaN without a covariance.
    run_variance : ndarray, shape (m,)
        The same with the residual variance added to each :math:`v_k`; NaN without data.
    calibrated_variance : ndarray, shape (m,)
        The run's, and :math:`(s h)^2` for a drift s per decade; NaN for a fit without `calibration`.
    horizon : ndarray, shape (m,)
        h, decades of compute beyond the largest that was fitted, 0 below it; NaN where nothing is known of either.
    """

    log_loss: Array
    mean_variance: Array
    run_variance: Array
    calibrated_variance: Array
    horizon: Array


def members(fit: Fit, law: str | None = None) -> dict[str, tuple[float, Fit]]:
    """Return the laws of a forecast with their weights.

    Parameters
    ----------
    fit : Fit
        Possibly with other laws and weights.
    law : str, optional
        One of its laws, which then has the weight 1.

    Returns
    -------
    dict of str to (float, Fit)
        Weights sum to 1; a fit without `weights` is its own only member.

    Raises
    ------
    DomainError
        If it has no such law.
    """
    instance("fit", fit, Fit)
    own: dict[str, Fit] = {fit.law: fit, **fit.laws}
    if law is not None:
        name = law if text("law", law) in own else fit_law(law).id
        if name not in own:
            raise unknown_name("law", law, own)
        return {name: (1.0, own[name])}
    if not fit.weights:
        return {fit.law: (1.0, fit)}
    total = sum(fit.weights.values())
    return {name: (weight / total, own[name]) for name, weight in fit.weights.items() if weight > 0}


def forecast(fit: Fit, columns: Mapping[str, ArrayLike], *, law: str | None = None) -> Forecast:
    r"""Forecast losses at points.

    Parameters
    ----------
    fit : Fit
        Of one law, or of several with weights.
    columns : mapping of str to array_like
        Variables of the laws, > 0, by their letters or as tables of runs name them (params, tokens, unique_tokens), which broadcast to
        m points in all; C may be added where it is not the cost of the fit's runs
        times N D.
    law : str, optional
        One of the fit's laws instead of all.

    Returns
    -------
    Forecast
        Arrays of shape (m,).

    Raises
    ------
    DomainError
        If a column is missing, unknown or not positive, or the fit has no such law.

    Notes
    -----
    The residual variance is RSS/(n - p). A microsecond a point and law.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import from_parameters
    >>> found = forecast(from_parameters("besiroglu"), {"N": 7e10, "D": 1.4e12})
    >>> np.exp(found.log_loss).round(4)
    array([1.9739])
    """
    return forecast_at(fit, flat_columns(fit, columns, law)[1], law)


def flat_columns(
    fit: Fit, columns: Mapping[str, ArrayLike], law: str | None
) -> tuple[tuple[int, ...], dict[str, Array]]:
    """Check the columns; return the shape to which they broadcast, and flat ones."""
    laws = [other.model for _, other in members(fit, law).values()]
    needed = list(dict.fromkeys(name for one in laws for name in one.variables))
    instance("columns", columns, Mapping)
    typed: dict[str, str] = {}
    for name in columns:
        letter = name if name in needed else letter_of(text("columns", name))
        if letter not in (*needed, "C"):
            raise unknown_name("column", name, {*needed, *map(name_of, needed)})
        if letter in typed:
            raise refusal(name, columns[name], f"is given twice, as {typed[letter]} too")
        typed[letter] = name
    for name in needed:
        if name not in typed:
            by_name = [other for other in map(name_of, needed) if other not in needed]
            told = f" (or {', '.join(by_name)})" if by_name else ""
            raise refusal(
                name, None, f"is missing: {fit.law} needs {', '.join(needed)}{told}", shown=False
            )
    own = {name for one in laws for name in one.own}
    checked = {
        name: numbers(name, columns[name], low=0, strict=letter not in own)
        for letter, name in typed.items()
    }
    shape, arrays = broadcast(checked)
    return shape, dict(zip(typed, arrays, strict=True))


def forecast_at(fit: Fit, columns: dict[str, Array], law: str | None) -> Forecast:
    """Forecast at columns that were checked."""
    chosen = members(fit, law)
    points = next(iter(columns.values())).size
    size = sum(len(one.names) for _, one in chosen.values())
    afford(points * (2 * size + 8), "the gradients at the points", "ask for fewer points at a time")
    weights, values, variances, noises = [], [], [], []
    for weight, one in chosen.values():
        logs = one.model.logarithms(columns)
        values.append(one.model.values(one.x, logs))
        if one.cov is None:
            variances.append(np.full(points, np.nan))
        else:
            jacobian = one.model.gradients(one.x, logs)
            spread = np.einsum("mi,ij,mj->m", jacobian, one.cov, jacobian)
            variances.append(np.maximum(spread, 0.0))
        noises.append(one.sigma**2)
        weights.append(weight)
    shares = np.array(weights)[:, None]
    log_losses = np.array(values)
    mean = np.sum(shares * log_losses, axis=0)
    spread = np.sum(shares * (np.array(variances) + (log_losses - mean) ** 2), axis=0)
    run = spread + np.sum(shares[:, 0] * np.array(noises))
    horizon = _horizon(fit, columns, points)
    drift = _drift(fit, list(chosen))
    return Forecast(mean, spread, run, run + (drift * horizon) ** 2, horizon)


def _horizon(fit: Fit, columns: Mapping[str, Array], points: int) -> Array:
    computes = log_compute(fit, columns) if len(fit) else None
    if computes is None:
        return np.full(points, np.nan)
    return np.maximum(computes - largest_fitted(fit), 0.0)


def _drift(fit: Fit, laws: list[str]) -> float:
    """Return the drift per decade of one law or of all, NaN where there is none."""
    calibration = fit.calibration
    if calibration is None:
        return np.nan
    return float(calibration.drift_of(laws[0]) if len(laws) == 1 else calibration.drift)
