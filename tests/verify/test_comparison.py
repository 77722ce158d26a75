"""Comparisons: what is judged, against which rival, and what cannot be judged; and crashes."""

import numpy as np
import pytest
from scipy import stats

from scalinglaws.errors import DomainError
from scalinglaws.verify import Comparison, Crash, Measurement, Prediction, Rival, judge


def exponent(value, se, df=8, **kwargs):
    return Measurement(value, se, df, 9, "test", (1.0, 10.0), **kwargs)


def compare(measured, predicted=1.0, tolerance=0.1, **kwargs):
    return Comparison(
        "test", Prediction("g", "exponent", predicted, "test"), measured, tolerance, **kwargs
    )


def test_rivals_are_judged_by_the_same_data():
    found = compare(exponent(1.01, 0.01), rival=Rival("wrong", 2.0))
    assert (found.verdict, found.rival_verdict, found.discriminating) == ("pass", "fail", True)
    blind = compare(exponent(1.01, 0.01), rival=Rival("close", 1.05))
    assert (blind.verdict, blind.discriminating) == ("pass", False)
    assert not compare(exponent(1.01, 0.01)).discriminating


def test_relative_tolerance_is_in_units_of_what_is_judged():
    found = compare(
        exponent(4.1, 0.01),
        predicted=4.0,
        tolerance=0.05,
        tolerance_kind="relative",
        rival=Rival("wrong", 3.0),
    )
    assert found.verdict == "pass"
    assert found.against(3.0).verdict == "fail"
    assert compare(exponent(4.1, 0.01), predicted=4.0, tolerance=0.05).verdict == "fail"


def test_measured_predictions_add_their_error():
    prediction = Prediction("g", "exponent", 1.0, "test", se=0.03, df=5)
    found = Comparison("test", prediction, exponent(1.0, 0.04, df=10), 0.2)
    s = 0.05
    df = s**4 / (0.04**4 / 10 + 0.03**4 / 5)
    assert found.outcome.interval[1] == pytest.approx(stats.t.ppf(0.95, df) * s)
    alone = Comparison(
        "test", Prediction("g", "exponent", 1.0, "test", se=0.03), exponent(1.0, 0.04, df=None), 0.2
    )
    assert alone.outcome.interval[1] == pytest.approx(stats.norm.ppf(0.95) * s)


def test_mutations_flip_the_verdict():
    good = compare(exponent(1.0, 0.01))
    assert good.verdict == "pass"
    assert compare(exponent(1.0 + 2 * good.tolerance, 0.01)).verdict == "fail"


def test_curve_comparison():
    x = np.array([1.0, 2.0, 4.0])
    prediction = Prediction("L", "curve", np.array([1.0, 0.5, 0.25]), "test", x=x)
    measured = Measurement(
        np.array([1.01, 0.5, 0.251]), np.array([0.005, 0.002, 0.001]), 9, 10, "test", (1.0, 4.0)
    )
    found = Comparison("test", prediction, measured, 0.05, rival=Rival("flat", np.ones(3)))
    assert (found.verdict, found.tolerance_kind, found.discriminating) == ("pass", "relative", True)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: exponent(np.nan, 0.1), "value = nan must be finite"),
        (lambda: exponent(1.0, 0.0), "without an uncertainty"),
        (lambda: exponent(1.0, -0.1), "se = -0.1"),
        (lambda: exponent(1.0, 0.1, df=0), "df = 0"),
        (lambda: Prediction("g", "guess", 1.0, "test"), "kind = 'guess'"),
        (lambda: judge(0.1, 0.1, 8, 0.0), "tolerance = 0.0"),
        (lambda: compare(exponent(1.0, 0.1), tolerance=-1), "tolerance = -1"),
        (lambda: compare(exponent(1.0, 0.1), tolerance=np.inf), "> 0 and finite"),
        (lambda: compare(exponent(1.0, 0.1), tolerance_kind="loose"), "tolerance_kind = 'loose'"),
        (lambda: compare(exponent(1.0, 0.1), expect="passs"), "expect = 'passs'"),
        (lambda: compare(exponent(1.0, 0.1), evidence="hearsay"), "evidence = 'hearsay'"),
        (lambda: compare(exponent(1.0, 0.1), predicted=np.inf), "prediction = inf must be finite"),
        (
            lambda: compare(exponent(1.0, 0.1), rival=Rival("wrong", np.nan)),
            "rival = nan must be finite",
        ),
        (lambda: compare(exponent(np.ones(3), np.ones(3))), "a curve needs one value per point"),
        (lambda: compare(None), "needs a prediction and a measurement"),
        (lambda: Comparison("test", None, exponent(1.0, 0.1), 0.1), "needs a prediction and"),
        (lambda: Crash("test", "no", expect="passs"), "expect = 'passs'"),
    ],
)
def test_what_cannot_be_judged_is_refused(make, complaint):
    with pytest.raises(DomainError, match=complaint):
        make()


# -- rankings and thresholds ------------------------------------------------------------------------------------------------


def _ranking(value, measured, se=0.1, df=9):
    return Comparison(
        "who wins", Prediction("winner", "ranking", value, "s"), Measurement(measured, se, df, 10, "paired", (1.0, 2.0)), 0.25,
        rival=Rival("the other one", -value if value else 1.0),
    )  # fmt: skip


def test_rankings_have_three_outcomes_too():
    assert _ranking(1.0, 0.5).verdict == "pass"
    assert _ranking(1.0, -0.5).verdict == "fail"
    assert _ranking(1.0, 0.0, se=0.05).verdict == "fail"  # shown to be a tie
    assert _ranking(1.0, 0.15).verdict == "inconclusive"
    assert _ranking(-1.0, -0.5).verdict == "pass"
    assert _ranking(0.0, 0.02, se=0.05).verdict == "pass"
    assert _ranking(0.0, 0.9).verdict == "fail"
    assert _ranking(1.0, 0.5).discriminating
    assert not _ranking(1.0, 0.15).discriminating


def test_false_winners_are_rare():
    rng = np.random.default_rng(7)
    draws = rng.standard_normal((4000, 10))
    wins = 0
    for row in draws:
        wins += _ranking(1.0, row.mean(), row.std(ddof=1) / np.sqrt(10)).verdict == "pass"
    assert wins / 4000 == pytest.approx(0.05, abs=0.012)


def test_thresholds_are_judged_like_numbers():
    threshold = Comparison(
        "p_c", Prediction("threshold", "threshold", 0.5, "s"), Measurement(0.503, 0.004, 8, 9, "crossings", (0.4, 0.6)), 0.05,
        tolerance_kind="relative", rival=Rival("mean field", 1 / 3),
    )  # fmt: skip
    assert threshold.verdict == "pass"
    assert threshold.discriminating


# -- crashes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expect", ["pass", "fail", "inconclusive"])
def test_a_crash_is_never_as_expected(expect):
    crash = Crash("a.check", "Traceback: no", expect, "a reason", 1.5)
    assert (crash.verdict, crash.as_expected, crash.undecided) == ("error", False, False)
    assert crash.id == crash.check == "a.check"
    assert not isinstance(crash, Comparison)


def test_a_comparison_knows_its_check():
    assert compare(exponent(1.0, 0.01)).check == "test"
    measured = Measurement(1.0, 0.1, 9, 10, "m", (1.0, 2.0))
    assert (
        Comparison("a.b/c/d", Prediction("g", "exponent", 1.0, "s"), measured, 0.1).check == "a.b"
    )
