"""An error that saturates at random guessing: printed values, limits, what cannot be told apart."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory.empirical import Envelope, derive_envelope


def test_printed_errors_in_the_gauge_of_the_law(reference):
    law, entry = theory.law("empirical.rosenfeld"), reference("empirical")["rosenfeld"]
    given = dict(entry["parameters"])
    for name in ("A", "B", "c_inf"):
        given[name] *= given["epsilon_0"] / entry["eta"]
    for point, printed in entry["points"]:
        assert law.evaluate("loss", **given, **point) == pytest.approx(printed, rel=1e-9)


def test_a_common_factor_of_small_error_and_saturation_cannot_be_told():
    e, eta, guess, factor = sp.symbols("e eta guess factor", positive=True)
    envelope = guess * e / sp.sqrt(e**2 + eta**2)
    scaled = envelope.subs({e: factor * e, eta: factor * eta}, simultaneous=True)
    assert sp.simplify(scaled - envelope) == 0


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


def test_another_envelope():
    size = sp.Symbol("m", positive=True)
    other = derive_envelope(
        Envelope(small=size ** -sp.Rational(1, 2) + sp.Rational(1, 10), scale=size, box={})
    )
    assert other.expr == sp.Rational(1, 2)
