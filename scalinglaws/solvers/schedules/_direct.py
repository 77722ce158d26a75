"""The recursions step by step, for short runs and for rates that are an array."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._jit import njit

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])

LANES = 8
"""Nodes that are added up side by side, as vector instructions do; arrays of nodes are padded to multiples."""


@njit
def descend(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    rates: Array,
    spread: Array,
    noise: float,
    floor: float,
    first: int,
    last: int,
    losses: Array,
) -> None:
    r"""Take the steps `first` to `last` of :math:`\rho' = q(x)\rho + \frac{\eta^2}{B} k (L + \sigma^2)`; losses[t + 1] is after step t."""
    lanes = np.zeros(LANES, dtype=energy.dtype)
    for t in range(first, last):
        eta, growth = rates[t], 1.0 + spread[t]
        gain = eta * eta * spread[t] * (losses[t] + noise)
        lanes[:] = 0.0
        for block in range(0, x.size, LANES):
            for j in range(LANES):
                step = eta * x[block + j]
                left = energy[block + j] * (1.0 - step * (2.0 - step * growth))
                left += gain * kernel[block + j]
                energy[block + j] = left
                lanes[j] += left
        total = 0.0
        for j in range(LANES):
            total += lanes[j].real
        losses[t + 1] = floor + total


@njit
def descend_averaged(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    mixed: Numbers,
    averaged: Numbers,
    rates: Array,
    spread: Array,
    noise: float,
    floor: float,
    keep: float,
    take: float,
    begin: int,
    first: int,
    last: int,
    losses: Array,
    averages: Array,
) -> None:
    r"""As `descend`, with :math:`A' = k A + w e'` from iterate `begin` on.

    Per node c (`mixed`) is the sum of x E(eA), p (`averaged`) that of x E(A^2):
    :math:`p' = k^2 p + 2 k w \tilde c + w^2 \rho'`, :math:`c' = k \tilde c + w \rho'`, :math:`\tilde c = (1 - \eta x) c`.
    """
    for t in range(first, last):
        eta, growth = rates[t], 1.0 + spread[t]
        gain = eta * eta * spread[t] * (losses[t] + noise)
        total, square = 0.0, 0.0
        for j in range(x.size):
            step = eta * x[j]
            left = energy[j] * (1.0 - step * (2.0 - step * growth)) + gain * kernel[j]
            energy[j] = left
            total += left.real
            if t + 1 >= begin:
                moved = (1.0 - step) * mixed[j]
                averaged[j] = keep * keep * averaged[j] + 2 * keep * take * moved + take**2 * left
                mixed[j] = keep * moved + take * left
                square += averaged[j].real
        losses[t + 1] = floor + total
        averages[t + 1] = square


@njit
def descend_with_memory(
    x: Array,
    count: Array,
    state: Array,
    coefficients: Array,
    spread: Array,
    noise: float,
    floor: float,
    first: int,
    last: int,
    losses: Array,
) -> None:
    r"""Take steps of a method with memory y.

    The rows of `state` are r = x E(e^2), c = E(e y), p = E(y^2)/x, each summed over the `count` modes of a node;
    `coefficients` has the columns a, gamma_1, gamma_2, gamma_3. With :math:`k = \gamma_2 + \gamma_1\gamma_3` and the mean square g of
    the gradient

    .. math:: r' = r - 2kxr + k^2 x g + (\gamma_3 a x)^2 p - 2\gamma_3 a x (1 - kx) c, \quad
              c' = a c + \gamma_1 (r - k g) - \gamma_3 a^2 x p - a x (k + \gamma_3\gamma_1) c, \quad
              p' = a^2 p + 2 a \gamma_1 c + \gamma_1^2 g / x.
    """
    lanes = np.zeros(LANES)
    for t in range(first, last):
        a, one, two, three = (
            coefficients[t, 0],
            coefficients[t, 1],
            coefficients[t, 2],
            coefficients[t, 3],
        )
        k, growth = two + one * three, 1.0 + spread[t]
        push = spread[t] * (losses[t] + noise)
        lanes[:] = 0.0
        for block in range(0, x.size, LANES):
            for j in range(LANES):
                i = block + j
                rate = x[i]
                r, c, p = state[0, i], state[1, i], state[2, i]
                g = rate * (growth * r + count[i] * push)  # mean square of the gradient
                back = three * a
                left = r * (1.0 - 2.0 * k * rate) + k * k * rate * g
                left += (back * rate) ** 2 * p - 2.0 * back * rate * c * (1.0 - k * rate)
                state[0, i] = left
                state[1, i] = (
                    a * c * (1.0 - rate * (k + one * three))
                    + one * (r - k * g)
                    - back * a * rate * p
                )
                state[2, i] = a * a * p + 2.0 * a * one * c + one * one * g / rate
                lanes[j] += left
        total = 0.0
        for j in range(LANES):
            total += lanes[j]
        losses[t + 1] = floor + total
