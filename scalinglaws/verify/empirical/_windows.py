"""Windows of modes over which exponents are read off, and slopes over them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Modes = NDArray[np.intp]
Window = tuple[int, int]

FIRST = 5
"""First mode of a fit, k_0: earlier ones are single features of the data."""
LEAST_SPAN = 4
"""Last over first mode, at the least: k_1 >= 4 k_0."""
SHARE = 0.15
"""Last mode of a fit over the number of samples, at most."""
MOST_BIAS = 0.5
"""Relative bias of the last eigenvalue of a fit, to first order, at most."""
MOST_MODES = 1000
"""Last mode of a fit, at most: more modes cost more and say no more."""
_PER_DECADE = 20
_CUT = 1.8  # factor by which sub-windows are shorter


def modes_of(window: Window) -> Modes:
    """Return the modes of a fit: 20 per decade at equal steps of their logarithm, rounded, each once.

    Examples
    --------
    >>> modes_of((5, 20))
    array([ 5,  6,  7,  8,  9, 11, 12, 13, 15, 16, 18, 20])
    """
    first, last = window
    steps = max(1, math.ceil(_PER_DECADE * math.log10(last / first)))
    return np.unique(np.rint(np.geomspace(first, last, steps + 1)).astype(np.intp))


def sub_windows(window: Window) -> tuple[Window, ...]:
    """Return three shorter windows: without the end, without the beginning, and without half of both.

    Examples
    --------
    >>> sub_windows((5, 75))
    ((5, 42), (9, 75), (7, 56))
    """
    first, last = window
    root = math.sqrt(_CUT)
    return (
        (first, round(last / _CUT)),
        (round(_CUT * first), last),
        (round(root * first), round(last / root)),
    )


def thirds(window: Window) -> tuple[Window, ...]:
    """Return the three thirds of a window in the logarithm of the mode.

    Examples
    --------
    >>> thirds((5, 75))
    ((5, 12), (12, 30), (30, 75))
    """
    edges = [round(edge) for edge in np.geomspace(*window, 4).tolist()]
    return tuple(pairwise(edges))


def slope(x: Array, y: Array) -> float:
    """Return the least-squares slope of y on x."""
    away = x - x.mean()
    return float(away @ y / (away @ away))
