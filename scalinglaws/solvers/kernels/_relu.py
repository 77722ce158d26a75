"""A layer of rectified linear units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...reprs import short_repr
from .._jit import njit
from ._layers import Pair, Step, add_product, mixed, shares

Array = NDArray[np.float64]


@short_repr
@dataclass(frozen=True)
class Relu:
    """Rectified linear units behind weights and bias of some variances."""

    weight_variance: float
    bias_variance: float

    def step(self, square: Array, length: Array) -> Step:
        """Take rows through a layer: half of the square passes."""
        half = self.weight_variance / 2
        found = shares(math.sqrt(half) * length, self.bias_variance)
        return Step(*found, half * square + self.bias_variance, np.full_like(square, half), own=())

    def layer(self, pair: Pair, x: Step, z: Step, i: slice, j: slice, tangent: bool) -> None:
        """Take a tile through a layer."""
        _half_tangents(pair.cosine, pair.sine, pair.angle)
        np.arctan(pair.angle, out=pair.angle)
        rows, columns = (x.share[i], x.bias_share[i]), (z.share[j], z.bias_share[j])
        if tangent:
            half = self.weight_variance / 2
            _multiply_slopes(pair.angle, half, pair.tangent)
        _layer(pair.cosine, pair.sine, pair.angle, *rows, *columns)
        if tangent:
            add_product(pair.cosine, x.length[i], z.length[j], pair.tangent)


@njit
def _half_tangents(cosine: Array, sine: Array, found: Array) -> None:
    """Write tangents of half the angles, finite but for opposite inputs."""
    for i in range(cosine.shape[0]):
        for j in range(cosine.shape[1]):
            c, s = cosine[i, j], sine[i, j]
            found[i, j] = s / (1 + c) if c > 0 else (1 - c) / s


@njit
def _layer(
    cosine: Array,
    sine: Array,
    half_angle: Array,
    share_x: Array,
    bias_x: Array,
    share_z: Array,
    bias_z: Array,
) -> None:
    for i in range(cosine.shape[0]):
        a, p = share_x[i], bias_x[i]
        for j in range(cosine.shape[1]):
            b, q = share_z[j], bias_z[j]
            c, s, theta = cosine[i, j], sine[i, j], 2 * half_angle[i, j]
            rest = s * s / (1 + c) if c > 0 else 1 - c
            # 1 - kappa_1: of order theta^2; rounding, also of the difference of order theta^3, is a share of the angle
            u = max(rest - (s - theta * c) / math.pi, 0.0)
            cosine[i, j], sine[i, j] = mixed(1 - u, u, u * (2 - u), a * b, p * q, a * q - b * p)


@njit
def _multiply_slopes(half_angle: Array, half: float, tangent: Array) -> None:
    for i in range(tangent.shape[0]):
        for j in range(tangent.shape[1]):
            tangent[i, j] *= half * (1 - 2 / math.pi * half_angle[i, j])
