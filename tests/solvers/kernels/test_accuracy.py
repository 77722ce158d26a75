"""Stated accuracies of kernels of inputs, against arithmetic of many digits, at the places where digits are lost."""

import mpmath
import numpy as np
import pytest

from scalinglaws.solvers import kernels
from scalinglaws.solvers.kernels import kernel_matrix


def exact_network(kind, x, z, depth, weight, bias):
    """Return the covariance and the tangent kernel of two inputs as published, each with the root of the product of both diagonals."""
    x, z = ([mpmath.mpf(float(value)) for value in row] for row in (x, z))
    w, b, d = mpmath.mpf(weight), mpmath.mpf(bias), len(x)
    both, one, two = (w * mpmath.fdot(u, v) / d + b for u, v in ((x, z), (x, x), (z, z)))
    tangents = [both, one, two]
    step = {"relu": _relu, "erf": _erf}[kind]
    for _ in range(depth):
        new = [step(s, p, q, w) for s, p, q in ((both, one, two), (one, one, one), (two, two, two))]
        both, one, two = (value + b for value, _ in new)
        tangents = [
            value + b + tangent * slope
            for tangent, (value, slope) in zip(tangents, new, strict=True)
        ]
    theta, theta_x, theta_z = tangents
    return (both, mpmath.sqrt(one * two)), (theta, mpmath.sqrt(theta_x * theta_z))


def _relu(both, one, two, w):
    size = mpmath.sqrt(one * two)
    if size == 0:
        return mpmath.mpf(0), w / 2
    cosine = max(min(both / size, 1), -1)
    angle = mpmath.acos(cosine)
    value = mpmath.sin(angle) + (mpmath.pi - angle) * cosine
    return w / 2 * size * value / mpmath.pi, w / 2 * (1 - angle / mpmath.pi)


def _erf(both, one, two, w):
    size = (1 + 2 * one) * (1 + 2 * two)
    value = mpmath.asin(2 * both / mpmath.sqrt(size))
    return 2 * w / mpmath.pi * value, 4 * w / mpmath.pi / mpmath.sqrt(size - 4 * both**2)


def second_input(rng, x):
    """Return an input that is a duplicate of another one, or nearly, or nearly opposite, parallel, or neither."""
    near = 10.0 ** rng.uniform(-17, 0) * np.abs(x).max() * rng.standard_normal(x.size)
    return (
        x,
        x + near,
        near - x,
        x * rng.uniform(0.01, 3),
        -x * rng.uniform(0.01, 3),
        rng.standard_normal(x.size) * 10.0 ** rng.uniform(-6, 3),
        rng.standard_normal(x.size) * np.abs(x).max(),
    )[rng.integers(7)]


@pytest.mark.parametrize("kind", ["relu", "erf"])
@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.slow)])
def test_networks_of_any_depth(kind, count):
    rng = np.random.default_rng(2)
    for _ in range(count):
        depth = int(rng.choice([1, 2, 3, 10, 100], p=[0.3, 0.25, 0.25, 0.15, 0.05]))
        width = int(10 ** rng.uniform(0, 3)) if depth < 10 else int(rng.integers(1, 9))
        weight = float(rng.choice([2.0, 1.0, rng.uniform(0.01, 2)]))
        bias = float(rng.choice([0.0, 0.1, rng.uniform(0, 10)]))
        x = rng.standard_normal(width) * 10.0 ** rng.uniform(-6, 3)
        z = second_input(rng, x)
        with mpmath.workdps(50):
            exact = exact_network(kind, x, z, depth, weight, bias)
            stated = (width**0.5 + depth) * 1e-15
            if kind == "erf":
                stated *= 1 + (weight * max(x @ x, z @ z) / width + bias) ** 0.5
            for name, (value, scale) in zip(("nngp", "ntk"), exact, strict=True):
                found = kernel_matrix(
                    f"{kind}_{name}",
                    [x],
                    [z],
                    depth=depth,
                    weight_variance=weight,
                    bias_variance=bias,
                )[0, 0]
                assert abs(found - value) <= stated * scale, (name, depth, width, weight, bias)


@pytest.mark.parametrize("kind", ["relu", "erf"])
def test_networks_of_huge_and_tiny_inputs(kind):
    rng = np.random.default_rng(3)
    for power in (-130, -100, -77, -30, -8, *((30, 100, 150) if kind == "relu" else ())):
        for _ in range(10):
            x = rng.standard_normal(5) * 10.0**power
            z = second_input(rng, x)
            if np.abs(z).max() > 1e30 * 10.0**power:
                z = x[::-1].copy()
            with mpmath.workdps(50):
                exact = exact_network(kind, x, z, 2, 2.0, 0.0)
                for name, (value, scale) in zip(("nngp", "ntk"), exact, strict=True):
                    found = kernel_matrix(f"{kind}_{name}", [x], [z], depth=2)[0, 0]
                    assert abs(found - value) <= 1e-14 * scale, (name, power)


def test_diagonals_are_those_of_many_digits():
    rng = np.random.default_rng(4)
    for kind in ("relu", "erf"):
        for depth in (1, 5, 100):
            x = rng.standard_normal((3, 4)) * 10.0 ** rng.uniform(-3, 3)
            for row in x:
                with mpmath.workdps(40):
                    exact = exact_network(kind, row, row, depth, 1.9, 0.1)
                    for name, (value, _) in zip(("nngp", "ntk"), exact, strict=True):
                        more = {"depth": depth, "weight_variance": 1.9, "bias_variance": 0.1}
                        found = kernel_matrix(f"{kind}_{name}", [row], **more)[0, 0]
                        assert abs(found / value - 1) <= (2 + depth) * 5e-16, (kind, name, depth)


def exact_distance(x, z):
    return mpmath.sqrt(
        mpmath.fsum(
            (mpmath.mpf(float(u)) - mpmath.mpf(float(v))) ** 2 for u, v in zip(x, z, strict=True)
        )
    )


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_distances_of_near_duplicates_far_from_the_origin(count):
    rng = np.random.default_rng(5)
    for _ in range(count):
        width = int(10 ** rng.uniform(0, 3))
        far = float(rng.choice([0, 10.0 ** rng.uniform(-8, 8)])) * rng.standard_normal(width)
        x = rng.standard_normal((3, width)) + far
        x[1] = x[0] + 10.0 ** rng.uniform(-17, 0) * rng.standard_normal(width)
        x *= 10.0 ** rng.uniform(-200, 200)
        with mpmath.workdps(40):
            apart = [exact_distance(x[0], x[1]), exact_distance(x[0], x[2])]
            ell = float(apart[1]) * 10 ** rng.uniform(-1, 1)
            for name, power in (("rbf", 2), ("laplace", 1)):
                found = kernel_matrix(name, x, length=ell)[0, 1:]
                for value, distance in zip(found, apart, strict=True):
                    ratio = (distance / ell) ** power
                    exact = mpmath.exp(-ratio / power)
                    assert abs(value - exact) <= 1e-14
                    assert abs(value - exact) <= 1e-14 * (1 + ratio) * exact
            middle = sorted([*apart, exact_distance(x[1], x[2])])[1]
            assert abs(kernels.median_distance(x) / middle - 1) <= 1e-14


def test_products():
    rng = np.random.default_rng(6)
    for width in (1, 30, 1000):
        x = rng.standard_normal((2, width))
        with mpmath.workdps(40):
            exact = mpmath.fdot(*([mpmath.mpf(float(value)) for value in row] for row in x))
            stated = 2e-16 * width * np.linalg.norm(x[0]) * np.linalg.norm(x[1])
            assert abs(kernels.linear_kernel(x)[0, 1] - exact) <= stated
