"""The checks of training in steps and of networks without projection: full effort, and flipped by wrong solvers."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.solvers import feature_learning
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.feature_learning import dmft, layers, network
from scalinglaws.verify.checks.feature_learning.tolerances import rate_of_deviation, simulated_curve
from scalinglaws.verify.registry import Context


@pytest.fixture(scope="module")
def drawn():
    """Simulations by what was simulated."""
    return {}


@pytest.fixture
def shared(monkeypatch, drawn):
    """Simulate once for all wrong theories: streams depend on names alone, and simulations know no theory."""
    original = dmft._Training.simulated

    def simulated(self, draws, rng):
        key = (self, draws, str(rng.bit_generator.state))
        if key not in drawn:
            drawn[key] = original(self, draws, rng)
        return drawn[key]

    monkeypatch.setattr(dmft._Training, "simulated", simulated)


def verdicts(check, name):
    return [
        comparison.verdict for comparison in check(Context(f"feature_learning.{name}", "quick", 0))
    ]


def wrong(monkeypatch, change):
    """Let the change wrap both marches."""
    for name in ("online_dmft", "reuse_dmft"):
        monkeypatch.setattr(feature_learning, name, change(getattr(feature_learning, name)))


def test_a_curve_that_is_late_by_one_step_fails(monkeypatch, shared):
    def late(original):
        def shifted(steps, *args, **given):
            found = original(steps + 1, *args, **given)
            return replace(found, test_loss=found.test_loss[1:], train_loss=found.train_loss[1:])

        return shifted

    wrong(monkeypatch, late)
    assert verdicts(dmft.online, "online") == ["fail"] * 2
    assert verdicts(dmft.reuse, "reuse") == ["fail"] * 4


def test_features_without_limit_fail(monkeypatch, shared):
    wrong(monkeypatch, lambda original: lambda *args, features, **given: original(*args, **given))
    assert "pass" not in verdicts(dmft.online, "online")
    assert "pass" not in verdicts(dmft.reuse, "reuse")


def test_samples_without_limit_fail(monkeypatch, shared):
    wrong(monkeypatch, lambda original: lambda *args, samples, **given: original(*args, **given))
    assert verdicts(dmft.reuse, "reuse") == ["fail"] * 4


def test_half_as_rich_again_fails_where_the_loss_depends_on_it(monkeypatch, shared):
    # a tenth more would move no loss by the tolerance: losses fall with a small power of the richness
    wrong(
        monkeypatch,
        lambda original: (
            lambda *args, richness, **given: original(*args, richness=1.5 * richness, **given)
        ),
    )
    assert "pass" not in verdicts(dmft.online, "online")[:1]
    assert "pass" not in verdicts(dmft.reuse, "reuse")[:2]
    original = feature_learning.linear_network
    changed = lambda *args, richness, **given: original(*args, richness=1.5 * richness, **given)  # noqa: E731
    monkeypatch.setattr(feature_learning, "linear_network", changed)
    context = Context("feature_learning.network", "quick", 0)
    assert network._wide(context).verdict == "fail"
    assert network._approach(context).verdict != "pass"


def test_a_network_that_keeps_its_floor_fails(monkeypatch):
    """The projected model, from the same draws."""
    simulate = network.simulate
    monkeypatch.setattr(simulate, "network_flow", simulate.gradient_flow)
    assert network._narrow(Context("feature_learning.network", "quick", 0)).verdict == "fail"


def test_the_exponent_of_another_task_fails_linear_networks(monkeypatch):
    original = Law.__call__
    monkeypatch.setattr(
        Law, "__call__", lambda self, **v: original(self, **{**v, "beta": v["beta"] + 0.1})
    )
    assert verdicts(network.network_exponent, "linear_network") == ["fail"]


def test_other_layers_fail(monkeypatch):
    """A kernel that grows half as much again, and networks that are trained without a projection."""
    original, descent = feature_learning.linear_network, layers.simulate.layer_descent
    changed = lambda *args, richness, **given: original(*args, richness=1.5 * richness, **given)  # noqa: E731
    monkeypatch.setattr(feature_learning, "linear_network", changed)
    unprojected = lambda *args, trained="layer", **given: descent(  # noqa: E731
        *args, trained="layer" if trained == "projected" else trained, **given
    )
    monkeypatch.setattr(layers.simulate, "layer_descent", unprojected)
    assert verdicts(layers.trained_layers, "layers") == ["fail", "fail", "fail", "pass"]


def test_rates_of_deviations():
    rng, sizes = np.random.default_rng(0), np.array([1.0, 2.0, 4.0])
    estimates = []
    for _ in range(300):
        rows = 0.1 / sizes + 0.03 / np.sqrt(sizes) * rng.standard_normal((12, 3))
        found = rate_of_deviation(sizes, rows, method="test")
        estimates.append((found.value, found.se))
    values, errors = np.array(estimates).T
    assert found.df == 11
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(300)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.15)
    scales = np.array([[1.0], [2.0], [3.0], [-1.0]])  # one of them in the other direction
    common = rate_of_deviation(
        sizes, scales * sizes**-0.5 * (1 + 1e-9 * rng.standard_normal((4, 3))), method="test"
    )
    assert common.value == pytest.approx(0.5, abs=1e-8)
    assert common.se < 1e-8


def test_tolerances_of_curves_cover_twice_the_stated_order_and_never_less_than_the_default():
    assert simulated_curve(0.01) == 0.05
    assert simulated_curve(0.04) == 0.08


@pytest.mark.slow
@pytest.mark.parametrize(
    "check", ["online", "reuse", "training", "replicas", "network", "linear_network", "layers"]
)
def test_full_effort(check):
    report = verify.run([f"feature_learning.{check}"], effort="full", rng=1)
    assert [
        (comparison.id, comparison.verdict)
        for comparison in report.comparisons
        if not comparison.as_expected
    ] == []
    assert all(comparison.discriminating for comparison in report.comparisons)
