"""Modes integrated out, of one datum and of functions on a grid: against published couplings, closed forms and samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from scalinglaws.errors import DomainError
from scalinglaws.verify.simulate.renormalization import (
    integrate_modes,
    integrate_shell,
    orthogonal_features,
)

# r and u of exp(-t^2/2 - t^4/5) after a variance was integrated out, found independently
PUBLISHED = {
    0.05: (0.527284945781, 0.158504357790),
    0.2: (0.535914536663, 0.065567884958),
    1.0: (0.318985244940, 0.002011244746),
    5.0: (0.090632845900, 7.37422514e-6),
}


def test_published_couplings():
    found = integrate_modes([0.5, 0.2], list(PUBLISHED))
    expected = np.array(list(PUBLISHED.values()))
    for rows, errors, values in (
        (found.quadratic, found.quadratic_error, expected[:, 0]),
        (found.quartic, found.quartic_error, expected[:, 1]),
    ):
        np.testing.assert_allclose(rows, values, rtol=2e-6)
        assert np.all(np.abs(rows - values) <= errors + 1e-11)


@settings(max_examples=20)
@given(sigma=st.floats(0.05, 20), variance=st.floats(0, 1000))
def test_a_parabola_stays_one(sigma, variance):
    """A squared loss of variance sigma^2 gets that of the modes added."""
    found = integrate_modes([1 / (2 * sigma**2)], [variance])
    assert found.quadratic[0] == pytest.approx(1 / (2 * (sigma**2 + variance)), rel=1e-9)
    assert abs(found.quartic[0]) < 1e-7 * found.quadratic[0] ** 2


@settings(max_examples=15)
@given(
    couplings=st.lists(st.floats(0.01, 3), min_size=2, max_size=3),
    variance=st.floats(0.01, 3),
)
def test_curvature_against_moments(couplings, variance):
    """The curvature at zero is 1/s - <t^2>/s^2 under the weight times a normal density."""

    def weight(t):
        powers = sum(c * t ** (2 * j) for j, c in enumerate(couplings, 1))
        return np.exp(-powers - t**2 / (2 * variance))

    norm, second = (
        integrate.quad(lambda t, p=p: t**p * weight(t), -12, 12, epsabs=1e-14, points=[0])[0]
        for p in (0, 2)
    )
    expected = (1 / variance - second / norm / variance**2) / 2
    found = integrate_modes(couplings, [variance])
    assert found.quadratic[0] == pytest.approx(expected, rel=1e-5, abs=2 * found.quadratic_error[0])


def test_one_large_step_is_many_small_ones():
    at_once = integrate_modes([0.5, 0.2], [2.0])
    on_the_way = integrate_modes([0.5, 0.2], [0.01, 0.1, 0.5, 1.0, 1.5, 2.0])
    assert on_the_way.quadratic[-1] == pytest.approx(at_once.quadratic[0], rel=1e-10)
    assert on_the_way.quartic[-1] == pytest.approx(at_once.quartic[0], rel=1e-6)
    assert on_the_way.shells > at_once.shells


def test_nothing_integrated_leaves_the_couplings():
    found = integrate_modes([0.5, 0.2], [0.0])
    assert (found.quadratic[0], found.quartic[0]) == (pytest.approx(0.5), pytest.approx(0.2))
    assert found.shells == 0


@pytest.mark.parametrize("basis", ["fourier", "random"])
def test_functions_are_orthonormal(basis):
    found = orthogonal_features(30, 12, basis=basis, rng=0)
    np.testing.assert_allclose(found.T @ found / 30, np.eye(12), atol=1e-13)


def test_random_functions_have_no_direction():
    """Entries of the first function over many draws: mean zero, variance one, either sign."""
    entries = np.array([orthogonal_features(5, 1, basis="random", rng=s)[:, 0] for s in range(800)])
    assert np.all(np.abs(entries.mean(axis=0)) < 4 / math.sqrt(800))
    np.testing.assert_allclose(np.mean(entries**2, axis=0), 1, atol=0.15)


def test_a_shell_is_integrated_exactly():
    """Two modes by quadrature of the action up to its second order, at a coupling that no series reaches."""
    rng = np.random.default_rng(0)
    phi, variances = rng.standard_normal((8, 2)), np.array([0.7, 0.3])
    delta, r, u = rng.standard_normal(8), 0.4, 0.6
    nodes = np.linspace(-9, 9, 601)
    z = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)

    def action(quartic, row):
        field = (z * np.sqrt(variances)) @ phi.T
        linear = field @ (2 * r * row + 4 * quartic * row**3) / 8
        # functions that are not orthonormal: their quadratic term is the unit matrix's by definition
        square = r * np.sum(z**2 * variances, axis=-1)
        return linear + square + 6 * quartic * (field**2) @ row**2 / 8

    def integral(quartic, row, pull=True):
        exponent = -np.sum(z**2, axis=-1) / 2 - action(quartic, row)
        if not pull:
            exponent += (
                ((z * np.sqrt(variances)) @ phi.T) @ (2 * r * row + 4 * quartic * row**3) / 8
            )
        return np.exp(exponent).sum()

    found = integrate_shell(phi, variances, delta, quadratic=r, quartic=u)
    loop = -math.log(integral(u, delta, pull=False) / integral(0.0, delta, pull=False))
    tree = -math.log(integral(u, delta) / integral(u, delta, pull=False))
    assert found.loop[0] == pytest.approx(loop, rel=1e-9)
    assert found.tree[0] == pytest.approx(tree, rel=1e-9)


def test_several_residuals_and_no_coupling():
    phi = orthogonal_features(20, 6)
    rows = np.random.default_rng(1).standard_normal((20, 3))
    both = integrate_shell(phi, np.ones(6), rows, quartic=0.2)
    alone = integrate_shell(phi, np.ones(6), rows[:, 1], quartic=0.2)
    assert both.loop[1] == pytest.approx(alone.loop[0])
    none = integrate_shell(phi, np.ones(6), rows, quadratic=0.3, quartic=0.0)
    np.testing.assert_allclose(none.loop, 0, atol=1e-14)
    # a residual that the shell does not touch is not pulled at all
    untouched = orthogonal_features(20, 9)[:, 8]
    silent = integrate_shell(phi, np.ones(6), untouched, quadratic=0.3, quartic=0.0)
    np.testing.assert_allclose(silent.tree, 0, atol=1e-28)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: integrate_modes([0.0], [1.0]), "must not all be zero"),
        (lambda: integrate_modes([-1.0], [1.0]), "couplings"),
        (lambda: integrate_modes([1.0], [2.0, 1.0]), "variances"),
        (lambda: integrate_modes([1.0], [-1.0]), "variances"),
        (lambda: integrate_shell([[1.0]], [1.0, 2.0], [1.0], quartic=1), "features"),
        (lambda: integrate_shell([[1.0]], [1.0], [1.0, 2.0], quartic=1), "residuals"),
        (lambda: integrate_shell([[1.0]], [1.0], [1.0], quartic=-1), "quartic = -1"),
        (lambda: integrate_shell([[np.inf]], [1.0], [1.0], quartic=1), "finite"),
        (lambda: orthogonal_features(4, 4), "modes = 4"),
        (lambda: orthogonal_features(4, 5, basis="random", rng=0), "modes = 5"),
        (lambda: orthogonal_features(4, 2, basis="random"), "rng"),
        (lambda: orthogonal_features(4, 2, basis="haar"), "basis = 'haar'"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_residuals_whose_powers_are_no_numbers_are_refused():
    with pytest.raises(DomainError, match="residuals"):
        integrate_shell([[1.0], [1.0]], [0.5], [1e200, 1.0], quartic=0.1)
