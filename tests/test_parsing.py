"""Formulas that a person typed: what is read, what is refused, and that nothing is executed."""

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.parsing import parse_expression

a, N, D = sp.symbols("a N D", positive=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N**-a", N**-a),
        ("A*N**-a + 0.5*D", sp.Symbol("A", positive=True) * N**-a + D / 2),
        ("-(N - 2)/3", (2 - N) / 3),
        ("+sqrt(N)*1e2", 100 * sp.sqrt(N)),
        ("exp(log(N))", N),
        (" 0.1 ", sp.Rational(1, 10)),
        ("N**(1/3)", sp.cbrt(N)),
        ("1e-299", sp.Rational(1, 10**299)),
        ("1_0.5 + 5. + .5", 16),
        ("  0.123456789012345678901", sp.Rational(123456789012345678901, 10**21)),
        ("0e-999999999 + 0.0", 0),
        ("0**0 + log(1)", 1),
    ],
)
def test_formulas(text, expected):
    assert sp.simplify(parse_expression(text) - expected) == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("N^2", r"write \*\* for powers"),
        ("", "is not a formula"),
        ("N**", "is not a formula"),
        ("__import__('os').system('true')", "not allowed"),
        ("N.real", "not allowed"),
        ("[N]", "not allowed"),
        ("N if a else D", "not allowed"),
        ("lambda: N", "not allowed"),
        ("True", "not allowed"),
        ("1 + inf", "neither a finite number"),
        ("NaN", "neither a finite number"),
        ("'N'", "not allowed"),
        ("1j", "not allowed"),
        ("sin(N)", "not allowed"),
        ("sqrt(N, D)", "not allowed"),
        ("N % 2", "not allowed"),
        ("1/0", "division by zero"),
        ("9**9**9", "exceeds 10000"),
        ("N**-1e400", "too large"),
        ("(-9999)**9999", "too long"),
        ("1e-400", "1e-400 is too small"),
        ("N + 1e-999999999", "too small"),
        ("1e-400*N", "too small"),
        ("1e400", "too large"),
        ("log(0)", r"log\(0\) is not a finite real number"),
        ("N + log(D - D)", "not a finite real number"),
        ("0**-1", "not a finite real number"),
        ("0**-N", "not a finite real number"),
        ("1/log(1)", "division by zero"),
        ("log(-1)", "not a finite real number"),
        ("log(-N)", "not a finite real number"),
        ("sqrt(-N)", "not a finite real number"),
        ("(-8)**(1/3)", "not a finite real number"),
        ("(0*N)**-0.5", "not a finite real number"),
        ("N" * 3000, "at most 2000"),
        ("-" * 1900 + "N", "formula|deep"),
    ],
)
def test_refusals(text, complaint):
    with pytest.raises(DomainError, match=complaint):
        parse_expression(text, "terms")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_expression(text)
    except DomainError:
        return
    assert isinstance(found, sp.Basic)
