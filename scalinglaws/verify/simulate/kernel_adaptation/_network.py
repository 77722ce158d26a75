"""The energy of a network's hidden weights, with its gradient: the readout is integrated out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import erf

from ....solvers import _jit

Array = NDArray[np.float64]

_PER_UNIT = 128  # nodes of the table
_REACH = 6.0  # where the error function is one to double precision
_NODES = np.arange(int(_REACH * _PER_UNIT) + 2) / _PER_UNIT
_ERF, _SLOPE = erf(_NODES), 2 / math.sqrt(math.pi) * np.exp(-(_NODES**2))


@_jit.njit
def _erf_and_slope(z: Array, values: Array, heights: Array, per_unit: float, slope: Array) -> None:
    """Replace flat z by erf(z) and fill in its derivative, from Taylor series around the nodes of a table."""
    edge, step = (heights.size - 2) / per_unit, 1 / per_unit
    for i in range(z.size):
        x = min(abs(z[i]), edge)  # far out, the last node
        j = int(x * per_unit + 0.5)
        c = j * step
        d = x - c
        s, h = c * c, heights[j]
        # Hermite polynomials of the node
        two, three, four = 4 * s - 2, (12 - 8 * s) * c, (16 * s - 48) * s + 12
        slope[i] = h * (
            1 + d * (-2 * c + d * (two * (1 / 2) + d * (three * (1 / 6) + d * four * (1 / 24))))
        )
        height = values[j] + h * d * (
            1 + d * (-c + d * (two * (1 / 6) + d * (three * (1 / 24) + d * four * (1 / 120))))
        )
        z[i] = math.copysign(height, z[i])


def activate(z: Array, activation: str, slope: Array) -> None:
    """Replace pre-activations, in C order, by activations in place, and fill in their derivatives.

    The error function is good to 1e-15, its derivative to 1e-12.
    """
    if activation == "erf":
        _erf_and_slope(z.reshape(-1), _ERF, _SLOPE, float(_PER_UNIT), slope.reshape(-1))
    else:
        slope.fill(1.0)


class Network:
    """Energy and readout of a network of two layers on a data set.

    Parameters
    ----------
    inputs : ndarray, shape (P, d)
        Times the prior's standard deviation of a weight: positions are standard normal under the prior.
    labels : ndarray, shape (P,)
    neurons : int
        N.
    ridge, scale, readout_variance : float
        As for `sample_posterior`.
    activation : {"erf", "linear"}
    """

    def __init__(
        self,
        inputs: Array,
        labels: Array,
        neurons: int,
        *,
        ridge: float,
        scale: float,
        readout_variance: float,
        activation: str,
    ) -> None:
        """Keep the data, and space for activations."""
        self.inputs, self.labels = np.ascontiguousarray(inputs), labels
        self.shape = (neurons, inputs.shape[1])
        self.ridge, self.scale, self.share, self.activation = (
            ridge,
            scale,
            readout_variance / neurons,
            activation,
        )
        self._identity = np.eye(min(neurons, labels.size))
        self._hidden, self._slope = (
            np.empty((labels.size, neurons)),
            np.empty((labels.size, neurons)),
        )

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return the energy and its gradient."""
        prior = 0.5 * float(np.vdot(position, position))
        if not self.labels.size:
            return prior, position.copy()
        if not math.isfinite(prior):
            return math.inf, position
        mean, inverse, log_det = self._condition(position)
        hidden, rest = self._hidden, self._rest
        pull = hidden @ inverse if hidden.shape[0] >= hidden.shape[1] else inverse @ hidden
        pull -= np.multiply.outer(self.scale / self.share * rest, mean)
        pull *= self._slope
        energy = prior + 0.5 * self.scale * float(self.labels @ rest) + 0.5 * log_det
        return energy, position + self.share * (pull.T @ self.inputs)

    def readout(self, position: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return the readout's mean given the hidden weights, a draw of it, and the mean network on the training points."""
        count = self.shape[0]
        noise = rng.standard_normal(count)
        if not self.labels.size:
            return np.zeros(count), math.sqrt(self.share / self.scale) * noise, np.zeros(0)
        mean, _, _ = self._condition(position)
        # covariance share ridge / scale (ridge + share hidden.T hidden)^-1
        factor = _factor(self.share * (self._hidden.T @ self._hidden), self.ridge)
        spread = lapack.dtrtrs(factor, noise, lower=1, trans=1)[0]
        return (
            mean,
            mean + math.sqrt(self.share * self.ridge / self.scale) * spread,
            self.labels - self.ridge * self._rest,
        )

    def _condition(self, position: Array) -> tuple[Array, Array, float]:
        """Return the readout's mean, the inverse of the smaller of two matrices, and the log determinant of the labels' covariance.

        `_rest` becomes the inverse covariance times the labels.
        """
        hidden, y, ridge, share = self._hidden, self.labels, self.ridge, self.share
        np.matmul(self.inputs, position.T, out=hidden)
        activate(hidden, self.activation, self._slope)
        size, count = hidden.shape
        narrow = size >= count
        factor = _factor(share * (hidden.T @ hidden if narrow else hidden @ hidden.T), ridge)
        log_det = 2 * float(np.log(np.diagonal(factor)).sum())
        inverse = lapack.dpotrs(factor, self._identity, lower=1)[0]
        if narrow:
            mean = share * (inverse @ (hidden.T @ y))
            self._rest = (y - hidden @ mean) / ridge
            return mean, inverse, log_det + (size - count) * math.log(ridge)
        self._rest = inverse @ y
        return share * (hidden.T @ self._rest), inverse, log_det


def _factor(matrix: Array, ridge: float) -> Any:
    """Return the lower Cholesky factor of a matrix plus a ridge; the matrix is lost."""
    matrix.flat[:: matrix.shape[0] + 1] += ridge
    factor, info = lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if info:  # not positive to double precision, or not a number
        factor = np.full(matrix.shape, np.nan, order="F")
    return factor
