"""A linear convolutional network that adapts: known values, closed form, and the free energy by other means."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum
from scalinglaws.solvers.kernel_adaptation import linear_cnn
from scalinglaws.solvers.kernel_adaptation._linear_cnn import _state
from scalinglaws.solvers.linear import effective_ridge

KNOWN = json.loads(
    (Path(__file__).parents[2] / "reference" / "kernel_adaptation.json").read_text()
)["linear_cnn"]


def free_energy(b, across, samples, ridge, scale, channels, patches, patch_size, power=1.0):
    """Write F out, with the effective ridge from bisection, in 30 digits."""
    with mpmath.workdps(30):
        d = patches * patch_size
        modes = [(patches, power * b / d), (patches * (patch_size - 1), power * across / d)]

        low, high = mpmath.mpf(ridge), ridge + sum(g * v for g, v in modes)
        for _ in range(100):
            kappa = mpmath.sqrt(low * high)
            rest = ridge + sum(g * v * kappa / (kappa + samples * v) for g, v in modes)
            low, high = (kappa, high) if rest > kappa else (low, kappa)
        prior = b - 1 - mpmath.log(b) + (patch_size - 1) * (across - 1 - mpmath.log(across))
        logs = samples * (mpmath.log(kappa) - 1 + ridge / kappa)
        logs += sum(g * mpmath.log(1 + samples * v / kappa) for g, v in modes)
        data = scale / (2 * (modes[0][1] + kappa / samples))
        return channels / mpmath.mpf(2) * prior + data + logs / 2


def test_known_values():
    rows = np.array(KNOWN["rows"])
    names = KNOWN["columns"]
    found = linear_cnn(**dict(zip(names[:6], rows[:, :6].T, strict=True)))
    np.testing.assert_allclose(found.free_energy, rows[:, 6], rtol=1e-10)
    np.testing.assert_allclose(found.inflation, rows[:, 7], rtol=2e-8)
    np.testing.assert_allclose(found.effective_ridge, rows[:, 8], rtol=1e-8)
    np.testing.assert_allclose(found.learnability, rows[:, 9], rtol=1e-8)
    assert all(len(minima) == 1 for minima in found.minima)


def scaled(alpha, ratios):
    d = 500 * alpha**2
    return linear_cnn(
        samples=np.array(ratios) * d**0.75,
        ridge=1,
        scale=100,
        channels=1000 * alpha,
        patches=10 * alpha,
        patch_size=50 * alpha,
    )


@pytest.mark.parametrize("alpha", ["1", "4", "16", "1024"])
def test_learnability_collapses_onto_the_closed_form(alpha):
    known = KNOWN["collapse"]
    found = scaled(int(alpha), known["ratios"]).learnability
    for value, expected in zip(found, known[alpha], strict=True):
        if expected is not None:
            assert value == pytest.approx(expected, abs=5.1e-5)
    if alpha == "1024":
        np.testing.assert_allclose(found, KNOWN["limit"], atol=0.0075)


def test_the_closed_form_is_approached_as_the_inflation_grows():
    """1 - P_*/P with the threshold of the law, whose error falls as 1/b, b ~ d^(1/4)."""
    ratios = [2.0, 4.0, 8.0]
    errors = []
    for alpha in (1e2, 1e4, 1e6):
        found = scaled(int(alpha), ratios)
        closed = 1 - found.threshold / found.samples
        errors.append(np.max(np.abs(found.learnability - closed)))
    assert errors[2] < 5e-4
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 10, rtol=0.1)


def test_both_variances():
    known = KNOWN["both"]
    found = linear_cnn(
        samples=known["samples"],
        ridge=0.05,
        scale=100,
        channels=400,
        patches=6,
        patch_size=10,
        directions="all",
    )
    for name in ("learnability", "inflation", "inflation_across"):
        digits = 6e-5 if name != "inflation" else 6e-4
        np.testing.assert_allclose(getattr(found, name), known[name], atol=digits)
    np.testing.assert_allclose(found.lazy_learnability, known["lazy"], atol=6e-4)


SIZES = {
    "samples": st.floats(1, 3000),
    "ridge": st.floats(1e-3, 10),
    "scale": st.floats(1, 1000),
    "channels": st.integers(1, 3000),
    "patches": st.integers(1, 50),
    "patch_size": st.integers(2, 100),
}


@settings(max_examples=15, deadline=None)
@given(**SIZES)
def test_minima_are_the_least_of_a_fine_scan(**sizes):
    """With the free energy written out, on values of b of this test's own choice."""
    found = linear_cnn(**sizes)
    value = free_energy(found.inflation, 1, **sizes)
    assert found.free_energy == pytest.approx(float(value), rel=1e-10, abs=1e-8)
    for b in np.geomspace(1e-3, 1e4, 15):
        assert free_energy(b, 1, **sizes) >= value - 1e-9 * (1 + abs(value))
    each = found.minima[0]
    assert np.all(np.diff(each[:, 2]) >= 0)


@settings(max_examples=10, deadline=None)
@given(**SIZES)
def test_both_variances_are_a_minimum_in_both(**sizes):
    found, one = linear_cnn(**sizes, directions="all"), linear_cnn(**sizes)
    assert found.free_energy <= one.free_energy + 1e-9 * abs(one.free_energy)
    for b in (0.5, 0.97, 1.03, 2.0):
        for across in (0.5, 0.97, 1.03, 2.0):
            near = free_energy(found.inflation * b, found.inflation_across * across, **sizes)
            assert near >= found.free_energy - 1e-9 * (1 + abs(found.free_energy))


@settings(max_examples=30, deadline=None)
@given(x=st.floats(-2, 4), z=st.floats(-1, 1), **SIZES)
def test_slopes_are_those_of_the_free_energy(
    x, z, samples, ridge, scale, channels, patches, patch_size
):
    sizes = (samples, ridge, scale, channels, patches, patch_size)
    state = _state(x, z, *map(float, sizes), 1.0, np.empty((2, 2)))
    with mpmath.workdps(30):
        h = mpmath.mpf("1e-8")

        def at(dx, dz):
            return free_energy(mpmath.exp(x + dx), mpmath.exp(z + dz), *sizes)

        along = (at(h, 0) - at(-h, 0)) / (2 * h)
        across = (at(0, h) - at(0, -h)) / (2 * h)
    assert state[1] == pytest.approx(float(along), rel=1e-8, abs=1e-9 * state[4])
    assert state[2] == pytest.approx(float(across), rel=1e-8, abs=1e-9 * state[4] * patch_size)


def test_the_effective_ridge_is_that_of_kernel_regression():
    found = linear_cnn(samples=200, ridge=1, scale=100, channels=1000, patches=10, patch_size=50)
    b, d = found.inflation, 500
    spectrum = EmpiricalSpectrum([b / d, 1 / d], [1.0, 0.0], [10, 490])
    kappa = 200 * effective_ridge(spectrum, samples=200, ridge=1 / 200)
    assert found.effective_ridge == pytest.approx(kappa, rel=1e-12)
    assert found.learnability == pytest.approx(200 * b / d / (kappa + 200 * b / d), rel=1e-12)


def test_few_channels_have_more_than_one_minimum_and_the_least_is_returned():
    """With one channel and a large scale a state that learns coexists with one whose filter has shrunk."""
    samples = np.geomspace(1, 1e4, 400)
    found = linear_cnn(samples=samples, ridge=1, scale=1, channels=1, patches=1000, patch_size=10)
    for minima, value in zip(found.minima, found.free_energy, strict=True):
        assert value == minima[:, 2].min()


def test_variances_act_as_their_product():
    sizes = {
        "samples": 100,
        "ridge": 0.3,
        "scale": 30,
        "channels": 100,
        "patches": 5,
        "patch_size": 20,
    }
    one = linear_cnn(**sizes, readout_variance=6.0)
    other = linear_cnn(**sizes, readout_variance=2.0, weight_variance=3.0)
    assert one.free_energy == other.free_energy
    assert one.threshold == pytest.approx(
        one.effective_ridge * math.sqrt(100 * 100 / (30 * 6.0)), rel=1e-14
    )


def test_bad_arguments_are_refused():
    good = {"samples": 100, "ridge": 1, "scale": 10, "channels": 10, "patches": 5, "patch_size": 20}
    for name, value in (
        ("samples", 0.5),
        ("ridge", 0),
        ("scale", -1),
        ("channels", 1.5),
        ("patches", 0),
        ("patch_size", math.inf),
        ("directions", "none"),
        ("readout_variance", 0),
        ("weight_variance", math.nan),
    ):
        with pytest.raises(DomainError) as refused:
            linear_cnn(**{**good, name: value})
        assert refused.value.argument == name
