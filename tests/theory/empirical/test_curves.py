"""Powers of one scale, with a correction and above an offset: apparent exponents against slopes, other models."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory.empirical import (
    CorrectedPower,
    PowerOffset,
    derive_offset,
    derive_power,
    x,
)


def test_hestness_apparent_exponent():
    law = theory.law("empirical.hestness")
    size, h = 1e3, 1e-4
    losses = [law.evaluate("loss", x=size * np.exp(k * h), c=5, gamma=0.35, E=1.7) for k in (-1, 1)]
    slope = -np.diff(np.log(losses))[0] / (2 * h)
    assert law.evaluate("apparent_exponent", x=size, c=5, gamma=0.35, E=1.7) == pytest.approx(
        slope, rel=1e-6
    )


@pytest.mark.parametrize("u", [-3.0, 0.0, 5.0])
def test_a_correction_changes_the_apparent_exponent(u):
    law = theory.law("empirical.power")
    size, h = 40.0, 1e-4
    given = {"gamma": 0.4, "omega": 0.7, "u": u}
    losses = [law.evaluate("corrected", x=size * np.exp(k * h), c=5, **given) for k in (-1, 1)]
    slope = -np.diff(np.log(losses))[0] / (2 * h)
    found = law.evaluate("apparent_exponent", x=size, **given)
    assert found == pytest.approx(slope, rel=1e-6)
    correction = u * size**-0.7
    assert found == pytest.approx(0.4 + 0.7 * correction / (1 + correction), rel=1e-14)


def test_a_plain_power():
    law = theory.law("empirical.power")
    assert law(gamma=sp.Rational(1, 3)) == sp.Rational(1, 3)
    assert law.evaluate("loss", x=1e4, c=3, gamma=0.25) == pytest.approx(0.3, rel=1e-14)
    assert law.asymptote(1e4, c=3, gamma=0.25) == pytest.approx(0.3, rel=1e-14)
    without = theory.law("empirical.hestness").evaluate("loss", x=1e4, c=3, gamma=0.25, E=0)
    assert without == pytest.approx(0.3, rel=1e-14)


def test_other_models():
    other = derive_power(CorrectedPower(7 * x ** -sp.Rational(1, 3), -2 / x, box={}))
    assert other.expr == sp.Rational(1, 3)
    assert other.derivation.refused() is None
    offset = derive_offset(PowerOffset(loss=2 + 7 * x ** -sp.Rational(1, 3), box={}))
    assert offset.expr == sp.Rational(1, 3)
    assert offset.derivation.refused() is None
