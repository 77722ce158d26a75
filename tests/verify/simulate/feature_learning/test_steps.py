"""Steps of training that learn features against plain loops on the same random numbers, the linear model, the flow, and their law."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import ks_2samp
from threadpoolctl import threadpool_limits

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import feature_learning as solve
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate import linear
from scalinglaws.verify.simulate._problems import populations
from scalinglaws.verify.simulate.feature_learning import (
    gradient_descent,
    gradient_flow,
    kernel_spectrum,
    online_sgd,
)

STEPS = np.array([0, 1, 2, 2, 7, 30])


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep small matrices from waiting for busy cores."""
    with threadpool_limits(1):
        yield


def replicated(spectrum, replicas):
    eigenvalues, signal = spectrum.explicit()
    return np.repeat(eigenvalues, replicas), np.repeat(signal / replicas, replicas)


def loop(steps, eigenvalues, target, initial, readout, batches, *, rate, richness):
    """Iterate w and A as the model is written down; return test loss, train loss on the last batch and kernel scale."""
    width, layer, found = initial.shape[0], initial.copy(), []
    for step in range(steps[-1] + 1):
        error = target - layer.T @ readout / width
        inputs, noise = batches(step, error)
        residual = inputs @ error + noise
        state = (
            np.sum(eigenvalues * error**2),
            np.mean(residual**2),
            1 + richness * readout @ readout / width,
        )
        found.extend([state] * np.count_nonzero(steps == step))
        v1 = inputs.T @ residual / residual.size
        v3 = initial.T @ (initial @ v1) / width
        readout, layer = (
            readout + rate * layer @ v1,
            layer + rate * richness * np.outer(readout, v3),
        )
    return np.array(found).T


def plain_descent(
    spectrum, features, samples, *, rate, richness, initial, noise, replicas, seed, draw
):
    rng = np.random.default_rng(seed).spawn(draw + 1)[draw]
    eigenvalues, signal = replicated(spectrum, replicas)
    inputs = rng.standard_normal((samples, eigenvalues.size)) * np.sqrt(eigenvalues)
    errors = math.sqrt(noise) * rng.standard_normal(samples)
    layer = rng.standard_normal((features, eigenvalues.size))
    readout = math.sqrt(initial) * rng.standard_normal(features)
    target = np.sqrt(signal / eigenvalues)
    return loop(
        STEPS,
        eigenvalues,
        target,
        layer,
        readout,
        lambda *_: (inputs, errors),
        rate=rate,
        richness=richness,
    )


def plain_sgd(spectrum, features, batch, *, rate, richness, initial, noise, replicas, seed, draw):
    """Train on batches that agree with the simulation's random numbers in what these fix, and are drawn at random in all else."""
    rng, other = np.random.default_rng(seed).spawn(draw + 1)[draw], np.random.default_rng(99)
    eigenvalues, signal = replicated(spectrum, replicas)
    modes, scale, root = eigenvalues.size, np.sqrt(eigenvalues), np.sqrt(signal)
    problem = list(
        populations(np.random.default_rng(seed), draw + 1, eigenvalues, signal, features, noise)
    )[draw][0]
    rank = min(features, modes)
    layer = rng.standard_normal((features, modes))
    # directions of whitened inputs that the student sees; signs are those of the target's components
    _, vectors = np.linalg.eigh((layer * scale).T @ (layer * scale))
    seen = vectors[:, ::-1][:, :rank]
    seen = seen * np.sign(seen.T @ root) * np.sign(problem.amplitudes)
    np.testing.assert_allclose(seen.T @ root, problem.amplitudes, rtol=1e-6)
    hidden = np.linalg.qr((layer * scale) @ seen)
    basis = hidden[0] * np.sign(np.diag(hidden[1]))
    readout, extra = np.zeros(features), int(initial > 0 and features > rank)
    if initial > 0:
        drawn = math.sqrt(initial) * rng.standard_normal(features)
        readout = basis @ drawn[:rank]
        if extra:
            outside = other.standard_normal(features)
            outside -= basis @ (basis.T @ outside)
            readout += outside * np.linalg.norm(drawn[rank:]) / np.linalg.norm(outside)
    # one more coordinate for the label noise; the last direction is all that the student cannot see
    unseen = np.append(root - seen @ (seen.T @ root), math.sqrt(noise))
    if features >= modes:
        unseen[:-1] = 0.0
    if np.any(unseen):
        unseen /= np.linalg.norm(unseen)

    def batches(step, error):
        whole = np.append(scale * error, math.sqrt(noise))
        along = whole / np.linalg.norm(whole)
        chi, normal = rng.chisquare(batch), rng.standard_normal(rank + extra)[:rank]
        number = np.append(seen @ normal, 0.0) + unseen * rng.standard_normal()
        known = np.column_stack([np.vstack([seen, np.zeros(rank)]), unseen])
        rest = other.standard_normal(modes + 1)
        number += rest - known @ (known.T @ rest)  # directions that do not count
        number -= along * (along @ number)
        direction = other.standard_normal(batch)
        direction /= np.linalg.norm(direction)
        free = other.standard_normal((batch, modes + 1))
        free -= np.outer(free @ along, along)
        free -= np.outer(direction, direction @ free)
        rows = math.sqrt(chi) * np.outer(direction, along) + np.outer(direction, number) + free
        return rows[:, :-1] * scale, math.sqrt(noise) * rows[:, -1]

    return loop(
        STEPS, eigenvalues, root / scale, layer, readout, batches, rate=rate, richness=richness
    )


CASES = [
    {"richness": 0.0, "initial": 0.0, "noise": 0.0, "replicas": 1},
    {"richness": 2.0, "initial": 0.0, "noise": 0.0, "replicas": 1},
    {"richness": 2.0, "initial": 1.5, "noise": 0.3, "replicas": 1},
    {"richness": 1.0, "initial": 0.0, "noise": 0.3, "replicas": 2},
    {"richness": 1.0, "initial": 1.5, "noise": 0.0, "replicas": 3},
]


def keywords(case):
    return {
        "learning_rate": 0.2,
        "richness": case["richness"],
        "initial_variance": case["initial"],
        "noise_variance": case["noise"],
        "replicas": case["replicas"],
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("modes", "features", "samples"),
    [(14, 5, 9), (14, 9, 5), (6, 8, 12), (6, 25, 8), (9, 6, 14), (8, 8, 8)],
)
def test_descent_is_the_plain_loop(modes, features, samples, case):
    spectrum = PowerLawSpectrum(1.5, 0.6, modes)
    found = gradient_descent(
        STEPS, spectrum, features=features, samples=samples, draws=2, rng=5, **keywords(case)
    )
    test, train, scale = plain_descent(
        spectrum, features, samples, rate=0.2, seed=5, draw=1, **case
    )
    np.testing.assert_allclose(found.test_loss[1], test, rtol=1e-9)
    np.testing.assert_allclose(found.train_loss[1], train, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.kernel_scale[1], scale, rtol=1e-10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("modes", "features", "batch"), [(14, 5, 4), (6, 25, 3), (8, 8, 20), (9, 6, 1)]
)
def test_online_sgd_is_the_plain_loop_on_batches_with_the_same_random_numbers(
    modes, features, batch, case
):
    spectrum = PowerLawSpectrum(1.5, 0.6, modes)
    found = online_sgd(
        STEPS,
        spectrum,
        features=features,
        batch=batch,
        draws=2,
        rng=5,
        **keywords(case) | {"learning_rate": 0.1},
    )
    test, _, scale = plain_sgd(spectrum, features, batch, rate=0.1, seed=5, draw=1, **case)
    np.testing.assert_allclose(found.test_loss[1], test, rtol=1e-7)
    np.testing.assert_allclose(found.train_loss[1], test + case["noise"], rtol=1e-7)
    np.testing.assert_allclose(found.kernel_scale[1], scale, rtol=1e-8)


@pytest.mark.parametrize("batch", [1, 3, 30])
def test_online_sgd_has_the_law_of_batches_drawn_row_by_row(batch):
    # 2000 draws each, in distribution; the plain side draws every input
    spectrum, draws, features, rate, richness, noise = (
        PowerLawSpectrum(1.5, 0.6, 6),
        2000,
        4,
        0.1,
        2.0,
        0.2,
    )
    eigenvalues, signal = spectrum.explicit()
    rng, target = np.random.default_rng(11), np.sqrt(signal / eigenvalues)
    initial = rng.standard_normal((draws, features, 6))
    layer, readout, losses = initial, rng.standard_normal((draws, features)), []
    for _ in range(6):
        error = target - np.einsum("dnm,dn->dm", layer, readout) / features
        losses.append(error**2 @ eigenvalues)
        inputs = rng.standard_normal((draws, batch, 6)) * np.sqrt(eigenvalues)
        residual = np.einsum("dbm,dm->db", inputs, error) + math.sqrt(noise) * rng.standard_normal(
            (draws, batch)
        )
        v1 = np.einsum("dbm,db->dm", inputs, residual) / batch
        v3 = np.einsum("dnm,dn->dm", initial, np.einsum("dnm,dm->dn", initial, v1)) / features
        turned = layer + rate * richness * readout[:, :, None] * v3[:, None, :]
        readout, layer = readout + rate * np.einsum("dnm,dm->dn", layer, v1), turned
    given = {
        "features": features,
        "batch": batch,
        "learning_rate": rate,
        "richness": richness,
        "noise_variance": noise,
    }
    found = online_sgd(range(6), spectrum, initial_variance=1.0, draws=draws, rng=12, **given)
    for step in range(6):
        assert ks_2samp(found.test_loss[:, step], losses[step]).pvalue > 1e-3


def test_without_richness_online_sgd_has_the_law_of_the_linear_model():
    spectrum, given = (
        PowerLawSpectrum(1.5, 0.8, 12),
        {"features": 5, "batch": 3, "learning_rate": 0.2, "noise_variance": 0.1},
    )
    steps = [0, 1, 5, 40]
    one = online_sgd(steps, spectrum, richness=0, draws=2000, rng=1, **given)
    two = linear.online_sgd(steps, spectrum, draws=2000, rng=1, **given)
    np.testing.assert_allclose(
        one.test_loss[:, 0], two.test_loss[:, 0], rtol=1e-12
    )  # the same features
    for step in (1, 2, 3):
        assert ks_2samp(one.test_loss[:, step], two.test_loss[:, step]).pvalue > 1e-3


@pytest.mark.parametrize("samples", [9, 5, math.inf])
@pytest.mark.parametrize("features", [6, 14, math.inf])
def test_without_richness_descent_is_that_of_the_linear_model_on_the_same_draws(features, samples):
    # w / sqrt(N) is the linear model's readout, A_0 / sqrt(N) its projection
    spectrum, steps = PowerLawSpectrum(1.5, 0.8, 10), [0, 1, 8, 200]
    given = {
        "features": features,
        "samples": samples,
        "learning_rate": 0.2,
        "noise_variance": 0.1,
        "draws": 2,
        "rng": 7,
    }
    found, exact = (
        gradient_descent(steps, spectrum, richness=0, **given),
        linear.gradient_descent(steps, spectrum, **given),
    )
    np.testing.assert_allclose(found.test_loss, exact.test_loss, rtol=1e-10)
    np.testing.assert_allclose(found.train_loss, exact.train_loss, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("samples", [10, math.inf])
@pytest.mark.parametrize("features", [6, math.inf])
def test_small_steps_approach_the_flow_on_the_same_draw_at_first_order(features, samples):
    spectrum, given = (
        PowerLawSpectrum(1.5, 0.6, 14),
        {"features": features, "samples": samples, "richness": 2.0, "noise_variance": 0.1},
    )
    flow, errors = gradient_flow(2.0, spectrum, rng=8, **given), []
    for rate in (1e-2, 1e-3):
        found = gradient_descent(round(2 / rate), spectrum, learning_rate=rate, rng=8, **given)
        errors.append(
            [
                getattr(found, name)[0] - getattr(flow, name)[0]
                for name in ("test_loss", "train_loss", "kernel_scale")
            ]
        )
    assert np.all(np.abs(errors[0]) < 2e-2)
    np.testing.assert_allclose(np.divide(*errors[::-1]), 0.1, rtol=0.1)


def test_large_batches_are_descent_on_the_population():
    spectrum, given = (
        PowerLawSpectrum(1.5, 0.6, 14),
        {"features": 6, "richness": 2.0, "learning_rate": 0.1, "rng": 3},
    )
    sgd, descent = (
        online_sgd(STEPS, spectrum, batch=10**12, **given),
        gradient_descent(STEPS, spectrum, **given),
    )
    np.testing.assert_allclose(sgd.test_loss, descent.test_loss, rtol=1e-4)


def test_wide_networks_approach_infinite_ones():
    spectrum, given = (
        PowerLawSpectrum(1.5, 0.6, 5),
        {"richness": 1.0, "learning_rate": 0.2, "initial_variance": 2.0, "noise_variance": 0.1},
    )
    wide, infinite = (
        gradient_descent(STEPS, spectrum, features=n, **given) for n in (10**6, math.inf)
    )
    np.testing.assert_allclose(wide.test_loss, infinite.test_loss, rtol=1e-2)
    np.testing.assert_allclose(wide.kernel_scale, infinite.kernel_scale, rtol=1e-2)
    given |= {"samples": 3}
    wide, infinite = (
        gradient_descent(STEPS, spectrum, features=n, **given) for n in (10**6, math.inf)
    )
    np.testing.assert_allclose(wide.test_loss, infinite.test_loss, rtol=1e-2)
    assert infinite.kernel_scale[0, 0] == pytest.approx(3.0, rel=1e-14)


@pytest.mark.parametrize("run", ["online", "reuse"])
def test_more_replicas_fluctuate_less_around_the_same_curve(run):
    # with N, B and P in proportion, means settle and variances fall
    spectrum, spread, mean = PowerLawSpectrum(1.5, 0.75, 20), [], []
    for replicas in (1, 4):
        given = {
            "features": 10 * replicas,
            "learning_rate": 0.2,
            "richness": 1.0,
            "replicas": replicas,
            "draws": 150,
            "rng": 4,
        }
        data = {"batch": 8 * replicas} if run == "online" else {"samples": 12 * replicas}
        found = (online_sgd if run == "online" else gradient_descent)(
            20, spectrum, **data, **given
        ).test_loss
        mean.append(found.mean())
        spread.append(found.std())
    assert 0.3 < spread[1] / spread[0] < 0.7
    assert abs(mean[1] / mean[0] - 1) < 0.15


def test_steps_too_long_for_the_grown_kernel_hold_it_at_the_edge_of_stability():
    # for beta < 1 the flow's kernel outgrows any learning rate: what follows is a train of bursts, each of which shrinks the kernel
    spectrum, steps, rate = PowerLawSpectrum(1.5, 0.5, 300), np.arange(0, 3001, 10), 0.3
    found = gradient_descent(steps, spectrum, learning_rate=rate, richness=1)
    flow = solve.gradient_flow(rate * steps, spectrum, richness=1)
    product, ratio = rate * found.kernel_scale[0], found.test_loss[0] / flow.test_loss
    crossed = steps[np.argmax(product > 2)]
    assert 350 < crossed < 500
    assert np.all(ratio[steps < crossed] < 1 + 1e-12)
    late = steps > 1500
    assert np.all((product[late] > 1.8) & (product[late] < 2.4))
    assert rate * flow.scale[-1] > 2.8
    assert np.all(ratio[late] > 1.5)
    assert np.median(ratio[late]) > 5
    gentle = gradient_descent(3 * steps, spectrum, learning_rate=rate / 3, richness=1)
    np.testing.assert_allclose(gentle.test_loss[0], flow.test_loss, rtol=0.05)


RUNS = [
    lambda spectrum, **given: online_sgd(
        [1, 9], spectrum, features=4, batch=2, learning_rate=0.1, richness=1, **given
    ),
    lambda spectrum, **given: online_sgd(
        [1, 9],
        spectrum,
        features=12,
        batch=2,
        learning_rate=0.1,
        richness=1,
        initial_variance=1,
        **given,
    ),
    lambda spectrum, **given: gradient_descent(
        [1, 9], spectrum, features=4, samples=5, learning_rate=0.1, richness=1, **given
    ),
    lambda spectrum, **given: gradient_descent(
        [1, 9],
        spectrum,
        features=7,
        samples=5,
        learning_rate=0.1,
        richness=1,
        initial_variance=1,
        noise_variance=0.1,
        **given,
    ),
]


@pytest.mark.pure
@pytest.mark.parametrize("run", RUNS)
def test_draws_are_reproducible_and_do_not_depend_on_how_many_there_are(run):
    spectrum = PowerLawSpectrum(1.5, 1.0, 10)
    few, many = run(spectrum, draws=2, rng=3), run(spectrum, draws=4, rng=3)
    for name in ("test_loss", "train_loss", "kernel_scale"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:2])
        assert len(set(getattr(many, name)[:, 1])) == 4
    source = np.random.default_rng(3)
    np.testing.assert_array_equal(run(spectrum, draws=2, rng=source).test_loss, few.test_loss)
    np.testing.assert_array_equal(run(spectrum, draws=2, rng=source).test_loss, many.test_loss[2:])


@pytest.mark.pure
def test_losses_do_not_depend_on_which_steps_are_recorded():
    spectrum, given = (
        PowerLawSpectrum(1.5, 1.0, 10),
        {"features": 4, "batch": 2, "learning_rate": 0.1, "richness": 1, "rng": 1},
    )
    many, alone = online_sgd(range(31), spectrum, **given), online_sgd(30, spectrum, **given)
    assert alone.test_loss.shape == alone.train_loss.shape == alone.kernel_scale.shape == (1,)
    assert many.test_loss.shape == (1, 31)
    assert many.test_loss[0, -1] == alone.test_loss[0]
    assert many.test_loss[0, 0] == pytest.approx(spectrum.explicit()[1].sum(), rel=1e-14)
    assert many.kernel_scale[0, 0] == 1


PROBE = """
from scalinglaws.solvers.spectra import PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import gradient_descent, online_sgd
given = dict(features=9, learning_rate=0.1, richness=2, initial_variance=1, noise_variance=0.1, draws=2, rng=5)
for found in (online_sgd([1, 9], PowerLawSpectrum(1.5, 1.0, 8), batch=3, **given),
              gradient_descent([1, 9], PowerLawSpectrum(1.5, 1.0, 8), samples=6, **given)):
    print(*found.test_loss.ravel(), *found.train_loss.ravel(), *found.kernel_scale.ravel())
"""


def test_compiled_or_not_the_numbers_are_the_same():
    found = []
    for switch in ("0", "1"):
        environment = {**os.environ, "SCALINGLAWS_JIT": switch}
        text = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout
        found.append(np.array(text.split(), dtype=float))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-11)


@pytest.mark.parametrize("richness", [0, 1])
def test_runs_that_diverge_are_refused_with_draw_and_step(richness):
    spectrum = PowerLawSpectrum(1.5, 1.0, 20)
    with pytest.raises(
        DomainError,
        match=r"learning_rate = 50.0 is too large: draw 0 diverges and overflows at step \d+",
    ):
        gradient_descent(
            10**4, spectrum, features=5, samples=9, learning_rate=50, richness=richness
        )
    with pytest.raises(
        DomainError,
        match=r"learning_rate = 50.0 is too large: draw 0 diverges and overflows at step \d+",
    ):
        online_sgd(10**4, spectrum, features=5, batch=2, learning_rate=50, richness=richness)
    with pytest.raises(DomainError, match="draw 0 diverges and overflows at step 1"):
        gradient_descent(1, spectrum, learning_rate=1e200, richness=richness)


@pytest.mark.pure
def test_nothing_to_learn_leaves_everything_in_place():
    spectrum = EmpiricalSpectrum([1.0, 0.5], [0.0, 0.0])
    for found in (
        online_sgd([0, 10], spectrum, features=3, batch=2, learning_rate=0.1, richness=2),
        gradient_descent([0, 10], spectrum, features=3, samples=2, learning_rate=0.1, richness=2),
    ):
        np.testing.assert_array_equal(found.test_loss, 0.0)
        np.testing.assert_array_equal(found.kernel_scale, 1.0)


GOOD = {"features": 3, "learning_rate": 0.1, "richness": 1.0}


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": 1.5}, "steps = 1.5 must be a finite whole number"),
        ({"steps": [2, 1]}, r"steps\[1\] = 1.0 is less than"),
        ({"steps": math.inf}, "steps = inf"),
        ({"features": 0}, "features = 0"),
        ({"learning_rate": 0}, r"learning_rate = (0|0\.0) must be > 0"),
        ({"learning_rate": math.nan}, "learning_rate = nan"),
        ({"richness": -1}, "richness = -1 must be >= 0 and finite"),
        ({"initial_variance": -1}, "initial_variance = -1"),
        ({"noise_variance": math.inf}, "noise_variance = inf"),
        ({"replicas": 1.5}, "replicas = 1.5 must be a whole number"),
        ({"draws": 0}, "draws = 0"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {"steps": 1, "spectrum": PowerLawSpectrum(1.5, 1.0, 10), **GOOD, **changes}
    steps, spectrum = given.pop("steps"), given.pop("spectrum")
    with pytest.raises(DomainError, match=complaint):
        online_sgd(steps, spectrum, batch=2, **given)
    with pytest.raises(DomainError, match=complaint):
        gradient_descent(steps, spectrum, samples=2, **given)


@pytest.mark.pure
def test_batches_and_samples_are_counts():
    spectrum = PowerLawSpectrum(1.5, 1.0, 10)
    for batch in (0, 1.5, math.inf):
        with pytest.raises(DomainError, match=f"batch = {batch}"):
            online_sgd(1, spectrum, batch=batch, **GOOD)
    with pytest.raises(DomainError, match="samples = 2.5 must be a whole number >= 1, or inf"):
        gradient_descent(1, spectrum, samples=2.5, **GOOD)


@pytest.mark.pure
def test_too_large_a_draw_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "2GB")
    given = {"learning_rate": 0.1, "richness": 1.0}
    for call in (
        lambda: online_sgd(1, PowerLawSpectrum(1.5, 1.0, 1e6), features=1000, batch=2, **given),
        lambda: online_sgd(1, PowerLawSpectrum(1.5, 1.0, 2e4), batch=2, **given),
        lambda: gradient_descent(1, PowerLawSpectrum(1.5, 1.0, 1e3), replicas=10**9, **given),
        lambda: gradient_descent(
            1, PowerLawSpectrum(1.5, 1.0, 1e5), features=10, samples=10**5, **given
        ),
    ):
        with pytest.raises(ResourceError, match="use fewer modes"):
            call()


@pytest.mark.parametrize("richness", [0.0, 1.0])
def test_schedules_of_rates_are_those_of_the_reduced_recursion(richness):
    """The solver iterates w and A of the population; a rate for each step, and a cap."""
    task, steps = PowerLawSpectrum(1.5, 0.5, 60), np.arange(64)
    cases = (
        {"relative_rate": solve.silver_steps(63)},
        {"relative_rate": 1.5, "learning_rate": 0.4},
        {"learning_rate": np.linspace(0.2, 0.3, 63)},
    )
    for rates in cases:
        found = gradient_descent(steps, task, richness=richness, **rates)
        expected = solve.gradient_descent(63, task, richness=richness, modes="full", **rates)
        np.testing.assert_allclose(found.test_loss[0], expected.test_loss, rtol=1e-9)
        np.testing.assert_allclose(found.kernel_scale[0], expected.scale, rtol=1e-12)


def test_relative_rates_are_in_units_of_the_kernel_that_was_drawn():
    """The same as rates written out, at finite width and data."""
    task, given = PowerLawSpectrum(1.5, 0.5, 30), {"features": 12, "samples": 20, "rng": 3}
    largest = kernel_spectrum(task, **given).eigenvalues[0]
    steps = np.arange(21)
    one = gradient_descent(steps, task, relative_rate=1.2, richness=2.0, **given)
    written = 1.2 / (largest * one.kernel_scale[0, :-1])
    other = gradient_descent(steps, task, learning_rate=written, richness=2.0, **given)
    np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-12)


def test_rates_that_are_refused():
    task = PowerLawSpectrum(1.5, 0.5, 10)
    with pytest.raises(DomainError, match="must not both be inf"):
        gradient_descent(3, task, richness=1.0)
    with pytest.raises(DomainError, match="one for each of the 3 steps"):
        gradient_descent(3, task, learning_rate=[0.1, 0.2], richness=1.0)
    with pytest.raises(DomainError, match="relative_rate = 60.0 is too large"):
        gradient_descent(3000, task, relative_rate=60.0, richness=0.0)
