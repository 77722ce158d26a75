"""Networks on the circle against dense matrix products, the kernel flow, their own records and refusals."""

import math

import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.solvers.feature_learning import circle_flow
from scalinglaws.verify.simulate.feature_learning import circle_network
from scalinglaws.verify.simulate.feature_learning._circle import _arc

TASK = {"neurons": 40, "samples": 41, "target_exponent": 0.8, "harmonics": 15, "richness": 1.0}


def dense(
    times, *, neurons, samples, target_exponent, harmonics, richness, bias, rate, seed, draw=0
):
    """Train with matrix products, from the formulas as they stand."""
    half = np.random.default_rng(seed).spawn(draw + 1)[draw].standard_normal((4, neurons // 2)).T
    w, a = np.concatenate([half[:, :3]] * 2), np.concatenate([half[:, 3], -half[:, 3]])
    k = np.arange(1, harmonics + 1)

    def data(shift):
        theta = 2 * np.pi * (np.arange(samples) + shift) / samples
        return np.stack(
            [np.cos(theta), np.sin(theta), np.full(samples, bias)]
        ), k**-target_exponent @ np.cos(np.outer(k, theta))

    def error(x, y):
        return a @ np.maximum(w @ x, 0) / (richness * neurons) - y

    (x, y), between = data(0.0), data(0.5)
    square, now, found = np.sum(w**2) + np.sum(a**2), 0.0, []
    for time in times:
        while now < time:
            step = min(rate * square / (np.sum(w**2) + np.sum(a**2)), time - now)
            z, r = w @ x, error(x, y)
            to_a, to_w = np.maximum(z, 0) @ r, a[:, None] * (((z > 0) * r) @ x.T)
            a, w = a - richness * step / samples * to_a, w - richness * step / samples * to_w
            now = time if step == time - now else now + step
        found.append(
            [
                np.mean(error(*between) ** 2) / 2,
                np.mean(error(x, y) ** 2) / 2,
                (np.sum(w**2) + np.sum(a**2)) / square,
            ]
        )
    return np.array(found).T


@pytest.mark.pure
@pytest.mark.parametrize("richness", [1e-4, 0.3, 4.0])
@pytest.mark.parametrize(("bias", "samples"), [(0.0, 32), (1.0, 41), (3.0, 64)])
def test_equals_dense_products(richness, bias, samples):
    times = [0.0, 0.9, 6.3, 6.3, 20.0]
    task = {**TASK, "richness": richness, "bias": bias, "samples": samples}
    found = circle_network(times, **task, learning_rate=0.7 / (1 + bias**2), draws=2, rng=5)
    for draw in range(2):
        expected = dense(times, **task, rate=0.7 / (1 + bias**2), seed=5, draw=draw)
        np.testing.assert_allclose(found.test_loss[draw], expected[0], rtol=1e-9)
        np.testing.assert_allclose(found.train_loss[draw], expected[1], rtol=1e-9)
        np.testing.assert_allclose(found.weight_growth[draw], expected[2], rtol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_arcs_hold_the_samples_with_positive_sign(count):
    angles = 2 * np.pi * np.arange(count) / count
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rng = np.random.default_rng(count)
    for _ in range(300):
        u, v, lift = rng.standard_normal(3) * [1, 1, rng.choice([0.3, 1, 3])]
        guess = rng.integers(0, count), rng.integers(0, count + 1)
        first, length = _arc(u, v, lift, circle, *guess)
        assert 0 <= first < count
        inside = np.zeros(count, bool)
        inside[(first + np.arange(length)) % count] = True
        np.testing.assert_array_equal(inside, u * circle[:, 0] + v * circle[:, 1] + lift > 0)
        assert _arc(u, v, lift, circle, first, length) == (first, length)


def test_a_wide_lazy_network_follows_the_kernel_flow():
    t = [0, 1, 5, 20]
    found = circle_network(
        t,
        neurons=20_000,
        samples=256,
        richness=1e-4,
        target_exponent=1,
        harmonics=60,
        learning_rate=0.05,
        draws=2,
    )
    flow = circle_flow(t, activation_power=1, target_exponent=1, harmonics=60, grid=256)
    np.testing.assert_allclose(found.train_loss.mean(axis=0), flow.train_loss, rtol=0.02)
    assert found.train_loss[:, 0] == pytest.approx(flow.train_loss[0], rel=1e-12)
    np.testing.assert_allclose(found.test_loss, found.train_loss, rtol=0.01)
    np.testing.assert_allclose(found.weight_growth, 1, atol=1e-5)


def test_a_rich_network_is_faster_and_grows():
    t = [20, 60]
    lazy, rich = (
        circle_network(
            t, neurons=600, samples=512, richness=gamma, target_exponent=1, harmonics=128
        )
        for gamma in (1e-4, 4.0)
    )
    assert np.all(rich.train_loss < 0.8 * lazy.train_loss)
    assert np.all(rich.weight_growth > 5)


def test_draws_are_reproducible_and_do_not_depend_on_their_number():
    one, three = (
        circle_network([1, 5], **TASK, rng=7),
        circle_network([1, 5], **TASK, rng=7, draws=3),
    )
    np.testing.assert_array_equal(one.train_loss[0], three.train_loss[0])
    assert len(set(three.train_loss[:, 1])) == 3
    again = circle_network([1, 5], **TASK, rng=np.random.default_rng(7), draws=3)
    np.testing.assert_array_equal(again.test_loss, three.test_loss)
    assert circle_network(5, **TASK, draws=2).train_loss.shape == (2,)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"t": -1}, "t"),
        ({"t": math.inf}, "t"),
        ({"t": [2, 1]}, "t"),
        ({"neurons": 41}, "neurons"),
        ({"neurons": 0}, "neurons"),
        ({"samples": 30}, "samples"),
        ({"samples": 40.5}, "samples"),
        ({"harmonics": 0}, "harmonics"),
        ({"richness": 0}, "richness"),
        ({"richness": 1e9}, "richness"),
        ({"richness": math.nan}, "richness"),
        ({"target_exponent": -1}, "target_exponent"),
        ({"bias": math.inf}, "bias"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"draws": 0}, "draws"),
    ],
)
def test_refusals(given, name):
    with pytest.raises(DomainError) as refusal:
        circle_network(**{"t": 1.0, **TASK, **given})
    assert refusal.value.argument == name


def test_refuses_what_takes_too_long_or_diverges():
    with pytest.raises(ResourceError, match="too many"):
        circle_network(1e9, **TASK)
    with pytest.raises(ConvergenceError, match="lower the learning rate"):
        circle_network(1e4, **TASK, learning_rate=20.0)
    with pytest.raises(ConvergenceError, match="lower the learning rate"):
        circle_network(1e4, **{**TASK, "richness": 1e4}, learning_rate=1e3, bias=100.0)
