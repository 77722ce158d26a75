"""Exponents and curves from replicates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.verify.estimate import (
    curve_from_replicates,
    exponent_from_replicates,
    power_law_exponent,
)

X = np.array([10.0, 20.0, 40.0, 80.0])


@given(st.floats(-3, 5), st.floats(1e-6, 1e6))
def test_pure_powers_are_exact(g, c):
    assert power_law_exponent(X, c * X**-g) == pytest.approx(g, abs=1e-9)


def test_statistical_error_is_that_of_the_mean_fit():
    rng = np.random.default_rng(0)
    errors, found = [], []
    for _ in range(400):
        measured = exponent_from_replicates(
            X, X**-1.5 * np.exp(0.1 * rng.standard_normal((12, 4))), method="test"
        )
        found.append(measured.value)
        errors.append(np.sqrt(measured.se**2 - measured.systematic**2))
    assert np.mean(found) == pytest.approx(1.5, abs=0.005)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.1)


def test_curvature_becomes_a_systematic_error():
    straight = X**-1.0 * np.exp(1e-3 * np.random.default_rng(1).standard_normal((5, 4)))
    bent = straight * (1 + 5 / X)
    one, two = (exponent_from_replicates(X, losses, method="test") for losses in (straight, bent))
    assert one.systematic < 2e-3
    assert two.systematic > 0.03
    assert two.df == 4
    assert two.window == (10.0, 80.0)


def test_curve():
    losses = np.array([[1.0, 2.0], [3.0, 2.5], [2.0, 1.5]])
    measured = curve_from_replicates([1, 2], losses, method="test")
    np.testing.assert_allclose(measured.value, [2.0, 2.0])
    np.testing.assert_allclose(measured.se, [1 / np.sqrt(3), 0.5 / np.sqrt(3)])
    assert (measured.df, measured.n_rep) == (2, 3)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: power_law_exponent([1, 1], [1, 2]), "two different values"),
        (lambda: power_law_exponent([0, 1], [1, 2]), "must be positive"),
        (lambda: power_law_exponent([1, 2], [1, -2]), "to have a logarithm"),
        (
            lambda: exponent_from_replicates([1, 2], [[1, 2], [1, 2]], method=""),
            "at least 3 points and 2 replicates",
        ),
        (
            lambda: exponent_from_replicates([1, 2, 3], [[1, 2, 3]], method=""),
            "at least 3 points and 2 replicates",
        ),
        (lambda: curve_from_replicates([1, 2], [[1, 2]], method=""), "at least 2 replicates"),
        (lambda: curve_from_replicates([1, 2], [[1], [2]], method=""), "of 2 points"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_crossings_and_their_mean():
    from scalinglaws.verify.estimate import crossing, threshold_from_crossings

    x = np.linspace(0, 1, 21)
    assert crossing(x, 1 / (1 + np.exp(-20 * (x - 0.37))), 0.5) == pytest.approx(0.37, abs=2e-3)
    assert crossing(x, 1 - x, 0.25) == pytest.approx(0.75)
    assert crossing([0, 1], [0.5, 1], 0.5) == 0
    assert np.isnan(crossing(x, x, 2.0))
    rng = np.random.default_rng(0)
    found = threshold_from_crossings(
        0.5 + 0.01 * rng.standard_normal(16), method="m", window=(0.0, 1.0)
    )
    assert abs(found.value - 0.5) < 4 * found.se
    assert found.df == 15
    with pytest.raises(DomainError, match="never crosses"):
        threshold_from_crossings([0.5, np.nan], method="m", window=(0.0, 1.0))
    with pytest.raises(DomainError, match="must increase"):
        crossing([1, 0], [0, 1], 0.5)


def test_paired_advantages():
    from scalinglaws.verify.estimate import advantage_from_pairs

    rng = np.random.default_rng(0)
    common = np.exp(rng.standard_normal(10))  # seeds differ much more than the two methods do
    found, p_sign = advantage_from_pairs(
        common, 1.2 * common * np.exp(0.01 * rng.standard_normal(10)), method="m", window=(1.0, 2.0)
    )
    assert found.value == pytest.approx(np.log(1.2), abs=4 * found.se)
    assert p_sign == pytest.approx(2.0**-10)
    nine = np.array([1.0] * 9 + [3.0])
    assert advantage_from_pairs(nine, np.full(10, 2.0), method="m", window=(1.0, 2.0))[
        1
    ] == pytest.approx(0.0107, abs=5e-5)
    with pytest.raises(DomainError, match="paired"):
        advantage_from_pairs([1.0, 2.0], [1.0], method="m", window=(1.0, 2.0))
