"""Schedules that were held out: verdicts as expected, and flipped where the law knows no decay, or reads the rates wrongly."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.verify.checks.empirical import held_out_schedules as checks
from scalinglaws.verify.estimate import ScheduledCurve, fit_schedule_law

from ..mutations import changed, verdicts

CHECK = "empirical.schedule"


def test_verdicts_are_as_expected_and_both_blind_laws_are_rejected():
    report = verify.run([CHECK], rng=0)
    assert report.as_expected
    assert [entry.id for entry in report.comparisons] == [f"{CHECK}/wsd20", f"{CHECK}/linear"]
    for found in report.comparisons:
        assert found.verdict == "pass"
        assert found.discriminating
        assert found.prediction.se < 0.3 * found.tolerance
        assert found.measurement.se < 0.3 * found.tolerance
        expected = [float(note.split()[-1]) for note in found.notes]
        assert len(expected) == 2
        assert min(expected) > found.measurement.value + 2.5 * found.tolerance


@pytest.mark.parametrize("law", list(checks.BLIND))
def test_a_law_that_knows_no_decay_fails(law, monkeypatch):
    def blind(name, curves, **given):
        return fit_schedule_law(list(curves.values()), start=5, law=law, bootstrap=0)

    monkeypatch.setattr(checks, "fit_curves", blind)
    assert verdicts(checks.schedule, CHECK) == {"wsd20": "fail", "linear": "fail"}


def test_half_of_what_a_decay_takes_off_fails(monkeypatch):
    def half(fit):
        B = fit.names.index("B")
        return replace(fit, x=np.where(np.arange(fit.x.size) == B, fit.x - np.log(2), fit.x))

    changed(checks, "fit_curves", monkeypatch, half)
    assert verdicts(checks.schedule, CHECK) == {"wsd20": "fail", "linear": "fail"}


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_other_losses_fail(factor, monkeypatch):
    def scaled(curve):
        return ScheduledCurve(curve.schedule, curve.steps, factor * curve.losses)

    changed(checks, "_simulated", monkeypatch, scaled)
    assert verdicts(checks.schedule, CHECK) == {"wsd20": "fail", "linear": "fail"}
