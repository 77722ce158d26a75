"""The energy of the filters of a linear convolutional network, with its gradient: the readout is integrated out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._data import Reduced
from ._readout import Readout
from ._sampler import PLANTED

Array = NDArray[np.float64]


class Convolution:
    r"""Energy and mean readout of a linear convolutional network on a data set.

    Labels depend on the filters through :math:`\hat\Sigma = \frac1C \sum_c w_c w_c^\top` alone. In units of the prior,
    :math:`C\hat\Sigma = T T^\top` with a lower triangular T whose entries are independent under the prior (Bartlett): normal below
    the diagonal, and on it, in row i = 0, 1, ..., chi-distributed with C - i degrees of freedom. Positions are these entries,
    at most S (S + 1) / 2 of them where filters have C S. The sign of a column means nothing, so a diagonal entry may have either.

    Parameters
    ----------
    data : Reduced
        Inputs of shape (p, N S), patch by patch, in axes of which the first is the direction.
    patches, channels : int
        N and C.
    ridge, scale, weight_variance, readout_variance : float
        As for `sample_convolutional`.
    """

    def __init__(
        self,
        data: Reduced,
        patches: int,
        channels: int,
        *,
        ridge: float,
        scale: float,
        weight_variance: float,
        readout_variance: float,
    ) -> None:
        """Keep the data."""
        self.data, self.patches, self.channels = data, patches, channels
        patch_size = data.inputs.shape[1] // patches
        self.shape = (patch_size, min(patch_size, channels))
        self._rows = np.ascontiguousarray(data.inputs).reshape(-1, patch_size)
        self._entries = np.tril_indices(patch_size, m=self.shape[1])
        self._diagonal = np.flatnonzero(self._entries[0] == self._entries[1])
        self._freedom = channels - np.arange(self.shape[1], dtype=float)
        share = readout_variance * weight_variance / (patches * patch_size * channels)
        self._readout = Readout(data.labels, patches * self.shape[1], share, ridge, scale)

    def start(self, planted: bool, rng: np.random.Generator) -> Array:
        """Draw a position from the prior, filters along the direction enlarged if it is planted."""
        start: Array = rng.standard_normal(self._entries[0].size)
        start[self._diagonal] = np.sqrt(rng.chisquare(self._freedom))
        if planted:
            start[0] *= PLANTED
        return start

    def factor(self, position: Array) -> Array:
        """Return T."""
        found = np.zeros(self.shape)
        found[self._entries] = position
        return found

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return the energy and its gradient."""
        diagonal = position[self._diagonal]
        prior = 0.5 * float(position @ position)
        gradient = position.copy()
        if not math.isfinite(prior) or not np.all(diagonal):
            return math.inf, gradient
        prior -= float((self._freedom - 1) @ np.log(np.abs(diagonal)))
        gradient[self._diagonal] -= (self._freedom - 1) / diagonal
        if not self.data.labels.size:
            return prior, gradient
        factor = self.factor(position)
        energy, pull = self._readout.pull(self._features(factor), prior + self.data.constant)
        slope = self._rows.T @ pull.reshape(-1, self.shape[1])
        return energy, gradient + self._readout.share * slope[self._entries]

    def mean(self, position: Array) -> tuple[Array, Array, Array]:
        """Return the covariance of filters in units of the prior, the mean linear map, shape (N, S), and outputs on the points."""
        factor = self.factor(position)
        covariance = factor @ factor.T / self.channels
        if not self.data.labels.size:
            return covariance, np.zeros((self.patches, self.shape[0])), np.zeros(0)
        mean, fitted = self._readout.mean(self._features(factor))
        return (
            covariance,
            mean.reshape(self.patches, -1) @ factor.T,
            self.data.outputs(fitted),
        )

    def _features(self, factor: Array) -> Array:
        found: Array = (self._rows @ factor).reshape(self.data.labels.size, -1)
        return found
