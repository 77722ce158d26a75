r"""Damped Newton steps with exact Hessians, for any law whose logarithm is given with gradient and Hessian.

Sums over points are written once and compiled for each law: they call ``_law``, which `engine` puts in its place. The steps are
compiled once, and given the sums. What is minimized is :math:`F = \sum_i w_i e_i H_\delta(r_i)` with residuals
:math:`r_i = \ln L_i - f_i`, Huber's :math:`H_\delta`, and :math:`e_i = e` for residuals above the law (1 unless an envelope is
fitted).
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ....solvers import _jit

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Accumulate = Callable[..., float]

_FIRST = 0.1  # delta of the first stage
_SHORTER = 0.3  # each stage's delta, relative to the one before
_MOST_STEPS = 400  # in one stage
_GAIN = 1e-15  # relative decrease that ends the last stage
_LOST = 1e-15  # relative decrease that a sum cannot show
_EARLY_GAIN = 1e-6  # and those before, which only lead there
# of an objective: x, columns, y, w, delta, envelope, and room for the gradient, the Hessian, the scale of the damping, and the law's
# own gradient, its outer product and Hessian
_SIGNATURE = (
    "float64(float64[::1], float64[:, ::1], float64[::1], float64[::1], float64, float64, "
    "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1])"
)
_BLOCK = 64  # resamples that a thread takes at a time


def stages(delta: float, first: float = _FIRST) -> Array:
    """Return the sequence of Huber thresholds that ends at delta, each 0.3 of the one before."""
    found = []
    while first > delta:
        found.append(first)
        first *= _SHORTER
    return np.array([*found, delta])


@_jit.njit
def _huber(r: float, weight: float, delta: float) -> tuple[float, float, float, float]:
    """Return w H(r), its slope psi over w, and the weights of J J^T in the Hessian and in the scale of the damping."""
    distance = abs(r)
    if distance < delta:
        return weight * 0.5 * r * r, r, weight, weight
    slope = delta if r > 0.0 else -delta
    return weight * delta * (distance - 0.5 * delta), slope, 0.0, weight * (delta / distance)


@_jit.njit
def _minimize(
    accumulate: Accumulate,
    rows: Array,
    columns: Array,
    y: Array,
    weights: Array,
    deltas: Array,
    envelope: float,
    low: Array,
    high: Array,
    free: Flags,
    told: Array,
) -> None:
    # Moves each row to a minimum within its bounds, with weights of its own; tells F, the number of steps tried, and whether none
    # went down any more.
    size = rows.shape[1]
    trial, step, held = np.empty(size), np.empty(size), np.empty(size, np.bool_)
    packed = size * (size + 1) // 2
    gradient, hessian, scale = np.empty(size), np.empty(packed), np.empty(size)
    g_new, h_new, s_new = np.empty(size), np.empty(packed), np.empty(size)
    jacobian, outer, curvature = np.zeros(size), np.zeros(packed), np.zeros(packed)
    factor = np.zeros((size, size))
    for b in range(rows.shape[0]):
        x, w = rows[b], weights[b]
        value, steps, settled = np.inf, 0, True
        for stage in range(deltas.size):
            delta = deltas[stage]
            enough = _GAIN if stage == deltas.size - 1 else _EARLY_GAIN
            value = accumulate(
                x,
                columns,
                y,
                w,
                delta,
                envelope,
                gradient,
                hessian,
                scale,
                jacobian,
                outer,
                curvature,
            )
            damping, settled, fresh = 1e-3, False, True
            for _ in range(_MOST_STEPS):
                if fresh:  # at a bound, and pushed against it: held there
                    for j in range(size):
                        held[j] = (
                            not free[j]
                            or (x[j] <= low[j] and gradient[j] > 0.0)
                            or (x[j] >= high[j] and gradient[j] < 0.0)
                        )
                    fresh = False
                # Cholesky of the damped Hessian over what is free to move, solved forwards on the way; not positive: more damping
                positive = True
                for j in range(size):
                    step[j] = 0.0
                    if held[j]:
                        continue
                    added = damping * scale[j]
                    right = -gradient[j]
                    row = j * (j + 1) // 2
                    pivot = hessian[row + j] + added
                    for k in range(j):
                        if held[k]:
                            continue
                        entry = hessian[row + k]
                        for l in range(k):
                            if not held[l]:
                                entry -= factor[j, l] * factor[k, l]
                        entry /= factor[k, k]
                        factor[j, k] = entry
                        pivot -= entry * entry
                        right -= entry * step[k]
                    if not pivot > 1e-14 * (abs(hessian[row + j]) + added):
                        positive = False
                        break
                    factor[j, j] = np.sqrt(pivot)
                    step[j] = right / factor[j, j]
                accepted = False
                if positive:
                    for back in range(size):
                        j = size - 1 - back
                        if held[j]:
                            continue
                        for k in range(j + 1, size):
                            if not held[k]:
                                step[j] -= factor[k, j] * step[k]
                        step[j] /= factor[j, j]
                    for j in range(size):
                        trial[j] = x[j] if held[j] else min(max(x[j] + step[j], low[j]), high[j])
                    reached = accumulate(
                        trial,
                        columns,
                        y,
                        w,
                        delta,
                        envelope,
                        g_new,
                        h_new,
                        s_new,
                        jacobian,
                        outer,
                        curvature,
                    )
                    steps += 1
                    accepted = reached <= value
                if accepted:
                    gain = value - reached
                    value = reached
                    for j in range(size):  # a slice would make the compiler write messages
                        x[j] = trial[j]
                    gradient, g_new = g_new, gradient
                    hessian, h_new = h_new, hessian
                    scale, s_new = s_new, scale
                    damping, fresh = max(damping * 0.1, 1e-15), True
                    if gain <= enough * value:
                        settled = True
                        break
                else:
                    damping *= 4.0
                    lost = damping > 1e15  # no direction goes down any more
                    if positive:
                        promised = 0.0
                        for j in range(size):
                            promised -= 0.5 * gradient[j] * step[j]
                        lost = lost or promised <= _LOST * value
                    if lost:
                        settled = True
                        break
        told[b, 0], told[b, 1], told[b, 2] = value, steps, settled


# -- templates ----------------------------------------------------------------------------------------------------------

_law: Any = None  # replaced for each law
_variables = 0  # of the law, likewise


def _accumulate(
    x: Array,
    columns: Array,
    y: Array,
    w: Array,
    delta: float,
    envelope: float,
    gradient: Array,
    hessian: Array,
    scale: Array,
    jacobian: Array,
    outer: Array,
    curvature: Array,
) -> float:
    # F, its gradient -sum w psi J, the lower triangle of its Hessian sum w [1(|r|<delta) J J^T - psi nabla^2 f], and the scale of
    # the damping, the diagonal of sum w min(1, delta/|r|) J J^T
    size = x.size
    for j in range(size):
        gradient[j] = 0.0
        scale[j] = 1e-300
    for m in range(hessian.size):
        hessian[m] = 0.0
    total = 0.0
    for i in range(y.size):
        if w[i] == 0.0:
            continue
        r = y[i] - _law(x, columns, i, jacobian, outer, curvature)
        weight = w[i] * envelope if r > 0.0 else w[i]
        loss, psi, inside, damped = _huber(r, weight, delta)
        total += loss
        pull = weight * psi
        for j in range(size):
            gradient[j] -= pull * jacobian[j]
            scale[j] += damped * jacobian[j] * jacobian[j]
        for m in range(hessian.size):
            hessian[m] += inside * outer[m] - pull * curvature[m]
    return total


def _accumulate_groups(
    x: Array,
    columns: Array,
    y: Array,
    w: Array,
    delta: float,
    envelope: float,
    gradient: Array,
    hessian: Array,
    scale: Array,
    jacobian: Array,
    outer: Array,
    curvature: Array,
) -> float:
    # As `_accumulate`, where points have coordinates of their own among those of x: below the variables, a row of `columns` for
    # each coordinate of the law says where it stands in x.
    size, count = x.size, columns.shape[0] - _variables
    own, place = np.empty(count), np.empty(count, np.int64)
    for j in range(size):
        gradient[j] = 0.0
        scale[j] = 1e-300
    for m in range(hessian.size):
        hessian[m] = 0.0
    total = 0.0
    for i in range(y.size):
        if w[i] == 0.0:
            continue
        for j in range(count):
            place[j] = np.int64(columns[_variables + j, i])
            own[j] = x[place[j]]
        r = y[i] - _law(own, columns, i, jacobian, outer, curvature)
        weight = w[i] * envelope if r > 0.0 else w[i]
        loss, psi, inside, damped = _huber(r, weight, delta)
        total += loss
        pull, m = weight * psi, 0
        for j in range(count):
            gradient[place[j]] -= pull * jacobian[j]
            scale[place[j]] += damped * jacobian[j] * jacobian[j]
            for k in range(j + 1):
                row, column = max(place[j], place[k]), min(place[j], place[k])
                hessian[row * (row + 1) // 2 + column] += inside * outer[m] - pull * curvature[m]
                m += 1
    return total


def _evaluate(x: Array, columns: Array, values: Array, gradients: Array) -> None:
    # of gradients no more than the room that there is, the last of a row in its last place
    packed = x.shape[1] * (x.shape[1] + 1) // 2
    outer, curvature = np.zeros(packed), np.zeros(packed)
    for b in range(x.shape[0]):
        for i in range(columns.shape[1]):
            place = min(i, gradients.shape[1] - 1)
            values[b, i] = _law(x[b], columns, i, gradients[b, place], outer, curvature)


# -- one law's ----------------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class Engine:
    """The compiled functions of one law.

    Attributes
    ----------
    law : callable
        ``f(x, columns, i, jacobian, outer, curvature)``: the law's logarithm at point i. Written are its gradient J in x, and the
        lower triangles, row after row, of J J^T and of its Hessian.
    accumulate : callable
        The objective of this module with its derivatives, for that law.
    evaluate : callable
        ``evaluate(x, columns, values, gradients)``: the law's logarithm and its gradient at all points.
    """

    law: Callable[..., float]
    accumulate: Accumulate
    evaluate: Callable[..., None]

    def values(self, x: Array, columns: Array) -> Array:
        """Compute the law's logarithm for rows of coordinates, at all points."""
        found = np.empty((len(x), columns.shape[1]))
        self.evaluate(x, np.ascontiguousarray(columns), found, np.empty((len(x), 1, x.shape[1])))
        return found

    def gradients(self, x: Array, columns: Array) -> Array:
        """Compute its gradient in the coordinates."""
        found = np.empty((len(x), columns.shape[1], x.shape[1]))
        self.evaluate(x, np.ascontiguousarray(columns), np.empty(found.shape[:2]), found)
        return found


@lru_cache(maxsize=64)
def engine(law: Callable[..., float]) -> Engine:
    """Compile the functions of this module for a law; machine code is kept on disk under a name with the law's digest."""
    name = _name(law)
    accumulate = _for_law(_accumulate, name, _law=law)
    return Engine(
        law=law,
        accumulate=_jit.pointer(accumulate, _SIGNATURE),
        evaluate=_for_law(_evaluate, name, _law=law),
    )


@lru_cache(maxsize=64)
def group_objective(law: Callable[..., float], variables: int) -> Accumulate:
    """Compile the objective of a law of which groups of points have coordinates of their own, or shared ones."""
    name = f"groups_{_name(law)}"
    accumulate: Accumulate = _for_law(_accumulate_groups, name, _law=law, _variables=variables)
    return _jit.pointer(accumulate, _SIGNATURE)


@short_repr
@dataclass(frozen=True)
@by_value
class Task:
    """What is minimized over coordinates, but for the weights of points.

    Attributes
    ----------
    accumulate : callable
        The objective: `Engine.accumulate` or a `group_objective`.
    columns, y : ndarray
        Logarithms of the variables (for groups with places of coordinates below), shape (., P), and of the losses.
    deltas : ndarray
        Huber thresholds, one stage each.
    envelope : float
        Factor of the weights of residuals above the law.
    low, high, free : ndarray
        Bounds of coordinates, and which of them are fitted.
    """

    accumulate: Accumulate
    columns: Array
    y: Array
    deltas: Array
    envelope: float
    low: Array
    high: Array
    free: Flags

    def minimize(self, x: Array, weights: Array) -> tuple[float, int, bool]:
        """Move x to a minimum within its bounds; return F, the number of steps tried, and whether none went down any more."""
        told = self._moved(x[None], weights[None])[0]
        return float(told[0]), int(told[1]), bool(told[2])

    def minimize_many(self, x: Array, weights: Array) -> Array:
        """Return a minimum for each row of weights, all from the same start.

        On as many threads as there may be: what is found depends on no other row.
        """
        found = np.tile(x, (len(weights), 1))
        in_blocks(lambda part: self._moved(found[part], weights[part]), len(weights))
        return found

    def _moved(self, rows: Array, weights: Array) -> Array:
        told = np.empty((len(rows), 3))
        _minimize(
            self.accumulate,
            rows,
            self.columns,
            self.y,
            weights,
            self.deltas,
            self.envelope,
            self.low,
            self.high,
            self.free,
            told,
        )
        return told


def _name(law: Callable[..., float]) -> str:
    code = getattr(law, "py_func", law).__code__
    told = repr((code.co_code, code.co_consts, code.co_names)).encode()
    return f"{code.co_name}_{hashlib.sha256(told).hexdigest()[:12]}"


def _for_law(template: Callable[..., Any], name: str, **names: Any) -> Any:
    """Compile a function of this module with other globals: Numba keeps no closures on disk, but functions of different names."""
    function = types.FunctionType(
        template.__code__, {**globals(), **names}, f"{template.__name__}_{name}"
    )
    function.__qualname__ = function.__name__
    function.__module__ = __name__
    return _jit.njit(function)


def in_blocks(work: Callable[[slice], object], count: int) -> None:
    """Do a work on all blocks of so many items, on as many threads as there may be: what is found depends on no other block."""
    parts = [slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)]
    workers = min(_jit.available_threads(), len(parts))
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, parts))
    else:
        for part in parts:
            work(part)
