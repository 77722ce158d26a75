"""Learning curves without a norm: Hebb's rule, maximum stability, Gibbs learning, and the best that any learner can do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, shaped
from ...results import Diagnostics, Result, Status, judged
from ..catalogue import shows
from . import _max_stability
from ._points import generalization_error, overlap, samples
from ._saddle import MOST_STEPS

_ROUNDING = 1e-13
_FIELD, _SHARE = np.polynomial.hermite_e.hermegauss(120)
_SHARE = _SHARE / math.sqrt(2 * math.pi)


@shows("error", "overlap")
@dataclass(frozen=True)
class LearningCurve(Result):
    r"""Generalization of a perceptron against the number of samples.

    Attributes
    ----------
    alpha : float or ndarray
        Samples per input dimension.
    error : float or ndarray
        Generalization error :math:`\varepsilon = \arccos(R)/\pi`.
    overlap : float or ndarray
        R, cosine of the angle between student and teacher.
    diagnostics : Diagnostics
        Residual of the equation, steps, estimated relative error.
    """

    alpha: Value
    error: Value
    overlap: Value
    diagnostics: Diagnostics


@shows("error", "overlap", "stability")
@dataclass(frozen=True)
class MaxStability(Result):
    r"""The perceptron whose smallest margin is largest, the limit of infinite norm.

    Attributes
    ----------
    alpha : float or ndarray
        Samples per input dimension.
    error : float or ndarray
        Generalization error :math:`\varepsilon = \arccos(R)/\pi`.
    overlap : float or ndarray
        R, cosine of the angle between student and teacher.
    stability : float or ndarray
        :math:`\kappa`, the smallest margin of a training example.
    diagnostics : Diagnostics
        Residual of the equations, steps, estimated relative error.
    """

    alpha: Value
    error: Value
    overlap: Value
    stability: Value
    diagnostics: Diagnostics


def hebb(alpha: ArrayLike) -> LearningCurve:
    r"""Compute the error of Hebb's rule, the limit of small norm.

    .. math:: w \propto \sum_\mu y^\mu x^\mu, \qquad \varepsilon_0 = \frac1\pi \arctan\sqrt{\frac{\pi}{2\alpha}}

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-9 to 1e12.

    Returns
    -------
    LearningCurve
        Error and overlap.

    Raises
    ------
    DomainError
        If a number of samples is out of range.

    References
    ----------
    .. [1] A. Engel, C. Van den Broeck, *Statistical Mechanics of Learning*, sec. 1.4.

    Examples
    --------
    >>> print(f"{hebb(math.pi / 2).error:.12g}")
    0.25
    """
    checked = samples(alpha)
    found = np.array(checked).ravel()
    return _curve("hebb", found, checked.shape, np.sqrt(2 * found / math.pi), 0.0, 0, "closed form")


def max_stability(alpha: ArrayLike) -> MaxStability:
    r"""Solve the perceptron of maximum stability, the limit of infinite norm for every decreasing loss.

    With :math:`s^2 = 1 - R^2`, :math:`\tau = R/s` and :math:`p_\tau(\omega) = 2\varphi(\omega)\Phi(\tau\omega)`,

    .. math:: R = \alpha\sqrt{2/\pi}\,[\kappa\Phi(\kappa/s) + s\varphi(\kappa/s)], \qquad
              1 - R^2 = \alpha\int_{-\infty}^\kappa p_\tau(\omega)(\kappa - \omega)^2 d\omega .

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-9 to 1e12.

    Returns
    -------
    MaxStability
        Error, overlap and stability.

    Raises
    ------
    DomainError
        If a number of samples is out of range.
    ConvergenceError
        If the equations are not solved; the result is attached.

    Notes
    -----
    Newton's method in the logarithms of :math:`\tau` and :math:`\kappa`, some 20 microseconds a point. For many samples
    :math:`\alpha\varepsilon` tends to 0.5004889.

    References
    ----------
    .. [1] M. Opper, W. Kinzel, J. Kleinz, R. Nehl, "On the ability of the optimal perceptron to generalise", J. Phys. A 23
       (1990) L581.

    Examples
    --------
    >>> found = max_stability([2, 1000])
    >>> found.error.round(8), found.stability.round(8)
    (array([0.18847861, 0.00050049]), array([0.45457756, 0.00100446]))
    """
    checked = samples(alpha)
    flat = np.array(checked).ravel()
    columns = _max_stability.solve(flat).T
    tau = np.exp(columns[_max_stability.LOG_TAU])
    worst = float(np.max(columns[_max_stability.SENSITIVITY], initial=0.0)) + _ROUNDING
    steps = int(np.max(columns[_max_stability.STEPS], initial=0.0))
    result = MaxStability(
        alpha=shaped(flat, checked.shape),
        error=shaped(generalization_error(tau), checked.shape),
        overlap=shaped(overlap(tau), checked.shape),
        stability=shaped(np.exp(columns[_max_stability.LOG_KAPPA]), checked.shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED if steps < MOST_STEPS else Status.MAX_ITERATIONS,
            residual=float(np.max(columns[_max_stability.RESIDUAL], initial=0.0)),
            iterations=steps,
            method="Newton in log tau and log kappa",
            error_estimate=worst,
        ),
    )
    judged("max_stability", result, result.diagnostics)
    return result


def bayes(alpha: ArrayLike) -> LearningCurve:
    r"""Compute the smallest error that any learner can have.

    Of a student drawn from the posterior, the overlap q with the teacher solves

    .. math:: \frac q{\sqrt{1 - q}} = \alpha\sqrt{\frac2\pi} \int\!Dv\, \frac{\varphi(\sqrt q v)}{1 - \Phi(\sqrt q v)},

    and the center of the posterior has overlap :math:`\sqrt q`: :math:`\varepsilon = \arccos(\sqrt q)/\pi`.

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-9 to 1e12.

    Returns
    -------
    LearningCurve
        Error, and overlap :math:`\sqrt q`.

    Raises
    ------
    DomainError
        If a number of samples is out of range.
    ConvergenceError
        If the equation is not solved; the result is attached.

    Notes
    -----
    Newton's method in the logarithm of :math:`\sqrt{q/(1 - q)}`, which keeps its digits near q = 1, with 120 nodes of
    Gauss-Hermite quadrature. For many samples :math:`\alpha\varepsilon` tends to 0.4417000.

    References
    ----------
    .. [1] M. Opper, D. Haussler, "Generalization performance of Bayes optimal classification algorithm for learning a
       perceptron", Phys. Rev. Lett. 66 (1991) 2677.

    Examples
    --------
    >>> bayes([1, 10, 100]).error.round(9)
    array([0.25437297, 0.0435732 , 0.00441639])
    """
    checked = samples(alpha)
    flat = np.array(checked).ravel()
    a, residual, steps = _posterior(flat)
    return _curve("bayes", flat, checked.shape, a, residual, steps, _POSTERIOR)


def gibbs(alpha: ArrayLike) -> LearningCurve:
    r"""Compute the error of a student drawn at random from all that make no training error.

    :math:`\varepsilon = \arccos(q)/\pi`, with q as in `bayes`.

    Parameters
    ----------
    alpha : array_like
        Samples per input dimension, from 1e-9 to 1e12.

    Returns
    -------
    LearningCurve
        Error, and overlap q.

    Raises
    ------
    DomainError
        If a number of samples is out of range.
    ConvergenceError
        If the equation is not solved; the result is attached.

    Notes
    -----
    For many samples :math:`\alpha\varepsilon` tends to 0.6246582, the square root of 2 times that of `bayes`.

    References
    ----------
    .. [1] G. Gyorgyi, N. Tishby, "Statistical theory of learning a rule", in *Neural Networks and Spin Glasses* (1990).

    Examples
    --------
    >>> gibbs([1, 10, 100]).error.round(9)
    array([0.33835947, 0.06152527, 0.00624561])
    """
    checked = samples(alpha)
    flat = np.array(checked).ravel()
    a, residual, steps = _posterior(flat)
    # tan of the angle whose cosine is q = a^2/(1 + a^2): sqrt((1 - q)(1 + q)) / q, and 1 - q = 1/(1 + a^2)
    tau = a**2 / np.sqrt(1 + 2 * a**2)
    return _curve("gibbs", flat, checked.shape, tau, residual, steps, _POSTERIOR)


_POSTERIOR = "Newton in log sqrt(q/(1 - q)), 120 nodes of Gauss-Hermite"


def _posterior(alpha: Array) -> tuple[Array, float, int]:
    """Return sqrt(q/(1 - q)) of students drawn from the posterior."""
    from scipy.special import erfcx

    drive = np.log(alpha * math.sqrt(2 / math.pi))
    # at small q the integral is sqrt(2/pi), at q = 1 it is 0.9032
    log_a = np.log(alpha * 0.7206 + np.sqrt(2 / math.pi * alpha))
    worst, steps = math.inf, 0
    while steps < MOST_STEPS:
        a2 = np.exp(2 * log_a)
        root = np.sqrt(a2 / (1 + a2))
        x = root[:, None] * _FIELD
        hazard = math.sqrt(2 / math.pi) / erfcx(x / math.sqrt(2))
        mean = hazard @ _SHARE
        turned = (hazard * (hazard - x) * _FIELD) @ _SHARE  # d mean / d root
        excess = 2 * log_a - 0.5 * np.log1p(a2) - drive - np.log(mean)
        worst = float(np.max(np.abs(excess), initial=0.0))
        if worst < 1e-14 * (1 + float(np.max(np.abs(drive), initial=0.0))):
            break
        # d root / d log a = root / (1 + a^2)
        rise = 2 - a2 / (1 + a2) - turned / mean * root / (1 + a2)
        log_a = log_a - excess / rise
        steps += 1
    return np.exp(log_a), worst, steps


def _curve(
    name: str,
    alpha: Array,
    shape: tuple[int, ...],
    tau: Array,
    residual: float,
    steps: int,
    method: str,
) -> LearningCurve:
    result = LearningCurve(
        alpha=shaped(alpha, shape),
        error=shaped(generalization_error(tau), shape),
        overlap=shaped(overlap(tau), shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED if residual < 1e-10 else Status.MAX_ITERATIONS,
            residual=residual,
            iterations=steps,
            method=method,
            error_estimate=residual + _ROUNDING,
        ),
    )
    judged(name, result, result.diagnostics)
    return result
