"""The picture of the compute frontier shows the solver's numbers and the derived exponents."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.verify.plots.linear import isoflop

BUDGETS = [1e4, 1e6]


def lines(axis):
    return {
        line.get_gid(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axis.get_lines()
    }


def test_curves_optima_and_exponents_are_the_solvers(tmp_path):
    spectrum = PowerLawSpectrum(1.5, 0.5)
    figure = isoflop(spectrum, BUDGETS, points=5, span=10, batch=2)
    left, right = figure.axes
    drawn = lines(left)
    optima = linear.compute_frontier(BUDGETS, spectrum, batch=2)
    np.testing.assert_array_equal(drawn["optima"], (optima.features, optima.loss))
    for number, budget in enumerate(BUDGETS):
        sizes, losses = drawn[str(number)]
        assert sizes[0] == pytest.approx(optima.features[number] / 10)
        assert sizes[-1] == pytest.approx(optima.features[number] * 10)
        surface = linear.loss_surface(sizes[1], budget / sizes[1], spectrum, batch=2)
        assert losses[1] == surface.loss[0, 0]
        assert losses.min() == pytest.approx(optima.loss[number], rel=1e-9)
    along = np.geomspace(*BUDGETS, 5)
    frontier = linear.compute_frontier(along, spectrum, batch=2)
    np.testing.assert_array_equal(drawn["frontier"], (frontier.features, frontier.loss))
    drawn = lines(right)
    for field, name in (
        ("loss_exponent", "linear.compute"),
        ("features_exponent", "linear.compute_model"),
    ):
        np.testing.assert_array_equal(drawn[field], (along, getattr(frontier, field)))
        np.testing.assert_allclose(drawn[name][1], theory.law(name)(alpha=1.5, beta=0.5))
    assert right.get_title(loc="left") == "phase Ia"
    assert [text.get_text() for text in left.texts] == ["$10^{4}$", "$10^{6}$"]
    assert (left.get_xlabel(), left.get_ylabel(), right.get_xlabel()) == (
        "features N",
        "test loss",
        "compute C",
    )
    figure.savefig(tmp_path / "isoflop.png")
    assert (tmp_path / "isoflop.png").stat().st_size > 10_000


def test_modes_that_grow_with_the_model():
    figure = isoflop(
        PowerLawSpectrum(0.8, 0.375, 1),
        [2e5, 1e6],
        points=3,
        modes_per_feature=4,
        relative_rate=0.5,
    )
    left, right = figure.axes
    assert right.get_title(loc="left") == "phase Ib"
    assert left.texts[0].get_text() == r"$2\cdot10^{5}$"


@pytest.mark.parametrize(
    ("spectrum", "training"),
    [
        (EmpiricalSpectrum(np.arange(1, 60.0) ** -1.5, np.arange(1, 60.0) ** -1.75), {}),
        (PowerLawSpectrum(1.5, 0.5), {"noise_variance": 1e-3}),
        (PowerLawSpectrum(1.5, 2), {"dynamics": "flow"}),
        (PowerLawSpectrum(1.5, 2), {"batch": np.inf}),
        (PowerLawSpectrum(0.8, 0.5, 10_000), {}),
    ],
    ids=["measured", "label noise", "flow in III", "no gradient noise in III", "fixed modes"],
)
def test_no_derived_line_where_the_laws_say_nothing(spectrum, training):
    _, right = isoflop(spectrum, BUDGETS, points=3, **training).axes
    assert set(lines(right)) == {"loss_exponent", "features_exponent"}
    assert right.get_title(loc="left") == ""


def test_flow_has_the_derived_line_in_phase_one():
    _, right = isoflop(PowerLawSpectrum(1.5, 0.5), BUDGETS, points=3, dynamics="flow").axes
    assert right.get_title(loc="left") == "phase Ia"


def test_sizes_at_which_training_is_unstable_are_left_out():
    spectrum = PowerLawSpectrum(1.5, 0.5, 200)
    rate = (
        0.95
        * linear.sgd_stability(spectrum, features=30, batch=1, learning_rate=0.1).max_learning_rate
    )
    left, _ = isoflop(spectrum, [1e5, 1e6], points=9, learning_rate=rate).axes
    sizes, losses = lines(left)["0"]
    assert np.all(np.isfinite(losses))
    start = max(linear.compute_frontier(1e5, spectrum, learning_rate=rate).features / 100, 1)
    assert sizes[0] > 2 * start
    with pytest.raises(DomainError, match="learning_rate"):
        linear.loss_surface(start, 1e5 / start, spectrum, learning_rate=rate)


def test_draws_in_a_given_figure():
    given = Figure()
    assert isoflop(PowerLawSpectrum(1.5, 0.5), BUDGETS, points=3, figure=given) is given


def test_refusals():
    for arguments, message in (
        ({"compute": [1e4]}, "at least 2 numbers, finite, increasing"),
        ({"compute": [1e6, 1e4]}, "increasing"),
        ({"compute": BUDGETS, "span": 1}, "span"),
        ({"compute": BUDGETS, "points": 2}, "points"),
        ({"compute": BUDGETS, "points": 4.0}, "points"),
        ({"compute": BUDGETS, "dynamics": "adam"}, "dynamics"),
        ({"compute": [1, 2]}, "compute"),
    ):
        with pytest.raises(DomainError, match=message):
            isoflop(PowerLawSpectrum(1.5, 0.5), **arguments)
