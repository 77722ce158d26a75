"""Training runs against other algorithms on the same random numbers, exact moments, limits, and the theory's own numbers."""

import json
import math
import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.verify.simulate._problems import fill, populations
from scalinglaws.verify.simulate.linear import (
    gradient_descent,
    gradient_flow,
    online_sgd,
    population_projection,
    random_feature_ridge,
)

# (modes, features, samples): every order of the three, equal sizes, and every limit
SIZES = [
    (30, 6, 14),
    (30, 14, 6),
    (9, 12, 20),
    (9, 20, 12),
    (12, 8, 40),
    (12, 40, 8),
    (12, 12, 12),
    (20, math.inf, 8),
    (8, math.inf, 20),
    (20, 6, math.inf),
    (8, 20, math.inf),
    (20, math.inf, math.inf),
]


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep small matrices from waiting for busy cores."""
    with threadpool_limits(1):
        yield


def stream(seed, draw=0):
    """Return the generator of one draw."""
    return np.random.default_rng(seed).spawn(draw + 1)[draw]


class Raw:
    """One draw in the coordinates of the model: readout v of the hidden features A psi / sqrt(N)."""

    def __init__(self, spectrum, features, samples, noise, rng):
        self.eigenvalues, signal = spectrum.explicit()
        self.target = np.sqrt(signal / self.eigenvalues)
        modes, self.noise = self.eigenvalues.size, noise
        if samples < math.inf:
            inputs = rng.standard_normal((samples, modes)) * np.sqrt(self.eigenvalues)
            errors = math.sqrt(noise) * rng.standard_normal(samples)
        self.projection = (
            np.eye(modes)
            if math.isinf(features)
            else rng.standard_normal((features, modes)) / math.sqrt(features)
        )
        if samples < math.inf:
            self.covariance, self.errors, self.samples = (
                inputs.T @ inputs / samples,
                inputs.T @ errors / samples,
                samples,
            )
            self.inputs, self.labels = inputs, inputs @ self.target + errors
        else:
            self.covariance, self.errors, self.inputs = (
                np.diag(self.eigenvalues),
                np.zeros(modes),
                None,
            )
        self.hessian = self.projection @ self.covariance @ self.projection.T
        self.drive = self.projection @ (self.covariance @ self.target + self.errors)

    def losses(self, readout):
        learned = self.projection.T @ readout
        test = np.sum(self.eigenvalues * (self.target - learned) ** 2)
        return test, test + self.noise if self.inputs is None else np.mean(
            (self.labels - self.inputs @ learned) ** 2
        )


@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_flow_agrees_with_the_matrix_exponential(modes, features, samples):
    spectrum, times = PowerLawSpectrum(1.5, 1.0, modes), [0.0, 0.3, 5.0, 5.0, 200.0]
    found = gradient_flow(
        times, spectrum, features=features, samples=samples, noise_variance=0.1, draws=2, rng=5
    )
    for draw in range(2):
        raw = Raw(spectrum, features, samples, 0.1, stream(5, draw))
        size = raw.drive.size
        generator = np.zeros((size + 1, size + 1))
        generator[:size, :size], generator[:size, size] = -raw.hessian, raw.drive
        expected = np.array([raw.losses(linalg.expm(t * generator)[:size, size]) for t in times])
        np.testing.assert_allclose(found.test_loss[draw], expected[:, 0], rtol=1e-8)
        np.testing.assert_allclose(found.train_loss[draw], expected[:, 1], rtol=1e-8, atol=1e-12)


def test_flow_solves_the_equation_for_the_error_vector():
    # e' = -F (Sigma_hat e + xi), integrated by an adaptive method
    spectrum, times = PowerLawSpectrum(1.2, 1.5, 25), np.array([0.1, 1.0, 10.0, 60.0])
    raw = Raw(spectrum, 10, 15, 0.2, stream(1))
    mixing = raw.projection.T @ raw.projection
    path = solve_ivp(
        lambda t, e: -mixing @ (raw.covariance @ e + raw.errors),
        (0, 60),
        raw.target,
        "DOP853",
        times,
        rtol=1e-11,
        atol=1e-13,
    ).y
    found = gradient_flow(times, spectrum, features=10, samples=15, noise_variance=0.2, rng=1)
    np.testing.assert_allclose(found.test_loss[0], raw.eigenvalues @ path**2, rtol=1e-8)


@pytest.mark.parametrize(
    ("modes", "features", "samples"), [size for size in SIZES if size[2] < math.inf]
)
def test_flow_starts_at_zero_and_ends_at_the_fit_of_least_norm(modes, features, samples):
    spectrum = PowerLawSpectrum(1.5, 1.0, modes)
    found = gradient_flow(
        [0, math.inf], spectrum, features=features, samples=samples, noise_variance=0.1, rng=7
    )
    fit = random_feature_ridge(
        spectrum, features=features, samples=samples, noise_variance=0.1, rng=stream(7)
    )
    assert found.test_loss[0, 0] == pytest.approx(spectrum.explicit()[1].sum(), rel=1e-13)
    assert found.test_loss[0, 1] == pytest.approx(fit.test_loss[0], rel=1e-6)
    assert found.train_loss[0, 1] == pytest.approx(fit.train_loss[0], rel=1e-6, abs=1e-12)


def test_population_flow_ends_at_the_projection():
    spectrum = PowerLawSpectrum(1.5, 1.0, 60)
    found = gradient_flow([1e8, math.inf], spectrum, features=7, noise_variance=0.3, rng=9)
    best = population_projection(spectrum, features=7, rng=stream(9))[0]
    np.testing.assert_allclose(found.test_loss[0], best, rtol=1e-10)
    np.testing.assert_allclose(found.train_loss[0], best + 0.3, rtol=1e-10)


def test_without_features_and_samples_modes_relax_independently():
    spectrum = EmpiricalSpectrum([0.5, 1.0, 1e-280], [0.3, 0.2, 0.1])
    eigenvalues, signal = spectrum.explicit()
    times = np.array([0, 1, 7, 1e300])
    expected = np.array([signal @ np.exp(-2 * eigenvalues * t) for t in times])
    np.testing.assert_allclose(gradient_flow(times, spectrum).test_loss[0], expected, rtol=1e-13)
    steps = np.array([0, 1, 7, 500])
    expected = np.array([signal @ (1 - 0.3 * eigenvalues) ** (2.0 * n) for n in steps])
    np.testing.assert_allclose(
        gradient_descent(steps, spectrum, learning_rate=0.3).test_loss[0], expected, rtol=1e-12
    )


def test_flow_resolves_rates_over_many_decades():
    # rates from 1 to 1e-12: squaring the matrix alone would leave four digits; reference with 60 digits
    spectrum, times = PowerLawSpectrum(16, 0.1, 12), [1e4, 1e9, 1e11]
    raw = Raw(spectrum, math.inf, 5, 0.0, stream(2))
    with mpmath.workdps(60):
        inputs, labels = mpmath.matrix(raw.inputs.tolist()), mpmath.matrix(raw.labels.tolist())
        values, vectors = mpmath.eigsy(inputs * inputs.T / 5)
        drive = vectors.T * labels
        expected = []
        for t in times:
            moved = mpmath.matrix(
                [-mpmath.expm1(-x * t) / x * g for x, g in zip(values, drive, strict=True)]
            )
            error = mpmath.matrix(raw.target.tolist()) - inputs.T * (vectors * moved) / 5
            expected.append(
                float(
                    sum(
                        mpmath.mpf(x) * e**2
                        for x, e in zip(raw.eigenvalues.tolist(), error, strict=True)
                    )
                )
            )
    found = gradient_flow(times, spectrum, samples=5, rng=2).test_loss[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_many_times_take_the_triangular_path_to_the_same_losses():
    spectrum, times = PowerLawSpectrum(1.5, 1.0, 40), np.geomspace(0.1, 1e5, 60)
    for features in (5, math.inf):
        given = {"features": features, "samples": 12, "noise_variance": 0.1, "rng": 3}
        together = gradient_flow(times, spectrum, **given)
        alone = [gradient_flow(t, spectrum, **given) for t in times]
        np.testing.assert_allclose(
            together.test_loss[0], [one.test_loss[0] for one in alone], rtol=1e-11
        )
        np.testing.assert_allclose(
            together.train_loss[0], [one.train_loss[0] for one in alone], rtol=1e-11
        )
        assert np.all(np.diff(together.train_loss[0]) <= 0)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_descent_agrees_with_a_plain_loop(modes, features, samples, momentum):
    spectrum, steps, rate = PowerLawSpectrum(1.5, 1.0, modes), [0, 1, 2, 7, 50, 50, 400], 0.3
    found = gradient_descent(
        steps,
        spectrum,
        features=features,
        samples=samples,
        learning_rate=rate,
        momentum=momentum,
        noise_variance=0.1,
        draws=2,
        rng=11,
    )
    for draw in range(2):
        raw = Raw(spectrum, features, samples, 0.1, stream(11, draw))
        now = before = np.zeros_like(raw.drive)
        path = [raw.losses(now)]
        for _ in range(steps[-1]):
            now, before = (
                now - rate * (raw.hessian @ now - raw.drive) + momentum * (now - before),
                now,
            )
            path.append(raw.losses(now))
        expected = np.array(path)[steps]
        np.testing.assert_allclose(found.test_loss[draw], expected[:, 0], rtol=1e-9)
        np.testing.assert_allclose(found.train_loss[draw], expected[:, 1], rtol=1e-9, atol=1e-13)


def test_small_steps_approach_the_flow():
    spectrum, given = (
        PowerLawSpectrum(1.5, 1.0, 40),
        {"features": 10, "samples": 20, "noise_variance": 0.1, "draws": 3, "rng": 4},
    )
    flow = gradient_flow(10.0, spectrum, **given)
    errors = []
    for rate in (1e-2, 1e-3):
        descent = gradient_descent(round(10 / rate), spectrum, learning_rate=rate, **given)
        errors.append(np.abs(descent.test_loss / flow.test_loss - 1))
    assert np.all(errors[0] < 0.05)
    np.testing.assert_allclose(
        errors[1] / errors[0], 0.1, rtol=0.2
    )  # first order in the learning rate


def test_long_descent_ends_at_the_fit_of_least_norm():
    spectrum, given = (
        PowerLawSpectrum(1.5, 1.0, 40),
        {"features": 10, "samples": 60, "noise_variance": 0.1, "rng": 4},
    )
    descent = gradient_descent(10**6, spectrum, learning_rate=0.3, momentum=0.5, **given)
    flow = gradient_flow(math.inf, spectrum, **given)
    np.testing.assert_allclose(descent.test_loss, flow.test_loss, rtol=1e-10)
    np.testing.assert_allclose(descent.train_loss, flow.train_loss, rtol=1e-10)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("modes", "features", "noise"),
    [(20, 6, 0.0), (20, 6, 0.2), (8, 12, 0.2), (10, 10, 0.0), (10, math.inf, 0.2)],
)
def test_sgd_is_a_realization_of_the_model(modes, features, noise, batch):
    # rotate the stream's numbers into samples psi, add parts that neither student nor label sees, train in the model's coordinates
    spectrum, rate, steps, seed = PowerLawSpectrum(1.5, 1.0, modes), 0.2, 40, 13
    eigenvalues, signal = spectrum.explicit()
    found = online_sgd(
        range(steps + 1),
        spectrum,
        features=features,
        batch=batch,
        learning_rate=rate,
        noise_variance=noise,
        draws=2,
        rng=seed,
    )
    for draw in range(2):
        raw = Raw(spectrum, features, math.inf, noise, rng := stream(seed, draw))
        scale, root, extra = np.sqrt(eigenvalues), np.sqrt(signal), np.random.default_rng(0)
        directions, _, _ = np.linalg.svd(scale[:, None] * raw.projection.T, full_matrices=False)
        rank = min(modes, raw.projection.shape[0])
        count = None if math.isinf(features) else features
        problem = list(
            populations(np.random.default_rng(seed), draw + 1, eigenvalues, signal, count, noise)
        )[draw][0]
        if count is None:
            directions = np.eye(modes)
        directions = (
            directions[:, :rank]
            * np.sign(directions[:, :rank].T @ root)
            * np.sign(problem.amplitudes)
        )
        outside = root - directions @ (directions.T @ root)
        spread = math.sqrt(problem.floor + noise)
        assert problem.floor == pytest.approx(outside @ outside, rel=1e-10, abs=1e-28)
        complement = np.eye(modes) - directions @ directions.T
        if problem.floor > 0:
            complement -= np.outer(outside, outside) / (outside @ outside)
        readout = np.zeros(raw.projection.shape[0])
        path = [raw.losses(readout)[0]]
        for _ in range(steps):
            gradient = 0.0
            for _ in range(batch):
                numbers = rng.standard_normal(rank + 1)
                share = numbers[-1] / spread if spread > 0 else 0.0
                sample = scale * (
                    directions @ numbers[:-1]
                    + outside * share
                    + complement @ extra.standard_normal(modes)
                )
                label = sample @ raw.target + noise * share
                hidden = raw.projection @ sample
                gradient = gradient + (readout @ hidden - label) * hidden / batch
            readout = readout - rate * gradient
            path.append(raw.losses(readout)[0])
        np.testing.assert_allclose(found.test_loss[draw], path, rtol=1e-9)
    np.testing.assert_array_equal(found.train_loss, found.test_loss + noise)


def test_sgd_has_the_distribution_of_a_direct_simulation():
    spectrum, runs, batch, rate, noise = PowerLawSpectrum(1.2, 1.0, 12), 4000, 2, 0.3, 0.1
    eigenvalues, signal = spectrum.explicit()
    target, rng = np.sqrt(signal / eigenvalues), np.random.default_rng(17)
    projection = rng.standard_normal((runs, 5, 12)) / math.sqrt(5)
    error = np.tile(target, (runs, 1))
    for _ in range(15):
        samples = rng.standard_normal((runs, batch, 12)) * np.sqrt(eigenvalues)
        residuals = np.einsum("rbk,rk->rb", samples, error) + math.sqrt(
            noise
        ) * rng.standard_normal((runs, batch))
        gradient = (
            np.einsum("rnk,rbk,rb->rn", projection, samples, residuals, optimize=True) / batch
        )
        error -= rate * np.einsum("rnk,rn->rk", projection, gradient)
    direct = error**2 @ eigenvalues
    found = online_sgd(
        15,
        spectrum,
        features=5,
        batch=batch,
        learning_rate=rate,
        noise_variance=noise,
        draws=runs,
        rng=18,
    ).test_loss
    for power in (1, 0.5):  # the mean, and a moment that rare large losses do not dominate
        one, two = direct**power, found**power
        assert abs(one.mean() - two.mean()) < 4 * math.sqrt((one.var() + two.var()) / runs)


@pytest.mark.parametrize("batch", [1, 3])
def test_sgd_has_the_exact_mean(batch):
    # Gaussian fourth moments: rho_k <- q(lambda_k) rho_k + eta^2 lambda_k^2 (L + sigma^2) / B
    spectrum, rate, noise, steps = PowerLawSpectrum(1.5, 1.0, 12), 0.2, 0.3, 25
    eigenvalues, energy = spectrum.explicit()
    shrink = 1 - 2 * rate * eigenvalues + (rate * eigenvalues) ** 2 * (1 + 1 / batch)
    expected = [energy.sum()]
    for _ in range(steps):
        energy = shrink * energy + (rate * eigenvalues) ** 2 / batch * (energy.sum() + noise)
        expected.append(energy.sum())
    found = online_sgd(
        range(steps + 1),
        spectrum,
        batch=batch,
        learning_rate=rate,
        noise_variance=noise,
        draws=20000,
        rng=21,
    ).test_loss
    error = found.std(axis=0, ddof=1) / math.sqrt(20000)
    assert np.all(error[1:] < 0.01 * found.mean(axis=0)[1:])
    assert np.all(np.abs(found.mean(axis=0) - expected) <= 4 * error + 1e-12)


def test_mean_losses_follow_the_theory():
    # mean-field values of the flow, of descent and of SGD (deterministic equivalents), within three standard errors and 1.5/N
    flow = gradient_flow(
        [10, 1e4],
        PowerLawSpectrum.from_ab(2, 1.5, 1000),
        features=100,
        samples=250,
        noise_variance=0.09,
        draws=80,
        rng=1,
    )
    near(flow.test_loss[:, 0], 1.569529992e-1, 100)
    near(flow.train_loss[:, 0], 2.249030606e-1, 100)
    near(flow.test_loss[:, 1], 1.298116896e-1, 100)
    near(flow.train_loss[:, 1], 7.941720981e-2, 100)
    for momentum, test, train in (
        (0, 0.1140380556, 0.1477645194),
        (0.8, 0.1111140953, 0.1077979995),
    ):
        descent = gradient_descent(
            300,
            PowerLawSpectrum.from_ab(2, 1.5, 400),
            features=60,
            samples=150,
            noise_variance=0.09,
            learning_rate=0.15,
            momentum=momentum,
            draws=150,
            rng=2,
        )
        near(descent.test_loss, test, 60)
        near(descent.train_loss, train, 60)
    sgd = online_sgd(
        [20, 1000],
        PowerLawSpectrum.from_ab(2, 1.5, 800),
        features=100,
        learning_rate=0.3,
        batch=4,
        draws=80,
        rng=3,
    )
    near(sgd.test_loss[:, 0], 0.2172081168, 100)
    near(sgd.test_loss[:, 1], 0.05055557707, 100)


@pytest.mark.slow
def test_mean_losses_follow_the_theory_closely():
    # ten times the draws: the statistical error is well below the stated 1.5/N
    flow = gradient_flow(
        [10, 1e4],
        PowerLawSpectrum.from_ab(2, 1.5, 1000),
        features=100,
        samples=250,
        noise_variance=0.09,
        draws=800,
        rng=5,
    )
    near(flow.test_loss[:, 0], 1.569529992e-1, 100)
    near(flow.test_loss[:, 1], 1.298116896e-1, 100)
    near(flow.train_loss[:, 1], 7.941720981e-2, 100)
    sgd = online_sgd(
        [20, 1000],
        PowerLawSpectrum.from_ab(2, 1.5, 800),
        features=100,
        learning_rate=0.3,
        batch=4,
        draws=2000,
        rng=6,
    )
    near(sgd.test_loss[:, 0], 0.2172081168, 100)
    near(sgd.test_loss[:, 1], 0.05055557707, 100)
    sgd = online_sgd(
        300,
        PowerLawSpectrum.from_ab(3, 1.6, 800),
        features=200,
        learning_rate=0.2,
        noise_variance=0.1,
        draws=1000,
        rng=7,
    )
    near(sgd.test_loss, 0.03717684325, 200)


def near(draws, theory, features):
    error = draws.std(ddof=1) / math.sqrt(draws.size)
    assert abs(draws.mean() - theory) <= 3 * error + 1.5 / features * theory


RUNS = [
    lambda spectrum, **given: gradient_flow(
        [0.5, 3], spectrum, features=4, samples=5, noise_variance=0.1, **given
    ),
    lambda spectrum, **given: gradient_flow([0.5, 3], spectrum, features=4, **given),
    lambda spectrum, **given: gradient_descent(
        [1, 9], spectrum, features=4, samples=5, learning_rate=0.1, noise_variance=0.1, **given
    ),
    lambda spectrum, **given: online_sgd(
        [1, 9], spectrum, features=4, batch=2, learning_rate=0.1, noise_variance=0.1, **given
    ),
    lambda spectrum, **given: online_sgd([1, 9], spectrum, learning_rate=0.1, **given),
]


@pytest.mark.pure
@pytest.mark.parametrize("run", RUNS)
def test_draws_are_reproducible_and_do_not_depend_on_how_many_there_are(run):
    spectrum = PowerLawSpectrum(1.5, 1.0, 10)
    few, many = run(spectrum, draws=2, rng=3), run(spectrum, draws=4, rng=3)
    np.testing.assert_array_equal(few.test_loss, many.test_loss[:2])
    np.testing.assert_array_equal(few.train_loss, many.train_loss[:2])
    assert len(set(many.test_loss[:, 1])) == 4
    source = np.random.default_rng(3)
    np.testing.assert_array_equal(run(spectrum, draws=2, rng=source).test_loss, few.test_loss)
    np.testing.assert_array_equal(
        run(spectrum, draws=2, rng=source).test_loss, many.test_loss[2:]
    )  # the next streams


@pytest.mark.pure
@pytest.mark.parametrize(
    "run",
    [
        gradient_flow,
        lambda n, s: gradient_descent(n, s, learning_rate=0.1),
        lambda n, s: online_sgd(n, s, learning_rate=0.1),
    ],
)
def test_a_single_time_gives_one_loss_per_draw(run):
    spectrum = PowerLawSpectrum(1.5, 1.0, 5)
    alone, listed = run(2, spectrum), run([2], spectrum)
    assert alone.test_loss.shape == alone.train_loss.shape == (1,)
    assert listed.test_loss.shape == (1, 1)
    assert alone.test_loss[0] == listed.test_loss[0, 0]
    assert run(0, spectrum).test_loss[0] == pytest.approx(spectrum.explicit()[1].sum(), rel=1e-14)


def test_sgd_does_not_depend_on_the_number_of_threads():
    spectrum = PowerLawSpectrum(1.5, 1.0, 200)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(
                online_sgd([10, 50], spectrum, learning_rate=0.1, draws=3, rng=8).test_loss
            )
    np.testing.assert_array_equal(*found)


PROBE = """
import json
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.verify.simulate.linear import gradient_descent, gradient_flow, online_sgd
given = dict(features=4, noise_variance=0.1, draws=2, rng=5)
spectrum = PowerLawSpectrum(1.5, 1.0, 8)
runs = (gradient_flow([0.5, 3], spectrum, samples=6, **given), online_sgd([1, 9], spectrum, batch=2, learning_rate=0.1, **given),
        gradient_descent([1, 9], spectrum, samples=6, learning_rate=0.1, momentum=0.5, **given))
print(json.dumps([run.test_loss.ravel().tolist() + run.train_loss.ravel().tolist() for run in runs]))
"""


def test_compiled_or_not_the_numbers_are_the_same():
    found = []
    for switch in ("0", "1"):
        environment = {**os.environ, "SCALINGLAWS_JIT": switch}
        found.append(
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", PROBE],
                    capture_output=True,
                    text=True,
                    check=True,
                    env=environment,
                ).stdout
            )
        )
    np.testing.assert_allclose(found[0], found[1], rtol=1e-13)


def test_runs_that_diverge_are_refused_with_the_step():
    spectrum = PowerLawSpectrum(1.5, 1.0, 20)
    with pytest.raises(
        DomainError,
        match=r"learning_rate = 5.0 is too large: draw 0 diverges and overflows at step \d+; .* stable below",
    ):
        gradient_descent(10**5, spectrum, features=5, samples=9, learning_rate=5)
    with pytest.raises(
        DomainError,
        match=r"learning_rate = 5.0 is too large for batch = 2: draw 0 diverges and overflows at step \d+",
    ):
        online_sgd(10**5, spectrum, features=5, batch=2, learning_rate=5)
    with pytest.raises(DomainError, match="overflows at step 1"):
        online_sgd(1, spectrum, learning_rate=1e200)
    with pytest.raises(DomainError, match="overflows at step 1"):
        gradient_descent(1, spectrum, learning_rate=1e200)


def test_descent_at_the_stated_bound_stays_finite():
    spectrum = PowerLawSpectrum(1.5, 1.0, 20)  # largest eigenvalue 1
    with pytest.raises(DomainError, match=r"this draw is stable below 3"):
        gradient_descent(10**5, spectrum, learning_rate=3.01, momentum=0.5)
    assert gradient_descent(10**4, spectrum, learning_rate=2.99, momentum=0.5).test_loss[0] < 1e-3


@pytest.mark.pure
@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda s: gradient_flow(-1, s), "t = -1.0 must be >= 0"),
        (lambda s: gradient_flow(math.nan, s), "t = nan"),
        (lambda s: gradient_flow([1, 2, 1], s), r"t\[2\] = 1.0 is less than the one before"),
        (lambda s: gradient_flow([[1]], s), "one-dimensional"),
        (lambda s: gradient_flow([], s), "non-empty"),
        (lambda s: gradient_flow("now", s), "must be a number or an array of numbers"),
        (
            lambda s: gradient_flow(1, s, samples=2.5),
            "samples = 2.5 must be a whole number >= 1, or inf",
        ),
        (lambda s: gradient_flow(1, s, features=-math.inf), "features = -inf"),
        (lambda s: gradient_flow(1, s, noise_variance=-1), "noise_variance = -1"),
        (lambda s: gradient_flow(1, s, draws=0), "draws = 0"),
        (lambda s: gradient_flow(1, PowerLawSpectrum(1.5, 1)), "give a finite size"),
        (
            lambda s: gradient_descent(1.5, s, learning_rate=0.1),
            "steps = 1.5 must be a finite whole number",
        ),
        (lambda s: gradient_descent([1, math.inf], s, learning_rate=0.1), r"steps\[1\] = inf"),
        (
            lambda s: gradient_descent(1, s, learning_rate=0),
            "learning_rate = 0 must be > 0 and finite",
        ),
        (
            lambda s: gradient_descent(1, s, learning_rate=0.1, momentum=1),
            "momentum = 1 must be >= 0 and < 1",
        ),
        (lambda s: gradient_descent(1, s, learning_rate=0.1, momentum=math.nan), "momentum = nan"),
        (lambda s: online_sgd([2, 1], s, learning_rate=0.1), r"steps\[1\] = 1.0 is less than"),
        (lambda s: online_sgd(1, s, learning_rate=math.nan), "learning_rate = nan"),
        (lambda s: online_sgd(1, s, learning_rate=0.1, batch=0), "batch = 0"),
        (lambda s: online_sgd(1, s, learning_rate=0.1, batch=math.inf), "batch = inf"),
        (lambda s: online_sgd(1, s, learning_rate=0.1, features=0), "features = 0"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call(PowerLawSpectrum(1.5, 1.0, 30))


@pytest.mark.pure
@pytest.mark.parametrize(
    "call",
    [
        lambda: gradient_flow(1, PowerLawSpectrum(1.5, 1.0, 1e6), samples=1000),
        lambda: gradient_flow(np.ones(10**6), PowerLawSpectrum(1.5, 1.0, 1e3)),
        lambda: gradient_descent(
            1, PowerLawSpectrum(1.5, 1.0, 1e6), features=1000, samples=10, learning_rate=0.1
        ),
        lambda: online_sgd(1, PowerLawSpectrum(1.5, 1.0, 1e6), features=1000, learning_rate=0.1),
    ],
)
def test_too_large_a_draw_is_refused_before_it_is_made(call, monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "2GB")
    with pytest.raises(ResourceError, match="use fewer modes"):
        call()


def test_random_numbers_are_the_generators_own():
    # 1e6 numbers: the tails of the compiled sampler are visited some hundred times
    out = np.empty((10, 10**5))
    fill(np.random.default_rng(3), out)
    np.testing.assert_array_equal(out, np.random.default_rng(3).standard_normal((10, 10**5)))


COUNTS = st.sampled_from([1, 2, 5, 12, 13, 20, math.inf])


@given(
    st.floats(0.2, 30),
    st.floats(0.05, 5),
    st.integers(1, 30),
    COUNTS,
    COUNTS,
    st.sampled_from([0.0, 0.1, 10.0]),
    st.integers(0, 10**6),
)
def test_losses_are_finite_and_the_flow_never_raises_the_train_loss(
    alpha, beta, modes, features, samples, noise, seed
):
    # steep spectra included: their smallest singular values are rounding errors
    spectrum, given_ = (
        PowerLawSpectrum(alpha, beta, modes),
        {"features": features, "noise_variance": noise, "rng": seed},
    )
    times = [0, 1e-3, 1, 10, 1e4, 1e9, 1e15, 1e30, 1e300, math.inf]
    flow = gradient_flow(times, spectrum, samples=samples, **given_)
    assert np.all(np.diff(flow.train_loss[0]) <= 1e-12 * flow.train_loss[0, 0])
    rate = 0.1 / spectrum.explicit()[0].sum()
    descent = gradient_descent(
        [0, 10, 500], spectrum, samples=samples, learning_rate=rate, momentum=0.5, **given_
    )
    sgd = online_sgd([0, 10, 500], spectrum, learning_rate=rate, **given_)
    for found in (flow, descent, sgd):
        assert np.all(np.isfinite(found.test_loss))
        assert np.all(np.isfinite(found.train_loss))
        np.testing.assert_allclose(found.test_loss[0, 0], spectrum.explicit()[1].sum(), rtol=1e-12)


# -- weight decay and Langevin noise --------------------------------------------------------------


@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_decayed_flow_agrees_with_the_matrix_exponential(modes, features, samples):
    spectrum, times = PowerLawSpectrum(1.5, 1.0, modes), [0.0, 0.3, 5.0, 200.0, math.inf]
    found = gradient_flow(
        times,
        spectrum,
        features=features,
        samples=samples,
        noise_variance=0.1,
        weight_decay=0.03,
        rng=5,
    )
    raw = Raw(spectrum, features, samples, 0.1, stream(5))
    size = raw.drive.size
    generator = np.zeros((size + 1, size + 1))
    generator[:size, :size], generator[:size, size] = (
        -raw.hessian - 0.03 * np.eye(size),
        raw.drive,
    )
    expected = [raw.losses(linalg.expm(t * generator)[:size, size]) for t in times[:-1]]
    expected.append(raw.losses(np.linalg.solve(-generator[:size, :size], raw.drive)))
    np.testing.assert_allclose(found.test_loss[0], np.array(expected)[:, 0], rtol=1e-8)
    np.testing.assert_allclose(found.train_loss[0], np.array(expected)[:, 1], rtol=1e-8)


@pytest.mark.parametrize(
    ("modes", "features", "samples", "decay"),
    [(9, 12, 20, 0.0), (12, 40, 8, 0.02), (20, math.inf, 8, 0.02), (20, 6, math.inf, 0.0)],
)
def test_langevin_noise_has_its_covariance(modes, features, samples, decay):
    """Two times of one draw, many runs: variances and the correlation along a path, from matrices."""
    spectrum, times = PowerLawSpectrum(1.5, 1.0, modes), [2.0, 30.0]
    given = {"features": features, "samples": samples, "weight_decay": decay, "rng": 6}
    mean = gradient_flow(times, spectrum, **given)
    runs = np.array(
        [
            [found.test_loss[0], found.train_loss[0]]
            for found in (
                gradient_flow(times, spectrum, **given, temperature=0.1, noise_draws=count)
                for count in (1, 1999)
            )
        ]
    )
    raw = Raw(spectrum, features, samples, 0.0, stream(6))
    rates, vectors = np.linalg.eigh(raw.hessian)
    seen = raw.projection * np.sqrt(raw.eigenvalues)
    for j, t in enumerate(times):
        total = np.maximum(rates, 0) + decay
        spread = np.where(total * t > 1e-9, -np.expm1(-2 * total * t) / total, 2 * t)
        covariance = 0.1 * (vectors * spread) @ vectors.T
        added = [np.sum((seen.T @ covariance) * seen.T)]
        added.append(np.trace(raw.hessian @ covariance))
        found = runs[1, :, j] - [mean.test_loss[0, j], mean.train_loss[0, j]]
        np.testing.assert_allclose(found, added, rtol=0.12)
    again = gradient_flow(times, spectrum, **given, temperature=0.1, noise_draws=1)
    np.testing.assert_array_equal(again.test_loss[0], runs[0, 0])


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize(("modes", "features", "samples"), SIZES[:4] + SIZES[-3:])
def test_decayed_descent_agrees_with_a_plain_loop(modes, features, samples, momentum, decoupled):
    spectrum, steps, rate = PowerLawSpectrum(1.5, 1.0, modes), [0, 1, 2, 7, 400], 0.3
    found = gradient_descent(
        steps,
        spectrum,
        features=features,
        samples=samples,
        learning_rate=rate,
        momentum=momentum,
        noise_variance=0.1,
        weight_decay=0.05,
        decoupled=decoupled,
        rng=11,
    )
    raw = Raw(spectrum, features, samples, 0.1, stream(11))
    weights = buffer = np.zeros_like(raw.drive)
    path = [raw.losses(weights)]
    for _ in range(steps[-1]):
        gradient = raw.hessian @ weights - raw.drive
        if not decoupled:
            gradient = gradient + 0.05 * weights
        buffer = momentum * buffer + gradient
        weights = weights * (1 - rate * 0.05 if decoupled else 1) - rate * buffer
        path.append(raw.losses(weights))
    expected = np.array(path)[steps]
    np.testing.assert_allclose(found.test_loss[0], expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.train_loss[0], expected[:, 1], rtol=1e-9, atol=1e-13)


def test_decayed_sgd_has_the_exact_mean():
    spectrum, rate, decay, noise, batch = PowerLawSpectrum(1.5, 1.0, 12), 0.2, 0.3, 0.3, 3
    x, h = rate * spectrum.explicit()[0], rate * decay
    signal = spectrum.explicit()[1]
    p, energy, cross, expected = 1 - h - x, signal, signal, [signal.sum()]
    for _ in range(25):
        driven = x**2 / batch * (energy.sum() + noise)
        energy = (p**2 + x**2 / batch) * energy + 2 * h * p * cross + h**2 * signal + driven
        cross = p * cross + h * signal
        expected.append(energy.sum())
    found = online_sgd(
        range(26),
        spectrum,
        batch=batch,
        learning_rate=rate,
        noise_variance=noise,
        weight_decay=decay,
        draws=20000,
        rng=22,
    ).test_loss
    error = found.std(axis=0, ddof=1) / math.sqrt(20000)
    assert np.all(error[1:] < 0.01 * found.mean(axis=0)[1:])
    assert np.all(np.abs(found.mean(axis=0) - expected) <= 4 * error + 1e-12)


@pytest.mark.slow
def test_decayed_sgd_of_few_features_follows_the_solver():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 200)
    given = {"features": 40, "noise_variance": 0.1, "learning_rate": 0.3, "batch": 4}
    steps = [20, 100, 400]
    found = online_sgd(steps, spectrum, **given, weight_decay=0.02, draws=1500, rng=3).test_loss
    solved = linear.online_sgd(steps, spectrum, **given, weight_decay=0.02)
    error = found.std(axis=0, ddof=1) / math.sqrt(1500)
    bias = 1.5 / 40 * solved.test_loss
    assert np.all(abs(found.mean(axis=0) - solved.test_loss) < 3 * error + bias)
    plain = linear.online_sgd(steps, spectrum, **given).test_loss
    assert np.all(abs(found.mean(axis=0) - plain) > bias)


def test_noise_without_decay_has_no_end():
    with pytest.raises(DomainError, match="no limit with Langevin noise and without weight decay"):
        gradient_flow([1.0, math.inf], PowerLawSpectrum(1.5, 1.0, 4), samples=8, temperature=0.1)
    found = gradient_flow(
        [0.0, math.inf], PowerLawSpectrum(1.5, 1.0, 4), samples=8, temperature=0.1, weight_decay=1
    )
    assert np.all(np.isfinite(found.test_loss))
