"""The functional law against sums over modes in 30 digits, and what it leaves out of training."""

import math

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.schedules import Schedule, functional_law, stability, train

INFINITE = PowerLawSpectrum.from_ab(2, 1.5)
SHORT = PowerLawSpectrum.from_ab(2, 1.5, size=30)


def _exact(schedule, spectrum, batches, noise, feedback):
    """Return bias and loss at all steps, cell by cell, from 30 digits."""
    with mp.workdps(30):
        modes = spectrum.modes()
        x = [mp.mpf(entry) for entry in modes.eigenvalues]
        signal = [mp.mpf(entry) for entry in modes.signal]
        rates = [mp.mpf(entry) for entry in schedule.values()]
        sizes = [mp.mpf(entry) for entry in batches]
        times = [mp.fsum(rates[:t]) for t in range(len(rates) + 1)]
        bias = [
            mp.fsum(s * mp.exp(-2 * r * t) for s, r in zip(signal, x, strict=True)) for t in times
        ]
        loss = [bias[0]]
        for t in range(1, len(times)):
            total = bias[t]
            for u in range(t):
                cell = mp.fsum(
                    r
                    / 2
                    * (
                        mp.exp(-2 * r * (times[t] - times[u + 1]))
                        - mp.exp(-2 * r * (times[t] - times[u]))
                    )
                    for r in x
                )
                total += rates[u] / sizes[u] * (noise + (loss[u] if feedback else 0)) * cell
            loss.append(total)
        return np.array([float(b) for b in bias]), np.array(
            [float(l - b) for l, b in zip(loss, bias, strict=True)]
        )


@pytest.mark.parametrize("feedback", [False, True])
def test_steps_one_by_one_in_30_digits(feedback):
    schedule = Schedule.wsd(rate=0.4, steps=20, cooldown=0.5, warmup=3)
    batch = Schedule.inverse_power(-0.5, start=5, rate=2, steps=20)
    bias, variance = _exact(schedule, SHORT, batch.values(), mp.mpf("0.1"), feedback)
    found = functional_law(
        schedule, SHORT, batch=batch, noise_variance=0.1, at=np.arange(21), feedback=feedback
    )
    np.testing.assert_allclose(found.bias, bias, rtol=1e-14)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(found.test_loss, found.bias + found.variance)


@pytest.mark.parametrize("features", [math.inf, 300.0])
@pytest.mark.parametrize("feedback", [False, True])
def test_macro_steps_are_what_single_steps_give(feedback, features):
    schedule = Schedule.wsd(rate=0.2, steps=6000, cooldown=0.3, warmup=100)
    at = [1, 150, 1000, 4200, 4300, 5900, 6000]
    given = {
        "features": features,
        "batch": 2,
        "noise_variance": 0.3,
        "at": at,
        "feedback": feedback,
    }
    found = functional_law(schedule, INFINITE, **given)
    array = functional_law(Schedule.from_array(schedule.values()), INFINITE, **given)
    np.testing.assert_allclose(found.intrinsic_time, array.intrinsic_time, rtol=1e-12)
    np.testing.assert_allclose(found.test_loss, array.test_loss, rtol=1e-8)
    np.testing.assert_allclose(found.test_loss[-1], array.test_loss[-1], rtol=1e-9)
    assert np.all(np.abs(found.test_loss - array.test_loss) <= found.test_error + array.test_error)


def test_what_it_leaves_out_of_training():
    """The bias is that of training for small steps; the variance of labels falls short by a part near half the kernel norm."""
    for steps, short in ((10**6, 1e-6), (10**8, 3e-8)):
        for schedule in (
            Schedule.wsd(rate=0.1, steps=steps),
            Schedule.cosine(rate=0.1, steps=steps),
        ):
            law = functional_law(schedule, INFINITE, batch=4, noise_variance=0.1, at=steps)
            assert law.kernel_norm == pytest.approx(0.033, abs=5e-4)
            flow = train(schedule, INFINITE, batch=math.inf, at=steps).test_loss
            assert law.bias == pytest.approx(flow, rel=short)
            noisy = [
                train(schedule, INFINITE, batch=4, noise_variance=noise, at=steps).test_loss
                for noise in (0.0, 0.1)
            ]
            assert 0.012 < (noisy[1] - noisy[0]) / law.variance - 1 < 0.0185
            whole = functional_law(
                schedule, INFINITE, batch=4, noise_variance=0.1, at=steps, feedback=True
            )
            assert whole.test_loss == pytest.approx(noisy[1], rel=3e-4)


def test_feedback_raises_a_constant_rate_by_its_kernel_norm():
    """Long after the start the loss is (noise) K/(1 - K) above the bias."""
    schedule = Schedule.constant(0.1, 10**5)
    spectrum = EmpiricalSpectrum([1.0, 0.5], [0.3, 0.1])
    plain, whole = (
        functional_law(schedule, spectrum, batch=1, noise_variance=0.7, at=10**5, feedback=feedback)
        for feedback in (False, True)
    )
    norm = plain.kernel_norm
    assert norm == pytest.approx(0.1 / 2 * 1.5)
    assert plain.test_loss == pytest.approx(0.7 * norm, rel=1e-10)
    assert whole.test_loss == pytest.approx(0.7 * norm / (1 - norm), rel=1e-10)


def test_no_noise_and_infinite_batches_leave_the_bias():
    for given in ({"batch": math.inf, "noise_variance": 1}, {"batch": 1}):
        found = functional_law(Schedule.cosine(rate=0.1, steps=5000), INFINITE, **given)
        assert not np.any(found.variance)
        assert found.steps[0] == 0
        assert found.bias[0] == pytest.approx(float(mp.zeta(2)), rel=1e-9)


def test_refused():
    schedule = Schedule.constant(0.1, 10)
    edge = stability(schedule, INFINITE, batch=1).max_rate
    with pytest.raises(DomainError, match="kernel norm"):
        functional_law(schedule.with_rate(8 * edge), INFINITE, batch=1, feedback=True)
    with pytest.raises(DomainError, match="feedback"):
        functional_law(schedule, INFINITE, batch=1, feedback="no")
    with pytest.raises(DomainError, match="at"):
        functional_law(schedule, INFINITE, batch=1, at=11)
    with pytest.raises(DomainError, match="noise_variance"):
        functional_law(schedule, INFINITE, batch=1, noise_variance=-1)
