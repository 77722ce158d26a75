"""Gradient descent of chains of hidden factors: reference values, the plain recursion, limits, refusals; schedules of the march."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError, ResourceError, StabilityWarning
from scalinglaws.results import Result
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.feature_learning import (
    gradient_descent,
    gradient_flow,
    online_dmft,
    reuse_dmft,
    silver_steps,
)

INF = math.inf


def plain(steps, eigenvalues, target, *, rate, richness, depth):
    """Iterate the model's own equations; return loss and scale at every step. `rate` takes the step and the scale."""
    w, factors = np.zeros_like(target), [np.eye(target.size) for _ in range(depth)]
    rows = []
    for t in range(steps + 1):
        back = [w]
        for matrix in factors[::-1]:
            back.append(matrix.T @ back[-1])
        error = target - back[-1]
        scale = (1 + richness * w @ w) ** depth
        rows.append((eigenvalues @ error**2, scale))
        front = [eigenvalues * error]
        for matrix in factors:
            front.append(matrix @ front[-1])
        eta = rate(t, scale)
        w = w + eta * front[-1]
        factors = [
            matrix + eta * richness * np.outer(b, u)
            for matrix, b, u in zip(factors, back[-2::-1], front, strict=False)
        ]
    return np.array(rows).T


def _rates(case, steps):
    relative = case["relative_rate"]
    return {
        "learning_rate": float(case["learning_rate"]),
        "relative_rate": silver_steps(steps) if relative == "silver" else float(relative),
    }


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.StabilityWarning")
@pytest.mark.parametrize("modes", ["merged", "full"])
def test_reference_values(reference, modes):
    table = reference("feature_learning_steps")
    for case in table["descent"]:
        last = case["rows"][-1][0]
        found = gradient_descent(
            last,
            PowerLawSpectrum(table["alpha"], case["beta"], 200),
            richness=case["richness"],
            depth=case["depth"],
            modes=modes,
            **_rates(case, last),
        )
        at = [row[0] for row in case["rows"]]
        losses, scales = np.array([row[1:] for row in case["rows"]]).T
        np.testing.assert_allclose(found.test_loss[at], losses, rtol=1e-9)
        np.testing.assert_allclose(found.scale[at], scales, rtol=1e-9)
        assert found.diagnostics.error_estimate < 2e-9


@settings(max_examples=15)
@given(st.integers(0, 3), st.floats(0, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_against_the_plain_recursion(depth, richness, count, seed):
    rng = np.random.default_rng(seed)
    eigenvalues = np.sort(rng.uniform(0.1, 1, count))[::-1]
    signal = rng.uniform(0.1, 1, count)
    rates = rng.uniform(0.1, 1.2, 25)
    found = gradient_descent(
        25,
        EmpiricalSpectrum(eigenvalues, signal),
        richness=richness,
        learning_rate=rates,
        relative_rate=0.8,
        depth=depth,
    )
    loss, scale = plain(
        25,
        eigenvalues,
        np.sqrt(signal / eigenvalues),
        rate=lambda t, s: min(rates[min(t, 24)], 0.8 / s / eigenvalues[0]),
        richness=richness,
        depth=depth,
    )
    # as written there, the error is a difference of numbers as large as at the start
    np.testing.assert_allclose(
        np.sqrt(found.test_loss), np.sqrt(loss), rtol=1e-11, atol=1e-13 * np.sqrt(loss[0])
    )
    np.testing.assert_allclose(found.scale, scale, rtol=1e-11)
    np.testing.assert_allclose(
        found.learning_rate[:-1], np.minimum(rates, 0.8 / found.scale[:-1] / eigenvalues[0])
    )


def test_losses_keep_their_digits_however_small():
    """Against the recursion in 90 digits, where differences of weights have none left."""
    eigenvalues, signal = [0.8, 0.5, 0.3], [0.2, 0.5, 0.3]
    steps, richness = 400, 1.5
    with mpmath.workdps(90):
        lam = [mpmath.mpf(str(entry)) for entry in eigenvalues]
        target = [
            mpmath.sqrt(mpmath.mpf(str(s)) / entry) for s, entry in zip(signal, lam, strict=True)
        ]
        w, matrix, losses = mpmath.zeros(3, 1), mpmath.eye(3), []
        for _ in range(steps + 1):
            learned = matrix.T * w
            error = [target[k] - learned[k] for k in range(3)]
            losses.append(float(sum(lam[k] * error[k] ** 2 for k in range(3))))
            push = mpmath.matrix([lam[k] * error[k] for k in range(3)])
            moved = matrix * push
            matrix = matrix + mpmath.mpf("0.15") * richness * w * push.T
            w = w + mpmath.mpf("0.15") * moved
    found = gradient_descent(
        steps, EmpiricalSpectrum(eigenvalues, signal), richness=richness, learning_rate=0.15
    )
    assert losses[-1] < 1e-45
    np.testing.assert_allclose(found.test_loss, losses, rtol=1e-11)


def test_lazy_descent_is_the_linear_solver_and_few_steps_the_march():
    task = PowerLawSpectrum(1.5, 0.75)
    lazy = gradient_descent(60, task, richness=0, learning_rate=0.7)
    exact = linear.gradient_descent(np.arange(61), task, learning_rate=0.7)
    np.testing.assert_allclose(lazy.test_loss, exact.test_loss, rtol=1e-9)
    flat = gradient_descent(60, task, richness=3, learning_rate=0.7, depth=0)
    np.testing.assert_array_equal(flat.test_loss, lazy.test_loss)
    rates = np.linspace(0.1, 0.4, 60)
    rich = gradient_descent(60, task, richness=2, learning_rate=rates)
    march = reuse_dmft(60, task, learning_rate=rates, richness=2)
    np.testing.assert_allclose(rich.test_loss, march.test_loss, rtol=3e-9)
    np.testing.assert_allclose(rich.scale, march.scale, rtol=3e-9)
    np.testing.assert_array_equal(rich.learning_rate, march.learning_rate)


@pytest.mark.parametrize("depth", [1, 2])
def test_small_steps_are_the_flow_whatever_their_schedule(depth):
    """Flow time is what the rates add up to; the error of a step is of first order, and is extrapolated."""
    task, losses = PowerLawSpectrum(1.5, 0.5, 60), []
    for steps in (400, 800):
        rates = np.linspace(0.2, 1.8, steps) * 5 / steps
        found = gradient_descent(steps, task, richness=2, learning_rate=rates, depth=depth)
        assert rates.sum() == pytest.approx(5)
        losses.append(found.test_loss[-1])
    flow = gradient_flow(5.0, task, richness=2, depth=depth).test_loss
    assert 2 * losses[1] - losses[0] == pytest.approx(flow, rel=1e-5)
    assert abs(losses[0] - flow) == pytest.approx(2 * abs(losses[1] - flow), rel=0.1)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.StabilityWarning")
def test_merging_is_exact_for_the_recursion():
    task = PowerLawSpectrum(1.5, 0.5, 400)
    for rate in (1.5, silver_steps(300)):
        merged, full = (
            gradient_descent(300, task, richness=1, relative_rate=rate, modes=modes)
            for modes in ("merged", "full")
        )
        np.testing.assert_allclose(merged.test_loss, full.test_loss, rtol=1e-9)
        np.testing.assert_allclose(merged.scale, full.scale, rtol=1e-9)


def test_silver_steps():
    steps = silver_steps(1023)
    ratio = 1 + math.sqrt(2)
    for k in range(1, 11):
        assert steps[: 2**k - 1].sum() == pytest.approx(ratio**k - 1, rel=1e-13)
        np.testing.assert_array_equal(steps[: 2**k - 1], steps[: 2**k - 1][::-1])
    assert silver_steps(0).size == 0


def test_rich_over_lazy_per_step(reference):
    """A constant, whatever the richness: .92127 at beta = 1/2, from above."""
    for beta, limit, at in reference("feature_learning_steps")["ratio"]:
        if beta != 0.5:
            continue
        losses = [
            gradient_descent(
                10**5, PowerLawSpectrum(1.5, beta), richness=richness, relative_rate=1.5
            ).test_loss[-1]
            for richness in (1, 0)
        ]
        assert losses[0] / losses[1] == pytest.approx(at, abs=6e-5)
        assert limit < losses[0] / losses[1] < 1.006 * limit


@pytest.mark.slow
def test_rich_over_lazy_per_step_at_other_tasks(reference):
    for beta, _, at in reference("feature_learning_steps")["ratio"]:
        losses = [
            gradient_descent(
                10**5, PowerLawSpectrum(1.5, beta), richness=richness, relative_rate=1.5
            ).test_loss[-1]
            for richness in (1, 0)
        ]
        assert losses[0] / losses[1] == pytest.approx(at, abs=6e-5)


def test_excess_of_small_batches(reference):
    """Relative excess over unlimited batches: it grows with the kernel; the lazy one saturates near .062."""
    rows = reference("feature_learning_steps")["excess"]["rows"]
    task, at = PowerLawSpectrum(1.5, 0.5), [row[0] for row in rows if row[0] <= 300]
    excess = {}
    for richness in (0, 1):
        small, large = (
            online_dmft(300, task, batch=batch, learning_rate=0.05, richness=richness).test_loss
            for batch in (1e5, INF)
        )
        excess[richness] = 1e5 * (small / large - 1)[at]
    np.testing.assert_allclose(excess[1], [row[1] for row in rows[: len(at)]], rtol=2e-3)
    assert excess[0][-1] < 0.063
    assert excess[1][-1] > 4 * excess[0][-1]


# -- schedules of the march ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [online_dmft, reuse_dmft])
def test_one_rate_for_each_step_is_one_rate(solver):
    task, given = PowerLawSpectrum(1.5, 0.75, 40), {"features": 20, "richness": 1}
    given |= {"batch" if solver is online_dmft else "samples": 15}
    given |= {"initial_variance": 0.5, "noise_variance": 0.3}
    one = solver(30, task, learning_rate=0.2, **given)
    many = solver(30, task, learning_rate=np.full(30, 0.2), **given)
    np.testing.assert_array_equal(one.test_loss, many.test_loss)
    np.testing.assert_array_equal(one.train_loss, many.train_loss)
    assert one.learning_rate == 0.2
    np.testing.assert_array_equal(many.learning_rate, np.full(31, 0.2))
    assert many.learning_rate.shape == many.steps.shape


def test_schedule_of_a_lazy_march_against_the_exact_recursion():
    """P' = (1 - eta lambda)^2 P + eta^2 lambda L/B, unlimited features."""
    task, rates = PowerLawSpectrum(1.5, 0.75, 60), np.geomspace(0.6, 0.05, 40)
    found = online_dmft(40, task, batch=7, learning_rate=rates, richness=0, modes="full")
    eigenvalues, power = task.explicit()
    power = power / eigenvalues
    losses = []
    for eta in np.append(rates, 0):
        losses.append(eigenvalues @ power)
        power = (1 - eta * eigenvalues) ** 2 * power + eta**2 * eigenvalues * losses[-1] / 7
    np.testing.assert_allclose(found.test_loss, losses, rtol=1e-11)


def _schedule_fixed_point(rates, eigenvalues, target, *, features, data, reuse, richness, noise):
    """Iterate whole T x T matrices with a learning rate for each step; return test and train loss."""
    size = rates.size + 1
    lam, w2, n, b = eigenvalues, target, 1 / features, 1 / data
    one, ones = np.eye(size), np.ones((size, size))
    theta, eta = np.tril(ones, -1), np.diag(np.append(rates, 0.0))
    c2, cw, cdelta = np.zeros((3, size, size))
    rdelta, r22 = one.copy(), one.copy()
    for _ in range(80):
        k = np.linalg.solve(one - richness * theta @ eta @ (c2 * theta) @ eta, theta @ eta)
        j = k + richness * (cw * theta) @ eta
        q = j @ r22
        v = np.linalg.inv(one + lam[:, None, None] * (q @ rdelta))
        if reuse:
            rdelta = one + b * np.sum(v - one, axis=0)
        g = rdelta @ np.einsum("k,kts->ts", lam, v)
        r22 = np.linalg.inv(one + n * g @ j)
        inner = w2[:, None, None] * ones + n * j @ c2 @ j.T
        inner = inner + b * lam[:, None, None] * (q @ cdelta @ q.T)
        second = v @ inner @ v.transpose(0, 2, 1)
        c0, f2 = (np.einsum("k,kts->ts", lam**p, second) for p in (1, 2))
        cdelta = rdelta @ (c0 + noise * ones) @ rdelta.T if reuse else np.diag(np.diag(c0) + noise)
        cross = rdelta @ np.einsum("k,kts->ts", lam**2, v) @ q @ cdelta
        c1 = b * lam.sum() * cdelta - b * (cross + cross.T) + rdelta @ f2 @ rdelta.T
        c2 = r22 @ c1 @ r22.T
        cw = k @ c2 @ k.T
    return np.diag(c0), np.diag(cdelta)


@pytest.mark.parametrize("reuse", [False, True])
def test_schedule_of_a_rich_march_against_the_dense_fixed_point(reuse):
    task, rates = PowerLawSpectrum(1.5, 0.75, 20), np.linspace(0.05, 0.5, 16)
    rates[5] = 1.0
    eigenvalues, signal = task.explicit()
    test, train = _schedule_fixed_point(
        rates,
        eigenvalues,
        signal / eigenvalues,
        features=20,
        data=15,
        reuse=reuse,
        richness=2,
        noise=0.3,
    )
    given = {"features": 20, "learning_rate": rates, "richness": 2, "noise_variance": 0.3}
    found = (
        reuse_dmft(16, task, samples=15, modes="full", **given)
        if reuse
        else online_dmft(16, task, batch=15, modes="full", **given)
    )
    np.testing.assert_allclose(found.test_loss, test, rtol=1e-9)
    np.testing.assert_allclose(found.train_loss, train, rtol=1e-9)


# -- what is refused, and warned of -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 2.5}, "steps = 2.5 must be a whole number"),
        ({"steps": -1}, "steps = -1"),
        ({"richness": -1}, "richness = -1"),
        ({"richness": [1, 2]}, "richness must be a single number"),
        ({"depth": 1.5}, "depth = 1.5 must be a whole number"),
        ({"depth": -1}, "depth = -1"),
        ({"learning_rate": 0}, "learning_rate = 0.0 must be > 0"),
        ({"learning_rate": [0.1, 0.2]}, "one for each of the 5 steps; got shape (2,)"),
        ({"relative_rate": np.ones((5, 1))}, "one for each of the 5 steps"),
        ({"learning_rate": INF}, "must not both be inf"),
        ({"learning_rate": "fast"}, "learning_rate = 'fast' must be a number"),
        ({"modes": "all"}, "modes = 'all' must be 'merged' or 'full'"),
        ({"modes": "full"}, "needs a spectrum of finite size"),
    ],
)
def test_refusals(change, message):
    given = {"steps": 5, "spectrum": PowerLawSpectrum(1.5, 0.5), "richness": 1}
    given |= {"learning_rate": 0.1} | change
    with pytest.raises(DomainError) as caught:
        gradient_descent(**given)
    assert message in str(caught.value)


def test_refuses_too_much_work_and_too_wild_steps():
    task = PowerLawSpectrum(1.5, 0.5)
    with pytest.raises(ResourceError, match="multiplications"):
        gradient_descent(10**7, task, richness=1, relative_rate=1, depth=300)
    with pytest.raises(ResourceError):
        gradient_descent(10**12, task, richness=1, relative_rate=1)
    with pytest.raises(DomainError, match=r"losses overflow at step \d+"):
        gradient_descent(300, task, richness=1, learning_rate=30)
    with pytest.raises(DomainError, match="one for each of the 3 steps"):
        online_dmft(3, task, batch=5, learning_rate=[0.1, 0.2], richness=1)


def test_warns_of_steps_that_stay_too_long():
    task = PowerLawSpectrum(1.5, 0.5)
    with pytest.warns(StabilityWarning, match="at step 402, not below 2"):
        gradient_descent(403, task, richness=1, learning_rate=0.3)
    with pytest.warns(StabilityWarning, match="at step 1, not below 2"):
        gradient_descent(3, task, richness=0, relative_rate=[2.5, 2.5, 0.1])
    with pytest.warns(StabilityWarning, match="at step 1, not below 2"):
        reuse_dmft(3, task, richness=0, learning_rate=[2.5, 2.5, 0.1])


@pytest.mark.filterwarnings("error")
def test_a_single_long_step_is_part_of_a_schedule():
    task = PowerLawSpectrum(1.5, 0.5)
    gradient_descent(7, task, richness=1, relative_rate=silver_steps(7))
    reuse_dmft(7, task, richness=0, learning_rate=silver_steps(7))


def test_results_are_saved_and_read(tmp_path):
    found = gradient_descent(5, PowerLawSpectrum(1.5, 0.5), richness=1, relative_rate=1)
    again = Result.load(found.save(tmp_path / "run.npz"))
    np.testing.assert_array_equal(again.test_loss, found.test_loss)
    assert gradient_descent(0, PowerLawSpectrum(1.5, 0.5), richness=1, relative_rate=1).scale == [1]
