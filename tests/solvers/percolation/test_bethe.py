"""Clusters and distances on the Bethe lattice."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import (
    cluster_cutoff,
    cluster_scale,
    cluster_size_probability,
    dual_occupation,
    infinite_cluster,
    infinite_component_loss,
    mean_cluster_size,
    mean_nearest_distance,
    nearest_distance,
)


def _exact(s, z, p):
    with mpmath.workdps(60):
        p = mpmath.mpf(p)
        if s == 1:
            return float((1 - p) ** z)
        return float(
            mpmath.mpf(z)
            / (s - 1)
            * mpmath.binomial((z - 1) * s, s - 2)
            * p ** (s - 1)
            * (1 - p) ** ((z - 2) * s + 2)
        )


def test_known_values(reference):
    known = reference("percolation_data")
    for z, inverse, s, probability in known["size_probability"]["values"]:
        assert cluster_size_probability(s, coordination=z, occupation=1 / inverse) == pytest.approx(
            probability, rel=1e-12
        )
    for z, p, cutoff, infinite in known["bethe"]["values"]:
        assert cluster_cutoff(coordination=z, occupation=p) == pytest.approx(cutoff, rel=1e-12)
        assert infinite_cluster(coordination=z, occupation=p) == pytest.approx(
            infinite, rel=1e-12, abs=0
        )
    for z, rate, mean, square in known["nearest_distance"]["values"]:
        assert mean_nearest_distance(rate, coordination=z, moment=[1, 2]) == pytest.approx(
            [mean, square], rel=5e-10
        )


@pytest.mark.parametrize(
    ("z", "p"), [(2, 0.3), (3, 0.5), (3, 0.49), (6, 0.15), (12, 1 / 11), (12, 0.3), (1000, 1e-3)]
)
@pytest.mark.parametrize("s", [1, 2, 3, 10, 100, 12345, 10**7, 10**9, 10**12])
def test_sizes_in_many_digits(z, p, s):
    exact = _exact(s, z, p)
    if z in (12,) and p == 1 / 11:  # rounded, the exact threshold is meant
        exact = _exact(s, z, mpmath.mpf(1) / 11) if s < 10**5 else _threshold(s, z)
    assert cluster_size_probability(s, coordination=z, occupation=p) == pytest.approx(
        exact, rel=2e-12, abs=1e-305
    )


def _threshold(s, z):
    with mpmath.workdps(60):
        p = 1 / mpmath.mpf(z - 1)
        return float(
            mpmath.mpf(z)
            / (s - 1)
            * mpmath.binomial((z - 1) * s, s - 2)
            * p ** (s - 1)
            * (1 - p) ** ((z - 2) * s + 2)
        )


@pytest.mark.parametrize(("z", "p"), [(3, 0.3), (3, 0.8), (4, 1 / 3), (4, 0.25)])
def test_sizes_by_iterating_the_generating_function(z, p):
    # branch B(x) = x sum binomial (1-p+pB)^(z-1): coefficients by repeated substitution, order 12
    order = 12
    branch = np.zeros(order + 1)
    power = lambda a, n: np.array(np.polynomial.polynomial.polypow(a, n)[: order + 1])  # noqa: E731
    for _ in range(order):
        inner = p * branch
        inner[0] += 1 - p
        branch = np.concatenate([[0.0], power(inner, z - 1)])[: order + 1]
    inner = p * branch
    inner[0] += 1 - p
    root = np.concatenate([[0.0], power(inner, z)])[: order + 1]
    found = cluster_size_probability(np.arange(1, order + 1), coordination=z, occupation=p)
    assert found == pytest.approx(root[1:], rel=1e-11)


def _animals(z, size):
    """Enumerate rooted clusters by growing one marked site at a time; return their number."""
    # sites are paths from the root; the root has z branches, the others z - 1
    start = frozenset([()])
    level = {start}
    for _ in range(size - 1):
        grown = set()
        for cluster in level:
            for site in cluster:
                for branch in range(z if site == () else z - 1):
                    if (*site, branch) not in cluster:
                        grown.add(cluster | {(*site, branch)})
        level = grown
    return len(level)


@pytest.mark.parametrize("z", [2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_sizes_by_counting_clusters(z, size):
    p = 0.21
    weight = p ** (size - 1) * (1 - p) ** ((z - 2) * size + 2)
    assert cluster_size_probability(size, coordination=z, occupation=p) == pytest.approx(
        _animals(z, size) * weight, rel=1e-13
    )


@pytest.mark.parametrize(
    ("z", "p"), [(12, 0.05), (12, 0.14), (3, 0.3), (3, 0.7), (2, 0.9), (50, 0.015)]
)
def test_sums_of_probabilities(z, p):
    s = np.arange(1, 20001)
    found = cluster_size_probability(s, coordination=z, occupation=p)
    assert found.sum() == pytest.approx(
        1 - infinite_cluster(coordination=z, occupation=p), rel=1e-12
    )
    if p * (z - 1) < 1:
        assert found @ s == pytest.approx(
            mean_cluster_size(coordination=z, occupation=p), rel=1e-11
        )


@given(st.integers(3, 200), st.floats(-14, -2), st.sampled_from([-1, 1]))
def test_threshold_is_approached_with_all_digits(z, digits, side):
    p = (1 + side * 10**digits) / (z - 1)
    with mpmath.workdps(50):
        q = mpmath.mpf(p)
        exact = -mpmath.log(
            q * (1 - q) ** (z - 2) * mpmath.mpf(z - 1) ** (z - 1) / mpmath.mpf(z - 2) ** (z - 2)
        )
        shift = (z - 1) * q - 1
        leading = float(2 * z * shift / (z - 2))
        mean = float(1 - z * q / shift)
    assert cluster_cutoff(coordination=z, occupation=p) == pytest.approx(
        float(exact), rel=1e-12, abs=0
    )
    infinite = infinite_cluster(coordination=z, occupation=p)
    if shift > 0:
        assert infinite == pytest.approx(leading, rel=5 * z / (z - 2) * float(shift) + 1e-12, abs=0)
        assert mean_cluster_size(coordination=z, occupation=p) == math.inf
    else:
        assert infinite == 0.0
        assert mean_cluster_size(coordination=z, occupation=p) == pytest.approx(mean, rel=1e-12)


@given(
    st.integers(3, 100), st.one_of(st.floats(0.05, 1.0), st.floats(1e-14, 0.1).map(lambda x: 1 - x))
)
def test_infinite_cluster_by_repeated_substitution(z, share):
    p = min(1 / (z - 1) + share * (1 - 1 / (z - 1)), 1.0)
    x = 0.0
    for _ in range(1500):
        x = (1 - p + p * x) ** (z - 1)
    assert infinite_cluster(coordination=z, occupation=p) == pytest.approx(
        1 - (1 - p + p * x) ** z, rel=1e-10
    )


@pytest.mark.parametrize("z", [3, 7, 12, 50])
def test_at_the_threshold(z):
    p = 1 / (z - 1)
    assert cluster_cutoff(coordination=z, occupation=p) == 0.0
    assert infinite_cluster(coordination=z, occupation=p) == 0.0
    assert mean_cluster_size(coordination=z, occupation=p) == math.inf
    s = 1e10
    amplitude = z / math.sqrt(2 * math.pi * (z - 1) * (z - 2))
    assert cluster_size_probability(s, coordination=z, occupation=p) == pytest.approx(
        amplitude * s**-1.5, rel=1e-8
    )


def test_cutoffs_in_many_digits():
    # the values printed elsewhere, 0.008547662857151 and 0.005193178730693, end in digits lost to cancellation
    for p, wrong in (("0.08", 0.008547662857151), ("0.1", 0.005193178730693)):
        with mpmath.workdps(40):
            q = mpmath.mpf(p)
            exact = float(
                -mpmath.log(q * (1 - q) ** 10 * mpmath.mpf(11) ** 11 / mpmath.mpf(10) ** 10)
            )
        assert cluster_cutoff(coordination=12, occupation=float(p)) == pytest.approx(
            exact, rel=1e-14
        )
        assert abs(wrong / exact - 1) > 3e-13


def test_ends():
    assert cluster_size_probability([1, 2, 3], coordination=5, occupation=0).tolist() == [1, 0, 0]
    assert cluster_size_probability([1, 2, 3], coordination=5, occupation=1).tolist() == [0, 0, 0]
    assert cluster_cutoff(coordination=5, occupation=[0, 1]).tolist() == [math.inf, math.inf]
    assert cluster_cutoff(coordination=2, occupation=[0.5, 1]) == pytest.approx([math.log(2), 0.0])
    assert infinite_cluster(coordination=[2, 5], occupation=1).tolist() == [1, 1]
    assert mean_cluster_size(coordination=2, occupation=[0, 0.5, 1]).tolist() == [1, 3, math.inf]


def _distances(z, rate, r):
    """The recursion as written."""
    p = 1 / (z - 1)
    q = [1.0]  # q_-1
    for _ in range(r + 1):
        q.append((1 - rate) * (1 - p + p * q[-1]) ** (z - 1))
    path = math.prod((1 - rate) * (1 - p + p * q[r - j]) ** (z - 2) for j in range(1, r + 1))
    return q[r + 1] * path


@pytest.mark.parametrize(("z", "rate"), [(3, 0.1), (12, 0.01), (6, 0.7)])
def test_distances_by_the_plain_recursion(z, rate):
    r = np.arange(0, 60)
    assert nearest_distance(r, density=rate, coordination=z) == pytest.approx(
        [_distances(z, rate, k) for k in r.tolist()], rel=1e-12, abs=0
    )
    tail = nearest_distance(np.arange(2000), density=rate, coordination=z)
    assert mean_nearest_distance(rate, coordination=z) == pytest.approx(tail.sum(), rel=1e-12)
    assert mean_nearest_distance(rate, coordination=z, moment=2) == pytest.approx(
        tail @ (2 * np.arange(2000) + 1), rel=1e-12
    )


def test_distances_on_grown_trees():
    # a path upward whose sites have Bin(z - 2, p) other children, below each a critical tree; all sites within reach
    z, rate, reach, trees = 4, 0.08, 6, 40000
    p = 1 / (z - 1)
    rng = np.random.default_rng(5)
    away = np.zeros(reach + 1)
    for up in range(reach + 1):
        # sites at each distance from the start, over this ancestor: 1, then its other descendants
        living = np.ones(trees, dtype=int)
        counts = [living]
        for depth in range(reach - up):
            branches = z - 2 if up and depth == 0 else z - 1
            living = rng.binomial(branches * living, p)
            counts.append(living)
        for depth, count in enumerate(counts):
            away = away if up or depth else np.zeros((reach + 1, trees))
            away[up + depth] += count
    within = np.cumsum(away, axis=0)
    chances = (1 - rate) ** within
    found = nearest_distance(np.arange(reach + 1), density=rate, coordination=z)
    error = chances.std(axis=1) / math.sqrt(trees)
    assert np.all(np.abs(chances.mean(axis=1) - found) < 4 * error + 1e-14)
    assert found[-1] < 0.35


@pytest.mark.parametrize("z", [3, 12, 100])
def test_rare_training_sites_are_the_continuum(z):
    rate = 1e-10
    for moment in (1, 2):
        exact, limit = (
            mean_nearest_distance(rate, coordination=z, moment=moment, law=law)
            for law in ("tree", "continuum")
        )
        assert exact == pytest.approx(limit, rel=10 * math.sqrt(rate))  # one step in 1/sqrt(rate)
        assert exact != pytest.approx(limit, rel=1e-8)
    r = np.array([1e3, 1e5, 3e5])
    tree, continuum = (
        nearest_distance(r, density=rate, coordination=z, law=law) for law in ("tree", "continuum")
    )
    v = (z - 2) / (z - 1)
    assert continuum == pytest.approx(1 / np.cosh(r * math.sqrt(rate * v / 2)) ** 2, rel=1e-12)
    assert tree == pytest.approx(continuum, rel=1e-4)


def test_ends_of_the_density():
    assert nearest_distance([0, 5], density=0, coordination=5).tolist() == [1, 1]
    assert nearest_distance([0, 5], density=1, coordination=5).tolist() == [0, 0]
    assert nearest_distance(0, density=0.3, coordination=5) == pytest.approx(0.7, rel=1e-15)
    assert nearest_distance(10**9, density=0.3, coordination=5) == 0.0
    assert mean_nearest_distance([0, 1], coordination=5).tolist() == [math.inf, 0.0]
    assert nearest_distance(1e8, density=1.0, coordination=5, law="continuum") == 0.0


def test_scale_of_a_cluster():
    # at the mean variance sqrt(pi s/(2v))/2 the scale is 16/pi, whatever the coordination
    for z in (3, 12, 40):
        v = (z - 2) / (z - 1)
        assert cluster_scale(
            1e5, variance=0.5 * math.sqrt(math.pi * 1e5 / (2 * v)), coordination=z
        ) == pytest.approx(16 / math.pi, rel=1e-13)


def test_infinite_component():
    found = infinite_component_loss(
        [0, 0.5, 1, 10, 100, 1e4], crossover=100, exponent_euclidean=0.5, exponent_fractal=0.8
    )
    assert found == pytest.approx([1, 1, 1, 10**-0.5, 0.1, 0.1 * 100**-0.8], rel=1e-14)
    # one Euclidean cluster, and one fractal from the start
    assert infinite_component_loss(
        1e4, crossover=math.inf, exponent_euclidean=0.5, exponent_fractal=0.8
    ) == pytest.approx(1e-2)
    assert infinite_component_loss(
        math.inf, crossover=[10, math.inf], exponent_euclidean=0.5, exponent_fractal=0.8
    ).tolist() == [0, 0]
    assert infinite_component_loss(
        1e4, crossover=1, exponent_euclidean=0.5, exponent_fractal=0.75
    ) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: cluster_size_probability(1.5, coordination=3, occupation=0.1), "size"),
        (lambda: cluster_size_probability(0, coordination=3, occupation=0.1), "size"),
        (lambda: cluster_size_probability(3, coordination=1, occupation=0.1), "coordination"),
        (lambda: cluster_cutoff(coordination=3, occupation=1.1), "occupation"),
        (lambda: infinite_cluster(coordination=3, occupation=math.nan), "occupation"),
        (lambda: nearest_distance(1.5, density=0.1, coordination=3), "distance"),
        (lambda: nearest_distance(1, density=1.5, coordination=3), "density"),
        (lambda: nearest_distance(1, density=0.5, coordination=2), "coordination"),
        (lambda: nearest_distance(1, density=0.5, coordination=3, law="line"), "law"),
        (lambda: mean_nearest_distance(0.1, coordination=3, moment=3), "moment"),
        (lambda: mean_nearest_distance(1e-20, coordination=3), "density"),
        (lambda: cluster_scale(0, variance=1, coordination=3), "size"),
        (lambda: cluster_scale(10, variance=0, coordination=3), "variance"),
        (
            lambda: infinite_component_loss(
                10, crossover=0.5, exponent_euclidean=1, exponent_fractal=1
            ),
            "crossover",
        ),
    ],
)
def test_bad_arguments_are_named(call, match):
    with pytest.raises(DomainError, match=match):
        call()


@given(st.integers(3, 2**20), st.floats(1.5, 30))
def test_the_infinite_cluster_far_above_its_threshold_keeps_its_digits(z, ratio):
    p = min(ratio / (z - 1), 0.999)
    found = infinite_cluster(coordination=z, occupation=p)
    with mpmath.workdps(50):
        coordination, occupied = mpmath.mpf(z), mpmath.mpf(p)
        x = mpmath.mpf(0)
        for _ in range(100):  # Newton's method rises to the smallest root
            stay = 1 - occupied + occupied * x
            fall = 1 - (coordination - 1) * occupied * stay ** (coordination - 2)
            change = (stay ** (coordination - 1) - x) / fall
            x += change
            if abs(change) < mpmath.mpf(10) ** -40:
                break
        exact = 1 - (1 - occupied + occupied * x) ** coordination
        assert abs(found - exact) <= 1e-14 * exact


def _dual_in_many_digits(z, p):
    """Bisect log p' below the threshold, log(1 - p') above it."""
    p, threshold = mpmath.mpf(p), mpmath.mpf(1) / (z - 1)
    below = p > threshold
    a, b = (1, z - 2) if below else (z - 2, 1)
    level = mpmath.log(p) + (z - 2) * mpmath.log(1 - p)
    low, high = level / a, mpmath.log(threshold if below else 1 - threshold)
    for _ in range(160):
        middle = (low + high) / 2
        value = a * middle + b * mpmath.log(-mpmath.expm1(middle))
        low, high = (middle, high) if value < level else (low, middle)
    return mpmath.exp(low) if below else -mpmath.expm1(low)


@pytest.mark.parametrize("z", [3, 4, 12, 1000, 2**20])
def test_duals_in_many_digits(z):
    ratios = [1 + sign * 10.0**-k for k in (0.1, 0.4, 1, 3, 8) for sign in (-1, 1)]
    occupations = [r / (z - 1) for r in ratios if r < z - 1] + [1e-300, 1e-10, 0.7, 0.999]
    with mpmath.workdps(40):
        for p in occupations:
            exact = _dual_in_many_digits(z, p)
            if exact > 1e-300:
                found = float(dual_occupation(coordination=z, occupation=p))
                assert abs(found / exact - 1) < 2e-14, (z, p)


def test_duals_have_the_same_finite_clusters():
    p = 1.1 / 11
    dual = float(dual_occupation(coordination=12, occupation=p))
    assert 11 * dual == pytest.approx(0.9056632001, abs=1e-10)
    sizes = [1, 2, 10, 1000, 10**5]
    finite = 1 - infinite_cluster(coordination=12, occupation=p)
    np.testing.assert_allclose(
        cluster_size_probability(sizes, coordination=12, occupation=p),
        finite * cluster_size_probability(sizes, coordination=12, occupation=dual),
        rtol=1e-11,
    )
    assert float(dual_occupation(coordination=12, occupation=dual)) == pytest.approx(p, rel=1e-14)
    np.testing.assert_array_equal(
        dual_occupation(coordination=12, occupation=[0, 1 / 11, 1]), [1, 1 / 11, 0]
    )
