"""Batch ramps, momentum and budgets against simulation: verdicts as expected, and flipped by wrong laws and wrong solvers."""

import dataclasses

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.schedules import memory_laws

from ..mutations import changed, verdicts

QUICK = {
    "schedules.batch-ramp.simulated": (memory_laws.ramps, {"equivalent", "early"}),
    "schedules.momentum.simulated": (memory_laws.rescaled, {"loss", "exponent"}),
    "schedules.dana.simulated": (memory_laws.adapted, {"time"}),
}


@pytest.fixture(scope="module")
def report():
    return verify.run(list(QUICK), rng=0)


def scaled(monkeypatch, factor, *forms):
    """Let the laws of schedules answer with a multiple of what they say, when asked for a form or for their exponent."""
    original = {"__call__": Law.__call__, "evaluate": Law.evaluate}

    def called(self, **values):
        found = original["__call__"](self, **values)
        return float(found) * factor if self.name.startswith("schedules.") else found

    def evaluated(self, form, **values):
        found = original["evaluate"](self, form, **values)
        return found * factor if form in forms else found

    monkeypatch.setattr(Law, "__call__", called)
    monkeypatch.setattr(Law, "evaluate", evaluated)


def test_every_verdict_is_as_expected(report):
    assert report.as_expected
    assert {entry.id for entry in report.comparisons} == {
        f"{check}/{name}" for check, (_, names) in QUICK.items() for name in names
    }
    for found in report.comparisons:
        assert found.discriminating
        assert found.evidence == "simulation"


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_wrong_exponents_fail(factor, monkeypatch):
    scaled(monkeypatch, factor, "early_loss", "time")
    assert verdicts(memory_laws.ramps, "schedules.batch-ramp.simulated")["early"] == "fail"
    assert verdicts(memory_laws.rescaled, "schedules.momentum.simulated")["exponent"] == "fail"
    assert verdicts(memory_laws.adapted, "schedules.dana.simulated") == {"time": "fail"}


def test_a_ramp_that_grows_otherwise_fails(monkeypatch):
    scaled(monkeypatch, 0.5, "batch")
    found = verdicts(memory_laws.ramps, "schedules.batch-ramp.simulated")
    assert found == {"equivalent": "fail", "early": "pass"}


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_another_effective_rate_fails(factor, monkeypatch):
    scaled(monkeypatch, factor, "effective_rate")
    found = verdicts(memory_laws.rescaled, "schedules.momentum.simulated")
    assert found["loss"] == "fail"


def test_a_wrong_solver_fails(monkeypatch):
    changed(
        memory_laws,
        "train",
        monkeypatch,
        lambda found: dataclasses.replace(found, test_loss=1.1 * found.test_loss),
    )
    found = verdicts(memory_laws.rescaled, "schedules.momentum.simulated")
    assert found == {"loss": "fail", "exponent": "pass"}


def test_the_ramp_takes_as_many_samples_as_the_decay():
    law, steps = theory.law("schedules.batch_ramp"), 1000
    serial = int(law.evaluate("serial_steps", t=float(steps), p=1))
    ramp = law.evaluate("batch", B=32.0, p=1, u=np.arange(serial) / serial)
    assert serial == steps / 2
    assert np.sum(ramp) == pytest.approx(32 * steps, rel=0.05)


def test_memory_fades_with_time_or_shrinks_with_the_size():
    np.testing.assert_allclose(memory_laws._memory("decaying", np.inf, 8)[[0, 7]], [1.0, 0.5])
    np.testing.assert_allclose(memory_laws._memory("constant", 4, 2), [0.25, 0.25])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "name", "parts"),
    [
        (
            memory_laws.frontiers,
            "schedules.dana.frontier",
            {"decaying-loss", "constant-loss"},
        ),
        (memory_laws.noisy, "schedules.compute.simulated", {"loss"}),
    ],
)
def test_frontiers_are_as_expected_and_reject_wrong_laws(check, name, parts, monkeypatch):
    swept = {}
    original = memory_laws._Frontier.rows

    def once(self, losses):
        key = len(swept)
        return swept.setdefault(key, original(self, losses))

    monkeypatch.setattr(memory_laws._Frontier, "rows", once)
    assert verdicts(check, name, "full") == dict.fromkeys(parts, "pass")
    kept = list(swept.values())
    monkeypatch.setattr(memory_laws._Frontier, "rows", lambda self, losses: kept.pop(0))
    scaled(monkeypatch, 1.25, "features", "constant")
    assert set(verdicts(check, name, "full").values()) == {"fail"}
