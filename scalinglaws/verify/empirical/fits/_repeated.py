"""The surface of model size and data in which repeated tokens, and parameters beyond what few tokens fill, count less."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]
Six = tuple[float, float, float, float, float, float]

_MOST = 300.0  # ln of repetitions beyond which nothing changes: exp of twice that is finite
_ABSENT = -900.0  # logarithm of an amplitude that stands for zero
_FLAT = 1e-8  # exponents below have no best size


@_jit.njit
def _gain(over: float, log_rate: float) -> Six:
    # g(o, r) = ln(1 + R (1 - e^-q)), q = (e^o - 1)/R, R = e^r; with its derivatives in o, r, oo, or, rr
    if over > _MOST:
        over = _MOST
    rate, times = math.exp(log_rate), math.exp(over)
    q = math.expm1(over) / rate
    y = math.exp(-q)
    total = 1 - rate * math.expm1(-q)
    g_o = y * times / total
    bend = rate * (-math.expm1(-q) - y * q) if y > 0.0 else rate
    g_r = bend / total
    tail = y * q if y > 0.0 else 0.0
    g_oo = y * times * (1 - times / rate) / total - g_o * g_o
    g_or = times * tail / total - g_o * g_r
    g_rr = (bend - rate * tail * q) / total - g_r * g_r
    return math.log(total), g_o, g_r, g_oo, g_or, g_rr


@_jit.njit
def repetition(
    x: Array, columns: Array, i: int, jacobian: Array, outer: Array, curvature: Array
) -> float:
    # x = (ln E, ln A, ln B, a, b, ln R_D, ln R_N); columns = (ln N, ln D, ln U).
    # f = LSE(ln E, ln A - a n, ln B - b m), m = ln U + g(ln D - ln U, r_D) for D > U, n = w + g(ln N - w, r_N) for ln N > w,
    # w = (ln A - ln B + ln a - ln b + b ln U)/a
    u, v, unique = columns[0, i], columns[1, i], columns[2, i]
    a, b = x[3], x[4]
    m, m_r, m_rr = v, 0.0, 0.0
    if v > unique:
        g, _, m_r, _, _, m_rr = _gain(v - unique, x[5])
        m = unique + g
    n, n_r, n_rr, n_w, n_ww, n_wr = u, 0.0, 0.0, 0.0, 0.0, 0.0
    w_A, w_a, w_b, w_Aa, w_aa, w_ab, w_bb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if a > _FLAT and b > _FLAT and x[1] > _ABSENT and x[2] > _ABSENT:
        w = (x[1] - x[2] + math.log(a / b) + b * unique) / a
        if u > w:
            g, g_o, n_r, n_ww, g_or, n_rr = _gain(u - w, x[6])
            n, n_w, n_wr = w + g, 1 - g_o, -g_or
            w_A, w_a, w_b = 1 / a, 1 / (a * a) - w / a, (unique - 1 / b) / a
            w_Aa, w_ab, w_bb = -1 / (a * a), -(unique - 1 / b) / (a * a), 1 / (a * b * b)
            w_aa = -2 / (a * a * a) - w_a / a + w / (a * a)
    t_0, t_1, t_2 = x[0], x[1] - a * n, x[2] - b * m
    top = max(t_0, t_1, t_2)
    p_0, p_1, p_2 = math.exp(t_0 - top), math.exp(t_1 - top), math.exp(t_2 - top)
    total = p_0 + p_1 + p_2
    p_0, p_1, p_2 = p_0 / total, p_1 / total, p_2 / total
    n_A, n_a, n_b = n_w * w_A, n_w * w_a, n_w * w_b
    one = (0.0, 1 - a * n_A, a * n_A, -n - a * n_a, -a * n_b, 0.0, -a * n_r)
    two = (0.0, 0.0, 1.0, 0.0, -m, -b * m_r, 0.0)
    for j in range(7):
        jacobian[j] = p_1 * one[j] + p_2 * two[j]
    jacobian[0] = p_0
    place = 0
    for j in range(7):
        for k in range(j + 1):
            outer[place] = jacobian[j] * jacobian[k]
            curvature[place] = p_1 * one[j] * one[k] + p_2 * two[j] * two[k] - outer[place]
            place += 1
    curvature[0] += p_0
    # Hessians of ln A - a n, and of ln B - b m
    s = p_1 * a
    curvature[2] -= s * n_ww * w_A * w_A
    curvature[4] += s * n_ww * w_A * w_A
    curvature[5] -= s * n_ww * w_A * w_A
    mixed = s * (n_w * w_Aa + n_ww * w_A * w_a)
    curvature[7] -= mixed + p_1 * n_A
    curvature[8] += mixed + p_1 * n_A
    curvature[9] -= s * (n_w * w_aa + n_ww * w_a * w_a) + 2 * p_1 * n_a
    curvature[11] -= s * n_ww * w_A * w_b
    curvature[12] += s * n_ww * w_A * w_b
    curvature[13] -= s * (n_w * w_ab + n_ww * w_a * w_b) + p_1 * n_b
    curvature[14] -= s * (n_w * w_bb + n_ww * w_b * w_b)
    curvature[22] -= s * n_wr * w_A
    curvature[23] += s * n_wr * w_A
    curvature[24] -= s * n_wr * w_a + p_1 * n_r
    curvature[25] -= s * n_wr * w_b
    curvature[27] -= s * n_rr
    curvature[19] -= p_2 * m_r
    curvature[20] -= p_2 * b * m_rr
    f: float = top + math.log(total)
    return f
