"""Zeros and exponents of flows: spec numbers, other roots and trajectories, exact convolutions, the talk's action, textbook flows."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.renormalization import (
    Flow,
    action_flow,
    derive_no_wilson_fisher,
    derive_stable_exponents,
    likelihood_flow,
    zeros,
)

ALPHA = sp.Symbol("alpha", positive=True)
R, U = sp.symbols("R U", real=True)
FLOWS = {
    "per_datum": likelihood_flow,
    "measure": lambda b=1 + ALPHA: action_flow("generic", b),
    "conserving": lambda b=1 + ALPHA: action_flow("conserving", b),
}


def rates(convention, alpha):
    """Write the flow anew, as a function of numbers."""

    def found(point):
        r, u = point
        if convention == "per_datum":
            return np.array([alpha * r - r * r + u, 2 * alpha * u - 4 * r * u])
        lost = 3 * u * u / (1 + r) ** 2 if convention == "conserving" else 0.0
        return np.array([(1 + alpha) * r + u / (1 + r), (1 + 2 * alpha) * u - lost])

    return found


def named(convention, alpha):
    return {zero.name: zero for zero in zeros(FLOWS[convention](1 + alpha))}


def numbers(values):
    return [float(value) for value in values]


# -- zeros and exponents ------------------------------------------------------------------------------------------------


def test_exponents_of_every_zero():
    a, one = ALPHA, sp.S.One
    wanted = {
        "per_datum": {"trivial": (a, 2 * a), "ridge": (-2 * a, -a), "quartic": (-a, a)},
        "measure": {
            "trivial": (1 + a, 1 + 2 * a),
            "massive": (-1 - a, -one),
            "massive_quartic": (-a - one / 2, one),
        },
        "conserving": {
            "trivial": (1 + a, 1 + 2 * a),
            "quartic": None,
            "massive": (-1 - a, -one),
            "massive_quartic": (-(5 * a + 4) / 5, one),
        },
    }
    for convention, table in wanted.items():
        found = {zero.name: zero for zero in zeros(FLOWS[convention]())}
        assert found.keys() == table.keys()
        for name, exponents in table.items():
            if exponents is not None:
                assert [
                    sp.expand(one - two)
                    for one, two in zip(found[name].exponents, exponents, strict=True)
                ] == [0, 0]
        assert [name for name, zero in found.items() if zero.stable] == [
            {"per_datum": "ridge"}.get(convention, "massive")
        ]
        assert [name for name, zero in found.items() if not zero.physical] == [
            name
            for name in table
            if name
            in (
                {"quartic", "massive_quartic"} if convention == "per_datum" else {"massive_quartic"}
            )
        ]


def test_the_zero_that_conserved_momenta_have():
    zero = {entry.name: entry for entry in zeros(FLOWS["conserving"]())}["quartic"]
    r, u = zero.place.values()
    assert sp.simplify(r + (1 + 2 * ALPHA) / (4 + 5 * ALPHA)) == 0
    assert sp.simplify(u - 3 * (1 + 2 * ALPHA) * (1 + ALPHA) ** 2 / (4 + 5 * ALPHA) ** 2) == 0
    one = named("conserving", 1)["quartic"]
    assert list(one.place.values()) == [-sp.Rational(1, 3), sp.Rational(4, 9)]
    assert [
        sp.simplify(y - s)
        for y, s in zip(one.exponents, (-1 - sp.sqrt(10), -1 + sp.sqrt(10)), strict=True)
    ] == [0, 0]


@given(st.sampled_from(sorted(FLOWS)), st.fractions(Fraction(1, 4), 4, max_denominator=12))
def test_exponents_are_those_of_finite_differences(convention, alpha):
    flow = rates(convention, float(alpha))
    for zero in zeros(FLOWS[convention](1 + sp.Rational(alpha))):
        if R not in zero.place:
            continue
        place = np.array(numbers(zero.place.values()))
        assert np.max(np.abs(flow(place))) < 1e-13
        step = 1e-6
        jacobian = np.array(
            [(flow(place + step * e) - flow(place - step * e)) / (2 * step) for e in np.eye(2)]
        ).T
        np.testing.assert_allclose(
            np.sort(np.linalg.eigvals(jacobian)), np.sort(numbers(zero.exponents)), atol=1e-7
        )
        for exponent, field in zip(zero.exponents, zero.fields, strict=True):
            left = np.array(numbers(field))
            np.testing.assert_allclose(
                left @ jacobian, float(exponent) * left, atol=1e-6 * np.max(np.abs(left))
            )


@pytest.mark.parametrize("convention", sorted(FLOWS))
def test_no_root_finder_finds_another_zero(convention):
    alpha = 0.8
    flow = rates(convention, alpha)
    known = [
        numbers(zero.place.values())
        for zero in zeros(FLOWS[convention](sp.Rational(9, 5)))
        if R in zero.place
    ]
    rng, reached = np.random.default_rng(3), set()
    with np.errstate(all="ignore"):
        for start in rng.uniform(-4, 4, (300, 2)):
            found = optimize.root(flow, start, tol=1e-13)
            if found.success and np.max(np.abs(found.x)) < 50 and abs(1 + found.x[0]) > 1e-3:
                distance = np.max(np.abs(np.array(known) - found.x), axis=1)
                assert np.min(distance) < 1e-5
                reached.add(int(np.argmin(distance)))
    assert reached == set(range(len(known)))


# -- trajectories -------------------------------------------------------------------------------------------------------


def trajectory(convention, alpha, start, ends):
    return integrate.solve_ivp(
        lambda _, y: rates(convention, alpha)(y),
        (0, ends[-1]),
        start,
        t_eval=ends,
        rtol=1e-11,
        atol=1e-14,
    ).y


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_positive_starts_end_at_the_ridge_of_integrated_modes(alpha):
    """Ten starts, to 1e-6 at l = 20/alpha, and at the rate of the law."""
    law = theory.law("renormalization.stable_exponents")
    rng = np.random.default_rng(1)
    for start in rng.uniform(0.05, 3, (10, 2)):
        ends = np.array([8, 10, 20]) / alpha
        r, u = trajectory("per_datum", alpha, start, ends)
        assert abs(r[2] - alpha) < 1e-6
        assert abs(u[2]) < 1e-6
        slope = math.log(abs(r[0] - alpha) / abs(r[1] - alpha)) / (ends[1] - ends[0])
        assert slope == pytest.approx(float(law(alpha=alpha)), abs=2e-2)
        final = theory.law("renormalization.no_wilson_fisher").in_notation("per_datum")
        assert math.log(u[1] / u[0]) / (ends[1] - ends[0]) == pytest.approx(
            float(final(alpha=alpha)), abs=2e-2
        )


@pytest.mark.parametrize("convention", ["measure", "conserving"])
def test_an_action_ends_at_the_massive_zero(convention):
    alpha, ends = 0.7, np.array([8.0, 10.0])
    r, u = trajectory(convention, alpha, [0.3, 0.2], ends)
    law = theory.law("renormalization.stable_exponents").in_notation(convention)
    assert law.regime(alpha=alpha) == "massive zero"
    assert math.log(r[1] / r[0]) / 2 == pytest.approx(1 + alpha, abs=1e-3)
    shape = u / r**2
    assert math.log(shape[0] / shape[1]) / 2 == pytest.approx(float(law(alpha=alpha)), abs=1e-3)
    if convention == "measure":
        growth = theory.law("renormalization.no_wilson_fisher")(alpha=alpha)
        assert u[1] / 0.2 == pytest.approx(math.exp(10 * float(growth)), rel=1e-8)


def test_the_zero_of_conserved_momenta_is_reached_only_if_tuned():
    """Starts on both sides of a critical R end on both sides; in between U stays at the zero longer and longer."""
    alpha = 1.0

    def side(r):
        with np.errstate(all="ignore"):
            far = integrate.solve_ivp(
                lambda _, y: rates("conserving", alpha)(y),
                (0, 40),
                [r, 0.4],
                rtol=1e-11,
                atol=1e-13,
                events=[end_high, end_low],
            )
        return 1.0 if len(far.t_events[0]) else -1.0

    def end_high(_, y):
        return y[0] - 1.0

    def end_low(_, y):
        return y[0] + 0.8

    end_high.terminal = end_low.terminal = True
    critical = optimize.brentq(side, -0.6, 0.2, xtol=1e-13)
    _, u = trajectory("conserving", alpha, [critical, 0.4], np.array([6.0, 8.0]))
    law = theory.law("renormalization.no_wilson_fisher").in_notation("conserving")
    assert law(alpha=1) == 0
    assert u == pytest.approx([float(law.constant.subs(ALPHA, 1))] * 2, abs=1e-3)


def test_shells_one_by_one_follow_the_dimensionless_flow():
    """One hundred modes down to five: the recursion over modes, and the same flow without a scale."""
    alpha = 0.5
    ends = {}
    for momentum in ("generic", "conserving"):
        r, u = 0.5, 1.0
        for k in range(100, 5, -1):
            eigenvalue = k ** -(1 + alpha)
            g = eigenvalue / (1 + 2 * r * eigenvalue)
            r, u = r + 6 * u * g, u - (36 * u * u * g * g if momentum == "conserving" else 0)
        ends[momentum] = r, u
    assert ends["generic"][0] == pytest.approx(3.9531327738, abs=5e-11)
    assert ends["conserving"] == pytest.approx((3.6880330753, 0.7208563833), abs=5e-11)
    top, bottom = 100.5, 5.5
    for momentum, convention in (("generic", "measure"), ("conserving", "conserving")):
        unit = top ** -(1 + alpha)
        start = [2 * 0.5 * unit, 12 * 1.0 * top * unit**2]
        (r,), (u,) = trajectory(convention, alpha, start, np.array([math.log(top / bottom)]))
        unit = bottom ** -(1 + alpha)
        assert r / (2 * unit) == pytest.approx(ends[momentum][0], rel=1e-2)
        assert u / (12 * bottom * unit**2) == pytest.approx(ends[momentum][1], rel=2e-2)


# -- what the flows are derived from ------------------------------------------------------------------------------------


def test_exact_convolutions_have_the_exponents():
    """A quartic likelihood, convolved exactly: 2 r s - 1 falls as 1/s, u s^2 as s^-2: X^-alpha and X^(-2 alpha)."""
    t = np.linspace(-12, 12, 40_001)
    initial = np.exp(-0.5 * t**2 - 0.2 * t**4)
    moments = [integrate.simpson(initial * t**power, x=t) for power in (0, 2, 4, 6, 8)]
    distances, quartics = [], []
    for s in (1e3, 1e4):
        with np.errstate(under="ignore"):
            weight = initial * np.exp(-(t**2) / (2 * s))
        z = t / math.sqrt(s)
        p0, p2, p4 = (
            integrate.simpson(weight * h, x=t) / s ** (power / 2)
            for h, power in ((1, 0), (z**2 - 1, 2), (z**4 - 6 * z**2 + 3, 4))
        )
        second, fourth = p2 / p0, p4 / p0
        r, u = -second / 2, -(fourth - 3 * second**2) / 24
        distances.append(2 * r * s - 1)
        quartics.append(u * s * s)
    assert math.log10(distances[0] / distances[1]) == pytest.approx(1, abs=2e-3)
    # fourth cumulants are differences of large numbers: two decades are enough
    assert math.log10(quartics[0] / quartics[1]) == pytest.approx(2, abs=1e-2)
    assert distances[1] == pytest.approx(-moments[1] / moments[0] / 1e4, rel=1e-3)


def test_the_action_as_the_talk_prints_it_flows_alike():
    """Without the 1/2 of the Gaussian prior: R = r lambda, U = 3 u Lambda lambda^2 obey the same equations."""
    r, u, size, scale = sp.symbols("r u lambda Lambda", positive=True)
    variance = (size / 2) / (1 + r * size)  # of a mode with the action f^2/lambda + r f^2
    slope = scale * 6 * u * variance
    rate = size * slope
    there = {r: R / size, u: U / (3 * scale * size**2)}
    assert sp.simplify(rate.subs(there) - U / (1 + R)) == 0
    bubble = 3 * scale * size**2 * scale * (-36 * u**2 * variance**2)
    assert sp.simplify(bubble.subs(there) + 3 * U**2 / (1 + R) ** 2) == 0


def test_likelihood_flow_drops_the_sixth_power_only():
    law = theory.law("renormalization.stable_exponents")
    step = law.derivation.steps[3]
    delta, u = sp.Symbol("Delta", positive=True), sp.Symbol("u", real=True)
    assert sp.Poly(step.value, delta).coeff_monomial(delta**6) == -8 * u**2


# -- flows of one's own -------------------------------------------------------------------------------------------------


def test_the_textbook_zero_below_four_dimensions():
    """phi^4 near four dimensions: U_* = eps/3 + ..., y_t = 2 - eps/3 (one component), and -eps."""
    eps = sp.Symbol("epsilon", positive=True)
    flow = Flow(
        (2 * R + U / (1 + R), eps * U - 3 * U**2 / (1 + R) ** 2),
        at_infinity=True,
        box={eps: (sp.Rational(1, 4), 2)},
    )
    found = derive_no_wilson_fisher(flow)
    assert found.expr == 0
    assert sp.limit(found.constant / eps, eps, 0) == sp.Rational(1, 3)
    zero = {entry.name: entry for entry in zeros(flow)}["quartic"]
    slow, fast = zero.exponents
    assert sp.series(fast, eps, 0, 2).removeO() == 2 - eps / 3
    assert sp.series(slow, eps, 0, 2).removeO() == -eps
    assert found.derivation.refused() is None


def test_a_flow_with_numbers():
    flow = Flow((2 * R - R**2 + U, U - 3 * R * U))
    found = derive_stable_exponents(flow)
    place = {name: form.expr for name, form in found.forms.items()}
    assert found.expr == 2
    assert (place["ridge_R"], place["quartic_R"], place["quartic_U"]) == (
        2,
        sp.Rational(1, 3),
        -sp.Rational(5, 9),
    )
    assert found.derivation.refused() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Flow((R, sp.exp(U))),
        lambda: Flow((R + U**2, U)),
        lambda: Flow((R + U,)),
        lambda: Flow((ALPHA * sp.Symbol("g", positive=True) * R + U, U)),
        lambda: action_flow("neither"),
        lambda: action_flow("generic", 1),
        lambda: likelihood_flow(sp.Rational(1, 2)),
        lambda: zeros((R, U)),
        lambda: zeros(Flow((U - R, R - U))),  # a line of zeros
        lambda: zeros(Flow((-R + U, -U - R))),  # a spiral
        lambda: derive_stable_exponents(Flow((R + U, U))),  # no stable zero
        lambda: derive_stable_exponents(likelihood_flow),
        lambda: derive_no_wilson_fisher(Flow((-R + U, R - 3 * U))),
        lambda: derive_no_wilson_fisher(3),
    ],
)
def test_refusals(make):
    with pytest.raises(DomainError):
        make()


# -- laws and their steps -----------------------------------------------------------------------------------------------


def test_the_laws_in_every_convention():
    stable, none = (
        theory.law(f"renormalization.{name}") for name in ("stable_exponents", "no_wilson_fisher")
    )
    found = {
        name: (stable.in_notation(name)(alpha=1), none.in_notation(name)(alpha=1)) for name in FLOWS
    }
    assert found == {"per_datum": (1, -2), "measure": (1, 3), "conserving": (1, 0)}
    assert (stable(alpha=1), none(alpha=1)) == (1, 3)
    assert none.in_notation("conserving").standing == "heuristic"
    assert "momentum" in none.in_notation("conserving").statement
    values = {
        entry.name: entry.value for entry in stable.in_notation("conserving").evaluations(alpha=1)
    }
    assert values["quartic_R"] == pytest.approx(-1 / 3)
    assert values["quartic_U"] == pytest.approx(4 / 9)
    assert (values["quartic_1"], values["quartic_2"]) == pytest.approx(
        (-1 - math.sqrt(10), -1 + math.sqrt(10))
    )
    assert stable.evaluate("spectrum", alpha=2, n=3) == -6
    with pytest.raises(DomainError, match="unknown notation"):
        stable.in_notation("both")
    with pytest.raises(DomainError):
        stable(alpha=0)


def test_the_errata_are_said():
    law = theory.law("renormalization.no_wilson_fisher")
    assert [slip.name for slip in law.misprints] == ["fixed-point"]
    assert "generic" not in law.statement
    assert "eigenfunctions in general" in law.statement


def corrupted(derivation, index, factor):
    steps = list(derivation.steps)
    value = factor * steps[index].value
    steps[index] = replace(steps[index], expr=sp.Eq(steps[index].quantity, value, evaluate=False))
    return replace(derivation, steps=tuple(steps))


@pytest.mark.parametrize("name", ["stable_exponents", "no_wilson_fisher"])
@pytest.mark.parametrize("convention", sorted(FLOWS))
def test_every_corrupted_step_is_refused(name, convention):
    derivation = theory.law(f"renormalization.{name}").in_notation(convention).derivation
    assert derivation.refused() is None
    accepted = [
        (index, str(entry))
        for index, entry in enumerate(derivation.steps)
        if corrupted(derivation, index, sp.Rational(11, 10)).refused(start=index) is None
    ]
    assert accepted == []
