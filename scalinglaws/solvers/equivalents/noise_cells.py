r"""Noise that fades as a power, summed over all steps exactly: each step a cell of intrinsic time with a rate of its own.

Far cells are taken together. Over a block of steps, with middle m and half width h in intrinsic time,

.. math:: \int \eta\, (1 + c (\tau - \tau'))^{-\chi} d\tau' = A^{-\chi} \sum_j \binom{-\chi}{j} (-r)^j M_j, \qquad
          A = 1 + c (\tau - m), \quad r = \frac{c h}A, \quad M_j = \int \eta \Big(\frac{\tau' - m}h\Big)^j d\tau'

converges fast where r is small; blocks of 16, 32, 64, ... steps have their moments found once, which do not depend on c and chi.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .._jit import njit

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

ORDERS = 24  # moments of a block
SMALLEST = 16  # steps of the smallest block
_RATIO = 0.2  # of half a block's width to the distance at which the kernel is singular, at most
_STEEP = 4.0  # exponents beyond which it must be smaller in proportion


class NoiseCells:
    """The rates of all steps, with moments of blocks of them."""

    def __init__(self, rates: Array) -> None:
        self.rates = np.ascontiguousarray(rates)
        exact = np.cumsum(rates.astype(np.longdouble))
        self.edges = np.append(0.0, exact.astype(float))
        counts = []
        size = SMALLEST
        while rates.size >= size:
            counts.append(rates.size // size)
            size *= 2
        self.starts = np.append(0, np.cumsum(np.array(counts, dtype=np.int64)))
        self.moments = np.zeros((int(self.starts[-1]), ORDERS))
        binomials = np.array(
            [[math.comb(j, k) for k in range(ORDERS)] for j in range(ORDERS)], dtype=float
        )
        gather(self.edges, self.rates, self.starts, self.moments, binomials)

    def noise(self, at: Steps, decay_rate: float, exponent: float) -> Array:
        """Return the noise at steps and its derivatives by decay rate and exponent, shape (n, 3)."""
        found = np.zeros((at.size, 3))
        ratio = _RATIO * min(1.0, _STEEP / max(exponent, 1e-300))
        sums = (self.edges, self.rates, self.starts, self.moments)
        accumulate(*sums, at, decay_rate, exponent, ratio, found)
        return found


@njit
def gather(edges: Array, rates: Array, starts: Steps, moments: Array, binomials: Array) -> None:
    """Find the moments of all blocks, of larger ones from their halves."""
    orders = moments.shape[1]
    shifts, scaled = np.zeros(orders), np.zeros(orders)
    size = SMALLEST
    for level in range(starts.size - 1):
        for block in range(starts[level + 1] - starts[level]):
            first = block * size
            low, high = edges[first], edges[first + size]
            middle, half = 0.5 * (low + high), 0.5 * (high - low)
            row = starts[level] + block
            if half == 0.0:
                continue
            if level == 0:
                for k in range(first, first + size):
                    left, right = (edges[k] - middle) / half, (edges[k + 1] - middle) / half
                    below, above = left, right
                    for j in range(orders):
                        moments[row, j] += rates[k] * half * (above - below) / (j + 1)
                        below *= left
                        above *= right
                continue
            for side in range(2):
                child = starts[level - 1] + 2 * block + side
                begin = first + side * (size // 2)
                own_low, own_high = edges[begin], edges[begin + size // 2]
                shift = (0.5 * (own_low + own_high) - middle) / half
                scale = 0.5 * (own_high - own_low) / half
                shifted, power = 1.0, 1.0
                for k in range(orders):
                    shifts[k] = shifted
                    scaled[k] = power * moments[child, k]
                    shifted *= shift
                    power *= scale
                for j in range(orders):
                    total = 0.0
                    for k in range(j + 1):
                        total += binomials[j, k] * shifts[j - k] * scaled[k]
                    moments[row, j] += total
        size *= 2


@njit
def accumulate(
    edges: Array,
    rates: Array,
    starts: Steps,
    moments: Array,
    at: Steps,
    c: float,
    chi: float,
    ratio: float,
    found: Array,
) -> None:
    """Sum up the noise behind some steps, from the last step back, in ever larger blocks."""
    levels = starts.size - 1
    for i in range(at.size):
        since, place = (
            0.0,
            at[i],
        )  # summed up backwards, as differences of large times would lose digits
        while place > 0:
            # the largest block that ends here and is far enough away
            size, row, half = 1, -1, 0.5 * rates[place - 1]
            width = SMALLEST
            for level in range(levels):
                if place % width != 0:
                    break
                own = 0.5 * (edges[place] - edges[place - width])
                if c * own > ratio * (1.0 + c * (since + own)):
                    break
                size, row, half = width, starts[level] + place // width - 1, own
                width *= 2
            away = since + half
            if row < 0 and c * half > ratio * (1.0 + c * away):
                _near(since, rates[place - 1], c, chi, found[i])
            else:
                _far(away, half, rates[place - 1], moments, row, c, chi, found[i])
            since += 2.0 * half
            place -= size


@njit
def _far(
    away: float,
    half: float,
    rate: float,
    moments: Array,
    row: int,
    c: float,
    chi: float,
    found: Array,
) -> None:
    """Add a block, or (row -1) a single cell, by its series."""
    base = 1.0 + c * away
    r = c * half / base
    coefficient, slope, power = 1.0, 0.0, 1.0
    value, by_r, by_chi = 0.0, 0.0, 0.0
    before = 0.0
    for j in range(moments.shape[1]):
        moment = moments[row, j] if row >= 0 else (1 - j % 2) * 2.0 * half * rate / (j + 1)
        value += coefficient * power * moment
        by_chi += slope * power * moment
        by_r += j * coefficient * before * moment
        before = power
        power *= r
        slope = (slope * (chi + j) + coefficient) / (j + 1)
        coefficient *= (chi + j) / (j + 1)
        if slope * power * (j + 2) < 1e-18 and coefficient * before * (j + 2) < 1e-18:
            break
    log = math.log1p(c * away)
    weight = math.exp(-chi * log)
    found[0] += weight * value
    found[1] += weight * (by_r * half / base / base - chi * away / base * value)
    found[2] += weight * (by_chi - log * value)


@njit
def _near(near: float, rate: float, c: float, chi: float, found: Array) -> None:
    """Add a single cell that lies near, by the closed form of its integral."""
    far = near + rate
    log = math.log1p(c * near)
    longer = math.log1p(c * rate / (1.0 + c * near))
    z = (chi - 1.0) * longer
    if abs(z) < 0.5:
        mean, bend, term = 0.0, 0.0, 1.0
        for n in range(24):  # term is (-z)^n/(n + 1)!
            mean += term
            bend -= term * (n + 1.0) / (n + 2.0)
            term *= -z / (n + 2.0)
    else:
        left = math.exp(-z)
        mean = -math.expm1(-z) / z
        bend = (left * (1.0 + z) - 1.0) / (z * z)
    weight = math.exp(-(chi - 1.0) * log) * longer / c
    whole = weight * mean
    ends = far * math.exp(-chi * (log + longer)) - near * math.exp(-chi * log)
    found[0] += rate * whole
    found[1] += rate * (ends - whole) / c
    found[2] += rate * weight * (longer * bend - log * mean)
