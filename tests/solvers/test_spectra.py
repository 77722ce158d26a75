"""Merged modes stand for all modes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import zeta

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum


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
