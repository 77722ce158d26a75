"""Forecasts: values, the three variances, weights over laws, horizons, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import Fit, Forecast, example_runs, fit, from_parameters
from scalinglaws.verify.empirical.fits import forecast, members

POINTS = {"N": np.geomspace(1e8, 1e11, 5), "D": np.geomspace(1e9, 1e13, 5)}


@pytest.fixture(scope="module")
def both():
    """Both laws with weights."""
    found = fit("surface", example_runs("synthetic"), bootstrap=0)
    power = fit("surface_power", example_runs("synthetic"), bootstrap=0)
    return replace(
        found,
        laws={"surface_power": power},
        weights={"surface": 0.3, "surface_power": 0.7},
    )


def test_values_are_those_of_the_law():
    at = from_parameters("besiroglu").parameters
    loss = at["E"] + at["A"] * POINTS["N"] ** -at["a"] + at["B"] * POINTS["D"] ** -at["b"]
    known = from_parameters("besiroglu")
    np.testing.assert_allclose(np.exp(forecast(known, POINTS).log_loss), loss, rtol=1e-13)
    np.testing.assert_allclose(known.predict(**POINTS).loss, loss, rtol=1e-13)


def test_variance_of_the_mean_is_that_of_fits_drawn_from_the_covariance(both):
    found = forecast(both, POINTS, law="surface")
    rng = np.random.default_rng(0)
    small = 1e-4 * both.cov  # where the law is linear
    x = rng.multivariate_normal(both.x, small, 20000, method="eigh")
    drawn = np.var(both.model.predict(x, POINTS), axis=0)
    np.testing.assert_allclose(found.mean_variance, 1e4 * drawn, rtol=0.05)
    np.testing.assert_allclose(found.run_variance - found.mean_variance, both.sigma**2)
    free = both.model.free.sum()
    left = len(both) - free
    assert both.sigma**2 == pytest.approx(np.sum(both.residuals**2) / left)


def test_weighted_over_laws(both):
    found = forecast(both, POINTS)
    parts = [forecast(both, POINTS, law=law) for law in ("surface", "surface_power")]
    f = 0.3 * parts[0].log_loss + 0.7 * parts[1].log_loss
    np.testing.assert_allclose(found.log_loss, f)
    for name in ("mean_variance", "run_variance"):
        v = [getattr(part, name) + (part.log_loss - f) ** 2 for part in parts]
        np.testing.assert_allclose(getattr(found, name), 0.3 * v[0] + 0.7 * v[1])
    assert members(both, "empirical.surface_power")["surface_power"][0] == 1
    assert members(both.laws["surface_power"]) == {
        "surface_power": (1.0, both.laws["surface_power"])
    }
    one = replace(both, weights={"surface": 1.0, "surface_power": 0.0})
    assert set(members(one)) == {"surface"}
    assert forecast(one, POINTS) == parts[0]


def test_horizons_are_decades_beyond_the_largest_budget(both):
    largest = both.runs.budgets().log10_compute[-1]
    compute = 10.0 ** (largest + np.array([-1.0, 0.0, 0.5, 2.0]))
    size = np.full(4, 1e9)
    found = forecast(both, {"N": size, "D": compute / (6 * size)})
    np.testing.assert_allclose(found.horizon, [0, 0, 0.5, 2], atol=1e-12)
    told = forecast(both, {"N": 1e9, "D": 1e9, "C": compute})
    np.testing.assert_allclose(told.horizon, [0, 0, 0.5, 2], atol=1e-12)
    # points without weight were not fitted
    member = both.runs.budgets().member
    lower = fit("surface", both.runs, weights=np.where(member < 5, 1.0, 0.0), bootstrap=0)
    step = largest - both.runs.budgets().log10_compute[-2]
    found = forecast(lower, {"N": size, "D": compute / (6 * size)})
    np.testing.assert_allclose(found.horizon, np.maximum([step - 1, step, step + 0.5, step + 2], 0))
    assert np.isnan(forecast(from_parameters("besiroglu"), POINTS).horizon).all()


def test_horizons_of_laws_in_one_variable():
    x = np.geomspace(1e2, 1e5, 12)
    data = {"P": x, "loss": 0.5 + 3 * x**-0.4 * np.exp(0.01 * np.sin(np.arange(12)))}
    found = fit("E + c*P**-g", data, bootstrap=0)
    np.testing.assert_allclose(forecast(found, {"P": [1e3, 1e6]}).horizon, [0, 1], atol=1e-12)


def test_of_two_variables_without_compute_nothing_is_known_of_the_horizon():
    rng = np.random.default_rng(0)
    data = {"P": 10 ** rng.uniform(1, 4, 30), "m": 10 ** rng.uniform(1, 4, 30)}
    loss = (0.5 + data["P"] ** -0.4 + data["m"] ** -0.6) * np.exp(0.01 * rng.normal(size=30))
    found = fit("E + A*P**-a + B*m**-b", {**data, "loss": loss}, bootstrap=0)
    assert np.isnan(forecast(found, {"P": 10, "m": 10}).horizon).all()
    assert np.isfinite(found.predict(interval="run", P=10, m=10).high)


def test_predictions_are_intervals_of_the_normal_distribution(both):
    found = forecast(both, POINTS)
    for name in ("mean", "run"):
        told = both.predict(interval=name, level=0.6826894921370859, **POINTS)
        np.testing.assert_allclose(
            np.log(told.high / told.loss), np.sqrt(getattr(found, f"{name}_variance"))
        )
        np.testing.assert_allclose(told.high * told.low, told.loss**2)
        assert told.interval == name
    grid = both.predict(N=POINTS["N"][:, None], D=POINTS["D"])
    assert grid.loss.shape == (5, 5)
    np.testing.assert_array_equal(np.diag(grid.loss), both.predict(**POINTS).loss)
    single = both.predict(N=1e9, D=1e11)
    assert single.loss.shape == ()
    assert single.low < single.loss < single.high


@given(
    weight=st.floats(0, 1),
    log_n=st.floats(7, 13),
    log_d=st.floats(8, 15),
)
def test_variances_are_ordered_and_the_forecast_lies_between_its_laws(both, weight, log_n, log_d):
    mixed = replace(both, weights={"surface": weight, "surface_power": 1 - weight})
    at = {"N": 10**log_n, "D": 10**log_d}
    found = forecast(mixed, at)
    ends = sorted(float(forecast(both, at, law=law).log_loss[0]) for law in members(both))
    assert ends[0] - 1e-12 <= found.log_loss[0] <= ends[1] + 1e-12
    assert 0 <= found.mean_variance[0] <= found.run_variance[0]
    assert found.horizon[0] >= 0


def test_published_constants():
    known = from_parameters("besiroglu")
    cov = np.diag([1e-4, 1e-2, 1e-2, 1e-4, 1e-4])
    told = from_parameters("surface", known.parameters, covariance=cov).predict(N=1e10, D=1e12)
    assert told.low < told.loss < told.high
    none = known.predict(N=1e10, D=1e12)
    assert np.isnan([none.low, none.high]).all()
    assert np.isfinite(none.loss)
    for interval in ("run", "calibrated"):
        with pytest.raises(DataError, match=f"nothing is known of the {interval} interval"):
            known.predict(interval=interval, N=1e10, D=1e12)


def test_forecasts_are_files(both, tmp_path):
    found = forecast(both, POINTS)
    assert Forecast.load(found.save(tmp_path / "forecast.npz")) == found
    told = both.predict(**POINTS)
    assert type(told).from_json(told.to_json()) == told
    loaded = Fit.from_json(both.to_json())
    assert forecast(loaded, POINTS) == found


def test_columns_go_by_their_letters_or_by_the_names_of_tables(both):
    lettered, named = (
        both.predict(N=7e9, D=1e11, C=1e22),
        both.predict(params=7e9, tokens=1e11, flops=1e22),
    )
    assert named == lettered
    assert both.predict(n_params=7e9, train_tokens=1e11) == both.predict(N=7e9, D=1e11)
    known = from_parameters(
        "repetition", {"E": 1.8, "A": 482, "B": 2085, "a": 0.35, "b": 0.37, "R_D": 15, "R_N": 5}
    )
    assert known.predict(params=1e9, tokens=4e10, unique_tokens=1e10) == known.predict(
        N=1e9, D=4e10, U=1e10
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"N": 1e9}, r"D is missing: surface needs N, D \(or params, tokens\)"),
        ({"params": -1, "tokens": 1e10}, r"params = -1\.0 must be"),
        (
            {"params": 1e9, "tokens": 1e10, "N": 1e9},
            "N = 1000000000.0 is given twice, as params too",
        ),
        ({"parms": 1e9, "tokens": 1e10}, "unknown column 'parms'; did you mean 'params'"),
        ({"N": 1e9, "D": -1}, "D = -1"),
        ({"N": 1e9, "D": 1e10, "T": 3}, "unknown column 'T'"),
        ({"N": [1, 2], "D": [1, 2, 3]}, "do not broadcast"),
        ({"N": 1e9, "D": 1e10, "interval": "both"}, "interval = 'both' must be"),
        ({"N": 1e9, "D": 1e10, "level": 1}, "level = 1 must be"),
        ({"N": 1e9, "D": 1e10, "level": 0}, "level = 0 must be"),
        ({"N": 1e9, "D": 1e10, "law": "kaplan"}, "unknown law 'kaplan'"),
    ],
)
def test_refusals(both, arguments, message):
    with pytest.raises(DomainError, match=message):
        both.predict(**arguments)
