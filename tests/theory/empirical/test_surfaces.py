"""Losses of model size and data: printed values, exact optima against minimization, limits, and other costs."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.empirical import (
    AdditiveLoss,
    C,
    D,
    N,
    NestedLoss,
    derive_frontier,
    derive_nested,
)


@pytest.fixture(scope="module")
def table(reference):
    return reference("empirical")


def test_printed_losses(table):
    for entry in table["losses"]:
        law = theory.law(entry["law"])
        if "notation" in entry:
            law = law.in_notation(entry["notation"])
        for point, printed in entry["points"]:
            assert law.evaluate(entry["form"], **entry["parameters"], **point) == pytest.approx(
                printed, rel=1e-9
            )


def test_printed_optima(table):
    law = theory.law("empirical.chinchilla")
    for entry in table["optima"]:
        given = entry["parameters"]
        bare = {key: value for key, value in given.items() if key != "E"}
        for compute, model, data, loss in entry["points"]:
            assert law.evaluate("N", C=compute, **bare) == pytest.approx(model, rel=1e-8)
            assert law.evaluate("D", C=compute, **bare) == pytest.approx(data, rel=1e-8)
            assert law.evaluate("frontier", C=compute, **given) == pytest.approx(loss, rel=1e-8)
        for loss, compute in entry["compute"]:
            assert law.evaluate("compute", L=loss, **given) == pytest.approx(compute, rel=1e-8)
        for ratio, extra, multiplier in entry["detours"]:
            compute = 1e23
            size = ratio * law.evaluate("N", C=compute, **bare)
            gap = law.evaluate("isoflop", N=size, C=compute, **given) - law.evaluate(
                "frontier", C=compute, **given
            )
            assert gap == pytest.approx(extra, rel=1e-7)
            assert law.evaluate(
                "multiplier", ratio=ratio, a=given["a"], b=given["b"]
            ) == pytest.approx(multiplier, rel=1e-8)


def test_printed_kaplan_optimum(table):
    law = theory.law("empirical.kaplan")
    entry = table["kaplan_optimum"]
    for name in ("N", "D", "frontier"):
        assert law.evaluate(name, C=entry["C"], **entry["parameters"]) == pytest.approx(
            entry[name], rel=1e-9
        )


def test_printed_optimum_of_a_power_of_the_surface(table):
    law = theory.law("empirical.surface_power")
    entry = table["surface_power_optimum"]
    given = entry["parameters"]
    for name in ("N", "D", "frontier"):
        needed = {str(symbol) for symbol in law.forms[name].expr.free_symbols} - {"C"}
        found = law.evaluate(name, C=entry["C"], **{key: given[key] for key in needed})
        assert found == pytest.approx(entry[name], rel=1e-9)
    reached = law.evaluate("compute", L=law.evaluate("frontier", C=entry["C"], **given), **given)
    assert reached == pytest.approx(entry["C"], rel=1e-9)


def test_printed_compute_multipliers(table):
    law, entry = theory.law("empirical.chinchilla"), table["multipliers"]
    for candidate in entry["candidates"]:
        for compute, printed in candidate["points"]:
            loss = law.evaluate("frontier", C=compute, **entry["reference"])
            found = law.evaluate("compute", L=loss, **candidate["parameters"]) / compute
            assert found == pytest.approx(printed, rel=1e-9)


def test_exponents_and_standing():
    a, b = sp.symbols("a b", positive=True)
    assert sp.cancel(theory.law("empirical.chinchilla").expr - a * b / (a + b)) == 0
    a_n, a_d = sp.symbols("a_N a_D", positive=True)
    assert sp.cancel(theory.law("empirical.kaplan").expr - a_n * a_d / (a_n + a_d)) == 0
    for name in theory.laws():
        fitted = name.startswith("empirical.") or name == "perceptron.composite"
        assert (theory.law(name).standing == "ansatz") == fitted
        if fitted:
            assert "assumed" in " ".join(
                entry.reason for entry in theory.law(name).derivation.steps
            )
            assert "ansatz" in theory.law(name).explain()


@given(
    st.floats(0.15, 1.2),
    st.floats(0.15, 1.2),
    st.floats(1, 100),
    st.floats(1, 100),
    st.floats(8, 24),
)
def test_frontier_is_the_minimum(a, b, amplitude, other, decade):
    law, compute = theory.law("empirical.chinchilla"), 10**decade
    given = {"a": a, "b": b, "A": amplitude, "B": other}
    curve = minimize_scalar(
        lambda u: law.evaluate("isoflop", N=np.exp(u), C=compute, E=1.0, **given),
        bounds=(0, 60),
        method="bounded",
    )
    assert law.evaluate("frontier", C=compute, E=1.0, **given) <= curve.fun * (1 + 1e-12)
    assert law.evaluate("frontier", C=compute, E=0.0, **given) == pytest.approx(
        law.asymptote(compute, **given), rel=1e-9
    )
    # the shape of an isoFLOP curve: third over second derivative is b - a
    best, h = np.log(law.evaluate("N", C=compute, **given)), 1e-2
    values = [
        law.evaluate("isoflop", N=np.exp(best + k * h), C=compute, E=0.0, **given)
        for k in (-2, -1, 0, 1, 2)
    ]
    second = (values[1] - 2 * values[2] + values[3]) / h**2
    assert second == pytest.approx(a * b * values[2], rel=1e-3)


# -- other models ---------------------------------------------------------------------------------------------------------


def test_a_cost_that_is_not_shipped():
    found = derive_frontier(AdditiveLoss(budget=(N**2 * D, C)))
    assert found.derivation.refused() is None
    values = {"a": 0.4, "b": 0.3, "A": 3.0, "B": 5.0}
    law_loss = sp.lambdify(
        sp.symbols("a b A B C", positive=True),
        found.forms["frontier"].expr.subs(sp.Symbol("E", nonnegative=True), 0),
    )
    for compute in (1e12, 1e15):
        best = minimize_scalar(
            lambda u, c=compute: 3 * np.exp(-0.4 * u) + 5 * (c * np.exp(-2 * u)) ** -0.3,
            bounds=(0, 30),
            method="bounded",
        )
        assert law_loss(*values.values(), compute) == pytest.approx(best.fun, rel=1e-9)


def test_other_models_of_every_kind():
    assert derive_nested(NestedLoss(budget=(N * D, C))).derivation.refused() is None
    squared = derive_nested(
        NestedLoss(power=sp.Integer(2), offset=sp.Integer(3), budget=(N**2 * D, C))
    )
    assert squared.derivation.refused() is None
    assert squared.forms["frontier"].expr.subs(C, sp.oo) == 3
    with pytest.raises(DomainError, match="must be two"):
        derive_frontier(
            AdditiveLoss(terms={"model": 1 / N, "data": 1 / D, "time": 1 / (N * D)}, box={})
        )


def test_values_are_checked_at_the_door():
    law = theory.law("empirical.chinchilla")
    given = {"a": 0.3, "b": 0.4, "A": 400.0, "B": 400.0}
    with pytest.raises(
        DomainError,
        match="unknown formula of empirical.chinchilla 'isoflops'; did you mean 'isoflop'",
    ):
        law.evaluate("isoflops", **given)
    with pytest.raises(DomainError, match="needs C"):
        law.evaluate("N", **given)
    with pytest.raises(DomainError, match="N = -1.0 must be > 0 and finite"):
        law.evaluate("loss", N=-1, D=1, E=0, **given)
    with pytest.raises(DomainError, match="no finite value"):
        law.evaluate("compute", L=1.0, E=2.0, **given)
    with pytest.raises(DomainError, match="did you mean"):
        law.evaluate("loss", N=1, D=1, EE=0, **given)
    with pytest.raises(DomainError, match="must be a number or an array of numbers"):
        law.evaluate("loss", N="big", D=1, E=0, **given)
    assert law.evaluate("N", C=np.array([1e20, 1e21]), **given).shape == (2,)


# -- a power of the surface -------------------------------------------------------------------------------------------------

A, B, a, b, c, ratio = sp.symbols("A B a b c ratio", positive=True)
E = sp.Symbol("E", nonnegative=True)


def same(one, two):
    """Compare two formulas of positive symbols: identically where powers combine, and else to 30 digits at three points."""
    names = sorted(one.free_symbols | two.free_symbols, key=str)
    for shift in (1, 2, 3):
        point = {
            name: sp.Rational(2 * place + shift, 3 + shift) for place, name in enumerate(names, 1)
        }
        values = [sp.N(expr.subs(point), 40) for expr in (one, two)]
        if abs(values[0] / values[1] - 1) > sp.Float(10) ** -30:
            return False
    return True


def test_at_power_one_it_is_chinchilla():
    law, other = theory.law("empirical.surface_power"), theory.law("empirical.chinchilla")
    assert sp.simplify(law.expr.subs(c, 1) - other.expr) == 0
    assert same(law.constant.subs(c, 1), other.constant)
    assert law.forms.keys() == other.forms.keys()
    for name, form in law.forms.items():
        reached = form.expr.subs(c, 1)
        assert reached.free_symbols == other.forms[name].expr.free_symbols
        assert same(reached.subs(E, 0), other.forms[name].expr.subs(E, 0)), name
    assert law.forms["loss"].expr.subs(c, 1) == other.forms["loss"].expr


def test_without_offset_and_at_unit_data_exponent_it_is_kaplan():
    law, other = theory.law("empirical.surface_power"), theory.law("empirical.kaplan")
    a_n, a_d, n_c, d_c = sp.symbols("a_N a_D N_c D_c", positive=True)
    meaning = {E: 0, b: 1, c: a_d, a: a_n / a_d, A: n_c ** (a_n / a_d), B: d_c}
    assert sp.simplify(law.expr.subs(meaning) - other.expr) == 0
    assert same(law.constant.subs(meaning), other.constant)
    for name, form in other.forms.items():
        assert same(law.forms[name].expr.subs(meaning), form.expr), name


def test_the_optimum_in_the_letters_of_the_literature():
    law = theory.law("empirical.surface_power")
    size = (a * A / (b * B)) ** (1 / (a + b))
    spent, level = C / 6, sp.Symbol("L", positive=True)
    excess = (A * (a + b) / b * size**-a * spent ** (-a * b / (a + b))) ** c
    printed = {
        "N": size * spent ** (b / (a + b)),
        "D": spent ** (a / (a + b)) / size,
        "frontier": excess,
        "compute": 6 * (level ** (1 / c) * b * size**a / (A * (a + b))) ** (-(a + b) / (a * b)),
        "multiplier": ((b * ratio**-a + a * ratio**b) / (a + b)) ** ((a + b) / (a * b)),
    }
    for name, expr in printed.items():
        assert same(law.forms[name].expr.subs(E, 0), expr), name
    assert sp.simplify(law.expr - a * b * c / (a + b)) == 0


def test_curvature_of_an_isoflop_curve():
    law, u = theory.law("empirical.surface_power"), sp.Symbol("u", real=True)
    point = {a: sp.Rational(9, 20), b: sp.Rational(23, 50), c: sp.Rational(3, 4)}
    point |= {A: 4000, B: 20000, C: sp.Integer(10) ** 21, E: 0}
    curve = law.forms["isoflop"].expr.subs(N, law.forms["N"].expr * sp.exp(u)).subs(point)
    best = sp.N(law.forms["frontier"].expr.subs(point), 30)
    first, second, third = (sp.N(sp.diff(curve, u, k).subs(u, 0), 30) for k in (1, 2, 3))
    product = sp.prod([point[name] for name in (a, b, c)])
    assert abs(first / best) < 1e-25
    assert abs(second / (product * best) - 1) < 1e-25
    assert abs(third / (product * (point[b] - point[a]) * best) - 1) < 1e-25


@given(
    st.floats(0.15, 1.2),
    st.floats(0.15, 1.2),
    st.floats(0.1, 2.5),
    st.floats(8, 24),
)
def test_least_loss_of_a_power_of_the_surface_is_the_minimum(a, b, c, decade):
    law, compute = theory.law("empirical.surface_power"), 10**decade
    given = {"a": a, "b": b, "c": c, "A": 30.0, "B": 7.0, "E": 0.0}
    curve = minimize_scalar(
        lambda u: law.evaluate("isoflop", N=np.exp(u), C=compute, **given),
        bounds=(0, 60),
        method="bounded",
    )
    assert law.evaluate("frontier", C=compute, **given) <= curve.fun * (1 + 1e-12)
    # a model beside the optimum has the loss of the optimum at less compute
    size = 3 * law.evaluate(
        "N", C=compute, **{key: value for key, value in given.items() if key not in ("c", "E")}
    )
    loss = law.evaluate("isoflop", N=size, C=compute, **given)
    factor = law.evaluate("multiplier", ratio=3.0, a=a, b=b)
    assert law.evaluate("frontier", C=compute / factor, **given) == pytest.approx(loss, rel=1e-9)


def test_terms_that_do_not_balance_are_refused():
    with pytest.raises(DomainError, match="must be two that balance"):
        derive_nested(
            NestedLoss(terms={"model": 1 / N, "data": 1 / D, "time": 1 / (N * D)}, box={})
        )


def test_a_target_below_the_irreducible_loss_is_refused():
    law = theory.law("empirical.surface_power")
    given = {"a": 0.3, "b": 0.4, "A": 400.0, "B": 400.0, "c": 0.7}
    with pytest.raises(DomainError, match="no finite value"):
        law.evaluate("compute", L=1.0, E=2.0, **given)
    (found,) = (e for e in law.evaluations(L=1.0, E=2.0, **given) if e.name == "compute")
    assert found.note == "L must exceed E = 2"
