"""The right-hand sides of dimensionless flows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers.renormalization import dimensionless_flow, fixed_points, flow_velocity

WORDS = [
    {"convention": "per_datum"},
    {"convention": "measure"},
    {"convention": "measure", "momentum": "conserving"},
]


@pytest.mark.parametrize("words", WORDS)
@given(alpha=st.floats(0.1, 3), r=st.floats(-0.4, 2), u=st.floats(0.01, 2))
def test_a_short_way_along_the_flow(words, alpha, r, u):
    short = 1e-5
    found = flow_velocity(quadratic=r, quartic=u, alpha=alpha, **words)
    flow = dimensionless_flow(quadratic=r, quartic=u, alpha=alpha, scale=short, **words)
    assert (flow.quadratic - r) / short == pytest.approx(found.quadratic_rate, rel=1e-3, abs=1e-3)
    assert (flow.quartic - u) / short == pytest.approx(found.quartic_rate, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("alpha", [0.05, 0.5, 3])
def test_fixed_points_rest_and_their_exponents_are_those_of_the_linear_flow(words, alpha):
    for point in fixed_points(alpha, **words):
        if math.isinf(point.quadratic):
            continue
        at = np.array([point.quadratic, point.quartic])
        here = flow_velocity(quadratic=at[0], quartic=at[1], alpha=alpha, **words)
        assert np.max(np.abs(here)) < 1e-14 * (1 + alpha) ** 2
        step = 1e-6
        columns = []
        for side in np.eye(2):
            forth, back = (
                flow_velocity(quadratic=to[0], quartic=to[1], alpha=alpha, **words)
                for to in (at + step * side, at - step * side)
            )
            columns.append((np.array(forth) - np.array(back)) / (2 * step))
        rates = np.sort(np.linalg.eigvals(np.array(columns).T).real)[::-1]
        np.testing.assert_allclose(rates, point.exponents, rtol=1e-6, atol=1e-6)


def test_couplings_without_modes():
    with pytest.raises(DomainError, match="quadratic.*must be > -1"):
        flow_velocity(quadratic=-1, quartic=1, alpha=0.5, convention="measure")
    with pytest.raises(DomainError, match="momentum"):
        flow_velocity(quadratic=1, quartic=1, alpha=0.5, momentum="conserving")
