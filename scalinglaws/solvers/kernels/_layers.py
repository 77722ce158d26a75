r"""Kernels of wide random networks, layer by layer.

A pair of inputs has lengths :math:`\alpha, \beta` (roots of the kernel of each with itself) and an angle :math:`\theta`; its
kernel is :math:`\alpha\beta\cos\theta`. Cosine *and* sine of the angle are kept: of the cosine alone, rounding leaves half of the
digits of a small angle, and the arccosines of tangent kernels see it.

An activation takes the pair to lengths and a cosine :math:`1 - u` of its own; the weights' variance scales the lengths, the bias
adds one common coordinate. With the shares :math:`\lambda, \sigma` (:math:`\lambda^2 + \sigma^2 = 1`) of activation and bias in the
length of either input,

.. math:: \cos\theta' = \lambda_x\lambda_z(1 - u) + \sigma_x\sigma_z, \qquad
          \sin^2\theta' = (\lambda_x\lambda_z)^2 u(2 - u) + (\lambda_x\sigma_z - \lambda_z\sigma_x)^2
          + 2\lambda_x\lambda_z\sigma_x\sigma_z u,

Lagrange's identity for the sine, without cancellation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr
from .._blas import one_thread
from .._jit import njit
from ._inputs import Inputs, buffers, refuse_overflow, room

Array = NDArray[np.float64]

_NEAR = 0.95  # beyond this cosine, sines are computed from differences of unit vectors


@short_repr
@by_value
@dataclass(frozen=True)
class Step:
    """One layer, as rows of inputs see it.

    Attributes
    ----------
    length : ndarray
        After the layer: root of the kernel of each input with itself.
    share, bias_share : ndarray
        Of activation and bias in it.
    square : ndarray
        The kernel of each input with itself.
    slope : ndarray
        The kernel of derivatives of each input with itself, times the weights' variance.
    own : tuple of ndarray
        What else the activation needs of its inputs.
    """

    length: Array
    share: Array
    bias_share: Array
    square: Array
    slope: Array
    own: tuple[Array, ...]


class Activation(Protocol):
    """What an activation is to a pair of inputs."""

    @property
    def weight_variance(self) -> float:
        """Of the weights before it, times the width."""
        ...

    @property
    def bias_variance(self) -> float:
        """Of the biases before it."""
        ...

    def step(self, square: Array, length: Array) -> Step:
        """Take rows through a layer."""
        ...

    def layer(self, pair: Pair, x: Step, z: Step, i: slice, j: slice, tangent: bool) -> None:
        """Take a tile through a layer."""
        ...


@short_repr
@by_value
@dataclass(frozen=True)
class Pair:
    """Cosine and sine of the angles of a tile, room for arctangents, and the tangent kernel."""

    cosine: Array
    sine: Array
    angle: Array
    tangent: Array


@one_thread
def network_kernel(
    inputs: Inputs,
    activation: Activation,
    *,
    depth: int,
    tangent: bool,
) -> Array:
    """Return the matrix of a network of some depth: the covariance of its outputs, or the tangent kernel."""
    unit_x, steps_x, diagonal = _rows("x", inputs.x, activation, depth, tangent)
    if inputs.alone:
        unit_z, steps_z = unit_x, steps_x
    else:
        unit_z, steps_z, _ = _rows("z", inputs.z, activation, depth, tangent)
    scratch = buffers(3)

    def make(i: slice, j: slice, tile: Array) -> None:
        cosine, sine, angle = (room(buffer, i, j) for buffer in scratch)
        pair = Pair(cosine, sine, angle, tile)
        np.matmul(unit_x[i], unit_z[j].T, out=pair.cosine)
        _first_sines(pair.cosine, pair.sine, unit_x[i], unit_z[j])
        if tangent:
            write_product(pair.cosine, steps_x[0].length[i], steps_z[0].length[j], tile)
        for x, z in zip(steps_x[1:], steps_z[1:], strict=True):
            activation.layer(pair, x, z, i, j, tangent)
        if not tangent:
            write_product(pair.cosine, steps_x[-1].length[i], steps_z[-1].length[j], tile)

    # where nothing is compiled: tangents of right angles, and quotients by zeros that are not used
    with np.errstate(divide="ignore", over="ignore"):
        return inputs.matrix(make, diagonal)


def _rows(
    name: str,
    rows: Array,
    activation: Activation,
    depth: int,
    tangent: bool,
) -> tuple[Array, list[Step], Array]:
    """Return unit vectors of inputs with the bias as a coordinate, every layer's step, and the diagonal."""
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = rows * math.sqrt(activation.weight_variance / rows.shape[1])
        bias = np.full((len(rows), 1), math.sqrt(activation.bias_variance))
        unit = np.concatenate([weighted, bias], axis=1)
        largest = np.abs(unit).max(axis=1)
        largest[largest == 0] = 1
        unit /= largest[:, None]  # squares of tiny numbers would vanish
        norm = np.sqrt(np.einsum("ij,ij->i", unit, unit))
        norm[norm == 0] = 1
        unit /= norm[:, None]
        length = np.where(unit.any(axis=1), largest * norm, 0.0)
        nothing = np.empty(0)
        steps = [Step(length, nothing, nothing, length**2, nothing, ())]
        diagonal = steps[0].square
        for _ in range(depth):
            steps.append(activation.step(steps[-1].square, steps[-1].length))
            now = steps[-1]
            diagonal = now.square + diagonal * now.slope if tangent else now.square
        everything = np.where(np.isfinite(steps[0].square), diagonal, np.inf)
    what = f"its kernel with itself at depth {depth}"
    refuse_overflow(name, everything, what)
    return unit, steps, diagonal


def shares(activated: Array, bias_variance: float) -> tuple[Array, Array, Array]:
    """Return the length after a layer, and the shares of activation (of this length without bias) and bias in it."""
    bias = math.sqrt(bias_variance)
    length = np.hypot(activated, bias)
    whole = np.where(length > 0, length, 1.0)
    return length, np.where(length > 0, activated / whole, 1.0), bias / whole


@njit
def mixed(
    cosine: float, defect: float, square: float, share: float, bias: float, cross: float
) -> tuple[float, float]:
    """Return cosine and sine of the angle with the common coordinate of the bias.

    Of the activations: the cosine, one less it, and the square of the sine. `share` and `bias` are products of the shares of
    both inputs, `cross` is the difference of their mixed products.
    """
    sine = share * share * square + cross * cross + 2 * share * bias * defect
    return share * cosine + bias, math.sqrt(sine)


@njit
def _first_sines(cosine: Array, sine: Array, unit_x: Array, unit_z: Array) -> None:
    for i in range(cosine.shape[0]):
        for j in range(cosine.shape[1]):
            c = cosine[i, j]
            if abs(c) <= _NEAR:
                sine[i, j] = math.sqrt((1 - c) * (1 + c))
                continue
            # u = 1 - |cos| = |x -+ z|^2 / 2 for unit vectors: its relative error is that of the angle
            side, square = math.copysign(1.0, c), 0.0
            for k in range(unit_x.shape[1]):
                square += (unit_x[i, k] - side * unit_z[j, k]) ** 2
            u = 0.5 * square
            cosine[i, j] = side * (1 - u)
            sine[i, j] = math.sqrt(u * (2 - u))


@njit
def add_product(cosine: Array, length_x: Array, length_z: Array, found: Array) -> None:
    """Add the kernel of lengths and cosines to what is there."""
    for i in range(cosine.shape[0]):
        for j in range(cosine.shape[1]):
            found[i, j] += length_x[i] * length_z[j] * cosine[i, j]


@njit
def write_product(cosine: Array, length_x: Array, length_z: Array, found: Array) -> None:
    """Write the kernel of lengths and cosines."""
    for i in range(cosine.shape[0]):
        for j in range(cosine.shape[1]):
            found[i, j] = length_x[i] * length_z[j] * cosine[i, j]
