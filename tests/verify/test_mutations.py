"""The whole default run at a fixed root: every verdict as declared, every rival rejected, and none of them robust to being wrong."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import verify


@pytest.fixture(scope="module")
def report(shared_report):
    return shared_report()


def test_every_verdict_is_the_declared_one(report):
    assert [
        (comparison.id, comparison.verdict)
        for comparison in report.comparisons
        if not comparison.as_expected
    ] == []
    assert {comparison.id.split(".")[0] for comparison in report.comparisons} == {
        name.split(".")[0] for name in verify.available()
    }


def test_every_comparison_has_a_rival_and_rejects_it(report):
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []


def test_no_verdict_survives_a_measurement_that_is_off_by_two_tolerances(report):
    survived = []
    for comparison in report.comparisons:
        measured, tolerance = comparison.measurement, comparison.tolerance
        if comparison.prediction.kind == "ranking" or comparison.verdict != "pass":
            continue
        scale = (
            np.abs(comparison.prediction.value) if comparison.tolerance_kind == "relative" else 1.0
        )
        for sign in (-1, 1):
            shifted = replace(
                comparison,
                measurement=replace(measured, value=measured.value + sign * 2 * tolerance * scale),
            )
            if shifted.verdict == "pass":
                survived.append(comparison.id)
    assert survived == []


def test_known_disagreements_say_why(report):
    for comparison in report.known_disagreements:
        assert comparison.expect_reason
