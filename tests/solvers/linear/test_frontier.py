"""Compute frontiers, loss surfaces and inverse queries of the linear model."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import (
    _inverse_loss,
    compute_frontier,
    features_for_loss,
    gradient_flow,
    loss_surface,
    online_sgd,
    ridge,
    samples_for_loss,
    time_for_loss,
)

TASK = PowerLawSpectrum(1.5, 0.5)


@pytest.mark.parametrize(
    ("a", "size", "loss"),
    [(1.7, 8.943e5, 5.232611976e-4), (2.6, 4.086e6, 7.176050476e-8)],
)
def test_reference_optima(a, size, loss):
    found = compute_frontier(1e14, PowerLawSpectrum.from_ab(a, 1.4))
    assert found.features == pytest.approx(size, rel=1e-3)
    assert found.loss == pytest.approx(loss, rel=1e-7)
    assert found.time == pytest.approx(1e14 / found.features)


# slopes between C and 100 C, as printed with the theory: (b, a, C, size exponent, loss exponent)
PHASES = {
    "Ia": (1.4, 1.7, 1e22, 0.4167, 0.2917),
    "II": (1.4, 2.6, 1e22, 0.4621, 0.6146),
    "III": (1.4, 4.0, 1e22, 0.5000, 0.6428),
    "Ib": (0.8, 1.3, 1e22, 0.4998, 0.1499),
    "IVa": (0.8, 2.4, 1e22, 0.5001, 0.4000),
    "Ic": (0.4, 2.0, 1e22, 0.5686, 0.2266),
    "IVb": (0.54, 2.2, 1e60, 0.5926, 0.2966),
}


@pytest.mark.parametrize("phase", PHASES)
def test_slopes_in_all_seven_phases(phase):
    b, a, compute, size_slope, loss_slope = PHASES[phase]
    given = {"modes_per_feature": 4, "relative_rate": 0.5} if b < 1 else {}
    spectrum = PowerLawSpectrum.from_ab(a, b, 100 if b < 1 else math.inf)
    found = compute_frontier([compute, 100 * compute], spectrum, **given)
    size = math.log(found.features[1] / found.features[0]) / math.log(100)
    loss = -math.log(found.loss[1] / found.loss[0]) / math.log(100)
    assert size == pytest.approx(size_slope, abs=1e-4 if b > 1 else 2e-4)
    assert loss == pytest.approx(loss_slope, abs=1e-4)
    # the local exponents interpolate
    assert found.loss_exponent.min() - 1e-4 <= loss <= found.loss_exponent.max() + 1e-4
    assert found.features_exponent.min() - 1e-4 <= size <= found.features_exponent.max() + 1e-4
    law, sizes = theory.law("linear.compute"), theory.law("linear.compute_model")
    values = {"alpha": b, "beta": (a - 1) / b}
    assert law.regime(**values) == phase
    slow = 5e-3 if phase == "IVb" else 1e-3
    assert loss == pytest.approx(float(law(**values)), abs=slow)
    assert size == pytest.approx(float(sizes(**values)), abs=slow)


@pytest.mark.parametrize("dynamics", ["sgd", "flow"])
def test_no_neighboring_size_does_better(dynamics):
    found = compute_frontier(1e10, TASK, dynamics=dynamics)
    near = found.features * np.array([[0.99], [1.0], [1.01]])
    if dynamics == "flow":
        losses = gradient_flow(1e10 / near, TASK, features=near).test_loss
    else:
        losses = online_sgd(
            1e10 / near, TASK, features=near, batch=1, learning_rate=found.learning_rate
        ).test_loss
    assert losses[1] == pytest.approx(found.loss, rel=1e-12)
    assert losses[1] < min(losses[0], losses[2])


def test_the_flow_has_no_third_phase():
    """Without gradient noise, the balance of phase II holds for all easy tasks."""
    found = compute_frontier([1e20, 1e22], PowerLawSpectrum.from_ab(4, 1.4), dynamics="flow")
    assert found.loss_exponent[1] == pytest.approx(3 / 4, abs=2e-3)


@settings(max_examples=15)
@given(st.floats(1.2, 3), st.floats(0.2, 2.5), st.floats(6, 30))
def test_exponents_are_derivatives(alpha, beta, decades):
    spectrum = PowerLawSpectrum(alpha, beta)
    c = 10**decades * np.exp([-0.3, 0.0, 0.3])
    found = compute_frontier(c, spectrum)
    assert np.all(np.diff(found.loss) < 0)
    assert found.loss_exponent[1] == pytest.approx(
        -math.log(found.loss[2] / found.loss[0]) / 0.6, rel=2e-3
    )
    assert found.features_exponent[1] == pytest.approx(
        math.log(found.features[2] / found.features[0]) / 0.6, rel=1e-2, abs=1e-3
    )


def test_a_measured_spectrum_has_a_frontier_too():
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.5, 300).explicit()
    one = compute_frontier(1e5, EmpiricalSpectrum(eigenvalues, signal))
    two = compute_frontier(1e5, PowerLawSpectrum(1.5, 0.5, 300))
    assert one.loss == pytest.approx(two.loss, rel=1e-9)


def test_surface_is_the_outer_product_of_its_axes():
    sizes, times = [5, 50.5, math.inf], [0, 10, 1e4]
    found = loss_surface(sizes, times, TASK, batch=4, learning_rate=0.1)
    expected = [
        [online_sgd(t, TASK, features=n, batch=4, learning_rate=0.1).test_loss for t in times]
        for n in sizes
    ]
    np.testing.assert_allclose(found.loss, expected, rtol=1e-10)
    flow = loss_surface(sizes, [10, 1e4, math.inf], TASK, dynamics="flow")
    np.testing.assert_allclose(
        flow.loss[:2, 2], ridge(TASK, features=sizes[:2]).test_loss, rtol=1e-9
    )
    grown = loss_surface([10, 100], [1e3], PowerLawSpectrum(0.8, 0.5, 50), modes_per_feature=4)
    trace = float(np.sum(PowerLawSpectrum(0.8, 0.5, 400).explicit()[0]))
    alone = online_sgd(
        1e3, PowerLawSpectrum(0.8, 0.5, 400), features=100, batch=1, learning_rate=0.2 / trace
    )
    assert grown.loss[1, 0] == pytest.approx(alone.test_loss, rel=1e-9)


def test_unstable_sizes_are_left_out():
    """A learning rate that only larger models survive."""
    found = compute_frontier(1e9, TASK, learning_rate=0.35, batch=2)
    assert found.features > 1
    with pytest.raises(DomainError, match="unstable at"):
        compute_frontier(1e9, TASK, learning_rate=50.0)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: compute_frontier(1.0, TASK), "compute = 1.0 must be >= 4"),
        (lambda: compute_frontier(math.nan, TASK), "compute = nan"),
        (lambda: compute_frontier(1e250, TASK), "at most 1e"),
        (lambda: compute_frontier(1e9, TASK, dynamics="adam"), "must be 'sgd' or 'flow'"),
        (lambda: compute_frontier(1e9, TASK, dynamics="flow", learning_rate=0.1), "takes no batch"),
        (lambda: compute_frontier(1e9, TASK, batch=0.5), "batch = 0.5"),
        (lambda: compute_frontier(1e9, TASK, batch=[1, 2]), "batch must be a single number"),
        (lambda: compute_frontier(1e9, TASK, learning_rate=0.0), "learning_rate = 0.0 must be > 0"),
        (lambda: compute_frontier(1e9, TASK, modes_per_feature=0.5), "modes_per_feature = 0.5"),
        (
            lambda: compute_frontier(1e9, EmpiricalSpectrum([1.0], [1.0]), modes_per_feature=4),
            "needs a power-law spectrum",
        ),
        (
            lambda: compute_frontier(1e12, PowerLawSpectrum(1.5, 0.5, 30)),
            "the loss vanishes from features = .* give a smaller budget",
        ),
        (  # of 300 modes: losses vanish between the points of the scan, not at them
            lambda: compute_frontier(
                1e10, EmpiricalSpectrum(*PowerLawSpectrum(1.5, 0.5, 300).explicit())
            ),
            "the loss vanishes from features = .* give a smaller budget",
        ),
        (lambda: loss_surface([[1, 2]], [1], TASK), "features must be one row"),
        (lambda: loss_surface([0], [1], TASK), r"features\[0\] = 0.0 must be >= 1"),
        (lambda: loss_surface([1], [2, 1], TASK), "must not decrease"),
        (lambda: time_for_loss(0.0, TASK), "loss = 0.0 must be > 0"),
        (lambda: time_for_loss(1e-9, TASK, features=100), "not reached: the lowest is .* at time"),
        (
            lambda: features_for_loss(1e-4, TASK, samples=100, noise_variance=0.1),
            "not reached: the lowest is .* at features",
        ),
        (lambda: samples_for_loss(1e-9, TASK, t=10.0), "not reached"),
        (lambda: features_for_loss(0.1, TASK, t=-1.0), "t = -1.0"),
        (lambda: features_for_loss(0.1, TASK, t=5.0, ridge=0.1), "ridge = 0.1 is for t = inf"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


@given(st.floats(1e-5, 0.5))
@settings(max_examples=20)
def test_queries_invert_the_solvers(loss):
    t = time_for_loss(loss, TASK)
    assert gradient_flow(t, TASK).test_loss == pytest.approx(loss, rel=1e-8)
    n = features_for_loss(loss, TASK)
    p = samples_for_loss(loss, TASK)
    for size, given_ in ((n, {"features": n}), (p, {"samples": p})):
        assert size == 1.0 or ridge(TASK, **given_).test_loss == pytest.approx(loss, rel=1e-8)


def test_the_first_crossing_is_found():
    """With noise the loss falls, rises towards N = P, and falls again."""
    given_ = {"samples": 1000, "noise_variance": 0.05}
    bottom = minimize_scalar(
        lambda x: ridge(TASK, features=math.exp(x), **given_).test_loss,
        bounds=(2, 6.8),
        method="bounded",
    )
    level = 1.0001 * bottom.fun
    n = features_for_loss(level, TASK, **given_)
    assert n < math.exp(bottom.x)
    assert ridge(TASK, features=n, **given_).test_loss == pytest.approx(level, rel=1e-8)
    assert np.all(ridge(TASK, features=np.linspace(1, n * 0.999, 200), **given_).test_loss > level)


def test_overfitting_flows_are_crossed_on_the_way_down():
    given_ = {"samples": 100, "noise_variance": 0.5}
    times = np.geomspace(0.1, 1e6, 60)
    losses = gradient_flow(times, TASK, **given_).test_loss
    best = int(np.argmin(losses))
    assert losses[-1] > 1.2 * losses[best]
    assert time_for_loss(1.05 * losses[best], TASK, **given_) < times[best]


def test_ends():
    total = float(np.sum(TASK.modes().signal))
    assert time_for_loss(2 * total, TASK) == 0.0
    assert features_for_loss(2 * total, TASK) == 1.0
    assert time_for_loss([2 * total, 0.1], TASK).shape == (2,)
    close = time_for_loss(total * (1 - 1e-6), TASK)
    assert gradient_flow(close, TASK).test_loss == pytest.approx(total * (1 - 1e-6), rel=1e-9)


@pytest.mark.parametrize(
    "given_",
    [
        {"features": 100.0},
        {"samples": 1e3},
        {"features": 100.0, "samples": 50.0, "noise_variance": 0.1},
        {"features": 100.0, "samples": 100.0},
    ],
)
def test_a_loss_that_is_never_reached_takes_few_losses(given_, monkeypatch):
    """Neither times at which nothing moves nor minima that are rounding are searched."""
    asked = []

    def counted(t, *args, **kwargs):
        asked.append(np.size(t))
        return gradient_flow(t, *args, **kwargs)

    monkeypatch.setattr(_inverse_loss, "gradient_flow", counted)
    with pytest.raises(DomainError, match="is not reached: the lowest is"):
        time_for_loss(1e-6, TASK, **given_)
    assert sum(asked) < 300
    assert len(asked) < 60


@pytest.mark.parametrize("sizes", [(5.0, 8.0), (5.0, math.inf), (math.inf, 8.0)])
def test_a_loss_near_the_smallest_number_is_reached_in_time(sizes):
    """The search for times does not stop before a loss that vanishes has left the floating-point numbers."""
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.01], [0.1, 0.2, 0.3])
    for level in (1e-10, 1e-100, 1e-280):
        t = time_for_loss(level, spectrum, features=sizes[0], samples=sizes[1])
        found = gradient_flow(t, spectrum, features=sizes[0], samples=sizes[1])
        assert found.test_loss == pytest.approx(level, rel=1e-7, abs=0)
