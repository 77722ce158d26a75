"""Merged modes stand for all modes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import zeta

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, feature_learning
from scalinglaws.solvers.linear import learnability, ridge


@pytest.mark.parametrize("size", [1, 5, 32, 33, 40, 44, 45, 46, 66, 100, 1000, 99_999, 100_000])
@pytest.mark.parametrize(
    ("alpha", "beta"), [(1.5, 2 / 3), (0.5, 1.4), (2.5, 1.6), (8.0, 0.5), (20.0, 1.0)]
)
def test_merged_sums_equal_explicit_sums(alpha, beta, size):
    spectrum = PowerLawSpectrum(alpha, beta, size)
    modes = spectrum.modes()
    eigenvalues, signal = spectrum.explicit()
    assert modes.multiplicities.sum() == pytest.approx(size, rel=1e-13)
    for kappa in (1e-9, 1e-4, 1e-1, 10.0, 40.0**-alpha, 177.7**-alpha):
        merged = np.sum(modes.multiplicities * modes.eigenvalues / (modes.eigenvalues + kappa))
        assert merged == pytest.approx(np.sum(eigenvalues / (eigenvalues + kappa)), rel=1e-12)
        merged = np.sum(modes.signal * (kappa / (modes.eigenvalues + kappa)) ** 2)
        assert merged == pytest.approx(
            np.sum(signal * (kappa / (eigenvalues + kappa)) ** 2), rel=1e-12, abs=0
        )


@given(st.floats(1.01, 6), st.floats(0.05, 4))
def test_infinite_traces_are_zeta_functions(alpha, beta):
    modes = PowerLawSpectrum(alpha, beta).modes()
    assert np.sum(modes.multiplicities * modes.eigenvalues) == pytest.approx(zeta(alpha), rel=1e-12)
    assert np.sum(modes.signal) == pytest.approx(zeta(alpha * beta + 1), rel=1e-12)


@settings(max_examples=30)
@given(
    st.floats(1e-3, 40),
    st.floats(0.1, 3),
    st.sampled_from([1e6, 1e12, 2.0**53, 2.0**53 + 2, 1e18, 1e300]),
)
def test_huge_finite_spectra_are_positive_and_complete(alpha, beta, size):
    modes = PowerLawSpectrum(alpha, beta, size).modes()
    assert np.all(modes.eigenvalues > 0)
    assert np.all(modes.multiplicities > 0)
    assert np.all(modes.signal >= 0)
    assert modes.size == size
    if size <= 2.0 ** min(1020, 960 // alpha):
        assert modes.multiplicities.sum() == pytest.approx(size, rel=1e-12)
    assert modes.eigenvalues.size < 13_000


def test_weights_are_positive_and_arrays_read_only():
    modes = PowerLawSpectrum.from_ab(2, 1.5).modes()
    assert 700 < modes.eigenvalues.size < 900
    for array in (modes.eigenvalues, modes.multiplicities, modes.signal):
        assert np.all(array > 0)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_depth_follows_the_number_of_learned_modes():
    spectrum = PowerLawSpectrum(1.2, 1.0)
    assert spectrum.depth_for(1e3, 0.0) == 70
    assert spectrum.depth_for(1e18, 0.0) > 80
    assert spectrum.depth_for(np.inf, 1e-40) > 130
    assert spectrum.depth_for([10.0, np.inf], [0.0, 0.0]) == 70
    with pytest.raises(DomainError, match="below 1e-290"):
        spectrum.depth_for(np.inf, 1e-300)
    with pytest.raises(DomainError, match="below 1e-290"):
        PowerLawSpectrum(30.0, 1.0).depth_for(1e12, 0.0)


def test_notation_of_the_constructor():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 100)
    assert (spectrum.alpha, spectrum.size) == (1.5, 100.0)
    assert spectrum.signal_exponent == pytest.approx(2)
    assert spectrum.task.difficulty == "hard"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0, 1), "alpha > 0"),
        ((1.5, -1), "beta > 0"),
        ((1.0, 1), "infinite trace"),
        ((1.5, 1, 0), "whole number >= 1"),
        ((1.5, 1, 10.5), "whole number >= 1"),
        ((1.5, 1, math.nan), "whole number >= 1"),
    ],
)
def test_refuses_spectra_that_do_not_exist(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        PowerLawSpectrum(*arguments)


def test_infinite_spectra_are_not_listed():
    with pytest.raises(DomainError, match="give a finite size"):
        PowerLawSpectrum(1.5, 1).explicit()


@pytest.mark.parametrize(
    ("eigenvalues", "signal", "complaint"),
    [
        ([], [], "non-empty"),
        ([[1.0]], [1.0], "one-dimensional"),
        ([1.0, 0.0], [1.0, 0.0], r"eigenvalues\[1\] = 0.0 must be finite and > 1e-290"),
        ([1.0, 2.0], [1.0, -1.0], r"signal\[1\] = -1.0 must be finite and >= 0"),
        ([1.0, math.nan], [1.0, 1.0], r"eigenvalues\[1\]"),
        ([1.0], [1.0, 1.0], "signal has 2 modes, eigenvalues 1"),
        (["a"], [1.0], "must be real numbers"),
        ([1j], [1.0], "must be real numbers"),
        ([1e308, 1e308], [1.0, 1.0], "more than floating-point numbers hold"),
    ],
)
def test_refuses_broken_measured_spectra(eigenvalues, signal, complaint):
    with pytest.raises(DomainError, match=complaint):
        EmpiricalSpectrum(eigenvalues, signal)


def test_measured_spectra_are_copied():
    values = np.array([1.0, 0.5])
    spectrum = EmpiricalSpectrum(values, values)
    values[0] = 7.0
    assert spectrum.modes().eigenvalues.tolist() == [1.0, 0.5]


levels = st.lists(
    st.tuples(st.floats(1e-3, 10), st.floats(0, 5), st.integers(1, 30)), min_size=1, max_size=6
)


@settings(max_examples=20, deadline=None)
@given(levels, st.integers(2, 40), st.floats(1e-3, 1.0))
def test_levels_are_the_modes_they_stand_for(given_levels, samples, strength):
    spectrum = EmpiricalSpectrum(*np.array(given_levels).T)
    listed = EmpiricalSpectrum(*spectrum.explicit())
    assert listed.size == spectrum.size
    one, other = (ridge(s, samples=samples, ridge=strength) for s in (spectrum, listed))
    assert one.test_loss == pytest.approx(other.test_loss, rel=1e-11)
    assert one.train_loss == pytest.approx(other.train_loss, rel=1e-11)
    k = np.arange(1, listed.size + 1)
    np.testing.assert_allclose(
        learnability(k, spectrum, samples=samples, ridge=strength),
        learnability(k, listed, samples=samples, ridge=strength),
        rtol=1e-12,
    )


def test_levels_where_features_are_learned():
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.1], [0.5, 0.3, 0.2], [1, 3, 10])
    listed = EmpiricalSpectrum(*spectrum.explicit())
    one, other = (
        feature_learning.gradient_flow([1.0, 2.0, 5.0], s, richness=2.0, features=8)
        for s in (spectrum, listed)
    )
    np.testing.assert_allclose(one.test_loss, other.test_loss, rtol=1e-10)
    for modes in ("merged", "full"):
        one, other = (
            feature_learning.online_dmft(
                5, s, features=8, learning_rate=0.3, batch=4, richness=2.0, modes=modes
            )
            for s in (spectrum, listed)
        )
        np.testing.assert_allclose(one.test_loss, other.test_loss, rtol=1e-10)


def test_a_level_of_1e20_modes_acts_as_a_ridge():
    # modes that are never learned add their total variance to the ridge
    spectrum = EmpiricalSpectrum([1.0, 0.5, 1e-20], [0.5, 0.3, 0.0], [1, 1, 1e20])
    assert spectrum.size == 1e20
    alone = EmpiricalSpectrum([1.0, 0.5], [0.5, 0.3])
    assert ridge(spectrum, samples=20, ridge=0.01).test_loss == pytest.approx(
        ridge(alone, samples=20, ridge=0.01 + 1.0 / 20).test_loss, rel=1e-6
    )
    with pytest.raises(ResourceError):
        spectrum.explicit()


def test_fractional_weights_cannot_be_listed():
    spectrum = EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25], [1, 2.5])
    assert spectrum.size == 3.5
    with pytest.raises(DomainError, match=r"multiplicities.*whole"):
        spectrum.explicit()


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ([1.0], "has 1 modes, eigenvalues 2"),
        ([1.0, 0.0], r"multiplicities\[1\] = 0"),
        ([1.0, np.nan], "multiplicities"),
        ([1.0, 1e301], "add up"),
        ("ab", "real numbers"),
    ],
)
def test_multiplicities_that_are_refused(counts, complaint):
    with pytest.raises(DomainError, match=complaint):
        EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25], counts)


@pytest.mark.parametrize(("rows", "columns"), [(50, 20), (20, 50), (1, 1)])
def test_features_and_their_gram_matrix_give_one_spectrum(rows, columns):
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, columns)) * np.arange(1, columns + 1.0) ** -0.7
    y = rng.normal(size=(rows, 3))
    one, other = EmpiricalSpectrum.from_features(x, y), EmpiricalSpectrum.from_gram(x @ x.T, y)
    np.testing.assert_allclose(one.eigenvalues, other.eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(one.signal, other.signal, atol=1e-10)
    assert one.size == min(rows, columns)
    # the trace is the mean square of the features; the signal is what their projection holds of the labels
    assert np.sum(one.eigenvalues) == pytest.approx(np.mean(np.sum(x**2, axis=1)))
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.sum(one.signal) == pytest.approx(np.mean(np.sum(fitted**2, axis=1)))


def test_features_recover_a_known_spectrum_from_many_examples():
    true = PowerLawSpectrum(1.5, 0.5, 20)
    eigenvalues, signal = true.explicit()
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200_000, 20)) * np.sqrt(eigenvalues)
    found = EmpiricalSpectrum.from_features(x, x @ np.sqrt(signal / eigenvalues))
    np.testing.assert_allclose(found.eigenvalues, eigenvalues, rtol=0.02)
    np.testing.assert_allclose(found.signal[:5], signal[:5], rtol=0.05)


@pytest.mark.parametrize("scale", [1e-130, 1e-20, 1e100])
def test_the_scale_of_features_is_kept(scale):
    x = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = EmpiricalSpectrum.from_features(scale * x, x @ [1.0, 2.0])
    np.testing.assert_allclose(found.eigenvalues / scale**2, [2.0, 0.5])
    np.testing.assert_allclose(found.signal, [2.0, 2.0])


@pytest.mark.parametrize(
    ("build", "given", "labels", "complaint"),
    [
        ("from_features", np.zeros((3, 2)), [1, 2, 3], "all zero"),
        ("from_features", np.ones(3), [1, 2, 3], "one row per example"),
        ("from_features", np.ones((3, 2)), [1, 2], "labels must have one row"),
        ("from_features", [[1.0, np.nan]], [1], "must be finite"),
        ("from_features", np.full((2, 2), 1e-200), [1, 2], "too small"),
        ("from_features", np.ones((2, 2)), ["a", "b"], "labels"),
        ("from_gram", np.ones((3, 2)), [1, 2, 3], "square"),
        (
            "from_gram",
            [[1.0, 2.0], [3.0, 4.0]],
            [1, 2],
            r"entries \[0, 1\] and \[1, 0\] are 2 and 3",
        ),
        ("from_gram", [[1.0, 2.0], [2.0, 1.0]], [1, 2], "positive semidefinite"),
        ("from_gram", np.zeros((2, 2)), [1, 2], "zero"),
    ],
)
def test_data_that_are_refused(build, given, labels, complaint):
    with pytest.raises(DomainError, match=complaint):
        getattr(EmpiricalSpectrum, build)(given, labels)


def test_zipf_is_the_power_law():
    zipf, power = EmpiricalSpectrum.zipf_mandelbrot(1.5, 0, 1000), PowerLawSpectrum(1.5, 0.5, 1000)
    np.testing.assert_allclose(zipf.eigenvalues, power.explicit()[0])
    zipf = EmpiricalSpectrum.zipf_mandelbrot(1.5, 0, 1000, signal_exponent=1.75)
    np.testing.assert_allclose(zipf.signal, power.explicit()[1])


@pytest.mark.parametrize("exponents", [(1.08, 2.0, 0.7), (0.5, -0.9, 3.0), (3.0, 1e3, 1.0)])
def test_long_lists_of_ranks_are_merged(exponents):
    a, b, c = exponents
    size = 150_000
    merged = EmpiricalSpectrum.zipf_mandelbrot(a, b, size, signal_exponent=c)
    assert np.size(merged.eigenvalues) < 2000
    assert merged.size == pytest.approx(size, rel=1e-13)
    k = np.arange(1.0, size + 1)
    eigenvalues, signal = (k + b) ** -a, (k + b) ** -c
    for kappa in (1e-9, 1e-4, 1e-1):
        filled = np.sum(
            np.asarray(merged.multiplicities) / (1 + kappa / np.asarray(merged.eigenvalues))
        )
        assert filled == pytest.approx(np.sum(1 / (1 + kappa / eigenvalues)), rel=1e-12)
        left = np.sum(np.asarray(merged.signal) / (1 + np.asarray(merged.eigenvalues) / kappa) ** 2)
        assert left == pytest.approx(np.sum(signal / (1 + eigenvalues / kappa) ** 2), rel=1e-12)


@pytest.mark.parametrize(
    "given", [(0, 2, 10), (1, -1, 10), (1, 2, 0), (1, 2, 2.5), (1, 2, math.inf), (1, 2, 1e21)]
)
def test_ranks_that_are_refused(given):
    with pytest.raises(DomainError):
        EmpiricalSpectrum.zipf_mandelbrot(*given)
