"""Posterior sampling: gradients, energies, exact posteriors, and what is said when chains do not agree."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.results import Status
from scalinglaws.verify.simulate import _convergence
from scalinglaws.verify.simulate.kernel_adaptation import (
    PosteriorSample,
    effective_size,
    log_posterior,
    sample_posterior,
    split_r_hat,
    teacher_posterior,
)
from scalinglaws.verify.simulate.kernel_adaptation import _chains as chains
from scalinglaws.verify.simulate.kernel_adaptation import _network as network

CUBIC = np.array([0, 0, 0, 1]) / math.sqrt(6)


def problem(samples, neurons, seed=0, dimension=3):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((samples, dimension)),
        rng.standard_normal(samples),
        rng.standard_normal((neurons, dimension)),
    )


def test_the_error_function_and_its_derivative():
    z = np.concatenate([np.linspace(-8, 8, 100_001), [0.0, -0.0, 1e-300, 6.0, -6.0, 1e10, -1e10]])
    found, slope = z.copy(), np.empty_like(z)
    network.activate(found, "erf", slope)
    assert np.abs(found - special.erf(z)).max() < 1e-15
    assert np.abs(slope - 2 / math.sqrt(math.pi) * np.exp(-(z**2))).max() < 1e-12


@settings(max_examples=30, deadline=None)
@given(
    samples=st.integers(1, 14),
    neurons=st.integers(1, 9),
    ridge=st.floats(0.05, 5),
    scale=st.floats(0.2, 20),
    weight_variance=st.floats(0.2, 3),
    readout_variance=st.floats(0.2, 3),
    activation=st.sampled_from(["erf", "linear"]),
)
def test_density_and_gradient(
    samples, neurons, ridge, scale, weight_variance, readout_variance, activation
):
    """The density against the Gaussian of the labels, the gradient against finite differences; more samples than neurons or fewer."""
    x, y, w = problem(samples, neurons)
    given = {
        "ridge": ridge,
        "scale": scale,
        "weight_variance": weight_variance,
        "readout_variance": readout_variance,
    }
    value, gradient = log_posterior(w, x, y, activation=activation, **given)
    hidden = special.erf(x @ w.T) if activation == "erf" else x @ w.T
    covariance = (readout_variance / neurons * hidden @ hidden.T + ridge * np.eye(samples)) / scale
    likelihood = stats.multivariate_normal(np.zeros(samples), covariance).logpdf(y)
    constant = samples / 2 * math.log(2 * math.pi / scale)
    assert value == pytest.approx(
        likelihood + constant - 3 / (2 * weight_variance) * np.sum(w**2), rel=1e-9, abs=1e-9
    )
    direction, step = np.random.default_rng(1).standard_normal(w.shape), 1e-5
    ends = [
        log_posterior(w + side * step * direction, x, y, activation=activation, **given)[0]
        for side in (1, -1)
    ]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(
        np.vdot(gradient, direction), rel=1e-5, abs=1e-5
    )


def test_symmetries():
    x, y, w = problem(10, 4)
    value, gradient = log_posterior(w, x, y, ridge=0.3)
    flipped, turned = log_posterior(w[::-1] * [[1], [-1], [1], [-1]], x, y, ridge=0.3)
    assert flipped == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(turned, gradient[::-1] * [[1], [-1], [1], [-1]], rtol=1e-9)


def test_the_energy_error_is_of_second_order_and_the_motion_reversible():
    x, y, w = problem(20, 4)
    potential = network.Network(
        x, y, 4, ridge=0.3, scale=2.0, readout_variance=1.0, activation="erf"
    )
    p = np.random.default_rng(2).standard_normal(w.shape)
    energy, gradient = potential(w)
    start = energy + 0.5 * np.vdot(p, p)
    errors = []
    for leaps in (50, 100, 200):
        q, r, end, slope = chains.leapfrog(
            potential, w, p, gradient, step_size=1 / leaps, leaps=leaps
        )
        errors.append(abs(end + 0.5 * np.vdot(r, r) - start))
    assert np.array(errors[:-1]) / errors[1:] == pytest.approx(4.0, rel=0.05)
    back = chains.leapfrog(potential, q, -r, slope, step_size=1 / 200, leaps=200)
    np.testing.assert_allclose(back[0], w, atol=1e-10)
    np.testing.assert_allclose(back[1], -p, atol=1e-10)


def test_without_data_the_prior_is_sampled():
    found = sample_posterior(
        np.empty((0, 3)),
        [],
        neurons=2,
        ridge=1.0,
        weight_variance=1.7,
        scale=2.0,
        draws=2000,
        warmup=200,
        rng=3,
    )
    weights, readouts = found.overlaps.ravel(), found.readouts.ravel()
    # 8000 draws of each neuron, hardly correlated: four standard errors
    assert np.mean(weights**2) == pytest.approx(1.7 / 3, rel=4 * math.sqrt(2 / 16_000))
    assert np.mean(found.squared_weights) == pytest.approx(1.7, rel=4 * math.sqrt(2 / 48_000))
    assert np.mean(readouts**2) == pytest.approx(1 / 4, rel=4 * math.sqrt(2 / 16_000))
    assert found.train_loss.size == 0
    assert found.test_loss.size == 0


def test_the_readout_given_the_weights_is_that_of_bayesian_regression():
    x, y, w = problem(7, 3)
    given = {"ridge": 0.4, "scale": 2.0, "readout_variance": 1.5}
    potential = network.Network(x, y, 3, activation="erf", **given)
    hidden = special.erf(x @ w.T)
    precision = 2.0 * (3 / 1.5 * np.eye(3) + hidden.T @ hidden / 0.4)
    mean = np.linalg.solve(precision, 2.0 / 0.4 * hidden.T @ y)
    rng = np.random.default_rng(4)
    drawn = [potential.readout(w, rng) for _ in range(20_000)]
    np.testing.assert_allclose(drawn[0][0], mean, rtol=1e-12)
    np.testing.assert_allclose(drawn[0][2], hidden @ mean, rtol=1e-12)
    covariance = np.linalg.inv(precision)
    # entries of a sampled covariance: five standard errors
    error = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / 20_000)
    assert np.all(
        np.abs(np.cov(np.array([entry[1] for entry in drawn]).T) - covariance) < 5 * error
    )


def test_one_neuron_against_quadrature():
    """The whole posterior of one weight, two modes included: what detailed balance is for."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((12, 1))
    y = special.erf(1.5 * x[:, 0]) + 0.1 * rng.standard_normal(12)
    w = np.linspace(-8, 8, 4001)
    logs = np.array([log_posterior([[point]], x, y, ridge=0.5)[0] for point in w])
    density = np.exp(logs - logs.max())
    cumulative = np.cumsum(density) / density.sum()
    found = sample_posterior(x, y, neurons=1, ridge=0.5, chains=2, draws=1500, warmup=200, rng=6)
    size = min(
        effective_size(np.abs(found.overlaps[..., 0])), effective_size(found.overlaps[..., 0] > 1.0)
    )
    for level in (0.1, 0.3, 0.5, 0.7, 0.9):
        bound = np.interp(level, cumulative, w)
        # |w| mixes, its sign may not: judge the folded law
        share = np.interp(abs(bound), w, cumulative) - np.interp(-abs(bound), w, cumulative)
        measured = np.mean(np.abs(found.overlaps) < abs(bound))
        assert measured == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / size))


def deterministic_data(count=20, dimension=5):
    i, j = np.arange(1, count + 1)[:, None], np.arange(1, dimension + 1)
    x = math.sqrt(2) * np.cos(1.7 * i * j + 0.9 * i + 0.3 * j**2)
    return x, x[:, 0] + 0.1 * (x[:, 0] ** 3 - 3 * x[:, 0])


@pytest.mark.slow
def test_linear_networks_against_the_exact_posterior():
    """Given the norm of the readout a linear network is Gaussian: one integral is left. The published values, and the sampler."""
    x, y = deterministic_data()
    values, vectors = np.linalg.eigh(x @ x.T / 5)
    along, ridge, scale, neurons = vectors.T @ y, 0.2, 20.0, 20
    log_r = math.log(1 / scale) + np.linspace(-7, 7, 4001)
    r = np.exp(log_r)[:, None]
    spread = r * np.maximum(values, 0) + ridge / scale
    logs = (
        neurons / 2 * log_r
        - r[:, 0] * neurons * scale / 2
        - 0.5 * np.sum(np.log(spread) + along**2 / spread, axis=1)
    )
    weights = np.exp(logs - logs.max())
    exact = vectors @ (weights @ (r * np.maximum(values, 0) / spread) / weights.sum() * along)
    assert exact[:3] == pytest.approx([-1.19008709, 0.81414646, -0.22923811], abs=2e-8)
    found = sample_posterior(
        x,
        y,
        neurons=neurons,
        ridge=ridge,
        scale=scale,
        activation="linear",
        draws=1000,
        warmup=500,
        rng=7,
    )
    error = found.train_mean.std(axis=0, ddof=1) / 2
    # four chains: five standard errors of three degrees of freedom, and not so large that anything passes
    assert np.all(np.abs(found.train_mean.mean(axis=0) - exact) < 5 * error + 1e-4)
    assert error.max() < 2e-3


def test_results_repeat_and_survive_saving(tmp_path):
    given = {
        "dimension": 3,
        "neurons": 3,
        "ridge": 0.5,
        "target": CUBIC,
        "draws": 20,
        "warmup": 30,
        "chains": 2,
        "on_failure": "return",
    }
    first, second = (teacher_posterior(40, rng=8, **given) for _ in range(2))
    np.testing.assert_array_equal(first.overlaps, second.overlaps)
    again = PosteriorSample.load(first.save(tmp_path / "posterior.npz"))
    np.testing.assert_array_equal(again.overlaps, first.overlaps)
    assert again.r_hat == first.r_hat
    assert again.diagnostics == first.diagnostics
    assert not np.array_equal(first.overlaps, teacher_posterior(40, rng=9, **given).overlaps)


def test_losses_and_overlaps_are_those_of_the_networks():
    x, _, _ = problem(50, 1)
    found = sample_posterior(
        x,
        x[:, 1],
        neurons=8,
        ridge=0.05,
        direction=[0, 2, 0],
        test_inputs=x,
        test_labels=x[:, 1],
        draws=100,
        warmup=200,
        rng=10,
    )
    np.testing.assert_allclose(found.test_loss, found.train_loss / np.mean(x[:, 1] ** 2), rtol=1e-9)
    assert found.alignment.mean() > 0.9
    assert (
        np.mean(found.overlaps**2) > np.mean(found.squared_weights) / 3
    )  # more than an equal share along the target
    assert found.acceptance == pytest.approx(0.85, abs=0.12)


@pytest.mark.parametrize(
    ("planted", "chains", "expected"),
    [
        (None, 3, [False, True, False]),
        (None, 4, [False, True, False, True]),
        (False, 2, [False, False]),
        (True, 2, [True, True]),
        (0, 2, [False, False]),
        (1, 4, [False, True, False, False]),
        (3, 4, [True, True, False, True]),
        (2, 5, [False, True, False, True, False]),
        (5, 5, [True] * 5),
    ],
)
def test_chosen_starts_are_planted_and_recorded(planted, chains, expected):
    """Without warm-up and with trajectories of one leap the first draw is close to its start."""
    given = {"dimension": 2, "neurons": 300, "ridge": 1.0, "draws": 4, "warmup": 0, "rng": 3}
    found = teacher_posterior(
        5, planted=planted, chains=chains, duration=1e-9, on_failure="return", **given
    )
    assert found.planted.tolist() == expected
    squares = 2 * np.mean(found.overlaps[:, 0] ** 2, axis=-1)  # 1 under the prior, 9 if planted
    assert (squares > 2).tolist() == expected


def test_planted_starts_are_enlarged_along_the_direction_alone():
    x, y, _ = problem(4, 1)
    along = np.array([0.6, 0.8, 0.0])
    given = {"ridge": 1.0, "scale": 1.0, "readout_variance": 1.0, "activation": "erf"}
    potential = network.Network(x, y, 5, along=along, **given)
    cold, warm = (potential.start(start, np.random.default_rng(9)) for start in (False, True))
    np.testing.assert_allclose(warm @ along, 3 * cold @ along)
    np.testing.assert_allclose(
        warm - np.outer(warm @ along, along), cold - np.outer(cold @ along, along), atol=1e-12
    )


def test_what_is_known_of_means():
    found = teacher_posterior(
        60, dimension=2, neurons=3, ridge=1.0, draws=200, warmup=200, degrees=[1], rng=4
    )
    assert set(found.standard_error) == set(found.r_hat) == set(found.effective_size)
    assert set(found.r_hat) == {
        "energy",
        "squared_overlap",
        "kurtosis",
        "train_loss",
        "component_1",
    }
    spread = np.std(found.components[..., 0])
    assert found.standard_error["component_1"] == pytest.approx(
        spread / math.sqrt(effective_size(found.components[..., 0]))
    )


def test_chains_that_disagree_are_an_error():
    given = {
        "dimension": 6,
        "neurons": 6,
        "ridge": 0.1,
        "target": CUBIC,
        "draws": 10,
        "warmup": 2,
        "chains": 3,
        "rng": 11,
    }
    with pytest.raises(ConvergenceError, match="R-hat of the .* chains disagree") as failure:
        teacher_posterior(100, **given)
    kept = failure.value.result
    assert kept.diagnostics.status is Status.MAX_ITERATIONS
    assert max(kept.r_hat.values()) > 1.1
    np.testing.assert_array_equal(
        teacher_posterior(100, on_failure="return", **given).overlaps, kept.overlaps
    )


def test_too_few_effective_draws_are_an_error(monkeypatch):
    given = {"dimension": 2, "neurons": 2, "ridge": 0.5, "draws": 100, "warmup": 200, "chains": 2}
    kept = teacher_posterior(20, rng=14, **given)
    assert kept.diagnostics.status is Status.CONVERGED
    assert min(kept.effective_size.values()) > 20
    # trajectories that hardly move: chains that agree on nothing but where they happen to be
    monkeypatch.setattr(_convergence, "_R_HAT", math.inf)
    with pytest.raises(ConvergenceError, match="effective draws in 2 chains, too few") as failure:
        teacher_posterior(20, rng=14, duration=0.01, **given)
    assert failure.value.result.diagnostics.status is Status.UNDERSAMPLED


def test_divergences_are_an_error(monkeypatch):
    monkeypatch.setattr(chains, "_LOST", 1e-9)
    with pytest.raises(ConvergenceError, match="trajectories diverge"):
        teacher_posterior(30, dimension=2, neurons=2, ridge=0.5, draws=20, warmup=30, rng=12)


def test_convergence_diagnostics():
    rng = np.random.default_rng(13)
    rho, count = 0.8, 20_000
    noise = rng.standard_normal((4, count)) * math.sqrt(1 - rho**2)
    walk = np.zeros((4, count))
    for i in range(1, count):
        walk[:, i] = rho * walk[:, i - 1] + noise[:, i]
    assert effective_size(walk) == pytest.approx(4 * count * (1 - rho) / (1 + rho), rel=0.1)
    assert effective_size(walk + np.array([[0], [0], [0], [5]])) < 20
    drift = walk + np.linspace(0, 3, count)
    assert split_r_hat(walk) < 1.01 < 1.1 < split_r_hat(drift)
    assert split_r_hat(np.ones((2, 8))) == 1.0
    assert split_r_hat([[1.0] * 8, [2.0] * 8]) == math.inf
    with pytest.raises(DomainError, match="at least four draws"):
        split_r_hat(np.ones((2, 3)))
    with pytest.raises(DomainError, match="finite"):
        effective_size([[math.nan] * 8])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ridge": 0.0}, "ridge = 0.0 must be > 0 and finite"),
        ({"neurons": 0}, "neurons = 0"),
        ({"neurons": 1.5}, "neurons = 1.5"),
        ({"scale": math.nan}, "scale = nan"),
        ({"chains": 1}, "chains = 1"),
        ({"draws": 3}, "draws = 3"),
        ({"planted": 5}, "planted = 5 must be a whole number from 0 to 4"),
        ({"planted": "all"}, "planted = 'all'"),
        ({"planted": [True]}, "planted"),
        ({"acceptance": 1.0}, "acceptance = 1.0"),
        ({"activation": "relu"}, "activation = 'relu' must be 'erf' or 'linear'"),
        ({"on_failure": "warn"}, "on_failure = 'warn'"),
        ({"direction": [0, 0, 0]}, "direction must be"),
        ({"labels": [1.0]}, "inputs and labels must have shapes"),
        ({"labels": [math.inf] * 5}, r"labels\[0\] = inf must be finite"),
        (
            {"test_inputs": [[1.0]], "test_labels": [1.0]},
            "test_inputs and test_labels must have shapes",
        ),
    ],
)
def test_bad_arguments(change, message):
    x, y, _ = problem(5, 1)
    with pytest.raises(DomainError, match=message):
        sample_posterior(
            **{"inputs": x, "labels": y, "neurons": 2, "ridge": 0.5, "rng": 0, **change}
        )


def test_bad_targets():
    for target in ([0.0], [math.nan], [[1.0]]):
        with pytest.raises(DomainError, match="target"):
            teacher_posterior(5, dimension=2, neurons=2, ridge=0.5, target=target, rng=0)


def test_without_compilation():
    program = """
import json
from scalinglaws.verify.simulate.kernel_adaptation import teacher_posterior
found = teacher_posterior(6, dimension=2, neurons=2, ridge=0.5, draws=4, warmup=4, chains=2, test_samples=5, rng=0, on_failure="return")
print(json.dumps(found.overlaps.tolist()))
"""
    root = Path(__file__).resolve().parents[4]
    found = []
    for jit in ("0", "1"):
        environment = {**os.environ, "SCALINGLAWS_JIT": jit, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
            timeout=120,
        )
        found.append(np.array(json.loads(done.stdout)))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


@pytest.mark.slow
def test_a_published_run_of_a_finite_network():
    """Order parameters of a published run at d = 8, N = 40, scale 200: within its errors and ours."""
    found = teacher_posterior(
        1500,
        dimension=8,
        neurons=40,
        ridge=600.0,
        scale=200.0,
        target=[0, 1, 0, 0.1],
        chains=2,
        draws=300,
        warmup=300,
        rng=14,
    )
    assert 8 * np.mean(found.overlaps**2) == pytest.approx(2.12, abs=0.35)
    assert np.mean(found.overlaps**4) / np.mean(found.overlaps**2) ** 2 == pytest.approx(
        2.35, abs=0.35
    )
