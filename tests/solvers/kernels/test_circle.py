"""Kernels of angles: averages over random neurons, eigenvalues recorded elsewhere, parity, exact sums."""

import math

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from scalinglaws.errors import DomainError
from scalinglaws.solvers.kernels import arc_cosine, circle_eigenvalues, circle_kernel

FINE = 2**18


@pytest.fixture(scope="module")
def fine():
    """Eigenvalues at bias 1, by q."""
    return dict(
        zip((1, 2, 3), circle_eigenvalues([1, 2, 3], harmonics=1024, grid=FINE), strict=True)
    )


def test_recorded_eigenvalues(fine, reference):
    for q, k, value in reference("circle")["eigenvalues"]["rows"]:
        # a value printed with 10 digits stands for half a unit of the last one either way
        assert fine[q][k] == pytest.approx(value, rel=1e-8, abs=2e-15), (q, k)
    for q, k, integral in reference("circle")["eigenvalues"]["integrals"]:
        aliased = fine[q][k] - 2 * (math.pi**2 / 6) * fine[q][1024] * (1024 / FINE) ** 2
        assert aliased == pytest.approx(integral, rel=1e-9)


def test_recorded_slopes(fine, reference):
    k = np.arange(*reference("circle")["slopes"]["window"])
    for q, least, most in reference("circle")["slopes"]["rows"]:
        assert least <= -np.polyfit(np.log(k), np.log(fine[q][k]), 1)[0] <= most


def test_without_bias_the_first_kernel_is_known_exactly():
    found = circle_eigenvalues(1, bias=0, harmonics=400, grid=FINE)
    k = np.arange(0, 401, 2)
    np.testing.assert_allclose(
        found[k], (k**2 + 3) / (math.pi**2 * (k**2 - 1.0) ** 2), rtol=0, atol=1e-11
    )  # aliasing: 5e-12
    assert found[1] == pytest.approx(0.25, abs=1e-15)


@pytest.mark.parametrize("q", [1, 2, 3])
def test_parity_without_bias(q):
    theta = 2 * math.pi * np.arange(4096) / 4096
    for k in range(q + 2, 40):
        plain = np.mean(circle_kernel(theta, q, bias=0) * np.cos(k * theta))
        found = circle_eigenvalues(q, bias=0, harmonics=40)[k]
        assert plain == pytest.approx(found, abs=2e-15)
        assert (found == 0) == ((k - q) % 2 == 0)
        assert circle_eigenvalues(q, bias=0.1, harmonics=40)[k] > 0


@pytest.mark.parametrize("q", [0, 1, 2, 3])
def test_arc_cosine_is_a_mean_over_neurons(q):
    """A normal vector in the plane has a uniform direction, and E|w|^(2q) = 2^q q!."""
    for phi in (0.0, 0.4, 1.7, 3.0, math.pi):

        def both(psi, phi=phi):
            return (math.cos(psi) * math.cos(psi - phi)) ** q

        mean = 2**q * math.factorial(q) * quad(both, phi - math.pi / 2, math.pi / 2)[0]
        assert arc_cosine(phi, q) == pytest.approx(mean, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("q", [1, 2, 3])
def test_kernel_is_that_of_a_wide_network(q):
    rng, b, theta = np.random.default_rng(0), 0.7, np.array([0.3, 2.0])
    w, x = rng.standard_normal((200_000, 3)), np.array([1.0, 0.0, b])
    z = np.stack([np.cos(theta), np.sin(theta), np.full(2, b)], axis=1)
    one, two = np.maximum(w @ x, 0), np.maximum(w @ z.T, 0)
    slopes = q**2 * (one ** (q - 1) * (one > 0))[:, None] * two ** (q - 1) * (two > 0) * (z @ x)
    sample = one[:, None] ** q * two**q + slopes
    off = (sample.mean(axis=0) - circle_kernel(theta, q, bias=b)) / (
        sample.std(axis=0) / math.sqrt(len(w))
    )
    assert np.all(np.abs(off) < 4)


def test_the_sum_is_the_spectrum_of_the_gram_matrix():
    theta = 2 * math.pi * np.arange(15) / 15
    gram = circle_kernel(theta[:, None] - theta, 2, bias=0.5) / 15
    found = circle_eigenvalues(2, bias=0.5, harmonics=7, grid=15)
    expected = np.sort(np.append(found[0], np.repeat(found[1:], 2)))
    np.testing.assert_allclose(np.linalg.eigvalsh(gram), expected, atol=1e-14)
    assert circle_kernel(0.0, 2, bias=0.5) == pytest.approx(expected.sum(), rel=1e-14)


def test_arguments_broadcast():
    found = circle_eigenvalues([[1], [2]], bias=[0, 0.5, 1], harmonics=4, grid=64)
    assert found.shape == (2, 3, 5)
    np.testing.assert_array_equal(found[1, 2], circle_eigenvalues(2, harmonics=4, grid=64))
    assert isinstance(circle_kernel(0.1, 1), float)
    assert isinstance(arc_cosine(0.1, 1), float)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: arc_cosine(-0.1, 1), "angle"),
        (lambda: arc_cosine(math.nan, 1), "angle"),
        (lambda: arc_cosine(0.1, 4), "power"),
        (lambda: circle_kernel(math.inf, 1), "angle"),
        (lambda: circle_kernel(0.1, 0), "q"),
        (lambda: circle_eigenvalues(1.5, harmonics=2), "q"),
        (lambda: circle_eigenvalues(1, bias=-1, harmonics=2), "bias"),
        (lambda: circle_eigenvalues(1, bias=math.nan, harmonics=2), "bias"),
        (lambda: circle_eigenvalues(1, harmonics=-1), "harmonics"),
        (lambda: circle_eigenvalues(1, harmonics=33, grid=64), "harmonics"),
        (lambda: circle_eigenvalues(1, harmonics=0, grid=1), "grid"),
        (lambda: circle_eigenvalues([1, 2], bias=[0, 1, 2], harmonics=2), "q"),
    ],
)
def test_refusals(call, name):
    with pytest.raises(DomainError) as refusal:
        call()
    assert refusal.value.argument == name


def exact_kernel(theta, q, bias):
    """Return the kernel of the angle's own equation, with the working digits."""
    size = 1 + mpmath.mpf(bias) ** 2
    phi = 2 * mpmath.asin(abs(mpmath.sin(theta / 2)) / mpmath.sqrt(size))
    rest, c, s = mpmath.pi - phi, mpmath.cos(phi), mpmath.sin(phi)
    table = (
        rest,
        s + rest * c,
        3 * s * c + rest * (1 + 2 * c**2),
        4 * s**3 + 15 * s * c**2 + rest * (9 * s**2 * c + 15 * c**3),
    )
    return size**q / (2 * mpmath.pi) * (table[q] + q * q * c * table[q - 1])


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_kernels_to_rounding_up_to_the_antipode(count):
    rng = np.random.default_rng(5)
    for _ in range(count):
        q, bias = int(rng.integers(1, 4)), float(rng.choice([0, 1, 10 ** rng.uniform(-6, 3)]))
        near = 10 ** rng.uniform(-10, 0)
        theta = float(rng.choice([rng.uniform(-7, 7), near, math.pi - near]))
        with mpmath.workdps(40):
            exact = exact_kernel(mpmath.mpf(theta), q, bias)
            scale = exact_kernel(mpmath.mpf(0), q, bias)
            assert abs(circle_kernel(theta, q, bias=bias) - exact) <= 1e-15 * scale


@pytest.mark.parametrize("count", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_eigenvalues_to_what_is_stated(count):
    rng = np.random.default_rng(6)
    for _ in range(count):
        q, bias = int(rng.integers(1, 4)), float(rng.choice([0, 1, 10 ** rng.uniform(-6, 3)]))
        grid = int(rng.choice([16, 33, 64]))
        found = circle_eigenvalues(q, bias=bias, harmonics=grid // 2, grid=grid)
        with mpmath.workdps(30):
            values = [exact_kernel(2 * mpmath.pi * j / grid, q, bias) for j in range(grid)]
            for k, value in enumerate(found):
                turns = [mpmath.cos(2 * mpmath.pi * j * k / grid) for j in range(grid)]
                missed = abs(value - mpmath.fdot(values, turns) / grid)
                assert missed <= (5e-16 if k < 5 else 1e-16) * values[0]


def test_rounding_of_the_smallest_harmonics_is_as_stated():
    """Sums of 4096 terms in 30 digits, q = 3, b = 1: a share of the eigenvalue that grows to some percent around k = 400."""
    exact = {
        50: 1.3321834040501218e-09,
        200: 3.225784213219121e-13,
        350: 1.1226578874006294e-14,
        390: 5.864801981105566e-15,
        400: 5.038231293304416e-15,
        410: 4.344424012675341e-15,
    }
    found = circle_eigenvalues(3, harmonics=410)
    error = {k: found[k] - value for k, value in exact.items()}
    assert max(map(abs, error.values())) < 1e-16 * circle_kernel(0.0, 3)
    assert abs(error[200] / exact[200]) < 0.01
    assert max(abs(error[k] / exact[k]) for k in (390, 400, 410)) < 0.15
