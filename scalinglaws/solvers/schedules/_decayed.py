"""Stochastic gradient descent with weight decay: cross moments of error and target, which no loss drives."""

from __future__ import annotations

from .._jit import njit
from ._direct import Array, Numbers
from ._macro import Steps, solve


@njit
def descend_decayed(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    decay: float,
    signal: Numbers,
    cross: Numbers,
    rates: Array,
    spread: Array,
    noise: float,
    floor: float,
    first: int,
    last: int,
    losses: Array,
) -> None:
    r"""Take the steps `first` to `last` of energies and cross moments c; losses[t + 1] is after step t.

    With :math:`h = \eta r` and :math:`p = 1 - h - \eta x`,

    .. math:: \rho' = \Big(p^2 + \frac{\eta^2 x^2}{B}\Big) \rho + 2 h p\, c + h^2 s + \frac{\eta^2}{B} k (L + \sigma^2), \qquad
              c' = p\, c + h s.
    """
    for t in range(first, last):
        eta = rates[t]
        gain = eta * eta * spread[t] * (losses[t] + noise)
        h, total = eta * decay, 0.0
        for j in range(x.size):
            step = eta * x[j]
            short = 1.0 - h - step
            left = energy[j] * (short * short + step * step * spread[t]) + gain * kernel[j]
            left += h * (h * signal[j] + 2.0 * short * cross[j])
            cross[j] = short * cross[j] + h * signal[j]
            energy[j] = left
            total += left.real
        losses[t + 1] = floor + total


@njit
def driven_by_decay(
    x: Numbers,
    decay: float,
    signal: Numbers,
    cross: Numbers,
    lengths: Steps,
    rates: Array,
    back: Array,
    driven: Numbers,
    matrix: Numbers,
) -> None:
    r"""Follow the cross moments along macro steps; fill in what they drive the energies with.

    .. math:: (E + d S)\, c = h s, \quad d = \eta x + h, \qquad \text{driven} = 2 h (1 - d)\, S c + h^2 s

    They start as `cross`; of `driven`, shape (steps, p, n), single steps fill the first row; `matrix` (p + 1, p) is room to work in.
    """
    points = rates.shape[1]
    column = matrix[points]
    for j in range(x.size):
        for i in range(lengths.size):
            if lengths[i] == 1:
                h = rates[i, 0] * decay
                short = 1.0 - h - rates[i, 0] * x[j]
                driven[i, 0, j] = h * (h * signal[j] + 2.0 * short * cross[j])
                cross[j] = short * cross[j] + h * signal[j]
                continue
            for k in range(points):
                h = rates[i, k] * decay
                lost = h + rates[i, k] * x[j]
                column[k] = h * signal[j] - back[i, k, 0] * (1.0 - lost) * cross[j]
                for m in range(points):
                    one = 1.0 if k == m else 0.0
                    matrix[k, m] = back[i, k, m + 1] + lost * (one - back[i, k, m + 1])
            solve(matrix, column)
            for k in range(points):
                held = column[k] - back[i, k, 0] * cross[j]  # S c
                for m in range(points):
                    held -= back[i, k, m + 1] * column[m]
                h = rates[i, k] * decay
                short = 1.0 - h - rates[i, k] * x[j]
                driven[i, k, j] = h * (h * signal[j] + 2.0 * short * held)
            cross[j] = column[points - 1]
