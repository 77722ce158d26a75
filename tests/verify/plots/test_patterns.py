"""Pictures of patterns show the engine's regions and the solvers' numbers."""

import numpy as np
import pytest
import sympy as sp
from matplotlib.figure import Figure

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.solvers import patterns as solvers
from scalinglaws.theory import patterns
from scalinglaws.verify.plots.patterns import (
    cost_curves,
    phase_diagram,
    tail_curves,
    weight_configuration,
)


@pytest.fixture(scope="module")
def plane():
    return patterns.phase_diagram(
        patterns.fully_connected(["n_1", "n_2"], 3), {"n_1": (0, 3), "n_2": (0, 3)}, points=2
    )


@pytest.fixture(scope="module")
def line():
    return patterns.phase_diagram(patterns.fully_connected(["n"], 3), {"n": (0, 6)}, points=2)


def by_gid(axes, gid):
    (found,) = (entry for entry in axes.get_lines() if entry.get_gid() == gid)
    return np.asarray(found.get_xdata(), dtype=float), np.asarray(found.get_ydata(), dtype=float)


def test_regions_are_colored_by_their_cheapest_pattern(plane):
    (axes,) = phase_diagram(plane, marks={"here": (1, 1)}).axes
    rng = np.random.default_rng(0)
    for n_1, n_2 in rng.integers(1, 59, (40, 2)):
        point = (
            sp.Rational(int(n_1), 20) + sp.Rational(1, 997),
            sp.Rational(int(n_2), 20) + sp.Rational(1, 991),
        )
        winners = {
            str(entry)
            for entry in patterns.sample_complexity(patterns.fully_connected(point, 3)).winners
        }
        there = {
            patch.get_gid()
            for patch in axes.patches
            if patch.get_path().contains_point(tuple(map(float, point)))
        }
        assert len(there) == 1
        assert there <= winners
    legend = [text.get_text().split(":")[0] for text in axes.get_legend().get_texts()]
    assert legend == [str(pattern) for pattern in plane.patterns]
    written = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "GP S(1):  $(n_{2} + 1)/2$" in written
    assert "S1(1) S1(1):  $(3 n_{1} + n_{2} + 3)/7$" in written


def test_names_stand_in_their_regions_and_do_not_overlap(plane):
    figure = phase_diagram(plane, marks={"here": (1, 1)})
    (axes,) = figure.axes
    figure.draw_without_rendering()
    names = [text for text in axes.texts if text.get_gid()]
    assert sorted(text.get_gid() for text in names) == sorted(map(str, plane.patterns))
    for text in names:
        regions = [patch for patch in axes.patches if patch.get_gid() == text.get_gid()]
        box = axes.transData.inverted().transform(text.get_window_extent().get_points())
        for corner in ((x, y) for x in box[:, 0] for y in box[:, 1]):
            assert any(patch.get_path().contains_point(corner) for patch in regions)
    boxes = [text.get_window_extent() for text in axes.texts]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_boundaries_are_exact(plane):
    (axes,) = phase_diagram(plane).axes
    drawn = [entry for entry in axes.get_lines() if " | " in str(entry.get_gid())]
    assert len(drawn) == len(plane.boundaries)
    for shown, boundary in zip(drawn, plane.boundaries, strict=True):
        np.testing.assert_array_equal(
            shown.get_xdata(), [float(boundary.start[0]), float(boundary.end[0])]
        )
        np.testing.assert_array_equal(
            shown.get_ydata(), [float(boundary.start[1]), float(boundary.end[1])]
        )


def test_over_one_exponent_the_least_is_bold(line):
    (axes,) = phase_diagram(line, marks={"here": (2,)}).axes
    x, y = by_gid(axes, "S(1)")
    np.testing.assert_array_equal((x, y), ((1, 5), (1, 3)))
    x, y = by_gid(axes, "GP, everywhere")
    assert np.all(y == 3)
    assert [text.get_text() for text in axes.texts] == ["S1(1)", "S(1)", "GP", "here"]
    np.testing.assert_array_equal(
        [
            float(entry.get_xdata()[0])
            for entry in axes.get_lines()
            if " | " in str(entry.get_gid())
        ],
        [1, 5],
    )
    (marked,) = (entry for entry in axes.get_lines() if entry.get_label() == "here")
    assert (marked.get_xdata()[0], marked.get_ydata()[0]) == (2, 1.5)
    softmax = patterns.phase_diagram(patterns.attention("ell"), {"ell": (0, 2)}, points=2)
    assert [text.get_text() for text in phase_diagram(softmax).axes[0].texts] == ["softmax"]


D = np.array([20.0, 40.0, 80.0, 160.0])


def test_costs_are_the_solvers_and_slopes_their_differences():
    measured = [solvers.log_alignment(20, 20, samples=200, rng=0)]
    left, right = cost_curves(D, measured=measured).axes
    costs = {
        "S(1)": solvers.specialized_cost(D, D).cost,
        "G(1)": solvers.gaussian_cost(D, D).cost,
        "GP": solvers.gaussian_cost(D, D, inflation=1).cost,
        "mean field": solvers.alignment_rate(D, D).rate,
    }
    for name, cost in costs.items():
        np.testing.assert_array_equal(by_gid(left, name), (D, cost))
        x, y = by_gid(right, name)
        np.testing.assert_allclose(x, D[:-1] * np.sqrt(2), rtol=1e-14)
        np.testing.assert_allclose(y, np.log2(cost[1:] / cost[:-1]), rtol=1e-12)
    assert by_gid(left, "measured")[1] == -measured[0].log_probability
    for name, exponent in (("S(1)", 1), ("G(1)", 1.5), ("GP", 3)):
        assert set(by_gid(right, f"{name}, exponent")[1]) == {exponent}
    _, right = cost_curves(D, width_exponent="3/2").axes
    assert set(by_gid(right, "S(1), exponent")[1]) == {1.25}
    # in narrow layers one neuron specializes, and its exponent is the engine's least
    left, right = cost_curves(100 * D, width_exponent="1/2").axes
    assert set(by_gid(right, "S1(1), exponent")[1]) == {0.875}
    assert not [line for line in left.get_lines() if line.get_gid() == "S(1)"]
    given = Figure()
    assert cost_curves(D, figure=given) is given


def test_weights_are_the_optimum_on_the_mean_field_law():
    found = solvers.optimize_configuration(100, 100, starts=10, rng=0)
    sampled = solvers.log_alignment(100, 100, samples=500, rng=0)
    left, right = weight_configuration(found, 100, sampled=sampled).axes
    for name in ("prior", "aligned"):
        x, density = by_gid(left, name)
        assert np.trapezoid(density, x) == pytest.approx(1, rel=1e-6)
        x, beyond = by_gid(right, name)
        assert beyond[0] == pytest.approx(100, rel=1e-6)
        assert np.all(np.diff(beyond) <= 0)
    assert np.interp(1, x, beyond) == pytest.approx(
        solvers.alignment_rate(100, 100).specialized, rel=1e-5
    )
    np.testing.assert_array_equal(by_gid(left, "optimum")[0], found.weights)
    x, count = by_gid(right, "optimum")
    for at in (0.5, 1.0, 1.5, 2.0):
        # drawn as steps: the value at the next point to the right holds up to it
        shown = count[np.searchsorted(x, at)] if at < x[-1] else 0
        assert shown == np.sum(found.weights > at)
    assert by_gid(right, "pattern")[0][0] == pytest.approx(np.sqrt(3), rel=1e-12)
    assert by_gid(right, "sampled")[1][0] == sampled.specialized


@pytest.fixture(scope="module")
def tails():
    s = np.array([2.0, 10.0, 30.0])
    with pytest.warns(AccuracyWarning, match="is missed"):
        tilt = solvers.log_tail(10, [2.0, 10.0], "tilt", samples=500, rng=0)
    return [
        solvers.log_tail(2, s),
        solvers.log_tail(10, s, "importance", samples=500, rng=0),
        tilt,
    ]


def test_tails_on_their_rate(tails, tmp_path):
    figure = tail_curves(tails)
    left, right = figure.axes
    lattice, sampled, _ = tails
    np.testing.assert_allclose(
        by_gid(right, "N = 2, lattice")[1], lattice.log_probability / np.log(10), rtol=1e-14
    )
    np.testing.assert_allclose(
        by_gid(right, "N = 10, sampled")[1], sampled.log_probability / np.log(10), rtol=1e-14
    )
    x, y = by_gid(left, "N = 10, sampled")
    np.testing.assert_allclose(x, sampled.s / 150**0.25, rtol=1e-14)
    np.testing.assert_allclose(y, -sampled.log_probability / np.sqrt(150), rtol=1e-14)
    x, y = by_gid(left, "rate")
    np.testing.assert_allclose(y, solvers.cube_rate(x).rate, rtol=1e-14)
    assert solvers.TRANSITION in x
    (at,), (height,) = by_gid(left, "transition")
    assert height == pytest.approx(solvers.cube_rate(at).rate)
    x, y = by_gid(left, "metastable")
    shown = np.isfinite(y)
    assert x[shown].min() == solvers.SPINODAL
    assert np.all(y[shown] >= solvers.cube_rate(x[shown]).rate - 1e-15)
    figure.savefig(tmp_path / "tails.png")
    assert (tmp_path / "tails.png").stat().st_size > 10_000


def test_what_is_far_off_is_pointed_out(tails):
    _, sampled, tilt = tails
    _, right = tail_curves([sampled, tilt]).axes
    bottom = right.get_ylim()[0]
    assert bottom == pytest.approx(1.12 * sampled.log_probability.min() / np.log(10))
    off = tilt.log_probability / np.log(10) < bottom
    arrows = [
        entry
        for entry in right.get_lines()
        if entry.get_marker() == "v" and entry.get_gid() == "off the picture"
    ]
    assert sum(entry.get_xdata().size for entry in arrows) == np.sum(off)


def test_refusals(plane, line, tails):
    configuration = solvers.optimize_configuration(20, 20, starts=5, rng=0)
    other = solvers.log_alignment(10, 20, samples=500, rng=0)
    negative = solvers.log_tail(2, -1.0)
    for call, message in (
        (lambda: phase_diagram(patterns.fully_connected(["n"], 3)), "must be a PhaseDiagram"),
        (lambda: phase_diagram(plane, marks={"a": (1,)}), "2 coordinates"),
        (lambda: phase_diagram(line, marks={"a": (7,)}), "within the axes"),
        (lambda: cost_curves([10, 20]), "at least 3 numbers, >= 2"),
        (lambda: cost_curves([10, 20, 20]), "increasing"),
        (lambda: cost_curves([10, 20, np.inf]), "finite"),
        (lambda: cost_curves(D, width_exponent="n"), "must be a number"),
        (lambda: cost_curves(D, width_exponent=-1), "negative"),
        (lambda: cost_curves(D, measured=[other]), r"n = d\^1"),
        (lambda: weight_configuration(other, 20), "optimize_configuration"),
        (lambda: weight_configuration(configuration, 30), "d = 30 is not the dimension"),
        (lambda: weight_configuration(configuration, 20, sampled=other), "n = 20, d = 20"),
        (lambda: tail_curves([]), "one or more"),
        (lambda: tail_curves([configuration]), "results of log_tail"),
        (lambda: tail_curves(negative), "positive thresholds"),
        (lambda: tail_curves(solvers.log_tail([1, 2, 3, 4, 5], 0.0)), "5 numbers"),
    ):
        with pytest.raises(DomainError, match=message):
            call()


@pytest.mark.parametrize("ends", [(0, 3), (0, 6), (0, 10)])
def test_every_region_has_its_name_in_it_or_beside_it(ends):
    found = patterns.phase_diagram(
        patterns.fully_connected(["n_1", "n_2"], 3), {"n_1": ends, "n_2": ends}, points=2
    )
    figure = phase_diagram(found, title="a network")
    (axes,) = figure.axes
    figure.draw_without_rendering()
    names = [str(text.get_gid()).removesuffix(", outside") for text in axes.texts]
    assert sorted(names) == sorted({patch.get_gid() for patch in axes.patches})
    for text in figure.texts:
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= -1
        assert box.x1 <= figure.bbox.width + 1
        assert box.y1 <= figure.bbox.height + 1
    (notes,) = (text.get_text() for text in figure.texts if text.get_gid() == "notes")
    for name in ("GP: lazy", "S(k): M neurons", "S1(k): one neuron"):
        assert name in notes


def test_where_no_pattern_is_possible_it_says_so():
    network = patterns.convolutional(["n"], 1, patch_exponent="s")
    found = patterns.phase_diagram(network, {"n": (0, 2), "s": (0, 2)}, points=2)
    (axes,) = phase_diagram(found).axes
    assert "no pattern is possible" in [text.get_text() for text in axes.texts]
