"""Pictures of rich training show the solver's and the laws' numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.feature_learning import crossover_time, gradient_flow, static_limit
from scalinglaws.verify.plots.feature_learning import kernel_scale, loss_curves
from scalinglaws.verify.plots.style import CASES

HARD = PowerLawSpectrum(1.5, 0.5)
TIME = np.geomspace(1, 1e8, 9)


def marked(axis, gid):
    """Return the data of the line with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def labels(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def gids(axis):
    return {line.get_gid() for line in axis.get_lines()} - {None}


def test_losses_are_the_solvers_and_slopes_approach_the_laws(tmp_path):
    figure = loss_curves(HARD, TIME)
    left, right = figure.axes
    for richness, law, exponent in ((0, "linear.time", 1 / 2), (1, "feature_learning.time", 2 / 3)):
        x, y = marked(left, f"loss {richness}")
        np.testing.assert_array_equal(x, TIME)
        np.testing.assert_allclose(
            y, gradient_flow(TIME, HARD, richness=richness).test_loss, rtol=1e-6
        )
        np.testing.assert_allclose(marked(right, law)[1], exponent, rtol=1e-15)
        assert abs(marked(right, f"exponent {richness}")[1][-1] - exponent) < 1e-3
    assert labels(left) == ["lazy", r"rich, $\gamma = 1$", "kernel doubled"]
    assert labels(right) == ["derived, lazy: $0.5$", "derived, rich: $0.6667$"]
    assert (left.get_xscale(), left.get_yscale(), right.get_xscale(), right.get_yscale()) == (
        "log",
        "log",
        "log",
        "linear",
    )
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_local_exponents_are_derivatives():
    (_, right) = loss_curves(HARD, TIME, richness=0.1).axes
    near = np.array([0.999, 1.001])
    for t, slope in zip(*marked(right, "exponent 0.1"), strict=True):
        loss = gradient_flow(t * near, HARD, richness=0.1).test_loss
        assert abs(slope + np.log(loss[1] / loss[0]) / np.log(near[1] / near[0])) < 2e-3
    assert gids(right) == {"exponent 0.1", "feature_learning.time", "zero"}


def test_a_dot_where_the_kernel_has_doubled():
    for draw, field in ((loss_curves, "test_loss"), (kernel_scale, "scale")):
        left, _ = draw(
            HARD, TIME, richness=[0.01, 1e-7]
        ).axes  # the second one doubles beyond the last time
        when, value = marked(left, "crossover")
        assert when == crossover_time(HARD, richness=0.01)
        np.testing.assert_allclose(
            value, getattr(gradient_flow(float(when[0]), HARD, richness=0.01), field), rtol=1e-12
        )
        assert labels(left)[:2] == [r"rich, $\gamma = 0.01$", r"rich, $\gamma = 10^{-7}$"]


def test_few_features_and_samples_end_both_at_the_same_loss():
    left, right = loss_curves(HARD, TIME, features=30, samples=60).axes
    limit = static_limit(HARD, features=30, samples=60).test_loss
    np.testing.assert_array_equal(marked(left, "limit")[1], limit)
    for richness in (0, 1):
        np.testing.assert_allclose(marked(left, f"loss {richness}")[1][-1], limit, rtol=1e-3)
        assert abs(marked(right, f"exponent {richness}")[1][-1]) < 1e-3
    assert "crossover" not in gids(left)
    equal, _ = loss_curves(HARD, TIME[:3], features=30, samples=30).axes
    assert "limit" not in gids(equal)  # infinite


def test_scale_grows_as_the_warp_says():
    left, right = kernel_scale(HARD, TIME, richness=(1, 3)).axes
    for richness in (1, 3):
        np.testing.assert_allclose(
            marked(left, f"scale {richness}")[1],
            gradient_flow(TIME, HARD, richness=richness).scale,
            rtol=1e-6,
        )
        assert abs(marked(right, f"exponent {richness}")[1][-1] - 1 / 3) < 2e-3
    np.testing.assert_allclose(marked(right, "feature_learning.time")[1], 1 / 3, rtol=1e-14)


@pytest.mark.parametrize(
    ("beta", "loss", "scale"), [(0.25, 0.4, 0.6), (0.75, 6 / 7, 1 / 7), (1.25, 1.25, 0.0)]
)
def test_derived_exponents(beta, loss, scale):
    spectrum = PowerLawSpectrum(1.5, beta)
    np.testing.assert_allclose(
        marked(loss_curves(spectrum, TIME).axes[1], "feature_learning.time")[1], loss, rtol=1e-14
    )
    np.testing.assert_allclose(
        marked(kernel_scale(spectrum, TIME).axes[1], "feature_learning.time")[1], scale, atol=1e-15
    )


def test_the_boundary_has_a_logarithm():
    spectrum, time = PowerLawSpectrum(1.5, 1), np.geomspace(1, 1e12, 13)
    for draw, plain, label in (
        (loss_curves, 1, "derived, rich: $1 + 0.5/\\log t$"),
        (kernel_scale, 0, "derived: $0.5/\\log t$"),
    ):
        _, right = draw(spectrum, time).axes
        x, y = marked(right, "feature_learning.time")
        np.testing.assert_array_equal(x, time[1:])
        np.testing.assert_allclose(y, plain + 0.5 / np.log(x), rtol=1e-14)
        found = marked(right, "exponent 1")[1][1:]
        assert np.all(np.diff(np.abs(found - y)) < 0)
        assert abs(found[-1] - y[-1]) < 0.2 * (y[-1] - plain)
        assert label in labels(right)


def test_a_measured_spectrum_has_no_derived_line():
    spectrum = EmpiricalSpectrum([1.0, 0.3, 0.1], [0.5, 0.3, 0.2])
    for draw in (loss_curves, kernel_scale):
        left, right = draw(spectrum, [0.1, 1, 3]).axes
        assert not {"linear.time", "feature_learning.time"} & gids(right)
        assert right.get_legend() is None
        assert left.get_title(loc="left") == ""


def test_a_richness_has_the_same_color_in_both_pictures():
    curves, scale = (
        loss_curves(HARD, TIME, richness=(0, 0.1, 1)).axes[0],
        kernel_scale(HARD, TIME, richness=(0.1, 1)).axes[0],
    )
    for richness in (0.1, 1):
        colors = {
            line.get_color()
            for axis, name in ((curves, "loss"), (scale, "scale"))
            for line in axis.get_lines()
            if line.get_gid() == f"{name} {richness}"
        }
        assert len(colors) == 1
    four = kernel_scale(HARD, TIME, richness=(1, 2, 3, 4)).axes[0]
    assert len(
        {line.get_color() for line in four.get_lines() if str(line.get_gid()).startswith("scale")}
    ) == len(CASES)


def test_draws_in_a_given_figure():
    for draw in (loss_curves, kernel_scale):
        given = Figure()
        assert draw(HARD, TIME, figure=given) is given


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": [1, 2]}, "at least 3 numbers, > 0 and finite, increasing"),
        ({"t": [0, 1, 2]}, "> 0"),
        ({"t": [1, 3, 2]}, "increasing"),
        ({"t": [1, 2, np.inf]}, "finite"),
        ({"richness": [1, 1]}, "different"),
        ({"richness": []}, "one to 4"),
        ({"richness": [1, 2, 3, 4, 5]}, "one to 4"),
        ({"richness": -1}, "richness"),
        ({"features": [5, 6]}, "features must be a single number"),
        ({"samples": 0.5}, "samples"),
    ],
)
def test_refusals(arguments, message):
    for draw in (loss_curves, kernel_scale):
        with pytest.raises(DomainError, match=message):
            draw(HARD, **{"t": TIME, "richness": 1, **arguments})


def test_a_lazy_kernel_has_no_scale_to_draw():
    with pytest.raises(DomainError, match="leaves the kernel"):
        kernel_scale(HARD, TIME, richness=[0, 1])
