"""Exact curves of schedules against simulation: verdicts as expected, rivals far away, and flipped by a solver that is wrong."""

import dataclasses

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.verify.checks.schedules import curves, replicates

from ..mutations import changed, verdicts

CHECKS = {
    "schedules.decays": (curves.decays, {"wsd", "cosine"}),
    "schedules.batches": (curves.batches, {"growing"}),
    "schedules.memories": (curves.memories, {"heavy-ball", "dana"}),
    "schedules.averages": (curves.averages, {"tail", "ema"}),
    "schedules.few-features": (curves.few_features, {"decay"}),
}


@pytest.fixture(scope="module")
def report():
    return verify.run(list(CHECKS), rng=0)


def test_every_verdict_is_as_expected(report):
    assert report.as_expected
    assert {entry.id for entry in report.comparisons} == {
        f"{check}/{name}" for check, (_, names) in CHECKS.items() for name in names
    }
    assert all(found.discriminating for found in report.comparisons)


def test_every_rival_is_told_apart_by_more_than_five_standard_errors(report):
    for found in report.comparisons:
        for note in found.notes:
            assert int(note.rpartition(": ")[2].split()[0]) > 5, (found.id, note)


def test_losses_are_measured_to_a_fraction_of_the_tolerance(report):
    for found in report.comparisons:
        allowed = found.tolerance * np.asarray(found.prediction.value)
        assert np.all(found.measurement.se < 0.5 * allowed), found.id


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("direction", [1, -1])
def test_a_wrong_solver_fails(check, direction, monkeypatch):
    def wrong(found):
        scale = 1 + 2.5 * direction * replicates.CURVE_TOLERANCE
        scaled = {"test_loss": found.test_loss * scale}
        if found.averaged_loss is not None:
            scaled["averaged_loss"] = found.averaged_loss * scale
        return dataclasses.replace(found, **scaled)

    changed(curves, "train", monkeypatch, wrong)
    assert set(verdicts(CHECKS[check][0], check).values()) == {"fail"}


def test_a_solver_that_ignores_the_batch_fails(monkeypatch):
    original = curves.train
    monkeypatch.setattr(
        curves, "train", lambda *args, **given: original(*args, **{**given, "batch": 8})
    )
    assert verdicts(curves.batches, "schedules.batches") == {"growing": "fail"}


@pytest.mark.slow
def test_nesterov_is_as_expected_in_a_full_run():
    found = verdicts(curves.memories, "schedules.memories", "full")
    assert found == dict.fromkeys(("heavy-ball", "nesterov", "dana"), "pass")


def test_what_few_modes_do_not_hold_stands_still():
    task = replicates.whole_task(2, 1.5, 10)
    eigenvalues, signal = task.explicit()
    assert signal.sum() == pytest.approx(np.pi**2 / 6, rel=1e-9)
    assert eigenvalues[-1] < 1e-11
    assert replicates.allowed(0.5) == 0.03
    assert replicates.allowed(1.0) == 0.05
