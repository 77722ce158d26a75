"""Predictions from measured curves: the verdict as expected, and flipped where the fit knows no noise, or adds it up wrongly."""

from functools import partial

import pytest

from scalinglaws import verify
from scalinglaws.verify.checks.schedules import measured_curves
from scalinglaws.verify.estimate import fit_schedule_law

from ..mutations import changed, verdicts

CHECK = "schedules.bridge"


def test_the_verdict_is_as_expected():
    report = verify.run([CHECK], rng=0)
    assert report.as_expected
    (found,) = report.comparisons
    assert found.verdict == "pass"
    assert found.discriminating
    assert found.rival.value > found.prediction.value + 3 * found.tolerance
    assert found.prediction.se < 0.3 * found.tolerance
    assert found.measurement.se < 0.3 * found.tolerance


@pytest.mark.parametrize("law", ["steps", "intrinsic_time"])
def test_a_fit_without_noise_fails(law, monkeypatch):
    blind = partial(fit_schedule_law, start=5, law=law, bootstrap=0)
    monkeypatch.setattr(measured_curves, "fit_schedule_law", lambda curves, **given: blind(curves))
    assert verdicts(measured_curves.bridge, CHECK) == {"wsd": "fail"}


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_other_losses_fail(factor, monkeypatch):
    def scaled(curve):
        return type(curve)(curve.schedule, curve.steps, factor * curve.losses)

    changed(measured_curves, "_simulated", monkeypatch, scaled)
    assert verdicts(measured_curves.bridge, CHECK) == {"wsd": "fail"}
