"""Local exponents of one curve, their errors, and what a fitted law says of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import fit, from_parameters, local_slopes

X = np.geomspace(1e2, 1e8, 49)


@settings(deadline=None, max_examples=50)
@given(
    gamma=st.floats(-1, 2),
    height=st.floats(1e-6, 1e6),
    half=st.floats(0.25, 3),
    unit=st.floats(1e-3, 1e3),
)
def test_a_power_law_has_its_exponent_everywhere_whatever_the_units(gamma, height, half, unit):
    found = local_slopes(unit * X, height * X**-gamma, half)
    assert found.left_out == 0
    np.testing.assert_allclose(found.slope, gamma, atol=1e-9)
    np.testing.assert_allclose(found.standard_error, 0, atol=1e-8)


def test_slopes_are_those_of_numpy_on_each_window():
    rng = np.random.default_rng(0)
    loss = np.exp(rng.normal(size=X.size))
    found = local_slopes(X, loss, 0.3)
    for place, slope, count in zip(found.x, found.slope, found.points, strict=True):
        near = np.abs(np.log10(X / place)) <= 0.3
        assert count == near.sum() or count == near.sum() + 1  # an edge that rounding decides
        if count == near.sum():
            assert slope == pytest.approx(-np.polyfit(np.log(X[near]), np.log(loss[near]), 1)[0])


def test_apparent_exponent_of_an_offset_power_law():
    """gamma (1 - E/L) exactly, and the measured slopes follow it within the window's curvature."""
    known = from_parameters("power_offset", {"E": 1.7, "c": 5.0, "gamma": 0.35})
    loss = 1.7 + 5 * X**-0.35
    found = local_slopes(X, loss)
    apparent = 0.35 * (1 - 1.7 / (1.7 + 5 * found.x**-0.35))
    np.testing.assert_allclose(found.expected(known), apparent, atol=2e-9)
    inner = slice(3, -3)
    np.testing.assert_allclose(found.slope[inner], apparent[inner], rtol=0.02)
    three = {"E": 0.02, "L_0 - E": 0.98, "x_0": 30.0, "gamma": 0.5, "s": 1.0}
    at = found.x / 30
    L = 0.02 + 0.98 * (1 + at) ** -0.5
    np.testing.assert_allclose(
        found.expected(from_parameters("three_region", three)),
        0.5 * (1 - 0.02 / L) * at / (1 + at),
        atol=2e-9,
    )


def test_errors_leave_out_runs_not_points():
    """Runs with offsets of their own: the jackknife over runs is that written out, and larger than over points."""
    rng = np.random.default_rng(1)
    x = np.tile(X, 6)
    run = np.repeat(np.arange(6), X.size)
    slopes = rng.normal(0.3, 0.05, 6)
    loss = np.exp(-np.repeat(slopes, X.size) * np.log(x / 1e5))
    found = local_slopes(x, loss, 0.5, run=run, at=1e5)
    near = np.abs(np.log10(x / 1e5)) <= 0.5
    parts = [
        np.polyfit(np.log(x[near & (run != r)]), np.log(loss[near & (run != r)]), 1)[0]
        for r in range(6)
    ]
    wanted = np.sqrt(5 / 6 * np.sum((parts - np.mean(parts)) ** 2))
    assert found.standard_error[0] == pytest.approx(wanted, rel=1e-6)
    assert found.standard_error[0] == pytest.approx(np.std(slopes, ddof=1) / np.sqrt(6), rel=1e-6)
    assert found.standard_error[0] > 2 * local_slopes(x, loss, 0.5, at=1e5).standard_error[0]
    one = local_slopes(X, X**-0.3, run=np.zeros(X.size))
    assert one.standard_error is None


def test_errors_of_independent_points_are_right():
    """The spread over many curves is what the jackknife says."""
    rng = np.random.default_rng(2)
    slopes, errors = [], []
    for _ in range(300):
        found = local_slopes(
            X, np.exp(-0.4 * np.log(X) + 0.01 * rng.normal(size=X.size)), 1, at=1e5
        )
        slopes.append(found.slope[0])
        errors.append(found.standard_error[0])
    assert np.mean(slopes) == pytest.approx(0.4, abs=4 * np.std(slopes) / np.sqrt(300))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(slopes), rel=0.2)


def test_a_window_cannot_repair_a_misfit_and_the_law_can():
    """Plateau and power law: no slope of 31 points reaches gamma = 0.5 with certainty; the fitted law does, and follows the slopes."""
    rng = np.random.default_rng(3)
    x = np.geomspace(1, 1e6, 31)
    loss = (0.02 + 0.98 * (1 + x / 30) ** -0.5) * np.exp(0.01 * rng.normal(size=31))
    found = local_slopes(x, loss)
    assert found.slope.max() < 0.48
    law = fit("three_region", {"x": x, "loss": loss}, bootstrap=0)
    assert law.parameters["gamma"] == pytest.approx(0.5, abs=0.02)
    pull = (found.slope - found.expected(law)) / found.standard_error
    assert np.median(np.abs(pull[2:-2])) < 2


def test_windows_without_three_points_are_left_out_and_counted():
    x = np.r_[np.geomspace(10, 100, 9), 1e6]
    found = local_slopes(x, x**-0.5)
    assert found.left_out == 1
    assert found.x.max() == pytest.approx(100)
    few = local_slopes([1, 2, 2, 2.1], [3.0, 2.0, 2.1, 1.9], 0.4, run=["a", "b", "c", "b"])
    assert np.isinf(few.standard_error).sum() == 0 or np.all(few.standard_error > 0)
    with pytest.raises(DataError, match="widen half_width"):
        local_slopes([1, 1e3, 1e6], [3, 2, 1])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: local_slopes(X, X[:-1]), "one per x"),
        (lambda: local_slopes(X, -X), "loss"),
        (lambda: local_slopes(X, X, 0.1), "half_width"),
        (lambda: local_slopes(X, X, run=[1, 2]), "run"),
        (lambda: local_slopes(X, X, at=0), "at"),
        (lambda: local_slopes(X, X).expected(from_parameters("besiroglu")), "one variable"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_slopes_are_a_file(tmp_path):
    found = local_slopes(X, X**-0.5)
    assert empirical.LocalSlopes.load(found.save(tmp_path / "slopes.npz")) == found
