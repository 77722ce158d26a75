"""The check of task accuracy: as expected, and failed by fits that take another chance, or the wrong loss for their sigmoid."""

import numpy as np
import pytest

from scalinglaws.verify.checks.empirical import accuracy as checks
from scalinglaws.verify.empirical.fits import _task_fit
from scalinglaws.verify.registry import Context, registered

from ..mutations import verdicts

NAME = "empirical.task-accuracy"


def test_the_check():
    found = {c.id.split("/")[1]: c for c in checks.two_steps(Context(NAME, "quick", 0))}
    assert list(found) == ["loss", "accuracy", "near", "ceiling"]
    for comparison in found.values():
        assert comparison.verdict == "pass"
        assert comparison.discriminating
    assert registered()[NAME].effort == "quick"


def test_a_ceiling_that_is_off_fails(monkeypatch):
    """A ceiling of 0.99, whatever the runs say."""
    original = _task_fit.fit_sigmoids

    def higher(*args, **options):
        return original(*args, **options | {"ceiling": 0.99})

    monkeypatch.setattr(_task_fit, "fit_sigmoids", higher)
    found = verdicts(checks.two_steps, NAME)
    assert found["ceiling"] == "fail"
    assert found["accuracy"] != "pass"
    assert found["loss"] == "pass"


def test_losses_that_were_not_measured_fail(monkeypatch):
    """A sigmoid of losses without what is irreducible, as predictions do not have them."""
    original = _task_fit.fit_sigmoids
    monkeypatch.setattr(
        _task_fit,
        "fit_sigmoids",
        lambda losses, *rest, **given: original(0.95 * losses, *rest, **given),
    )
    found = verdicts(checks.two_steps, NAME)
    assert found["accuracy"] == "fail"
    assert found["near"] == "fail"


def test_a_power_law_in_one_step_misses_on_both_sides():
    """It is too low just beyond the runs, and too high far beyond: where it is right is where it crosses."""
    table = checks.draw_task(np.random.default_rng(0))
    truth = checks.task_accuracy(checks.task_loss(*checks.NEAR))
    assert checks.one_step(table) < truth - 0.01
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "NEAR", (7e10, 1.4e12))
        assert checks.one_step(table) > checks.task_accuracy(checks.task_loss(7e10, 1.4e12)) + 0.02
