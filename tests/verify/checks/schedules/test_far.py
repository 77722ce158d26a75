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


@pytest.mark.slow
def test_full_runs_are_as_expected():
    found = verdicts(far.tuned_losses, NAME, "full")
    assert len(found) == 9
    assert set(found.values()) == {"pass"}
