"""Regression on a finite population: against published numbers of digits, closed forms and its own posterior."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.verify.simulate.learnability import (
    digits_kernel,
    digits_on_sphere,
    hardest_subset,
    population_posterior,
    regress_digits,
    regress_population,
)

# found independently: mean and standard error of 400, 200 and 100 data sets of digits, drawn with replacement
PUBLISHED = {
    30: (400, (0.4733, 0.0039), (0.7234, 0.0065)),
    100: (200, (0.6676, 0.0026), (0.3989, 0.0028)),
    300: (100, (0.7868, 0.0016), (0.1849, 0.0011)),
}


@pytest.fixture(scope="module")
def digits():
    return digits_kernel()


@pytest.fixture(scope="module")
def modes(digits):
    gram, _ = digits
    values, vectors = np.linalg.eigh(gram / len(gram))
    return values[::-1], vectors[:, ::-1] * math.sqrt(len(gram))


def test_the_spectrum_of_digits(digits, modes):
    gram, target = digits
    np.testing.assert_allclose(
        modes[0][:5], [0.06457542, 0.06069089, 0.04731059, 0.03372057, 0.0259885], atol=1e-8
    )
    assert np.trace(gram) / len(gram) == pytest.approx(2 / math.pi * math.asin(2 / 3), rel=1e-13)
    assert target.mean() == pytest.approx(0, abs=1e-14)
    assert target.std() == pytest.approx(1)
    images, _ = digits_on_sphere()
    cosines = images @ images.T / 64
    np.testing.assert_allclose(gram, 2 / math.pi * np.arcsin(2 / 3 * cosines), atol=1e-14)


@pytest.mark.parametrize("samples", PUBLISHED)
def test_what_was_found_on_digits(digits, samples):
    draws, learned, lost = PUBLISHED[samples]
    found = regress_population(*digits, samples, ridge=0.01, draws=draws, rng=3)
    for rows, (mean, error) in ((found.learnability, learned), (found.test_loss, lost)):
        own = rows.std(ddof=1) / math.sqrt(draws)
        assert own == pytest.approx(error, rel=0.35)
        assert abs(rows.mean() - mean) < 4 * math.hypot(error, own)


def test_one_call_for_digits(digits):
    one = regress_digits(20, ridge=0.1, draws=3, rng=5)
    other = regress_population(*digits, 20, ridge=0.1, draws=3, rng=5)
    assert one == other
    linear = regress_digits(20, ridge=0.1, draws=3, kernel="linear", rng=5)
    assert not np.array_equal(one.learnability, linear.learnability)
    wide = regress_digits(20, ridge=0.1, draws=3, weight_variance=4.0, rng=5)
    assert not np.array_equal(one.learnability, wide.learnability)


def test_all_points_without_replacement_leave_what_the_ridge_leaves():
    """Every data set is the population: modes are damped by n lambda over n lambda plus the ridge."""
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((12, 12))
    gram = factor @ factor.T
    values, vectors = np.linalg.eigh(gram)
    found = regress_population(gram, vectors, 12, ridge=0.5, draws=3, replacement=False, rng=1)
    learned = values / (values + 0.5)
    np.testing.assert_allclose(found.learnability, np.tile(learned, (3, 1)), atol=1e-12)
    np.testing.assert_allclose(
        found.test_loss, np.tile((1 - learned) ** 2 / 12, (3, 1)), atol=1e-12
    )


def test_without_replacement_no_point_comes_twice():
    """On the identity a point is learned by one half once it is seen, by two thirds if seen twice."""
    found = regress_population(
        np.eye(6), np.ones(6), 4, ridge=1.0, draws=50, replacement=False, rng=0
    )
    np.testing.assert_allclose(found.learnability, 4 / 12)
    again = regress_population(np.eye(6), np.ones(6), 4, ridge=1.0, draws=50, rng=0)
    assert np.unique(again.learnability.round(9)).size > 1


def test_a_draw_does_not_depend_on_how_many_there_are():
    gram = np.eye(5) + 0.5
    few = regress_population(gram, np.arange(5.0), 3, ridge=0.1, draws=2, rng=7)
    many = regress_population(gram, np.arange(5.0), 3, ridge=0.1, draws=130, rng=7)
    np.testing.assert_allclose(few.learnability, many.learnability[:2], rtol=1e-13)
    several = regress_population(
        gram, np.stack([np.arange(5.0), np.ones(5)], axis=1), 3, ridge=0.1, draws=2, rng=7
    )
    np.testing.assert_allclose(several.learnability[:, 0], few.learnability, rtol=1e-13)


# posteriors of one data set


@pytest.mark.parametrize(
    ("mode", "samples", "ridge", "alignment", "expected"),
    [(20, 5, 0.01, 0.5, -21.651616038), (50, 40, 0.1, 1.0, -1481.336699435)],
)
def test_posteriors_of_the_first_digits(digits, modes, mode, samples, ridge, alignment, expected):
    """Published, exact; the sign of an eigenvector does not matter to a target that is the same one."""
    target = modes[1][:, mode]
    found = population_posterior(
        digits[0], target, np.arange(samples), direction=target, ridge=ridge
    )
    assert found.log_probability(alignment) == pytest.approx(expected, abs=1e-6)


def test_a_posterior_is_that_of_sampled_functions():
    """Conditioning a joint normal distribution of values at all points and noisy ones, written down once more."""
    rng = np.random.default_rng(2)
    factor = rng.standard_normal((7, 7))
    gram, y, g, places = (
        factor @ factor.T,
        rng.standard_normal(7),
        rng.standard_normal(7),
        [1, 4, 1],
    )
    found = population_posterior(gram, y, places, direction=g, ridge=0.3)
    design = np.eye(7)[places]
    precision = np.linalg.inv(gram) + design.T @ design / 0.3
    covariance = np.linalg.inv(precision)
    mean = covariance @ design.T @ y[places] / 0.3
    assert found.mean == pytest.approx(mean @ g / 7, rel=1e-9)
    assert found.variance == pytest.approx(g @ covariance @ g / 49, rel=1e-9)
    log = stats.norm.logsf(0.4, found.mean, math.sqrt(found.variance))
    assert found.log_probability(0.4) == pytest.approx(log)
    prior = population_posterior(gram, y, [], direction=g, ridge=0.3)
    assert (prior.mean, prior.variance) == (0.0, pytest.approx(g @ gram @ g / 49))


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), aim=st.sampled_from([None, 0.5]))
def test_a_greedy_point_is_the_best_single_one(seed, aim):
    """The first point against trying all of them, and the second given the first."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((6, 4))
    gram, y, g = factor @ factor.T, rng.standard_normal(6), rng.standard_normal(6)
    given = {"direction": g, "ridge": 0.2}
    places = hardest_subset(gram, y, 2, alignment=aim, **given)

    def score(chosen):
        found = population_posterior(gram, y, chosen, **given)
        return found.mean if aim is None else found.log_probability(aim)

    for i in range(2):
        best = max(score([*places[:i], j]) for j in range(6))
        assert score(places[: i + 1]) == pytest.approx(best, rel=1e-7, abs=1e-9)


def test_an_opponent_beats_chance(digits, modes):
    target = modes[1][:, 20]
    given = {"direction": target, "ridge": 0.01}
    hard = hardest_subset(digits[0], target, 5, alignment=0.5, **given)
    best = population_posterior(digits[0], target, hard, **given).log_probability(0.5)
    rng = np.random.default_rng(0)
    for _ in range(10):
        places = rng.integers(len(target), size=5)
        found = population_posterior(digits[0], target, places, **given)
        assert found.log_probability(0.5) < best


GRAM = np.eye(3)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: regress_population(np.eye(3)[:2], [1, 2], 1, ridge=1, draws=1, rng=0), "square"),
        (lambda: regress_population(GRAM, [1, 2], 1, ridge=1, draws=1, rng=0), "shape"),
        (
            lambda: regress_population(GRAM, [0, 0, 0], 1, ridge=1, draws=1, rng=0),
            "zero everywhere",
        ),
        (lambda: regress_population(GRAM, [1, 2, 3], 1, ridge=0, draws=1, rng=0), "ridge = 0"),
        (lambda: regress_population(GRAM, [1, 2, np.nan], 1, ridge=1, draws=1, rng=0), "finite"),
        (
            lambda: regress_population(
                GRAM, [1, 2, 3], 4, ridge=1, draws=1, replacement=False, rng=0
            ),
            "must be <= 3 without replacement",
        ),
        (
            lambda: regress_population(GRAM, [1, 2, 3], 2, ridge=1, draws=1, replacement=1, rng=0),
            "replacement = 1",
        ),
        (
            lambda: regress_population(
                GRAM + np.triu(np.ones((3, 3)), 1), [1, 2, 3], 2, ridge=1, draws=1, rng=0
            ),
            "symmetric",
        ),
        (
            lambda: regress_population(-9 * GRAM, [1, 2, 3], 2, ridge=1, draws=1, rng=0),
            "no negative eigenvalues",
        ),
        (
            lambda: population_posterior(GRAM, [1, 2, 3], [3], direction=[1, 1, 1], ridge=1),
            "from 0 to 2",
        ),
        (
            lambda: population_posterior(GRAM, [1, 2, 3], [0.5], direction=[1, 1, 1], ridge=1),
            "from 0 to 2",
        ),
        (
            lambda: population_posterior(GRAM, [1, 2, 3], [0], direction=[1, 1], ridge=1),
            "direction",
        ),
        (
            lambda: population_posterior(GRAM, np.ones((3, 2)), [0], direction=[1, 1, 1], ridge=1),
            "one target",
        ),
        (
            lambda: hardest_subset(GRAM, np.ones((3, 2)), 1, direction=[1, 1, 1], ridge=1),
            "one target",
        ),
        (lambda: digits_kernel("rbff"), "rbf"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_memory(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e4")
    with pytest.raises(ResourceError, match="use fewer samples"):
        regress_population(GRAM, [1, 2, 3], 100, ridge=1, draws=1, rng=0)
    with pytest.raises(ResourceError, match="smaller population"):
        hardest_subset(np.eye(40), np.ones(40), 1, direction=np.ones(40), ridge=1)
