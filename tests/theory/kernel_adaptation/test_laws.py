"""Laws of kernel adaptation: exponents, constants, and the solvers far out."""

import math
import warnings

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError, ExtrapolationWarning
from scalinglaws.solvers.kernel_adaptation import (
    linear_cnn,
    samples_for_alignment,
    two_layer_thresholds,
)
from scalinglaws.theory.kernel_adaptation import (
    AdaptedFilters,
    LinearTeacher,
    SpecializedNeurons,
    derive_alignment,
    derive_bimodality,
    derive_convolution,
)

KAPPA, CHI, NU = sp.symbols("kappa chi nu", positive=True)


def test_samples_of_a_convolutional_network_grow_with_the_three_quarter_power():
    law = theory.law("kernel_adaptation.cnn_sample_complexity")
    assert law(c=sp.Rational(1, 2)) == sp.Rational(3, 4)
    assert sp.simplify(law.constant - KAPPA / sp.sqrt(CHI)) == 0
    assert law.standing == "asymptotic"
    assert derive_convolution(AdaptedFilters(sp.Rational(1, 3))).expr == sp.Rational(2, 3)
    with pytest.raises(DomainError):
        law(c=1)


def test_the_solver_reaches_the_law_of_the_convolutional_network():
    """Samples at half learnability over d^(3/4), at sizes where the inflation is large: twice the threshold."""
    shares = []
    for alpha in (10.0**4, 10.0**6):
        d = 500 * alpha**2
        samples = np.geomspace(1, 10, 400) * d**0.75
        found = linear_cnn(
            samples=samples,
            ridge=1,
            scale=100,
            channels=1000 * alpha,
            patches=10 * alpha,
            patch_size=50 * alpha,
        )
        half = np.interp(0.5, found.learnability, samples)
        kappa = float(np.interp(half, samples, found.effective_ridge))
        law = kappa * math.sqrt(1000 * alpha * d / 100)
        shares.append(half / (2 * law) - 1)
    assert abs(shares[1]) < 1e-3
    assert abs(shares[1]) < abs(shares[0])


@pytest.mark.parametrize(("k", "constant"), [(3, 9.768617), (5, None), (7, None)])
def test_samples_of_an_alignment(k, constant):
    found = derive_alignment(SpecializedNeurons(k))
    n = sp.Symbol("n", positive=True)
    assert found.expr == (n + 1) / 2
    amplitude = float(found.constant.subs({KAPPA: 1, CHI: 1}))
    if constant is not None:
        assert amplitude == pytest.approx(constant, abs=6e-7)
    # the solver at many neurons, with weights across at the law's length
    errors = []
    for d in (1e4, 1e6, 1e8):
        solved = samples_for_alignment(0.3, dimension=d, width=d**1.5, degree=k)
        errors.append(solved.samples_per_ridge * 0.7 / (amplitude * d**1.25) - 1)
    assert abs(errors[2]) < 5e-3
    assert abs(errors[0]) > abs(errors[1]) > abs(errors[2])


def test_alignment_needs_an_odd_degree_above_one():
    for wrong in (1, 2, 4, 3.5):
        with pytest.raises(DomainError):
            SpecializedNeurons(wrong)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 4.0])
def test_the_solver_reaches_the_law_of_bimodality(ratio):
    law = theory.law("kernel_adaptation.bimodality")
    found = derive_bimodality(LinearTeacher())
    values = {KAPPA: 1, NU: ratio}
    constant, mean = (
        float(expr.subs(values)) for expr in (found.constant, found.forms["mean"].expr)
    )
    assert law() == sp.Rational(1, 2)
    errors = []
    for d in (100, 10_000, 1_000_000):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            solved = two_layer_thresholds(
                [1.0],
                dimension=d,
                width=1000.0,
                scale=1000.0 / ratio,
                degrees=[1],
                perpendicular="concentrated",
            )
        errors.append(
            [
                1 / (solved.bimodality * constant * math.sqrt(d)) - 1,
                solved.bimodality_mean[0] / mean - 1,
            ]
        )
    errors = np.array(errors)
    assert np.max(np.abs(errors[2])) < 0.01
    assert np.all(np.abs(errors[2]) < np.abs(errors[1]) / 5)
    # the correction to the learnability is of order d^(-1/2)
    assert errors[1, 1] / errors[2, 1] == pytest.approx(10, rel=0.1)


def test_bimodality_needs_a_scale_that_matches_the_width():
    """Beyond N/chi of 6.9 the learnability that it would need is above one."""
    law = theory.law("kernel_adaptation.bimodality")
    with pytest.raises(DomainError):
        law(nu=7)
    assert law(nu=6) == sp.Rational(1, 2)
