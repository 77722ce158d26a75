"""The rule: three outcomes, and their error rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from scalinglaws.errors import DomainError
from scalinglaws.verify import judge, judge_curve
from scalinglaws.verify.rule import power


@pytest.mark.parametrize(
    ("truth", "noise", "passes", "fails"),
    [
        (0, 0.15, 1.000, 0.000),
        (0, 0.30, 0.833, 0.000),
        (0, 0.60, 0.092, 0.002),
        (0.5, 0.15, 0.918, 0.000),
        (0.5, 0.30, 0.450, 0.001),
        (1, 0.15, 0.050, 0.048),
        (1, 0.30, 0.050, 0.049),
        (1.5, 0.15, 0.000, 0.919),
        (1.5, 0.60, 0.006, 0.186),
        (2, 0.30, 0.000, 0.918),
    ],
)
def test_error_rates(truth, noise, passes, fails):
    # the rule is a function of d and s alone: 40 000 draws at once, spot checks against the function below
    rng = np.random.default_rng(7)
    d = truth + noise * rng.standard_normal(40_000)
    s = noise * np.sqrt(rng.chisquare(8, 40_000) / 8)
    q = stats.t.ppf(0.95, 8)
    passed, failed = np.abs(d) + q * s <= 1, np.abs(d) - q * s > 1
    assert passed.mean() == pytest.approx(passes, abs=0.01)
    assert failed.mean() == pytest.approx(fails, abs=0.01)
    for i in range(100):
        assert judge(d[i], s[i], 8, 1.0).verdict == (
            "pass" if passed[i] else "fail" if failed[i] else "inconclusive"
        )


@pytest.mark.parametrize("df", [4, 8, 20, 100])
def test_false_passes_at_the_tolerance_are_rare(df):
    rng = np.random.default_rng(df)
    d = 1 + 0.2 * rng.standard_normal(40_000)
    s = 0.2 * np.sqrt(rng.chisquare(df, 40_000) / df)
    assert np.mean(np.abs(d) + stats.t.ppf(0.95, df) * s <= 1) <= 0.055


@given(
    st.floats(-3, 3),
    st.floats(0.01, 2),
    st.one_of(st.none(), st.integers(2, 200)),
    st.floats(0.05, 2),
)
def test_p_values_agree_with_the_verdict(difference, se, df, tolerance):
    found = judge(difference, se, df, tolerance)
    assert (found.verdict == "pass") == (found.p_equivalence <= 0.05)
    assert (found.verdict == "fail") == (1 - found.p_equivalence < 0.05)
    low, high = found.interval
    assert low <= difference <= high


@pytest.mark.parametrize(
    ("ratio", "df", "expected"), [(1 / 0.3, 8, 0.83), (1 / 0.3, 4, 0.73), (1 / 0.3, None, 0.91)]
)
def test_power(ratio, df, expected):
    assert power(ratio, df) == pytest.approx(expected, abs=0.01)
    if df is not None:
        q = stats.t.ppf(0.95, df)

        def integrand(v):
            both = 2 * stats.norm.cdf(ratio - q * np.sqrt(v / df)) - 1
            return max(both, 0) * stats.chi2.pdf(v, df)

        expected = integrate.quad(integrand, 0, 200, limit=200)[0]
        assert power(ratio, df) == pytest.approx(expected, abs=1e-3)


def test_noise_cannot_pass_and_precision_is_not_punished():
    assert judge(0.0, 10.0, 8, 1.0).verdict == "inconclusive"
    found = judge(0.5, 0.01, 8, 1.0)
    assert found.verdict == "pass"
    assert found.p_difference < 1e-6  # detectably different, and within tolerance


def test_deterministic_numbers_have_bounds_instead_of_errors():
    assert judge(0.5, 0.4, None, 1.0, deterministic=True).verdict == "pass"
    assert judge(0.5, 0.6, None, 1.0, deterministic=True).verdict == "inconclusive"
    found = judge(2.0, 0.6, None, 1.0, deterministic=True)
    assert (found.verdict, found.z, found.power) == ("fail", None, None)


def test_curves_pass_at_every_point_and_fail_at_one():
    quiet = np.full(5, 0.001)
    assert judge_curve([0.01, -0.02, 0.0, 0.03, 0.01], quiet, 10, 0.05).verdict == "pass"
    failed = judge_curve([0.01, -0.2, 0.0, 0.03, 0.01], quiet, 10, 0.05)
    assert (failed.verdict, failed.worst) == ("fail", 1)
    assert judge_curve([0.01, 0.045, 0.0], [0.001, 0.01, 0.001], 10, 0.05).verdict == "inconclusive"
    # a noisy point elsewhere does not hide the one that fails
    assert judge_curve([0.06, 0.01], [0.001, 0.1], 8, 0.05).worst == 0
    with pytest.raises(DomainError, match="arrays of one length"):
        judge_curve([0.1, 0.2], [0.1], 8, 0.05)


def test_curves_fail_at_the_familywise_level():
    rng = np.random.default_rng(3)
    fails = sum(
        judge_curve(
            0.05 + 0.01 * rng.standard_normal(10),
            0.01 * np.sqrt(rng.chisquare(20, 10) / 20),
            20,
            0.05,
        ).verdict
        == "fail"
        for _ in range(2000)
    )
    assert fails / 2000 <= 0.065
