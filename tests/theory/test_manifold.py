"""Laws of manifolds: constants, limits, simulation of nearest neighbors, and models that are not shipped."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from scipy.spatial import cKDTree

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.theory.asymptotics import RATIONAL
from scalinglaws.theory.linear import ModeLimited, P, derive_mode
from scalinglaws.theory.manifold import (
    DEPTH,
    FEATURES,
    WIDTH,
    AnchorLimited,
    NearestNeighbor,
    VarianceLimited,
    WidthLimited,
    derive_anchors,
    derive_distance,
    derive_variance,
    derive_width,
)

d, q = sp.symbols("d q", positive=True)


def test_variance_limited_law_against_the_solver():
    law = theory.law("manifold.variance_limited")
    assert law() == 1
    spectrum, features = PowerLawSpectrum(1.5, 0.8), 50
    limit = linear.ridge(spectrum, features=features).test_loss
    samples = np.array([1e6, 1e8])
    excess = linear.ridge(spectrum, features=features, samples=samples).test_loss - limit
    assert -np.diff(np.log(excess))[0] / np.log(100) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(excess, law.asymptote(samples, N=features, L_inf=limit), rtol=2e-4)
    # noise counts as loss
    noisy = (
        linear.ridge(spectrum, features=features, samples=1e6, noise_variance=0.3).test_loss - limit
    )
    assert noisy == pytest.approx(law.asymptote(1e6, N=features, L_inf=limit + 0.3), rel=1e-3)


def test_the_other_resource_is_variance_limited_too():
    # samples fixed, features plentiful: the statics with kappa fixed by the samples, as a function of N
    n, p, df2, bias, cross, spread = sp.symbols("N P df_2 B_1 B_2 d_12", positive=True)
    loss = p * (n - df2) / ((p - df2) * (n - p)) * (bias + spread * cross / (n - df2))
    found = derive_variance(VarianceLimited(loss, n, "samples fixed"))
    assert found.expr == 1
    assert found.derivation.refused() is None
    spectrum = PowerLawSpectrum(1.5, 0.8)
    limit = linear.ridge(spectrum, samples=50).test_loss
    excess = linear.ridge(spectrum, samples=50, features=np.array([1e6, 1e8])).test_loss - limit
    assert -np.diff(np.log(excess))[0] / np.log(100) == pytest.approx(1, abs=1e-4)


def test_other_approaches_to_a_limit():
    x = sp.Symbol("x", positive=True)
    assert derive_variance(VarianceLimited(sp.sqrt(1 + 1 / x) + 1 / x**2, x)).expr == 1
    assert derive_variance(VarianceLimited(2 + 3 / x**3, x)).constant == 3
    with pytest.raises(DomainError, match="no finite limit"):
        derive_variance(VarianceLimited(x, x))
    with pytest.raises(DomainError, match="does not depend"):
        derive_variance(VarianceLimited(sp.Integer(2), x))


def test_width_variance_counts_parameters():
    law = theory.law("manifold.width_variance")
    assert law() == sp.Rational(1, 2)
    width = np.array([1e3, 1e4])
    parameters = 3 * width**2 + 20 * width
    np.testing.assert_allclose(law.asymptote(parameters, h=3, v=2), 2 / width, rtol=5e-3)
    assert derive_width(WidthLimited(parameters=WIDTH * 10)).expr == 1
    assert derive_width(WidthLimited(parameters=DEPTH * WIDTH**3, exponent=2)).expr == sp.Rational(
        2, 3
    )
    with pytest.raises(DomainError, match="one leading power"):
        derive_width(WidthLimited(parameters=WIDTH**2 + DEPTH * WIDTH**2))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_nearest_neighbor_distances(dimension):
    law = theory.law("manifold.nearest_neighbor")
    assert law(d=dimension) == sp.Rational(1, dimension)
    assert sp.gammasimp(law.constant - sp.gamma(1 + 1 / d)) == 0
    rng = np.random.default_rng(dimension)
    ball = float(sp.pi ** sp.Rational(dimension, 2) / sp.gamma(sp.Rational(dimension, 2) + 1))
    means = [
        cKDTree(rng.random((4000, dimension)), boxsize=1)
        .query(rng.random((2000, dimension)))[0]
        .mean()
        for _ in range(5)
    ]  # on a torus, without edges
    predicted = law.asymptote(4000, d=dimension) / ball ** (1 / dimension)
    assert np.mean(means) == pytest.approx(predicted, abs=4 * np.std(means, ddof=1) / np.sqrt(5))


def test_errors_of_higher_order():
    for order in (2, 4):
        found = derive_distance(NearestNeighbor(order=order))
        assert sp.cancel(found.expr - order / d) == 0
        assert sp.gammasimp(found.constant - sp.gamma(1 + order / d)) == 0
        assert found.derivation.refused() is None
    # clustered points: an algebraic probability of an empty ball
    heavy = derive_distance(NearestNeighbor(dimension=3, order=1, empty=RATIONAL(0, 2)))
    assert heavy.expr == sp.Rational(1, 3)
    assert heavy.derivation.refused() is None
    with pytest.raises(DomainError, match="diverges"):
        derive_distance(NearestNeighbor(dimension=1, order=3, empty=RATIONAL(0, 2)))


def test_spectral_law_is_the_data_law_of_a_white_teacher():
    law = theory.law("manifold.spectral")
    data = theory.law("linear.data")
    assert law(theta=2, d=5) == sp.Rational(2, 5)
    assert law(theta=2, d=5) == data.in_notation("bahri")(alpha_k=sp.Rational(2, 5))
    assert law.asymptote(1e6, theta=2, d=5) == pytest.approx(
        data.in_notation("bahri").asymptote(1e6, alpha_k=0.4), rel=1e-9, abs=0
    )
    assert law.published_value(theta=2, d=5) == sp.Rational(1, 5)


def test_teacher_and_student_of_different_smoothness():
    theta_s, theta_t = sp.symbols("theta_S theta_T", positive=True)
    model = ModeLimited(
        P,
        RATIONAL(2, 2),
        RATIONAL(0, 2),
        spectrum_exponent=1 + theta_s / d,
        signal_exponent=1 + theta_t / d,
        box={theta_s: (1, 3), theta_t: (1, 12), d: (1, 3)},
    )
    found = derive_mode(model)
    for values in ({theta_s: 1, theta_t: 3, d: 2}, {theta_s: 1, theta_t: 9, d: 2}):
        expected = min(values[theta_t], 2 * (values[theta_s] + values[d])) / sp.Integer(values[d])
        assert found.expr.subs(values) == expected


def test_models_without_a_power_law_are_refused():
    x, a = sp.symbols("x a", positive=True)
    for loss in (1 + sp.log(x) / x, 1 + sp.exp(-x)):
        with pytest.raises(DomainError, match="not approach its limit as a power"):
            derive_variance(VarianceLimited(loss, x))
    with pytest.raises(DomainError, match="must be numbers"):
        derive_width(WidthLimited(parameters=WIDTH**a + WIDTH))
    assert derive_width(WidthLimited(parameters=WIDTH**1.5)).expr == sp.Rational(2, 3)


def test_more_features_at_fixed_samples_against_the_solver():
    law = theory.law("manifold.variance_limited_model")
    assert law() == 1
    samples, spectrum = 50, PowerLawSpectrum(1.5, 0.8, 400)
    for noise in (0.0, 0.3):
        limit = linear.ridge(spectrum, samples=samples, noise_variance=noise).test_loss
        features = np.array([60, 200, 1e4, 1e8])
        losses = linear.ridge(
            spectrum, samples=samples, features=features, noise_variance=noise
        ).test_loss
        # B_1 + B_2, in which df_2 has dropped out, is a loss by itself: that of as many features as samples, on unlimited samples
        together = linear.ridge(spectrum, features=samples).test_loss + noise
        predicted = law.asymptote(features, P=samples, B_1=together / 3, B_2=2 * together / 3)
        np.testing.assert_allclose(
            losses - limit, predicted * features / (features - samples), rtol=1e-7
        )


def test_the_law_of_fixed_samples_starts_from_the_whole_formula():
    law = theory.law("manifold.variance_limited_model")
    loss = law.derivation.steps[0].value
    n, p, df2, bias, cross = sp.symbols("N P df_2 B_1 B_2", positive=True)
    assert loss.free_symbols == {n, p, df2, bias, cross}
    assert sp.simplify(law.constant - p * (bias + cross)) == 0
    assert sp.limit(loss, n, sp.oo).equals(p * bias / (p - df2))


def test_anchors_at_random_against_the_best_arrangement():
    n = FEATURES
    for order in (1, 2, 4):
        found = derive_anchors(AnchorLimited(order=order, amplitude=1))
        assert sp.cancel(found.expr - order / d) == 0
        assert sp.gammasimp(found.constant - sp.gamma(1 + order / d)) == 0
        bound = found.forms["bound"].expr
        assert sp.simplify(bound - d / (d + order) * n ** (-order / d)) == 0
        assert found.derivation.refused() is None
        # on a line, equal gaps are the best there is: a ball of radius 1 has unit volume, so that a gap of 1/N reaches 1/N from its anchor
        gap = sp.Symbol("r", positive=True)
        even = n * sp.integrate(gap**order, (gap, 0, 1 / n))
        assert sp.simplify(bound.subs(d, 1) - even) == 0
    law = theory.law("manifold.model_resolution")
    assert law.standing == "heuristic"
    ratio = law.asymptote(1e6, d=40, q=1, A=1) / law.evaluate("bound", N=1e6, d=40, q=1, A=1)
    assert 1 < ratio < 1.02  # in many dimensions the arrangement hardly matters
    assert law(d=3, q=4) == sp.Rational(4, 3)


def test_other_anchors():
    clustered = derive_anchors(
        AnchorLimited(dimension=4, order=2, amplitude=3, empty=RATIONAL(0, 2), resource=P)
    )
    assert clustered.expr == sp.Rational(1, 2)
    assert clustered.derivation.refused() is None
    # int q r^(q-1) (1 + P r^d)^-2 dr at q/d = 1/2
    assert float(clustered.constant) == pytest.approx(3 * np.pi / 4)
    with pytest.raises(DomainError, match="diverges"):
        derive_anchors(AnchorLimited(dimension=1, order=3, empty=RATIONAL(0, 2)))


@pytest.mark.parametrize("order", [2, 4])
def test_even_pieces_on_a_line(order):
    # least squares by pieces of x^2/2, exactly: a line within each gap h leaves h^4/720, a constant (slope s)^2 h^2/12
    size = 64
    edges = np.linspace(0, 1, size + 1)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    loss = 0.0
    for low, high in pairwise(edges):
        x = (low + high) / 2 + (high - low) / 2 * nodes
        y = x**2 / 2
        fit = np.polynomial.polynomial.polyfit(x - x.mean(), y, order // 2 - 1, w=np.sqrt(weights))
        rest = y - np.polynomial.polynomial.polyval(x - x.mean(), fit)
        loss += (high - low) / 2 * np.sum(weights * rest**2)
    law = theory.law("manifold.model_resolution")
    expected = {2: 1 / 36, 4: 1 / 720}[order]  # mean of the squared slope is 1/3
    assert loss * size ** float(law(d=1, q=order)) == pytest.approx(expected, rel=1e-3)
