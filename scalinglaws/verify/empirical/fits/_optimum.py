"""The best model size and data for computes, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, instance, numbers
from ....results import Result
from ._forecast import forecast, members
from ._intervals import half_width, level_of, percentiles
from ._optimal_points import log_gradient_params, log_params
from ._record import Fit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Optimum(Result):
    """The best model size and data for computes, with intervals.

    Attributes
    ----------
    compute : ndarray, shape (m,)
        C, in FLOP.
    params, tokens, ratio : ndarray, shape (m,)
        Model size, training tokens, and tokens per parameter.
    params_low, params_high, tokens_low, tokens_high, ratio_low, ratio_high : ndarray, shape (m,)
        Their intervals: percentiles over resampled fits; from the covariance where there are none, and NaN without it. No drift is added.
    loss : ndarray, shape (m,)
        Forecast at that size and these data.
    loss_mean_low, loss_mean_high : ndarray, shape (m,)
        Interval of the law there.
    loss_run_low, loss_run_high : ndarray, shape (m,)
        Interval of a new run.
    loss_calibrated_low, loss_calibrated_high : ndarray, shape (m,)
        Interval of a new run, widened by the drift of past forecasts; NaN, as the others, for a fit of which it is not known.
    horizon : ndarray, shape (m,)
        Decades of compute beyond the largest budget that was fitted, at least 0.
    level : float
        Share that intervals cover.
    weights : dict of str to float
        Laws and their weights.
    """

    compute: Array
    params: Array
    params_low: Array
    params_high: Array
    tokens: Array
    tokens_low: Array
    tokens_high: Array
    ratio: Array
    ratio_low: Array
    ratio_high: Array
    loss: Array
    loss_mean_low: Array
    loss_mean_high: Array
    loss_run_low: Array
    loss_run_high: Array
    loss_calibrated_low: Array
    loss_calibrated_high: Array
    horizon: Array
    level: float
    weights: dict[str, float]

    def __len__(self) -> int:
        return int(self.compute.size)


def optimum(
    fit: Fit, compute: ArrayLike, *, level: float = 0.95, law: str | None = None
) -> Optimum:
    r"""Return the best model size and data for computes.

    Parameters
    ----------
    fit : Fit
        Of a law in N and D. Where laws are weighted, :math:`\ln N_{opt}` is the weighted mean over them, and its interval that of
        their samples together, each with its law's weight.
    compute : array_like, shape (m,)
        C in FLOP, > 0.
    level : float
        Share that intervals cover.
    law : str, optional
        The only law to use.

    Returns
    -------
    Optimum
        Arrays over compute.

    Raises
    ------
    DomainError
        If the law has no optimum: it is not in N and D, or falls or rises all the way along N D = const.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> best = optimum(empirical.from_parameters("besiroglu"), [5.76e23])
    >>> f"{best.params[0]:.4g} {best.tokens[0]:.4g} {best.loss[0]:.4f}"
    '7.225e+10 1.329e+12 1.9744'
    """
    instance("fit", fit, Fit)
    share = level_of(level)
    budget = np.atleast_1d(numbers("compute", compute, low=0, strict=True)).ravel()
    weighted = members(fit, law)
    centers, found, counted, deviations = [], [], [], []
    for weight, member in weighted.values():
        model = member.model
        centers.append(log_params(model, member.parameters, budget, member.cost))
        samples = member.samples
        afford(samples.shape[0] * budget.size, "optima of the resamples", "use fewer computes")
        if len(samples):
            columns = {name: values[:, None] for name, values in member.sample_parameters.items()}
            found.append(log_params(model, columns, budget, member.cost, inside=False))
            counted.append(np.full(len(samples), weight / len(samples)))
        deviations.append(_deviations(member, budget))
    weights = np.array([weight for weight, _ in weighted.values()])
    logs = np.array(centers)
    log_n = weights @ logs
    if len(found) == len(centers):
        low, high = percentiles(np.concatenate(found), share, np.concatenate(counted))
    else:
        spread = np.sqrt(weights @ (np.array(deviations) ** 2 + (logs - log_n) ** 2))
        width = half_width(share) * spread
        low, high = log_n - width, log_n + width
    log_nd = np.log(budget / fit.cost)
    params, tokens = np.exp(log_n), np.exp(log_nd - log_n)
    told = forecast(fit, {"N": params, "D": tokens}, law=law)
    half = half_width(share)

    def band(variance: Array) -> tuple[Array, Array]:
        reach = half * np.sqrt(variance)
        return np.exp(told.log_loss - reach), np.exp(told.log_loss + reach)

    mean, run, calibrated = map(
        band, (told.mean_variance, told.run_variance, told.calibrated_variance)
    )
    return Optimum(
        compute=budget,
        params=params,
        params_low=np.exp(low),
        params_high=np.exp(high),
        tokens=tokens,
        tokens_low=np.exp(log_nd - high),
        tokens_high=np.exp(log_nd - low),
        ratio=tokens / params,
        ratio_low=np.exp(log_nd - 2 * high),
        ratio_high=np.exp(log_nd - 2 * low),
        loss=np.exp(told.log_loss),
        loss_mean_low=mean[0],
        loss_mean_high=mean[1],
        loss_run_low=run[0],
        loss_run_high=run[1],
        loss_calibrated_low=calibrated[0],
        loss_calibrated_high=calibrated[1],
        horizon=told.horizon,
        level=share,
        weights={name: weight for name, (weight, _) in weighted.items()},
    )


def _deviations(fit: Fit, compute: Array) -> Array:
    """Return standard deviations of ln N_opt from the covariance, NaN where there is none."""
    if fit.cov is None:
        return np.full(compute.size, np.nan)
    slopes = log_gradient_params(fit.model, fit.parameters, compute, fit.cost)
    variance = np.einsum("mi,ij,mj->m", slopes, fit.cov, slopes)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
