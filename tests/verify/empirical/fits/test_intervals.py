"""Intervals of parameters and of what follows from them."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify.empirical import example_runs, fit, from_parameters
from scalinglaws.verify.empirical.fits._intervals import half_width, percentiles

KNOWN = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}


@pytest.fixture(scope="module")
def resampled():
    return fit("surface", example_runs("synthetic"), bootstrap=600)


def test_percentiles_of_resampled_fits(resampled):
    for name in resampled.names:
        values = np.sort(resampled.sample_parameters[name])
        low, high = resampled.interval(name)
        inside = np.sum((values >= low) & (values <= high))
        assert 569 <= inside <= 571
        assert low < resampled.parameters[name] < high
        narrow = resampled.interval(name, level=0.5)
        assert low < narrow[0] < narrow[1] < high


def test_expressions_of_parameters(resampled):
    at = resampled.sample_parameters
    low, high = resampled.interval("b/(a+b)")
    np.testing.assert_allclose((low, high), percentiles(at["b"] / (at["a"] + at["b"]), 0.95))
    low, high = resampled.interval("log(A)")
    np.testing.assert_allclose(np.exp((low, high)), resampled.interval("A"))


def test_weighted_percentiles_are_those_of_a_mixture():
    rng = np.random.default_rng(0)
    samples = np.concatenate([rng.normal(0, 1, 20_000), rng.normal(2, 1, 5_000)])
    weights = np.concatenate([np.full(20_000, 0.3 / 20_000), np.full(5_000, 0.7 / 5_000)])
    low, high = percentiles(samples, 0.8, weights)
    below = (
        np.average(samples <= low, weights=weights),
        np.average(samples <= high, weights=weights),
    )
    np.testing.assert_allclose(below, (0.1, 0.9), atol=2e-4)


def test_normal_intervals_where_there_are_no_samples(resampled):
    cov = np.diag([1e-4, 4e-2, 9e-2, 1e-4, 2.25e-4])
    given = from_parameters("surface", KNOWN, covariance=cov)
    z = half_width(0.95)
    assert z == pytest.approx(1.959963985, rel=1e-9)
    np.testing.assert_allclose(given.interval("a"), (0.3478 - 0.01 * z, 0.3478 + 0.01 * z))
    np.testing.assert_allclose(
        given.interval("A"), (482.01 * np.exp(-0.2 * z), 482.01 * np.exp(0.2 * z))
    )
    # the exponent of N_opt, by hand
    total = 0.3478 + 0.3658
    slopes = np.array([-0.3658, 0.3478]) / total**2
    deviation = np.sqrt(slopes**2 @ [1e-4, 2.25e-4])
    np.testing.assert_allclose(
        given.interval("b/(a+b)"),
        (0.3658 / total - z * deviation, 0.3658 / total + z * deviation),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        given.interval("A**1"), (482.01 * (1 - 0.2 * z), 482.01 * (1 + 0.2 * z)), rtol=1e-6
    )


def test_fixed_parameters_do_not_vary():
    found = fit("surface", example_runs("synthetic"), fixed={"b": 0.37}, bootstrap=0)
    assert found.interval("b") == (0.37, 0.37)
    low, high = found.interval("b/(a+b)")
    assert low < 0.37 / (found.parameters["a"] + 0.37) < high


def test_refusals(resampled):
    with pytest.raises(DomainError, match="unknown parameter 'q'"):
        resampled.interval("q")
    with pytest.raises(DomainError, match="unknown parameter 'q'"):
        resampled.interval("a/q")
    with pytest.raises(DomainError, match="names no parameter"):
        resampled.interval("1 + 1")
    with pytest.raises(DomainError, match="name"):
        resampled.interval(3)
    for level in (0, 1, -1, np.nan, "much"):
        with pytest.raises(DomainError, match="level"):
            resampled.interval("a", level=level)
    with pytest.raises(DomainError, match="neither samples nor a covariance"):
        from_parameters("besiroglu").interval("a")
