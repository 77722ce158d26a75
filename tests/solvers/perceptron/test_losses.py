"""Other losses: the generic solver against the logistic one, against the cubic equation, and at known values."""

import math

import numpy as np
import pytest
from mpmath import mp
from scipy.special import expit

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers.perceptron import (
    FixedNormSolution,
    _generic,
    _losses,
    _square,
    fixed_norm,
    max_stability,
    ridge,
)

FIELDS = (
    "error",
    "train_loss",
    "train_error",
    "test_loss",
    "multiplier",
    "displacement",
    "free_share",
    "slope",
)


def logistic(u):
    falling = expit(-2 * u)
    return np.logaddexp(0, -2 * u), -2 * falling, 4 * falling * expit(2 * u)


@pytest.mark.parametrize(
    ("alpha", "norm"), [(0.01, 1), (0.5, 50), (2, 2), (8, 0.01), (50, 5), (3e3, 40), (1e4, 3e3)]
)
def test_the_generic_solver_is_the_specialized_one_on_the_logistic_loss(alpha, norm):
    generic, special = fixed_norm(alpha, norm, logistic), fixed_norm(alpha, norm)
    for name in FIELDS:
        found, known = getattr(generic, name), getattr(special, name)
        assert found == pytest.approx(known, rel=1e-9, abs=1e-13), name
    assert generic.error == pytest.approx(special.error, rel=1e-10)
    assert abs(generic.error / special.error - 1) <= generic.error_estimate
    assert generic.log_response == pytest.approx(special.log_response, rel=1e-9)


@pytest.mark.parametrize(
    ("alpha", "norm"), [(0.3, 0.2), (0.9, 1.2), (3, 0.5), (3, 0.8), (100, 0.1), (1e5, 0.7)]
)
def test_the_square_loss_is_the_root_of_its_cubic(alpha, norm):
    cubic = fixed_norm(alpha, norm, "square")
    points = _generic.solve(np.array([alpha * 1.0]), np.array([norm]), _losses.SQUARE)
    for name in FIELDS:
        assert getattr(points, name)[0] == pytest.approx(
            getattr(cubic, name), rel=1e-10, abs=1e-12
        ), name


def test_known_values(reference):
    for name, alpha, norm, values in reference("perceptron")["other_losses"]:
        found = fixed_norm(alpha, norm, name)
        for field, value in values.items():
            digits = len(repr(value).lstrip("0.").replace(".", ""))
            assert getattr(found, field) == pytest.approx(value, rel=0.6 * 10.0 ** (1 - digits))


def test_the_square_loss_left_alone():
    many = np.array([1.5, 3.0, 100.0])
    top = _square.largest_norm(many)
    np.testing.assert_allclose(top**2, 2 / math.pi + (1 - 2 / math.pi) / (many - 1), rtol=1e-14)
    found = fixed_norm(many, top * (1 - 1e-13), "square")
    tau2 = 1 / np.tan(math.pi * found.error) ** 2
    np.testing.assert_allclose(tau2, (many - 1) / (math.pi / 2 - 1), rtol=1e-6)
    assert np.all(np.abs(found.multiplier) < 1e-10)
    few = np.array([0.2, 0.5, 0.9])
    found = fixed_norm(few, _square.largest_norm(few) * (1 - 1e-13), "square")
    tau2 = 1 / np.tan(math.pi * found.error) ** 2
    pseudo = 2 * few / math.pi * (1 - few) / (1 - 4 * few / math.pi + 2 * few**2 / math.pi)
    np.testing.assert_allclose(tau2, pseudo, rtol=1e-6)
    for alpha, norm in ((3, 0.95), (0.5, 1.0)):
        with pytest.raises(DomainError, match=f"norm = {norm:g} must be at most .* square loss"):
            fixed_norm(alpha, norm, "square")


def test_the_hinge_loss_ends_at_maximum_stability():
    for alpha in (0.5, 2, 20):
        known = max_stability(alpha)
        near = fixed_norm(alpha, (1 - 1e-7) / known.stability, "hinge")
        assert near.error == pytest.approx(known.error, rel=1e-6)
        with pytest.raises(DomainError, match="norm = .* must be below .* hinge loss"):
            fixed_norm(alpha, 1.001 / known.stability, "hinge")


@pytest.mark.parametrize("loss", ["exponential", "hinge", "square", logistic])
@pytest.mark.parametrize("penalty", [0.05, 3.0])
def test_penalties_with_every_loss(loss, penalty):
    found = ridge(2, penalty, loss)
    assert found.multiplier == pytest.approx(penalty, rel=1e-8)
    assert fixed_norm(2, found.norm, loss).error == pytest.approx(found.error, rel=1e-10)


@pytest.mark.parametrize("loss", ["exponential", "hinge", "square"])
def test_slopes_and_observables_of_every_loss(loss):
    norm = 0.6
    found = fixed_norm(2, norm, loss)
    errors = fixed_norm(2, norm * np.exp([1e-3, -1e-3]), loss).error
    assert found.slope == pytest.approx(math.log(errors[0] / errors[1]) / 2e-3, rel=1e-5)
    at = np.linspace(-9, 9, 360001)
    density = found.margin_density(at)
    pinned = 1 - density.sum() * 5e-5
    # at the kink of the hinge loss, a share of the margins: 1 - alpha A counts it
    assert pinned == pytest.approx((1 - found.free_share) / 2 if loss == "hinge" else 0, abs=1e-4)
    value = _losses.named(loss).values(norm * at)[0]
    assert found.train_loss == pytest.approx((density * value).sum() * 5e-5, rel=1e-3)
    assert found.train_error == pytest.approx(density[at < 0].sum() * 5e-5, rel=1e-3)


def test_a_function_alone_is_differentiated():
    for function, name in (
        (lambda u: np.exp(-u), "exponential"),
        (lambda u: logistic(u)[0], "logistic"),
    ):
        found, known = fixed_norm(2, 1.5, function), fixed_norm(2, 1.5, name)
        assert found.loss == "callable"
        assert abs(found.error / known.error - 1) <= found.error_estimate < 1e-9
        for field in FIELDS:
            assert getattr(found, field) == pytest.approx(getattr(known, field), rel=1e-8)


def test_margins_of_a_function(tmp_path):
    found, known = fixed_norm(2, 1.5, logistic), fixed_norm(2, 1.5)
    at = np.linspace(-1, 3, 9)
    np.testing.assert_allclose(
        found.margin_density(at, loss=logistic), known.margin_density(at), rtol=1e-9
    )
    loaded = FixedNormSolution.load(found.save(tmp_path / "found.npz"))
    with pytest.raises(DomainError, match="must be given again"):
        loaded.margin_density(at)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda u: np.maximum(0, 1 - u), "is not smooth enough"),
        (lambda u: np.exp(u), "must fall at margin 0"),
        (lambda u: -np.tanh(u), "must be convex"),
        (lambda u: (np.exp(-u), -np.exp(-u)), r"V, or the tuple"),
        (lambda u: 1.0, "must return arrays of the shape of u"),
        (lambda u: np.sqrt(u), "is not a number at u = -4"),
        (None, "loss = None must be one of"),
    ],
)
def test_functions_that_are_no_losses_are_refused(loss, message):
    with pytest.raises(DomainError, match=message):
        fixed_norm(2, 1, loss)


def test_limits_of_the_norm_belong_to_the_logistic_loss():
    for norm in (0.0, math.inf):
        with pytest.raises(DomainError, match="norm = .* must lie between"):
            fixed_norm(2, norm, "exponential")
    with pytest.raises(DomainError, match="penalty = 0"):
        ridge(2, 0, "exponential")


def test_points_that_are_not_found_are_told():
    with pytest.raises(ConvergenceError, match="fixed_norm: the iteration limit"):
        fixed_norm(2, 1e6, "exponential")  # log x would be a million
    left = fixed_norm(2, [1.0, 1e6], "exponential", on_failure="return")
    assert np.isinf(left.error_estimate).tolist() == [False, True]


@pytest.mark.parametrize(
    ("alpha", "norm"), [(1e-6, 1e-4), (0.7, 0.9), (3, 0.5), (1e6, 0.3), (1e12, 0.3)]
)
def test_the_square_loss_is_as_accurate_as_stated(alpha, norm):
    with mp.workdps(40):
        a, n = mp.mpf(alpha), mp.mpf(norm)
        cubic = [4 * a**2 / mp.pi, -(a * (1 + n**2) + 2 * a**2 / mp.pi), 0, n**2]
        g = min(mp.re(z) for z in mp.polyroots(cubic, maxsteps=500, extraprec=200) if mp.re(z) > 0)
        r = a * mp.sqrt(2 / mp.pi) * g / n
        found = fixed_norm(alpha, norm, "square")
        error = mp.acos(r) / mp.pi
        assert abs(found.error / error - 1) <= found.error_estimate < 1e-12
