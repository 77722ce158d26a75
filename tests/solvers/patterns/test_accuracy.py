"""Stated accuracies of sums of cubes and of softmax heads by exact routes."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy.special import log_ndtr

from scalinglaws.solvers.patterns import attention_overlap, log_tail


@pytest.mark.parametrize("coupling", [1e-6, 1e-3, 0.7, pytest.param(20.0, marks=pytest.mark.slow)])
def test_heads_of_two_tokens_against_twenty_digits(coupling):
    """The difference of two tokens times x has the density K_0 of a product of two normal numbers."""
    with mp.workdps(20):
        exact = mp.quad(
            lambda u: (
                mp.sqrt(2) / mp.pi * u * mp.tanh(coupling * u / mp.sqrt(2)) * mp.besselk(0, u)
            ),
            [0, 1e-3, 0.01, 0.1, 1, 4, 10, 50],
        )
    assert abs(attention_overlap(coupling, 2) - exact) < 1e-10 * exact


def around(kink):
    """Return nodes and logarithms of weights of a Gauss rule that resolves a cube root."""
    x, weights = np.polynomial.legendre.leggauss(20)
    reach = (14.0 + abs(kink)) ** (1 / 3)
    edges = np.linspace(-reach, reach, 41)
    half = np.diff(edges)[:, None] / 2
    u = ((edges[1:] + edges[:-1])[:, None] / 2 + half * x).ravel()
    return kink + u**3, np.log((half * weights).ravel() * 3 * u * u)


def log_tail_of_cubes(count, total):
    """Return log P(sum of so many cubes > total), one number after the other."""
    if count == 1:
        return float(log_ndtr(-np.cbrt(total)))
    a, logs = around(np.cbrt(total))
    rest = total - a**3
    one_less = [log_tail_of_cubes(count - 1, left) for left in rest.tolist()] if count > 2 else []
    beyond = np.array(one_less) if count > 2 else log_ndtr(-np.cbrt(rest))
    return float(np.logaddexp.reduce(logs - 0.5 * math.log(2 * math.pi) - a * a / 2 + beyond))


@pytest.mark.parametrize("s", [0.3, 3.0, pytest.param(8.0, marks=pytest.mark.slow)])
def test_three_terms_are_a_double_integral(s):
    exact = log_tail_of_cubes(3, math.sqrt(45) * s)
    found = log_tail(3, s)
    assert abs(found.log_probability - exact) <= 2e-6
    assert abs(found.log_probability - exact) <= found.diagnostics.error_estimate
    assert log_tail(2, s).log_probability == pytest.approx(
        log_tail_of_cubes(2, math.sqrt(30) * s), rel=1e-13
    )
