"""Samples on lists of clusters, cells of a component and masked values: limits, identities and other algorithms."""

from collections import Counter

import numpy as np
import pytest
from scipy import special
from scipy.interpolate import RegularGridInterpolator

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.percolation import data_loss, distinct_clusters
from scalinglaws.verify.simulate import percolation as simulate
from scalinglaws.verify.simulate.percolation.listed.components import _interpolated


def test_a_pool_is_what_is_counted_by_hand():
    found = simulate.pruned_losses([0, 3, 500], alpha=0.7, draws=2, rng=5)
    source = np.random.default_rng(5)
    for kept, losses in zip(found.kept, found.test_loss, strict=True):
        ranks = source.zipf(1.7, 500)
        for size, count, loss in zip((0, 3, 500), kept, losses, strict=True):
            seen = Counter(ranks[:size].tolist())
            weight = sum(rank**-1.7 for rank in seen) / special.zeta(1.7)
            assert count == len(seen)
            assert loss == pytest.approx(1 - weight, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_mean_losses_are_those_of_binomial_counts(alpha):
    sizes = [10, 100, 1000]
    drawn = simulate.pruned_losses(sizes, alpha=alpha, draws=800, rng=1).test_loss
    error = drawn.std(axis=0, ddof=1) / np.sqrt(800)
    exact = data_loss(sizes, alpha=alpha, exponent=1, scales=0.0).loss
    assert np.all(abs(drawn.mean(axis=0) - exact) < 4 * error)


def test_a_model_with_room_for_all_knows_what_one_sample_teaches():
    seen = simulate.pruned_losses([2000], alpha=1, rng=3).test_loss
    kept = simulate.remembered_losses([0, 10, 2000], samples=2000, alpha=1, rng=3)
    assert kept[0, 0] == 1
    assert kept[0, 2] == pytest.approx(seen.item())
    # with the weights known, ten clusters could not be chosen better
    assert special.zeta(2, 11) / special.zeta(2) <= kept[0, 1] < 0.12


def test_ties_are_kept_at_random():
    """Of clusters seen once, the more common are no more likely to be kept."""
    one = [simulate.remembered_losses([1], samples=2, alpha=0.5, rng=r).item() for r in range(300)]
    both = [simulate.remembered_losses([2], samples=2, alpha=0.5, rng=r).item() for r in range(300)]
    halves = [(1 - o) / (1 - b) for o, b in zip(one, both, strict=True) if b < o]
    assert abs(np.mean(halves) - 0.5) < 4 * np.std(halves) / np.sqrt(len(halves))


def test_linear_pieces_are_those_of_another_interpolation():
    rng = np.random.default_rng(0)
    values, x = rng.random((5, 5, 5)), rng.random((50, 3))

    def function(places):
        return values[tuple(np.rint(places * 4).astype(int).T)]

    other = RegularGridInterpolator((np.linspace(0, 1, 5),) * 3, values)(x)
    np.testing.assert_allclose(_interpolated(function, x, 4.0), other, rtol=1e-12)


def test_one_cell_of_constant_pieces_misses_the_whole_variance():
    """The value in the middle is as far from others as these from each other: twice the variance."""
    loss = simulate.component_losses([1], dimension=2, tests=500, draws=400, rng=0)
    assert loss.mean() == pytest.approx(2, abs=4 * loss.std() / 20)


def test_pieces_gain_by_their_order():
    for order in (2, 4):
        loss = simulate.component_losses([50, 100], dimension=2, order=order, draws=20).mean(axis=0)
        assert np.log2(loss[0] / loss[1]) == pytest.approx(order, abs=0.1)


def test_gains_are_those_of_counting_values_by_hand():
    extents, size, p = np.array([1, 20, 60]), 60, 0.3
    gain = simulate.masked_gains(extents, vocabulary=size, background=p, values=4000, draws=60)
    for j, extent in enumerate(extents):
        q = np.where(np.arange(size) < extent, 1.0, p)
        q /= q.sum()
        exact = np.log(size) + q @ np.log(q)
        error = gain[:, j].std(ddof=1) / np.sqrt(60)
        assert abs(gain[:, j].mean() - exact) <= 4 * error + 1e-14


def test_lines_are_those_of_a_loop():
    lattice = simulate.label_clusters(np.random.default_rng(2).random((9, 4, 30)) < 0.3)
    by_hand = np.zeros(lattice.count)
    for line in lattice.labels.reshape(-1, 30):
        for label in set(line[line > 0].tolist()):
            q = np.where(line == label, 1.0, 0.2)
            q /= q.sum()
            by_hand[label - 1] += np.log(30) + q @ np.log(q)
    np.testing.assert_allclose(simulate.line_gains(lattice, background=0.2), by_hand, rtol=1e-9)
    assert np.all(abs(simulate.line_gains(lattice, background=1.0)) < 1e-12)


def test_single_clusters_are_those_counted_by_hand():
    found = simulate.emerging_losses([1, 3], [0, 5, 60], alpha=1, exponent=0.5, draws=2, rng=4)
    source = np.random.default_rng(4)
    for losses in found:
        drawn = source.zipf(2.0, 60)
        for k, by_rank in zip((1, 3), losses, strict=True):
            for size, loss in zip((0, 5, 60), by_rank, strict=True):
                assert loss == max(1, np.sum(drawn[:size] == k)) ** -0.5


def test_mean_numbers_of_clusters_are_the_solver_s():
    kept = simulate.pruned_losses([20, 500], alpha=0.6, draws=500, rng=1).kept
    error = kept.std(axis=0, ddof=1) / np.sqrt(500)
    assert np.all(abs(kept.mean(axis=0) - distinct_clusters([20, 500], alpha=0.6)) < 4 * error)


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda: simulate.remembered_losses([], samples=3, alpha=1), DomainError, "kept"),
        (lambda: simulate.component_losses([0], dimension=1), DomainError, "cells"),
        (lambda: simulate.component_losses([2], dimension=1, order=3), DomainError, "order = 3"),
        (lambda: simulate.masked_gains([9], vocabulary=8, background=0.5), DomainError, "extents"),
        (lambda: simulate.masked_gains([1], vocabulary=8, background=1e-9), ResourceError, "fewer draws"),
        (lambda: simulate.masked_gains(1, vocabulary=8, background=0.5), DomainError, "one-dimensional"),
        (lambda: simulate.component_losses(1, dimension=1), DomainError, "one-dimensional"),
        (lambda: simulate.emerging_losses([0], [1], alpha=1, exponent=1), DomainError, "ranks"),
        (lambda: simulate.emerging_losses([1], [2, 1], alpha=1, exponent=1), DomainError, "increasing"),
        (lambda: simulate.pruned_losses([[1]], alpha=1), DomainError, "one-dimensional"),
        (lambda: simulate.pruned_losses([1], alpha=0.4), DomainError, "alpha = 0.4"),
        (lambda: simulate.pruned_losses([10**6], alpha=1, draws=99), ResourceError, "fewer draws"),
        (lambda: simulate.pruned_losses([10**8], alpha=1), ResourceError, "fewer draws"),
        (lambda: simulate.line_gains(3, background=0.5), DomainError, "found"),
    ],
)  # fmt: skip
def test_refusals(call, error, complaint):
    with pytest.raises(error, match=complaint):
        call()
