"""Checks of percolation on lists of clusters, and on what is counted: wrong laws and wrong simulations do not pass."""

import pytest

from scalinglaws.solvers import percolation as solve
from scalinglaws.verify.checks.percolation import clusters, limits, singles
from scalinglaws.verify.registry import Context
from scalinglaws.verify.simulate import percolation as simulate

from .mutations import changed, verdicts


def test_samples_of_other_weights_fail(monkeypatch):
    original = simulate.pruned_losses
    monkeypatch.setattr(
        simulate,
        "pruned_losses",
        lambda *args, **given: original(*args, **{**given, "alpha": 1.1}),
    )
    assert verdicts(limits.one_sample_each, "percolation.one-sample") == {"alpha-1": "fail"}


def test_other_weights_fail(monkeypatch):
    original = simulate.remembered_losses
    monkeypatch.setattr(
        simulate,
        "remembered_losses",
        lambda *args, **given: original(*args, **{**given, "alpha": 1.05}),
    )
    assert verdicts(limits.most_common, "percolation.most-common") == {"alpha-1": "fail"}


def test_pieces_of_another_order_fail(monkeypatch):
    original = simulate.component_losses
    monkeypatch.setattr(
        simulate,
        "component_losses",
        lambda *args, **given: original(*args, **{**given, "order": 6 - given["order"]}),
    )
    found = verdicts(limits.one_component, "percolation.one-component")
    assert set(found.values()) == {"fail"}


def test_another_background_fails(monkeypatch):
    original = simulate.masked_gains
    monkeypatch.setattr(
        simulate,
        "masked_gains",
        lambda *args, **given: original(*args, **{**given, "background": 0.12}),
    )
    found = verdicts(limits.loss_reduction, "percolation.loss-reduction")
    assert found == {"masked": "fail", "weight": "pass"}


def test_weights_that_go_with_the_extent_fail(monkeypatch):
    changed(simulate, "line_gains", monkeypatch, lambda gain: gain**0.9)
    found = verdicts(limits.loss_reduction, "percolation.loss-reduction")
    assert found == {"masked": "pass", "weight": "fail"}


def test_sizes_at_another_occupation_fail(monkeypatch):
    original = solve.cluster_size_probability
    monkeypatch.setattr(
        solve,
        "cluster_size_probability",
        lambda size, *, coordination, occupation: original(
            size, coordination=coordination, occupation=0.9 * occupation
        ),
    )
    assert set(verdicts(clusters.sizes, "percolation.sizes").values()) == {"fail"}


def test_clusters_that_are_learned_faster_fail(monkeypatch):
    original = simulate.emerging_losses
    monkeypatch.setattr(
        simulate,
        "emerging_losses",
        lambda *args, **given: original(*args, **{**given, "exponent": 1.1 * given["exponent"]}),
    )
    assert verdicts(singles.plateau_and_collapse, "percolation.emerging") == {"beta-0.5": "fail"}


def test_clusters_of_other_weights_fail(monkeypatch):
    for name in ("pruned_losses", "remembered_losses"):
        original = getattr(simulate, name)

        def mutated(*args, original=original, **given):
            return original(*args, **{**given, "alpha": 1.1})

        monkeypatch.setattr(simulate, name, mutated)
    found = verdicts(singles.limits_of_learning, "percolation.room")
    assert found == {"distinct": "fail", "more-room": "fail"}
    assert verdicts(singles.pruned, "percolation.pruned") == {"alpha-1": "fail"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        limits.one_sample_each,
        limits.most_common,
        limits.one_component,
        limits.loss_reduction,
        clusters.sizes,
        singles.plateau_and_collapse,
        singles.limits_of_learning,
        singles.pruned,
    ],
)
def test_full_effort(check):
    for comparison in check(Context("percolation.full", "full", 1)):
        assert comparison.verdict == "pass"
        assert comparison.rival_verdict == "fail"
