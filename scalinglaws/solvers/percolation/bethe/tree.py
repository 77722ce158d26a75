r"""The loss of one critical cluster, learned from its nearest training site: :math:`h(u) = \log\cosh(2\sqrt u)/(2u)`."""

from __future__ import annotations

import math

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import numbers
from ... import _jit
from ...catalogue import shows

Array = NDArray[np.float64]

_NUMBERS = np.arange(1.0, 21.0)
# log cosh y = sum over n of c_n y^(2n)/2, from the product of cosh over its zeros
_COEFFICIENTS = tuple(
    (
        -2
        * (-1) ** _NUMBERS
        * (4**_NUMBERS - 1)
        * [float(mpmath.zeta(2 * n)) for n in range(1, 21)]
        / (_NUMBERS * np.pi ** (2 * _NUMBERS))
    ).tolist()
)
_SERIES = 0.6  # y below which the differences lose digits; the next term of the series is below 1e-16 there
_NEAR = 1.0  # y below which log cosh y is log(1 + 2 sinh(y/2)^2)
_LOG_2 = math.log(2)


@_jit.njit
def _log_cosh(y: float) -> float:
    if y < _NEAR:
        return math.log1p(2 * math.sinh(y / 2) ** 2)
    return y + math.log1p(math.exp(-2 * y)) - _LOG_2


@_jit.njit
def tree_loss(u: float) -> float:
    """Return h(u)."""
    y = 2 * math.sqrt(u)
    if y < _SERIES:
        total = 0.0
        for k in range(len(_COEFFICIENTS) - 1, -1, -1):
            total = total * y * y + _COEFFICIENTS[k]
        return total
    if u == math.inf:
        return 0.0
    return _log_cosh(y) / (2 * u)


@_jit.njit
def tree_slope(u: float) -> float:
    """Return -h'(u), positive and decreasing from 2/3."""
    y = 2 * math.sqrt(u)
    if y < _SERIES:
        total = 0.0
        for k in range(len(_COEFFICIENTS) - 1, 0, -1):
            total = total * y * y - 4 * k * _COEFFICIENTS[k]
        return total
    if u == math.inf:
        return 0.0
    return (8 * _log_cosh(y) / y - 4 * math.tanh(y)) / y**3


@_jit.njit
def _tree_losses(u: Array, out: Array) -> None:
    for i in range(u.size):
        out[i] = tree_loss(u[i])


@shows("loss")
def cluster_learning_curve(u: ArrayLike) -> float | Array:
    r"""Loss of a nearest-neighbor learner on one critical cluster, without a free parameter.

    .. math:: h(u) = \frac{\log\cosh(2\sqrt u)}{2u}, \qquad u = n/n_0, \quad n_0 = \frac{2s}{vV^2}

    for n training sites on a cluster of s sites, whose target varies by V, on a tree whose numbers of children vary by v.

    Parameters
    ----------
    u : array_like
        Training sites in units of :math:`n_0`, >= 0; may be inf.

    Returns
    -------
    float or ndarray
        Mean squared error over the variance of the target: 1 at u = 0, falling as :math:`u^{-1/2}`.

    Raises
    ------
    DomainError
        If a value is negative or not a number.

    Notes
    -----
    Accurate to rounding: h tends to 1 - 2u/3 and to :math:`u^{-1/2} - \log 2/(2u)`.

    References
    ----------
    Consequence of the exact law of distances to the nearest training site on an infinite critical tree; the setting is that of
    A. Brill, arXiv:2412.07942 (2024), section 4.

    Examples
    --------
    >>> round(cluster_learning_curve(1), 10)
    0.6625013737
    """
    values = numbers("u", u, low=0.0, infinite=True)
    out = np.empty(values.size)
    _tree_losses(values.ravel(), out)
    return out.reshape(values.shape) if values.ndim else float(out[0])
