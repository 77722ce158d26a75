"""JSON and back: exactly, or not at all."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DataError
from scalinglaws.verify import Comparison, Crash, Measurement, Prediction, Report, Rival
from scalinglaws.verify.provenance import environment
from scalinglaws.verify.schema import comparison_from_dict, comparison_to_dict


def one_of_each():
    x = np.array([1.0, 2.0, 4.0])
    fitted = Measurement(2.01, 0.02, 9, 10, "fit", (10.0, 100.0), systematic=0.01)
    exact = Measurement(1.0, 1e-9, None, 1, "slope", (1.0, np.inf), deterministic=True)
    pairs = Measurement(0.5, 0.1, 9, 10, "pairs", (1.0, 2.0))
    pilot = Measurement(1.0, 0.9, 3, 4, "pilot", (1.0, 2.0), underpowered=True)
    curve = Measurement(1.01 / x, 0.001 / x, 9, 10, "mean", (1.0, 4.0))
    law, other = (
        Prediction("g", "exponent", 2.0, "law", domain={"n": (1.0, np.inf)}),
        Rival("other", 3.0),
    )
    whole = Prediction("L", "curve", 1 / x, "solver", x=x, domain={"n": (1.0, 2.0)})
    return (
        Comparison("a.b/exponent", law, fitted, 0.1, rival=other),
        Comparison(
            "a.b/measured",
            Prediction("g", "exponent", 2.0, "law", se=0.05, df=3),
            fitted,
            0.4,
            rival=other,
        ),
        Comparison(
            "a.b/curve",
            whole,
            curve,
            0.05,
            rival=Rival("flat", np.ones(3)),
            notes=("a remark", "another"),
        ),
        Comparison(
            "a.b/exact",
            Prediction("g", "exponent", 1.0, "law"),
            exact,
            1e-3,
            rival=Rival("two", 2.0),
            evidence="exact",
        ),
        Comparison(
            "a.b/winner",
            Prediction("w", "ranking", 1.0, "law"),
            pairs,
            0.05,
            rival=Rival("tie", 0.0),
        ),
        Comparison(
            "a.b/pilot",
            law,
            pilot,
            0.1,
            rival=other,
            expect="inconclusive",
            expect_reason="known; shown",
        ),
    )


CRASH = Crash("a.crash", "Traceback: no", wall_s=0.25)


@pytest.fixture
def report():
    return Report(
        one_of_each(),
        {"a": "everything"},
        7,
        "full",
        environment(1.5, run_s=3.0, compile_s=0.5),
        crashes=(CRASH,),
    )


def test_round_trip_is_exact(report):
    text = report.to_json()
    again = Report.from_json(text)
    assert again.to_json() == text
    assert [comparison.verdict for comparison in again.comparisons] == [
        comparison.verdict for comparison in report.comparisons
    ]
    assert again.summary == report.summary
    assert again.comparisons[2].excluded == 1
    assert again.crashes == (CRASH,)


def test_version_1_is_still_read(root):
    """The file was written by version 0.1.0, in which a crash was a comparison."""
    text = (root / "tests" / "reference" / "report_v1.json").read_text(encoding="utf-8")
    old = json.loads(text)
    found = Report.from_json(text)
    assert old["schema"] == 1
    assert [entry.id for entry in found.entries] == [entry["id"] for entry in old["comparisons"]]
    assert [entry.verdict for entry in found.entries] == [
        entry["verdict"] for entry in old["comparisons"]
    ]
    assert found.summary == old["summary"]
    crashed, empty = found.crashes
    assert (crashed.check, empty.check) == ("own.crash", "own.empty")
    assert crashed.error.endswith("RuntimeError: the simulation ran out of <memory>")
    assert empty.error == "the check made no comparison"
    assert (empty.expect, empty.expect_reason) == (
        "fail",
        "the formula neglects 1/N; simulation of 2020",
    )
    assert crashed.wall_s == next(e for e in old["comparisons"] if e["id"] == "own.crash")["wall_s"]
    new = found.to_dict()
    assert new["schema"] == 2
    assert new["comparisons"] == [e for e in old["comparisons"] if e["verdict"] != "error"]
    for name in ("created", "title", "seed_root", "environment", "families", "summary"):
        assert new[name] == old[name]
    assert Report.from_dict(new).to_dict() == new


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.update(crashes=[]), "report has unknown keys: crashes"),
        (lambda d: d["comparisons"][2].update(color="red"), r"comparisons\[2\] has unknown keys"),
        (lambda d: d["comparisons"][2].update(expect="no"), r"comparisons\[2\] \(own.crash\)"),
        (lambda d: d["comparisons"][2].update(verdict="pass"), r"comparisons\[2\]"),
        (lambda d: d["comparisons"].pop(2), "does not count"),
    ],
)
def test_refusals_of_version_1_name_the_place(root, change, complaint):
    text = (root / "tests" / "reference" / "report_v1.json").read_text(encoding="utf-8")
    data = json.loads(text)
    change(data)
    with pytest.raises(DataError, match=complaint):
        Report.from_dict(data)


def test_a_real_report_survives(shared_report):
    text = shared_report(["linear.statics", "perceptron"]).to_json()
    assert Report.from_json(text).to_json() == text


finite = st.floats(-1e6, 1e6)


@given(
    finite,
    st.floats(1e-6, 10),
    st.one_of(st.none(), st.floats(1, 1e3)),
    finite,
    st.floats(1e-3, 10),
    finite,
)
def test_every_number_survives(value, se, df, predicted, tolerance, rival):
    made = Comparison(
        "x",
        Prediction("x", "exponent", predicted, "s"),
        Measurement(value, se, df, 5, "m", (1.0, 2.0)),
        tolerance,
        rival=Rival("r", rival),
    )
    written = comparison_to_dict(made)
    assert comparison_to_dict(comparison_from_dict(json.loads(json.dumps(written)))) == written


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.update(extra=1), "report has unknown keys: extra"),
        (lambda d: d.pop("families"), "report lacks the keys families"),
        (lambda d: d.update(schema=3), "schema = 3: this version reads 1 and 2"),
        (lambda d: d.update(schema=1), "report has unknown keys: crashes"),
        (lambda d: d.update(title="mine"), "title = 'mine'"),
        (lambda d: d["environment"].update(mood="good"), "environment has unknown keys: mood"),
        (
            lambda d: d["comparisons"][0].update(colour="red"),
            r"comparisons\[0\] has unknown keys: colour",
        ),
        (
            lambda d: d["comparisons"][0]["prediction"].update(y=1),
            r"comparisons\[0\].prediction has unknown keys: y",
        ),
        (
            lambda d: d["comparisons"][0]["measurement"].pop("df"),
            r"comparisons\[0\].measurement lacks the keys df",
        ),
        (lambda d: d["comparisons"][0]["effect"].update(q=1), "effect has unknown keys"),
        (lambda d: d["comparisons"][0]["rival"].update(q=1), "rival has unknown keys"),
        (lambda d: d["comparisons"][0].update(verdict="fail"), "numbers give the verdict 'pass'"),
        (lambda d: d["comparisons"][0].update(verdict="splendid"), "unknown verdict 'splendid'"),
        (lambda d: d["comparisons"][0]["rival"].update(verdict="pass"), "rival: 'fail'"),
        (lambda d: d["comparisons"][2]["measurement"].update(se=[0.1, 0.1]), r"comparisons\[2\]"),
        (
            lambda d: d["comparisons"][0]["measurement"].update(value="much"),
            "'much' is not a number",
        ),
        (
            lambda d: d["comparisons"][0]["measurement"].update(window=3),
            r"comparisons\[0\] \(a.b/exponent\)",
        ),
        (lambda d: d["summary"].update({"pass": 9}), "does not count the comparisons"),
        (lambda d: d["families"].clear(), "families do not follow"),
        (lambda d: d["comparisons"].__setitem__(0, 3), r"comparisons\[0\] must be an object"),
        (lambda d: d["comparisons"][0].update(verdict="error"), "unknown verdict 'error'"),
        (lambda d: d.update(crashes={}), "crashes must be a list"),
        (lambda d: d.update(comparisons={}), "comparisons must be a list"),
        (lambda d: d.update(seed_root=True), "seed_root must be a whole number"),
        (lambda d: d["crashes"].clear(), "does not count"),
        (lambda d: d["crashes"][0].update(color="red"), r"crashes\[0\] has unknown keys: color"),
        (lambda d: d["crashes"][0].pop("error"), r"crashes\[0\] lacks the keys error"),
        (lambda d: d["crashes"][0].update(expect="no"), r"crashes\[0\] \(a.crash\): expect = 'no'"),
        (lambda d: d["crashes"][0].update(wall_s="long"), "'long' is not a number"),
    ],
)
def test_refusals_name_the_place(report, change, complaint):
    data = copy.deepcopy(report.to_dict())
    change(data)
    with pytest.raises(DataError, match=complaint):
        Report.from_dict(data)


@pytest.mark.parametrize("text", ["{", '{"schema": NaN}', "[]"])
def test_refuses_what_is_no_report(text):
    with pytest.raises(DataError):
        Report.from_json(text)
