"""The two laws that are fitted most, by hand: the surface of model size and data, and a power of its excess."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]


@_jit.njit
def surface(x: Array, columns: Array, i: int, jacobian: Array, curvature: Array) -> float:
    # x = (ln E, ln A, ln B, a, b); columns = (ln N, ln D). f = LSE(t_k) with t = (ln E, ln A - a ln N, ln B - b ln D).
    u, v = columns[0, i], columns[1, i]
    t_0, t_1, t_2 = x[0], x[1] - x[3] * u, x[2] - x[4] * v
    top = max(t_0, t_1, t_2)
    p_0, p_1, p_2 = math.exp(t_0 - top), math.exp(t_1 - top), math.exp(t_2 - top)
    total = p_0 + p_1 + p_2
    p_0, p_1, p_2 = p_0 / total, p_1 / total, p_2 / total  # softmax: shares of the loss
    q_1, q_2 = -p_1 * u, -p_2 * v
    jacobian[0], jacobian[1], jacobian[2], jacobian[3], jacobian[4] = p_0, p_1, p_2, q_1, q_2
    # the Hessian of f is sum_k p_k u_k u_k^T - J J^T with u_k the gradient of t_k; only its lower triangle is read
    curvature[0, 0] = p_0 - p_0 * p_0
    curvature[1, 0], curvature[1, 1] = -p_1 * p_0, p_1 - p_1 * p_1
    curvature[2, 0], curvature[2, 1], curvature[2, 2] = -p_2 * p_0, -p_2 * p_1, p_2 - p_2 * p_2
    curvature[3, 0], curvature[3, 1], curvature[3, 2] = -q_1 * p_0, q_1 - q_1 * p_1, -q_1 * p_2
    curvature[3, 3] = -q_1 * u - q_1 * q_1
    curvature[4, 0], curvature[4, 1], curvature[4, 2] = -q_2 * p_0, -q_2 * p_1, q_2 - q_2 * p_2
    curvature[4, 3], curvature[4, 4] = -q_2 * q_1, -q_2 * v - q_2 * q_2
    f: float = top + math.log(total)
    return f


@_jit.njit
def surface_power(x: Array, columns: Array, i: int, jacobian: Array, curvature: Array) -> float:
    # x = (ln E, ln A, ln B, a, b, c). m = ln(A N^-a + B D^-b), s = c m, f = ln(E + e^s); at c = 1 this is `surface`.
    u, v, c = columns[0, i], columns[1, i], x[5]
    t_1, t_2 = x[1] - x[3] * u, x[2] - x[4] * v
    if t_1 > t_2:
        ratio = math.exp(t_2 - t_1)
        m, share = (
            t_1 + math.log1p(ratio),
            1 / (1 + ratio),
        )  # share: pi, that of the model term in the sum
        rest = ratio * share
    else:
        ratio = math.exp(t_1 - t_2)
        m, rest = t_2 + math.log1p(ratio), 1 / (1 + ratio)
        share = ratio * rest
    s = c * m
    f: float
    if s > x[0]:
        ratio = math.exp(x[0] - s)
        f, above = (
            s + math.log1p(ratio),
            1 / (1 + ratio),
        )  # above: P, the share of the loss that is not E
        below = ratio * above
    else:
        ratio = math.exp(s - x[0])
        f, below = x[0] + math.log1p(ratio), 1 / (1 + ratio)
        above = ratio * below
    # nabla m = (0, pi, 1 - pi, -pi u, -(1 - pi) v, 0), its Hessian pi (1 - pi) d d^T with d = (0, 1, -1, -u, v, 0)
    d = (0.0, 1.0, -1.0, -u, v, 0.0)
    slope = (0.0, share, rest, -share * u, -rest * v, 0.0)
    mixed = share * rest
    # f = LSE(ln E, s): Hessian P nabla^2 s + P (1 - P) h h^T with h = nabla s - e_E
    for j in range(6):
        h_j = c * slope[j] + (m if j == 5 else 0.0) - (1.0 if j == 0 else 0.0)
        for k in range(j + 1):
            h_k = c * slope[k] + (m if k == 5 else 0.0) - (1.0 if k == 0 else 0.0)
            curvature[j, k] = above * below * h_j * h_k + above * c * mixed * d[j] * d[k]
    for k in range(1, 5):
        curvature[5, k] += above * slope[k]  # s = c m: e_c nabla m^T
        jacobian[k] = above * c * slope[k]
    # m u-terms: the Hessian of m has, besides d d^T, the curvature of t_k, which is zero: t_k is linear
    jacobian[0], jacobian[5] = below, above * m
    return f
