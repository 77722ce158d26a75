"""Families: the worked example to its digits, Holm against its definition, and what many nulls say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.verify.comparison import Comparison, Measurement, Prediction
from scalinglaws.verify.families import family, holm

PAIRS = [
    (0.60, 0.55, 0.09), (0.28, 0.25, 0.07), (0.16, 0.16, 0.03), (0.57, 0.69, 0.08), (0.54, 0.56, 0.04),
    (0.31, 0.37, 0.03), (0.47, 0.54, 0.03), (0.23, 0.21, 0.03), (0.14, 0.12, 0.04),
]  # fmt: skip


def _comparison(name, predicted, measured, se, tolerance=0.1, df=None):
    return Comparison(
        name,
        Prediction("exponent", "exponent", predicted, "table"),
        Measurement(measured, se, df, 1, "published", (1.0, 2.0)),
        tolerance,
        evidence="literature",
    )


def test_published_pairs():
    members = [_comparison(f"pair {k + 1}", *pair) for k, pair in enumerate(PAIRS)]
    found = family("nine published pairs", members)
    z = [-member.outcome.z for member in members]
    np.testing.assert_allclose(
        z, [0.5556, 0.4286, 0, -1.5, -0.5, -2, -2.3333, 0.6667, 0.5], atol=5e-5
    )
    assert found.chi2 == pytest.approx(13.13120, abs=5e-6)
    assert (found.df, found.p) == (9, pytest.approx(0.156757, abs=2e-6))
    assert min(member.outcome.p_difference for member in members) == pytest.approx(
        0.01963, abs=5e-6
    )
    assert min(found.holm_difference) == pytest.approx(0.1767, abs=5e-5)
    assert found.detectable == ()
    assert found.failures == ()
    assert found.bias == (pytest.approx(0.02083, abs=5e-6), pytest.approx(0.01272, abs=5e-6))
    slope, error, rest = found.ratio
    assert (slope, error) == (pytest.approx(1.08372, abs=5e-6), pytest.approx(0.03663, abs=5e-6))
    assert rest == pytest.approx(7.909, abs=5e-4)


@pytest.mark.parametrize(
    ("tolerance", "passing"), [(0.10, {3, 5, 8, 9}), (0.15, {2, 3, 5, 6, 7, 8, 9})]
)
def test_compatible_is_weaker_than_verified(tolerance, passing):
    verdicts = {
        k + 1: _comparison("pair", *pair, tolerance).verdict for k, pair in enumerate(PAIRS)
    }
    assert {k for k, verdict in verdicts.items() if verdict == "pass"} == passing
    assert set(verdicts.values()) == {"pass", "inconclusive"}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_its_definition(p_values):
    adjusted = holm(p_values)
    n = len(p_values)
    for level in (0.01, 0.05, 0.2):
        rejected, order = set(), sorted(range(n), key=lambda k: p_values[k])
        for rank, k in enumerate(order):
            if (n - rank) * p_values[k] > level:
                break
            rejected.add(k)
        assert {k for k in range(n) if adjusted[k] <= level} >= rejected
        assert all(p_values[k] * 1 <= level for k in range(n) if adjusted[k] <= level)
    assert np.all(adjusted >= p_values)


def test_familywise_error_and_consistency_under_the_null():
    rng = np.random.default_rng(1)
    false_alarms, p_values = 0, []
    for _ in range(400):
        members = [
            _comparison("m", 1.0, 1.0 + 0.05 * rng.standard_normal(), 0.05) for _ in range(9)
        ]
        found = family("null", members)
        false_alarms += bool(found.detectable)
        p_values.append(found.p)
    assert false_alarms / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.08)


def test_a_common_bias_is_found_where_no_member_shows_it():
    rng = np.random.default_rng(3)
    members = [_comparison("m", 1.0, 1.03 + 0.03 * rng.standard_normal(), 0.03) for _ in range(25)]
    found = family("biased", members)
    assert found.bias[0] / found.bias[1] > 3
    assert found.ratio[0] == pytest.approx(1.03, abs=0.02)


def test_members_need_a_standard_error():
    exact = Comparison(
        "exact",
        Prediction("e", "exponent", 1.0, "s"),
        Measurement(1.0, 1e-9, None, 1, "m", (1.0, 2.0), deterministic=True),
        0.1,
    )
    with pytest.raises(DomainError, match="no standard error"):
        family("f", [exact])
    with pytest.raises(DomainError, match="is empty"):
        family("f", [])
    with pytest.raises(DomainError, match="between 0 and 1"):
        holm([0.5, 1.5])
