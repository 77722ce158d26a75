"""Shared sums over spectra: the renormalized ridge against the ridge solver, degrees of freedom, refusals."""

import math

import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.equivalents import kappa, spectral_sums

INF = math.inf
SPECTRA = [
    PowerLawSpectrum(1.5, 0.5),
    PowerLawSpectrum(1.2, 1.3, 400),
    EmpiricalSpectrum([1.0, 0.5, 0.25], [1.0, 0.3, 0.2]),
]


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_renormalized_ridges_are_those_of_ridge_regression(spectrum):
    features = np.array([2.0, 30.0, INF, INF, 1e4, 50.0])
    samples = np.array([5.0, 30.0, 7.0, INF, 1e6, 20.0])
    for strength in (0.0, 1e-3, 2.0, INF):
        ridges = np.full(features.size, strength)
        found = spectral_sums.effective_ridge(spectrum, features, samples, ridges)
        expected = linear.ridge(spectrum, features=features, samples=samples, ridge=ridges).kappa
        np.testing.assert_array_equal(found, expected)


def test_the_smaller_size_and_its_ratio():
    assert kappa.size_ratio(3.0, 4.0) == kappa.size_ratio(4.0, 3.0) == (3.0, 0.75, 0.25)
    assert kappa.size_ratio(3.0, INF) == (3.0, 0.0, 1.0)
    assert kappa.size_ratio(INF, INF) == (INF, 0.0, 1.0)
    assert kappa.all_learned(5.0, 5.0, 0.0)
    assert not kappa.all_learned(5.0, 5.0, 1e-9)
    assert not kappa.all_learned(6.0, 5.0, 0.0)


def test_degrees_of_freedom_of_a_short_spectrum():
    spectrum = SPECTRA[2]
    levels = np.array([0.0, 1e-6, 0.3, 1e6, INF])
    df1, df2 = spectral_sums.degrees_of_freedom(levels, spectrum)
    shares = np.array([1.0, 0.5, 0.25]) / (np.array([1.0, 0.5, 0.25]) + levels[:, None])
    np.testing.assert_allclose(df1, shares.sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(df2, (shares**2).sum(axis=1), rtol=1e-14)


def test_failures_are_told(monkeypatch):
    def stuck(*arguments):
        arguments[-1][:] = kappa.MAX_STEPS

    monkeypatch.setattr(spectral_sums, "_effective_ridges", stuck)
    with pytest.raises(ConvergenceError, match="not solved in 200 steps at features = 2.0"):
        spectral_sums.effective_ridge(SPECTRA[0], np.array([2.0]), np.array([INF]), np.zeros(1))
    with pytest.raises(DomainError, match="kappa"):
        spectral_sums.degrees_of_freedom(np.array([1e-300]), SPECTRA[0])
