r"""The warped flow along a logarithmic grid: an exponential integrator of fourth order for one scalar function.

With the warped time :math:`d\tau = s\,dt`, :math:`h = s^{-1/2}`, and :math:`e_j = h - q_j` for the part of mode j that is not learned yet,

.. math:: \dot e_j = \dot h - x_j e_j, \qquad h^{-2} = 1 + \gamma \sum_j \frac{\mu_j}{x_j} (h - e_j)^2, \qquad
          \dot h = -\gamma h^3 \sum_j \mu_j (h - e_j)\, e_j.

Over a step h is the cubic with the right values and slopes at both ends. The equations for e are then solved exactly, and
what is left are two equations for the new value and the new slope, whose coefficients are sums over modes. They are written for
what changes over the step, nothing is a difference of nearly equal numbers, and steps are short against the time in which
the loss falls by e: the loss :math:`h^{-2}\sum_j \mu_j e_j^2` keeps its relative accuracy however small.
A chain of m hidden factors has :math:`h = \sigma^{-m/2}`, :math:`\sigma = 1 + \gamma \sum_j \frac{\mu_j}{x_j} q_j^2` instead, and
:math:`\dot h = -m\gamma h \sigma^{-1} \sum_j \mu_j q_j e_j`.
Complex pairs of modes are as good as real ones: :math:`\mu_j` then counts both, and sums are real parts.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array
from .._jit import njit

Spectral = NDArray[Any]
"""Floats or complex numbers: kernels are compiled for both."""

BY_TIME, BY_SCALE = 0, 1
MAX_NEWTON = 60

_TAIL = 1.25  # exponent of an exponential loss per step, over the logarithm of the grid's ratio
_FIRST = 1e-2  # of the shortest time scale: the first step
_SERIES = np.array([6.0 / math.factorial(k + 4) for k in range(11, -1, -1)])  # of I_3 in -z
_THIRD = 1.0 / 3.0
_NODES = np.array(
    [
        0.5 - 0.5 * x
        for x in (0.8611363115940526, 0.3399810435848563, -0.3399810435848563, -0.8611363115940526)
    ]
)
_SHARES = np.array(
    [
        0.5 * w
        for w in (0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538)
    ]
)


@njit
def _moments(z: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Return what a step does to a mode: what it keeps and what is new, exp(-z) and 1 - exp(-z), and gains of e.

    Gains from the old slope, from the change of h (and 1 minus that), and from the new slope: in terms of the integrals I_n of
    exp(-z (1 - y)) y^n over [0, 1] they are I_0 - 4 I_1 + 3 I_2, 6 (I_1 - I_2), and 3 I_2 - 2 I_1. For small z, what is small is written
    as z times something, with I_n = (1 - z I_(n+1)) / (n + 1).
    """
    size = z.real * z.real + z.imag * z.imag
    # |z| < 1/4: twelve terms of I_3 = sum of (-z)^k 6/(k + 4)!, then I_2, I_1, I_0 downward, each
    # of which multiplies the error by z; upward they would be divided by z
    if size < 0.0625:
        third = z * 0.0 + _SERIES[0]
        for k in range(1, _SERIES.size):
            third = _SERIES[k] - z * third
        second = _THIRD - _THIRD * (z * third)
        first = 0.5 - 0.5 * (z * second)
        learned = z * (1.0 - z * first)
        rest = z * (3.0 * second - 2.0 * third)
        return (
            1.0 - learned,
            learned,
            z * (2.0 * second - first - third),
            1.0 - rest,
            rest,
            z * (second - third),
        )
    # I_0 = (1 - exp(-z))/z and upward: at |z| > 1/4 three divisions cost two digits at most
    decay = np.exp(-z)
    inverse = np.conj(z) * (1.0 / size)
    learned = 1.0 - decay
    zeroth = learned * inverse
    first = (1.0 - zeroth) * inverse
    second = (1.0 - 2.0 * first) * inverse
    gain = 6.0 * (first - second)
    return (
        decay,
        learned,
        zeroth - 4.0 * first + 3.0 * second,
        gain,
        1.0 - gain,
        3.0 * second - 2.0 * first,
    )


@njit
def _value(c: float, h: float, slope: float, change: float, end: float) -> float:
    """Return the cubic of a step at the part c of it, from slopes times the length of the step."""
    return h + c * (
        slope + c * ((3.0 * change - 2.0 * slope - end) + c * (slope + end - 2.0 * change))
    )


@njit
def _elapsed(c: float, h: float, slope: float, change: float, end: float) -> float:
    """Return the integral of the square of the cubic from 0 to c, exactly."""
    total = 0.0
    for k in range(4):
        value = _value(c * _NODES[k], h, slope, change, end)
        total += _SHARES[k] * (value * value)
    return c * total


@njit
def _sweep(
    x: Spectral,
    mu: Spectral,
    w: Spectral,
    state: Spectral,
    d: float,
    h: float,
    slope: float,
    table: Spectral,
    sums: Array,
) -> None:
    """Write e and q at the end of a step in terms of its unknowns, the change of h and the slope at the end; fill in the sums they need.

    Rows of `state`: e and q = h - e, both, because either may be tiny. Rows of `table`: e = a + b change + c slope and
    q = a' + b' change - c slope, in the order a, b, c, a', b'.
    """
    s0, s1, s2, s3, s4, s5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    r0, r1, r2, r3, r4, r5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    # e and q at the end are linear in the change u of h and its new slope g. Of these the equations
    # contain sum of (mu/x) q^2 and sum of mu e q: twelve coefficients, and no mode is needed again
    for j in range(x.size):
        decay, fresh, drift, b, rest, c = _moments(x[j] * d)
        a = decay * state[0, j] + slope * drift
        learned = decay * state[1, j] + h * fresh - slope * drift
        table[0, j], table[1, j], table[2, j], table[3, j], table[4, j] = a, b, c, learned, rest
        weight = mu[j]
        wa, wb, wc = weight * a, weight * b, weight * c
        # e q = (a + b u + c g)(a' + b' u - c g), in the order 1, u, g, u^2, u g, g^2
        r0 += (wa * learned).real
        r1 += (wb * learned + wa * rest).real
        r2 += (wc * (learned - a)).real
        r3 += (wb * rest).real
        r4 += (wc * (rest - b)).real
        r5 -= (wc * c).real
        weight = w[j]
        wl, wr, wc = weight * learned, weight * rest, weight * c
        # what q^2 gains, with weights mu/x, in the order 1, u, u^2, g, u g, g^2; mixed terms count
        # twice; the first is (new - old)(new + old), with the difference written in small numbers
        s0 += (weight * (fresh * state[0, j] - slope * drift) * (state[1, j] + learned)).real
        s1 += (wl * rest).real
        s2 += (wr * rest).real
        s3 -= (wl * c).real
        s4 -= (wr * c).real
        s5 += (wc * c).real
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5] = s0, s1, s2, s3, s4, s5
    sums[6], sums[7], sums[8], sums[9], sums[10], sums[11] = r0, r1, r2, r3, r4, r5


@njit
def _gained(sums: Array, u: float, g: float) -> float:
    """Return what the sum of (mu/x) q^2 gains over a step."""
    return float(
        sums[0]
        + 2 * u * sums[1]
        + u * u * sums[2]
        + 2 * g * sums[3]
        + 2 * u * g * sums[4]
        + g * g * sums[5]
    )


@njit
def _ends(
    sums: Array, richness: float, depth: float, d: float, h: float, slope: float, held: float
) -> tuple[float, float, int]:
    """Solve for the change of h over a step and its slope at the end, both by Newton's method; return the steps taken too.

    `held` is the sum of (mu/x) q^2 before the step. Only gains over the step enter, so that unknowns
    that are tiny because everything is learned keep their digits.
    """
    # slopes are per step: an unchanged slope is the first guess for the change too
    u, g = slope, slope
    settled = False
    for step in range(MAX_NEWTON):
        new = h + u
        gained = _gained(sums, u, g)
        weighed_u = 2 * (sums[1] + u * sums[2] + g * sums[4])
        weighed_g = 2 * (sums[3] + u * sums[4] + g * sums[5])
        flux = (
            sums[6]
            + u * sums[7]
            + g * sums[8]
            + u * u * sums[9]
            + u * g * sums[10]
            + g * g * sums[11]
        )
        flux_u = sums[7] + 2 * u * sums[9] + g * sums[10]
        flux_g = sums[8] + u * sums[10] + 2 * g * sums[11]
        if depth == 1.0:
            # one: the gain of h^2 (1 + gamma sum of (mu/x) q^2) is 0; two: g + gamma d h^3 sum of mu e q = 0
            rate, scale = richness * d * new * new, 1.0 / (h * h)
            one = u * (new + h) * scale + new * new * richness * gained
            two = g + rate * new * flux
            scale += richness * gained
            one_u, one_g = (
                2 * new * scale + new * new * richness * weighed_u,
                new * new * richness * weighed_g,
            )
            two_u, two_g = rate * (3 * flux + new * flux_u), 1.0 + rate * new * flux_g
        else:
            # one: the gain of log h + (m/2) log sigma is 0; two: g + m gamma d h/sigma sum of mu e q = 0
            scale = 1.0 + richness * held
            one = math.log1p(u / h) + 0.5 * depth * math.log1p(richness * gained / scale)
            scale += richness * gained
            rate, pull = richness * depth * d / scale, richness / scale
            two = g + rate * new * flux
            one_u = 1.0 / new + 0.5 * depth * pull * weighed_u
            one_g = 0.5 * depth * pull * weighed_g
            two_u = rate * (flux + new * (flux_u - pull * weighed_u * flux))
            two_g = 1.0 + rate * new * (flux_g - pull * weighed_g * flux)
        det = one_u * two_g - one_g * two_u
        du, dg = (one_g * two - one * two_g) / det, (one * two_u - one_u * two) / det
        if settled:
            # one more step after convergence was seen, which squares what error was left
            return u + du, g + dg, step + 1
        settled = abs(du) < 1e-9 * h and abs(dg) < 1e-9 * h
        if u + du <= -0.9 * h:  # h stays positive
            du = 0.5 * (-0.9 * h - u)
        u, g = u + du, g + dg
    return u, g, MAX_NEWTON


@njit
def _within(
    kind: int, target: float, t: float, d: float, h: float, slope: float, change: float, end: float
) -> float:
    """Return the part of a step at which time, or scale, has its target: Newton's method guarded by bisection."""
    low, high, c = 0.0, 1.0, 0.5
    for _ in range(100):
        value = _value(c, h, slope, change, end)
        if kind == BY_TIME:
            excess = t + d * _elapsed(c, h, slope, change, end) - target
            gain = d * value * value
        else:
            excess = 1.0 - target * value * value
            gain = (
                -2
                * target
                * value
                * (
                    slope
                    + c * (2 * (3 * change - 2 * slope - end) + 3 * c * (slope + end - 2 * change))
                )
            )
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


def advance(
    x: Spectral,
    mu: Spectral,
    richness: float,
    depth: float,
    per_decade: float,
    least: float,
    kind: int,
    targets: Array,
    found: Array,
    kept: Spectral,
) -> tuple[int, int]:
    """Follow the flow through all targets (ascending times, or scales); return the number of steps and the most Newton steps.

    Steps grow with the warped time, but while the loss is above `least`, they are short against the time in which it falls by e.
    Rows of `found`: time, warped time, scale, and loss above the floor. `kept`, unless empty, takes e at the targets. A number of
    Newton steps equal to MAX_NEWTON says that it was given up.
    """
    # what NumPy allocates need not be compiled
    state, tables = np.zeros((2, x.size), x.dtype), np.empty((2, 5, x.size), x.dtype)
    steps, hardest = _advance(
        x,
        mu,
        float(richness),
        float(depth),
        float(per_decade),
        float(least),
        kind,
        targets,
        found,
        kept,
        state,
        tables,
        np.empty_like(mu),
        np.empty(12),
    )
    return steps, hardest


@njit
def _advance(
    x: Spectral,
    mu: Spectral,
    richness: float,
    depth: float,
    per_decade: float,
    least: float,
    kind: int,
    targets: Array,
    found: Array,
    kept: Spectral,
    state: Spectral,
    tables: Spectral,
    w: Spectral,
    sums: Array,
) -> tuple[int, int]:
    # the first step is short against 1/x of the fastest mode and against the time in which h
    # changes, since h'' = -m gamma sum of mu x at the start; from then on steps grow with tau
    largest, drive = 0.0, 0.0
    for j in range(x.size):
        largest = max(largest, abs(x[j]))
        drive += (mu[j] * x[j]).real
    tau, d = 0.0, _FIRST / max(largest, math.sqrt(depth * richness * max(drive, 0.0)))
    ratio = 10.0 ** (1.0 / per_decade)
    t, h, slope, held = 0.0, 1.0, 0.0, 0.0
    for j in range(x.size):
        # e = 1 and q = 0: nothing is learned yet
        state[0, j], w[j] = 1.0, mu[j] / x[j]
    i, steps, hardest = 0, 0, 0
    # a target is reached by a step of its own, the part c of the step that passes it: its end is as accurate as the grid, which
    # the cubic in between is not
    c, partial, tries = 1.0, 0, 0
    change, end, later, more = 0.0, 0.0, 0.0, 0.0
    while i < targets.size:
        # two tables: that of the whole step outlives the partial steps to the targets inside of it
        table = tables[partial]
        _sweep(x, mu, w, state, c * d, h, c * slope, table, sums)
        gain, rise, effort = _ends(sums, richness, depth, c * d, h, c * slope, held)
        hardest = max(hardest, effort)
        value, span = h + gain, c * d * _elapsed(1.0, h, c * slope, gain, rise)
        if effort == MAX_NEWTON or not value > 0.0 or not math.isfinite(tau + d):
            return steps, MAX_NEWTON
        if partial == 0:
            change, end, later, more = gain, rise, t + span, held + _gained(sums, gain, rise)
        else:
            # Newton's correction of c, per unit of which time grows by d h^2, and h by rise/c
            move = (
                (targets[i] - t - span) / (d * value * value)
                if kind == BY_TIME
                else (1.0 / math.sqrt(targets[i]) - value) * c / rise
            )
            tries += 1
            if abs(move) > 1e-12 * c and tries < 5:
                c = min(max(c + move, 0.0), 1.5)
                continue
            found[i, 0], found[i, 1], found[i, 2] = t + span, tau + c * d, 1.0 / (value * value)
            # h^-2 sum of mu e^2 = s sum of mu e^2: positive terms, however small
            found[i, 3] = 0.0
            for j in range(x.size):
                rest = table[0, j] + table[1, j] * gain + table[2, j] * rise
                found[i, 3] += (mu[j] * rest * rest).real / (value * value)
                if kept.shape[0] > 0:
                    kept[i, j] = rest
            i += 1
        if i < targets.size and (
            targets[i] <= later
            if kind == BY_TIME
            else targets[i] * ((h + change) * (h + change)) <= 1.0
        ):
            c, partial, tries = _within(kind, targets[i], t, d, h, slope, change, end), 1, 0
            continue
        # q by its own recursion: as h - e it would lose its digits while it is small, and e later
        loss, fall = 0.0, 0.0
        for j in range(x.size):
            state[0, j] = tables[0, 0, j] + tables[0, 1, j] * change + tables[0, 2, j] * end
            state[1, j] = tables[0, 3, j] + tables[0, 4, j] * change - tables[0, 2, j] * end
            loss += (mu[j] * state[0, j] * state[0, j]).real
            fall += (mu[j] * state[0, j] * (x[j] * state[0, j] - end / d)).real
        tau, t, h, held = tau + d, later, h + change, more
        length = tau * (ratio - 1.0)
        if loss > least and fall > 0.0:
            length /= 1.0 + 2.0 * fall / loss / _TAIL * length / math.log(ratio)
        # slopes are per step: the old one over the old length, times the new one
        slope, d = end / d * length, length
        c, partial = 1.0, 0
        steps += 1
    return steps, hardest
