r"""The law of one neuron's weight, tilted towards alignment: :math:`p(w) \propto e^{E(w)}`, :math:`E = -\frac d2 w^2 + \tau\psi(w^2)`.

Only the size of a weight matters: all integrals are over positive weights, under twice the Gaussian density. From
:math:`\tau = 32 d` on the exponent has a peak away from 0, at the squared weight :math:`r_2 \ge 3/2`, of height
:math:`E_2 = d\, r_2 (r_2 - 3)/9`, and a valley at :math:`r_1 = 9/(4 r_2)`: the roots of
:math:`(3 + 2r)^2 = r \sqrt{18\tau/d}`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .. import _jit
from ._normal import LOG_ROOT_2PI, Array, log_tail_of_normal

SPINODAL_TILT = 32.0
"""Tilt over dimension from which a peak away from 0 exists."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_PANELS = 24
_BELOW = 60.0  # what is so far below the top of a logarithm is left out
_FAR = 25.0
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)


def psi(r: Array) -> Array:
    """Return the squared overlap of a neuron of squared weight r."""
    return (r / (3 + 2 * r)) ** 3


class Tilted(NamedTuple):
    """A tilt with the peak that it makes; `peak` is 0 where there is none.

    Attributes
    ----------
    tilt : float
        tau.
    peak : float
        Weight of the peak.
    height : float
        Exponent there.
    """

    tilt: float
    peak: float
    height: float


def tilted_by(tilt: float, d: float) -> Tilted:
    """Return the peak that a tilt makes."""
    if tilt < SPINODAL_TILT * d:
        return Tilted(tilt, 0.0, 0.0)
    steep = math.sqrt(18 * tilt / d)  # >= 24
    r = ((steep - 12) + math.sqrt(max((steep - 24) * steep, 0.0))) / 8
    return Tilted(tilt, math.sqrt(r), d * r * (r - 3) / 9)


def tilted_to(height: float, d: float) -> Tilted:
    """Return the tilt that makes a peak of this height, >= -d/4: the tilt itself could not resolve it where d is large."""
    r = 1.5 * (1 + math.sqrt(max(1 + 4 * height / d, 0.0)))
    return Tilted(d * (3 + 2 * r) ** 4 / (18 * r * r), math.sqrt(r), height)


class Moments(NamedTuple):
    """Integrals of a tilted law over a range of weights.

    Attributes
    ----------
    log_total : float
        Logarithm of the integral of the Gaussian density times exp(tau psi).
    mean, variance : float
        Of psi.
    beyond : float
        Share of weights beyond 1.
    """

    log_total: float
    mean: float
    variance: float
    beyond: float


def moments(law: Tilted, d: float, low: float = 0.0, high: float = math.inf) -> Moments:
    """Integrate a tilted law over weights from `low` to `high`."""
    most = math.sqrt(2 * (_BELOW + law.tilt / 8) / d)  # beyond, E < -60 <= E(0) - 60
    found = _moments(law.tilt, law.peak, law.height, d, low, min(high, max(most, low)), 0.0)
    return Moments(*found[:4])


def relative_entropy(law: Tilted, d: float, found: Moments) -> float:
    r"""Return :math:`\tau v - \Lambda(\tau)`, the relative entropy of a tilted law, given its moments.

    Both terms nearly cancel at small tilts. There it is :math:`\log E_\tau e^{-x}` with :math:`x = \tau(\psi - v)` of mean 0.
    """
    if law.tilt * found.mean > 1:
        return law.tilt * found.mean - found.log_total
    most = math.sqrt(2 * (_BELOW + law.tilt / 8) / d)
    bent = _moments(law.tilt, law.peak, law.height, d, 0.0, most, found.mean)[4]
    return math.log1p(bent)


@_jit.njit
def _overlap(w: float) -> float:
    x = w * w / (3 + 2 * w * w)
    return x * x * x


@_jit.njit
def _exponent(w: float, tilt: float, peak: float, height: float, d: float, near: bool) -> float:
    if not near:
        return -0.5 * d * w * w + tilt * _overlap(w)
    # relative to the peak, factored: both terms are of the order of d and larger, and cancel
    r, s = w * w, peak * peak
    x, y = r / (3 + 2 * r), s / (3 + 2 * s)
    apart = (w - peak) * (w + peak)
    gained = 3 * apart / ((3 + 2 * r) * (3 + 2 * s)) * (x * x + x * y + y * y)
    return height + tilt * gained - 0.5 * d * apart


@_jit.njit
def _bent(x: float) -> float:
    """Return exp(-x) - 1 + x."""
    if abs(x) > 0.1:
        return math.expm1(-x) + x
    total = 0.0  # x/2 (1 - x/3 (1 - x/4 (...)))
    for k in range(12, 1, -1):
        total = (1.0 - total) * x / k
    return total * x


@_jit.njit
def _moments(
    tilt: float, peak: float, height: float, d: float, low: float, high: float, center: float
) -> tuple[float, float, float, float, float]:
    # between these the exponent is monotone: it falls, rises from the valley 9/4 = r1 r2, falls
    bounds = np.array([low, 1.5 / peak if peak > 0 else low, peak, 1.0, high])
    bounds = np.sort(np.minimum(np.maximum(bounds, low), high))
    inside = low <= peak <= high and peak > 0
    top, likeliest = -math.inf, low
    for i in range(bounds.size):
        near = inside and bounds[i] * peak >= 1.5
        value = _exponent(bounds[i], tilt, peak, height, d, near)
        if value > top:
            top, likeliest = value, bounds[i]
    total, first, second, beyond, bent = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(bounds.size - 1):
        a, b = bounds[i], bounds[i + 1]
        if not b > a:
            continue
        near = inside and 0.5 * (a + b) * peak > 1.5
        ends = (
            _exponent(a, tilt, peak, height, d, near),
            _exponent(b, tilt, peak, height, d, near),
        )
        local = max(ends[0], ends[1])
        if local < top - _BELOW:
            continue
        if min(ends[0], ends[1]) < local - _BELOW:  # only the part near the higher end counts
            kept, lost = (a, b) if ends[0] > ends[1] else (b, a)
            for _ in range(60):
                middle = 0.5 * (kept + lost)
                if _exponent(middle, tilt, peak, height, d, near) < local - _BELOW:
                    lost = middle
                else:
                    kept = middle
            a, b = (a, lost) if ends[0] > ends[1] else (lost, b)
        # w = sinh(t)/2: linear where overlaps grow, logarithmic where only the Gaussian varies
        a, b = math.asinh(2 * a), math.asinh(2 * b)
        half = 0.5 * (b - a) / _PANELS
        for k in range(_PANELS):
            for j in range(_NODES.size):
                t = a + half * (2 * k + 1 + _NODES[j])
                w = 0.5 * math.sinh(t)
                share = half * _WEIGHTS[j] * 0.5 * math.cosh(t)
                value = _exponent(w, tilt, peak, height, d, near)
                share *= math.exp(min(value - top, 1.0))  # a rounded weight may lie beyond the end
                overlap = _overlap(w)
                total += share
                first += share * overlap
                second += share * overlap * overlap
                bent += share * _bent(tilt * (overlap - center))
                beyond += share if w > 1 else 0.0
    density = math.log(2.0) + 0.5 * math.log(d) - LOG_ROOT_2PI
    if not total > 0:  # narrower than neighboring floats are apart
        return top + density, _overlap(likeliest), 0.0, 1.0 if likeliest > 1 else 0.0, 0.0
    mean = first / total
    return (
        top + math.log(total) + density,
        mean,
        max(second / total - mean * mean, 0.0),
        beyond / total,
        bent / total,
    )


@_jit.njit
def hazard(z: float) -> float:
    """Return the density of a standard normal number over its tail."""
    if z < _FAR:
        return math.exp(-0.5 * z * z - LOG_ROOT_2PI - log_tail_of_normal(z))
    q = 1 / (z * z)
    return z / (1 - q * (1 - 3 * q * (1 - 5 * q * (1 - 7 * q))))


@_jit.njit
def _joint(w: float, neurons: float, rest: float, n: float, d: float) -> float:
    """Return the logarithm of the density of some equal weights, times the chance that their readouts align."""
    total = rest + neurons * _overlap(w)
    if not total > 0:
        return -math.inf
    return -0.5 * d * neurons * w * w + log_tail_of_normal(math.sqrt(n / total))


@_jit.njit
def best_weight(neurons: float, rest: float, n: float, d: float, low: float, high: float) -> float:
    """Return the likeliest common weight of some neurons, given the summed overlaps of all others."""
    count = 48
    best, top = 0, -math.inf
    for i in range(count + 1):
        value = _joint(low + (high - low) * i / count, neurons, rest, n, d)
        if value > top:
            best, top = i, value
    a = low + (high - low) * max(best - 1, 0) / count
    b = low + (high - low) * min(best + 1, count) / count
    # golden section, one new point a step
    left, right = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    low_value, high_value = _joint(left, neurons, rest, n, d), _joint(right, neurons, rest, n, d)
    for _ in range(70):
        if low_value >= high_value:
            b, right, high_value = right, left, low_value
            left = b - _GOLDEN * (b - a)
            low_value = _joint(left, neurons, rest, n, d)
        else:
            a, left, low_value = left, right, high_value
            right = a + _GOLDEN * (b - a)
            high_value = _joint(right, neurons, rest, n, d)
    return 0.5 * (a + b)


@_jit.njit
def one_neuron(rest: float, n: float, d: float, low: float, high: float) -> tuple[float, float]:
    """Integrate over one weight, given the summed overlaps of all others: log probability to align, share beyond 1."""
    peak = best_weight(1.0, rest, n, d, low, high)
    top = _joint(peak, 1.0, rest, n, d)
    ends = np.array([low, high])
    for side in range(2):  # the search stops a little before them
        if _joint(ends[side], 1.0, rest, n, d) > top:
            peak, top = ends[side], _joint(ends[side], 1.0, rest, n, d)
    if top == -math.inf:
        return -math.inf, 0.0
    for side in range(2):
        if _joint(ends[side], 1.0, rest, n, d) < top - _BELOW:
            # halve the distance until that is too near; the last but one is far enough, by a factor of 2 at most
            near, far = 0, 60
            while far - near > 1:
                middle = (near + far) // 2
                if _joint(peak + (ends[side] - peak) * 0.5**middle, 1.0, rest, n, d) < top - _BELOW:
                    near = middle
                else:
                    far = middle
            ends[side] = peak + (ends[side] - peak) * 0.5**near
    middle = min(max(1.0, ends[0]), ends[1])
    parts = np.zeros(2)
    for side in range(2):
        a, b = (ends[0], middle) if side == 0 else (middle, ends[1])
        if not b > a:
            continue
        a, b = math.asinh(2 * a), math.asinh(2 * b)  # as in _moments
        half = 0.5 * (b - a) / _PANELS
        for k in range(_PANELS):
            for j in range(_NODES.size):
                t = a + half * (2 * k + 1 + _NODES[j])
                value = math.exp(min(_joint(0.5 * math.sinh(t), 1.0, rest, n, d) - top, 1.0))
                parts[side] += half * _WEIGHTS[j] * 0.5 * math.cosh(t) * value
    total = parts[0] + parts[1]
    if not total > 0:
        return -math.inf, 0.0
    density = math.log(2.0) + 0.5 * math.log(d) - LOG_ROOT_2PI
    return top + math.log(total) + density, parts[1] / total


@_jit.njit
def over_one_neuron(
    rest: Array, n: float, d: float, low: float, high: float, logs: Array, beyond: Array
) -> None:
    """Add to logarithms what the integral over one weight gives, and to counts the share beyond 1."""
    for i in range(rest.size):
        value, share = one_neuron(rest[i], n, d, low, high)
        logs[i] += value
        beyond[i] += share
