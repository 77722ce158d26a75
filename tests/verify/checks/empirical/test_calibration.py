"""The check of calibrated intervals: as expected, discriminating, and flipped by a forecast that forgets its drift."""

import numpy as np
import pytest

from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical import calibration as checks
from scalinglaws.verify.empirical.fits import _forecast, forecast
from scalinglaws.verify.registry import Context

SETS = 150


def verdicts():
    context = Context("empirical.calibration", "quick", 0)
    return {c.id.split("/")[1]: c.verdict for c in checks.calibrated_intervals(context)}


def test_every_verdict_is_as_expected_with_fewer_sets():
    context = Context("empirical.calibration", "quick", 0)
    comparisons = list(checks.calibrated_intervals(context))
    assert len(comparisons) == 6
    for comparison in comparisons:
        assert comparison.verdict == "pass"
        assert comparison.discriminating


def test_a_forecast_without_drift_fails(monkeypatch):
    monkeypatch.setattr(_forecast, "_drift", lambda fit, laws: 0.0)
    found = verdicts()
    assert found["drifting-1"] == found["drifting-2"] == "fail"
    assert found["drifting-0.5"] != "pass"
    assert {found[f"true-{h:g}"] for h in checks.HORIZONS} == {"pass"}


def test_runs_are_those_of_the_design():
    rng = np.random.default_rng(0)
    drawn = checks.draw(0.0, rng)
    assert drawn.table["N"].size == 60
    np.testing.assert_allclose(
        np.log10(6 * drawn.beyond["N"] * drawn.beyond["D"]), [21.5, 22, 23], atol=1e-6
    )
    paths = np.array([checks.draw(0.006, rng).log_loss - drawn.log_loss for _ in range(1500)])
    # two decades up to the last budget, and what is beyond
    np.testing.assert_allclose(paths.std(axis=0), 0.006 * np.sqrt([2.5, 3, 4]), rtol=0.07)


@pytest.fixture(scope="module")
def counted():
    """Coverage of each horizon and median half-width, by world, law and kind of interval."""
    found = {}
    for world, misfit in (("true", 0.0), ("drifting", checks.MISFIT)):
        rows = {}
        for seed in range(SETS):
            drawn = checks.draw(misfit, np.random.default_rng([7, seed]))
            fitted = empirical.fit("auto", drawn.table, delta=np.inf, bootstrap=0)
            for law in ("surface", None):
                told = forecast(fitted, drawn.beyond, law=law)
                inside = checks.covered(fitted, drawn, law)
                for name in inside:
                    half = 1.96 * np.sqrt(getattr(told, f"{name}_variance"))
                    rows.setdefault((law or "both", name), []).append((inside[name], half))
        for key, each in rows.items():
            shares, halves = np.array(each, float).swapaxes(0, 1)
            found[world, *key] = shares.mean(axis=0), np.median(halves, axis=0)
    return found


@pytest.mark.slow
def test_acceptance_of_drifting_laws(counted):
    assert np.all(counted["drifting", "surface", "calibrated"][0] >= 0.9)
    assert np.all(counted["drifting", "surface", "mean"][0] <= 0.6)
    assert np.all(counted["drifting", "both", "calibrated"][0] >= 0.88)


@pytest.mark.slow
def test_acceptance_of_a_law_that_holds(counted):
    for law in ("surface", "both"):
        coverage, half = counted["true", law, "calibrated"]
        assert np.all(coverage >= 0.93)
        assert half[1] <= 0.025
    assert np.all(counted["true", "surface", "mean"][0] >= 0.9)
