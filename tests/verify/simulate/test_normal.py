"""Normal numbers from a counter."""

import numpy as np
import pytest
from scipy import stats

from scalinglaws.solvers import _jit
from scalinglaws.verify.simulate import _counter, _normal

pytestmark = pytest.mark.filterwarnings("error")


@_jit.njit
def _fill(key, out):
    for i in range(out.size):
        out[i] = _normal.normal(key, np.uint64(i))


@pytest.fixture(scope="module")
def numbers():
    out = np.empty(2_000_000)
    with np.errstate(over="ignore"):
        _fill(_counter.new_key(np.random.default_rng(8)), out)
    return out


def test_layers_have_equal_areas():
    area = _normal._X[1:-1] * np.diff(_normal._F)[1:]
    np.testing.assert_allclose(area, area[0], rtol=1e-11)
    # the lowest layer, with the tail, as wide as a rectangle of the same area
    assert _normal._X[0] * _normal._F[1] == pytest.approx(area[0], rel=1e-11)
    assert _normal._F[1] * _normal._X[1] + np.sqrt(2 * np.pi) * stats.norm.sf(
        _normal._X[1]
    ) == pytest.approx(area[0], rel=1e-11)
    assert _normal._F[-1] == 1


def test_numbers_are_normal(numbers):
    assert stats.kstest(numbers[:300_000], "norm").pvalue > 1e-4
    assert stats.kstest(numbers[300_000:600_000] ** 2, "chi2", args=(1,)).pvalue > 1e-4


def test_tails_and_seams_between_layers(numbers):
    bounds = np.concatenate([_normal._X[:0:-1], [3.8, 4.0, 4.5]])
    sizes = np.abs(numbers)
    counts = np.histogram(sizes, np.append(bounds, np.inf))[0]
    expected = -np.diff(np.append(2 * stats.norm.sf(bounds), 0)) * sizes.size
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-4
    assert counts.sum() == sizes.size
    assert stats.binomtest(int((numbers > 0).sum()), numbers.size).pvalue > 1e-4
    assert (
        stats.binomtest(
            int((numbers[sizes > _normal._EDGE] > 0).sum()), int((sizes > _normal._EDGE).sum())
        ).pvalue
        > 1e-4
    )


def test_numbers_are_uncorrelated(numbers):
    for lag in (1, 2, 256):
        assert abs(np.mean(numbers[:-lag] * numbers[lag:])) < 4.5 / np.sqrt(numbers.size)
        assert abs(np.mean(numbers[:-lag] ** 2 * numbers[lag:] ** 2) - 1) < 4.5 * np.sqrt(
            8 / numbers.size
        )
