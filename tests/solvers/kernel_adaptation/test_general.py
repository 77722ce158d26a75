"""Kernels that adapt on a data set: reference values, the equations themselves, limits, identities, and the refusals."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import (
    AccuracyWarning,
    ConvergenceError,
    DomainError,
    ExtrapolationWarning,
    ResourceError,
)
from scalinglaws.results import Status
from scalinglaws.solvers.kernel_adaptation import AdaptedKernels, adapt
from scalinglaws.solvers.kernel_adaptation._descent import descend
from scalinglaws.solvers.kernel_adaptation._free_energy import Problem, evaluate, residual
from scalinglaws.solvers.kernels import erf_nngp


def known_data():
    i, j = np.arange(1, 21)[:, None], np.arange(1, 6)[None]
    inputs = np.sqrt(2) * np.cos(1.7 * i * j + 0.9 * i + 0.3 * j**2)
    z = inputs[:, 0]
    return inputs, z + 0.1 * (z**3 - 3 * z)


X, Y = known_data()


def adapted(
    inputs=X, targets=Y, *, layers=(100,), activation="erf", scale=100.0, ridge=0.2, **more
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return adapt(
            inputs, targets, layers=layers, activation=activation, scale=scale, ridge=ridge, **more
        )


def activated(kernel, activation):
    """The kernel of activations, as it is written down."""
    if activation == "linear":
        return kernel
    a = 1 + 2 * np.diag(kernel)
    return 2 / np.pi * np.arcsin(2 * kernel / np.sqrt(np.outer(a, a)))


def divergence(kernel, prior):
    ratio = np.linalg.solve(prior, kernel)
    return 0.5 * (np.trace(ratio) - len(kernel) - np.linalg.slogdet(ratio)[1])


def plain_free_energy(inputs, targets, kernels, *, layers, activation, scale, ridge, jitter=0.0):
    """F of the first layer's weights and of the kernels above, with all variances 1, as it is written down."""
    d = inputs.shape[1]
    found = layers[0] * divergence(kernels[0], np.eye(d) / d)
    kernel = inputs @ kernels[0] @ inputs.T
    for width, above in zip(layers[1:], kernels[1:], strict=True):
        prior = activated(kernel, activation) + jitter * np.eye(len(inputs))
        found += width * divergence(above, prior)
        kernel = above
    noisy = activated(kernel, activation) + ridge * np.eye(len(inputs))
    columns = targets.reshape(len(targets), -1)
    data = 0.5 * scale * np.sum(columns * np.linalg.solve(noisy, columns))
    return found + data + 0.5 * columns.shape[1] * np.linalg.slogdet(noisy)[1]


def random_problem(rng, activation, layers, n=9, d=4, outputs=1):
    inputs = rng.standard_normal((n, d)) / np.sqrt(d)
    return Problem(
        inputs=inputs,
        targets=rng.standard_normal((n, outputs)),
        layers=tuple(map(float, layers)),
        activation=activation,
        ridge=rng.uniform(0.1, 0.5, n),
        readout_variance=1.3,
        weight_variances=(0.7, 0.9, 1.1)[: len(layers)],
        jitter=(0.0, 1e-6, 1e-6)[: len(layers)],
    )


def random_triangles(rng, problem):
    return [
        np.asfortranarray(np.eye(size) + 0.3 * np.tril(rng.standard_normal((size, size))))
        for size in problem.sizes
    ]


# -- reference values ---------------------------------------------------------------------------------------------------


def test_rows_of_the_table(reference):
    for row in reference("kernel_adaptation_general")["rows"]:
        activation, layers, scale, energy, mean, first, trace = row
        found = adapted(layers=layers, activation=activation, scale=scale)
        assert found.free_energy == pytest.approx(energy, abs=1e-6)
        np.testing.assert_allclose(found.mean[:3], mean, atol=5e-6)
        assert 5 * found.weight_covariance[0, 0] == pytest.approx(first, abs=5e-6)
        assert np.trace(found.weight_covariance) == pytest.approx(trace, abs=5e-6)
        assert found.diagnostics.residual < 1e-6
        assert found.starts_agree


def test_the_jitter_of_the_table_is_the_absolute_one(reference):
    """With 1e-8, rather than 1e-8 of the diagonal, the last free energy has all its digits."""
    energy = reference("kernel_adaptation_general")["rows"][-1][3]
    problem = Problem(
        X / np.sqrt(5),
        Y[:, None],
        (100.0, 100.0),
        "erf",
        np.full(20, 0.2),
        1.0,
        (1.0, 1.0),
        (0.0, 1e-8),
    )
    found = descend(problem, 30.0, None, tolerance=1e-9, max_iterations=1000)
    assert found.state.free_energy == pytest.approx(energy, abs=1e-8)


# -- the equations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["erf", "linear"])
@pytest.mark.parametrize("layers", [(7,), (7, 5), (7, 5, 9)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_gradient_is_that_of_finite_differences(activation, layers, outputs):
    rng = np.random.default_rng(len(layers) + 10 * outputs)
    problem = random_problem(rng, activation, layers, outputs=outputs)
    triangles = random_triangles(rng, problem)
    state = evaluate(problem, triangles, 3.0)
    for layer, size in enumerate(problem.sizes):
        for _ in range(4):
            direction = np.tril(rng.standard_normal((size, size)))
            h = 1e-5
            ends = []
            for sign in (1, -1):
                moved = list(triangles)
                moved[layer] = np.asfortranarray(triangles[layer] + sign * h * direction)
                ends.append(evaluate(problem, moved, 3.0).free_energy)
            slope = (ends[0] - ends[1]) / (2 * h)
            assert np.sum(direction * state.gradients[layer]) == pytest.approx(
                slope, rel=1e-6, abs=1e-6
            )


@pytest.mark.parametrize("layers", [(7,), (7, 5), (7, 5, 9)])
def test_free_energy_is_the_one_that_is_written_down(layers):
    """Anywhere, from kernels that are inverted as they stand."""
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((9, 4)), rng.standard_normal(9)
    problem = Problem(
        inputs / 2,
        targets[:, None],
        tuple(map(float, layers)),
        "erf",
        np.full(9, 0.2),
        1.0,
        (1.0,) * 3,
        (0.0, 1e-6, 1e-6),
    )
    state = evaluate(problem, random_triangles(rng, problem), 3.0)
    kernels = [state.kernels[0] / 4, *state.kernels[1:]]
    plain = plain_free_energy(
        inputs, targets, kernels, layers=layers, activation="erf", scale=3.0, ridge=0.2, jitter=1e-6
    )
    assert state.free_energy == pytest.approx(plain, rel=1e-10)


def back(derivative, kernel):
    a = 1 + 2 * np.diag(kernel)
    u = 2 * kernel / np.sqrt(np.outer(a, a))
    b = derivative * 2 / np.pi / np.sqrt(1 - u**2)
    return b * 2 / np.sqrt(np.outer(a, a)) - 2 * np.diag((b * u).sum(axis=1) / a)


@pytest.mark.parametrize("layers", [(100,), (50, 80)])
def test_the_self_consistent_equations_hold_as_they_are_written_down(layers):
    found = adapted(layers=layers, scale=30.0)
    inverse = np.linalg.inv(found.output_kernel + 0.2 * np.eye(20))
    tilde = inverse @ Y
    np.testing.assert_allclose(found.mean, Y - 0.2 * tilde, atol=1e-10)
    np.testing.assert_allclose(found.output_kernel, activated(found.kernels[-1], "erf"), atol=1e-12)
    derivative = back(-0.5 * (30.0 * np.outer(tilde, tilde) - inverse), found.kernels[-1])
    if len(layers) == 2:
        prior = activated(found.kernels[0], "erf")
        prior += 1e-8 * np.mean(np.diag(erf_nngp(X, depth=1, weight_variance=1.0))) * np.eye(20)
        upper = found.kernels[1]
        precision = np.linalg.inv(prior) + 2 / layers[1] * derivative
        assert np.max(np.abs(upper @ precision - np.eye(20))) < 1e-5
        q = np.linalg.inv(prior)
        derivative = back(0.5 * layers[1] * (q - q @ upper @ q), found.kernels[0])
    precision = 5 * np.eye(5) + 2 / layers[0] * X.T @ derivative @ X
    assert np.max(np.abs(found.weight_covariance @ precision - np.eye(5))) < 1e-6
    np.testing.assert_allclose(found.kernels[0], X @ found.weight_covariance @ X.T, atol=1e-12)


def test_a_damped_fixed_point_iteration_ends_at_the_same_place():
    """K^-1 <- (1 - eta) K^-1 + eta T, another algorithm, of the equations only."""
    covariance = np.eye(5) / 5
    for _ in range(3000):
        kernel = X @ covariance @ X.T
        inverse = np.linalg.inv(activated(kernel, "erf") + 0.2 * np.eye(20))
        tilde = inverse @ Y
        derivative = back(-0.5 * (100 * np.outer(tilde, tilde) - inverse), kernel)
        wanted = 5 * np.eye(5) + 2 / 100 * X.T @ derivative @ X
        covariance = np.linalg.inv(0.95 * np.linalg.inv(covariance) + 0.05 * wanted)
    np.testing.assert_allclose(adapted().weight_covariance, covariance, atol=1e-8)


def test_a_minimum_is_lower_than_its_neighbors():
    found = adapted(layers=[50, 80], scale=30.0)
    rng = np.random.default_rng(1)
    kernels = [found.weight_covariance, found.kernels[1]]
    given = {"layers": [50, 80], "activation": "erf", "scale": 30.0, "ridge": 0.2, "jitter": 3e-9}
    bottom = plain_free_energy(X, Y, kernels, **given)
    for _ in range(5):
        moved = []
        for kernel in kernels:
            root = np.linalg.cholesky(kernel)
            change = 0.02 * rng.standard_normal(kernel.shape)
            moved.append(
                root @ (np.eye(len(root)) + change) @ (np.eye(len(root)) + change).T @ root.T
            )
        assert plain_free_energy(X, Y, moved, **given) > bottom


# -- limits and identities ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["erf", "linear"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_infinite_width_is_that_of_gaussian_processes(activation, depth):
    found = adapted(layers=[1e7] * depth, activation=activation, scale=30.0)
    lazy = {"erf": erf_nngp(X, depth=depth, weight_variance=1.0), "linear": X @ X.T / 5}
    kernel = lazy[activation]
    mean = kernel @ np.linalg.solve(kernel + 0.2 * np.eye(20), Y)
    np.testing.assert_allclose(found.mean, mean, atol=1e-3)
    np.testing.assert_allclose(found.nngp_mean, mean, atol=1e-7)
    np.testing.assert_allclose(found.weight_covariance, np.eye(5) / 5, atol=1e-3)
    assert np.all(found.divergences < 1e-6)


def test_equal_linear_layers_share_the_work():
    """With equal widths, all layers of a linear network leave their priors alike; more inputs than dimensions do no harm."""
    found = adapted(layers=[100] * 3, activation="linear", scale=300.0)
    assert found.divergences[0] > 0.1
    np.testing.assert_allclose(found.divergences, found.divergences[0], rtol=1e-5)


def test_deep_linear_kernels_follow_the_plain_equations():
    inputs, targets = X[:4], Y[:4]
    found = adapted(inputs, targets, layers=[50, 80], activation="linear", scale=30.0)
    plain = plain_free_energy(
        inputs, targets, [found.weight_covariance, found.kernels[1]],
        layers=[50, 80], activation="linear", scale=30.0, ridge=0.2,
    )  # fmt: skip
    assert found.free_energy == pytest.approx(plain, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["erf", "linear"]),
    st.integers(1, 2),
    st.floats(0.1, 30),
    st.floats(0.05, 5),
)
def test_rotations_of_the_inputs_rotate_the_weights(seed, activation, depth, scale, ridge):
    rng = np.random.default_rng(seed)
    inputs, targets = rng.standard_normal((8, 3)), rng.standard_normal(8)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    order = rng.permutation(8)
    given = {"layers": [30] * depth, "activation": activation, "scale": scale, "ridge": ridge}
    one, other = (
        adapted(inputs, targets, **given),
        adapted((inputs @ turn)[order], targets[order], **given),
    )
    assert other.free_energy == pytest.approx(one.free_energy, rel=1e-7, abs=1e-7)
    if one.starts_agree and other.starts_agree:
        np.testing.assert_allclose(other.mean, one.mean[order], atol=1e-4)
        np.testing.assert_allclose(
            other.weight_covariance, turn.T @ one.weight_covariance @ turn, atol=1e-4
        )


def test_units_of_inputs_and_targets_do_not_matter():
    one = adapted(layers=[40, 60])
    other = adapted(
        X * 3, Y * 2, layers=[40, 60], weight_variance=[1 / 9, 1.0], readout_variance=4.0, ridge=0.8
    )
    np.testing.assert_allclose(other.mean, 2 * one.mean, atol=1e-5)
    # log det (Q + kappa) gets n/2 log 4
    assert other.free_energy == pytest.approx(one.free_energy + 10 * np.log(4), abs=1e-6)


def test_dimensions_that_no_input_has_keep_the_prior():
    wide = np.concatenate([X, np.zeros((20, 3))], axis=1)
    one, other = adapted(), adapted(wide, weight_variance=8 / 5)
    assert other.free_energy == pytest.approx(one.free_energy, abs=1e-8)
    np.testing.assert_allclose(other.weight_covariance[:5, :5], one.weight_covariance, atol=1e-6)
    np.testing.assert_allclose(other.weight_covariance[5:, 5:], np.eye(3) / 5, atol=1e-12)


def test_columns_of_targets_rotate_into_each_other():
    rng = np.random.default_rng(2)
    columns = np.column_stack([Y, X[:, 1] * X[:, 2]])
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    one, other = adapted(targets=columns), adapted(targets=columns @ turn)
    assert one.mean.shape == (20, 2)
    assert other.free_energy == pytest.approx(one.free_energy, abs=1e-7)
    np.testing.assert_allclose(other.mean, one.mean @ turn, atol=1e-5)
    np.testing.assert_allclose(adapted(targets=Y[:, None]).mean[:, 0], adapted().mean, atol=1e-12)


# -- new inputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["erf", "linear"])
@pytest.mark.parametrize("layers", [(100,), (40, 60), (40, 60, 50)])
def test_a_new_input_is_one_that_was_measured_with_infinite_noise(activation, layers):
    rng = np.random.default_rng(3)
    new = rng.standard_normal((4, 5))
    found = adapted(layers=layers, activation=activation, scale=30.0)
    jitter = 0.0 if activation == "linear" else 1e-8
    problem = Problem(
        np.concatenate([X, new]) / np.sqrt(5),
        np.concatenate([Y, np.zeros(4)])[:, None],
        tuple(map(float, layers)),
        activation,
        np.concatenate([np.full(20, 0.2), np.full(4, 1e12)]),
        1.0,
        (1.0,) * len(layers),
        (0.0, *(jitter,) * (len(layers) - 1)),
    )
    both = descend(problem, 30.0, None, tolerance=1e-8, max_iterations=3000)
    assert residual(problem, both.state, 30.0) < 1e-5
    mean = both.state.output_kernel @ both.state.weights[:, 0]
    np.testing.assert_allclose(mean[:20], found.mean, atol=1e-5)
    np.testing.assert_allclose(found.predict(new), mean[20:], atol=2e-5)


@pytest.mark.parametrize("activation", ["erf", "linear"])
@pytest.mark.parametrize("targets", [Y, np.column_stack([Y, Y**2])])
def test_predictions_at_the_inputs_are_the_mean(activation, targets):
    found = adapted(targets=targets, layers=[40, 60], activation=activation)
    np.testing.assert_allclose(
        found.predict(X), found.mean, atol=1e-6
    )  # the jitter, over the ridge


def test_at_infinite_width_predictions_are_those_of_a_gaussian_process():
    new = np.random.default_rng(4).standard_normal((6, 5))
    found = adapted(layers=[1e7, 1e7], scale=1.0)
    kernel = erf_nngp(X, depth=2, weight_variance=1.0)
    mean = erf_nngp(new, X, depth=2, weight_variance=1.0) @ np.linalg.solve(
        kernel + 0.2 * np.eye(20), Y
    )
    np.testing.assert_allclose(found.predict(new), mean, atol=1e-5)


def test_saved_kernels_predict_alike(tmp_path):
    found = adapted(layers=[40, 60])
    again = AdaptedKernels.load(found.save(tmp_path / "kernels.npz"))
    assert again == found
    np.testing.assert_array_equal(again.predict(X[:3] + 0.1), found.predict(X[:3] + 0.1))


# -- what the code says of itself ---------------------------------------------------------------------------------------


def test_scales_of_order_one_get_a_caution():
    with pytest.warns(ExtrapolationWarning, match="scale = 1 is of order one"):
        found = adapt(X, Y, layers=[100], activation="erf", scale=1.0, ridge=0.2)
    assert len(found.cautions) == 1
    assert adapted().cautions == ()


def test_starts_that_disagree_are_flagged_and_the_lower_is_kept():
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((60, 3))
    targets = inputs[:, 0] * np.cos(2 * inputs[:, 0])
    given = {"layers": [100, 100], "activation": "erf", "scale": 100.0, "ridge": 0.1}
    with pytest.warns(ExtrapolationWarning, match="different minima"):
        found = adapt(inputs, targets, **given)
    assert not found.starts_agree
    assert found.start_free_energies[1] > found.start_free_energies[0] + 100
    assert found.free_energy == found.start_free_energies.min()
    assert found.diagnostics.residual < 1e-6  # a minimum, as the other one is
    one = adapt(inputs, targets, annealing_steps=0, **given)
    assert one.starts_agree
    assert len(one.start_free_energies) == 1


def test_near_duplicates_and_three_layers_converge():
    rng = np.random.default_rng(5)
    inputs = rng.standard_normal((60, 5))
    inputs[1] = inputs[0] + 1e-9
    found = adapted(inputs, inputs[:, 0] + 0.2 * inputs[:, 0] ** 3, layers=[100] * 3)
    assert found.diagnostics.status is Status.CONVERGED
    assert found.diagnostics.residual < 1e-6


def test_too_few_steps_raise_with_the_last_iterate():
    with pytest.raises(ConvergenceError) as failure:
        adapted(max_iterations=1)
    assert failure.value.result.diagnostics.status is Status.MAX_ITERATIONS
    assert adapted(max_iterations=1, on_failure="return").diagnostics.residual > 1e-3


def test_an_accuracy_out_of_reach_is_warned_of():
    with pytest.warns(AccuracyWarning, match="errors may exceed"):
        found = adapted(tolerance=1e-300)
    assert found.diagnostics.residual < 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": X[0]}, "X must be a matrix whose rows are inputs"),
        ({"inputs": np.zeros((20, 5))}, "X holds nothing but zeros"),
        ({"inputs": X * 1e6}, "scale the inputs"),
        ({"inputs": np.where(X > 1, np.nan, X)}, "X"),
        ({"targets": Y[:5]}, "y must hold one target"),
        ({"targets": np.full(20, 1e200)}, "scale = 100.0 is too large for these targets"),
        ({"layers": 100}, "a row of widths"),
        ({"layers": []}, "a row of widths"),
        ({"layers": [0.5]}, "layers"),
        ({"activation": "relu"}, "must be 'linear' or 'erf'"),
        ({"scale": 0}, "scale = 0 must be > 0"),
        ({"ridge": 0}, "ridge = 0 must be > 0"),
        ({"readout_variance": -1}, "readout_variance"),
        ({"weight_variance": [1, 1, 1]}, "one for each of 1 layers"),
        ({"weight_variance": 0}, "weight_variance = 0.0 must be > 0"),
        ({"annealing_steps": -1}, "annealing_steps"),
        ({"on_failure": "ignore"}, "on_failure"),
    ],
)  # fmt: skip
def test_refusals(change, message):
    with pytest.raises(DomainError, match=message):
        adapted(**change)


def test_a_ridge_that_rounding_swallows_is_refused():
    with pytest.raises(DomainError, match=r"ridge = 1e-20 is too small"):
        adapted(np.repeat(X, 2, axis=0), np.repeat(Y, 2), ridge=1e-20)


def test_new_inputs_of_another_length_are_refused():
    with pytest.raises(DomainError, match="X_new must have rows as long as those of X, 5; got 4"):
        adapted().predict(X[:, :4])


def test_memory_is_asked_for_before_it_is_taken(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "10KB")
    with pytest.raises(ResourceError, match="kernels of 20 inputs"):
        adapted()
