"""The intrinsic dimension: known manifolds, coverage, scales, and inputs that have none; kernels of known smoothness."""

import math

import mpmath
import numpy as np
import pytest
from scipy import special
from scipy.spatial import cKDTree

from scalinglaws import theory
from scalinglaws.errors import DataError, DomainError, ResourceError
from scalinglaws.verify.empirical import SMOOTHNESS, intrinsic_dimension, kernel_exponent
from scalinglaws.verify.empirical import _dimension as module


def cube(rng, samples, d):
    return rng.random((samples, d))


def torus(rng, samples, d):
    angles = rng.random((samples, d)) * 2 * np.pi
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def sphere(rng, samples, d):
    x = rng.standard_normal((samples, d + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def roll(rng, samples, d=2):
    t = 1.5 * np.pi * (1 + 2 * rng.random(samples))
    return np.stack([t * np.cos(t), 21 * rng.random(samples), t * np.sin(t)], axis=1)


@pytest.mark.parametrize("manifold", [cube, torus, sphere])
@pytest.mark.parametrize("d", [1, 2, 3, 5, 10])
def test_known_manifolds(manifold, d):
    found = intrinsic_dimension(manifold(np.random.default_rng(d), 2000, d))
    # edges lower it and curvature raises it, more and more with the dimension
    bias = {1: 0.08, 2: 0.08, 3: 0.09, 5: 0.15, 10: 0.25}[d]
    assert found.value == pytest.approx(d, rel=bias)
    assert found.interval[0] < found.value < found.interval[1]
    assert bool([note for note in found.notes if "off by a fifth" in note]) == (d == 10)


def test_a_rolled_sheet_has_two_dimensions_in_any_coordinates():
    rng = np.random.default_rng(3)
    points = roll(rng, 2000)
    flat = intrinsic_dimension(points)
    assert flat.interval[0] < 2 < flat.interval[1]
    turned = intrinsic_dimension(points @ np.linalg.qr(rng.standard_normal((40, 3)))[0].T)
    assert turned.value == pytest.approx(flat.value, rel=1e-9)  # by blocks instead of a tree
    np.testing.assert_allclose(turned.scales[0], flat.scales[0], rtol=1e-9)


def test_the_likelihood_is_that_of_a_censored_exponential():
    points = np.random.default_rng(0).random((300, 3))
    distances = cKDTree(points).query(points, 4)[0][:, 1:]
    ratios = np.sort((np.log(distances[:, 1:] / distances[:, :-1]) * [1, 2]).ravel())
    found = intrinsic_dimension(points, neighbors=3, discard=0.0)
    assert found.value == pytest.approx((600 - 1) / ratios.sum(), rel=1e-9)
    kept = 480
    total = ratios[:kept].sum() + (600 - kept) * ratios[kept - 1]
    found = intrinsic_dimension(points, neighbors=3, discard=0.2)
    assert found.value == pytest.approx((kept - 1) / total, rel=1e-9)
    freedom = 2 * kept / found.overlap
    ends = special.chdtri(freedom, [0.975, 0.025]) * found.overlap / (2 * total)
    np.testing.assert_allclose(found.interval, ends, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "samples"), [(1, 200), (2, 1000), (5, 400)])
def test_the_interval_holds_the_truth_95_times_in_a_hundred(d, samples):
    rng, runs = np.random.default_rng(d), 400
    held = without = 0
    for _ in range(runs):
        # no edges and, on so small a part of it, no curvature
        angles = rng.random((samples, d)) * 2 * np.pi
        points = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
        if d == 5:
            points = rng.standard_normal((samples, d))
        found = intrinsic_dimension(points)
        held += found.interval[0] <= d <= found.interval[1]
        narrow = 1.96 * found.value / math.sqrt(0.9 * samples)
        without += abs(found.value - d) <= narrow
    assert held / runs > 0.95 - 4 * math.sqrt(0.05 * 0.95 / runs)
    assert without < held  # as if neighborhoods did not overlap


def test_noise_is_seen_at_small_scales():
    rng = np.random.default_rng(0)
    sheet = torus(rng, 2000, 2) @ rng.standard_normal((4, 30))
    clean, noisy = (
        intrinsic_dimension(sheet + size * rng.standard_normal(sheet.shape)) for size in (0, 0.05)
    )
    assert clean.value == pytest.approx(2, rel=0.1)
    assert clean.notes == ()
    assert noisy.value > 3
    assert noisy.dimensions[-1] < 2.6
    assert np.all(np.diff(noisy.scales) > 0)
    assert "noise at small scales" in noisy.notes[-1]


def test_scales_and_units():
    points = torus(np.random.default_rng(0), 1000, 2)
    found = intrinsic_dimension(points)
    assert found.dimensions.size == found.scales.size == 4  # 1000, 500, 250, 125 points
    assert found.value == found.dimensions[0]
    assert found.interval == (found.lower[0], found.upper[0])
    for unit in (1e-200, 1e200):
        scaled = intrinsic_dimension(unit * points + unit)
        np.testing.assert_allclose(scaled.dimensions, found.dimensions, rtol=1e-9)
        np.testing.assert_allclose(scaled.scales / unit, found.scales, rtol=1e-9)
    assert intrinsic_dimension(points, rng=5) == intrinsic_dimension(points, rng=5)


def test_duplicates_and_grids():
    points = np.random.default_rng(0).random((300, 2))
    twice = intrinsic_dimension(np.concatenate([points, points[:40]]))
    assert (twice.samples, twice.duplicates) == (300, 40)
    assert twice.value == intrinsic_dimension(points).value
    assert "40 points equal others" in twice.notes[0]
    grid = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    with pytest.raises(DataError, match="points on a grid"):
        intrinsic_dimension(grid)
    coarse = intrinsic_dimension(np.round(np.random.default_rng(0).random((2000, 3)), 2))
    assert any("as on a grid" in note for note in coarse.notes)


def test_neighbors_by_blocks_are_those_of_a_tree(monkeypatch):
    points = np.random.default_rng(1).standard_normal((400, 12))
    tree = module._nearest(points, 5)
    monkeypatch.setattr(module, "_MANY_COORDINATES", 3)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    blocks = module._nearest(points, 5)
    np.testing.assert_allclose(blocks[0], tree[0], rtol=1e-12)
    np.testing.assert_array_equal(blocks[1], tree[1])


def test_refusals(monkeypatch):
    points = np.random.default_rng(0).random((100, 3))
    with pytest.raises(DataError, match="only 10 of 100 points differ"):
        intrinsic_dimension(np.repeat(points[:10], 10, axis=0))
    with pytest.raises(DataError, match="only 1 of 50"):
        intrinsic_dimension(np.zeros((50, 3)))
    with pytest.raises(DomainError, match="inputs"):
        intrinsic_dimension(points[:, 0])
    with pytest.raises(DomainError, match=r"inputs\[3, 1\] = nan"):
        intrinsic_dimension(np.where(np.arange(300).reshape(100, 3) == 10, np.nan, points))
    for given in ({"neighbors": 1}, {"neighbors": 21}, {"discard": 0.5}, {"discard": -0.1}):
        with pytest.raises(DomainError, match=next(iter(given))):
            intrinsic_dimension(points, **given)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1KB")
    with pytest.raises(ResourceError, match="2 neighbors of 100 points"):
        intrinsic_dimension(points)


def test_kernel_exponents_are_those_of_the_law():
    law = theory.law("manifold.spectral")
    for kernel, theta in SMOOTHNESS.items():
        found = kernel_exponent(kernel, 4.0)
        if math.isinf(theta):
            assert found.capacity == found.decay == math.inf
            continue
        assert found.decay == float(law(theta=theta, d=4.0)) == theta / 4
        assert found.capacity == 1 + theta / 4
    dimension = intrinsic_dimension(np.random.default_rng(0).random((500, 2)))
    found = kernel_exponent("laplace", dimension)
    assert found.dimension == dimension.value
    assert found.decay_interval == pytest.approx(
        (1 / dimension.interval[1], 1 / dimension.interval[0])
    )
    assert found.capacity_interval[0] < found.capacity < found.capacity_interval[1]
    with pytest.raises(DomainError, match="kernel = 'linear'"):
        kernel_exponent("linear", 2.0)
    for wrong in (0.0, -1.0, math.nan, math.inf, "2"):
        with pytest.raises(DomainError, match="dimension"):
            kernel_exponent("rbf", wrong)


@pytest.mark.parametrize(("ntk", "theta"), [(False, 3), (True, 1)])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_smoothness_of_networks_kernels(ntk, theta, depth):
    # analytic continuation to a negative angle keeps even powers and turns odd ones round
    def kernel(angle, sign):
        # c = cos(angle); arccos c is the angle, or minus it
        cosine, own = mpmath.cos(angle), sign * angle
        tangent = cosine
        for _ in range(depth):
            k0 = 1 - own / mpmath.pi
            cosine = (mpmath.sin(own) + (mpmath.pi - own) * mpmath.cos(own)) / mpmath.pi
            tangent = cosine + tangent * k0
            own = sign * mpmath.acos(cosine)
        return tangent if ntk else cosine

    def odd(angle):
        return (kernel(angle, 1) - kernel(angle, -1)) / 2

    with mpmath.workdps(60):
        small = mpmath.mpf(10) ** -6
        slope = mpmath.log(odd(10 * small) / odd(small)) / mpmath.log(10)
        assert float(slope) == pytest.approx(theta, abs=1e-4)
    assert SMOOTHNESS["relu_ntk" if ntk else "relu_nngp"] == theta


@pytest.mark.parametrize(("theta", "d"), [(1, 1), (3, 1), (1, 2)])
def test_spectra_fall_with_the_exponent_that_is_predicted(theta, d):
    # kernels of the distance on tori, so short that their kink at half a period does not count, by the Fourier transform
    side = 2**14 if d == 1 else 1024
    axis = np.minimum(np.arange(side), side - np.arange(side)) / side
    distance = np.sqrt(sum(np.meshgrid(*[axis**2] * d, indexing="ij")))
    short = (60 if d == 1 else 20) * distance
    kernel = np.exp(-short) * (1 if theta == 1 else 1 + short)
    values = np.sort(np.abs(np.fft.fftn(kernel).real.ravel()))[::-1]
    ranks = np.array([400, 1600]) if d == 1 else np.array([4000, 16000])
    slope = -np.log(values[ranks[1]] / values[ranks[0]]) / np.log(ranks[1] / ranks[0])
    kernel_name = {1: "laplace", 3: "relu_nngp"}[theta]
    assert slope == pytest.approx(kernel_exponent(kernel_name, float(d)).capacity, rel=0.03)
