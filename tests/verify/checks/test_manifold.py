"""The checks of the manifold laws: as expected, discriminating, and flipped by mutations of the law."""

from fractions import Fraction

import pytest

from scalinglaws import theory, verify
from scalinglaws.theory.formula import Law


def test_every_verdict_is_as_expected():
    report = verify.run(["manifold"], rng=5)
    assert report.as_expected
    assert len(report.comparisons) == 11
    assert all(comparison.discriminating for comparison in report.comparisons)


ARGUMENTS = {
    "manifold.nearest_neighbor": {"d": 2},
    "manifold.variance_limited": {},
    "manifold.variance_limited_model": {},
    "manifold.model_resolution": {"d": 2, "q": 2},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_law_fails(name, monkeypatch):
    original = Law.__call__

    def mutated(self, **values):
        found = original(self, **values)
        return found + 3 * Fraction(1, 10) if self.name == name else found

    monkeypatch.setattr(Law, "__call__", mutated)
    right = original(theory.law(name), **ARGUMENTS[name])
    assert theory.law(name)(**ARGUMENTS[name]) == right + 3 * Fraction(1, 10)
    report = verify.run([name.replace("_", "-")], rng=5)
    wrong = [entry for entry in report.comparisons if entry.prediction.kind == "exponent"]
    assert wrong
    assert all(comparison.verdict == "fail" for comparison in wrong)
    assert not report.as_expected
