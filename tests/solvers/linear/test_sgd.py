"""Online SGD of the random-feature model: reference values, the explicit recursion, limits, stability, refusals."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.results import Result, Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.equivalents import contour, response
from scalinglaws.solvers.linear import (
    _sgd,
    gradient_flow,
    largest_eigenvalue,
    online_sgd,
    ridge,
    sgd_stability,
)

INF = math.inf


def test_reference_values(reference):
    for row in reference("linear")["sgd"]["values"]:
        a, b, size, features, rate, batch, noise, t, test = (float(entry) for entry in row)
        spectrum = PowerLawSpectrum.from_ab(a, b, size)
        found = online_sgd(
            t, spectrum, features=features, batch=batch, learning_rate=rate, noise_variance=noise
        )
        assert found.test_loss == pytest.approx(test, rel=1e-8, abs=0), row


def test_reference_of_the_best_allocation(reference):
    for a, b, compute, features, loss in reference("linear")["sgd"]["compute"]:
        spectrum = PowerLawSpectrum.from_ab(a, b)
        rate = 0.2 / float(mpmath.zeta(b))

        def at(log_n, spectrum=spectrum, rate=rate, compute=compute):
            n = math.exp(log_n)
            return math.log(
                online_sgd(compute / n, spectrum, features=n, batch=1, learning_rate=rate).test_loss
            )

        best = minimize_scalar(
            at, bracket=(math.log(features) - 1, math.log(features) + 1), tol=1e-7
        )
        assert math.exp(best.x) == pytest.approx(features, rel=1e-3)
        assert math.exp(best.fun) == pytest.approx(loss, rel=1e-7)


def best_allocation(a, b, compute, guess):
    """Minimize the loss over N at N t = C; return log N and log loss."""

    def at(log_n):
        n = math.exp(log_n)
        spectrum = PowerLawSpectrum.from_ab(a, b, INF if b > 1 else float(round(4 * n)))
        modes = spectrum.modes()
        rate = (0.2 if b > 1 else 0.5) / float(modes.multiplicities @ modes.eigenvalues)
        return math.log(
            online_sgd(compute / n, spectrum, features=n, batch=1, learning_rate=rate).test_loss
        )

    best = minimize_scalar(at, bracket=(guess - 1, guess + 1), tol=1e-8)
    return np.array([best.x, best.fun])


def test_slopes_in_all_seven_phases(reference):
    for phase, a, b, compute, *slopes, e_n, e_l in reference("linear")["sgd"]["phases"]:
        near, far = (best_allocation(a, b, c, e_n * math.log(c)) for c in (compute, 100 * compute))
        found = (far - near) / math.log(100) * [1, -1]
        assert found == pytest.approx(slopes, abs=1e-3), phase
        assert found == pytest.approx([e_n, e_l], abs=5e-3 if phase == "IVb" else 1e-3), phase


# -- the explicit recursion ---------------------------------------------------------------------------------------------


def recursion(eigenvalues, signal, batch, rate, noise, steps):
    """Iterate the energies of all modes for unlimited features."""
    decay = 1 - 2 * rate * eigenvalues + (rate * eigenvalues) ** 2 * (1 + 1 / batch)
    energy, losses = signal.copy(), []
    for _ in range(steps):
        losses.append(energy.sum())
        energy = decay * energy + (rate * eigenvalues) ** 2 / batch * (losses[-1] + noise)
    return np.array(losses)


@pytest.mark.parametrize(
    ("batch", "rate", "noise"),
    [
        (1, 0.3, 0.0),
        (1, 0.5, 1.0),
        (3, 0.9, 0.2),
        (1000, 1.9, 0.1),
        (1e9, 1.0, 0.0),
        (INF, 1.7, 0.4),
    ],
)
def test_unlimited_features_against_the_recursion(batch, rate, noise):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 300)
    expected = recursion(*spectrum.explicit(), batch, rate, noise, 400)
    found = online_sgd(
        np.arange(400), spectrum, batch=batch, learning_rate=rate, noise_variance=noise
    )
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-11)
    assert np.all(np.abs(found.test_loss - expected) <= 5 * found.test_error)


@settings(max_examples=25)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
    st.integers(1, 20),
    st.floats(0.01, 0.97),
    st.sampled_from([0.0, 0.3]),
)
def test_random_spectra_up_to_the_bound(eigenvalues, batch, part, noise):
    values = np.array(eigenvalues)
    spectrum = EmpiricalSpectrum(values, np.sqrt(values))
    rate = part * sgd_stability(spectrum, batch=batch, learning_rate=1.0).max_learning_rate
    expected = recursion(values, np.sqrt(values), batch, rate, noise, 41)[[1, 5, 11, 12, 13, 40]]
    found = online_sgd(
        [1, 5, 11, 12, 13, 40], spectrum, batch=batch, learning_rate=rate, noise_variance=noise
    )
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-9, atol=1e-11)


# -- identities and limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", [40, 3000, INF])
def test_circle_and_contour_agree(features, monkeypatch):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 800)
    arguments = {"features": features, "batch": 2, "learning_rate": 0.5, "noise_variance": 0.1}
    t = np.arange(12, 40)
    long = online_sgd(t, spectrum, **arguments).test_loss
    monkeypatch.setattr(_sgd, "_FEW", 41)
    monkeypatch.setattr(_sgd, "_CIRCLE", 256)
    np.testing.assert_allclose(long, online_sgd(t, spectrum, **arguments).test_loss, rtol=1e-12)


def test_between_steps():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    t = np.array([0, 0.5, 1, 11, 11.5, 12, 12.5, 13])
    loss = online_sgd(t, spectrum, features=50, batch=2, learning_rate=0.3).test_loss
    assert np.all(np.diff(loss) < 0)
    assert loss[1] == pytest.approx(math.sqrt(loss[0] * loss[2]), rel=1e-12)
    assert loss[6] == pytest.approx(math.sqrt(loss[5] * loss[7]), rel=1e-3)


def test_zero_steps_and_the_floor():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for features in (100, INF):
        arguments = {"features": features, "batch": 2, "learning_rate": 0.2}
        best = ridge(spectrum, features=features).test_loss
        norm = sgd_stability(spectrum, **arguments).kernel_norm
        for noise in (0.0, 0.5):
            found = online_sgd(
                [0, 1e12, INF], spectrum, **arguments, noise_variance=noise
            ).test_loss
            assert found[0] == pytest.approx(math.pi**2 / 6)
            assert found[2] == pytest.approx(
                (best + norm * noise) / (1 - norm), rel=1e-12, abs=1e-15
            )
            assert found[1] == pytest.approx(found[2], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("features", [70, INF])
def test_small_steps_in_large_batches_are_gradient_flow(features):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    rate, t = 1e-7, np.array([1.0, 100.0, 1e4])
    found = online_sgd(
        t / rate, spectrum, features=features, batch=1e6, learning_rate=rate, noise_variance=0.1
    )
    np.testing.assert_allclose(
        found.test_loss, gradient_flow(t, spectrum, features=features).test_loss, rtol=1e-5
    )


def test_merged_modes_against_explicit_sums():
    merged = PowerLawSpectrum.from_ab(1.8, 1.3, 20_000)
    plain = EmpiricalSpectrum(*merged.explicit())
    arguments = {"features": 400, "batch": 2, "learning_rate": 0.2, "noise_variance": 0.01}
    one, two = (
        online_sgd([5, 500, 5e5], spectrum, **arguments).test_loss for spectrum in (merged, plain)
    )
    np.testing.assert_allclose(one, two, rtol=1e-10)


@pytest.mark.parametrize(("a", "b", "excess"), [(2.5, 1.6, 4.6e-6), (4.5, 1.6, -1.3e-6)])
def test_the_constants_of_late_training(a, b, excess):
    # L ~ Gamma(gamma) (2 eta t)^-gamma / (b (1 - K(1))), plus what the noise of gradients leaves for a > b + 1
    rate, batch, t = 0.1, 4, 1e12
    spectrum = PowerLawSpectrum.from_ab(a, b)
    norm = sgd_stability(spectrum, batch=batch, learning_rate=rate).kernel_norm
    gamma = (a - 1) / b
    leading = math.gamma(gamma) * (2 * rate * t) ** -gamma / b / (1 - norm)
    if a > b + 1:
        modes = spectrum.modes()
        x = rate * modes.eigenvalues
        total = float(np.sum(modes.signal / (2 * x - x**2 * (1 + 1 / batch))))
        memory = rate**2 / batch * math.gamma(2 - 1 / b) / b * (2 * rate * t) ** -(2 - 1 / b)
        leading += memory * total / (1 - norm) ** 2
    found = online_sgd(t, spectrum, batch=batch, learning_rate=rate).test_loss
    assert found / leading == pytest.approx(1 + excess, abs=2e-7)


@settings(max_examples=80)
@given(
    st.floats(0.4, 3.0),
    st.floats(0.05, 3.0),
    st.one_of(st.integers(1, 10**12), st.just(INF)),
    st.one_of(st.floats(1, 1e12), st.just(INF)),
    st.one_of(st.floats(1, 1e9), st.just(INF)),
    st.floats(1e-6, 0.95),
    st.floats(0, 20),
    st.sampled_from([0.0, 1e-6, 1.0]),
)
def test_no_nan_and_another_contour_agrees(alpha, beta, size, n, batch, part, log_t, noise):
    if math.isinf(size):
        alpha += 1.0
    spectrum = PowerLawSpectrum(alpha, beta, size)
    rate = (
        part * sgd_stability(spectrum, features=n, batch=batch, learning_rate=1.0).max_learning_rate
    )
    arguments = {"features": n, "batch": batch, "learning_rate": rate, "noise_variance": noise}
    found = online_sgd(10**log_t, spectrum, **arguments)
    assert found.diagnostics.status is Status.CONVERGED
    assert 0 <= found.test_loss < INF
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sgd, "cotangent", lambda: contour.cotangent(28))
        again = online_sgd(10**log_t, spectrum, **arguments).test_loss
    start = float(np.sum(spectrum.modes().signal)) + noise
    assert again == pytest.approx(found.test_loss, rel=1e-9, abs=1e-14 * start)


# -- stability ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.floats(0.5, 3), st.integers(1, 3000), st.integers(1, 100), st.floats(0.01, 0.99))
def test_kernel_norm_is_the_sum_over_modes(alpha, size, batch, part):
    spectrum = PowerLawSpectrum(alpha, 1.0, size)
    rate = part * sgd_stability(spectrum, batch=batch, learning_rate=1e-3).max_learning_rate
    found = sgd_stability(spectrum, batch=batch, learning_rate=rate)
    x = spectrum.explicit()[0]
    assert found.kernel_norm == pytest.approx(
        rate / batch * np.sum(x / (2 - rate * x * (1 + 1 / batch))), rel=1e-10
    )
    assert found.stable
    assert found.largest_eigenvalue == 1.0


@pytest.mark.parametrize(
    ("features", "batch"), [(INF, 1), (30, 1), (30, 1000), (INF, INF), (2000, 4)]
)
def test_the_bound_separates_stable_from_unstable(features, batch):
    spectrum = PowerLawSpectrum(1.5, 1.0, 500)
    bound = sgd_stability(
        spectrum, features=features, batch=batch, learning_rate=1.0
    ).max_learning_rate
    below, above = (
        sgd_stability(spectrum, features=features, batch=batch, learning_rate=bound * x)
        for x in (1 - 1e-9, 1 + 1e-9)
    )
    assert (below.stable, above.stable) == (True, False)
    assert below.kernel_norm < 1 < above.kernel_norm
    with pytest.raises(DomainError, match=f"unstable with batch.*must be below {bound:.6g}"):
        online_sgd(10, spectrum, features=features, batch=batch, learning_rate=bound * 1.001)


def test_largest_eigenvalue_of_equal_modes_is_the_edge_of_marchenko_and_pastur():
    equal = EmpiricalSpectrum(np.full(100, 0.5), np.ones(100))
    found = largest_eigenvalue(equal, samples=[100, 400, 1e20, INF])
    np.testing.assert_allclose(found, 0.5 * (1 + np.sqrt([1, 0.25, 1e-18, 0])) ** 2, rtol=1e-12)
    assert largest_eigenvalue(equal, features=400) == pytest.approx(found[1])
    assert isinstance(largest_eigenvalue(equal), float)


def test_largest_eigenvalue_lies_at_the_edge_of_draws():
    rng = np.random.default_rng(3)
    eigenvalues = PowerLawSpectrum(1.5, 1.0, 400).explicit()[0]
    tops = []
    for _ in range(40):
        psi = rng.standard_normal((150, 400)) * np.sqrt(eigenvalues)
        features = psi @ rng.standard_normal((400, 60)) / math.sqrt(60)
        tops.append(np.linalg.svd(features, compute_uv=False)[0] ** 2 / 150)
    edge = largest_eigenvalue(PowerLawSpectrum(1.5, 1.0, 400), features=60, samples=150)
    assert np.mean(tops) < edge < np.mean(tops) + 3 * np.std(tops)


# -- manners ------------------------------------------------------------------------------------------------------------


@pytest.mark.pure
def test_scalars_in_floats_out_broadcasting_and_files(tmp_path):
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.25], [0.5, 0.3, 0.1])
    one = online_sgd(3, spectrum, features=2, batch=4, learning_rate=0.1)
    assert all(
        isinstance(getattr(one, name), float)
        for name in ("steps", "test_loss", "test_error", "batch")
    )
    grid = online_sgd([1, 3], spectrum, features=2, batch=[[4], [5]], learning_rate=0.1)
    assert grid.test_loss.shape == (2, 2)
    assert grid.test_loss[0, 1] == one.test_loss
    assert online_sgd([], spectrum, batch=1, learning_rate=0.1).test_loss.shape == (0,)
    assert sgd_stability(spectrum, batch=[], learning_rate=0.1).stable.shape == (0,)
    verdict = sgd_stability(spectrum, batch=[1, 2], learning_rate=0.1)
    kept = Result.load(verdict.save(tmp_path / "stability.npz"))
    np.testing.assert_array_equal(kept.stable, [True, True])
    assert sgd_stability(spectrum, batch=1, learning_rate=0.1).stable is True


@pytest.mark.parametrize(
    ("steps", "arguments", "complaint"),
    [
        (-1, {}, "steps = -1.0 must be >= 0"),
        ([2, 1], {}, "steps must not decrease"),
        (math.nan, {}, "steps = nan"),
        (1e295, {}, "at most 1e290"),
        (1, {"batch": 0.5}, "batch = 0.5 must be >= 1"),
        (1, {"learning_rate": 0}, "learning_rate = 0.0 must lie between 1e-290 and 1e"),
        (
            1,
            {"learning_rate": 1e5},
            "is unstable with batch = 1.0 and features = inf .the largest eigenvalue is 1",
        ),
        (1, {"learning_rate": 0.6, "batch": 1.1}, "the kernel norm is"),
        (1, {"features": 0}, "features = 0.0 must be >= 1"),
        (1, {"noise_variance": -1}, "noise_variance = -1.0 must lie between 0 and 1e"),
        ([1, 2], {"features": [1, 2, 3]}, "do not broadcast"),
        (1, {"on_failure": "ignore"}, "'raise' or 'return'"),
        (1e289, {}, "or a smaller steps"),
    ],
)
def test_refusals(steps, arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        online_sgd(
            steps, PowerLawSpectrum(1.5, 1.0), **{"batch": 1, "learning_rate": 0.1, **arguments}
        )


def test_failure_carries_the_result(monkeypatch):
    monkeypatch.setattr(response, "kappa_along", lambda *arguments: (7, INF))
    spectrum = PowerLawSpectrum(1.5, 1.0)
    for steps in (3, 100):
        with pytest.raises(ConvergenceError, match="on_failure='return'"):
            online_sgd([0, steps], spectrum, features=10, batch=1, learning_rate=0.1)
        kept = online_sgd(
            [0, steps], spectrum, features=10, batch=1, learning_rate=0.1, on_failure="return"
        )
        assert kept.test_error[1] == INF
        assert kept.test_loss[0] > 0


def test_late_losses_far_below_the_kernel_are_smooth():
    """The loss may be 1e-25 of its start, and the kernel's transform 1e-11 of the trace: neither may be a difference."""
    t = 1e18 * np.array([1.0, 1.1, 1.21])
    losses = online_sgd(
        t, PowerLawSpectrum.from_ab(4.5, 1.6), batch=1, learning_rate=0.05
    ).test_loss
    assert losses[0] * losses[2] / losses[1] ** 2 == pytest.approx(1, abs=1e-10)
    sizes = np.round(6e36 * np.array([1.0, 1.001, 1.001**2]))
    given_ = {"features": 1.5e36, "batch": 1, "learning_rate": 2.8e-18}
    logs = np.log(
        [
            online_sgd(1e26, PowerLawSpectrum.from_ab(2.2, 0.54, size), **given_).test_loss
            for size in sizes
        ]
    )
    assert logs[0] - 2 * logs[1] + logs[2] == pytest.approx(
        0, abs=1e-6
    )  # of the order of the step squared
