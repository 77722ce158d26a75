"""The checks of measured exponents: as expected, discriminating, and flipped by missing corrections, wrong kernels and wrong tasks."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.errors import DataError
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical import tasks as checks
from scalinglaws.verify.empirical import _exponents as measuring
from scalinglaws.verify.registry import Context, registered
from scalinglaws.verify.simulate import empirical as simulate
from scalinglaws.verify.simulate.empirical import draw_task


def found(check, name):
    """Return the comparisons of a quick run by the last part of their names."""
    return {c.id.split("/")[1]: c for c in check(Context(f"empirical.{name}", "quick", 0))}


def verdicts(check, name):
    return {key: comparison.verdict for key, comparison in found(check, name).items()}


def test_every_verdict_is_as_expected(shared_report):
    names = ("exponents", "learning-curve")
    report = shared_report([f"empirical.{name}" for name in names])
    assert [comparison.id for comparison in report.comparisons if not comparison.as_expected] == []
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []
    narrow = found(checks.network_kernels, "network-kernels").values()  # its least effort is wider
    comparisons = (*report.comparisons, *narrow)
    assert len(comparisons) == 11
    assert all(comparison.verdict == "pass" for comparison in comparisons)
    for comparison in comparisons:  # and no measurement that is off by two tolerances passes
        scale = np.abs(comparison.prediction.value)
        scale = scale if comparison.tolerance_kind == "relative" else 1.0
        for side in (-1, 1):
            value = comparison.measurement.value + side * 2 * comparison.tolerance * scale
            moved = replace(comparison.measurement, value=value)
            assert replace(comparison, measurement=moved).verdict != "pass"


def test_eigenvalues_with_their_bias_fail(monkeypatch):
    monkeypatch.setattr(measuring, "eigenvalue_bias", lambda capacity, k, *_: np.zeros_like(k))
    monkeypatch.setattr(checks, "QUICK", ("mild",))
    assert verdicts(checks.exponents, "exponents")["mild-capacity"] == "fail"


def test_residuals_with_their_bias_fail(monkeypatch):
    original = measuring.residual_logs

    def biased(modes, k):
        logs = original(modes, k)
        return None if logs is None else logs + np.log1p(-k / modes.samples)

    monkeypatch.setattr(measuring, "residual_logs", biased)
    monkeypatch.setattr(checks, "QUICK", ("note",))
    given = verdicts(checks.exponents, "exponents")
    assert given["note-decay"] == "fail"
    assert given["note-capacity"] == "pass"


def test_tasks_with_other_exponents_fail(monkeypatch):
    def moved(samples, *, alpha, decay, **given):
        return draw_task(samples, alpha=1.05 * alpha, decay=1.5 * decay, **given)

    monkeypatch.setattr(simulate, "draw_task", moved)
    assert set(verdicts(checks.exponents, "exponents").values()) == {"fail"}
    curves = verdicts(checks.learning_curve, "learning-curve")
    assert curves.pop("curve-1.5-0.5") == "pass"  # each task's own spectrum says what it is
    assert set(curves.values()) == {"fail"}


def test_a_cut_sum_in_place_of_all_modes_fails(monkeypatch):
    """Without the rest beyond the modes that are drawn, small capacities read too large."""
    from scalinglaws.verify.simulate.empirical import _task

    monkeypatch.setattr(_task, "_tail", lambda exponent, modes: 0.0)
    monkeypatch.setattr(checks, "QUICK", ("note",))
    assert verdicts(checks.exponents, "exponents")["note-capacity"] == "fail"


def test_a_ridge_that_is_not_told_fails(monkeypatch):
    original = simulate.regression_curve

    def regularized(gram, labels, samples, **given):
        return replace(original(gram, labels, samples, **given, ridge=0.3), ridge=1e-10)

    monkeypatch.setattr(simulate, "regression_curve", regularized)
    given = verdicts(checks.learning_curve, "learning-curve")
    assert given["curve-1.5-0.5"] == given["slope-1.5-2.5"] == "fail"


def test_centered_labels_of_features_without_a_mean_fail(monkeypatch):
    """The constant that centering takes away is not learned: losses end at 1/n, and steep curves with them."""
    original = simulate.regression_curve

    def centered(gram, labels, samples, *, center, **given):
        return original(gram, labels, samples, **given)

    monkeypatch.setattr(simulate, "regression_curve", centered)
    assert verdicts(checks.learning_curve, "learning-curve")["slope-1.5-2.5"] == "fail"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("relu_nngp", {"depth": 3, "bias_variance": 0.1}),
        ("erf_ntk", {"depth": 2, "bias_variance": 0.4}),
    ],
)
def test_kernels_of_other_networks_fail(name, wrong, monkeypatch):
    original = getattr(checks, name)

    def other(inputs, **given):
        return original(inputs, **wrong)

    other.__name__ = name
    monkeypatch.setattr(checks, name, other)
    given = verdicts(checks.network_kernels, "network-kernels")
    assert given.pop(name) == "fail"
    assert set(given.values()) == {"pass"}


def test_a_share_is_counted_with_wilsons_interval():
    """18 of 20 is known: from 0.699 to 0.972."""
    measured = checks.share(18, 20)
    assert measured.value - 1.959964 * measured.se == pytest.approx(0.699, abs=5e-4)
    assert measured.value + 1.959964 * measured.se == pytest.approx(0.972, abs=5e-4)
    assert checks.share(200, 200).se > 0


@pytest.mark.slow
def test_coverage_fails_for_intervals_that_are_too_narrow(monkeypatch):
    """Intervals of a third of their length, on few data sets of one task."""
    monkeypatch.setattr(checks, "TASKS", {"mild": checks.TASKS["mild"]})
    original = empirical.measure

    def narrow(**given):
        measured = original(**given)
        parts = {}
        for name in checks.QUANTITIES:
            exponent = getattr(measured, name)
            low, high = exponent.interval
            third = (high - low) / 6
            parts[name] = replace(
                exponent, interval=(exponent.value - third, exponent.value + third)
            )
        return replace(measured, **parts)

    monkeypatch.setattr(checks.empirical, "measure", narrow)
    assert verdicts(checks.intervals, "intervals")["source"] == "fail"


def test_labels_that_are_noise_confirm_nothing():
    """Their residual is 1 - k/n in the sample: no decay, and no source."""
    for seed in range(3):
        task = draw_task(300, alpha=1.5, decay=0.75, rng=seed)
        noise = np.random.default_rng(seed).permutation(task.labels)
        measured = empirical.measure(
            gram=task.gram, labels=noise, center=True, held_out=False, rng=seed
        )
        assert measured.capacity.verdict == "power law"
        assert measured.source.verdict != "power law"
        assert measured.decay.verdict != "power law"


def test_digits_say_what_to_install(monkeypatch):
    def missing():
        raise DataError("they come with scikit-learn: pip install 'scalinglaws[data]'")

    monkeypatch.setattr(checks, "images_of_digits", missing)
    report = verify.run(["empirical.digits"])
    assert [crash.check for crash in report.crashes] == ["empirical.digits"]
    assert "pip install" in report.crashes[0].error


@pytest.mark.slow
def test_digits_are_reported_as_found():
    """Slopes agree to 20 percent; curves of distances are optimistic, that of a wide network is not."""
    pytest.importorskip("sklearn")
    report = verify.run(["empirical.digits"], effort="full", rng=3)
    assert report.as_expected
    given = {comparison.id.split("/")[1]: comparison for comparison in report.comparisons}
    assert {name: c.verdict for name, c in given.items()} == {
        "laplace-slope": "pass",
        "laplace-curve": "fail",
        "rbf-slope": "pass",
        "rbf-curve": "fail",
        "relu_nngp-curve": "pass",
    }
    assert all(c.discriminating and c.evidence == "data" for c in given.values())
    assert given["rbf-curve"].expect_reason
    ratios = {
        n: c.prediction.value / c.measurement.value for n, c in given.items() if "-curve" in n
    }
    assert ratios["rbf-curve"][-1] == pytest.approx(0.77, abs=0.03)
    assert ratios["rbf-curve"][0] > 0.9
    assert np.all(np.abs(ratios["relu_nngp-curve"] - 1) < 0.06)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exponents", "intervals", "learning-curve", "network-kernels"])
def test_full_effort_at_a_fresh_root(name):
    report = verify.run([f"empirical.{name}"], effort="full", rng=11)
    assert [c.id for c in report.comparisons if not (c.as_expected and c.discriminating)] == []


def test_the_checks_say_what_they_test():
    own = {
        name: entry
        for name, entry in registered().items()
        if entry.function.__module__ == checks.__name__
    }
    assert sorted(own) == [
        f"empirical.{name}"
        for name in ("digits", "exponents", "intervals", "learning-curve", "network-kernels")
    ]
    for entry in own.values():
        assert bool(entry.laws) != bool(entry.no_law)
