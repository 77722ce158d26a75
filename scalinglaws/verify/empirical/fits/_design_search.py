"""Which runs to add, one after the other, and which to replace: compiled, for a law that is true or nearly true.

A site is a point (N, D) with a row g of the Jacobian over the noise; counts say how many runs there are at each. With
M = sum n g g^T + prior, z = M^-1 c and the misfit field's covariance K and k_* over the noise, the mean squared error of a target is
c^T z + z^T B z - 2 q^T z + k_**, where B = sum n_i n_j K_ij g_i g_j^T and q = sum n_i k_*i g_i.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]

_SINGULAR = 1e-14  # pivot of M over its diagonal below which M has no inverse
_LOOSE = 1e-9  # of the trace of M, added where a run is taken away without which not all is determined
_PROGRESS = 1e-9  # relative; smaller gains are none


@_jit.njit
def inverse(matrix: Array) -> tuple[Array, bool]:
    """Invert a positive definite matrix by Cholesky's method; tell whether it is one."""
    p = matrix.shape[0]
    factor = np.zeros((p, p))
    found = np.zeros((p, p))
    for i in range(p):
        for j in range(i + 1):
            total = matrix[i, j]
            for m in range(j):
                total -= factor[i, m] * factor[j, m]
            if i == j:
                if not total > _SINGULAR * matrix[i, i]:
                    return found, False
                factor[i, i] = math.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    half = np.zeros((p, p))  # inverse of the factor
    for i in range(p):
        half[i, i] = 1 / factor[i, i]
        for j in range(i):
            total = 0.0
            for m in range(j, i):
                total -= factor[i, m] * half[m, j]
            half[i, j] = total / factor[i, i]
    for i in range(p):
        for j in range(i + 1):
            total = 0.0
            for m in range(i, p):
                total += half[m, i] * half[m, j]
            found[i, j] = found[j, i] = total
    return found, True


@_jit.njit
def information(rows: Array, counts: Array, prior: Array) -> Array:
    """Compute M = sum n g g^T + prior."""
    p = rows.shape[1]
    found = prior.copy()
    for i in range(rows.shape[0]):
        n = counts[i]
        if n != 0.0:
            for m in range(p):
                for k in range(m + 1):
                    found[m, k] += n * rows[i, m] * rows[i, k]
    for m in range(p):
        for k in range(m):
            found[k, m] = found[m, k]
    return found


@_jit.njit
def _with_ridge(matrix: Array, share: float) -> Array:
    p = matrix.shape[0]
    trace = 0.0
    for m in range(p):
        trace += matrix[m, m]
    found = matrix.copy()
    for m in range(p):
        found[m, m] += share * trace / p
    return found


@_jit.njit
def fields(rows: Array, counts: Array, field: Array, points: Array) -> tuple[Array, Array, Array]:
    """Compute what the misfit field adds: B, one q for each target, and sum_j K_ij n_j g_j at each site.

    ``points`` holds k_* of each target, shape (targets, sites).
    """
    sites, p = rows.shape
    targets = points.shape[0]
    felt = np.zeros((sites, p))
    pulled = np.zeros((targets, p))
    bent = np.zeros((p, p))
    for j in range(sites):
        n = counts[j]
        if n != 0.0:
            for i in range(sites):
                part = field[j, i] * n
                for m in range(p):
                    felt[i, m] += part * rows[j, m]
            for k in range(targets):
                for m in range(p):
                    pulled[k, m] += points[k, j] * n * rows[j, m]
    for j in range(sites):
        n = counts[j]
        if n != 0.0:
            for m in range(p):
                for k in range(p):
                    bent[m, k] += n * rows[j, m] * felt[j, k]
    return bent, pulled, felt


@_jit.njit
def errors(
    rows: Array,
    counts: Array,
    field: Array,
    points: Array,
    fixed: Array,
    targets: Array,
    prior: Array,
) -> tuple[Array, Array, Array, bool]:
    """Compute noise, misfit and prior parts of the mean squared error of each target; tell whether the runs determine it."""
    K, p = targets.shape
    noise, misfit, remainder = np.zeros(K), np.zeros(K), np.zeros(K)
    cov, found = inverse(information(rows, counts, prior))
    if not found:
        return noise, misfit, remainder, False
    bent, pulled, _ = fields(rows, counts, field, points)
    for k in range(K):
        z = cov @ targets[k]
        remainder[k] = z @ (prior @ z)
        noise[k] = targets[k] @ z - remainder[k]
        misfit[k] = z @ (bent @ z) - 2 * (pulled[k] @ z) + fixed[k]
    return noise, misfit, remainder, True


@_jit.njit
def _value(
    cov: Array, bent: Array, pulled: Array, targets: Array, fixed: Array, weights: Array
) -> float:
    found = 0.0
    for k in range(targets.shape[0]):
        z = cov @ targets[k]
        found += weights[k] * (
            targets[k] @ z + z @ (bent @ z) - 2 * (pulled[k] @ z) + fixed[k]
        )
    return found


@_jit.njit
def _values_with_one_more(
    found: Array,
    allowed: NDArray[np.bool_],
    rows: Array,
    felt: Array,
    field: Array,
    points: Array,
    cov: Array,
    bent: Array,
    pulled: Array,
    targets: Array,
    fixed: Array,
    weights: Array,
) -> None:
    """Compute what is minimized with one run more at each site that is allowed, by Sherman's and Morrison's formula."""
    p = rows.shape[1]
    K = targets.shape[0]
    u, z = np.zeros(p), np.zeros(p)
    solved = np.zeros((K, p))
    variance = np.zeros(K)
    for k in range(K):
        for m in range(p):
            total = 0.0
            for j in range(p):
                total += cov[m, j] * targets[k, j]
            solved[k, m] = total
            variance[k] += total * targets[k, m]
    for i in range(allowed.size):
        found[i] = math.inf
        if not allowed[i]:
            continue
        length = 1.0
        for m in range(p):
            total = 0.0
            for j in range(p):
                total += cov[m, j] * rows[i, j]
            u[m] = total
            length += total * rows[i, m]
        value = 0.0
        for k in range(K):
            along = 0.0
            for m in range(p):
                along += u[m] * targets[k, m]
            step = along / length
            on_row, on_felt, straight = 0.0, 0.0, 0.0
            for m in range(p):
                z[m] = solved[k, m] - step * u[m]
                on_row += z[m] * rows[i, m]
                on_felt += z[m] * felt[i, m]
                straight += z[m] * pulled[k, m]
            quadratic = 0.0
            for m in range(p):
                total = 0.0
                for j in range(p):
                    total += bent[m, j] * z[j]
                quadratic += total * z[m]
            quadratic += 2 * on_row * on_felt + field[i, i] * on_row * on_row
            straight += points[k, i] * on_row
            value += weights[k] * (
                variance[k] - along * step + quadratic - 2 * straight + fixed[k]
            )
        found[i] = value


@_jit.njit
def add_runs(
    counts: Array,
    rows: Array,
    costs: Array,
    field: Array,
    points: Array,
    fixed: Array,
    targets: Array,
    weights: Array,
    prior: Array,
    most: float,
    budget: float,
    runs: float,
    power: float,
    steps: int,
) -> int:
    """Add the run with the largest gain over cost to a power, while one is gained and can be paid; change ``counts``.

    The first ``costs.size`` sites are candidates, with at most ``most`` runs each and ``runs`` together.
    """
    m = costs.size
    values, allowed = np.zeros(m), np.zeros(m, np.bool_)
    used, placed = 0.0, 0.0
    for i in range(m):
        used += counts[i] * costs[i]
        placed += counts[i]
    for step in range(steps):
        some = False
        for i in range(m):
            allowed[i] = (
                placed + 1 <= runs and counts[i] + 1 <= most and used + costs[i] <= budget
            )
            some = some or allowed[i]
        if not some:
            return step
        cov, regular = inverse(information(rows, counts, prior))
        if not regular:
            return step
        bent, pulled, felt = fields(rows, counts, field, points)
        now = _value(cov, bent, pulled, targets, fixed, weights)
        _values_with_one_more(
            values, allowed, rows, felt, field, points, cov, bent, pulled, targets, fixed, weights
        )
        best, at = 0.0, -1
        for i in range(m):
            if allowed[i]:
                gain = (now - values[i]) / costs[i] ** power
                if gain > best and now - values[i] > _PROGRESS * now:
                    best, at = gain, i
        if at < 0:
            return step
        counts[at] += 1
        used += costs[at]
        placed += 1
    return steps


@_jit.njit
def exchange_runs(
    counts: Array,
    rows: Array,
    costs: Array,
    field: Array,
    points: Array,
    fixed: Array,
    targets: Array,
    weights: Array,
    prior: Array,
    most: float,
    budget: float,
    runs: float,
    sweeps: int,
) -> bool:
    """Replace one run by another, or drop it, while that lowers what is minimized; add others; tell whether nothing is left to do.

    Sites and limits as in `add_runs`.
    """
    m = costs.size
    values, allowed = np.zeros(m), np.zeros(m, np.bool_)
    cov, regular = inverse(information(rows, counts, prior))
    if not regular:
        return False
    bent, pulled, felt = fields(rows, counts, field, points)
    now = _value(cov, bent, pulled, targets, fixed, weights)
    for _ in range(sweeps):
        changed = False
        for out in range(m):
            if counts[out] == 0.0:
                continue
            counts[out] -= 1
            used = 0.0
            for i in range(m):
                used += counts[i] * costs[i]
            some = False
            for i in range(m):
                allowed[i] = i != out and counts[i] + 1 <= most and used + costs[i] <= budget
                some = some or allowed[i]
            matrix = information(rows, counts, prior)
            cov, regular = inverse(matrix)
            loose = not regular
            if loose:
                cov, regular = inverse(_with_ridge(matrix, _LOOSE))
            bent, pulled, felt = fields(rows, counts, field, points)
            at, best = -1, now * (1 - _PROGRESS)
            if some and regular:
                _values_with_one_more(
                    values,
                    allowed,
                    rows,
                    felt,
                    field,
                    points,
                    cov,
                    bent,
                    pulled,
                    targets,
                    fixed,
                    weights,
                )
                for i in range(m):
                    if values[i] < best:
                        best, at = values[i], i
            if regular and not loose:
                without = _value(cov, bent, pulled, targets, fixed, weights)
                if without <= best:  # cheaper, and no worse
                    now, changed = without, True
                    continue
            if at >= 0:
                counts[at] += 1
                cov, regular = inverse(information(rows, counts, prior))
                if regular:
                    bent, pulled, felt = fields(rows, counts, field, points)
                    after = _value(cov, bent, pulled, targets, fixed, weights)
                    if after < now * (1 - _PROGRESS):
                        now, changed = after, True
                        continue
                counts[at] -= 1
            counts[out] += 1
        added = add_runs(
            counts,
            rows,
            costs,
            field,
            points,
            fixed,
            targets,
            weights,
            prior,
            most,
            budget,
            runs,
            0.5,
            m,
        )
        if added:
            changed = True
            cov, regular = inverse(information(rows, counts, prior))
            bent, pulled, felt = fields(rows, counts, field, points)
            now = _value(cov, bent, pulled, targets, fixed, weights)
        if not changed:
            return True
    return False
