"""Kernels of networks against what they are kernels of: means over neurons, and networks that are drawn."""

import math

import numpy as np
import pytest
from scipy.special import erf

from scalinglaws.solvers.kernels import kernel_matrix

ACTIVATIONS = {
    "relu": (lambda u: np.maximum(u, 0), lambda u: (u > 0).astype(float)),
    "erf": (erf, lambda u: 2 / math.sqrt(math.pi) * np.exp(-(u**2))),
}
W, B = 1.6, 0.3


def plane(points):
    """Return nodes and weights of a rule for means over two standard normal numbers: radius and direction."""
    radius, weight = np.polynomial.laguerre.laggauss(points)
    radius = np.sqrt(2 * radius)  # squares over two have exponential density
    angle = 2 * math.pi * (np.arange(4000) + 0.5) / 4000
    u = radius[:, None] * np.cos(angle)
    v = radius[:, None] * np.sin(angle)
    return u, v, np.broadcast_to(weight[:, None] / angle.size, u.shape)


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_one_layer_is_a_mean_over_two_normal_numbers(kind):
    value, slope = ACTIVATIONS[kind]
    rng = np.random.default_rng(1)
    u, v, weight = plane(60)
    for _ in range(5):
        x, z = rng.standard_normal((2, 3))
        first = kernel_matrix("linear", [x, z]) * W / 3 + B
        root = np.linalg.cholesky(first)
        one, two = root[0, 0] * u, root[1, 0] * u + root[1, 1] * v
        mean = np.sum(weight * value(one) * value(two)) * W + B
        slopes = np.sum(weight * slope(one) * slope(two)) * W
        more = {"depth": 1, "weight_variance": W, "bias_variance": B}
        found = [
            kernel_matrix(f"{kind}_{name}", [x], [z], **more)[0, 0] for name in ("nngp", "ntk")
        ]
        # the kinks of rectified units cost the rule digits: some 1 / 4000^2 in the mean, 1 / 4000 in slopes
        assert found[0] == pytest.approx(mean, rel=1e-6 if kind == "relu" else 1e-9)
        assert found[1] == pytest.approx(
            mean + first[0, 1] * slopes, rel=1e-3 if kind == "relu" else 1e-8
        )


def draw(kind, inputs, depth, width, rng):
    """Draw a network; return one output and its tangent kernel for all inputs, by passing backward through the layers."""
    value, slope = ACTIVATIONS[kind]
    hidden, forward, weights = inputs, [], []
    for layer in range(depth + 1):
        fan_in = hidden.shape[1]
        outputs = width if layer < depth else 1
        weight = rng.standard_normal((fan_in, outputs)) * math.sqrt(W / fan_in)
        signal = hidden @ weight + math.sqrt(B) * rng.standard_normal(outputs)
        forward.append((hidden, signal, fan_in))
        weights.append(weight)
        hidden = value(signal)
    back, tangent = np.ones((len(inputs), 1)), 0.0
    for layer in reversed(range(depth + 1)):
        seen, _, fan_in = forward[layer]
        # derivatives by standard normal parameters: weights times the root of their variance, biases likewise
        tangent = tangent + (back @ back.T) * (W / fan_in * seen @ seen.T + B)
        if layer:
            back = (back @ weights[layer].T) * slope(forward[layer - 1][1])
    return forward[-1][1][:, 0], tangent


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 3])
def test_networks_that_are_drawn(kind, depth):
    """Means over networks of width 256; what finite width does is of order 1/256 of the kernel."""
    width, draws, rng = 256, 1000, np.random.default_rng(7)
    inputs = np.array([[1.0, 2.0, -1.0, 0.5], [0.3, -1.0, 2.0, 1.0], [1.0, 1.5, -1.0, 0.7]])
    outputs, tangents = zip(
        *(draw(kind, inputs, depth, width, rng) for _ in range(draws)), strict=True
    )
    samples = {
        "nngp": np.array([np.outer(row, row) for row in outputs]),
        "ntk": np.array(tangents),
    }
    more = {"depth": depth, "weight_variance": W, "bias_variance": B}
    for name, sample in samples.items():
        expected = kernel_matrix(f"{kind}_{name}", inputs, **more)
        error = sample.std(axis=0, ddof=1) / math.sqrt(draws)
        finite = 2 * depth / width * np.diag(expected).max()
        assert np.all(np.abs(sample.mean(axis=0) - expected) <= 4 * error + finite), name
        # a wrong kernel would be seen: what is allowed is small beside what two inputs share
        allowed = 4 * error + finite
        assert allowed[0, 0] < (0.3 if name == "nngp" else 0.1) * expected[0, 0]
