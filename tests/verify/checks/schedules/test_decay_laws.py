"""What a decay buys, against simulation: verdicts as expected, and flipped by wrong laws."""

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.schedules import decay_laws

from ..mutations import verdicts

QUICK = ("schedules.functional.simulated", "schedules.tuned.simulated")


@pytest.fixture(scope="module")
def report():
    return verify.run(list(QUICK), rng=0)


def scaled(monkeypatch, name, factor, method="__call__"):
    """Let one law answer with a multiple of what it says."""
    original = getattr(Law, method)

    def mutated(self, *args, **values):
        found = original(self, *args, **values)
        return float(found) * factor if self.name == name else found

    monkeypatch.setattr(Law, method, mutated)


def test_every_verdict_is_as_expected(report):
    assert report.as_expected
    assert {entry.id.rpartition("/")[2] for entry in report.comparisons} == {
        *("bias", "floor", "decay"),
        "hard-decay",
    }
    for found in report.comparisons:
        assert found.discriminating
        assert found.evidence == "simulation"


@pytest.mark.parametrize("name", ["schedules.functional", "schedules.cooldown_variance"])
def test_a_wrong_constant_of_bias_or_noise_fails(name, monkeypatch):
    scaled(monkeypatch, name, 2.0, "evaluate")
    found = verdicts(decay_laws.functional, QUICK[0])
    wrong = {"bias", "floor", "decay"} - ({"bias"} if name.endswith("variance") else set())
    assert {part for part, verdict in found.items() if verdict == "fail"} == wrong


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_wrong_exponent_of_a_tuned_decay_fails(factor, monkeypatch):
    scaled(monkeypatch, "schedules.tuned", factor)
    assert verdicts(decay_laws.tuned, QUICK[1]) == {"hard-decay": "fail"}


def test_the_best_rate_is_interpolated_and_kept_within_the_rates():
    """Parabolas in logarithms with a known bottom, inside and beyond the rates, and one that opens downward."""
    places = np.array([-1.0, 0.0, 1.0])
    bottoms = np.array([0.3, 5.0])
    rows = np.exp((places[:, None] - bottoms) ** 2)
    found = decay_laws._at_best(np.stack([rows, 2 * rows]))
    expected = np.array([1.0, np.exp(16.0)])
    np.testing.assert_allclose(found, np.stack([expected, 2 * expected]), rtol=1e-12)
    capped = np.exp(-0.1 * (places[:, None] + 0.2) ** 2)
    np.testing.assert_allclose(decay_laws._at_best(capped[None]), [[np.exp(-0.144)]], rtol=1e-12)


def test_lengths_share_the_work():
    task = decay_laws.whole_task(2, 1.5, 5)
    schedules = [decay_laws.Schedule.constant(0.1, steps) for steps in (10, 40)]
    asked = []
    original = decay_laws.run

    def run(schedule, task, **given):
        asked.append((schedule.steps, given["draws"]))
        return original(schedule, task, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decay_laws, "run", run)
        found = decay_laws._ends(schedules, task, batch=2)(3, np.random.default_rng(0))
    assert asked == [(10, 12), (40, 3)]
    assert found.shape == (1, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "names"),
    [
        (decay_laws.cooldown, {"linear", "steep", "shape-limited", "linear-shape-limited"}),
        (decay_laws.tuned, {"hard-decay", "easy-decay", "easy-constant", "easy-average"}),
        (decay_laws.optimal, {"loss", "power-0.5", "power-5"}),
    ],
)
def test_full_runs_are_as_expected(check, names):
    found = verdicts(check, f"schedules.{check.__name__}.simulated", "full")
    assert found == dict.fromkeys(names, "pass")


@pytest.mark.slow
def test_a_wrong_cooldown_fails_in_a_full_run(monkeypatch):
    scaled(monkeypatch, "schedules.cooldown_variance", 1.25)
    scaled(monkeypatch, "schedules.cooldown_variance", 1.25, "evaluate")
    found = verdicts(decay_laws.cooldown, "schedules.cooldown.simulated", "full")
    assert set(found.values()) == {"fail"}


@pytest.mark.slow
def test_a_wrong_optimum_fails_in_a_full_run(monkeypatch):
    """A constant that is wrong, or a best power that is not: then a smaller one wins."""
    original = Law.evaluate

    def mutated(self, form, **values):
        found = original(self, form, **values)
        return 8.0 if form == "power" else found

    monkeypatch.setattr(Law, "evaluate", mutated)
    found = verdicts(decay_laws.optimal, "schedules.optimal.simulated", "full")
    assert found["loss"] == "fail"
    assert found["power-5"] == "fail"
