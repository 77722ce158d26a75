"""Decay, Langevin noise and early stopping against simulation: as expected, discriminating, and flipped by wrong solvers and laws."""

from dataclasses import replace

import pytest

from scalinglaws import verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.linear import decay

from .mutations import changed, verdicts

QUICK = ("linear.weight-decay", "linear.early-stopping")


@pytest.fixture(scope="module")
def report():
    return verify.run(QUICK, rng=0)


def test_every_verdict_is_as_expected(report):
    assert report.as_expected
    assert len(report.comparisons) == 9
    assert all(found.discriminating for found in report.comparisons)


def test_simulations_are_measured_to_a_fraction_of_the_tolerance(report):
    for found in report.comparisons:
        if found.evidence == "simulation":
            allowed = found.tolerance * found.prediction.value
            assert (found.measurement.se < 0.4 * allowed).all(), found.id


@pytest.mark.parametrize("name", ["test_loss", "train_loss", "langevin_test", "langevin_train"])
def test_a_wrong_curve_fails(name, monkeypatch):
    changed(
        decay,
        "gradient_flow",
        monkeypatch,
        lambda found: replace(found, **{name: 1.12 * getattr(found, name)}),
    )
    found = verdicts(decay.weight_decay, "linear.mutant")
    assert found.pop(name) == "fail"
    assert set(found.values()) == {"pass"}


def test_a_flow_without_decay_fails(monkeypatch):
    original = decay.gradient_flow
    monkeypatch.setattr(
        decay,
        "gradient_flow",
        lambda *args, **given: original(*args, **{**given, "weight_decay": 0.0}),
    )
    assert set(verdicts(decay.weight_decay, "linear.mutant").values()) == {"fail"}


def test_a_wrong_exponent_fails(monkeypatch):
    original = Law.__call__
    monkeypatch.setattr(
        Law, "__call__", lambda self, **values: 1.02 * float(original(self, **values))
    )
    for name, verdict in verdicts(decay.early_stopping, "linear.mutant").items():
        assert verdict == ("fail" if name.endswith("stopping") else "pass"), name


@pytest.mark.parametrize(("form", "part"), [("ridge_exponent", "ridge"), ("ratio", "ratio")])
def test_a_wrong_formula_fails(form, part, monkeypatch):
    original = Law.evaluate

    def mutated(self, name, **values):
        return original(self, name, **values) * (1.02 if name == form else 1)

    monkeypatch.setattr(Law, "evaluate", mutated)
    for name, verdict in verdicts(decay.early_stopping, "linear.mutant").items():
        assert verdict == ("fail" if name.endswith(part) else "pass"), name


@pytest.mark.slow
def test_full_checks_are_as_expected_and_reject_wrong_ones(monkeypatch):
    full = {
        "linear.decoupled-decay": decay.decoupled_decay,
        "linear.sgd-decay": decay.sgd_decay,
        "linear.early-stopping.simulated": decay.simulated_stopping,
    }
    for name, check in full.items():
        assert set(verdicts(check, name, "full").values()) == {"pass"}, name
    for solver in ("gradient_descent", "online_sgd"):
        changed(
            decay,
            solver,
            monkeypatch,
            lambda found: replace(found, test_loss=1.12 * found.test_loss),
        )
    found = verdicts(decay.decoupled_decay, "linear.decoupled-decay", "full")
    assert {name for name, verdict in found.items() if verdict == "fail"} == {
        "coupled-test_loss",
        "decoupled-test_loss",
    }
    found = verdicts(decay.sgd_decay, "linear.sgd-decay", "full")
    assert set(found.values()) == {"fail"}
    asked = Law.__call__
    monkeypatch.setattr(Law, "__call__", lambda self, **values: 1.2 * float(asked(self, **values)))
    found = verdicts(decay.simulated_stopping, "linear.early-stopping.simulated", "full")
    assert set(found.values()) == {"fail"}
