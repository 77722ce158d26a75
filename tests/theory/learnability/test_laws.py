"""Laws of lazy learnability against sums and posteriors of this file's own, on models that are not shipped, and corrupted."""

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import zeta

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.asymptotics import EXP, RATIONAL
from scalinglaws.theory.learnability import (
    Crossover,
    ModeBound,
    RidgedSpectrum,
    derive_half,
    derive_learnability,
    derive_mode_bound,
)
from scalinglaws.theory.patterns._bound import NOISE, OUTPUT, EvidenceLimited

ALPHA, RHO, S, K = sp.symbols("alpha rho s k", positive=True)
MODES = np.arange(1, 400_001, dtype=float)


def learned(edge, b, power=1):
    """Sum (1 + (j/edge)^b)^-power over all j: the first modes one by one, the rest by two terms of its integral."""
    j, end = MODES, MODES[-1] + 0.5
    assert edge < end / 20
    found = float(np.sum((1 + (j / edge) ** b) ** -power))
    return found + sum(
        float(sp.binomial(-power, n))
        * edge ** (b * (power + n))
        * end ** (1 - b * (power + n))
        / (b * (power + n) - 1)
        for n in range(3)
    )


def effective_ridge(samples, ridge, b, power=1):
    """Solve kappa = ridge + kappa df/P."""

    def excess(log):
        kappa = math.exp(log)
        return 1 - ridge / kappa - learned((samples / kappa) ** (1 / b), b, power) / samples

    low = max(ridge, (samples / 15_000) * 15_000 ** (1 - b) / 15_000**0, samples * 15_000.0**-b)
    return math.exp(
        optimize.brentq(excess, math.log(low * (1 + 1e-12)), math.log(ridge + 30), xtol=1e-14)
    )


def asymptote(found, **values):
    """Return exponent, constant and correction of the regime at given numbers."""
    point = {
        name: sp.sympify(values[str(name)]) for name in (ALPHA, RHO, S, K) if str(name) in values
    }
    regime = next(entry for entry in found.regimes if bool(sp.sympify(entry.condition).subs(point)))
    correction = [float(part.subs(point)) for part in regime.correction]
    return (
        float(sp.sympify(regime.exponent).subs(point)),
        float(sp.N(regime.constant.subs(point))),
        correction,
    )


def corrupted(derivation, index, factor):
    steps = list(derivation.steps)
    value = factor * steps[index].value
    steps[index] = replace(steps[index], expr=sp.Eq(steps[index].quantity, value, evaluate=False))
    return replace(derivation, steps=tuple(steps))


# -- one mode -----------------------------------------------------------------------------------------------------------


def test_exponents_of_a_mode():
    law = theory.law("learnability.mode")
    assert law.expr == sp.Min(1 + ALPHA, 1 + RHO)
    assert (
        law(alpha=1, rho=0),
        law(alpha=1, rho=3),
        law(alpha=Fraction(1, 2), rho=Fraction(1, 4)),
    ) == (1, 2, Fraction(5, 4))
    assert [law.regime(alpha=1, rho=rho) for rho in (0, 1, 2)] == [
        "ridge",
        "crossover",
        "ridgeless",
    ]
    ridge, own, _ = (entry.constant for entry in law.regimes)
    b = 1 + ALPHA
    assert ridge == S * K**b
    assert sp.simplify(own - K**b * (sp.pi / b / sp.sin(sp.pi / b)) ** b) == 0
    for wrong in ({"alpha": 0, "rho": 0}, {"alpha": 1, "rho": -1}, {"alpha": 1}):
        with pytest.raises(DomainError):
            law(**wrong)


@pytest.mark.parametrize(
    ("alpha", "rho", "s"),
    [
        (1.0, 0.0, 0.05),
        (0.5, 0.0, 1.0),
        (2.0, 1.0, 0.3),
        (1.0, 2.0, 0.5),
        (2.0, 4.0, 1.0),
        (1.0, 1.0, 0.7),
        (0.5, 0.5, 3.0),
    ],
)
def test_what_is_left_of_a_mode_against_the_sum_over_modes(alpha, rho, s):
    found = derive_learnability(RidgedSpectrum())
    exponent, constant, (size, fades) = asymptote(found, alpha=alpha, rho=rho, s=s, k=3)
    sizes = np.array([300.0, 3_000.0])
    left = []
    for samples in sizes:
        kappa = effective_ridge(samples, s * samples**-rho, 1 + alpha)
        assert kappa == pytest.approx(
            s * samples**-rho
            + kappa * learned((samples / kappa) ** (1 / (1 + alpha)), 1 + alpha) / samples,
            rel=1e-10,
        )
        unlearned = kappa / (samples * 3 ** -(1 + alpha))
        left.append(unlearned)
    errors = np.array(left) / (constant * sizes**-exponent) - 1
    # what the leading term leaves out is what the law says it is, and the sum's distance from its integral, 1/(2 P)
    expected = size * sizes**-fades
    assert np.all(np.abs(errors - expected) < expected**2 + 3 / sizes)
    assert abs(errors[1]) < abs(errors[0]) + 1e-12


def test_the_law_of_a_mode_and_the_solver():
    """The same effective ridge by the package's own root finder, P times that of the linear model at the ridge over P."""
    from scalinglaws.solvers import PowerLawSpectrum, linear

    for samples, ridge in ((200.0, 0.05), (200.0, 1e-9)):
        solved = linear.ridge(
            PowerLawSpectrum(alpha=2, beta=1), samples=samples, ridge=ridge / samples
        )
        assert samples * float(solved.kappa) == pytest.approx(
            effective_ridge(samples, ridge, 2.0), rel=1e-9
        )


def test_the_reference_numbers_of_a_finite_spectrum():
    """The effective ridge of 400 modes, alpha = 1: what the 400 leave out is a part in a hundred."""
    law = theory.law("learnability.mode")
    for samples, ridge, kappa in ((20, 0.05, 0.199340601), (60, 0.05, 0.115446085)):
        # at any ridge: as its own strength at the crossover rho = alpha
        strength = ridge * samples
        leading = law.asymptote(samples, alpha=1, rho=1, s=strength, k=1) * samples
        # the sum is below its integral by 1/2, and lacks the modes beyond 400; kappa answers with 1/(1 - own share/2)
        lost = (0.5 + samples / kappa / 400.5) / samples / (1 - (1 - ridge / kappa) / 2)
        assert kappa / leading - 1 == pytest.approx(-lost, abs=lost**2)


@given(
    st.floats(1e-6, 1e6),
    st.floats(1e-2, 1e2),
    st.floats(0.05, 0.9),
)
def test_the_crossover_solves_its_equation(s, c, q):
    x = sp.N(Crossover(sp.Float(s, 30), sp.Float(c, 30), sp.Float(q, 30)), 25)
    with mpmath.workdps(40):
        value = mpmath.mpf(str(x))
        assert abs(value - mpmath.mpf(s) - mpmath.mpf(c) * value ** mpmath.mpf(q)) < 1e-14 * value
    assert float(x) >= max(s, c ** (1 / (1 - q))) * (1 - 1e-12)


def test_the_crossover_joins_both_regimes():
    half = sp.S.Half
    for s, c in ((3, 2), (sp.Rational(1, 10), 5)):  # x = s + c sqrt(x)
        root = ((c + sp.sqrt(c**2 + 4 * s)) / 2) ** 2
        assert abs(sp.N(Crossover(s, c, half) - root, 30)) < 1e-25
    assert float(Crossover(sp.Rational(1, 10**12), 2, half)) == pytest.approx(4, rel=1e-10)
    assert float(Crossover(10**12, 2, half)) == pytest.approx(1e12, rel=1e-5)


# -- half of a mode -----------------------------------------------------------------------------------------------------


def test_exponents_of_half_a_mode():
    law = theory.law("learnability.half")
    assert (
        law(alpha=1, rho=0),
        law(alpha=1, rho=2),
        law(alpha=1, rho=Fraction(1, 2)),
        law(alpha=2, rho=2),
    ) == (2, 1, Fraction(3, 2), 1)
    _, own, both = (entry.constant for entry in law.regimes)
    b = 1 + ALPHA
    assert sp.simplify(own - sp.pi / b / sp.sin(sp.pi / b)) == 0
    assert sp.simplify(both - own - S) == 0
    assert law.published_value(alpha=1, rho=2) == 2


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(9, 10)])
def test_samples_for_a_share_of_a_mode_against_the_sum_over_modes(alpha, share):
    found = derive_half(RidgedSpectrum(learnability=sp.Rational(share)))
    b, odds = 1 + alpha, float(1 / share - 1)
    form = found.forms["samples"].expr
    for mode, ridge in ((10, 0.05), (100, 0.05), (1000, 0.0), (1000, 0.2)):
        threshold = odds * mode**-b
        exact = ridge / threshold + learned(mode * odds ** (-1 / b), b)
        given = {ALPHA: alpha, K: mode, sp.Symbol("sigma2", positive=True): ridge}
        # the next pole of the sum over modes is at -(1 + alpha)
        assert float(form.subs(given)) == pytest.approx(exact, rel=2 * mode ** -(1 + b))
        kappa = threshold * exact
        assert exact * mode**-b / (kappa + exact * mode**-b) == pytest.approx(
            float(share), rel=1e-12
        )
    slope = math.log(learned(2000.0, b) / learned(1000.0, b), 2)
    assert slope == pytest.approx(float(found.expr.subs({ALPHA: alpha, RHO: alpha + 1})), abs=1e-3)


def test_the_crossover_between_ridge_and_modes():
    law = theory.law("learnability.half")
    values = {"alpha": 1, "sigma2": 0.05}
    place = {entry.name: entry.value for entry in law.evaluations(**values)}["crossover"]
    assert 0.05 * place**2 == pytest.approx(math.pi / 2 * place, rel=1e-12)


def test_half_of_the_tenth_mode_takes_twenty_samples():
    """Of 400 modes with alpha = 1 and a ridge of 0.05, mode 10 is learned to 0.500825609 by 20 samples."""
    found = {
        entry.name: entry.value
        for entry in theory.law("learnability.half").evaluations(alpha=1, k=10, sigma2=0.05)
    }
    missing = 100 / 400.5  # modes beyond 400
    assert found["samples"] - missing == pytest.approx(20, rel=5e-3)


# -- the bound ----------------------------------------------------------------------------------------------------------


def test_exponent_and_constant_of_the_bound():
    law = theory.law("learnability.bound")
    assert law.expr == 1 + ALPHA
    assert law.standing == "exact"
    found = {e.name: e.value for e in law.evaluations(alpha=1, a=1, sigma2=0.05, y2=1, k=10)}
    assert found["bound"] == pytest.approx(0.05 * 100 / (math.pi**2 / 6 + 1), rel=1e-12)
    assert found["ratio"] == pytest.approx(found["half"] / found["bound"], rel=1e-12)
    # weak at a small ridge, and by how much: 27 times at a fiftieth of it
    small = {e.name: e.value for e in law.evaluations(alpha=1, a=1, sigma2=0.001, y2=1, k=10)}
    assert small["ratio"] > 25 * found["ratio"]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_bound_is_below_what_the_exact_cost_gives(alpha):
    law = theory.law("learnability.bound")
    shares = []
    for mode in (1, 3, 10, 100, 1000):
        cost = -stats.norm.logsf(0.7 * mode ** ((1 + alpha) / 2))
        exact = 2 * 0.3 * cost / (zeta(1 + alpha) + 2.0)
        found = {
            e.name: e.value for e in law.evaluations(alpha=alpha, a=0.7, sigma2=0.3, y2=2, k=mode)
        }
        shares.append(found["bound"] / exact)
    assert all(share < 1 for share in shares)
    assert np.all(np.diff(shares) > 0)
    assert shares[-1] > 0.99


def test_no_data_set_breaks_the_bound():
    """Posterior probabilities of alignment, exactly, on random data sets and on data chosen to teach the mode."""
    rng = np.random.default_rng(5)
    eigenvalues = np.arange(1, 41.0) ** -2
    a, ridge = 0.5, 0.3
    for case in range(60):
        mode, samples = int(rng.integers(3, 30)), int(rng.integers(1, 30))
        features = rng.standard_normal((samples, 40))
        if case % 2:  # large inputs along the mode
            features[:, mode] *= 3
        y = features[:, mode] * (1 if case % 3 else 4)
        gram = (features * eigenvalues) @ features.T
        inverse = np.linalg.inv(gram + ridge * np.eye(samples))
        overlap = eigenvalues[mode] * features[:, mode]
        mean = overlap @ inverse @ y
        variance = eigenvalues[mode] - overlap @ inverse @ overlap
        exact = stats.norm.logsf((a - mean) / math.sqrt(variance))
        cost = a**2 / (2 * eigenvalues[mode])
        assert exact <= -cost + (np.trace(gram) + y @ y) / (2 * ridge)


def test_other_losses_have_other_bounds():
    quartic = EvidenceLimited((OUTPUT - sp.Symbol("y", real=True)) ** 2 / (2 * NOISE) + OUTPUT**4)
    found = derive_mode_bound(ModeBound(2, 1, likelihood=quartic))
    plain = derive_mode_bound(ModeBound(2, 1))
    point = {sp.Symbol("sigma2", positive=True): 1, sp.Symbol("y2", positive=True): 1}
    # (K + y^2)/2 + 3 K^2 with K = pi^2/6
    mean = (math.pi**2 / 6 + 1) / 2 + 3 * (math.pi**2 / 6) ** 2
    assert float(found.constant.subs(point)) == pytest.approx(0.5 / mean, rel=1e-12)
    assert float(plain.constant.subs(point)) > float(found.constant.subs(point))


# -- models that are not shipped, and corrupted steps -------------------------------------------------------------------


def test_a_kernel_of_given_smoothness():
    theta, d = sp.symbols("theta d", positive=True)
    box = {theta: (1, 3), d: (1, 4), RHO: (0, 4)}
    model = RidgedSpectrum(1 + theta / d, 0, box=box)
    assert sp.simplify(derive_half(model).expr.subs({theta: 2, d: 4})) == Fraction(3, 2)
    assert derive_learnability(replace(model, fading=RHO)).derivation.refused() is None
    assert derive_mode_bound(ModeBound(1 + theta / d, 1, box=box)).expr == 1 + theta / d


def test_features_that_are_learned_otherwise():
    """A share 1/(1 + x)^2: the constant of the effective ridge is that of its own sum."""
    b, samples = 2.5, 4000.0
    found = derive_learnability(RidgedSpectrum(sp.Rational(5, 2), 9, occupation=RATIONAL(0, 2)))
    constant = float(found.constant.subs({K: 1, S: 1}))
    kappa = effective_ridge(samples, 0.0, b, power=2)
    assert kappa / (constant * samples ** (1 - b)) == pytest.approx(1, rel=3 / samples)
    assert found.derivation.refused() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: RidgedSpectrum(1),
        lambda: RidgedSpectrum(fading=-1),
        lambda: RidgedSpectrum(fading=ALPHA - 1),
        lambda: RidgedSpectrum(learnability=1),
        lambda: RidgedSpectrum(learnability=0),
        lambda: RidgedSpectrum(occupation="ridge"),
        lambda: RidgedSpectrum(sp.Symbol("q", positive=True)),
        lambda: derive_learnability(ModeBound()),
        lambda: derive_half(3),
        lambda: derive_half(RidgedSpectrum(2, 0, occupation=EXP.compose(-1))),
        lambda: ModeBound(sp.Rational(1, 2)),
        lambda: ModeBound(alignment=-1),
        lambda: ModeBound(likelihood=2),
        lambda: derive_mode_bound(RidgedSpectrum()),
    ],
)
def test_refusals(make):
    with pytest.raises(DomainError):
        make()


@pytest.mark.parametrize(
    "found",
    [
        derive_learnability(RidgedSpectrum(sp.Rational(5, 2), 3, strength=2)),
        derive_learnability(RidgedSpectrum(2, 1)),
        derive_half(RidgedSpectrum(learnability=sp.Rational(3, 4))),
        derive_mode_bound(ModeBound(3, sp.Rational(1, 2))),
    ],
)
def test_every_corrupted_step_of_other_models_is_refused(found):
    derivation = found.derivation
    assert derivation.refused() is None
    accepted = [
        index
        for index in range(len(derivation.steps))
        if corrupted(derivation, index, sp.Rational(11, 10)).refused(start=index) is None
    ]
    assert accepted == []
