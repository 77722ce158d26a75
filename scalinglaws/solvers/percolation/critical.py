"""Critical exponents of percolation by dimension, and the exponents of losses that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, numbers, shaped, whole_numbers
from ...results import Result
from ..catalogue import shows

_UPPER = 6  # dimension from which on mean-field exponents hold
_KNOWN = {
    2: (91 / 48, 4 / 3),
    3: (2.52293, 0.87619),
    4: (3.0446, 1 / 1.461),
    5: (3.5260, 1 / 1.743),
}
"""Fractal dimension of clusters and exponent of the correlation length: exact in two dimensions, measured from three to five."""


@dataclass(frozen=True)
class Exponents(Result):
    r"""Exponents of percolation at the threshold, and of losses on its clusters.

    Attributes
    ----------
    dimension : float or ndarray
        d.
    smoothness : float or ndarray
        c.
    tau, sigma : float or ndarray
        Of cluster numbers, :math:`n_s \sim s^{-\tau}`, and of their cutoff, :math:`s_\xi \sim |p - p_c|^{-1/\sigma}`.
    D, nu : float or ndarray
        Fractal dimension of clusters, and exponent of the correlation length.
    alpha : float or ndarray
        Zipf excess of clusters drawn by a site, :math:`(3 - \tau)/(\tau - 2)`.
    beta : float or ndarray
        c/D, with which one cluster is learned.
    model : float or ndarray
        Of the loss against degrees of freedom, :math:`\min(\alpha, \beta)`.
    data : float or ndarray
        Of the loss against samples, :math:`\min(\alpha/(1 + \alpha), \beta)`.
    ratio : float or ndarray
        Of the latter over the former: how fast a model must grow with a dataset, n as P to this power, for both to matter.
    """

    dimension: Value
    smoothness: Value
    tau: Value
    sigma: Value
    D: Value
    nu: Value
    alpha: Value
    beta: Value
    model: Value
    data: Value
    ratio: Value


@shows("model", "data", "ratio", "alpha", "beta", "tau", "sigma", "D", "nu", counted=("dimension",))
def exponents(dimension: ArrayLike, *, smoothness: ArrayLike = 2.0) -> Exponents:
    r"""Compute the exponents of losses on percolation clusters from the dimension of their lattice.

    .. math:: \tau = 1 + \frac dD, \quad \sigma = \frac1{\nu D}, \quad \alpha = \frac{3-\tau}{\tau-2}, \quad \beta = \frac cD

    up to six dimensions; from six on :math:`\tau = 5/2`, :math:`\sigma = 1/2`, D = 4.

    Parameters
    ----------
    dimension : array_like
        d, whole numbers >= 2. All arguments broadcast.
    smoothness : array_like
        c >= 1: 2 for a piecewise constant approximation (nearest neighbor), 4 for a piecewise linear one.

    Returns
    -------
    Exponents
        All of them. Where two exponents of a minimum are equal, as at d = 6 for c = 2 and 4, a logarithm multiplies the power.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Exact in two dimensions and from six on. In between D and nu are measured: with errors of 1e-4 to 4e-4 of D and 1e-4 to 6e-3 of nu,
    which `theory.percolation.critical_exponents` carries along.

    References
    ----------
    .. [1] X. Xu, J. Wang, J.-P. Lv, Y. Deng, arXiv:1310.5399 (three dimensions).
    .. [2] Z. Zhang, P. Hou, S. Fang, H. Hu, Y. Deng, arXiv:2004.11289 (four and five).
    .. [3] D. Stauffer, A. Aharony, "Introduction to Percolation Theory" (1994) (exact values).

    Examples
    --------
    >>> exponents([2, 3, 6]).data.round(4)
    array([0.9451, 0.7927, 0.5   ])
    """
    shape, (d, c) = broadcast(
        {
            "dimension": whole_numbers("dimension", dimension, low=2),
            "smoothness": numbers("smoothness", smoothness, low=1.0),
        }
    )
    mean_field = d >= _UPPER
    fractal, nu = np.full(d.shape, 4.0), np.full(d.shape, 0.5)
    for known, (own, length) in _KNOWN.items():
        fractal[d == known], nu[d == known] = own, length
    tau = np.where(mean_field, 2.5, 1.0 + np.minimum(d, _UPPER) / fractal)
    sigma = np.where(mean_field, 0.5, 1.0 / (nu * fractal))
    alpha = np.where(mean_field, 1.0, (3.0 - tau) / (tau - 2.0))
    beta = c / fractal
    model, data = np.minimum(alpha, beta), np.minimum(alpha / (1.0 + alpha), beta)
    found = (
        d,
        c,
        tau,
        sigma,
        fractal,
        nu,
        alpha,
        beta,
        model,
        data,
        data / model,
    )
    return Exponents(*(shaped(column, shape) for column in found))
