"""Rolling origin: bands, errors and variances, weights of laws, the check of the best size, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import (
    RollingOrigin,
    example_runs,
    fit,
    from_parameters,
)
from scalinglaws.verify.empirical.fits import fit_law, rolling_origin
from scalinglaws.verify.empirical.fits._optimum import optimal_point

SURFACE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
POWER = {"E": 1.7, "A": 4000.0, "B": 20000.0, "a": 0.45, "b": 0.46, "c": 0.75}


def design(logs, sizes, law="surface", parameters=SURFACE):
    """Runs at budgets, with sizes around the best one, of the law itself."""
    C = np.repeat(10.0 ** np.asarray(logs), len(sizes))
    N = optimal_point("surface", SURFACE, C)[0] * np.tile(sizes, len(logs))
    columns = {"N": N, "D": C / (6 * N)}
    chosen = fit_law(law)
    loss = np.exp(chosen.predict(chosen.coordinates(parameters), columns))
    return {**columns, "C": C, "loss": loss}


def drifting(reference):
    """The reference problem: the law, a ripple, and a curve in compute."""
    known = reference("rolling")["drift"]
    data = design(known["budgets_log10"], known["sizes"])
    bent = 0.003 * np.sin(1.7 * np.arange(42)) - 0.006 * (np.log10(data["C"]) - 19) ** 2
    return {**data, "loss": data["loss"] * np.exp(bent)}


@pytest.fixture(scope="module")
def both():
    """Both laws and the runs of the package."""
    found = fit("surface", example_runs("synthetic"), bootstrap=0)
    power = fit("surface_power", example_runs("synthetic"), delta=found.delta, bootstrap=0)
    return replace(found, laws={"surface_power": power})


def by_scipy(data, start, least):
    """Bands of the reference problem by SciPy, one at a time, for least squares."""
    centers = np.log(data["N"]).mean(), np.log(data["D"]).mean()
    u, v, y = (np.log(data[k]) - c for k, c in zip(("N", "D", "loss"), (*centers, 0), strict=True))
    compute = np.log10(data["C"])
    budgets = np.unique(compute.round(6))
    start = [
        *start[:1],
        start[1] - start[3] * centers[0],
        start[2] - start[4] * centers[1],
        *start[3:],
    ]

    def law(x, at):
        terms = [x[0] + 0 * u[at], x[1] - x[3] * u[at], x[2] - x[4] * v[at]]
        return np.logaddexp.reduce(terms)

    bands = []
    for o in budgets:
        below = compute < o + 1e-3
        if below.sum() < least or len(np.unique(compute[below].round(6))) < 2:
            continue
        found = least_squares(
            lambda x, at=below: law(x, at) - y[at],
            start,
            "3-point",
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        variance = 2 * found.cost / (below.sum() - 5)
        cov = variance * np.linalg.inv(found.jac.T @ found.jac)
        for e in budgets[(budgets > o) & (budgets <= o + 1 + 1e-6)]:
            band = np.abs(compute - e) < 1e-3
            error = np.mean(law(found.x, band) - y[band])
            slope = np.array(
                [
                    np.mean(law(found.x + h, band) - law(found.x - h, band)) / 2e-5
                    for h in 1e-5 * np.eye(5)
                ]
            )
            bands.append((o, e, error, slope @ cov @ slope + variance / band.sum(), e - o))
    return np.array(bands).T


def test_the_same_bands_one_at_a_time_by_scipy(reference):
    data = drifting(reference)
    found = rolling_origin(fit("surface", data, delta=np.inf, bootstrap=0))
    o, e, error, variance, horizon = by_scipy(data, fit_law("surface").coordinates(SURFACE), 15)
    assert len(found) == len(o) == 5
    np.testing.assert_allclose(found.origin, o, atol=1e-5)
    np.testing.assert_allclose(found.edge, e, atol=1e-5)
    np.testing.assert_allclose(found.horizon, horizon, atol=1e-5)
    np.testing.assert_allclose(found.error(), error, rtol=1e-5)
    np.testing.assert_allclose(found.variance(), variance, rtol=1e-4)
    np.testing.assert_array_equal(found.runs, 7)
    np.testing.assert_array_equal(found.fitted_runs, [21, 21, 28, 28, 35])


@pytest.mark.parametrize(("law", "parameters"), [("surface", SURFACE), ("surface_power", POWER)])
def test_a_true_law_without_noise_is_forecast_without_error(law, parameters):
    data = design(np.linspace(19, 21, 6), [1 / 6, 1 / 3, 0.6, 1, 1.7, 3, 6], law, parameters)
    found = rolling_origin(fit(law, data, delta=np.inf, bootstrap=0))
    assert len(found) == 5
    np.testing.assert_allclose(found.error(), 0, atol=1e-7)
    np.testing.assert_allclose(found.size_error(), 0, atol=1e-3)
    assert found.size_edge.size + found.size_unseen == 3


def test_the_best_size_of_a_budget_that_broke_away():
    """Amplitudes of the last budget differ: its best size is that of the law with them, exactly."""
    sizes = [1 / 6, 1 / 3, 0.6, 1, 1.7, 3, 6]
    data = design([19, 19.5, 20, 20.5], sizes)
    other = SURFACE | {"A": 500.0, "B": 1900.0}
    last = design([19, 19.5, 20, 20.5], sizes, parameters=other)["loss"][-7:]
    data["loss"] = np.append(data["loss"][:-7], last)
    found = rolling_origin(fit("surface", data, delta=np.inf, bootstrap=0), minimum_runs=21)
    (shift,) = found.size_error()
    exact = np.log(482.01 / 500 * 1900 / 2085.43) / (SURFACE["a"] + SURFACE["b"])
    assert shift == pytest.approx(exact, abs=1e-5)
    assert not found.size_inside()[0]


def test_the_best_size_is_inside_its_interval_as_often_as_told():
    """Runs that follow the law: 95 % of intervals, within what 50 sets can tell."""
    hits = []
    data = design(np.linspace(19, 21, 6), np.geomspace(0.25, 4, 7))
    for seed in range(50):
        noise = 0.003 * np.random.default_rng(seed).normal(size=42)
        noisy = {**data, "loss": data["loss"] * np.exp(noise)}
        hits += list(rolling_origin(fit("surface", noisy, bootstrap=0, delta=np.inf)).size_inside())
    assert len(hits) > 130
    assert 0.88 < np.mean(hits) <= 1


def test_bands_and_their_reach(both):
    found = rolling_origin(both)
    budgets = both.runs.budgets()
    np.testing.assert_array_equal(found.budgets, budgets.log10_compute)
    assert found.laws == ("surface", "surface_power")
    assert len(found) == 7
    assert np.all(found.horizon <= 1 + 1e-6)
    assert np.all(found.fitted_runs >= 15)
    further = rolling_origin(both, reach=3)
    assert len(further) == 4 + 3 + 2 + 1
    np.testing.assert_array_equal(further.error()[:0], found.error()[:0])
    fewer = rolling_origin(both, minimum_runs=45)
    assert len(fewer) == 1
    assert not len(rolling_origin(both, minimum_runs=61))
    assert found.validated_horizon == pytest.approx(0.8)
    # a band is small
    members = budgets.member
    few = np.flatnonzero((members < 5) | (np.arange(60) == 50) | (np.arange(60) == 51))
    assert not np.any(rolling_origin(fit("surface", both.runs.take(few), bootstrap=0)).runs < 3)


def test_weights_are_inverse_scores_and_errors_are_weighted(both):
    found = rolling_origin(both)
    for law in found.laws:
        assert found.scores[law] == pytest.approx(np.mean(found.errors[law] ** 2) + 4e-6)
        assert found.rms(law) == pytest.approx(np.sqrt(np.mean(found.errors[law] ** 2)))
        assert found.mean(law) == pytest.approx(np.mean(found.errors[law]))
    first, second = (found.weights[law] for law in found.laws)
    assert first + second == pytest.approx(1)
    ratio = found.scores["surface_power"] / found.scores["surface"]
    assert first / second == pytest.approx(ratio)
    e = first * found.errors["surface"] + second * found.errors["surface_power"]
    np.testing.assert_allclose(found.error(), e)
    noise = first * found.variances["surface"] + second * found.variances["surface_power"]
    np.testing.assert_allclose(found.variance(), noise)
    sizes = [found.size_errors[law] for law in found.laws]
    np.testing.assert_allclose(found.size_error(), first * sizes[0] + second * sizes[1])
    # laws that differ by far, each of them sure: the interval reaches from one to the other
    apart = replace(
        found,
        size_errors={"surface": np.array([-1.0]), "surface_power": np.array([1.2])},
        size_variances=dict.fromkeys(found.laws, np.array([1e-6])),
    )
    assert apart.size_inside()
    assert not apart.size_inside("surface")
    alone = rolling_origin(replace(both, laws={}))
    np.testing.assert_array_equal(alone.error(), found.errors["surface"])
    assert alone.weights == {"surface": 1.0}


def test_points_without_weight_are_not_there(both):
    member = both.runs.budgets().member
    kept = member != 2
    weighted = fit("surface", both.runs, weights=np.where(kept, 1.0, 0.0), delta=0.004, bootstrap=0)
    without = fit("surface", both.runs.take(kept), delta=0.004, bootstrap=0)
    assert rolling_origin(weighted) == rolling_origin(without)


def test_weights_repeat_points(both):
    """Twice the weight: the same errors, and noise of half the variance in a mean."""
    once, twice = (
        rolling_origin(fit("surface", both.runs, weights=np.full(60, w), delta=0.004, bootstrap=0))
        for w in (1.0, 2.0)
    )
    np.testing.assert_allclose(twice.error(), once.error(), rtol=1e-6)
    assert np.all(twice.variance() < 0.55 * once.variance())


def test_several_points_of_a_run_count_once(both):
    named = both.runs.take(np.repeat(np.arange(60), 2))
    found = rolling_origin(fit("surface", named, delta=0.004, bootstrap=0))
    single = rolling_origin(fit("surface", both.runs, delta=0.004, bootstrap=0))
    np.testing.assert_array_equal(found.runs, single.runs)
    np.testing.assert_array_equal(found.fitted_runs, single.fitted_runs)
    np.testing.assert_allclose(found.error(), single.error(), rtol=1e-6)


def test_everything_else_is_as_in_the_fit(both):
    runs = both.runs
    plain = rolling_origin(fit("surface", runs, delta=0.004, bootstrap=0))
    fixed = fit("surface", runs, delta=0.004, fixed={"E": 1.8}, bootstrap=0)
    narrow = fit("surface", runs, delta=0.004, bounds={"a": (0.3, 0.31)}, bootstrap=0)
    below = fit("surface", runs, delta=0.004, envelope=0.3, bootstrap=0)
    early = runs.take(runs.budgets().member < 5)
    late = runs.take(runs.budgets().member == 5)
    for given, more in (
        (fixed, {"fixed": {"E": 1.8}}),
        (narrow, {"bounds": {"a": (0.3, 0.31)}}),
        (below, {"envelope": 0.3}),
    ):
        found = rolling_origin(given)
        refit = fit("surface", early, delta=0.004, bootstrap=0, **more)
        error = np.mean(np.log(refit.predict(N=late.N, D=late.D).loss / late.loss))
        assert found.error()[-1] == pytest.approx(error, rel=1e-6)
        assert found.error()[-1] != pytest.approx(plain.error()[-1], rel=1e-3)
    assert rolling_origin(below).mean() < plain.mean()


def test_tables_without_a_column_for_compute(both):
    data = {"N": both.columns["N"], "D": both.columns["D"], "loss": both.losses}
    alike = rolling_origin(fit("surface", data, delta=both.delta, bootstrap=0))
    np.testing.assert_allclose(alike.error(), rolling_origin(replace(both, laws={})).error())
    costly = fit("surface", {**data, "C": 8 * data["N"] * data["D"]}, delta=0.004, bootstrap=0)
    assert costly.cost == pytest.approx(8)
    np.testing.assert_allclose(
        rolling_origin(costly).budgets, alike.budgets + np.log10(8 / 6), atol=1e-9
    )


def test_laws_in_one_variable():
    x = np.repeat(np.geomspace(1e2, 1e5, 7), 3)
    rng = np.random.default_rng(1)
    loss = (0.5 + 3 * x**-0.4) * np.exp(0.002 * rng.normal(size=x.size))
    found = rolling_origin(fit("E + c*P**-g", {"P": x, "loss": loss}, bootstrap=0))
    assert found.origin[0] == pytest.approx(4)
    assert len(found) == 3
    assert found.size_edge.size == found.size_unseen == 0
    assert found.rms() < 0.02


def test_more_than_twelve_budgets_are_a_grid():
    """Cells of a quarter of a decade; from end to end four of them are in reach."""
    logs = np.linspace(18, 21, 50)
    rng = np.random.default_rng(0)
    N = optimal_point("surface", SURFACE, 10**logs)[0] * np.exp(rng.uniform(-1.4, 1.4, 50))
    columns = {"N": N, "D": 10**logs / (6 * N)}
    law = fit_law("surface")
    loss = np.exp(law.predict(law.coordinates(SURFACE), columns) + 0.003 * rng.normal(size=50))
    found = rolling_origin(fit("surface", {**columns, "loss": loss}, bootstrap=0))
    assert len(found.budgets) == 13
    first = found.origin == found.origin[0]
    assert first.sum() == 4
    # horizons are measured from the largest run fitted
    edge = found.edge[first][0]
    below = logs[logs < found.origin[0] + 0.125].max()
    assert found.horizon[first][0] == pytest.approx(edge - below, abs=1e-6)


def test_origins_that_cannot_be_fitted_are_told():
    """All runs of the lower budgets have one D/N."""
    data = design([19, 19.5, 20, 20.5, 21], np.geomspace(0.25, 4, 9))
    low = data["C"] < 4e20
    data["N"][low] = np.sqrt(data["C"][low] / 120)
    data["D"][low] = 20 * data["N"][low]
    found = rolling_origin(fit("surface", data, delta=0.01, bootstrap=0))
    assert not len(found)
    assert "D/N" in found.skipped[0]
    assert found.weights == {"surface": 1.0}
    assert found.scores == {}
    assert np.isnan([found.rms(), found.mean()]).all()
    assert found.validated_horizon == 0
    assert "no budget could be forecast" in found.summary()


def test_the_headline_on_over_trained_runs():
    """Weighted, the two laws are at most 5 % worse than `surface`, on each of three public sets."""
    gadre = example_runs("gadre")
    for name in np.unique(gadre.group):
        found = fit("auto", gadre.take(gadre.group == name), bootstrap=0).rolling
        assert len(found) >= 4
        assert found.rms() <= 1.05 * found.rms("surface")


def test_bands_are_files_and_words(both, tmp_path):
    found = rolling_origin(both)
    assert RollingOrigin.load(found.save(tmp_path / "rolling.npz")) == found
    assert RollingOrigin.from_json(found.to_json()) == found
    told = found.summary()
    assert "7 forecasts of a later budget" in told
    assert f"weights {found.weights['surface']:.2f}, {found.weights['surface_power']:.2f}" in told
    assert max(map(len, told.splitlines())) <= 100


def test_refusals(both):
    with pytest.raises(DataError, match="has no data"):
        rolling_origin(from_parameters("besiroglu"))
    with pytest.raises(DomainError, match="minimum_runs = 0"):
        rolling_origin(both, minimum_runs=0)
    with pytest.raises(DomainError, match="reach = 0"):
        rolling_origin(both, reach=0)
    rng = np.random.default_rng(0)
    data = {"P": 10 ** rng.uniform(1, 4, 30), "m": 10 ** rng.uniform(1, 4, 30)}
    data["loss"] = 0.5 + data["P"] ** -0.4 + data["m"] ** -0.6
    found = fit("E + A*P**-a + B*m**-b", data, bootstrap=0)
    with pytest.raises(DataError, match="nothing says what compute"):
        rolling_origin(found)
