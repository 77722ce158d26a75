"""The law of one weight along the target: its modes, what lies far out, and what the neurons' outputs add up to."""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._roots import bounded_minimum, brentq
from ._dual import Maximum, Problem, Weights
from ._overlaps import Nodes


def log_tilt(problem: Problem, t: Array, rule: Nodes, m: Array) -> tuple[Array, Array]:
    """Return the logarithm of the mean tilt at given weights along the target, over all rho, and its slope.

    Parameters
    ----------
    problem : Problem
    t : ndarray
        Dual.
    rule : Nodes
        Whose nodes in rho are used.
    m : ndarray, shape (n,)

    Returns
    -------
    tuple of ndarray
        Both of shape (n,).
    """
    across = rule.rho.size
    every_m, every_rho = np.repeat(m, across), np.tile(rule.rho, m.size)
    s = (t @ problem.features.components(every_m, every_rho)).reshape(m.size, across)
    rise = (t @ problem.features.slopes(every_m, every_rho)).reshape(m.size, across)
    logs = rule.log_rho + problem.tilt * s * s
    top = logs.max(axis=1, keepdims=True)
    share = np.exp(logs - top)
    total = share.sum(axis=1)
    slope = 2 * problem.tilt * (share * s * rise).sum(axis=1) / total
    return top[:, 0] + np.log(total), slope


def slope(problem: Problem, t: Array, rule: Nodes, m: Array) -> Array:
    """Return the slope of the log density of a weight along the target."""
    stiffness = problem.features.dimension / problem.weight_variance
    return log_tilt(problem, t, rule, m)[1] - stiffness * m


def curvature_at_zero(problem: Problem, t: Array, rule: Nodes) -> float:
    """Return the second derivative of the log density of a weight along the target, at zero; exact, since overlaps are odd."""
    zero = np.zeros(rule.rho.size)
    rise = t @ problem.features.slopes(zero, rule.rho)
    pull = 2 * problem.tilt * float(np.exp(rule.log_rho) @ rise**2)
    return pull - problem.features.dimension / problem.weight_variance


def modes(problem: Problem, t: Array, rule: Nodes) -> list[float]:
    """Return the modes of the law of a weight along the target, from zero on."""
    m = rule.m[1:]
    slopes = slope(problem, t, rule, m)
    falls = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    found = [
        float(
            brentq(
                lambda x: float(slope(problem, t, rule, np.array([x]))[0]),
                m[i],
                m[i + 1],
                xtol=1e-13,
            )
        )
        for i in falls
    ]
    if curvature_at_zero(problem, t, rule) < 0:
        return [0.0, *found]
    # a pair that was just born lies before the first node
    if slopes[0] <= 0:
        near = brentq(
            lambda x: float(slope(problem, t, rule, np.array([x]))[0]) / x, 1e-6 * m[0], m[0]
        )
        return [float(near), *found]
    return found


def phase(found: list[float]) -> str:
    """Name a phase by its modes: one at zero, one pair, or more."""
    if found == [0.0]:
        return "Gaussian"
    return "GM-I" if len(found) == 1 else "GM-II"


def far_weight(found: Maximum, weights: Weights, far: float) -> float:
    """Return the probability of weights whose size along the target exceeds `far`; a cell that contains it counts in part."""
    m = weights.rule.m
    each = found.share.reshape(m.size, -1).sum(axis=1)
    step = m[1] - m[0]
    part = np.clip((m + step / 2 - far) / step, 0.0, 1.0)
    return float(each @ part)


def steepest_beyond(problem: Problem, t: Array, rule: Nodes, far: float) -> float:
    """Return the largest slope of the log density beyond `far`, positive where there is a far mode."""
    m = rule.m[rule.m > far]
    if m.size == 0:
        return -math.inf
    m = np.append(far, m)
    slopes = slope(problem, t, rule, m)
    best = int(np.argmax(slopes))
    if best in (0, m.size - 1):
        return float(slopes[best])
    lowest = bounded_minimum(
        lambda x: -float(slope(problem, t, rule, np.array([x]))[0]),
        m[best - 1],
        m[best + 1],
        xatol=1e-9,
    )[1]
    return max(-lowest, float(slopes[best]))


def output_powers(problem: Problem, found: Maximum, weights: Weights) -> tuple[float, float]:
    r"""Return the mean square of a neuron's output, and of its part that is linear in one of the other inputs.

    The first is :math:`E_\pi \frac2\pi \arcsin\frac{2q}{1+2q}`, the second :math:`E_\pi G_1^2\rho/(d-1)`.
    """
    q = weights.m**2 + weights.rho
    whole = float(found.share @ (2 / math.pi * np.arcsin(2 * q / (1 + 2 * q))))
    others = problem.features.dimension - 1
    if others <= 0:
        return whole, 0.0
    linear = float(found.share @ (4 / math.pi * weights.rho / (1 + 2 * q))) / others
    return whole, linear
