"""Lines are broken where a reader would break them."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.wrapping import wrapped

FORMULA = "g = alpha*beta/(alpha*beta + 1) + gamma(beta)*gamma(1 - beta)/(2*t)**beta - zeta(alpha)"


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80])
def test_formulas_break_at_operators_only(width):
    lines = wrapped("    " + FORMULA, width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == FORMULA.replace(" ", "")
    for before, after in pairwise(lines):
        # no name, number or power is torn: a line ends behind a word or a sign, or the next begins with an operator
        assert (
            before.endswith(("*", ",", "=", "+", "-"))
            or after.lstrip()[0] in "+-=/"
            or before[-1] == ")"
        )
        assert not before.endswith("**")
        assert len(after) - len(after.lstrip()) > 4


def test_a_break_lies_outside_brackets_where_it_can():
    shown = wrapped("L = c*(alpha + beta + gamma + delta + epsilon) + a*(beta + gamma + delta)", 60)
    assert shown == "L = c*(alpha + beta + gamma + delta + epsilon)\n    + a*(beta + gamma + delta)"


def test_words_break_at_spaces_and_formulas_in_them_do_not():
    shown = wrapped("a law of many words in which x + y + z stands in a row of more words", 42)
    assert "x + y + z" in shown
    assert all(len(line) <= 42 for line in shown.split("\n"))


def test_short_lines_stay_as_they_are_and_long_names_are_not_torn():
    assert wrapped("short\n\n  lines  stay", 80) == "short\n\n  lines  stay"
    assert wrapped("x" * 100, 20) == "x" * 100
    assert wrapped(f"a {'x' * 100} b", 20).split() == ["a", "x" * 100, "b"]


@given(st.text(alphabet="ab1 +-*/()=,.^", max_size=300), st.integers(-5, 90))
def test_nothing_is_lost(text, width):
    assert re.sub(r"\s", "", wrapped(text, width)) == re.sub(r"\s", "", text)
