"""The check of repetition: as expected, discriminating, and flipped by miscounted tokens, exchanged rates and other runs."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.verify.checks.empirical import repeated_tokens as checks
from scalinglaws.verify.empirical.fits import fit_law

from ..mutations import verdicts

NAME = "empirical.repetition"


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report([NAME])
    assert len(report.comparisons) == 3
    for comparison in report.comparisons:
        assert comparison.verdict == "pass"
        assert comparison.as_expected
        assert comparison.discriminating


@pytest.mark.slow
def test_full_effort_passes():
    assert set(verdicts(checks.repetition, NAME, "full").values()) == {"pass"}


def test_corpora_that_are_miscounted_fail(monkeypatch):
    original = checks.fitted

    def miscounted(law, table):
        return original(law, {**table, "U": 1.3 * table["U"]})

    monkeypatch.setattr(checks, "fitted", miscounted)
    assert verdicts(checks.repetition, NAME)["steep-R_D"] == "fail"


def test_rates_that_are_exchanged_fail(monkeypatch):
    original = checks.fitted

    def exchanged(law, table):
        found = original(law, table)
        order = [0, 1, 2, 3, 4, 6, 5] if law == "repetition" else slice(None)
        return replace(found, x=found.x[order])

    monkeypatch.setattr(checks, "fitted", exchanged)
    found = verdicts(checks.repetition, NAME)
    assert found["steep-R_D"] == found["steep-R_N"] == "fail"


def test_runs_whose_tokens_keep_their_worth_fail(monkeypatch):
    original = checks._worth
    monkeypatch.setattr(checks, "_worth", lambda times, rate: original(times, 1.3 * rate))
    found = verdicts(checks.repetition, NAME)
    assert found["steep-R_D"] == found["steep-R_N"] == "fail"


def test_what_is_drawn_is_the_law_that_is_fitted():
    points, law = checks.repeated_runs(), fit_law("repetition")
    for rates in checks.DRAWN.values():
        x = law.coordinates({**checks.SURFACE, **rates})
        np.testing.assert_allclose(
            checks.log_losses(points, rates), law.predict(x, points), rtol=1e-13
        )
