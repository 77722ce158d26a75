r"""The equations of motion of both models, integrated step by step.

In units where N disappears, :math:`\omega = w/\sqrt N`, and in coordinates in which the covariance or Gram matrix is diagonal
(an orthogonal rotation), both models read

.. math:: \dot\omega = B\nu, \qquad \dot B = \gamma\,\omega\nu^\top, \qquad \nu_j = \delta_j - x_j (B^\top\omega)_j, \qquad \omega(0) = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853

from ....arguments import number
from ....errors import ConvergenceError, ResourceError
from ....solvers._jit import njit

Array = NDArray[np.float64]

_STAGES = DOP853.n_stages
_TABLE = np.vstack([DOP853.A, DOP853.B, DOP853.E3[:_STAGES], DOP853.E5[:_STAGES]]).astype(
    float
)  # Dormand and Prince, 8(5,3)
_REACH = 6.0  # length of the interval on the negative axis where the scheme is stable, about
_MOST_WORK = 1e12  # multiplications with additions in one draw: ten minutes
_STUCK, _TOO_LONG = 1, 2


def checked_tolerance(value: float) -> float:
    """Return a tolerance that steps of double precision can meet."""
    return number("tolerance", value, low=1e-13, high=1e-2)


def integrate(
    times: Array, start: Array, rates: Array, drive: Array, richness: float, tolerance: float
) -> tuple[Array, Array, Array, Array]:
    r"""Return :math:`B^\top\omega` at all times, shape (m, T), :math:`|\omega|^2`, shape (T,), and :math:`\omega, B` at the last one.

    `start` is B(0), shape (n, m); `rates` and `drive` are x and :math:`\delta`, shape (m,).
    """
    rows, columns = start.shape
    learned, squares = np.zeros((times.size, columns)), np.zeros(times.size)
    forward = start.copy()
    # a lower bound of the fastest rate
    fast = float(np.max(rates * np.sum(start**2, axis=0))) if rows else 0.0
    size = float(np.sqrt(np.sum(drive[rates > 0] ** 2 / rates[rates > 0])))
    if fast == 0 or size == 0:  # nothing to learn, or nothing to learn it with
        return learned.T, squares, np.zeros(rows), forward
    work = _STAGES * (4.0 * rows * columns + 24.0 * (rows + columns))
    if times[-1] * fast / _REACH * work > _MOST_WORK:
        raise ResourceError(
            f"t = {times[-1]:.3g} needs at least {times[-1] * fast / _REACH:.1e} steps of {work:.1e} operations, too many; "
            "end earlier, or use fewer modes, samples or features"
        )
    readout, field = np.zeros(rows), np.vstack([rates, drive / size])  # in units of the target
    backward, most = np.ascontiguousarray(forward.T), int(_MOST_WORK / work)
    with np.errstate(all="ignore"):
        bending = np.float64(richness) * size**2
        step = 0.01 / (fast + np.sqrt(bending) * np.linalg.norm(field[1]))
        scheme = (float(bending), tolerance, float(step), most, _TABLE)
        outcome, reached = _advance(
            times, forward, backward, field, *scheme, readout, learned, squares
        )
    if outcome == _TOO_LONG:
        raise ResourceError(
            f"integration was given up at t = {reached:.3g}: it takes too many steps; end earlier, or lower the richness"
        )
    if outcome == _STUCK:
        raise ConvergenceError(
            f"steps became too small to move on at t = {reached:.3g}; lower the richness, or rescale the target"
        )
    return size * learned.T, size**2 * squares, size * readout, forward


@njit
def _through(matrix: Array, vector: Array, out: Array) -> None:
    """Add the transposed matrix times a vector to `out`, row by row."""
    for i in range(matrix.shape[0]):
        factor = vector[i]
        for j in range(out.size):
            out[j] += factor * matrix[i, j]


@njit
def _dot(left: Array, right: Array) -> float:
    """Multiply two vectors, in four sums that do not wait for each other."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    whole = left.size - left.size % 4
    for n in range(0, whole, 4):
        one += left[n] * right[n]
        two += left[n + 1] * right[n + 1]
        three += left[n + 2] * right[n + 2]
        four += left[n + 3] * right[n + 3]
    for n in range(whole, left.size):
        one += left[n] * right[n]
    return (one + two) + (three + four)


@njit
def _combine(weights: Array, count: int, scale: float, vectors: Array, out: Array) -> None:
    """Add the first `count` vectors, weighted, to `out`."""
    for k in range(count):
        factor = scale * weights[k]
        if factor != 0.0:
            for i in range(out.size):
                out[i] += factor * vectors[k, i]


@njit
def _product(
    weights: Array, count: int, scale: float, left: Array, right: Array, vector: Array, out: Array
) -> None:
    """Add weighted products `left right^T` of the first `count` stages, applied to a vector, to `out`."""
    for k in range(count):
        factor = scale * weights[k]
        if factor != 0.0:
            factor *= _dot(right[k], vector)
            for i in range(out.size):
                out[i] += factor * left[k, i]


@njit
def _stage(
    k: int,
    step: float,
    bend: float,
    weights: Array,
    start: Array,
    forward: Array,
    backward: Array,
    field: Array,
    readouts: Array,
    velocities: Array,
    turns: Array,
) -> None:
    """Evaluate the right-hand sides at stage k: readout, its velocity, and the vector nu that turns B.

    Within a step, B is the matrix at its start plus products of earlier stages: it need not be formed.
    """
    readout, velocity, turn = readouts[k], velocities[k], turns[k]
    for i in range(readout.size):
        readout[i] = start[i]
        velocity[i] = 0.0
    for j in range(turn.size):
        turn[j] = 0.0
    _combine(weights, k, step, velocities, readout)
    _through(forward, readout, turn)
    _product(weights, k, bend, turns, readouts, readout, turn)
    for j in range(turn.size):
        turn[j] = field[1, j] - field[0, j] * turn[j]
    _through(backward, turn, velocity)
    _product(weights, k, bend, readouts, turns, turn, velocity)


@njit
def _error(
    step: float,
    bend: float,
    weights: Array,
    end: Array,
    forward: Array,
    field: Array,
    readouts: Array,
    velocities: Array,
    turns: Array,
) -> float:
    """Measure an embedded error: relative, of the readout, of B along the readout, and of what both predict."""
    off, bent, moved = np.zeros(end.size), np.zeros(turns.shape[1]), np.zeros(turns.shape[1])
    _combine(weights, weights.size, step, velocities, off)
    _product(weights, weights.size, bend, turns, readouts, end, bent)
    _through(forward, off, moved)
    amiss = 0.0
    for j in range(bent.size):
        amiss += field[0, j] * (bent[j] + moved[j]) ** 2
    relative: float = np.sqrt(max(_dot(off, off), _dot(bent, bent)) / _dot(end, end))
    predicted: float = np.sqrt(amiss)
    return max(relative, predicted)


@njit
def _advance(
    times: Array,
    forward: Array,
    backward: Array,
    field: Array,
    richness: float,
    tolerance: float,
    step: float,
    most: int,
    table: Array,
    readout: Array,
    learned: Array,
    squares: Array,
) -> tuple[int, float]:
    """Integrate from 0 through all times, overwriting B, its transpose and the readout; return how it went and the time reached.

    The rows of `field` are the rates and the drive.
    """
    stages = table.shape[1]
    rows, columns = forward.shape
    readouts, velocities, turns = (
        np.zeros((stages, rows)),
        np.zeros((stages, rows)),
        np.zeros((stages, columns)),
    )
    end = np.zeros(rows)
    now, taken, first = 0.0, 0, 0
    for record in range(times.size):
        while now < times[record]:
            landing = step >= times[record] - now
            h = times[record] - now if landing else step
            # steps shrink as the kernel grows: what is hopeless by now stays so
            if taken >= most or (taken > 1000 and times[-1] - now > 10.0 * most * step):
                return 2, now
            if now + h == now:
                return 1, now
            taken += 1
            bend = h * richness
            for k in range(first, stages):
                _stage(
                    k,
                    h,
                    bend,
                    table[k],
                    readout,
                    forward,
                    backward,
                    field,
                    readouts,
                    velocities,
                    turns,
                )
            for i in range(rows):
                end[i] = readout[i]
            _combine(table[stages], stages, h, velocities, end)
            coarse, fine = 0.0, 0.0
            for row in range(stages + 1, stages + 3):
                coarse, fine = (
                    fine,
                    _error(h, bend, table[row], end, forward, field, readouts, velocities, turns)
                    / tolerance,
                )
            error = fine * fine / np.sqrt(fine * fine + 0.01 * coarse * coarse + 1e-300)
            change = 0.9 * (error + 1e-12) ** -0.125
            if not error < 1.0:  # not a number where a far too long step has overflowed
                step = h * max(0.2, change) if error < np.inf else 0.2 * h
                first = 1  # the stage at the start of the step is as it was
                continue
            # a step shortened to land on a time says nothing against the longer one
            step = max(step, h * min(5.0, change)) if landing else h * min(5.0, change)
            now = times[record] if landing else now + h
            first = 0
            for k in range(stages):
                factor = bend * table[stages, k]
                if factor != 0.0:
                    for i in range(rows):
                        for j in range(columns):
                            forward[i, j] += factor * readouts[k, i] * turns[k, j]
                    for j in range(columns):
                        for i in range(rows):
                            backward[j, i] += factor * turns[k, j] * readouts[k, i]
            for i in range(rows):
                readout[i] = end[i]
        _through(forward, readout, learned[record])
        squares[record] = _dot(readout, readout)
    return 0, now
