"""The checks of feature learning: as expected, discriminating, and flipped by wrong laws and wrong solvers."""

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.solvers import EmpiricalSpectrum, feature_learning
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.feature_learning import circle, flow
from scalinglaws.verify.registry import Context


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["feature_learning"])
    assert [comparison.id for comparison in report.comparisons if not comparison.as_expected] == []
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []
    assert len(report.comparisons) == 60


@pytest.mark.parametrize("check", ["time", "crossover", "model", "compute", "depth", "silver"])
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
    assert verdicts == ["fail"] * 3
