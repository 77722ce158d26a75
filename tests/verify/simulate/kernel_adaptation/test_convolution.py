"""Linear convolutional networks: energy and gradient, the triangular factor against filters themselves, limits, published runs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.verify.simulate.kernel_adaptation import (
    ConvolutionalSample,
    convolutional_posterior,
    effective_size,
    sample_convolutional,
)
from scalinglaws.verify.simulate.kernel_adaptation import _sampler as sampler
from scalinglaws.verify.simulate.kernel_adaptation._convolution import Convolution
from scalinglaws.verify.simulate.kernel_adaptation._data import reduced


def network(x, y, channels, *, ridge, scale, weight_variance=1.0, readout_variance=1.0):
    data = reduced(x.reshape(len(x), -1), y, ridge, scale)
    return Convolution(
        data,
        x.shape[1],
        channels,
        ridge=ridge,
        scale=scale,
        weight_variance=weight_variance,
        readout_variance=readout_variance,
    )


def problem(samples, patches, patch_size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, patches, patch_size)), rng.standard_normal(samples)


def kernel(x, covariance):
    return np.einsum("pis,st,qit->pq", x, covariance, x) / x.shape[1]


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 14),
    patches=st.integers(1, 3),
    patch_size=st.integers(1, 4),
    channels=st.integers(1, 6),
    ridge=st.floats(0.05, 5),
    scale=st.floats(0.2, 20),
    weight_variance=st.floats(0.2, 3),
    readout_variance=st.floats(0.2, 3),
    seed=st.integers(0, 1000),
)
def test_density_and_gradient(
    samples, patches, patch_size, channels, ridge, scale, weight_variance, readout_variance, seed
):
    """The density against the Gaussian of the labels times Bartlett's laws, the gradient against finite differences."""
    x, y = problem(samples, patches, patch_size, seed)
    potential = network(
        x,
        y,
        channels,
        ridge=ridge,
        scale=scale,
        weight_variance=weight_variance,
        readout_variance=readout_variance,
    )
    rng = np.random.default_rng(seed)
    position = potential.start(False, rng)

    def density(position):
        factor = potential.factor(position)
        covariance = weight_variance / (patch_size * channels) * factor @ factor.T
        labels = (readout_variance * kernel(x, covariance) + ridge * np.eye(samples)) / scale
        found = stats.multivariate_normal(np.zeros(samples), labels).logpdf(y)
        found += samples / 2 * math.log(2 * math.pi / scale)
        for i in range(min(channels, patch_size)):
            found += stats.chi(channels - i).logpdf(factor[i, i]) - stats.chi(channels - i).logpdf(
                1.0
            )
            found += np.sum(stats.norm.logpdf(factor[i + 1 :, i]) - stats.norm.logpdf(0.0))
        return found - min(channels, patch_size) / 2

    energy, gradient = potential(position)
    assert -energy == pytest.approx(density(position), rel=1e-8, abs=1e-8)
    direction, step = rng.standard_normal(position.shape), 1e-6
    direction *= np.minimum(1, np.abs(position))  # no diagonal entry changes its sign
    ends = [potential(position + side * step * direction)[0] for side in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(
        gradient @ direction, rel=1e-5, abs=1e-4
    )


@pytest.mark.parametrize(("samples", "channels"), [(5, 3), (5, 7), (40, 2), (40, 9)])
def test_the_mean_readout_is_that_of_bayesian_regression(samples, channels):
    x, y = problem(samples, 3, 4)
    potential = network(x, y, channels, ridge=0.3, scale=2.0, readout_variance=1.5)
    position = potential.start(True, np.random.default_rng(1))
    factor = potential.factor(position)
    covariance, linear_map, fitted = potential.mean(position)
    np.testing.assert_allclose(covariance, factor @ factor.T / channels, rtol=1e-12)
    matrix = 1.5 * kernel(x, covariance / 4)
    np.testing.assert_allclose(
        fitted, matrix @ np.linalg.solve(matrix + 0.3 * np.eye(samples), y), rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(np.einsum("pis,is->p", x, linear_map), fitted, rtol=1e-7, atol=1e-9)


class Filters:
    """All C filters of S weights, the energy and its gradient written down as they stand."""

    def __init__(self, x, y, channels, ridge, scale):
        self.x, self.y, self.ridge, self.scale = x, y, ridge, scale
        self.shape = (channels, x.shape[2])

    def start(self, planted, rng):
        del planted
        return rng.standard_normal(self.shape)

    def __call__(self, position):
        channels, patch_size = self.shape
        covariance = position.T @ position / (channels * patch_size)
        inverse = np.linalg.inv(kernel(self.x, covariance) + self.ridge * np.eye(len(self.y)))
        rest = inverse @ self.y
        energy = (
            0.5 * np.sum(position**2)
            + 0.5 * self.scale * self.y @ rest
            - 0.5 * np.linalg.slogdet(inverse)[1]
        )
        pull = 0.5 * (inverse - self.scale * np.outer(rest, rest))
        slope = np.einsum("pis,pq,qit->st", self.x, pull, self.x) / self.x.shape[1]
        return energy, position + 2 * position @ slope / (channels * patch_size)

    def observe(self, position, stream):
        del stream
        squares = np.mean(position**2, axis=0)
        covariance = position.T @ position / position.size
        rest = np.linalg.solve(
            kernel(self.x, covariance) + self.ridge * np.eye(len(self.y)), self.y
        )
        linear_map = np.einsum("pis,p,st->it", self.x, rest, covariance) / self.x.shape[1]
        return {
            "along": squares[0],
            "across": squares[1:].mean(),
            "learnability": linear_map[0, 0],
        }, np.zeros(0)


@pytest.mark.parametrize("channels", [2, 5])
def test_the_triangular_factor_has_the_law_of_all_filters(channels):
    x, _ = problem(6, 2, 3)
    y, given = x[:, 0, 0], {"ridge": 0.1, "scale": 10.0}
    found = sample_convolutional(
        x, y, channels=channels, teacher=([1, 0], [1, 0, 0]), draws=1000, rng=1, **given
    )
    filters = Filters(x, y, channels, **given)
    plan = sampler.planned(
        chains=4,
        draws=1000,
        warmup=500,
        thinning=1,
        duration=1.5,
        acceptance=0.8,
        planted=False,
        on_failure="raise",
    )
    plain = sampler.sample(
        ConvolutionalSample,
        "filters",
        filters,
        filters.observe,
        lambda kept: {name: kept[name] for name in ("along", "across", "learnability")},
        plan,
        2,
    )
    for name in ("along", "across", "learnability"):
        ours, theirs = getattr(found, name), getattr(plain, name)
        for power in (1, 2):
            error = math.hypot(
                *(
                    np.std(values**power) / math.sqrt(effective_size(values**power))
                    for values in (ours, theirs)
                )
            )
            assert np.mean(ours**power) == pytest.approx(np.mean(theirs**power), abs=4 * error)
            assert error < 0.1 * np.mean(theirs**power)
    assert found.along.mean() > 1.5  # features are learned, not only the prior compared with itself


def test_without_data_the_prior_is_sampled():
    found = sample_convolutional(
        np.empty((0, 2, 3)), [], channels=5, ridge=1.0, draws=2000, warmup=200, rng=3
    )
    # C b is chi-squared with C degrees of freedom, across it with 2 C
    error = {name: 4 * found.standard_error[name] for name in ("along", "across")}
    assert found.along.mean() == pytest.approx(1.0, abs=error["along"])
    assert found.across.mean() == pytest.approx(1.0, abs=error["across"])
    assert max(error.values()) < 0.05
    for values, freedom in ((found.along, 5), (found.across, 10)):
        size = effective_size(values**2)
        assert np.mean(values**2) == pytest.approx(
            1 + 2 / freedom, abs=4 * np.std(values**2) / math.sqrt(size)
        )
    assert found.train_loss.size == found.learnability.size == 0


def test_one_patch_of_size_one_against_quadrature():
    """One number is left, the filters' squared norm; its whole law."""
    x, _ = problem(7, 1, 1)
    y, channels = 1.2 * x[:, 0, 0], 3
    norm = np.linspace(1e-4, 12, 20_001)
    square = float(np.sum(x**2))
    # labels are Gaussian with b x x^T + ridge: two eigenvalues
    along = float(y @ x[:, 0, 0]) ** 2 / square
    variance = norm**2 / channels * square + 0.5
    logs = stats.chi(channels).logpdf(norm) - 0.5 * np.log(variance) - 2.0 * along / variance
    density = np.exp(logs - logs.max())
    cumulative = np.cumsum(density) / density.sum()
    found = sample_convolutional(
        x, y, channels=channels, ridge=0.5, scale=4.0, draws=2000, warmup=300, rng=4
    )
    assert found.across.size == 0
    for level in (0.1, 0.3, 0.5, 0.7, 0.9):
        bound = np.interp(level, cumulative, norm) ** 2 / channels
        below = found.along < bound
        error = math.sqrt(level * (1 - level) / effective_size(below))
        assert below.mean() == pytest.approx(level, abs=4 * error)
        assert error < 0.03


def test_infinitely_many_channels_are_a_gaussian_process():
    x, _ = problem(20, 3, 4)
    a, w = np.array([0.6, 0.0, 0.8]), np.array([0.5, -0.5, 0.5, 0.5])
    y = np.einsum("pis,i,s->p", x, a, w)
    flat = x.reshape(20, -1)
    linear_map = flat.T / 12 @ np.linalg.solve(flat @ flat.T / 12 + 0.2 * np.eye(20), y)
    limit = linear_map @ np.outer(a, w).ravel()
    gaps = []
    for channels in (100, 10_000):
        found = sample_convolutional(
            x, y, channels=channels, ridge=0.2, scale=5.0, teacher=(a, w), warmup=300, rng=5
        )
        gaps.append(abs(found.learnability.mean() - limit))
    assert gaps[1] < 1e-3
    assert gaps[0] > 10 * gaps[1]  # features fade as one over the channels


def test_the_direction_is_that_of_the_teacher():
    rng = np.random.default_rng(6)
    w = rng.standard_normal(5)
    given = {
        "patches": 2,
        "patch_size": 5,
        "channels": 50,
        "ridge": 0.05,
        "scale": 50,
        "teacher": ([3.0, 4.0], w),
        "chains": 2,
        "draws": 200,
        "warmup": 200,
    }
    found = convolutional_posterior(40, rng=7, **given)
    assert found.learnability.mean() == pytest.approx(0.98, abs=0.02)
    assert found.along.mean() > 2 > 1.3 > found.across.mean()
    # an axis that is orthogonal to the teacher's learns nothing
    other = rng.standard_normal(5)
    other -= (other @ w) / (w @ w) * w
    aside = convolutional_posterior(40, rng=7, direction=other, **given)
    assert aside.along.mean() < 1.3
    # the trace is that of the same covariance
    traces = [sample.along + 4 * sample.across for sample in (found, aside)]
    assert traces[0].mean() == pytest.approx(traces[1].mean(), abs=0.2)
    assert aside.learnability.mean() == pytest.approx(found.learnability.mean(), abs=0.01)


def test_cold_and_planted_chains_agree():
    found = convolutional_posterior(
        40,
        patches=4,
        patch_size=6,
        channels=100,
        ridge=0.1,
        scale=50,
        planted=2,
        warmup=300,
        rng=8,
    )
    np.testing.assert_array_equal(found.planted, [False, True, False, True])
    cold, warm = found.learnability[~found.planted], found.learnability[found.planted]
    error = math.hypot(
        *(np.std(values) / math.sqrt(effective_size(values)) for values in (cold, warm))
    )
    assert cold.mean() == pytest.approx(warm.mean(), abs=4 * error)


def test_planted_starts_are_enlarged_along_the_direction_alone():
    x, y = problem(5, 2, 3)
    potential = network(x, y, 8, ridge=0.3, scale=1.0)
    cold, warm = (
        potential.factor(potential.start(planted, np.random.default_rng(9)))
        for planted in (False, True)
    )
    ours, theirs = warm @ warm.T, cold @ cold.T
    assert ours[0, 0] == pytest.approx(sampler.PLANTED**2 * theirs[0, 0])
    np.testing.assert_allclose(ours[1:, 1:], theirs[1:, 1:])


def test_results_repeat_and_survive_saving(tmp_path):
    given = {
        "patches": 2,
        "patch_size": 3,
        "channels": 10,
        "ridge": 0.5,
        "draws": 20,
        "warmup": 30,
        "on_failure": "return",
    }
    first, second = (convolutional_posterior(10, rng=10, **given) for _ in range(2))
    np.testing.assert_array_equal(first.learnability, second.learnability)
    assert ConvolutionalSample.load(first.save(tmp_path / "sample.npz")) == first
    assert ConvolutionalSample.from_json(first.to_json()) == first
    assert set(first.standard_error) == {"energy", "along", "across", "learnability", "train_loss"}


def test_failures_say_which_function_failed():
    with pytest.raises(ConvergenceError, match="^sample_convolutional: ") as failure:
        convolutional_posterior(
            40,
            patches=2,
            patch_size=3,
            channels=10,
            ridge=0.01,
            scale=100,
            chains=2,
            draws=10,
            warmup=0,
            rng=0,
        )
    assert isinstance(failure.value.result, ConvolutionalSample)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 0}, "channels = 0"),
        ({"channels": 2.5}, "channels = 2.5"),
        ({"ridge": -1.0}, "ridge = -1.0 must be > 0 and finite"),
        ({"scale": math.inf}, "scale = inf"),
        ({"weight_variance": 0}, "weight_variance = 0"),
        ({"readout_variance": math.nan}, "readout_variance = nan"),
        ({"inputs": [[1.0]]}, r"inputs must have shape \(P, N, S\)"),
        ({"inputs": np.empty((4, 0, 3))}, r"inputs must have shape \(P, N, S\)"),
        ({"labels": [1.0]}, "inputs and labels must have shapes"),
        ({"labels": [math.nan] * 4}, r"labels\[0\] = nan must be finite"),
        ({"direction": [0, 0, 0]}, "direction must be"),
        ({"direction": [1.0]}, "direction must be"),
        ({"teacher": [1.0]}, "teacher must be a pair"),
        ({"teacher": ([1.0], [1.0])}, "teacher must be rows of 2 and 3 numbers"),
        ({"teacher": ([0.0, 0.0], [1.0, 0, 0])}, "neither zero"),
        ({"planted": 5}, "planted = 5 must be a whole number from 0 to 4"),
        ({"planted": "no"}, "planted = 'no'"),
        ({"planted": 0.5}, "planted = 0.5"),
        ({"acceptance": "high"}, "acceptance"),
        ({"rng": None}, "rng"),
    ],
)
def test_bad_arguments(change, message):
    x, y = problem(4, 2, 3)
    with pytest.raises(DomainError, match=message):
        sample_convolutional(
            **{"inputs": x, "labels": y, "channels": 2, "ridge": 0.5, "rng": 0, **change}
        )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ResourceError, match="use fewer samples"):
        convolutional_posterior(10**7, patches=10, patch_size=10, channels=5, ridge=1.0, rng=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "learnability", "along", "across"),
    [(45, (0.852, 0.016), (3.84, 0.06), 1.026), (25, (0.525, 0.039), (2.63, 0.14), 1.114)],
)
def test_published_runs(samples, learnability, along, across):
    """Eight data sets each: within three standard errors of the difference of two such averages."""
    found = [
        convolutional_posterior(
            samples,
            patches=6,
            patch_size=10,
            channels=400,
            ridge=0.05,
            scale=100,
            planted=1,
            chains=2,
            draws=400,
            warmup=300,
            rng=seed,
        )
        for seed in range(16)
    ]
    for name, (value, error) in (("learnability", learnability), ("along", along)):
        means = np.array([getattr(sample, name).mean() for sample in found])
        spread = means.std(ddof=1) / math.sqrt(len(found))
        assert means.mean() == pytest.approx(value, abs=3 * math.hypot(error, spread))
        assert spread < 1.2 * error
    assert np.mean([sample.across.mean() for sample in found]) == pytest.approx(across, abs=0.02)
