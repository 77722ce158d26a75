"""The panel of percolation says what laws and solvers say."""

import math
from fractions import Fraction

import pytest

from scalinglaws import theory
from scalinglaws.explore.panels import panel
from scalinglaws.solvers import percolation as solve
from scalinglaws.theory.percolation import critical_exponents

PANEL = panel("percolation")


def state(**changed):
    return PANEL.start() | changed


def test_exponents_are_exact(ask):
    answer = ask.judged(PANEL, state(clusters=((2.4, 0.4),)))
    assert ask.number(answer, "tau") == "12/5"
    assert ask.number(answer, "alpha") == "3/2"
    given = {"alpha": Fraction(3, 2), "beta": Fraction(2, 5)}
    for name in ("data", "model"):
        assert ask.number(answer, f"{name}_exponent") == str(
            theory.law(f"percolation.{name}")(**given)
        )


def test_losses_are_those_of_the_solvers(ask):
    answer = ask.judged(PANEL, state(clusters=((2.4, 0.4),), data=1e5, model=3e7))
    assert ask.number(answer, "data_loss") == pytest.approx(
        solve.data_loss(1e5, alpha=1.5, exponent=0.4).loss, rel=1e-14
    )
    losses = solve.zipf_model_loss([0.0, 3e7], alpha=1.5, exponent=0.4).loss
    assert ask.number(answer, "model_loss") == pytest.approx(losses[1] / losses[0], rel=1e-14)
    for name, label in (("data", "samples"), ("model", "degrees of freedom of the model")):
        curve = ask.line(answer, "losses", f"against {label}")
        law = ask.line(answer, "losses", f"law, {label}")
        assert law.y[-1] == pytest.approx(curve.y[-1], rel=0.02), name


def test_below_the_threshold(ask):
    answer = ask.judged(PANEL, state(clusters=((2.5, 0.5),), data=1e4, model=1e4, rank=1e3))
    asked = {"alpha": 1.0, "exponent": 0.5, "crossover_rank": 1e3}
    assert ask.number(answer, "data_loss") == solve.crossover_data_loss(1e4, **asked)
    assert ask.number(answer, "model_loss") == solve.crossover_model_loss(1e4, **asked)


@pytest.mark.parametrize("d", range(2, 7))
@pytest.mark.parametrize("c", [2, 4])
def test_lattices(ask, d, c):
    known = critical_exponents(d)
    answer = ask.judged(PANEL, state(lattice=str(d), c=str(c)))
    assert ask.number(answer, "tau") == str(known.tau)
    assert ask.number(answer, "data_exponent") == str(known.data_exponent(c).exponent)
    assert ask.number(answer, "model_exponent") == str(known.model_exponent(c).exponent)


def test_boundaries_have_a_logarithm(ask):
    answer = ask.judged(PANEL, state(clusters=((2.5, 0.5),)))
    notes = {entry.name: entry.note for entry in answer.numbers}
    assert "logarithm to the power 1" in notes["data_exponent"]
    answer = ask.judged(PANEL, state(clusters=((2.5, 1.0),)))
    notes = {entry.name: entry.note for entry in answer.numbers}
    assert "logarithm to the power 2" in notes["model_exponent"]


def test_one_cluster_where_tau_is_two(ask):
    answer = ask.judged(PANEL, state(clusters=((2.0, 0.5),), data=1e4))
    assert ask.number(answer, "data_exponent") == "1/2"
    assert ask.number(answer, "data_loss") == pytest.approx(1e-2, rel=1e-12)
    assert "no logarithm" in answer.html
    near = ask.judged(PANEL, state(clusters=((2.001, 0.5),), data=1e4))
    assert ask.number(near, "data_loss") == pytest.approx(1e-2, rel=1e-3)


def test_nothing_to_draw_where_nothing_is_learned(ask):
    for point in ((3.0, 0.5), (2.5, 0.0)):
        answer = ask.judged(PANEL, state(clusters=(point,)))
        assert answer.drawn["losses"] == []
        assert ask.number(answer, "data_exponent") == "no power law"


@pytest.mark.parametrize("quantity", ["data", "model"])
def test_the_plane_is_colored_by_the_law(ask, quantity):
    answer = ask.judged(PANEL, state(quantity=quantity))
    regions = answer.drawn["plane"][0]
    law = theory.law(f"percolation.{quantity}")
    rows, columns = regions.which.shape
    names = {}
    for row in range(3, rows, 40):
        for column in range(3, columns, 40):
            tau, beta = 2 + (column + 0.5) / columns, 1.8 * (row + 0.5) / rows
            phase = law.regime(alpha=(3 - tau) / (tau - 2), beta=beta)
            names.setdefault(regions.which[row, column], set()).add(phase)
    assert sorted(map(len, names.values())) == [1, 1]


def test_corners(ask):
    for number, values in enumerate(ask.corners(PANEL)):
        if values["lattice"] in ("free", "2", "6") and number % 17 == 0:
            assert ask.judged(PANEL, values) is not None, values


def test_an_unlimited_rank_on_a_lattice_has_an_address(ask):
    ask.same_after_address(PANEL, state(rank=math.inf, lattice="3"))
