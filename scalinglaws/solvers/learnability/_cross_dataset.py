"""What one data set teaches about functions that are orthogonal under another measure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, number, numbers, refuse_first, shaped, whole
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from .._data import GRAM_ROWS, data_values
from .._samples import SMALLEST_EIGENVALUE, gram_modes, square_gram
from ..catalogue import shows

_ROUNDING = 4e-16


@dataclass(frozen=True)
class CrossDatasetBound(Result):
    r"""Projections of a mean predictor on functions of another measure, and bounds of them.

    Fields are floats for one function, arrays of shape (m,) for several.

    Attributes
    ----------
    eigenvalue : float or ndarray
        :math:`\lambda_k` under the other measure.
    ridge : float
        :math:`\sigma^2`.
    projection : float or ndarray
        :math:`\langle\bar f, \psi_k\rangle_q`.
    bound, simple_bound : float or ndarray
        Of its size; the simple one knows the lengths of the vectors only.
    learnability : float or ndarray
        The projection if the target were the function itself.
    learnability_bound : float or ndarray
        Of this learnability.
    diagnostics : Diagnostics
        Estimated relative error.
    """

    eigenvalue: Value
    ridge: float
    projection: Value
    bound: Value
    simple_bound: Value
    learnability: Value
    learnability_bound: Value
    diagnostics: Diagnostics


def cross_dataset_bound(
    features: ArrayLike,
    gram: ArrayLike,
    targets: ArrayLike,
    *,
    eigenvalue: ArrayLike,
    ridge: float,
) -> CrossDatasetBound:
    r"""Bound what kernel regression on any data set learns of functions that diagonalize the kernel under another measure.

    Let :math:`K = \sum_k \lambda_k \psi_k \psi_k` under an auxiliary measure q, such as the uniform one on a sphere, whatever the
    distribution of the data D, on which :math:`\psi` is the vector of the values :math:`\psi_k(x_\mu)`. Then, with
    :math:`M = [K(D, D) + \sigma^2]^{-1}`,

    .. math:: \langle \bar f, \psi_k\rangle_q = \lambda_k\, \psi^T M y, \qquad
              |\langle \bar f, \psi_k\rangle_q| \le \lambda_k \sqrt{\psi^T M \psi\; y^T M y}
              \le \lambda_k\,\frac{|\psi||y|}{\sigma^2},

    and for the target :math:`y = \psi_k`, because :math:`K(D, D) \succeq \lambda_k \psi\psi^T`,

    .. math:: \mathcal L_k = \lambda_k\,\psi^T M \psi \le \frac{\lambda_k s}{\sigma^2 + \lambda_k s}, \qquad
              s = \sum_\mu \psi_k(x_\mu)^2 .

    Parameters
    ----------
    features : array_like, shape (n,) or (n, m)
        Values of one function on the data, or of several, one in each column.
    gram : array_like, shape (n, n)
        K(D, D), symmetric and positive semidefinite.
    targets : array_like, shape (n,)
        :math:`y_\mu`.
    eigenvalue : array_like, shape () or (m,)
        :math:`\lambda_k > 0`, one for all functions or one each.
    ridge : float
        :math:`\sigma^2 > 0`, added to the Gram matrix with no 1/P.

    Returns
    -------
    CrossDatasetBound
        Exact projections and their bounds.

    Raises
    ------
    DomainError
        If an argument is out of range, or shapes do not fit.
    ResourceError
        If the decomposition does not fit into the memory budget.

    Warns
    -----
    AccuracyWarning
        If the ridge is so small that the rounding of the matrix's entries matters.

    Notes
    -----
    The bounds hold for every data set on whose points the expansion holds: a continuous kernel, and data in the support of q. They
    are no bounds where :math:`\lambda_k` is not the kernel's eigenvalue of :math:`\psi_k`, which is not checked. One decomposition,
    :math:`O(n^3)`, about a second at n = 1000 on a busy core.

    References
    ----------
    .. [1] I. Lavie, Z. Ringel, "Demystifying spectral bias on real-world data", arXiv:2406.02663.

    Examples
    --------
    The linear kernel in three dimensions, for inputs that lie nearly in a plane; q is the standard normal distribution.

    >>> x = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, -0.1], [1.0, 1.0, 0.0]])
    >>> found = cross_dataset_bound(x, x @ x.T / 3, x @ [1.0, 1.0, 1.0], eigenvalue=1 / 3, ridge=0.1)
    >>> found.projection.round(4), found.learnability.round(4), found.learnability_bound.round(4)
    (array([0.9848, 0.8333, 0.0152]), array([0.8333, 0.8333, 0.0152]), array([0.8696, 0.8696, 0.0625]))
    """
    k = square_gram(gram)
    n = len(k)
    psi = data_values("features", features, n, of=GRAM_ROWS, what="value", columns=True)
    y = data_values("targets", targets, n, of=GRAM_ROWS)
    own = numbers("eigenvalue", eigenvalue, low=SMALLEST_EIGENVALUE, strict=True)
    if own.shape not in ((), psi.shape[1:]):
        complaint = (
            f"must be one number, or one for each function, {psi.shape[1:]}; got shape {own.shape}"
        )
        raise refusal("eigenvalue", eigenvalue, complaint, shown=False)
    variance = number("ridge", ridge, low=SMALLEST_EIGENVALUE, strict=True)

    shape, psi = psi.shape[1:], psi.reshape(n, -1)
    values = np.broadcast_to(own, shape).ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = [np.sum(psi**2), np.sum(y**2), np.linalg.norm(psi) * np.linalg.norm(y)]
        ends = np.max(values, initial=1.0) * max(sizes, default=0.0) / min(variance, 1.0)
    if not ends < math.inf:
        complaint = "are so large that bounds leave the range of floating-point numbers; scale features, targets or the ridge"
        raise refusal("features", None, complaint, shown=False)
    largest, spectrum, vectors = gram_modes(k)
    resolvent = 1 / (np.maximum(spectrum, 0.0) * largest + variance)
    rotated, target = vectors.T @ psi, vectors.T @ y
    mixed = rotated.T @ (resolvent * target)
    each = np.einsum("ik,i,ik->k", rotated, resolvent, rotated)
    whole_target = float(target @ (resolvent * target))
    length = np.linalg.norm(psi, axis=0)
    power = values * length**2
    columns = {
        "eigenvalue": values,
        "projection": values * mixed,
        "bound": values * np.sqrt(each * whole_target),
        "simple_bound": values * length * float(np.linalg.norm(y)) / variance,
        "learnability": values * each,
        "learnability_bound": power / (variance + power),
    }
    error = _ROUNDING * n * largest * float(resolvent.max())
    result = CrossDatasetBound(
        ridge=variance,
        **{name: shaped(column, shape) for name, column in columns.items()},
        diagnostics=Diagnostics(
            Status.LOST_ACCURACY if error > PROMISED else Status.CONVERGED,
            0.0,
            1,
            "eigenvalues of the Gram matrix",
            error,
        ),
    )
    judged("cross_dataset_bound", result, result.diagnostics)
    return result


@shows("eigenvalue")
def arcsine_sphere_eigenvalue(dimension: ArrayLike, degree: int = 1) -> Value:
    r"""Compute an eigenvalue of the arcsine kernel under the uniform measure on a sphere.

    The kernel is that of a wide network of error functions, ``erf_nngp(X, depth=1, weight_variance=1)``, on the sphere
    :math:`|x|^2 = d`: :math:`K = \frac2\pi \arcsin\frac{2\tau}3` with the cosine :math:`\tau = x\cdot x'/d`. Spherical harmonics of
    one degree, such as :math:`\psi = u\cdot x` with :math:`|u| = 1` for the first, share the eigenvalue

    .. math:: \lambda_l = E_\tau\Big[P_l(\tau)\,\frac2\pi \arcsin\frac{2\tau}3\Big], \qquad
              p(\tau) \propto (1 - \tau^2)^{(d-3)/2},

    :math:`P_l` being the Gegenbauer polynomial with :math:`P_l(1) = 1`.

    Parameters
    ----------
    dimension : array_like
        d, whole, from 2 to 1e9.
    degree : int
        l, from 0 to 1000; even ones have the eigenvalue 0.

    Returns
    -------
    float or ndarray
        :math:`\lambda_l`; below 1e-308 it may be 0.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    A series of positive terms,
    :math:`E_\tau[P_l\tau^j] = \frac{j!\,\Gamma(d/2)}{2^j\,((j-l)/2)!\,\Gamma((j+l+d)/2)}`; accurate to 1e-12, 10 microseconds.

    References
    ----------
    .. [1] I. Lavie, Z. Ringel, "Demystifying spectral bias on real-world data", arXiv:2406.02663.

    Examples
    --------
    >>> round(arcsine_sphere_eigenvalue(64), 12)
    0.006654121484
    """
    d = numbers("dimension", dimension, low=2.0, high=1e9)
    refuse_first("dimension", d, d != np.floor(d), "must be a whole number")
    order = whole("degree", degree, low=0, high=1000)
    if order % 2 == 0:
        return shaped(np.zeros(d.size), d.shape)
    return shaped(np.array([_eigenvalue(each, order) for each in d.ravel().tolist()]), d.shape)


def _eigenvalue(d: float, order: int) -> float:
    """Sum the series of the arcsine, from its term of lowest order on."""
    # arcsin z = sum over odd j of z^j ((j-1)/2)-th of (2m)!/(4^m m!^2 (2m+1)); the first term in logarithms, ratios after it
    m = (order - 1) // 2
    log_first = (
        math.lgamma(2 * m + 1)
        - 2 * m * math.log(2)
        - 2 * math.lgamma(m + 1)
        - math.log(order)
        + order * math.log(2 / 3)
        + math.lgamma(order + 1)
        - order * math.log(2)
        - _log_rise(0.5 * d, order)
    )
    total, term, j = 0.0, 1.0, order
    while term > 1e-17 * total:
        total += term
        # of coefficients j^2/((j+1)(j+2)), of z^2 4/9, of moments (j+1)(j+2)/((j+2-l)(j+l+d))
        term *= j * j / ((j + 2 - order) * (j + order + d)) * (4 / 9)
        j += 2
    return 2 / math.pi * total * math.exp(log_first)


def _log_rise(x: float, count: int) -> float:
    """Return ln Gamma(x + count) - ln Gamma(x), as a product where both would cancel."""
    return math.fsum(math.log(x + i) for i in range(count))
