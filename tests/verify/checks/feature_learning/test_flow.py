"""The checks of feature learning: as expected, discriminating, and flipped by wrong laws and wrong solvers."""

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.errors import ScalingLawsError
from scalinglaws.solvers import EmpiricalSpectrum, feature_learning
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.feature_learning import (
    circle,
    depth,
    flow,
    label_descent,
    noise,
    one_draw,
    steps,
)
from scalinglaws.verify.registry import Context


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["feature_learning"])
    assert [comparison.id for comparison in report.comparisons if not comparison.as_expected] == []
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []
    assert len(report.comparisons) == 62


@pytest.mark.parametrize("check", ["time", "crossover", "model", "compute", "silver"])
def test_another_source_fails(monkeypatch, check):
    """The laws are asked for beta + 0.1."""
    original = Law.__call__

    def mutated(self, **values):
        return original(self, **{**values, "beta": values["beta"] + 0.1})

    monkeypatch.setattr(Law, "__call__", mutated)
    verdicts = [
        comparison.verdict for comparison in verify.run([f"feature_learning.{check}"]).comparisons
    ]
    # features limit an easy task with an exponent that does not depend on beta
    assert verdicts == (["pass", "fail"] if check == "model" else ["fail"] * len(verdicts))


def test_steps_that_are_judged_by_another_law_fail(monkeypatch):
    """What networks of few modes do against exponents of beta + 0.1, and against the scale that is a tenth larger."""
    original, evaluated, asymptote = Law.__call__, Law.evaluate, Law.asymptote
    monkeypatch.setattr(
        Law, "__call__", lambda self, **v: original(self, **{**v, "beta": v["beta"] + 0.1})
    )
    monkeypatch.setattr(Law, "evaluate", lambda self, *a, **v: 1.1 * evaluated(self, *a, **v))
    monkeypatch.setattr(Law, "asymptote", lambda self, *a, **v: 1.1 * asymptote(self, *a, **v))
    context = Context("feature_learning.mutant", "quick", 0)
    for check in (steps.stable_steps, steps.window, steps.kernel_scale):
        assert {entry.verdict for entry in check(context)} == {"fail"}


def test_a_kernel_that_stands_still_fails_the_laws_of_its_growth(monkeypatch):
    """Networks whose first layer learns a tenth as fast."""
    simulate = steps.simulate
    for name in ("gradient_descent", "gradient_flow"):
        original = getattr(simulate, name)
        monkeypatch.setattr(
            simulate,
            name,
            lambda *args, richness, _original=original, **given: _original(
                *args, richness=0.5 * richness, **given
            ),
        )
    context = Context("feature_learning.mutant", "quick", 0)
    assert {entry.verdict for entry in steps.kernel_scale(context)} == {"fail"}


def test_noise_that_adds_or_lasts_otherwise_fails(monkeypatch):
    """A constant that is 1.4 times as large, and the exponents of another task."""
    original, evaluated = Law.__call__, Law.evaluate
    monkeypatch.setattr(Law, "evaluate", lambda self, *a, **v: 1.4 * evaluated(self, *a, **v))
    monkeypatch.setattr(
        Law, "__call__", lambda self, **v: original(self, **{**v, "beta": v["beta"] - 0.2})
    )
    context = Context("feature_learning.mutant", "quick", 0)
    assert [entry.verdict for entry in noise.excess(context)] == ["fail"]
    assert [entry.verdict for entry in noise.kicks(context)] == ["fail"]


def test_batches_twice_as_large_fail_the_excess(monkeypatch):
    original = noise.simulate.opposite_noise
    monkeypatch.setattr(
        noise.simulate,
        "opposite_noise",
        lambda *args, batch, **given: original(*args, batch=2 * batch, **given),
    )
    found = noise.excess(Context("feature_learning.mutant", "quick", 0))
    assert [entry.verdict for entry in found] == ["fail"]


def test_networks_that_learn_no_features_fail_over_decades(monkeypatch):
    monkeypatch.setattr(noise, "_DECADES", (("short", 0.75, 0.02, 10**6, 100.0),))
    context, solved = Context("feature_learning.mutant", "full", 0), noise.online_dmft
    assert [entry.verdict for entry in noise._grown_for_decades(context)] == ["pass"]
    monkeypatch.setattr(
        noise, "online_dmft", lambda *args, richness, **given: solved(*args, richness=0, **given)
    )
    assert [entry.verdict for entry in noise._grown_for_decades(context)] == ["fail"]


def test_other_noise_fails_the_descent(monkeypatch):
    """Batches that fall with the root of the rate, and noise that is not as weak as asked for."""
    original = label_descent.simulate.online_sgd

    def averaged(*args, batch, learning_rate, noise_variance, **given):
        size = round(batch * (learning_rate / 0.1) ** 0.5) if noise_variance == 1 else batch
        return original(
            *args,
            batch=size,
            learning_rate=learning_rate,
            noise_variance=max(noise_variance, 0.06),
            **given,
        )

    monkeypatch.setattr(label_descent.simulate, "online_sgd", averaged)
    found = label_descent.descent(Context("feature_learning.mutant", "quick", 0))
    assert [entry.verdict for entry in found] == ["fail"] * 2


def test_features_of_another_covariance_fail_one_draw(monkeypatch):
    original = one_draw._reduced
    monkeypatch.setattr(
        one_draw,
        "_reduced",
        lambda first, *args: original(first * (1 + 1e-6), *args),
    )
    found = one_draw.reduced_to_noise(Context("feature_learning.mutant", "quick", 0))
    assert [entry.verdict for entry in found] == ["fail"] * 2


def test_labels_that_lose_their_noise_leave_the_kernel_as_it_is(monkeypatch):
    original = label_descent.simulate.online_sgd
    monkeypatch.setattr(
        label_descent.simulate,
        "online_sgd",
        lambda *args, noise_variance, **given: original(*args, noise_variance=0.0, **given),
    )
    with pytest.raises(ScalingLawsError, match="never both above and below"):
        list(label_descent.descent(Context("feature_learning.mutant", "quick", 0)))


def test_chains_of_another_depth_fail(monkeypatch):
    """One factor less than asked for, in the reduction and in the law."""
    solved, original = feature_learning.gradient_flow, Law.__call__
    monkeypatch.setattr(
        feature_learning,
        "gradient_flow",
        lambda *args, depth, **given: solved(*args, depth=depth - 1, **given),
    )
    monkeypatch.setattr(
        Law, "__call__", lambda self, **values: original(self, **{**values, "m": values["m"] - 1})
    )
    found = depth.chain_losses(Context("feature_learning.mutant", "quick", 0))
    assert [entry.verdict for entry in found] == ["fail"] * 4


def test_half_the_feedback_fails_the_warp(monkeypatch):
    original = feature_learning.realization_flow
    monkeypatch.setattr(
        feature_learning,
        "realization_flow",
        lambda *args, richness, **given: original(*args, richness=richness / 2, **given),
    )
    assert [
        comparison.verdict
        for comparison in flow.warp(Context("feature_learning.mutant", "quick", 0))
    ] == ["fail", "fail"]


def test_a_shifted_index_fails_the_warp_and_the_static_limit(monkeypatch):
    original, limit = feature_learning.realization_flow, feature_learning.static_limit
    monkeypatch.setattr(
        feature_learning,
        "realization_flow",
        lambda t, x, mu, **given: original(t, np.append(x[1:], x[-1]), mu, **given),
    )
    assert [
        comparison.verdict
        for comparison in flow.warp(Context("feature_learning.mutant", "quick", 0))
    ] == ["fail", "fail"]

    def shifted(spectrum, **given):
        eigenvalues, signal = spectrum.explicit()
        return limit(EmpiricalSpectrum(eigenvalues, np.append(signal[1:], signal[-1])), **given)

    monkeypatch.setattr(feature_learning, "static_limit", shifted)
    assert next(flow.static(Context("feature_learning.mutant", "quick", 0))).verdict == "fail"


def test_another_target_fails_on_the_circle(monkeypatch):
    """Kernel flow of a target that is off by 0.1 in the source, and a law that is off by 0.15."""
    original, law = feature_learning.circle_flow, Law.__call__
    monkeypatch.setattr(
        feature_learning,
        "circle_flow",
        lambda *args, target_exponent, **given: original(
            *args, target_exponent=target_exponent + 0.1, **given
        ),
    )
    monkeypatch.setattr(
        Law, "__call__", lambda self, **values: law(self, **{**values, "q_y": values["q_y"] + 0.15})
    )
    verdicts = [
        comparison.verdict
        for comparison in circle.circle_slopes(Context("feature_learning.circle", "quick", 0))
    ]
    assert verdicts == ["fail"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "check", ["steps", "silver", "window", "kernel_scale", "depth", "sgd_excess", "sgd_noise"]
)
def test_full_effort(check):
    report = verify.run([f"feature_learning.{check}"], effort="full", rng=1)
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert all(entry.discriminating for entry in report.comparisons)
