"""Kernels of sampled networks: against finite differences, known values at one layer, streams and refusals."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import erf

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.verify.simulate.empirical import sampled_kernels

X = np.array([[1.0, 2.0, -1.0, 0.5], [0.3, -1.0, 2.0, 1.0]])


def output(parameters, x, activation, weight, bias):
    """Return the output of a network from its parameters, layer by layer."""
    return last(parameters, x, activation, weight, bias)[:, 0]


def last(parameters, x, activation, weight, bias):
    """Return the fields of the last layer of a network."""
    field = x
    for layer, (matrix, shift) in enumerate(parameters):
        if layer:
            field = np.maximum(field, 0.0) if activation == "relu" else erf(field)
        field = weight / math.sqrt(matrix.shape[0]) * field @ matrix + bias * shift
    return field


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_tangent_kernel_is_that_of_finite_differences(activation, depth):
    """The parameters of the first draw, in the order in which they are drawn, moved one by one."""
    variances = {"weight_variance": 1.7, "bias_variance": 0.3}
    found = sampled_kernels(
        X, activation=activation, depth=depth, width=3, draws=1, rng=5, **variances
    )
    rng = np.random.default_rng(5).spawn(1)[0]
    sizes = [4, *[3] * depth, 1]
    parameters = [(rng.standard_normal((a, b)), rng.standard_normal(b)) for a, b in pairwise(sizes)]
    given = (X, activation, math.sqrt(1.7), math.sqrt(0.3))
    gradient, step = [], 1e-6
    for pair in parameters:
        for array in pair:
            for index in np.ndindex(array.shape):
                kept = array[index]
                ends = []
                for moved in (kept + step, kept - step):
                    array[index] = moved
                    ends.append(output(parameters, *given))
                array[index] = kept
                gradient.append((ends[0] - ends[1]) / (2 * step))
    jacobian = np.array(gradient)
    readout, shift = np.sqrt(3) * np.eye(3), np.zeros(3)  # shows what the last layer reads
    seen = last([*parameters[:-1], (readout, shift)], *given) / given[2]
    np.testing.assert_allclose(found.outputs[0], 1.7 / 3 * seen @ seen.T + 0.3, rtol=1e-12)
    np.testing.assert_allclose(found.tangents[0], jacobian.T @ jacobian, rtol=1e-7)


def test_one_layer_has_the_mean_of_infinite_width_at_any_width():
    """ReLU without biases: on the diagonal the covariance is ``2 |x|^2/d`` and the tangent kernel twice that, exactly."""
    found = sampled_kernels(X, activation="relu", width=2, draws=20_000, rng=1)
    for row, scale in enumerate(2 * np.sum(X**2, axis=1) / 4):
        for values, known in ((found.outputs, scale), (found.tangents, 2 * scale)):
            sample = values[:, row, row]
            assert sample.mean() == pytest.approx(
                known, abs=5 * sample.std() / math.sqrt(sample.size)
            )


def test_a_draw_is_the_same_however_many_there_are():
    few, many = (sampled_kernels(X, activation="erf", draws=d, width=5, rng=3) for d in (2, 5))
    np.testing.assert_array_equal(many.outputs[:2], few.outputs)
    np.testing.assert_array_equal(many.tangents[:2], few.tangents)
    np.testing.assert_array_equal(few.tangents, np.swapaxes(few.tangents, 1, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"inputs": [1.0, 2.0]}, "inputs must have one row per input"),
        ({"activation": "tanh"}, "activation = 'tanh' must be 'relu' or 'erf'"),
        ({"depth": 0}, "depth = 0 must be a whole number >= 1"),
        ({"width": 0}, "width = 0 must be a whole number >= 1"),
        ({"draws": True}, "draws = True must be a whole number >= 1"),
        ({"weight_variance": 0.0}, "weight_variance = 0.0 must be > 0"),
        ({"bias_variance": -1.0}, "bias_variance = -1.0 must be >= 0"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(DomainError, match=message):
        sampled_kernels(**({"inputs": X, "activation": "relu"} | given))


def test_too_many_neurons_are_refused():
    with pytest.raises(ResourceError, match="use fewer inputs, neurons, layers or draws"):
        sampled_kernels(X, activation="relu", width=10**6)
