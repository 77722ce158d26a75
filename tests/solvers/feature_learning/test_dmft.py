"""The march of feature learning: reference values, the dense iteration, limits, merged modes, refusals, and simulation."""

import math
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from scalinglaws.errors import AccuracyWarning, DomainError, ResourceError, StabilityWarning
from scalinglaws.results import Result
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.feature_learning import online_dmft, reuse_dmft
from scalinglaws.solvers.feature_learning.dmft import engine
from scalinglaws.solvers.linear import gradient_descent, online_sgd
from scalinglaws.verify.simulate import feature_learning as simulations

ORACLE = runpy.run_path(str(Path(__file__).with_name("dmft_oracle.py")))
INF = math.inf
TASK = PowerLawSpectrum(1.5, 0.75, 40)


def march(kind, steps, spectrum, data, **arguments):
    """Call either solver, `data` being B or P."""
    if kind == "online":
        return online_dmft(steps, spectrum, batch=data, **arguments)
    return reuse_dmft(steps, spectrum, samples=data, **arguments)


def dense(kind, steps, spectrum, data, **arguments):
    """Solve the same equations by the dense iteration."""
    eigenvalues, signal = spectrum.explicit()
    return ORACLE["dense_fixed_point"](
        steps, eigenvalues, signal / eigenvalues, data=data, reuse=kind == "reuse", **arguments
    )


@pytest.mark.parametrize("modes", ["full", "merged"])
@pytest.mark.filterwarnings("ignore::scalinglaws.errors.StabilityWarning")
def test_reference_values(reference, modes):
    for row in reference("feature_learning_dmft")["march"]:
        spectrum = PowerLawSpectrum(row["alpha"], row["beta"], row["size"])
        names = ("features", "learning_rate", "richness", "initial_variance", "noise_variance")
        given = {name: row[name] for name in names}
        found = march(row["kind"], row["steps"][-1], spectrum, row["data"], modes=modes, **given)
        for name in ("test_loss", "train_loss"):
            if name in row:
                np.testing.assert_allclose(getattr(found, name)[row["steps"]], row[name], rtol=1e-9)


@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_blocks_do_not_matter(kind, monkeypatch):
    given = {"features": 20, "learning_rate": 0.2, "richness": 1.5, "initial_variance": 0.5}
    expected = march(kind, 70, TASK, 15, matrices=True, **given)
    for block, blocks, panel in ((5, 3, 16), (7, 1, 71), (80, 2, 1)):
        for name, value in (("BLOCK", block), ("BLOCKS", blocks), ("PANEL", panel)):
            monkeypatch.setattr(engine, name, value)
        found = march(kind, 70, TASK, 15, matrices=True, **given)
        np.testing.assert_allclose(found.test_loss, expected.test_loss, rtol=1e-12)
        np.testing.assert_allclose(found.train_loss, expected.train_loss, rtol=1e-12)
        np.testing.assert_allclose(
            found.matrices.weight, expected.matrices.weight, rtol=1e-11, atol=1e-14
        )


# -- other ways to solve the same equations -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["online", "reuse"])
@pytest.mark.parametrize(
    ("richness", "initial", "noise", "features", "data"),
    [
        (0, 0, 0, 20, 12),
        (2, 0, 0, 20, 12),
        (2, 0.5, 0.3, 20, 12),
        (1, 0.5, 0.3, INF, 12),
        (1, 0.5, 0.3, 20, INF),
        (1, 0.5, 0.3, INF, INF),
    ],
)
def test_against_the_dense_iteration(kind, richness, initial, noise, features, data):
    arguments = {
        "features": features,
        "learning_rate": 0.15,
        "richness": richness,
        "initial_variance": initial,
        "noise_variance": noise,
    }
    test, train, scale, _ = dense(kind, 70, TASK, data, **arguments)
    found = march(kind, 70, TASK, data, modes="full", **arguments)
    np.testing.assert_allclose(found.test_loss, test, rtol=1e-10)
    np.testing.assert_allclose(found.train_loss, train, rtol=1e-10)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-10)


@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_against_the_march_with_all_histories(kind):
    arguments = {"features": 30, "learning_rate": 0.2, "richness": 1.0}
    eigenvalues, signal = TASK.explicit()
    expected = ORACLE["plain_march"](
        100, eigenvalues, signal / eigenvalues, data=25, reuse=kind == "reuse", **arguments
    )
    np.testing.assert_allclose(
        march(kind, 100, TASK, 25, modes="full", **arguments).test_loss, expected, rtol=1e-11
    )


@settings(max_examples=25)
@given(
    st.lists(st.floats(0.05, 1.0), min_size=1, max_size=5),
    st.sampled_from(["online", "reuse"]),
    st.one_of(st.floats(4, 50), st.just(INF)),
    st.one_of(st.floats(4, 50), st.just(INF)),
    st.floats(0.01, 0.2),
    st.floats(0, 1.5),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 12),
)
def test_random_spectra_against_the_dense_iteration(
    eigenvalues, kind, features, data, rate, richness, initial, noise, steps
):
    spectrum = EmpiricalSpectrum(eigenvalues, np.sqrt(eigenvalues))
    arguments = {
        "features": features,
        "learning_rate": rate,
        "richness": richness,
        "initial_variance": initial,
        "noise_variance": noise,
    }
    test, train, scale, _ = dense(kind, steps, spectrum, data, **arguments)
    for modes in ("full", "merged"):
        found = march(kind, steps, spectrum, data, modes=modes, **arguments)
        assert np.all(found.test_loss >= 0)
        assert np.all(found.scale >= 1)
        np.testing.assert_allclose(found.test_loss, test, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found.train_loss, train, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found.scale, scale, rtol=1e-9)


# -- limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "noise"), [(10, 0.0), (3, 0.4), (INF, 0.2)])
def test_lazy_unlimited_features_are_the_recursion_of_each_mode(batch, noise):
    eigenvalues, signal = TASK.explicit()
    rate = 0.25
    energy, expected = signal.copy(), []
    for _ in range(101):
        expected.append(energy.sum())
        energy = (1 - rate * eigenvalues) ** 2 * energy + (rate * eigenvalues) ** 2 / batch * (
            expected[-1] + noise
        )
    found = online_dmft(
        100, TASK, batch=batch, learning_rate=rate, richness=0, noise_variance=noise, modes="full"
    )
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-12)
    np.testing.assert_allclose(found.train_loss, found.test_loss + noise, rtol=1e-15)
    np.testing.assert_array_equal(found.scale, 1)


@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_unlimited_sizes_are_the_markov_system(kind):
    eigenvalues, signal = TASK.explicit()
    target, rate, richness = np.sqrt(signal / eigenvalues), 0.2, 1.5
    readout, matrix = np.zeros(40), np.eye(40)
    losses, scales = [], []
    for _ in range(81):
        error = target - matrix.T @ readout
        losses.append(eigenvalues @ error**2)
        scales.append(1 + richness * readout @ readout)
        step = rate * matrix @ (eigenvalues * error)
        matrix = matrix + rate * richness * np.outer(readout, eigenvalues * error)
        readout = readout + step
    found = march(kind, 80, TASK, INF, learning_rate=rate, richness=richness, modes="full")
    np.testing.assert_allclose(found.test_loss, losses, rtol=1e-12)
    np.testing.assert_allclose(found.scale, scales, rtol=1e-12)


@pytest.mark.parametrize("features", [20, INF])
def test_lazy_reuse_is_the_linear_model(features):
    steps = np.arange(25)
    arguments = {"features": features, "samples": 15, "learning_rate": 0.25, "noise_variance": 0.1}
    found = reuse_dmft(24, TASK, richness=0, **arguments)
    linear = gradient_descent(steps, TASK, **arguments)
    np.testing.assert_allclose(found.test_loss, linear.test_loss, rtol=1e-9)
    np.testing.assert_allclose(found.train_loss, linear.train_loss, rtol=1e-9)


def test_lazy_online_differs_from_the_linear_model_by_the_part_of_the_noise_it_leaves_out():
    gaps = []
    for batch in (20, 80, 320):
        arguments = {"features": 30, "batch": batch, "learning_rate": 0.25, "noise_variance": 0.1}
        found = online_dmft(40, TASK, richness=0, **arguments)
        gaps.append(
            np.max(
                np.abs(found.test_loss / online_sgd(np.arange(41), TASK, **arguments).test_loss - 1)
            )
        )
    assert 0.002 < gaps[0] < 0.02
    np.testing.assert_allclose(np.array(gaps[:-1]) / gaps[1:], 4, rtol=0.1)


def test_replicated_modes_leave_the_losses_as_they_are():
    eigenvalues, signal = TASK.explicit()
    spectrum = EmpiricalSpectrum(np.repeat(eigenvalues, 3), np.repeat(signal / 3, 3))
    arguments = {
        "learning_rate": 0.15,
        "richness": 2,
        "initial_variance": 0.3,
        "noise_variance": 0.2,
    }
    for kind in ("online", "reuse"):
        one = march(kind, 40, TASK, 10, features=20, modes="full", **arguments)
        three = march(kind, 40, spectrum, 30, features=60, modes="full", **arguments)
        np.testing.assert_allclose(three.test_loss, one.test_loss, rtol=1e-12)
        np.testing.assert_allclose(three.train_loss, one.train_loss, rtol=1e-12)


# -- merged modes -------------------------------------------------------------------------------------------------------


def test_merged_modes_against_twenty_thousand():
    spectrum = PowerLawSpectrum(1.5, 0.75, 20_000)
    arguments = {"features": 50, "batch": 20, "learning_rate": 0.3, "richness": 1}
    merged = online_dmft(40, spectrum, **arguments)
    np.testing.assert_allclose(
        merged.test_loss, online_dmft(40, spectrum, modes="full", **arguments).test_loss, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("alpha", "beta", "size", "rate", "richness"),
    [
        (1.5, 0.3, 2000, 0.1, 1.0),
        (3.0, 1.5, 300, 0.4, 0.0),
        (0.5, 0.5, 500, 0.03, 2.0),
        (1.1, 2.5, 1000, 0.1, 1.0),
    ],
)
@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_merged_modes_of_other_spectra(kind, alpha, beta, size, rate, richness):
    spectrum = PowerLawSpectrum(alpha, beta, size)
    arguments = {
        "features": 30,
        "learning_rate": rate,
        "richness": richness,
        "initial_variance": 0.2,
        "noise_variance": 0.1,
    }
    merged, full = (
        march(kind, 150, spectrum, 40, modes=modes, **arguments) for modes in ("merged", "full")
    )
    for name in ("test_loss", "train_loss", "scale"):
        np.testing.assert_allclose(getattr(merged, name), getattr(full, name), rtol=1e-9)


def test_infinite_spectra_are_the_limit_of_finite_ones():
    arguments = {"features": 30, "batch": 20, "learning_rate": 0.2, "richness": 1}
    last = [
        online_dmft(50, PowerLawSpectrum(1.5, 0.75, size), **arguments).test_loss[-1]
        for size in (1e5, 1e9, 1e13, INF)
    ]
    gaps = np.abs(np.array(last[:-1]) - last[-1])
    np.testing.assert_allclose(
        gaps[:-1] / gaps[1:], 100, rtol=0.05
    )  # the variance left out falls as M^(1 - alpha)


# -- results, refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["online", "reuse"])
@pytest.mark.parametrize("richness", [0, 1])
def test_matrices(kind, richness, tmp_path):
    arguments = {
        "features": 20,
        "learning_rate": 0.25,
        "richness": richness,
        "initial_variance": 0.3,
        "noise_variance": 0.2,
    }
    found = march(kind, 45, TASK, 15, matrices=True, **arguments)
    plain = march(kind, 45, TASK, 15, **arguments)
    assert plain.matrices is None
    np.testing.assert_allclose(found.test_loss, plain.test_loss, rtol=1e-14)
    known = found.matrices
    np.testing.assert_array_equal(np.diag(known.error), found.test_loss)
    np.testing.assert_allclose(1 + richness * np.diag(known.weight), found.scale, rtol=1e-14)
    assert np.all(np.triu(known.response) == 0)
    for matrix in (known.error, known.gradient, known.weight):
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-10 * np.trace(matrix)
    residuals = known.data_response @ (known.error + 0.2) @ known.data_response.T
    np.testing.assert_allclose(np.diag(residuals), found.train_loss, rtol=1e-10)
    again = Result.load(found.save(tmp_path / "march.npz"))
    np.testing.assert_array_equal(again.matrices.weight, known.weight)
    assert plain.to_dict()["matrices"] is None


@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_losses_do_not_depend_on_the_number_of_threads(kind):
    """From some 400 steps on, threaded products of matrices and vectors differ in the last digit."""
    task, found = PowerLawSpectrum(1.5, 0.75), []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(march(kind, 400, task, 50, features=50, learning_rate=0.2, richness=1.0))
    np.testing.assert_array_equal(found[0].test_loss, found[1].test_loss)
    np.testing.assert_array_equal(found[0].train_loss, found[1].train_loss)


def test_no_steps():
    found = reuse_dmft(
        0,
        TASK,
        features=20,
        samples=15,
        learning_rate=0.25,
        richness=1,
        initial_variance=2.25,
        noise_variance=0.49,
    )
    assert found.test_loss == pytest.approx([1.786265554])
    assert found.train_loss == pytest.approx([2.276265554])
    assert found.scale == pytest.approx([3.25])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 2.5}, "steps = 2.5 must be a whole number"),
        ({"steps": -1}, "steps = -1"),
        ({"steps": INF}, "steps = inf must be >= 0 and finite"),
        ({"features": 0.5}, "features = 0.5 must be >= 1"),
        ({"batch": 0}, "batch = 0"),
        ({"learning_rate": 0}, "learning_rate = 0.0 must be > 0"),
        ({"richness": -1}, "richness = -1"),
        ({"richness": "rich"}, "richness = 'rich' must be a number"),
        ({"initial_variance": math.nan}, "initial_variance = nan"),
        ({"noise_variance": -1}, "noise_variance = -1"),
        ({"features": [10, 20]}, "features must be a single number; got an array of shape (2,)"),
        ({"modes": "all"}, "modes = 'all' must be 'merged' or 'full'"),
        (
            {"modes": "full", "spectrum": PowerLawSpectrum(1.5, 0.75)},
            "needs a spectrum of finite size",
        ),
    ],
)
def test_refusals(change, message):
    given = {
        "steps": 5,
        "spectrum": TASK,
        "features": 20,
        "batch": 10,
        "learning_rate": 0.2,
        "richness": 1,
    } | change
    with pytest.raises(DomainError) as caught:
        online_dmft(**given)
    assert message in str(caught.value)


def test_refuses_what_does_not_fit_into_memory(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "8GB")
    with pytest.raises(ResourceError, match="at most about 1.... steps"):
        reuse_dmft(100_000, TASK, learning_rate=0.1, richness=1)
    with pytest.raises(ResourceError, match="modes = 'merged'"):
        online_dmft(
            100,
            PowerLawSpectrum(1.5, 0.75, 1e9),
            batch=5,
            learning_rate=0.1,
            richness=1,
            modes="full",
        )


def test_warns_where_steps_become_unstable():
    with pytest.warns(StabilityWarning, match="at step 0, not below 2"):
        online_dmft(3, TASK, batch=INF, learning_rate=2.1, richness=0)
    # the kernel grows as a power of time for beta < 1, whatever the learning rate
    task = PowerLawSpectrum(1.5, 0.5)
    with pytest.warns(StabilityWarning, match="at step 402, not below 2"):
        found = reuse_dmft(403, task, learning_rate=0.3, richness=1)
    assert found.scale[401] < 2 / 0.3 < found.scale[402]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reuse_dmft(401, task, learning_rate=0.3, richness=1)


def test_warns_where_unstable_steps_amplify_rounding_errors():
    with (
        pytest.warns(StabilityWarning),
        pytest.warns(AccuracyWarning, match="rounding errors reach"),
    ):
        reuse_dmft(600, PowerLawSpectrum(1.5, 0.5), learning_rate=0.3, richness=1)


def test_refuses_a_run_that_overflows():
    with pytest.raises(DomainError, match=r"losses overflow at step \d+"):
        online_dmft(300, TASK, features=20, batch=10, learning_rate=30, richness=1)


# -- simulation ---------------------------------------------------------------------------------------------------------


def simulate(
    kind,
    copies,
    steps,
    rng,
    *,
    features,
    data,
    learning_rate,
    richness,
    initial_variance=0.0,
    noise_variance=0.0,
):
    """Train one student on TASK with every mode replicated; return test and train losses."""
    eigenvalues, signal = (np.repeat(entry, copies) for entry in TASK.explicit())
    n, count, size = features * copies, data * copies, eigenvalues.size
    target = np.sqrt(signal / eigenvalues / copies)
    start = rng.standard_normal((n, size))
    matrix, readout = start.copy(), math.sqrt(initial_variance) * rng.standard_normal(n)
    test, train = np.empty(steps + 1), np.empty(steps + 1)
    for t in range(steps + 1):
        if t == 0 or kind == "online":
            inputs = rng.standard_normal((count, size)) * np.sqrt(eigenvalues)
            noises = math.sqrt(noise_variance) * rng.standard_normal(count)
        error = target - readout @ matrix / n
        residuals = inputs @ error + noises
        test[t], train[t] = eigenvalues @ error**2, residuals @ residuals / count
        force = residuals @ inputs / count
        push = learning_rate * richness / n * (start @ force) @ start
        step = learning_rate * matrix @ force
        matrix += np.multiply.outer(readout, push)
        readout = readout + step
    return test, train


CASES = {
    "online": {"features": 20, "data": 10, "richness": 2},
    "online lazy": {"features": 20, "data": 10, "richness": 0},
    "reuse": {"features": 20, "data": 15, "richness": 2},
    "reuse lazy": {"features": 20, "data": 15, "richness": 0},
    "online with noise": {"features": 20, "data": 15, "richness": 1, "noise_variance": 0.49},
    "online with initial readout": {
        "features": 20,
        "data": 10,
        "richness": 1,
        "initial_variance": 2.25,
    },
    "reuse with both": {
        "features": 20,
        "data": 15,
        "richness": 1,
        "noise_variance": 0.49,
        "initial_variance": 0.5,
    },
}


def errors_of_theory(case, copies, steps, draws, seed):
    """Return relative errors of the mean losses, and their standard errors, at the later steps."""
    kind, arguments = case.split()[0], dict(CASES[case], learning_rate=0.2)
    rng = np.random.default_rng(seed)
    drawn = np.array([simulate(kind, copies, steps, rng, **arguments) for _ in range(draws)])
    found = march(kind, steps, TASK, arguments.pop("data"), **arguments)
    at = [steps // 4, steps // 2, steps]
    means, spread = drawn.mean(axis=0)[:, at], drawn.std(axis=0)[:, at] / math.sqrt(draws)
    return np.array([found.test_loss, found.train_loss])[:, at] / means - 1, spread / means


def test_theory_against_simulation_of_few_modes():
    error, spread = errors_of_theory("reuse with both", 4, 12, 60, 0)
    assert np.all(np.abs(error) < 3 * spread + 0.02)
    assert np.all(spread < 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_theory_is_approached_as_modes_are_replicated(case):
    small, small_spread = errors_of_theory(case, 1, 40, 1500, 1)
    large, large_spread = errors_of_theory(case, 8, 40, 250, 2)
    assert np.all(large_spread < 0.02)
    assert np.all(np.abs(large) < 3 * large_spread + 0.015)
    assert np.all(np.abs(large) < np.abs(small) + 2 * np.hypot(small_spread, large_spread))
    assert np.max(np.abs(small) - 3 * small_spread) > 0.01  # the smallest student does differ


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_errors_of_replicated_modes_are_the_printed_ones(reference, kind):
    """Printed errors carry standard errors of their own; those of train losses are larger, and taken to be as large as here."""
    printed = reference("feature_learning_dmft")["replicas"]
    data, given = printed[kind]["data"], {"learning_rate": 0.25, "richness": 2.0}
    found = march(kind, 59, TASK, data, features=20, **given)
    for i, (factor, draws) in enumerate(
        zip(printed["factors"], (6000, 2500, 1000, 400), strict=True)
    ):
        given |= {"features": 20 * factor, "replicas": factor, "draws": draws, "rng": 1}
        if kind == "online":
            drawn = simulations.online_sgd(59, TASK, batch=data * factor, **given)
        else:
            drawn = simulations.gradient_descent(59, TASK, samples=data * factor, **given)
        for name in ("test_loss", "train_loss"):
            if name in printed[kind]:
                losses, predicted = getattr(drawn, name), getattr(found, name)[-1]
                mean, spread = losses.mean(), losses.std() / math.sqrt(draws)
                theirs = printed[kind]["standard_error"] if name == "test_loss" else spread / mean
                assert abs(predicted / mean - 1 - printed[kind][name][i]) < 3 * math.hypot(
                    predicted * spread / mean**2, theirs
                )
