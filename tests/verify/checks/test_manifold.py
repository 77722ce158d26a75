"""The checks of the manifold laws: as expected, discriminating, and flipped by mutations of the law."""

from fractions import Fraction

import pytest

from scalinglaws import theory, verify
from scalinglaws.theory.formula import Law


def test_every_verdict_is_as_expected():
    report = verify.run(["manifold"], rng=5)
    assert report.as_expected
    assert len(report.comparisons) == 4
    assert all(comparison.discriminating for comparison in report.comparisons)


@pytest.mark.parametrize("name", ["manifold.nearest_neighbor", "manifold.variance_limited"])
def test_a_wrong_law_fails(name, monkeypatch):
    original = Law.__call__

    def mutated(self, **values):
        found = original(self, **values)
        return found + Fraction(1, 10) if self.name == name else found

    monkeypatch.setattr(Law, "__call__", mutated)
    assert theory.law(name)(**({"d": 2} if name.endswith("neighbor") else {})) != 1
    report = verify.run([name.replace("_", "-")], rng=5)
    assert all(comparison.verdict == "fail" for comparison in report.comparisons)
    assert not report.as_expected
