"""Simulated Bethe lattices against the exact law of sizes, brute force on small trees, and the law of distances."""

import json
import math
import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, special, stats

from scalinglaws.errors import DataError, DomainError, ResourceError
from scalinglaws.verify.simulate.percolation import (
    BetheDataset,
    bethe_dataset,
    data_losses,
    fitted_scale,
    learning_curves,
    model_loss,
    nearest_distances,
    nearest_training_site,
    random_allocations,
    rooted_exponent,
    training_grid,
)
from scalinglaws.verify.simulate.percolation.bethe import dataset as dataset_module
from scalinglaws.verify.simulate.percolation.bethe import sizes as sizes_module
from scalinglaws.verify.simulate.percolation.bethe.experiments import _interpolated
from scalinglaws.verify.simulate.percolation.bethe.growth import _number, binomial_table


def exact_size_law(s, z, p):
    """Return the probability that the cluster of an occupied root has s sites."""
    if s <= 1000:
        log = math.log(math.comb((z - 1) * s, s - 2))
    else:
        log = math.lgamma((z - 1) * s + 1) - math.lgamma(s - 1) - math.lgamma((z - 2) * s + 3)
    return z / (s - 1) * math.exp(log + (s - 1) * math.log(p) + ((z - 2) * s + 2) * math.log1p(-p))


def distance_law(z, density):
    """Return Pr(d > r) on the infinite critical tree, r = 0, 1, ..."""
    p, reach = 1 / (z - 1), 50 + int(40 / math.sqrt(density))
    q = np.empty(reach + 1)
    q[0] = 1 - density
    for r in range(reach):
        q[r + 1] = (1 - density) * (1 - p + p * q[r]) ** (z - 1)
    before = np.concatenate([[1.0], q[:-1]])
    factors = (1 - density) * (1 - p + p * before) ** (z - 2)
    return q * np.concatenate([[1.0], np.cumprod(factors[:-1])])


def moments(survival):
    return survival.sum(), ((2 * np.arange(survival.size) + 1) * survival).sum()


def all_distances(parent):
    """Return distances between all pairs, from the pairs' paths to their last common ancestor."""
    paths = []
    for i in range(len(parent)):
        path = [i]
        while path[-1] > 0:
            path.append(int(parent[path[-1]]))
        paths.append(path[::-1])
    out = np.zeros((len(parent), len(parent)), int)
    for i, one in enumerate(paths):
        for j, other in enumerate(paths):
            common = sum(1 for a, b in zip(one, other, strict=False) if a == b)
            out[i, j] = len(one) + len(other) - 2 * common
    return out


@pytest.fixture(scope="module")
def small():
    return bethe_dataset(40, smallest=100, largest=3000, rng=11)


trees = st.integers(1, 60).flatmap(
    lambda s: st.tuples(
        st.just(s),
        st.lists(st.floats(0, 1, exclude_max=True), min_size=s - 1, max_size=s - 1),
        st.sets(st.integers(0, s - 1), min_size=1),
    )
)


# growth


def test_exact_size_law_is_the_specified_one(reference):
    for case in reference("percolation_bethe")["cluster_size"]:
        p = 1 / 11 if case["occupation"] == "1/11" else float(case["occupation"])
        assert exact_size_law(case["size"], case["coordination"], p) == pytest.approx(
            case["probability"], rel=1e-11, abs=0
        )


@pytest.mark.parametrize(
    ("z", "p", "seed"), [(12, None, 0), (3, None, 1), (6, 0.15, 2), (12, 0.12, 3), (100, None, 4)]
)
def test_sizes_follow_the_exact_law(z, p, seed):
    low, high = 2, 80
    sizes = bethe_dataset(
        20_000, coordination=z, occupation=p, smallest=low, largest=high, rng=seed
    ).sizes
    law = np.array(
        [exact_size_law(s, z, 1 / (z - 1) if p is None else p) for s in range(low, high + 1)]
    )
    expected, found = law / law.sum() * sizes.size, np.bincount(sizes, minlength=high + 1)[low:]
    edges = np.array([0, 1, 2, 3, 4, 6, 8, 12, 18, 30, 50])
    assert (
        stats.chisquare(np.add.reduceat(found, edges), np.add.reduceat(expected, edges)).pvalue
        > 1e-4
    )


def test_large_sizes_follow_the_exact_law():
    sizes = bethe_dataset(3000, smallest=1000, largest=20_000, rng=5).sizes
    cumulative = np.cumsum([exact_size_law(s, 12, 1 / 11) for s in range(1000, 20_001)])
    ranks = cumulative[sizes - 1000] / cumulative[-1]
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4


@pytest.mark.pure
@pytest.mark.parametrize(
    ("trials", "p"), [(2, 0.5), (11, 1 / 11), (100, 0.3), (99, 1 / 99), (5, 1e-6), (5, 1 - 1e-6)]
)
def test_tables_hold_the_binomial_law(trials, p):
    table, bounds = binomial_table(trials, p)
    np.testing.assert_allclose(
        bounds / 2.0**64, stats.binom.cdf(np.arange(trials), trials, p), atol=1e-14
    )
    pieces = np.arange(table.size, dtype=np.uint64)
    for low in (0, 1, 2**51, 2**52 - 1):
        words = (pieces << np.uint64(52)) | np.uint64(low)
        numbers = np.array([_number(word, bounds) for word in words])
        decided = table >= 0
        np.testing.assert_array_equal(table[decided], numbers[decided])
    assert (table < 0).sum() <= trials


@given(
    z=st.integers(3, 40),
    seed=st.integers(0, 2**40),
    small=st.integers(2, 50),
    factor=st.integers(1, 20),
)
def test_trees_are_breadth_first(z, seed, small, factor):
    data = bethe_dataset(
        4, coordination=z, smallest=small, largest=max(small * factor, small + 9), rng=seed
    )
    assert np.all(np.diff(data.sizes) <= 0)
    np.testing.assert_array_equal(data.offsets, np.concatenate([[0], np.cumsum(data.sizes)]))
    assert data.parent.size == data.targets.size == data.offsets[-1]
    assert small <= data.sizes[-1]
    assert data.sizes[0] <= max(small * factor, small + 9)
    for k in range(4):
        parent, targets = data.cluster(k)
        s = parent.size
        assert parent[0] == -1
        assert np.all((parent[1:] >= 0) & (parent[1:] < np.arange(1, s)))
        assert np.all(np.diff(parent) >= 0)
        depth = np.zeros(s, int)
        for i in range(1, s):
            depth[i] = depth[parent[i]] + 1
        assert np.all(np.diff(depth) >= 0)
        children = np.bincount(parent[1:], minlength=s)
        assert children[0] <= z
        assert np.all(children[1:] <= z - 1)
        assert targets.mean(dtype=float) == pytest.approx(0, abs=1e-5)
        assert targets.var(dtype=float) == pytest.approx(1, abs=1e-5)


def test_children_are_binomial():
    data = bethe_dataset(3000, coordination=5, smallest=20, largest=40, rng=3)
    # given its size, a tree's children are exchangeable: their joint law is that of the draws given their sum
    counts = np.concatenate(
        [
            np.bincount(data.cluster(k)[0][1:], minlength=data.sizes[k])[1:]
            for k in range(3000)
            if data.sizes[k] == 30
        ]
    )
    roots = [
        np.bincount(data.cluster(k)[0][1:], minlength=30)[0]
        for k in range(3000)
        if data.sizes[k] == 30
    ]
    # the root has c children and the 29 others 29 - c in all: the law of total progeny of c trees
    weight = np.array(
        [
            stats.binom.pmf(c, 5, 0.25) * c / 29 * stats.binom.pmf(29 - c, 29 * 4, 0.25)
            for c in range(1, 6)
        ]
    )
    expected = weight / weight.sum() * len(roots)
    found = np.bincount(roots, minlength=6)[1:]
    assert len(roots) > 50
    assert (
        stats.chisquare([*found[:3], found[3:].sum()], [*expected[:3], expected[3:].sum()]).pvalue
        > 1e-4
    )
    assert counts.sum() + sum(roots) == 29 * len(roots)


def test_neighbors_differ_by_standard_normal_numbers():
    data = bethe_dataset(100, smallest=1000, largest=20_000, rng=6)
    steps = []
    for k in range(100):
        parent, targets = data.cluster(k)
        steps.append(
            (targets[1:].astype(float) - targets[parent[1:]]) * math.sqrt(data.raw_variance[k])
        )
    assert stats.kstest(np.concatenate(steps), "norm").pvalue > 1e-4
    assert abs(np.corrcoef(steps[0][:-1], steps[0][1:])[0, 1]) < 4 / math.sqrt(steps[0].size)


def test_mean_raw_variance_is_that_of_critical_trees():
    data = bethe_dataset(1500, smallest=4000, largest=8000, rng=2)
    ratio = data.raw_variance / (0.5 * np.sqrt(np.pi * data.sizes / (2 * 10 / 11)))
    # the expectation is that of the limit of large trees; at 5000 sites a few per cent are left
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / math.sqrt(ratio.size) + 0.03)


def test_datasets_are_reproducible_and_grow_in_order(monkeypatch):
    options = {"smallest": 50, "largest": 5000}
    one = bethe_dataset(30, rng=4, **options)
    monkeypatch.setattr(dataset_module, "_BLOCK", 7)
    for again in (
        bethe_dataset(30, rng=4, **options),
        bethe_dataset(30, rng=np.random.default_rng(4), **options),
    ):
        np.testing.assert_array_equal(one.parent, again.parent)
        np.testing.assert_array_equal(one.targets, again.targets)
        np.testing.assert_array_equal(one.raw_variance, again.raw_variance)
    fewer = bethe_dataset(10, rng=4, **options)
    assert set(fewer.raw_variance) < set(one.raw_variance)
    assert not np.array_equal(bethe_dataset(30, rng=5, **options).sizes, one.sizes)


def test_save_and_load(small, tmp_path):
    again = BetheDataset.load(small.save(tmp_path / "clusters.npz"))
    for name in ("sizes", "offsets", "parent", "targets", "raw_variance"):
        found, kept = getattr(again, name), getattr(small, name)
        assert found.dtype == kept.dtype
        np.testing.assert_array_equal(found, kept)
    assert (again.coordination, again.occupation) == (12, 1 / 11)
    assert again.at_threshold
    curves = learning_curves(small)
    with pytest.raises(DataError, match="LearningCurves"):
        BetheDataset.load(curves.save(tmp_path / "curves.npz"))


def test_a_dataset_knows_whether_it_is_critical():
    for z in (3, 7, 50):
        assert bethe_dataset(1, coordination=z, smallest=2, largest=50).at_threshold
    assert not bethe_dataset(1, occupation=0.08, smallest=2, largest=50).at_threshold


# nearest training sites


@given(trees)
def test_sweeps_find_the_first_of_the_nearest(tree):
    s, places, training = tree
    parent = np.array([-1] + [int(place * (i + 1)) for i, place in enumerate(places)])
    marked = sorted(training)
    table = all_distances(parent)[:, marked]
    found = nearest_training_site(parent, marked)
    np.testing.assert_array_equal(found.distance, table.min(axis=1))
    np.testing.assert_array_equal(found.site, np.array(marked)[table.argmin(axis=1)])
    mask = np.zeros(s, bool)
    mask[marked] = True
    np.testing.assert_array_equal(nearest_training_site(parent, mask).site, found.site)


@pytest.mark.parametrize("count", [1, 30, 3000])
def test_sweeps_equal_a_shortest_path_search(count):
    data = bethe_dataset(1, smallest=20_000, largest=40_000, rng=9)
    parent, _ = data.cluster(0)
    training = np.random.default_rng(1).choice(parent.size, count, replace=False)
    graph = sparse.csr_array(
        (np.ones(parent.size - 1), (np.arange(1, parent.size), parent[1:])),
        shape=(parent.size,) * 2,
    )
    distance = sparse.csgraph.dijkstra(
        graph, directed=False, indices=training, unweighted=True, min_only=True
    )
    found = nearest_training_site(parent, training)
    np.testing.assert_array_equal(found.distance, distance)
    assert set(found.site) <= set(training)
    np.testing.assert_array_equal(found.site[training], training)


# losses


def brute_force(parent, targets, training, shrink):
    table = all_distances(parent)[:, training]
    nearest, distance = training[table.argmin(axis=1)], table.min(axis=1)
    test = np.setdiff1d(np.arange(len(parent)), training)
    return np.mean((targets[test] - shrink(distance[test]) * targets[nearest[test]]) ** 2)


@pytest.mark.parametrize("estimator", ["published", "consistent", "naive"])
def test_estimators_by_brute_force(estimator):
    data = bethe_dataset(6, smallest=20, largest=60, rng=7)
    for k in range(6):
        parent, targets = data.cluster(k)
        s, targets = parent.size, targets.astype(float)
        shrink = {
            "published": lambda d, s=s: 1 / (1 + d / math.sqrt(s)),
            "consistent": lambda d, k=k: np.maximum(0, 1 - d / (2 * data.raw_variance[k])),
            "naive": lambda d: np.ones(d.size),
        }[estimator]
        # all training sets of one site, and all that leave out one: each as likely as any other
        one = np.mean([brute_force(parent, targets, np.array([i]), shrink) for i in range(s)])
        most = np.mean(
            [brute_force(parent, targets, np.delete(np.arange(s), i), shrink) for i in range(s)]
        )
        found = learning_curves(
            data,
            [1, s - 1] if s == data.sizes[-1] else 1,
            estimator=estimator,
            repeats=20_000,
            rng=k,
        ).test_loss[k]
        spread = np.std([brute_force(parent, targets, np.array([i]), shrink) for i in range(s)])
        assert found[0] == pytest.approx(one, abs=4.5 * spread / math.sqrt(20_000))
        if found.size == 2:
            spread = np.std(
                [brute_force(parent, targets, np.delete(np.arange(s), i), shrink) for i in range(s)]
            )
            assert found[1] == pytest.approx(most, abs=4.5 * spread / math.sqrt(20_000))


def test_pooled_samples_by_brute_force():
    data = bethe_dataset(2, coordination=3, smallest=3, largest=6, rng=1)
    total = data.parent.size
    table, values = np.full((total, total), 10**6), data.targets.astype(float)
    for k in range(2):
        part = slice(data.offsets[k], data.offsets[k + 1])
        table[part, part] = all_distances(data.cluster(k)[0])
    cluster = np.repeat([0, 1], data.sizes)
    losses = []
    for i in range(total):
        for j in range(i):
            chosen, loss = np.array([j, i]), 0.0
            for k in range(2):
                own = chosen[cluster[chosen] == k]
                members = np.flatnonzero(cluster == k)
                test = np.setdiff1d(members, own)
                if own.size == 0:
                    loss += data.sizes[k]
                elif test.size:
                    near = own[table[test][:, own].argmin(axis=1)]
                    weight = np.maximum(0, 1 - table[test, near] / (2 * data.raw_variance[k]))
                    loss += data.sizes[k] * np.mean((values[test] - weight * values[near]) ** 2)
            losses.append(loss / total)
    found = data_losses(data, np.full(20_000, 2), rng=3)
    assert found.mean() == pytest.approx(
        np.mean(losses), abs=4.5 * np.std(losses) / math.sqrt(20_000)
    )
    assert {round(x, 5) for x in found} == {round(x, 5) for x in losses}


def test_no_training_and_all_training(small):
    total = small.parent.size
    losses = data_losses(small, [[0, total], [total - 1, 5]])
    assert losses.shape == (2, 2)
    assert losses[0, 0] == 1
    assert losses[0, 1] == 0
    assert 0 <= losses[1, 0] < 0.01 < losses[1, 1]
    assert data_losses(small, 5, rng=1) == data_losses(small, [5, 100], rng=1)[0]


def test_model_loss_weighs_curves_by_size(small):
    counts = np.minimum(np.arange(40) * 3, small.sizes - 1)
    curves = learning_curves(small, np.maximum(counts, 1)[:, None], rng=5).test_loss[:, 0]
    curves[counts == 0] = 1
    expected = small.sizes @ curves / small.sizes.sum()
    assert model_loss(small, counts, rng=5) == pytest.approx(expected, rel=1e-12)
    both = model_loss(small, [counts, np.zeros(40)], rng=5)
    assert both[0] == pytest.approx(expected, rel=1e-12)
    assert both[1] == 1


def test_training_sets_depend_on_the_seed_only(small):
    counts = [3, 30]
    found = learning_curves(small, counts, rng=2).test_loss
    np.testing.assert_array_equal(
        found, learning_curves(small, counts, rng=np.random.default_rng(2)).test_loss
    )
    assert not np.any(found == learning_curves(small, counts, rng=3).test_loss)
    np.testing.assert_allclose(found[:, :1], learning_curves(small, 3, rng=2).test_loss, rtol=0)


def test_default_training_counts(small):
    curves = learning_curves(small, rng=1)
    np.testing.assert_array_equal(curves.training_counts, training_grid(small.sizes))
    assert curves.training_counts.shape == (40, 14)
    assert np.all(curves.training_counts[:, 0] == 1)
    np.testing.assert_array_equal(curves.training_counts[:, -1], np.rint(small.sizes / 3))
    assert np.all(np.diff(curves.training_counts) >= 0)
    np.testing.assert_array_equal(training_grid([2, 3]), np.ones((2, 14)))


@pytest.mark.pure
def test_fitted_scale_uses_the_middle_of_the_curve():
    n = np.array([1.0, 10.0, 100.0, 1000.0, 1e5])
    np.testing.assert_allclose(fitted_scale(n, np.minimum(1, np.sqrt(5 / n))), 5, rtol=1e-12)
    # outside the window nothing counts: 0.7071 and 0.0070 do not, 0.2236 and 0.0707 do
    loss = np.array([9.0, 0.7071, math.sqrt(5 / 100), math.sqrt(20 / 1000), 0.007])
    assert fitted_scale(n, loss) == pytest.approx(10, rel=1e-12)
    assert fitted_scale(n, np.ones(5)) == 1
    assert fitted_scale(n, [0.6, 0.1, 0.03, 0.021, 0.02]) == 1
    both = fitted_scale(np.stack([n, n]), np.stack([loss, np.ones(5)]))
    np.testing.assert_allclose(both, [10, 1], rtol=1e-12)


def test_distances_are_those_of_the_sweeps():
    data = bethe_dataset(5, smallest=30, largest=60, rng=8)
    radii = [0, 1, 4, 50]
    found = nearest_distances(data, [1, 30], radii=radii, rng=1)
    assert found.exceeding.shape == (5, 2, 4)
    for k, s in enumerate(data.sizes):
        np.testing.assert_allclose(
            found.exceeding[k, :, 0], [1 - 1 / s, 1 - 30 / s], rtol=1e-12, atol=1e-15
        )
        # one training site: the mean distance is one of the rows of the table of distances
        table = all_distances(data.cluster(k)[0])
        rows = np.abs(table.mean(axis=0) - found.mean[k, 0]) + np.abs(
            (table**2).mean(axis=0) - found.mean_square[k, 0]
        )
        assert rows.min() < 1e-12
        row = table[:, np.argmin(rows)]
        same = rows < 1e-12
        assert any(
            np.allclose(found.exceeding[k, 0], [(table[:, i] > r).mean() for r in radii])
            for i in np.flatnonzero(same)
        )
        assert row.size == s


def test_random_allocations_are_what_they_say(small):
    curves = learning_curves(small, rng=1)
    scales = fitted_scale(curves.training_counts, curves.test_loss)
    found = random_allocations(small, curves, 60, scales=scales, candidates=300, simulated=4, rng=2)
    assert found.losses.shape == (300,)
    assert np.all((found.exponents >= 0) & (found.exponents <= 3))
    assert found.break_ranks.min() >= 1
    assert found.break_ranks.max() <= 40
    assert set(found.best) == set(np.argsort(found.losses, kind="stable")[:4])
    assert np.all(np.diff(found.simulated) >= 0)
    assert found.loss == found.simulated[0]
    assert found.break_rank == found.break_ranks[found.best[0]]
    assert found.exponent == found.exponents[found.best[0]]
    # the winner's loss, interpolated and simulated, is that of its allocation
    parts = np.where(np.arange(40) < found.break_rank, np.arange(1, 41.0) ** -found.exponent, 0)
    counts = np.minimum(np.rint(60 * parts / parts.sum() * scales), small.sizes - 1).astype(int)
    share = small.sizes / small.sizes.sum()
    assert found.losses[found.best[0]] == pytest.approx(
        float(share @ _interpolated(curves, counts[None])[0]), rel=1e-12
    )
    again = [model_loss(small, counts, rng=seed) for seed in range(20)]
    assert found.loss == pytest.approx(np.mean(again), abs=5 * np.std(again))
    np.testing.assert_array_equal(
        found.losses,
        random_allocations(
            small, curves, 60, scales=scales, candidates=300, simulated=1, rng=2
        ).losses,
    )


def test_break_ranks_are_log_uniform(small):
    found = random_allocations(small, learning_curves(small), 60, candidates=20_000, simulated=1)
    expected = np.log1p(1 / np.arange(1, 41)) / np.log(41) * 20_000
    assert stats.chisquare(np.bincount(found.break_ranks, minlength=41)[1:], expected).pvalue > 1e-4
    assert stats.kstest(found.exponents / 3, "uniform").pvalue > 1e-4


def test_interpolation_is_exact_on_the_grid_and_stays_inside(small):
    curves = learning_curves(small, [2, 8, 32], rng=1)
    at = _interpolated(curves, np.array([0, 1, 2, 4, 8, 32, 99])[:, None] * np.ones(40, int))
    np.testing.assert_allclose(at[[2, 4, 5]].T, curves.test_loss, rtol=1e-12)
    np.testing.assert_array_equal(at[0], 1)
    np.testing.assert_allclose(at[1], at[2], rtol=0)
    np.testing.assert_allclose(at[6], at[5], rtol=0)
    np.testing.assert_allclose(at[3], np.sqrt(at[2] * at[4]), rtol=1e-12)


# refusals and other ways to run


@pytest.mark.pure
@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"clusters": 0}, "clusters"),
        ({"clusters": 1.5}, "clusters"),
        ({"coordination": 2}, "coordination"),
        ({"coordination": 101}, "coordination"),
        ({"occupation": 0}, "occupation"),
        ({"occupation": 1}, "occupation"),
        ({"occupation": math.nan}, "occupation"),
        ({"smallest": 1}, "smallest"),
        ({"smallest": 200}, "largest"),
        ({"largest": 2**31}, "largest"),
    ],
)
def test_datasets_refuse(given, name):
    with pytest.raises(DomainError) as refusal:
        bethe_dataset(**{"clusters": 1, "largest": 150, **given})
    assert refusal.value.argument == name


def test_gives_up_where_no_cluster_is_accepted(monkeypatch):
    monkeypatch.setattr(dataset_module, "_MOST_GROWN", 1e6)
    with pytest.raises(ResourceError, match="0 of 1 clusters"):
        bethe_dataset(1, occupation=0.01, smallest=1000)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda d: d.cluster(40), "rank"),
        (lambda d: d.cluster(-1), "rank"),
        (lambda d: learning_curves(d, 0), "training_counts"),
        (lambda d: learning_curves(d, int(d.sizes[-1])), "training_counts"),
        (lambda d: learning_curves(d, 1.5), "training_counts"),
        (lambda d: learning_curves(d, np.ones((3, 2))), "training_counts"),
        (lambda d: learning_curves(d, []), "training_counts"),
        (lambda d: learning_curves(d, 1, estimator="best"), "estimator"),
        (lambda d: learning_curves(d, 1, repeats=0), "repeats"),
        (lambda d: nearest_distances(d, int(d.sizes[-1]) + 1), "training_counts"),
        (lambda d: nearest_distances(d, 1, radii=[-1]), "radii"),
        (lambda d: nearest_distances(d, 1, radii=[0.5]), "radii"),
        (lambda d: model_loss(d, [1, 2]), "allocation"),
        (lambda d: model_loss(d, d.sizes), "allocation"),
        (lambda d: model_loss(d, -np.ones(40)), "allocation"),
        (lambda d: data_losses(d, d.parent.size + 1), "samples"),
        (lambda d: data_losses(d, math.nan), "samples"),
        (lambda d: training_grid([1]), "sizes"),
        (lambda d: training_grid([5], points=1), "points"),
        (lambda d: fitted_scale([1, 2], [0.5]), "training_counts"),
        (lambda d: fitted_scale([0], [0.5]), "training_counts"),
        (lambda d: fitted_scale([1], [math.nan]), "test_loss"),
        (lambda d: random_allocations(d, learning_curves(d, 1), 0), "n"),
        (lambda d: random_allocations(d, learning_curves(d, 1), 5, candidates=3), "simulated"),
        (lambda d: random_allocations(d, learning_curves(d, 1), 5, scales=0), "scales"),
        (
            lambda d: random_allocations(d, learning_curves(d, 1), 5, weights=np.zeros(40)),
            "weights",
        ),
        (lambda d: random_allocations(d, learning_curves(d, 1), 5, weights=[1]), "weights"),
        (
            lambda d: random_allocations(bethe_dataset(1, largest=200), learning_curves(d, 1), 5),
            "curves",
        ),
        (lambda d: nearest_training_site([-1, 1], [0]), "parent"),
        (lambda d: nearest_training_site([], [0]), "parent"),
        (lambda d: nearest_training_site([-1, 0.0], [0]), "parent"),
        (lambda d: nearest_training_site([-1, 0], []), "training"),
        (lambda d: nearest_training_site([-1, 0], [2]), "training"),
        (lambda d: nearest_training_site([-1, 0], [0.5]), "training"),
        (lambda d: nearest_training_site([-1, 0], [True]), "training"),
        (lambda d: nearest_training_site([-1, 0], [False, False]), "training"),
    ],
)
def test_refusals(small, call, name):
    with pytest.raises(DomainError) as refusal:
        call(small)
    assert refusal.value.argument == name


_PROBE = """
import json, hashlib, numpy as np
from scalinglaws.verify.simulate.percolation import bethe_dataset, learning_curves, data_losses, nearest_distances
data = bethe_dataset(4, smallest=20, largest=100, rng=3)
near = nearest_distances(data, [2, 15], radii=[1], rng=1)
digest = hashlib.sha256(data.parent.tobytes() + data.targets.tobytes()).hexdigest()
losses = [learning_curves(data, [1, 15], estimator=e, rng=1).test_loss.ravel().tolist() for e in ("published", "consistent", "naive")]
print(json.dumps([digest, losses, data_losses(data, [3, 50], rng=2).tolist(), near.mean.tolist(), near.exceeding.tolist()]))
"""


def test_runs_without_compilation_to_the_same_numbers():
    found = []
    for switch in ("0", "1"):
        environment = {**os.environ, "SCALINGLAWS_JIT": switch}
        probe = subprocess.run(
            [sys.executable, "-W", "error", "-c", _PROBE],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        found.append(json.loads(probe.stdout))
    plain, compiled = found
    assert plain[0] == compiled[0]
    for one, other in zip(plain[1:], compiled[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


# statistics of many clusters


def test_distance_law_is_the_specified_one(reference):
    for case in reference("percolation_bethe")["nearest_distance"]:
        mean, square = moments(distance_law(case["coordination"], case["density"]))
        assert mean == pytest.approx(case["mean"], rel=1e-11)
        assert square == pytest.approx(case["mean_square"], rel=1e-9)


@pytest.mark.slow
def test_distances_follow_the_discrete_law():
    data = bethe_dataset(60, smallest=10**6, largest=2 * 10**6, rng=3)
    counts = np.array([100, 1000, 10_000, 100_000])
    found = nearest_distances(data, counts, radii=np.arange(5), rng=1)
    for j, count in enumerate(counts):
        laws = [distance_law(12, count / s) for s in data.sizes]
        mean, square = np.array([moments(law) for law in laws]).T
        assert np.mean(found.mean[:, j] / mean) == pytest.approx(1, abs=0.02)
        assert np.mean(found.mean_square[:, j] / square) == pytest.approx(1, abs=0.05)
        expected = np.mean([law[:5] for law in laws], axis=0)
        np.testing.assert_allclose(found.exceeding[:, j].mean(axis=0), expected, rtol=0.01)


@pytest.mark.slow
def test_clusters_follow_the_universal_learning_curve(reference):
    values = reference("percolation_bethe")["universal_curve"]
    ratios = [[] for _ in values["u"]]
    for seed in range(6):
        data = bethe_dataset(150, smallest=20_000, largest=10**6, rng=seed)
        scale = 2 * data.sizes / (10 / 11 * data.raw_variance**2)
        counts = np.clip(np.rint(np.outer(scale, values["u"])), 1, data.sizes[:, None] - 1).astype(
            int
        )
        u = counts / scale[:, None]
        loss = learning_curves(data, counts, rng=seed, repeats=2).test_loss
        y = 2 * np.sqrt(u)
        ratio = loss / ((y + np.log1p(np.exp(-2 * y)) - math.log(2)) / (2 * u))
        near = (np.abs(np.log(u / values["u"])) < 0.2) & (counts <= data.sizes[:, None] / 30)
        for j, kept in enumerate(ratios):
            kept.extend(ratio[near[:, j], j])
    for kept, expected in zip(ratios, values["mean_ratio"], strict=True):
        error = math.hypot(np.std(kept) / math.sqrt(len(kept)), values["standard_error"])
        assert np.mean(kept) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("tau", [2.2, 2.5, 2.9])
def test_the_exponent_of_sizes_that_follow_a_power_law(tau):
    low, high, count, errors = 99.5, 10**6 + 0.5, 2000, []
    for seed in range(40):
        u, g = np.random.default_rng(seed).uniform(size=count), tau - 2
        sizes = np.rint((low**-g - u * (low**-g - high**-g)) ** (-1 / g))
        found = rooted_exponent(sizes, smallest=100, largest=10**6)
        errors.append((found.value - tau) / found.standard_error)
    # a correct estimate with a correct error: a mean of 0 and a variance of 1, of 40 values
    assert abs(np.mean(errors)) < 3.5 / np.sqrt(40)
    assert 0.5 < np.var(errors) < 1.7


def _evenly(law, smallest, count):
    """Return sizes at even quantiles of a law on smallest, smallest + 1, ...: a sample without sampling errors."""
    sums = np.cumsum(law)
    return smallest + np.searchsorted(sums, (np.arange(count) + 0.5) / count * sums[-1])


@pytest.mark.parametrize("smallest", [1, 2, 10, 100])
@pytest.mark.parametrize("tau", [2.1, 2.5, 3.4])
def test_the_exponent_of_whole_sizes_is_not_biased(smallest, tau):
    """An exact s^(1 - tau): an integral in place of the sum is off by .049 at smallest = 1, tau = 2.5."""
    s, rng = np.arange(smallest, 10**6 + 1.0), np.random.default_rng(smallest)
    found = rooted_exponent(
        _evenly(s ** (1 - tau), smallest, 200_000), smallest=smallest, largest=10**6
    )
    assert found.value == pytest.approx(tau, abs=0.05 * found.standard_error)
    sums = np.cumsum(s ** (1 - tau))
    drawn = smallest + np.searchsorted(sums, rng.random(200_000) * sums[-1])
    again = rooted_exponent(drawn, smallest=smallest, largest=10**6)
    assert abs(again.value - tau) < 4 * again.standard_error < 0.03


@pytest.mark.parametrize(
    ("first", "last"), [(1, 16_000), (1, 10**7), (100, 10**12), (10**9, 10**9 + 10**5)]
)
@pytest.mark.parametrize("x", [1.5, 2.0, 7.0])
def test_the_sum_over_sizes_is_a_difference_of_zeta_functions(first, last, x):
    nodes, weights = sizes_module._rule(first, last)
    with mpmath.workdps(40):
        exact = (mpmath.zeta(x, first) - mpmath.zeta(x, last + 1)) * mpmath.mpf(first) ** x
        slope = (
            mpmath.zeta(x, first, 1)
            - mpmath.zeta(x, last + 1, 1)
            + mpmath.log(first) * exact * mpmath.mpf(first) ** -x
        ) * mpmath.mpf(first) ** x
    powers, logs = (nodes / first) ** -x, np.log(nodes / first)
    assert weights @ powers == pytest.approx(float(exact), rel=1e-10)
    assert weights @ (powers * logs) == pytest.approx(-float(slope), rel=1e-10)


def test_the_systematic_error_of_the_exponent_covers_sizes_of_trees(reference):
    """The exact law of sizes, which deviates from its power law by c/s."""
    for case in reference("percolation_bethe")["rooted_exponent"]:
        z, smallest, largest = case["coordination"], case["smallest"], case["largest"]
        s = np.arange(max(smallest, 2), largest + 1.0)
        log = (
            special.gammaln((z - 1) * s + 1)
            - special.gammaln(s - 1)
            - special.gammaln((z - 2) * s + 3)
        )
        log += (s - 1) * math.log(1 / (z - 1)) + ((z - 2) * s + 2) * math.log1p(-1 / (z - 1))
        law = z / (s - 1) * np.exp(log)
        if smallest == 1:
            law = np.concatenate([[(1 - 1 / (z - 1)) ** z], law])
        found = rooted_exponent(
            _evenly(law, smallest, 400_000), smallest=smallest, largest=largest, coordination=z
        )
        assert found.value - 2.5 == pytest.approx(case["shift"], abs=0.1 * found.standard_error)
        assert abs(case["shift"]) < found.systematic_error < 1.6 * abs(case["shift"])
    plain = rooted_exponent(_evenly(law, 100, 400_000), smallest=100, largest=largest)
    assert plain.systematic_error == pytest.approx(found.systematic_error / 0.384091, rel=1e-5)


def test_the_exponent_of_sizes_at_its_edges():
    spread = np.round(np.geomspace(100, 10**5, 1001))
    flat = rooted_exponent(spread, smallest=100, largest=10**5)
    assert abs(flat.value - 2) < 0.01  # even in the logarithm
    up, down = (
        rooted_exponent(sizes, smallest=100, largest=10**5)
        for sizes in ([99000, 90000], [100, 120])
    )
    assert up.value < 0 < 3 < down.value
    for sizes, complaint in (([100], "two or more"), ([5, 200], "must lie between")):
        with pytest.raises(DomainError, match=complaint):
            rooted_exponent(sizes, smallest=100, largest=1000)
    for wrong in (2.5, "2", 0):
        with pytest.raises(DomainError, match="smallest"):
            rooted_exponent([100, 120], smallest=wrong, largest=1000)
    with pytest.raises(DomainError, match=r"sizes\[0\] = 100.5 must be a whole number"):
        rooted_exponent([100.5, 120], smallest=100, largest=1000)
    with pytest.raises(DomainError, match="less than largest"):
        rooted_exponent([100, 100], smallest=100, largest=100)
