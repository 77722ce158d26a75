"""Samples by which a share of a whole target is learned."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.learnability import (
    learning_curve,
    samples_for_learnability,
    samples_for_target,
)

TASK = EmpiricalSpectrum([1.0, 0.1, 0.01], [0.5, 0.3, 0.2])


@given(
    ridge=st.sampled_from([0.0, 1e-6, 0.1, 10.0]),
    share=st.floats(0.001, 0.999),
    alpha=st.floats(1.1, 4),
    beta=st.floats(0.1, 3),
)
@settings(deadline=None, max_examples=60)
def test_the_curve_passes_through_the_share_there(ridge, share, alpha, beta):
    spectrum = PowerLawSpectrum(alpha, beta, size=1e6)
    samples = samples_for_target(spectrum, ridge=ridge, learnability=share)
    curve = learning_curve(spectrum, samples=samples, ridge=ridge)
    assert curve.learnability == pytest.approx(share, abs=1e-9)


def test_a_target_of_one_mode_is_that_mode():
    one = EmpiricalSpectrum([1.0, 0.1, 0.01], [0.0, 0.0, 2.0])
    found = samples_for_target(one, ridge=[0.0, 0.1], learnability=0.7)
    wanted = samples_for_learnability(one, ridge=[0.0, 0.1], learnability=0.7, mode_eigenvalue=0.01)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_what_no_mode_holds_counts():
    """Modes hold 1 of 1.25: half of all of it is five eighths of theirs."""
    found = samples_for_target(TASK, ridge=0.1, unlearnable=0.25)
    assert found == pytest.approx(
        samples_for_target(TASK, ridge=0.1, learnability=0.625), rel=1e-12
    )
    assert samples_for_target(TASK, ridge=0.1, unlearnable=1.0) == math.inf
    np.testing.assert_array_equal(
        samples_for_target(TASK, ridge=[0.1, 1], unlearnable=2.0), [math.inf] * 2
    )


@pytest.mark.parametrize("ridge", [0.0, 1e-8, 0.3, 1e6])
@pytest.mark.parametrize("share", [1e-9, 0.5, 1 - 1e-9])
def test_thirty_digits(ridge, share):
    values, signal = [1.0, 0.1, 0.01], [0.5, 0.3, 0.2]
    with mpmath.workdps(40):
        total = sum(map(mpmath.mpf, signal))

        def rest(log_t):
            """Logarithm of the share, or of what is left, whichever is small."""
            t = mpmath.exp(log_t)
            part = sum(
                mpmath.mpf(s) * (v if share <= 0.5 else t) / (v + t)
                for s, v in zip(signal, values, strict=True)
            )
            wanted = mpmath.mpf(share) if share <= 0.5 else 1 - mpmath.mpf(share)
            return mpmath.log(part / total / wanted)

        t = mpmath.exp(mpmath.findroot(rest, (-40, 30), solver="anderson", tol=1e-50, maxsteps=900))
        wanted = mpmath.mpf(ridge) / t + sum(v / (v + t) for v in map(mpmath.mpf, values))
        found = samples_for_target(TASK, ridge=ridge, learnability=share)
        # a share next to 1 is itself known to rounding errors only
        assert found == pytest.approx(float(wanted), rel=1e-12 if share <= 0.5 else 1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learnability": 1.0}, "learnability = 1.0 must lie between 0 and 1, both excluded"),
        ({"learnability": 0}, "both excluded"),
        ({"ridge": -1}, "ridge"),
        ({"unlearnable": -1}, "unlearnable"),
    ],
)
def test_arguments_out_of_range(change, message):
    with pytest.raises(DomainError, match=message):
        samples_for_target(TASK, **{"ridge": 0.1} | change)


def test_a_spectrum_without_a_target():
    with pytest.raises(DomainError, match="has a signal of 0"):
        samples_for_target(EmpiricalSpectrum([1.0], [0.0]), ridge=0.1)
