"""The best norm, and the norm that a penalty on the weights picks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, choice, numbers, refuse_first, shaped
from ...errors import DomainError
from ...results import Diagnostics, Result, Status, judged
from .._roots import brentq, brentq_steps
from ..catalogue import shows
from . import _generic, _saddle
from ._fixed_norm import FixedNormSolution, Loss, result_of, solve_points
from ._limits import max_stability
from ._losses import HINGE, LOGISTIC, SQUARE, ConvexLoss, named
from ._points import LEAST_NORM, MOST, MOST_NORM, Points, generalization_error, samples
from ._square import largest_norm

_FEWEST = 1e-3  # samples below which the optimum is too flat to be located
_ROUNDING = 1e-13
_SLOPE_ROUNDING = 1e-14  # of the derivative of log tau, where it vanishes
_EXPANSIONS = 200


@shows("norm", "error")
@dataclass(frozen=True)
class OptimalNorm(Result):
    r"""The norm at which the logistic perceptron generalizes best.

    Attributes
    ----------
    alpha : float or ndarray
        Samples per input dimension.
    norm : float or ndarray
        :math:`\lambda_{opt}`.
    error : float or ndarray
        Generalization error there.
    norm_error_estimate : float or ndarray
        Estimated relative error of `norm`: the minimum is flat, so it is larger than that of `error`.
    diagnostics : Diagnostics
        Residual of the equations, steps of the search, estimated relative error of `error`.
    """

    alpha: Value
    norm: Value
    error: Value
    norm_error_estimate: Value
    diagnostics: Diagnostics


def optimal_norm(alpha: ArrayLike) -> OptimalNorm:
    r"""Find the norm at which the logistic perceptron generalizes best.

    The root of :math:`d\ln\varepsilon/d\ln\lambda` along the curve of `fixed_norm`.

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-3 to 1e12: with fewer, errors differ by less than rounding.

    Returns
    -------
    OptimalNorm
        Norm and error.

    Raises
    ------
    DomainError
        If a number of samples is out of range.
    ConvergenceError
        If the equations are not solved; the result is attached.

    Notes
    -----
    Brent's method on the exact derivative, some 2 ms a point. For many samples :math:`\lambda_{opt} = 0.8835851\,\alpha` and
    :math:`\alpha\varepsilon = 0.4419779`, 0.06 percent above the smallest error that any learner can have; for few,
    :math:`\lambda_{opt} = 0.9956\sqrt\alpha`.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.

    Examples
    --------
    >>> found = optimal_norm([1, 10, 100])
    >>> found.norm.round(6), found.error.round(9)
    (array([ 1.185835,  8.897902, 88.364824]), array([0.25440446, 0.04359942, 0.00441916]))
    """
    checked = samples(alpha)
    few = f"must lie between {_FEWEST:g} and {MOST:g}"
    refuse_first("alpha", checked, checked < _FEWEST, few)
    flat = np.array(checked).ravel()
    rows = [_optimum(float(each)) for each in flat]
    norm, log_tau, estimate, residual, steps, sensitivity = np.array(rows).reshape(-1, 6).T
    worst = float(np.max(sensitivity, initial=0.0)) + _ROUNDING
    result = OptimalNorm(
        alpha=shaped(flat, checked.shape),
        norm=shaped(norm, checked.shape),
        error=shaped(generalization_error(np.exp(log_tau)), checked.shape),
        norm_error_estimate=shaped(estimate, checked.shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED if math.isfinite(worst) else Status.MAX_ITERATIONS,
            residual=float(np.max(residual, initial=0.0)),
            iterations=int(np.max(steps, initial=0.0)),
            method="Brent's method on the derivative of the error",
            error_estimate=worst,
        ),
    )
    judged("optimal_norm", result, result.diagnostics)
    return result


def _optimum(alpha: float) -> tuple[float, ...]:
    row, sums = np.empty(_saddle.COLUMNS), np.empty(_saddle.SUMS)

    def slope(log_norm: float) -> float:
        _saddle.solve_point(alpha, math.exp(log_norm), False, row, sums)
        return float(row[_saddle.SLOPE])

    guess = math.log(0.8836 * alpha + 0.9956 * math.sqrt(alpha) * math.exp(-alpha))
    low, high = guess + math.log(0.3), guess + math.log(3.0)
    for _ in range(_EXPANSIONS):
        if slope(low) > 0:
            break
        low -= 1.0
    for _ in range(_EXPANSIONS):
        if slope(high) < 0:
            break
        high += 1.0
    root, steps = brentq_steps(slope, low, high, xtol=1e-14, rtol=1e-14)
    apart = 1e-3
    curvature = (slope(root - apart) - slope(root + apart)) / (2 * apart)
    slope(root)
    return (
        math.exp(root),
        float(row[_saddle.LOG_TAU]),
        _ROUNDING + _SLOPE_ROUNDING / abs(curvature),
        float(row[_saddle.RESIDUAL]),
        float(steps),
        float(row[_saddle.SENSITIVITY]),
    )


@shows("norm", "error", "train_loss", "test_loss")
def ridge(
    alpha: ArrayLike, penalty: ArrayLike, loss: Loss = "logistic", *, on_failure: str = "raise"
) -> FixedNormSolution:
    r"""Solve the perceptron with a penalty on its weights: the curve of `fixed_norm`, in another parametrization.

    The student minimizes

    .. math:: \sum_\mu V(y^\mu\, w\cdot x^\mu/\sqrt N) + \frac\mu2 |w|^2

    over all w, whose norm :math:`\lambda = |w|/\sqrt N` is the one at which the multiplier of `fixed_norm` is :math:`\mu`.

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-9 to 1e12.
    penalty : array_like
        :math:`\mu > 0`; with the logistic loss also 0, its limit of infinite norm. Both broadcast.
    loss : {"logistic", "exponential", "hinge", "square"} or callable
        As in `fixed_norm`.
    on_failure : {"raise", "return"}
        What to do if the equations are not solved.

    Returns
    -------
    FixedNormSolution
        With the norm that was found.

    Raises
    ------
    DomainError
        If an argument is out of range, or the norm would be below 1e-12 or above 1e20.
    ConvergenceError
        If the equations are not solved; the result is attached.

    Notes
    -----
    The multiplier falls as the norm grows; Brent's method on its logarithm, with the logistic loss half as long again as `optimal_norm`.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.

    Examples
    --------
    >>> found = ridge(2, [0.01, 1])
    >>> found.norm.round(6), found.error.round(6)
    (array([3.361115, 0.671199]), array([0.176404, 0.187623]))
    """
    choice("on_failure", on_failure, ("raise", "return"))
    kind = named(loss)
    given = numbers("penalty", penalty, low=0.0, strict=kind is not LOGISTIC)
    shape, (a, mu) = broadcast({"alpha": samples(alpha), "penalty": given})
    found, norm = Points.unknown(a.size), np.full(a.size, math.nan)
    for i in range(a.size):
        norm[i] = _penalized(float(a[i]), float(mu[i]), kind, found, i)
    result = result_of(a, norm, shape, kind, found)
    judged("ridge", result, result.diagnostics, on_failure)
    return result


def _penalized(alpha: float, penalty: float, loss: ConvexLoss, found: Points, i: int) -> float:
    """Write the solution with a penalty into a row; return its norm."""
    one = np.array([alpha])
    if penalty == 0:
        _copy(solve_points(one, np.array([math.inf]), loss), found, i)
        return math.inf
    top = math.log(MOST_NORM)
    if loss is SQUARE:
        top = min(top, math.log(float(largest_norm(one)[0])))
    if loss is HINGE:
        top = -math.log(float(max_stability(alpha).stability))
    branch = None if loss in (LOGISTIC, SQUARE) else _generic.Branch(alpha, loss)

    def excess(log_norm: float) -> float:
        if branch is not None:
            point = branch.at(math.exp(log_norm))
            return math.nan if point is None else point.log_multiplier - math.log(penalty)
        points = solve_points(one, np.array([math.exp(log_norm)]), loss)
        log_x = points.log_response[0] + 2 * log_norm
        return float(math.log(points.free_share[0]) - log_x - math.log(penalty))

    root = _root(excess, top)
    if math.isnan(root):
        found.residual[i] = found.sensitivity[i] = math.inf
        return math.nan
    if branch is not None:
        point = branch.at(math.exp(root))
        assert point is not None
        _generic.record(found, i, point, loss)
    else:
        _copy(solve_points(one, np.array([math.exp(root)]), loss), found, i)
    return math.exp(root)


def _root(excess: Callable[[float], float], top: float) -> float:
    """Return where a falling function vanishes below `top`; NaN if a value is unknown."""
    low = high = min(0.0, top - 1.0)
    value = excess(low)
    if math.isnan(value):
        return math.nan
    bottom = math.log(LEAST_NORM)
    for _ in range(_EXPANSIONS):
        if value <= 0:  # the root lies below
            high, low = low, low - 1.0
            if low < bottom:
                raise DomainError(
                    f"the norm would be below {LEAST_NORM:g}; use a smaller penalty",
                    argument="penalty",
                )
            value = excess(low)
            if value >= 0:
                break
        else:
            low, high = high, min(high + 1.0, 0.5 * (high + top))
            if top - high < 1e-12:
                raise DomainError(
                    f"the norm would be within rounding of {math.exp(top):g}, or beyond; use a larger penalty",
                    argument="penalty",
                )
            if (upper := excess(high)) <= 0:
                break
            value = upper
        if math.isnan(value):
            return math.nan
    return float(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))


def _copy(source: Points, target: Points, i: int) -> None:
    for name, column in vars(source).items():
        getattr(target, name)[i] = column[0]
