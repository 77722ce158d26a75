"""The two laws that are fitted most, by hand: the surface of model size and data, and a power of its excess."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]


@_jit.njit
def surface(
    x: Array, columns: Array, i: int, jacobian: Array, outer: Array, curvature: Array
) -> float:
    # x = (ln E, ln A, ln B, a, b); columns = (ln N, ln D). f = LSE(t_k) with t = (ln E, ln A - a ln N, ln B - b ln D).
    u, v = columns[0, i], columns[1, i]
    t_0, t_1, t_2 = x[0], x[1] - x[3] * u, x[2] - x[4] * v
    top = max(t_0, t_1, t_2)
    p_0, p_1, p_2 = math.exp(t_0 - top), math.exp(t_1 - top), math.exp(t_2 - top)
    total = p_0 + p_1 + p_2
    p_0, p_1, p_2 = p_0 / total, p_1 / total, p_2 / total  # softmax: shares of the loss
    q_1, q_2 = -p_1 * u, -p_2 * v
    jacobian[0], jacobian[1], jacobian[2], jacobian[3], jacobian[4] = p_0, p_1, p_2, q_1, q_2
    # lower triangles, row after row, written out: loops as short as these cost more than what they compute
    outer[0] = p_0 * p_0
    outer[1] = p_1 * p_0
    outer[2] = p_1 * p_1
    outer[3] = p_2 * p_0
    outer[4] = p_2 * p_1
    outer[5] = p_2 * p_2
    outer[6] = q_1 * p_0
    outer[7] = q_1 * p_1
    outer[8] = q_1 * p_2
    outer[9] = q_1 * q_1
    outer[10] = q_2 * p_0
    outer[11] = q_2 * p_1
    outer[12] = q_2 * p_2
    outer[13] = q_2 * q_1
    outer[14] = q_2 * q_2
    # the Hessian of f is sum_k p_k u_k u_k^T - J J^T with u_k the gradient of t_k
    for m in range(15):
        curvature[m] = -outer[m]
    curvature[0] += p_0
    curvature[2] += p_1
    curvature[5] += p_2
    curvature[7] += q_1
    curvature[9] -= q_1 * u
    curvature[12] += q_2
    curvature[14] -= q_2 * v
    f: float = top + math.log(total)
    return f


@_jit.njit
def surface_power(
    x: Array, columns: Array, i: int, jacobian: Array, outer: Array, curvature: Array
) -> float:
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
    slope, c_above = (share, rest, -share * u, -rest * v), c * above
    j_1, j_2, j_3, j_4 = c_above * share, c_above * rest, c_above * slope[2], c_above * slope[3]
    j_5 = above * m
    jacobian[0], jacobian[1], jacobian[2] = below, j_1, j_2
    jacobian[3], jacobian[4], jacobian[5] = j_3, j_4, j_5
    outer[0] = below * below
    outer[1] = j_1 * below
    outer[2] = j_1 * j_1
    outer[3] = j_2 * below
    outer[4] = j_2 * j_1
    outer[5] = j_2 * j_2
    outer[6] = j_3 * below
    outer[7] = j_3 * j_1
    outer[8] = j_3 * j_2
    outer[9] = j_3 * j_3
    outer[10] = j_4 * below
    outer[11] = j_4 * j_1
    outer[12] = j_4 * j_2
    outer[13] = j_4 * j_3
    outer[14] = j_4 * j_4
    outer[15] = j_5 * below
    outer[16] = j_5 * j_1
    outer[17] = j_5 * j_2
    outer[18] = j_5 * j_3
    outer[19] = j_5 * j_4
    outer[20] = j_5 * j_5
    # f = LSE(ln E, s): Hessian P nabla^2 s + P (1 - P) h h^T with h = nabla s - e_E; P h = J away from E, and h_E = -1
    ratio = below / above if above > 0.0 else 0.0
    for m in range(21):
        curvature[m] = ratio * outer[m]
    curvature[0] = above * below
    curvature[1] = -below * j_1
    curvature[3] = -below * j_2
    curvature[6] = -below * j_3
    curvature[10] = -below * j_4
    curvature[15] = -below * j_5
    # c P times the Hessian of m, and P (e_c nabla m^T + nabla m e_c^T), for s = c m
    bend = c_above * share * rest
    curvature[2] += bend
    curvature[4] -= bend
    curvature[5] += bend
    curvature[7] -= bend * u
    curvature[8] += bend * u
    curvature[9] += bend * u * u
    curvature[11] += bend * v
    curvature[12] -= bend * v
    curvature[13] -= bend * u * v
    curvature[14] += bend * v * v
    curvature[16] += above * slope[0]
    curvature[17] += above * slope[1]
    curvature[18] += above * slope[2]
    curvature[19] += above * slope[3]
    return f
