"""The table of laws agrees with the laws."""

import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.catalogue import CATALOGUE

# a bottleneck of a fixed kernel, met at the pace of a growing one
HEURISTIC = ("feature_learning.transient", "feature_learning.sgd_noise")


def test_entries_build_what_they_promise():
    for name in theory.laws():
        law = theory.law(name)
        assert law.name == name
        assert law.statement == CATALOGUE[name].statement
        heuristic = name in HEURISTIC or name.startswith("patterns.")
        expected = (
            "ansatz" if name.startswith("empirical.") else "heuristic" if heuristic else "derived"
        )
        if name == "patterns.unlearnability_bound":
            expected = "exact"
        assert law.standing == expected
        assert law.reference
        assert theory.law(name) is law


def test_find_searches_names_statements_and_symbols():
    assert [law.name for law in theory.find("LINEAR.D")] == ["linear.data"]
    assert [law.name for law in theory.find("model against training time")] == ["linear.time"]
    with_capacity = [law.name for law in theory.find("capacity: eigenvalues")]
    assert {name.split(".")[0] for name in with_capacity} == {"feature_learning", "linear"}
    assert set(with_capacity) >= {name for name in theory.laws() if name.startswith("linear.")}
    assert theory.find("no such thing") == []


def test_unknown_law():
    with pytest.raises(DomainError, match="did you mean 'linear.data'"):
        theory.law("linear.dat")
