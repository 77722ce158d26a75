"""The energy of the hidden weights of a network of three layers, with its gradient: the readout is integrated out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._data import Reduced
from ._network import activate
from ._readout import Readout
from ._sampler import PLANTED

Array = NDArray[np.float64]


class Layers:
    """Energy and readout of a network of two hidden layers on a data set.

    Positions are all hidden weights in units of the prior's standard deviations, in one row: those of the first layer, shape
    (N1, d), then those of the middle one, (N2, N1).

    Parameters
    ----------
    data : Reduced
        Inputs of shape (p, d), times the standard deviation of a weight of the first layer.
    neurons : pair of int
        N1 and N2.
    unit : float
        Prior standard deviation of a weight of the middle layer.
    ridge, scale, readout_variance : float
        As for `sample_deep`.
    activation : {"erf", "linear"}
    along : ndarray, shape (d,)
        Unit vector along which starts are planted.
    """

    def __init__(
        self,
        data: Reduced,
        neurons: tuple[int, int],
        unit: float,
        *,
        ridge: float,
        scale: float,
        readout_variance: float,
        activation: str,
        along: Array,
    ) -> None:
        """Keep the data, and space for activations."""
        self.data, self.unit, self.activation, self.along = data, unit, activation, along
        self.inputs = np.ascontiguousarray(data.inputs)
        first, middle = neurons
        self.shapes = ((first, self.inputs.shape[1]), (middle, first))
        self._cut = math.prod(self.shapes[0])
        self._readout = Readout(data.labels, middle, readout_variance / middle, ridge, scale)
        size = data.labels.size
        self._hidden = [np.empty((size, count)) for count in neurons]
        self._slopes = [np.empty((size, count)) for count in neurons]

    def split(self, position: Array) -> tuple[Array, Array]:
        """Return the weights of the two layers, in units of the prior."""
        return (
            position[: self._cut].reshape(self.shapes[0]),
            position[self._cut :].reshape(self.shapes[1]),
        )

    def start(self, planted: bool, rng: np.random.Generator) -> Array:
        """Draw a position from the prior, weights of the first layer along the direction enlarged if it is planted."""
        start: Array = rng.standard_normal(sum(map(math.prod, self.shapes)))
        if planted:
            first, _ = self.split(start)
            first += (PLANTED - 1) * np.multiply.outer(first @ self.along, self.along)
        return start

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return the energy and its gradient."""
        prior = 0.5 * float(position @ position)
        if not self.data.labels.size:
            return prior, position.copy()
        if not math.isfinite(prior):
            return math.inf, position
        top = self._activated(position)
        energy, pull = self._readout.pull(top, prior + self.data.constant)
        pull *= self._slopes[1]
        pull *= self.unit * self._readout.share
        gradient = position.copy()
        first, middle = self.split(gradient)
        _, weights = self.split(position)
        middle += pull.T @ self._hidden[0]
        back = pull @ weights
        back *= self._slopes[0]
        first += back.T @ self.inputs
        return energy, gradient

    def readout(self, position: Array) -> tuple[Array, Array]:
        """Return the readout's mean given the hidden weights, and the mean network on the training points."""
        if not self.data.labels.size:
            return np.zeros(self.shapes[1][0]), np.zeros(0)
        mean, fitted = self._readout.mean(self._activated(position))
        return mean, self.data.outputs(fitted)

    def _activated(self, position: Array) -> Array:
        return propagate(
            self.inputs,
            self.split(position),
            self.unit,
            self.activation,
            self._hidden,
            self._slopes,
        )


def propagate(
    inputs: Array,
    weights: tuple[Array, Array],
    unit: float,
    activation: str,
    hidden: list[Array],
    slopes: list[Array],
) -> Array:
    """Return activations of the middle layer; fill in those of both layers and their derivatives."""
    np.matmul(inputs, weights[0].T, out=hidden[0])
    activate(hidden[0], activation, slopes[0])
    np.matmul(hidden[0], unit * weights[1].T, out=hidden[1])
    activate(hidden[1], activation, slopes[1])
    return hidden[1]
