"""Building blocks of the linear model: kappa, degrees of freedom, learnability."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import degrees_of_freedom, effective_ridge, learnability, ridge

INF = math.inf


def test_reference_values_of_kappa(reference):
    for row in reference("linear")["statics"]:
        a, b, size, features, samples, strength, _, kappa, *_ = (float(entry) for entry in row)
        spectrum = PowerLawSpectrum.from_ab(a, b, size)
        assert effective_ridge(
            spectrum, features=features, samples=samples, ridge=strength
        ) == pytest.approx(kappa, rel=1e-8)


@pytest.mark.parametrize(("n", "excess", "digits"), [(1e3, 5e-9, 2e-9), (1e6, 0.0, 1e-13)])
def test_the_constant_of_kappa(n, excess, digits):
    # df1 = n at kappa ~ K_{n + 1/2}^-b, K_x = x b sin(pi/b) / pi
    b = 1.5
    leading = ((n + 0.5) * b * math.sin(math.pi / b) / math.pi) ** -b
    assert effective_ridge(PowerLawSpectrum(b, 1.0), samples=n) / leading == pytest.approx(
        1 + excess, abs=digits
    )


def test_second_degrees_of_freedom_are_a_fixed_part_of_the_first():
    df1, df2 = degrees_of_freedom(1e-12, PowerLawSpectrum(1.5, 1.0))
    assert df2 / df1 == pytest.approx(1 - 1 / 1.5, rel=1e-7)


@pytest.mark.pure
@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=9), st.floats(1e-8, 1e4))
def test_degrees_of_freedom_are_sums(eigenvalues, kappa):
    values = np.array(eigenvalues)
    found = degrees_of_freedom(kappa, EmpiricalSpectrum(values, values))
    share = values / (values + kappa)
    assert found == pytest.approx((share.sum(), (share**2).sum()), rel=1e-12)


def test_limits_of_degrees_of_freedom():
    assert degrees_of_freedom(0.0, PowerLawSpectrum(1.5, 1.0)) == (INF, INF)
    assert degrees_of_freedom(0.0, PowerLawSpectrum(1.5, 1.0, 7)) == (7.0, 7.0)
    found = degrees_of_freedom([[0.0, 1.0, INF]], PowerLawSpectrum(1.5, 1.0, 7))
    assert found.df1.shape == (1, 3)
    assert found.df1[0, 2] == found.df2[0, 2] == 0.0


def test_limits_of_kappa():
    spectrum = PowerLawSpectrum(1.5, 1.0, 40)
    assert effective_ridge(spectrum, ridge=0.3) == 0.3
    assert effective_ridge(spectrum) == 0.0
    assert effective_ridge(spectrum, samples=50) == 0.0
    assert effective_ridge(spectrum, samples=50, ridge=INF) == INF


@given(
    st.floats(1.1, 4),
    st.floats(1, 1e9),
    st.floats(1, 1e9),
    st.one_of(st.just(0.0), st.floats(1e-12, 1)),
)
def test_learnabilities_add_up_to_the_degrees_of_freedom(alpha, n, p, strength):
    spectrum = PowerLawSpectrum(alpha, 1.0, 300)
    solution = ridge(spectrum, features=n, samples=p, ridge=strength)
    found = learnability(np.arange(1, 301), spectrum, features=n, samples=p, ridge=strength)
    assert np.sum(found) == pytest.approx(solution.degrees_of_freedom, rel=1e-12)
    assert np.all(np.diff(found) <= 0)
    assert np.all((found >= 0) & (found <= 1))


def test_learnability_is_the_mean_of_simulated_weights():
    # minimum of |y - psi w|^2 / P + r |w|^2: what comes out for each unit of target in the same mode
    rng = np.random.default_rng(5)
    eigenvalues, total = np.array([1.0, 0.6, 0.4, 0.25, 0.1] * 12), np.zeros(60)
    for _ in range(200):
        psi = rng.standard_normal((40, 60)) * np.sqrt(eigenvalues)
        total += np.sum(psi * np.linalg.solve(psi @ psi.T + 40 * 0.05 * np.eye(40), psi), axis=0)
    found = learnability(
        [1, 2, 3, 4, 5], EmpiricalSpectrum(eigenvalues, eigenvalues), samples=40, ridge=0.05
    )
    np.testing.assert_allclose(total.reshape(12, 5).mean(axis=0) / 200, found, atol=0.01)


def test_learnability_broadcasts_and_knows_the_order():
    spectrum = EmpiricalSpectrum([0.1, 1.0, 0.5], [1.0, 1.0, 1.0])
    found = learnability([[1], [2], [3]], spectrum, samples=[1, 2])
    assert found.shape == (3, 2)
    assert found[1, 0] > found[2, 0] > found[0, 0]
    assert isinstance(learnability(1, spectrum), float)
    assert learnability(1, spectrum) == 1.0
    assert learnability(1, spectrum, ridge=INF) == 0.0


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda s: learnability(0, s), "k = 0.0 must be >= 1"),
        (lambda s: learnability(1.5, s), "k = 1.5 must be a whole number from 1 to 50"),
        (lambda s: learnability(51, s), "k = 51.0 must be a whole number from 1 to 50"),
        (lambda s: learnability([1, 2], s, samples=[1, 2, 3]), "do not broadcast"),
        (lambda s: degrees_of_freedom(-1, s), "kappa = -1.0 must be >= 0"),
        (lambda s: degrees_of_freedom(1e-299, PowerLawSpectrum(1.5, 1.0)), "use a larger kappa"),
        (lambda s: effective_ridge(s, samples=0.5), "samples = 0.5 must be >= 1"),
        (lambda s: effective_ridge(s, ridge=math.nan), "ridge = nan must be >= 0"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call(PowerLawSpectrum(1.5, 1.0, 50))
