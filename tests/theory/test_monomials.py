"""Powers of numbers in products: exact however many digits exponents have, and never of more digits than there are atoms."""

import mpmath
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.theory.monomials import power_product, raised, with_numbers

NUMBERS = st.fractions(min_value="1e-24", max_value=10**24, max_denominator=10**24).filter(bool)
EXPONENTS = st.decimals(min_value=-3, max_value=3, places=8)


@given(NUMBERS, EXPONENTS)
def test_powers_of_numbers_keep_their_value(base, exponent):
    b, e = sp.Rational(base.numerator, base.denominator), sp.Rational(str(exponent))
    with mpmath.workdps(40):
        wanted = mpmath.power(mpmath.mpf(b.p) / b.q, mpmath.mpf(e.p) / e.q)
        found = mpmath.mpf(str(sp.N(raised(b, e), 35)))
        assert abs(found / wanted - 1) < mpmath.mpf(10) ** -30


def test_powers_that_sympy_takes_well_are_its_own():
    for base, exponent in ((8, "1/3"), (12, "3/2"), (sp.Rational(4, 9), "-1/2"), (7, "123/1000")):
        power = sp.Rational(exponent)
        assert raised(sp.Integer(base), power) == sp.Integer(base) ** power


def test_numbers_inserted_are_those_of_a_substitution():
    a, x, y = sp.symbols("a x y", positive=True)
    expr = 3 * x**a / y + (x + y) ** sp.Rational(1, 2)
    values = {a: sp.Rational(1, 2), x: sp.Integer(5), y: sp.Integer(4)}
    assert with_numbers(expr, values) == expr.subs(values)
    assert power_product([(x, a), (x, 1 - a)]) == x


@pytest.mark.parametrize(
    ("terms", "budget", "numbers"),
    [
        ("482.01/N**0.3478 + 2085.43/D**0.3658", "6*N*D=5.76e23", {}),
        ("482.00572/N**0.34781303 + 2085.4342/D**0.36585412", "6*N*D=1.2345678e24", {}),
        ("A/N**0.3478 + B/D**0.3658", "6*N*D=C", {"A": 482.01, "B": 2085.43, "C": 5.76e23}),
    ],
)
def test_optima_of_typed_numbers_are_found_in_closed_form(terms, budget, numbers):
    found = theory.allocate(terms, budget)
    free = {symbol.name: symbol for symbol in found[0].value.free_symbols}
    exact = {free[name]: sp.Rational(str(value)) for name, value in numbers.items()}
    entry = found.at(exact).balance
    least = with_numbers(entry.value * entry.exact_constant, exact)
    assert float(sp.N(least, 20)) == pytest.approx(found.minimum(exact).excess, rel=1e-12)
