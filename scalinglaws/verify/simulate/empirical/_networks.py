"""Kernels of random networks of finite width, by sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ....arguments import afford, choice, generator, number, numbers, whole
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr

Array = NDArray[np.float64]

ACTIVATIONS = ("relu", "erf")


@short_repr
@by_value
@dataclass(frozen=True)
class SampledKernels:
    """Kernels of networks that were drawn, one entry per draw.

    Attributes
    ----------
    outputs : ndarray, shape (draws, n, n)
        Covariance of the outputs for pairs of inputs over the last layer's weights and bias, given those of the hidden layers.
    tangents : ndarray, shape (draws, n, n)
        Scalar products of the gradients of the output with respect to all weights and biases.
    """

    outputs: Array
    tangents: Array


def sampled_kernels(
    inputs: ArrayLike,
    *,
    activation: str,
    depth: int = 1,
    width: int = 500,
    draws: int = 100,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
    rng: np.random.Generator | int = 0,
) -> SampledKernels:
    r"""Draw networks with random weights, and take covariances of their outputs and products of the gradients of their outputs.

    .. math::

        z^0 = \frac{\sigma_w}{\sqrt d} W^0 x + \sigma_b b^0, \qquad
        z^l = \frac{\sigma_w}{\sqrt N} W^l \phi(z^{l-1}) + \sigma_b b^l, \qquad f(x) = z^{\mathrm{depth}},

    with weights and biases that are standard normal numbers, and one output.

    Parameters
    ----------
    inputs : array_like, shape (n, d)
        x, one a row.
    activation : {"relu", "erf"}
        :math:`\phi`.
    depth : int
        Hidden layers.
    width : int
        N, neurons of each.
    draws : int
        Networks.
    weight_variance, bias_variance : float
        :math:`\sigma_w^2 > 0` and :math:`\sigma_b^2 \ge 0`.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    SampledKernels
        Both kernels of every network.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If a network or the kernels would need more than the memory budget.

    Notes
    -----
    Nothing but a forward and a backward pass. With one hidden layer both means are those of infinite width; with more they
    deviate by a share of the order of the depth over the width.

    Examples
    --------
    >>> found = sampled_kernels([[1.0, 2.0], [0.5, -1.0]], activation="erf", draws=2)
    >>> found.outputs.shape, found.tangents.shape
    ((2, 2, 2), (2, 2, 2))
    """
    x = numbers("inputs", inputs)
    if x.ndim != 2 or x.size == 0:
        raise refusal("inputs", x.shape, "must have one row per input", shown=False)
    choice("activation", activation, ACTIVATIONS)
    layers, neurons, count = whole("depth", depth), whole("width", width), whole("draws", draws)
    weight = math.sqrt(number("weight_variance", weight_variance, low=0, strict=True))
    bias = math.sqrt(number("bias_variance", bias_variance, low=0))
    n, d = x.shape
    afford(
        2.0 * count * n * n + float(neurons) * (d + layers * (neurons + 3.0 * n)),
        "networks and their kernels",
        "use fewer inputs, neurons, layers or draws",
    )
    outputs, tangents = np.empty((count, n, n)), np.empty((count, n, n))
    for draw, stream in enumerate(generator(rng).spawn(count)):
        outputs[draw], tangents[draw] = _kernels(
            x, activation, layers, neurons, weight, bias, stream
        )
    return SampledKernels(outputs, tangents)


def _kernels(
    x: Array,
    activation: str,
    depth: int,
    width: int,
    weight: float,
    bias: float,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return both kernels of one network."""
    seen, slopes, matrices = (
        [x],
        [],
        [],
    )  # what a layer reads, the slopes of its neurons, and its scaled weights
    for layer in range(depth + 1):
        fan_in, fan_out = seen[-1].shape[1], 1 if layer == depth else width
        matrices.append(rng.standard_normal((fan_in, fan_out)) * (weight / math.sqrt(fan_in)))
        field = seen[-1] @ matrices[-1] + bias * rng.standard_normal(fan_out)
        if layer < depth:
            value, slope = _activated(activation, field)
            seen.append(value)
            slopes.append(slope)
    tangent = np.zeros((len(x), len(x)))
    outputs = weight**2 / seen[-1].shape[1] * (seen[-1] @ seen[-1].T) + bias**2
    pull = np.ones_like(field)  # of the output, with respect to the fields of a layer
    for layer in range(depth, -1, -1):
        # the gradient for a weight is its input times the pull, over the root of the layer's size: products of sums are sums of products
        reading = weight**2 / seen[layer].shape[1] * (seen[layer] @ seen[layer].T) + bias**2
        tangent += reading * (pull @ pull.T)
        if layer:
            pull = (pull @ matrices[layer].T) * slopes[layer - 1]
    return outputs, tangent


def _activated(activation: str, field: Array) -> tuple[Array, Array]:
    """Return the activation and its slope."""
    if activation == "relu":
        return np.maximum(field, 0.0), (field > 0).astype(float)
    return special.erf(field), 2 / math.sqrt(math.pi) * np.exp(-(field**2))
