"""Samples on clusters of the Bethe lattice below its threshold: known values, other sums, limits."""

import math

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import (
    bethe_data_loss,
    cluster_cutoff,
    cluster_size_probability,
    crossover_data_loss,
    mean_cluster_size,
)
from scalinglaws.verify.simulate.percolation import bethe_sizes


@pytest.mark.parametrize(
    ("distance", "loss"), [(0.1, 0.6337125872), (0.03, 0.6549338364), (0.01, 0.6608942310)]
)
def test_known_values(distance, loss):
    given = {"coordination": 12, "occupation": (1 - distance) / 11}
    unit = 2e9 * 12 / math.sqrt(2 * math.pi * 110) * math.sqrt(cluster_cutoff(**given))
    found = bethe_data_loss(10 * unit, clusters=10**9, exponent=0.5, **given)
    assert found == pytest.approx(loss, abs=6e-11)


@pytest.mark.parametrize(
    ("z", "p", "beta", "per_cluster"), [(4, 0.15, 0.5, 3), (3, 0.1, 2, 0.5), (12, 0.04, 1, 4)]
)
def test_sums_in_many_digits(z, p, beta, per_cluster):
    with mpmath.workdps(30):
        q = mpmath.mpf(p)
        mean, total = 1 + z * q / (1 - (z - 1) * q), mpmath.mpf(0)
        for s in range(1, 1500):
            chance = (1 - q) ** z if s == 1 else (
                z * mpmath.binomial((z - 1) * s, s - 2) / (s - 1) * q ** (s - 1) * (1 - q) ** ((z - 2) * s + 2)
            )  # fmt: skip
            if s > 50 and chance < 1e-18:
                break
            x = per_cluster * s / mean
            term, left = mpmath.exp(-x), mpmath.exp(-x)
            for d in range(1, int(x + 20 * mpmath.sqrt(x)) + 60):
                term *= x / d
                left += term * mpmath.mpf(d) ** -beta
            total += chance * s * left / mean
    found = bethe_data_loss(
        10**6 * per_cluster, clusters=10**6, coordination=z, occupation=p, exponent=beta
    )
    assert found == pytest.approx(float(total), rel=1e-9, abs=0)


def test_large_clusters_are_integrated_as_they_are_summed():
    given = {"coordination": 12, "occupation": 0.97 / 11}
    size = np.arange(1, int(60 / cluster_cutoff(**given)))
    chance = np.asarray(cluster_size_probability(size, **given))
    mean = mean_cluster_size(**given)
    # one large count teaches all: only clusters of which none of P samples is one are left, at an exponent of 100 nearly
    x = 2.0 * size / mean
    single = chance @ (size / mean * (np.exp(-x) * (1 + x + x**2 / 2 * 2.0**-100)))
    found = bethe_data_loss(2 * 10**6, clusters=10**6, exponent=100.0, **given)
    assert found == pytest.approx(float(single), rel=1e-12)


def test_limits():
    given = {"clusters": 1000, "coordination": 5, "exponent": 1.0}
    np.testing.assert_allclose(
        bethe_data_loss(0, occupation=[0, 0.1, 0.24], **given), 1.0, rtol=1e-12
    )
    # single sites: Poisson numbers of mean 2
    x, d = 2.0, np.arange(1, 60)
    poisson = np.exp(-x + d * np.log(x) - np.array([math.lgamma(k + 1) for k in d]))
    assert bethe_data_loss(2000, occupation=0, **given) == pytest.approx(
        math.exp(-x) + poisson @ (1 / d), rel=1e-12
    )


def test_the_scaling_function_is_its_limit():
    given = {"coordination": 12, "occupation": (1 - 1e-3) / 11}
    unit = 2e7 * 12 / math.sqrt(2 * math.pi * 110) * math.sqrt(cluster_cutoff(**given))
    found = bethe_data_loss(round(10 * unit), clusters=10**7, exponent=0.5, **given)
    limit = crossover_data_loss(round(10 * unit), alpha=1, exponent=0.5, crossover_rank=round(unit))
    assert found == pytest.approx(limit, rel=2e-3)


def test_samples_on_clusters_that_are_grown():
    rng, K, given = np.random.default_rng(0), 20_000, {"coordination": 6, "occupation": 0.16}
    shares = bethe_sizes(200_000, largest=1000, rng=rng, **given)
    losses = []
    for _ in range(30):
        size = rng.choice(np.arange(1, 1001), K, p=shares / shares.sum())
        d = rng.multinomial(3 * K, size / size.sum())
        losses.append(size @ np.maximum(d, 1.0) ** -0.5 / size.sum())
    expected = bethe_data_loss(3 * K, clusters=K, exponent=0.5, **given)
    assert np.mean(losses) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"samples": -1}, "samples"),
        ({"clusters": 0}, "clusters"),
        ({"occupation": 0.25}, "below the threshold"),
        ({"coordination": 2}, "coordination"),
        ({"exponent": 0}, "exponent"),
    ],
)
def test_refusals(changes, complaint):
    given = {"samples": 1, "clusters": 1, "coordination": 5, "occupation": 0.1, "exponent": 1}
    given |= changes
    with pytest.raises(DomainError, match=complaint):
        bethe_data_loss(given.pop("samples"), **given)
