"""Sizes of clusters, listed and grown: chains, subtrees counted otherwise, and each other."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.verify.simulate import percolation as simulate


def test_chains():
    size, p = np.arange(1, 11), 0.6
    chain = size * p ** (size - 1) * (1 - p) ** 2
    np.testing.assert_allclose(
        simulate.enumerate_clusters(10, coordination=2, occupation=p), chain, rtol=1e-12
    )
    grown = simulate.bethe_sizes(100_000, largest=10, coordination=2, occupation=p)
    assert np.all(abs(grown - chain) < 5 * np.sqrt(chain / 100_000))


def test_listed_clusters_are_as_many_as_generating_functions_say():
    """B = x (1 + B)^(z-1) counts what hangs on a neighbor, x (1 + B)^z what hangs on the root."""
    most, z, p = 7, 4, 0.2
    branch = np.zeros(most + 1)
    for _ in range(most):
        branch = _power(_plus_one(branch), z - 1, most, shift=True)
    rooted = _power(_plus_one(branch), z, most, shift=True)[1:]
    size = np.arange(1, most + 1)
    expected = rooted * p ** (size - 1) * (1 - p) ** ((z - 2) * size + 2)
    found = simulate.enumerate_clusters(most, coordination=z, occupation=p)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def _plus_one(series):
    return series + (np.arange(series.size) == 0)


def _power(series, exponent, most, *, shift):
    total = np.zeros(most + 1)
    total[0] = 1
    for _ in range(exponent):
        total = np.convolve(total, series)[: most + 1]
    return np.concatenate([[0], total[:-1]]) if shift else total


def test_grown_clusters_are_listed_ones():
    listed = simulate.enumerate_clusters(5, coordination=5, occupation=0.3)
    grown = simulate.bethe_sizes(200_000, largest=5, coordination=5, occupation=0.3, rng=2)
    assert np.all(abs(grown - listed) < 5 * np.sqrt(listed / 200_000))


def test_nothing_and_everything():
    for p, share in ((0.0, 1.0), (1.0, 0.0)):
        assert simulate.enumerate_clusters(2, coordination=3, occupation=p).tolist() == [share, 0]
        assert simulate.bethe_sizes(9, largest=2, coordination=3, occupation=p).tolist() == [
            share,
            0,
        ]


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda: simulate.enumerate_clusters(13, coordination=3, occupation=0.1), DomainError, "largest"),
        (lambda: simulate.enumerate_clusters(9, coordination=9, occupation=0.1), ResourceError, "smaller"),
        (lambda: simulate.bethe_sizes(10**6, largest=10**4), ResourceError, "fewer clusters"),
        (lambda: simulate.bethe_sizes(10, largest=4, occupation=2.0), DomainError, "occupation"),
    ],
)  # fmt: skip
def test_refusals(call, error, complaint):
    with pytest.raises(error, match=complaint):
        call()
