"""What stands behind each law: the page is what laws, checks and the last runs say, and nothing is missing from it."""

import json
import runpy

import pytest

from scalinglaws import theory
from scalinglaws.verify import registry


@pytest.fixture(scope="module")
def writer(root):
    return runpy.run_path(str(root / "tests" / "write_evidence.py"))


@pytest.fixture(scope="module")
def found(writer):
    return json.loads(writer["FOUND"].read_text(encoding="utf-8"))


def test_the_page_is_what_laws_checks_and_runs_say(writer, found):
    written = writer["PAGE"].read_text(encoding="utf-8")
    assert written == writer["page"](found), f"the page is old: {writer['COMMAND']}"
    sections = {part.partition("\n")[0].lower(): part for part in written.split("\n## ")}
    for name in theory.laws():
        part = sections[writer["words"](name.split(".")[0])]
        assert part.count(f"\n| `{writer['short'](name, name)}`") == 1
        for check in registry.checks_of(name):
            assert f"`{writer['short'](check, name)}`" in part


def test_the_table_of_papers_is_what_laws_cite(writer):
    written = writer["SOURCES"].read_text(encoding="utf-8")
    assert written == writer["papers"](written), f"the page is old: {writer['COMMAND']}"
    for name in theory.laws():
        for source in theory.law(name).reference:
            assert f"<br>`{source.key}` |" in written


def test_runs_hold_every_quick_check_and_no_check_that_is_gone(writer, found):
    known = writer["shipped"]()
    assert set(writer["quick"]()) <= set(found) <= set(known), f"run {writer['COMMAND']}"
    assert writer["FOUND"].read_text(encoding="utf-8") == writer["dumps"](found)


def test_rivals_are_those_that_checks_have_and_reject(writer, found, shared_report):
    now = writer["summary"](shared_report())
    kept = {name: entry for name, entry in found.items() if entry["effort"] == "quick"}
    assert kept == {name: now[name] for name in kept}, f"run {writer['COMMAND']}"


def test_reasons_of_disagreements_are_found_in_the_sources(writer, found):
    """What a run finds, reading the source finds, too, where reasons are constants: so it does for what no run has shown."""
    read = {
        name: {reason for _, reason in writer["declared"](check)}
        for name, check in writer["shipped"]().items()
    }
    computed = {"kernel_adaptation.two-modes"}  # reasons given to an inner function
    for name, entry in found.items():
        reasons = {reason for *_, reason in entry["disagreements"]}
        if registry.registered()[name].expect == "pass" and name not in computed:
            assert reasons <= read[name], name
    assert read["perceptron.digits"] != set()
    assert read["linear.time.simulated"] == set()


def test_what_a_run_finds_replaces_what_is_old(writer):
    merged, known = writer["merged"], writer["shipped"]()
    quick = {"effort": "quick"}
    full = {"effort": "full"}
    heavy = next(name for name, check in known.items() if check.effort == "full")
    old = {"linear.statics": quick, heavy: full, "toy.gone": full}
    assert merged(old) == {heavy: full}
    assert merged(old, {"linear.statics": full}, {"linear.statics": quick}) == {
        heavy: full,
        "linear.statics": quick,
    }
