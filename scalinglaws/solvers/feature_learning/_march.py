r"""The warped flow along a logarithmic grid: an exponential integrator of fourth order for one scalar function.

With the warped time :math:`d\tau = s\,dt`, :math:`h = s^{-1/2}`, and :math:`e_j = h - q_j` for the part of mode j that is not learned yet,

.. math:: \dot e_j = \dot h - x_j e_j, \qquad h^{-2} = 1 + \gamma \sum_j \frac{\mu_j}{x_j} (h - e_j)^2, \qquad
          \dot h = -\gamma h^3 \sum_j \mu_j (h - e_j)\, e_j.

Over a step h is the cubic with the right values and slopes at both ends. The equations for e are then solved exactly, and
what is left are two equations for the new value and the new slope, whose coefficients are sums over modes. Nothing is a
difference of nearly equal numbers: the loss :math:`h^{-2}\sum_j \mu_j e_j^2` keeps its relative accuracy however small.
Complex pairs of modes are as good as real ones: :math:`\mu_j` then counts both, and sums are real parts.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ..linear._inputs import Array

Spectral = NDArray[Any]
"""Floats or complex numbers: kernels are compiled for both."""

BY_TIME, BY_SCALE = 0, 1
MAX_NEWTON = 60

_FIRST = 1e-2  # of the shortest time scale: the first step
_SERIES = np.array([2.0 / math.factorial(k + 3) for k in range(11, -1, -1)])
_NODES = np.array([0.5 - 0.5 * x for x in (0.8611363115940526, 0.3399810435848563, -0.3399810435848563, -0.8611363115940526)])
_SHARES = np.array([0.5 * w for w in (0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538)])


@njit
def _moments(z: Any) -> tuple[Any, Any, Any, Any]:
    """Return exp(-z) and the integrals of exp(-z (1 - y)) y^n over [0, 1] for n = 0, 1, 2."""
    size = z.real * z.real + z.imag * z.imag
    if size < 0.0625:
        second = z * 0.0 + _SERIES[0]
        for k in range(1, _SERIES.size):
            second = _SERIES[k] - z * second
        first = 0.5 - 0.5 * (z * second)
        zeroth = 1.0 - z * first
        return 1.0 - z * zeroth, zeroth, first, second
    decay = np.exp(-z)
    inverse = np.conj(z) * (1.0 / size)
    zeroth = (1.0 - decay) * inverse
    first = (1.0 - zeroth) * inverse
    return decay, zeroth, first, (1.0 - 2.0 * first) * inverse


@njit
def _value(c: float, h: float, slope: float, change: float, end: float) -> float:
    """Return the cubic of a step at the part c of it, from slopes times the length of the step."""
    return h + c * (slope + c * ((3.0 * change - 2.0 * slope - end) + c * (slope + end - 2.0 * change)))


@njit
def _elapsed(c: float, h: float, slope: float, change: float, end: float) -> float:
    """Return the integral of the square of the cubic from 0 to c, exactly."""
    total = 0.0
    for k in range(4):
        total += _SHARES[k] * _value(c * _NODES[k], h, slope, change, end) ** 2
    return c * total


@njit
def _sweep(
    x: Spectral,
    mu: Spectral,
    w: Spectral,
    e: Spectral,
    d: float,
    h: float,
    slope: float,
    constant: Spectral,
    by_change: Spectral,
    by_slope: Spectral,
    sums: Array,
) -> None:
    """Write e at the end of a step as constant + by_change * change + by_slope * slope; fill in what the two equations need."""
    s0, s1, s2, s3, s4, s5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    r0, r1, r2, r3, r4, r5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(x.size):
        decay, zeroth, first, second = _moments(x[j] * d)
        a = decay * e[j] + slope * (zeroth - 4.0 * first + 3.0 * second)
        b = 6.0 * (first - second)
        c = 3.0 * second - 2.0 * first
        constant[j], by_change[j], by_slope[j] = a, b, c
        learned, rest = h - a, 1.0 - b
        weight = mu[j]
        wa, wb, wc = weight * a, weight * b, weight * c
        r0 += (wa * learned).real
        r1 += (wb * learned + wa * rest).real
        r2 += (wc * (learned - a)).real
        r3 += (wb * rest).real
        r4 += (wc * (rest - b)).real
        r5 -= (wc * c).real
        weight = w[j]
        wl, wr, wc = weight * learned, weight * rest, weight * c
        s0 += (wl * learned).real
        s1 += (wl * rest).real
        s2 += (wr * rest).real
        s3 -= (wl * c).real
        s4 -= (wr * c).real
        s5 += (wc * c).real
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5] = s0, s1, s2, s3, s4, s5
    sums[6], sums[7], sums[8], sums[9], sums[10], sums[11] = r0, r1, r2, r3, r4, r5


@njit
def _ends(sums: Array, richness: float, d: float, h: float, slope: float, guess: float) -> tuple[float, float, int]:
    """Solve for the change of h over a step and its slope at the end, both by Newton's method; return the steps taken too."""
    u, g = guess, guess
    settled = False
    for step in range(MAX_NEWTON):
        new = h + u
        weighed = sums[0] + 2 * u * sums[1] + u * u * sums[2] + 2 * g * sums[3] + 2 * u * g * sums[4] + g * g * sums[5]
        weighed_u = 2 * (sums[1] + u * sums[2] + g * sums[4])
        weighed_g = 2 * (sums[3] + u * sums[4] + g * sums[5])
        flux = sums[6] + u * sums[7] + g * sums[8] + u * u * sums[9] + u * g * sums[10] + g * g * sums[11]
        flux_u = sums[7] + 2 * u * sums[9] + g * sums[10]
        flux_g = sums[8] + u * sums[10] + 2 * g * sums[11]
        scale = 1.0 + richness * weighed
        rate = richness * d * new * new
        one, two = new * new * scale - 1.0, g + rate * new * flux
        one_u, one_g = 2 * new * scale + new * new * richness * weighed_u, new * new * richness * weighed_g
        two_u, two_g = rate * (3 * flux + new * flux_u), 1.0 + rate * new * flux_g
        det = one_u * two_g - one_g * two_u
        du, dg = (one_g * two - one * two_g) / det, (one * two_u - one_u * two) / det
        if settled:
            return u + du, g + dg, step + 1
        settled = abs(du) < 1e-9 * h and abs(dg) < 1e-9 * h
        if u + du <= -0.9 * h:  # h stays positive
            du = 0.5 * (-0.9 * h - u)
        u, g = u + du, g + dg
    return u, g, MAX_NEWTON


@njit
def _within(kind: int, target: float, t: float, d: float, h: float, slope: float, change: float, end: float) -> float:
    """Return the part of a step at which time, or scale, has its target: Newton's method guarded by bisection."""
    low, high, c = 0.0, 1.0, 0.5
    for _ in range(100):
        value = _value(c, h, slope, change, end)
        if kind == BY_TIME:
            excess = t + d * _elapsed(c, h, slope, change, end) - target
            gain = d * value * value
        else:
            excess = 1.0 - target * value * value
            gain = -2 * target * value * (slope + c * (2 * (3 * change - 2 * slope - end) + 3 * c * (slope + end - 2 * change)))
        if excess > 0.0:
            high = c
        else:
            low = c
        move = -excess / gain if gain > 0.0 else math.inf
        if not low <= c + move <= high:
            move = 0.5 * (low + high) - c
        c += move
        if abs(move) < 1e-15:
            break
    return c


@njit
def march(
    x: Spectral, mu: Spectral, richness: float, per_decade: float, kind: int, targets: Array, found: Array, kept: Spectral
) -> tuple[int, int]:
    """Follow the flow through all targets (ascending times, or scales); return the number of steps and the most Newton steps.

    Rows of `found`: time, warped time, scale, and loss above the floor. `kept`, unless empty, takes e at the targets. A number of
    Newton steps equal to MAX_NEWTON says that the march was given up.
    """
    largest, drive = 0.0, 0.0
    for j in range(x.size):
        largest = max(largest, abs(x[j]))
        drive += (mu[j] * x[j]).real
    shortest = 1.0 / largest
    if drive * richness > 0.0:
        shortest = min(shortest, 1.0 / math.sqrt(richness * drive))
    tau, d = 0.0, _FIRST * shortest
    ratio = 10.0 ** (1.0 / per_decade)
    t, h, slope, guess = 0.0, 1.0, 0.0, 0.0
    e, constant, by_change, by_slope = np.ones_like(x), np.empty_like(x), np.empty_like(x), np.empty_like(x)
    part, by_change_part, by_slope_part = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    w, sums = mu / x, np.empty(12)
    i, steps, hardest = 0, 0, 0
    while i < targets.size:
        _sweep(x, mu, w, e, d, h, slope, constant, by_change, by_slope, sums)
        change, end, effort = _ends(sums, richness, d, h, slope, guess)
        hardest = max(hardest, effort)
        new = h + change
        if effort == MAX_NEWTON or not new > 0.0 or not math.isfinite(tau + d):
            return steps, MAX_NEWTON
        later = t + d * _elapsed(1.0, h, slope, change, end)
        while i < targets.size and (targets[i] <= later if kind == BY_TIME else targets[i] * new * new <= 1.0):
            # a step of its own up to the target: its end is as accurate as the grid, the cubic in between is not
            c = _within(kind, targets[i], t, d, h, slope, change, end)
            for _ in range(4):
                _sweep(x, mu, w, e, c * d, h, c * slope, part, by_change_part, by_slope_part, sums)
                gain, rise, effort = _ends(sums, richness, c * d, h, c * slope, c * slope)
                hardest = max(hardest, effort)
                value = h + gain
                if kind == BY_TIME:
                    move = (targets[i] - t - c * d * _elapsed(1.0, h, c * slope, gain, rise)) / (d * value * value)
                else:
                    move = (1.0 / math.sqrt(targets[i]) - value) * c / rise
                if abs(move) <= 1e-9 * c:
                    break
                c = min(max(c + move, 0.0), 1.5)
            found[i, 0] = t + c * d * _elapsed(1.0, h, c * slope, gain, rise)
            found[i, 1], found[i, 2] = tau + c * d, 1.0 / (value * value)
            total = 0.0
            for j in range(x.size):
                rest = part[j] + by_change_part[j] * gain + by_slope_part[j] * rise
                total += (mu[j] * rest * rest).real
                if kept.shape[0] > 0:
                    kept[i, j] = rest
            found[i, 3] = total / (value * value)
            i += 1
        for j in range(x.size):
            e[j] = constant[j] + by_change[j] * change + by_slope[j] * end
        tau += d
        t, h = later, new
        wider = tau * (ratio - 1.0)
        slope = end / d * wider
        guess = slope
        d = wider
        steps += 1
    return steps, hardest
