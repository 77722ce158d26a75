"""Exponents of curves with offsets, plateaus and bends; pilots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.verify import Comparison, Prediction, Rival
from scalinglaws.verify.estimate import (
    FORMS,
    curve_from_replicates,
    exponent_from_replicates,
    fit_exponent,
    measure,
    power_law_exponent,
    threshold_from_crossings,
)

X = np.geomspace(1, 1e4, 12)
CURVES = {
    "power": (3 * X**-0.7, {"exponent": 0.7, "amplitude": 3.0}),
    "offset": (0.2 + 3 * X**-0.7, {"exponent": 0.7, "amplitude": 3.0, "offset": 0.2}),
    "plateau": (2 * (1 + X / 30) ** -0.7, {"exponent": 0.7, "amplitude": 2.0, "bend": 30.0}),
    "three_region": (
        0.02 + 2 * (1 + X / 30) ** -0.7,
        {"exponent": 0.7, "amplitude": 2.0, "bend": 30.0, "offset": 0.02},
    ),
    "broken": (
        2 * X**-0.2 * (1 + X / 30) ** -0.7,
        {"exponent": 0.9, "early_exponent": 0.2, "amplitude": 2.0, "bend": 30.0},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_recovered(form):
    curve, expected = CURVES[form]
    found = fit_exponent(X, curve, form=form)
    assert found.parameters == pytest.approx(expected, rel=1e-6)
    assert found.residual < 1e-9


@pytest.mark.parametrize("form", ["offset", "plateau", "three_region", "broken"])
def test_the_optimum_is_that_of_a_general_optimizer(form):
    curve = CURVES[form][0]
    noisy = curve * np.exp(0.01 * np.random.default_rng(5).standard_normal(X.size))
    found = fit_exponent(X, noisy, form=form)

    def residuals(p):
        g, c = p[0], np.exp(p[1])
        bend, last = np.exp(p[2]), p[-1]
        model = {
            "offset": lambda: np.exp(last) + c * X**-g,
            "plateau": lambda: c * (1 + X / bend) ** -g,
            "three_region": lambda: np.exp(last) + c * (1 + X / bend) ** -g,
            "broken": lambda: c * X**-last * (1 + X / bend) ** -(g - last),
        }[form]()
        return np.log(model / noisy)

    start = {
        "offset": [0.6, 1.0, -1.5],
        "plateau": [0.6, 0.5, 3.0],
        "three_region": [0.6, 0.5, 3.0, -4.0],
        "broken": [0.8, 0.5, 3.0, 0.3],
    }[form]
    peer = optimize.least_squares(residuals, start, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.exponent == pytest.approx(peer.x[0], rel=1e-5)
    assert found.residual**2 * X.size <= 2 * peer.cost * (1 + 1e-9)
    covariance = np.linalg.inv(peer.jac.T @ peer.jac) * 2 * peer.cost / (X.size - len(start))
    assert found.exponent_se == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-3)


@given(
    st.floats(0.1, 2.5), st.floats(-3, 3), st.floats(-6, 6), st.floats(-4, 4)
)  # a change of units changes amplitudes and nothing else
def test_units_do_not_matter(g, log_offset, log_x, log_loss):
    curve = 1.0 * X**-g + 10.0 ** (log_offset - 2.5) * X.max() ** -g
    here = fit_exponent(X, curve, form="offset")
    there = fit_exponent(10**log_x * X, 10**log_loss * curve, form="offset")
    assert here.exponent == pytest.approx(g, rel=1e-5)
    assert there.exponent == pytest.approx(here.exponent, rel=1e-6)
    assert there.parameters["offset"] == pytest.approx(
        10**log_loss * here.parameters["offset"], rel=1e-4
    )


def test_rows_are_fitted_on_their_own():
    rows = np.array([CURVES["offset"][0], 5 * X**-0.3 + 0.1])
    found = fit_exponent(X, rows)
    assert found.exponent == pytest.approx([0.7, 0.3], rel=1e-6)
    assert found.exponent[1] == pytest.approx(fit_exponent(X, rows[1]).exponent, rel=1e-9)


def test_an_offset_that_is_not_there_vanishes():
    found = fit_exponent(X, 3 * X**-0.7, form="offset")
    assert found.exponent == pytest.approx(0.7, rel=1e-5)
    assert found.parameters["offset"] < 1e-5 * 3 * X.max() ** -0.7


def test_a_bare_slope_would_have_been_wrong():
    """What the parametric fit is for: an offset halves the slope that a window shows."""
    curve = 0.05 + X**-0.5
    assert power_law_exponent(X, curve) < 0.4
    rows = curve * np.exp(0.002 * np.random.default_rng(0).standard_normal((9, X.size)))
    measured = exponent_from_replicates(X, rows, method="test", form="offset")
    assert abs(measured.value - 0.5) < 3 * measured.se
    assert measured.se < 0.01


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (
            lambda: fit_exponent(X, CURVES["power"][0], form="cubic"),
            "form = 'cubic' must be 'power', 'offset', 'plateau', 'three_region' or 'broken'",
        ),
        (lambda: fit_exponent([1, 2], [1, 2], form="offset"), "needs as many different x"),
        (lambda: fit_exponent([0, 1, 2], [1, 2, 3]), "numbers, > 0 and finite"),
        (lambda: fit_exponent([1, 2, 3], [1, -2, 3]), "positive and finite"),
        (lambda: fit_exponent([1, 2, 3], [1, 2]), "one per x"),
        (
            lambda: measure(lambda r: [1.0], lambda rows: None, replicates=3, tolerance=1.0),
            "pilot = 4 must lie between",
        ),
        (
            lambda: measure(lambda r: [1.0], lambda rows: None, replicates=8, tolerance=0.0),
            "tolerance = 0.0 must be positive",
        ),
    ],
)
def test_parametric_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_a_window_that_cannot_tell_says_so():
    with pytest.raises(ConvergenceError, match="does not determine") as caught:
        fit_exponent(X, np.full(X.size, 2.0), form="plateau")  # a plateau without its end
    assert caught.value.result.form == "plateau"


def _numbers(spread, count=12):
    rng = np.random.default_rng(11)
    rows = 1 + spread * rng.standard_normal((count, 2))
    taken = []

    def simulate(r):
        taken.append(r)
        return rows[r]

    return simulate, taken


def test_a_pilot_is_part_of_the_measurement():
    simulate, taken = _numbers(0.02)
    found = measure(
        simulate,
        lambda rows: curve_from_replicates([1, 2], rows, method="m"),
        replicates=12,
        tolerance=0.1,
    )
    assert taken == list(range(12))
    assert found.n_rep == 12
    assert not found.underpowered


def test_a_hopeless_run_is_not_made():
    simulate, taken = _numbers(1.0)
    found = measure(
        simulate,
        lambda rows: curve_from_replicates([1, 2], rows, method="m"),
        replicates=12,
        tolerance=0.1,
    )
    assert taken == [0, 1, 2, 3]
    assert found.underpowered
    assert "12 replicates would not suffice" in found.method
    made = Comparison(
        "x",
        Prediction("x", "curve", np.ones(2), "s"),
        found,
        0.1,
        rival=Rival("r", np.full(2, 9.0)),
    )
    assert made.verdict == "underpowered"
    assert not made.as_expected
    assert Comparison(
        "x", made.prediction, found, 0.1, expect="inconclusive", expect_reason="known"
    ).as_expected


def test_pilots_rarely_refuse_what_would_have_passed():
    """At the standard error that the suite uses, a fifth of the tolerance, next to no pilot refuses."""
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(1000):
        rows = 1 + 0.2 * np.sqrt(12) * rng.standard_normal(12)
        refused += measure(
            lambda r, rows=rows: [rows[r]], lambda some: threshold_from_crossings(some[:, 0], method="m", window=(0.0, 1.0)),
            replicates=12, tolerance=1.0,
        ).underpowered  # fmt: skip
    assert refused <= 4
