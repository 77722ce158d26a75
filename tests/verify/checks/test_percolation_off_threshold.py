"""Checks away from the threshold and of samples drawn one by one: as expected, and flipped by wrong laws and solvers."""

import pytest

from scalinglaws import theory, verify
from scalinglaws.solvers import percolation as solve
from scalinglaws.verify.checks.percolation import distances, off_threshold, samples

from .mutations import changed, verdicts

BELOW = ("below-0.03", "below-0.015", "below-0.0075")


@pytest.fixture(scope="module")
def report(shared_report):
    return shared_report(["percolation"])


def test_the_rivals_are_rejected(report):
    names = (
        "off-threshold",
        "duality",
        "data-prefactor",
        "data-exponent",
        "supercritical",
        "sampling",
    )
    found = [entry for entry in report.comparisons if entry.id.split("/")[0][12:] in names]
    assert len(found) == 10
    assert {(entry.verdict, entry.rival_verdict, entry.evidence) for entry in found} == {
        ("pass", "fail", "simulation")
    }


def test_a_plateau_that_ends_twice_as_late_fails(monkeypatch):
    changed(off_threshold, "_crossover_rank", monkeypatch, lambda rank: 2 * rank)
    assert verdicts(off_threshold.plateau, "percolation.off-threshold") == dict.fromkeys(
        BELOW, "fail"
    )


def test_clusters_that_are_learned_faster_fail(monkeypatch):
    original = solve.crossover_data_loss
    monkeypatch.setattr(
        solve,
        "crossover_data_loss",
        lambda *args, exponent, **given: original(*args, exponent=exponent + 0.1, **given),
    )
    found = verdicts(off_threshold.plateau, "percolation.off-threshold")
    assert "pass" not in found.values()


def test_the_mirror_image_of_an_occupation_is_not_its_dual(monkeypatch):
    monkeypatch.setattr(
        solve, "dual_occupation", lambda *, coordination, occupation: 2 / 11 - occupation
    )
    assert verdicts(off_threshold.duality, "percolation.duality") == {"sizes": "fail"}


def test_another_law_of_samples_fails(monkeypatch):
    original = theory.law

    def other(name):
        return original("percolation.model" if name == "percolation.data" else name)

    monkeypatch.setattr(samples.theory, "law", other)
    assert verdicts(samples.data_exponent, "percolation.data-exponent") == {
        "cluster-limited": "fail"
    }


def test_another_power_of_the_weights_fails(monkeypatch):
    original = samples.simulate.zipf_losses
    monkeypatch.setattr(
        samples.simulate,
        "zipf_losses",
        lambda *args, sampling, **given: original(*args, sampling=sampling + 0.2, **given),
    )
    assert set(verdicts(samples.sampling, "percolation.sampling").values()) == {"fail"}


def test_another_dimension_of_the_infinite_cluster_fails(monkeypatch):
    original = distances.critical_exponents
    monkeypatch.setattr(distances, "critical_exponents", lambda dimension: original(2))
    assert verdicts(distances.supercritical, "percolation.supercritical") == {
        "homogeneous": "pass",
        "fractal": "fail",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        "crossover-exponent",
        "data-exponent",
        "data-prefactor",
        "duality",
        "off-threshold",
        "supercritical",
    ],
)
def test_full_effort(check):
    report = verify.run([f"percolation.{check}"], effort="full", rng=1)
    assert all(entry.as_expected and entry.discriminating for entry in report.comparisons)
