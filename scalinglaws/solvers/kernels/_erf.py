r"""A layer of error functions.

For kernels a, b of two inputs with themselves and the angle :math:`\theta`, with :math:`\rho^2 = 2a/(1+2a)` and
:math:`\tau^2 = 1/(1+2a)` of either, the kernel of the activations is :math:`\frac2\pi r` with

.. math:: \sin r = \rho_x\rho_z\cos\theta, \qquad
          \cos^2 r = \tau_x^2 + \rho_x^2\tau_z^2 + (\rho_x\rho_z\sin\theta)^2,

of an input with itself :math:`\frac2\pi p` with :math:`\sin p = \rho^2`, and the kernel of their derivatives
:math:`\frac4\pi\tau_x\tau_z/\cos r`. How far r stays behind the mean :math:`m = (p + q)/2` follows without cancellation from

.. math:: \sin(m + r)\sin(m - r) = \sin^2\frac{p - q}2 + \sin p\,\sin q\,\sin^2\theta.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._layers import Pair, Step, add_product, mixed, shares

Array = NDArray[np.float64]

_TINY = 1e-300  # keeps quotients of what has vanished finite


@dataclass(frozen=True)
class Erf:
    """Error functions behind weights and bias of some variances."""

    weight_variance: float
    bias_variance: float

    def step(self, square: Array, length: Array) -> Step:
        """Take rows through a layer, by the same formulas at equal inputs."""
        scale = 2 / math.pi * self.weight_variance
        tau = 1 / np.sqrt(1 + 2 * square)
        rho = math.sqrt(2) * length * tau
        sine, cosine = rho**2, tau * np.sqrt(1 + rho**2)
        angle = np.arctan2(sine, cosine)
        return Step(
            *shares(math.sqrt(scale) * np.sqrt(angle), self.bias_variance),
            square=scale * angle + self.bias_variance,
            slope=2 * scale * tau**2 / cosine,
            own=(rho, tau, angle / 2, np.sin(angle / 2), np.cos(angle / 2), cosine),
        )

    def layer(self, pair: Pair, x: Step, z: Step, i: slice, j: slice, tangent: bool) -> None:
        """Take a tile through a layer."""
        own_x, own_z = tuple(entry[i] for entry in x.own), tuple(entry[j] for entry in z.own)
        _tangents(pair.cosine, pair.sine, pair.angle, *own_x, *own_z)
        np.arctan(pair.angle, out=pair.angle)
        if tangent:
            slope = 4 / math.pi * self.weight_variance
            _add_slopes(pair.sine, slope, x.own[1][i], z.own[1][j], pair.tangent)
        _layer(
            *(pair.cosine, pair.sine, pair.angle),
            *(x.own[2][i], x.share[i], x.bias_share[i]),
            *(z.own[2][j], z.share[j], z.bias_share[j]),
        )
        if tangent:
            add_product(pair.cosine, x.length[i], z.length[j], pair.tangent)


@njit
def _tangents(
    cosine: Array,
    sine: Array,
    found: Array,
    rho_x: Array,
    tau_x: Array,
    half_x: Array,
    sine_x: Array,
    cosine_x: Array,
    whole_x: Array,
    rho_z: Array,
    tau_z: Array,
    half_z: Array,
    sine_z: Array,
    cosine_z: Array,
    whole_z: Array,
) -> None:
    """Write sin r and cos r, and of the smaller of m - r and r (for a positive cosine) the tangent, in the latter case negative."""
    for i in range(cosine.shape[0]):
        p, t, s, c, w = rho_x[i], tau_x[i], sine_x[i], cosine_x[i], whole_x[i]
        for j in range(cosine.shape[1]):
            product = p * rho_z[j]
            one, across = product * cosine[i, j], product * sine[i, j]
            two = math.sqrt(t * t + (p * tau_z[j]) ** 2 + across * across)
            cosine[i, j], sine[i, j] = one, two
            size = abs(one)
            # sines and cosines of m = p/2 + q/2 and of h = p/2 - q/2
            forth, back = s * cosine_z[j], c * sine_z[j]
            sine_m, sine_h = forth + back, forth - back
            cosine_m = (w + whole_z[j]) / (2 * (c * cosine_z[j] + s * sine_z[j]))
            ahead = (sine_h * sine_h + across * across) / (sine_m * two + cosine_m * size + _TINY)
            behind, direct = ahead / (cosine_m * two + sine_m * size), size / two
            found[i, j] = behind if behind < direct else -direct


@njit
def _layer(
    cosine: Array,
    sine: Array,
    angle: Array,
    half_x: Array,
    share_x: Array,
    bias_x: Array,
    half_z: Array,
    share_z: Array,
    bias_z: Array,
) -> None:
    for i in range(cosine.shape[0]):
        a, s, p = share_x[i], bias_x[i], half_x[i]
        for j in range(cosine.shape[1]):
            b, t, q = share_z[j], bias_z[j], half_z[j]
            found, m, h, product = angle[i, j], p + q, p - q, 4 * p * q
            close = math.copysign(1.0, found) > 0  # zero has a sign, too
            r = m - found if close else -found
            ratio = math.copysign(r, cosine[i, j]) / math.sqrt(product + _TINY)
            # one less its square; p q - r^2 = (m - r)(m + r) - h^2
            near = (found * (2 * m - found) - h * h) / (product + _TINY)
            square = max(near if close else 1 - ratio * ratio, 0.0)
            defect = square / (1 + ratio) if ratio > 0 else 1 - ratio
            cosine[i, j], sine[i, j] = mixed(ratio, defect, square, a * b, s * t, a * t - b * s)


@njit
def _add_slopes(cosine: Array, slope: float, tau_x: Array, tau_z: Array, tangent: Array) -> None:
    for i in range(tangent.shape[0]):
        for j in range(tangent.shape[1]):
            tangent[i, j] *= slope * tau_x[i] * tau_z[j] / cosine[i, j]
