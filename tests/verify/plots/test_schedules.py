"""Pictures of schedules show the solvers' numbers, and lines where the exponents change."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws import SourceCapacity, theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import (
    SGD,
    HeavyBall,
    Schedule,
    TailAverage,
    train,
    tuned_rate,
)
from scalinglaws.verify.estimate import ScheduledCurve, fit_schedule_law
from scalinglaws.verify.plots.schedules import (
    compute_frontiers,
    cooldown_losses,
    saturation_diagram,
    schedule_forecast,
    schedule_losses,
)

TASK = PowerLawSpectrum.from_ab(2, 1.5)
GIVEN = {"batch": 4, "noise_variance": 0.1}
AT = np.unique(np.geomspace(1, 1500, 40).round())


def marked(axis, gid):
    """Return the data of the line with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


# -- losses -------------------------------------------------------------------------------------------------------------


def runs(**more):
    shapes = {
        "constant": Schedule.constant(0.1, 1500),
        "linear": Schedule.power(1, rate=0.1, steps=1500),
    }
    return {name: train(shape, TASK, **GIVEN, **more, at=AT) for name, shape in shapes.items()}


def test_losses_are_the_runs(tmp_path):
    found = runs()
    figure = schedule_losses(found, power=0.5, floor=1e-4)
    left, right = figure.axes
    for name, run in found.items():
        x, y = marked(left, name)
        np.testing.assert_array_equal(x, AT)
        np.testing.assert_array_equal(y, run.test_loss)
        np.testing.assert_array_equal(marked(right, name)[0], AT / 1500)
    x, y = marked(left, "power")
    least = min(run.test_loss[-1] for run in found.values())
    assert (x[-1], y[-1]) == pytest.approx((1500, least))
    np.testing.assert_allclose(y * x**0.5, y[-1] * x[-1] ** 0.5)
    assert set(marked(left, "floor")[1]) == {1e-4}
    assert right.get_ylim()[0] < 1e-4
    figure.savefig(tmp_path / "losses.png")


def test_averages_and_floors_of_features_are_drawn():
    figure = schedule_losses(runs(average=TailAverage(0.5), features=50))
    left = figure.axes[0]
    found = runs(average=TailAverage(0.5), features=50)["linear"]
    np.testing.assert_array_equal(marked(left, "linear, averaged")[1], found.averaged_loss)
    assert set(marked(left, "floor")[1]) == {found.floor}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"solutions": {}}, "must be a mapping of 1 to 10 runs"),
        ({"solutions": {"x": 1}}, "which is no ScheduledTraining"),
        ({"power": -1}, "power"),
        ({"floor": -1}, "floor"),
        ({"figure": 3}, "must be a Matplotlib figure"),
    ],
)
def test_losses_that_cannot_be_drawn(change, complaint):
    given = {"solutions": runs()} | change
    with pytest.raises(DomainError, match=complaint):
        schedule_losses(given.pop("solutions"), **given)


def test_a_run_of_one_step_is_no_curve():
    run = train(Schedule.constant(0.1, 3000), TASK, **GIVEN, at=3000)
    with pytest.raises(DomainError, match="fewer than two steps"):
        schedule_losses({"x": run})


# -- cooldown -----------------------------------------------------------------------------------------------------------


HARD = PowerLawSpectrum.from_ab(1.4, 2.5)


def test_of_a_hard_task_the_best_cooldown_is_inside_and_falls_with_the_steps():
    parts = np.geomspace(3e-3, 1, 12)
    given = {"batch": 8, "noise_variance": 1, "rate": 0.5}
    figure = cooldown_losses(HARD, steps=[10**4, 10**6], cooldown=parts, **given)
    (axis,) = figure.axes
    best = []
    for steps in (10**4, 10**6):
        x, y = marked(axis, f"T = {steps:g}")
        np.testing.assert_array_equal(x, parts)
        best.append(x[np.argmin(y)])
        loss, least = (
            train(
                Schedule.wsd(rate=0.5, steps=steps, cooldown=part),
                HARD,
                batch=8,
                noise_variance=1,
                at=steps,
            ).test_loss
            for part in (parts[3], best[-1])
        )
        assert y[3] == pytest.approx(loss / least, rel=1e-12)
    assert parts[0] < best[1] < best[0] < 1
    assert len([line for line in axis.get_lines() if line.get_gid() == "least"]) == 2


def test_of_an_easy_task_a_longer_cooldown_is_better():
    figure = cooldown_losses(TASK, steps=[3000], cooldown=[0.1, 0.5, 1], batch=8, noise_variance=1)
    _, y = marked(figure.axes[0], "T = 3000")
    assert np.all(np.diff(y) < 0)
    ends = [
        tuned_rate(Schedule.wsd(rate=1, steps=3000, cooldown=f), TASK, batch=8, noise_variance=1)
        for f in (0.1, 1)
    ]
    assert y[0] == pytest.approx(ends[0].test_loss / ends[1].test_loss)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"steps": [10, 20, 30, 40, 50]}, "must be 1 to 4 lengths"),
        ({"steps": [10.5]}, "whole number"),
        ({"cooldown": [0.1, 1.1]}, "at most 1"),
        ({"cooldown": [0.1]}, "at least 2 numbers"),
        ({"rate": 5.0}, "unstable"),
    ],
)
def test_cooldowns_that_cannot_be_drawn(change, complaint):
    given = {"steps": [100], "cooldown": [0.1, 0.5], "rate": 0.1, **GIVEN} | change
    with pytest.raises(DomainError, match=complaint):
        cooldown_losses(TASK, **given)


# -- the plane ----------------------------------------------------------------------------------------------------------


def test_lines_are_where_exponents_change(tmp_path):
    figure = saturation_diagram(tasks={"mine": SourceCapacity(1.5, 0.5)})
    (axis,) = figure.axes
    x, hard = marked(axis, "hard")
    # the exponents of hard and of easy tasks agree there
    np.testing.assert_allclose(hard[1:], (hard / (hard + 1 / x))[1:], rtol=1e-12)
    np.testing.assert_allclose(marked(axis, "chi")[1], 2 - 1 / x)
    for shape, power in (("linear", 1), ("cosine", 2)):
        x, low = marked(axis, shape)
        assert min(x) == power + 1
        edge = low[1:]
        np.testing.assert_allclose(edge, edge / (edge + 1 / (power + 1)), rtol=1e-12)
    assert marked(axis, "mine") == (1.5, 0.5)


@pytest.mark.parametrize(("shape", "power"), [("linear", 1), ("cosine", 2)])
def test_lines_are_those_of_the_law(shape, power):
    law = theory.law("schedules.tuned")
    axis = saturation_diagram().axes[0]
    for alpha, low in np.transpose(marked(axis, shape))[1::125].tolist():
        assert law.regime(alpha=alpha + 0.01, beta=low + 0.01, p=power) == "easy, shape"
        assert law.regime(alpha=alpha + 0.01, beta=low - 0.01, p=power) == "hard"
    for alpha, edge in np.transpose(marked(axis, "hard"))[60::125].tolist():
        assert law.regime(alpha=alpha, beta=edge + 0.01, p=10) == "easy"
        assert law.regime(alpha=alpha, beta=edge - 0.01, p=10) == "hard"


def test_the_plane_can_be_saved(tmp_path):
    figure = saturation_diagram()
    figure.savefig(tmp_path / "plane.png")


@pytest.mark.parametrize("task", [SourceCapacity(9, 1), SourceCapacity(2, 9), 3])
def test_tasks_outside_the_plane(task):
    with pytest.raises(DomainError, match="tasks"):
        saturation_diagram(tasks={"x": task})


# -- frontiers ----------------------------------------------------------------------------------------------------------


def test_a_frontier_is_the_least_of_its_curves():
    sizes = [4, 8, 16, 32, 64, 128]
    figure = compute_frontiers(
        TASK,
        {"SGD": SGD(), "again": lambda _: SGD()},
        features=sizes,
        steps=3000,
        rate=0.2,
        batch=4,
        exponents={"SGD": 0.5},
        figure=Figure(),
    )
    (axis,) = figure.axes
    compute, least = marked(axis, "SGD")
    np.testing.assert_array_equal(least, marked(axis, "again")[1])
    for size in sizes:
        run = train(Schedule.constant(0.2, 3000), TASK, features=size, batch=4)
        reached = np.interp(
            np.log(compute), np.log(size * run.steps[1:]), np.log(run.test_loss[1:]), left=np.inf
        )
        assert np.all(least <= np.exp(reached) * (1 + 1e-12))
    x, y = marked(axis, "exponent")
    assert y[0] / y[-1] == pytest.approx((x[-1] / x[0]) ** 0.5)
    assert "derived" in axis.get_legend().get_texts()[0].get_text()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"methods": {}}, "must be a mapping of 1 to 4 methods"),
        ({"methods": {"x": 3}}, "which is no method"),
        ({"features": [10]}, "at least 2 numbers"),
        ({"features": [1000, 2000], "steps": 3}, "must reach farther"),
        ({"rate": 5.0}, "unstable"),
    ],
)
def test_frontiers_that_cannot_be_drawn(change, complaint):
    given = {"methods": {"SGD": SGD()}, "features": [10, 20, 40], "steps": 500, "rate": 0.1}
    given |= change
    with pytest.raises(DomainError, match=complaint):
        compute_frontiers(TASK, given.pop("methods"), **given)


def test_the_spectrum_stands_first():
    with pytest.raises(DomainError, match="spectrum"):
        compute_frontiers({"x": HeavyBall(0.9)}, TASK, features=[1, 2], steps=10, rate=0.1)


# -- forecasts ----------------------------------------------------------------------------------------------------------


STEPS = np.unique(np.geomspace(20, 3000, 60).round()).astype(int)


def curve(schedule):
    """Return a curve of the solver above an irreducible loss."""
    run = train(schedule, TASK, batch=4, noise_variance=1.0, at=STEPS)
    return ScheduledCurve(schedule, steps=STEPS, losses=2 + run.test_loss)


def test_a_forecast_and_what_was_measured_later(tmp_path):
    rate = 0.1
    drop = Schedule.from_function(
        lambda t: np.where(t < 1500, 1.0, 0.3), [1500], steps=3000, rate=rate
    )
    curves = {"constant": curve(Schedule.constant(rate, 3000)), "drop": curve(drop)}
    fit = fit_schedule_law(list(curves.values()), bootstrap=0)
    other = Schedule.wsd(rate=rate, steps=3000)
    found, later = fit.predict(other), curve(other)
    figure = schedule_forecast(curves, {"wsd": found}, measured={"wsd": later})
    (axis,) = figure.axes
    x, y = marked(axis, "wsd")
    shown = found.steps >= 30
    np.testing.assert_array_equal(x, found.steps[shown])
    np.testing.assert_array_equal(y, found.loss[shown])
    x, y = marked(axis, "wsd, measured")
    assert set(y) <= set(later.losses)
    assert (x[-1], y[-1]) == (3000, later.losses[-1])
    np.testing.assert_array_equal(marked(axis, "drop")[0], STEPS[STEPS >= 30])
    (band,) = axis.collections
    assert band.get_gid() == "wsd, band"
    assert marked(axis, "wsd")[1][-1] == pytest.approx(later.losses[-1], rel=2e-3)
    figure.savefig(tmp_path / "forecast.png")

    for change, complaint in (
        ({"curves": {}}, "must be a mapping of 1 to 8 of ScheduledCurve"),
        ({"curves": {"x": 3}}, "which is no ScheduledCurve"),
        ({"predictions": {"x": later}}, "which is no SchedulePrediction"),
        ({"measured": {"y": later}}, "which is no prediction"),
        ({"predictions": {"x": fit.predict(other, at=3000)}}, "fewer than two steps"),
    ):
        given = {"curves": curves, "predictions": {"wsd": found}, **change}
        with pytest.raises(DomainError, match=complaint):
            schedule_forecast(given.pop("curves"), given.pop("predictions"), **given)
