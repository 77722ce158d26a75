"""The kernel flow on the circle: recorded losses, the flow of a Gram matrix, limits, the exponent."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.solvers.feature_learning import CircleFlow, circle_flow
from scalinglaws.solvers.kernels import circle_eigenvalues, circle_kernel


def test_recorded_losses(reference):
    rows = reference("circle")["flow"]["rows"]
    for exponent in (1, 0.8):
        t, losses = zip(*((t, loss) for q_y, t, loss in rows if q_y == exponent), strict=True)
        flow = circle_flow(t, activation_power=1, target_exponent=exponent)
        np.testing.assert_allclose(flow.train_loss, losses, rtol=1e-8)
        assert np.all(flow.train_error <= 1e-11 * flow.train_loss)


@pytest.mark.parametrize("q", [1, 2, 3])
def test_flow_of_the_gram_matrix(q):
    n, theta = 24, 2 * math.pi * np.arange(24) / 24
    gram = circle_kernel(theta[:, None] - theta, q, bias=0.5) / n
    target = sum(k**-0.9 * np.cos(k * theta) for k in range(1, 9))
    t = [0.0, 0.3, 5.0, 80.0]
    expected = [0.5 * np.mean((expm(-time * gram) @ target) ** 2) for time in t]
    flow = circle_flow(t, activation_power=q, target_exponent=0.9, bias=0.5, harmonics=8, grid=n)
    np.testing.assert_allclose(flow.train_loss, expected, rtol=1e-11)


def test_limits():
    task = {"activation_power": 1, "target_exponent": 1.0, "harmonics": 10, "grid": 64}
    flow = circle_flow([0, math.inf], **task)
    assert flow.train_loss[0] == pytest.approx(0.25 * sum(k**-2 for k in range(1, 11)), rel=1e-15)
    assert flow.train_loss[1] == 0
    # without a bias, odd harmonics but the first stay
    blind = circle_flow(math.inf, bias=0, **task)
    assert blind.train_loss == pytest.approx(0.25 * sum(k**-2 for k in (3, 5, 7, 9)), rel=1e-15)
    assert blind.diagnostics.status.ok


def test_exponent():
    """With enough harmonics the local slope is beta to about one percent at lambda_1 t = 1000; with few it is steeper."""
    first = float(circle_eigenvalues(1, harmonics=1)[1])
    t = 1e3 / first * np.array([0.9, 1.1])
    slopes = [
        -np.diff(
            np.log(
                circle_flow(
                    t, activation_power=1, target_exponent=1, harmonics=count, grid=2**18
                ).train_loss
            )
        )[0]
        / np.diff(np.log(t))[0]
        for count in (2**16, 256)
    ]
    assert slopes[0] == pytest.approx(0.5, rel=0.015)
    assert slopes[1] > 0.52


def test_shapes_and_records(tmp_path):
    flow = circle_flow(
        [0.0, 1.0, 9.0], activation_power=[[1], [2]], target_exponent=0.8, harmonics=20, grid=64
    )
    assert flow.train_loss.shape == flow.bias.shape == (2, 3)
    single = circle_flow(9.0, activation_power=2, target_exponent=0.8, harmonics=20, grid=64)
    assert isinstance(single.train_loss, float)
    assert single.train_loss == flow.train_loss[1, 2]
    loaded = CircleFlow.load(flow.save(tmp_path / "flow.npz"))
    np.testing.assert_array_equal(loaded.train_loss, flow.train_loss)


def test_warns_where_rounding_errors_matter():
    with pytest.warns(AccuracyWarning, match="circle_flow"):
        flow = circle_flow(1e8, activation_power=3, target_exponent=1)
    assert flow.train_error > 1e-8 * flow.train_loss


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"t": -1}, "t"),
        ({"t": [2, 1]}, "t"),
        ({"activation_power": 4}, "activation_power"),
        ({"activation_power": 1.5}, "activation_power"),
        ({"target_exponent": 0.5}, "target_exponent"),
        ({"target_exponent": 1e3}, "target_exponent"),
        ({"bias": -0.1}, "bias"),
        ({"bias": 1e4}, "bias"),
        ({"harmonics": 0}, "harmonics"),
        ({"harmonics": 2048}, "harmonics"),
        ({"grid": 2.5}, "grid"),
        ({"bias": [1, 2], "t": [1, 2, 3]}, "t"),
    ],
)
def test_refusals(given, name):
    with pytest.raises(DomainError) as refusal:
        circle_flow(**{"t": 1.0, "activation_power": 1, "target_exponent": 1.0, **given})
    assert refusal.value.argument == name
