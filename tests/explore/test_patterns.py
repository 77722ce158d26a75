"""The panel of patterns says what the engine says."""

from fractions import Fraction

import numpy as np
import pytest

from scalinglaws.explore.panels import panel
from scalinglaws.theory.patterns import (
    convolutional,
    fully_connected,
    phase_diagram,
    sample_complexity,
)

PANEL = panel("patterns")


def state(**changed):
    return PANEL.start() | changed


@pytest.mark.parametrize(
    ("point", "exponent"),
    [((2.0, 2.0), "3/2"), ((5.0, 6.0), "3"), ((0.5, 0.5), "5/7"), ((1.5, 1.0), "1")],
)
def test_published_points(ask, point, exponent):
    answer = ask.judged(PANEL, state(widths=(point,)))
    assert ask.number(answer, "exponent") == exponent


@pytest.mark.parametrize("network", ["fcn", "cnn", "lcn"])
@pytest.mark.parametrize("features", ["any", "clean"])
def test_numbers_are_those_of_the_engine(ask, network, features):
    answer = ask.judged(PANEL, state(network=network, features=features, widths=((0.7, 2.35),)))
    widths = [Fraction(7, 10), Fraction(47, 20)]
    built = {
        "fcn": fully_connected(widths, 3),
        "cnn": convolutional(widths, 3),
        "lcn": convolutional(widths, 3, weight_sharing=False),
    }[network]
    found = sample_complexity(built, purity=features == "clean")
    assert ask.number(answer, "exponent") == str(found.exponent)
    assert ask.number(answer, "winner") == str(found.winners[0])
    assert ask.number(answer, "cost") == str(found.winners[0].cost)
    assert ask.number(answer, "least") == str(found.winners[0].minimum.value)


@pytest.mark.parametrize(("network", "degree"), [("fcn", 3), ("cnn", 2)])
def test_the_plane_is_that_of_the_engine(ask, network, degree):
    answer = ask.judged(PANEL, state(network=network, degree=str(degree)))
    regions = answer.drawn["plane"][0]
    rows, _ = regions.which.shape
    half = Fraction(6, 2 * rows)
    build = fully_connected if network == "fcn" else convolutional
    free, ends = build(["n_1", "n_2"], degree), (half, 6 - half)
    found = phase_diagram(free, {"n_1": ends, "n_2": ends}, points=rows)
    # cells through which a boundary runs may go to either side
    named = {text: number for number, text in enumerate(map(str, found.patterns))}
    own = phase_diagram(free, {"n_1": (0, 6), "n_2": (0, 6)}, points=2)
    expected = np.array([named.get(str(pattern), -2) for pattern in own.patterns])
    same = expected[regions.which] == found.winner.T
    assert same.mean() > 0.98
    assert np.all(same | (found.tied.T > 1))


def test_the_cut_is_exact(ask):
    answer = ask.judged(PANEL, state(widths=((0.4, 2.5),)))
    cut = ask.line(answer, "cut", "along n₁, n₂ = 2.5")
    for place in range(0, len(cut.x), 12):
        widths = [Fraction(str(round(float(cut.x[place]), 6))), Fraction(5, 2)]
        expected = sample_complexity(fully_connected(widths, 3)).exponent
        assert cut.y[place] == pytest.approx(float(expected), rel=1e-14)
    lazy = ask.line(answer, "cut", "lazy, here")
    assert lazy.y[0] == 3.0


def test_corners(ask):
    for values in ask.corners(PANEL):
        if values["degree"] == "3":
            assert ask.judged(PANEL, values) is not None, values
