"""Numbers as people read them: plain, typeset, and with their errors."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws import formatting

_finite = st.floats(-1e300, 1e300, allow_subnormal=False)
_superscript = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _read(written):
    """Read a typeset number back."""
    plain = written.replace(formatting.MINUS, "-")
    mantissa, dot, power = plain.rpartition("·10")
    if dot:
        return float(mantissa) * 10.0 ** int(power.translate(_superscript))
    if any(character in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹" for character in plain):
        sign, _, power = plain.rpartition("10")
        return float(f"{sign}1") * 10.0 ** int(power.translate(_superscript))
    return float(plain)


@given(_finite)
def test_a_typeset_number_reads_as_the_number(value):
    assert _read(formatting.typeset(value, 7)) == pytest.approx(value, rel=1e-6)


@given(_finite)
def test_a_formula_holds_the_same_digits_as_a_page(value):
    plain = formatting.latex(value, 5).replace(r"\cdot", "·")
    page = formatting.html(value, 5).replace("<sup>", "^{").replace("</sup></span>", "}")
    assert plain == page.replace('<span class="n">', "").replace(formatting.MINUS, "-")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (99999.9, ("1", 5)),
        (-0.0012345, ("−0.001234", None)),
        (-1e-9, ("−1", -9)),
        (0.0, ("0", None)),
        (-math.inf, ("−∞", None)),
        (math.nan, ("not a number", None)),
    ],
)
def test_digits_and_power_at_the_ends_of_the_range(value, written):
    assert formatting.parts(value) == written


def test_a_power_of_ten_stands_alone():
    assert formatting.typeset(-1e-9) == "−10⁻⁹"
    assert formatting.latex(-1e-9) == "-10^{-9}"
    assert formatting.latex(math.inf) == r"\infty"


@given(st.floats(-1e5, 1e5), st.floats(1e-5, 1e4))
def test_value_and_error_end_at_the_same_digit(value, error):
    shown, spread = formatting.uncertain(value, error).split(" +- ")
    assert len(shown.partition(".")[2]) == len(spread.partition(".")[2])
    assert float(spread) == pytest.approx(error, rel=0.06)
    assert float(shown) == pytest.approx(value, abs=0.06 * error + 0.5 * (error > 10))


@given(st.floats(-1e5, 1e5), st.floats(1e-5, 0.99))
def test_brackets_hold_the_error_of_the_last_digits(value, error):
    shown, _, spread = formatting.uncertain(value, error, brackets=True)[:-1].partition("(")
    unit = 10.0 ** -len(shown.partition(".")[2])
    assert float(spread) * unit == pytest.approx(error, rel=0.06)


def test_no_error_no_sign():
    assert formatting.uncertain(0.123456, math.nan) == "0.1235"


@pytest.mark.parametrize("value", [0.0, -0.5, 123.456, 99999.0, 1e5, -3.2e7, 1e-12, 1e100])
def test_short_numbers_are_short_and_close(value):
    written = formatting.short(value)
    assert len(written) <= 7
    assert float(written) == pytest.approx(value, rel=0.05)


def test_importing_costs_nothing():
    code = "import sys, scalinglaws.formatting; print([n for n in ('numpy', 'sympy', 'scipy', 'numba', 'matplotlib') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
