"""The sum of all terms: as expected, discriminating, and flipped by another sum."""

import pytest

from scalinglaws import verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.linear import together

from .mutations import verdicts


def test_the_simulated_surface_is_as_expected():
    report = verify.run(["linear.loss.simulated"], rng=0)
    assert report.as_expected
    (found,) = report.comparisons
    assert found.evidence == "simulation"
    assert found.discriminating


def test_another_sum_fails(monkeypatch):
    original = Law.evaluate

    def mutated(self, form, /, **values):
        return 2.5 * original(self, form, **values)

    monkeypatch.setattr(Law, "evaluate", mutated)
    assert verdicts(together.simulated, "linear.loss.simulated") == {"surface": "fail"}


@pytest.mark.slow
def test_the_surface_of_the_solvers_is_within_what_the_law_says():
    report = verify.run(["linear.loss"], effort="full", rng=0)
    surface = [found for found in report.comparisons if found.evidence == "exact"]
    assert len(surface) == 8
    assert report.as_expected
    assert all(found.discriminating for found in surface)
