"""Fits of data that no law follows, or that determine next to nothing: said so, and nothing overflows."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical.fits._law import STEEPEST


def table(loss=None, runs=60, seed=0):
    rng = np.random.default_rng(seed)
    N = np.exp(rng.uniform(math.log(1e8), math.log(1e10), runs))
    D = np.exp(rng.uniform(math.log(1e9), math.log(2e11), runs))
    known = 1.8172 + 482 * N**-0.3478 + 2085 * D**-0.3658
    clean = known * np.exp(0.003 * rng.normal(size=runs))
    return {"N": N, "D": D, "loss": clean if loss is None else loss(rng, runs)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("law", ["surface", "auto"])
def test_losses_that_follow_no_law_are_fitted_and_doubted(law):
    """Exponents ran away until amplitudes were infinite, and the checks of forecasts refused these."""
    data = table(lambda rng, runs: rng.uniform(1, 5, runs))
    found = empirical.fit(law, data, bootstrap=100)
    assert found.warnings
    for name in ("a", "b"):
        assert np.all(found.sample_parameters[name] <= STEEPEST)
    assert np.all(np.isfinite(found.sample_parameters["A"]))
    assert "must be" not in found.report()


def test_a_fit_that_does_not_settle_has_a_warning():
    data = table(lambda rng, runs: np.where(np.arange(runs) < 30, 0.5, rng.uniform(2.3, 2.9, runs)))
    data["loss"][30:] = table()["loss"][30:]
    found = empirical.fit("surface", data, bootstrap=0)
    assert not found.success
    assert "W-unsettled" in {warning.code for warning in found.warnings}
    assert "W-unsettled" not in {w.code for w in empirical.fit("surface", table()).warnings}


def test_rosenfeld_finds_the_surface_that_it_contains():
    """With its ceiling far away it is a surface, so that it can be no worse; from shapes alone it was 36 times worse."""
    data = table(runs=80, seed=1)
    surface, rosenfeld = (
        empirical.fit(law, data, delta=0.004, bootstrap=0) for law in ("surface", "rosenfeld")
    )
    assert rosenfeld.objective <= surface.objective * (1 + 1e-9)


@pytest.mark.parametrize("ceiling", [0.8, 0.9, 5.0])
def test_rosenfeld_with_a_known_ceiling(ceiling):
    rng = np.random.default_rng(0)
    N, D = 10 ** rng.uniform(4, 8, 60), 10 ** rng.uniform(4, 8, 60)
    raised = 20 * D**-0.5 + 50 * N**-0.6 + 0.05
    data = {"N": N, "D": D, "loss": raised / np.sqrt(1 + (raised / ceiling) ** 2)}
    found = empirical.fit("rosenfeld", data, fixed={"epsilon_0": ceiling}, bootstrap=0)
    expected = {"A": 20, "alpha": 0.5, "B": 50, "beta": 0.6, "c_inf": 0.05, "epsilon_0": ceiling}
    assert found.parameters == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bounds": 3}, "bounds"),
        ({"bounds": {"a": 3}}, "bounds\\['a'\\]"),
        ({"bounds": {"a": ("x", 1)}}, "bounds\\['a'\\]"),
        ({"bounds": {"a": (0.1, math.nan)}}, "bounds\\['a'\\]"),
        ({"fixed": [1]}, "fixed"),
        ({"fixed": {"a": "x"}}, "fixed\\['a'\\]"),
        ({"fixed": {"a": math.nan}}, "fixed\\['a'\\]"),
        ({"fixed": {"a": 0.3}, "bounds": {"a": (0.4, 0.5)}}, "outside of bounds"),
        ({"fixed": dict.fromkeys("EABab", 1.0)}, "nothing is left to fit"),
        ({"rng": True}, "rng"),
    ],
)
@pytest.mark.parametrize("law", ["surface", "E + A*N**-a + B*D**-b"])
def test_options_are_refused_by_name(law, options, named):
    with pytest.raises((DomainError, DataError), match=named):
        empirical.fit(law, table(), bootstrap=3, **options)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fixed", [{"A": 0}, {"B": 0}, {"A": 0, "B": 0}, {"E": 0}])
def test_a_term_that_is_left_out_takes_its_exponent_with_it(fixed):
    """Else the exponent has no slope, and its variance was not a number."""
    found = empirical.fit("surface", table(), fixed=fixed, bootstrap=0)
    assert np.all(np.isfinite(found.cov))
    if "A" in fixed:
        assert found.parameters["a"] == 0
        assert found.identifiability.identifiable


def test_weights_that_are_no_repetitions_are_doubted():
    """Errors shrink with their sum: 1/variance made the mean interval 300 times too narrow, and nothing said so."""
    data = table()
    codes = [
        {w.code for w in empirical.fit("surface", data, weights=given, bootstrap=0).warnings}
        for given in (np.full(60, 1e5), np.full(60, 1 / 60), np.full(60, 1.0))
    ]
    assert ["W-weights" in found for found in codes] == [True, True, False]
    half = np.where(np.arange(60) < 30, 1.0, 0.0)
    left_out = empirical.fit("surface", data, weights=half, bootstrap=0)
    assert "W-weights" not in {w.code for w in left_out.warnings}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "options", [{"misfit": 1e300}, {"noise": 1e-300}, {"noise": 1e300}, {"noise": 0}]
)
def test_a_design_refuses_noise_that_no_losses_have(options):
    found = empirical.fit("surface", table(), bootstrap=0)
    with pytest.raises(DomainError, match=next(iter(options))):
        empirical.design(found, budget=1e21, target={"compute": 1e24}, **options)


@pytest.mark.filterwarnings("error")
def test_a_plan_refuses_costs_and_tokens_that_overflow():
    found = empirical.fit("surface", table(), bootstrap=0)
    with pytest.raises(DomainError, match="must be positive and grow"):
        empirical.plan(found, compute=1e22, cost="N**N")
    with pytest.raises(DomainError, match="inference_tokens"):
        empirical.plan(found, loss=2.1, inference_tokens=1e300)


def test_a_plan_with_fewer_tokens_a_parameter_than_any_run_is_doubted():
    found = empirical.fit("surface", table(), bootstrap=0)
    capped = empirical.plan(found, compute=1e22, max_tokens=1e9)
    assert [warning.code for warning in capped.warnings] == ["W-far-ratio"]
    assert not empirical.plan(found, compute=1e21).warnings
