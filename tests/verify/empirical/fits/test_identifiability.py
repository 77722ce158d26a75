"""Whether parameters can be told apart, and every warning of a fit."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.verify.empirical import (
    WARNINGS,
    Fit,
    example_runs,
    fit,
    from_parameters,
    read_runs,
)
from scalinglaws.verify.empirical.fits import fit_law
from scalinglaws.verify.empirical.fits._identifiability import (
    _decomposed,
    identifiability,
    identified,
)

KNOWN = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}


def drawn(count=60, noise=0.003, seed=0, law="surface", decades=(2.5, 2.5), **changed):
    """Return runs that follow a law."""
    rng = np.random.default_rng(seed)
    law = fit_law(law)
    columns = {
        "N": 10 ** rng.uniform(7.5, 7.5 + decades[0], count),
        "D": 10 ** rng.uniform(9.0, 9.0 + decades[1], count),
    }
    truth = law.predict(law.coordinates({**KNOWN, **changed}), columns)
    return {**columns, "loss": np.exp(truth + noise * rng.normal(size=count))}


def codes(found):
    return {warning.code for warning in found.warnings}


def test_a_good_fit_has_no_warnings_of_its_own():
    runs = read_runs(drawn())
    found = fit("auto", runs, bootstrap=0)
    assert [warning.code for warning in runs.warnings] == ["W-counts"]
    assert found.warnings == runs.warnings
    assert all(other.warnings == runs.warnings for other in found.laws.values())
    said = found.identifiability
    assert said.identifiable
    assert said.trend == ()
    assert set(said.trends) == {"N", "D", "D/N"}
    assert said.condition < said.raw_condition < 1e4
    assert found.laws["surface_power"].identifiability.condition > said.condition
    shipped = fit("auto", example_runs("synthetic"), bootstrap=0)
    assert shipped.warnings == ()
    assert shipped.identifiability.trend == ()


def test_condition_and_correlations_by_hand():
    found = fit("surface", drawn(), bootstrap=0)
    said = found.identifiability
    scaled = found.jacobian / np.linalg.norm(found.jacobian, axis=0)
    assert said.raw_condition == pytest.approx(np.linalg.cond(scaled), rel=1e-9)
    # the condition does not depend on units; the raw one does
    units = drawn()
    units["N"], units["D"] = units["N"] * 7.0, units["D"] / 3.0
    other = fit("surface", units, bootstrap=0).identifiability
    assert other.condition == pytest.approx(said.condition, rel=1e-4)
    assert abs(other.raw_condition / said.raw_condition - 1) > 1e-3
    deviations = np.sqrt(np.diag(found.cov))
    rho = found.cov / np.outer(deviations, deviations)
    named = {(one, two): value for one, two, value in said.correlations}
    assert named[("A", "a")] == pytest.approx(rho[1, 3], rel=1e-6)
    assert set(named) == {
        (found.names[i], found.names[j])
        for i in range(5)
        for j in range(i + 1, 5)
        if abs(rho[i, j]) > 0.99
    }


def test_gauge_of_the_perceptron_is_named():
    """A perceptron's six numbers make five: k_1 t^gamma_1, k_2 t, q_2 t are the same curve for every t."""
    points = np.geomspace(1, 1e6, 31)
    curve = 0.01 + 0.8 * (0.5 * points**0.9 + 3) ** -0.6
    noise = np.exp(1e-3 * np.random.default_rng(0).normal(size=31))
    data = {"P": points, "loss": curve * noise}
    found = fit("q + k*(w*P**g + r)**-s", data, bootstrap=0)
    assert not found.identifiability.identifiable
    assert set(found.identifiability.weakest) == {"k", "w", "r"}
    (told,) = [entry for entry in found.warnings if entry.code == "W-not-identifiable"]
    power = f"{found.parameters['s']:.3f}".rstrip("0")
    assert f"k by t^{power}, r by t, w by t, whatever t" in told.message
    settled = fit("q + k*(w*P**g + r)**-s", data, fixed={"r": 3.0}, bootstrap=0)
    assert settled.identifiability.identifiable
    assert settled.parameters["k"] == pytest.approx(0.8, rel=0.1)


def test_gauge_of_an_envelope_is_named():
    """Rosenfeld's with a free scale of saturation is homogeneous of degree 0 in a, b, c and h."""
    law = "g*(a*D**-p + b*N**-q + c)/sqrt((a*D**-p + b*N**-q + c)**2 + h**2)"
    grid = np.meshgrid(np.geomspace(1e2, 1e6, 6), np.geomspace(1e3, 1e7, 6))
    data = {"D": grid[0].ravel(), "N": grid[1].ravel()}
    free = fit_law(law)
    x = free.coordinates({"a": 20, "p": 0.5, "b": 50, "q": 0.6, "c": 0.05, "g": 0.9, "h": 1.5})
    noise = 1e-3 * np.random.default_rng(0).normal(size=36)
    found = fit(law, {**data, "loss": np.exp(free.predict(x, data) + noise)}, bootstrap=0)
    assert set(found.identifiability.weakest) == {"a", "b", "c", "h"}
    (told,) = [entry for entry in found.warnings if entry.code == "W-not-identifiable"]
    assert told.message.startswith("a common factor cancels")
    # the law of the catalogue has the scale fixed, and needs no warning
    named = fit("rosenfeld", {**data, "loss": np.exp(free.predict(x, data) + noise)}, bootstrap=0)
    assert named.identifiability.identifiable


def test_parameters_at_bounds():
    found = fit("surface", drawn(), bounds={"a": (0.4, 0.6)}, bootstrap=0)
    assert "W-at-bound" in codes(found)
    assert "a = 0.4 at a bound" in [entry.message for entry in found.warnings]
    assert "W-at-bound" not in codes(fit("surface", drawn(), fixed={"a": 0.34}, bootstrap=0))


def test_a_power_at_its_bound_is_told_by_the_fit_of_both_laws():
    bounds = {"c": (0.05, 0.8)}
    alone = fit("surface_power", drawn(), bounds=bounds, bootstrap=0)
    assert "W-power-at-bound" in codes(alone)
    assert "W-at-bound" not in codes(alone)
    power = replace(alone, warnings=())
    both = identified(replace(fit("surface", drawn(), bootstrap=0), laws={"surface_power": power}))
    assert "surface_power: c = 0.8 is at its bound" in [entry.message for entry in both.warnings]


def test_short_ranges_and_losses_alike():
    found = fit("surface", drawn(decades=(1.2, 2.5)), bootstrap=0)
    assert "W-short-range" in codes(found)
    assert any(entry.message.startswith("N spans 1.") for entry in found.warnings)
    flat = fit("surface", drawn(decades=(1.6, 1.6), A=80.0, B=150.0), bootstrap=0)
    assert "W-losses-alike" in codes(flat)


@pytest.mark.parametrize(
    ("count", "few", "runs"), [(15, True, True), (22, False, True), (31, False, False)]
)
def test_few_points_and_few_runs(count, few, runs):
    found = fit("surface", drawn(count), bootstrap=0)
    assert ("W-few-points" in codes(found)) == few
    assert ("W-few-runs" in codes(found)) == runs


def test_an_offset_that_is_not_known():
    found = fit("surface", drawn(24, noise=0.05, seed=3, decades=(1.6, 1.6), E=0.3), bootstrap=0)
    assert np.sqrt(found.cov[0, 0]) > 0.5
    assert "W-offset" in codes(found)


def test_one_sided_residuals_suggest_an_envelope():
    data = drawn()
    rng = np.random.default_rng(1)
    data["loss"] = data["loss"] * np.exp(rng.exponential(0.03, 60) * (rng.uniform(size=60) < 0.2))
    found = fit("surface", data, bootstrap=0)
    assert found.identifiability.skewness > 1
    assert "W-one-sided" in codes(found)
    assert "W-one-sided" not in codes(fit("surface", data, envelope=0.3, bootstrap=0))


@pytest.mark.parametrize("name", ["N", "D", "D/N"])
def test_a_trend_is_found_where_there_is_one(name):
    data = drawn(noise=0.002)
    ratio = {"N": data["N"], "D": data["D"], "D/N": data["D"] / data["N"]}[name]
    away = np.log10(ratio) - np.mean(np.log10(ratio))
    data["loss"] = data["loss"] * np.exp(0.01 * away**2)
    said = fit("surface", data, bootstrap=0)
    assert name in said.identifiability.trend
    assert "W-trend" in codes(said)


@pytest.mark.slow
def test_trends_are_seen_by_chance_as_often_as_they_say():
    """300 sets that follow the law, three trends each at a level of 1 %."""
    chances = []
    for seed in range(300):
        found = fit("surface", drawn(seed=seed, count=40), bootstrap=0)
        chances += found.identifiability.trends.values()
    chances = np.array(chances)
    assert 0.002 < np.mean(chances < 0.01) < 0.03
    assert 0.4 < np.mean(chances < 0.5) < 0.6


def test_weights_of_zero_leave_points_out():
    data = drawn(70)
    weights = np.ones(70)
    weights[60:] = 0
    left_out = fit("surface", data, weights=weights, bootstrap=0, delta=0.01).identifiability
    few = {name: column[:60] for name, column in data.items()}
    without = fit("surface", few, bootstrap=0, delta=0.01).identifiability
    assert left_out.condition == pytest.approx(without.condition, rel=1e-5)
    assert left_out.skewness == pytest.approx(without.skewness, rel=1e-5)


def test_it_is_saved_with_the_fit(tmp_path):
    found = fit("surface", drawn(15), bootstrap=0)
    assert found.warnings
    for suffix in ("npz", "json"):
        loaded = Fit.load(found.save(tmp_path / f"fit.{suffix}"))
        assert loaded.identifiability == found.identifiability
        assert loaded.warnings == found.warnings
    assert from_parameters("besiroglu").identifiability is None


def test_every_code_has_a_cause_and_a_cure():
    found = fit("surface", drawn(15, decades=(1, 1)), bounds={"a": (0.4, 0.6)}, bootstrap=0)
    for entry in found.warnings:
        assert entry.code in WARNINGS
        assert entry.cause
        assert entry.cure
    assert identifiability(found).problems == found.identifiability.problems


def test_memory_grows_with_the_number_of_points():
    """A square matrix over all points was made: 100 000 runs took 75 GB."""
    jacobian = np.random.default_rng(0).normal(size=(8000, 5))
    tracemalloc.start()
    condition, _ = _decomposed(jacobian)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 <= condition < 1.2
    assert most < 10 * jacobian.nbytes
