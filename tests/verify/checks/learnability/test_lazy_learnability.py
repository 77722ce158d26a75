"""Checks of lazy learnability: as expected, discriminating, and flipped by wrong equations and by other data."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.solvers import learnability as solve
from scalinglaws.verify.checks.learnability import bounds, digits, modes
from scalinglaws.verify.registry import registered
from scalinglaws.verify.simulate.learnability import regress_modes, regress_population

from ..mutations import changed, verdicts

NAMES = ["bounds", "bounds.digits", "digits", "modes"]


@pytest.mark.parametrize("name", NAMES)
def test_every_verdict_is_as_expected(shared_report, name):
    report = shared_report([f"learnability.{name}"])
    assert not report.crashes
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert [entry.id for entry in report.comparisons if not entry.discriminating] == []
    for entry in report.comparisons:  # and no measurement that is off by two tolerances passes
        scale = np.abs(entry.prediction.value) if entry.tolerance_kind == "relative" else 1.0
        for side in (-1, 1):
            value = entry.measurement.value + side * 2.5 * entry.tolerance * scale
            moved = replace(entry, measurement=replace(entry.measurement, value=value))
            assert moved.verdict != "pass"


def test_every_law_of_learnability_is_tested():
    tested = {law for entry in registered().values() for law in entry.laws}
    assert {law for law in theory.laws() if law.startswith("learnability.")} <= tested


# what regression finds, once for all mutations of the theory


@pytest.fixture(scope="module", autouse=True)
def remembered():
    """Data sets that were regressed on before are not regressed on again."""

    @cache
    def population(samples, draws):
        gram, target = digits.digits_kernel()
        rng = np.random.default_rng(samples)
        return regress_population(gram, target, samples, ridge=digits.RIDGE, draws=draws, rng=rng)

    known = {}

    def independent(eigenvalues, target, samples, *, rng, **given):
        key = (len(eigenvalues), tuple(target), samples, repr(given))
        if key not in known:
            known[key] = regress_modes(eigenvalues, target, samples, rng=rng, **given)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            digits, "regress_population", lambda g, y, p, *, draws, **_: population(p, draws)
        )
        patch.setattr(modes, "regress_modes", independent)
        yield


def scaled(name, monkeypatch, **factors):
    original = getattr(solve, name)
    monkeypatch.setattr(
        solve,
        name,
        lambda *args, **given: original(
            *args, **{**given, **{key: factors[key] * np.asarray(given[key]) for key in factors}}
        ),
    )


def test_the_other_convention_of_the_ridge_fails(monkeypatch):
    """A ridge that is taken to be over P."""
    original = solve.learning_curve
    monkeypatch.setattr(
        solve,
        "learning_curve",
        lambda spectrum, *, samples, ridge, **given: original(
            spectrum, samples=samples, ridge=ridge * np.asarray(samples), **given
        ),
    )
    found = verdicts(digits.regressed_digits, "learnability.digits")
    assert {value for key, value in found.items() if key.startswith("learnability")} == {"fail"}


@pytest.mark.parametrize("factor", [0.6, 1.25])  # the finite population makes up for a fifth of 300
def test_other_numbers_of_digits_fail(monkeypatch, factor):
    scaled("learning_curve", monkeypatch, samples=factor)
    found = verdicts(digits.regressed_digits, "learnability.digits")
    assert {value for key, value in found.items() if key.startswith("learnability")} == {"fail"}


def test_a_loss_without_fluctuations_fails(monkeypatch):
    changed(
        solve,
        "learning_curve",
        monkeypatch,
        lambda found: replace(found, test_loss=found.test_loss * (1 - found.fluctuation)),
    )
    found = verdicts(digits.regressed_digits, "learnability.digits")
    assert {found[f"loss-{samples}"] for samples in digits.SAMPLES} == {"fail"}
    assert verdicts(modes.regressed_modes, "learnability.modes")["loss"] == "fail"


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_other_learnabilities_of_modes_fail(monkeypatch, factor):
    scaled("effective_ridge", monkeypatch, samples=factor)
    assert verdicts(modes.regressed_modes, "learnability.modes")["learnability"] == "fail"


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_other_samples_for_half_fail(monkeypatch, factor):
    changed(solve, "samples_for_learnability", monkeypatch, lambda found: factor * found)
    found = verdicts(modes.regressed_modes, "learnability.modes")
    assert found["half-10"] == found["half-8"] == "fail"


def altered_law(monkeypatch, module, name, **methods):
    """Let a law answer otherwise."""
    original = theory.law(name)

    class Altered:
        constant, forms = original.constant, original.forms

        def __call__(self, **values):
            return methods.get("value", original)(**values)

        def evaluate(self, form, **values):
            return methods.get("form", original.evaluate)(form, **values)

    Altered.name = name
    monkeypatch.setattr(
        module, "law", lambda asked: Altered() if asked == name else theory.law(asked)
    )


def test_laws_with_other_powers_and_constants_fail(monkeypatch):
    law = theory.law("learnability.half")
    altered_law(
        monkeypatch,
        modes,
        "learnability.half",
        form=lambda form, **values: law.evaluate(form, **{**values, "sigma2": 0.5}),
    )
    found = verdicts(modes.regressed_modes, "learnability.modes")
    assert found["half-law-10"] == found["half-law-8"] == "fail"
    law_of_mode = theory.law("learnability.mode")
    altered_law(
        monkeypatch,
        modes,
        "learnability.mode",
        value=lambda **values: float(law_of_mode(**values)) + 0.25,
    )
    found = verdicts(modes.regressed_modes, "learnability.modes")
    assert found["exponent-ridgeless"] == found["exponent-ridge"] == "fail"


@pytest.mark.parametrize("name", ["evidence", "hoelder", "jensen"])
def test_bounds_that_are_too_sharp_are_broken(monkeypatch, name):
    """Jensen's at half of what the data allow, the others by twenty."""

    def change(found):
        if name == "jensen":
            return replace(found, jensen=0.5 * (found.jensen + found.cost) - found.cost - 20)
        return replace(found, **{name: getattr(found, name) - 20})

    changed(solve, "posterior_bound", monkeypatch, change)
    assert verdicts(bounds.attacked_bounds, "learnability.bounds")["posterior"] == "fail"


def test_bounds_of_another_measure_that_are_too_sharp_are_broken(monkeypatch):
    changed(
        solve,
        "cross_dataset_bound",
        monkeypatch,
        lambda found: replace(found, learnability_bound=found.learnability_bound**2),
    )
    assert verdicts(bounds.attacked_bounds, "learnability.bounds")["other-measure"] == "fail"


def test_another_eigenvalue_of_the_sphere_fails(monkeypatch):
    """The bound of learnability holds for every smaller eigenvalue; the projection is only right with the right one."""
    changed(solve, "arcsine_sphere_eigenvalue", monkeypatch, lambda found: 0.95 * found)
    assert verdicts(bounds.attacked_bounds, "learnability.bounds")["projection"] == "fail"


def test_a_law_that_asks_for_too_many_samples_is_broken(monkeypatch):
    law = theory.law("learnability.bound")
    altered_law(
        monkeypatch,
        bounds,
        "learnability.bound",
        form=lambda form, **values: 20 * law.evaluate(form, **values),
        value=lambda **values: 1.7,
    )
    found = verdicts(bounds.attacked_bounds, "learnability.bounds")
    assert found["law"] == found["exponent"] == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_fresh_seeds_agree(name):
    report = verify.run([f"learnability.{name}"], effort="full", rng=1)
    assert not report.crashes
    assert [
        entry.id for entry in report.comparisons if not (entry.as_expected and entry.discriminating)
    ] == []
