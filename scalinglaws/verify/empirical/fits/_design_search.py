"""Which runs to add, one after the other, and which to replace: compiled, for a law that is true or nearly true."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]

_SINGULAR = 1e-14  # pivot of a matrix over its diagonal below which it has no inverse
_LOOSE = 1e-9  # of the trace, added where a run is taken away without which not all is determined
_PROGRESS = 1e-9  # relative; smaller gains are none


class Search(NamedTuple):
    r"""What is minimized over numbers of runs at m candidates: :math:`\sum_k w_k \mathrm{MSE}_k`, everything over the noise.

    With :math:`M = M_0 + \sum_i n_i g_i g_i^\top`, :math:`z = M^{-1} c` and the misfit field's covariances K and k_*,

    .. math:: \mathrm{MSE} = c^\top z + z^\top B z - 2 q^\top z + k_{**}, \quad
              B = \sum_{ij} n_i n_j K_{ij} g_i g_j^\top, \quad q = \sum_i n_i k_{*i} g_i

    where i and j go over existing runs too.
    """

    rows: Array
    """Gradients g, shape (m, p)."""
    costs: Array
    """Compute of one run, shape (m,)."""
    field: Array
    """K between candidates, shape (m, m)."""
    points: Array
    """k_* of each target, shape (targets, m)."""
    fixed: Array
    """k_** of each target."""
    targets: Array
    """Gradients c, shape (targets, p)."""
    weights: Array
    """w of each target."""
    base: Array
    """M_0: existing runs and prior, shape (p, p)."""
    bent: Array
    """B of existing runs, shape (p, p)."""
    pulled: Array
    """q of existing runs, shape (targets, p)."""
    felt: Array
    """Sum over existing runs of K_ij g_j at each candidate i, shape (m, p)."""
    most: float
    """Runs at one candidate."""
    budget: float
    """Compute of all of them."""
    runs: float
    """Most of all of them."""
    least: float
    """Fewest of all of them, whether or not the last is worth its cost."""


@_jit.njit
def inverse(matrix: Array) -> tuple[Array, bool]:
    """Invert a positive definite matrix by Cholesky's method; tell whether it is one."""
    p = matrix.shape[0]
    factor, half, found = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    for i in range(p):
        for j in range(i + 1):
            total = matrix[i, j]
            for m in range(j):
                total -= factor[i, m] * factor[j, m]
            if i > j:
                factor[i, j] = total / factor[j, j]
            elif total > _SINGULAR * matrix[i, i]:
                factor[i, i] = math.sqrt(total)
            else:
                return found, False
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
            found[i, j] = total
            found[j, i] = total
    return found, True


@_jit.njit
def information(rows: Array, counts: Array, base: Array) -> Array:
    """Compute M_0 + sum n g g^T."""
    p = rows.shape[1]
    found = base.copy()
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
def loosened(matrix: Array, share: float) -> Array:
    """Add a share of the mean diagonal to the diagonal."""
    p = matrix.shape[0]
    trace = 0.0
    for m in range(p):
        trace += matrix[m, m]
    found = matrix.copy()
    for m in range(p):
        found[m, m] += share * trace / p
    return found


@_jit.njit
def _misfit(s: Search, counts: Array) -> tuple[Array, Array, Array]:
    """Compute B, q of each target, and the field at each candidate."""
    m, p = s.rows.shape
    bent, pulled, felt = s.bent.copy(), s.pulled.copy(), s.felt.copy()
    for j in range(m):
        n = counts[j]
        if n != 0.0:
            for i in range(m):
                part = s.field[j, i] * n
                for k in range(p):
                    felt[i, k] += part * s.rows[j, k]
            for t in range(s.targets.shape[0]):
                for k in range(p):
                    pulled[t, k] += s.points[t, j] * n * s.rows[j, k]
    for j in range(m):
        n = counts[j]
        if n != 0.0:
            for i in range(p):
                for k in range(p):
                    bent[i, k] += n * (s.rows[j, i] * felt[j, k] + s.felt[j, i] * s.rows[j, k])
    return bent, pulled, felt


@_jit.njit
def _value(s: Search, cov: Array, bent: Array, pulled: Array) -> float:
    p = cov.shape[0]
    z = np.zeros(p)
    found = 0.0
    for t in range(s.targets.shape[0]):
        total = s.fixed[t]
        for i in range(p):
            z[i] = 0.0
            for j in range(p):
                z[i] += cov[i, j] * s.targets[t, j]
            total += z[i] * (s.targets[t, i] - 2 * pulled[t, i])
        for i in range(p):
            for j in range(p):
                total += z[i] * bent[i, j] * z[j]
        found += s.weights[t] * total
    return found


@_jit.njit
def value(s: Search, counts: Array) -> float:
    """Compute what is minimized; inf where the runs do not determine all parameters."""
    cov, regular = inverse(information(s.rows, counts, s.base))
    if not regular:
        return math.inf
    bent, pulled, _ = _misfit(s, counts)
    return _value(s, cov, bent, pulled)


@_jit.njit
def _with_one_more(
    s: Search,
    found: Array,
    allowed: NDArray[np.bool_],
    cov: Array,
    bent: Array,
    pulled: Array,
    felt: Array,
) -> None:
    """Compute what is minimized with one run more at each allowed candidate.

    By the formula of Sherman and Morrison z becomes z - x u with u = M^-1 g and x = g^T z / (1 + g^T u); B and q gain the new run's parts.
    """
    targets, p = s.targets.shape
    u = np.zeros(p)
    solved, turned = np.zeros((targets, p)), np.zeros((targets, p))
    constant = np.zeros(targets)  # c^T z + z^T B z - 2 q^T z + k_** as it is
    for t in range(targets):
        for i in range(p):
            for j in range(p):
                solved[t, i] += cov[i, j] * s.targets[t, j]
        constant[t] = s.fixed[t]
        for i in range(p):
            for j in range(p):
                turned[t, i] += bent[i, j] * solved[t, j]
            constant[t] += solved[t, i] * (s.targets[t, i] + turned[t, i] - 2 * pulled[t, i])
            turned[t, i] -= pulled[t, i]  # half the slope of all that in z, less c
    for c in range(allowed.size):
        found[c] = math.inf
        if not allowed[c]:
            continue
        length, u_felt, curved = 1.0, 0.0, 0.0
        for i in range(p):
            total = 0.0
            for j in range(p):
                total += cov[i, j] * s.rows[c, j]
            u[i] = total
            length += total * s.rows[c, i]
            u_felt += total * felt[c, i]
        for i in range(p):
            total = 0.5 * bent[i, i] * u[i]
            for j in range(i):
                total += bent[i, j] * u[j]
            curved += 2 * total * u[i]
        after = 0.0
        for t in range(targets):
            along, on_felt, slope = 0.0, 0.0, 0.0
            for i in range(p):
                along += solved[t, i] * s.rows[c, i]
                on_felt += solved[t, i] * felt[c, i]
                slope += turned[t, i] * u[i]
            x = along / length
            on_row = x  # (z - x u) . g
            total = constant[t] - along * x - 2 * x * slope + x * x * curved
            total += (2 * (on_felt - x * u_felt) + s.field[c, c] * on_row) * on_row
            after += s.weights[t] * (total - 2 * s.points[t, c] * on_row)
        found[c] = after


class Known(NamedTuple):
    """M, B, q and the field at the candidates, for some numbers of runs."""

    matrix: Array
    bent: Array
    pulled: Array
    felt: Array


@_jit.njit
def _known(s: Search, counts: Array) -> Known:
    bent, pulled, felt = _misfit(s, counts)
    return Known(information(s.rows, counts, s.base), bent, pulled, felt)


@_jit.njit
def _step(s: Search, at: int, sign: float, known: Known, found: Known) -> None:
    """Compute all of that with one run more (sign 1) or less (-1); ``found`` may be ``known`` itself."""
    m, p = s.rows.shape
    own = s.field[at, at]
    for i in range(p):
        g = s.rows[at, i]
        for j in range(p):
            h = s.rows[at, j]
            crossed = g * known.felt[at, j] + known.felt[at, i] * h
            found.matrix[i, j] = known.matrix[i, j] + sign * g * h
            found.bent[i, j] = known.bent[i, j] + sign * crossed + own * g * h
        for t in range(s.targets.shape[0]):
            found.pulled[t, i] = known.pulled[t, i] + sign * s.points[t, at] * g
    for c in range(m):
        part = sign * s.field[at, c]
        for i in range(p):
            found.felt[c, i] = known.felt[c, i] + part * s.rows[at, i]


@_jit.njit
def add_runs(s: Search, counts: Array, power: float, steps: int) -> int:
    """Add the run of the largest gain over cost to a power, as long as one is gained and can be paid; return how many were added."""
    m = s.costs.size
    values, allowed = np.zeros(m), np.zeros(m, np.bool_)
    used, placed = 0.0, 0.0
    for i in range(m):
        used += counts[i] * s.costs[i]
        placed += counts[i]
    known = _known(s, counts)
    for step in range(steps):
        some = False
        for i in range(m):
            allowed[i] = (
                placed + 1 <= s.runs and counts[i] + 1 <= s.most and used + s.costs[i] <= s.budget
            )
            some = some or allowed[i]
        cov, regular = inverse(known.matrix)
        if not (some and regular):
            return step
        now = _value(s, cov, known.bent, known.pulled)
        _with_one_more(s, values, allowed, cov, known.bent, known.pulled, known.felt)
        forced = placed < s.least
        best, at = (-math.inf if forced else 0.0), -1
        for i in range(m):
            if allowed[i] and (forced or now - values[i] > _PROGRESS * now):
                gain = (now - values[i]) / s.costs[i] ** power
                if gain > best:
                    best, at = gain, i
        if at < 0:
            return step
        counts[at] += 1
        _step(s, at, 1.0, known, known)
        used += s.costs[at]
        placed += 1
    return steps


@_jit.njit
def exchange_runs(s: Search, counts: Array, sweeps: int) -> bool:
    """Replace one run by another, or drop it, and add others, as long as that is better; tell whether nothing is left to do."""
    m = s.costs.size
    values, allowed = np.zeros(m), np.zeros(m, np.bool_)
    now = value(s, counts)
    if now == math.inf:
        return False
    known, without = _known(s, counts), _known(s, counts)
    for _ in range(sweeps):
        changed = False
        for out in range(m):
            if counts[out] == 0.0:
                continue
            counts[out] -= 1
            used, placed = 0.0, 0.0
            for i in range(m):
                used += counts[i] * s.costs[i]
                placed += counts[i]
            for i in range(m):
                allowed[i] = i != out and counts[i] + 1 <= s.most and used + s.costs[i] <= s.budget
            _step(s, out, -1.0, known, without)
            cov, regular = inverse(without.matrix)
            needed = not regular
            if needed:
                cov, regular = inverse(loosened(without.matrix, _LOOSE))
            at, best, accepted = -1, now * (1 - _PROGRESS), False
            if regular:
                _with_one_more(s, values, allowed, cov, without.bent, without.pulled, without.felt)
                for i in range(m):
                    if values[i] < best:
                        best, at = values[i], i
                if not needed and placed >= s.least:
                    less = _value(s, cov, without.bent, without.pulled)
                    accepted = less <= best  # cheaper, and no worse
            if accepted:
                now = value(s, counts)
            elif at >= 0:
                counts[at] += 1
                after = value(s, counts)
                accepted = after < now * (1 - _PROGRESS)
                if accepted:
                    now = after
                else:
                    counts[at] -= 1
            if accepted:
                changed = True
                known = _known(s, counts)
            else:
                counts[out] += 1
        if add_runs(s, counts, 0.5, m) > 0:
            now, changed = value(s, counts), True
            known = _known(s, counts)
        if not changed:
            return True
    return False
