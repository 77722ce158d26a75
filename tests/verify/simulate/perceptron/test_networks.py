"""Networks: gradients, optimizers, digits along their spectral complexity, and refusals."""

from itertools import pairwise

import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError, DataError, DomainError, ResourceError
from scalinglaws.solvers.perceptron import spectral_complexity
from scalinglaws.verify.estimate import norm_exponents
from scalinglaws.verify.simulate import _digits as data_module
from scalinglaws.verify.simulate.perceptron import _digits as digits_module
from scalinglaws.verify.simulate.perceptron import digits_curves, train_network
from scalinglaws.verify.simulate.perceptron._network import _Updates


def task(seed=0, count=200):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 6))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def loss(update, x, y):
    outputs = update.forward(x)[-1]
    return float(np.mean(np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(y.size), y]))


@pytest.mark.parametrize("widths", [(), (5,), (5, 4)])
def test_a_step_of_gradient_descent_is_the_gradient(widths):
    rng = np.random.default_rng(1)
    x, y = task()
    sizes = [6, *widths, 3]
    weights = [rng.standard_normal((m, n)) for n, m in pairwise(sizes)]
    biases = [rng.standard_normal(m) for m in sizes[1:]]
    update = _Updates(weights, biases, "sgd", 1.0)
    parameters = [*weights, *biases]
    expected = []
    for parameter in parameters:
        slope = np.empty_like(parameter)
        for i in np.ndindex(parameter.shape):
            old = parameter[i]
            parameter[i] = old + 1e-6
            high = loss(update, x, y)
            parameter[i] = old - 1e-6
            slope[i] = (high - loss(update, x, y)) / 2e-6
            parameter[i] = old
        expected.append(slope)
    before = [parameter.copy() for parameter in parameters]
    update.step(x, y, 0.0)
    for old, new, slope in zip(before, parameters, expected, strict=True):
        np.testing.assert_allclose(old - new, slope, atol=1e-7)


def test_adams_first_step_has_the_size_of_its_rate():
    x, y = task()
    weights = [np.ones((2, 6))]
    _Updates(weights, [np.zeros(2)], "adam", 0.01).step(x, y, 0.0)
    np.testing.assert_allclose(np.abs(weights[0] - 1), 0.01, rtol=1e-4)


def test_weight_decay_shrinks_weights_alone():
    x, y = task()
    kept = train_network(0, x, y, test_inputs=x, test_labels=y, widths=())
    decayed = train_network(
        10, x, y, test_inputs=x, test_labels=y, widths=(), optimizer="sgd", learning_rate=1e-9,
        weight_decay=1e7,
    )  # fmt: skip
    np.testing.assert_allclose(decayed.weights[0], 0.99**10 * kept.weights[0], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 1e-2), ("sgd", 0.3)])
def test_training_learns_a_parity(optimizer, rate):
    x, y = task(count=600)
    found = train_network(
        [0, 400], x[:400], y[:400], test_inputs=x[400:], test_labels=y[400:], widths=(32,),
        optimizer=optimizer, learning_rate=rate, observe=lambda w: [np.sum(w[0] ** 2), 1.0],
    )  # fmt: skip
    assert found.error[1] < 0.2 < 0.35 < found.error[0]
    assert found.train_loss[1] < found.train_loss[0]
    assert found.observed.shape == (2, 2)
    assert found.observed[1, 0] > found.observed[0, 0]


def test_digits_along_their_complexity():
    """A small part of the protocol: complexity grows, errors fall along it, and with the samples."""
    steps = np.unique(np.geomspace(1, 800, 24).round())
    found = digits_curves(
        steps,
        [40, 160, 640],
        seeds=3,
        observe=lambda weights: spectral_complexity(weights).complexity,
        scale=0.1,
        learning_rate=3e-3,
        rng=1,
    )
    least = found.error.min(axis=2).mean(axis=0)
    assert least[0] > 1.6 * least[1] > 1.6 * 1.3 * least[2]
    assert least[2] < 0.08
    complexity = found.observed[0]
    assert np.all(complexity[..., -1] > 20 * complexity[..., 0])
    exponents = norm_exponents(found.samples, complexity, found.error, resamples=50)
    assert 0.4 < exponents.measured < 0.9
    # the plain product of exponents is too small
    assert exponents.product < exponents.measured
    assert exponents.gamma0 > 0.1


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    digits_module._images.cache_clear()
    data_module.digits.cache_clear()
    monkeypatch.setattr(data_module, "import_module", missing)
    with pytest.raises(DataError, match=r"pip install 'scalinglaws\[data\]'"):
        digits_curves(1, [10], observe=lambda weights: 1.0)
    digits_module._images.cache_clear()


def test_images_are_centered_with_a_mean_square_norm_of_one():
    images, labels = digits_module._images()
    assert images.shape == (1797, 64)
    assert sorted(set(labels)) == list(range(10))
    np.testing.assert_allclose(images.mean(axis=0), 0, atol=1e-12)
    assert np.mean(np.sum(images**2, axis=1)) == pytest.approx(1)


def test_a_rate_that_is_too_large_is_told():
    x, y = task()
    with (
        np.errstate(all="ignore"),
        pytest.raises(ConvergenceError, match="use a smaller learning_rate"),
    ):
        train_network(
            50, 1e100 * x, y, test_inputs=x, test_labels=y, optimizer="sgd", learning_rate=1e200
        )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"optimizer": "lion"}, "optimizer"),
        ({"learning_rate": 0}, "learning_rate = 0 must"),
        ({"scale": -1}, "scale = -1 must"),
        ({"weight_decay": -1}, "weight_decay = -1 must"),
        ({"batch": 201}, "batch = 201 must"),
        ({"widths": 5}, "widths"),
        ({"widths": 5.0}, "widths"),
        ({"widths": None}, "widths"),
        ({"widths": np.int64(5)}, "widths"),
        ({"widths": {5, 4}}, "widths"),
        ({"widths": "5"}, "widths"),
        ({"inputs": [["a", "b"]]}, "inputs"),
        ({"inputs": 1j * np.ones((200, 6))}, "inputs"),
        ({"inputs": [[1, 2], [3]]}, "inputs"),
        ({"test_labels": [[1], [1, 2]]}, "test_labels"),
        ({"observe": 3}, "observe = 3 must be a function"),
        ({"observe": lambda weights: "a"}, r"observe\(weights\) = 'a' must be finite numbers"),
        ({"observe": lambda weights: None}, r"observe\(weights\) = None must be finite"),
        ({"observe": lambda weights: np.nan}, r"observe\(weights\) = nan must be finite"),
        ({"widths": (0,)}, "widths = 0 must"),
        ({"steps": [5, 1]}, "steps"),
    ],
)
def test_refusals(arguments, complaint):
    x, y = task()
    with pytest.raises(DomainError, match=complaint):
        train_network(
            **{
                "steps": 1,
                "inputs": x,
                "labels": y,
                "test_inputs": x,
                "test_labels": y,
                **arguments,
            }
        )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"labels": [0, 1]}, "do not fit"),
        ({"labels": np.full(200, 0.5)}, "whole numbers"),
        ({"labels": np.full(200, 2**63, np.uint64)}, "whole numbers"),
        ({"labels": np.full(200, -1)}, "whole numbers"),
        ({"inputs": np.full((200, 6), np.nan)}, "finite"),
        ({"inputs": np.ones((200, 0))}, "do not fit"),
        ({"test_inputs": np.ones((200, 5))}, "6 entries, test_inputs 5"),
    ],
)
def test_data_that_cannot_be_used(change, complaint):
    x, y = task()
    with pytest.raises(DataError, match=complaint):
        train_network(
            **{"steps": 1, "inputs": x, "labels": y, "test_inputs": x, "test_labels": y, **change}
        )


def test_as_much_is_observed_at_every_step():
    x, y = task()
    looks = []

    def growing(weights):
        looks.append(1)
        return np.ones(len(looks))

    with pytest.raises(DomainError, match="at every step as many"):
        train_network([0, 1], x, y, test_inputs=x, test_labels=y, observe=growing)
    nothing = train_network([0, 1], x, y, test_inputs=x, test_labels=y)
    assert nothing.observed.shape == (2, 0)


@pytest.mark.parametrize("change", [{"scale": 1e300}, {"weight_decay": 1e300}])
def test_overflow_is_told_without_warnings(change):
    x, y = task()
    with pytest.raises(ConvergenceError, match="not finite"):
        train_network(9, x, y, test_inputs=x, test_labels=y, **change)


def test_what_does_not_fit_into_memory_is_refused(monkeypatch):
    x, y = task()
    with pytest.raises(ResourceError, match="use fewer seeds or steps"):
        digits_curves([0, 1], [10, 20], seeds=10**15, observe=lambda weights: 1.0)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="a network would hold"):
        train_network(1, x, y, test_inputs=x, test_labels=y, widths=(10**5,))
    with pytest.raises(ResourceError, match="return fewer numbers, or look less often"):
        train_network(1, x, y, test_inputs=x, test_labels=y, observe=lambda weights: np.ones(10**6))


def test_digits_refuse_more_images_than_there_are():
    with pytest.raises(DomainError, match="samples = 1201"):
        digits_curves(1, [10, 1201], observe=lambda weights: 1.0)
    with pytest.raises(DomainError, match="observe"):
        digits_curves(1, [10], observe=None)
