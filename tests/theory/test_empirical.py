"""Fitted formulas: printed values, exact optima against minimization, identities, and other costs."""

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
    Envelope,
    N,
    NestedLoss,
    NormLimited,
    P,
    PowerOffset,
    derive_envelope,
    derive_frontier,
    derive_nested,
    derive_norm,
    derive_offset,
    x,
)


@pytest.fixture(scope="module")
def table(reference):
    return reference("empirical")


def test_printed_losses(table):
    for entry in table["losses"]:
        law = theory.law(entry["law"])
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


def test_perceptron_is_a_three_region_law():
    law = theory.law("empirical.perceptron")
    given = {"k_1": 0.8, "gamma_1": 0.6, "k_2": 0.5, "gamma_2": 0.9, "q_2": 3.0, "q_1": 0.01}
    samples = np.logspace(0, 8, 30)
    direct = law.evaluate("loss", P=samples, **given)
    np.testing.assert_allclose(law.evaluate("three_region", P=samples, **given), direct, rtol=2e-15)
    assert (
        law.evaluate(
            "plateau",
            **{key: value for key, value in given.items() if key not in ("k_2", "gamma_2")},
        )
        > direct[0]
    )
    slope = -np.diff(np.log(law.evaluate("loss", P=np.array([1e13, 1e14]), **given) - 0.01))[
        0
    ] / np.log(10)
    assert slope == pytest.approx(float(law(gamma_1=0.6, gamma_2=0.9)), abs=1e-6)


def test_hestness_apparent_exponent():
    law = theory.law("empirical.hestness")
    size, h = 1e3, 1e-4
    losses = [law.evaluate("loss", x=size * np.exp(k * h), c=5, gamma=0.35, E=1.7) for k in (-1, 1)]
    slope = -np.diff(np.log(losses))[0] / (2 * h)
    assert law.evaluate("apparent_exponent", x=size, c=5, gamma=0.35, E=1.7) == pytest.approx(
        slope, rel=1e-6
    )


def test_rosenfeld_limits():
    law = theory.law("empirical.rosenfeld")
    given = {"A": 20, "alpha": 0.5, "B": 50, "beta": 0.6, "c_inf": 0.05}
    assert law.evaluate("loss", n=1e-12, m=1e-12, epsilon_0=0.9, **given) == pytest.approx(0.9)
    small = {**given, "c_inf": 1e-6}
    assert law.evaluate("loss", n=1e12, m=1e14, epsilon_0=0.9, **small) == pytest.approx(
        law.evaluate("small_error", n=1e12, m=1e14, **small), rel=1e-8
    )
    n = np.array([1e8, 1e9])
    rest = 50 * 1e4**-0.6 + 0.05
    excess = law.evaluate("loss", n=n, m=1e4, epsilon_0=0.9, **given) - law.evaluate(
        "loss", n=1e30, m=1e4, epsilon_0=0.9, **given
    )
    np.testing.assert_allclose(
        excess, law.asymptote(n, alpha=0.5, A=20, c_rest=rest, epsilon_0=0.9), rtol=5e-3
    )


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
    three = sp.Rational(3)
    assert derive_nested(NestedLoss(budget=(N * D, C))).derivation.refused() is None
    offset = derive_offset(PowerOffset(loss=2 + 7 * x ** -sp.Rational(1, 3), box={}))
    assert offset.expr == sp.Rational(1, 3)
    assert offset.derivation.refused() is None
    norm = derive_norm(NormLimited(norm=sp.sqrt(P) + 1, exponent=three, box={}))
    assert norm.expr == sp.Rational(3, 2)
    assert norm.derivation.refused() is None
    size = sp.Symbol("m", positive=True)
    other = derive_envelope(
        Envelope(small=size ** -sp.Rational(1, 2) + sp.Rational(1, 10), scale=size, box={})
    )
    assert other.expr == sp.Rational(1, 2)
    with pytest.raises(DomainError, match="must grow"):
        derive_norm(NormLimited(norm=1 / P + 1, box={}))
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
