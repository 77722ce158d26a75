"""Conditions in the form a person would write."""

import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.theory.relations import against_zero, changing_part, strongest

a, b = sp.symbols("a b", positive=True)
small = st.integers(-4, 4)


@given(small, small, small, st.integers(1, 5), st.integers(1, 5))
def test_reduction_keeps_the_sign(i, j, k, x, y):
    difference = (i * a + j * b + k) * a / (1 + b)
    point = {a: sp.Rational(x, 3), b: sp.Rational(y, 2)}
    assert sp.sign(changing_part(difference).subs(point)) == sp.sign(difference.subs(point))
    for relation in (sp.Gt, sp.Ge, sp.Lt, sp.Eq):
        assert bool(against_zero(difference, relation).subs(point)) == bool(
            relation(difference.subs(point), 0)
        )


def test_readable_forms():
    assert against_zero(2 * a - a * b, sp.Gt) == (b < 2)
    assert against_zero((a - 1) / b, sp.Gt) == (a > 1)
    assert against_zero(2 * a - 1, sp.Gt) == (a > sp.Rational(1, 2))
    assert against_zero(a / b, sp.Gt) == sp.true


def test_strongest_keeps_unrelated_conditions():
    assert strongest([a > 1, b > 0, sp.true, a > 2, a > sp.Rational(1, 2)]) == (
        a > 2,
        b > 0,
    ) or strongest([a > 1, sp.Gt(b, 0, evaluate=False), sp.true, a > 2]) == (
        a > 2,
        sp.Gt(b, 0, evaluate=False),
    )
