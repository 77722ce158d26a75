r"""Clusters that differ in weight, scale and exponent: the multiplier that spends the budget.

A cluster is learned once the multiplier falls below its threshold, :math:`\log\lambda \le \log r_k`. The hard law jumps there,
so its clusters are taken in the order of their thresholds; the other two laws start from nothing, and one root is left to find.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit
from ..bethe.tree import tree_loss
from .inverse_loss import inverse_slope

Array = NDArray[np.float64]

STEPS = 200
_DONE = 1e-9  # a Newton step of this size leaves an error of its square


@njit
def spent(height: Array, power: Array, m: Array, j: int, level: float) -> tuple[float, float]:
    """Sum the allocations of the first j clusters under the hard law at log lambda = level, and minus their slopes."""
    # w f' = lambda m gives x = exp((height - level)/(1 + beta)), height = log(beta w/m)
    total, slope, same = 0.0, 0.0, power.size == 1
    for k in range(j):
        y = power[0] if same else power[k]
        share = (m[0] if m.size == 1 else m[k]) * math.exp((height[k] - level) * y)
        total += share
        slope += y * share
    return total, slope


@njit
def affordable(
    n: float, height: Array, power: Array, m: Array, threshold: Array, guess: int
) -> int:
    """Return how many clusters, in the order of falling thresholds, the budget covers at the threshold of the last of them."""
    count = threshold.size
    # what the first j clusters spend at the threshold of the j-th grows with j: a bracket, opened
    # from the answer for the last budget in strides that quadruple
    low, low_spent = 0, 0.0
    high, high_spent = count + 1, math.inf
    j = min(max(guess, 1), count)
    stride = 1
    while high - low > 1:
        here = spent(height, power, m, j, threshold[j - 1])[0]
        if here <= n:
            low, low_spent = j, here
        else:
            high, high_spent = j, here
        if high > count:
            j = min(low + stride, count)
            stride *= 4
        # too much at the guess itself: half of it, then the middle
        elif low == 0:
            j = max(high // 2, 1) if stride == 1 else (low + high) // 2
        else:
            # the budget grows nearly as a power of the rank; a margin keeps the bracket closing from both sides
            slope = (
                math.log(high / low) / math.log(high_spent / low_spent)
                if high_spent > low_spent
                else 0.0
            )
            aim = low * math.exp(slope * math.log(n / low_spent))
            stride += 1
            if stride % 3 == 0:
                aim = 0.5 * (low + high)
            else:
                margin = 0.02 * (high - low)
                aim += margin if aim < 0.5 * (low + high) else -margin
            j = min(max(int(aim), low + 1), high - 1)
    return low


@njit
def settle(
    n: float, height: Array, power: Array, m: Array, j: int, level: float
) -> tuple[float, int]:
    """Solve for the multiplier at which the first j clusters spend n; return its logarithm and the steps taken.

    The logarithm of a sum of exponentials is convex, so that Newton's method needs no guard.
    """
    # log N(level) is convex and falls: from the left of the root Newton's steps rise to it, and
    # from the right the first one leads to the left
    for step in range(STEPS):
        total, slope = spent(height, power, m, j, level)
        change = math.log(total / n) * total / slope
        level += change
        if abs(change) < _DONE * max(1.0, abs(level)):
            return level, step + 1
    return level, STEPS


@njit
def hard_loss(
    w: Array, height: Array, beta: Array, m: Array, rest: Array, j: int, level: float, budget: float
) -> tuple[float, float]:
    """Return the loss with the first j clusters learned at log lambda = level, and what they spend."""
    total, used, same = 0.0, 0.0, beta.size == 1
    for k in range(j):
        b = beta[0] if same else beta[k]
        x = math.exp((height[k] - level) / (1 + b))
        # x < 1 where a cluster beyond its threshold is tried
        total += w[k] * min(1.0, x**-b)
        used += (m[0] if m.size == 1 else m[k]) * x
    return total + rest[j], used


@njit
def from_the_end(w: Array, rest: Array) -> None:
    """Fill the sums of all weights from rank k on."""
    total, lost = 0.0, 0.0
    rest[w.size] = 0.0
    for k in range(w.size - 1, -1, -1):
        # compensated (Neumaier): what the larger of the two loses is kept aside
        larger = total + w[k]
        lost += (w[k] - larger) + total if w[k] > total else (total - larger) + w[k]
        total = larger
        rest[k] = total + lost


@njit
def hard_optimum(
    n: float,
    w: Array,
    height: Array,
    beta: Array,
    power: Array,
    m: Array,
    threshold: Array,
    rest: Array,
    guess: int,
) -> tuple[int, float, float, float, int, int]:
    """Return clusters learned, loss, dual bound, log lambda, steps, and the clusters affordable without the marginal one."""
    j = affordable(n, height, power, m, threshold, guess)
    steps, best, level, chosen = 0, rest[0], threshold[0], 0
    inner = math.inf
    if j > 0:
        inner, steps = settle(n, height, power, m, j, threshold[j - 1])
        best = hard_loss(w, height, beta, m, rest, j, inner, n)[0]
        chosen, level = j, inner
    if j == threshold.size or (j > 0 and inner >= threshold[j]):
        return chosen, best, best, level, steps, j  # the multiplier alone spends the budget: no gap
    # the budget falls into the jump of the marginal cluster: with it too much, without it too
    # little. The dual function at its threshold bounds the loss from below, L + lambda (spent - n)
    before, used = hard_loss(w, height, beta, m, rest, j, threshold[j], n)
    bound = before + math.exp(threshold[j]) * (used - n)
    # two candidates, without and with the marginal cluster, each at the multiplier that spends n
    more, extra = settle(n, height, power, m, j + 1, threshold[j])
    other = hard_loss(w, height, beta, m, rest, j + 1, more, n)[0]
    if other < best:
        best, level, chosen = other, more, j + 1
    return chosen, best, min(bound, best), level, max(steps, extra), j


@njit
def flowing(
    level: float, height: Array, power: Array, m: Array, tree: bool, table: Array
) -> tuple[float, float, float, int]:
    """Sum allocations, minus their slopes in log lambda, and the scales of those above zero, for the two laws without a jump."""
    # tree: -h'(u) = lambda m/w = p^-3 with p = (w/m)^(1/3) lambda^(-1/3); height is (w/m)^(1/3).
    # shifted: 1 + x = exp((height - level)/(1 + beta)), and x by expm1, exact where it starts at 0
    total, slope, scales, number, same = 0.0, 0.0, 0.0, 0, power.size == 1
    lift = math.exp(-level / 3) if tree else 0.0
    for k in range(height.size):
        size = m[0] if m.size == 1 else m[k]
        if tree:
            p = height[k] * lift
            u, rise = inverse_slope(p, table)
            if u <= 0.0:
                continue
            total += size * u
            slope += size * rise * p / 3
        else:
            above = height[k] - level
            if above <= 0.0:
                continue
            y = power[0] if same else power[k]
            gained = math.expm1(above * y)
            total += size * gained
            slope += size * y * (gained + 1)
        scales += size
        number += 1
    return total, slope, scales, number


@njit
def flow_level(
    n: float,
    height: Array,
    power: Array,
    m: Array,
    tree: bool,
    table: Array,
    top: float,
    start: float,
) -> tuple[float, int]:
    """Solve N(lambda) = n by Newton's method in log lambda, with bisection as a guard."""
    low, high = -math.inf, top
    level = min(start, top - 1e-3)
    for step in range(STEPS):
        total, slope, scales, _ = flowing(level, height, power, m, tree, table)
        if total > n:
            low = level
        else:
            high = level
        change = high - level
        if slope > 0.0:
            # allocation plus scale is a power of the multiplier as long as no cluster enters
            change = math.log((total + scales) / (n + scales)) * (total + scales) / slope
            if abs(total - n) < 1e-5 * scales:
                # the logarithm of a ratio near 1 would lose the digits of total - n
                change = (total - n) / slope
        if abs(change) < _DONE * max(1.0, abs(level)) and (slope > 0.0):
            return min(level + change, top), step + 1
        if high - low <= 4e-16 * max(1.0, abs(level)):
            return low, step + 1
        if not low < level + change < high:
            # outside of the bracket: its middle, or while it is open twice as far from the top
            change = 0.5 * (low + high) - level if low > -math.inf else min(2 * (level - top), -1.0)
        level += change
    return level, STEPS


@njit
def flow_out(
    w: Array,
    height: Array,
    beta: Array,
    m: Array,
    tree: bool,
    table: Array,
    level: float,
    n: float,
    write: bool,
    out: Array,
) -> tuple[float, float, int]:
    """Return loss, budget spent and clusters learned at a multiplier; write the allocation if wanted."""
    loss, lost, used, number = 0.0, 0.0, 0.0, 0
    lift = math.exp(-level / 3) if tree else 0.0
    for k in range(w.size):
        x, f = 0.0, 1.0
        if tree:
            x = max(inverse_slope(height[k] * lift, table)[0], 0.0) if w[k] > 0.0 else 0.0
            f = tree_loss(x)
        elif height[k] > level:
            b = beta[0] if beta.size == 1 else beta[k]
            y = (height[k] - level) / (1 + b)
            x = math.expm1(y)
            f = math.exp(-b * y)
        # compensated (Neumaier), in either order of size
        term = w[k] * f
        larger = loss + term
        lost += (term - larger) + loss if term > loss else (loss - larger) + term
        loss = larger
        if x > 0.0:
            number += 1
            x *= m[0] if m.size == 1 else m[k]
            used += x
        if write:
            out[k] = x
    return loss + lost, used, number
