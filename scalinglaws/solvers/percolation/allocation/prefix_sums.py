r"""Clusters that differ in weight only: the optimum learns the j heaviest, and everything follows from two running sums.

With :math:`C_k = w_k^{1/(1+\beta)}`, :math:`S_j = \sum_{k\le j} C_k` and :math:`T_j = \sum_{k>j} w_k` the hard law gives
:math:`L_j = S_j^{1+\beta} n^{-\beta} + T_j`, and j clusters are as good as j - 1 from :math:`n = t_j` on, which depends on
:math:`q_j = C_j/S_j` alone:

.. math:: t = \frac1q \left[1 + \frac{1-q}q \left(1 - (1-q)^\beta\right)\right]^{1/\beta}.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit

Array = NDArray[np.float64]


@njit
def entry(q: float, beta: float) -> float:
    """Return the budget (hard law, scale 1) from which on a cluster with the share q of all C is worth learning."""
    if q >= 1.0:
        return 1.0
    if q < 1e-17:
        return math.exp(math.log1p(beta) / beta) / q if q > 0.0 else math.inf
    # 1 - (1-q)^beta by expm1: for small q it is beta q, and 1 minus a power would cancel
    empty = math.log1p(-q)
    return math.exp(math.log1p(-(1 - q) / q * math.expm1(beta * empty)) / beta) / q


@njit
def running_sums(w: Array, beta: float, c: Array, s: Array, t: Array) -> None:
    """Fill C, S and T for weights in decreasing order, with compensated sums."""
    power = 1 / (1 + beta)
    total, lost = 0.0, 0.0
    for k in range(w.size):
        c[k] = w[k] ** power
        larger = total + c[k]
        lost += (total - larger) + c[
            k
        ]  # the running total is the larger one, but for its first entries, where nothing is lost
        total = larger
        s[k] = total + lost
    total, lost = 0.0, 0.0
    t[w.size] = 0.0
    for k in range(w.size - 1, -1, -1):
        larger = total + w[k]
        lost += (w[k] - larger) + total if w[k] > total else (total - larger) + w[k]
        total = larger
        t[k] = total + lost


@njit
def included(n: float, beta: float, shifted: bool, c: Array, s: Array, count: int) -> int:
    """Return how many of the `count` clusters with a positive weight are learned at the budget n (scale 1)."""
    # q_j = C_j/S_j falls with j, so that budgets of entry rise: a binary search
    low, high = 0, count
    while low < high:
        j = (low + high + 1) // 2
        # shifted law: cluster j receives (n + j) C_j/S_j - 1, which is positive from here on
        enters = s[j - 1] / c[j - 1] - j if shifted else entry(c[j - 1] / s[j - 1], beta)
        if n >= enters:
            low = j
        else:
            high = j - 1
    return low


@njit
def optimum(
    n: float, beta: float, shifted: bool, c: Array, s: Array, t: Array, count: int
) -> tuple[int, float, float, float]:
    """Return the number of clusters learned, the loss, the dual bound, and log lambda (scale 1)."""
    if n == math.inf:
        return count, 0.0, 0.0, -math.inf
    if count == 0:
        return 0, 0.0, 0.0, -math.inf
    if shifted:
        if n == 0.0:
            return 0, t[0], t[0], math.log(beta) + (1 + beta) * math.log(c[0])
        j = max(included(n, beta, shifted, c, s, count), 1)
        # S (S/(n + j))^beta instead of S^(1 + beta) (n + j)^-beta, which may overflow
        ratio = s[j - 1] / (n + j)
        loss = s[j - 1] * ratio**beta + t[j]
        return j, loss, loss, math.log(beta) + (1 + beta) * math.log(ratio)
    least = math.exp(math.log1p(beta) / beta)  # x*: the smallest allocation that a multiplier gives
    j = included(n, beta, shifted, c, s, count)
    if j == 0:
        # nothing can be learned: the bound is the chord of the envelope from no allocation to x*
        slope = math.log(beta) + (1 + beta) * (math.log(c[0]) - math.log(least))
        return 0, t[0], t[0] - n * math.exp(slope), slope
    loss = s[j - 1] * (s[j - 1] / n) ** beta + t[j]
    log_multiplier = math.log(beta) + (1 + beta) * math.log(s[j - 1] / n)
    # the marginal cluster, if the budget falls into the jump of N(lambda) at its threshold
    marginal = j if n < least * s[j - 1] / c[j - 1] else j + 1
    if marginal > count or n <= (
        least * s[marginal - 2] / c[marginal - 1] if marginal > 1 else 0.0
    ):
        return j, loss, loss, log_multiplier
    # at this multiplier the marginal cluster is as good with x* as with nothing. The dual function
    # there, loss + lambda (spent - n) without it, bounds every allocation from below
    threshold = beta * (c[marginal - 1] / least) ** (1 + beta)
    without, before = t[marginal - 1], 0.0
    if marginal > 1:
        before = least * s[marginal - 2] / c[marginal - 1]
        without += s[marginal - 2] * (c[marginal - 1] / least) ** beta
    return j, loss, min(loss, without + threshold * (before - n)), log_multiplier


@njit
def optima(
    n: Array,
    beta: float,
    shifted: bool,
    c: Array,
    s: Array,
    t: Array,
    count: int,
    number: NDArray[np.int64],
    loss: Array,
    bound: Array,
    log_multiplier: Array,
) -> None:
    """Fill the answers for many budgets."""
    for i in range(n.size):
        number[i], loss[i], bound[i], log_multiplier[i] = optimum(
            n[i], beta, shifted, c, s, t, count
        )


@njit
def spread(
    w: Array,
    beta: float,
    shifted: bool,
    n: float,
    m: float,
    j: int,
    cut: float,
    ties: int,
    total: float,
    out: Array,
) -> None:
    """Write the allocation to clusters in their own order: those heavier than `cut`, and the first `ties` of those equal to it."""
    power = 1 / (1 + beta)
    for k in range(w.size):
        out[k] = 0.0
        if w[k] < cut or (w[k] == cut and ties == 0):
            continue
        if w[k] == cut:
            ties -= 1
        c = w[k] ** power
        # shifted: (n + j) c/S - 1 = (n - (S/c - j)) c/S, the budget beyond that of entry
        out[k] = m * max(n - (total / c - j), 0.0) * (c / total) if shifted else m * n * (c / total)
