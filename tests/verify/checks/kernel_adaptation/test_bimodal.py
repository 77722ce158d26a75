"""The check of weights that become bimodal: verdicts as expected, and flipped by neurons that are held or too many for the scale."""

import math

import pytest
from scipy import integrate

from scalinglaws.verify.checks.kernel_adaptation import bimodal

from ..mutations import verdicts

NAME = "kernel_adaptation.two-modes"
AS_EXPECTED = {
    "exponent": "pass",
    "held": "pass",
    "held-learned": "pass",
    "free": "pass",
    "free-learned": "pass",
    "law": "fail",
}


def test_verdicts():
    assert verdicts(bimodal.born_modes, NAME) == AS_EXPECTED


def test_neurons_that_never_shrink_agree_with_the_law(monkeypatch):
    original = bimodal.learn_alignment
    monkeypatch.setattr(
        bimodal,
        "learn_alignment",
        lambda n, d, held, **given: original(n, d, held=True, **given),
    )
    found = verdicts(bimodal.born_modes, NAME)
    assert (found["free"], found["free-learned"], found["law"]) == ("fail", "fail", "pass")


def test_samples_that_grow_otherwise_fail(monkeypatch):
    """Four times the scale: half as much is learned where modes are born."""
    original = bimodal.learn_alignment
    monkeypatch.setattr(
        bimodal,
        "learn_alignment",
        lambda n, d, scale, **given: original(n, d, scale=4 * scale, **given),
    )
    found = verdicts(bimodal.born_modes, NAME)
    assert "pass" not in (found["held"], found["held-learned"], found["free-learned"])


def test_the_kurtosis_of_a_fourth_power():
    moments = [integrate.quad(lambda u, k=k: u**k * math.exp(-(u**4)), 0, 6)[0] for k in (0, 2, 4)]
    assert pytest.approx(moments[2] * moments[0] / moments[1] ** 2) == bimodal._CRITICAL


def test_what_is_left_of_the_fourth_power():
    r = 1e-3

    def left(rho):
        return (r + rho - 1 - math.log(rho)) / 2 - 1.5 * r / (1 + 2 * rho + 2 * r)

    best = min(left(1 - r * step / 1000) for step in range(2000))
    assert best / r**2 == pytest.approx(2 / 9, rel=0.01)
    assert left(1.0) / r**2 == pytest.approx(1 / 3, rel=0.01)
    assert pytest.approx(math.sqrt((1 / 3) / (2 / 9))) == bimodal._SOFTER
