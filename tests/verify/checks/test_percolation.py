"""The checks of percolation: as expected, discriminating, and flipped by wrong laws, wrong solvers and shifts of two tolerances."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.solvers import percolation as solve
from scalinglaws.theory.percolation import critical_exponents
from scalinglaws.verify import Measurement
from scalinglaws.verify.checks.percolation import clusters, curves, lattices, tolerances
from scalinglaws.verify.registry import Context


@pytest.fixture(scope="module")
def report(shared_report):
    return shared_report(["percolation"])


def found(check, name):
    return list(check(Context(f"percolation.{name}", "quick", 0)))


def verdicts(check, name):
    return [comparison.verdict for comparison in found(check, name)]


def test_every_verdict_is_as_expected(report):
    assert [
        (comparison.id, comparison.verdict)
        for comparison in report.comparisons
        if not comparison.as_expected
    ] == []
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []
    assert len(report.comparisons) == 35


def test_one_disagreement_is_known_and_explained(report):
    (known,) = report.known_disagreements
    assert known.id == "percolation.cluster-learning/middle"
    assert known.expect_reason.startswith("the law holds a cluster's variance fixed")
    # the middle of the curve is high, and no point of it low
    assert np.all(known.measurement.value > known.prediction.value)


@pytest.mark.parametrize("sign", [-1, 1])
def test_no_pass_survives_a_shift_by_two_tolerances(report, sign):
    for comparison in report.comparisons:
        if comparison.expect != "pass":
            continue
        measured, predicted = comparison.measurement, comparison.prediction
        scale = np.abs(predicted.value) if comparison.tolerance_kind == "relative" else 1.0
        shift = sign * 2 * comparison.tolerance * scale
        assert (
            replace(comparison, measurement=replace(measured, value=measured.value + shift)).verdict
            != "pass"
        )
        # the same for the theory alone, which exponents carry with an error of their own
        assert comparison.against(predicted.value - shift).verdict != "pass"


def test_workers_do_not_change_a_number(report):
    names = ["percolation.nearest-distance", "percolation.tau"]
    again = {
        comparison.id: comparison for comparison in verify.run(names, rng=0, workers=2).comparisons
    }
    for comparison in report.comparisons:
        if comparison.id in again:
            np.testing.assert_array_equal(
                comparison.measurement.value, again[comparison.id].measurement.value
            )
            np.testing.assert_array_equal(
                comparison.measurement.se, again[comparison.id].measurement.se
            )


def test_published_numbers_are_rivals(report):
    (ranks,) = [
        comparison
        for comparison in report.comparisons
        if comparison.id == "percolation.break-rank/random"
    ]
    np.testing.assert_array_equal(ranks.prediction.value, [19, 45])
    np.testing.assert_allclose(ranks.rival.value, [31.6, 78.0], atol=0.1)


# -- mutations: a wrong theory or a wrong solver must not pass ---------------------------------------------------------


def test_an_exponent_of_single_clusters_that_is_off_by_a_tenth_fails(monkeypatch):
    for name, given in (("allocate", "exponents"), ("data_loss", "exponent")):
        original = getattr(solve, name)

        def mutated(*args, original=original, given=given, **rest):
            return original(*args, **{**rest, given: rest[given] + 0.1})

        monkeypatch.setattr(solve, name, mutated)
    assert "pass" not in verdicts(curves.fitted, "mutant")


def test_scales_that_are_half_as_large_fail(monkeypatch):
    original = solve.cluster_scale
    monkeypatch.setattr(solve, "cluster_scale", lambda *args, **given: original(*args, **given) / 2)
    assert "pass" not in verdicts(curves.parameter_free, "mutant")
    # late in training a cluster's loss goes with the root of the scale
    _, late, naive = verdicts(clusters.cluster_learning, "mutant")
    assert (late, naive) == ("fail", "pass")


def test_the_published_rule_in_place_of_the_exact_one_fails(monkeypatch):
    original = solve.prepare_allocation

    class Published:
        def __init__(self, prepared):
            self.prepared = prepared

        def solve(self, n, **given):
            answer = self.prepared.solve(n, **given)
            return replace(answer, included=np.rint((n / 3) ** 0.75))

    monkeypatch.setattr(
        solve, "prepare_allocation", lambda *args, **given: Published(original(*args, **given))
    )
    assert verdicts(curves.break_rank, "mutant") == ["fail"]


def test_an_index_shifted_by_one_fails_the_distances(monkeypatch):
    mean, tail = solve.mean_nearest_distance, solve.nearest_distance
    monkeypatch.setattr(
        solve, "mean_nearest_distance", lambda density, **given: mean(density, **given) + 1
    )
    monkeypatch.setattr(
        solve, "nearest_distance", lambda r, **given: tail(np.asarray(r) + 1, **given)
    )
    assert verdicts(clusters.nearest_distance, "mutant") == ["fail", "fail"]


def test_another_number_of_children_fails_the_distances(monkeypatch):
    for name in ("mean_nearest_distance", "nearest_distance"):
        original = getattr(solve, name)

        def mutated(x, *, coordination, original=original, **given):
            return original(x, coordination=coordination // 2, **given)

        monkeypatch.setattr(solve, name, mutated)
    assert verdicts(clusters.nearest_distance, "mutant") == ["fail", "fail"]


def test_exponents_of_another_dimension_fail(monkeypatch):
    monkeypatch.setattr(
        lattices, "critical_exponents", lambda dimension: critical_exponents(dimension + 1)
    )
    assert verdicts(lattices.tau, "tau") == ["fail", "fail"]
    assert verdicts(lattices.fractal_dimension, "fractal-dimension") == ["fail", "fail"]
    assert "fail" in verdicts(lattices.rank, "rank")


def test_free_boundaries_bias_the_fisher_exponent():
    """What the simulation has to do right: the largest clusters of a free lattice are cut."""
    plan = lattices._QUICK[3]
    samples = {
        periodic: lattices.simulate.sample_lattices(
            plan.length, 3, occupation=0.31160768, samples=20, roots=0, periodic=periodic, rng=1
        )
        for periodic in (True, False)
    }
    tau = {
        periodic: lattices.simulate.fisher_exponent(drawn, powers=(5, 5)).value
        for periodic, drawn in samples.items()
    }
    assert tau[False] > tau[True]


def test_curves_in_units_of_theory_have_the_spread_of_the_ratio():
    rng = np.random.default_rng(0)
    theories = rng.uniform(0.5, 2.0, (12, 2))  # datasets differ by factors
    noise = 1 + 0.01 * rng.standard_normal((12, 2))
    found = tolerances.curve_in_units_of_theory(
        "a/b",
        "loss",
        "test",
        [1.0, 2.0],
        {"x": (1.0, 2.0)},
        lambda r: (1.02 * noise[r] * theories[r], theories[r], 2 * theories[r]),
        replicates=12,
        tolerance=0.05,
        rival="twice",
        method="test",
    )
    assert found.verdict == "pass"
    assert found.rival_verdict == "fail"
    np.testing.assert_allclose(found.prediction.value, theories.mean(axis=0))
    np.testing.assert_allclose(
        found.measurement.value / found.prediction.value, 1.02 * noise.mean(axis=0)
    )
    np.testing.assert_allclose(
        found.measurement.se / found.prediction.value,
        1.02 * noise.std(axis=0, ddof=1) / np.sqrt(12),
    )
    np.testing.assert_allclose(found.rival.value, 2 * found.prediction.value)


def test_the_spread_of_windows_is_part_of_the_error():
    samples = lattices.simulate.sample_lattices(64, 2, occupation=0.59, samples=10)
    estimate = lattices.simulate.fisher_exponent(samples, powers=(1, 3))
    measured = lattices._measured(estimate, 10, "test")
    assert isinstance(measured, Measurement)
    assert measured.systematic == pytest.approx(abs(estimate.local[2] - estimate.local[0]) / 4)
    assert measured.se == pytest.approx(np.hypot(estimate.standard_error, measured.systematic))
    assert (
        lattices._measured(
            lattices.simulate.fisher_exponent(samples, powers=(1, 2)), 10, "test"
        ).systematic
        == 0
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        "break-rank",
        "cluster-learning",
        "fitted",
        "fractal-dimension",
        "nearest-distance",
        "parameter-free",
        "prefactor",
        "threshold",
    ],
)
def test_full_effort(check):
    report = verify.run([f"percolation.{check}"], effort="full", rng=1)
    assert [
        (comparison.id, comparison.verdict)
        for comparison in report.comparisons
        if not comparison.as_expected
    ] == []
    assert all(comparison.discriminating for comparison in report.comparisons)


@pytest.mark.slow
def test_tails_of_lattices_at_full_effort():
    report = verify.run(["percolation.tau", "percolation.rank"], effort="full", rng=1)
    assert [
        (comparison.id, comparison.verdict)
        for comparison in report.comparisons
        if not comparison.as_expected
    ] == []
    assert all(comparison.discriminating for comparison in report.comparisons)
