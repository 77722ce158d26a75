"""The data loss in inverse powers of the number of samples."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError, ExtrapolationWarning
from scalinglaws.solvers.percolation import data_loss, data_loss_expansion
from scalinglaws.solvers.percolation.sampling import expansion


def test_amplitudes_are_the_known_ones(reference):
    for alpha, exponent, cluster, learning in reference("percolation_data")["amplitudes"]["values"]:
        found = data_loss_expansion(1e6, alpha=alpha, exponent=exponent)
        assert found.cluster_amplitude == pytest.approx(cluster, rel=1e-12)
        assert found.learning_amplitude == pytest.approx(learning, rel=1e-12)
    known = reference("percolation_data")["merged_pole"]
    assert expansion.mellin_regular(known["exponent"], known["exponent"], 0.0) == pytest.approx(
        known["regular"], rel=1e-12
    )


@pytest.mark.parametrize(
    ("alpha", "exponent"),
    [(1, 0.5), (1, 0.25), (1, 1), (2, 0.5), (0.5, 0.5), (0.5, 1 / 3), (2.7, 0.6)],
)
def test_differs_from_the_exact_loss_by_one_over_samples(alpha, exponent):
    samples = np.array([1e5, 1e8, 1e11])
    ratio = (
        data_loss_expansion(samples, alpha=alpha, exponent=exponent).loss
        / data_loss(samples, alpha=alpha, exponent=exponent).loss
    )
    assert np.all(np.abs(ratio - 1) < 0.8 / samples + 3e-13)
    assert (
        np.abs(ratio[0] - 1) > 0.01 / samples[0]
    )  # and by no less: the binomial is not quite Poisson


@pytest.mark.parametrize(
    ("s", "beta"), [(0.5, 1.0), (0.5, 0.25), (2 / 3, 0.1), (0.2, 0.9), (0.9, 0.3)]
)
def test_transform_is_continued(s, beta):
    # d^-beta = int y^(beta-1) e^(-dy) dy / Gamma(beta), and the binomial series; y^-s is continued by itself
    with mpmath.workdps(30):
        b, t = mpmath.mpf(beta), mpmath.mpf(s)
        near = mpmath.quad(
            lambda y: y ** (b - 1) * ((-mpmath.expm1(-y)) ** -t - y**-t), [0, 1e-6, 1e-3, 0.1, 1]
        )
        far = mpmath.quad(
            lambda y: y ** (b - 1) * ((-mpmath.expm1(-y)) ** -t - 1), [1, 3, 10, 30, 80]
        )
        exact = mpmath.gamma(t) * (1 + (near + far + 1 / (b - t) - 1 / b) / mpmath.gamma(b)) + 1 / (
            t - b
        )
    assert expansion.mellin_regular(s, beta, s - beta) == pytest.approx(float(exact), rel=1e-12)


@given(st.floats(0.3, 5.0), st.integers(3, 16), st.floats(4, 12), st.sampled_from([-1, 1]))
@settings(max_examples=60)
def test_continuous_through_the_merged_pole(alpha, digits, log_samples, sign):
    s = alpha / (1 + alpha)
    step = 10.0**-digits
    samples = math.floor(10**log_samples)
    at, beside = (
        data_loss_expansion(samples, alpha=alpha, exponent=beta).loss
        for beta in (s, s + sign * step)
    )
    assert abs(beside / at - 1) < 2 * step * math.log(samples) + 1e-13


def test_amplitudes_at_the_pole_are_infinite():
    found = data_loss_expansion(1e6, alpha=1, exponent=0.5)
    assert found.cluster_amplitude == -math.inf
    assert found.learning_amplitude == math.inf
    assert found.cluster_exponent == 0.5


def test_terms_are_those_of_poisson_counts():
    alpha, beta, samples = 0.8, 1.3, 300.0
    losses = [
        data_loss_expansion(samples, alpha=alpha, exponent=beta, terms=terms).loss
        for terms in (1, 2, 3)
    ]
    constant = 1 / mpmath.zeta(1 + alpha)
    given_ = [beta * (beta + 1) / 2, beta * (beta + 1) * (beta + 2) * (3 * beta + 5) / 24]
    for j, coefficient in enumerate(given_, start=1):
        term = (
            coefficient
            * constant ** (1 - beta - j)
            * mpmath.zeta((1 + alpha) * (1 - beta - j))
            * samples ** (-beta - j)
        )
        assert losses[j] - losses[j - 1] == pytest.approx(float(term), rel=1e-6, abs=0)


def test_a_divergent_series_ends_at_its_smallest_term():
    many = data_loss_expansion(30, alpha=3.0, exponent=0.4, terms=12)
    assert (
        abs(many.loss / data_loss(30, alpha=3.0, exponent=0.4).loss - 1)
        < many.diagnostics.error_estimate
    )


def test_learning_at_no_exponent_leaves_the_loss_at_one():
    found = data_loss_expansion([1e3, 1e9], alpha=1.3, exponent=0.0)
    assert found.loss == pytest.approx([1.0, 1.0], rel=1e-12)


@pytest.mark.parametrize("samples", [1e2, 1e4])
def test_whole_ranks_show_where_clusters_differ_much(samples):
    with pytest.warns(ExtrapolationWarning, match="use data_loss"):
        found = data_loss_expansion(samples, alpha=17.2, exponent=1.0)
    assert (
        0.02
        < abs(found.loss / data_loss(samples, alpha=17.2, exponent=1.0).loss - 1)
        < found.diagnostics.error_estimate
    )


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"samples": 0}, "samples"),
        ({"samples": 1.5}, "samples"),
        ({"alpha": 0}, "alpha"),
        ({"exponent": math.inf}, "exponent"),
        ({"terms": 0}, "terms"),
        ({"terms": 1.5}, "terms"),
    ],
)
def test_bad_arguments_are_named(arguments, match):
    given_ = {"samples": 100, "alpha": 1, "exponent": 0.5, **arguments}
    with pytest.raises(DomainError, match=match):
        data_loss_expansion(given_.pop("samples"), **given_)
