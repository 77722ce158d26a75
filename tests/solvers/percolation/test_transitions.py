"""When clusters are learned, and how many samples show, against arithmetic of thirty digits."""

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import (
    data_loss,
    distinct_clusters,
    emergence,
    pruned_data_loss,
)


def _loss(count, p, beta):
    """Return the mean of d^-beta over binomial numbers."""
    most = int(min(count, count * p + 40 * (count * p) ** 0.5 + 80))
    terms = [(1 - p) ** count]
    for d in range(1, most + 1):
        terms.append(terms[-1] * p / (1 - p) * (count - d + 1) / d)
    return mpmath.fsum(t * (mpmath.mpf(d) ** -beta if d else 1) for d, t in enumerate(terms))


@pytest.mark.parametrize(
    ("rank", "alpha", "beta", "share"),
    [
        (10, 1, 0.5, 0.5),
        (10, 1, 1, 0.5),
        (1, 2, 1, 0.1),
        (300, 1, 2, 0.9),
        (779, 1, 0.5, 0.5),  # last below the change of methods
        (780, 1, 0.5, 0.5),
        (10**5, 0.5, 1, 0.3),
    ],
)
def test_samples_in_many_digits(rank, alpha, beta, share):
    found = emergence(rank, alpha=alpha, exponent=beta, share=share).samples
    with mpmath.workdps(30):
        p = mpmath.mpf(rank) ** -(1 + mpmath.mpf(alpha)) / mpmath.zeta(1 + mpmath.mpf(alpha))
        low = int(found)
        above, below = (_loss(count, p, mpmath.mpf(beta)) for count in (low, low + 1))
        assert above > share >= below or abs(above - share) < 1e-12
        exact = low + (above - mpmath.mpf(share)) / (above - below)
    assert found == pytest.approx(float(exact), rel=1e-10, abs=0)


def test_known_values():
    found = emergence(10, alpha=1, exponent=[0.5, 1])
    np.testing.assert_allclose(found.samples, [797.3208842, 450.5416475], rtol=1e-10)
    p = 1e-2 / (np.pi**2 / 6)
    np.testing.assert_allclose(found.probability, p, rtol=1e-14)
    np.testing.assert_allclose((1 - p) ** found.first_seen, 0.5, rtol=1e-12)


def test_a_share_that_takes_many_samples_keeps_its_digits():
    found = emergence(10**7, alpha=1, exponent=0.25, share=0.1)
    assert found.samples * found.probability == pytest.approx(10000.6250429755, rel=1e-12)


def test_two_samples_teach_all_at_infinite_exponent():
    found = emergence(10**7, alpha=1, exponent=np.inf, share=[0.9, 0.5, 0.1])
    np.testing.assert_allclose(
        found.samples * found.probability, [0.53181160839, 1.67834699002, 3.88972016987], rtol=1e-10
    )
    # the largest of very unequal clusters has nearly all samples: the second one teaches it
    assert emergence(1, alpha=100, exponent=np.inf).samples == pytest.approx(1.5, abs=1e-6)


@pytest.mark.parametrize(
    ("count", "alpha"),
    [(1000, 1), (1000, 0.5), (10**6, 1), (30, 0.1), (10**5, 2), (7, 20), (50, 0.01)],
)
def test_different_clusters_in_many_digits(count, alpha):
    cut = 20_000
    with mpmath.workdps(30):
        power = 1 + mpmath.mpf(alpha)
        norm = mpmath.zeta(power)
        total = mpmath.fsum(1 - (1 - k**-power / norm) ** count for k in range(1, cut))
        for j in range(1, 60):
            term = -mpmath.binomial(count, j) * (-norm) ** -j * mpmath.zeta(j * power, cut)
            total += term
            if abs(term) < 1e-28:
                break
    assert distinct_clusters(count, alpha=alpha) == pytest.approx(float(total), rel=1e-12, abs=0)


def test_few_samples():
    np.testing.assert_allclose(distinct_clusters([0, 1], alpha=[[0.3], [3]]), [[0, 1]] * 2)
    # two samples show two clusters unless they fall on the same: zeta(4)/zeta(2)^2 = 2/5
    assert distinct_clusters(2, alpha=1) == pytest.approx(1.6, rel=1e-14)


def test_a_large_pool_repeats_what_few_samples_show():
    found = pruned_data_loss([10**4, 10**8, 10**12], alpha=1)
    np.testing.assert_array_equal(found.kept, distinct_clusters([10**4, 10**8, 10**12], alpha=1))
    np.testing.assert_array_equal(
        found.loss, data_loss([10**4, 10**8, 10**12], alpha=1, exponent=1, scales=0).loss
    )
    deviation = found.loss * (np.asarray(found.kept) + 0.5) / (3 / np.pi) - 1
    assert np.all(abs(deviation) < [1e-4, 1e-8, 1e-11])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: emergence(0, alpha=1, exponent=1), "rank"),
        (lambda: emergence(1, alpha=0, exponent=1), "alpha"),
        (lambda: emergence(1, alpha=1, exponent=0), "exponent"),
        (lambda: emergence(1, alpha=1, exponent=1, share=1), "share"),
        (lambda: emergence(1, alpha=1, exponent=0.1, share=0.01), "takes more than 1e\\+07"),
        (lambda: emergence(10**9, alpha=99, exponent=1), "too small"),
        (lambda: distinct_clusters(-1, alpha=1), "samples"),
        (lambda: distinct_clusters(1, alpha=1e-3), "alpha"),
        (lambda: pruned_data_loss(1.5, alpha=1), "samples"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()
