"""Compiled formulas: against SymPy in 30 digits, one compilation for equal ones, and all that is refused."""

import json
import math
import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import _jit
from scalinglaws.solvers.expressions import CompiledExpression, compile_expression

x, y, z = sp.symbols("x y z")
alpha = sp.Symbol("alpha", positive=True)
ARGS = (x, y, alpha)

# positive parts whose relative errors grow by a small factor only: a formula that cancels keeps no digits anywhere
_ONE = (
    sp.sqrt,
    sp.atan,
    sp.erf,
    sp.tanh,
    sp.Abs,
    sp.asinh,
    lambda a: a**2,
    lambda a: a**-3,
    lambda a: a ** sp.Rational(2, 3),
    lambda a: sp.log(2 + a),
    lambda a: sp.exp(-a / (1 + a)),
    lambda a: sp.erfc(a / (1 + a)),
    lambda a: sp.gamma(1 + a / (1 + a)),
    lambda a: sp.acosh(3 + a),
    lambda a: sp.cosh(a / (1 + a)),
    lambda a: sp.cos(a / (1 + a)),
)
_TWO = (
    sp.Add,
    sp.Mul,
    sp.Max,
    sp.Min,
    sp.atan2,
    lambda a, b: a / b,
    lambda a, b: (1 + a) ** (b / (1 + b)),
    lambda a, b: sp.Piecewise((a, x < y), (b, True)),
    lambda a, b: sp.Piecewise((a, sp.And(x > 1, y > 1)), (b, x > y / 2), (a + b, True)),
)
_LEAVES = st.sampled_from([x, y, alpha, sp.Integer(3), sp.Rational(2, 7), sp.pi, sp.Float("0.3")])
formulas = st.recursive(
    _LEAVES,
    lambda part: st.one_of(
        st.builds(lambda f, a: f(a), st.sampled_from(_ONE), part),
        st.builds(lambda f, a, b: f(a, b), st.sampled_from(_TWO), part, part),
    ),
    max_leaves=8,
)
values = st.floats(0.05, 20)


@settings(max_examples=30)
@given(expr=formulas, at=st.tuples(values, values, values))
def test_random_formulas_against_thirty_digits(expr, at):
    check_formula(expr, at)


@pytest.mark.slow
@settings(max_examples=1000)
@given(expr=formulas, at=st.tuples(values, values, values))
def test_many_random_formulas_against_thirty_digits(expr, at):
    check_formula(expr, at)


def check_formula(expr, at):
    """Compare a formula at numbers with thirty digits, unless floats do not hold its parts."""
    result = exact(expr, at)
    if not 1e-250 < abs(result) < 1e250 or any(
        not 1e-250 < part < 1e250 for part in parts(expr, at)
    ):
        return
    assert compile_expression(expr, ARGS).kernel(*at) == pytest.approx(float(result), rel=1e-12)


def exact(expr, at):
    """Return a formula at numbers, computed with thirty digits."""
    with mpmath.workdps(30):
        return sp.lambdify(ARGS, expr, "mpmath")(*(mpmath.mpf(float(value)) for value in at))


def parts(expr, at):
    """Return the sizes of all parts of a formula that are not zero."""
    numbers = (exact(p, at) for p in sp.preorder_traversal(expr) if isinstance(p, sp.Expr))
    return [abs(number) for number in numbers if number != 0]


SINGLE = {
    "exp": (sp.exp, (-700, -1.5, 0, 2.25, 700)),
    "log": (sp.log, (1e-300, 0.3, 1, 2, 1e300)),
    "sqrt": (sp.sqrt, (0, 1e-300, 2, 1e300)),
    "root": (lambda a: a ** sp.Rational(-1, 2), (1e-300, 2, 1e300)),
    "cube root": (sp.cbrt, (0, 0.3, 1e200)),
    "power": (lambda a: a**60, (-1.5, 1e-5, 1.01)),
    "large power": (lambda a: a**1001, (-1.1, 0.9)),
    "of two": (lambda a: 2**a, (-1000, 0.5, 1000)),
    "sin": (sp.sin, (-3, 1e-10, 100)),
    "cos": (sp.cos, (-3, 0, 100)),
    "tan": (sp.tan, (-1.5, 0.3, 2)),
    "asin": (sp.asin, (-1, 0.3, 1)),
    "acos": (sp.acos, (-1, 0.3, 0.99)),
    "atan": (sp.atan, (-1e10, 0.3)),
    "atan2": (lambda a: sp.atan2(a, -2), (-1, 0.5, 3)),
    "sinh": (sp.sinh, (-700, 1e-5, 3)),
    "cosh": (sp.cosh, (-700, 0, 3)),
    "tanh": (sp.tanh, (-20, 1e-5, 0.3)),
    "asinh": (sp.asinh, (-1e10, 1e-5, 3)),
    "acosh": (sp.acosh, (1.5, 1e10)),
    "atanh": (sp.atanh, (-0.9, 1e-5, 0.5)),
    "erf": (sp.erf, (-3, 1e-10, 1)),
    "erfc": (sp.erfc, (-3, 1, 20)),
    "gamma": (sp.gamma, (-1.5, 0.3, 5, 170)),
    "loggamma": (sp.loggamma, (0.3, 5, 1e10)),
    "Abs": (sp.Abs, (-3, 0, 3)),
    "sign": (sp.sign, (-3, 0, 3)),
    "floor": (sp.floor, (-1.5, 2, 1e30)),
    "ceiling": (sp.ceiling, (-1.5, 2, 1e30)),
    "Min": (lambda a: sp.Min(a, 1, y), (-3, 0.5, 3)),
    "Max": (lambda a: sp.Max(a, 1, y), (-3, 0.5, 3)),
    "cases": (lambda a: sp.Piecewise((a, sp.Or(a < 0, a >= 3)), (-(a**2), True)), (-3, 1, 3)),
    "not": (lambda a: sp.Piecewise((1, sp.Ne(a, 2)), (0, True)), (1, 2)),
    "numbers": (lambda a: a * (sp.pi + sp.E + sp.EulerGamma + sp.GoldenRatio), (1.0,)),
    "fractions": (lambda a: a + sp.Rational(10**40 + 1, 3 * 10**40), (0.5,)),
}


@pytest.mark.parametrize("name", SINGLE)
def test_each_function_against_thirty_digits(name):
    make, points = SINGLE[name]
    expr = make(x)
    compiled = compile_expression(expr, (x, y))
    expected = [float(exact(expr, (point, 2, 1))) for point in points]
    found = compiled(points, 2.0)
    np.testing.assert_allclose(found, expected, rtol=5e-14, atol=0)
    assert isinstance(compiled(points[-1], 2.0), float)


def test_arguments_broadcast():
    compiled = compile_expression("x + 2*y", ("x", "y"))
    found = compiled([[1.0], [2.0]], [10, 20, 30])
    np.testing.assert_array_equal(found, [[21, 41, 61], [22, 42, 62]])
    assert compiled([], 1.0).shape == (0,)
    assert compile_expression("1/4", ())() == 0.25


def test_equal_formulas_are_compiled_once():
    one = compile_expression(alpha * x + 1, (x, alpha))
    assert compile_expression(1 + x * alpha, [x, "alpha"]) is one
    assert compile_expression(alpha * x + 1, (alpha, x)) is not one
    assert compile_expression("2*α", "alpha") is compile_expression("alpha + alpha", "alpha")
    assert one.args == ("x", "alpha")
    assert "CompiledExpression" in repr(one)
    assert isinstance(one, CompiledExpression)


def test_names_that_python_would_not_take():
    lam, strange = sp.Symbol("lambda"), sp.Symbol("a strange name")
    assert compile_expression(lam + 2 * strange, (lam, strange))(1, 2) == 5
    own = sp.symbols("x0 x1 exp")  # those of what is shared between parts, and of a function
    expr = sp.exp(own[0] + own[1]) + sp.sqrt(own[0] + own[1]) + own[2]
    assert compile_expression(expr, own)(1, 2, 3) == pytest.approx(
        math.exp(3) + math.sqrt(3) + 3, rel=1e-15
    )


@pytest.mark.skipif(not _jit.JIT, reason="no kernels are compiled")
def test_kernels_call_the_kernel():
    import numba

    kernel = compile_expression(x**2 + y, (x, y)).kernel

    @numba.njit
    def total(n):
        found = 0.0
        for i in range(n):
            found += kernel(float(i), 1.0)
        return found

    assert total(4) == 18.0
    assert math.isnan(compile_expression(sp.log(x), x).kernel(-1.0))


_PROBE = """
import json, sympy as sp
from scalinglaws.errors import DomainError
from scalinglaws.solvers.expressions import compile_expression
x, y = sp.symbols("x y")
expr = sp.Piecewise((sp.log(x), x > 0), (sp.Max(x, sp.floor(y)) ** 3, True)) + sp.erf(y) / (1 + sp.exp(x))
found = list(compile_expression(expr, (x, y))([-1.5, 0.25, 3.0, 700.0], [0.5, -2.5, 1.0, 2.0]))
for bad, at in ((sp.log(x), -1), (1 / x, 0), (sp.exp(x), 1000), (sp.gamma(x), -2), (sp.sqrt(x), -1), (x**y, -8)):
    try:
        compile_expression(bad, (x, y))(at, 1 / 3)
    except DomainError as failure:
        found.append(str(failure))
print(json.dumps(found))
"""


def test_switching_compilation_off_changes_nothing():
    compiled, plain = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", _PROBE],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "SCALINGLAWS_JIT": jit},
            ).stdout
        )
        for jit in "10"
    )
    assert compiled[:4] == pytest.approx(plain[:4], rel=1e-15)
    assert len(compiled) == 10
    assert compiled[4:] == plain[4:]


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        (sp.zeta(x), "zeta is no real arithmetic and none of Abs, acos"),
        (sp.besselj(1, x), "besselj"),
        (sp.Function("f")(x), "f is no real arithmetic"),
        (sp.Integral(x, (x, 0, 1)), "Integral"),
        (sp.Sum(x, (y, 1, 3)), "Sum"),
        (sp.Derivative(sp.Function("f")(x), x), "Derivative"),
        (sp.I * x, "I is no real"),
        (sp.oo * x + sp.oo, "oo is no real"),
        (sp.nan, "nan is no real"),
        (sp.zoo, "zoo is no real"),
        (sp.Heaviside(x), "Heaviside"),
        (sp.factorial(x), "factorial"),
        (sp.Integer(10) ** 400 * x, "too large for a float: 1000"),
        (x + sp.Rational(1, 10**400), "too small for a float: 1/1000"),
        (sp.Matrix([x]), "must be a SymPy expression"),
        (x < y, "must be a SymPy expression"),
        (3.0, "must be a SymPy expression"),
        ("import os", "is not a formula"),
        ("__import__('os')", "is not allowed"),
        ("sin(x)", "is not allowed"),
        (sp.Add(*(x**k for k in range(2, 2000))), "at most 2000 are compiled"),
    ],
)
def test_what_is_not_compiled_is_named(expr, words):
    with pytest.raises(DomainError, match=words) as refusal:
        compile_expression(expr, (x, y))
    assert refusal.value.argument == "expr"


def test_what_is_nested_too_deeply():
    expr = x
    for _ in range(250):
        expr = sp.sin(expr, evaluate=False)
    with pytest.raises(DomainError, match="nested too deeply"):
        compile_expression(expr, x)


@pytest.mark.parametrize(
    ("expr", "args", "words"),
    [
        (x + y, x, "missing: y"),
        (x + y, (), "missing: x, y"),
        ("x + y", ["x"], "missing: y"),
        (x, (x, "x"), "appears twice"),
        (x, 3, "list of symbols or names"),
        (x, [3], r"args\[0\] = 3 must be a symbol or a name"),
        (x, {"x": 1}, "list of symbols"),
        (x, [""], "must be a symbol or a name"),
        (alpha + sp.Symbol("alpha"), ["alpha"], "differ in assumptions"),
    ],
)
def test_arguments_that_do_not_fit(expr, args, words):
    with pytest.raises(DomainError, match=words) as refusal:
        compile_expression(expr, args)
    assert refusal.value.argument == "args"


@pytest.mark.parametrize(
    ("expr", "given", "argument", "words"),
    [
        (sp.log(x), ([1.0, -1.0],), "expr", r"log\(x\) is not a finite real number at x = -1.0"),
        (1 / x, (0,), "expr", "at x = 0.0"),
        (sp.Piecewise((1, x > 0)), (-1,), "expr", "at x = -1.0"),
        (sp.loggamma(x), (-0.5,), "expr", "not a finite"),
        (sp.Max(sp.sqrt(x), 1), (-1,), "expr", "not a finite"),
        (sp.Min(1, sp.sqrt(x)), (-1,), "expr", "not a finite"),
        (x, (), "values", r"as the arguments of the formula, 1 \(x\); got 0"),
        (x, (1, 2), "values", "got 2"),
        (x, (math.nan,), "x", "finite"),
        (x, ("1",), "x", "number"),
    ],
)
def test_values_that_do_not_fit(expr, given, argument, words):
    with pytest.raises(DomainError, match=words) as refusal:
        compile_expression(expr, x)(*given)
    assert refusal.value.argument == argument


def test_importing_it_loads_no_sympy():
    probe = "import scalinglaws.solvers.expressions, sys; print('sympy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
