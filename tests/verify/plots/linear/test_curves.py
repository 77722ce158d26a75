"""Pictures of training show the solvers' and the simulations' numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.verify.plots.linear import loss_curves
from scalinglaws.verify.simulate import linear as simulate

SPECTRUM = PowerLawSpectrum(1.5, 0.7, 40)
SIZES = {"features": 10, "samples": 20, "noise_variance": 0.1}
TIME = np.array([0, 0.5, 2, 8, 32, np.inf])


def marked(axis, gid):
    """Return the data of the line or the marks with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def labels(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_flow_with_test_and_train_loss_and_the_end_of_training():
    solution = linear.gradient_flow(TIME, SPECTRUM, **SIZES)
    figure = loss_curves(solution)
    (axis,) = figure.axes
    for name in ("test", "train"):
        x, y = marked(axis, f"{name} loss")
        np.testing.assert_array_equal(x, TIME[1:-1])
        np.testing.assert_array_equal(y, getattr(solution, f"{name}_loss")[1:-1])
        np.testing.assert_array_equal(
            marked(axis, f"{name} loss, limit")[1], getattr(solution, f"{name}_loss")[-1]
        )
    assert labels(axis) == ["test loss", "train loss", "end of training"]
    assert (axis.get_xscale(), axis.get_yscale(), axis.get_xlabel(), axis.get_ylabel()) == (
        "log",
        "log",
        "time t",
        "loss",
    )


def test_simulation_and_its_deviation(tmp_path):
    solution = linear.gradient_flow(TIME[1:-1], SPECTRUM, **SIZES)
    at = TIME[1:-1:2]
    draws = simulate.gradient_flow(at, SPECTRUM, draws=5, **SIZES)
    figure = loss_curves(solution, simulated=draws, at=at, tolerance=0.2)
    upper, lower = figure.axes
    for name in ("test", "train"):
        values = getattr(draws, f"{name}_loss")
        x, y = marked(upper, f"{name} loss, simulated")
        np.testing.assert_array_equal(x, at)
        np.testing.assert_allclose(y, values.mean(axis=0), rtol=1e-14)
        off = values.mean(axis=0) / getattr(solution, f"{name}_loss")[::2] - 1
        np.testing.assert_allclose(marked(lower, f"{name} loss, simulated")[1], off, rtol=1e-12)
        assert np.all(np.abs(off) < lower.get_ylim()[1])
    bars = [
        segment
        for container in upper.containers
        for bar in container[2]
        for segment in bar.get_segments()
    ]
    expected = draws.test_loss.std(axis=0, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(
        [(segment[1, 1] - segment[0, 1]) / 2 for segment in bars[: at.size]], expected, rtol=1e-10
    )
    assert labels(upper)[-1] == "simulation: mean ± s.e. of 5 draws"
    assert "solver" in lower.get_ylabel()
    assert lower.get_xlabel() == "time t"
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_runs_side_by_side():
    steps = np.array([1, 4, 16])
    runs, draws = {}, {}
    for batch in (1, 8):
        training = {"features": 10, "batch": batch, "learning_rate": 0.1}
        runs[f"B = {batch}"] = linear.online_sgd(steps, SPECTRUM, **training)
        draws[f"B = {batch}"] = simulate.online_sgd(steps, SPECTRUM, draws=batch + 2, **training)
    upper, lower = loss_curves(runs, simulated=draws).axes
    assert upper.get_ylabel() == "test loss"
    assert lower.get_xlabel() == "steps"
    assert labels(upper) == ["B = 1", "B = 8", "simulation: mean ± s.e. of 3 to 10 draws"]
    for name in runs:
        np.testing.assert_array_equal(marked(upper, f"{name}, test loss")[1], runs[name].test_loss)
        np.testing.assert_allclose(
            marked(upper, f"{name}, test loss, simulated")[1], draws[name].test_loss.mean(axis=0)
        )
    assert (
        len(
            {
                line.get_color()
                for line in upper.get_lines()
                if line.get_gid() in ("B = 1, test loss", "B = 8, test loss")
            }
        )
        == 2
    )
    upper, _ = loss_curves(runs, simulated={"B = 8": draws["B = 8"]}).axes
    assert not [
        line for line in upper.get_lines() if line.get_gid() == "B = 1, test loss, simulated"
    ]


def test_descent_of_several_momenta_tells_test_from_train():
    runs = {
        f"{mu}": linear.gradient_descent([1, 5], SPECTRUM, learning_rate=0.1, momentum=mu, **SIZES)
        for mu in (0, 0.5)
    }
    (axis,) = loss_curves(runs).axes
    assert labels(axis) == ["0", "0.5", "test", "train"]
    assert {line.get_gid(): line.get_linestyle() for line in axis.get_lines()} == {
        f"{mu}, {name} loss": style
        for mu in (0, 0.5)
        for name, style in (("test", "-"), ("train", "--"))
    }


def test_a_loss_that_is_all_rounding_is_left_out():
    solution = linear.gradient_flow([1, 2, 1e6], SPECTRUM, samples=5)
    assert solution.train_loss[-1] < solution.train_error[-1]
    draws = simulate.gradient_flow([1, 2, 1e6], SPECTRUM, samples=5, draws=3)
    upper, lower = loss_curves(solution, simulated=draws).axes
    assert marked(upper, "train loss")[0].size == 2
    assert marked(lower, "train loss, simulated")[0].size == 2


def test_draws_in_a_given_figure():
    given = Figure()
    assert loss_curves(linear.gradient_flow([1, 2], SPECTRUM), figure=given) is given


def test_refusals():
    flow = linear.gradient_flow([1, 2], SPECTRUM, **SIZES)
    descent = linear.gradient_descent([1, 2], SPECTRUM, learning_rate=0.1)
    draws = simulate.gradient_flow([1, 2], SPECTRUM, draws=3, **SIZES)
    for arguments, message in (
        ({"solution": 1.0}, "GradientFlowSolution, GradientDescentSolution, OnlineSGDSolution"),
        ({"solution": {}}, "0 runs"),
        ({"solution": dict.fromkeys("abcde", flow)}, "5 runs"),
        ({"solution": {"a": flow, "b": descent}}, "mixes a flow"),
        ({"solution": linear.gradient_flow(1.0, SPECTRUM)}, "one row"),
        (
            {"solution": linear.gradient_flow([1, 2], SPECTRUM, samples=[5, 6])},
            "several values of samples",
        ),
        ({"solution": flow, "tolerance": 0}, "tolerance"),
        ({"solution": flow, "simulated": {"a": draws}}, "one SimulatedLosses"),
        ({"solution": {"a": flow}, "simulated": draws}, "names of solution, 'a'"),
        ({"solution": {"a": flow}, "simulated": {"b": draws}}, "names of solution, 'a'"),
        ({"solution": flow, "simulated": np.ones((3, 2))}, "must be SimulatedLosses"),
        (
            {"solution": flow, "simulated": draws, "at": [1]},
            r"draws of 1 times, shape \(draws, 1\)",
        ),
        ({"solution": flow, "simulated": draws, "at": [1, 3]}, "times that the solution has"),
        ({"solution": flow, "at": [1, 2]}, "give simulated too"),
        (
            {"solution": flow, "simulated": simulate.gradient_flow([1, 2], SPECTRUM, **SIZES)},
            "at least two draws",
        ),
    ):
        with pytest.raises(DomainError, match=message):
            loss_curves(**arguments)
