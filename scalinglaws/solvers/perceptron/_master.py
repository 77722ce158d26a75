"""The curve on which all large numbers of samples fall together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, numbers, refuse_first, shaped
from ...results import Diagnostics, Result, Status, judged
from .._roots import brentq
from ..catalogue import shows
from . import _saddle
from ._logistic import most_stable

_LEAST, _MOST = 1e-12, 1e12
_ROUNDING = 1e-13


@shows("ratio", "scaled_norm", "scaled_error")
@dataclass(frozen=True)
class MasterCurve(Result):
    r"""Errors of the logistic perceptron for many samples, at norms in proportion to their number.

    Attributes
    ----------
    x : float or ndarray
        Norm over the optimal norm.
    ratio : float or ndarray
        :math:`\Phi(x)`, error over the error at the optimal norm; infinite at x = 0.
    scaled_norm : float or ndarray
        :math:`\lambda/\alpha`.
    scaled_error : float or ndarray
        :math:`\alpha\varepsilon`.
    slope : float or ndarray
        Local exponent :math:`d\ln\varepsilon/d\ln\lambda`, from -1/2 at small x to 0.
    width : float or ndarray
        :math:`b = \lambda s`, the norm in units of the width of cavity fields.
    diagnostics : Diagnostics
        Residual of the equations, steps, estimated relative error.
    """

    x: Value
    ratio: Value
    scaled_norm: Value
    scaled_error: Value
    slope: Value
    width: Value
    diagnostics: Diagnostics


def master_curve(x: ArrayLike) -> MasterCurve:
    r"""Compute the curve on which errors at many samples fall together.

    .. math:: \frac\varepsilon{\varepsilon_{opt}} = \Phi\Big(\frac\lambda{\lambda_{opt}}\Big)

    For :math:`\alpha \to \infty` at fixed :math:`\lambda/\alpha`, with :math:`u = \omega/s`, :math:`b = \lambda s` and
    :math:`\eta = c\,(1 - \tanh b(u + \eta))`, the constant c is fixed by

    .. math:: \int\varphi(u)\,\eta\,du = \int\Phi(u)\,\eta^2\,du \equiv \frac1a, \qquad
              \frac\lambda\alpha = \sqrt{\frac2\pi}\,\frac ba, \quad \alpha\varepsilon = \frac a{\sqrt{2\pi}} .

    Parameters
    ----------
    x : array_like
        Norm over the optimal norm, 0.8835851 :math:`\alpha`; from 1e-12 to 1e12, or the limits 0 and inf.

    Returns
    -------
    MasterCurve
        Ratio, and the scaled norm and error themselves.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If the equations are not solved; the result is attached.

    Notes
    -----
    The kernel of `fixed_norm` at infinitely many samples, 0.17 ms a point. :math:`\Phi(x) = 0.5331072\,x^{-1/2}` as x falls to
    0, and 1.132384 at infinity. At :math:`\alpha = 1000` errors are on the curve within 1e-4 for x from 0.1 to 10.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.

    Examples
    --------
    >>> master_curve([0.1, 1, 10, math.inf]).ratio.round(6)
    array([1.808226, 1.      , 1.104296, 1.132384])
    """
    given = numbers("x", x, low=0.0, infinite=True)
    finite = (given > 0) & np.isfinite(given)
    wrong = finite & ((given < _LEAST) | (given > _MOST))
    complaint = f"must lie between {_LEAST:g} and {_MOST:g}, or be 0 or inf for the limits"
    refuse_first("x", given, wrong, complaint)
    flat, chosen = np.array(given).ravel(), finite.ravel()
    best_norm, best_error = optimum()
    table = _solved(flat[chosen] * best_norm)
    columns = {name: np.zeros(flat.size) for name in ("scaled_error", "slope", "width")}
    tau = np.exp(table[:, _saddle.LOG_TAU])
    columns["scaled_error"][chosen] = 1 / (math.pi * tau)
    columns["slope"][chosen] = -table[:, _saddle.SLOPE]
    columns["width"][chosen] = flat[chosen] * best_norm / tau
    most, none = np.isinf(flat), flat == 0
    columns["scaled_error"][most] = _most_stable()
    columns["width"][most] = columns["scaled_error"][none] = math.inf
    columns["slope"][none] = -0.5
    columns["ratio"] = columns["scaled_error"] / best_error
    columns["ratio"][flat == 1] = 1.0
    worst = float(np.max(table[:, _saddle.SENSITIVITY], initial=0.0)) + _ROUNDING
    result = MasterCurve(
        x=shaped(flat, given.shape),
        scaled_norm=shaped(flat * best_norm, given.shape),
        **{name: shaped(column, given.shape) for name, column in columns.items()},
        diagnostics=Diagnostics(
            status=Status.CONVERGED if math.isfinite(worst) else Status.MAX_ITERATIONS,
            residual=float(np.max(table[:, _saddle.RESIDUAL], initial=0.0)),
            iterations=int(np.max(table[:, _saddle.STEPS], initial=0.0)),
            method="Newton in log tau and log delta_0, explicit proximal map",
            error_estimate=worst,
        ),
    )
    judged("master_curve", result, result.diagnostics)
    return result


def _solved(scaled_norm: Array) -> Array:
    table = np.full((scaled_norm.size, _saddle.COLUMNS), math.nan)
    _saddle.solve_points(np.ones(scaled_norm.size), scaled_norm, True, table)
    return table


@lru_cache(maxsize=1)
def optimum() -> tuple[float, float]:
    """Return the limits of the optimal norm over alpha, and of alpha times the error there."""

    def slope(log_norm: float) -> float:
        return float(_solved(np.array([math.exp(log_norm)]))[0, _saddle.SLOPE])

    norm = math.exp(brentq(slope, math.log(0.5), math.log(1.5), xtol=1e-14, rtol=1e-14))
    return norm, math.exp(-_solved(np.array([norm]))[0, _saddle.LOG_TAU]) / math.pi


def _most_stable() -> float:
    """Return the limit of alpha times the error of maximum stability."""
    large = 1e12
    return float(large * most_stable(np.array([large])).error[0])
