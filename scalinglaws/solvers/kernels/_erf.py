r"""A layer of error functions.

For kernels a, b of two inputs with themselves and the angle :math:`\theta`, with :math:`\rho^2 = 2a/(1+2a)` and
:math:`\tau^2 = 1/(1+2a)` of either, the kernel of the activations is :math:`\frac2\pi r` with

.. math:: \sin r = \rho_x\rho_z\cos\theta, \qquad
          \cos^2 r = \tau_x^2 + \rho_x^2\tau_z^2 + (\rho_x\rho_z\sin\theta)^2,

and the kernel of their derivatives :math:`\frac4\pi\tau_x\tau_z/\cos r`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._layers import Pair, Step, add_product, mixed, shares

Array = NDArray[np.float64]


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
        angle, rest = np.arctan2(sine, cosine), np.arctan2(cosine, sine)
        root = np.sqrt(angle)
        return Step(
            *shares(math.sqrt(scale) * root, self.bias_variance),
            square=scale * angle + self.bias_variance,
            slope=2 * scale * tau**2 / cosine,
            own=(rho, tau, np.where(root > 0, 1 / np.where(root > 0, root, 1.0), 0.0), rest),
        )

    def layer(self, pair: Pair, x: Step, z: Step, i: slice, j: slice, tangent: bool) -> None:
        """Take a tile through a layer."""
        rho_x, tau_x, root_x, rest_x = (entry[i] for entry in x.own)
        rho_z, tau_z, root_z, rest_z = (entry[j] for entry in z.own)
        # the sine's place holds cos r from here on
        _tangents(pair.cosine, pair.sine, pair.angle, rho_x, tau_x, rho_z, tau_z)
        np.arctan(pair.angle, out=pair.angle)
        if tangent:
            slope = 4 / math.pi * self.weight_variance
            _add_slopes(pair.sine, slope, tau_x, tau_z, pair.tangent)
        _layer(
            *(pair.cosine, pair.sine, pair.angle),
            *(root_x, rest_x, x.share[i], x.bias_share[i]),
            *(root_z, rest_z, z.share[j], z.bias_share[j]),
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
    rho_z: Array,
    tau_z: Array,
) -> None:
    """Write sin r, cos r, and the smaller of tan r and its inverse, in size."""
    for i in range(cosine.shape[0]):
        p, t = rho_x[i], tau_x[i]
        for j in range(cosine.shape[1]):
            product = p * rho_z[j]
            one = product * cosine[i, j]
            across = product * sine[i, j]
            two = math.sqrt(t * t + (p * tau_z[j]) ** 2 + across * across)
            cosine[i, j], sine[i, j] = one, two
            size = abs(one)
            found[i, j] = min(size, two) / max(size, two)


@njit
def _layer(
    cosine: Array,
    sine: Array,
    angle: Array,
    root_x: Array,
    rest_x: Array,
    share_x: Array,
    bias_x: Array,
    root_z: Array,
    rest_z: Array,
    share_z: Array,
    bias_z: Array,
) -> None:
    for i in range(cosine.shape[0]):
        a, p = share_x[i], bias_x[i]
        for j in range(cosine.shape[1]):
            b, q = share_z[j], bias_z[j]
            one, two, t = cosine[i, j], sine[i, j], angle[i, j]
            scale = root_x[i] * root_z[j]  # kernels with themselves have angles 1 / root^2
            steep = one > two
            size = math.pi / 2 - t if abs(one) > two else t
            ratio = math.copysign(size, one) * scale
            # angles near pi / 2: the difference of products from the small complements, of which rounding is a share
            x, z = rest_x[i], rest_z[j]
            near = (math.pi / 2 * (2 * t - x - z) + x * z - t * t) * scale * scale
            square = max(near if steep else 1 - ratio * ratio, 0.0)
            defect = square / (1 + ratio) if ratio > 0 else 1 - ratio
            cosine[i, j], sine[i, j] = mixed(ratio, defect, square, a * b, p * q, a * q - b * p)


@njit
def _add_slopes(cosine: Array, slope: float, tau_x: Array, tau_z: Array, tangent: Array) -> None:
    for i in range(tangent.shape[0]):
        for j in range(tangent.shape[1]):
            tangent[i, j] *= slope * tau_x[i] * tau_z[j] / cosine[i, j]
