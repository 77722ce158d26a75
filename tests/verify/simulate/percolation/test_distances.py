"""Distances to the nearest training site on a lattice's largest cluster, against brute force and known spaces."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from scalinglaws.errors import DomainError
from scalinglaws.verify.simulate.percolation import label_clusters, lattice_distances
from scalinglaws.verify.simulate.percolation.lattice.distances import _mean_steps, _spanning_tree


def neighbors(occupied, periodic):
    """Return the edges of the largest cluster, in the order of its sites."""
    labels = label_clusters(occupied, periodic=periodic).labels
    sites = np.flatnonzero(labels.ravel() == np.bincount(labels[labels > 0]).argmax())
    places = np.stack(np.unravel_index(sites, occupied.shape), axis=1)
    gap = np.abs(places[:, None] - places[None])
    if periodic:
        gap = np.minimum(gap, occupied.shape[0] - gap)
    return sites, gap.sum(axis=2) == 1


@pytest.mark.pure
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("length", "dimension"), [(9, 2), (5, 3)])
def test_steps_are_those_of_all_paths(length, dimension, periodic):
    rng = np.random.default_rng(length)
    occupied = rng.random((length,) * dimension) < 0.7
    sites, edges = neighbors(occupied, periodic)
    grid = np.full(occupied.size, -1, np.int32)
    grid[sites] = np.arange(sites.size)
    steps = length ** np.arange(dimension - 1, -1, -1)
    chosen = rng.choice(sites.size, 3, replace=False).astype(np.int32)
    paths = dijkstra(csr_array(edges.astype(float)), unweighted=True)
    space = np.empty(sites.size, np.int32), np.empty(sites.size, np.int32)
    found = _mean_steps(sites, grid, steps, length, periodic, chosen, *space)
    assert found == pytest.approx(paths[chosen].min(axis=0).mean())
    parent, order = _spanning_tree(sites, grid, steps, length, periodic, 2)
    depth = np.zeros(sites.size, int)
    for i in range(1, sites.size):
        depth[i] = depth[parent[i]] + 1
    np.testing.assert_array_equal(np.sort(order), np.arange(sites.size))
    np.testing.assert_array_equal(depth[order], paths[2])


def test_a_full_torus_is_a_flat_space():
    found = lattice_distances(200, 2, [50, 200], occupation=1.0, periodic=True, rng=1)
    # E r^2 = area/(pi n) for random points of a plane
    np.testing.assert_allclose(
        found.euclidean_square, 200**2 / (np.pi * found.training_counts), rtol=0.15
    )
    assert found.size == 200**2
    assert np.all(found.chemical**2 >= found.euclidean_square * 0.5)


def test_one_training_site_is_reached_along_the_only_path():
    found = lattice_distances(50, 1, [1], occupation=1.0, rng=3)
    assert found.tree[0] == found.chemical[0]


def test_what_is_not_asked_for_is_not_a_number():
    found = lattice_distances(20, 2, [3], occupation=0.8, metrics=("chemical",))
    assert np.isnan(found.euclidean_square).all()
    assert np.isfinite(found.chemical).all()
    assert np.isnan(found.tree).all()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"training_counts": [401]}, "at most"),
        ({"training_counts": [1.5]}, "whole"),
        ({"training_counts": []}, "one row"),
        ({"metrics": "tree"}, "names, one at least"),
        ({"metrics": ()}, "names, one at least"),
        ({"metrics": ["taxi"]}, "metrics"),
        ({"occupation": 0.0}, "at most 0"),
    ],
)
def test_refusals(given, complaint):
    call = {"training_counts": [3], "occupation": 1.0} | given
    with pytest.raises(DomainError, match=complaint):
        lattice_distances(20, 2, **call)
