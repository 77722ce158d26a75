r"""The exact posterior mean of a linear network of two layers and any width."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import afford, number, whole
from ...errors import refusal
from ...results import Diagnostics, Result, Status, judged
from .._data import data_rows, data_values

Array = NDArray[np.float64]

_METHOD = "trapezoid in the logarithm of the readout's square, halved where the posterior is"
_REACH = 120.0  # of ln r around its prior mean's: one neuron's density falls by exp(-60) below
_FIRST = 2001  # points
_ENOUGH = 1500  # points where the density is
_HALVINGS = 60
_DEPTH = 50.0  # of the logarithm of the density, below its largest value
_LARGEST = 1e100
_SERIES = 1e4  # beyond, the next term of the series is below 1e-14


@dataclass(frozen=True)
class ExactLinear(Result):
    r"""Posterior of a linear network with one hidden layer.

    Attributes
    ----------
    mean : ndarray, shape (n,)
        :math:`\bar f` at the inputs.
    weights : ndarray, shape (d,)
        Mean of :math:`\theta`: at other inputs the mean is their product with it.
    log_evidence : float
        :math:`\log p(y)`.
    readout_square : float
        Mean of :math:`r = |a|^2`; under the prior it is :math:`\sigma_a^2/\chi`.
    width : int
    scale : float
    ridge : float
    readout_variance : float
    weight_variance : float
    diagnostics : Diagnostics
        `error_estimate` compares with every other point left out.
    """

    mean: Array
    weights: Array
    log_evidence: float
    readout_square: float
    width: int
    scale: float
    ridge: float
    readout_variance: float
    weight_variance: float
    diagnostics: Diagnostics


def exact_two_layer_linear(
    X: ArrayLike,
    y: ArrayLike,
    *,
    width: int,
    scale: float,
    ridge: float,
    readout_variance: float = 1.0,
    weight_variance: float = 1.0,
) -> ExactLinear:
    r"""Compute the posterior mean of a linear network of two layers on a data set, exactly at any width.

    :math:`f = X\theta`, :math:`\theta = \sum_c a_cw_c`, is Gaussian given :math:`r = |a|^2`, :math:`\theta|r \sim N(0, r\sigma_w^2/d)`, and
    under the prior :math:`r \sim \frac{\sigma_a^2}{N\chi}\chi^2_N`. With :math:`\frac{\sigma_w^2}dXX^T = V\lambda V^T`,
    :math:`\hat y = V^Ty`,

    .. math:: \bar f = E_{r|y}\Big[V\frac{r\lambda}{r\lambda + \kappa/\chi}\hat y\Big], \qquad
              p(r|y) \propto r^{N/2 - 1}e^{-rN\chi/2\sigma_a^2}
              \prod_i(r\lambda_i + \tfrac\kappa\chi)^{-1/2}e^{-\hat y_i^2/2(r\lambda_i + \kappa/\chi)}.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one in each row.
    y : array_like, shape (n,)
        Targets.
    width : int
        N >= 1, up to 1e9: neurons of the hidden layer.
    scale : float
        :math:`\chi > 0`, as in `adapt`: readouts have the variance :math:`\sigma_a^2/(N\chi)`, labels :math:`\kappa/\chi`.
    ridge : float
        :math:`\kappa > 0`.
    readout_variance, weight_variance : float
        :math:`\sigma_a^2` and :math:`\sigma_w^2`, > 0.

    Returns
    -------
    ExactLinear

    Raises
    ------
    DomainError
        If an argument is out of range or of a wrong shape.
    ResourceError
        If the memory budget does not hold a matrix of points and singular values.

    Warns
    -----
    AccuracyWarning
        If the integral over r may be wrong by more than 1e-8.

    Notes
    -----
    One singular value decomposition, then a trapezoid of some 2000 points in :math:`\ln r`, which halves the intervals where the
    posterior is until it resolves them: :math:`O(nd\min(n, d))`. Means are accurate to 1e-10 of the largest target.

    References
    ----------
    .. [1] Q. Li, H. Sompolinsky, "Statistical mechanics of deep linear neural networks", Physical Review X 11, 031059 (2021).
    .. [2] B. Hanin, A. Zlokapa, "Bayesian interpolation with deep linear networks", PNAS 120, e2301345120 (2023).

    Examples
    --------
    >>> X = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> found = exact_two_layer_linear(X, [1.0, 0.0, 1.0], width=20, scale=20.0, ridge=0.1)
    >>> print(found.mean.round(4), found.weights.round(4))
    [0.9324 0.032  0.9643] [0.9324 0.032 ]
    """
    from scipy.special import logsumexp

    inputs = data_rows("X", X)
    targets = data_values("y", y, len(inputs))
    width = whole("width", width, high=10**9)
    scale = number("scale", scale, low=0, strict=True)
    ridge = number("ridge", ridge, low=0, strict=True)
    readout_variance = number("readout_variance", readout_variance, low=0, strict=True)
    weight_variance = number("weight_variance", weight_variance, low=0, strict=True)
    afford(
        3.0 * inputs.size + 12.0 * min(inputs.shape) * (_FIRST + 2 * _ENOUGH),
        "the singular vectors of the inputs, and a matrix of points and singular values",
        "use fewer inputs",
    )
    left, values, right = np.linalg.svd(inputs, full_matrices=False)
    with np.errstate(all="ignore"):
        roots = values * math.sqrt(weight_variance / inputs.shape[1])
        # in units of the label's deviation and of the prior mean of r
        noise = ridge / scale
        unit = readout_variance / scale
        gains = roots * (unit / noise)
        powers = roots * gains
        along = left.T @ targets / math.sqrt(noise)
        outside = float(np.sum((targets - left @ (left.T @ targets)) ** 2)) / noise
        sizes = [float(np.max(powers)), float(np.sum(along**2)), outside, unit, 1 / noise]
    if not max(sizes) <= _LARGEST:
        complaint = (
            "is too small for these inputs and targets: their squares over ridge/scale exceed "
            f"{_LARGEST:g}"
        )
        raise refusal("ridge", ridge, complaint)

    def log_density(log_r: Array) -> Array:
        """Return the density of ln r, without what does not depend on it."""
        seen = 1 + np.exp(log_r)[:, None] * powers
        prior: Array = 0.5 * width * (log_r - np.expm1(log_r))
        data: Array = 0.5 * np.sum(np.log(seen) + along**2 / seen, axis=1)
        return prior - data

    log_r, logs = _resolved(log_density)
    steps = np.gradient(log_r)
    weights = np.exp(logs - logs.max()) * steps
    mean, theta, square = _averages(log_r, weights, powers, gains, along)
    coarse = slice(None, None, 2)
    rough, _, other = _averages(log_r[coarse], weights[coarse], powers, gains, along)
    size = max(float(np.max(np.abs(mean), initial=0.0)), 1e-300)
    error = max(
        float(np.max(np.abs(rough - mean), initial=0.0)) / size, abs(other - square) / square
    )
    evidence = (
        float(logsumexp(logs, b=steps))
        + _stirling(0.5 * width)
        - 0.5 * outside
        - 0.5 * len(targets) * math.log(2 * math.pi * noise)
    )
    status = Status.CONVERGED if error <= 1e-8 else Status.LOST_ACCURACY
    deviation = math.sqrt(noise)
    result = ExactLinear(
        mean=left @ mean * deviation,
        weights=right.T @ theta * (deviation * math.sqrt(weight_variance / inputs.shape[1])),
        log_evidence=evidence,
        readout_square=square * unit,
        width=width,
        scale=scale,
        ridge=ridge,
        readout_variance=readout_variance,
        weight_variance=weight_variance,
        diagnostics=Diagnostics(status, 0.0, len(log_r), _METHOD, error),
    )
    judged("exact_two_layer_linear", result, result.diagnostics)
    return result


def _resolved(log_density: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return points and logarithms of the density that resolve all places where it is."""
    points = np.linspace(-_REACH, _REACH, _FIRST)
    logs = log_density(points)
    for _ in range(_HALVINGS):
        # between neighbors, the logarithm may rise by about as much as it changes beside them
        change = np.abs(np.diff(logs))
        rise = np.zeros_like(logs)
        rise[1:] += change
        rise[:-1] += change
        there = logs + rise > logs.max() - _DEPTH
        cells = np.flatnonzero(there[1:] | there[:-1])
        if len(cells) >= _ENOUGH:
            break
        middle = 0.5 * (points[cells] + points[cells + 1])
        logs = np.insert(logs, cells + 1, log_density(middle))
        points = np.insert(points, cells + 1, middle)
    return points, logs


def _averages(
    log_r: Array, weights: Array, powers: Array, gains: Array, along: Array
) -> tuple[Array, Array, float]:
    """Return the means of the predictor, of the weights of the linear function, and of r, in their units."""
    r = np.exp(log_r)
    shares = weights / weights.sum()
    taken = (shares * r) @ (1 / (1 + r[:, None] * powers)) * along
    return powers * taken, gains * taken, float(shares @ r)


def _stirling(half: float) -> float:
    """Return x ln x - x - ln Gamma(x), which cancels at large x."""
    from scipy.special import gammaln

    if half > _SERIES:
        return 0.5 * math.log(half / (2 * math.pi)) - 1 / (12 * half)
    return half * math.log(half) - half - float(gammaln(half))
