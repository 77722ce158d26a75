"""The panel of the perceptron says what laws and solvers say."""

import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.explore.panels import panel
from scalinglaws.solvers import perceptron as solve

PANEL = panel("perceptron")


def test_numbers_are_those_of_the_library(ask):
    answer = ask.judged(PANEL, {"loss": "logistic", "alpha": 30.0, "norm": 4.0})
    best = solve.optimal_norm(30.0)
    expected = {
        "error": solve.fixed_norm(30.0, 4.0).error,
        "hebb": solve.hebb(30.0).error,
        "max_stability": solve.max_stability(30.0).error,
        "bayes": solve.bayes(30.0).error,
        "best_norm": best.norm,
        "best_error": best.error,
        "elbow": float(theory.law("perceptron.elbow").constant) * 30.0,
    }
    for name, value in expected.items():
        assert ask.number(answer, name) == value, name
    for name, law in {"gamma1": "gamma1", "gamma0": "hebb", "gamma2": "gamma2"}.items():
        assert ask.number(answer, name) == str(theory.law(f"perceptron.{law}")())


def test_curves_are_those_of_the_solvers(ask):
    answer = ask.judged(PANEL, {"loss": "logistic", "alpha": 30.0, "norm": 4.0})
    curve = ask.line(answer, "norm", "logistic loss")
    assert np.array_equal(curve.y, solve.fixed_norm(30.0, curve.x).error)
    curve = ask.line(answer, "samples", "logistic loss, this norm")
    assert np.array_equal(curve.y, solve.fixed_norm(curve.x, 4.0).error)


def test_the_elbow_is_where_the_law_puts_it_and_slopes_are_its_own(ask):
    answer = ask.judged(PANEL, {"loss": "logistic", "alpha": 1e4, "norm": 100.0})
    law, elbow = (theory.law(f"perceptron.{name}") for name in ("gamma1", "elbow"))
    marked = ask.line(answer, "norm", "elbow, by its law")
    assert marked.x[0] == pytest.approx(float(elbow.constant) * 1e4, rel=1e-14)
    early = ask.line(answer, "norm", "law: slope -1/2")
    slope = np.diff(np.log(early.y)) / np.diff(np.log(early.x))
    assert slope == pytest.approx(-float(law()), rel=1e-12)
    # at the elbow the early law reaches the least error
    assert marked.y[0] == pytest.approx(solve.optimal_norm(1e4).error, rel=1e-3)
    late = ask.line(answer, "samples", "law: slope -1/2")
    many = solve.fixed_norm(late.x[-1], 100.0).error
    assert late.y[-1] == pytest.approx(many, rel=0.01)


@pytest.mark.parametrize("loss", ["exponential", "hinge"])
def test_other_losses_have_their_own_amplitude(ask, loss):
    answer = ask.judged(PANEL, {"loss": loss, "alpha": 1e6, "norm": 100.0})
    assert ask.number(answer, "gamma1") == "1/2"
    assert ask.number(answer, "error") == solve.fixed_norm(1e6, 100.0, loss).error
    early = ask.line(answer, "norm", "law: slope -1/2")
    at = np.exp(np.interp(np.log(100.0), np.log(early.x), np.log(early.y)))
    assert at == pytest.approx(solve.fixed_norm(1e6, 100.0, loss).error, rel=0.01)


def test_what_has_no_solution_is_said(ask):
    answer = ask.judged(PANEL, {"loss": "square", "alpha": 10.0, "norm": 2.0})
    assert ask.number(answer, "error") == "none"
    assert "its own minimum" in answer.html
    curve = ask.line(answer, "norm", "square loss")
    assert np.isnan(curve.y[-1])
    assert curve.y[0] == solve.fixed_norm(10.0, float(curve.x[0]), "square").error


def test_corners(ask):
    for values in ask.corners(PANEL):
        assert ask.judged(PANEL, values) is not None, values
