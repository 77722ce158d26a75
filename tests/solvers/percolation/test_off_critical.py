"""Sizes and losses below the percolation threshold."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import (
    crossover_data_loss,
    crossover_model_loss,
    data_loss,
    subcritical_sizes,
)
from scalinglaws.solvers.percolation.sampling import off_critical


def test_known_sizes(reference):
    for alpha, crossover, rank, size in reference("percolation_data")["subcritical_sizes"][
        "values"
    ]:
        assert subcritical_sizes(rank, alpha=alpha, crossover_rank=crossover) == pytest.approx(
            size, rel=1e-9, abs=0
        )


@given(st.floats(0.01, 30.0), st.floats(-6, 6))
def test_sizes_invert_the_incomplete_gamma_function(alpha, log_rank):
    with mpmath.workdps(30):
        x = mpmath.mpf(subcritical_sizes(10**log_rank, alpha=alpha, crossover_rank=1))
        t = 1 / (1 + mpmath.mpf(alpha))
        rank = t * mpmath.gammainc(-t, x)
        slope = t * x ** (-t) * mpmath.exp(-x)
    # an error of x by its rounding moves the rank by slope * 1e-16
    assert float(rank) == pytest.approx(
        10**log_rank, rel=1e-13 * (1 + 10 * float(slope / rank)) * (1 + 1 / float(t)) * 3
    )


@given(st.floats(-1, 1), st.floats(-12, 2))
def test_incomplete_gamma_function(order, digits):
    x = 10**digits
    with mpmath.workdps(40):
        exact = mpmath.gammainc(mpmath.mpf(order), mpmath.mpf(x)) * mpmath.exp(x)
    assert off_critical.upper_gamma(order, x) == pytest.approx(float(exact), rel=2e-12)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_sizes_far_from_the_crossover(alpha):
    assert subcritical_sizes(1e12, alpha=alpha, crossover_rank=1) == pytest.approx(
        1e12 ** -(1 + alpha), rel=1e-3, abs=0
    )
    assert subcritical_sizes(1e-250, alpha=alpha, crossover_rank=1) == pytest.approx(
        250 * math.log(10), rel=0.05
    )


def _list(alpha, crossover, count):
    sizes = subcritical_sizes(np.arange(1.0, count + 1), alpha=alpha, crossover_rank=crossover)
    t = 1 / (1 + alpha)
    rest = crossover * t * special.gammainc(1 - t, sizes[-1]) * special.gamma(1 - t) - sizes[-1] / 2
    rest += sizes[-1] ** (t + 1) * math.exp(sizes[-1]) / (crossover * t) / 12
    return sizes, rest


def test_half_points(reference):
    # the losses at the printed half points are 1/2 to the digits printed; at exponents 1 and 3/2 the fourth digit is another
    known = reference("percolation_data")["half_points"]
    for alpha, crossover, exponent, units in known["model"]:
        found = _half(
            lambda n, b=exponent, a=alpha, k=crossover: crossover_model_loss(
                n * k, alpha=a, exponent=b, crossover_rank=k
            )
        )
        assert found == pytest.approx(units, rel=5e-4)
        assert found == pytest.approx(
            {0.25: 105.38340, 0.5: 18.656783, 1: 6.0926453, 1.5: 3.7944095}[exponent], rel=1e-7
        )
    for alpha, crossover, exponent, units in known["data"]:
        found = _half(
            lambda n, b=exponent, a=alpha, k=crossover: crossover_data_loss(
                round(n * k), alpha=a, exponent=b, crossover_rank=k
            )
        )
        assert found == pytest.approx(units, abs=0.006 if units < 100 else 0.06)


def _half(loss):
    low, high = 1.0, 1000.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if loss(middle) > 0.5 else (low, middle)
    return low


@pytest.mark.parametrize(("alpha", "crossover"), [(1.0, 1000.0), (0.4, 30.0), (2.5, 3.0)])
@pytest.mark.parametrize("exponent", [0.25, 0.7, 1.0, 3.0])
def test_model_loss_against_a_long_list(alpha, crossover, exponent):
    sizes, rest = _list(alpha, crossover, 200000)
    roots = np.cumsum(sizes ** (1 / (1 + exponent)))
    tails = np.cumsum(np.concatenate([[rest], sizes[::-1]]))[::-1]
    for n in (0.5, 1.5, 30.0, 2e3, 5e4):
        plain = min(tails[0], np.min(roots * (roots / n) ** exponent + tails[1:])) / tails[0]
        assert crossover_model_loss(
            n, alpha=alpha, exponent=exponent, crossover_rank=crossover
        ) == pytest.approx(plain, rel=1e-11)


@pytest.mark.parametrize(("alpha", "crossover"), [(1.0, 1000.0), (0.4, 30.0), (2.5, 3.0)])
def test_data_loss_against_a_long_list(alpha, crossover):
    sizes, rest = _list(alpha, crossover, 200000)
    p = sizes / (sizes.sum() + rest)
    # the remaining clusters are small: they share what is left in clusters too rare to be met twice
    for samples in (1, 100, 3000):
        found = crossover_data_loss(samples, alpha=alpha, exponent=0.5, crossover_rank=crossover)
        left = 1 - p.sum()
        listed = data_loss(
            samples, weights=np.append(p, left), exponent=np.append(np.full(p.size, 0.5), 0.0)
        ).loss
        assert found == pytest.approx(listed, rel=2e-7 if alpha < 1 else 1e-9)


def test_far_above_the_crossover_critical_exponents_return():
    for exponent, slope in ((0.5, 0.5), (2.0, 1.0)):
        low, high = crossover_model_loss([1e12, 1e13], alpha=1, exponent=exponent)
        assert math.log10(low / high) == pytest.approx(slope, abs=0.02)
    low, high = crossover_data_loss([1e12, 1e13], alpha=1, exponent=1)
    assert math.log10(low / high) == pytest.approx(0.5, abs=0.01)


def test_losses_collapse():
    for loss in (crossover_model_loss, crossover_data_loss):
        one, two = (loss(50 * k, alpha=1, exponent=0.5, crossover_rank=k) for k in (1e4, 1e5))
        assert one == pytest.approx(two, rel=1e-3)
        assert one != pytest.approx(two, rel=1e-7)


def test_ends_and_shapes():
    assert crossover_model_loss([0, 0.5], alpha=1, exponent=0.5).tolist() == [1, 1]
    assert crossover_model_loss(1e6, alpha=1, exponent=0) == 1.0
    assert crossover_data_loss(0, alpha=1, exponent=0.5) == 1.0
    assert subcritical_sizes([[1], [2]], alpha=[1, 2, 3], crossover_rank=10).shape == (2, 3)
    assert isinstance(crossover_model_loss(10, alpha=1, exponent=0.5), float)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: subcritical_sizes(0, alpha=1, crossover_rank=1), "rank"),
        (lambda: subcritical_sizes(1, alpha=0, crossover_rank=1), "alpha"),
        (lambda: subcritical_sizes(1, alpha=1, crossover_rank=0), "crossover_rank"),
        (lambda: crossover_model_loss(-1, alpha=1, exponent=0.5), "n = "),
        (lambda: crossover_model_loss(1, alpha=1, exponent=math.inf), "exponent"),
        (lambda: crossover_data_loss(0.5, alpha=1, exponent=1), "samples"),
    ],
)
def test_bad_arguments_are_named(call, match):
    with pytest.raises(DomainError, match=match):
        call()
