r"""Averages under exp(-W(t)) times a normal density, however narrow or far apart the two are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array

_DROP = 42.0  # of the logarithm of the weight, at the ends of a window
_FEWEST, _MOST = 64, 2**15  # nodes
_BLOCK = 2**19  # numbers held at once for each quantity
_ROUNDING = 2.5e-16
_ZOOMS = 7
_LOST = 0.01  # rounding of exponents beyond which weights are noise, and averages are known to the width of the window
_CARRIED = 24  # nodes that must carry the weight, or the difference to half as many tells nothing
_NORMAL = np.linspace(-14.0, 14.0, 57)
_AROUND = np.geomspace(1e-4, 1e4, 81)  # landmarks, up to the farthest


Places = NDArray[np.int64]
Potential = Callable[[Array], Array]
Quantities = Callable[[Array, Array, Array], list[tuple[Array, Array]]]


class UnboundedError(ArithmeticError):
    """The weight does not fall within any window that the normal density leaves."""


class Averages(NamedTuple):
    """Of n rows.

    Attributes
    ----------
    log_norm : ndarray, shape (n,)
        Logarithm of the normal average of exp(-W).
    means : ndarray, shape (k, n)
        Averages under the normalized product.
    errors : ndarray, shape (k, n)
        What they may be off by: rounding of sums of this size, and the difference to half as many nodes.
    norm_error : ndarray, shape (n,)
        The same of `log_norm`.
    nodes : int
        Most nodes that a row took.
    """

    log_norm: Array
    means: Array
    errors: Array
    norm_error: Array
    nodes: int


def normal_averages(
    potential: Potential,
    quantities: Quantities,
    centers: Array,
    variances: Array,
    landmarks: Array,
) -> Averages:
    r"""Average quantities under :math:`e^{-W(t)} N(t; c, g)` by the trapezoidal rule, with nodes doubled until sums stand still.

    Parameters
    ----------
    potential : callable
        W, of an array of any shape; infinite where the weight is 0.
    quantities : callable
        From t and the offset t - c, both of shape (m, nodes), and g, shape (m, 1), to k pairs of arrays of the first shape: values,
        and sizes of the terms of which they are sums, in units of whose rounding the values are known.
    centers, variances : ndarray, shape (n,)
        c and g > 0.
    landmarks : ndarray, shape (j,)
        Distances from 0 at which W changes.

    Returns
    -------
    Averages
        Of all rows.
    """
    low, high = _windows(potential, centers, variances, landmarks)
    count = len(quantities(*np.ones((3, 1, 1))))
    means, errors = np.empty((count, centers.size)), np.empty((count, centers.size))
    norms, norm_errors = np.empty(centers.size), np.empty(centers.size)
    left, nodes = np.arange(centers.size), _FEWEST
    before = None
    while left.size:
        parts = []
        for rows in _blocks(left, nodes):
            parts.append(
                _sums(
                    potential,
                    quantities,
                    centers[rows],
                    variances[rows],
                    low[rows],
                    high[rows],
                    nodes,
                )
            )
        norm, found, noise, width, carried = (
            np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)
        )
        norm_noise = 4 * _ROUNDING * (1 + np.abs(norm))
        apart = np.full_like(found, math.inf) if before is None else np.abs(found - before[0])
        norm_apart = np.full_like(norm, math.inf) if before is None else np.abs(norm - before[1])
        means[:, left], norms[left] = found, norm
        errors[:, left], norm_errors[left] = noise + apart, norm_noise + norm_apart
        settled = np.all(apart <= 4 * noise, axis=0) & (norm_apart <= 4 * norm_noise)
        few = carried < _CARRIED
        settled &= ~few
        if before is not None:
            settled |= _ROUNDING * np.abs(norm) > _LOST  # more nodes show no more
        errors[:, left[few]] = width[:, few]
        norm_errors[left[few]] = _DROP
        if nodes >= _MOST:
            break
        left, before, nodes = left[~settled], (found[:, ~settled], norm[~settled]), 2 * nodes
    return Averages(norms, means, errors, norm_errors, nodes)


def _blocks(rows: Places, nodes: int) -> Iterator[Places]:
    size = max(1, _BLOCK // nodes)
    for start in range(0, rows.size, size):
        yield rows[start : start + size]


def _sums(
    potential: Potential,
    quantities: Quantities,
    centers: Array,
    variances: Array,
    low: Array,
    high: Array,
    nodes: int,
) -> tuple[Array, Array, Array, Array, Array]:
    step = (high - low) / nodes
    offsets = low[:, None] + step[:, None] * np.arange(nodes + 1)
    t = centers[:, None] + offsets
    exponents = -potential(t) - offsets**2 / (2 * variances[:, None])
    top = np.max(exponents, axis=1)
    weights = np.exp(exponents - top[:, None])
    total = np.sum(weights, axis=1)
    norm = top + np.log(total * step / np.sqrt(2 * math.pi * variances))
    weights /= total[:, None]
    carried = 1 / np.sum(weights**2, axis=1)
    values = quantities(t, offsets, variances[:, None])
    found, noise, width = np.empty((3, len(values), centers.size))
    for i, (value, size) in enumerate(values):
        found[i] = np.sum(weights * value, axis=1)
        apart = np.abs(value - found[i][:, None])
        spread = np.abs(top) * np.sum(weights * apart, axis=1)  # exponents are rounded too
        noise[i] = 4 * _ROUNDING * (np.sum(weights * size, axis=1) + spread)
        width[i] = np.max(apart, axis=1)
    return norm, found, noise, width, carried


def _windows(
    potential: Potential, centers: Array, variances: Array, landmarks: Array
) -> tuple[Array, Array]:
    """Return the offsets from each center between which the weight matters."""
    lows, highs = np.empty_like(centers), np.empty_like(centers)
    for rows in _blocks(np.arange(centers.size), 512):
        lows[rows], highs[rows] = _window(
            potential, centers[rows, None], variances[rows, None], landmarks
        )
    return lows, highs


def _window(
    potential: Potential, center: Array, variance: Array, landmarks: Array
) -> tuple[Array, Array]:
    def exponent(offset: Array) -> Array:
        return np.asarray(potential(center + offset) + offset**2 / (2 * variance))

    around = np.concatenate([landmarks, np.min(landmarks) * _AROUND])
    natural = np.concatenate([-around, [0.0], around]) - center
    between = -center * np.linspace(0.0, 1.0, 33)[1:-1]
    tried = np.sort(np.concatenate([np.sqrt(variance) * _NORMAL, natural, between], axis=1), axis=1)
    values = exponent(tried)
    floor = np.min(values - tried**2 / (2 * variance), axis=1, keepdims=True)  # of W
    best = np.argmin(values, axis=1)[:, None]
    last = tried.shape[1] - 1
    low = np.take_along_axis(tried, np.maximum(best - 1, 0), 1)
    high = np.take_along_axis(tried, np.minimum(best + 1, last), 1)
    for _ in range(_ZOOMS):
        inner = low + (high - low) * np.linspace(0.0, 1.0, 17)
        heights = exponent(inner)
        at = np.argmin(heights, axis=1)[:, None]
        low = np.take_along_axis(inner, np.maximum(at - 1, 0), 1)
        high = np.take_along_axis(inner, np.minimum(at + 1, 16), 1)
        bottom, place = np.take_along_axis(heights, at, 1), np.take_along_axis(inner, at, 1)
        floor = np.minimum(
            floor, np.min(heights - inner**2 / (2 * variance), axis=1, keepdims=True)
        )
    bound = bottom + _DROP
    # W is nowhere much below what was found, so that the normal density bounds the window
    reach = np.sqrt(2 * variance * (bound - floor + 1 + 0.01 * np.abs(floor)))
    seen = values <= bound
    ends = []
    for sign in (-1.0, 1.0):
        farthest = np.max(np.where(seen, sign * tried, -math.inf), axis=1, keepdims=True)
        start = np.maximum(sign * place, farthest)
        room = np.maximum(reach - start, 0.0)
        distances = room * 2.0 ** -np.arange(0.0, 60.0)
        outside = exponent(sign * (start + distances)) > bound
        # the nearest distance from which on everything farther is outside
        passed = np.cumprod(outside, axis=1).astype(bool)
        count = np.sum(passed, axis=1, keepdims=True)
        if not np.all(count):
            raise UnboundedError
        chosen = np.take_along_axis(distances, count - 1, 1)
        inside = np.where(count < 60, np.take_along_axis(distances, np.minimum(count, 59), 1), 0.0)
        for _ in range(3):
            middle = (chosen + inside) / 2
            out = exponent(sign * (start + middle)) > bound
            chosen, inside = np.where(out, middle, chosen), np.where(out, inside, middle)
        ends.append(sign * (start + chosen))
    return ends[0][:, 0], ends[1][:, 0]
