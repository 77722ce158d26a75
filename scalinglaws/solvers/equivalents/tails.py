r"""What is left of a loss long after the slowest mode: inverted on a contour around that mode, not around 0.

A contour around all eigenvalues and 0 sums terms of the size of the start; a loss that has fallen by more than rounding
is lost in it. Between the floor, a pole at s = 0, and the lower edge :math:`x` of the eigenvalues nothing is singular. With
:math:`s = -x + z/T` every term carries the factor :math:`e^{-xT}`, and the floor is added as a residue.
"""

from __future__ import annotations

import math

import numpy as np

from .._blas import one_thread
from ..spectra import Modes
from .contour import cotangent
from .edges import lower_edge
from .inversion import CONTOUR, PAIR
from .kappa import ComplexArray
from .losses import ROUNDING, Loss, Losses
from .rates import SMALLEST
from .response import Resolved, pair_transform, resolve

LATE = 10.0
"""Logarithm by which the slowest mode must have fallen for the floor to lie outside its contour at doubled time."""

_GONE = 740.0  # logarithm by which nothing is left in floating-point numbers
_RESOLVED = (
    1e-11  # error, relative to the loss, with which the contour around everything is good enough
)
# near the edge kappa varies as a square root, which amplifies its rounding: both measured
_UNIT = 1.2 * CONTOUR.unit
_OVERLOOKED = 20 * CONTOUR.truncation
_NEAREST = 1e-30  # s of the residue at 0, relative to the edge


class Tail:
    """One spectrum and pair of sizes; a learning rate of 0 stands for gradient flow."""

    def __init__(
        self, modes: Modes, features: float, samples: float, learning_rate: float = 0.0
    ) -> None:
        self._modes, self._sizes, self._rate = modes, (features, samples), learning_rate
        edge = lower_edge(modes, features, samples)[1]
        self._edge = edge
        if learning_rate == 0:
            self.decay = edge
        else:  # after steps this long the slowest mode would overshoot
            self.decay = -math.log1p(-learning_rate * edge) if learning_rate * edge < 1 else 0.0

    def reaches(self, time: float, floor: float) -> bool:
        """Tell whether a time is late; without a floor nothing is singular at 0, and the contour may cross it."""
        return time * self.decay > (LATE if floor > 0 else 1.0)

    @one_thread
    def improved(self, losses: Losses, time: float, noise: float, floor: Loss) -> Losses:
        """Return losses with those replaced that the tail resolves better; `floor` is of the train loss."""
        test, train = losses.test, losses.train
        everything = self._modes.size <= min(self._sizes)
        if math.isinf(self._sizes[1]):
            if everything and is_poor(test):
                test = _better(test, self._one(time, 0.0, Loss(0.0, 0.0)))
                train = Loss(test.value + noise, test.error + ROUNDING * noise)
            return losses._replace(test=test, train=train)
        if is_poor(train):
            train = _better(train, self._one(time, noise, floor))
        # at the time itself the floor is only half as far from the contour
        if everything and is_poor(test) and (noise == 0 or time * self.decay > 2 * LATE):
            test = _better(test, self._two(time, noise))
        return losses._replace(test=test, train=train)

    def _one(self, time: float, noise: float, floor: Loss) -> Loss:
        """Return a loss that is a transform of one variable."""
        if 2 * time * self.decay > _GONE:
            return Loss(floor.value, floor.error + SMALLEST)
        at, weights, exponent = self._nodes(2 * time)
        left = self._modes.signal @ (at.kappa / (self._modes.eigenvalues[:, None] + at.kappa))
        terms = weights * at.r1 * (left + noise)
        value, size = 2 * float(np.sum(terms.real)), 2 * float(np.sum(np.abs(terms)))
        error = (_UNIT + 4 * ROUNDING * exponent) * size
        error += _OVERLOOKED * abs(value) + SMALLEST
        if not at.found:
            return Loss(math.nan, math.inf)
        return Loss(floor.value + max(value, 0.0), floor.error + error)

    def _two(self, time: float, noise: float) -> Loss:
        """Return the test loss where every mode is learned, whose floor is due to noise alone."""
        if noise == 0 and 2 * time * self.decay > _GONE:
            return Loss(0.0, SMALLEST)
        at, weights, exponent = self._nodes(time)
        if noise > 0:  # the pole at s = 0, once for the upper and once for the lower half plane
            zero = resolve(
                self._modes, *self._sizes, np.array([_NEAREST * self._edge], dtype=complex)
            )
            at, weights = zero.joined(at), np.concatenate([[0.5], weights])
        if not at.found:
            return Loss(math.nan, math.inf)
        difference, unlimited = pair_transform(self._modes, at, noise)
        both = np.concatenate([weights, weights.conj()])
        terms = weights[:, None] * (difference + unlimited) * both
        sizes = np.abs(weights[:, None]) * (np.abs(difference) + np.abs(unlimited)) * np.abs(both)
        value = 2 * float(np.sum(terms.real))
        unit = 4 * PAIR.unit + 4 * ROUNDING * exponent
        error = unit * 2 * float(np.sum(sizes)) + _OVERLOOKED * abs(value)
        return Loss(max(value, 0.0), error + SMALLEST)

    def _nodes(self, time: float) -> tuple[Resolved, ComplexArray, float]:
        """Return kappa at the nodes, weights over s, and the exponent."""
        z, w = cotangent()
        if self._rate == 0:
            s, exponent = np.asarray(z / time - self._edge, dtype=complex), self._edge * time
            factor = 1 / (time * s)
        else:
            lost = self._rate * self._edge
            step = np.asarray((1 - lost) * np.expm1(z / time) - lost, dtype=complex)
            s, exponent = step / self._rate, self.decay * time
            factor = (1 + step) / (time * step)
        # down the imaginary axis first, so that the path keeps off the eigenvalues
        path = np.concatenate([[1j * abs(s[0])], s])
        at = resolve(self._modes, *self._sizes, path, far=True).without_first()
        with np.errstate(under="ignore"):
            return at, np.asarray(w * factor * math.exp(-exponent)), exponent


def is_poor(loss: Loss) -> bool:
    """Tell whether a loss has fallen too far for the contour around everything."""
    return not loss.error < _RESOLVED * loss.value


def _better(one: Loss, two: Loss) -> Loss:
    return two if two.error < one.error else one
