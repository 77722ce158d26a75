"""The check of networks that are told their alignment: verdicts as expected, and flipped by wrong costs."""

import math

import pytest
from scipy.optimize import minimize

from scalinglaws.verify.checks.kernel_adaptation import alignment

from ..mutations import verdicts

NAME = "kernel_adaptation.alignment"
AS_EXPECTED = {"exponent": "pass", "held": "pass", "free": "pass", "law": "fail"}


def test_verdicts():
    assert verdicts(alignment.told_networks, NAME) == AS_EXPECTED


def test_neurons_that_never_shrink_agree_with_the_law(monkeypatch):
    original = alignment.learn_alignment
    monkeypatch.setattr(
        alignment,
        "learn_alignment",
        lambda n, d, held, **given: original(n, d, held=True, **given),
    )
    assert verdicts(alignment.told_networks, NAME) == {**AS_EXPECTED, "free": "fail", "law": "pass"}


def test_another_number_of_neurons_fails(monkeypatch):
    original = alignment.learn_alignment
    monkeypatch.setattr(
        alignment,
        "learn_alignment",
        lambda n, d, **given: original(round(n / math.sqrt(d)), d, **given),
    )
    assert verdicts(alignment.told_networks, NAME)["exponent"] == "fail"


def test_the_constant_is_the_least_cost_over_both_parts_of_a_weight():
    def log_price(logs):
        r, rho = (math.exp(each) for each in logs)
        cost = (r + rho - 1 - logs[1]) / 2
        return math.log(cost) - 3 * math.log(r / (1 + 2 * rho + 2 * r))

    found = minimize(
        log_price, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14}
    )
    expected = math.sqrt(2 * math.exp(found.fun) * 3 * math.pi / 8)
    assert alignment.free_constant() == pytest.approx(expected, rel=1e-9)
    assert alignment.free_constant() == pytest.approx(8.026746, abs=1e-6)
