"""The checks that put laws of feature learning against simulated networks: as expected, and flipped by wrong laws."""

import pytest

from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.feature_learning import simulated_flow
from scalinglaws.verify.registry import Context

from ..mutations import verdicts

QUICK = {"simulated_time": simulated_flow.simulated_exponents}


@pytest.fixture
def another_source(monkeypatch):
    """Ask the laws for beta + 0.1."""
    original = Law.__call__
    monkeypatch.setattr(
        Law,
        "__call__",
        lambda self, **values: original(self, **{**values, "beta": values["beta"] + 0.1}),
    )


@pytest.mark.parametrize("name", QUICK)
def test_verdicts_are_as_expected(name):
    found = [*QUICK[name](Context(f"feature_learning.{name}", "quick", 0))]
    assert [entry.id for entry in found if not entry.as_expected] == []
    assert [entry.id for entry in found if not entry.discriminating] == []


@pytest.mark.parametrize("name", QUICK)
def test_another_source_fails(another_source, name):
    assert "pass" not in verdicts(QUICK[name], f"feature_learning.{name}").values()
