"""Stated accuracies against 30 digits: the saddle point is solved again, with mpmath, in other variables.

Integrals run over the scaled margin u, of which the field is an explicit function: lambda omega = u + x V'(u).
"""

import math
from functools import cache

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from scalinglaws.solvers.perceptron import (
    bayes,
    fixed_norm,
    gibbs,
    master_curve,
    max_stability,
    optimal_norm,
)

DIGITS = 40


@cache
def _gauss(count=32):
    """Return nodes and weights of Gauss-Legendre quadrature, by Newton's method on the polynomials."""
    found = []
    for k in range(count):
        z = mp.cos(mp.pi * (k + mpf(3) / 4) / (count + mpf(1) / 2))
        for _ in range(8):
            low, high = mpf(1), z
            for n in range(2, count + 1):
                low, high = high, ((2 * n - 1) * z * high - (n - 1) * low) / n
            slope = count * (low - z * high) / (1 - z * z)
            z -= high / slope
        found.append((z, 2 / ((1 - z * z) * slope**2)))
    return found


def _logistic(u):
    e = mp.exp(-2 * abs(u))
    falling = 1 / (1 + e) if u < 0 else e / (1 + e)  # sigma(-2u)
    value = mp.log1p(e) - (2 * u if u < 0 else 0)
    return value, -2 * falling, 4 * falling * (1 / (1 + e) if u > 0 else e / (1 + e))


def _exponential(u):
    e = mp.exp(-u)
    return e, -e, e


def _panels(omega, start, s, displaced):
    """Yield ends of panels over the margin, from where the field is 0 both ways."""
    for side in (-1, 1):
        u, w = start, omega(start)
        while True:
            if side < 0 and w < -13 * s:
                break
            if side > 0 and (w > 13 or displaced(u) < mpf(10) ** -26 * displaced(start)):
                break
            reach = s if side < 0 else max(s, min(mpf(1), abs(w) / 2))
            step = max(mpf("0.6"), abs(u) / 3)
            # neither the field's weight nor the displacement may change much within a panel
            while abs(omega(u + side * step) - w) > reach or (
                displaced(u + side * step) < displaced(u) / 500
            ):
                step /= 2
            yield min(u, u + side * step), max(u, u + side * step)
            u += side * step
            w = omega(u)


def _integrals(alpha, norm, log_tau, log_start, loss):
    """Return the two equations' logarithmic residuals, and the mean training loss; u = `start` where the field is 0."""
    tau, start = mp.exp(log_tau), mp.exp(log_start)
    x = -start / loss(start)[1]
    s, r = 1 / mp.sqrt(1 + tau**2), tau / mp.sqrt(1 + tau**2)

    def omega(u):
        return (u + x * loss(u)[1]) / norm

    first = second = train = mpf(0)
    for a, b in _panels(omega, start, s, lambda u: -x * loss(u)[1]):
        half = (b - a) / 2
        for z, weight in _gauss():
            u = a + half * (1 + z)
            value, slope, curvature = loss(u)
            w = (u + x * slope) / norm
            share = half * weight * (1 + x * curvature) / norm
            d = -x * slope
            first += share * d * mp.exp(-((w / s) ** 2) / 2) / (s * mp.sqrt(2 * mp.pi))
            law = share * mp.exp(-(w**2) / 2) / mp.sqrt(2 * mp.pi) * mp.erfc(-tau * w / mp.sqrt(2))
            second += law * d * d
            train += law * value
    drive = alpha * mp.sqrt(2 / mp.pi)
    return (
        mp.log(drive * first) - mp.log(norm * r),
        mp.log(alpha * second) - 2 * mp.log(norm * s),
        train,
    )


def _solved(alpha, norm, log_tau, log_start, loss):
    """Return error and mean training loss with 20 digits or more, from a nearby start."""
    with mp.workdps(DIGITS):
        alpha, norm = mpf(alpha), mpf(norm)
        at = mpmath.matrix([log_tau, log_start])
        tiny = mpf(10) ** -24
        jacobian = None
        for _ in range(4):
            r1, r2, train = _integrals(alpha, norm, at[0], at[1], loss)
            if jacobian is None:
                columns = [
                    _integrals(alpha, norm, at[0] + dt, at[1] + dx, loss)
                    for dt, dx in ((tiny, 0), (0, tiny))
                ]
                jacobian = mpmath.matrix(2, 2)
                for j, column in enumerate(columns):
                    jacobian[0, j], jacobian[1, j] = (
                        (column[0] - r1) / tiny,
                        (column[1] - r2) / tiny,
                    )
            step = mpmath.lu_solve(jacobian, mpmath.matrix([-r1, -r2]))
            at = at + step
            if max(abs(step[0]), abs(step[1])) < mpf(10) ** -14:
                break
        return mp.atan(mp.exp(-at[0])) / mp.pi, train


def _deviations(alpha, norm, loss, kind):
    found = fixed_norm(alpha, norm, kind)
    log_tau = -mp.log(mp.tan(mp.pi * mpf(found.error)))
    log_start = mp.log(mpf(norm) * mpf(found.displacement))
    error, train = _solved(alpha, norm, log_tau, log_start, loss)
    apart = float(abs(found.error / error - 1))
    train_apart = float(abs(found.train_loss / train - 1)) if found.train_loss > 1e-290 else 0.0
    return found, apart, train_apart
