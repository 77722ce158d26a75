"""Gradient descent and heavy ball on the random-feature model: reference values, another contour, limits, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.results import Result, Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.equivalents import contour, response
from scalinglaws.solvers.linear import (
    _descent,
    _heavy_ball,
    gradient_descent,
    gradient_flow,
    largest_eigenvalue,
    online_sgd,
    ridge,
)

INF = math.inf


def test_reference_values(reference):
    for row in reference("linear")["descent"]["values"]:
        a, b, size, features, samples, noise, rate, momentum, steps, test, train = (
            float(entry) for entry in row
        )
        found = gradient_descent(
            steps,
            PowerLawSpectrum.from_ab(a, b, size),
            features=features,
            samples=samples,
            learning_rate=rate,
            momentum=momentum,
            noise_variance=noise,
        )
        assert [found.test_loss, found.train_loss] == pytest.approx(
            [test, train], rel=1e-8, abs=0
        ), row


# -- independent evaluations --------------------------------------------------------------------------------------------


def left_over(steps, x, momentum):
    """Iterate heavy ball on one mode, for any complex x."""
    before, now = np.ones_like(x), np.ones_like(x)
    for _ in range(steps):
        before, now = now, now - x * now + momentum * (now - before)
    return now


@pytest.mark.parametrize("momentum", [0.0, 0.01, 0.3, 0.81, 0.9, 0.99])
def test_the_closed_form_of_heavy_ball(momentum):
    root = math.sqrt(momentum)
    edges = np.array([(1 - root) ** 2, (1 + root) ** 2, 1.0, 1 + momentum])
    near = np.concatenate([edges * (1 + x) for x in (0, 1e-5, -1e-5, 1e-9, -1e-9, 1e-14)])
    x = np.concatenate(
        [np.linspace(0, 2 * (1 + momentum), 101)[:-1], np.geomspace(1e-12, 1, 30), near]
    )
    for steps in (1, 2, 3, 10, 11, 100, 501):
        np.testing.assert_allclose(
            _heavy_ball.polynomial(float(steps), x, momentum),
            left_over(steps, x, momentum),
            atol=2e-12,
        )


def decayed_left_over(steps, x, momentum, decay, decoupled):
    """Iterate heavy ball with weight decay on one mode, for any complex x; x and decay are times the learning rate."""
    weight = buffer = np.zeros_like(x)
    for _ in range(steps):
        gradient = x * (weight - 1) + (0 if decoupled else decay * weight)
        buffer = momentum * buffer + gradient
        weight = weight * (1 - decay if decoupled else 1) - buffer
    return 1 - weight


def on_a_large_circle(eigenvalues, signal, n, p, noise, rate, momentum, steps, decay=None):
    """Integrate the equations as printed over circles in s far from the spectrum, with the polynomial of each step."""
    top = largest_eigenvalue(EmpiricalSpectrum(eigenvalues, signal), features=n, samples=p)
    radius, count = 2.5 * top, 120
    s = radius * np.exp(2j * np.pi * (np.arange(count) + 0.5) / count)
    kappa = s.copy()
    for _ in range(300):
        df1 = (eigenvalues / (eigenvalues + kappa[:, None])).sum(axis=1)
        kappa = 0.5 * kappa + 0.5 * s / ((1 - df1 / p) * (1 - df1 / n))
    df1 = (eigenvalues / (eigenvalues + kappa[:, None])).sum(axis=1)
    r1, r3 = 1 - df1 / p, 1 - df1 / n
    np.testing.assert_allclose(kappa * r1 * r3, s, rtol=1e-13)

    def pair(weights, x):
        return (weights * x[:, None, :] * x[None, :, :]).sum(axis=2)

    h, x = 1 / (s[:, None] + eigenvalues * (r1 * r3)[:, None]), 1 / (eigenvalues + kappa[:, None])
    ones, both = np.outer(r1, r1), np.outer(s, s)
    s1, s2 = pair(signal, h), pair(signal * eigenvalues, h)
    d1, d2 = pair(eigenvalues, x), pair(eigenvalues**2, x)
    t1 = d1 / (ones * np.outer(r3, r3))
    a11, a12, a21, a22 = 1 - d2 / p, -t1 * np.outer(r3, r3) / n, -both * t1 * ones / p, 1 - d2 / n
    one, two = s1 + d2 / p * noise / both, ones * s2 + t1 * ones / p * noise
    c0 = (a22 * one - a12 * two) / (a11 * a22 - a12 * a21)
    c1 = ones * (c0 + noise / both)
    if decay is None:
        w = left_over(steps, -rate * s, momentum) * s / count
    else:
        w = decayed_left_over(steps, -rate * s, momentum, *decay) * s / count
    return [float((w @ c @ w).real) for c in (c0, c1)]


@pytest.mark.parametrize("steps", [1, 2, 5, 12, 13])
@pytest.mark.parametrize(
    ("rate", "momentum"), [(0.3, 0.0), (1.2, 0.0), (0.3, 0.5), (0.9, 0.95), (1.0, 0.02)]
)
@pytest.mark.parametrize(("n", "p"), [(5, 9), (20, 7), (6, 6)])
def test_few_steps_against_large_circles(steps, rate, momentum, n, p):
    spectrum = PowerLawSpectrum.from_ab(1.8, 1.4, 12)
    rate *= (1 + momentum) / largest_eigenvalue(spectrum, features=n, samples=p)
    found = gradient_descent(
        steps,
        spectrum,
        features=n,
        samples=p,
        learning_rate=rate,
        momentum=momentum,
        noise_variance=0.2,
    )
    expected = on_a_large_circle(*spectrum.explicit(), n, p, 0.2, rate, momentum, steps)
    growth = 2.5 ** (2 * steps) * 4.0 ** (
        2 * steps
    )  # of the polynomial on the circle, which rounding errors follow
    assert [found.test_loss, found.train_loss] == pytest.approx(
        expected, rel=1e-10 + 1e-17 * growth
    ) or growth > 1e12


@pytest.mark.parametrize("steps", [1, 3, 12, 13])
@pytest.mark.parametrize(
    ("rate", "momentum", "decay", "decoupled"),
    [
        (0.3, 0.0, 0.1, False),
        (1.2, 0.0, 0.3, True),
        (0.3, 0.5, 0.2, False),
        (0.3, 0.5, 0.2, True),
        (0.9, 0.3, 0.9, True),
        (0.4, 0.6, 0.99, True),
    ],
)
@pytest.mark.parametrize(("n", "p"), [(5, 9), (20, 7)])
def test_few_steps_with_decay_against_large_circles(steps, rate, momentum, decay, decoupled, n, p):
    """The polynomial of each step is iterated as the method is defined: no shift of s."""
    spectrum = PowerLawSpectrum.from_ab(1.8, 1.4, 12)
    rate /= largest_eigenvalue(spectrum, features=n, samples=p)
    found = gradient_descent(
        steps,
        spectrum,
        features=n,
        samples=p,
        learning_rate=rate,
        momentum=momentum,
        noise_variance=0.2,
        weight_decay=decay / rate,
        decoupled=decoupled,
    )
    expected = on_a_large_circle(
        *spectrum.explicit(), n, p, 0.2, rate, momentum, steps, (decay, decoupled)
    )
    growth = 2.5 ** (2 * steps) * 4.0 ** (2 * steps)
    assert [found.test_loss, found.train_loss] == pytest.approx(
        expected, rel=1e-10 + 1e-17 * growth
    ) or growth > 1e12


@pytest.mark.parametrize(
    ("rate", "momentum"),
    [(0.3, 0.0), (1.3, 0.0), (1.9, 0.0), (0.5, 0.3), (2.3, 0.3), (0.1, 0.8), (3.0, 0.8)],
)
@pytest.mark.parametrize(("n", "p"), [(60, 150), (INF, 80), (80, INF), (70, 70)])
def test_circle_and_contours_agree(rate, momentum, n, p, monkeypatch):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 400)
    rate = (
        min(rate / 2, 0.97 * (1 + momentum))
        * 2
        / largest_eigenvalue(spectrum, features=n, samples=p)
    )
    steps = {0.0: [12, 19, 28], 0.3: [50, 51], 0.8: [280]}[momentum]
    arguments = {
        "features": n,
        "samples": p,
        "learning_rate": rate,
        "momentum": momentum,
        "noise_variance": 0.1,
    }
    one = gradient_descent(steps, spectrum, **arguments)
    monkeypatch.setattr(_descent, "_FEW", 30)
    monkeypatch.setattr(_descent, "_DAMPED", 1e3)
    two = gradient_descent(steps, spectrum, **arguments)
    np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-9)
    np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=1e-9, atol=1e-12)
    assert np.all(np.abs(one.test_loss - two.test_loss) <= 5 * (one.test_error + two.test_error))
    assert np.all(
        np.abs(one.train_loss - two.train_loss) <= 5 * (one.train_error + two.train_error)
    )


# -- identities and limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_unlimited_descent_is_a_plain_sum(momentum):
    spectrum = PowerLawSpectrum.from_ab(1.7, 1.3, 300)
    eigenvalues, signal = spectrum.explicit()
    steps = np.array([0, 1, 2, 7, 100, 1000])
    found = gradient_descent(
        steps, spectrum, learning_rate=0.4, momentum=momentum, noise_variance=0.5
    )
    expected = [np.sum(signal * left_over(int(n), 0.4 * eigenvalues, momentum) ** 2) for n in steps]
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-11)
    np.testing.assert_allclose(found.train_loss, found.test_loss + 0.5, rtol=1e-15)
    large = gradient_descent(
        steps[:5],
        spectrum,
        features=1e30,
        samples=1e30,
        learning_rate=0.4,
        momentum=momentum,
        noise_variance=0.5,
    )
    np.testing.assert_allclose(large.test_loss, expected[:5], rtol=1e-11)
    np.testing.assert_allclose(large.train_loss, found.train_loss[:5], rtol=1e-11)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize(("n", "p"), [(60, 150), (INF, 80), (80, INF)])
def test_small_steps_are_gradient_flow(n, p, momentum):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    t = np.array([1.0, 100.0, 1e4])
    flow = gradient_flow(t, spectrum, features=n, samples=p, noise_variance=0.1)
    rate = 1e-7 * (1 - momentum)
    found = gradient_descent(
        t * 1e7,
        spectrum,
        features=n,
        samples=p,
        learning_rate=rate,
        momentum=momentum,
        noise_variance=0.1,
    )
    np.testing.assert_allclose(found.test_loss, flow.test_loss, rtol=1e-6)
    np.testing.assert_allclose(found.train_loss, flow.train_loss, rtol=1e-6, atol=1e-14)


def test_unlimited_samples_are_sgd_in_infinite_batches():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    steps = np.array([1, 3, 11, 12, 40, 1000])
    for rate in (0.4, 1.5):
        found = gradient_descent(steps, spectrum, features=90, learning_rate=rate)
        np.testing.assert_allclose(
            found.test_loss,
            online_sgd(steps, spectrum, features=90, batch=INF, learning_rate=rate).test_loss,
            rtol=1e-11,
        )


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_no_steps_and_unlimited_steps(momentum):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for sizes in (
        {"features": 100, "samples": 400},
        {"features": 400, "samples": 100},
        {"samples": 100},
        {"features": 100},
        {},
    ):
        arguments = {**sizes, "learning_rate": 0.3, "momentum": momentum, "noise_variance": 0.3}
        found = gradient_descent([0, 10**10, INF], spectrum, **arguments)
        end = ridge(spectrum, **sizes, noise_variance=0.3)
        assert found.test_loss[0] == pytest.approx(math.pi**2 / 6, rel=1e-14)
        assert found.train_loss[0] == pytest.approx(math.pi**2 / 6 + 0.3, rel=1e-14)
        assert (found.test_loss[2], found.train_loss[2]) == (end.test_loss, end.train_loss)
        if sizes:
            assert found.test_loss[1] == pytest.approx(end.test_loss, rel=1e-9)
            assert found.train_loss[1] == pytest.approx(end.train_loss, rel=1e-9, abs=1e-12)


def test_merged_modes_against_explicit_sums():
    merged = PowerLawSpectrum.from_ab(1.8, 1.3, 20_000)
    plain = EmpiricalSpectrum(*merged.explicit())
    for momentum in (0.0, 0.5):
        arguments = {
            "features": 300,
            "samples": 500,
            "learning_rate": 0.5,
            "momentum": momentum,
            "noise_variance": 0.01,
        }
        one, two = (
            gradient_descent([5, 500, 10**6], spectrum, **arguments) for spectrum in (merged, plain)
        )
        np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-10)
        np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=1e-10)


@settings(max_examples=60)
@given(
    st.floats(0.4, 3.0),
    st.floats(0.05, 3.0),
    st.one_of(st.integers(1, 10**12), st.just(INF)),
    st.one_of(st.floats(1, 1e12), st.just(INF)),
    st.one_of(st.floats(1, 1e12), st.just(INF)),
    st.floats(1e-6, 0.99),
    st.sampled_from([0.0, 0.0, 0.2, 0.6, 0.9]),
    st.floats(0, 20),
    st.sampled_from([0.0, 1e-6, 1.0]),
)
def test_no_nan_and_another_contour_agrees(
    alpha, beta, size, n, p, part, momentum, log_steps, noise
):
    if math.isinf(size):
        alpha += 1.0
    spectrum = PowerLawSpectrum(alpha, beta, size)
    steps = float(np.rint(10**log_steps))
    if momentum and 8 < steps < 64 / -math.log(momentum):  # where 26 nodes reach too
        steps = float(math.ceil(64 / -math.log(momentum)))
    rate = part * 2 * (1 + momentum) / largest_eigenvalue(spectrum, features=n, samples=p)
    arguments = {
        "features": n,
        "samples": p,
        "learning_rate": rate,
        "momentum": momentum,
        "noise_variance": noise,
    }
    found = gradient_descent(steps, spectrum, **arguments)
    assert found.diagnostics.status is Status.CONVERGED
    assert 0 <= found.test_loss < INF
    assert 0 <= found.train_loss < INF
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_descent, "cotangent", lambda: contour.cotangent(26))
        again = gradient_descent(steps, spectrum, **arguments)
    start = float(np.sum(spectrum.modes().signal)) + noise
    assert again.test_loss == pytest.approx(
        found.test_loss, rel=1e-9, abs=1e-13 * start + 5 * found.test_error
    )
    assert again.train_loss == pytest.approx(
        found.train_loss, rel=1e-9, abs=1e-13 * start + 5 * found.train_error
    )


# -- manners ------------------------------------------------------------------------------------------------------------


@pytest.mark.pure
def test_scalars_in_floats_out_broadcasting_and_files(tmp_path):
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.25], [0.5, 0.3, 0.1])
    one = gradient_descent(3, spectrum, features=2, samples=4, learning_rate=0.1)
    assert all(
        isinstance(getattr(one, name), float)
        for name in ("steps", "test_loss", "train_error", "momentum")
    )
    grid = gradient_descent([2, 3], spectrum, features=2, samples=[[4], [5]], learning_rate=0.1)
    assert grid.test_loss.shape == (2, 2)
    assert grid.test_loss[0, 1] == pytest.approx(one.test_loss, rel=1e-13)
    assert gradient_descent([], spectrum, learning_rate=0.1).test_loss.shape == (0,)
    kept = Result.load(grid.save(tmp_path / "descent.npz"))
    np.testing.assert_array_equal(kept.train_loss, grid.train_loss)


@pytest.mark.parametrize(
    ("steps", "arguments", "complaint"),
    [
        (-1, {}, "steps = -1.0 must be >= 0"),
        (1.5, {}, "steps = 1.5 must be a whole number"),
        ([2, 1], {}, "steps must not decrease"),
        (1e295, {}, "at most 1e290"),
        (1, {"momentum": 1.0}, "momentum = 1.0 must be below 1"),
        (1, {"momentum": -0.1}, "momentum = -0.1 must be >= 0"),
        (1, {"learning_rate": 0}, "learning_rate = 0.0 must be > 0 and finite"),
        (1, {"learning_rate": 2.0}, "unstable with features = inf, .*; it must be below 2$"),
        (1, {"learning_rate": 3.0, "momentum": 0.5}, "it must be below 3$"),
        (2000, {"momentum": 0.99, "samples": 100}, "must be at most 768, or at least 5970"),
        (1, {"noise_variance": -1}, "noise_variance = -1.0 must be >= 0"),
        ([1, 2], {"features": [1, 2, 3]}, "do not broadcast"),
        (1, {"on_failure": "ignore"}, "'raise' or 'return'"),
    ],
)
def test_refusals(steps, arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        gradient_descent(steps, PowerLawSpectrum(1.5, 1.0), **{"learning_rate": 0.1, **arguments})


def test_failure_carries_the_result(monkeypatch):
    monkeypatch.setattr(response, "kappa_along", lambda *arguments: (7, INF))
    for steps in (3, 100):
        with pytest.raises(ConvergenceError, match="on_failure='return'"):
            gradient_descent([0, steps], PowerLawSpectrum(1.5, 1.0), features=10, learning_rate=0.1)
        kept = gradient_descent(
            [0, steps],
            PowerLawSpectrum(1.5, 1.0),
            samples=10,
            learning_rate=0.1,
            on_failure="return",
        )
        assert kept.test_error[1] == INF
        assert kept.test_loss[0] > 0
