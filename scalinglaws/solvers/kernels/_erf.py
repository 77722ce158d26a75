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
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...reprs import short_repr
from .._jit import njit
from ._layers import Pair, Step, add_product, mixed, shares

Array = NDArray[np.float64]

_TINY = sys.float_info.min  # in place of zeros that are divided by


@short_repr
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
        root, half = np.sqrt(angle), angle / 2
        return Step(
            *shares(math.sqrt(scale) * root, self.bias_variance),
            square=scale * angle + self.bias_variance,
            slope=2 * scale * tau**2 / cosine,
            own=(tau, root, half, rho, np.sin(half), np.cos(half), cosine),
        )

    def layer(self, pair: Pair, x: Step, z: Step, i: slice, j: slice, tangent: bool) -> None:
        """Take a tile through a layer."""
        tau_x, root_x, half_x, rho_x, sine_x, cosine_x, whole_x = (entry[i] for entry in x.own)
        tau_z, root_z, half_z, rho_z, sine_z, cosine_z, whole_z = (entry[j] for entry in z.own)
        _tangents(
            *(pair.cosine, pair.sine, pair.angle),
            *(tau_x, rho_x, sine_x, cosine_x, whole_x),
            *(tau_z, rho_z, sine_z, cosine_z, whole_z),
        )
        np.arctan(pair.angle, out=pair.angle)
        if tangent:
            slope = 4 / math.pi * self.weight_variance
            _multiply_slopes(pair.sine, slope, tau_x, tau_z, pair.tangent)
        _layer(
            *(pair.cosine, pair.sine, pair.angle),
            *(half_x, root_x, x.share[i], x.bias_share[i]),
            *(half_z, root_z, z.share[j], z.bias_share[j]),
        )
        if tangent:
            add_product(pair.cosine, x.length[i], z.length[j], pair.tangent)


@njit
def _tangents(
    cosine: Array,
    sine: Array,
    found: Array,
    tau_x: Array,
    rho_x: Array,
    sine_x: Array,
    cosine_x: Array,
    whole_x: Array,
    tau_z: Array,
    rho_z: Array,
    sine_z: Array,
    cosine_z: Array,
    whole_z: Array,
) -> None:
    """Write sin r and cos r, and of the smaller of m - r and r (for a positive cosine) the tangent, in the latter case negative."""
    for i in range(cosine.shape[0]):
        tau, rho, s, c, w = tau_x[i], rho_x[i], sine_x[i], cosine_x[i], whole_x[i]
        for j in range(cosine.shape[1]):
            product = rho * rho_z[j]
            one, across = product * cosine[i, j], product * sine[i, j]
            two = math.sqrt(tau * tau + (rho * tau_z[j]) ** 2 + across * across)
            cosine[i, j], sine[i, j] = one, two
            size = abs(one)
            # sines of m = p/2 + q/2 and h = p/2 - q/2; cos m = (cos p + cos q) / (2 cos h), which does not cancel
            forth, back = s * cosine_z[j], c * sine_z[j]
            sine_m, sine_h = forth + back, forth - back
            double, both = 2 * (c * cosine_z[j] + s * sine_z[j]), w + whole_z[j]
            # of sin(m + r) and cos(m - r), times 2 cos h; each product is divided before squares of small numbers vanish
            ahead, level = sine_m * two * double + both * size, both * two + sine_m * size * double
            inverse = double * double / max(ahead * level, _TINY)
            behind = sine_h * inverse * sine_h + across * inverse * across
            direct = size / two
            found[i, j] = behind if behind < direct else -direct


@njit
def _layer(
    cosine: Array,
    sine: Array,
    angle: Array,
    half_x: Array,
    root_x: Array,
    share_x: Array,
    bias_x: Array,
    half_z: Array,
    root_z: Array,
    share_z: Array,
    bias_z: Array,
) -> None:
    for i in range(cosine.shape[0]):
        a, s, p, root = share_x[i], bias_x[i], half_x[i], root_x[i]
        for j in range(cosine.shape[1]):
            b, t, q = share_z[j], bias_z[j], half_z[j]
            found, m, h = angle[i, j], p + q, p - q
            close = math.copysign(1.0, found) > 0  # zero has a sign, too
            r = m - found if close else -found
            inverse = 1 / max(root * root_z[j], _TINY)
            ratio = math.copysign(r, cosine[i, j]) * inverse
            # one less its square; p q - r^2 = (m - r)(m + r) - h^2
            near = (found * inverse) * ((2 * m - found) * inverse) - (h * inverse) ** 2
            square = max(near if close else 1 - ratio * ratio, 0.0)
            defect = square / (1 + ratio) if ratio > 0 else 1 - ratio
            cosine[i, j], sine[i, j] = mixed(ratio, defect, square, a * b, s * t, a * t - b * s)


@njit
def _multiply_slopes(
    cosine: Array, slope: float, tau_x: Array, tau_z: Array, tangent: Array
) -> None:
    for i in range(tangent.shape[0]):
        for j in range(tangent.shape[1]):
            tangent[i, j] *= slope * tau_x[i] * tau_z[j] / cosine[i, j]
