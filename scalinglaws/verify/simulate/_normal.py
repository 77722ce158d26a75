"""Standard normal numbers that are functions of a key and a counter, by the ziggurat.

The area under the bell curve is cut into 256 layers of equal area; a word of 64 random bits picks a layer and a place in it, and in
99 of 100 cases that is all.
"""

from __future__ import annotations

import math

import numpy as np

from ...solvers import _jit
from ._counter import bits, subkey, uniform

_LAYERS = 256
_EDGE = 3.6541528853610088  # where the lowest of 256 layers of equal area ends and the tail begins
_8, _11, _255, _ONE = np.uint64(8), np.uint64(11), np.uint64(255), np.uint64(1)
_UNIT = 2.0**-53


def _edges() -> tuple[np.ndarray, np.ndarray]:
    """Return the right edge of every layer, lowest first, and the height of the curve there."""
    height = math.exp(-0.5 * _EDGE**2)
    area = _EDGE * height + math.sqrt(math.pi / 2) * math.erfc(_EDGE / math.sqrt(2))
    edges, top = [area / height, _EDGE], height
    for _ in range(_LAYERS - 2):
        top += area / edges[-1]
        edges.append(math.sqrt(-2 * math.log(top)))
    edges.append(0.0)
    values = np.array(edges)
    return values, np.exp(-0.5 * values**2)


_X, _F = _edges()


@_jit.njit
def _outside(key: np.uint64, counter: np.uint64, layer: int, x: float) -> float:
    """Return the size of a number that did not fall into the part of its layer that lies below the curve entirely."""
    stream, position = subkey(key, counter), np.uint64(0)
    while True:
        if layer == 0:
            while True:
                far = -math.log(1 - uniform(stream, position)) / _EDGE
                rest = -math.log(1 - uniform(stream, position + _ONE))
                position += _ONE + _ONE
                if 2 * rest > far * far:
                    return float(_EDGE + far)
        if _F[layer] + uniform(stream, position) * (_F[layer + 1] - _F[layer]) < math.exp(
            -0.5 * x * x
        ):
            return x
        word = bits(stream, position + _ONE)
        position += _ONE + _ONE
        layer = int(word & _255)
        x = (word >> _11) * _UNIT * _X[layer]
        if x < _X[layer + 1]:
            return float(x)


@_jit.njit
def normal(key: np.uint64, counter: np.uint64) -> float:
    """Return a standard normal number."""
    word = bits(key, counter)
    layer = int(word & _255)
    x = float((word >> _11) * _UNIT * _X[layer])
    if x >= _X[layer + 1]:
        x = _outside(key, counter, layer, x)
    return x if (word >> _8) & _ONE else -x
