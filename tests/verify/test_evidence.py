"""What stands behind each law is counted from what checks declare, and what they declare is what they bring."""

import json

import pytest

from scalinglaws import verify
from scalinglaws.cli import run
from scalinglaws.errors import DomainError
from scalinglaws.verify import registry
from scalinglaws.verify.evidence import (
    UNREACHABLE,
    LawEvidence,
    count_evidence,
    laws_by_evidence,
)


@pytest.fixture
def scratch(monkeypatch):
    registry.registered()
    monkeypatch.setattr(registry, "_CHECKS", dict(registry._CHECKS))


def test_quick_checks_bring_the_evidence_that_they_declare(shared_report):
    brought = {}
    for comparison in shared_report().comparisons:
        brought.setdefault(comparison.check, set()).add(comparison.evidence)
    known = registry.registered()
    missing = {name: set(known[name].evidence.values()) - kinds for name, kinds in brought.items()}
    assert {name: kinds for name, kinds in missing.items() if kinds} == {}


def test_who_has_no_simulation_has_a_reason_and_is_no_derived_law():
    entries = [entry for entry in laws_by_evidence() if not entry.simulated]
    assert {entry.law for entry in entries} == set(UNREACHABLE)
    assert all(entry.reason for entry in entries)
    assert [entry.law for entry in entries if entry.standing == "derived"] == []


@pytest.mark.slow
def test_full_checks_bring_the_evidence_that_they_declare():
    """Checks that exist at full effort only; some take minutes."""
    known = registry.registered()
    names = [name for name, entry in known.items() if entry.effort == "full" and entry.laws]
    brought = {}
    for comparison in verify.run(names, effort="full", workers=2).comparisons:
        brought.setdefault(comparison.check, set()).add(comparison.evidence)
    missing = {name: set(known[name].evidence.values()) - brought[name] for name in names}
    assert {name: kinds for name, kinds in missing.items() if kinds} == {}


def test_the_best_evidence_counts(scratch):
    law = "manifold.width_variance"

    def kind():
        (entry,) = (entry for entry in laws_by_evidence() if entry.law == law)
        return entry.kind

    for name in [n for n, e in registry._CHECKS.items() if law in e.laws]:
        del registry._CHECKS[name]
    assert kind() == "none"
    for evidence in ("literature", "exact", "data", "simulation"):
        registry.check(f"a.{evidence}", statement="", laws=[law], evidence=evidence)(list)
        assert kind() == evidence
    registry.check("a.mixed", statement="", laws=[law, "linear.time"], evidence={law: "exact"})
    assert registry._CHECKS["a.exact"].evidence == {law: "exact"}


@pytest.mark.parametrize(
    ("evidence", "complaint"),
    [
        ("guess", "simulation"),
        ({"linear.data": "exact"}, "must name laws that the check tests"),
        ({"linear.time": "guess"}, "simulation"),
        (3, "must be a str or Mapping"),
    ],
)
def test_evidence_is_checked_at_the_door(scratch, evidence, complaint):
    with pytest.raises(DomainError, match=complaint):
        registry.check("a.b", statement="", laws=["linear.time"], evidence=evidence)


def test_counts_are_said_in_a_sentence():
    kinds = ["simulation", "data", "exact", "none", "none"]
    standings = ["derived", "derived", "derived", "ansatz", "derived"]
    entries = [LawEvidence("a", s, k, ()) for s, k in zip(standings, kinds, strict=True)]
    assert count_evidence(entries) == (
        "2 of 5 laws are put to the test by simulation or data; 1 rest on our own solver alone; "
        "2 without a check (ansatz: 1)"
    )


def test_the_command_lists_laws_with_their_evidence(capsys):
    assert run(["verify", "--evidence", "manifold", "--json"]) == 0
    found = {entry["law"]: entry["kind"] for entry in json.loads(capsys.readouterr().out)}
    assert found["manifold.nearest_neighbor"] == "simulation"
    assert all(law.startswith("manifold.") for law in found)
    assert run(["verify", "--evidence"]) == 0
    assert "laws are put to the test by simulation or data" in capsys.readouterr().out
    assert run(["verify", "--evidence", "lineer"]) == 2
    assert "did you mean 'linear." in capsys.readouterr().err
    assert run(["verify", "--evidence", "--list"]) == 2
    assert "not both" in capsys.readouterr().err
