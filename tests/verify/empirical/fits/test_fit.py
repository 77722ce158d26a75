"""Fits of runs: law, threshold, resampling, files, refusals, and the runs that come with the package."""

import json
import warnings

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import Fit, example_runs, fit, from_parameters
from scalinglaws.verify.empirical.fits import fit_law, solve


@pytest.fixture(scope="module")
def runs():
    return example_runs("synthetic")


@pytest.fixture(scope="module")
def automatic(runs):
    return fit("auto", runs, bootstrap=300)


@pytest.fixture(scope="module")
def gadre():
    return example_runs("gadre")


@pytest.mark.parametrize("case", range(4))
def test_over_trained_runs_by_least_squares(case, gadre, reference):
    """C4 loss, at least ten tokens a parameter."""
    name, law, objective, parameters = reference("fits")["gadre"][case]
    chosen = gadre.take((gadre.group == name) & (gadre.D / gadre.N >= 10))
    found = fit(law, chosen, delta=np.inf, bootstrap=0)
    assert found.objective == pytest.approx(objective, rel=1e-9)
    np.testing.assert_allclose(list(found.parameters.values()), parameters, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["c4_original", "rpj"])
def test_random_starts_do_not_beat_the_two_of_surface_power(name, gadre):
    chosen = gadre.take((gadre.group == name) & (gadre.D / gadre.N >= 10))
    columns = {"N": chosen.N, "D": chosen.D}
    law, surface = fit_law("surface_power"), fit_law("surface")
    best = solve(law, columns, chosen.loss, delta=np.inf).objective
    base, rng = solve(surface, columns, chosen.loss, delta=np.inf).x, np.random.default_rng(0)
    middle = np.array([np.log(chosen.N).mean(), np.log(chosen.D).mean()])
    for _ in range(60):
        c, factors = rng.uniform(0.1, 2.5), rng.uniform(0.6, 1.6, 2)
        x = np.array([base[0], *(base[1:] / c), c])
        x[1:3] += x[3:5] * (factors - 1) * middle
        x[3:5] *= factors
        assert solve(law, columns, chosen.loss, delta=np.inf, start=x).objective > best * (1 - 1e-7)


def test_auto_fits_both_laws_from_30_runs_and_4_budgets_on(automatic, runs):
    assert automatic.law == "surface"
    assert set(automatic.laws) == {"surface_power"}
    assert automatic.laws["surface_power"].delta == automatic.delta
    assert automatic.samples.shape == (300, 5)
    assert automatic.laws["surface_power"].samples.shape == (300, 6)
    alone = fit("surface", runs, bootstrap=0)
    np.testing.assert_array_equal(alone.x, automatic.x)
    for few in (np.arange(29), np.flatnonzero(runs.budgets().member < 3)):
        assert not fit("auto", runs.take(few), bootstrap=0).laws


def test_the_threshold_is_1_345_robust_standard_deviations_of_a_first_fit(runs):
    columns = {"N": runs.N, "D": runs.D}
    first = solve(fit_law("surface"), columns, runs.loss, delta=1e-3).residuals
    robust = 1.4826 * np.median(np.abs(first - np.median(first)))
    found = fit("surface", runs, bootstrap=0)
    assert found.delta == pytest.approx(1.345 * robust)
    assert (
        found.objective
        == solve(fit_law("surface"), columns, runs.loss, delta=found.delta).objective
    )
    assert fit("surface", runs, delta=1e-3, bootstrap=0).delta == 1e-3


def test_same_seed_same_samples_and_covariance_of_their_size(runs, automatic):
    again = fit("auto", runs, bootstrap=300)
    assert again == automatic
    assert again.to_json() == automatic.to_json()
    other = automatic.bootstrap(300, rng=1)
    assert not np.array_equal(other.samples, automatic.samples)
    assert automatic.bootstrap(300, rng=0) == automatic
    ratio = automatic.samples.std(axis=0) / np.sqrt(np.diag(automatic.cov))
    assert np.all((ratio > 0.5) & (ratio < 2))


def test_fits_are_files(automatic, tmp_path):
    for suffix in ("npz", "json"):
        path = automatic.save(tmp_path / f"fit.{suffix}")
        assert Fit.load(path) == automatic
    assert Fit.from_json(automatic.to_json()) == automatic
    json.loads(automatic.to_json(), parse_constant=pytest.fail)  # nothing that JSON has not
    assert automatic.to_json(tmp_path / "text.json") == automatic.to_json()
    assert Fit.load(tmp_path / "text.json") == automatic
    with pytest.raises(DomainError, match=r"must end in \.json"):
        automatic.to_json(tmp_path / "text.txt")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DataError, match="no result in JSON"):
        Fit.load(tmp_path / "other.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="no text"):
        Fit.load(tmp_path / "bytes.json")
    with pytest.raises(DomainError, match=r"\.npz"):
        automatic.save(tmp_path / "fit.txt")


def test_a_saved_expression_is_the_same_law_again(tmp_path):
    x = np.geomspace(1, 1e4, 20)
    bounds = {"u": (-2.0, 2.0)}
    found = fit(
        "E + c*x**-g*(1 + u*x**-1)",
        {"x": x, "loss": 1 + 3 * x**-0.5 * (1 - 0.3 / x)},
        bounds=bounds,
        bootstrap=20,
    )
    loaded = Fit.load(found.save(tmp_path / "fit.npz"))
    assert loaded.parameters == found.parameters
    assert found.parameters["u"] == pytest.approx(-0.3, rel=1e-5)
    assert found.runs is None


def test_weights_leave_points_out_and_repeat_them(runs):
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, len(runs))
    found = fit("surface", runs, weights=weights, delta=0.01, bootstrap=0)
    repeated = runs.take(np.repeat(np.arange(len(runs)), weights))
    listed = fit("surface", repeated, delta=0.01, bootstrap=0)
    assert found.objective == pytest.approx(listed.objective, rel=1e-12)
    assert found.sigma == pytest.approx(listed.sigma, rel=1e-6)
    np.testing.assert_allclose(found.cov, listed.cov, rtol=1e-5)


def test_an_envelope_lies_below_runs_that_are_worse_than_need_be():
    """60 runs, 30 % of them with an excess of 2 % on average, noise 0.2 %."""
    rng = np.random.default_rng(1)
    law = fit_law("surface")
    columns = {"N": 10 ** rng.uniform(7.5, 10, 60), "D": 10 ** rng.uniform(9, 11.5, 60)}
    x = law.coordinates({"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658})
    truth = law.predict(x, columns)
    excess = rng.exponential(0.02, 60) * (rng.uniform(size=60) < 0.3)
    losses = np.exp(truth + 0.002 * rng.normal(size=60) + excess)
    data = {**columns, "loss": losses}
    plain, below = (fit("surface", data, envelope=e, bootstrap=0) for e in (None, 0.3))
    assert below.envelope == 0.3
    distance = [np.mean(np.abs(law.predict(f.x, columns) - truth)) for f in (plain, below)]
    assert distance[1] < distance[0]


def test_points_of_one_run_are_drawn_together(runs):
    named = runs.take(np.repeat(np.arange(len(runs)), 2))
    found = fit("surface", named, bootstrap=50, delta=0.01)
    single = fit("surface", runs, bootstrap=50, delta=0.01)
    np.testing.assert_allclose(found.samples, single.samples, rtol=1e-5, atol=1e-5)


def test_published_constants():
    known = from_parameters("besiroglu")
    assert known.parameters == pytest.approx(
        {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}, rel=1e-14
    )
    assert from_parameters("hoffmann").parameters == pytest.approx(
        {"E": 1.69337368, "A": 406.401018, "B": 410.722827, "a": 0.33917084, "b": 0.2849083},
        rel=1e-14,
    )
    assert known.cov is None
    assert len(known) == 0
    cov = np.diag([1e-4, 1e-2, 1e-2, 1e-4, 1e-4])
    given = from_parameters("surface", known.parameters, covariance=cov)
    np.testing.assert_array_equal(given.cov, cov)
    assert Fit.from_json(given.to_json()) == given
    with pytest.raises(DomainError, match="needs parameters"):
        from_parameters("surface")
    with pytest.raises(DomainError, match="must name b"):
        from_parameters("surface", {"E": 1, "A": 1, "B": 1, "a": 1})
    for wrong in (np.eye(4), -np.eye(5), np.triu(np.ones((5, 5)))):
        with pytest.raises(DomainError, match="covariance must"):
            from_parameters("surface", known.parameters, covariance=wrong)
    with pytest.raises(DomainError, match="no data"):
        known.bootstrap(10)


def test_a_perceptron_is_fitted_as_what_can_be_learnt_of_it():
    law = fit_law("perceptron")
    points = np.geomspace(1, 1e6, 31)
    truth = {"k_1": 0.8, "gamma_1": 0.6, "k_2": 0.5, "gamma_2": 0.9, "q_2": 3.0, "q_1": 0.01}
    data = {"P": points, "loss": np.exp(law.predict(law.coordinates(truth), {"P": points}))}
    learnt = fit("perceptron", data, bootstrap=0)
    assert learnt.law == "three_region"
    assert learnt.parameters["s"] == pytest.approx(0.9, rel=1e-5)
    assert "gamma_1 = gamma/s = 0.6, gamma_2 = s = 0.9" in learnt.message
    assert "fix k_1, k_2 or q_2" in learnt.message
    whole = fit("perceptron", data, fixed={"q_2": 3.0}, bootstrap=0)
    assert whole.parameters == pytest.approx(truth, rel=1e-4)
    with pytest.raises(DomainError, match="must name k_1, k_2 or q_2"):
        fit("perceptron", data, fixed={"q_1": 0.01}, bootstrap=0)


def test_gauges_show_in_the_jacobian():
    """Six numbers of a perceptron, rank five; Rosenfeld's with a free scale of saturation, rank six of seven."""
    law, points = fit_law("perceptron"), {"P": np.geomspace(1, 1e6, 31)}
    x = law.coordinates(
        {"k_1": 0.8, "gamma_1": 0.6, "k_2": 0.5, "gamma_2": 0.9, "q_2": 3, "q_1": 0.01}
    )
    jacobian = law.gradient(x, points)
    values, vectors = np.linalg.svd(jacobian / np.linalg.norm(jacobian, axis=0))[1:]
    assert values[-1] < 1e-12 < 1e-4 < values[-2]
    named = {law.names[j] for j in np.flatnonzero(np.abs(vectors[-1]) > 0.1)}
    assert named == {"k_1", "k_2", "q_2"}
    free = fit_law("g*(a*D**-p + b*N**-q + c)/sqrt((a*D**-p + b*N**-q + c)**2 + h**2)")
    x = free.coordinates({"a": 20, "p": 0.5, "b": 50, "q": 0.6, "c": 0.05, "g": 0.9, "h": 1.5})
    grid = np.meshgrid(np.geomspace(1e2, 1e6, 6), np.geomspace(1e3, 1e7, 6))
    jacobian = free.gradient(x, {"D": grid[0].ravel(), "N": grid[1].ravel()})
    values, vectors = np.linalg.svd(jacobian / np.linalg.norm(jacobian, axis=0))[1:]
    assert values[-1] < 1e-7 * values[0] < 1e-4 < values[-2]
    named = {free.names[j] for j in np.flatnonzero(np.abs(vectors[-1]) > 0.1)}
    assert named == {"a", "b", "c", "h"}


def test_one_scale_is_found_where_it_varies():
    x = np.geomspace(1e18, 1e22, 12)
    ratio = {"N": np.sqrt(x / 120), "D": 20 * np.sqrt(x / 120), "loss": 1.7 + 1e3 * x**-0.16}
    with pytest.raises(DataError, match=r"cannot tell N and D apart; fit power_offset in C"):
        fit("surface", ratio, bootstrap=0)
    assert fit("power_offset", ratio, bootstrap=0).parameters["gamma"] == pytest.approx(
        0.16, rel=1e-5
    )
    tokens = {"N": np.full(12, 1e9), "D": x / 6e9, "loss": 1.7 + 50 * (x / 6e9) ** -0.3}
    with pytest.raises(DataError, match=r"all runs have N = 1e\+09: surface needs several"):
        fit("surface", tokens, bootstrap=0)
    found = fit("power_offset", tokens, bootstrap=0)
    assert found.parameters["gamma"] == pytest.approx(0.3, rel=1e-5)


def test_what_cannot_be_fitted_is_refused(runs):
    with pytest.raises(DataError, match="6 points are too few for the 5 parameters of surface"):
        fit("surface", runs.take(np.arange(6)), bootstrap=0)
    assert fit("surface", runs.take(np.arange(6)), fixed={"b": 0.37}, bootstrap=0).success
    for name, value, words in (
        ("delta", 0.0, "delta = 0.0 must be"),
        ("envelope", 1.5, "envelope = 1.5 must be"),
        ("weights", [1.0], "one per point"),
        ("bootstrap", -1, "bootstrap = -1"),
        ("bounds", {"q": (0, 1)}, "unknown parameter 'q'"),
        ("fixed", {"E": -1}, "must be >= 0"),
        ("rng", "seed", "rng"),
    ):
        arguments = {"bootstrap": 10 if name == "rng" else 0, name: value}
        with pytest.raises(DomainError, match=words):
            fit("surface", runs, **arguments)
    with pytest.raises(DataError, match="needs a column"):
        fit("E + c*P**-g", runs, bootstrap=0)


def test_nothing_is_printed_or_changed(runs, capsys):
    before = runs.to_dict()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit("auto", runs, bootstrap=10)
    assert capsys.readouterr().out == ""
    assert runs.to_dict() == before


def test_public_names():
    assert {"Fit", "fit", "from_parameters"} <= set(empirical.__all__)
