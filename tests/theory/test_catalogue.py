"""The table of laws agrees with the laws."""

import runpy
from dataclasses import asdict

import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers.catalogue import available
from scalinglaws.theory.catalogue import ALSO_CALLED, CATALOGUE, REMARKS, SOURCES, matching
from scalinglaws.verify import registry

# a bottleneck of a fixed kernel, met at the pace of a growing one
HEURISTIC = (
    "feature_learning.label_noise",
    "feature_learning.transient",
    "feature_learning.sgd_noise",
    "manifold.model_resolution",
    # power counting
    "schedules.dana_constant",
    "schedules.dana_decaying",
)
ANSATZ = (
    *(name for name in theory.laws() if name.startswith("empirical.")),
    "perceptron.composite",
)
OTHERS = {
    "patterns.unlearnability_bound": "exact",
    "learnability.bound": "exact",
    "learnability.half": "asymptotic",
    "learnability.mode": "asymptotic",
    "renormalization.infrared_scale": "heuristic",
    "renormalization.no_wilson_fisher": "asymptotic",
    "renormalization.ridge_flow": "asymptotic",
    "feature_learning.kernel_scale": "asymptotic",
    "feature_learning.sgd_excess": "asymptotic",
    "feature_learning.steps": "asymptotic",
    "feature_learning.steps_silver": "numerical",
    "feature_learning.window": "asymptotic",
    "schedules.functional": "asymptotic",
    "kernel_adaptation.alignment_samples": "asymptotic",
    "kernel_adaptation.bimodality": "asymptotic",
    "kernel_adaptation.cnn_sample_complexity": "asymptotic",
}


def test_entries_build_what_they_promise():
    for name in theory.laws():
        law = theory.law(name)
        assert law.name == name
        assert law.statement == CATALOGUE[name].statement
        heuristic = name in HEURISTIC or name.startswith("patterns.")
        expected = "ansatz" if name in ANSATZ else "heuristic" if heuristic else "derived"
        assert law.standing == OTHERS.get(name, expected)
        assert law.reference
        assert theory.law(name) is law


@pytest.fixture(scope="module")
def writer(root):
    return runpy.run_path(str(root / "tests" / "write_catalogue.py"))


def test_every_builder_is_in_the_table_and_no_other(writer):
    found = {name: entry.builder for name, entry in sorted(CATALOGUE.items())}
    assert writer["builders"]() == found, f"the table is old: {writer['COMMAND']}"


@pytest.mark.parametrize("name", theory.laws())
def test_the_table_agrees_with_the_law(name, writer):
    law, entry = theory.law(name), CATALOGUE[name]
    advice = f"the table is old: {writer['COMMAND']}"
    assert entry.statement == law.statement, advice
    assert list(entry.symbols.items()) == list(law.symbols.items()), advice
    cited = writer["bibliography"](law)
    assert entry.sources == tuple(cited), advice
    for key, fields in cited.items():
        assert asdict(SOURCES[key]) == {"key": key, "place": "", **fields}, advice


def test_the_table_agrees_with_what_checks_declare(writer):
    declared = {
        name: tuple(
            check.name
            for check in registry.registered().values()
            if name in check.laws and check.function.__module__.startswith("scalinglaws.")
        )
        for name in CATALOGUE
    }
    found = {name: entry.checks for name, entry in CATALOGUE.items()}
    assert found == declared, f"the table is old: {writer['COMMAND']}"
    assert theory.law("linear.optimal_ridge").checks == ("linear.optimal-ridge",)
    assert theory.law("manifold.width_variance").checks == ("manifold.width-variance",)


def test_every_remark_is_in_the_table_and_about_a_solver(writer):
    assert writer["remarks"]() == REMARKS, f"the table is old: {writer['COMMAND']}"
    assert set(REMARKS) <= set(available())


def test_every_source_is_cited():
    assert set(SOURCES) == {key for entry in CATALOGUE.values() for key in entry.sources}


def test_find_searches_names_statements_symbols_and_authors():
    assert [law.name for law in theory.find("LINEAR.D")] == ["linear.data"]
    assert [law.name for law in theory.find("model against training time")] == ["linear.time"]
    with_capacity = [law.name for law in theory.find("capacity: eigenvalues")]
    assert {name.split(".")[0] for name in with_capacity} == {
        "feature_learning",
        "linear",
        "schedules",
    }
    assert set(with_capacity) >= {name for name in theory.laws() if name.startswith("linear.")}
    assert theory.find("no such thing") == []
    assert [law.name for law in theory.find("Hestness")] == ["empirical.hestness"]
    assert set(matching("paquette")) > {"linear.compute", "linear.sgd_noise"}
    assert matching("") == theory.laws()


def test_every_theory_with_laws_has_words_that_people_search_for():
    assert ALSO_CALLED.keys() == {name.partition(".")[0] for name in CATALOGUE}
    assert "perceptron.gamma1" in matching("support vector")


def test_unknown_law():
    with pytest.raises(DomainError, match="did you mean 'linear.data'"):
        theory.law("linear.dat")
