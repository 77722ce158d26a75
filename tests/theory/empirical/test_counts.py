"""Counting without embeddings: printed exponents, straight lines through optima, limits, the minimum's condition."""

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.empirical import EmbeddedLoss, derive_reconciliation


@pytest.fixture(scope="module")
def table(reference):
    return reference("empirical")["counting"]


@pytest.fixture(scope="module")
def law():
    return theory.law("empirical.kaplan_reconciliation")


def exponents(table):
    given = table["parameters"]
    return {"a": given["a"], "b": given["b"], "omega": table["omega"]}


def test_printed_local_exponents(table, law):
    for size, printed in table["points"]:
        assert law(n=size, **exponents(table)) == pytest.approx(printed, abs=5.1e-7)
    size, printed = table["largest"]
    found = minimize_scalar(
        lambda u: -law(n=float(np.exp(u)), **exponents(table)),
        bounds=(np.log(1e5), np.log(1e8)),
        method="bounded",
    )
    assert -found.fun == pytest.approx(printed, abs=5.1e-7)
    assert np.exp(found.x) == pytest.approx(size, rel=3e-3)


def test_printed_lines_through_optima(table, law):
    low, high, count = table["sizes"]
    sizes = np.geomspace(low, high, count)
    for entry in table["regressions"]:
        given = {key: value for key, value in entry["parameters"].items() if key != "E"}
        compute = law.evaluate("compute", n=sizes, omega=table["omega"], **given)
        slope = np.polyfit(np.log(compute), np.log(sizes), 1)[0]
        assert slope == pytest.approx(entry["slope"], abs=5.1e-7)


def test_the_optimum_is_the_minimum_and_grows_as_the_exponent_says(table, law):
    given, omega = table["parameters"], table["omega"]
    bare = {key: value for key, value in given.items() if key != "E"}

    def best(compute):
        return minimize_scalar(
            lambda u: law.evaluate(
                "loss", n=np.exp(u), D=compute / 6 / np.exp(u), omega=omega, **given
            ),
            bounds=(np.log(1e3), np.log(1e12)),
            method="bounded",
            options={"xatol": 1e-9},
        ).x

    for size in (1e5, 1e8):
        compute = law.evaluate("compute", n=size, omega=omega, **bare)
        assert compute == pytest.approx(
            6 * size * law.evaluate("D", n=size, omega=omega, **bare), rel=1e-12
        )
        assert np.exp(best(compute)) == pytest.approx(size, rel=1e-5)
        growth = (best(compute * 1.1) - best(compute / 1.1)) / (2 * np.log(1.1))
        assert growth == pytest.approx(law(n=size, **exponents(table)), rel=3e-3)


def test_limits(law):
    a, b, n, omega = sp.symbols("a b n omega", positive=True)
    chinchilla = theory.law("empirical.chinchilla").forms["N"].expr
    budget = sp.Symbol("C", positive=True)
    growth = sp.simplify(budget * sp.diff(sp.log(chinchilla), budget))
    assert sp.simplify(growth - law.forms["all_parameters"].expr) == 0
    # embeddings are nothing in large models and all of small ones
    assert sp.simplify(sp.limit(law.expr.subs(omega, 1), n, sp.oo) - growth) == 0
    assert sp.simplify(sp.limit(law.expr.subs(omega, 1), n, 0, "+") - b / (b + a / 3)) == 0


def test_where_the_formula_is_no_minimum_it_is_refused(law):
    # with small exponents the loss against the size, at fixed compute, has a maximum there
    with pytest.raises(DomainError, match="holds for"):
        law(a=0.05, b=0.05, omega=47491, n=1e7)
    found = law(
        a=np.array([0.05, 0.3478]), b=np.array([0.05, 0.3658]), omega=47491, n=1e7, outside="mask"
    )
    assert found.mask.tolist() == [True, False]
    loss = [
        law.evaluate("loss", n=1e7 * k, D=D / k, a=0.05, b=0.05, A=10, B=10, E=0, omega=47491)
        for D in [law.evaluate("D", n=1e7, a=0.05, b=0.05, A=10, B=10, omega=47491)]
        for k in (0.9, 1.0, 1.1)
    ]
    assert loss[1] > max(loss[0], loss[2])


def test_another_count():
    n, h = sp.symbols("n h", positive=True)
    half = derive_reconciliation(
        EmbeddedLoss(
            total=n + h * sp.sqrt(n),
            box=EmbeddedLoss().box | {h: (1, 10)},
        )
    )
    assert half.derivation.refused(seed=2) is None
    plain = derive_reconciliation(EmbeddedLoss(total=2 * n))
    assert plain.derivation.refused(seed=2) is None
    assert plain.conditions == ()
