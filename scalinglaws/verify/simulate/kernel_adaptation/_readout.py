"""A readout that is integrated out: the energy of the features it reads, and how it follows them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[np.float64]

_SMALL = 64  # rows up to which solving for the identity is no slower than inverting


class Readout:
    r"""Gaussian readout of F features, given labels: minus the logarithm of their density, with its gradient.

    .. math:: \frac\chi2 y^\top (Q + \kappa)^{-1} y + \frac12 \log\det(Q + \kappa), \qquad Q = s\, \Phi \Phi^\top

    The smaller of two matrices is inverted, P x P or, by Woodbury's identity, F x F.

    Parameters
    ----------
    labels : ndarray, shape (P,)
        P >= 1.
    features : int
        F.
    share : float
        Prior variance s of one readout weight, times the scale.
    ridge, scale : float
        As for `sample_posterior`.
    """

    def __init__(
        self, labels: Array, features: int, share: float, ridge: float, scale: float
    ) -> None:
        """Keep the labels."""
        self.labels, self.share, self.ridge, self.scale = labels, share, ridge, scale

    def pull(self, features: Array, prior: float) -> tuple[float, Array]:
        """Return the energy on top of the prior's, and its gradient in the features, shape (P, F), over the share."""
        mean, inverse, log_det, rest = self._solve(features)
        pull: Array = (
            features @ inverse if len(features) >= features.shape[1] else inverse @ features
        )
        pull -= np.multiply.outer(self.scale / self.share * rest, mean)
        return prior + 0.5 * self.scale * float(self.labels @ rest) + 0.5 * log_det, pull

    def mean(self, features: Array) -> tuple[Array, Array]:
        """Return the mean readout, and the mean network on the training points."""
        mean, _, _, rest = self._solve(features)
        return mean, self.labels - self.ridge * rest

    def draw(self, features: Array, mean: Array, noise: Array) -> Array:
        """Return a readout drawn around its mean."""
        # covariance share ridge / scale (ridge + share hidden.T hidden)^-1
        factor = _factor(self.share * (features.T @ features), self.ridge)
        spread = lapack.dtrtrs(factor, noise, lower=1, trans=1)[0]
        found: Array = mean + math.sqrt(self.share * self.ridge / self.scale) * spread
        return found

    def _solve(self, features: Array) -> tuple[Array, Array, float, Array]:
        """Return the mean readout, the inverse of the smaller matrix, the log determinant and the inverse of Q + ridge times y."""
        y, ridge, share = self.labels, self.ridge, self.share
        size, count = features.shape
        narrow = size >= count
        factor = _factor(
            share * (features.T @ features if narrow else features @ features.T), ridge
        )
        log_det = 2 * float(np.log(np.diagonal(factor)).sum())
        inverse = _inverse(factor)
        if narrow:
            mean = share * (inverse @ (features.T @ y))
            rest = (y - features @ mean) / ridge
            return mean, inverse, log_det + (size - count) * math.log(ridge), rest
        rest = inverse @ y
        return share * (features.T @ rest), inverse, log_det, rest


def _factor(matrix: Array, ridge: float) -> Any:
    """Return the lower Cholesky factor of a matrix plus a ridge; the matrix is lost."""
    matrix.flat[:: matrix.shape[0] + 1] += ridge
    factor, info = lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if info:  # not positive to double precision, or not a number
        factor = np.full(matrix.shape, np.nan, order="F")
    return factor


def _inverse(factor: Any) -> Array:
    """Return the inverse of a matrix of which the lower Cholesky factor is given."""
    if len(factor) <= _SMALL:
        solved: Array = lapack.dpotrs(factor, np.eye(len(factor)), lower=1)[0]
        return solved
    lower: Array = lapack.dpotri(factor, lower=1)[0]  # zero above the diagonal, as the factor is
    return lower + np.tril(lower, -1).T
