"""Gradient flow with feature learning: reference values, direct integration of the equations of motion, limits, identities, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.special import gamma, hyp1f1, zeta

from scalinglaws.errors import AccuracyWarning, ConvergenceError, DomainError
from scalinglaws.results import Result, Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.equivalents import response
from scalinglaws.solvers.feature_learning import (
    _integrator,
    _spectral_measure,
    _warped_loss,
    gradient_flow,
    linear_network,
    realization_flow,
    static_limit,
)

INF = math.inf


def numbers(rows):
    return [[float(entry) for entry in row] for row in rows]


def test_reference_values_of_unlimited_flow(reference):
    for alpha, beta, size, richness, t, loss, scale in numbers(
        reference("feature_learning_solvers")["flow"]["values"]
    ):
        found = gradient_flow(t, PowerLawSpectrum(alpha, beta, size), richness=richness)
        assert [found.test_loss, found.scale] == pytest.approx([loss, scale], rel=2e-8, abs=0), (
            beta,
            t,
        )
        # and the estimate of the error covers it, with the digits that were printed
        assert abs(found.test_loss - loss) <= 2 * found.test_error + 5e-9 * loss
        assert abs(found.scale - scale) <= 2 * found.scale_error + 5e-9 * scale


def test_errors_fall_as_announced(monkeypatch):
    spectrum, t = PowerLawSpectrum(1.5, 0.5), [1.0, 1e2, 1e5]
    monkeypatch.setattr(_warped_loss, "GRID", 256.0)
    best = gradient_flow(t, spectrum, richness=1)
    monkeypatch.undo()
    found = gradient_flow(t, spectrum, richness=1)
    np.testing.assert_allclose(found.test_loss, best.test_loss, rtol=2e-9)
    assert np.all(np.abs(found.test_loss - best.test_loss) <= found.test_error)
    assert np.all(np.abs(found.scale - best.scale) <= found.scale_error)
    assert np.all(found.test_error < 2e-8 * found.test_loss)
    assert np.all(found.scale_error < 2e-8 * found.scale)


@pytest.mark.parametrize("kind", ["lazy", "rich"])
def test_reference_values_of_finite_sizes(reference, kind):
    digits = 1e-8 if kind == "lazy" else 4e-6  # as printed
    for alpha, beta, size, n, p, richness, t, test, train, scale in numbers(
        reference("feature_learning_solvers")["finite"][kind]
    ):
        found = gradient_flow(
            t, PowerLawSpectrum(alpha, beta, size), richness=richness, features=n, samples=p
        )
        assert [found.test_loss, found.train_loss, found.scale] == pytest.approx(
            [test, train, scale], rel=digits
        ), t
        assert found.fit_error <= 2e-11


# -- equations of motion ------------------------------------------------------------------------------------------------


def test_against_the_markov_system():
    """Unlimited features and samples: the M x M system for the product of the layers, integrated as it is."""
    spectrum = PowerLawSpectrum(1.3, 0.6, 12)
    eigenvalues, signal = spectrum.explicit()
    target = np.sqrt(signal / eigenvalues)
    richness, t = 3.0, np.array([0.2, 1.0, 7.0, 60.0])

    def rates(_, state):
        w, m = state[:12], state[12:].reshape(12, 12)
        push = eigenvalues * (target - m.T @ w)
        return np.concatenate([m @ push, richness * np.outer(w, push).ravel()])

    start = np.concatenate([np.zeros(12), np.eye(12).ravel()])
    path = solve_ivp(rates, (0, t[-1]), start, method="DOP853", rtol=1e-11, atol=1e-13, t_eval=t).y
    w, m = path[:12], path[12:].reshape(12, 12, -1)
    error = target[:, None] - np.einsum("ijt,it->jt", m, w)
    found = gradient_flow(t, spectrum, richness=richness)
    np.testing.assert_allclose(found.test_loss, eigenvalues @ error**2, rtol=1e-8, atol=1e-16)
    # the invariant of the two layers: M M^T - richness w w^T stays the identity
    np.testing.assert_allclose(
        m[:, :, -1] @ m[:, :, -1].T - richness * np.outer(w[:, -1], w[:, -1]), np.eye(12), atol=1e-8
    )


@pytest.mark.parametrize("samples", [INF, 9])
@pytest.mark.parametrize("richness", [0.0, 3.0])
def test_against_one_draw(samples, richness):
    """Features and samples of one draw: the equations of motion of readout and features, and the kernel they start from."""
    n, modes = 12, 25
    rng = np.random.default_rng(5)
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.75, modes).explicit()
    target = np.sqrt(signal / eigenvalues) * rng.choice([-1, 1], modes)
    features = rng.normal(size=(n, modes))
    covariance = np.diag(eigenvalues)
    if samples < INF:
        inputs = rng.normal(size=(samples, modes)) * np.sqrt(eigenvalues)
        covariance = inputs.T @ inputs / samples
    overlap = features.T @ features / n

    def error_of(w, a):
        return target - a.T @ w / n

    def motion(_, state):
        w, a = state[:n], state[n:].reshape(n, modes)
        push = covariance @ error_of(w, a)
        return np.concatenate([a @ push, richness * np.outer(w, overlap @ push).ravel()])

    t = np.array([0.5, 5.0, 40.0])
    path = solve_ivp(
        motion,
        (0, t[-1]),
        np.concatenate([np.zeros(n), features.ravel()]),
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
        t_eval=t,
    ).y
    expected = [error_of(y[:n], y[n:].reshape(n, modes)) for y in path.T]
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    x, axes = np.linalg.eigh(root @ overlap @ root)
    powers = (axes.T @ root @ target) ** 2
    rank = int(min(n, samples))
    found = realization_flow(
        t, x[-rank:], powers[-rank:], richness=richness, floor=float(np.sum(powers[:-rank]))
    )
    np.testing.assert_allclose(found.train_loss, [v @ covariance @ v for v in expected], rtol=1e-8)


# -- richness 0 is the linear solver ------------------------------------------------------------------------------------

SIZES = [(INF, INF), (100, INF), (INF, 80), (60, 90), (90, 60), (70, 70)]


@pytest.mark.parametrize(("n", "p"), SIZES)
def test_lazy_flow_is_the_linear_solver(n, p):
    spectrum, t = PowerLawSpectrum(1.4, 0.8), [0, 0.3, 10, 1e4, INF]
    found, lazy = (
        gradient_flow(t, spectrum, richness=0, features=n, samples=p),
        linear.gradient_flow(t, spectrum, features=n, samples=p),
    )
    np.testing.assert_array_equal(found.test_loss, lazy.test_loss)
    np.testing.assert_array_equal(found.train_loss, lazy.train_loss)
    np.testing.assert_array_equal(found.scale, 1.0)


@pytest.mark.parametrize("spectrum", [PowerLawSpectrum(1.4, 0.8), PowerLawSpectrum(1.1, 2.2, 50)])
@pytest.mark.parametrize(
    ("n", "p"), [*SIZES, (50, 90), (90, 50), (50, 50), (1e5, 1e6), (1, 1), (100, 100.01)]
)
def test_the_warped_flow_without_richness_agrees_with_it(spectrum, n, p):
    """Another way to the same losses: one contour for all times, real exponentials, against an inversion for each time."""
    t = np.array([0.01, 0.3, 10, 1e3, 1e5])
    found, lazy = (
        gradient_flow(t, spectrum, richness=1e-30, features=n, samples=p),
        linear.gradient_flow(t, spectrum, features=n, samples=p),
    )
    start = linear.gradient_flow(0, spectrum).test_loss
    np.testing.assert_allclose(found.test_loss, lazy.test_loss, rtol=1e-9, atol=1e-10 * start)
    np.testing.assert_allclose(found.train_loss, lazy.train_loss, rtol=1e-9, atol=1e-10 * start)


def test_infinite_sizes_are_the_limit_of_large_ones():
    spectrum, t = PowerLawSpectrum(1.5, 0.75), [0.1, 10, 1e3]
    limit = gradient_flow(t, spectrum, richness=2)
    for n, p in ((1e14, INF), (INF, 1e14), (1e14, 1e15)):
        large = gradient_flow(t, spectrum, richness=2, features=n, samples=p)
        np.testing.assert_allclose(large.test_loss, limit.test_loss, rtol=1e-7)
        np.testing.assert_allclose(large.scale, limit.scale, rtol=1e-7)


# -- statics ------------------------------------------------------------------------------------------------------------


def test_static_reference_values(reference):
    table = reference("feature_learning_solvers")["static"]
    for alpha, beta, size, n, p, loss in numbers(table["values"]):
        assert static_limit(
            PowerLawSpectrum(alpha, beta, size), features=n, samples=p
        ).test_loss == pytest.approx(loss, rel=1e-9)
    for alpha, size, n, kappa in numbers(table["kappa"]):
        assert static_limit(PowerLawSpectrum(alpha, 1.0, size), features=n).kappa == pytest.approx(
            kappa, rel=1e-9
        )


@pytest.mark.parametrize(("n", "p"), [(40, INF), (INF, 40), (30, 100), (100, 30)])
def test_static_limit_is_the_limit_of_the_correlations(n, p):
    """z^2 C_0(z, z) at small z, without the error of first order."""
    spectrum = PowerLawSpectrum(1.5, 1.25, 1500)
    strengths = 0.0197 * np.array([1e-4, 1e-5, 1e-6])
    values = linear.ridge(spectrum, features=n, samples=p, ridge=strengths).test_loss
    first = (10 * values[1:] - values[:-1]) / 9
    assert (100 * first[1] - first[0]) / 99 == pytest.approx(
        static_limit(spectrum, features=n, samples=p).test_loss, rel=1e-8
    )


@pytest.mark.parametrize("beta", [0.5, 1.25, 1.5, 2.5])
def test_bottlenecks(beta):
    spectrum, sizes = PowerLawSpectrum(1.5, beta), np.array([1e4, 1e5])
    model, data = (
        static_limit(spectrum, features=sizes).test_loss,
        static_limit(spectrum, samples=sizes).test_loss,
    )
    assert -math.log10(model[1] / model[0]) == pytest.approx(1.5 * min(1, beta), rel=0.02)
    assert -math.log10(data[1] / data[0]) == pytest.approx(1.5 * min(2, beta), rel=0.02)


@pytest.mark.parametrize(
    ("n", "p"), [(40, INF), (INF, 40), (30, 100), (100, 30), (60, 90), (90, 60)]
)
@pytest.mark.parametrize("spectrum", [PowerLawSpectrum(1.5, 0.75), PowerLawSpectrum(1.2, 1.5, 50)])
def test_long_training_does_not_depend_on_the_richness(n, p, spectrum):
    end = static_limit(spectrum, features=n, samples=p)
    found = gradient_flow([1e9, INF], spectrum, richness=[[0.3], [30]], features=n, samples=p)
    np.testing.assert_allclose(found.test_loss, end.test_loss, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.train_loss, end.train_loss, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.scale[:, 0], found.scale[:, 1], rtol=1e-7)


def test_equally_many_features_and_samples_diverge():
    assert static_limit(PowerLawSpectrum(1.5, 0.5), features=40, samples=40).test_loss == INF
    found = gradient_flow(
        [1e2, 1e8, 1e10, INF], PowerLawSpectrum(1.5, 0.5), richness=1, features=40, samples=40
    )
    assert np.all(np.diff(found.test_loss) > 0)
    assert (found.test_loss[-1], found.train_loss[-1], found.scale[-1]) == (INF, 0.0, INF)


# -- long times, unlimited features and samples -------------------------------------------------------------------------


def constants(beta):
    nu = (1 - beta) / 4

    def phi(x):
        return x / (1 - nu) * hyp1f1(1, 2 - nu, -x)

    parts = [(0, 1), (1, 50), (50, INF)]
    one = sum(
        quad(lambda x: x ** (beta - 2) * phi(x) ** 2, *part, epsabs=1e-13, limit=200)[0]
        for part in parts
    )
    two = sum(
        quad(lambda x: x ** (beta - 1) * (1 - phi(x)) ** 2, *part, epsabs=1e-13, limit=200)[0]
        for part in parts
    )
    return one, two


def test_long_time_law(reference):
    table = reference("feature_learning_solvers")["long_times"]
    for beta, one, two, early, late in table["values"]:
        assert constants(beta) == pytest.approx((one, two), rel=1e-6)
        c = math.sqrt(one / 1.5)
        t = np.array([1e4, 1e8])
        asymptote = two / 1.5 * (c * (1 + beta) / 2 * t) ** (-2 * beta / (1 + beta))
        ratio = gradient_flow(t, PowerLawSpectrum(1.5, beta), richness=1).test_loss / asymptote
        np.testing.assert_allclose(ratio, [early, late], atol=1e-5)
        assert ratio[1] == pytest.approx(1, abs=0.02 if beta == 0.75 else 1e-3)


def test_slopes(reference):
    h = 0.05
    for beta, *slopes in reference("feature_learning_solvers")["long_times"]["slopes"]:
        t = np.multiply.outer([1e4, 1e6, 1e8], np.exp([-h, h])).ravel()
        losses = np.log(
            gradient_flow(t, PowerLawSpectrum(1.5, beta), richness=1).test_loss
        ).reshape(3, 2)
        np.testing.assert_allclose((losses[:, 0] - losses[:, 1]) / (2 * h), slopes, atol=1e-4)
        if beta < 1:
            assert slopes[-1] == pytest.approx(2 * beta / (1 + beta), abs=4e-3)


def test_easy_tasks_saturate():
    """beta > 1: s tends to (1 + sqrt(1 + 4 richness |w*|^2)) / 2, and the loss to that of a lazy flow sped up by it."""
    alpha, beta, richness = 1.5, 2.0, 3.0
    spectrum, end = (
        PowerLawSpectrum(alpha, beta),
        (1 + math.sqrt(1 + 4 * richness * zeta(1 + alpha * (beta - 1)))) / 2,
    )
    found = gradient_flow([1e7, INF], spectrum, richness=richness)
    assert found.scale == pytest.approx([end, end], rel=1e-6)
    assert found.scale[1] == pytest.approx(end, rel=1e-12)
    assert found.test_loss[0] == pytest.approx(
        gamma(beta) / alpha * (2 * end * 1e7) ** -beta, rel=1e-4
    )
    assert found.test_loss[1] == 0.0
    assert gradient_flow(INF, PowerLawSpectrum(alpha, 1.0), richness=richness).scale == INF


@settings(max_examples=20)
@given(st.floats(0.2, 0.8), st.floats(-6, 6), st.floats(1.2, 3))
def test_richness_sets_the_unit_of_time_of_the_rich_regime(beta, log_gamma, alpha):
    """L depends on sqrt(gamma) t where s is large."""
    richness = 10.0**log_gamma
    spectrum = PowerLawSpectrum(alpha, beta)
    crossover = richness ** (-1 / (1 - beta))
    t = max(crossover, 1.0) * 1e12 ** (1 / (1 - beta)) / math.sqrt(richness)
    if t > 1e60:
        return
    one = gradient_flow(t, spectrum, richness=richness)
    two = gradient_flow(t / 10, spectrum, richness=100 * richness)
    assert two.test_loss == pytest.approx(one.test_loss, rel=1e-2)


# -- random inputs ------------------------------------------------------------------------------------------------------

sizes = st.one_of(st.floats(1, 1e6), st.integers(1, 200), st.just(INF))


@settings(max_examples=60)
@given(
    st.floats(0.3, 3.0),
    st.floats(0.1, 3.0),
    st.one_of(st.integers(1, 10**6), st.just(INF)),
    st.one_of(st.floats(-8, 8), st.just(-INF)),
    sizes,
    st.one_of(sizes, st.none()),
)
def test_properties(alpha, beta, size, log_gamma, n, p):
    if math.isinf(size):
        alpha += 1.0
    spectrum, p = PowerLawSpectrum(alpha, beta, size), n if p is None else p
    t = np.array([0, 1e-6, 0.1, 1.0, 10.0, 1e3, 1e5])
    found = gradient_flow(t, spectrum, richness=10.0**log_gamma, features=n, samples=p)
    assert found.diagnostics.status is Status.CONVERGED
    start = float(np.sum(spectrum.modes().signal))
    assert found.test_loss[0] == pytest.approx(start, rel=1e-10)
    assert found.scale[0] == 1.0
    assert np.all(found.test_loss >= 0)
    assert np.all(np.isfinite(found.test_loss))
    slack = 1e-10 * start + 3 * found.train_error[1:] + 3 * found.train_error[:-1]
    assert np.all(np.diff(found.train_loss) <= slack)
    assert np.all(found.scale >= 1 - 1e-9)
    if math.isinf(p):
        np.testing.assert_allclose(found.test_loss, found.train_loss, rtol=1e-9, atol=1e-10 * start)
    lazy = linear.gradient_flow(t, spectrum, features=n, samples=p)
    assert np.all(
        found.train_loss <= lazy.train_loss * (1 + 1e-6) + slack.max() + 1e-9 * start
    )  # features only speed it up


@pytest.mark.parametrize("richness", [0.5, 1.0, 2.0])
def test_exponentially_small_losses_come_without_a_warning(richness):
    # against the equations of motion at 1e-13; the loss falls by up to eight decades
    x, mu = PowerLawSpectrum(0.5, 0.5, 30).explicit()

    def scale(q):
        return 1 + richness * np.sum((mu / x)[:, None] * np.reshape(q, (30, -1)) ** 2, axis=0)

    def motion(t, q):
        return scale(q) * x * (scale(q) ** -0.5 - q)

    t = np.array([0.1, 1.0, 10.0])
    q = solve_ivp(
        motion, (0, 10), np.zeros(30), method="DOP853", rtol=1e-13, atol=1e-16, t_eval=t
    ).y
    exact = np.sum(mu[:, None] * (1 - np.sqrt(scale(q)) * q) ** 2, axis=0)
    found = realization_flow(t, x, mu, richness=richness)
    exponents = np.maximum(1, np.log(mu.sum() / exact))
    assert np.all(np.abs(found.train_loss / exact - 1) < 3e-8 * exponents)
    assert np.all(np.abs(found.train_loss - exact) <= found.train_error)


@settings(max_examples=25)
@given(
    st.floats(0.5, 2.5),
    st.floats(0.1, 2),
    st.floats(0.01, 100),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
)
def test_units(alpha, beta, richness, rate, power):
    """Rates c x and powers b mu: time in units of 1/c, richness in units of c/b."""
    x, mu = PowerLawSpectrum(alpha, beta, 30).explicit()
    t = np.array([0.1, 1.0, 10.0])
    one = realization_flow(t, x, mu, richness=richness)
    two = realization_flow(t / rate, rate * x, power * mu, richness=richness * rate / power)
    np.testing.assert_allclose(
        two.train_loss, power * one.train_loss, rtol=1e-9, atol=1e-10 * power
    )
    np.testing.assert_allclose(two.scale, one.scale, rtol=1e-9)


@settings(max_examples=15)
@given(
    st.floats(1.1, 2.5), st.floats(0.1, 2), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(-3, 3)
)
def test_another_contour_and_another_grid_agree(alpha, beta, n, p, log_gamma):
    spectrum, t = PowerLawSpectrum(alpha, beta), np.array([0.3, 30.0, 1e4])
    found = gradient_flow(t, spectrum, richness=10.0**log_gamma, features=n, samples=p)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spectral_measure, "PER_DECADE", 15)
        patch.setattr(_warped_loss, "GRID", 50.0)
        again = gradient_flow(t, spectrum, richness=10.0**log_gamma, features=n, samples=p)
    for name in ("test", "train"):
        loss, other = getattr(found, f"{name}_loss"), getattr(again, f"{name}_loss")
        assert np.all(np.abs(loss - other) <= 2 * getattr(found, f"{name}_error") + 1e-9 * loss)


@pytest.mark.parametrize(
    ("richness", "t"), [(1, 1e30), (1, 1e100), (1e60, 1.0), (1e100, 1e-40), (1e-40, 1e100)]
)
def test_extreme_times_and_richness(richness, t):
    beta = 0.5
    one, two = constants(beta)
    found = gradient_flow(t, PowerLawSpectrum(1.5, beta), richness=richness)
    c = math.sqrt(one / 1.5) * math.sqrt(richness)
    assert found.test_loss == pytest.approx(
        two / 1.5 * (c * (1 + beta) / 2 * t) ** (-2 * beta / (1 + beta)), rel=2e-3
    )


@pytest.mark.parametrize(
    "sizes", [{}, {"features": 1.5}, {"samples": 1.5}, {"features": 1.5, "samples": 1.5}]
)
def test_spectra_of_extreme_range(sizes):
    wide = gradient_flow(
        [0, 1, 1e25] if len(sizes) < 2 else [0, 1],
        EmpiricalSpectrum([1e20, 1e-20] if sizes else [1e50, 1e-50], [1, 1]),
        richness=1,
        **sizes,
    )
    assert np.all(np.isfinite(wide.test_loss))
    assert wide.test_loss[0] == pytest.approx(2.0, rel=1e-10)
    silent = gradient_flow([0, 1, INF], EmpiricalSpectrum([1, 0.5], [0, 0]), richness=1, **sizes)
    np.testing.assert_array_equal(silent.train_loss, 0.0)


def test_a_spectrum_without_gap_is_followed_so_far():
    with pytest.warns(AccuracyWarning):
        gradient_flow(1e90, PowerLawSpectrum(1.5, 1.2, 1000), richness=1, features=10, samples=10)


# -- manners ------------------------------------------------------------------------------------------------------------


@pytest.mark.pure
def test_scalars_in_floats_out_broadcasting_and_files(tmp_path):
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.25, 0.1], [0.5, 0.3, 0.1, 0.05])
    one = gradient_flow(3, spectrum, richness=2)
    assert all(
        isinstance(getattr(one, name), float)
        for name in ("t", "test_loss", "train_loss", "scale", "richness", "samples", "fit_error")
    )
    grid = gradient_flow([1, 3], spectrum, richness=[[0], [2]], features=[[[INF]], [[6]]])
    assert grid.test_loss.shape == (2, 2, 2)
    assert grid.test_loss[0, 1, 1] == one.test_loss
    assert gradient_flow([], spectrum, richness=1).test_loss.shape == (0,)
    kept = Result.load(grid.save(tmp_path / "flow.npz"))
    np.testing.assert_array_equal(kept.scale, grid.scale)
    mine = realization_flow(
        3, [1.0, 0.5, 0.25, 0.1, 0.0], [0.5, 0.3, 0.1, 0.05, 0.2], richness=2, floor=0.1
    )
    assert mine.train_loss == pytest.approx(one.test_loss + 0.3, rel=1e-12)


def test_linear_network():
    spectrum = PowerLawSpectrum(1.5, 0.5, 50)
    assert (
        linear_network(10, spectrum, richness=2).test_loss
        == gradient_flow(10, spectrum, richness=2).test_loss
    )
    assert (
        linear_network(10, spectrum, richness=0, features=20).test_loss
        == linear.gradient_flow(10, spectrum, features=20).test_loss
    )
    with pytest.raises(
        DomainError, match=r"features = 20.0 must be inf where the richness is not 0"
    ):
        linear_network(10, spectrum, richness=[0, 1], features=20)


@pytest.mark.parametrize(
    ("t", "arguments", "complaint"),
    [
        (-1, {}, "t = -1.0 must be >= 0"),
        (math.nan, {}, "t = nan must be >= 0"),
        ([1, 3, 2], {}, "t must not decrease along its last axis; got 3.0 before 2.0"),
        ("soon", {}, "must be a number"),
        (1e105, {}, "at most 1e\\+100, or inf"),
        (1, {"richness": -0.1}, "richness = -0.1 must be >= 0"),
        (1, {"richness": math.nan}, "richness = nan must be >= 0"),
        (1, {"richness": INF}, "richness = inf must be >= 0 and finite"),
        (1, {"richness": 1e101}, "at most 1e\\+100"),
        (1, {"samples": 0}, "samples = 0.0 must be >= 1"),
        (1, {"features": math.nan}, "features = nan must be >= 1"),
        ([1, 2], {"features": [1, 2, 3]}, "do not broadcast"),
        (1, {"on_failure": "ignore"}, "'raise' or 'return'"),
    ],
)
def test_refusals(t, arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        gradient_flow(t, PowerLawSpectrum(1.5, 1.0), **{"richness": 1.0, **arguments})


@pytest.mark.parametrize(
    ("eigenvalues", "powers", "floor", "complaint"),
    [
        ([1, -1e-9], [1, 1], 0, r"eigenvalues\[1\] = -1e-09 must be >= 0"),
        ([1, 1], [1], 0, "two rows of the same length"),
        ([[1]], [[1]], 0, "two rows of the same length"),
        ([1], [-1], 0, r"powers\[0\] = -1.0"),
        ([1], [1], -1, "floor = -1 "),
        ([1], [1], [1, 2], "floor must be a single number"),
        ([0], [1], 0, "nothing would be learned"),
    ],
)
def test_refusals_of_realizations(eigenvalues, powers, floor, complaint):
    with pytest.raises(DomainError, match=complaint):
        realization_flow(1, eigenvalues, powers, richness=1, floor=floor)


def test_failures_carry_the_result(monkeypatch):
    spectrum = PowerLawSpectrum(1.5, 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(response, "kappa_along", lambda *arguments: (7, math.inf))
        with pytest.raises(ConvergenceError, match="on_failure='return'") as caught:
            gradient_flow([0, 1], spectrum, richness=1, samples=10)
        assert caught.value.result.diagnostics.status is Status.MAX_ITERATIONS
    monkeypatch.setattr(_warped_loss, "advance", lambda *arguments: (3, _integrator.MAX_NEWTON))
    with pytest.raises(ConvergenceError, match="realization_flow"):
        realization_flow(1, [1], [1], richness=1)
    kept = gradient_flow([0, 1], spectrum, richness=1, on_failure="return")
    assert np.all(np.isnan(kept.test_loss))
    assert np.all(kept.test_error == INF)


def test_lost_accuracy_is_announced(monkeypatch):
    monkeypatch.setattr(_warped_loss, "GRID", 2.0)
    with pytest.warns(AccuracyWarning, match="gradient_flow"):
        assert (
            gradient_flow(1e4, PowerLawSpectrum(1.5, 1.0), richness=1).diagnostics.status
            is Status.LOST_ACCURACY
        )
