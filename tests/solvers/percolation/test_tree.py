"""The learning curve of one cluster."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import cluster_learning_curve
from scalinglaws.solvers.percolation.bethe import tree


def _exact(u):
    with mpmath.workdps(60):
        return mpmath.log(mpmath.cosh(2 * mpmath.sqrt(mpmath.mpf(u)))) / (2 * mpmath.mpf(u))


def _exact_slope(u):
    with mpmath.workdps(60):
        y = 2 * mpmath.sqrt(mpmath.mpf(u))
        return 8 * mpmath.log(mpmath.cosh(y)) / y**4 - 4 * mpmath.tanh(y) / y**3


def test_curve_and_slope_have_the_known_values():
    assert cluster_learning_curve([0.1, 1, 10, 100]) == pytest.approx(
        [0.9396796388, 0.6625013737, 0.2815705675, 0.0965342641], rel=1e-9
    )
    assert [tree.tree_slope(u) for u in (0.1, 1.0, 10.0, 100.0)] == pytest.approx(
        [0.5465184685, 0.1804875836, 0.01234576997, 4.65342641e-4], rel=1e-8
    )


@given(st.floats(1e-12, 1e12))
def test_curve_and_slope_agree_with_many_digits(u):
    assert cluster_learning_curve(u) == pytest.approx(float(_exact(u)), rel=1e-15)
    assert tree.tree_slope(u) == pytest.approx(float(_exact_slope(u)), rel=1e-14)


def test_ends():
    assert cluster_learning_curve(0) == 1.0
    assert cluster_learning_curve(np.inf) == 0.0
    assert tree.tree_slope(0.0) == pytest.approx(2 / 3, rel=1e-15)


@pytest.mark.parametrize("wrong", [-1.0, float("nan")])
def test_bad_arguments_are_named(wrong):
    with pytest.raises(DomainError, match="u = "):
        cluster_learning_curve(wrong)
