"""Checks of a renormalized Gaussian process: as expected, discriminating, and flipped by wrong equations and by other likelihoods."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.solvers import renormalization as solve
from scalinglaws.verify.checks.renormalization import flows, likelihood, ridge
from scalinglaws.verify.registry import Context, registered

from .. import mutations

NAMES = ["fixed-points", "infrared-scale", "likelihood", "ridge-flow", "shells"]


def verdicts(check, name):
    return mutations.verdicts(check, f"renormalization.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_verdict_is_as_expected(shared_report, name):
    report = shared_report([f"renormalization.{name}"])
    assert not report.crashes
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert [entry.id for entry in report.comparisons if not entry.discriminating] == []
    for entry in report.comparisons:  # and no measurement that is off by two tolerances passes
        if entry.prediction.kind == "ranking":
            continue
        scale = np.abs(entry.prediction.value) if entry.tolerance_kind == "relative" else 1.0
        for side in (-1, 1):
            value = entry.measurement.value + side * 2.5 * entry.tolerance * scale
            moved = replace(entry, measurement=replace(entry.measurement, value=value))
            assert moved.verdict != "pass"


def test_every_law_of_renormalization_is_tested():
    tested = {law for entry in registered().values() for law in entry.laws}
    assert {law for law in theory.laws() if law.startswith("renormalization.")} <= tested


changed = partial(mutations.changed, solve)


def altered_law(monkeypatch, module, name, change):
    """Let a law's exponents and forms be another's."""
    original = theory.law(name)

    class Altered:
        def __call__(self, **values):
            return change(float(original(**values)))

        def evaluate(self, form, **values):
            return change(float(original.evaluate(form, **values)))

    Altered.name = name
    monkeypatch.setattr(
        module, "law", lambda asked: Altered() if asked == name else theory.law(asked)
    )


def test_the_naive_ridge_fails(monkeypatch):
    changed("ridge_flow", monkeypatch, lambda found: replace(found, ridge=0.98 * found.naive_ridge))
    found = verdicts(ridge.ridge_flow, "ridge-flow")
    assert found["coefficient-60"] == found["coefficient-20"] == found["ridge"] == "fail"


@pytest.mark.parametrize("part", [0.0, 2.0])
def test_a_ridge_that_gets_another_part_of_the_modes_fails(monkeypatch, part):
    """Nothing at all, and twice as much as the flow says."""
    changed(
        "ridge_flow",
        monkeypatch,
        lambda f: replace(f, ridge=f.bare_ridge + part * (f.ridge - f.bare_ridge)),
    )
    found = verdicts(ridge.ridge_flow, "ridge-flow")
    assert found["coefficient-20"] == found["ridge"] == "fail"
    assert found["coefficient-60"] != "pass"


def test_other_laws_of_the_ridge_and_of_the_scale_fail(monkeypatch):
    altered_law(monkeypatch, ridge, "renormalization.ridge_flow", lambda value: value + 0.25)
    assert verdicts(ridge.ridge_flow, "ridge-flow")["exponent"] == "fail"
    altered_law(monkeypatch, ridge, "renormalization.infrared_scale", lambda value: 1.3 * value)
    assert set(verdicts(ridge.infrared_scale, "infrared-scale").values()) == {"fail"}


def test_a_likelihood_that_has_not_flowed_fails(monkeypatch):
    """Nor one that has flowed twice as far."""
    bare = solve.convolved_likelihood
    for factor in (0.0, 3.0):
        monkeypatch.setattr(
            solve,
            "convolved_likelihood",
            lambda couplings, *, variance, f=factor: bare(couplings, variance=f * variance),
        )
        found = {
            entry.id.split("/")[1]: entry.verdict
            for entry in likelihood._per_datum(Context("renormalization.likelihood", "quick", 0))
        }
        assert found == {"per-datum-low": "fail"}


def test_shells_with_another_loop_fail(monkeypatch):
    changed(
        "shell_recursion",
        monkeypatch,
        lambda found: replace(found, quadratic=0.5 + 0.3 * (found.quadratic - 0.5)),
    )
    found = {
        entry.id.split("/")[1]: entry.verdict
        for entry in likelihood._over_a_grid(Context("renormalization.likelihood", "quick", 0))
    }
    assert "pass" not in found.values()


def test_a_flow_that_is_cut_off_fails(monkeypatch):
    """The truncated couplings in place of the convolution's."""

    def truncated(start, *, variance):
        found = solve.truncated_flow(start, variance=variance).couplings
        return type("Cut", (), {"quadratic": found[0], "quartic": found[1]})

    monkeypatch.setattr(solve, "convolved_likelihood", truncated)
    found = verdicts(flows.fixed_points, "fixed-points")
    assert found["quadratic"] == found["quartic"] == "fail"


def test_other_exponents_fail(monkeypatch):
    altered_law(monkeypatch, flows, "renormalization.stable_exponents", lambda value: 1.03 * value)
    found = verdicts(flows.fixed_points, "fixed-points")
    for alpha in ("0.5", "1"):
        assert found[f"quadratic-{alpha}"] == found[f"quartic-{alpha}"] == "fail"


def drawn():
    found = flows._sampled(Context("renormalization.fixed-points", "quick", 0))
    return {entry.id.split("drawn-")[1]: entry.verdict for entry in found}


def test_other_exponents_fail_where_modes_are_drawn(monkeypatch):
    altered_law(monkeypatch, flows, "renormalization.stable_exponents", lambda value: 1.1 * value)
    assert set(drawn().values()) == {"fail"}


def test_modes_of_another_variance_do_not_make_the_ridge(monkeypatch):
    """Nor do those that are drawn from the prior take away the quartic coupling as the law says."""
    original = flows.sample_likelihood
    monkeypatch.setattr(
        flows,
        "sample_likelihood",
        lambda *args, eigenvalues, couplings, **given: original(
            *args, eigenvalues=eigenvalues, couplings=[1e-3, 0.0], **given
        ),
    )
    found = drawn()
    assert found["position-0.5"] == found["position-1"] == "fail"
    assert "pass" not in (found["quartic-0.5"], found["quartic-1"])


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_a_solver_whose_ridge_is_elsewhere_fails(monkeypatch, factor):
    changed(
        "fixed_points",
        monkeypatch,
        lambda found: tuple(replace(point, quadratic=factor * point.quadratic) for point in found),
    )
    found = verdicts(flows.fixed_points, "fixed-points")
    assert found["position-0.5"] == found["position-1"] == "fail"


def test_waves_are_no_functions_in_general(monkeypatch):
    """Each taken for the other."""
    original = flows.orthogonal_features

    def swapped(points, modes, *, basis="fourier", rng=0):
        if basis == "fourier":
            return original(points, modes, basis="random", rng=0)
        return original(points, 3 * modes, basis="fourier")[:, 2 * modes - 1 : -1]

    monkeypatch.setattr(flows, "orthogonal_features", swapped)
    rows = flows._terms(swapped(1024, 502)[:, 101:], np.arange(101.0, 502) ** -1.5, 0.0)
    assert rows[1][0] < 0.5
    assert (
        flows._terms(original(2048, 502)[:, 101:], np.arange(101.0, 502) ** -1.5, 0.0)[1][0] > 0.9
    )


def test_another_growth_fails(monkeypatch):
    altered_law(monkeypatch, flows, "renormalization.no_wilson_fisher", lambda value: value)
    quartic = np.full(6, 1.0) + 0.01 * np.arange(6)  # as waves have it
    assert (
        flows._growth(Context("renormalization.shells", "quick", 0), quartic, 0.5).verdict == "fail"
    )


@pytest.mark.parametrize("wrong", [0.5, 1.5])
def test_a_shell_with_another_combinatorial_factor_fails(monkeypatch, wrong):
    original = flows.integrate_shell

    def mutated(features, variances, residuals, *, quadratic, quartic):
        return original(
            features, variances, residuals, quadratic=quadratic, quartic=wrong * quartic
        )

    monkeypatch.setattr(flows, "integrate_shell", mutated)
    found = verdicts(flows.shells, "shells")
    for name in ("ridge-generic", "square-generic", "ridge-waves", "quartic-waves"):
        assert found[name] == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_fresh_seeds_agree(name):
    report = verify.run([f"renormalization.{name}"], effort="full", rng=1)
    assert not report.crashes
    assert [
        entry.id for entry in report.comparisons if not (entry.as_expected and entry.discriminating)
    ] == []


@pytest.mark.parametrize("share", [0.8, 1.3])
def test_a_recursion_with_another_coupling_fails(monkeypatch, share):
    original = solve.shell_recursion
    monkeypatch.setattr(
        solve, "shell_recursion", lambda r, u, **given: original(r, share * u, **given)
    )
    found = verdicts(flows.shells, "shells")
    assert [found[name] for name in ("ridge-generic", "ridge-waves", "quartic-waves")] == [
        "fail"
    ] * 3


def test_recursions_of_the_other_functions_fail(monkeypatch):
    original, other = solve.shell_recursion, {"generic": "conserving", "conserving": "generic"}

    def swapped(r, u, *, momentum, **given):
        return original(r, u, momentum=other[momentum], **given)

    monkeypatch.setattr(solve, "shell_recursion", swapped)
    found = verdicts(flows.shells, "shells")
    assert found["quartic-generic"] == found["quartic-waves"] == "fail"


def test_another_exponent_of_the_quartic_coupling_fails(monkeypatch):
    altered_law(monkeypatch, flows, "renormalization.no_wilson_fisher", lambda value: value + 0.5)
    assert verdicts(flows.shells, "shells")["growth"] == "fail"
