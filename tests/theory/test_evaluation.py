"""Every formula of every law at numbers."""

import warnings

import mpmath
import pytest
import sympy

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.evaluation import LEADING, symbols_of

_OUTSIDE = {  # where the middle of the box is outside a law's validity, or on none of its lines
    "feature_learning.bootstrap": {"beta": 0.5, "n": 2},
    "feature_learning.crossover": {"beta": 0.5},
    "feature_learning.sgd_excess": {"beta": 0.5},
    "feature_learning.window": {"beta": 0.5},
    "linear.early_stopping": {"beta": 0.5},
    "linear.phase_boundaries": {"alpha": 2, "beta": 1},
    "schedules.batch_ramp": {"u": 0.5},
    "schedules.optimal": {"beta": 0.5},
    "empirical.chinchilla": {"L": 4},
    "empirical.three_region": {"L_0": 4},
}


def point(law):
    """Return numbers for all symbols of a law: inside the box of its parameters, and else different sizes."""
    box = law.derivation.box
    values = {}
    for place, (name, symbol) in enumerate(symbols_of(law).items()):
        low, high = box.get(symbol, (1 + place / 5, 2 + place / 5))
        values[name] = round(0.4 * float(low) + 0.6 * float(high), 6)
    return values | {str(law.variable): 1e6} | _OUTSIDE.get(law.name, {})


@pytest.mark.parametrize("name", theory.laws())
def test_every_formula_of_every_law_has_a_value(name):
    law = theory.law(name)
    values = point(law)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {entry.name: entry for entry in law.evaluations(**values)}
    assert set(found) - {LEADING} == set(law.forms)
    for form, entry in found.items():
        if form == LEADING:
            known = law.branch(**{key: values[key] for key in law.symbols}).constant is not None
            assert (entry.value is not None) == known or "log" in entry.note, entry
            continue
        assert entry.value is not None, entry
        needed = {str(symbol) for symbol in law.forms[form].expr.free_symbols}
        other = law.evaluate(form, **{key: values[key] for key in needed})
        assert entry.value == pytest.approx(other, rel=1e-9)


def test_formulas_supply_each_other():
    law = theory.law("empirical.chinchilla")
    numbers = {"E": 1.69, "A": 406.4, "B": 410.7, "a": 0.34, "b": 0.28, "C": 5.76e23}
    found = {entry.name: entry for entry in law.evaluations(**numbers)}
    assert found["loss"].value == pytest.approx(found["frontier"].value, rel=1e-14)
    assert found["isoflop"].value == pytest.approx(found["frontier"].value, rel=1e-14)
    assert found[LEADING].value + 1.69 == pytest.approx(found["frontier"].value, rel=1e-14)
    assert found["compute"].note == "needs L; L must exceed E = 1.69"
    best = theory.allocate("A/N**a + B/D**b", "6*N*D = C").minimum(
        {key: value for key, value in numbers.items() if key != "E"}
    )
    assert found["N"].value == pytest.approx(best.scales[sympy.Symbol("N", positive=True)])
    lower = {entry.name: entry for entry in law.evaluations(**numbers, L=1.5)}
    assert lower["compute"].value is None
    assert lower["compute"].note == "L must exceed E = 1.69"
    inverse = {e.name: e for e in law.evaluations(**numbers, L=found["frontier"].value)}
    assert inverse["compute"].value == pytest.approx(5.76e23, rel=1e-10)
    given = {entry.name: entry for entry in law.evaluations(**numbers, N=1e9, D=1e9)}
    assert given["loss"].value == pytest.approx(1.69 + 406.4 * 1e9**-0.34 + 410.7 * 1e9**-0.28)


def test_digits_are_digits():
    law = theory.law("empirical.chinchilla")
    found = law.evaluations(digits=40, A=406.4, B=410.7, a=0.34, b=0.28, C=1e21)
    value = next(entry.value for entry in found if entry.name == "N")
    with mpmath.workdps(60):
        a, b = mpmath.mpf("0.34"), mpmath.mpf("0.28")
        ratio = a * mpmath.mpf("406.4") / (b * mpmath.mpf("410.7"))
        size = ratio ** (1 / (a + b)) * (mpmath.mpf(10) ** 21 / 6) ** (b / (a + b))
        assert abs(value / size - 1) < mpmath.mpf(10) ** -39
        data = theory.law("linear.time").evaluations(digits=40, alpha=2, beta=0.5, t=1000)
        exact = mpmath.gamma(0.5) / 2 * mpmath.mpf(2000) ** -0.5
        assert abs(data[0].value / exact - 1) < mpmath.mpf(10) ** -38


def test_other_notations_reach_the_formulas():
    law = theory.law("linear.time")
    (one,), (two,) = (
        law.evaluations(alpha=1.5, beta=0.5, t=1e4),
        law.in_notation("bordelon").evaluations(a=1.75, b=1.5, t=1e4),
    )
    assert one.value == pytest.approx(two.value, rel=1e-13)


def test_refusals():
    law = theory.law("empirical.chinchilla")
    with pytest.raises(DomainError, match="unknown parameter of empirical.chinchilla 'Q'"):
        law.evaluations(Q=1)
    with pytest.raises(DomainError, match="A = -1"):
        law.evaluations(A=-1)
    notes = {entry.name: entry.note for entry in law.evaluations(E=0, N=1e9)}
    assert notes["loss"] == "needs A, B, D, a, b"
