"""Laws far out: what the checks say of a solver that is right, and of one that is not."""

from types import SimpleNamespace

import pytest

from scalinglaws import theory
from scalinglaws.verify.checks.schedules import far

from ..mutations import verdicts

NAME = "schedules.tuned.far"


def ended(schedule, task, slower=1.0, dearer=1.0, **given):
    """Return a tuned loss as the laws have it, or a wrong one."""
    values = {"alpha": float(task.alpha), "beta": float(task.beta)}
    power = {"constant": 0, "cosine": 2, "wsd": 1}.get(schedule.form, *schedule.parameters[:1])
    steps = float(schedule.steps)
    law = theory.law("schedules.optimal")
    if schedule.form == "power" and power == 2:
        spent = law.evaluate("X", T=steps, sigma2=1.0, B=8.0, **values)
        bias = law.evaluate("C_F", **values) * spent ** -values["beta"]
        cost = law.evaluate("C_V", alpha=values["alpha"]) / (8 * steps)
        loss = dearer * (bias + cost * spent ** (1 / values["alpha"]))
    else:
        exponent = float(theory.law("schedules.tuned")(p=power, **values))
        loss = steps ** -(exponent * slower)
    return SimpleNamespace(test_loss=loss, test_error=1e-9 * loss)


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [({}, "nothing"), ({"slower": 0.9}, "exponents"), ({"dearer": 1.1}, "best")],
)
def test_what_is_wrong_fails(wrong, failing, monkeypatch):
    monkeypatch.setattr(far, "tuned_rate", lambda *args, **given: ended(*args, **wrong, **given))
    found = verdicts(far.tuned_losses, NAME, "full")
    fails = {name for name, verdict in found.items() if verdict == "fail"}
    if failing == "exponents":
        assert fails == set(found) - {"best"}
    else:
        assert fails == ({"best"} if failing == "best" else set())
        assert set(found.values()) <= {"pass", "fail"}


@pytest.mark.parametrize("slower", [1.0, 0.9])
def test_a_frontier_with_another_exponent_fails(slower, monkeypatch):
    """Losses N^-1 + (C/N)^-0.5, whose least has the law's exponent 1/3 at the size C^(1/3)."""

    def tuned(schedule, task, features, **given):
        return SimpleNamespace(test_loss=(1 / features + schedule.steps**-0.5) ** slower)

    monkeypatch.setattr(far, "tuned_rate", tuned)
    found = verdicts(far.noisy_frontier, "schedules.compute.far", "full")
    assert found == {"loss": "pass" if slower == 1 else "fail"}


@pytest.mark.parametrize("slower", [1.0, 0.9])
def test_momentum_with_another_exponent_fails(slower, monkeypatch):
    def trained(schedule, task, at, **given):
        values = {"alpha": float(task.alpha), "beta": float(task.beta)}
        exponent = float(theory.law("schedules.dana_decaying").evaluate("time", **values))
        return SimpleNamespace(test_loss=at ** -(slower * exponent))

    monkeypatch.setattr(far, "train", trained)
    found = verdicts(far.adapted_slopes, "schedules.dana.far", "full")
    assert found == dict.fromkeys(found, "pass" if slower == 1 else "fail")
    assert len(found) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "name", "count"),
    [
        (far.tuned_losses, NAME, 9),
        (far.adapted_slopes, "schedules.dana.far", 3),
        (far.noisy_frontier, "schedules.compute.far", 1),
    ],
)
def test_full_runs_are_as_expected(check, name, count):
    found = verdicts(check, name, "full")
    assert len(found) == count
    assert set(found.values()) == {"pass"}
