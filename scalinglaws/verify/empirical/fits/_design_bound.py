"""The best plan in fractions of runs if the law is true, with a certificate: a linear programme, or Frank and Wolfe's steps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from ....errors import ConvergenceError
from ....solvers import _jit
from ._design_search import information, inverse

Array = NDArray[np.float64]

_CORNERS = 400  # of the polytope, of which a plan is a mean; the lighter half is merged beyond
_STEPS = 20_000
_GAP = 1e-6  # relative, at which the bound is good enough
_RIDGE = 1e-10  # of the mean diagonal of M
_ACCEPTED = 1e-3  # the same, beyond which there is no bound worth the name


def elfving(rows: Array, costs: Array, target: Array, budget: float) -> tuple[float, Array]:
    r"""Minimize the variance of one target under a budget alone.

    Elfving's theorem: the least standard deviation is :math:`\min \|u\|_1` under :math:`\sum_i u_i h_i = c` with
    :math:`h_i = g_i \sqrt{B/c_i}`, and it is reached by :math:`n_i = (B/c_i) |u_i| / \|u\|_1`.

    Parameters
    ----------
    rows : ndarray, shape (m, p)
        Gradients over the noise.
    costs : ndarray, shape (m,)
        Of one run each.
    target : ndarray, shape (p,)
        Gradient c.
    budget : float
        B.

    Returns
    -------
    float
        The variance.
    ndarray, shape (m,)
        Fractional numbers of runs; all zero and the variance inf where the candidates do not determine the target.
    """
    lengths = rows * np.sqrt(budget / costs)[:, None]
    size = np.linalg.norm(lengths, axis=0)
    size[size == 0] = 1.0
    scaled = (lengths / size).T
    found = linprog(
        np.ones(2 * costs.size),
        A_eq=np.hstack([scaled, -scaled]),
        b_eq=target / size,
        bounds=(0, None),
        method="highs",
    )
    if not found.success:
        return math.inf, np.zeros(costs.size)
    u = found.x[: costs.size] - found.x[costs.size :]
    total = float(np.sum(np.abs(u)))
    return total**2, (budget / costs) * np.abs(u) / total


def capped(
    rows: Array,
    costs: Array,
    targets: Array,
    weights: Array,
    base: Array,
    most: Array,
    budget: float,
    runs: float,
) -> tuple[float, float, Array]:
    r"""Minimize a mean of variances under a budget, a limit of runs at each candidate, and one of all of them.

    Frank and Wolfe's method on :math:`\sum_k w_k c_k^\top M^{-1} c_k`, which is convex in the numbers of runs: the linear problem is a
    fractional knapsack, with a limit of all runs one of two rows; steps go from the worst corner in use to the best one, with exact
    line search. The gap between the tangent's minimum and the value is a certificate.

    Parameters
    ----------
    rows, costs, budget
        As for `elfving`.
    targets : ndarray, shape (K, p)
        Gradients.
    weights : ndarray, shape (K,)
        Of their variances.
    base : ndarray, shape (p, p)
        Information M_0 of existing runs.
    most : ndarray, shape (m,)
        Limit at each candidate.
    runs : float
        Limit of all, or inf.

    Returns
    -------
    float
        The value.
    float
        The gap: no plan is below the value less this.
    ndarray, shape (m,)
        Fractional numbers of runs.

    Raises
    ------
    ConvergenceError
        If the gap stays above a thousandth of the value.
    """
    limits = np.minimum(most, budget / costs)
    start = limits * min(1.0, budget / float(limits @ costs), runs / float(np.sum(limits)))
    # a weak prior in all directions, for the best plan may leave some undetermined; it only lowers the bound
    size = len(base)
    loose = base + _RIDGE * np.trace(information(rows, start, base)) / size * np.eye(size)
    counts, value, gap = _frank_wolfe(
        rows, costs, targets, weights, loose, limits, budget, runs, start
    )
    if not gap <= _ACCEPTED * value:
        raise ConvergenceError(
            f"design: the bound is known to {gap / value:.1e} only after {_STEPS} steps; use fewer candidates or a larger budget"
        )
    return float(value), float(max(gap, 0.0)), counts


def _frank_wolfe(
    rows: Array,
    costs: Array,
    targets: Array,
    weights: Array,
    base: Array,
    limits: Array,
    budget: float,
    runs: float,
    start: Array,
) -> tuple[Array, float, float]:
    """Go from corner to corner until the gap is small; return the numbers of runs, the value and the gap."""
    corners = np.empty((_CORNERS, costs.size))
    shares = np.zeros(_CORNERS)
    corners[0], shares[0], used = start, 1.0, 1
    counts, scores = start, np.zeros(costs.size)
    nothing = np.zeros_like(base)
    value = gap = math.inf
    for _ in range(_STEPS):
        value = tangent(rows, counts, targets, weights, base, scores)
        corner, most = best_corner(scores, costs, limits, budget, runs)
        gap = most - float(scores @ counts)
        if not gap > _GAP * value:
            break
        # from the worst corner in use to the best one of all
        worst = int(np.argmin(corners[:used] @ scores))
        change = information(rows, corner - corners[worst], nothing)
        step = best_step(
            information(rows, counts, base), change, targets, weights, float(shares[worst])
        )
        apart = np.max(np.abs(corners[:used] - corner) * costs, axis=1)
        at = int(np.argmin(apart))
        if apart[at] > 1e-12 * budget:
            if used == _CORNERS:
                used = _merged(corners, shares)
                worst = int(np.argmin(corners[:used] @ scores))
                step = 0.0
            at, used = used, used + 1
            corners[at], shares[at] = corner, 0.0
        shares[at] += step
        shares[worst] -= step
        kept = np.flatnonzero(shares[:used] > 1e-15)
        used = kept.size
        corners[:used], shares[:used] = corners[kept], shares[kept] / np.sum(shares[kept])
        counts = shares[:used] @ corners[:used]
    return counts, value, gap


def _merged(corners: Array, shares: Array) -> int:
    """Put the lighter half of the corners together into one; return how many are left."""
    order = np.argsort(-shares, kind="stable")
    half = order.size // 2
    light = order[half:]
    together = shares[light] @ corners[light] / np.sum(shares[light])
    left = corners[order[:half]], shares[order[:half]], float(np.sum(shares[light]))
    corners[:half], shares[:half] = left[0], left[1]
    corners[half], shares[half] = together, left[2]
    return half + 1


@_jit.njit
def tangent(
    rows: Array, counts: Array, targets: Array, weights: Array, base: Array, scores: Array
) -> float:
    """Compute sum w c^T M^-1 c, and how fast it falls with each number of runs; inf where M has no inverse."""
    cov, regular = inverse(information(rows, counts, base))
    if not regular:
        return math.inf
    p = cov.shape[0]
    z = np.zeros(p)
    found = 0.0
    for c in range(scores.size):
        scores[c] = 0.0
    for k in range(targets.shape[0]):
        for i in range(p):
            z[i] = 0.0
            for j in range(p):
                z[i] += cov[i, j] * targets[k, j]
            found += weights[k] * z[i] * targets[k, i]
        for c in range(scores.size):
            along = 0.0
            for j in range(p):
                along += rows[c, j] * z[j]
            scores[c] += weights[k] * along * along
    return found


@_jit.njit
def best_step(
    matrix: Array, change: Array, targets: Array, weights: Array, longest: float
) -> float:
    """Minimize sum w c^T (M + x change)^-1 c over 0 <= x <= longest: Newton's steps on the derivative, inside a bracket."""
    p = matrix.shape[0]
    z, turned, moved = np.zeros(p), np.zeros(p), np.zeros((p, p))
    low, high = 0.0, longest
    x = longest
    for _ in range(60):
        for i in range(p):
            for j in range(p):
                moved[i, j] = matrix[i, j] + x * change[i, j]
        cov, regular = inverse(moved)
        slope, bend = 0.0, 0.0
        if regular:
            for k in range(targets.shape[0]):
                for i in range(p):
                    z[i] = 0.0
                    for j in range(p):
                        z[i] += cov[i, j] * targets[k, j]
                for i in range(p):
                    turned[i] = 0.0
                    for j in range(p):
                        turned[i] += change[i, j] * z[j]
                    slope -= weights[k] * z[i] * turned[i]
                for i in range(p):
                    for j in range(p):
                        bend += 2 * weights[k] * turned[i] * cov[i, j] * turned[j]
            if slope <= 0.0 and x == longest:
                return longest
        if regular and slope <= 0.0:
            low = x
        else:
            high = x
        following = 0.5 * (low + high)
        if regular and bend > 0.0 and low < x - slope / bend < high:
            following = x - slope / bend
        if abs(following - x) <= 1e-14 * longest:
            return following
        x = following
    return low


@_jit.njit
def _knapsack(
    scores: Array, costs: Array, limits: Array, budget: float, price: float, found: Array
) -> tuple[float, float]:
    """Fill a budget by score less a price of each run, over cost; return the number of runs and their value."""
    for i in range(found.size):
        found[i] = 0.0
    left, number, total = budget, 0.0, 0.0
    for _ in range(scores.size):
        at, best = -1, 0.0
        for i in range(scores.size):
            if found[i] == 0.0 and scores[i] - price > best * costs[i]:
                at, best = i, (scores[i] - price) / costs[i]
        if at < 0 or not left > 0.0:
            break
        found[at] = min(limits[at], left / costs[at])
        left -= found[at] * costs[at]
        number += found[at]
        total += found[at] * (scores[at] - price)
    return number, total


@_jit.njit
def best_corner(
    scores: Array, costs: Array, limits: Array, budget: float, runs: float
) -> tuple[Array, float]:
    """Maximize sum s_i v_i under sum c_i v_i <= B, sum v_i <= R, 0 <= v_i <= limit: the best v, and an upper bound of its value.

    With a price for each run it is a knapsack; the price is where the bound, convex and piecewise linear in it, is least. Each step
    goes to where the last two pieces meet, so that no more steps are needed than there are pieces.
    """
    m = scores.size
    below, above, found = np.zeros(m), np.zeros(m), np.zeros(m)
    many, value_low = _knapsack(scores, costs, limits, budget, 0.0, below)
    if many <= runs:
        return below, value_low
    low, high = 0.0, 0.0
    for i in range(m):
        high = max(high, scores[i])
    few, value_high = 0.0, 0.0
    bound = min(value_low, high * runs)
    for _ in range(m + 2):
        # the value at a price x is convex in it; these two of its lines, value - number (x - price), meet where
        price = (value_low + many * low - value_high - few * high) / (many - few)
        number, value = _knapsack(scores, costs, limits, budget, price, found)
        bound = min(bound, value + price * runs)
        if value - value_low + many * (price - low) <= 1e-13 * bound:
            break  # no piece lies between
        if number > runs:
            low, many, value_low = price, number, value
            below, found = found, below
        else:
            high, few, value_high = price, number, value
            above, found = found, above
    share = (runs - few) / (many - few)
    for i in range(m):
        found[i] = share * below[i] + (1 - share) * above[i]
    return found, bound
