r"""The equations of motion of both models, integrated step by step.

In units where N disappears, :math:`\omega = w/\sqrt N`, and in coordinates in which the covariance or Gram matrix is diagonal
(an orthogonal rotation), both models read

.. math:: \dot\omega = B\nu, \qquad \dot B = \gamma\,\omega\nu^\top, \qquad \nu_j = \delta_j - x_j (B^\top\omega)_j, \qquad \omega(0) = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853

from ....errors import DomainError, ResourceError
from ....solvers._jit import njit

Array = NDArray[np.float64]

_STAGES = DOP853.n_stages
_TABLE = np.vstack([DOP853.A, DOP853.B, DOP853.E3[:_STAGES], DOP853.E5[:_STAGES]]).astype(float)  # Dormand and Prince, 8(5,3)
_REACH = 6.0  # length of the interval on the negative axis where the scheme is stable, about
_MOST_WORK = 3e12  # multiplications and additions in one draw: the better part of an hour
_STUCK, _TOO_LONG = 1, 2


def checked_tolerance(value: float) -> float:
    """Return a tolerance that steps of double precision can meet."""
    if not 1e-13 <= value <= 1e-2:
        raise DomainError(f"tolerance = {value} must lie between 1e-13 and 1e-2", argument="tolerance", value=value)
    return float(value)


def integrate(
    times: Array, start: Array, rates: Array, drive: Array, richness: float, tolerance: float
) -> tuple[Array, Array, Array, Array]:
    r"""Return :math:`B^\top\omega` at all times, shape (m, T), :math:`|\omega|^2`, shape (T,), and :math:`\omega, B` at the last one.

    `start` is B(0), shape (n, m); `rates` and `drive` are x and :math:`\delta`, shape (m,).
    """
    rows, columns = start.shape
    learned, squares = np.zeros((times.size, columns)), np.zeros(times.size)
    forward = start.copy()
    fast = float(np.max(rates * np.sum(start**2, axis=0))) if rows else 0.0  # a lower bound of the fastest rate
    size = float(np.sqrt(np.sum(drive[rates > 0] ** 2 / rates[rates > 0])))
    if fast == 0 or size == 0:  # nothing to learn, or nothing to learn it with
        return learned.T, squares, np.zeros(rows), forward
    work = 4.0 * _STAGES * rows * columns
    if times[-1] * fast / _REACH * work > _MOST_WORK:
        raise ResourceError(
            f"t = {times[-1]:.3g} needs at least {times[-1] * fast / _REACH:.1e} steps of {work:.1e} operations, too many; "
            "end earlier, or use fewer modes, samples or features"
        )
    step = 0.01 / (fast + np.sqrt(richness) * float(np.linalg.norm(drive)))
    state, field = np.zeros((2, rows)), np.vstack([rates, drive])
    backward, most = np.ascontiguousarray(forward.T), int(_MOST_WORK / work)
    with np.errstate(all="ignore"):
        outcome, reached = _advance(times, forward, backward, field, richness, tolerance, size, step, most, _TABLE, state, learned, squares)
    if outcome == _TOO_LONG:
        raise ResourceError(f"integration was given up at t = {reached:.3g}: it takes too many steps; end earlier, or lower the richness")
    if outcome == _STUCK:
        raise ResourceError(f"steps became too small to move on at t = {reached:.3g}; raise the tolerance, or lower the richness")
    return learned.T, squares, state[0], forward


@njit
def _through(matrix: Array, vectors: Array, k: int, out: Array, to: int) -> None:
    """Add the transposed matrix times vector k to row `to` of `out`, row by row."""
    for i in range(matrix.shape[0]):
        factor = vectors[k, i]
        for j in range(matrix.shape[1]):
            out[to, j] += factor * matrix[i, j]


@njit
def _dot(left: Array, i: int, right: Array, j: int) -> float:
    """Multiply row i of one array with row j of another, in four sums that do not wait for each other."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    size = left.shape[1]
    whole = size - size % 4
    for n in range(0, whole, 4):
        one += left[i, n] * right[j, n]
        two += left[i, n + 1] * right[j, n + 1]
        three += left[i, n + 2] * right[j, n + 2]
        four += left[i, n + 3] * right[j, n + 3]
    for n in range(whole, size):
        one += left[i, n] * right[j, n]
    return (one + two) + (three + four)


@njit
def _combine(table: Array, row: int, count: int, scale: float, vectors: Array, out: Array, to: int) -> None:
    """Add the first `count` vectors, weighted by a row of the table, to row `to` of `out`."""
    for k in range(count):
        factor = scale * table[row, k]
        if factor != 0.0:
            for i in range(out.shape[1]):
                out[to, i] += factor * vectors[k, i]


@njit
def _product(
    table: Array, row: int, count: int, scale: float, left: Array, right: Array, vectors: Array, k: int, out: Array, to: int
) -> None:
    """Add weighted products `left right^T` of the first `count` stages, applied to vector k, to row `to` of `out`."""
    for j in range(count):
        if table[row, j] != 0.0:
            factor = scale * table[row, j] * _dot(right, j, vectors, k)
            for i in range(out.shape[1]):
                out[to, i] += factor * left[j, i]


@njit
def _stage(
    k: int, step: float, bend: float, table: Array, state: Array, forward: Array, backward: Array, field: Array, paths: Array, turns: Array
) -> None:
    """Evaluate the right-hand sides at stage k.

    Within a step, B is the matrix at its start plus products of earlier stages: it need not be formed. Of `paths`, shape
    (2, stages, n), the first are readouts and the second their velocities; `turns`, shape (stages, m), are the vectors nu.
    """
    readouts, velocities = paths[0], paths[1]
    for i in range(readouts.shape[1]):
        readouts[k, i] = state[0, i]
        velocities[k, i] = 0.0
    for j in range(turns.shape[1]):
        turns[k, j] = 0.0
    _combine(table, k, k, step, velocities, readouts, k)
    _through(forward, readouts, k, turns, k)
    _product(table, k, k, bend, turns, readouts, readouts, k, turns, k)
    for j in range(turns.shape[1]):
        turns[k, j] = field[1, j] - field[0, j] * turns[k, j]
    _through(backward, turns, k, velocities, k)
    _product(table, k, k, bend, readouts, turns, turns, k, velocities, k)


@njit
def _error(
    row: int, step: float, bend: float, size: float, table: Array, state: Array, forward: Array, field: Array, paths: Array, turns: Array
) -> float:
    """Measure an embedded error: relative, of the readout, of B along the readout, and of what both predict."""
    stages, columns = turns.shape
    off, bent = np.zeros((1, state.shape[1])), np.zeros((2, columns))
    _combine(table, row, stages, step, paths[1], off, 0)
    _product(table, row, stages, bend, turns, paths[0], state, 1, bent, 0)
    _through(forward, off, 0, bent, 1)
    amiss = 0.0
    for j in range(columns):
        amiss += field[0, j] * (bent[0, j] + bent[1, j]) ** 2
    length = np.sqrt(_dot(state, 1, state, 1))
    return max(max(np.sqrt(_dot(off, 0, off, 0)), np.sqrt(_dot(bent, 0, bent, 0))) / length, np.sqrt(amiss) / size)


@njit
def _accept(step: float, bend: float, table: Array, state: Array, forward: Array, backward: Array, paths: Array, turns: Array) -> None:
    """Move to the end of the step."""
    stages, columns = turns.shape
    rows = state.shape[1]
    for i in range(rows):
        state[0, i] = state[1, i]
    for k in range(stages):
        factor = bend * table[stages, k]
        if factor != 0.0:
            for i in range(rows):
                for j in range(columns):
                    forward[i, j] += factor * paths[0, k, i] * turns[k, j]
            for j in range(columns):
                for i in range(rows):
                    backward[j, i] += factor * turns[k, j] * paths[0, k, i]


@njit
def _advance(
    times: Array,
    forward: Array,
    backward: Array,
    field: Array,
    richness: float,
    tolerance: float,
    size: float,
    step: float,
    most: int,
    table: Array,
    state: Array,
    learned: Array,
    squares: Array,
) -> tuple[int, float]:
    """Integrate from 0 through all times, overwriting B, its transpose and the readout; return how it went and the time reached.

    Rows of `field` are the rates and the drive; those of `state`, the readout and the one at the end of the step.
    """
    stages, rows = table.shape[1], state.shape[1]
    paths, turns = np.zeros((2, stages, rows)), np.zeros((stages, forward.shape[1]))
    now, taken = 0.0, 0
    _stage(0, 0.0, 0.0, table, state, forward, backward, field, paths, turns)
    for record in range(times.size):
        while now < times[record]:
            landing = step >= times[record] - now
            h = times[record] - now if landing else step
            if taken >= most:
                return 2, now
            if now + h == now:
                return 1, now
            taken += 1
            bend = h * richness
            for k in range(1, stages):
                _stage(k, h, bend, table, state, forward, backward, field, paths, turns)
            for i in range(rows):
                state[1, i] = state[0, i]
            _combine(table, stages, stages, h, paths[1], state, 1)
            coarse, fine = 0.0, 0.0
            for row in range(stages + 1, stages + 3):
                coarse, fine = fine, _error(row, h, bend, size, table, state, forward, field, paths, turns) / tolerance
            error = fine * fine / np.sqrt(fine * fine + 0.01 * coarse * coarse + 1e-300)
            change = 0.9 * (error + 1e-12) ** -0.125
            if not error < 1.0:  # not a number where a far too long step has overflowed
                step = h * max(0.2, change) if error < np.inf else 0.2 * h
                continue
            # a step shortened to land on a time says nothing against the longer one
            step = max(step, h * min(5.0, change)) if landing else h * min(5.0, change)
            now = times[record] if landing else now + h
            _accept(h, bend, table, state, forward, backward, paths, turns)
            _stage(0, 0.0, 0.0, table, state, forward, backward, field, paths, turns)
        _through(forward, state, 0, learned, record)
        squares[record] = _dot(state, 0, state, 0)
    return 0, now
