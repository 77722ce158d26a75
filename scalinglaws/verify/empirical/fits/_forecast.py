"""Forecasts of losses: all laws of a fit, weighted, with the variances of the mean, of one run, and with drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ....arguments import afford, broadcast, choice, number, numbers
from ....errors import DataError, refusal, unknown_name
from ....results import Result
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
        The run's, and :math:`(s h)^2` for a drift s per decade; NaN for a fit that was not calibrated.
    horizon : ndarray, shape (m,)
        h, decades of compute beyond the largest fitted budget, 0 below it; NaN where nothing is known of either.
    """

    log_loss: Array
    mean_variance: Array
    run_variance: Array
    calibrated_variance: Array
    horizon: Array


@dataclass(frozen=True)
class LossPrediction(Result):
    """Predicted losses with an interval.

    Attributes
    ----------
    loss, low, high : ndarray
        Of the shape to which the columns broadcast; limits are NaN for published constants without a covariance.
    interval : str
        ``mean``: where the law lies, if it holds. ``run``: where a new run lies, if it holds. ``calibrated``: where a new run lies
        if the law drifts away from runs of more compute as it did before.
    level : float
        Nominal coverage.
    horizon : ndarray
        Decades of compute beyond the largest fitted budget, 0 below it; NaN where nothing is known of either.
    """

    loss: Array
    low: Array
    high: Array
    interval: str
    level: float
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
    own: dict[str, Fit] = {fit.law: fit, **fit.laws}
    if law is not None:
        name = law if law in own else fit_law(law).id
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
        Variables of the laws, > 0, which broadcast to m points in all; C may be added where it is not the cost of the fit's runs
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
    return _forecast(fit, _flat(fit, columns, law)[1], law)


def predict(
    fit: Fit,
    *,
    interval: str = "mean",
    level: float = 0.95,
    law: str | None = None,
    **columns: ArrayLike,
) -> LossPrediction:
    r"""Predict losses with their intervals :math:`\exp(f \pm z \sqrt v)`, normal in :math:`\ln L`.

    Parameters
    ----------
    fit : Fit
        Of one law, or of several with weights.
    interval : str
        ``mean``, ``run`` or ``calibrated``, by the variances of `forecast`.
    level : float
        Nominal coverage, between 0 and 1.
    law : str, optional
        One of the fit's laws instead of all.
    **columns : array_like
        Variables of the laws, for example ``N=7e10, D=1.4e12``; C may be added.

    Returns
    -------
    LossPrediction
        Of the shape to which the columns broadcast.

    Raises
    ------
    DataError
        If the interval is not known of published constants: they have no residuals and no runs.
    DomainError
        If an argument is not allowed.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import example_runs, fit
    >>> found = predict(fit("surface", example_runs("synthetic"), bootstrap=0), interval="run", N=1e10, D=3e11)
    >>> print(f"{found.loss:.3f}, 95 %: {found.low:.3f} to {found.high:.3f}")
    2.113, 95 %: 2.099 to 2.127
    """
    chosen = choice("interval", interval, INTERVALS)
    nominal = number("level", level, low=0, high=1, strict=True)
    if nominal == 1:
        raise refusal("level", level, "must be < 1")
    shape, flat = _flat(fit, columns, law)
    found = _forecast(fit, flat, law)
    variance = getattr(found, f"{chosen}_variance")
    if chosen != "mean" and np.isnan(variance).any():
        raise DataError(
            f"nothing is known of the {chosen} interval of {fit.law}: parameters from {fit.source or 'elsewhere'} have no residuals"
        )
    reach = ndtri(0.5 + 0.5 * nominal) * np.sqrt(variance)
    with np.errstate(over="ignore"):  # limits of what is hardly known may be infinite
        low, high = np.exp(found.log_loss - reach), np.exp(found.log_loss + reach)
    return LossPrediction(
        np.exp(found.log_loss).reshape(shape),
        low.reshape(shape),
        high.reshape(shape),
        chosen,
        nominal,
        found.horizon.reshape(shape),
    )


def _flat(
    fit: Fit, columns: Mapping[str, ArrayLike], law: str | None
) -> tuple[tuple[int, ...], dict[str, Array]]:
    """Check the columns; return the shape to which they broadcast, and flat ones."""
    laws = [other.model for _, other in members(fit, law).values()]
    needed = list(dict.fromkeys(name for one in laws for name in one.variables))
    for name in columns:
        if name not in (*needed, "C"):
            raise unknown_name("column", name, needed)
    for name in needed:
        if name not in columns:
            raise refusal(
                name, None, f"is missing: {fit.law} needs {', '.join(needed)}", shown=False
            )
    checked = {name: numbers(name, value, low=0, strict=True) for name, value in columns.items()}
    shape, arrays = broadcast(checked)
    return shape, dict(zip(checked, arrays, strict=True))


def _forecast(fit: Fit, columns: dict[str, Array], law: str | None) -> Forecast:
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
    drift = _drift(fit, None if law is None else next(iter(chosen)))
    return Forecast(mean, spread, run, run + (drift * horizon) ** 2, horizon)


def _horizon(fit: Fit, columns: Mapping[str, Array], points: int) -> Array:
    computes = log_compute(fit, columns) if len(fit) else None
    if computes is None:
        return np.full(points, np.nan)
    return np.maximum(computes - largest_fitted(fit), 0.0)


def _drift(fit: Fit, law: str | None) -> float:
    """Return the drift per decade of all laws or one, NaN where there is none."""
    if fit.calibration is None:
        return np.nan
    return float(fit.calibration.drift if law is None else fit.calibration.drift_of(law))
