r"""The inverse of the slope of the tree law, :math:`-h'(u) = s`, as piecewise polynomials in :math:`p = s^{-1/3}`.

For large u, :math:`4u = y^2` with :math:`y^4 = 4p^3(y - 2\log 2)` up to exponentially small terms; below, y squared is analytic in
p and vanishes at :math:`p_0 = (2/3)^{-1/3}`.
"""

from __future__ import annotations

import functools
import math

import mpmath
import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from ..._jit import njit

Array = NDArray[np.float64]

_FIRST = 1.5 ** (1 / 3)
_WIDTH = 0.125
_PANELS = 104
_DEGREE = 11
_TWO_LOG_2 = 2 * math.log(2)
_ROOT_4 = 4 ** (1 / 3)


@njit
def inverse_slope(p: float, table: Array) -> tuple[float, float]:
    """Return u with -h'(u) = p^-3, and du/dp; u = 0 for p below the threshold."""
    if p <= _FIRST:
        return 0.0, 0.0
    place = (p - _FIRST) / _WIDTH
    panel = int(min(place, 1e9))
    if panel < table.shape[0]:
        x = 2 * (place - panel) - 1
        value, slope = 0.0, 0.0
        for i in range(table.shape[1] - 1, -1, -1):
            slope = slope * x + value
            value = value * x + table[panel, i]
        return max(value, 0.0), slope * 2 / _WIDTH
    cube = 4 * p * p * p
    y = _ROOT_4 * p - _TWO_LOG_2 / 3
    for _ in range(4):
        y -= (y * y * y * y - cube * (y - _TWO_LOG_2)) / (4 * y * y * y - cube)
    rise = 12 * p * p * (y - _TWO_LOG_2) / (4 * y * y * y - cube)
    return y * y / 4, y * rise / 2


@functools.cache
def table() -> Array:
    """Return the coefficients of u on panels of p, found by Newton's method at Chebyshev nodes."""
    nodes = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    p = _FIRST + _WIDTH * (np.arange(_PANELS)[:, None] + (nodes + 1) / 2)
    s = p**-3.0
    z = np.where(p < 2, 4 * (p - _FIRST), (_ROOT_4 * p - _TWO_LOG_2 / 3) ** 2)  # z = y^2 = 4u
    for _ in range(60):
        value, slope = _slopes(z)
        step = (value - s) / slope
        # the slope is convex in z: Newton's method from the left never overshoots, and from the right it must not leave z > 0
        fresh = np.where(step < z, z - step, z / 4)
        done = np.max(np.abs(fresh - z) / (1 + z)) < 3e-16
        z = fresh
        if done:
            break
    transform = chebyshev.chebvander(nodes, _DEGREE)
    series = np.linalg.solve(transform, (z / 4).T)
    found = np.zeros((_PANELS, _DEGREE + 1))
    for panel in range(_PANELS):
        found[panel] = chebyshev.cheb2poly(series[:, panel])
    found.setflags(write=False)
    return found


def _slopes(z: Array) -> tuple[Array, Array]:
    """Return -h' as a function of z = 4u, and its derivative with respect to z."""
    y = np.sqrt(z)
    orders = np.arange(1, 60)
    # log cosh y = sum_k c_k y^(2k), the Bernoulli numbers written as zeta values
    c = (
        (-1.0) ** (orders + 1)
        * ((4 / math.pi**2) ** orders - math.pi ** (-2.0 * orders))
        * [float(mpmath.zeta(2 * n)) for n in range(1, 60)]
        / orders
    )
    # -h' = 8 log cosh y / y^4 - 4 tanh y / y^3 = sum_k (8 - 8k) c_k y^(2k-4)
    small = np.minimum(z, 0.8)
    power = np.polynomial.polynomial.Polynomial((8 - 8 * orders[1:]) * c[1:])
    large = np.maximum(y, 0.8)
    log_cosh = large + np.log1p(np.exp(-2 * large)) - math.log(2)
    tanh = np.tanh(large)
    value = 8 * log_cosh / large**4 - 4 * tanh / large**3
    slope = (
        8 * tanh / large**4
        - 32 * log_cosh / large**5
        - 4 * (1 - tanh**2) / large**3
        + 12 * tanh / large**4
    ) / (2 * large)
    near = z < 0.8
    return np.where(near, power(small), value), np.where(near, power.deriv()(small), slope)
