r"""The law of one neuron's weight, tilted towards alignment: :math:`p(w) \propto e^{E(w)}`, :math:`E = -\frac d2 w^2 + \tau\psi(w^2)`.

Only the size of a weight matters: all integrals are over positive weights, under twice the Gaussian density. The overlap is
:math:`\psi(r) = (r/(3+2r))^k` with k = 3 for a cubic target. From some tilt on, 32 d for k = 3, the exponent has a peak away from 0, at
the squared weight :math:`r_2 \ge \frac34(k-1)`, of height :math:`E_2 = d\, r_2 (2r_2 + 3 - 3k)/6k`, and a valley at a smaller
:math:`r_1`: the roots of :math:`(3 + 2r)^{k+1} = 6k\tau r^{k-1}/d`. For k = 3, :math:`r_1 r_2 = 9/4`; for k = 1 the valley is at 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .. import _jit
from .._roots import brentq
from ._normal import LOG_ROOT_2PI, Array, log_tail_of_normal

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
    valley : float
        Weight of the valley before it.
    power : int
        k, odd.
    """

    tilt: float
    peak: float
    height: float
    valley: float = 0.0
    power: int = 3


def _tilt_at(r: float, d: float, k: int) -> float:
    """Return the tilt at which the exponent is stationary at a squared weight."""
    steep = ((3 + 2 * r) / r) ** (k - 1) if k > 1 else 1.0
    return d * (3 + 2 * r) ** 2 / (6 * k) * steep


def tilted_by(tilt: float, d: float, power: int = 3) -> Tilted:
    """Return the peak that a tilt makes."""
    k, turn = power, 0.75 * (power - 1)  # between valley and peak
    if tilt < _tilt_at(turn, d, k):
        return Tilted(tilt, 0.0, 0.0, 0.0, k)
    if k == 3:
        steep = math.sqrt(18 * tilt / d)  # >= 24
        r = ((steep - 12) + math.sqrt(max((steep - 24) * steep, 0.0))) / 8
    elif k == 1:
        r = (math.sqrt(6 * tilt / d) - 3) / 2
    else:
        most = 0.5 * math.log(6 * k * tilt / d) - 0.5 * (k + 1) * math.log(2)
        r = _stationary(tilt, d, k, math.log(turn), max(most, math.log(turn)))
    height = d * r * (2 * r + 3 - 3 * k) / (6 * k)
    return Tilted(tilt, math.sqrt(r), height, _valley(tilt, math.sqrt(r), d, k), k)


def lowest_peak(d: float, power: int = 3) -> float:
    """Return the height at which a peak appears."""
    return -3 * d * (power - 1) ** 2 / (16 * power)


def tilted_to(height: float, d: float, power: int = 3) -> Tilted:
    """Return the tilt that makes a peak of this height, which `lowest_peak` bounds: the tilt could not resolve it where d is large."""
    k = power
    turn = 0.75 * (k - 1)
    r = turn + math.sqrt(max(turn * turn + 3 * k * height / d, 0.0))
    tilt = _tilt_at(r, d, k)
    return Tilted(tilt, math.sqrt(r), height, _valley(tilt, math.sqrt(r), d, k), k)


def _valley(tilt: float, peak: float, d: float, k: int) -> float:
    if k == 1:
        return 0.0
    if k == 3:
        return 1.5 / peak
    least = (math.log(d / (6 * k * tilt)) + (k + 1) * math.log(3)) / (k - 1)
    turn = math.log(0.75 * (k - 1))
    return math.sqrt(_stationary(tilt, d, k, min(least, turn), turn))


def _stationary(tilt: float, d: float, k: int, low: float, high: float) -> float:
    """Return the squared weight between two logarithms at which the exponent is stationary."""
    goal = math.log(6 * k * tilt / d)

    def excess(x: float) -> float:
        return (k + 1) * math.log(3 + 2 * math.exp(x)) - (k - 1) * x - goal

    ends = excess(low), excess(high)
    if ends[0] * ends[1] >= 0:  # at the turn itself, but for rounding
        return math.exp(low if abs(ends[0]) < abs(ends[1]) else high)
    return math.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15))


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
    most = _farthest(law, d)
    found = _moments(*law, d, low, min(high, max(most, low)), 0.0)
    return Moments(*found[:4])


def relative_entropy(law: Tilted, d: float, found: Moments) -> float:
    r"""Return :math:`\tau v - \Lambda(\tau)`, the relative entropy of a tilted law, given its moments.

    Both terms nearly cancel at small tilts. There it is :math:`\log E_\tau e^{-x}` with :math:`x = \tau(\psi - v)` of mean 0.
    """
    if law.tilt * found.mean > 1:
        return law.tilt * found.mean - found.log_total
    bent = _moments(*law, d, 0.0, _farthest(law, d), found.mean)[4]
    return math.log1p(bent)


def _farthest(law: Tilted, d: float) -> float:
    """Return a weight beyond which E < -60 <= E(0) - 60."""
    return math.sqrt(2 * (_BELOW + law.tilt * 0.5**law.power) / d)


@_jit.njit
def _overlap(w: float, power: int) -> float:
    x = w * w / (3 + 2 * w * w)
    product = x
    for _ in range(power - 1):
        product *= x
    return product


@_jit.njit
def _exponent(
    w: float, tilt: float, peak: float, height: float, power: int, d: float, near: bool
) -> float:
    if not near:
        return -0.5 * d * w * w + tilt * _overlap(w, power)
    # relative to the peak, factored: both terms are of the order of d and larger, and cancel
    r, s = w * w, peak * peak
    x, y = r / (3 + 2 * r), s / (3 + 2 * s)
    apart = (w - peak) * (w + peak)
    total, last = 1.0, 1.0  # (x^k - y^k)/(x - y)
    for _ in range(power - 1):
        last *= y
        total = total * x + last
    gained = 3 * apart / ((3 + 2 * r) * (3 + 2 * s)) * total
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
    tilt: float,
    peak: float,
    height: float,
    valley: float,
    power: int,
    d: float,
    low: float,
    high: float,
    center: float,
) -> tuple[float, float, float, float, float]:
    # between these the exponent is monotone: it falls, rises from the valley, falls
    bounds = np.empty(5)
    bounds[0], bounds[1], bounds[2], bounds[3], bounds[4] = (
        low,
        valley if peak > 0 else low,
        peak,
        1.0,
        high,
    )
    for i in range(bounds.size):  # sorted by insertion
        value = min(max(bounds[i], low), high)
        j = i
        while j > 0 and bounds[j - 1] > value:
            bounds[j] = bounds[j - 1]
            j -= 1
        bounds[j] = value
    inside = low <= peak <= high and peak > 0
    top, likeliest = -math.inf, low
    for i in range(bounds.size):
        near = inside and bounds[i] >= valley
        value = _exponent(bounds[i], tilt, peak, height, power, d, near)
        if value > top:
            top, likeliest = value, bounds[i]
    total, first, second, beyond, bent = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(bounds.size - 1):
        a, b = bounds[i], bounds[i + 1]
        if not b > a:
            continue
        near = inside and 0.5 * (a + b) > valley
        ends = (
            _exponent(a, tilt, peak, height, power, d, near),
            _exponent(b, tilt, peak, height, power, d, near),
        )
        local = max(ends[0], ends[1])
        if local < top - _BELOW:
            continue
        if min(ends[0], ends[1]) < local - _BELOW:  # only the part near the higher end counts
            kept, lost = (a, b) if ends[0] > ends[1] else (b, a)
            for _ in range(60):
                middle = 0.5 * (kept + lost)
                if _exponent(middle, tilt, peak, height, power, d, near) < local - _BELOW:
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
                value = _exponent(w, tilt, peak, height, power, d, near)
                share *= math.exp(min(value - top, 1.0))  # a rounded weight may lie beyond the end
                overlap = _overlap(w, power)
                total += share
                first += share * overlap
                second += share * overlap * overlap
                bent += share * _bent(tilt * (overlap - center))
                beyond += share if w > 1 else 0.0
    density = math.log(2.0) + 0.5 * math.log(d) - LOG_ROOT_2PI
    if not total > 0:  # narrower than neighboring floats are apart
        return top + density, _overlap(likeliest, power), 0.0, 1.0 if likeliest > 1 else 0.0, 0.0
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
    total = rest + neurons * _overlap(w, 3)
    if not total > 0:
        return -math.inf
    return -0.5 * d * neurons * w * w + log_tail_of_normal(math.sqrt(n / total))


@_jit.njit_shared
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


@_jit.njit_shared
def one_neuron(rest: float, n: float, d: float, low: float, high: float) -> tuple[float, float]:
    """Integrate over one weight, given the summed overlaps of all others: log probability to align, share beyond 1."""
    peak = best_weight(1.0, rest, n, d, low, high)
    top = _joint(peak, 1.0, rest, n, d)
    ends = np.empty(2)
    ends[0], ends[1] = low, high
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
