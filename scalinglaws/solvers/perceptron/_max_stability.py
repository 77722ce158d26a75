r"""The perceptron of maximum stability, the limit of infinite norm: compiled.

.. math:: \delta(\omega) = (\kappa - \omega)_+, \qquad R = \alpha\sqrt{2/\pi}\; s A(k), \quad 1 = \alpha\sqrt{2/\pi}\; s B(k),

with :math:`k = \kappa/s`, :math:`A(k) = k\Phi(k) + \varphi(k)` and
:math:`B = \int_{-\infty}^k e^{-s^2u^2/2}\,\Phi(Ru)\,(k - u)^2 du`.
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._jit import njit
from ._saddle import MOST_STEPS, log_overlap

LOG_TAU, LOG_KAPPA, RESIDUAL, STEPS, SENSITIVITY, FREE = 0, 1, 2, 3, 4, 5
_COLUMNS = 6

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_ROOT = math.sqrt(2.0 / math.pi)
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_HALF = math.sqrt(0.5)
_REACH = 9.0


def solve(alpha: Array) -> Array:
    """Return a row of columns for each number of samples."""
    table = np.full((alpha.size, _COLUMNS), math.nan)
    _solve(alpha, table)
    return table


@njit
def _moments(k: float, s: float, r: float, sums: Array) -> None:
    """Fill in B, its halved derivative in k, and the integral of phi(u) u (k - u)^2."""
    sums[:] = 0.0
    # from where nothing weighs any more on the right, down to where nothing weighs on the left
    u = min(k, _REACH / s)
    while u > -_REACH:
        step = min(1.0 if u < _REACH else 1.0 / s, u + _REACH)
        for j in range(16):
            x = u - 0.5 * step * (1.0 + _NODES[j])
            weight = 0.5 * step * _WEIGHTS[j]
            labeled = weight * math.exp(-0.5 * (s * x) ** 2) * 0.5 * math.erfc(-r * x * _HALF)
            normal = weight * _DENSITY * math.exp(-0.5 * x * x)
            short = k - x
            sums[0] += labeled * short * short
            sums[1] += labeled * short
            sums[2] += normal * x * short * short
        u -= step


@njit
def _solve(alpha: Array, table: Array) -> None:
    sums = np.empty(3)
    for i in range(alpha.size):
        log_drive = math.log(alpha[i] * _ROOT)
        log_tau = math.log(0.764 * alpha[i] + math.sqrt(0.637 * alpha[i]))
        log_kappa = log_overlap(log_tau) - log_drive
        steps = 0
        done = False
        while True:
            log_r = log_overlap(log_tau)
            log_s = log_r - log_tau
            r, s = math.exp(log_r), math.exp(log_s)
            k = math.exp(log_kappa - log_s)
            _moments(k, s, r, sums)
            lower = 0.5 * math.erfc(-k * _HALF)
            normal = _DENSITY * math.exp(-0.5 * k * k)
            mean = k * lower + normal
            r1 = log_drive + log_s + math.log(mean) - log_r
            r2 = log_drive + log_s + math.log(sums[0])
            worst = max(abs(r1), abs(r2))
            j11, j12 = k * lower / mean, -r * r * normal / mean - s * s
            j21, j22 = 2.0 * k * sums[1] / sums[0], r * sums[2] / sums[0] + 2.0 * r * r
            determinant = j11 * j22 - j12 * j21
            if (done and worst < 1e-12) or steps >= MOST_STEPS or not math.isfinite(worst):
                break
            step_kappa = -(j22 * r1 - j12 * r2) / determinant
            step_tau = -(j11 * r2 - j21 * r1) / determinant
            largest = max(abs(step_kappa), abs(step_tau))
            damping = 1.0 / largest if largest > 1.0 else 1.0
            log_kappa += damping * step_kappa
            log_tau += damping * step_tau
            steps += 1
            done = worst < 1e-6
        row = table[i]
        row[LOG_TAU], row[LOG_KAPPA], row[RESIDUAL], row[STEPS] = log_tau, log_kappa, worst, steps
        row[SENSITIVITY] = (abs(j11) + abs(j21)) / abs(determinant) * (worst + 1e-15)
        # 1 - alpha P(omega < kappa) = alpha E[delta kappa], without the difference
        row[FREE] = alpha[i] * _ROOT * math.exp(log_kappa + 2.0 * log_s) * sums[1]
