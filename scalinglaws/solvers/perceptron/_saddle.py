r"""The saddle point of the logistic perceptron: compiled, with the proximal map written explicitly.

Cavity fields are measured in units of the width s, :math:`u = \omega/s`, displacements too, :math:`\eta = \delta/s`, and
:math:`b = \lambda s`. The variable of integration is :math:`t = y - y_0` with the scaled margin :math:`y = 2\lambda\Delta`, in which
the proximal map is explicit: with :math:`\varsigma_0 = \sigma(y_0)` and :math:`D = 1 - \varsigma_0 + \varsigma_0 e^t`,

.. math:: \eta = \frac{\eta_0}{D}, \qquad u = \frac t{2b} + \eta\,\varsigma_0 (e^t - 1), \qquad
          W = \frac{du}{dt} = \frac1{2b} + \eta\,\varsigma, \quad \varsigma = \frac{\varsigma_0 e^t}D .

The two equations are :math:`R = \alpha\sqrt{2/\pi}\, s I_1` and :math:`1 = \alpha\sqrt{2/\pi}\, s I_2` with

.. math:: I_1 = \int \varphi(u)\,\eta\,du, \qquad I_2 = \int e^{-s^2u^2/2}\,\Phi(Ru)\,\eta^2\,du .

For many samples at a fixed ratio of norm and samples, s falls to 0 and R rises to 1: the same integrals are the master curve's.
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._jit import njit, njit_shared

MOST_STEPS = 60
"""Newton steps after which a point counts as not solved."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NEAR, _SOLVED, _ROUNDED = 1e-6, 1e-12, 2e-14  # Newton's steps square residuals
_PANELS = 4000  # far more than any point needs
_REACH = 9.0  # deviations beyond which a Gaussian weight is below rounding
_ROOT = math.sqrt(2.0 / math.pi)
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_HALF = math.sqrt(0.5)

# what the integrals are, in the order in which they are kept
_I1, _I1_G, _I1_TAU, _I2, _I2_G, _I2_TAU = 0, 1, 2, 3, 4, 5
_BUSY, _WORK, _LOSS, _I1_NORM, _I2_NORM = 6, 7, 8, 9, 10
SUMS = 11

# what is known of a point, in the order of the columns of its row
LOG_TAU, LOG_DELTA, RESIDUAL, STEPS, SENSITIVITY = 0, 1, 2, 3, 4
FREE, LOSS, SLOPE, LOG_CHI, CUTOFF = 5, 6, 7, 8, 9
COLUMNS = 10


@njit
def _integrate(b: float, eta0: float, s: float, r: float, full: bool, sums: Array) -> int:
    """Fill in the integrals; return the number of panels."""
    for k in range(SUMS):
        sums[k] = 0.0
    y0 = 2.0 * b * eta0
    e0 = math.exp(-y0)
    share = 1.0 / (1.0 + e0)
    rest = e0 * share  # 1 - share without the difference
    half_b = 0.5 / b
    panels = 0
    # integrals linear in the displacement inherit where its tail is cut off
    tail = 1e-15 if full else 1e-9
    farthest = _REACH / s if s > 0.0 else math.inf
    for side in (-1.0, 1.0):
        t = 0.0
        while panels < _PANELS:
            grown = math.exp(t)
            d = rest + share * grown
            eta = eta0 / d
            u = t * half_b + eta * share * math.expm1(t)
            y = y0 + t
            if side < 0.0:
                if u < -_REACH:
                    break
                reach = 1.5
            else:
                if u > farthest or d > 1e18 or (u > _REACH and d * tail > 1.0):
                    break
                reach = max(1.5, abs(u))
                if s > 0.0:
                    reach = min(reach, 1.5 / s)
            step = reach / (half_b + eta * share * grown / d)
            # the proximal map bends over |t| ~ 1 around y = 0; far below, where it is a shift, over |y|
            step = min(step, 0.5 * abs(y) if y < -40.0 else 3.0)
            for _ in range(60):
                end = t + side * step
                eta_end = eta0 / (rest + share * math.exp(end))
                if abs(end * half_b + eta_end * share * math.expm1(end) - u) <= 1.6 * reach:
                    break
                step *= 0.5
            _panel(t, side * step, y0, eta0, share, rest, half_b, s, r, full, sums)
            t += side * step
            panels += 1
    return panels


@njit
def _panel(
    start: float,
    step: float,
    y0: float,
    eta0: float,
    share: float,
    rest: float,
    half_b: float,
    s: float,
    r: float,
    full: bool,
    sums: Array,
) -> None:
    half = 0.5 * step
    for j in range(16):
        t = start + half * (1.0 + _NODES[j])
        weight = abs(half) * _WEIGHTS[j]
        grown = math.exp(t)
        d = rest + share * grown
        eta = eta0 / d
        steep = share * grown / d
        u = t * half_b + eta * share * math.expm1(t)
        w = half_b + eta * steep
        y = y0 + t
        normal = weight * _DENSITY * math.exp(-0.5 * u * u)
        # the teacher's label makes positive fields likelier: 2 phi(omega) Phi(tau omega) d omega, without sqrt(2/pi) s
        labeled = weight * math.exp(-0.5 * (s * u) ** 2) * 0.5 * math.erfc(-r * u * _HALF)
        sums[_I1] += normal * eta * w
        sums[_I1_G] += normal * eta * half_b
        sums[_I1_TAU] += normal * u * eta * steep
        sums[_I2] += labeled * eta * eta * w
        sums[_I2_G] += labeled * 2.0 * eta * eta * half_b
        sums[_I2_TAU] += normal * u * eta * eta * w
        if not full:
            continue
        # observables
        sums[_BUSY] += labeled * eta * steep
        sums[_WORK] += labeled * eta * y * half_b * w  # delta Delta in units of s^2
        sums[_LOSS] += (
            labeled * w * (math.log1p(math.exp(-y)) if y > 0 else math.log1p(math.exp(y)) - y)
        )
        # derivatives in ln(norm) at fixed 2 chi norm
        shift = -eta * y * steep * half_b
        sums[_I1_NORM] += normal * shift
        sums[_I2_NORM] += labeled * 2.0 * eta * shift


@njit_shared
def solve_point(alpha: float, norm: float, limit: bool, row: Array, sums: Array) -> None:
    """Solve one point by Newton's method in the logarithms of tau and of the displacement at field 0.

    With `limit`, samples and norm are infinite: `norm` is their ratio, `alpha` is 1, and tau stands for tau / alpha.
    """
    drive = alpha * _ROOT
    log_drive = math.log(drive)
    if limit:
        log_tau = 0.5 * math.log(2.0 / math.pi * 3.244 * norm)
        most = math.log(0.764)
    else:
        log_tau = 0.5 * (math.log(2.0 / math.pi * alpha) + math.log1p(3.244 * norm))
        most = math.log(0.764 * alpha + math.sqrt(0.637 * alpha))
    log_tau = min(log_tau, most)
    # without the norm's effect, the mean displacement is that at field 0
    log_delta = (0.0 if limit else log_overlap(log_tau)) - log_drive
    worst, before, sensitivity, slope = math.inf, math.inf, math.inf, math.nan
    done = worst < _NEAR  # no constant, for which the integrals would be compiled once more
    steps = 0
    while True:
        log_r = 0.0 if limit else log_overlap(log_tau)
        log_s = -log_tau if limit else log_r - log_tau
        r = math.exp(log_r)
        scale = math.exp(log_s)
        s = 0.0 if limit else scale
        b, eta0 = norm * scale, math.exp(log_delta - log_s)
        _integrate(b, eta0, s, r, done, sums)
        i1, i2 = sums[_I1], sums[_I2]
        r1 = log_drive + log_s + math.log(i1) - log_r
        r2 = log_drive + log_s + math.log(i2)
        worst = max(abs(r1), abs(r2))
        y0 = 2.0 * b * eta0
        inner = 1.0 + y0 / (1.0 + math.exp(-y0))
        j11, j12 = sums[_I1_G] / i1, r * r * sums[_I1_TAU] / i1 - s * s
        j21, j22 = sums[_I2_G] / i2, r * sums[_I2_TAU] / i2 + 2.0 * r * r
        determinant = j11 * j22 - j12 * j21
        # a step more where rounding has not been reached; where it is larger than hoped, it is told
        if done and (worst < _ROUNDED or (worst < _SOLVED and worst >= 0.5 * before)):
            rounding = worst + 1e-15
            sensitivity = (abs(j11) + abs(j21)) / abs(determinant) * rounding
            c1, c2 = sums[_I1_NORM] / i1, sums[_I2_NORM] / i2
            slope = -(j11 * c2 - j21 * c1) / determinant  # d ln tau / d ln norm
            break
        if steps >= MOST_STEPS or not math.isfinite(worst):
            break
        step_delta = -(j22 * r1 - j12 * r2) / determinant / inner
        step_tau = -(j11 * r2 - j21 * r1) / determinant
        largest = max(abs(step_delta), abs(step_tau))
        damping = 1.0 / largest if largest > 1.0 else 1.0
        log_delta += damping * step_delta
        log_tau += damping * step_tau
        before = worst
        steps += 1
        done = worst < _NEAR
    row[LOG_TAU], row[LOG_DELTA], row[RESIDUAL], row[STEPS] = log_tau, log_delta, worst, steps
    row[SENSITIVITY] = sensitivity
    total = _ROOT * scale  # the density's factor that the integrals lack
    row[FREE] = alpha * total * scale * scale * sums[_WORK]
    row[LOSS] = total * sums[_LOSS]
    row[SLOPE] = slope
    log_cutoff = log_delta + math.log1p(math.exp(-y0)) + y0  # chi norm = delta_0 (1 + e^y0) / 2
    row[CUTOFF] = log_cutoff - math.log(2.0)
    row[LOG_CHI] = row[CUTOFF] - math.log(norm)


@njit
def log_overlap(log_tau: float) -> float:
    """Return the logarithm of R = tau / sqrt(1 + tau^2)."""
    if log_tau > 0.0:
        return -0.5 * math.log1p(math.exp(-2.0 * log_tau))
    return log_tau - 0.5 * math.log1p(math.exp(2.0 * log_tau))


@njit
def solve_points(alpha: Array, norm: Array, limit: bool, table: Array) -> None:
    """Solve points one after the other."""
    sums = np.empty(SUMS)
    for i in range(alpha.size):
        solve_point(alpha[i], norm[i], limit, table[i], sums)
