"""Reports say everything, to people and to machines."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.verify import Comparison, Crash, Measurement, Prediction, Report, Rival
from scalinglaws.verify.provenance import environment
from scalinglaws.verify.report import HEADER


@pytest.fixture
def report():
    exponent = Comparison(
        "a/exponent",
        Prediction("g", "exponent", 2.0, "law", domain={"samples": (1.0, np.inf)}),
        Measurement(2.01, 0.02, 9, 10, "fit", (10.0, 100.0), systematic=0.01),
        0.1,
        rival=Rival("wrong", 3.0),
        notes=("a remark",),
    )
    curve = Comparison(
        "a/curve",
        Prediction("L", "curve", np.array([1.0, 0.5]), "solver", x=np.array([1.0, 2.0])),
        Measurement(np.array([1.2, 0.5]), np.array([0.01, 0.01]), 9, 10, "mean", (1.0, 2.0)),
        0.05,
        rival=Rival("close", np.array([1.2, 0.5])),
    )
    exact = Comparison(
        "a/exact",
        Prediction("g", "exponent", 1.0, "law"),
        Measurement(1.0, 1e-9, None, 1, "slope", (1.0, 2.0), deterministic=True),
        1e-3,
        rival=Rival("wrong", 2.0),
        evidence="exact",
    )
    return Report((exponent, curve, exact), {"a": "a statement"}, 3, "quick", environment(1.5))


def test_summary_counts_every_verdict(report):
    assert report.summary == {
        "pass": 2,
        "fail": 1,
        "inconclusive": 0,
        "underpowered": 0,
        "error": 0,
        "unexpected": 1,
        "non_discriminating": 1,
    }
    assert not report.as_expected
    line = report.summary_line()
    assert "3 comparisons: 2 pass, 1 fail" in line
    assert "1 NOT AS EXPECTED" in line
    assert "1 without power to reject their rival" in line


def test_rows_match_the_header(report):
    rows = report.rows()
    assert all(len(row) == len(HEADER) for row in rows)
    assert rows[0] == (
        "a/exponent",
        "2",
        "2.010 +- 0.020",
        "0.1",
        "pass",
        "3: rejected",
        "10",
        "10..100",
    )
    assert rows[1][2] == "+20.0% +- 1.0% at worst"
    assert rows[1][4] == "fail (expected pass)"
    assert rows[1][5] == "close: NOT rejected (pass)"


def test_a_curve_may_have_one_error_for_all_points(report):
    curve = report.comparisons[1]
    alike = replace(curve, measurement=replace(curve.measurement, se=0.01))
    assert replace(report, comparisons=(alike,)).rows() == [report.rows()[1]]


def test_notes_and_provenance(report):
    assert report.notes() == ["a/exponent: a remark"]
    assert "seed 3, quick effort, 1.5 s" in report.provenance_line()


def test_json_follows_the_schema(report):
    found = json.loads(report.to_json())
    assert found["schema"] == 2
    assert set(found) == {
        "schema",
        "created",
        "title",
        "seed_root",
        "environment",
        "comparisons",
        "crashes",
        "families",
        "summary",
    }
    first = found["comparisons"][0]
    assert set(first) == {
        "id", "kind", "prediction", "measurement", "tol", "tol_kind", "effect", "verdict", "expect", "expect_reason",
        "kind_of_evidence", "rival", "excluded", "warnings", "wall_s",
    }  # fmt: skip
    assert first["prediction"]["domain"] == {"samples": [1.0, "inf"]}
    low, high = first["measurement"]["ci"]
    assert low < 2.01 < high
    assert high - low == pytest.approx(
        2 * 2.262 * 0.02, rel=1e-3
    )  # two-sided 95 %, 9 degrees of freedom
    assert first["rival"] == {
        "name": "wrong",
        "value": 3.0,
        "verdict": "fail",
        "discriminating": True,
    }
    assert found["comparisons"][1]["tol_kind"] == "relative"
    assert found["comparisons"][1]["measurement"]["x"] == [1.0, 2.0]
    assert found["comparisons"][2]["effect"]["z"] is None
    assert found["environment"]["wall_s"] == 1.5
    assert found["crashes"] == []


def test_a_crash_fails_a_run_and_is_no_comparison(report):
    crash = Crash("a", "Traceback: no", expect="fail", expect_reason="known", wall_s=0.5)
    crashed = replace(report, comparisons=report.comparisons[2:], crashes=(crash,))
    assert crashed.entries == (*crashed.comparisons, crash)
    assert not crashed.as_expected
    assert not crashed.succeeded()
    assert crashed.summary == {
        "pass": 1,
        "fail": 0,
        "inconclusive": 0,
        "underpowered": 0,
        "error": 1,
        "unexpected": 1,
        "non_discriminating": 0,
    }
    assert crashed.known_disagreements == (crash,)
    assert crashed.rows()[1] == ("a", "", "", "", "error (!)", "", "", "")
    assert crashed.notes() == ["a crashed: Traceback: no"]
    line = crashed.summary_line()
    assert line == "1 comparisons and 1 crashes: 1 pass, 1 error; 1 NOT AS EXPECTED"
    assert "fail      error (!)  known" in crashed.to_text()
    assert json.loads(crashed.to_json())["crashes"] == [
        {
            "check": "a",
            "error": "Traceback: no",
            "expect": "fail",
            "expect_reason": "known",
            "wall_s": 0.5,
        }
    ]


def test_crashes_stand_where_their_checks_do(report):
    made = [replace(report.comparisons[0], id=name) for name in ("b/1", "b/2", "d/1", "d/2")]
    crashes = tuple(Crash(name, "no") for name in "abcde")
    shown = replace(report, comparisons=tuple(made), crashes=crashes).entries
    assert [entry.id for entry in shown] == ["a", "b/1", "b/2", "b", "c", "d/1", "d/2", "d", "e"]


def test_a_report_of_nothing_is_not_silent():
    empty = Report((), {}, 0, "quick", environment())
    assert "nothing compared" in empty.summary_line()
