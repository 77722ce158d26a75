"""Predicted losses with an interval, of the law, of a new run, or of a new run that drifts away from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ....arguments import choice, number
from ....errors import DataError, refusal
from ....results import Result
from .._coded_warnings import CodedWarning
from ._calibration import CODES, calibrate
from ._forecast import INTERVALS, flat_columns, forecast_at
from ._record import Fit

Array = NDArray[np.float64]

_EXACT = 1e-6  # decades that do not matter


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
        Decades of compute beyond the largest that was fitted, 0 below it; NaN where nothing is known of either.
    warnings : tuple of CodedWarning
        Points further out than forecasts were checked, and a drift that no forecast checked.
    """

    loss: Array
    low: Array
    high: Array
    interval: str
    level: float
    horizon: Array
    warnings: tuple[CodedWarning, ...] = ()


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
        ``mean``, ``run`` or ``calibrated``, by the variances of `forecast`. For the last, a fit of a single law that is not calibrated yet
        is, with the defaults of `Fit.calibrate`.
    level : float
        Nominal coverage, between 0 and 1.
    law : str, optional
        One of the fit's laws instead of all.
    **columns : array_like
        Variables of the laws, for example ``N=7e10, D=1.4e12``, or as tables of runs name them: ``params=7e10, tokens=1.4e12``,
        ``unique_tokens=``; C may be added.

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
    shape, flat = flat_columns(fit, columns, law)
    known = fit
    if chosen == "calibrated" and fit.calibration is None and len(fit):
        known = calibrate(fit)
        fit = replace(fit, calibration=known.calibration)
    found = forecast_at(fit, flat, law)
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
        _doubts(known, found.horizon, chosen),
    )


def _doubts(fit: Fit, horizon: Array, interval: str) -> tuple[CodedWarning, ...]:
    """Tell what is doubtful of a prediction: a drift that is not checked, or not as far."""
    checked = 0.0 if fit.calibration is None else fit.calibration.validated_horizon
    found = [one for one in fit.warnings if one.code in CODES and interval == "calibrated"]
    furthest = float(np.max(horizon, initial=0.0))  # NaN where nothing is known
    if furthest > checked + _EXACT:
        told = (
            f"forecasts were checked over {checked:.2g}"
            if checked
            else "no forecast of such runs was checked"
        )
        found.append(
            CodedWarning(
                "W-beyond-checked",
                f"{furthest:.2g} decades of compute above the largest that was fitted; {told}",
            )
        )
    return tuple(found)
