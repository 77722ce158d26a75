"""Networks of any smoothness and depth on the circle against the fast ones, finite differences and the flow of their kernels."""

import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.solvers import feature_learning as solve
from scalinglaws.verify.checks.feature_learning.perceptrons import _two_hidden_layers
from scalinglaws.verify.simulate.feature_learning import circle_network, circle_perceptron
from scalinglaws.verify.simulate.feature_learning._perceptron import _Task, _weights

TASK = {"samples": 48, "harmonics": 16, "target_exponent": 1.0}


def test_one_hidden_layer_of_linear_units_is_the_fast_network():
    """Means of draws, in small steps, rich."""
    t, given = [1.0, 3.0], {"neurons": 40, "richness": 2.0, "draws": 12, **TASK}
    slow = circle_perceptron(t, pace=0.1, **given)
    fast = circle_network(t, learning_rate=0.05, **given)
    for name in ("train_loss", "test_loss", "weight_growth"):
        one, other = getattr(slow, name), getattr(fast, name)
        error = np.hypot(one.std(axis=0), other.std(axis=0)) / np.sqrt(12)
        assert np.all(np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4 * error + 1e-12)


@pytest.mark.parametrize("hidden", [1, 2])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_steps_are_gradients(hidden, power):
    """What a step moves, against finite differences of the loss, in every layer."""
    task = _Task(20, 6, 1.0, 0.7, (0.8, power))
    weights = _weights(np.random.default_rng(1), 6, hidden)

    def loss(layers):
        return 0.5 * np.mean((task.tangent(layers, task.inputs[0])[0] - task.targets[0]) ** 2)

    output, slopes, diagonal = task.tangent(weights, task.inputs[0])
    moved = [layer.copy() for layer in weights]
    # gamma N times the gradient of the loss is what `move` takes off at -1/P
    task.move(moved, slopes, output - task.targets[0], -1.0 / 20)
    total, size = 0.0, 1e-6
    for number, layer in enumerate(weights):
        for place in np.ndindex(layer.shape):
            both = []
            for sign in (1, -1):
                changed = [entry.copy() for entry in weights]
                changed[number][place] += sign * size
                both.append(changed)
            slope = (loss(both[0]) - loss(both[1])) / (2 * size)
            expected = -(moved[number] - layer)[place] / (0.8 * 6)
            assert slope == pytest.approx(expected, rel=1e-4, abs=1e-7)
            change = task.tangent(both[0], task.inputs[0])[0]
            change = (change - task.tangent(both[1], task.inputs[0])[0]) / (2 * size)
            total += np.mean(change**2)
    assert diagonal == pytest.approx(0.8**2 * 6 * total, rel=1e-4)


def test_lazy_networks_follow_their_kernels():
    t, given = np.array([1.0, 4.0]), {"samples": 128, "harmonics": 48, "richness": 1e-3}
    smooth = circle_perceptron(
        t, neurons=400, activation_power=2, target_exponent=1.5, draws=8, pace=1.0, **given
    ).train_loss
    flow = solve.circle_flow(t, activation_power=2, target_exponent=1.5, harmonics=48, grid=128)
    np.testing.assert_allclose(smooth.mean(axis=0), flow.train_loss, rtol=0.08)
    deep = circle_perceptron(
        t, neurons=200, hidden_layers=2, target_exponent=0.8, draws=6, **given
    ).train_loss
    eigenvalues, k = _two_hidden_layers(), np.arange(1, 49)
    expected = 0.25 * np.exp(-2 * np.outer(t, eigenvalues)) @ k**-1.6
    np.testing.assert_allclose(deep.mean(axis=0), expected, rtol=0.08)


def test_they_start_at_zero_and_draws_do_not_depend_on_how_many():
    start = 0.25 * np.sum(np.arange(1, 17) ** -2.0)
    for hidden in (1, 2):
        given = {"neurons": 20, "hidden_layers": hidden, "richness": 0.5, **TASK}
        many = circle_perceptron([0, 2], draws=3, **given)
        np.testing.assert_allclose(many.train_loss[:, 0], start, rtol=1e-12)
        np.testing.assert_array_equal(many.weight_growth[:, 0], 1.0)
        few = circle_perceptron([0, 2], draws=2, **given)
        np.testing.assert_array_equal(many.train_loss[:2], few.train_loss)
    assert circle_perceptron(1.0, **given).test_loss.shape == (1,)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"neurons": 3}, "must be even"),
        ({"samples": 30}, "more than twice"),
        ({"activation_power": 0}, "activation_power = 0"),
        ({"activation_power": 5}, "activation_power = 5"),
        ({"hidden_layers": 3}, "hidden_layers = 3"),
        ({"richness": 0}, "richness = 0"),
        ({"pace": 2}, "pace = 2"),
        ({"bias": -1}, "bias = -1"),
        ({"draws": 0}, "draws = 0"),
        ({"t": [2, 1]}, "is less than"),
    ],
)
def test_refusals(changes, complaint):
    given = {"t": 1.0, "neurons": 4, "richness": 1.0, **TASK, **changes}
    with pytest.raises(DomainError, match=complaint):
        circle_perceptron(given.pop("t"), **given)


def test_what_takes_too_long_is_given_up():
    with pytest.raises(ResourceError, match="given up"):
        circle_perceptron(1e12, neurons=400, hidden_layers=2, richness=1e-3, **TASK)
    with pytest.raises((ConvergenceError, ResourceError)):
        circle_perceptron(1e3, neurons=4, richness=1e4, activation_power=4, pace=1.5, **TASK)
