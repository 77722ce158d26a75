"""Losses whose exponent changes: three laws that are one, slopes, breaks of either sign, what one curve can tell."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.empirical import (
    BrokenPower,
    P,
    ThreeRegions,
    derive_broken,
    derive_regions,
    x,
)
from scalinglaws.theory.perceptron import NormLimited, derive_norm

BREAKS = ("no_break", "one_break", "two_breaks", "three_breaks")


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


def test_perceptron_three_regions_and_one_break_are_one_law():
    """In symbols: each is turned into the next by its map of parameters, and the difference is zero."""
    q1, k1, k2, q2, g1, g2 = sp.symbols("q_1 k_1 k_2 q_2 gamma_1 gamma_2", positive=True)
    plateau = q1 + k1 * q2**-g1
    start = (q2 / k2) ** (1 / g2)
    regions = theory.law("empirical.three_region").forms["loss"].expr
    names = {str(symbol): symbol for symbol in regions.free_symbols}
    meaning = {"E": q1, "L_0": plateau, "x_0": start, "s": g2, "gamma": g1 * g2, "x": P}
    regions = regions.subs({names[key]: value for key, value in meaning.items()}, simultaneous=True)
    broken = theory.law("empirical.bnsl").forms["loss"].expr
    names = {str(symbol): symbol for symbol in broken.free_symbols}
    meaning = {"a": q1, "b": k1 * q2**-g1, "c_0": 0, "c_1": g1 * g2, "d_1": start, "f_1": 1 / g2}
    meaning["x"] = P
    broken = broken.subs({names[key]: value for key, value in meaning.items()}, simultaneous=True)
    perceptron = theory.law("empirical.perceptron").forms["loss"].expr
    assert sp.simplify(regions - broken) == 0
    for other in (regions, broken):
        assert sp.powsimp(sp.expand_power_base(other - perceptron, force=True), force=True).equals(
            0
        )


def test_perceptron_three_regions_and_one_break_agree_in_numbers():
    samples = np.logspace(0, 12, 60)
    k1, g1, k2, g2, q2, q1 = 0.8, 0.6, 0.5, 0.9, 3.0, 0.01
    start, height = (q2 / k2) ** (1 / g2), k1 * q2**-g1
    perceptron = theory.law("empirical.perceptron").evaluate(
        "loss", P=samples, k_1=k1, gamma_1=g1, k_2=k2, gamma_2=g2, q_2=q2, q_1=q1
    )
    regions = theory.law("empirical.three_region").evaluate(
        "loss", x=samples, E=q1, L_0=q1 + height, x_0=start, s=g2, gamma=g1 * g2
    )
    broken = theory.law("empirical.bnsl").evaluate(
        "loss", x=samples, a=q1, b=height, c_0=0, c_1=g1 * g2, d_1=start, f_1=1 / g2
    )
    np.testing.assert_allclose(regions, perceptron, rtol=2e-15)
    np.testing.assert_allclose(broken, perceptron, rtol=2e-15)


def test_one_curve_tells_five_of_the_perceptrons_six_parameters():
    law = theory.law("empirical.perceptron")
    loss = law.forms["loss"].expr
    names = [name for name in sorted(loss.free_symbols, key=str) if name != P]
    assert len(names) == 6
    point = dict(
        zip(names, map(sp.Rational, ("0.6", "0.9", "0.8", "0.5", "0.01", "3")), strict=True)
    )
    rows = [
        [sp.N(sp.diff(loss, name).subs(point).subs(P, 3**k), 60) for name in names]
        for k in range(8)
    ]
    jacobian = np.array(rows, dtype=float)
    singular = np.linalg.svd(jacobian / np.linalg.norm(jacobian, axis=0), compute_uv=False)
    assert singular[5] / singular[0] < 1e-15
    assert singular[4] / singular[0] > 1e-5


@pytest.mark.parametrize("notation", BREAKS)
def test_every_number_of_breaks(notation):
    law = theory.law("empirical.bnsl").in_notation(notation)
    assert law.derivation.refused(seed=4) is None
    breaks = BREAKS.index(notation)
    given = {"b": 2.0, "c_0": 0.1}
    for i in range(1, breaks + 1):
        given |= {f"c_{i}": (-0.05, 0.3, -0.1)[i - 1], f"d_{i}": 10.0 ** (2 * i), f"f_{i}": 0.3}
    assert {"b", "c_0"} <= set(law.symbols) == set(given)
    changes = [value for name, value in given.items() if name.startswith("c_")]
    assert law(**given) == pytest.approx(sum(changes), abs=1e-15)
    far = 1e14
    excess = law.evaluate("loss", x=far, a=0.0, **given)
    assert excess == pytest.approx(law.asymptote(far, **given), rel=1e-9)
    h, sizes = 1e-4, np.array([3.0, 1e2, 3e3, 1e4, 1e6, 1e9])
    losses = [law.evaluate("loss", x=sizes * np.exp(k * h), a=0.3, **given) for k in (-1, 1)]
    slope = -(np.log(losses[1]) - np.log(losses[0])) / (2 * h)
    found = law.evaluate("apparent_exponent", x=sizes, a=0.3, **given)
    np.testing.assert_allclose(found, slope, rtol=1e-5, atol=1e-9)


def test_exponents_of_breaks_may_have_either_sign_but_not_their_sum():
    law = theory.law("empirical.bnsl").in_notation("two_breaks")
    assert law(
        c_0=sp.Rational(1, 10), c_1=sp.Rational(2, 5), c_2=-sp.Rational(1, 5)
    ) == sp.Rational(3, 10)
    found = law(c_0=np.array([0.0, 0.1]), c_1=0.4, c_2=-0.2)
    np.testing.assert_allclose(found, [0.2, 0.3])
    with pytest.raises(DomainError, match=r"holds for c_0 \+ c_1 \+ c_2 > 0"):
        law(c_0=0, c_1=0.1, c_2=-0.2)
    with pytest.raises(DomainError, match="f_1 > 0"):
        law(c_0=0.1, c_1=0.1, c_2=0.1, f_1=-1)
    with pytest.raises(DomainError, match="d_1 = -1.0 must be > 0"):
        law.evaluate("loss", x=1, a=0, b=1, c_0=0, c_1=1, c_2=-0.2, d_1=-1, f_1=1, d_2=1, f_2=1)


def test_apparent_exponent_of_three_regions():
    law = theory.law("empirical.three_region")
    given = {"E": 0.02, "L_0": 1.0, "x_0": 30.0, "gamma": 0.5, "s": 1.7}
    h, sizes = 1e-4, np.array([1e-2, 1.0, 30.0, 1e3, 1e7])
    losses = [law.evaluate("loss", x=sizes * np.exp(k * h), **given) for k in (-1, 1)]
    slope = -(np.log(losses[1]) - np.log(losses[0])) / (2 * h)
    found = law.evaluate("apparent_exponent", x=sizes, **given)
    np.testing.assert_allclose(found, slope, rtol=1e-5, atol=1e-10)
    # one crossover as sharp as a step: powers of 1e300 and more on both of its sides
    sharp = law.evaluate("apparent_exponent", x=sizes, **(given | {"s": 80.0, "E": 0.0}))
    np.testing.assert_allclose(sharp, [0, 0, 0.25, 0.5, 0.5], atol=1e-12)
    share = (law.evaluate("loss", x=1e9, **given) - 0.02) / 0.98
    assert share == pytest.approx(law.asymptote(1e9, gamma=0.5, x_0=30.0), rel=1e-7)


def test_parts_of_a_formula_may_be_too_large_for_a_float():
    """A sharp crossover: (x/x_0)^s overflows long before the loss is anything but a power of x."""
    law = theory.law("empirical.three_region")
    given = {"E": 0.0, "L_0": 1.0, "x_0": 30.0, "gamma": 0.5, "s": 80.0}
    sizes = np.array([1e-2, 1e3, 1e7])
    np.testing.assert_allclose(
        law.evaluate("loss", x=sizes, **given),
        [1, (30 / 1e3) ** 0.5, (30 / 1e7) ** 0.5],
        rtol=1e-14,
    )
    broken = theory.law("empirical.bnsl")
    given = {"a": 0.0, "b": 1.0, "c_0": 0.2, "c_1": -0.1, "d_1": 10.0, "f_1": 0.01}
    found = broken.evaluate("loss", x=1e9, **given)
    assert found == pytest.approx(1e9**-0.2 * 1e8**0.1, rel=1e-14)
    assert isinstance(found, float)
    with pytest.raises(DomainError, match="no finite value"):
        theory.law("empirical.power").evaluate("loss", x=1e-300, c=1.0, gamma=2.0)


def test_a_plateau_below_the_offset_is_refused():
    law = theory.law("empirical.three_region")
    given = {"E": 0.5, "x_0": 30.0, "gamma": 0.5, "s": 1.0}
    for form in ("loss", "apparent_exponent"):
        with pytest.raises(DomainError, match=f"{form}: L_0 must exceed E; got x = 1"):
            law.evaluate(form, x=1.0, L_0=0.4, **given)
    (entry,) = (e for e in law.evaluations(x=2.0, L_0=0.4, **given) if e.name == "loss")
    assert (entry.value, entry.note) == (None, "L_0 must exceed E = 0.5")


def test_other_models():
    three = sp.Rational(3)
    norm = derive_norm(NormLimited(norm=sp.sqrt(P) + 1, exponent=three, box={}))
    assert norm.expr == sp.Rational(3, 2)
    assert norm.derivation.refused() is None
    with pytest.raises(DomainError, match="must grow"):
        derive_norm(NormLimited(norm=1 / P + 1, box={}))
    half = sp.Rational(1, 2)
    regions = derive_regions(
        ThreeRegions(half, sp.Integer(20), sp.Integer(2), sp.Integer(3), sp.Integer(1), box={})
    )
    assert regions.derivation.refused() is None
    assert regions.forms["loss"].expr.subs(x, 0) == 3
    assert derive_broken(BrokenPower(0)).forms["loss"].expr.subs(x, 1).is_Add
    for breaks in (-1, 4, 1.5, True):
        with pytest.raises(DomainError, match="breaks"):
            BrokenPower(breaks)
