"""Samples drawn on clusters: the law of ranks, hand counts, the expected loss, and sizes of clusters of random sites."""

import itertools
import math

import numpy as np
import pytest
from scipy import special, stats

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.percolation import data_loss, infinite_cluster
from scalinglaws.verify.simulate.percolation import (
    bethe_dataset,
    listed_losses,
    rooted_sizes,
    zipf_losses,
)
from scalinglaws.verify.simulate.percolation.draws import _zeta_ranks


@pytest.mark.parametrize("power", [1.1, 1.5, 2.0, 4.0])
def test_ranks_follow_the_zeta_distribution(power):
    ranks = _zeta_ranks(200_000, power, np.random.default_rng(3))
    edges = np.array([1, 2, 3, 5, 10, 30, 100, 1000])
    tails = special.zeta(power, edges.astype(float)) / special.zeta(power)
    expected = -np.diff(np.append(tails, 0.0)) * ranks.size
    found = np.histogram(ranks, np.append(edges, np.inf))[0]
    assert np.all(ranks == np.floor(ranks))
    kept = expected > 5
    assert (
        stats.chisquare(
            np.append(found[kept], found[~kept].sum() + 1e-9),
            np.append(expected[kept], expected[~kept].sum() + 1e-9),
        ).pvalue
        > 1e-4
    )


@pytest.mark.parametrize(
    ("alpha", "beta", "size"), [(1, 0.5, 1000), (1, math.inf, 1000), (2, 1, 300), (0.5, 0, 50)]
)
def test_the_mean_is_the_expected_loss(alpha, beta, size):
    drawn = np.asarray(zipf_losses([size] * 400, alpha=alpha, exponent=beta, rng=1))
    exact = float(data_loss(size, alpha=alpha, exponent=beta).loss)
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / 20 + 1e-12


def test_other_samplings_have_the_reference_losses():
    wide = np.asarray(zipf_losses([10**6] * 10, alpha=1, exponent=1, sampling=0.75, rng=1))
    cut = np.asarray(
        zipf_losses([10**4] * 100, alpha=1, exponent=2, sampling=1 / 3, support=1400, rng=1)
    )
    for drawn, exact in ((wide, 3.677283696889e-4), (cut, 7.691728409640e-4)):
        assert abs(drawn.mean() - exact) < 4 * drawn.std() / math.sqrt(drawn.size)


def test_lists_are_counted_as_by_hand():
    weights = np.array([3.0, 1.0])
    drawn = np.asarray(listed_losses(weights, [3] * 4000, exponent=1, rng=0))
    p = weights / weights.sum()
    exact = 0.0
    for labels in itertools.product((0, 1), repeat=3):
        counts = np.bincount(labels, minlength=2)
        loss = p @ np.where(counts > 0, 1 / np.maximum(counts, 1), 1.0)
        exact += np.prod(p[list(labels)]) * loss
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / math.sqrt(drawn.size)
    assert listed_losses([2.0], 10, exponent=1) == pytest.approx(0.1)
    assert listed_losses([2.0, 1.0], 0, exponent=1) == 1.0


def test_a_support_of_one_cluster_leaves_all_others():
    found = zipf_losses(100, alpha=1, exponent=math.inf, support=1)
    assert found == pytest.approx(1 - 1 / special.zeta(2.0))


def test_what_cannot_be_drawn_is_refused(monkeypatch):
    with pytest.raises(DomainError, match="sampling = 0.5 must exceed"):
        zipf_losses(10, alpha=1, exponent=1, sampling=0.5)
    with pytest.raises(DomainError, match="weights"):
        listed_losses([1.0, 0.0], 10, exponent=1)
    with pytest.raises(ResourceError, match="samples"):
        zipf_losses([1e10, 1e10], alpha=1, exponent=1)


def test_sizes_alone_are_those_of_datasets():
    sizes = rooted_sizes(200, smallest=100, largest=5000, rng=4)
    data = bethe_dataset(200, smallest=100, largest=5000, rng=4)
    np.testing.assert_array_equal(-np.sort(-sizes.sizes), data.sizes)


def test_the_roots_that_are_missing_belong_to_infinite_clusters():
    found = rooted_sizes(20_000, occupation=0.12, largest=3000, rng=2)
    infinite = float(infinite_cluster(coordination=12, occupation=0.12))
    share = 1 - found.sizes.size / found.drawn
    assert abs(share - infinite) < 4 * math.sqrt(infinite * (1 - infinite) / found.drawn)


def test_windows_and_occupations_are_checked():
    with pytest.raises(DomainError, match="occupation"):
        rooted_sizes(3, occupation=1.0)
    with pytest.raises(DomainError, match="largest"):
        rooted_sizes(3, smallest=10, largest=9)
