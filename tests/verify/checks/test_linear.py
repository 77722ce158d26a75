"""The shipped checks: they pass, they reject their rivals, and they fail when the theory or the solver is wrong."""

import pickle
from contextlib import suppress
from dataclasses import replace
from math import comb

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory, verify
from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, linear
from scalinglaws.theory.formula import Law
from scalinglaws.theory.linear import ALPHA, BETA
from scalinglaws.verify.checks.linear import bottlenecks as checks
from scalinglaws.verify.checks.linear import optima, training
from scalinglaws.verify.registry import Context, registered


@pytest.fixture(scope="module")
def report(shared_report):
    return shared_report(["linear"])


def test_every_verdict_is_as_expected(report):
    assert [comparison.id for comparison in report.comparisons if not comparison.as_expected] == []
    assert len(report.comparisons) == 36


def test_every_comparison_rejects_its_rival(report):
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []


def test_the_published_model_exponent_is_rejected(report):
    (found,) = [
        comparison
        for comparison in report.comparisons
        if comparison.id == "linear.model.saturated/simulation"
    ]
    assert found.rival.name == "published Min(2*alpha, alpha*beta)"
    assert found.rival.value == pytest.approx(4.5)
    assert found.rival_verdict == "fail"


def test_workers_do_not_change_a_number(report):
    names = ["linear.statics", "linear.model.saturated"]
    one = [found for found in report.comparisons if found.id.rpartition("/")[0] in names]
    two = verify.run(names, rng=0, workers=2).comparisons
    for left, right in zip(one, two, strict=True):
        assert left.id == right.id
        np.testing.assert_array_equal(left.measurement.value, right.measurement.value)
        np.testing.assert_array_equal(left.measurement.se, right.measurement.se)


# -- mutations: a wrong theory or a wrong solver must not pass ---------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    """Simulations by what was simulated."""
    return {}


@pytest.fixture
def simulated_once(monkeypatch, drawn):
    """Simulate once for all wrong theories and solvers: streams depend on names alone, and simulations know no theory."""

    def once(original):
        def simulate(*args, rng, **given):
            state = str(rng.bit_generator.state)
            key = (original.__name__, pickle.dumps((args, given)), state)
            if key not in drawn:
                drawn[key] = original(*args, rng=rng, **given)
            return drawn[key]

        return simulate

    for module, names in (
        (checks, ("random_feature_ridge", "population_projection")),
        (training.simulate, ("gradient_flow", "gradient_descent", "online_sgd")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, once(getattr(module, name)))


@pytest.mark.parametrize(
    ("name", "check"),
    [("linear.data", checks.data_source_limited), ("linear.model", checks.model_source_limited)],
)
@pytest.mark.parametrize(
    "mutate", [lambda e: e.subs(BETA, BETA + sp.Rational(1, 5)), lambda e: e + 1]
)
def test_a_wrong_law_fails(monkeypatch, simulated_once, name, check, mutate):
    law = theory.law(name)
    wrong = replace(law)
    vars(wrong)["derived"] = law.derived
    vars(wrong)["expr"] = mutate(law.expr)
    monkeypatch.setattr(theory, "law", lambda asked: wrong)
    verdicts = [comparison.verdict for comparison in check(Context("linear.mutant", "quick", 0))]
    assert "pass" not in verdicts
    assert verdicts[-1] == "fail"


def _mutant(change):
    original = linear.ridge

    def ridge(spectrum, **arguments):
        return change(original, spectrum, arguments)

    return ridge


@pytest.mark.parametrize(
    "change",
    [
        # samples counted twice; the fluctuation term dropped; noise forgotten
        lambda solve, spectrum, given: solve(
            spectrum, **{**given, "samples": 2 * np.asarray(given["samples"])}
        ),
        lambda solve, spectrum, given: replace(
            solve(spectrum, **given), test_loss=solve(spectrum, **given).bias
        ),
        lambda solve, spectrum, given: solve(spectrum, **{**given, "noise_variance": 0.0}),
    ],
)
def test_a_wrong_solver_fails_the_statics_check(monkeypatch, simulated_once, change):
    monkeypatch.setattr(checks, "ridge", _mutant(change))
    verdicts = [
        comparison.verdict for comparison in checks.statics(Context("linear.mutant", "quick", 0))
    ]
    assert verdicts[0] == "fail"


def test_a_shifted_index_fails_the_solver_comparison(monkeypatch):
    # features where samples belong: the exponent min(a - 1, b) in place of min(a - 1, 2b)
    monkeypatch.setattr(
        checks,
        "ridge",
        _mutant(lambda solve, spectrum, given: solve(spectrum, features=given["samples"])),
    )
    verdicts = [
        comparison.verdict
        for comparison in checks.data_saturated(Context("linear.mutant", "quick", 0))
    ]
    assert verdicts == ["pass", "fail"]


def test_the_law_is_what_the_checks_use():
    law = theory.law("linear.data")
    assert law.expr == sp.Min(2 * ALPHA, ALPHA * BETA)


def _shifted(spectrum):
    """Every mode carries the next one's eigenvalue: an index off by one."""
    eigenvalues, signal = spectrum.explicit()
    return EmpiricalSpectrum(np.append(eigenvalues[1:], eigenvalues[-1]), signal)


@pytest.mark.parametrize("name", ["flow", "momentum", "sgd"])
def test_a_shifted_index_fails_the_training_checks(monkeypatch, simulated_once, name):
    solver = {"flow": "gradient_flow", "momentum": "gradient_descent", "sgd": "online_sgd"}[name]
    original = getattr(linear, solver)
    monkeypatch.setattr(
        training, solver, lambda t, spectrum, **given: original(t, _shifted(spectrum), **given)
    )
    verdicts = [
        comparison.verdict
        for comparison in getattr(training, name)(Context("linear.mutant", "quick", 0))
    ]
    assert "fail" in verdicts


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("flow", {"noise_variance": 0.0}),
        ("momentum", {"noise_variance": 0.0}),
        ("sgd", {"batch": 4}),
    ],
)
def test_a_dropped_term_fails_the_training_checks(monkeypatch, simulated_once, name, dropped):
    solver = {"flow": "gradient_flow", "momentum": "gradient_descent", "sgd": "online_sgd"}[name]
    original = getattr(linear, solver)
    monkeypatch.setattr(
        training, solver, lambda t, spectrum, **given: original(t, spectrum, **{**given, **dropped})
    )
    verdicts = [
        comparison.verdict
        for comparison in getattr(training, name)(Context("linear.mutant", "quick", 0))
    ]
    assert "fail" in verdicts


@pytest.mark.parametrize(
    "check", ["linear.transients", "linear.compute.phases", "linear.asymmetry"]
)
def test_another_source_fails_the_exact_checks(monkeypatch, check):
    """The laws are asked for beta + 0.1."""
    for method in ("__call__", "asymptote"):
        original = getattr(Law, method)

        def mutated(self, *arguments, original=original, **values):
            if "beta" in values:
                values = {**values, "beta": values["beta"] + 0.1}
            return original(self, *arguments, **values)

        monkeypatch.setattr(Law, method, mutated)
    function, verdicts = registered()[check].function, []
    with suppress(DomainError):  # there is no boundary of phases at another source
        for comparison in function(Context(check, "quick", 0)):
            verdicts.append(comparison.verdict)
    # independent of beta in their regime: the noise of SGD, both exponents of phase III and the size of Ia, both bottlenecks
    independent = {"linear.transients": 1, "linear.compute.phases": 3, "linear.asymmetry": 2}[check]
    assert verdicts.count("pass") == independent


def test_each_phase_is_the_one_it_claims_to_be(monkeypatch):
    monkeypatch.setitem(optima._TASKS, "Ia", ((2.6, 1.4), *optima._TASKS["Ia"][1:]))
    with pytest.raises(AssertionError, match="lies in phase II, not Ia"):
        next(iter(optima.phases(Context("linear.compute.phases", "quick", 0))))


@pytest.mark.slow
def test_fresh_seeds_pass_as_often_as_they_should():
    # each comparison is meant to miss its pass less than once in a hundred fresh seeds
    runs = [verify.run(["linear"], rng=root) for root in range(100, 120)]
    misses = sum(not comparison.as_expected for report in runs for comparison in report.comparisons)
    total = sum(len(report.comparisons) for report in runs)
    tail = sum(comb(total, k) * 0.02**k * 0.98 ** (total - k) for k in range(misses, total + 1))
    assert tail > 1e-3, f"{misses} of {total} comparisons missed their verdict"


@pytest.mark.parametrize(
    ("check", "law", "flipped"),
    [
        ("linear.compute.allocation", "linear.compute", 7),
    ],
)
def test_a_shifted_exponent_fails_the_exact_checks(check, law, flipped, monkeypatch):
    original = Law.__call__

    def mutated(self, **values):
        if self.name == law:
            return float(original(self, **values)) + 0.02
        return original(self, **values)

    monkeypatch.setattr(Law, "__call__", mutated)
    report = verify.run([check])
    exact = [found.verdict for found in report.comparisons if found.evidence == "exact"]
    assert exact == ["fail"] * flipped


def test_shuffled_labels_confirm_no_law():
    report = verify.run(["linear.null.shuffled-labels"], rng=11)
    (comparison,) = report.comparisons
    assert comparison.verdict == "pass"
    assert comparison.discriminating
    # the law itself, judged on shuffled labels, is rejected
    assert comparison.against(comparison.rival.value).verdict == "fail"
