"""Contour nodes at finite N: sums, stability, gradient descent, thirty digits, draws, and as many modes as features."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.equivalents import elliptic
from scalinglaws.solvers.equivalents.edges import Resolvent, lower_edge
from scalinglaws.solvers.equivalents.elliptic import contour_nodes, elliptic_contour

INF = math.inf
SPECTRUM = PowerLawSpectrum.from_ab(2, 1.5)
RATE, BATCH, NOISE = 0.1, 4.0, 0.1
REACH = 2 / (RATE * (1 + 1 / BATCH))


def _losses(nodes, rates, batch, noise, at):
    """Iterate the energies at the nodes, one step after the other."""
    z, energies, found = nodes.rates, nodes.signal.copy(), []
    for step in range(at[-1] + 1):
        loss = nodes.floor + 2 * float(np.sum(energies.real))
        if step in at:
            found.append(loss)
        if step < at[-1]:
            eta = rates(step)
            factor = 1 - 2 * eta * z + eta**2 * z**2 * (1 + 1 / batch)
            energies = factor * energies + nodes.noise * (eta**2 / batch * (loss + noise))
    return np.array(found)


def _sum(nodes, function):
    return 2 * float(np.sum(nodes.signal * function(nodes.rates)).real)


@pytest.mark.parametrize(
    ("features", "tolerance", "count", "allowed"),
    [(1e3, 2e-12, 64, 1e-11), (1e6, 2e-14, 140, 1e-12), (1e9, 1e-12, 180, 1e-12)],
)
def test_the_signal_and_the_trace_are_resummed(features, tolerance, count, allowed):
    modes = SPECTRUM.modes()
    nodes = contour_nodes(modes, features, reach=REACH, tolerance=tolerance)
    assert nodes.rates.size <= count
    floor = linear.ridge(SPECTRUM, features=features).test_loss
    assert nodes.floor == pytest.approx(floor, rel=1e-12)
    learned = _sum(nodes, np.ones_like)
    assert learned == pytest.approx(float(mpmath.zeta(2)) - floor, rel=allowed)
    trace = 2 * float(np.sum(nodes.noise / nodes.rates).real)
    assert trace == pytest.approx(float(mpmath.zeta(1.5)), rel=allowed)
    assert nodes.error < allowed


@pytest.mark.parametrize("features", [2.5, 1e3, 1e6])
@pytest.mark.parametrize("batch", [1.0, 4.0, INF])
def test_steps_contract_at_all_nodes(features, batch):
    modes = SPECTRUM.modes()
    top = Resolvent(modes).top(features, INF)
    for share in (1 - 1e-9, 0.9, 0.1):
        growth = 1 + 1 / batch
        largest = share * 2 / (growth * top)
        z = contour_nodes(modes, features, reach=2 / (largest * growth)).rates
        assert np.all(z.imag > 0)
        assert np.all(np.angle(z) <= math.pi / 4 + 1e-14)
        assert np.all(np.diff(z.real) > -1e-15 * top)
        for eta in (largest, largest / 3):  # and with any smaller rate and larger batch
            for more in (growth, 1.0):
                d = eta * z * (2 - eta * z * more)
                assert np.all(np.abs(d) ** 2 < 2 * d.real)  # |1 - d| < 1, without rounding


@pytest.mark.parametrize(
    ("features", "tolerance", "count", "allowed"),
    [
        (1e3, 1e-9, 49, 3e-9),
        (1e3, 1e-12, 65, 2e-12),
        (1e6, 1e-11, 112, 3e-11),
        (1e6, 1e-13, 132, 4e-13),
        (1e9, 1e-13, 195, 4e-13),
    ],
)
def test_losses_by_number_of_nodes(features, tolerance, count, allowed):
    modes, at = SPECTRUM.modes(80), [1, 100, 1000, 10000]
    best = contour_nodes(modes, features, reach=REACH, tolerance=1e-17)
    nodes = contour_nodes(modes, features, reach=REACH, tolerance=tolerance)
    assert nodes.rates.size == count
    exact = _losses(best, lambda t: RATE, BATCH, NOISE, at)
    found = _losses(nodes, lambda t: RATE, BATCH, NOISE, at)
    np.testing.assert_allclose(found, exact, rtol=allowed)


@pytest.mark.parametrize("task", [(2, 1.5), (2.6, 1.4), (1.6, 2), (3.4, 3)])
@pytest.mark.parametrize("features", [1.5, 1e3, 1e6])
def test_losses_of_gradient_descent(task, features):
    spectrum, at = PowerLawSpectrum.from_ab(*task), [100, 1000, 3000]
    exact = linear.online_sgd(
        at, spectrum, features=features, batch=BATCH, learning_rate=RATE, noise_variance=NOISE
    ).test_loss
    nodes = contour_nodes(spectrum.modes(), features, reach=REACH)
    np.testing.assert_allclose(_losses(nodes, lambda t: RATE, BATCH, NOISE, at), exact, rtol=2e-11)


def test_a_linear_decay_in_thirty_digits():
    # by two contours in 40 digits, which agree to 2e-28
    modes = PowerLawSpectrum.from_ab(2, 1.5, 30).modes()
    nodes = contour_nodes(modes, 10, reach=2 / (0.2 * 1.25), tolerance=1e-16)
    found = _losses(nodes, lambda t: 0.2 * (100 - t) / 100, 4.0, 0.1, [50, 100])
    np.testing.assert_allclose(found, [0.3246078244537153, 0.2962740695766154], rtol=1e-13)


def _thirty_digits(eigenvalues, signal, features, function):
    """Sum over many nodes, with kappa as the one root of a polynomial in the upper half plane."""
    modes = EmpiricalSpectrum(eigenvalues, signal).modes()
    low, high = lower_edge(modes, features, INF)[1], Resolvent(modes).top(features, INF)
    with mpmath.workdps(30):
        lam, weights = [mpmath.mpf(x) for x in eigenvalues], [mpmath.mpf(x) for x in signal]
        total, kernel = mpmath.mpf(0), mpmath.mpf(0)
        for z, dz in zip(*_contour(mpmath.mpf(low), mpmath.mpf(high), 1e-20), strict=True):
            s = -mpmath.conj(z)
            kappa = _root(lam, mpmath.mpf(features), s)
            df1 = sum(x / (x + kappa) for x in lam)
            values = sum(w * kappa / (x + kappa) for x, w in zip(lam, weights, strict=True)) / s
            total += 2 * (dz * mpmath.conj(values) * function(z)).real
            kernel += 2 * (dz * z * mpmath.conj(df1) * function(z)).real
        return total, kernel


def _contour(low, high, tolerance):
    """Return nodes without a reach, and dz / (2 pi i), in the precision at hand."""
    spread = high / low
    k = (spread - 1) / (spread + 1)
    quarter, height = mpmath.ellipk(k**2), mpmath.ellipk(1 - k**2)
    n = math.ceil(2 * quarter / (mpmath.pi * height) * mpmath.log(1 / tolerance))
    nodes, steps = [], []
    for j in range(n):
        t = -quarter + (j + mpmath.mpf("0.5")) * 2 * quarter / n + 0.5j * height
        sn, cn, dn = (mpmath.ellipfun(name, t, m=k**2) for name in ("sn", "cn", "dn"))
        nodes.append(mpmath.sqrt((1 + k * sn) / (1 - k * sn) * low * high))
        slope = k * cn * dn / (1 - k * sn) / (1 + k * sn)
        steps.append(nodes[-1] * slope * quarter / n / (1j * mpmath.pi))
    return nodes, steps


def _root(lam, features, s):
    """Return kappa from (kappa - s) prod (lambda + kappa) = kappa / N sum_k lambda_k prod_other (lambda + kappa)."""

    def product(one, two):
        out = [mpmath.mpf(0)] * (len(one) + len(two) - 1)
        for i, x in enumerate(one):
            for j, y in enumerate(two):
                out[i + j] += x * y
        return out

    whole, parts = [mpmath.mpf(1), -s], [mpmath.mpf(0)] * (len(lam) + 2)
    for x in lam:
        whole = product(whole, [1, x])
    for k, x in enumerate(lam):
        part = [x / features, 0]
        for other in lam[:k] + lam[k + 1 :]:
            part = product(part, [1, other])
        parts = [0, *part] if k == 0 else [a + b for a, b in zip(parts, [0, *part], strict=True)]
    coefficients = [a - b for a, b in zip(whole, parts, strict=True)]
    roots = mpmath.polyroots(coefficients, maxsteps=200, extraprec=200)
    (kappa,) = [root for root in roots if root.imag > 1e-20 and mpmath.arg(root) <= mpmath.arg(s)]
    return kappa


@pytest.mark.parametrize("features", [1.5, 2.0, 6.0])  # three modes: more, fewer
def test_small_sums_in_thirty_digits(features):
    eigenvalues, signal = [1.0, 0.4, 0.1], [1.0, 0.3, 0.2]
    modes = EmpiricalSpectrum(eigenvalues, signal).modes()
    nodes = contour_nodes(modes, features, reach=40.0, tolerance=1e-16)
    for time in (0, 3, 30):
        total, kernel = _thirty_digits(
            eigenvalues, signal, features, lambda z, time=time: mpmath.exp(-z * time)
        )
        if time == 0:
            assert float(total + nodes.floor) == pytest.approx(1.5, rel=1e-14)
        fall = np.exp(-nodes.rates * time)
        assert 2 * float(np.sum(nodes.signal * fall).real) == pytest.approx(float(total), rel=1e-13)
        assert 2 * float(np.sum(nodes.noise * fall).real) == pytest.approx(float(kernel), rel=1e-13)


def test_elliptic_functions_in_thirty_digits():
    for low in (0.5, 1e-3, 1e-18, 1e-40):
        with mpmath.workdps(60):
            nodes, steps = _contour(mpmath.mpf(low), mpmath.mpf(1), 1e-6)
        z, dz = elliptic_contour(low, 1.0, INF, 1e-6)
        np.testing.assert_allclose(z, np.array(nodes, complex), rtol=1e-13)
        np.testing.assert_allclose(dz, np.array(steps, complex), rtol=1e-13)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e6])
def test_few_modes_and_many_features(size):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, size)
    modes = spectrum.modes()
    gaps = []
    for features in (1e9, 1e10, 1e300):
        nodes = contour_nodes(modes, max(features, 1e3 * size), reach=REACH)
        assert nodes.floor == 0.0
        found = [_sum(nodes, lambda z, t=t: np.exp(-2 * t * z)) for t in (0, 1, 30)]
        exact = [float(modes.signal @ np.exp(-2 * t * modes.eigenvalues)) for t in (0, 1, 30)]
        gaps.append(np.max(np.abs(np.array(found) - exact)))
    assert gaps[2] < 1e-12
    if size == 30:  # corrections fall as 1/N
        assert gaps[1] == pytest.approx(gaps[0] / 10, rel=1e-2)


def test_as_many_modes_as_features():
    spectrum, at = PowerLawSpectrum.from_ab(2, 1.5, 30), [1, 100, 3000]
    for features in (29.9999, 30.0, 30.0001):
        nodes = contour_nodes(spectrum.modes(), features, reach=REACH)
        exact = linear.online_sgd(
            at, spectrum, features=features, batch=BATCH, learning_rate=RATE, noise_variance=NOISE
        ).test_loss
        np.testing.assert_allclose(
            _losses(nodes, lambda t: RATE, BATCH, NOISE, at), exact, rtol=1e-11
        )
        assert nodes.error < 1e-12


@pytest.mark.parametrize("size", [1e6, 1e8])
@pytest.mark.parametrize("gap", [1.0, -1.0, -1e-2])
def test_nearly_as_many_modes_as_features(size, gap):
    spectrum, at = PowerLawSpectrum.from_ab(2, 1.5, size), [20, 2000]
    nodes = contour_nodes(spectrum.modes(), size + gap, reach=REACH)
    assert nodes.error < 1e-12
    exact = linear.online_sgd(
        at, spectrum, features=size + gap, batch=BATCH, learning_rate=RATE
    ).test_loss
    np.testing.assert_allclose(_losses(nodes, lambda t: RATE, BATCH, 0.0, at), exact, rtol=1e-11)


@pytest.mark.parametrize("features", [20, 80])  # of forty modes
def test_means_over_draws(features):
    generator, draws, size = np.random.default_rng(7), 400, 40
    lam, signal = PowerLawSpectrum.from_ab(2, 1.5, size).explicit()
    maps = generator.standard_normal((draws, features, size)) / math.sqrt(features)
    root = np.sqrt(lam)
    x, u = np.linalg.eigh(root[:, None] * (maps.transpose(0, 2, 1) @ maps) * root)
    # of targets with random signs, whose cross terms average out
    energies = np.sum(u**2 * signal[:, None], axis=1)
    nodes = contour_nodes(PowerLawSpectrum.from_ab(2, 1.5, size).modes(), features, reach=REACH)
    for time in (0.0, 2.0, 20.0):
        drawn = np.sum(energies * np.exp(-2 * time * x), axis=1)
        expected = nodes.floor + _sum(nodes, lambda z, time=time: np.exp(-2 * time * z))
        allowed = 3 * drawn.std() / math.sqrt(draws) + 1.5 / features * expected
        assert abs(drawn.mean() - expected) < allowed


@given(st.floats(1.05, 4), st.floats(0.1, 3), st.floats(0, 12), st.floats(0, 7), st.floats(-6, 3))
def test_any_task(alpha, beta, log_features, log_size, distance):
    size = INF if log_size > 6 else float(round(10**log_size))
    modes, features = PowerLawSpectrum(alpha, beta, size).modes(), 10**log_features
    top = Resolvent(modes).top(features, INF)
    nodes = contour_nodes(modes, features, reach=top * (1 + 10**distance))
    assert nodes.error < 2e-12 + 4e-15 * 10**-distance  # rounding of the distance to the reach
    assert np.all(np.angle(nodes.rates) <= math.pi / 4 + 1e-14)
    total = float(np.sum(modes.signal))
    falling = [
        _sum(nodes, lambda z, t=t: np.exp(-2 * t * z / top)) / total for t in (0, 1, 10, 1e3)
    ]
    assert np.all(np.diff(falling) < 1e-9)
    assert -1e-9 < falling[-1] <= falling[0] < 1 + 1e-9


def test_refusals(monkeypatch):
    modes = SPECTRUM.modes()
    with pytest.raises(DomainError, match="finite number of features"):
        contour_nodes(modes, INF, reach=REACH)
    top = Resolvent(modes).top(100, INF)
    with pytest.raises(DomainError, match="must lie beyond the largest eigenvalue 1.2286"):
        contour_nodes(modes, 100, reach=top)
    with pytest.raises(DomainError, match="unstable"):
        contour_nodes(modes, 100, reach=math.nan)

    resolve = elliptic.resolve
    monkeypatch.setattr(elliptic, "resolve", lambda *a: replace(resolve(*a), residual=INF))
    with pytest.raises(ConvergenceError, match="features = 100"):
        contour_nodes(modes, 100, reach=REACH)
