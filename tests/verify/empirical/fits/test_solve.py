"""Newton steps: against SciPy, from many starts, under bounds, for many weights."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify.empirical.fits import _starts, fit_law, resolve_many, solve
from scalinglaws.verify.empirical.fits._bootstrap import resampled
from scalinglaws.verify.empirical.fits._reference import reference_solve

BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}


def noisy_runs(count=60, sd=0.005, seed=0, tail=0.1):
    rng = np.random.default_rng(seed)
    columns = {"N": 10 ** rng.uniform(7.5, 10, count), "D": 10 ** rng.uniform(9, 11.5, count)}
    law = fit_law("surface")
    noise = sd * rng.normal(size=count) * np.where(rng.uniform(size=count) < tail, 8, 1)
    return columns, np.exp(law.predict(law.coordinates(BESIROGLU), columns) + noise)


@pytest.mark.parametrize(
    "name", ["surface", "surface_power", "kaplan+offset", "E + A*N**-a + B*D**-a"]
)
@pytest.mark.parametrize("delta", [1e-3, 1e-2, np.inf])
@pytest.mark.parametrize("envelope", [1.0, 0.3])
def test_fast_and_reference_agree(name, delta, envelope):
    law = fit_law(name)
    columns, losses = noisy_runs()
    weights = np.random.default_rng(1).integers(0, 4, losses.size).astype(float)
    fast = solve(law, columns, losses, delta=delta, weights=weights, envelope=envelope)
    slow = reference_solve(law, columns, losses, delta=delta, weights=weights, envelope=envelope)
    assert fast.converged
    assert slow.objective == pytest.approx(fast.objective, rel=1e-7)
    np.testing.assert_allclose(fast.x, slow.x, rtol=1e-4, atol=1e-4)


def test_every_random_shape_reaches_the_same_optimum():
    law = fit_law("surface")
    columns, losses = noisy_runs(240)
    best = solve(law, columns, losses, delta=1e-3).objective
    logs, rng = law.logarithms(columns), np.random.default_rng(2)
    middle = logs.mean(axis=1)
    u, v = logs - middle[:, None]
    for _ in range(100):
        a, b = rng.uniform(0.05, 1.5, 2)
        x = _starts.surface_start(u, v, losses, np.ones(240), np.array([a]), np.array([b]))
        x[1:3] += x[3:] * middle
        assert solve(law, columns, losses, delta=1e-3, start=x).objective == pytest.approx(
            best, rel=1e-7
        )


def test_a_surface_of_other_units_is_the_same_surface():
    law = fit_law("surface")
    columns, losses = noisy_runs()
    ours = solve(law, columns, losses, delta=1e-3)
    other = {"N": columns["N"] / 1e6, "D": columns["D"] / 1e9}
    theirs = solve(law, other, 3 * losses, delta=1e-3)
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-9)
    np.testing.assert_allclose(theirs.x[3:], ours.x[3:], rtol=1e-6)
    assert theirs.x[0] == pytest.approx(ours.x[0] + np.log(3), rel=1e-6)


def test_whole_weights_are_repetitions():
    law, rng = fit_law("surface"), np.random.default_rng(3)
    columns, losses = noisy_runs()
    times = rng.integers(0, 3, losses.size)
    weighted = solve(law, columns, losses, delta=0.01, weights=times)
    repeated = {name: np.repeat(column, times) for name, column in columns.items()}
    listed = solve(law, repeated, np.repeat(losses, times), delta=0.01)
    assert weighted.objective == pytest.approx(listed.objective, rel=1e-12)
    np.testing.assert_allclose(weighted.x, listed.x, rtol=1e-6)


def test_bounds_and_fixed_parameters_hold():
    columns, losses = noisy_runs()
    law = fit_law("surface")
    free = solve(law, columns, losses, delta=0.01)
    for limits in ({"a": (0.4, 1.0)}, {"A": (1.0, 300.0)}, {"E": (1.9, 3.0)}):
        bounded = solve(law.constrained(bounds=limits), columns, losses, delta=0.01)
        ((name, (low, high)),) = limits.items()
        value = law.parameters(bounded.x)[name]
        assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
        assert min(abs(value / low - 1), abs(value / high - 1)) < 1e-9
        assert bounded.objective > free.objective
        other = reference_solve(law.constrained(bounds=limits), columns, losses, delta=0.01)
        assert bounded.objective == pytest.approx(other.objective, rel=1e-6)
    fixed = solve(law.constrained(fixed={"b": 0.5}), columns, losses, delta=0.01)
    assert fixed.x[4] == 0.5
    assert fixed.converged
    without = solve(law.constrained(fixed={"E": 0.0}), columns, losses, delta=0.01)
    assert law.parameters(without.x)["E"] == 0.0
    machine = solve(fit_law("A*N**-a + B*D**-b"), columns, losses, delta=0.01)
    assert without.objective <= machine.objective * (1 + 1e-7)


def test_a_law_without_offset_finds_the_better_of_its_two_minima():
    law = fit_law("surface").constrained(fixed={"E": 0.0})
    columns, losses = noisy_runs(sd=0.02)
    found = solve(law, columns, losses, delta=0.01)
    rng = np.random.default_rng(4)
    for _ in range(60):
        x = found.x.copy()
        x[3:] = rng.uniform(0.02, 1.0, 2)
        x[1:3] += (x[3:] - found.x[3:]) * law.logarithms(columns).mean(axis=1)
        assert solve(law, columns, losses, delta=0.01, start=x).objective > found.objective * (
            1 - 1e-9
        )


def test_an_envelope_is_an_expectile():
    """Of a constant: 30 % of the weight above balances the rest, at what a root finder says."""
    from scipy.optimize import brentq

    losses = np.exp(np.random.default_rng(5).gumbel(size=200))
    y = np.log(losses)
    law = fit_law("power").constrained(fixed={"gamma": 0.0})
    found = solve(law, {"x": np.arange(1.0, 201)}, losses, delta=np.inf, envelope=0.3)
    level = brentq(
        lambda t: np.sum(np.where(y > t, 0.3, 1) * (y - t)), y.min(), y.max(), xtol=1e-14
    )
    assert found.x[0] == pytest.approx(level, abs=1e-10)


def test_refits_are_optima_and_do_not_depend_on_the_number_of_threads(monkeypatch):
    from scalinglaws.verify.empirical.fits import _newton

    law = fit_law("surface")
    columns, losses = noisy_runs()
    start = solve(law, columns, losses, delta=0.01).x
    weights = resampled(200, np.arange(losses.size), np.random.default_rng(6))
    found = []
    for count in (1, 2, 5):
        monkeypatch.setattr(_newton, "threads", lambda count=count: count)
        found.append(resolve_many(law, columns, losses, weights, delta=0.01, start=start))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    for row, x in zip(weights[:30], found[0], strict=False):
        again = solve(law, columns, losses, delta=0.01, weights=row)
        residuals = np.log(losses) - law.predict(x, columns)
        size = np.abs(residuals)
        huber = np.where(size < 0.01, residuals**2 / 2, 0.01 * (size - 0.005))
        assert np.sum(row * huber) == pytest.approx(again.objective, rel=1e-7)


def test_resamples_draw_clusters_together():
    names = np.array(["a", "a", "b", "c", "c", "c"])
    drawn = resampled(500, names, np.random.default_rng(7))
    assert np.all(drawn[:, 0] == drawn[:, 1])
    assert np.all(drawn[:, 3] == drawn[:, 5])
    assert np.all(drawn[:, 0] + drawn[:, 2] + drawn[:, 3] == 3)
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.15)


TRUTHS = {
    "power": {"c": 5.0, "gamma": 0.35},
    "power_offset": {"E": 1.7, "c": 5.0, "gamma": 0.35},
    "three_region": {"E": 0.02, "L_0 - E": 0.98, "x_0": 30.0, "gamma": 0.5, "s": 1.0},
    "bnsl": {"a": 0.1, "b": 2.0, "c_0": 0.1, "c_1": 0.4, "d_1": 1e3, "f_1": 0.5},
    "bnsl_2": {
        "a": 0.1,
        "b": 2.0,
        "c_0": 0.1,
        "c_1": 0.4,
        "d_1": 1e2,
        "f_1": 0.5,
        "c_2": -0.2,
        "d_2": 1e4,
        "f_2": 0.25,
    },
    "rosenfeld": {"A": 50.0, "alpha": 0.5, "B": 20.0, "beta": 0.6, "c_inf": 0.05, "epsilon_0": 0.9},
    "kaplan": {"a_N": 0.076, "a_D": 0.103, "N_c": 6.4e13, "D_c": 1.8e13},
    "kaplan+offset": {"E": 0.5, "a_N": 0.2, "a_D": 0.3, "N_c": 6.4e10, "D_c": 1.8e11},
    "surface": BESIROGLU,
    "surface_power": {"E": 1.7, "A": 4e3, "B": 2e4, "a": 0.45, "b": 0.46, "c": 0.75},
}


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("sd", [0.0, 0.003])
def test_every_law_finds_its_truth_from_its_own_starts(name, sd):
    """Without noise, the truth; with it, nothing worse than the descent from the truth."""
    law = fit_law(name)
    if law.variables == ("x",):
        columns = {"x": np.geomspace(1, 1e8, 60)}
    else:
        low, high = (2, 6) if name == "rosenfeld" else (8, 11)
        grid = np.meshgrid(
            np.geomspace(10**low, 10**high, 8), np.geomspace(10 ** (low + 1), 10 ** (high + 1), 8)
        )
        columns = {"N": grid[0].ravel(), "D": grid[1].ravel()}
    x = law.coordinates(TRUTHS[name])
    truth = law.predict(x, columns)
    losses = np.exp(truth + sd * np.random.default_rng(8).normal(size=truth.size))
    delta = 0.005 if sd else np.inf
    found = solve(law, columns, losses, delta=delta)
    assert found.converged
    if sd:
        assert found.objective <= solve(law, columns, losses, delta=delta, start=x).objective * (
            1 + 1e-9
        )
    else:
        np.testing.assert_allclose(found.x, x, rtol=1e-5, atol=1e-5)


def test_wrong_shapes_are_refused():
    law = fit_law("surface")
    columns, losses = noisy_runs(10)
    with pytest.raises(DomainError, match=r"losses\[3\]|losses"):
        solve(law, columns, np.where(np.arange(10) == 3, -1, losses), delta=0.01)
    with pytest.raises(DomainError, match="one per point"):
        solve(law, columns, losses[:5], delta=0.01)
    with pytest.raises(DomainError, match="a column for each point"):
        resolve_many(law, columns, losses, np.ones((3, 4)), delta=0.01, start=np.zeros(5))
