"""Every step of every derivation is checked by machine, and a corrupted step is refused."""

from dataclasses import replace

import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.derivation import (
    DEFINITION,
    EQUAL,
    Derivation,
    Relation,
    asymptotic,
    balances,
    solves,
    step,
)

x, y, u, K = sp.symbols("x y u K", positive=True)
k = sp.Symbol("k", positive=True, integer=True)


@pytest.mark.parametrize("name", theory.laws())
def test_all_steps_hold(name):
    checks = theory.law(name).derivation.check(seed=1)
    assert [outcome.detail for outcome in checks if not outcome.passed] == []
    assert len(checks) >= 4


def _corrupted(derivation, index, factor):
    steps = list(derivation.steps)
    steps[index] = replace(
        steps[index], expr=sp.Eq(steps[index].quantity, factor * steps[index].value, evaluate=False)
    )
    return replace(derivation, steps=tuple(steps))


def _accepted(law, indices):
    """List the corruptions that go unnoticed: an exponent off by 1/7, in the variable that a step is about, and a factor 2."""
    accepted = []
    for index in indices:
        entry = law.derivation.steps[index]
        scale = next(
            (symbol for symbol in (K, law.variable) if symbol in entry.value.free_symbols),
            law.variable,
        )
        for factor in (2, scale ** sp.Rational(1, 7)):
            if _corrupted(law.derivation, index, factor).refused(start=index) is None:
                accepted.append((index + 1, str(entry.quantity), str(factor)))
    return accepted


@pytest.mark.parametrize("name", theory.laws())
def test_a_corrupted_step_of_each_relation_is_refused_and_a_corrupted_result(name):
    law = theory.law(name)
    last_of = {entry.relation.kind: index for index, entry in enumerate(law.derivation.steps)}
    assert _accepted(law, sorted({*last_of.values(), len(law.derivation.steps) - 1})) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", theory.laws())
def test_every_corrupted_step_is_refused(name):
    law = theory.law(name)
    assert _accepted(law, range(len(law.derivation.steps))) == []


def test_every_relation_has_a_checker_that_can_refuse():
    def outcome(*steps):
        return Derivation(tuple(steps)).refused()

    one = step(x, sp.Integer(3), DEFINITION, "")
    assert outcome(one, step(x, sp.Integer(3), EQUAL, "")) is None
    assert outcome(one, step(x, sp.Integer(4), EQUAL, "")) == 1
    assert (
        outcome(one, step(y, x**2 - 6, DEFINITION, ""), step(y, sp.Integer(3), EQUAL, "")) is None
    )
    assert outcome(one, one) == 1
    assert outcome(step(x, x + 1, DEFINITION, "")) == 0
    assert outcome(step(y, x, DEFINITION, ""), step(x, y, DEFINITION, "")) == 1
    assert (
        outcome(
            step(y, x, DEFINITION, ""), step(x, y + u - x, solves(sp.Eq(x, u, evaluate=False)), "")
        )
        == 1
    )
    assert outcome(step(x, sp.Integer(3), EQUAL, "")) == 0
    assert outcome(step(x, K, asymptotic(K), "")) == 0
    equation = sp.Eq(x**2, 4 * u, evaluate=False)
    assert outcome(step(x, 2 * sp.sqrt(u), solves(equation), "")) is None
    assert outcome(step(x, 3 * sp.sqrt(u), solves(equation), "")) == 0
    equal_terms = sp.Eq(1 / x, x**2 / u, evaluate=False)
    assert outcome(step(x, u ** sp.Rational(1, 3), balances(equal_terms), "")) is None
    assert outcome(step(x, u ** sp.Rational(1, 2), balances(equal_terms), "")) == 0


def test_asymptotic_steps_need_the_right_constant_power_and_logarithm():
    total = step(x, sp.Sum(1 / (1 + (k / K) ** 2), (k, 1, sp.oo)), DEFINITION, "")

    def accepted(leading):
        return Derivation((total, step(x, leading, asymptotic(K), ""))).refused() is None

    assert accepted(sp.pi * K / 2)
    assert not accepted(sp.pi * K / 2 * sp.Rational(101, 100))
    assert not accepted(sp.pi * K ** sp.Rational(101, 100) / 2)
    harmonic = step(
        x, sp.Sum(k**-3 * (k / K) ** 2 / (1 + (k / K) ** 2), (k, 1, sp.oo)), DEFINITION, ""
    )
    logarithm = Derivation((harmonic, step(x, sp.log(K) / K**2, asymptotic(K), "")))
    assert logarithm.refused() is None
    assert (
        Derivation(
            (harmonic, step(x, sp.Rational(11, 10) * sp.log(K) / K**2, asymptotic(K), ""))
        ).refused()
        == 1
    )


def test_points_lie_on_both_sides_of_a_boundary_and_on_it():
    beta = sp.Symbol("beta", positive=True)
    piecewise = sp.Piecewise((beta, beta < 1), (sp.Integer(1), True))
    good = Derivation(
        (step(x, sp.Min(beta, 1), DEFINITION, ""), step(x, piecewise, EQUAL, "")),
        box={beta: (0, 2)},
    )
    assert good.refused() is None
    wrong = sp.Piecewise((beta, beta < 1), (sp.Integer(2), True))
    assert replace(good, steps=(good.steps[0], step(x, wrong, EQUAL, ""))).refused() == 1


def test_relations_are_well_formed():
    for make in (
        lambda: Relation("obvious"),
        lambda: Relation("asymptotic"),
        lambda: Relation("equal", variable=K),
        lambda: Relation("solves"),
        lambda: Relation("definition", equation=sp.Eq(x, y)),
    ):
        with pytest.raises(DomainError):
            make()
    assert str(asymptotic(K)) == "asymptotic, K -> oo"
    assert str(solves(sp.Eq(x, y))) == "solves x = y"


@pytest.mark.parametrize(
    ("total", "complaint"),
    [
        (sp.Sum(k**-2, (k, 2, sp.oo)), "from 1 to infinity"),
        (sp.Sum(1 / k, (k, 1, sp.oo)), "does not converge"),
        (sp.Sum(sp.Heaviside(K - k) / k**2, (k, 1, sp.oo)), "has jumps"),
        (sp.log(-1 - K), "cannot be evaluated"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(total, complaint):
    steps = (step(x, total * K, DEFINITION, ""), step(x, 2 * K, asymptotic(K), ""))
    _, outcome = Derivation(steps).check()
    assert not outcome.passed
    assert complaint in outcome.detail


def test_a_box_without_valid_points_is_an_error():
    beta = sp.Symbol("beta", positive=True)
    steps = (step(x, beta, DEFINITION, ""), step(x, beta, EQUAL, ""))
    with pytest.raises(DomainError, match="no point with beta in"):
        Derivation(steps, (beta > 3,), {beta: (0, 2)}).check()
    assert Derivation(steps, (beta > 3,), {beta: (3, sp.Rational(31, 10))}).refused() is None
