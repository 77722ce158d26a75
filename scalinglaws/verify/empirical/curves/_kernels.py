"""Sums over the changes of a rate that two laws of training curves need at every step of a fit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers._jit import njit

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


@njit
def add_drops(
    sums: Array,
    counts: Steps,
    blocks: Array,
    parts: Array,
    scale: float,
    beta: float,
    gamma: float,
    found: Array,
) -> None:
    r"""Sum up :math:`w [1 - (1 + C r^{-\gamma} (S - s))^{-\beta}]` over blocks (w, s, ln r), and its slopes in ln C, beta and gamma.

    Point i, at `sums[i]`, is preceded by ``counts[i]`` whole blocks and the block ``parts[i]``, which is still in progress.
    """
    speeds = np.empty(blocks.shape[0])
    for j in range(blocks.shape[0]):
        speeds[j] = scale * math.exp(-gamma * blocks[j, 2])
    for i in range(sums.size):
        value, by_scale, by_beta, by_gamma = 0.0, 0.0, 0.0, 0.0
        for j in range(counts[i] + 1):
            if j < counts[i]:
                weight, place, log_rate, speed = blocks[j, 0], blocks[j, 1], blocks[j, 2], speeds[j]
            elif parts[i, 0] == 0.0:
                break
            else:
                weight, place, log_rate = parts[i, 0], parts[i, 1], parts[i, 2]
                speed = scale * math.exp(-gamma * log_rate)
            x = speed * (sums[i] - place)
            log = math.log(1.0 + x)
            kept = math.exp(-beta * log)
            value += weight * (1.0 - kept)
            slope = weight * beta * kept * x / (1.0 + x)
            by_scale += slope
            by_beta += weight * kept * log
            by_gamma -= slope * log_rate
        found[i, 0] = value
        found[i, 1] = by_scale
        found[i, 2] = by_beta
        found[i, 3] = by_gamma


@njit
def add_momentum(drops: Array, at: Steps, keep: float, found: Array) -> None:
    r"""Sum up :math:`m_i = \lambda m_{i-1} + d_i` and its slope in lambda, both up to some steps, increasing."""
    momentum, slope, total, total_slope = 0.0, 0.0, 0.0, 0.0
    done = 0
    for i in range(at.size):
        for k in range(done, at[i]):
            slope = keep * slope + momentum
            momentum = keep * momentum + drops[k]
            total += momentum
            total_slope += slope
        done = max(done, at[i])
        found[i, 0] = total
        found[i, 1] = total_slope
