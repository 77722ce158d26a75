"""The laws of feature learning: what they say, on models that are not shipped, and against independent numbers."""

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.theory.asymptotics import EXP, RATIONAL
from scalinglaws.theory.feature_learning import (
    LEVEL,
    TAU,
    FeedbackLimited,
    WarpedLimited,
    WarpLimited,
    compute_limited,
    derive_bootstrap,
    derive_crossover,
    derive_feedback,
    derive_network,
    derive_prefactor,
    derive_warped,
    moments,
    noise,
    warp_constants,
)
from scalinglaws.theory.linear import ALPHA, BETA, C, N, TransientLimited, derive_compute

HARD, EASY, SUPER_EASY = (
    {"alpha": 2, "beta": Fraction(1, 2)},
    {"alpha": 2, "beta": Fraction(5, 4)},
    {"alpha": 2, "beta": 3},
)


def _law(name):
    return theory.law(f"feature_learning.{name}")


def _same(one, two):
    return sp.simplify(one - two) == 0


def _regime(law, name):
    (found,) = [entry for entry in law.regimes if entry.name == name]
    return found


# -- what the laws say --------------------------------------------------------------------------------------------------


def test_time_law():
    law = _law("time")
    assert _same(_regime(law, "hard").exponent, 2 * BETA / (1 + BETA))
    assert _same(_regime(law, "easy").exponent, BETA)
    assert _regime(law, "hard").condition == (BETA < 1)
    assert (law(beta=Fraction(1, 2)), law(beta=1), law(beta=2)) == (Fraction(2, 3), 1, 2)
    assert law.log_power(beta=1) == Fraction(-1, 2)
    for beta in (Fraction(1, 5), Fraction(1, 2), Fraction(9, 10), 1, Fraction(3, 2)):
        assert law(beta=beta) == beta * max(1, Fraction(2) / (1 + beta))


@pytest.mark.parametrize(
    ("name", "hard", "easy"),
    [
        ("transient", 2 * (BETA - 1 / ALPHA) / (1 + BETA), 1 - 1 / ALPHA),
        ("sgd_noise", 2 * (2 - 1 / ALPHA) / (1 + BETA), 2 - 1 / ALPHA),
        ("compute_lazy", ALPHA * BETA / (ALPHA + 1), ALPHA * BETA / (ALPHA * BETA + 1)),
        ("compute", 2 * ALPHA * BETA / (ALPHA * (1 + BETA) + 2), ALPHA * BETA / (ALPHA * BETA + 1)),
        (
            "compute_model",
            2 / (ALPHA * (1 + BETA) + 2),
            (ALPHA * (BETA - 1) + 1) / (ALPHA * BETA + 1),
        ),
        ("compute_time", ALPHA * (1 + BETA) / (ALPHA * (1 + BETA) + 2), ALPHA / (ALPHA * BETA + 1)),
        ("prefactor", 2 * BETA / (1 + BETA), BETA),
        ("linear_network", 2 * BETA / (1 + BETA), BETA),
    ],
)
def test_exponents_of_hard_and_easy_tasks(name, hard, easy):
    law = _law(name)
    assert _same(_regime(law, "hard").exponent, hard)
    assert _same(_regime(law, "easy").exponent, easy)


@pytest.mark.parametrize(
    ("names", "conditions"),
    [
        (("time", "linear_network"), {"alpha > 0", "beta > 0"}),
        (("prefactor",), {"alpha > 0", "beta > 0", "gamma > 0"}),
        (("bootstrap",), {"beta > 0", "beta < 1", "n > 0", "Eq(n, floor(n))"}),
        (("crossover",), {"beta > 0", "beta < 1"}),
        (
            (
                "model",
                "data",
                "transient",
                "compute",
                "compute_lazy",
                "compute_time",
                "compute_model",
            ),
            {"alpha > 1", "beta > 0"},
        ),
        (("sgd_noise",), {"alpha > 1/2", "beta > 0"}),
        (("circle",), {"q > 0", "q_y > 1/2"}),
    ],
)
def test_validity(names, conditions):
    for name in names:
        assert set(map(str, _law(name).validity)) == conditions


def test_words_follow_the_symbols():
    (line,) = [
        entry
        for entry in _law("time").derivation.steps
        if entry.relation.variable == TAU and str(entry.quantity) == "L"
    ]
    assert "(2*tau)**(1/alpha)" in line.reason


def test_super_easy_tasks_balance_noise_and_transient():
    for name, exponent in (
        ("compute", 1 - 1 / (2 * ALPHA)),
        ("compute_model", sp.S.Half),
        ("compute_time", sp.S.Half),
    ):
        law = _law(name)
        assert _same(_regime(law, "super-easy").exponent, exponent)
        assert [law.regime(**task) for task in (HARD, EASY, SUPER_EASY)] == [
            "hard",
            "easy",
            "super-easy",
        ]
        with pytest.raises(DomainError, match="alpha > 1"):
            law(alpha=Fraction(9, 10), beta=1)


def test_bottlenecks_that_do_not_know_of_feature_learning():
    model, data = _law("model"), _law("data")
    assert _same(model.expr, sp.Min(ALPHA, ALPHA * BETA))
    assert _same(data.expr, sp.Min(2 * ALPHA, ALPHA * BETA))
    assert model.expr == theory.law("linear.model").expr
    assert data.constant == theory.law("linear.data").constant
    assert (model(alpha=2, beta=3), model.published_value(alpha=2, beta=3)) == (2, 4)
    transient = _law("transient")
    assert transient.published_value(**EASY) == transient(**EASY)
    assert transient.published_value(**HARD) == Fraction(2, 3)
    assert transient(**HARD) == 0
    assert transient(alpha=Fraction(3, 2), beta=Fraction(1, 2)) == Fraction(-2, 9)  # it grows
    assert [_law(name).published for name in ("time", "data", "compute_lazy")] == [None] * 3


def test_noise_of_rich_hard_tasks_comes_with_a_warning():
    law = _law("sgd_noise")
    with pytest.warns(AccuracyWarning, match="beta < 1"):
        assert law(**HARD) == 2
    assert law(**EASY) == Fraction(3, 2)
    with pytest.warns(AccuracyWarning):
        law(alpha=2, beta=np.array([0.5, 2]))
    np.testing.assert_allclose(law(alpha=2, beta=np.array([1.5, 2])), 1.5)
    assert "Caution" in law.explain()


def test_circle():
    law = _law("circle")
    q, q_y = Fraction(3, 4), Fraction(1)
    alpha, beta = 2 * q, (2 * q_y - 1) / (2 * q)
    assert law(q=q, q_y=q_y) == _law("time")(alpha=alpha, beta=beta) == Fraction(4, 5)
    assert law.regime(q=1, q_y=2) == "easy"
    assert law.log_power(q=1, q_y=Fraction(3, 2)) == Fraction(-1, 2)
    with pytest.raises(DomainError, match="q_y > 1/2"):
        law(q=1, q_y=Fraction(1, 2))


def test_crossover():
    law = _law("crossover")
    assert _same(law.expr, 1 / (1 - BETA))
    assert law.growth
    with pytest.raises(DomainError, match="beta < 1"):
        law(beta=1)


# -- the bootstrap ------------------------------------------------------------------------------------------------------


@given(st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=12), st.integers(1, 12))
def test_levels_against_iteration(beta, count):
    chi = beta
    for _ in range(count):
        chi = beta * (2 - chi)
    assert _law("bootstrap")(beta=beta, n=count) == chi


def test_bootstrap_in_closed_form():
    law = _law("bootstrap")
    assert _same(law.expr, BETA * (2 + (BETA - 1) * (-BETA) ** LEVEL) / (1 + BETA))
    assert law(beta=Fraction(1, 2), n=60) == pytest.approx(2 / 3)
    with pytest.raises(DomainError, match="beta < 1"):
        law(beta=Fraction(3, 2), n=1)
    with pytest.raises(DomainError, match="floor"):
        law(beta=Fraction(1, 2), n=Fraction(3, 2))
    with pytest.raises(DomainError, match="does not grow"):
        derive_bootstrap(FeedbackLimited(power=0))
    with pytest.raises(DomainError, match="do not converge"):
        derive_bootstrap(FeedbackLimited(spectrum_exponent=2, signal_exponent=3))
    with pytest.raises(DomainError, match="single power law"):
        derive_bootstrap(FeedbackLimited(residual=RATIONAL(0, 2)))
    # three layers: each level overshoots twice as far
    assert derive_bootstrap(FeedbackLimited(power=2)).conditions[0] == sp.Lt(BETA, sp.S.Half)


# -- constants ----------------------------------------------------------------------------------------------------------


def test_moments_against_reference_values(reference):
    for beta, one, two in reference("feature_learning")["moments"]:
        assert [float(value) for value in warp_constants(beta)] == pytest.approx(
            [one, two], rel=3e-9
        )


@pytest.mark.parametrize("beta", [Fraction(1, 10), Fraction(2, 5), Fraction(9, 10)])
def test_moments_against_quadrature(beta):
    x = mpmath.mpf(beta.numerator) / beta.denominator
    nu = (1 - x) / 4

    def learned(z):
        return z / (1 - nu) * mpmath.hyp1f1(1, 2 - nu, -z)

    def whole(function, power):
        # in y = z^x up to z = 1, where the integrand is singular; beyond z = 1000 by the expansion of `beyond`
        near = mpmath.quad(
            lambda y: function(y ** (1 / x)) * y ** ((power + 1) / x - 1) / x, [0, 0.1, 0.5, 1]
        )
        return near + mpmath.quad(lambda z: z**power * function(z), [1, 3, 10, 30, 100, 300, end])

    def beyond(power, *terms):
        return mpmath.fsum(
            c * end ** (power + 1 - n) / (n - power - 1) for n, c in enumerate(terms)
        )

    # Phi = 1 + nu/z + nu(1 + nu)/z^2 + ...
    end = 1000
    one = whole(lambda z: learned(z) ** 2, x - 2) + beyond(
        x - 2, 1, 2 * nu, nu**2 + 2 * nu * (1 + nu)
    )
    two = whole(lambda z: (1 - learned(z)) ** 2, x - 1) + beyond(
        x - 1, 0, 0, nu**2, 2 * nu**2 * (1 + nu)
    )
    assert [float(value) for value in warp_constants(beta)] == pytest.approx(
        [float(one), float(two)], rel=1e-9
    )


def test_moments_to_any_digits_and_refusals():
    long = warp_constants(Fraction(1, 2), digits=40)
    with mpmath.workdps(60):
        for value, expr in zip(long, moments(sp.S.Half), strict=True):
            assert abs(value - mpmath.mpf(sp.N(expr, 60)._mpf_)) < mpmath.mpf(10) ** -38
    with pytest.raises(DomainError, match="between 0 and 1"):
        warp_constants(1)
    with pytest.raises(DomainError, match="digits"):
        warp_constants(0.5, digits=0)


def _flow(alpha, beta, gamma, decades, *, order=32, per_decade=60, per_efold=3):
    """March q' = lambda (h - q), s = 1/h^2 = 1 + gamma sum w^2 q^2 in warped time; return log t, log L, log s.

    Modes are exact up to `order` and merged beyond, in log k by Gauss-Legendre panels, with an atom for the rest.
    """
    last = (10.0**decades * 1e6) ** (1 / alpha)
    edges = np.linspace(
        np.log(order + 0.5), np.log(last), int(np.log(last / order) * per_efold / 8) + 2
    )
    x, w = np.polynomial.legendre.leggauss(8)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    k = np.exp((middle[:, None] + half[:, None] * x).ravel())
    k, count = (
        np.append(np.arange(1, order + 1), k),
        np.append(np.ones(order), (half[:, None] * w).ravel() * k),
    )
    lam, power = k**-alpha, count * k ** -(alpha * beta + 1)
    # all modes beyond the last as one
    rest = last ** (-alpha * beta) / (alpha * beta)
    lam, power = np.append(lam, lam[-1]), np.append(power, rest)
    weights = power / lam
    tau = np.append(0, np.logspace(-3, decades, int((decades + 3) * per_decade)))
    q, h, t, out = np.zeros_like(lam), 1.0, 0.0, []
    for step in np.diff(tau):
        z = lam * step
        safe = np.maximum(z, 1e-3)
        one = np.where(z > 1e-3, -np.expm1(-safe) / safe, 1 - z / 2 + z**2 / 6)
        two = np.where(z > 1e-3, (1 - one) / safe, 0.5 - z / 6 + z**2 / 24)
        start, gain = np.exp(-np.minimum(z, 700)) * q + z * (one - two) * h, z * two
        a, b, c = (gamma * np.sum(weights * part) for part in (start**2, start * gain, gain**2))
        new = h
        for _ in range(50):
            value = new**2 * (1 + a + 2 * b * new + c * new**2) - 1
            new -= value / (2 * new * (1 + a) + 6 * b * new**2 + 4 * c * new**3)
            if abs(value) < 1e-13:
                break
        t += step * (h**2 + h * new + new**2) / 3
        q, h = start + gain * new, new
        out.append((np.log(t), np.log(np.sum(power * (1 - q / h) ** 2)), -2 * np.log(h)))
    return np.array(out).T


@pytest.mark.parametrize("beta", [0.25, 0.5, 0.75, 1.25])
def test_loss_at_long_times_against_an_integration_of_the_flow(beta, reference):
    table = reference("feature_learning")["flow"]
    t, loss, kernel = _flow(table["alpha"], beta, table["gamma"], {0.25: 14, 0.5: 12}.get(beta, 10))
    rows = [row for row in table["rows"] if row[0] == beta]
    for _, time, expected, scale in rows:
        assert np.exp(np.interp(np.log(time), t, loss)) == pytest.approx(expected, rel=5e-3)
        assert np.exp(np.interp(np.log(time), t, kernel)) == pytest.approx(scale, rel=5e-3)
    law = _law("prefactor")
    far = float(np.exp(np.interp(np.log(1e8), t, loss)))
    deviation = far / law.asymptote(1e8, alpha=1.5, beta=beta, gamma=1) - 1
    correction = _regime(law, "easy" if beta > 1 else "hard").correction
    values = dict(zip(sp.symbols("alpha beta gamma", positive=True), (1.5, beta, 1), strict=True))
    size, fading = (float(part.subs(values)) for part in correction)
    assert abs(deviation) < 2 * size * 1e8**-fading + 1e-3  # discretization of the march
    assert abs(deviation) < (2e-2 if beta >= 0.75 else 1e-3)


def test_printed_ratios_to_the_asymptote(reference):
    table = reference("feature_learning")["flow"]
    law = _law("prefactor")
    known = {
        (0.25, 1e4): 0.99850,
        (0.25, 1e8): 0.99999,
        (0.5, 1e4): 0.98529,
        (0.5, 1e8): 0.99927,
        (0.75, 1e8): 0.98310,
    }
    for beta, t, loss, _ in table["rows"]:
        if (beta, t) in known:
            assert loss / law.asymptote(t, alpha=1.5, beta=beta, gamma=1) == pytest.approx(
                known[beta, t], abs=6e-6
            )
        elif beta > 1 and t == 1e8:
            assert loss / law.asymptote(t, alpha=1.5, beta=beta, gamma=1) == pytest.approx(
                1, abs=6e-3
            )
    with pytest.warns(AccuracyWarning, match="close to the boundary"):
        law.asymptote(100, alpha=1.5, beta=0.95, gamma=1)


def test_logarithm_on_the_boundary_against_an_integration_of_the_flow():
    """At beta = 1: s(s - 1) is linear in log tau with slope gamma/alpha, and L = 1/(2 alpha s t)."""
    alpha, gamma = 2.0, 1.0
    t, loss, kernel = _flow(alpha, 1.0, gamma, 80, per_decade=12)  # logarithms
    s, late = np.exp(kernel), t > 40
    slope, _ = np.polyfit(
        (t + kernel)[late], (s * (s - 1))[late], 1
    )  # tau is s t, up to smaller terms
    assert slope == pytest.approx(gamma / alpha, rel=1e-4)
    here = np.searchsorted(t, 60)  # later, rounding is larger than the loss
    assert 2 * alpha * s[here] * np.exp(loss[here] + t[here]) == pytest.approx(1, abs=5e-3)
    # so that L = sqrt(alpha/gamma)/(2 alpha) / (t sqrt(log t)); the rest fades as log(log t)/log(t)
    law = _law("prefactor")
    assert law.log_power(alpha=2, beta=1, gamma=1) == Fraction(-1, 2)
    leading = law.asymptote(np.exp([15.0, 30.0, 60.0]), alpha=2, beta=1, gamma=1)
    gaps = np.exp(np.interp([15, 30, 60], t, loss)) / leading - 1
    assert np.all(np.diff(np.abs(gaps)) < 0)
    assert abs(gaps[-1]) < 0.12


def test_crossover_against_doubling_times(reference):
    table = reference("feature_learning")["crossover"]
    gammas, times = np.array(table["rows"]).T
    powers = -np.diff(np.log(times)) / np.diff(np.log(gammas))
    assert powers[-1] == pytest.approx(float(_law("crossover")(beta=Fraction(1, 2))), abs=0.01)


# -- the compute optimum ------------------------------------------------------------------------------------------------


def _program(alpha, beta, f):
    """Return loss, model and time exponents from a linear program in log N and log t at log C = 1; all lengths of the optimum's range."""
    powers = np.array(  # of t and N
        [
            [-beta * f, 0],
            [0, -alpha * min(1, beta)],
            [-(min(1, beta) - 1 / alpha) * f, -1],
            [-(2 - 1 / alpha) * f, 0],
        ]
    )
    upper = np.column_stack([powers, -np.ones(4)])  # each term at most the loss
    found = linprog(
        [0, 0, 1],
        A_ub=upper,
        b_ub=np.zeros(4),
        A_eq=[[1, 1, 0]],
        b_eq=[1],
        bounds=[(0, None), (0, None), (None, None)],
    )
    assert found.success
    return -found.x[2], found.x[1], found.x[0]


def test_compute_laws_against_linear_programming():
    source = np.random.default_rng(7)
    points = [
        (round(source.uniform(1.05, 4), 3), round(source.uniform(0.05, 4), 3)) for _ in range(60)
    ]
    points += [(a, b) for a in (1.25, 2, 3.2) for b in (1, 2 - 1 / a)]
    seen = set()
    for alpha, beta in points:
        for name, rich in (("compute", True), ("compute_lazy", False)):
            f = 2 / (1 + beta) if rich and beta < 1 else 1
            loss, size, time = _program(alpha, beta, f)
            assert float(_law(name)(alpha=alpha, beta=beta)) == pytest.approx(loss, abs=1e-9)
            if rich:
                seen.add(_law(name).regime(alpha=alpha, beta=beta))
                assert float(_law("compute_model")(alpha=alpha, beta=beta)) == pytest.approx(
                    size, abs=1e-8
                )
                assert float(_law("compute_time")(alpha=alpha, beta=beta)) == pytest.approx(
                    time, abs=1e-8
                )
    assert seen >= {"hard", "easy", "super-easy", "hard | easy"}


def test_lazy_compute_law_is_that_of_the_linear_model():
    lazy, linear = _law("compute_lazy"), theory.law("linear.compute")
    names = {
        "hard": "Ia",
        "easy": "II",
        "super-easy": "III",
        "hard | easy": "Ia | II",
        "easy | super-easy": "II | III",
    }
    for task in (
        HARD,
        EASY,
        SUPER_EASY,
        {"alpha": 2, "beta": 1},
        {"alpha": 2, "beta": Fraction(3, 2)},
    ):
        assert lazy(**task) == linear(**task)
        assert lazy.log_power(**task) == linear.log_power(**task)
        assert names[lazy.regime(**task)] == linear.regime(**task)


@pytest.mark.parametrize("alpha", [1.5, 3.0])
def test_logarithm_of_the_compute_optimum_against_minimization(alpha):
    losses, powers = [], _law("compute").log_power(alpha=Fraction(alpha), beta=1)
    for budget in (400 * np.log(10), 800 * np.log(10)):

        def total(size, budget=budget):
            time, logs = budget - size, np.log(budget)
            warped = time + logs / 2  # tau = t sqrt(log t)
            terms = [
                -warped,
                logs - alpha * size,
                logs - size - (1 - 1 / alpha) * warped,
                -(2 - 1 / alpha) * warped,
            ]
            return np.logaddexp.reduce(terms)

        pieces = np.linspace(0, budget, 60)
        tries = (
            minimize_scalar(total, bounds=ends, method="bounded", options={"xatol": 1e-9}).fun
            for ends in pairwise(pieces)
        )
        losses.append(min(tries))
    measured = (
        losses[1] - losses[0] + float(_law("compute")(alpha=alpha, beta=1)) * 400 * np.log(10)
    ) / np.log(2)
    assert measured == pytest.approx(float(powers), abs=0.02)


@settings(max_examples=20)
@given(
    st.fractions(Fraction(11, 10), 4, max_denominator=12),
    st.fractions(Fraction(1, 10), 4, max_denominator=12),
)
def test_learning_features_never_hurts_and_budgets_are_spent(alpha, beta):
    task = {"alpha": alpha, "beta": beta}
    rich, lazy = _law("compute")(**task), _law("compute_lazy")(**task)
    assert rich > lazy if beta < 1 else rich == lazy
    assert rich <= 2 * lazy
    assert _law("compute_model")(**task) + _law("compute_time")(**task) == 1
    assert beta <= _law("time")(**task) < 2 * beta
    near = {"alpha": alpha + Fraction(1, 10**6), "beta": beta + Fraction(1, 10**6)}
    assert abs(float(_law("compute")(**near) - rich)) < 1e-5


# -- models that are not shipped ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "power"),
    [(Fraction(7, 4), Fraction(5, 4), 2), (Fraction(2), Fraction(5, 2), Fraction(1, 2))],
)
def test_feedback_of_another_power_against_an_integration(a, b, power):
    found = derive_feedback(
        FeedbackLimited(sp.Rational(b), sp.Rational(a), power=sp.sympify(power))
    )
    assert found.derivation.refused() is None
    x, m = float((a - 1) / b), float(power)
    tau = np.logspace(-6, 24, 30000)
    k = np.exp(np.linspace(0, np.log(1e30) / float(b), 400))
    lazy = np.array(
        [
            np.trapezoid(k ** (1 - float(a)) * np.exp(-2 * u * k ** -float(b)), np.log(k))
            for u in tau[::50]
        ]
    )
    lazy = np.exp(np.interp(np.log(tau), np.log(tau[::50]), np.log(lazy)))
    grown = (1 + (m + 1) * np.cumsum(lazy * np.gradient(tau))) ** (m / (m + 1))
    t = np.cumsum(np.gradient(tau) / grown)
    late = slice(-8000, -2000)
    slope = -np.polyfit(np.log(t[late]), np.log(lazy[late]), 1)[0]
    assert slope == pytest.approx(float(found.expr), abs=6e-3)
    assert float(found.expr) == pytest.approx(x * (1 + m) / (1 + m * x))


def test_a_filter_that_saturates_keeps_a_task_hard():
    found = derive_feedback(FeedbackLimited(residual=RATIONAL(0, sp.S.Half)))
    assert found.expr.subs(BETA, sp.Rational(1, 4)) == Fraction(2, 5)
    assert found.expr.subs(BETA, 3) == Fraction(2, 3)
    (line,) = [entry for entry in found.regimes if entry.on_boundary]
    assert (line.exponent, line.log_power) == (Fraction(2, 3), Fraction(2, 3))


def test_other_models():
    assert derive_feedback(FeedbackLimited(power=0)).expr == BETA
    assert (
        derive_feedback(FeedbackLimited(2, 2)).expr
        == derive_network(WarpLimited(2, 2)).expr
        == Fraction(2, 3)
    )
    on_line = derive_prefactor(WarpLimited(2, 3))
    assert (on_line.expr, on_line.regimes[0].log_power) == (1, Fraction(-1, 2))
    for model in (WarpLimited(2, 2), WarpLimited(2, 5), WarpLimited(2, 3)):
        assert derive_network(model).derivation.refused() is None
    assert derive_prefactor(WarpLimited(3, 7)).derivation.refused() is None
    assert on_line.derivation.refused() is None
    square = derive_network(
        WarpLimited(learned=1 * RATIONAL(2, 2))
    )  # another profile, the same exponents
    assert square.expr == _law("linear_network").expr
    assert derive_crossover(FeedbackLimited(2, 2, EXP, 3)).expr == 2
    with pytest.raises(DomainError, match="never below one"):
        derive_crossover(FeedbackLimited(2, 4))
    with pytest.raises(DomainError, match="power"):
        derive_feedback(FeedbackLimited(power=-1))
    slow = derive_warped(
        WarpedLimited(TransientLimited(2, 2), feedback=FeedbackLimited(2, 2, power=2))
    )
    assert slow.expr == 0
    assert _same(derive_warped(noise(FeedbackLimited(power=0))).expr, 2 - 1 / ALPHA)
    assert derive_warped(noise(FeedbackLimited(2, 2))).expr == 2
    three = derive_compute(compute_limited(2))
    assert _same(three.regimes[0].exponent, 3 * ALPHA * BETA / (ALPHA * (1 + 2 * BETA) + 3))
    assert _same(
        derive_compute(compute_limited(2), N).regimes[0].exponent
        + derive_compute(compute_limited(2), C / N).regimes[0].exponent,
        1,
    )
