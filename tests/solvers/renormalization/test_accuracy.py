"""Stated accuracies of renormalization, against thirty digits or more."""

import mpmath
import numpy as np
import pytest

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.renormalization import (
    convolved_likelihood,
    dimensionless_flow,
    infrared_scale,
    integrated_variance,
    ridge_flow,
    truncated_flow,
)

mp = mpmath.mp


@pytest.mark.parametrize("exponent", [0.6, 1.0001, 1.5, 2, 4, 12])
def test_sums_beyond_a_cutoff(exponent):
    """By Hurwitz's zeta function, of finite power laws as a difference."""
    for size in (500.0, 1e7, np.inf):
        if exponent <= 1 and size == np.inf:
            continue
        spectrum = PowerLawSpectrum(exponent, 1, size)
        for cutoff in (0, 3, 32, 33, 499, 123_456, 10**9):
            if cutoff >= size:
                continue
            with mpmath.workdps(40):
                known = mpmath.zeta(exponent, cutoff + 1)
                known -= 0 if size == np.inf else mpmath.zeta(exponent, int(size) + 1)
            found = integrated_variance(spectrum, cutoff)
            assert found == pytest.approx(float(known), rel=1e-14), (size, cutoff)


@pytest.mark.parametrize("samples", [30, 1000, 10**6])
@pytest.mark.parametrize("ridge", [0.0, 1e-3, 2.0])
def test_the_ridge_of_an_infinite_kernel(samples, ridge):
    """Eigenvalues 1/k^2 add up to a hyperbolic cotangent."""
    cutoffs = [0, 1, 17, 300]
    found = ridge_flow(PowerLawSpectrum(2, 1), samples=samples, ridge=ridge, cutoff=cutoffs)
    with mpmath.workdps(40):

        def integrated(kappa):
            x = mp.pi * mpmath.sqrt(samples / kappa)
            return kappa * (x * mpmath.coth(x) - 1) / (2 * samples)

        start = mpmath.mpf(found.kappa[0])
        kappa = mpmath.findroot(
            lambda k: (ridge + integrated(k)) / k - 1, (start, start * (1 + mpmath.mpf("1e-6")))
        )
        total, known = ridge + integrated(kappa), []
        for k in range(301):
            if k:
                total -= kappa / (kappa * k**2 + samples)
            if k in cutoffs:
                known.append(float(total))
    assert found.kappa == pytest.approx(float(kappa), rel=1e-13)
    assert found.ridge == pytest.approx(known, rel=2e-13)


def _convolved(couplings, s):
    """Return r and u by 40 digits: derivatives of the normal density, in panels of its width or the weight's."""
    s = mpmath.mpf(s)
    width = min(mpmath.sqrt(s), mpmath.mpf(1) / 2)
    far = min(16 * mpmath.sqrt(s), 8)
    panels = mpmath.linspace(-far, far, int(2 * far / width) + 2)

    def moment(order):
        def integrand(t):
            z = t / mpmath.sqrt(s)
            weight = -sum(mpmath.mpf(c) * t ** (2 * j) for j, c in enumerate(couplings, 1))
            hermite = {0: 1, 2: z**2 - 1, 4: z**4 - 6 * z**2 + 3}[order]
            return mpmath.exp(weight - z * z / 2) * hermite / s ** (mpmath.mpf(order) / 2)

        return mpmath.quad(integrand, panels, maxdegree=5)

    zero, two, four = moment(0), moment(2), moment(4)
    second = two / zero
    return -second / 2, -(four / zero - 3 * second**2) / 24


@pytest.mark.parametrize("s", [1e-6, 1e-3, 0.1, 1.0, 30.0, 1e6])
@pytest.mark.parametrize("bare", [(0.5, 0.2), (-1.0, 1.0), (2.0, 0.01, 0.3)])
def test_couplings_of_a_convolved_likelihood(bare, s):
    found = convolved_likelihood(bare, variance=s)
    with mpmath.workdps(40):
        r, u = _convolved(bare, s)
    error = found.diagnostics.error_estimate
    assert error < 1e-11
    assert found.quadratic == pytest.approx(float(r), rel=1e-12)
    assert found.quartic == pytest.approx(float(u), rel=1e-12)
    assert abs(found.quartic / float(u) - 1) <= error + 3e-16
    assert abs(found.quadratic / float(r) - 1) <= error + 3e-16


@pytest.mark.parametrize("s", [1e-6, 0.2, 1e6])
@pytest.mark.parametrize("residual", [0.0, 0.7, -4.0])
def test_potential_and_slope_of_a_convolved_likelihood(residual, s):
    found = convolved_likelihood([0.5, 0.2], variance=s)
    with mpmath.workdps(40):
        width = min(mpmath.sqrt(s), mpmath.mpf(1) / 2)
        low, high = (
            (residual - 16 * mpmath.sqrt(s), residual + 16 * mpmath.sqrt(s)) if s < 1 else (-8, 8)
        )
        panels = mpmath.linspace(low, high, int((high - low) / width) + 2)

        def average(power):
            return mpmath.quad(
                lambda t: (
                    mpmath.exp(
                        -t * t / 2
                        - mpmath.mpf(0.2) * t**4
                        - (t - residual) ** 2 / (2 * mpmath.mpf(s))
                    )
                    * ((mpmath.mpf(residual) - t) / s) ** power
                ),
                panels,
                maxdegree=5,
            )

        zero = average(0)
        value = -mpmath.log(zero / mpmath.sqrt(2 * mp.pi * mpmath.mpf(s)))
        slope = average(1) / zero
    assert found.potential(residual) == pytest.approx(float(value), rel=1e-13, abs=1e-14)
    assert found.slope(residual) == pytest.approx(float(slope), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("order", [2, 4])
def test_couplings_of_truncated_flows(order):
    found = truncated_flow([0.5, 0.2], variance=[0.3, 2.0], order=order)

    def rates(_, c):
        out = []
        for j in range(1, order + 1):
            rate = mpmath.mpf((2 * j + 2) * (2 * j + 1)) / 2 * (c[j] if j < order else 0)
            for a in range(max(1, j + 1 - order), min(j, order) + 1):
                rate -= 2 * a * (j + 1 - a) * c[a - 1] * c[j - a]
            out.append(rate)
        return out

    with mpmath.workdps(25):
        path = mpmath.odefun(
            rates, 0, [mpmath.mpf(0.5), mpmath.mpf(0.2), *[mpmath.mpf(0)] * (order - 2)]
        )
        known = np.array([[float(c) for c in path(mpmath.mpf(s))] for s in (0.3, 2)]).T
    np.testing.assert_allclose(found.couplings, known, rtol=2e-13)


@pytest.mark.parametrize(
    ("convention", "momentum"),
    [("per_datum", "generic"), ("measure", "generic"), ("measure", "conserving")],
)
def test_dimensionless_couplings(convention, momentum):
    found = dimensionless_flow(
        quadratic=0.3,
        quartic=0.7,
        alpha=0.5,
        scale=[0.5, 2.0],
        convention=convention,
        momentum=momentum,
    )

    def rates(_, y):
        r, u = y
        if convention == "per_datum":
            return [r / 2 - r * r + u, u - 4 * r * u]
        loops = 3 * u * u / (1 + r) ** 2 if momentum == "conserving" else 0
        return [3 * r / 2 + u / (1 + r), 2 * u - loops]

    with mpmath.workdps(25):
        path = mpmath.odefun(rates, 0, [mpmath.mpf(0.3), mpmath.mpf(0.7)])
        known = np.array([[float(c) for c in path(scale)] for scale in (0.5, 2)]).T
    np.testing.assert_allclose([found.quadratic, found.quartic], known, rtol=2e-13)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 3.0])
def test_infrared_scales(alpha):
    for samples, ridge in ((10.0, 0.0), (1e3, 0.5), (1e9, 1e-3), (1e12, 1e3)):
        found = infrared_scale(alpha, samples=samples, ridge=ridge)
        with mpmath.workdps(30):
            a, sigma2 = mpmath.mpf(alpha), mpmath.mpf(ridge)
            x = mpmath.findroot(
                lambda x, a=a, sigma2=sigma2, p=samples: (x / a + sigma2 * x ** (1 + a)) / p - 1,
                (mpmath.mpf(found.cutoff), mpmath.mpf(found.cutoff) * (1 + mpmath.mpf("1e-6"))),
            )
        assert found.cutoff == pytest.approx(float(x), rel=2e-14)
