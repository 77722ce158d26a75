"""Exponents by dimension, as the theory has them, and the scaling relations between them."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import exponents
from scalinglaws.theory.percolation import critical_exponents


@pytest.mark.parametrize("dimension", [2, 3, 4, 5, 6, 7, 20])
@pytest.mark.parametrize("smoothness", [2, 4])
def test_the_theory_has_the_same_numbers(dimension, smoothness):
    found, known = exponents(dimension, smoothness=smoothness), critical_exponents(dimension)
    for name in ("tau", "sigma", "D", "nu", "alpha"):
        assert getattr(found, name) == pytest.approx(float(getattr(known, name)), rel=1e-14)
    assert found.beta == pytest.approx(float(known.learning(smoothness)), rel=1e-14)
    assert found.model == pytest.approx(float(known.model_exponent(smoothness).exponent), rel=1e-14)
    assert found.data == pytest.approx(float(known.data_exponent(smoothness).exponent), rel=1e-14)
    assert found.ratio == found.data / found.model


def test_arguments_broadcast():
    found = exponents([[2], [3]], smoothness=[2, 4])
    assert found.model.shape == (2, 2)
    np.testing.assert_allclose(found.beta[:, 1], 2 * found.beta[:, 0])


def test_hyperscaling_up_to_six_dimensions():
    found = exponents([2, 3, 4, 5, 6])
    np.testing.assert_allclose(
        (found.tau - 2) / found.sigma, found.nu * (found.dimension - found.D), rtol=1e-12
    )


@pytest.mark.parametrize("given", [{"dimension": 1}, {"dimension": 2.5}])
def test_refusals(given):
    with pytest.raises(DomainError, match="dimension"):
        exponents(**given)
