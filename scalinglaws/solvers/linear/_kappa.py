"""The renormalized ridge kappa: the real root by a guarded Newton iteration, complex ones by continuation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .._jit import njit

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

MAX_STEPS = 200


@njit
def filling(kappa: float, ratio: float, gap: float, ridge: float) -> tuple[float, float, float]:
    """Solve (1 - y)(1 - ratio y) = r / kappa for y = df1/n; return y, 1 - y and the root of the discriminant."""
    quotient = min(ridge / kappa, 1.0)
    disc = math.sqrt(gap * gap + 4 * ratio * quotient)
    filled = 2 * (1 - quotient) / ((1 + ratio) + disc)
    empty = 2 * quotient / (gap + disc) if quotient > 0.0 else 0.0
    return filled, empty, disc


@njit
def mismatch(
    eigenvalues: Array,
    multiplicities: Array,
    size: float,
    df1: float,
    d: float,
    n: float,
    kappa: float,
    ratio: float,
    gap: float,
    ridge: float,
) -> tuple[float, float]:
    """Return how far df1/n lies above y, and minus the derivative of that with respect to log kappa.

    Three forms of one equation, each for the range in which it is well conditioned and nearly linear in log kappa.
    """
    filled, empty, disc = filling(kappa, ratio, gap, ridge)
    rise = min(ridge / kappa, 1.0) / disc if disc > 0.0 else 0.0
    if filled <= 0.5:  # kappa close to r
        return df1 / n - filled, d / n + rise
    if size <= n and empty < 0.1:  # all modes nearly learned: compare what is missing, which df1 does not resolve
        missing = 0.0
        for k in range(eigenvalues.size):
            missing += multiplicities[k] * (kappa / (eigenvalues[k] + kappa))
        missing = ((n - size) + missing) / n
        return math.log(empty / missing), d / (n * missing) + rise / empty
    return math.log(df1 / (n * filled)), d / df1 + rise / filled  # df1 close to a power of kappa


@njit
def occupation(eigenvalues: Array, multiplicities: Array, kappa: float) -> tuple[float, float]:
    """Sum df1 and df1 - df2; in two halves, because the additions of a single sum would wait for each other."""
    half = eigenvalues.size // 2
    df1_low, df1_high, d_low, d_high = 0.0, 0.0, 0.0, 0.0
    for k in range(half):
        low, high = 1.0 / (eigenvalues[k] + kappa), 1.0 / (eigenvalues[k + half] + kappa)
        share_low, share_high = multiplicities[k] * eigenvalues[k] * low, multiplicities[k + half] * eigenvalues[k + half] * high
        df1_low += share_low
        df1_high += share_high
        d_low += share_low * kappa * low
        d_high += share_high * kappa * high
    if 2 * half < eigenvalues.size:
        last = 1.0 / (eigenvalues[-1] + kappa)
        share = multiplicities[-1] * eigenvalues[-1] * last
        df1_high += share
        d_high += share * kappa * last
    return df1_low + df1_high, d_low + d_high


@njit
def renormalized_ridge(
    eigenvalues: Array, multiplicities: Array, size: float, trace: float, n: float, ratio: float, gap: float, ridge: float
) -> tuple[float, int]:
    """Solve r = kappa R_1 R_3 for the physical (largest) root; return it and the steps taken.

    With n the smaller of N and P and ratio = n / the larger, the filling y = df1/n obeys (1 - y)(1 - ratio y) = r / kappa,
    which gives y(kappa) in closed form without cancellation, for N = P too. What is left is df1(kappa)/n = y(kappa): the
    left side falls with kappa and the right side rises, so the root is unique. Newton's method, with bisection as a guard.
    """
    if math.isinf(n):
        return ridge, 0
    # kappa >= r, and n >= df1 >= M l / (l + kappa) with l the smallest eigenvalue and M the number of weighted modes
    low = math.log(ridge) if ridge > 0.0 else -math.inf
    if size > n * (1 + 1e-9):
        count, smallest = 0.0, math.inf
        for k in range(eigenvalues.size):
            count += multiplicities[k]
            smallest = min(smallest, eigenvalues[k])
        low = max(low, math.log(smallest) + math.log((count - n) / n))
    high = math.log(ridge + (1 + ratio) / n * trace)
    x = high
    for step in range(MAX_STEPS):
        kappa = math.exp(x)
        df1, d = occupation(eigenvalues, multiplicities, kappa)
        residual, slope = mismatch(eigenvalues, multiplicities, size, df1, d, n, kappa, ratio, gap, ridge)
        if residual > 0.0:
            low = max(low, x)
        else:
            high = min(high, x)
        change = residual / slope
        if abs(change) < 1e-9 or high - low < 1e-14 * max(1.0, abs(x)):
            # Newton's error is squared by the step still to be made
            return math.exp(min(max(x + change, low), high)), step + 1
        if not low < x + change < high:
            change = (0.5 * (low + high) if low > -math.inf else high - 8.0) - x
        x += change
    return math.exp(x), MAX_STEPS
