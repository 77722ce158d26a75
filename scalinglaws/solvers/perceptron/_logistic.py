"""The logistic perceptron: rows of points, compiled, on one thread or on several."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ...arguments import Array
from . import _max_stability, _observables, _saddle
from ._points import Points, overlap

_BLOCK = 64  # points that one thread solves in a call
_LOG_LARGEST = 600.0


def solve(alpha: Array, norm: Array, *, threads: int = 1) -> Points:
    """Solve points, limits of the norm included."""
    found = Points.unknown(alpha.size)
    none, most = norm == 0.0, np.isinf(norm)
    for chosen, solved in ((none, _hebb), (most, most_stable)):
        if np.any(chosen):
            _fill(found, chosen, solved(alpha[chosen]))
    rest = ~(none | most)
    if np.any(rest):
        _fill(found, rest, _finite(alpha[rest], norm[rest], threads))
    return found


def _fill(target: Points, chosen: Array, source: Points) -> None:
    for name, column in vars(source).items():
        getattr(target, name)[chosen] = column


def _finite(alpha: Array, norm: Array, threads: int) -> Points:
    table = np.full((alpha.size, _saddle.COLUMNS), math.nan)
    seen = np.full((alpha.size, 2), math.nan)

    def work(start: int) -> None:
        part = slice(start, start + _BLOCK)
        _saddle.solve_points(alpha[part], norm[part], False, table[part])
        rows = table[part]
        tau = np.exp(rows[:, _saddle.LOG_TAU])
        cutoff = np.exp(np.minimum(rows[:, _saddle.CUTOFF], _LOG_LARGEST))
        _observables.observe(norm[part], overlap(tau), 1 / np.hypot(1.0, tau), cutoff, seen[part])

    starts = range(0, alpha.size, _BLOCK)
    if threads > 1 and len(starts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, starts))
    else:
        for start in starts:
            work(start)
    columns = table.T
    log_chi, free = columns[_saddle.LOG_CHI], columns[_saddle.FREE]
    with np.errstate(over="ignore", under="ignore"):
        # mu = (1 - alpha A) / (chi lambda^2)
        multiplier = np.exp(np.log(free) - log_chi - 2 * np.log(norm))
    tau = np.exp(columns[_saddle.LOG_TAU])
    return Points(
        tau=tau,
        displacement=np.exp(columns[_saddle.LOG_DELTA]),
        log_response=log_chi,
        train_loss=columns[_saddle.LOSS],
        train_error=seen[:, 0],
        test_loss=seen[:, 1],
        multiplier=multiplier,
        free_share=free,
        slope=error_slope(tau, columns[_saddle.SLOPE]),
        residual=columns[_saddle.RESIDUAL],
        steps=columns[_saddle.STEPS],
        sensitivity=columns[_saddle.SENSITIVITY],
    )


def error_slope(tau: Array, log_slope: Array) -> Array:
    """Turn a logarithmic derivative of tau into that of the error."""
    return np.asarray(-log_slope * tau / ((1 + tau**2) * np.arctan2(1.0, tau)))


def _hebb(alpha: Array) -> Points:
    """At norm 0 every example pulls alike, by its loss's slope at 0."""
    tau = np.sqrt(2 * alpha / math.pi)
    displacement = overlap(tau) / (alpha * math.sqrt(2 / math.pi))
    zero, rounding = np.zeros(alpha.size), np.full(alpha.size, 1e-15)
    rows = zip(displacement, 1 / np.hypot(1.0, tau), overlap(tau), strict=True)
    return Points(
        tau=tau,
        displacement=displacement,
        log_response=np.full(alpha.size, math.inf),
        train_loss=zero + math.log(2),
        train_error=np.array([_observables.below(*row) for row in rows]),
        test_loss=zero + math.log(2),
        multiplier=np.full(alpha.size, math.inf),
        free_share=zero + 1.0,
        slope=zero,
        residual=zero,
        steps=zero,
        sensitivity=rounding,
    )


def most_stable(alpha: Array) -> Points:
    """At infinite norm only the smallest margin counts."""
    table = _max_stability.solve(alpha)
    zero = np.zeros(alpha.size)
    return Points(
        tau=np.exp(table[:, _max_stability.LOG_TAU]),
        displacement=np.exp(table[:, _max_stability.LOG_KAPPA]),
        log_response=np.full(alpha.size, math.inf),
        train_loss=zero,
        train_error=zero,
        test_loss=np.full(alpha.size, math.inf),
        multiplier=zero,
        free_share=table[:, _max_stability.FREE],
        slope=zero,
        residual=table[:, _max_stability.RESIDUAL],
        steps=table[:, _max_stability.STEPS],
        sensitivity=table[:, _max_stability.SENSITIVITY],
    )
