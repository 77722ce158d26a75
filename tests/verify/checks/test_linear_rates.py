"""Laws of the linear model against direct simulation: as expected, discriminating, and flipped by a wrong law."""

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.linear import frontier, optima, rates

from .mutations import verdicts

CHECKS = ("linear.time.simulated", "linear.transient.simulated", "linear.sgd-noise")


@pytest.fixture(scope="module")
def report():
    return verify.run([*CHECKS, "linear.optimal-ridge"], rng=0)


def test_every_verdict_is_as_expected(report):
    assert report.as_expected
    assert len(report.comparisons) == 5
    assert all(found.discriminating for found in report.comparisons)


def test_each_law_faces_a_simulation(report):
    simulated = {
        found.id.split("/")[0] for found in report.comparisons if found.evidence == "simulation"
    }
    assert simulated == {*CHECKS, "linear.optimal-ridge"}


def test_exponents_are_measured_to_a_fraction_of_the_tolerance(report):
    for found in report.comparisons:
        if found.prediction.kind == "exponent" and found.evidence == "simulation":
            allowed = found.tolerance * found.prediction.value
            assert found.measurement.se < 0.5 * allowed, found.id


@pytest.mark.parametrize(
    ("check", "law"),
    [
        (rates.time, "linear.time"),
        (rates.transient, "linear.transient"),
        (rates.noise, "linear.sgd_noise"),
        (optima.optimal_ridge, "linear.optimal_ridge"),
    ],
)
def test_a_wrong_exponent_fails(check, law, monkeypatch):
    original = Law.__call__

    def mutated(self, **values):
        found = original(self, **values)
        return float(found) * 1.25 if self.name == law else found

    monkeypatch.setattr(Law, "__call__", mutated)
    found = verdicts(check, "linear.mutant")
    assert found.pop("loss", "pass") == "pass"  # the constant, which was left alone
    assert set(found.values()) == {"fail"}


def test_a_wrong_constant_fails(monkeypatch):
    original = Law.asymptote
    monkeypatch.setattr(
        Law, "asymptote", lambda self, *args, **values: 1.1 * original(self, *args, **values)
    )
    assert verdicts(rates.time, "linear.mutant") == {"exponent": "pass", "loss": "fail"}


def test_the_best_ridge_is_interpolated():
    """Parabolas in logarithms, whose least values are known; replicates keep their own level."""
    x = np.log(optima._RIDGES)
    bottoms = np.array([-4.0, -3.3])
    rows = np.exp((x - bottoms[:, None]) ** 2) * np.array([1.0, 2.0, 4.0])[:, None, None]
    np.testing.assert_allclose(
        optima.at_best(rows), np.repeat([[1.0], [2.0], [4.0]], 2, axis=1), rtol=1e-12
    )


def test_the_optimum_over_sizes_is_that_of_a_known_sum():
    """A sum of two powers: N* and L* in closed form, and the same for every replicate."""
    sizes, budgets = np.geomspace(8, 128, 9), np.array([1e4, 3e4, 1e5, 3e5])
    steps = budgets / sizes[:, None]
    losses = sizes[:, None] ** -1.5 + 3 * steps**-0.5
    best = (1.5 / (3 * 0.5)) ** 0.5 * budgets**0.25  # 1.5 N^-1.5 = 3 * 0.5 (C/N)^-0.5
    least, size = frontier._optima(sizes, np.stack([losses] * 4))
    np.testing.assert_allclose(size, np.stack([best] * 4), rtol=0.02)
    np.testing.assert_allclose(
        least, np.stack([best**-1.5 + 3 * (budgets / best) ** -0.5] * 4), rtol=5e-3
    )


@pytest.mark.slow
def test_a_boundary_without_its_logarithm_fails(monkeypatch):
    found = verdicts(frontier.boundary, "linear.compute.boundary", "full")
    assert found == {"between-Ia-and-II": "pass"}
    monkeypatch.setattr(Law, "log_power", lambda self, **values: 0.0)
    found = verdicts(frontier.boundary, "linear.compute.boundary", "full")
    assert found == {"between-Ia-and-II": "fail"}


@pytest.mark.slow
def test_compute_optima_are_as_expected_and_reject_a_wrong_law(monkeypatch):
    swept = {}
    original = frontier._trained

    def once(sweep, size, rate, rng):
        key = (sweep.phase, size, str(rng.bit_generator.state))
        if key not in swept:
            swept[key] = original(sweep, size, rate, rng), rng.bit_generator.state
        losses, rng.bit_generator.state = swept[key]
        return losses

    monkeypatch.setattr(frontier, "_trained", once)
    right = verdicts(frontier.compute, "linear.compute.simulated", "full")
    assert set(right) == {"Ia-loss", "Ia-size", "Ia-steps", "II-loss"}
    assert set(right.values()) == {"pass"}
    asked = Law.__call__
    monkeypatch.setattr(Law, "__call__", lambda self, **values: 1.25 * float(asked(self, **values)))
    wrong = verdicts(frontier.compute, "linear.compute.simulated", "full")
    assert set(wrong.values()) == {"fail"}
