"""Stated accuracies of lazy learnability, against thirty digits."""

import math
import warnings

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import AccuracyWarning
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.learnability import (
    alignment_cost,
    arcsine_sphere_eigenvalue,
    cross_dataset_bound,
    effective_ridge,
    learning_curve,
    posterior_bound,
    samples_for_learnability,
    unlearnability,
)

mpf = mpmath.mpf


def _ratio(values, samples, ridge):
    """Return kappa/P by bisection in its logarithm, from P = ridge/t + sum of values/(values + t)."""
    values, samples, ridge = [mpf(v) for v in values], mpf(samples), mpf(ridge)
    low, high = mpf(-3000), mpf(3000)
    for _ in range(150):
        x = (low + high) / 2
        t = mpmath.exp(x)
        needed = ridge / t + sum(v / (v + t) for v in values)
        low, high = (x, high) if needed > samples else (low, x)
    return mpmath.exp((low + high) / 2)


SPECTRA = {
    "power law": np.arange(1, 31.0) ** -1.7,
    "levels": np.repeat([3.0, 0.2, 1e-6], [1, 4, 10]),
    "far apart": np.array([1e8, 1.0, 1e-9, 1e-30]),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("ridge", [0.0, 1e-200, 1e-12, 0.1, 1e9])
def test_effective_ridges_and_learnabilities(name, ridge):
    values = SPECTRA[name]
    n = values.size
    shares = [1e-15, 1e-4, 0.3, 0.9, 1 - 1e-6, 1.0, 1 + 1e-6, 2.0, 1e10]
    power = np.linspace(1, 2, n)
    for samples in np.array(shares) * n:
        if ridge == 0 and samples >= n:
            continue  # everything is learned
        found = effective_ridge(values, samples=samples, ridge=ridge)
        curve = learning_curve(
            EmpiricalSpectrum(values, power), samples=samples, ridge=ridge, noise_variance=0.1
        )
        error = max(1e-13, 2 * found.diagnostics.error_estimate)
        assert error < 1e-8
        with mpmath.workdps(260 if ridge == 1e-200 else 40):  # 1 - gamma falls to 1e-100
            t = _ratio(values, samples, ridge)
            learned = [v / (v + t) for v in map(mpf, values)]
            gamma = sum(x**2 for x in learned) / mpf(samples)
            bias = sum(mpf(s) * (1 - x) ** 2 for s, x in zip(power, learned, strict=True))
            loss = (bias + gamma * mpf(0.1)) / (1 - gamma)
            part = sum(mpf(s) * x for s, x in zip(power, learned, strict=True)) / mpf(power.sum())
            assert abs(found.kappa / (samples * t) - 1) < error
            assert all(
                abs(a / b - 1) < error for a, b in zip(found.learnability, learned, strict=True)
            )
            assert abs(found.fluctuation / gamma - 1) < 3 * error
            assert abs(curve.learnability / part - 1) < 2 * error
            assert abs(curve.test_loss / loss - 1) < 10 * error


def test_power_laws_to_infinity():
    """Against Euler-Maclaurin sums of thirty digits."""
    for samples, ridge in ((0.2, 1e-3), (50, 1e-6), (50, 2.0), (1e6, 0.1)):
        found = effective_ridge(PowerLawSpectrum(2, 1), samples=samples, ridge=ridge)
        with mpmath.workdps(30):
            t = mpf(found.kappa) / mpf(samples)
            # sum of 1/(1 + t k^2) over k = (pi coth(pi/sqrt t)/sqrt t - 1)/2
            root = mpmath.pi / mpmath.sqrt(t)
            needed = mpf(ridge) / t + (root * mpmath.coth(root) - 1) / 2
            assert abs(needed / mpf(samples) - 1) < 1e-12


@pytest.mark.parametrize("share", [1e-9, 0.01, 0.5, 0.999999])
@pytest.mark.parametrize("ridge", [0.0, 1e-100, 0.3])
def test_samples_for_learnabilities(share, ridge):
    for values in SPECTRA.values():
        found = samples_for_learnability(values, ridge=ridge, learnability=share)
        with mpmath.workdps(30):
            for value, samples in zip(values, found, strict=True):
                t = mpf(value) * (1 - mpf(share)) / mpf(share)
                exact = mpf(ridge) / t + sum(mpf(v) / (mpf(v) + t) for v in values)
                assert abs(samples / exact - 1) < 1e-12


def test_costs_however_far_the_tail():
    for z in (0.0, 1e-12, 0.3, 1.0, 5.0, 24.9, 25.1, 37.0, 39.0, 1e3, 1e8, 1e100):
        for value in (1.0, 1e-6, 1e-200):
            if z * math.sqrt(value) == 0 and z:
                continue
            a = z * math.sqrt(value)
            with mpmath.workdps(40):
                y = mpf(a) / mpmath.sqrt(mpf(value))
                if y < 1e5:
                    exact = -mpmath.log(mpmath.erfc(y / mpmath.sqrt(2)) / 2)
                else:
                    exact = y**2 / 2 + mpmath.log(y * mpmath.sqrt(2 * mpmath.pi)) + 1 / y**2
                assert abs(alignment_cost(value, a) / exact - 1) < 1e-14


def _evidence(gram, y, ridge, p):
    """Write E_p out."""
    n = len(y)
    k = mpmath.matrix(gram.tolist())
    target = mpmath.matrix(y.tolist())
    one = mpmath.eye(n)
    logs = mpmath.log(mpmath.det(one + p * k / mpf(ridge)))
    form = (target.T * mpmath.lu_solve(p * k + mpf(ridge) * one, target))[0]
    return (logs + p * form) / 2


@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 1.0, 1e4])
def test_bounds_of_one_data_set(ridge):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((6, 9))
    gram, y = x @ x.T / 9, rng.standard_normal(6)
    gram = (gram + gram.T) / 2
    costs = np.array([1.0, 30.0, 1e4])
    found = posterior_bound(gram, y, ridge=ridge, cost=costs)
    psi = rng.standard_normal(6)
    cross = cross_dataset_bound(psi, gram, y, eigenvalue=0.3, ridge=ridge)
    error = found.diagnostics.error_estimate
    assert error < 1e-8
    with mpmath.workdps(40):
        first = _evidence(gram, y, ridge, mpf(1))
        jensen = (np.trace(gram) + mpf(y @ y)) / (2 * mpf(ridge))
        for c, plain, least, p, by_jensen in zip(
            costs, found.evidence, found.hoelder, found.exponent, found.jensen, strict=True
        ):
            term = max(float(first), c)
            assert abs(plain - (first - c)) < max(1e-13, error) * term
            assert abs(by_jensen - (jensen - c)) < 1e-14 * max(float(jensen), c)
            p = mpf(min(p, 1e30))
            exact = -(1 - 1 / p) * c + first - _evidence(gram, y, ridge, p) / p
            assert abs(least - exact) < max(1e-13, error) * term
        inverse = mpmath.matrix(gram.tolist()) + mpf(ridge) * mpmath.eye(6)
        solved = mpmath.lu_solve(inverse, mpmath.matrix(y.tolist()))
        exact = mpf(0.3) * sum(mpf(a) * b for a, b in zip(psi, solved, strict=True))
        scale = float(sum(abs(mpf(a) * b) for a, b in zip(psi, solved, strict=True)))
        assert abs(cross.projection - exact) < max(1e-13, cross.diagnostics.error_estimate) * scale


def test_error_estimates_are_no_less_than_errors():
    """A matrix of which the smallest eigenvalues drown in rounding, at ridges down to where that matters."""
    x = np.linspace(-1, 1, 12)
    gram, y = np.exp(-((x[:, None] - x) ** 2)), np.cos(5 * x)
    for ridge in (1e-4, 1e-8, 1e-12):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = posterior_bound(gram, y, ridge=ridge, cost=10.0)
        with mpmath.workdps(40):
            exact = _evidence(gram, y, ridge, mpf(1)) - 10
            assert abs(found.evidence - exact) <= found.diagnostics.error_estimate * max(exact, 10)


@pytest.mark.parametrize(("d", "degree"), [(2, 1), (2, 7), (3, 1), (5, 3), (64, 1), (1000, 3)])
def test_eigenvalues_on_a_sphere(d, degree):
    with mpmath.workdps(25):

        def kernel(tau):
            return 2 / mpmath.pi * mpmath.asin(2 * tau / 3)

        if d == 2:
            whole = [mpf(j) / 4 * mpmath.pi for j in range(5)]
            exact = mpmath.quad(lambda a: mpmath.cos(degree * a) * kernel(mpmath.cos(a)), whole)
            exact /= mpmath.pi
        else:
            index = mpf(d - 2) / 2
            height = mpmath.gegenbauer(degree, index, 1)
            ends = [0, 0.03, 0.06, 0.1, 0.2, 0.5, 1]

            def weight(tau):
                return (1 - tau**2) ** (mpf(d - 3) / 2)

            exact = mpmath.quad(
                lambda tau: weight(tau) * mpmath.gegenbauer(degree, index, tau) * kernel(tau), ends
            ) / (height * mpmath.quad(weight, ends))
        assert abs(arcsine_sphere_eigenvalue(d, degree) / exact - 1) < 1e-12


def _mean(values, own, samples, ridge, noise):
    """Write the mean of E out."""
    t = _ratio(values, samples, ridge)
    kappa = samples * t
    logs = sum(mpmath.log(1 + mpf(v) / t) for v in values)
    logs += samples * (mpmath.log(kappa / ridge) - 1 + ridge / kappa)
    return (logs + 1 / (t + mpf(own)) + mpf(noise) / t) / 2


@pytest.mark.parametrize("ridge", [1e-8, 1e-2, 1.0, 1e5])
@pytest.mark.parametrize("alignment", [0.1, 0.5, 1.0])
def test_samples_that_do_not_suffice(ridge, alignment):
    values = np.arange(1, 13.0) ** -2
    own, noise = values[4], 0.1
    found = unlearnability(
        values, mode_eigenvalue=own, ridge=ridge, alignment=alignment, noise_variance=noise
    )
    with mpmath.workdps(30):
        y = mpf(alignment) / mpmath.sqrt(mpf(own))
        cost = -mpmath.log(mpmath.erfc(y / mpmath.sqrt(2)) / 2)
        odds = mpf(-math.log(2))
        if cost + odds <= 0:
            assert found.hoelder == 0
            return
        r = mpf(ridge)

        def evidence(samples):
            return _mean(values, own, samples, r, noise) - cost - odds

        p = mpf(found.exponent)

        def hoelder(samples):
            rest = _mean(values, own, samples, r / p, noise)
            return evidence(samples) + cost / p - rest / p

        for function, samples in ((evidence, found.evidence), (hoelder, found.hoelder)):
            low, high = (mpf(samples) * (1 + s * mpf("1e-9")) for s in (-1, 1))
            assert function(low) < 0 < function(high)
        jensen = 2 * r * (cost + odds) / (sum(map(mpf, values)) + 1 + mpf(noise))
        assert abs(found.jensen / jensen - 1) < 1e-13
