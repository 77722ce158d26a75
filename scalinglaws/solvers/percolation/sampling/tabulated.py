r"""The expected loss of one cluster as a function of two numbers, tabulated once for all clusters and numbers of samples.

The loss of a cluster that is drawn with probability p in each of P samples is :math:`G(\mu, 1/P)` with :math:`\mu = pP`. In terms of the
loss F of Poisson counts

.. math:: G = \exp\Big(P\log\big(1 + \tfrac{\mu}{P}(e^{\partial} - 1)\big) - \mu (e^\partial - 1)\Big) F
            = F - \frac{\mu^2 F''}{2P} + \frac1{P^2}\Big(\frac{\mu^3 F'''}{3} + \frac{\mu^4 F''''}{8}\Big) + \dots:

where F is as smooth as a power of :math:`\mu`, all terms are as small as powers of 1/P, whatever :math:`\mu`. So G is a polynomial of
degree 3 in 1/P, with coefficients that are polynomials of degree 19 in :math:`\log\mu`, panel by panel. Tables rest on the sums and
expansions of `expectation`, and add less than 3e-14 of a loss to their errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.polynomial import Polynomial, chebyshev
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ..._jit import njit
from .expectation import (
    HARD,
    expansion_threshold,
    expected_losses,
    law_table,
    losses_at_means,
)

Array = NDArray[np.float64]

FEWEST, MOST = 1e4, 1e18
"""Numbers of samples between which tables serve."""
RAREST = 0.01
"""Smallest mean of a table."""

_STEEPEST = 2.0  # exponent up to which losses are not far below 1 where clusters are missed
_LEAST_DROP = 0.05  # scale^exponent above which they are not either
_SCALES = (1e-4, 1e6)  # of trees
_MISSED = 64.0  # mean from which no cluster is missed: the loss is a sum of powers
_SHORT = 500  # clusters of a list for which no table is made
_WIDE = 3.0  # width of panels there
_ORDER = 20  # coefficients in log mu; the kernel takes them four by four
_POWERS = 4  # coefficients in 1/P


@short_repr
@by_value
@dataclass(frozen=True)
class LossTable:
    """One law.

    Attributes
    ----------
    coefficients : ndarray
        Shape (panels, powers of FEWEST/P, powers of the place in the panel, from -1 to 1).
    low, width, narrow : float, float, int
        Where the first panel starts, in log mu; the width of the narrow panels, and how many there are.
    slope : float
        Power of mu that wide panels leave out.
    """

    coefficients: Array
    low: float
    width: float
    narrow: int
    slope: float

    def total(self, logs: Array, shift: float, weights: Array) -> float:
        """Return the sum of weights times losses over clusters of probabilities exp(logs), for exp(shift) samples."""
        return self._total(logs, shift, weights, FEWEST * math.exp(-shift))

    def total_of_poisson(self, means: Array, weights: Array) -> float:
        """Return the same for counts that are Poisson numbers."""
        return self._total(np.log(means), 0.0, weights, 0.0)

    def _total(self, logs: Array, shift: float, weights: Array, share: float) -> float:
        return tabulated_sum(
            logs,
            shift,
            weights,
            share,
            self.coefficients,
            self.low,
            self.width,
            self.narrow,
            self.slope,
            np.empty((self.coefficients.shape[0], _ORDER)),
        )


@lru_cache(maxsize=32)
def loss_table(law: int, exponent: float, scale: float) -> LossTable | None:
    """Return the table of a law, None where its entries would not be accurate to 1e-13 of themselves."""
    slope = exponent if law == HARD else 0.5
    if law == HARD:
        if not 0.0 < slope <= _STEEPEST or scale > 1.0 or scale**slope < _LEAST_DROP:
            return None
    elif not _SCALES[0] <= scale <= _SCALES[1]:
        return None
    threshold = float(expansion_threshold(np.array([slope]))[0])
    low = math.log(RAREST)
    high = math.log(_MISSED if law == HARD else max(_MISSED, 100.0 * scale))
    narrow = math.ceil(high - low)
    wide = math.ceil((math.log(MOST) - high) / _WIDE)
    edges = np.concatenate(
        [np.linspace(low, high, narrow + 1), high + _WIDE * np.arange(1, wide + 1)]
    )
    half, middle = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    places, *in_place = _interpolation(_ORDER)
    shares, *in_share = _interpolation(_POWERS, unit=True)
    y = middle[:, None] + half[:, None] * places
    found = np.empty((y.size, _POWERS))
    losses_at_means(
        np.exp(y).ravel(),
        FEWEST / shares,
        exponent,
        threshold,
        scale,
        law,
        *law_table(law, exponent, scale),
        found,
    )
    found = found.reshape(edges.size - 1, _ORDER, _POWERS)
    found[narrow:] *= np.exp(slope * half[narrow:, None] * places)[:, :, None]
    # first those of Chebyshev polynomials, which fall: powers of places are nearly dependent
    found = in_place[0] @ found @ in_share[0].T
    coefficients = np.ascontiguousarray(np.swapaxes(in_place[1] @ found @ in_share[1].T, 1, 2))
    coefficients.setflags(write=False)
    return LossTable(coefficients, low, (high - low) / narrow, narrow, slope)


def listed_losses(
    samples: Array, drawn: Array, weights: Array, exponent: float, scale: float, law: int
) -> Array:
    """Return the sum of weights times losses for each number of samples, where clusters differ in their probabilities only."""
    exponents = np.array([exponent])
    rule = (
        exponents,
        expansion_threshold(exponents if law == HARD else np.full(1, 0.5)),
        np.array([scale]),
        law,
        *law_table(law, exponent, scale),
    )
    losses = np.empty(samples.size)
    served = (samples >= FEWEST) & (samples <= MOST)
    worthwhile = drawn.size >= _SHORT and bool(served.any())
    table = loss_table(law, exponent, scale) if worthwhile else None
    if table is None:
        expected_losses(samples, drawn, 0.0, weights, *rule, losses)
        return losses
    with np.errstate(divide="ignore"):
        logs = np.log(drawn)
    found = np.zeros(1)
    for i, count in enumerate(samples.tolist()):
        if not served[i]:
            expected_losses(samples[i : i + 1], drawn, 0.0, weights, *rule, losses[i : i + 1])
            continue
        shift = math.log(count)
        rare = logs + shift < table.low
        if not rare.any():
            losses[i] = table.total(logs, shift, weights)
            continue
        losses[i] = table.total(logs[~rare], shift, weights[~rare])
        expected_losses(samples[i : i + 1], drawn[rare], 0.0, weights[rare], *rule, found)
        losses[i] += found[0]
    return losses


@cache
def _interpolation(count: int, unit: bool = False) -> tuple[Array, Array, Array]:
    """Return Chebyshev nodes in [-1, 1], or [0, 1], and matrices from values to Chebyshev coefficients to those of powers."""
    angles = np.pi * (np.arange(count) + 0.5) / count
    weights = np.cos(np.arange(count)[:, None] * angles) * (2 / count)
    weights[0] *= 0.5
    step = Polynomial([-1.0, 2.0]) if unit else Polynomial([0.0, 1.0])
    powers = np.zeros((count, count))
    for k in range(count):
        powers[: k + 1, k] = Polynomial(chebyshev.cheb2poly(np.eye(k + 1)[k]))(step).coef
    nodes = np.cos(angles)
    return (0.5 + 0.5 * nodes if unit else nodes), weights, powers


@njit
def tabulated_sum(
    logs: Array,
    shift: float,
    weights: Array,
    share: float,
    coefficients: Array,
    low: float,
    width: float,
    narrow: int,
    slope: float,
    merged: Array,
) -> float:
    """Sum weights times losses over clusters with logarithms of means logs + shift; `merged` (panels, order) is room to work in."""
    panels, powers, order = coefficients.shape
    for i in range(panels):
        for m in range(order):
            merged[i, m] = coefficients[i, powers - 1, m]
        for n in range(powers - 2, -1, -1):
            for m in range(order):
                merged[i, m] = merged[i, m] * share + coefficients[i, n, m]
    total, lost = 0.0, 0.0
    for k in range(logs.size):
        y = (logs[k] + shift - low) / width
        factor = weights[k]
        if y < narrow:
            i = max(int(y), 0)
            x = 2.0 * (y - i) - 1.0
        else:
            y = (y - narrow) * width / _WIDE
            i = min(int(y), panels - 1 - narrow)
            x = 2.0 * (y - i) - 1.0
            factor *= math.exp(-0.5 * slope * _WIDE * x)
            i += narrow
        square = x * x
        fourth = square * square
        one, two = merged[i, order - 4], merged[i, order - 3]
        three, four = merged[i, order - 2], merged[i, order - 1]
        for m in range(order - 8, -1, -4):
            one = one * fourth + merged[i, m]
            two = two * fourth + merged[i, m + 1]
            three = three * fourth + merged[i, m + 2]
            four = four * fourth + merged[i, m + 3]
        loss = one + two * x + (three + four * x) * square
        term = factor * loss - lost
        step = total + term
        lost = (step - total) - term
        total = step
    return total
