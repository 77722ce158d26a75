"""Self-consistent exponents: branches, conditions, boundaries, refusals."""

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.theory.balance import allocate
from scalinglaws.theory.fixed_points import fixed_point

chi, beta, alpha, N, t, C = sp.symbols("chi beta alpha N t C", positive=True)
RICH = beta * sp.Max(1, 2 - chi)


def test_linear_feedback():
    (branch,) = fixed_point(beta * (2 - chi), chi).branches
    assert sp.cancel(branch.solution - 2 * beta / (1 + beta)) == 0
    assert branch.conditions == ()


def test_feature_learning_exponent():
    found = fixed_point(RICH, chi)
    got = {branch.conditions: branch.solution for branch in found.branches}
    assert got == {(beta <= 1,): 2 * beta / (beta + 1), (beta >= 1,): beta}
    assert found.at({beta: 1}) == 1  # both branches hold on the boundary and agree
    assert sp.simplify(found.as_piecewise().subs(beta, sp.Rational(1, 3)) - sp.Rational(1, 2)) == 0


def test_inserted_into_the_compute_optimum():
    rich = next(
        branch.solution
        for branch in fixed_point(RICH, chi).branches
        if branch.conditions == (beta <= 1,)
    )
    (found,) = allocate(t**-rich + N ** (-alpha * beta), (N, t), (N * t, C))
    assert sp.cancel(found.exponent(C) + 2 * alpha * beta / (alpha * (1 + beta) + 2)) == 0


EQUATIONS = (
    RICH,
    beta * (1 + sp.Max(0, 1 - chi)),
    sp.Min(3, beta * sp.Max(1, 2 - chi)),
    beta + sp.Min(chi, 1) / 3,
)


@pytest.fixture(scope="module")
def solved():
    return [(equation, fixed_point(equation, chi)) for equation in EQUATIONS]


@given(st.fractions(min_value=0, max_value=5).filter(lambda x: x > 0))
def test_solutions_solve(solved, value):
    number = sp.Rational(value.numerator, value.denominator)
    for equation, found in solved:
        solution = found.at({beta: number})
        assert sp.simplify(equation.subs({beta: number, chi: solution}) - solution) == 0


def test_nested_extrema():
    found = fixed_point(sp.Min(2, beta * sp.Max(1, sp.Min(2 - chi, sp.Rational(3, 2)))), chi)
    for number in (sp.Rational(1, 5), sp.Rational(1, 2), 1, sp.Rational(3, 2), 3):
        solution = found.at({beta: number})
        assert solution == sp.Min(2, number * sp.Max(1, sp.Min(2 - solution, sp.Rational(3, 2))))


def test_quadratic_equations_keep_real_positive_roots():
    assert fixed_point(beta / chi, chi).at({beta: 4}) == 2
    for value in (1, 3):  # complex, and real but negative
        with pytest.raises(DomainError, match="no solution at"):
            fixed_point(-1 / chi - beta, chi).at({beta: value})


@pytest.mark.parametrize(
    ("rhs", "complaint"),
    [
        (beta + 1, "does not depend on chi"),
        (sp.exp(-chi), "not a rational function"),
        (chi + 1, "has no solution"),
    ],
)
def test_bad_equations_are_refused(rhs, complaint):
    with pytest.raises(DomainError, match=complaint):
        fixed_point(rhs, chi)


def test_points_without_or_with_several_solutions_are_reported():
    # beta/2 and beta both solve it
    several = fixed_point(sp.Max(beta / 2, 2 * chi - beta), chi)
    with pytest.raises(ConvergenceError, match="several solutions"):
        several.at({beta: 1})
    with pytest.raises(DomainError, match="values are missing for beta"):
        several.at({})
    with pytest.raises(DomainError, match="no solution at beta = 3"):
        fixed_point(1 - beta + chi / 2, chi).at({beta: 3})
    with pytest.raises(DomainError, match="must be a symbol"):
        fixed_point(beta * chi, 2)


def test_roots_without_closed_form_are_refused_not_lost():
    for equation in (
        beta * (1 - chi**5),
        sp.Max(beta * (1 - chi**5), beta / 2),
        beta * (3 - chi**3),
    ):
        with pytest.raises(DomainError, match="no simple closed form"):
            fixed_point(equation, chi)
    # with numbers every real root is found exactly
    root = fixed_point(3 - chi**3, chi).at({})
    assert float(root) == pytest.approx(1.2134116628, rel=1e-9)
    real = sp.Symbol("X", real=True)
    assert len(fixed_point((real**3 + 1) / 4, real).branches) == 3


def test_identities_and_wrong_types_are_refused():
    for equation in (chi, sp.Max(chi, beta)):
        with pytest.raises(DomainError, match="does not determine it"):
            fixed_point(equation, chi)
    with pytest.raises(DomainError, match="must be a SymPy expression"):
        fixed_point("beta*(2 - chi)", chi)
    assert fixed_point(0.3 * sp.Max(1, 2 - chi), chi).at({}) == sp.Rational(
        6, 13
    )  # floats are read as decimals
    with pytest.raises(DomainError, match="missing for beta"):
        fixed_point(sp.Max(1, beta * chi), chi).at({})
