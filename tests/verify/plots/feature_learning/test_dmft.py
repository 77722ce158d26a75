"""Pictures of training in steps and on the circle show the solvers' and the simulations' numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import circle_flow, gradient_flow, online_dmft, reuse_dmft
from scalinglaws.verify.plots.feature_learning import circle_slopes, correlation_maps, dmft_curves
from scalinglaws.verify.simulate.feature_learning import SimulatedCircle, SimulatedTraining

TASK = PowerLawSpectrum(1.5, 0.5, 30)
GIVEN = {"features": 20, "learning_rate": 0.2, "richness": 1}
AT = np.array([0, 1, 5, 20])


@pytest.fixture(scope="module")
def online():
    return online_dmft(20, TASK, batch=10, matrices=True, **GIVEN)


@pytest.fixture(scope="module")
def reuse():
    return reuse_dmft(20, TASK, samples=15, matrices=True, **GIVEN)


def drawn(run, spread=0.2):
    """Return five draws whose mean is the theory."""
    factors = 1 + spread * np.array([[-1.0], [-0.5], [0.0], [0.5], [1.0]])
    return SimulatedTraining(
        factors * run.test_loss[AT], factors * run.train_loss[AT], factors * run.scale[AT]
    )


def marked(axis, gid):
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def gids(axis):
    return {
        str(line.get_gid()) for line in axis.get_lines() if not str(line.get_gid()).startswith("_")
    } - {"None"}


def test_lines_are_the_theory_and_marks_the_means(online, tmp_path):
    figure = dmft_curves(online, simulated=drawn(online), at=AT)
    losses, scale, off, off_scale = figure.axes
    for axis, gid, values in (
        (losses, "test loss", online.test_loss),
        (scale, "scale", online.scale),
    ):
        x, y = marked(axis, gid)
        np.testing.assert_array_equal(x, np.arange(1, 21))
        np.testing.assert_array_equal(y, values[1:])
        x, y = marked(axis, f"{gid}, simulated")
        np.testing.assert_array_equal(x, AT[1:])
        np.testing.assert_allclose(y, values[AT[1:]], rtol=1e-14)
    for axis, gid in ((off, "test loss, simulated"), (off_scale, "scale, simulated")):
        np.testing.assert_allclose(marked(axis, gid)[1], 0, atol=1e-14)
    assert "train loss" not in gids(losses)
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_bands_hold_their_share_and_deviations_show(online):
    found = drawn(online)
    shifted = SimulatedTraining(1.1 * found.test_loss, found.train_loss, found.kernel_scale)
    losses, _, off, _ = dmft_curves(online, simulated=shifted, at=AT, coverage=0.5).axes
    np.testing.assert_allclose(marked(off, "test loss, simulated")[1], 0.1, rtol=1e-12)
    corners = losses.collections[0].get_paths()[0].vertices
    at_five = corners[corners[:, 0] == 5, 1]
    np.testing.assert_allclose(
        [at_five.min(), at_five.max()], 1.1 * online.test_loss[5] * np.array([0.9, 1.1]), rtol=1e-12
    )


def test_reuse_shows_the_train_loss_and_runs_have_names(online, reuse):
    left, right, *rest = dmft_curves({"fresh": online, "same": reuse}).axes
    assert rest == []
    assert gids(left) == {"fresh, test loss", "same, test loss", "same, train loss"}
    assert gids(right) == {"fresh, scale", "same, scale"}
    np.testing.assert_array_equal(marked(left, "same, train loss")[1], reuse.train_loss[1:])
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == ["fresh", "same", "test", "train"]
    given = Figure()
    assert (
        dmft_curves(
            {"fresh": online, "same": reuse}, simulated={"same": drawn(reuse)}, at=AT, figure=given
        )
        is given
    )


@pytest.mark.parametrize("kind", ["online", "reuse"])
def test_maps_are_correlation_coefficients_and_the_past(kind, request):
    run = request.getfixturevalue(kind)
    images = {
        image.get_gid(): image.get_array()
        for axis in correlation_maps(run).axes
        for image in axis.get_images()
    }
    assert {"error", "gradient", "weight", "response"} <= set(images)
    for name in ("error", "gradient", "weight"):
        shown = images[name]
        np.testing.assert_allclose(np.ma.diag(shown)[1:], 1, rtol=1e-12)
        assert np.nanmax(np.abs(shown)) <= 1 + 1e-12
    error = run.matrices.error
    assert images["error"][7, 3] == pytest.approx(
        error[7, 3] / np.sqrt(run.test_loss[7] * run.test_loss[3]), rel=1e-12
    )
    hidden = np.ma.getmaskarray(np.ma.masked_invalid(images["weight"]))
    assert hidden[0].all()  # weights start at zero
    assert not hidden[1:, 1:].any()
    response = np.ma.masked_invalid(images["response"])
    np.testing.assert_array_equal(np.ma.getmaskarray(response), np.triu(np.ones((21, 21), bool)))
    assert response[9, 4] == pytest.approx(run.matrices.response[9, 4] / 0.2)


def test_long_runs_are_thinned():
    run = online_dmft(
        450, PowerLawSpectrum(1.5, 0.5, 3), batch=10, learning_rate=0.1, richness=0, matrices=True
    )
    assert correlation_maps(run).axes[0].get_images()[0].get_array().shape == (226, 226)


TIME = np.array([1.0, 10.0, 100.0])


def test_circle_slopes_are_differences_of_logarithms():
    flow = circle_flow(
        TIME, activation_power=1, target_exponent=0.8, harmonics=32, grid=128
    ).train_loss
    power = TIME**-0.6 * np.array([[0.5], [2.0]])
    networks = {
        "power": SimulatedCircle(power, power, power),
        "flow-like": SimulatedCircle(flow[None], flow[None], flow[None]),
    }
    left, right = circle_slopes(TIME, networks, target_exponent=0.8, samples=128, harmonics=32).axes
    np.testing.assert_allclose(marked(left, "flow")[1], flow, rtol=1e-14)
    np.testing.assert_allclose(marked(left, "power")[1], 1.25 * TIME**-0.6, rtol=1e-14)
    x, y = marked(right, "power")
    np.testing.assert_allclose(x, np.sqrt([10.0, 1000.0]), rtol=1e-14)
    np.testing.assert_allclose(y, 0.6, rtol=1e-14)
    np.testing.assert_array_equal(marked(right, "flow-like")[1], marked(right, "flow")[1])
    np.testing.assert_allclose(marked(right, "linear.time")[1], 0.3, rtol=1e-14)
    np.testing.assert_allclose(marked(right, "feature_learning.time")[1], 6 / 13, rtol=1e-14)


def test_refusals(online):
    flow = gradient_flow([1, 2], TASK, richness=1)
    bare = online_dmft(5, TASK, batch=10, **GIVEN)
    found = drawn(online)
    circle = SimulatedCircle(*(np.ones((1, 3)),) * 3)
    for call, message in (
        (lambda: dmft_curves(flow), "OnlineDMFTSolution"),
        (lambda: dmft_curves({}), "one to 4"),
        (lambda: dmft_curves(online_dmft(0, TASK, batch=10, **GIVEN)), "at least one step"),
        (lambda: dmft_curves(online, coverage=1), "between 0 and 1"),
        (lambda: dmft_curves(online, simulated=found), "two draws of 21 steps"),
        (
            lambda: dmft_curves(online, simulated=found, at=[0, 1, 5, 21]),
            "steps that the solution has",
        ),
        (lambda: dmft_curves({"a": online}, simulated={"b": found}), "'b' is none"),
        (lambda: correlation_maps(bare), "matrices=True"),
        (lambda: correlation_maps(flow), "OnlineDMFTSolution"),
        (lambda: circle_slopes([1, 1, 2], {"a": circle}, target_exponent=1), "increasing"),
        (lambda: circle_slopes([1, 2], {"a": circle}, target_exponent=1), "at the 2 times"),
        (lambda: circle_slopes(TIME, {}, target_exponent=1), "one to 4"),
        (lambda: circle_slopes(TIME, {"a": circle}, target_exponent=0.3), "target_exponent"),
    ):
        with pytest.raises(DomainError, match=message):
            call()
