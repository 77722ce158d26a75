"""Where fits start: amplitudes enter linearly, so each shape on a grid gets its best ones (variable projection)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FACES = ((0,), (1,), (0, 1), (2,), (0, 2), (1, 2), (0, 1, 2))
_FLOOR = 1e-3  # an amplitude of zero has no logarithm: so much of the largest there could be


def _best_shape(
    gram: Array, moments: Array, first: Array, second: Array, offset: bool, side: int
) -> tuple[int, int, Array]:
    """Find the least of |E e + A phi_j + B phi_k - 1|^2 over E, A, B >= 0 and over all pairs (j, k).

    Gram and moments are the inner products of all columns with each other and with 1. The best non-negative point is the best point of
    one of the faces on which some of the three vanish: there are seven. A side > 0 keeps to pairs with a >= b, < 0 to those with a <= b.
    """
    a, b = np.s_[1 : 1 + first.size], np.s_[1 + first.size :]
    diagonal = np.diagonal(gram)
    # inner products of the three columns of every pair, shape (1 or J, 1 or K)
    products = [
        [gram[:1, :1], gram[a, :1], gram[:1, b]],
        [gram[a, :1], diagonal[a, None], gram[a, b]],
        [gram[:1, b], gram[a, b], diagonal[None, b]],
    ]
    ones = [moments[:1, None], moments[a, None], moments[None, b]]
    allowed = side * (first[:, None] - second) >= 0
    best, found = np.inf, (0, 0, np.zeros(3))
    for parts in _FACES:
        if not offset and 0 in parts:
            continue
        system = [[products[p][q] for q in parts] for p in parts]
        right = [ones[p] for p in parts]
        good, size = allowed, len(parts)
        # elimination: the matrix is positive definite unless columns are alike
        for p in range(size):
            good = good & (system[p][p] > 1e-13 * products[parts[p]][parts[p]])
            for q in range(p + 1, size):
                ratio = system[q][p] / system[p][p]
                system[q] = [system[q][l] - ratio * system[p][l] for l in range(size)]
                right[q] = right[q] - ratio * right[p]
        misfit: Any = 0.0  # |1|^2 - c^T moments at a stationary point
        for p in reversed(range(size)):
            for q in range(p + 1, size):
                right[p] = right[p] - system[p][q] * right[q]
            right[p] = right[p] / system[p][p]
            good = good & (right[p] > 0.0)
            misfit = misfit - right[p] * ones[parts[p]]
        misfit = np.where(good, misfit, np.inf)
        j, k = divmod(int(np.argmin(misfit)), second.size)
        if misfit[j, k] < best:
            best, amplitudes = misfit[j, k], np.zeros(3)
            amplitudes[list(parts)] = [np.broadcast_to(c, misfit.shape)[j, k] for c in right]
            found = j, k, amplitudes
    return found


def surface_start(
    u: Array,
    v: Array,
    losses: Array,
    weights: Array,
    first: Array,
    second: Array,
    *,
    offset: bool = True,
    side: int = 0,
) -> Array:
    """Return coordinates (ln E, ln A, ln B, a, b) of the best surface on a grid of exponents.

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        Logarithms of model size and data, centered.
    losses, weights : ndarray, shape (n,)
        Losses, and how often each point counts.
    first, second : ndarray
        Exponents to try.
    offset : bool
        Whether there is an offset E.
    side : int
        1 for pairs with a >= b only, -1 for those with a <= b.

    Returns
    -------
    ndarray, shape (5,)
        For the centered variables; no amplitude is below a thousandth of the largest that the losses allow.
    """
    logs = np.concatenate([np.zeros((1, u.size)), -first[:, None] * u, -second[:, None] * v])
    tops = logs.max(axis=1)
    basis = np.exp(logs - tops[:, None]) * (np.sqrt(weights) / losses)
    gram, moments = basis @ basis.T, basis @ np.sqrt(weights)
    with np.errstate(all="ignore"):  # of pairs whose columns are alike
        j, k, amplitudes = _best_shape(gram, moments, first, second, offset, side)
    chosen = [0, 1 + j, 1 + first.size + k]
    most = np.array([moments[i] / gram[i, i] for i in chosen])
    heights = np.log(np.maximum(amplitudes, _FLOOR * most)) - tops[chosen]
    return np.array([*heights, first[j], second[k]])


_FEW = 2  # shape parameters up to which the grid has all combinations
_POINTS = {1: 60, 2: 18}  # in each direction
_SPREAD = {3: 1000, 4: 2000}  # points of a low-discrepancy sequence instead; beyond 4: the most
_KEPT = {0: 1, 1: 1, 2: 3}  # starts that are followed; beyond 2 shape parameters: 8
_APART = 0.12  # of the box, between starts
_NEAR = 1.0  # how far outside the data a scale may lie, in e-folds
_NOTHING = -1e3  # exp of it is 0


def shape_starts(
    log_loss: Callable[[Array], Array],
    logs: Array,
    losses: Array,
    weights: Array,
    low: Sequence[float],
    high: Sequence[float],
    linear: Sequence[int],
    boxes: Mapping[int, Any],
) -> list[Array]:
    """Return the best starts of any law: shapes spread over boxes, each with its best amplitudes where some enter linearly.

    Parameters
    ----------
    log_loss : callable
        Coordinates of shape (B, p) -> ln L of shape (B, n).
    logs : ndarray, shape (k, n)
        Logarithms of the variables.
    losses, weights : ndarray, shape (n,)
        Losses, and how often each point counts.
    low, high : sequence of float
        Bounds of the coordinates; equal where one is fixed.
    linear : sequence of int
        Coordinates that are logarithms of what enters linearly.
    boxes : mapping of int to (float, float), "scale" or int
        Range of each other coordinate: a number stands for that of the logarithms of a variable.

    Returns
    -------
    list of ndarray, shape (p,)
        The best, and others apart from it.
    """
    size = len(low)
    moving = [j for j in boxes if low[j] < high[j]]
    ends = np.array([_box(boxes[j], logs, low[j], high[j]) for j in moving]).reshape(-1, 2)
    unit = _spread(len(moving))
    shapes = np.zeros((len(unit), size))
    shapes[:, moving] = ends[:, 0] + unit * (ends[:, 1] - ends[:, 0])
    for j in boxes:
        if j not in moving:
            shapes[:, j] = low[j]
    with np.errstate(all="ignore"):
        if linear:
            misfits = _with_amplitudes(log_loss, shapes, losses, weights, low, high, linear)
        else:
            misfits = np.sum(weights * (log_loss(shapes) - np.log(losses)) ** 2, axis=1)
    misfits = np.where(np.isfinite(misfits), misfits, np.inf)
    kept: list[int] = []
    for i in np.argsort(misfits, kind="stable"):
        if np.isfinite(misfits[i]) and all(np.abs(unit[i] - unit[k]).max() > _APART for k in kept):
            kept.append(int(i))
        if len(kept) == _KEPT.get(len(moving), 8):
            break
    return [shapes[i] for i in kept]


def _box(box: Any, logs: Array, low: float, high: float) -> tuple[float, float]:
    if isinstance(box, (str, int)):
        row = logs if isinstance(box, str) else logs[box]
        seen = row[row > _NOTHING]  # shares may be 0
        box = float(seen.min()) - _NEAR, float(seen.max()) + _NEAR
    least, most = max(box[0], low), min(box[1], high)
    return (least, most) if least <= most else (low, high)


def _spread(directions: int) -> Array:
    """Return points of the unit cube: a grid in few directions, a sequence that fills it evenly in more."""
    if directions == 0:
        return np.zeros((1, 0))
    if directions <= _FEW:
        axis = np.linspace(0.0, 1.0, _POINTS[directions])
        return np.stack(
            [part.ravel() for part in np.meshgrid(*[axis] * directions, indexing="ij")], axis=-1
        )
    from scipy.stats import qmc

    points: Array = qmc.Halton(directions, scramble=False).random(_SPREAD.get(directions, 3000))
    return points


def _with_amplitudes(
    log_loss: Callable[[Array], Array],
    shapes: Array,
    losses: Array,
    weights: Array,
    low: Sequence[float],
    high: Sequence[float],
    linear: Sequence[int],
) -> Array:
    """Fill in the best amplitudes of every shape, for the relative residuals; return the misfits."""
    basis = []
    for j in linear:  # the loss with this amplitude 1 and the others 0
        alone = shapes.copy()
        alone[:, list(linear)] = _NOTHING
        alone[:, j] = 0.0
        basis.append(log_loss(alone))
    parts = np.stack(basis, axis=-1)  # (shapes, points, amplitudes)
    tops = parts.max(axis=1)
    root = np.sqrt(weights)
    scaled = np.exp(parts - tops[:, None, :]) * (root / losses)[:, None]
    fitted = [p for p, j in enumerate(linear) if low[j] < high[j]]
    held = [p for p in range(len(linear)) if p not in fitted]
    target = np.broadcast_to(root, scaled.shape[:2]).copy()
    for p in held:
        target -= scaled[:, :, p] * np.exp(low[linear[p]] + tops[:, p])[:, None]
        shapes[:, linear[p]] = low[linear[p]]
    columns = scaled[:, :, fitted]
    gram = np.einsum("sia,sib->sab", columns, columns)
    moments = np.einsum("sia,si->sa", columns, target)
    usable = np.isfinite(gram).all(axis=(1, 2))
    gram[~usable], moments[~usable] = np.eye(len(fitted)), 0.0
    amplitudes, gained = _non_negative(gram, moments)
    most = moments / np.maximum(np.einsum("saa->sa", gram), 1e-300)
    heights = np.log(np.maximum(np.maximum(amplitudes, _FLOOR * most), 1e-300))
    for a, p in enumerate(fitted):
        shapes[:, linear[p]] = heights[:, a] - tops[:, p]
    return np.where(usable, np.sum(target**2, axis=1) - gained, np.inf)


def _non_negative(gram: Array, moments: Array) -> tuple[Array, Array]:
    """Return the best non-negative coefficients of many least-squares problems at once, and by how much each lowers its square.

    The best point is that of one of the faces on which some coefficients vanish; all are tried.
    """
    count, size = moments.shape
    best, found = np.zeros(count), np.zeros((count, size))
    for face in range(1, 2**size):
        on = [a for a in range(size) if face >> a & 1]
        part = gram[:, on][:, :, on]
        ridge = 1e-13 * np.einsum("saa->sa", part)[:, :, None] * np.eye(len(on)) + 1e-290 * np.eye(
            len(on)
        )
        solved = np.linalg.solve(part + ridge, moments[:, on, None])[..., 0]
        gained = np.sum(solved * moments[:, on], axis=1)
        better = np.all(solved > 0, axis=1) & (gained > best)
        best[better] = gained[better]
        values = np.zeros((count, size))
        values[:, on] = solved
        found[better] = values[better]
    return found, best
