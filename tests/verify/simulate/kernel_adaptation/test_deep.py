"""Networks of three layers: energy and gradient, one neuron against quadrature, the limit of wide first layers, a published order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermeval
from scipy import special, stats

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.verify.simulate.kernel_adaptation import (
    DeepSample,
    effective_size,
    sample_deep,
    sample_posterior,
)
from scalinglaws.verify.simulate.kernel_adaptation._data import Reduced, reduced
from scalinglaws.verify.simulate.kernel_adaptation._layers import Layers
from scalinglaws.verify.simulate.kernel_adaptation._network import component

FUNCTION = {"erf": special.erf, "linear": lambda z: z}


def problem(samples, dimension=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, dimension)), rng.standard_normal(samples)


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 12),
    first=st.integers(1, 6),
    middle=st.integers(1, 9),
    ridge=st.floats(0.05, 5),
    scale=st.floats(0.2, 20),
    readout_variance=st.floats(0.2, 3),
    activation=st.sampled_from(["erf", "linear"]),
    seed=st.integers(0, 1000),
)
def test_density_and_gradient(
    samples, first, middle, ridge, scale, readout_variance, activation, seed
):
    """The density against the Gaussian of the labels, the gradient against finite differences; more samples than neurons or fewer."""
    x, y = problem(samples, seed=seed)
    data = (
        reduced(x, y, ridge, scale)
        if activation == "linear"
        else Reduced(x, y, basis=None, constant=0.0)
    )
    potential = Layers(
        data,
        (first, middle),
        0.7,
        ridge=ridge,
        scale=scale,
        readout_variance=readout_variance,
        activation=activation,
        along=np.eye(3)[0],
    )
    rng = np.random.default_rng(seed)
    position = potential.start(False, rng)
    lower, upper = position[: first * 3].reshape(first, 3), position[first * 3 :]
    phi = FUNCTION[activation]
    top = phi(0.7 * phi(x @ lower.T) @ upper.reshape(middle, first).T)
    covariance = (readout_variance / middle * top @ top.T + ridge * np.eye(samples)) / scale
    labels = stats.multivariate_normal(np.zeros(samples), covariance).logpdf(y)
    labels += samples / 2 * math.log(2 * math.pi / scale)
    energy, gradient = potential(position)
    assert -energy == pytest.approx(labels - position @ position / 2, rel=1e-8, abs=1e-8)
    direction, step = rng.standard_normal(position.shape), 1e-5
    ends = [potential(position + side * step * direction)[0] for side in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(
        gradient @ direction, rel=1e-5, abs=1e-4
    )
    mean, fitted = potential.readout(position)
    matrix = readout_variance / middle * top @ top.T
    expected = matrix @ np.linalg.solve(matrix + ridge * np.eye(samples), y)
    np.testing.assert_allclose(fitted, expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(top @ mean, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("degree", [1, 3, 5, 7])
def test_components_against_quadrature(degree):
    """Of one neuron on normalized Hermite polynomials of one direction: two-dimensional Gauss-Hermite quadrature."""
    m, q = np.array([0.3, -0.8, 1.1]), np.array([0.5, 0.7, 1.6])
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    polynomial = hermeval(nodes, [0] * degree + [1]) / math.sqrt(math.factorial(degree))
    for activation, phi in FUNCTION.items():
        outputs = phi(m[:, None, None] * nodes[:, None] + np.sqrt(q - m**2)[:, None, None] * nodes)
        found = np.einsum("cij,i,j,i->c", outputs, weights, weights, polynomial)
        np.testing.assert_allclose(component(degree, m, q, activation), found, atol=1e-10)


def test_recorded_components_are_those_of_the_network():
    """A linear network is its first component; one of error functions, regressed on many points."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((30, 2))
    test = rng.standard_normal((100_000, 2))
    cubic = (test[:, 0] ** 3 - 3 * test[:, 0]) / math.sqrt(6)
    given = {"neurons": 5, "ridge": 0.1, "draws": 20, "warmup": 50, "on_failure": "return"}
    found = sample_posterior(
        x, x[:, 0], degrees=[3, 1], test_inputs=test, test_labels=cubic, rng=2, **given
    )
    assert found.components.shape == (4, 20, 2)
    error = np.std(cubic**2) / math.sqrt(test.shape[0])
    np.testing.assert_allclose(found.components[..., 0], found.alignment, atol=6 * error)
    linear = sample_posterior(
        x,
        x[:, 0],
        degrees=[1, 3],
        activation="linear",
        test_inputs=np.eye(2),
        test_labels=[1.0, 0.0],
        rng=3,
        **given,
    )
    np.testing.assert_allclose(linear.components[..., 0], linear.alignment, rtol=1e-12)
    assert not linear.components[..., 1].any()
    for degrees in ([2], [1, 1], [[1]], [0], [101], [1.5]):
        with pytest.raises(DomainError, match="degrees"):
            sample_posterior(x, x[:, 0], degrees=degrees, rng=4, **given)


def test_without_data_the_prior_is_sampled():
    found = sample_deep(
        np.empty((0, 3)),
        [],
        neurons=(4, 3),
        ridge=1.0,
        weight_variance=1.7,
        middle_variance=0.6,
        activation="linear",
        draws=2000,
        warmup=200,
        rng=3,
    )
    for values, mean in (
        (np.mean(found.overlaps**2, axis=-1), 1.7 / 3),
        (np.mean(found.middle_norms**2, axis=-1), 0.6),
        (np.mean(found.linear_parts**2, axis=-1), 0.6 * 1.7 / 3),
    ):
        error = 4 * np.std(values) / math.sqrt(effective_size(values))
        assert values.mean() == pytest.approx(mean, abs=error)
        assert error < 0.1 * mean
    assert found.train_loss.size == found.test_loss.size == 0


def test_one_neuron_in_each_layer_against_quadrature():
    """Two weights and a readout, all of the posterior; signs do not mix, so squares are compared."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((12, 1))
    y = 0.8 * special.erf(1.5 * special.erf(1.5 * x[:, 0])) + 0.1 * rng.standard_normal(12)
    ridge, scale, points = 0.2, 3.0, np.linspace(0, 8, 401)
    w, v = points[:, None, None], points[None, :, None]
    top = special.erf(v * special.erf(w * x[:, 0]))
    square = np.sum(top**2, axis=-1)
    logs = -0.5 * (w[..., 0] ** 2 + v[..., 0] ** 2 + np.log(square + ridge))
    logs += 0.5 * scale / ridge * (top @ y) ** 2 / (square + ridge)
    density = np.exp(logs - logs.max())
    density[0] /= 2  # ends of the trapezoids
    density[:, 0] /= 2
    density /= density.sum()
    linear = points * 2 / math.sqrt(math.pi) / np.sqrt(1 + 2 * points**2)
    found = sample_deep(
        x, y, neurons=(1, 1), ridge=ridge, scale=scale, draws=1000, warmup=200, rng=6
    )
    np.testing.assert_allclose(
        np.abs(found.linear_parts),
        found.middle_norms
        * 2
        / math.sqrt(math.pi)
        * np.abs(found.overlaps)
        / np.sqrt(1 + 2 * found.overlaps**2),
        rtol=1e-12,
    )
    for values, moments in (
        (found.overlaps, points[:, None] ** 2 + 0 * density),
        (found.middle_norms, points**2 + 0 * density),
        (found.linear_parts, np.outer(linear**2, points**2)),
    ):
        squares = values[..., 0] ** 2
        error = np.std(squares) / math.sqrt(effective_size(squares))
        assert squares.mean() == pytest.approx(np.sum(density * moments), abs=4 * error)
        assert error < 0.1 * squares.mean()


@pytest.mark.slow
def test_a_wide_first_layer_of_a_linear_network_disappears():
    """Given the first layer, weights of the middle one times it are Gaussian with its mean square: one layer less as N1 grows."""
    x, _ = problem(12, 2, seed=7)
    y = x @ [1.0, 0.5]
    given = {"ridge": 0.3, "scale": 10.0, "activation": "linear", "draws": 1000}
    two = sample_posterior(x, y, neurons=2, weight_variance=1.5, rng=8, **given)
    gaps = []
    for first in (2, 400):
        three = sample_deep(
            x,
            y,
            neurons=(first, 2),
            weight_variance=3.0,
            middle_variance=0.5,
            warmup=1000,
            rng=9,
            **given,
        )
        gaps.append(np.mean(three.linear_parts**2) / np.mean(two.overlaps**2) - 1)
        if first == 400:
            error = math.hypot(
                three.standard_error["squared_linear_part"] / np.mean(three.linear_parts**2),
                two.standard_error["squared_overlap"] / np.mean(two.overlaps**2),
            )
            assert abs(gaps[-1]) < 4 * error + 0.02
            assert error < 0.04
    assert abs(gaps[0]) > 2 * abs(gaps[1])


def test_losses_are_those_of_the_networks_and_starts_are_recorded():
    x, _ = problem(50)
    found = sample_deep(
        x,
        x[:, 1],
        neurons=(8, 4),
        ridge=0.05,
        direction=[0, 2, 0],
        test_inputs=x,
        test_labels=x[:, 1],
        planted=1,
        chains=3,
        draws=50,
        warmup=100,
        rng=10,
        on_failure="return",
    )
    np.testing.assert_allclose(found.test_loss, found.train_loss / np.mean(x[:, 1] ** 2), rtol=1e-9)
    np.testing.assert_array_equal(found.planted, [False, True, False])
    assert found.alignment.mean() > 0.9


def test_planted_starts_are_enlarged_along_the_direction_alone():
    x, y = problem(4)
    along = np.array([0.6, 0.8, 0.0])
    potential = Layers(
        Reduced(x, y, basis=None, constant=0.0),
        (5, 2),
        1.0,
        ridge=1.0,
        scale=1.0,
        readout_variance=1.0,
        activation="erf",
        along=along,
    )
    (cold, above), (warm, same) = (
        potential.split(potential.start(planted, np.random.default_rng(9)))
        for planted in (False, True)
    )
    np.testing.assert_allclose(warm @ along, 3 * cold @ along)
    np.testing.assert_allclose(
        warm - np.outer(warm @ along, along), cold - np.outer(cold @ along, along), atol=1e-12
    )
    np.testing.assert_array_equal(above, same)


def test_results_repeat_and_survive_saving(tmp_path):
    x, y = problem(10)
    given = {"neurons": [4, 2], "ridge": 0.5, "draws": 20, "warmup": 30, "on_failure": "return"}
    first, second = (sample_deep(x, y, rng=10, **given) for _ in range(2))
    assert first == second
    assert DeepSample.load(first.save(tmp_path / "sample.npz")) == first
    assert DeepSample.from_json(first.to_json()) == first
    assert set(first.standard_error) == {
        "energy",
        "squared_overlap",
        "squared_linear_part",
        "train_loss",
    }


def test_chains_that_disagree_are_an_error():
    x, _ = problem(100)
    with pytest.raises(ConvergenceError, match="^sample_deep: ") as failure:
        sample_deep(x, x[:, 0], neurons=(6, 3), ridge=0.01, draws=10, warmup=2, rng=11)
    assert not failure.value.result.diagnostics.status.ok
    assert max(failure.value.result.r_hat.values()) > 1.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neurons": 3}, "neurons = 3 must be a pair"),
        ({"neurons": (3,)}, "must be a pair"),
        ({"neurons": (3, 0)}, "neurons = 0"),
        ({"neurons": "ab"}, "neurons = 'ab' must be a pair"),
        ({"ridge": 0.0}, "ridge = 0.0 must be > 0 and finite"),
        ({"scale": math.nan}, "scale = nan"),
        ({"weight_variance": -1}, "weight_variance = -1"),
        ({"middle_variance": 0}, "middle_variance = 0"),
        ({"readout_variance": "big"}, "readout_variance"),
        ({"activation": "relu"}, "activation = 'relu' must be 'erf' or 'linear'"),
        ({"planted": -1}, "planted = -1"),
        ({"chains": 1}, "chains = 1"),
        ({"labels": [1.0]}, "inputs and labels must have shapes"),
        ({"inputs": [[math.inf] * 3] * 5}, r"inputs\[0, 0\] = inf must be finite"),
        ({"test_inputs": [[1.0]], "test_labels": [1.0]}, "test_inputs and test_labels"),
        ({"direction": "up"}, "direction"),
    ],
)
def test_bad_arguments(change, message):
    x, y = problem(5)
    with pytest.raises(DomainError, match=message):
        sample_deep(
            **{"inputs": x, "labels": y, "neurons": (2, 2), "ridge": 0.5, "rng": 0, **change}
        )


def test_what_does_not_fit_is_refused():
    x, y = problem(5)
    with pytest.raises(ResourceError, match="use fewer"):
        sample_deep(x, y, neurons=(10**9, 10**9), ridge=0.5, rng=0)


@pytest.mark.slow
def test_the_layer_that_specializes_moves_with_the_width_of_the_first():
    """A cubic target at d = 8, N2 = 8, P = 600: overlaps exceed the prior's where the first layer is narrow, linear parts of the
    middle layer where it is wide. At N1 = 256, in between, either happens: it depends on the data set."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((600, 8))
    y = hermeval(x[:, 0], [0, 0, 0, 1]) / math.sqrt(6)
    for first, moves in ((8, 150), (1024, 60)):
        prior = sample_deep(
            np.empty((0, 8)), [], neurons=(first, 8), ridge=1.0, chains=2, warmup=50, rng=1
        )
        found = sample_deep(
            x,
            y,
            neurons=(first, 8),
            ridge=1.0,
            chains=2,
            draws=moves,
            warmup=moves,
            rng=3,
            on_failure="return",
        )
        overlap, linear = (
            np.abs(getattr(found, name)).max(axis=-1).mean(axis=1)
            - np.abs(getattr(prior, name)).max(axis=-1).mean()
            for name in ("overlaps", "linear_parts")
        )
        excess = overlap - linear if first == 8 else linear - overlap
        assert np.all(excess > 0.2)  # in each chain
        assert np.ptp(excess) < 0.2
