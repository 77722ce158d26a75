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

_ATOMS = 400  # corners of the polytope that are mixed; the two lightest are merged beyond
_STEPS = 20_000
_GAP = 1e-7  # relative, at which the bound is good enough
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
    prior: Array,
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
    prior : ndarray, shape (p, p)
        Information of existing runs.
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
    counts, value, gap, _ = _frank_wolfe(
        rows, costs, targets, weights, prior, limits, budget, runs, _STEPS, _GAP
    )
    if not gap <= _ACCEPTED * value:
        raise ConvergenceError(
            f"design: the bound is known to {gap / value:.1e} only after {_STEPS} steps; use fewer candidates or a larger budget"
        )
    return float(value), float(max(gap, 0.0)), counts


@_jit.njit
def _knapsack(
    scores: Array, costs: Array, limits: Array, budget: float, price: float
) -> tuple[Array, float, float]:
    """Fill a budget by score less a price of each run, over cost; return the filling, its number of runs and its value."""
    found = np.zeros(scores.size)
    left, number, value = budget, 0.0, 0.0
    for i in np.argsort(-(scores - price) / costs, kind="mergesort"):
        if scores[i] <= price or left <= 0.0:
            break
        found[i] = min(limits[i], left / costs[i])
        left -= found[i] * costs[i]
        number += found[i]
        value += found[i] * (scores[i] - price)
    return found, number, value


@_jit.njit
def best_corner(
    scores: Array, costs: Array, limits: Array, budget: float, runs: float
) -> tuple[Array, float]:
    """Maximize sum s_i v_i under sum c_i v_i <= B, sum v_i <= R, 0 <= v_i <= limit: the best v, and an upper bound of its value.

    With a price for each run it is a knapsack; the price is where the bound, convex and piecewise linear in it, is least. Each step
    goes to where the last two pieces meet, so that no more steps are needed than there are pieces.
    """
    found, number, value = _knapsack(scores, costs, limits, budget, 0.0)
    if number <= runs:
        return found, value
    low, below, many, value_low = 0.0, found, number, value
    high = np.max(scores)
    above, few, value_high = np.zeros(scores.size), 0.0, 0.0
    bound = min(value, high * runs)
    for _ in range(scores.size + 2):
        # the value at a price x is convex in it; these two of its lines, value - number (x - price), meet where
        price = (value_low + many * low - value_high - few * high) / (many - few)
        found, number, value = _knapsack(scores, costs, limits, budget, price)
        bound = min(bound, value + price * runs)
        if value - value_low + many * (price - low) <= 1e-13 * bound:
            break  # no piece lies between
        if number > runs:
            low, below, many, value_low = price, found, number, value
        else:
            high, above, few, value_high = price, found, number, value
    share = (runs - few) / (many - few)
    return share * below + (1 - share) * above, bound


@_jit.njit
def _step(
    matrix: Array, change: Array, targets: Array, weights: Array, longest: float
) -> float:
    """Minimize sum w c^T (M + x change)^-1 c over 0 <= x <= longest: Newton's steps on the derivative, inside a bracket."""
    low, high = 0.0, longest
    x = longest
    for _ in range(60):
        cov, regular = inverse(matrix + x * change)
        slope, bend = 0.0, 0.0
        if regular:
            for k in range(targets.shape[0]):
                z = cov @ targets[k]
                turned = change @ z
                slope -= weights[k] * (z @ turned)
                bend += 2 * weights[k] * (turned @ (cov @ turned))
            if slope <= 0.0 and x == longest:
                return longest
            if slope > 0.0:
                high = x
            else:
                low = x
        else:
            high = x
        following = x - slope / bend if regular and bend > 0.0 else 0.5 * (low + high)
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - x) <= 1e-14 * longest:
            return following
        x = following
    return low


@_jit.njit
def _frank_wolfe(
    rows: Array,
    costs: Array,
    targets: Array,
    weights: Array,
    prior: Array,
    limits: Array,
    budget: float,
    runs: float,
    steps: int,
    wanted: float,
) -> tuple[Array, float, float, int]:
    m, p = rows.shape
    atoms = np.zeros((_ATOMS, m))
    shares = np.zeros(_ATOMS)
    size = 1
    whole = min(1.0, budget / np.sum(limits * costs), runs / np.sum(limits))
    atoms[0] = whole * limits
    shares[0] = 1.0
    counts = atoms[0].copy()
    scores = np.zeros(m)
    value, gap = math.inf, math.inf
    for step in range(steps):
        matrix = information(rows, counts, prior)
        cov, regular = inverse(matrix)
        if not regular:
            return counts, math.inf, math.inf, step
        value = 0.0
        scores[:] = 0.0
        for k in range(targets.shape[0]):
            z = cov @ targets[k]
            value += weights[k] * (targets[k] @ z)
            for i in range(m):
                along = 0.0
                for j in range(p):
                    along += rows[i, j] * z[j]
                scores[i] += weights[k] * along * along
        corner, bound = best_corner(scores, costs, limits, budget, runs)
        here = np.sum(scores * counts)
        gap = bound - here
        if gap <= wanted * value:
            return counts, value, gap, step
        worst, least = 0, math.inf
        for a in range(size):
            worth = 0.0
            for i in range(m):
                worth += scores[i] * atoms[a, i]
            if worth < least:
                least, worst = worth, a
        # from the worst corner in use to the best one of all
        toward = corner - atoms[worst]
        change = information(rows, toward, np.zeros((p, p)))
        x = _step(matrix, change, targets, weights, shares[worst])
        same = -1
        for a in range(size):
            if np.max(np.abs(atoms[a] - corner) * costs) <= 1e-12 * budget:
                same = a
        shares[worst] -= x
        if same >= 0:
            shares[same] += x
        elif size < _ATOMS:
            atoms[size] = corner
            shares[size] = x
            size += 1
        else:
            first = np.argsort(shares)
            one, two = first[0], first[1]
            both = shares[one] + shares[two]
            if both > 0.0:
                atoms[one] = (shares[one] * atoms[one] + shares[two] * atoms[two]) / both
            shares[one] = both
            atoms[two] = corner
            shares[two] = x
        a = 0
        while a < size:
            if shares[a] <= 1e-15:
                size -= 1
                atoms[a] = atoms[size]
                shares[a] = shares[size]
            else:
                a += 1
        total = np.sum(shares[:size])
        counts[:] = 0.0
        for a in range(size):
            shares[a] /= total
            counts += shares[a] * atoms[a]
    return counts, value, gap, steps
