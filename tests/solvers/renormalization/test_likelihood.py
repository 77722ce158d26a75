"""The likelihood of one datum after modes are integrated: known values, convolutions, series, and functions as potentials."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.results import Status
from scalinglaws.solvers.renormalization import (
    ConvolvedLikelihood,
    convolved_likelihood,
    truncated_flow,
)

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "renormalization.json").read_text())
LIKELIHOOD = KNOWN["likelihood"]
couplings = st.tuples(st.floats(0, 5), st.floats(0.01, 5))
variances = st.floats(1e-3, 1e3)


def test_known_values():
    s, r, u = np.array(LIKELIHOOD["rows"]).T
    found = convolved_likelihood(LIKELIHOOD["couplings"], variance=s)
    assert found.quadratic == pytest.approx(r, abs=1e-9, rel=1e-11)
    assert found.quartic == pytest.approx(u, rel=1e-8)
    assert found.couplings[0] is found.quadratic
    assert found.diagnostics.error_estimate < 1e-12


def test_known_values_of_truncated_flows():
    s = np.array(LIKELIHOOD["rows"])[:, 0]
    for order, rows in LIKELIHOOD["truncated"].items():
        found = truncated_flow(LIKELIHOOD["couplings"], variance=s, order=int(order))
        r, u = np.array(rows).T
        assert found.quadratic == pytest.approx(r, abs=5.1e-6)
        assert found.quartic == pytest.approx(u, abs=5.1e-7)
        assert len(found.couplings) == int(order)


@given(sigma2=st.floats(1e-3, 1e3), s=st.one_of(st.just(0.0), st.floats(1e-20, 1e3)))
def test_a_squared_loss_gets_its_variance_raised(sigma2, s):
    found = convolved_likelihood([1 / (2 * sigma2)], variance=s, order=4)
    assert found.quadratic == pytest.approx(1 / (2 * (sigma2 + s)), rel=1e-13)
    assert found.couplings[1:] == (0.0, 0.0, 0.0)
    x = np.linspace(-3, 3, 7)
    exact = x**2 / (2 * (sigma2 + s)) + 0.5 * math.log1p(s / sigma2)
    assert found.potential(x) == pytest.approx(exact, rel=1e-12, abs=1e-13)
    assert found.slope(x) == pytest.approx(x / (sigma2 + s), rel=1e-12, abs=1e-13)


@settings(max_examples=25)
@given(bare=couplings, first=variances, second=variances)
def test_variances_add_up(bare, first, second):
    """Convolving twice, the second time the potential of the first as a function."""
    once = convolved_likelihood(bare, variance=first)
    both = convolved_likelihood(bare, variance=first + second)
    twice = convolved_likelihood(
        lambda t: np.asarray(once.potential(t.ravel())).reshape(t.shape), variance=second, order=1
    )
    x = np.array([0.0, 0.4, -1.7])
    assert twice.quadratic == pytest.approx(both.quadratic, rel=1e-9)
    assert twice.potential(x) == pytest.approx(both.potential(x), rel=1e-11, abs=1e-12)


@given(bare=couplings)
def test_the_full_hierarchy_at_small_variance(bare):
    """Twelve couplings of the hierarchy, while the variance is small in units of the likelihood."""
    s = 0.005 / max(bare[0], bare[1] ** 0.5)
    exact = convolved_likelihood(bare, variance=s, order=3)
    series = truncated_flow(bare, variance=s, order=12)
    assert series.quadratic == pytest.approx(exact.quadratic, rel=1e-11)
    assert series.quartic == pytest.approx(exact.quartic, rel=1e-9)
    assert series.couplings[2] == pytest.approx(exact.couplings[2], rel=1e-6, abs=1e-12)


def test_first_order_in_the_variance():
    """The flow itself, by a difference: dV/ds = V''/2 - V'^2/2."""
    bare, s, step = (0.7, 0.3), 0.4, 1e-4
    x = np.linspace(-2, 2, 9)
    low, high, here = (convolved_likelihood(bare, variance=v) for v in (s - step, s + step, s))
    rate = (high.potential(x) - low.potential(x)) / (2 * step)
    curvature = (here.slope(x + step) - here.slope(x - step)) / (2 * step)
    assert rate == pytest.approx(curvature / 2 - here.slope(x) ** 2 / 2, abs=2e-7)


def test_a_small_quartic_falls_as_the_fourth_power_of_the_quadratic():
    s, r, u = np.array([0.1, 1, 30]), 0.8, 1e-9
    found = convolved_likelihood([r, u], variance=s)
    ratio = found.quadratic / r
    assert found.quartic / u == pytest.approx(ratio**4, rel=1e-7)


def test_no_truncation_converges_to_the_exact_flow_at_large_variance():
    exact = convolved_likelihood([0.5, 0.2], variance=1.0)
    for order in (2, 4, 6):
        cut = truncated_flow([0.5, 0.2], variance=1.0, order=order, on_failure="return")
        assert not abs(cut.quartic / exact.quartic - 1) < 0.5


@pytest.mark.parametrize("s", [1e-4, 0.03, 1.0, 40.0])
@pytest.mark.parametrize("bare", [(0.5, 0.2), (-2.0, 1.0), (0.0, 0.0, 1.0), (1.0, -1.0, 0.5)])
def test_against_adaptive_quadrature(bare, s):
    found = convolved_likelihood(bare, variance=s)

    def weight(t):
        return math.exp(-sum(c * t ** (2 * j) for j, c in enumerate(bare, 1)))

    def convolved(x):
        width = math.sqrt(s)
        points = [-6.0, -1.0, 0.0, 1.0, 6.0] if width > 1 else None
        ends = (-6.0, 6.0) if width > 1 else (x - 13 * width, x + 13 * width)
        return quad(
            lambda t: weight(t) * math.exp(-((t - x) ** 2) / (2 * s)),
            *ends,
            epsabs=0,
            epsrel=1e-12,
            limit=500,
            points=points,
        )[0] / math.sqrt(2 * math.pi * s)

    for x in (0.0, 0.3, -1.1):
        assert found.log_weight(x) == pytest.approx(math.log(convolved(x)), rel=1e-11, abs=1e-11)
    step = 1e-3
    slope = (found.potential(0.7 + step) - found.potential(0.7 - step)) / (2 * step)
    assert found.slope(0.7) == pytest.approx(slope, rel=1e-4, abs=1e-6)


@settings(max_examples=30)
@given(bare=couplings, s=st.floats(1e-2, 1e4), x=st.floats(-5, 5))
def test_functions_are_polynomials_that_are_not_known(bare, s, x):
    known = convolved_likelihood(bare, variance=s)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        found = convolved_likelihood(lambda t: bare[0] * t**2 + bare[1] * t**4, variance=s)
    error = max(found.diagnostics.error_estimate, 1e-14)
    assert found.quadratic == pytest.approx(known.quadratic, rel=10 * error)
    assert abs(found.quartic - known.quartic) <= 10 * error * max(known.quartic, known.quadratic**2)
    assert found.potential(x) == pytest.approx(known.potential(x), rel=1e-12, abs=1e-12)
    assert found.slope(x) == pytest.approx(known.slope(x), rel=1e-10, abs=1e-11)


def test_lost_digits_are_told():
    def quartic(t):
        return t**2 + t**4

    with pytest.warns(AccuracyWarning):
        found = convolved_likelihood(quartic, variance=1e-5)
    assert found.diagnostics.status is Status.LOST_ACCURACY
    exact = convolved_likelihood([1.0, 1.0], variance=1e-5)
    off = abs(found.quartic / exact.quartic - 1)
    assert 1e-9 < off < found.diagnostics.error_estimate


def test_wells_far_apart():
    """Two narrow wells: r of a mixture of two normal densities, to the width of the wells."""
    found = convolved_likelihood([-200.0, 1.0], variance=400.0)
    assert found.diagnostics.status is Status.CONVERGED
    inside = 1 / (2 * 400) - (100.0 + 1 / 800 - 3 / 400**2 * 10) / (2 * 400.0**2)
    assert found.quadratic == pytest.approx(inside, rel=1e-3)
    with pytest.warns(AccuracyWarning):
        lost = convolved_likelihood(
            [-1e6, 1.0], variance=1.0
        )  # wells a millionth of their distance
    assert lost.diagnostics.error_estimate > 1e-8


def test_at_no_variance():
    found = convolved_likelihood([0.5, -1.0, 0.2], variance=[0.0, 1e-9], order=3)
    assert [c[0] for c in found.couplings] == [0.5, -1.0, 0.2]
    assert [c[1] for c in found.couplings] == pytest.approx([0.5, -1.0, 0.2], rel=1e-6)
    x = 0.8
    value = 0.5 * x**2 - x**4 + 0.2 * x**6
    assert found.potential(x) == pytest.approx([value, value], rel=1e-7)
    assert found.slope(x) == pytest.approx([x - 4 * x**3 + 1.2 * x**5] * 2, rel=1e-7)


def test_far_residuals():
    """Far out the quartic weight is a wall next to the normal density: V_s -> Delta^2/2s."""
    found = convolved_likelihood([0.5, 0.2], variance=0.3)
    x = np.array([1e6, -1e9, 1e12])
    assert found.potential(x) == pytest.approx(x**2 / 0.6, rel=1e-3)
    assert found.slope(x) == pytest.approx(x / 0.3, rel=1e-3)


def test_residuals_and_variances_broadcast(tmp_path):
    found = convolved_likelihood([1.0, 1.0], variance=[[0.1], [1.0]])
    x = np.array([0.0, 0.5, 2.0])
    assert found.potential(x).shape == (2, 3)
    alone = convolved_likelihood([1.0, 1.0], variance=1.0)
    assert found.potential(x)[1] == pytest.approx(alone.potential(x), rel=1e-14)
    assert isinstance(alone.log_weight(0.5), float)
    loaded = ConvolvedLikelihood.load(found.save(tmp_path / "found.npz"))
    assert loaded == found
    assert np.array_equal(loaded.slope(x), found.slope(x))


@pytest.mark.parametrize(
    ("bare", "words"),
    [
        ([0.5, -0.2], "positive"),
        ([-0.5], "positive"),
        ([0.0, 0.0], "not all be 0"),
        ([1.0, math.nan], "finite"),
        ([1.0] * 13, "at most 12"),
        ([1.0, 1e20], "at most"),
        (lambda t: -(np.abs(t) ** 3), "cannot be integrated"),
        (lambda t: np.full(t.shape, math.nan), "finite"),
        (lambda t: 1.0, "of the shape"),
        (lambda t: math.exp(t), "raised TypeError"),
        (lambda t: t > 0, "array of numbers"),
    ],
)
def test_potentials_that_are_refused(bare, words):
    with pytest.raises(DomainError, match=words) as refused:
        convolved_likelihood(bare, variance=1.0)
    assert refused.value.argument == "couplings"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"variance": -1.0}, "variance"),
        ({"variance": math.inf}, "variance"),
        ({"variance": 1.0, "order": 7}, "order"),
        ({"variance": 1.0, "order": 1.5}, "order"),
    ],
)
def test_refusals(arguments, name):
    with pytest.raises(DomainError) as refused:
        convolved_likelihood([1.0, 1.0], **arguments)
    assert refused.value.argument == name
    with pytest.raises(DomainError, match="variance"):
        convolved_likelihood(lambda t: t**2, variance=0.0)
    with pytest.raises(DomainError, match="residual"):
        convolved_likelihood([1.0], variance=1.0).potential(math.inf)


def test_flat_potentials_need_no_integral_of_their_own():
    """A bounded loss: the weight alone could not be integrated, its convolution can."""
    found = convolved_likelihood(lambda t: 1 - 1 / (1 + t**2), variance=0.5)
    direct = quad(lambda t: math.exp(1 / (1 + t**2) - 1 - t**2), -12, 12, epsrel=1e-13)[0]
    assert found.potential(0.0) == pytest.approx(-math.log(direct / math.sqrt(math.pi)), rel=1e-11)


@pytest.mark.parametrize("potential", [lambda t: t**4 + t, lambda t: (t - 50) ** 2])
def test_a_potential_that_is_not_even_has_no_such_couplings(potential):
    with pytest.raises(DomainError, match="must be even"):
        convolved_likelihood(potential, variance=0.5)
