"""Weight decay and Langevin noise: reference values, limits, an identity in time on one draw, refusals."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.results import Result
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import (
    _flow,
    _sgd_decay,
    gradient_descent,
    gradient_flow,
    largest_eigenvalue,
    online_sgd,
    ridge,
    sgd_stability,
)

INF = math.inf
TASK = PowerLawSpectrum.from_ab(2, 1.5, 400)
SIZES = {"features": 60, "samples": 150, "noise_variance": 0.09}


def rows(table):
    return [
        dict(zip(table["columns"], (float(entry) for entry in row), strict=True))
        for row in table["values"]
    ]


def task_of(row):
    return PowerLawSpectrum.from_ab(row.pop("a"), row.pop("b"), row.pop("size"))


def test_reference_values_of_the_flow(reference):
    for row in rows(reference("weight_decay")["flow"]):
        expected = row.pop("test_loss"), row.pop("train_loss")
        found = gradient_flow(row.pop("t"), task_of(row), **row)
        assert (found.test_loss, found.train_loss) == pytest.approx(expected, rel=1e-10, abs=0)
        assert found.test_error < 1e-11 * found.test_loss + 1e-14


def test_reference_values_of_langevin_noise(reference):
    for row in rows(reference("weight_decay")["langevin"]):
        expected = row.pop("langevin_test"), row.pop("langevin_train")
        found = gradient_flow(row.pop("t"), task_of(row), **row)
        assert (found.langevin_test, found.langevin_train) == pytest.approx(
            expected, rel=1e-10, abs=0
        )


def test_reference_values_of_descent(reference):
    for row in rows(reference("weight_decay")["descent"]):
        expected = row.pop("test_loss"), row.pop("train_loss")
        row["decoupled"] = bool(row["decoupled"])
        found = gradient_descent(row.pop("steps"), task_of(row), **row)
        assert (found.test_loss, found.train_loss) == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize(
    "sizes",
    [(60, 150), (150, 60), (INF, 60), (60, INF), (100, 100), (INF, INF)],
    ids=str,
)
def test_without_decay_it_is_the_solver_without(sizes):
    """The path of decay at a decay too small to matter, against the other path."""
    sizes = {"features": sizes[0], "samples": sizes[1], "noise_variance": 0.09}
    t = np.array([0.1, 10, 1e3, 1e6])
    start = float(np.sum(TASK.explicit()[1])) + 0.09
    for solve in (
        lambda **more: gradient_flow(t, TASK, **sizes, **more),
        lambda **more: gradient_descent(
            [1, 13, 300, 10**5], TASK, learning_rate=0.15, **sizes, **more
        ),
        lambda **more: gradient_descent(
            [1, 13, 300, 10**5], TASK, learning_rate=0.15, momentum=0.8, **sizes, **more
        ),
    ):
        plain = solve()
        for more in ({}, {"decoupled": True}) if "steps" in vars(plain) else ({},):
            small = solve(weight_decay=1e-30, **more)
            for name in ("test_loss", "train_loss"):
                one, two = getattr(plain, name), getattr(small, name)
                assert np.all(abs(one - two) <= 1e-13 * (one + 1e-2 * start)), name
            zero = solve(weight_decay=0.0, **more)
            np.testing.assert_array_equal(zero.test_loss, plain.test_loss)


def test_the_limit_of_long_times_is_ridge_regression():
    for sizes in (SIZES, {"samples": 150}, {"features": 60}, {"features": 90, "samples": 40}, {}):
        found = gradient_flow([1e7, 1e300, INF], TASK, weight_decay=0.01, **sizes)
        end = ridge(TASK, ridge=0.01, **{"noise_variance": 0.0, **sizes})
        np.testing.assert_allclose(found.test_loss, [end.test_loss] * 3, rtol=1e-12)
        np.testing.assert_allclose(found.train_loss, [end.train_loss] * 3, rtol=1e-12)
        for more, strength in (
            ({}, 0.01),
            ({"momentum": 0.8}, 0.01),
            ({"momentum": 0.8, "decoupled": True}, 0.01 * (1 - 0.8)),
        ):
            steps = gradient_descent(
                [10**7, INF], TASK, weight_decay=0.01, learning_rate=0.15, **sizes, **more
            )
            end = ridge(TASK, ridge=strength, **{"noise_variance": 0.0, **sizes})
            np.testing.assert_allclose(steps.test_loss, [end.test_loss] * 2, rtol=1e-12)
            np.testing.assert_allclose(steps.train_loss, [end.train_loss] * 2, rtol=1e-12)


def test_a_tiny_decay_reaches_its_limit_only_after_its_own_time():
    found = gradient_flow([1e4, 1e9, INF], TASK, weight_decay=1e-7, **SIZES)
    ends = ridge(TASK, ridge=[0, 1e-7], **SIZES).test_loss
    assert found.test_loss[1:] == pytest.approx([ends[1]] * 2, rel=1e-11)
    assert abs(found.test_loss[0] / ends[1] - 1) > 1e-4
    small = gradient_descent(10, TASK, learning_rate=1e-3, weight_decay=0.3, **SIZES)
    flow = gradient_flow(1e-2, TASK, weight_decay=0.3, **SIZES)
    assert small.test_loss == pytest.approx(flow.test_loss, rel=1e-4)


@pytest.mark.parametrize("sizes", [(60, 150), (90, 40), (INF, 40), (60, INF), (INF, INF)], ids=str)
@pytest.mark.parametrize("decay", [0.0, 1e-3])
def test_langevin_noise_at_the_ends(sizes, decay):
    sizes = dict(zip(("features", "samples"), sizes, strict=True))
    found = gradient_flow(
        [0, 1e-22, 1e-6, 1e9, INF], TASK, weight_decay=decay, temperature=0.3, **sizes
    )
    eigenvalues = TASK.explicit()[0]
    for added in (found.langevin_test, found.langevin_train):
        # free diffusion of the weights at first
        slope = 2 * 0.3 * eigenvalues.sum()
        assert added[:2] == pytest.approx([0, slope * 1e-22], rel=1e-12)
        assert added[2] == pytest.approx(slope * 1e-6, rel=1e-4)
    end = ridge(TASK, ridge=decay, **sizes)
    df1 = end.degrees_of_freedom
    assert found.langevin_train[3:] == pytest.approx(
        [0.3 * df1] * 2, rel=1e-6 if not decay else 1e-11
    )
    unused = 1 - df1 / sizes["samples"]
    if unused > 1e-9:
        assert found.langevin_test[3:] == pytest.approx(
            [0.3 * df1 / unused] * 2, rel=1e-6 if not decay else 1e-11
        )
    else:
        assert found.langevin_test[4] == INF
        assert found.langevin_test[3] > 1e6
    assert found.test_loss[4] == end.test_loss  # of the mean


def test_an_average_over_times_on_one_draw():
    """With decay, training is an exponential average of training without, stopped at all times: exact for every draw."""
    rng = np.random.default_rng(5)
    eigenvalues, signal = PowerLawSpectrum.from_ab(2, 1.5, 40).explicit()
    n, p, eta, r, steps = 20, 30, 0.2, 0.07, 60
    features = rng.normal(size=(p, 40)) * np.sqrt(eigenvalues)
    w = np.sqrt(signal / eigenvalues) * rng.choice([-1.0, 1.0], 40)
    a = rng.normal(size=(n, 40)) / math.sqrt(n)
    seen, y = features @ a.T, features @ w + 0.3 * rng.normal(size=p)

    def errors(rate, decay):
        v, found = np.zeros(n), [w]
        for _ in range(steps):
            v = v - rate * (seen.T @ (seen @ v - y) / p + decay * v)
            found.append(w - a.T @ v)
        return np.array(found)

    q = 1 - eta * r
    decayed, plain = errors(eta, r), errors(eta / q, 0.0)
    powers = q ** np.arange(steps + 1)
    for number in range(steps + 1):
        average = powers[number] * plain[number] + (1 - q) * powers[:number] @ plain[:number]
        np.testing.assert_allclose(decayed[number], average, atol=1e-12 * np.abs(w).max())


def test_contours_of_more_nodes_agree(monkeypatch):
    from scalinglaws.solvers.equivalents import contour

    t = np.array([0.3, 30, 3e3, 3e6])
    arguments = {"weight_decay": [[0.3], [3e-3], [1e-6]], "temperature": 1.0, **SIZES}
    one = gradient_flow(t, TASK, **arguments)
    monkeypatch.setattr(_flow, "cotangent", lambda: contour.cotangent(28))
    two = gradient_flow(t, TASK, **arguments)
    for name in ("test_loss", "train_loss", "langevin_test", "langevin_train"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=2e-12, err_msg=name)


def test_unlimited_decay_is_a_plain_sum():
    eigenvalues, signal = TASK.explicit()
    for t in (0.1, 10.0, 1e4):
        rates = eigenvalues + 0.02
        left = (0.02 + eigenvalues * np.exp(-rates * t)) / rates
        found = gradient_flow(t, TASK, weight_decay=0.02, temperature=1, noise_variance=0.5)
        assert found.test_loss == pytest.approx(signal @ left**2, rel=1e-13)
        assert found.train_loss == pytest.approx(signal @ left**2 + 0.5, rel=1e-13)
        grown = np.sum(eigenvalues * -np.expm1(-2 * rates * t) / rates)
        assert (found.langevin_test, found.langevin_train) == pytest.approx([grown] * 2, rel=1e-13)


def test_many_steps_of_momentum_without_limits():
    """The closed form of decayed heavy ball against its definition, step by step."""
    eigenvalues, signal = TASK.explicit()
    for mu, r, decoupled in (
        (0.8, 0.3, True),
        (0.8, 0.3, False),
        (0.3, 5.0, True),
        (0.95, 1.0, True),
    ):
        eta, weight, buffer = 0.15, np.zeros(400), np.zeros(400)
        for step in range(1, 61):
            gradient = eigenvalues * (weight - 1) + (0 if decoupled else r * weight)
            buffer = mu * buffer + gradient
            weight = weight * (1 - eta * r if decoupled else 1) - eta * buffer
            if step in (1, 2, 7, 60):
                found = gradient_descent(
                    step,
                    TASK,
                    learning_rate=eta,
                    momentum=mu,
                    weight_decay=r,
                    decoupled=decoupled,
                )
                exact = signal @ (1 - weight) ** 2
                assert found.test_loss == pytest.approx(exact, rel=1e-11)
                assert abs(found.test_loss - exact) <= found.test_error


def test_refusals():
    cases = [
        (lambda: gradient_flow(1, TASK, weight_decay=-1), "weight_decay"),
        (lambda: gradient_flow(1, TASK, temperature=-1), "temperature"),
        (lambda: gradient_flow(1, TASK, temperature=INF), "temperature"),
        (lambda: gradient_descent(1, TASK, learning_rate=0.1, weight_decay=-1), "weight_decay"),
    ]
    for call, name in cases:
        with pytest.raises(DomainError, match=name):
            call()
    for more, bound in (
        ({"weight_decay": 30.0, "learning_rate": 0.1}, 2 / 31),
        ({"weight_decay": 30.0, "learning_rate": 0.1, "momentum": 0.5}, 3 / 31),
        ({"weight_decay": 30.0, "learning_rate": 0.1, "momentum": 0.5, "decoupled": True}, 1 / 30),
    ):
        with pytest.raises(DomainError, match=f"weight_decay = 30.0; it must be below {bound:.6g}"):
            gradient_descent(5, TASK, **more)
        gradient_descent(5, TASK, **{**more, "learning_rate": 0.999 * bound})
    with pytest.raises(DomainError, match="decoupled"):
        gradient_descent(5, TASK, learning_rate=0.1, decoupled=2)


def test_results_are_kept(tmp_path):
    found = gradient_flow([1, 2], TASK, weight_decay=0.1, temperature=0.2, **SIZES)
    found.save(tmp_path / "x.npz")
    assert Result.load(tmp_path / "x.npz") == found
    spectrum = EmpiricalSpectrum([1.0, 0.2], [1.0, 0.5])
    assert gradient_flow(1, spectrum, weight_decay=0.1).langevin_test == 0.0


# -- online descent -----------------------------------------------------------------------------


def iterated(eigenvalues, signal, batch, rate, noise, decay, steps):
    """Iterate energies and cross moments of explicit modes; return the losses at some steps."""
    x, h = rate * eigenvalues, rate * decay
    p = 1 - h - x
    energy, cross, losses = signal.copy(), signal.copy(), {0: signal.sum()}
    for step in range(1, max(steps) + 1):
        driven = x * x / batch * (energy.sum() + noise)
        energy = (p * p + x * x / batch) * energy + 2 * h * p * cross + h * h * signal + driven
        cross = p * cross + h * signal
        losses[step] = energy.sum()
    return np.array([losses[step] for step in steps])


def test_reference_values_of_online_descent(reference):
    for row in rows(reference("weight_decay")["online"]):
        expected = row.pop("test_loss")
        found = online_sgd(row.pop("steps"), task_of(row), **row)
        # printed to twelve digits
        assert found.test_loss == pytest.approx(expected, rel=1e-11, abs=0)
        assert found.test_error < 2e-11 * expected


@pytest.mark.parametrize(
    ("batch", "rate", "decay", "noise"),
    [(1, 0.2, 1e-3, 0.5), (4, 0.3, 0.02, 0.0), (INF, 0.5, 0.1, 0.3), (8, 0.1, 1e-5, 0.1)],
)
def test_unlimited_features_against_the_recursion(batch, rate, decay, noise):
    eigenvalues, signal = PowerLawSpectrum.from_ab(2, 1.5, 60).explicit()
    spectrum = EmpiricalSpectrum(eigenvalues, signal)
    steps = [0, 1, 11, 12, 64, 65, 300, 5000, 200_000 if batch == 1 else 20_000]
    found = online_sgd(
        steps, spectrum, batch=batch, learning_rate=rate, noise_variance=noise, weight_decay=decay
    )
    expected = iterated(eigenvalues, signal, batch, rate, noise, decay, steps)
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-12)


def test_many_features_are_unlimited_ones():
    arguments = {"batch": 2, "learning_rate": 0.3, "noise_variance": 0.1, "weight_decay": 0.01}
    steps = [1, 11, 12, 300, 10**5, INF]
    one = online_sgd(steps, TASK, **arguments)
    two = online_sgd(steps, TASK, features=1e15, **arguments)
    np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-12)


@pytest.mark.parametrize("features", [INF, 40, 1000])
def test_online_descent_without_decay_is_the_solver_without(features):
    start = float(np.sum(TASK.explicit()[1])) + 0.1
    arguments = {"features": features, "batch": 2, "learning_rate": 0.3, "noise_variance": 0.1}
    steps = [3, 30, 1000, 10**6, 10**9]
    plain = online_sgd(steps, TASK, **arguments).test_loss
    small = online_sgd(steps, TASK, weight_decay=1e-30, **arguments).test_loss
    assert np.all(abs(plain - small) <= 1e-13 * (plain + 1e-2 * start))


def test_contours_of_more_nodes_agree_for_online_descent(monkeypatch):
    from scalinglaws.solvers.equivalents import contour

    spectrum = PowerLawSpectrum.from_ab(1.5, 1.2, 1e6)
    steps = [30, 1e3, 2e4, 1e6, 1e9]
    arguments = {
        "features": 1e3,
        "batch": 1,
        "learning_rate": 0.1,
        "noise_variance": 0.04,
        "weight_decay": [[1e-3], [0.1]],
    }
    one = online_sgd(steps, spectrum, **arguments)
    monkeypatch.setattr(_sgd_decay, "cotangent", lambda: contour.cotangent(28))
    two = online_sgd(steps, spectrum, **arguments)
    np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-12)
    end = online_sgd([INF], spectrum, **arguments)
    np.testing.assert_allclose(one.test_loss[:, -1:], end.test_loss, rtol=1e-12)


def test_small_steps_of_large_batches_are_the_flow():
    found = online_sgd(
        10**6, TASK, features=60, batch=1e9, learning_rate=1e-4, weight_decay=0.01, noise_variance=1
    )
    flow = gradient_flow(100.0, TASK, features=60, weight_decay=0.01)
    assert found.test_loss == pytest.approx(flow.test_loss, rel=1e-4)


def test_where_modes_overshoot():
    """The eigenvalues of the mean lie on both sides of 0: few steps on a circle, between them a refusal."""
    top = largest_eigenvalue(TASK, features=60)
    rate = 1.7 / top
    arguments = {"features": 60, "batch": INF, "learning_rate": rate, "weight_decay": 0.15}
    swing = math.ceil(36 / -math.log(rate * (top + 0.15) - 1))
    assert 40 < swing < 700
    circle = online_sgd([swing - 1], TASK, **arguments).test_loss
    contours = online_sgd([swing], TASK, **arguments).test_loss
    assert contours == pytest.approx(circle, rel=1e-6)
    steep = {**arguments, "learning_rate": 1.98 / top, "weight_decay": 1e-2}
    with pytest.raises(DomainError, match="at which modes overshoot, must be at most 768, or at"):
        online_sgd([10, 1000], TASK, **steep)


def test_the_bound_of_online_descent_with_decay():
    for features in (INF, 60):
        plain = sgd_stability(TASK, features=features, batch=2, learning_rate=0.1).max_learning_rate
        arguments = {"features": features, "batch": 2}
        with pytest.raises(DomainError, match="is unstable with batch = 2") as refused:
            online_sgd(5, TASK, learning_rate=3.0, weight_decay=1e-9, **arguments)
        bound = float(str(refused.value).split()[-1])
        assert bound == pytest.approx(plain, rel=1e-5)
        online_sgd(5, TASK, learning_rate=0.99 * plain, weight_decay=1e-9, **arguments)
    eigenvalues, signal = TASK.explicit()
    spectrum, x = EmpiricalSpectrum(eigenvalues, signal), 0.5 * eigenvalues
    lost = x + 0.5 * 0.3
    norm = np.sum(x**2 / 3 / (lost * (2 - lost) - x**2 / 3))
    edge = _sgd_decay.Resolvent(spectrum.modes()).edge(INF, INF)
    found = _sgd_decay.norm_with_decay(spectrum.modes(), INF, 3, 0.5, 0.3, edge, 1.0)
    assert found == pytest.approx(norm, rel=1e-12)


def test_printed_numbers_of_few_steps():
    """A point where simulation cannot tell descent from the flow at the same time: the numbers do."""
    task = PowerLawSpectrum.from_ab(2, 1.5, 60)
    sizes = {"features": 30, "samples": 60, "noise_variance": 0.09}
    for decay, expected in ((0.05, (0.27825, 0.30166)), (0.0, (0.25410, 0.27527))):
        found = gradient_descent(40, task, learning_rate=0.15, weight_decay=decay, **sizes)
        assert (found.test_loss, found.train_loss) == pytest.approx(expected, abs=6e-6)
    flow = gradient_flow(40 * 0.15, task, weight_decay=0.05, **sizes)
    assert (flow.test_loss, flow.train_loss) == pytest.approx((0.27971, 0.30324), abs=6e-6)
