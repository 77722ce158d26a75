"""The infrared scale: its equation, its limits, and mode by mode."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.renormalization import infrared_scale, integrated_variance


@given(alpha=st.floats(0.01, 10), samples=st.floats(1, 1e12), ridge=st.floats(0, 1e6))
def test_the_equation(alpha, samples, ridge):
    found = infrared_scale(alpha, samples=samples, ridge=ridge)
    x = found.cutoff
    assert samples == pytest.approx(x / alpha + ridge * x ** (1 + alpha), rel=1e-12)
    assert found.running_ridge == pytest.approx(samples * x ** (-1 - alpha), rel=1e-11)


def test_limits():
    assert infrared_scale(0.5, samples=[10, 1e9]).cutoff == pytest.approx([5, 5e8], rel=1e-14)
    for alpha in (0.3, 1.0, 3.0):
        samples = np.array([1e20, 1e30])
        found = infrared_scale(alpha, samples=samples, ridge=0.1)
        limit = (samples / 0.1) ** (1 / (1 + alpha))
        slack = limit**-alpha / (alpha * 0.1)  # modes' share of the ridge, to first order
        assert found.cutoff / limit - 1 == pytest.approx(-slack / (1 + alpha), rel=0.2)


@pytest.mark.parametrize("ridge", [0.0, 0.05, 3.0])
@pytest.mark.parametrize("samples", [1, 7, 100, 3000])
@pytest.mark.parametrize("size", [50, 3000, math.inf])
def test_modes_are_counted(size, samples, ridge):
    spectrum = PowerLawSpectrum(1.5, 1, size)
    found = infrared_scale(spectrum, samples=samples, ridge=ridge)
    k = np.arange(1.0, min(size, 10_000) + 1)
    known = samples * k**-1.5 >= ridge + integrated_variance(spectrum, k)
    expected = k.size if np.all(known) else np.argmin(known)
    assert found.cutoff == expected
    assert found.running_ridge == pytest.approx(
        ridge + integrated_variance(spectrum, found.cutoff), rel=1e-13
    )


def test_a_long_finite_spectrum_as_one_that_is_listed():
    listed = EmpiricalSpectrum(np.arange(1, 2.0**21 + 1) ** -1.5, np.zeros(2**21))
    long = PowerLawSpectrum(1.5, 1, 2**21)
    for samples, ridge in ((1e3, 0.0), (1e5, 0.01), (1e6, 0.0), (3e6, 0.0), (1e9, 0.0)):
        one = infrared_scale(listed, samples=samples, ridge=ridge)
        assert infrared_scale(long, samples=samples, ridge=ridge).cutoff == one.cutoff


def test_levels():
    levels = EmpiricalSpectrum([0.1, 1.0], [0, 0], [50, 3])
    listed = np.repeat([1.0, 0.1], [3, 50])
    for samples in (1, 5, 8, 48, 49, 60):
        one = infrared_scale(levels, samples=samples)
        assert one.cutoff == infrared_scale(listed, samples=samples).cutoff


@pytest.mark.parametrize(
    ("spectrum", "given_arguments"),
    [
        (0.0, {"samples": 1}),
        (True, {"samples": 1}),
        (0.5, {"samples": 0.5}),
        (0.5, {"samples": 1, "ridge": -1}),
        ([[1.0]], {"samples": 1}),
        (EmpiricalSpectrum.zipf_mandelbrot(1, 2, 10**7), {"samples": 10}),
    ],
)
def test_refusals(spectrum, given_arguments):
    with pytest.raises(DomainError):
        infrared_scale(spectrum, **given_arguments)


@pytest.mark.parametrize(
    ("spectrum", "samples"),
    [(1e3, 1e308), (PowerLawSpectrum(2, 1), 1e200), (PowerLawSpectrum(20, 1), 1e30)],
)
def test_scales_that_numbers_do_not_hold_name_the_samples(spectrum, samples):
    with pytest.raises(DomainError, match="samples") as failed:
        infrared_scale(spectrum, samples=samples)
    assert failed.value.argument == "samples"


@pytest.mark.parametrize("cutoff", [1e16, 1e20])
def test_cutoffs_beyond_which_modes_are_not_told_apart(cutoff):
    with pytest.raises(DomainError, match="told apart"):
        integrated_variance(0.5, cutoff)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize(("alpha", "size"), [(1.02, math.inf), (1.5, math.inf), (2.5, 3e6)])
def test_the_first_lost_mode_of_a_long_power_law_is_found_by_neighbors(alpha, size, ridge):
    spectrum = PowerLawSpectrum(alpha, 1.0, size)
    for samples in (3.0, 1e3, 1e6):
        cutoff = infrared_scale(spectrum, samples=samples, ridge=ridge).cutoff
        rest = ridge + integrated_variance(spectrum, [max(cutoff, 1), cutoff + 1])
        kept = samples * np.array([max(cutoff, 1.0), cutoff + 1]) ** -alpha >= rest
        assert kept.tolist() == [cutoff > 0, False] or cutoff == size


def test_far_apart_cutoffs_are_summed_by_rules_between_them():
    spectrum = PowerLawSpectrum(1.7, 1.0)
    cutoffs = np.array([3.0, 10, 50_000, 1e9, 50_001])
    apart = [integrated_variance(spectrum, cutoff) for cutoff in cutoffs]
    assert integrated_variance(spectrum, cutoffs) == pytest.approx(apart, rel=1e-14)
    # one list from the first to the last
    dense = integrated_variance(spectrum, np.arange(3.0, 50_002))
    assert integrated_variance(spectrum, [3, 10, 50_001]) == pytest.approx(
        dense[[0, 7, -1]], rel=1e-14
    )
