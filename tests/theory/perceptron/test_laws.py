"""Laws of the fixed-norm perceptron, against printed values, identities, and the saddle point solved here by itself.

`saddle_point` solves the replica equations of the logistic loss at finite alpha and norm, by the margin; `master_curve` those of the
limit, by fields, with the proximal map found by bisection. Neither uses a line of the package.
"""

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.optimize import brentq, root
from scipy.special import erfc, erfcx

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.perceptron import (
    EXPONENTIAL,
    HINGE,
    LOGISTIC,
    MARGIN,
    SQUARED_HINGE,
    FixedNorm,
    NormLimited,
    Posterior,
    derive_amplitude,
    derive_bayes,
    derive_best_norm,
    derive_combined,
    derive_early,
    derive_elbow,
    derive_hebb,
    derive_norm,
    derive_slope,
    derive_stability,
    first_correction,
    master_optimum,
    squared_force,
    stability_equation,
)

NAMES = tuple(name for name in theory.laws() if name.startswith("perceptron."))
ALGEBRAIC = 1 / (1 + MARGIN)  # a force that falls as u^-2
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


@pytest.fixture(scope="module")
def table(reference):
    return reference("perceptron_theory")


@pytest.fixture(scope="module")
def printed(table):
    def near(name):
        value, tolerance = table["constants"][name]
        return pytest.approx(value, rel=tolerance)

    return near


def _panels(edges):
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return (middle[:, None] + half[:, None] * NODES).ravel(), (half[:, None] * WEIGHTS).ravel()


def saddle_point(alpha, norm, force=None, curvature=None):
    """Solve R = alpha sqrt(2/pi) E_1, 1 - R^2 = alpha E_2 for a loss given by -V' and V''; logistic by default."""
    force = force or (lambda v: 2 / (1 + np.exp(2 * v)))
    curvature = curvature or (lambda v: 1 / np.cosh(v) ** 2)
    v, w = _panels(np.concatenate([[0.0], np.geomspace(1e-7 * min(1, norm), 60, 240)]))
    v, w = np.concatenate([-v, v]), np.concatenate([w, w])
    g, h = force(v), curvature(v)

    def equations(at):
        tau, chi = np.exp(at)
        s = 1 / np.sqrt(1 + tau**2)
        field, jacobian = v / norm - chi * norm * g, 1 / norm + chi * norm * h
        with np.errstate(under="ignore", over="ignore"):
            gauss = np.exp(-(field**2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
            skew = np.exp(-(field**2) / 2) * erfc(-tau * field / np.sqrt(2)) / np.sqrt(2 * np.pi)
            first = np.sum(w * gauss * chi * norm * g * jacobian)
            second = np.sum(w * skew * (chi * norm * g) ** 2 * jacobian)
        return [
            np.log(alpha * np.sqrt(2 / np.pi) * first / (tau * s)),
            np.log(alpha * second / s**2),
        ]

    tau = np.sqrt(2 * alpha / np.pi * (1 + 3.244 * norm))
    tau = min(tau, 0.764 * alpha + np.sqrt(0.637 * alpha))
    overlap = tau / np.sqrt(1 + tau**2)
    start = [np.log(tau), np.log(overlap / (alpha * np.sqrt(2 / np.pi) * norm))]
    found = root(equations, start, tol=1e-14)
    assert np.max(np.abs(found.fun)) < 1e-13
    return np.arctan(np.exp(-found.x[0])) / np.pi


def slope(alpha, norm):
    """Return -d ln(error)/d ln(norm), by a central difference of fourth order."""
    h = 0.02
    logs = [np.log(saddle_point(alpha, norm * np.exp(k * h))) for k in (-2, -1, 1, 2)]
    return -(logs[0] - 8 * logs[1] + 8 * logs[2] - logs[3]) / (12 * h)


def master_curve(b):
    """Return alpha times the error, times sqrt(2 pi), by fields: eta = c (1 - tanh b (u + eta)) by bisection at each."""
    far = np.geomspace(12, 12 + 25 / b, 80)
    u, w = _panels(np.concatenate([np.linspace(-12, 12, 80), far[1:]]))
    phi = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    cdf = erfc(-u / np.sqrt(2)) / 2

    def integrals(c):
        low, high = np.zeros_like(u), np.full_like(u, 2 * c)
        for _ in range(60):
            eta = (low + high) / 2
            short = eta < c * (1 - np.tanh(b * (u + eta)))
            low, high = np.where(short, eta, low), np.where(short, high, eta)
        # 1 - tanh without cancellation
        with np.errstate(over="ignore"):
            eta = c * 2 / (1 + np.exp(2 * b * (u + eta)))
        return np.sum(w * phi * eta), np.sum(w * cdf * eta**2)

    def unequal(log_c):
        first, second = integrals(np.exp(log_c))
        return np.log(first / second)

    first, _ = integrals(np.exp(brentq(unequal, -5, 8, xtol=1e-15, rtol=1e-15)))
    return 1 / first


# -- the catalogue ------------------------------------------------------------------------------------------------------


def test_the_laws_are_those_of_the_theory():
    wanted = "gamma1 gamma2 combined early_amplitude elbow hebb max_stability bayes finite_alpha_slope composite"
    assert sorted(NAMES) == sorted(f"perceptron.{name}" for name in wanted.split())


def test_exponents_in_both_conventions():
    gamma1, gamma2 = theory.law("perceptron.gamma1"), theory.law("perceptron.gamma2")
    for name, first, second in (("norm", "1/2", "1"), ("squared", "1/4", "2")):
        one, two = gamma1.in_notation(name), gamma2.in_notation(name)
        assert (one(), two()) == (sp.Rational(first), sp.Rational(second))
        assert one() * two() == sp.Rational(1, 2)
        # k_1 k_2^(-gamma_1) and every error stay as they are
        product = float(one.constant * two.constant ** -one())
        assert product == pytest.approx(
            float(gamma1.constant * gamma2.constant ** -gamma1()), rel=1e-12
        )
        assert theory.law("perceptron.combined").in_notation(name)() == sp.Rational(1, 2)
        assert theory.law("perceptron.elbow").in_notation(name)() == two()
        # and back again
        assert gamma1.in_notation("squared").in_notation(name) is one
        assert gamma1.in_notation("norm") is gamma1
    assert gamma1.in_notation("norm").derivation.steps == gamma1.derivation.steps
    with pytest.raises(DomainError, match="unknown notation of perceptron.gamma1 'cubed'"):
        gamma1.in_notation("cubed")
    with pytest.raises(DomainError, match="not about capacity and source"):
        theory.law("perceptron.hebb").in_notation("bordelon")


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("gamma1", "squared"),
        ("early_amplitude", "squared"),
        ("gamma2", "squared"),
        ("elbow", "squared"),
        ("finite_alpha_slope", "squared"),
        ("combined", "absolute"),
    ],
)
def test_every_step_holds_in_the_other_convention(name, convention):
    law = theory.law(f"perceptron.{name}").in_notation(convention)
    assert law.derivation.refused(seed=3) is None


def test_relative_and_absolute_error():
    combined = theory.law("perceptron.combined")
    relative, absolute = (combined.in_notation(name) for name in ("relative", "absolute"))
    gamma0 = theory.law("perceptron.hebb")()
    assert (relative(), absolute()) == (sp.Rational(1, 2), 1)
    assert absolute() == gamma0 + relative()
    assert absolute.constant / relative.constant == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-13)
    for law in (relative, absolute):
        assert law.forms["relative_exponent"].expr == relative()
        assert law.forms["absolute_exponent"].expr == absolute()
    assert absolute.published_value() == sp.Rational(1, 2)
    assert "gamma_0" in absolute.published.reason


def test_the_empirical_law_says_which_error_it_is_about():
    law = theory.law("empirical.perceptron")
    assert "relative error" in law.statement
    assert "relative error" in law.quantity
    given = {"gamma_1": 0.6, "gamma_2": 0.5}
    assert law.evaluate("relative_exponent", **given) == pytest.approx(0.3)
    assert law.evaluate("absolute_exponent", gamma_0=0.25, **given) == pytest.approx(0.55)
    text = law.explain()
    assert "relative_exponent" in text
    assert "absolute_exponent" in text


# -- the early power law ------------------------------------------------------------------------------------------------


def _mean_squared_force(model, norm):
    """Return E_z[V'(norm |z|)^2]/V'(0)^2 by quadrature of 25 digits."""
    force = sp.lambdify(MARGIN, model.force, "mpmath")
    with mpmath.workdps(25):
        edges = [0, *(mpmath.mpf(k) / norm for k in (1, 2, 4, 8, 16, 32, 100)), 1, 10]
        return mpmath.quad(
            lambda z: mpmath.sqrt(2 / mpmath.pi) * mpmath.exp(-(z**2) / 2) * force(norm * z) ** 2,
            sorted(mpmath.mpf(edge) for edge in edges if edge <= 10),
        )


def test_k1_three_ways(printed):
    law = theory.law("perceptron.gamma1")
    assert float(law.constant) == printed("k1")
    assert law.constant**2 == sp.sqrt(2 / sp.pi) * (2 * sp.log(2) - 1)
    assert theory.law("perceptron.early_amplitude").constant == law.constant
    assert float(law.forms["lower_end"].expr) == printed("lower_end")
    norm = mpmath.mpf(10) ** 6
    direct = mpmath.sqrt(_mean_squared_force(FixedNorm(), norm) * norm)
    assert float(direct) == pytest.approx(float(law.constant), rel=1e-11)
    # and from the saddle point at 1 << lambda << alpha, with both corrections
    alpha, size = 1e8, 300.0
    error = saddle_point(alpha, size) * np.sqrt(2 * np.pi * alpha) * np.sqrt(size)
    assert error == pytest.approx(float(law.constant), rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        EXPONENTIAL,
        HINGE,
        SQUARED_HINGE,
        ALGEBRAIC,
        sp.log(1 + sp.exp(-MARGIN / 3)),
        sp.sqrt(1 + MARGIN**2) - MARGIN,
    ],
)
def test_any_decreasing_convex_loss_has_its_own_amplitude(loss, printed):
    model = FixedNorm(loss)
    found = derive_early(model)
    assert found.expr == sp.Rational(1, 2)
    assert float(found.constant) ** 2 == pytest.approx(
        float(sp.sqrt(2 / sp.pi) * squared_force(model)), rel=1e-14
    )
    norm = mpmath.mpf(10) ** 5
    measured = float(mpmath.sqrt(_mean_squared_force(model, norm) * norm))
    assert measured == pytest.approx(float(found.constant), rel=3e-5)
    if loss == EXPONENTIAL:
        assert float(found.constant) == printed("k1_exponential")
        assert squared_force(model) == sp.Rational(1, 2)
    if not loss.has(sp.Piecewise):
        assert found.derivation.refused(seed=2) is None


@pytest.mark.parametrize("power", [sp.Rational(1, 8), sp.Rational(1, 4), sp.Rational(2, 5)])
def test_losses_without_bound_fall_slower(power):
    model = FixedNorm(-((1 + MARGIN) ** (1 - power)))
    found = derive_early(model)
    assert found.expr == power
    assert derive_early(FixedNorm(model.loss, "squared")).expr == power / 2
    # the next term is smaller by lambda^(2 power - 1)
    values = [
        float(_mean_squared_force(model, norm))
        for norm in (mpmath.mpf(10) ** 9, mpmath.mpf(10) ** 10)
    ]
    assert -np.log10(values[1] / values[0]) / 2 == pytest.approx(float(power), abs=0.01)


def test_where_both_meet_there_is_the_root_of_a_logarithm():
    found = derive_early(FixedNorm(-sp.sqrt(1 + MARGIN)))
    (regime,) = found.regimes
    assert (regime.exponent, regime.log_power) == (sp.Rational(1, 2), sp.Rational(1, 2))
    assert found.derivation.refused() is None
    # E[1/(1 + lambda |z|)] = sqrt(2/pi) (log(lambda) + constant)/lambda
    ten = [
        float(_mean_squared_force(FixedNorm(-sp.sqrt(1 + MARGIN)), norm) * norm)
        for norm in (mpmath.mpf(10) ** 6, mpmath.mpf(10) ** 7)
    ]
    assert ten[1] - ten[0] == pytest.approx(float(regime.constant**2 * sp.log(10)), rel=1e-4)


def test_a_family_of_losses_has_all_three_regimes():
    a = sp.Symbol("a", positive=True)
    model = FixedNorm(
        (1 + MARGIN) ** (1 - a) / (a - 1), box={a: (sp.Rational(1, 5), sp.Rational(9, 10))}
    )
    found = derive_early(model)
    assert [regime.exponent for regime in found.regimes] == [
        sp.Rational(1, 2),
        a,
        sp.Rational(1, 2),
    ]
    assert found.expr.subs(a, sp.Rational(3, 4)) == sp.Rational(1, 2)
    assert found.expr.subs(a, sp.Rational(1, 4)) == sp.Rational(1, 4)
    assert found.derivation.refused() is None


# -- its correction, and the steepest slope -----------------------------------------------------------------------------


def test_m1_three_ways(printed):
    law = theory.law("perceptron.early_amplitude")
    correction = law.forms["correction"].expr
    assert float(correction) == printed("m1")
    assert sp.simplify(correction - sp.sqrt(sp.pi / 8) * (3 - 2 / (3 * (2 * sp.log(2) - 1)))) == 0
    # the relative distance of the master curve from the power law, extrapolated to small b
    kappa = 2 * np.log(2) - 1
    found = []
    for b in (0.02, 0.04):
        a = master_curve(b)
        ratio = np.sqrt(2 / np.pi) * b / a
        found.append((a * np.sqrt(ratio / (np.sqrt(2 / np.pi) * kappa)) - 1) / ratio)
    assert (4 * found[0] - found[1]) / 3 == pytest.approx(float(correction), rel=2e-4)


def test_the_correction_of_other_losses():
    for loss, force, curvature in (
        (EXPONENTIAL, lambda v: np.exp(-v), lambda v: np.exp(-v)),
        (SQUARED_HINGE, lambda v: np.maximum(0, 1 - v), lambda v: 1.0 * (v < 1)),
    ):
        model = FixedNorm(loss)
        early, m1 = derive_early(model), float(first_correction(model))
        alpha, low, high = 1e6, 1e3, 4e3
        with np.errstate(over="ignore", invalid="ignore"):
            errors = [
                saddle_point(alpha, norm, force, curvature)
                * np.sqrt(2 * np.pi * alpha * norm)
                / float(early.constant)
                - 1
                for norm in (low, high)
            ]
        assert (errors[1] - errors[0]) / ((high - low) / alpha) == pytest.approx(m1, rel=0.02)
    # squares: 3 - 2, whatever the quadrature
    assert first_correction(FixedNorm(SQUARED_HINGE)) == sp.sqrt(sp.pi / 8)
    assert first_correction(FixedNorm(HINGE)).is_negative


def test_the_steepest_slope_three_ways(table, printed):
    law = theory.law("perceptron.finite_alpha_slope")
    assert law() == sp.Rational(2, 3)
    assert float(law.constant) == printed("slope")
    place = law.evaluate("location", alpha=1.0)
    assert place == printed("location")
    # identities: lambda*^3 = kappa_2 alpha/(kappa_0 m_1), and 3/2 of the correction there
    kappa2, m1 = law.forms["second_moment"].expr, first_correction(FixedNorm())
    assert place**3 == pytest.approx(float(kappa2 / (squared_force(FixedNorm()) * m1)), rel=1e-13)
    assert float(law.constant) == pytest.approx(1.5 * float(m1) * place, rel=1e-13)
    missing = []
    for alpha, steepest in table["steepest"]:
        around = law.evaluate("location", alpha=alpha) * np.exp(np.linspace(-0.6, 0.6, 13))
        found = [slope(alpha, norm) for norm in around]
        k = int(np.argmax(found))
        # a parabola through the largest three
        best = found[k] + (found[k + 1] - found[k - 1]) ** 2 / (
            8 * (2 * found[k] - found[k - 1] - found[k + 1])
        )
        assert best == pytest.approx(steepest, abs=1.2e-5)
        missing.append((0.5 - best) / law.asymptote(alpha))
    assert np.all(np.diff(np.abs(np.array(missing) - 1)) < 0)
    assert missing[-1] == pytest.approx(1, abs=0.01)
    assert float(law.in_notation("squared").constant) == pytest.approx(
        float(law.constant) / 2, rel=1e-14
    )


def test_losses_without_a_steepest_slope_are_refused():
    with pytest.raises(DomainError, match="from above"):
        derive_slope(FixedNorm(HINGE))
    with pytest.raises(DomainError, match=r"u\^2 g"):
        derive_slope(FixedNorm(-((1 + MARGIN) ** sp.Rational(1, 4))))
    with pytest.raises(DomainError, match="can be integrated"):
        derive_amplitude(FixedNorm(-sp.sqrt(1 + MARGIN)))
    assert derive_slope(FixedNorm(EXPONENTIAL)).derivation.refused() is None


# -- the best norm ------------------------------------------------------------------------------------------------------


def test_the_test_s_own_saddle_point_agrees_with_printed_errors(table):
    for alpha, norm, error in table["saddle_points"]:
        assert saddle_point(alpha, norm) == pytest.approx(error, rel=1e-11)


def _best(function, start, width):
    """Find a minimum as the root of a derivative, by differences of fourth order in the logarithm."""

    def derivative(log):
        h = 0.01
        values = [function(np.exp(log + k * h)) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / values[1]

    return float(
        np.exp(brentq(derivative, np.log(start) - width, np.log(start) + width, xtol=1e-13))
    )


def test_k2_three_ways(table, printed):
    found = master_optimum(FixedNorm())
    law = theory.law("perceptron.gamma2")
    k2 = float(law.constant)
    assert k2 == printed("k2")
    assert float(found.width) == printed("width")
    # the definition of b and a
    assert k2 == pytest.approx(
        np.sqrt(2 / np.pi) * float(found.width) / float(found.amplitude), rel=1e-13
    )
    # by fields instead of margins; differences of fourth order bound what can be said of b
    b = _best(master_curve, 1.2, 0.2)
    assert b == pytest.approx(float(found.width), rel=3e-9)
    assert master_curve(float(found.width)) == pytest.approx(float(found.amplitude), rel=1e-13)
    # at finite alpha, where lambda_opt = k_2 alpha + 0.631/alpha
    offsets = [alpha * (best - k2 * alpha) for alpha, best in table["best_norms"]]
    assert offsets == pytest.approx([0.6314, 0.6314], abs=2e-3)
    # a value that has been printed is wrong in the eighth digit: it contradicts the same table
    before = table["printed_before"]["k2"]
    alpha, best = table["best_norms"][1]
    assert abs(k2 / before - 1) > 8e-9
    assert abs(alpha * (best - before * alpha) - 0.6314) > 7e-3


def test_the_best_norm_of_the_saddle_point_itself(table):
    for alpha, best in table["best_norms"]:
        found = _best(lambda norm, alpha=alpha: saddle_point(alpha, norm), best, 0.1)
        assert found == pytest.approx(best, rel=1e-7)
        assert theory.law("perceptron.gamma2").asymptote(alpha) == pytest.approx(
            best, rel=1 / alpha**2
        )


def test_the_least_error_three_ways(printed):
    combined = theory.law("perceptron.combined")
    assert float(combined.constant) == printed("relative_error")
    forms = {name: form.expr for name, form in combined.forms.items()}
    assert combined.evaluate("error", alpha=1.0) == printed("error")
    assert float(forms["published_amplitude"]) == printed("published_amplitude")
    assert float(forms["overshoot"]) == printed("overshoot")
    # overshoot^2 = a b/kappa_0
    found = master_optimum(FixedNorm())
    assert float(forms["overshoot"]) ** 2 == pytest.approx(
        float(found.amplitude * found.width / squared_force(FixedNorm())), rel=1e-12
    )
    alpha = 1e4
    direct = saddle_point(alpha, float(theory.law("perceptron.gamma2").asymptote(alpha)))
    assert direct == pytest.approx(combined.evaluate("error", alpha=alpha), rel=3e-8)
    zero = theory.law("perceptron.hebb").evaluate("error", alpha=alpha)
    assert direct / zero == pytest.approx(
        combined.evaluate("relative_error", alpha=alpha), rel=1e-4
    )


def test_the_elbow_three_ways(printed):
    law, combined = theory.law("perceptron.elbow"), theory.law("perceptron.combined")
    assert float(law.constant) == printed("elbow")
    early, best = theory.law("perceptron.gamma1"), theory.law("perceptron.gamma2")
    assert float(law.constant) == pytest.approx(
        float(best.constant) / float(combined.forms["overshoot"].expr) ** 2, rel=1e-12
    )
    alpha = 1e4
    least = saddle_point(alpha, float(best.asymptote(alpha)))
    assert early.evaluate(
        "error", alpha=alpha, **{"lambda": law.asymptote(alpha)}
    ) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("loss", [EXPONENTIAL, sp.log(1 + sp.exp(-MARGIN / 3))])
def test_other_smooth_losses_have_a_best_norm(loss):
    model = FixedNorm(loss)
    assert derive_best_norm(model).expr == 1
    assert derive_elbow(model).derivation.refused() is None
    assert derive_combined(model).expr == sp.Rational(1, 2)
    alpha, best = 1e3, master_optimum(model)
    if loss == EXPONENTIAL:
        with np.errstate(over="ignore", invalid="ignore"):
            error = saddle_point(
                alpha, float(best.norm) * alpha, lambda v: np.exp(-v), lambda v: np.exp(-v)
            )
        assert alpha * error == pytest.approx(float(best.error), rel=3e-6)
        # between what no rule can beat and the logistic loss
        assert 0.4417000436 < float(best.error) < float(master_optimum(FixedNorm()).error)
    else:  # the logistic loss of a margin six times as long
        assert float(best.norm) == pytest.approx(
            6 * float(master_optimum(FixedNorm()).norm), rel=1e-11
        )
        assert float(best.error) == pytest.approx(
            float(master_optimum(FixedNorm()).error), rel=1e-12
        )


def test_losses_without_a_best_norm_are_refused():
    with pytest.raises(DomainError, match="smooth at all margins"):
        derive_best_norm(FixedNorm(SQUARED_HINGE))
    with pytest.raises(DomainError, match="convex at all margins"):
        derive_best_norm(FixedNorm(ALGEBRAIC))


@pytest.mark.slow
def test_the_master_optimum_to_thirteen_digits():
    """By margins with 30-digit arithmetic, and derivatives by differences of high order."""
    found = master_optimum(FixedNorm())
    with mpmath.workdps(30):

        def integrals(b, c):
            def density(v, power):
                g, slope = 2 / (1 + mpmath.exp(2 * v)), -1 / mpmath.cosh(v) ** 2
                u = v / b - c * g
                weight = mpmath.npdf(u) if power == 1 else mpmath.erfc(-u / mpmath.sqrt(2)) / 2
                return weight * (c * g) ** power * (1 / b - c * slope)

            edges = [-25, -15, *range(-10, 11), 15, 25, 40]
            return [mpmath.quad(lambda v, k=k: density(v, k), edges) for k in (1, 2)]

        def level(log_b):
            b = mpmath.exp(log_b)

            def unequal(log_c):
                first, second = integrals(b, mpmath.exp(log_c))
                return mpmath.log(first / second)

            log_c = mpmath.findroot(unequal, (mpmath.log(3.4), mpmath.log(3.5)), tol=1e-50)
            return -mpmath.log(integrals(b, mpmath.exp(log_c))[0])

        h, start = mpmath.mpf(1) / 10**6, mpmath.log(mpmath.mpf(str(found.width)))
        here, up, down = level(start), level(start + h), level(start - h)
        # Newton's step from the minimum is nothing
        assert abs((up - down) / 2 * h / (up - 2 * here + down)) < mpmath.mpf(10) ** -11
        assert abs(mpmath.exp(here) / mpmath.mpf(str(found.amplitude)) - 1) < mpmath.mpf(10) ** -13


# -- other rules --------------------------------------------------------------------------------------------------------


def test_hebb_three_ways():
    law = theory.law("perceptron.hebb")
    assert law() == sp.Rational(1, 2)
    assert law.constant == 1 / sp.sqrt(2 * sp.pi)
    for loss in (EXPONENTIAL, HINGE, ALGEBRAIC):
        assert derive_hebb(FixedNorm(loss)).forms["error"].expr == law.forms["error"].expr
    for alpha in (0.5, 8, 1e4):
        # cos(pi error) = R = 1/sqrt(1 + pi/(2 alpha))
        exact = law.evaluate("error", alpha=alpha)
        assert np.cos(np.pi * exact) == pytest.approx((1 + np.pi / (2 * alpha)) ** -0.5, rel=1e-14)
        assert saddle_point(alpha, 1e-6) == pytest.approx(exact, rel=1e-5)
    assert law.evaluate("error", alpha=1e10) == pytest.approx(law.asymptote(1e10), rel=1e-9)


def _largest_stability(alpha):
    """Solve the equations of the largest stability at finite alpha, by quadrature."""

    def equations(at):
        tau, kappa = np.exp(at)
        s = 1 / np.sqrt(1 + tau**2)
        k = kappa / s
        edges = np.concatenate([np.linspace(-12 * s, kappa, 60)])
        x, w = _panels(edges)
        skew = np.exp(-(x**2) / 2) * erfc(-tau * x / np.sqrt(2)) / np.sqrt(2 * np.pi)
        first = kappa * erfc(-k / np.sqrt(2)) / 2 + s * np.exp(-(k**2) / 2) / np.sqrt(2 * np.pi)
        second = np.sum(w * skew * (kappa - x) ** 2)
        return [
            np.log(alpha * np.sqrt(2 / np.pi) * first / (tau * s)),
            np.log(alpha * second / s**2),
        ]

    found = root(equations, [np.log(0.64 * alpha), np.log(1 / alpha)], tol=1e-13)
    assert np.max(np.abs(found.fun)) < 1e-12
    return np.arctan(np.exp(-found.x[0])) / np.pi, np.exp(found.x[1])


def test_the_largest_stability_three_ways(table, printed):
    law = theory.law("perceptron.max_stability")
    assert float(law.constant) == printed("max_stability")
    assert law.evaluate("stability", alpha=1.0) == printed("stability")
    k = float(stability_equation().evaluate(20))
    assert k == printed("stability_over_angle")
    # the integrals themselves
    phi = lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    first = quad(lambda u: phi(u) * (k - u), -np.inf, k, epsabs=1e-13)[0]
    second = quad(lambda u: erfc(-u / np.sqrt(2)) / 2 * (k - u) ** 2, -np.inf, k, epsabs=1e-13)[0]
    assert first == pytest.approx(second, rel=1e-11)
    assert float(law.constant) == pytest.approx(1 / (np.sqrt(2 * np.pi) * first), rel=1e-11)
    for alpha, error in table["stability_errors"]:
        found, kappa = _largest_stability(alpha)
        assert found == pytest.approx(error, rel=1e-9)
        assert found == pytest.approx(law.evaluate("error", alpha=alpha), rel=2 / alpha**2)
        assert kappa == pytest.approx(law.evaluate("stability", alpha=alpha), rel=2 / alpha**2)
    with pytest.raises(DomainError, match="as a power"):
        derive_stability(FixedNorm(ALGEBRAIC))


def _posterior(alpha):
    """Solve the saddle point of the posterior by Gauss-Hermite quadrature with the scaled Mills ratio."""
    x, w = np.polynomial.hermite_e.hermegauss(120)
    w = w / np.sqrt(2 * np.pi)

    def equation(log_a):
        a = np.exp(log_a)
        q = a**2 / (1 + a**2)
        mills = np.sqrt(2 / np.pi) / erfcx(np.sqrt(q / 2) * x)
        return a**2 / np.sqrt(1 + a**2) / (alpha * np.sqrt(2 / np.pi) * np.sum(w * mills)) - 1

    a = np.exp(brentq(equation, np.log(1e-3), np.log(1e3 * alpha), xtol=1e-15))
    q = a**2 / (1 + a**2)
    return np.arctan(1 / a) / np.pi, np.arctan2(np.sqrt((1 + q) / (1 + a**2)), q) / np.pi


def test_bayes_three_ways(table, printed):
    law, gibbs = theory.law("perceptron.bayes"), derive_bayes(Posterior("gibbs"))
    assert float(law.constant) == printed("bayes")
    assert float(gibbs.constant) == printed("gibbs")
    assert gibbs.derivation.refused() is None
    assert float(gibbs.constant / law.constant) == pytest.approx(np.sqrt(2), rel=1e-13)
    with mpmath.workdps(25):
        whole = mpmath.quad(
            lambda u: 2 * mpmath.exp(-(u**2)) / mpmath.erfc(u / mpmath.sqrt(2)),
            [-10, -4, -1, 0, 1, 4, 8, 14],
        )
        assert float(law.constant) == pytest.approx(
            float(mpmath.sqrt(2 * mpmath.pi) / whole), rel=1e-13
        )
    for alpha, best, random in table["bayes_errors"]:
        assert _posterior(alpha) == pytest.approx((best, random), rel=1e-9)
        assert law.evaluate("error", alpha=alpha) == pytest.approx(best, rel=3 / alpha**2)
        assert law.evaluate("gibbs", alpha=alpha) == pytest.approx(random, rel=3 / alpha**2)
    # nothing beats Bayes: the best norm comes within a thousandth
    excess = (
        theory.law("perceptron.combined").evaluate("error", alpha=1.0) / float(law.constant) - 1
    )
    assert 0 < excess < 1e-3
    with pytest.raises(DomainError, match="rule"):
        Posterior("best")


# -- the fit with offsets -----------------------------------------------------------------------------------------------


def test_composite_three_ways():
    law = theory.law("perceptron.composite")
    given = {"gamma_0": 0.3, "gamma_1": 1.3, "gamma_2": 0.26}
    assert law(**given) == pytest.approx(0.638)
    fit = {**given, "k_1": 0.8, "k_2": 0.5, "q_1": 0.01, "q_2": 3.0}
    P = np.logspace(1, 9, 30)
    direct = 0.01 + 0.8 * P**-0.3 * (0.5 * P**0.26 + 3) ** -1.3
    np.testing.assert_allclose(law.evaluate("loss", P=P, **fit), direct, rtol=2e-15)
    np.testing.assert_allclose(law.evaluate("three_region", P=P, **fit), direct, rtol=1e-14)
    far = law.evaluate("loss", P=np.array([1e28, 1e29]), **{**fit, "q_1": 1e-300})
    assert -np.log10(far[1] / far[0]) == pytest.approx(0.638, abs=1e-3)
    # the perceptron is the exact case; without an exponent at fixed norm it is the published law
    half = sp.Rational(1, 2)
    assert (
        law(gamma_0=half, gamma_1=half, gamma_2=1)
        == theory.law("perceptron.combined").in_notation("absolute")()
    )
    plain = theory.law("empirical.perceptron")
    assert law(**{**given, "gamma_0": 0}) == pytest.approx(float(plain(gamma_1=1.3, gamma_2=0.26)))
    assert law.evaluate("loss", P=50.0, **{**fit, "gamma_0": 0}) == pytest.approx(
        plain.evaluate(
            "loss", P=50.0, **{key: value for key, value in fit.items() if key != "gamma_0"}
        ),
        rel=1e-15,
    )
    assert law.published_value(gamma_1=1.3, gamma_2=0.26) == pytest.approx(0.338)
    with pytest.raises(DomainError, match="gamma_0 >= 0"):
        law(**{**given, "gamma_0": -0.1})
    with pytest.raises(DomainError, match="must be >= 0"):
        derive_norm(NormLimited(fixed=-1))


def test_the_logistic_loss_is_the_default():
    assert sp.simplify(FixedNorm().loss - LOGISTIC) == 0
    assert sp.simplify((LOGISTIC - (-MARGIN + sp.log(2 * sp.cosh(MARGIN)))).rewrite(sp.exp)).subs(
        MARGIN, sp.Rational(1, 3)
    ).evalf() == pytest.approx(0, abs=1e-15)
