"""Kernels of rows of inputs: recorded values, symmetry, tiles, positive matrices, names, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import kernels
from scalinglaws.solvers.kernels import KERNELS, _inputs, kernel_matrix, kernel_options

NETWORKS = tuple(name for name in KERNELS if "depth" in kernel_options(name))


def options(name, depth=2):
    """Return what a kernel must be given."""
    return {"depth": depth} if name in NETWORKS else {}


def pool(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_recorded_values(reference):
    table = reference("kernels")
    for name, given_options, value in table["rows"]:
        found = kernel_matrix(name, [table["x"]], [table["z"]], **given_options)
        assert found.shape == (1, 1)
        # twelve digits are printed
        assert found[0, 0] == pytest.approx(value, rel=5e-12), (name, given_options)


def test_what_can_be_said_of_a_diagonal():
    x = pool(6, 3)
    squares = np.einsum("ij,ij->i", x, x) / 3
    for depth in (1, 2, 7):
        diagonal = np.diag(kernels.relu_ntk(x, depth=depth))
        np.testing.assert_allclose(diagonal, (depth + 1) * 2 * squares, rtol=1e-14)
        np.testing.assert_allclose(
            np.diag(kernels.relu_nngp(x, depth=depth)), 2 * squares, rtol=1e-14
        )
    # one layer by hand
    sigma = 1.3 * squares + 0.2
    np.testing.assert_allclose(
        np.diag(kernels.relu_nngp(x, depth=1, weight_variance=1.3, bias_variance=0.2)),
        0.65 * sigma + 0.2,
        rtol=1e-14,
    )
    np.testing.assert_allclose(
        np.diag(kernels.erf_nngp(x, depth=1, weight_variance=1.3, bias_variance=0.2)),
        2.6 / math.pi * np.arcsin(2 * sigma / (1 + 2 * sigma)) + 0.2,
        rtol=1e-14,
    )
    for name in ("rbf", "laplace"):
        assert np.all(np.diag(kernel_matrix(name, x)) == 1)


@pytest.mark.parametrize("name", KERNELS)
def test_one_set_of_inputs_twice(name):
    """Symmetric to the last digit; what is computed for two sets agrees."""
    x = pool(300, 5)
    x[7] = x[3]
    given_options = options(name)
    if "length" in kernel_options(name):
        given_options["length"] = 1.5
    found = kernel_matrix(name, x, **given_options)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(kernel_matrix(name, x, x, **given_options), found)
    both = kernel_matrix(name, x, x.copy(), **given_options)
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    assert np.all(np.abs(both - found) <= 1e-14 * scale)


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=15)
@given(
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    d=st.integers(1, 9),
    rows=st.integers(1, 7),
    columns=st.integers(1, 9),
    alone=st.booleans(),
    seed=st.integers(0, 99),
)
def test_tiles_of_any_size_make_the_same_matrix(name, n, m, d, rows, columns, alone, seed):
    x, z = pool(n, d, seed), None if alone else pool(m, d, seed + 100)
    given_options = options(name)
    if "length" in kernel_options(name):
        given_options["length"] = 0.7
    whole = kernel_matrix(name, x, z, **given_options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_inputs, "ROWS", rows)
        patch.setattr(_inputs, "COLUMNS", columns)
        tiled = kernel_matrix(name, x, z, **given_options)
    assert whole.shape == (n, n if alone else m)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-14 * max(np.abs(whole).max(), d))


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=15)
@given(
    n=st.integers(2, 30),
    d=st.integers(1, 6),
    scale=st.floats(-3, 3),
    depth=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_matrices_are_positive(name, n, d, scale, depth, seed):
    x = 10**scale * pool(n, d, seed)
    x[-1] = x[0]
    given_options = options(name, depth)
    if "length" in kernel_options(name):
        given_options["length"] = 10**scale
    found = kernel_matrix(name, x, **given_options)
    values = np.linalg.eigvalsh(found)
    assert values[0] >= -1e-14 * n * values[-1]


@pytest.mark.parametrize("name", ["relu_nngp", "relu_ntk"])
@given(left=st.floats(1e-3, 1e3), right=st.floats(1e-3, 1e3), depth=st.integers(1, 6))
def test_rectified_networks_without_bias_are_homogeneous(name, left, right, depth):
    x, z = pool(4, 3), pool(5, 3, 1)
    plain = kernel_matrix(name, x, z, depth=depth)
    scaled = kernel_matrix(name, left * x, right * z, depth=depth)
    np.testing.assert_allclose(scaled, left * right * plain, rtol=1e-12, atol=1e-13 * left * right)


@pytest.mark.parametrize("name", NETWORKS)
@given(angle=st.floats(0, 7), depth=st.integers(1, 4))
def test_networks_see_inner_products_only(name, angle, depth):
    x, z = pool(4, 2), pool(3, 2, 1)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    more = {"depth": depth, "bias_variance": 0.3}
    np.testing.assert_allclose(
        kernel_matrix(name, x @ turn, z @ turn, **more),
        kernel_matrix(name, x, z, **more),
        rtol=1e-12,
        atol=1e-13,
    )


@pytest.mark.parametrize("kind", ["relu", "erf"])
def test_one_more_layer_is_one_layer_on_the_kernel_before(kind):
    """Inputs whose products are the kernel at some depth, behind weights of variance d, are at that depth already."""
    w, b, x = 1.7, 0.2, pool(6, 9)
    for depth in (1, 2, 3):
        shallow = kernel_matrix(f"{kind}_nngp", x, depth=depth, weight_variance=w, bias_variance=b)
        activations = np.linalg.cholesky((shallow - b) / w) * math.sqrt(6)
        again = kernel_matrix(
            f"{kind}_nngp", activations, depth=1, weight_variance=w, bias_variance=b
        )
        deep = kernel_matrix(f"{kind}_nngp", x, depth=depth + 1, weight_variance=w, bias_variance=b)
        np.testing.assert_allclose(again, deep, rtol=1e-11)


@pytest.mark.parametrize("kind", ["relu", "erf"])
def test_tangent_kernels_of_odd_and_opposite_inputs(kind):
    x = pool(3, 4)
    z = np.concatenate([-x, np.zeros((1, 4))])
    found = kernel_matrix(f"{kind}_ntk", x, z, depth=2)
    assert np.all(np.isfinite(found))
    assert np.all(found[:, 3] == 0)
    if kind == "erf":  # an odd activation
        np.testing.assert_allclose(found[:, :3], -kernels.erf_ntk(x, x + 0, depth=2), rtol=1e-13)
    else:  # opposite inputs share no active neuron in the first layer
        np.testing.assert_allclose(np.diag(kernels.relu_nngp(x, -x, depth=1)), 0, atol=1e-15)


def test_another_library_agrees_about_distances():
    x, z = pool(50, 7) + 3, pool(20, 7, 1)
    np.testing.assert_allclose(
        kernels.rbf_kernel(x, z, length=2.0),
        pairwise.rbf_kernel(x, z, gamma=1 / 8),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        kernels.laplace_kernel(x, z, length=2.0),
        np.exp(-pairwise.euclidean_distances(x, z) / 2),
        rtol=1e-12,
    )


def test_default_length_is_the_median_of_pairs():
    x = pool(31, 4)
    pairs = [np.linalg.norm(x[i] - x[j]) for i in range(31) for j in range(i)]
    assert kernels.median_distance(x) == pytest.approx(np.median(pairs), rel=1e-14)
    np.testing.assert_array_equal(
        kernels.rbf_kernel(x, x[:3]),
        kernels.rbf_kernel(x, x[:3], length=kernels.median_distance(x)),
    )
    assert kernels.median_distance(1e200 * x) == pytest.approx(1e200 * np.median(pairs), rel=1e-14)
    assert kernels.median_distance(1e-200 * x) == pytest.approx(
        1e-200 * np.median(pairs), rel=1e-14
    )


def test_default_length_of_many_inputs_is_that_of_equal_steps(monkeypatch):
    monkeypatch.setattr("scalinglaws.solvers.kernels._distances._MEDIAN_ROWS", 10)
    x = pool(25, 2)
    kept = x[[0, 2, 5, 7, 10, 12, 15, 17, 20, 22]]
    assert kernels.median_distance(x) == kernels.median_distance(kept)


def test_names_and_options():
    assert set(KERNELS) == {
        *("linear", "rbf", "laplace", "relu_nngp", "relu_ntk", "erf_nngp", "erf_ntk"),
    }
    for name, function in KERNELS.items():
        assert function is getattr(kernels, name if name in NETWORKS else f"{name}_kernel")
    assert kernel_options("linear") == ()
    with pytest.raises(DomainError, match="unknown kernel 'erf'; did you mean .*'erf_ntk'"):
        kernel_matrix("erf", [[1.0]])
    with pytest.raises(DomainError, match="unknown kernel 'gauss'; known: erf_nngp, .*, rbf"):
        kernel_matrix("gauss", [[1.0]])
    with pytest.raises(
        DomainError, match="depth = 1 is no option of the kernel rbf: it takes length$"
    ):
        kernel_matrix("rbf", [[1.0], [2.0]], depth=1)
    with pytest.raises(DomainError, match="depth must be given for erf_ntk"):
        kernel_matrix("erf_ntk", [[1.0]])
    with pytest.raises(TypeError):
        KERNELS["mine"] = len


X = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("call", "name", "words"),
    [
        (lambda: kernels.linear_kernel([1.0, 2.0]), "x", r"shape \(2,\); give one input as"),
        (lambda: kernels.linear_kernel([[]]), "x", "rows are inputs"),
        (lambda: kernels.linear_kernel([[1.0, math.nan]]), "x", "finite"),
        (lambda: kernels.linear_kernel(X, [[1.0]]), "z", "rows as long as those of x, 2; got 1"),
        (lambda: kernels.linear_kernel(X, [[1.0, math.inf]]), "z", "finite"),
        (lambda: kernels.linear_kernel([[1.0], [1e200]]), "x", r"x\[1\] is too large"),
        (lambda: kernels.linear_kernel(X, [["1", "2"]]), "z", "numbers"),
        (lambda: kernels.rbf_kernel(X, length=0), "length", "> 0"),
        (lambda: kernels.rbf_kernel(X, length=math.inf), "length", "finite"),
        (lambda: kernels.laplace_kernel(X, length=[1.0, 2.0]), "length", "single number"),
        (lambda: kernels.rbf_kernel([[1.0]]), "length", "must be given: one input"),
        (lambda: kernels.rbf_kernel([[1.0]] * 3), "length", "must be given: .* is 0"),
        (lambda: kernels.median_distance([[1.0]]), "x", "at least two"),
        (lambda: kernels.median_distance([[1.0]] * 2), "x", "its median distance is 0"),
        (lambda: kernels.median_distance([[1.7e308], [-1.7e308]]), "x", "inf; scale"),
        (lambda: kernels.relu_nngp(X, depth=0), "depth", "from 1 to 10000"),
        (lambda: kernels.relu_ntk(X, depth=1.5), "depth", "whole number"),
        (lambda: kernels.erf_nngp(X, depth=True), "depth", "whole number"),
        (lambda: kernels.erf_ntk(X, depth=1, weight_variance=0), "weight_variance", "> 0"),
        (lambda: kernels.erf_ntk(X, depth=1, bias_variance=-1), "bias_variance", ">= 0"),
        (lambda: kernels.erf_ntk([[1e160]], depth=1), "x", r"x\[0\] is too large: .* depth 1"),
        (
            lambda: kernels.relu_ntk([[0.0], [1.0]], depth=3000, weight_variance=3.0),
            "x",
            r"x\[1\] is too large: .* depth 3000 exceeds 1.8e308",
        ),
    ],
)
def test_refusals(call, name, words):
    with pytest.raises(DomainError, match=words) as refusal:
        call()
    assert refusal.value.argument == name


@pytest.mark.parametrize("name", KERNELS)
def test_what_memory_does_not_hold_is_refused(name, monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "10MB")
    with pytest.raises(ResourceError, match="a matrix of 2000 by 2000 entries would hold"):
        kernel_matrix(name, np.ones((2000, 1)), **options(name))
