"""Heavy ball on one mode, in closed form."""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from ..equivalents.losses import ROUNDING


def dominant(rates: Array, momentum: float, rest: Array) -> tuple[Array, Array]:
    """Return the larger root of r^2 - (1 + mu - x) r + mu, and a quarter of the discriminant (negative: complex roots).

    `rest` is 2 (1 + mu) - x.
    """
    half = np.where(rates < rest, 1 + momentum - rates, rest - 1 - momentum) / 2
    lag = (1 - momentum) / (1 + math.sqrt(momentum))  # 1 - sqrt(mu)
    quarter = (lag**2 - rates) * (rest - lag**2) / 4
    root = np.sqrt(np.maximum(quarter, 0.0))
    return half + np.where(half >= 0, root, -root), quarter


def polynomial(steps: float, rates: Array, momentum: float) -> Array:
    """Return what is left of each mode after some steps, as `heavy_ball` does."""
    return heavy_ball(steps, rates, momentum, 2 * (1 + momentum) - rates)[0]


def heavy_ball(
    steps: float, rates: Array, momentum: float, rest: Array, first: Array | None = None
) -> tuple[Array, Array]:
    r"""Return what is left of each mode after some steps of heavy ball, and its rounding error.

    .. math:: p_{n+1} = (1 + \mu - x)\, p_n - \mu\, p_{n-1}, \qquad p_0 = 1, \quad p_1 = 1 - x

    Parameters
    ----------
    steps : float
        n >= 1.
    rates : ndarray
        :math:`x = \eta\lambda` of each mode.
    momentum : float
        :math:`\mu`.
    rest : ndarray
        :math:`2(1 + \mu) - x`, what is left to the bound of stability.
    first : ndarray, optional
        :math:`1 - p_1`, if it is another number than x.

    Returns
    -------
    left, error : ndarray
        :math:`p_n(x)`, in closed form that is stable where the two roots coincide, and its estimated error.
    """
    lost = rates if first is None else first
    with np.errstate(all="ignore"):  # each form is evaluated outside its own range too
        root, quarter = dominant(rates, momentum, rest)
        # what the larger root, or minus it, lacks of 1: the equation for -r has `rest` in the place of x
        slow = np.where(root < 0, rest, rates)
        lacks = 2 * slow / (1 - momentum + slow + 2 * np.sqrt(np.maximum(quarter, 0.0)))
        # 1 - root without cancellation for slow modes
        left = np.where(
            root > 0.5,
            2 * rates / (1 - momentum + rates + 2 * np.sqrt(np.maximum(quarter, 0.0))),
            1 - root,
        )
        ratio = momentum / root**2
        apart = 2 * np.sqrt(np.maximum(quarter, 0.0)) / np.abs(root)  # 1 - ratio
        series = np.where(
            apart > 0, -np.expm1(steps * np.log(np.maximum(ratio, 0.0))) / apart, steps
        )
        series = np.where(
            apart < 0.5,
            -np.expm1(steps * np.log1p(-apart)) / np.where(apart > 0, apart, 1.0),
            series,
        )
        series = np.where(apart > 0, series, steps)
        decay = np.where(
            np.abs(root) > 0.5, np.exp(steps * np.log1p(-lacks)), np.abs(root) ** steps
        )
        sign = np.where((root < 0) & (steps % 2 == 1), -1.0, 1.0)
        real = sign * decay * (1 - (lost - left) / root * series)
        angle = np.arctan2(np.sqrt(np.maximum(-quarter, 0.0)), (1 + momentum - rates) / 2)
        scale = math.exp(steps * math.log(momentum) / 2) if momentum else 0.0
        slope = (1 - lost - (1 + momentum - rates) / 2) / np.sqrt(np.maximum(-quarter, 1e-300))
        turning = scale * (np.cos(steps * angle) + slope * np.sin(steps * angle))
        value = np.where(quarter < 0, turning, np.where(root == 0, 0.0, real))

        # the logarithm of a root, times the steps, is as wrong as 1 minus the root; the more so the closer the
        # roots are to each other, until they cannot be told apart in so many steps
        lag = (1 - momentum) / (1 + math.sqrt(momentum))
        apart = np.sqrt(np.abs(quarter))
        close = 1 + lag * np.minimum(1 / np.maximum(apart, 1e-300), steps)
        size = 1 + np.minimum(
            np.abs(1 - momentum - rates) / np.maximum(apart, 1e-300),
            steps * np.abs(1 - momentum - rates) / math.sqrt(max(momentum, 1e-300)),
        )
        wrong = np.minimum(lacks, 1.0)
        if first is not None:
            size = size + np.abs(lost - rates) * np.minimum(1 / np.maximum(apart, 1e-300), steps)
            wrong = np.minimum(np.maximum(lacks, np.abs(lost)), 1.0)
        error = np.where(
            quarter < 0,
            scale * size * (10 + steps * close),
            np.where(root == 0, 0.0, decay * size * (10 + 2 * steps * wrong * close)),
        )
        return value, 10 * ROUNDING * error
