"""Checks of the perceptron: as expected, discriminating, and flipped by wrong equations, constants and conventions."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.solvers import perceptron as solve
from scalinglaws.verify.checks.perceptron import corrections, curves, exponents, rules
from scalinglaws.verify.registry import Context, registered


def verdicts(check, name="mutant"):
    return {
        entry.id.split("/")[1]: entry.verdict
        for entry in check(Context(f"perceptron.{name}", "quick", 0))
    }


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["perceptron"])
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert [entry.id for entry in report.comparisons if not entry.discriminating] == []
    simulated = [entry for entry in report.comparisons if entry.evidence == "simulation"]
    # three numbers of samples, and one of binary inputs
    assert sum(entry.id.startswith("perceptron.learning-curves/") for entry in simulated) == 4
    assert len(simulated) == 16


def test_every_law_of_the_perceptron_is_tested():
    tested = {law for entry in registered().values() for law in entry.laws}
    assert {law for law in theory.laws() if law.startswith("perceptron.")} <= tested


def test_every_derived_law_of_the_perceptron_has_been_simulated(shared_report):
    """Not only named by a check that simulates something: the comparison's prediction names the law."""
    simulated = [
        entry.prediction.source
        for entry in shared_report(["perceptron"]).comparisons
        if entry.evidence == "simulation"
    ]
    derived = {
        name
        for name in theory.laws()
        if name.startswith("perceptron.") and theory.law(name).standing == "derived"
    }
    assert len(derived) == 9
    assert [name for name in derived if not any(name in source for source in simulated)] == []


def test_one_check_is_shown_first():
    assert [
        name for name, entry in registered().items() if entry.demo and "perceptron" in name
    ] == ["perceptron.collapse"]


def test_another_error_fails(monkeypatch):
    original = solve.fixed_norm
    monkeypatch.setattr(
        solve, "fixed_norm", lambda alpha, norm, *a: original(1.3 * np.asarray(alpha), norm, *a)
    )
    assert verdicts(curves.collapse) == {"solver": "fail"}
    found = verdicts(exponents.early)
    assert found["amplitude"] == "fail"


def test_the_squared_norm_fails(monkeypatch):
    """Taking lambda for its square halves gamma_1 and doubles gamma_2."""
    original = solve.fixed_norm

    def squared(alpha, norm, *given):
        found = original(alpha, np.sqrt(norm), *given)
        return replace(found, slope=np.asarray(found.slope) / 2)

    monkeypatch.setattr(solve, "fixed_norm", squared)
    found = verdicts(exponents.early)
    assert {found[name] for name in ("simulation", "solver", "amplitude", "steepest")} == {"fail"}


def test_another_best_norm_fails(monkeypatch):
    original = solve.optimal_norm

    def mutated(alpha):
        found = original(alpha)
        return replace(found, norm=np.asarray(found.norm) * np.asarray(alpha) ** 0.01)

    monkeypatch.setattr(solve, "optimal_norm", mutated)
    found = {
        entry.id.split("/")[1]: entry.verdict
        for entry in exponents._solver(Context("perceptron.mutant", "quick", 0))
    }
    assert found["norm"] == found["norm-constant"] == "fail"
    assert found["error"] == "pass"


def test_other_rules_fail(monkeypatch):
    """Hebb's rule with too few samples; single students in place of their center."""
    norms, students = rules.simulate.fixed_norm, rules.simulate.version_space

    def fewer(norm, *, alpha, **given):
        return norms(norm, alpha=alpha**0.8, **given)

    def single(*args, **given):
        found = students(*args, **given)
        return replace(found, expected_error=found.expected_single_error)

    monkeypatch.setattr(rules.simulate, "fixed_norm", fewer)
    monkeypatch.setattr(rules.simulate, "version_space", single)
    monkeypatch.setattr(rules.solve, "max_stability", solve.hebb)
    found = {
        entry.id.split("/")[1]: entry.verdict
        for entry in rules._simulated(Context("perceptron.mutant", "quick", 0))
    }
    assert found == {
        "hebb-simulated": "fail",
        "bayes-simulated": "pass",  # the exponent of Gibbs' rule is the same
        "max-stability-simulated": "fail",
        "ratio-simulated": "fail",
    }


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (corrections.amplitude, {"loss": "exponential"}),
        (corrections.steepest, {"norm": 3.0}),
        (corrections.elbow, {"alpha": 0.7}),
    ],
    ids=["another-loss", "at-another-norm", "fewer-samples"],
)
def test_other_perceptrons_fail(check, change, monkeypatch):
    original = corrections.simulate.fixed_norm

    def mutated(norm, *, alpha, **given):
        norm = np.asarray(norm) * change.get("norm", 1.0)
        if "loss" in change:
            given["loss"] = change["loss"]
        return original(norm, alpha=alpha ** change.get("alpha", 1.0), **given)

    monkeypatch.setattr(corrections.simulate, "fixed_norm", mutated)
    assert set(verdicts(check).values()) == {"fail"}


def test_a_flow_that_follows_the_minimizers_fails(monkeypatch):
    original = curves.simulate.gradient_flow
    monkeypatch.setattr(
        curves.simulate,
        "gradient_flow",
        lambda *a, **given: (lambda found: replace(found, error=1.001 * found.error_fixed_norm))(
            original(*a, **given)
        ),
    )

    def noisy(rows):
        return rows + 1e-4 * np.random.default_rng(0).standard_normal(rows.shape)

    estimate = curves.curve_from_replicates
    monkeypatch.setattr(
        curves, "curve_from_replicates", lambda x, rows, **given: estimate(x, noisy(rows), **given)
    )
    assert verdicts(curves.gradient_flow) == {"error": "fail"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "learning-curves",
        "early",
        "best-norm",
        "gradient-flow",
        "limits",
        "amplitude",
        "steepest",
        "elbow",
    ],
)
def test_fresh_seeds_agree(name):
    report = verify.run([f"perceptron.{name}"], effort="full", rng=1)
    assert [
        entry.id for entry in report.comparisons if not (entry.as_expected and entry.discriminating)
    ] == []


@pytest.mark.slow
def test_digits_at_full_effort():
    report = verify.run(["perceptron.digits"], effort="full", rng=0)
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert all(entry.discriminating for entry in report.comparisons)
