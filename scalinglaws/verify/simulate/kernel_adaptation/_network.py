"""The energy of the hidden weights of a network of two layers, with its gradient: the readout is integrated out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from ....solvers import _jit
from ._readout import Readout
from ._sampler import PLANTED

Array = NDArray[np.float64]

ACTIVATIONS = ("erf", "linear")
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


def component(degree: int, overlaps: Array, squared_weights: Array, activation: str) -> Array:
    r"""Return each neuron's coefficient on a normalized Hermite polynomial of one direction; inputs are standard normal.

    For the error function and odd k it is :math:`m^k G_k(q) / \sqrt{k!}` with
    :math:`G_k = \frac{2}{\sqrt\pi} (-2)^{(k-1)/2} (k-2)!!\, (1 + 2q)^{-k/2}`.

    Parameters
    ----------
    degree : int
        k, odd.
    overlaps, squared_weights : ndarray
        m and q.
    activation : {"erf", "linear"}

    Returns
    -------
    ndarray
        Of the shape of the overlaps.
    """
    if activation == "linear":
        return overlaps if degree == 1 else np.zeros_like(overlaps)
    found = 2 / math.sqrt(math.pi) * overlaps / np.sqrt(1 + 2 * squared_weights)
    for k in range(3, degree + 1, 2):
        found = found * overlaps**2 / (1 + 2 * squared_weights)
        found *= -2 * (k - 2) / math.sqrt(k * (k - 1))
    return found


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
    along : ndarray, shape (d,), optional
        Unit vector along which starts are planted.
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
        along: Array | None = None,
    ) -> None:
        """Keep the data, and space for activations."""
        self.inputs, self.labels = np.ascontiguousarray(inputs), labels
        self.shape, self.along = (neurons, inputs.shape[1]), along
        self.activation, self.prior_spread = (
            activation,
            math.sqrt(readout_variance / neurons / scale),
        )
        self._readout = Readout(labels, neurons, readout_variance / neurons, ridge, scale)
        self._hidden, self._slope = (
            np.empty((labels.size, neurons)),
            np.empty((labels.size, neurons)),
        )

    def start(self, planted: bool, rng: np.random.Generator) -> Array:
        """Draw a position from the prior, weights along the direction enlarged if it is planted."""
        start: Array = rng.standard_normal(self.shape)
        if planted and self.along is not None:
            start += (PLANTED - 1) * np.multiply.outer(start @ self.along, self.along)
        return start

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return the energy and its gradient."""
        prior = 0.5 * float(np.vdot(position, position))
        if not self.labels.size:
            return prior, position.copy()
        if not math.isfinite(prior):
            return math.inf, position
        energy, pull = self._readout.pull(self._activated(position), prior)
        pull *= self._slope
        return energy, position + self._readout.share * (pull.T @ self.inputs)

    def readout(self, position: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return the readout's mean given the hidden weights, a draw of it, and the mean network on the training points."""
        count = self.shape[0]
        noise = rng.standard_normal(count)
        if not self.labels.size:
            return np.zeros(count), self.prior_spread * noise, np.zeros(0)
        hidden = self._activated(position)
        mean, fitted = self._readout.mean(hidden)
        return mean, self._readout.draw(hidden, mean, noise), fitted

    def _activated(self, position: Array) -> Array:
        np.matmul(self.inputs, position.T, out=self._hidden)
        activate(self._hidden, self.activation, self._slope)
        return self._hidden
