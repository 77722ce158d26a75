"""The logistic perceptron: reference values, limits, identities, the whole range, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import ndtr, owens_t

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.results import Status
from scalinglaws.solvers import _jit
from scalinglaws.solvers.perceptron import (
    FixedNormSolution,
    _generic,
    _saddle,
    bayes,
    fixed_norm,
    hebb,
    max_stability,
    optimal_norm,
    ridge,
    surface,
)

GRID = np.geomspace(1e-3, 1e7, 100), np.geomspace(1e-6, 1e8, 100)


@pytest.fixture(scope="module")
def known(reference):
    return reference("perceptron")


def _as_printed(found, text):
    """Whether a number has the digits that are printed, give or take one in the last place."""
    if text.startswith("<"):
        return found < float(text[1:])
    mantissa = text.lower().partition("e")[0]
    unit = 10.0 ** -len(mantissa.partition(".")[2]) * abs(float(text)) / abs(float(mantissa) or 1)
    return abs(found - float(text)) <= 1.01 * unit


def test_points_have_the_known_values(known):
    assert len(known["points"]) == 14
    for row in known["points"]:
        alpha, norm = map(float, row[:2])
        found = fixed_norm(alpha, norm)
        assert found.error == pytest.approx(float(row[2]), rel=1e-9)
        for name, text in list(zip(known["columns"], row, strict=True))[2:]:
            value = getattr(found, name)
            if name == "free_share":
                assert value == pytest.approx(float(text), abs=1e-9) or _as_printed(value, text)
            elif name == "train_error" and text not in ("0", "<1e-30"):
                assert value == pytest.approx(float(text), rel=1e-6)
            else:
                assert _as_printed(value, text), (row[:2], name, value, text)


def test_local_exponents_have_the_known_values_and_are_those_of_differences(known):
    for alpha, norm, slope in known["slopes"]:
        assert fixed_norm(alpha, norm).slope == pytest.approx(slope, rel=1e-7)
        apart = math.exp(1e-4)
        errors = fixed_norm(alpha, [norm * apart, norm / apart]).error
        assert math.log(errors[0] / errors[1]) / 2e-4 == pytest.approx(slope, rel=1e-6, abs=1e-11)


@pytest.fixture(scope="module")
def whole_range():
    return surface(*GRID)


def test_no_point_of_the_whole_range_fails(whole_range):
    found = whole_range
    assert found.error.shape == (100, 100)
    assert found.diagnostics.status is Status.CONVERGED
    assert found.diagnostics.residual < 1e-12
    assert found.diagnostics.iterations <= 8
    assert found.diagnostics.error_estimate < 1e-12
    for name in ("error", "train_loss", "train_error", "test_loss", "multiplier", "free_share"):
        column = getattr(found, name)
        assert np.all(np.isfinite(column)), name
        assert np.all(column >= 0), name
    least = bayes(GRID[0]).error[:, None]
    assert np.all(found.error >= least * (1 - 1e-12))
    assert np.all(found.error <= 0.5)
    assert np.all((found.free_share > 0) & (found.free_share <= 1 + 1e-12))
    # with the norm, training loss falls and test errors fall, then rise
    assert np.all(np.diff(found.train_loss, axis=1) <= 1e-15)
    assert np.all(np.diff(np.sign(found.slope), axis=1)[1:] >= 0)


def _residuals(found):
    """Evaluate both equations with the proximal map found by bisection, and panels that are halved until nothing changes."""
    alpha, norm = found.alpha, found.norm
    tau = 1 / math.tan(math.pi * found.error)
    s, r = 1 / math.hypot(1, tau), tau / math.hypot(1, tau)
    log_pull = found.log_response + math.log(2 * norm)

    def displacement(omega):
        # ln delta = log(2 chi norm) - ln(1 + exp(2 norm (omega + delta)))
        low, high = np.full_like(omega, -800.0), np.full_like(omega, 30.0)
        for _ in range(64):
            middle = 0.5 * (low + high)
            excess = middle - log_pull + np.logaddexp(0, 2 * norm * (omega + np.exp(middle)))
            low, high = np.where(excess < 0, middle, low), np.where(excess < 0, high, middle)
        return np.exp(0.5 * (low + high))

    def integrand(omega):
        delta = displacement(omega)
        normal = np.exp(-0.5 * (omega / s) ** 2) / (s * math.sqrt(2 * math.pi))
        law = 2 / math.sqrt(2 * math.pi) * np.exp(-0.5 * omega**2) * ndtr(tau * omega)
        return np.array([normal * delta, law * delta**2])

    # the bend at the stability is a few 1/norm wide: panels that begin or end there must not step over it
    bend = [found.displacement + side * width / norm for side in (-1, 1) for width in (1, 4, 16)]
    edges = [*_generic.breakpoints(norm, s), found.displacement, *bend]
    first, second = _generic.adaptive(integrand, edges, -9.5 * s, 9.5)
    return (
        abs(alpha * math.sqrt(2 / math.pi) * first / r - 1),
        abs(alpha * second / s**2 - 1),
    )


def _of_surface(solved, i, j):
    return fixed_norm(float(solved.alpha[i, j]), float(solved.norm[i, j]))


def test_residuals_by_independent_quadrature_on_part_of_the_range(whole_range):
    with np.errstate(over="ignore", under="ignore"):
        worst = [
            max(_residuals(_of_surface(whole_range, i, j)))
            for i, j in np.random.default_rng(7).integers(0, 100, (40, 2))
        ]
    assert max(worst) < 1e-11


def test_the_independent_quadrature_sees_a_narrow_bend(whole_range):
    # 30 digits give 9.1e-16 and 6.1e-16 here; panels that step over the bend at the stability gave 1.2e-10
    with np.errstate(over="ignore", under="ignore"):
        assert max(_residuals(_of_surface(whole_range, 17, 62))) < 1e-12


@pytest.mark.slow
def test_residuals_by_independent_quadrature_on_the_whole_range(whole_range):
    with np.errstate(over="ignore", under="ignore"):
        for i in range(100):
            for j in range(100):
                assert max(_residuals(_of_surface(whole_range, i, j))) < 1e-11


def test_limits_of_small_and_large_norm():
    alpha = np.geomspace(1e-3, 1e7, 21)
    assert np.max(np.abs(fixed_norm(alpha, 1e-4).error / hebb(alpha).error - 1)) < 1e-3
    largest = fixed_norm(alpha, 1e7 * np.maximum(1, alpha))
    np.testing.assert_allclose(largest.error, max_stability(alpha).error, rtol=3e-8)
    ends = fixed_norm(alpha[:, None], [0.0, math.inf])
    np.testing.assert_array_equal(ends.error[:, 0], hebb(alpha).error)
    np.testing.assert_allclose(ends.error[:, 1], max_stability(alpha).error, rtol=1e-14)
    np.testing.assert_allclose(largest.free_share, ends.free_share[:, 1], rtol=1e-6)
    assert np.all(ends.train_loss == [math.log(2), 0])
    assert np.all(ends.test_loss == [math.log(2), math.inf])
    assert np.all(ends.multiplier == [math.inf, 0])
    near = fixed_norm(alpha, 1e-12)
    np.testing.assert_allclose(near.train_error, ends.train_error[:, 0], rtol=1e-7)
    np.testing.assert_allclose(near.displacement, ends.displacement[:, 0], rtol=1e-7)


@given(
    st.floats(-8, 11).map(lambda x: 10.0**x),
    st.floats(-11, 19).map(lambda x: 10.0**x),
)
@settings(max_examples=60)
def test_every_point_lies_between_bayes_and_chance(alpha, norm):
    found = fixed_norm(alpha, norm)
    assert bayes(alpha).error * (1 - 1e-12) <= found.error <= 0.5
    assert found.error == pytest.approx(math.acos(min(found.overlap, 1.0)) / math.pi, abs=1e-8)
    assert 0 <= found.train_error <= found.error * (1 + 1e-9)
    assert 0 <= found.train_loss <= found.test_loss * (1 + 1e-9)


@pytest.mark.parametrize(("alpha", "norm"), [(0.5, 0.2), (2, 1), (20, 3), (1e4, 10), (1e6, 1e-4)])
def test_observables_are_the_integrals_that_define_them(alpha, norm):
    found = fixed_norm(alpha, norm)
    tau = 1 / math.tan(math.pi * found.error)

    def law(omega):
        return math.sqrt(2 / math.pi) * math.exp(-0.5 * omega**2) * ndtr(tau * omega)

    ends = {"epsabs": 0, "epsrel": 1e-12, "limit": 400}
    points = [-1 / tau, -0.1 / tau, 0, 0.1 / tau, 1 / tau, 1 / norm]
    test = integrate.quad(
        lambda w: law(w) * np.logaddexp(0, -2 * norm * w), -9 / tau - 1e-3, 9, points=points, **ends
    )
    assert found.test_loss == pytest.approx(test[0], rel=1e-9)
    cutoff = math.exp(found.log_response) * norm
    owen = ndtr(-cutoff) - 2 * owens_t(-cutoff, tau)
    assert found.train_error == pytest.approx(owen, rel=1e-7, abs=1e-14)
    # margins: a density, of which the part below 0 is misclassified
    width = max(0.01, math.sqrt(1 - found.overlap**2))
    at = np.unique(
        np.concatenate([np.linspace(-12 * width, 12 * width, 4001), np.linspace(0, 9, 9001)])
    )
    density = found.margin_density(at)
    assert integrate.trapezoid(density, at) == pytest.approx(1, abs=1e-5)
    loss = integrate.trapezoid(density * np.logaddexp(0, -2 * norm * at), at)
    assert found.train_loss == pytest.approx(loss, rel=1e-4)


def test_margins_at_the_limits():
    at = np.linspace(-5, 9, 28001)  # 0 among them
    hebbs, most = fixed_norm(2, 0.0), fixed_norm(2, math.inf)
    density = hebbs.margin_density(at)
    assert integrate.trapezoid(density, at) == pytest.approx(1, abs=1e-6)
    assert integrate.trapezoid(density[at <= 0], at[at <= 0]) == pytest.approx(
        hebbs.train_error, rel=1e-5
    )
    density = most.margin_density(at)
    assert np.all(density[at < most.displacement] == 0)
    # the others sit at the smallest margin: alpha times their share is what is not free
    pinned = 1 - integrate.trapezoid(density, at)
    assert 2 * pinned == pytest.approx(1 - most.free_share, abs=1e-3)
    # a large norm comes near, with chi beyond floating-point numbers
    large = fixed_norm(2, 1e5)
    beyond = at[at > 0.5]
    np.testing.assert_allclose(large.margin_density(beyond), most.margin_density(beyond), rtol=1e-4)
    assert fixed_norm([1, 2], 3).margin_density(np.zeros((4, 5))).shape == (2, 4, 5)
    assert isinstance(fixed_norm(1, 3).margin_density(0.5), float)


def test_the_multiplier_is_the_force_along_the_weights():
    found = fixed_norm(2, 1.5)
    at = np.linspace(-8, 9, 170001)
    u = 1.5 * at
    pull = found.margin_density(at) * 2 / (1 + np.exp(2 * u)) * u
    force = 2 * integrate.trapezoid(pull, at) / 1.5**2
    assert found.multiplier == pytest.approx(force, rel=1e-7)
    # the free share is the multiplier times x = chi norm^2
    assert found.free_share == pytest.approx(
        found.multiplier * math.exp(found.log_response) * 1.5**2, rel=1e-12
    )


@pytest.mark.pure
def test_points_without_a_compiler():
    """Where a float overflows plain Python raises, as machine code does not."""
    for alpha, norm, error in ((2, 2, 0.174587188243), (0.5, 50, 0.328549986466)):
        assert fixed_norm(alpha, norm).error == pytest.approx(error, rel=1e-11)
    for alpha in (1e-9, 1e12):
        for norm in (1e-12, 1e20):
            known = hebb(alpha) if norm < 1 else max_stability(alpha)
            assert fixed_norm(alpha, norm).error == pytest.approx(known.error, rel=1e-6)
    assert optimal_norm(2).norm == pytest.approx(1.998863784, rel=1e-9)


@pytest.mark.parametrize(("alpha", "penalty"), [(0.1, 1.0), (2, 1e-3), (2, 10.0), (1e4, 1e-9)])
def test_a_penalty_picks_a_point_of_the_same_curve(alpha, penalty):
    found = ridge(alpha, penalty)
    assert found.multiplier == pytest.approx(penalty, rel=1e-9)
    again = fixed_norm(alpha, found.norm)
    assert again.error == found.error
    assert again.train_loss == found.train_loss


def test_penalties_at_their_ends():
    assert ridge(2, 0).norm == math.inf
    assert ridge(2, 0).error == max_stability(2).error
    tiny = ridge(3, 1e-250)
    assert tiny.multiplier == pytest.approx(1e-250, rel=1e-7)
    with pytest.raises(DomainError, match="use a smaller penalty"):
        ridge(1e-9, 1e15)
    with pytest.raises(DomainError, match="use a larger penalty"):
        ridge(1e12, 1e-300, "square")
    with pytest.raises(DomainError, match="penalty = -1"):
        ridge(2, -1)


def test_the_optimum_has_the_known_values(known):
    for row in known["optimum"]:
        alpha, norm, error, *_ = map(float, row)
        found = optimal_norm(alpha)
        assert found.norm == pytest.approx(norm, rel=1e-6)
        assert found.error == pytest.approx(error, rel=1e-9)


def test_the_optimum_is_one_and_within_a_thousandth_of_bayes():
    alpha = np.geomspace(1e-3, 1e6, 19)
    found = optimal_norm(alpha)
    assert np.all(found.error / bayes(alpha).error < 1.00063)
    assert np.all(found.error >= bayes(alpha).error * (1 - 1e-13))
    around = fixed_norm(alpha, found.norm * np.array([[0.9], [1.1]])).slope
    assert np.all(around[0] < 0)
    assert np.all(around[1] > 0)
    few = alpha < 2e-3
    np.testing.assert_allclose(found.norm[few], 0.995573 * np.sqrt(alpha[few]), rtol=1e-3)
    assert optimal_norm([[1.0]]).norm.shape == (1, 1)
    with pytest.raises(DomainError, match=r"alpha = 0\.0001 must lie between 0\.001 and"):
        optimal_norm(1e-4)


def test_the_optimum_at_finite_samples(known):
    """Corrections to the limits: 0.631/alpha to the norm, -0.6155/alpha^2 to alpha times the error."""
    alpha = np.array([40.0, 100.0, 200.0])
    found, limit = optimal_norm(alpha), optimal_norm(1e12)
    missing = alpha**2 * (known["constants"]["optimum_error"] - alpha * found.error)
    np.testing.assert_allclose(missing, 0.6155, rtol=2e-3)
    excess = alpha * (found.norm - limit.norm / 1e12 * alpha)
    np.testing.assert_allclose(excess, 0.631, rtol=2e-3)


def test_numerical_exponents():
    slopes = -fixed_norm(1e6, 0.6353 * 1e6 ** (1 / 3)).slope
    assert abs(slopes - 0.5) < 1e-4
    alpha = np.geomspace(1e3, 1e6, 7)
    exponent = np.polyfit(np.log(alpha), np.log(optimal_norm(alpha).norm), 1)[0]
    assert abs(exponent - 1) < 1e-5


def test_largest_local_slope_at_finite_samples(known):
    for alpha, slope in known["largest_slope"]:
        norm = np.geomspace(0.1, 10, 4001) * 0.6353 * alpha ** (1 / 3)
        assert -np.min(fixed_norm(alpha, norm).slope) == pytest.approx(slope, abs=6e-6)


def test_shapes_saving_and_repeated_runs(tmp_path):
    found = fixed_norm(np.ones((3, 1)), [1.0, 2.0])
    assert found.error.shape == found.norm.shape == found.error_estimate.shape == (3, 2)
    assert isinstance(fixed_norm(1, 1).error, float)
    loaded = FixedNormSolution.load(found.save(tmp_path / "found.npz"))
    np.testing.assert_array_equal(loaded.error, found.error)
    np.testing.assert_array_equal(loaded.margin_density(0.3), found.margin_density(0.3))
    empty = fixed_norm([], 1.0)
    assert empty.error.shape == (0,)


def test_a_surface_is_the_points_whatever_the_threads(monkeypatch):
    alpha, norm = np.geomspace(0.1, 1e3, 9), np.geomspace(0.1, 100, 23)
    alone = surface(alpha, norm)
    monkeypatch.setattr(_jit, "available_threads", lambda: 3)
    several = surface(alpha, norm)
    points = fixed_norm(alpha[:, None], norm)
    for name in ("error", "train_loss", "test_loss", "train_error", "multiplier"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(points, name))
        np.testing.assert_array_equal(getattr(several, name), getattr(points, name))
    assert surface(1, 2).error.shape == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "alpha = 0.0 must lie between 1e-09 and 1e"),
        ((1e13, 1), "alpha = 1"),
        ((math.inf, 1), "alpha = inf"),
        ((math.nan, 1), "alpha = nan"),
        ((1, -1), "norm = -1"),
        ((1, 1e-13), "norm = 1e-13 must lie between 1e-12 and 1e\\+20, or 0 or inf for the limits"),
        ((1, 1e21), "norm = 1"),
        ((1, math.nan), "norm = nan"),
        (("a", 1), "alpha = 'a' must be a number"),
        (([1, 2], [1, 2, 3]), "do not broadcast"),
        ((1, 1, "huge"), "loss = 'huge' must be"),
        ((1, 1, 3), "loss = 3 must be"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(DomainError, match=message):
        fixed_norm(*arguments)


def test_more_refusals(monkeypatch):
    with pytest.raises(DomainError, match="on_failure"):
        fixed_norm(1, 1, on_failure="no")
    with pytest.raises(DomainError, match="must be one row of numbers"):
        surface([[1, 2]], 1)
    with pytest.raises(DomainError, match="margin = nan"):
        fixed_norm(1, 1).margin_density(math.nan)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1KB")
    with pytest.raises(ResourceError, match="a surface of 100 x 100 points would hold"):
        surface(*GRID)


def test_points_that_are_not_solved_are_told(monkeypatch):
    def fail(alpha, norm, limit, table):
        table[:] = 0.0
        table[:, _saddle.SENSITIVITY] = math.inf
        table[:, _saddle.FREE] = 1.0
        table[:, _saddle.RESIDUAL] = 0.1

    monkeypatch.setattr(_saddle, "solve_points", fail)
    with pytest.raises(ConvergenceError, match="fixed_norm: the iteration limit") as caught:
        fixed_norm([1.0, 2.0], 1.0)
    assert np.all(np.isinf(caught.value.result.error_estimate))
    left = fixed_norm([1.0, 2.0], [1.0, 0.0], on_failure="return")
    assert np.isinf(left.error_estimate).tolist() == [True, False]
