"""Loss in the number of samples: known values, sums in many digits, limits, and drawn samples."""

import math
import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import (
    DataLoss,
    cluster_learning_curve,
    data_loss,
)
from scalinglaws.solvers.percolation.sampling import expectation


def _exact(samples, weights, exponent, scale=1.0, law="hard", distinct=False):
    """Sum over all counts in many digits, upward from the smallest."""
    with mpmath.workdps(30):
        whole = mpmath.fsum(weights)
        curve = [mpmath.mpf(1)]
        for d in range(1, samples + 1):
            u = mpmath.mpf(d) / mpmath.mpf(scale)
            if law == "tree":
                y = 2 * mpmath.sqrt(u)
                curve.append((y + mpmath.log1p(mpmath.exp(-2 * y)) - mpmath.ln2) / (2 * u))
            else:
                curve.append(mpmath.mpf(1) if d <= scale else u ** -mpmath.mpf(exponent))
        total = mpmath.mpf(0)
        for weight in weights:
            p = mpmath.mpf(weight) / whole
            low = max(0, int(samples + weight - whole)) if distinct else 0
            chance, norm, mean = mpmath.mpf(1), mpmath.mpf(0), mpmath.mpf(0)
            for d in range(low, (min(samples, int(weight)) if distinct else samples) + 1):
                norm += chance
                mean += chance * curve[d]
                odds = (
                    (weight - d) / mpmath.mpf(whole - weight - samples + d + 1)
                    if distinct and chance
                    else p / (1 - p)
                )
                chance *= (samples - d) * odds / (d + 1)
            total += p * mean / norm
        return float(total)


def test_infinite_list_has_the_known_values(reference):
    for alpha, exponent, samples, loss in reference("percolation_data")["data_loss"]["values"]:
        found = data_loss(samples, alpha=alpha, exponent=exponent)
        assert found.loss == pytest.approx(loss, rel=2e-12, abs=0), (alpha, exponent, samples)
        assert found.diagnostics.residual < 1e-14


def test_finite_list_has_the_known_value(reference):
    known = reference("percolation_data")["finite_data_loss"]
    found = data_loss(
        known["samples"], weights=known["sizes"], exponent=known["exponent"], scales=known["scale"]
    )
    assert found.loss == pytest.approx(known["loss"], rel=1e-12)


@pytest.mark.parametrize(("alpha", "exponent"), [(1.0, 0.5), (0.3, 1.3), (2.5, 0.25)])
@pytest.mark.parametrize("samples", [1, 7, 300, pytest.param(20000, marks=pytest.mark.slow)])
def test_infinite_list_against_a_plain_sum(alpha, exponent, samples):
    # ranks by SciPy's binomial weights up to where samples are rare, then the first terms of the binomial series
    constant = 1 / special.zeta(1 + alpha)
    last = int(min(4e5, max(2000, 20 * (samples * constant) ** (1 / (1 + alpha)))))
    ranks = np.arange(1, last + 1)
    p = constant * ranks ** -(1.0 + alpha)
    total = 0.0
    for chunk in np.array_split(p, max(1, last // 2000)):
        top = int(stats.binom.isf(1e-25, samples, chunk[0])) + 2
        for part in np.array_split(chunk, max(1, int(chunk.size * top / 2e6))):
            d = np.arange(0, min(top, samples) + 1)
            law = np.maximum(d, 1.0) ** -exponent
            total += float(
                np.sum(part * (stats.binom.pmf(d[None, :], samples, part[:, None]) @ law))
            )
    # E f = 1 + (2^-beta - 1) binomial(P, 2) p^2 + binomial(P, 3) (3^-beta - 3 2^-beta + 2) p^3 + ...
    series = [1.0, 0.0, 2.0**-exponent - 1, 3.0**-exponent - 3 * 2.0**-exponent + 2]
    series.append(4.0**-exponent - 4 * 3.0**-exponent + 6 * 2.0**-exponent - 4 + 1)
    for j, difference in enumerate(series):
        power = (j + 1) * (1 + alpha)
        total += (
            special.comb(samples, j)
            * difference
            * constant ** (j + 1)
            * special.zeta(power, last + 1)
        )
    assert data_loss(samples, alpha=alpha, exponent=exponent).loss == pytest.approx(
        total, rel=1e-11
    )


# means on both sides of the expansion, and probabilities that underflow at (1 - p)^P
@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0, 2.0, 7.0])
@pytest.mark.parametrize(
    ("samples", "probability"),
    [(1500, 0.41), (900, 0.65), (700, 0.83), (3000, 0.21), (640, 0.99), (100, 0.3), (2500, 1e-3)],
)
def test_one_cluster_against_many_digits(exponent, samples, probability):
    weights = [probability, 1 - probability]
    exact = _exact(samples, weights, exponent)
    assert data_loss(samples, weights=weights, exponent=exponent).loss == pytest.approx(
        exact, rel=3e-13, abs=0
    )


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.5, 400.0, 650.0, 2000.0])
@pytest.mark.parametrize("law", ["hard", "tree"])
def test_scales_against_many_digits(scale, law):
    for samples in (40, 1500):
        weights = [5.0, 3.0, 0.01]
        exact = _exact(samples, weights, 0.5, scale, law)
        found = data_loss(samples, weights=weights, exponent=0.5, scales=scale, law=law).loss
        assert found == pytest.approx(exact, rel=1e-12, abs=0), samples


@pytest.mark.parametrize("law", ["hard", "tree"])
@pytest.mark.parametrize("samples", [1, 40, 1999, 3000])
def test_distinct_sites_against_many_digits(law, samples):
    weights = [2000, 900, 90, 9, 1]
    exact = _exact(samples, weights, 0.5, 3.0, law, distinct=True)
    found = data_loss(
        samples, weights=weights, exponent=0.5, scales=3.0, law=law, distinct=True
    ).loss
    assert found == pytest.approx(exact, rel=1e-12, abs=0)


def test_drawn_samples_agree():
    rng = np.random.default_rng(11)
    sizes = np.array([400, 150, 60, 33, 12, 5, 5, 1])
    scales = np.array([1.0, 2.0, 0.5, 5.0, 3.0, 1.0, 9.0, 1.0])
    exponents = np.array([0.5, 0.25, 1.0, 1.5, 2.0, 0.5, 0.7, 0.3])
    p = sizes / sizes.sum()
    for distinct in (False, True):
        drawn = (
            rng.multivariate_hypergeometric(sizes, 120, 200000)
            if distinct
            else rng.multinomial(120, p, 200000)
        )
        curves = np.where(drawn <= scales, 1.0, np.maximum(drawn, 1) / scales) ** -exponents
        loss = curves @ p
        error = loss.std() / math.sqrt(loss.size)
        found = data_loss(
            120, weights=sizes, exponent=exponents, scales=scales, distinct=distinct
        ).loss
        assert abs(loss.mean() - found) < 4 * error
        assert error < 1e-4 * found


def test_clusters_add_up():
    rng = np.random.default_rng(2)
    weights, exponents, scales = rng.random(5), rng.random(5) + 0.2, 3 * rng.random(5)
    p = weights / weights.sum()
    single = [
        data_loss(5000, weights=[q, 1 - q], exponent=[b, 0.0], scales=[m, 1.0]).loss - (1 - q)
        for q, b, m in zip(p, exponents, scales, strict=True)
    ]
    assert data_loss(
        5000, weights=weights, exponent=exponents, scales=scales
    ).loss == pytest.approx(sum(single), rel=1e-11)


def test_hutter_limit_has_its_constant():
    # a cluster is learned by its first sample: L = C^(1/(1+alpha)) Gamma(s)/(1+alpha) P^-s, up to 1/P
    for alpha in (0.5, 1.0, 3.0):
        s = alpha / (1 + alpha)
        amplitude = special.zeta(1 + alpha) ** (-1 / (1 + alpha)) * special.gamma(s) / (1 + alpha)
        for samples in (1e6, 1e9, 1e13):
            found = data_loss(samples, alpha=alpha, exponent=0.5, scales=0.0).loss
            assert found == pytest.approx(amplitude * samples**-s, rel=1 / samples + 1e-12, abs=0)


def test_infinite_exponent_is_the_limit_of_large_ones():
    # f(1) = 1, all else vanishes
    p = np.array([0.6, 0.4])
    exact = float(np.sum(p * ((1 - p) ** 30 + 30 * p * (1 - p) ** 29)))
    assert data_loss(30, weights=p, exponent=math.inf).loss == pytest.approx(exact, rel=1e-13)
    assert data_loss(30, weights=p, exponent=100).loss == pytest.approx(exact, rel=1e-13)
    assert data_loss(1e5, alpha=1, exponent=100).loss == pytest.approx(
        data_loss(1e5, alpha=1, exponent=math.inf).loss, rel=1e-13
    )
    assert data_loss(1e9, weights=p, exponent=math.inf).loss == 0.0


def test_a_small_scale_mixes_the_power_with_the_first_sample():
    # f = m^beta d^-beta for d >= 1: L = m^beta L_1 + (1 - m^beta) L_0
    losses = [data_loss(1e5, alpha=1.2, exponent=0.4, scales=m).loss for m in (0.0, 0.1, 1.0)]
    share = 0.1**0.4
    assert losses[1] == pytest.approx(share * losses[2] + (1 - share) * losses[0], rel=1e-12)


@pytest.mark.parametrize("scale", [0.02, 1.0, 30.0, 1e4])
def test_infinite_list_learned_as_trees_is_the_limit_of_long_lists(scale):
    alpha, samples = 2.0, np.array([100, 10**5])
    weights = np.arange(1.0, 300001) ** -(1 + alpha)
    whole = special.zeta(1 + alpha)
    listed = data_loss(
        samples,
        weights=np.append(weights, whole - weights.sum()),
        exponent=0.5,
        scales=np.append(np.full(weights.size, scale), 1e300),
        law="tree",
    )
    found = data_loss(samples, alpha=alpha, exponent=0.5, scales=scale, law="tree")
    assert found.loss == pytest.approx(listed.loss, rel=1e-10)


def test_many_samples_follow_the_learning_curve_of_one_cluster():
    for size in (1e8, 1e15):
        for scale in (3.0, 1e4, 1e8):
            found = data_loss(size, weights=[1.0], exponent=0.5, scales=scale, law="tree").loss
            assert found == pytest.approx(cluster_learning_curve(size / scale), rel=1e-13)


@pytest.mark.parametrize("u", [1e-4, 0.1, 0.9, 7.0, 99.0, 101.0, 1e5])
def test_expansion_about_the_mean_meets_the_sum(u):
    # the same expectation by both routes, at a mean where both are accurate
    samples, share = 4000.0, 0.25
    weights, scale = [share, 1 - share], 1000.0 / u
    mean = data_loss(samples, weights=weights, exponent=0.5, scales=scale, law="tree").loss
    d = np.arange(samples + 1)
    curve = cluster_learning_curve(d / scale)
    exact = (
        share * stats.binom.pmf(d, samples, share) @ curve
        + (1 - share) * stats.binom.pmf(d, samples, 1 - share) @ curve
    )
    assert mean == pytest.approx(exact, rel=1e-11)


def test_ends_and_shapes():
    assert data_loss(0, alpha=1, exponent=0.5).loss == 1.0
    assert data_loss(0, weights=[1, 2], exponent=0.5).loss == 1.0
    assert data_loss(1, alpha=1, exponent=0.5).loss == pytest.approx(1.0, rel=1e-14)  # f(1) = f(0)
    assert data_loss(1e6, alpha=1, exponent=0).loss == pytest.approx(1.0, rel=1e-13)
    assert data_loss(6, weights=[6], exponent=0.5, distinct=True).loss == pytest.approx(
        6**-0.5, rel=1e-14
    )
    assert data_loss(9, weights=[6, 3], exponent=0.5, distinct=True).loss == pytest.approx(
        (6 * 6**-0.5 + 3 * 3**-0.5) / 9, rel=1e-14
    )
    found = data_loss([[10], [100]], alpha=[0.5, 1, 2], exponent=0.5)
    assert isinstance(found, DataLoss)
    assert found.loss.shape == (2, 3)
    assert found.loss[1, 2] == data_loss(100, alpha=2, exponent=0.5).loss
    assert isinstance(data_loss(10, alpha=1, exponent=1).loss, float)
    assert data_loss([1, 2], weights=[1.0, 2.0], exponent=0.5).loss.shape == (2,)


@given(st.floats(0.05, 18.0), st.floats(0.0, 5.0), st.floats(0.0, 14.0))
@settings(max_examples=60)
def test_more_samples_lower_the_loss(alpha, exponent, log_samples):
    samples = math.floor(10**log_samples)
    less, more = data_loss([samples, 2 * samples + 1], alpha=alpha, exponent=exponent).loss
    assert 0 <= more <= less * (1 + 1e-12) <= 1 + 1e-11
    # one convex function of the mean count: loss at least that of the counts' means
    steeper = data_loss(samples, alpha=alpha, exponent=exponent + 0.5).loss
    assert steeper <= less * (1 + 1e-12)


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=12),
    st.integers(0, 4),
    st.floats(0.1, 3.0),
    st.sampled_from([0.0, 1.0, 17.0]),
)
@settings(max_examples=60)
def test_distinct_samples_teach_more(sizes, digits, exponent, scale):
    samples = min(10**digits, sum(sizes))
    repeated = data_loss(samples, weights=sizes, exponent=exponent, scales=scale).loss
    distinct = data_loss(
        samples, weights=sizes, exponent=exponent, scales=scale, distinct=True
    ).loss
    assert 0 <= distinct <= 1 + 1e-12
    assert 0 <= repeated <= 1 + 1e-12
    if scale == 0:  # hypergeometric counts spread less, and the law is convex
        assert distinct <= repeated * (1 + 1e-11)
    curves = [
        data_loss(
            samples, weights=sizes, exponent=0.5, law="tree", scales=scale + 1, distinct=flag
        ).loss
        for flag in (True, False)
    ]
    assert curves[0] <= curves[1] * (1 + 1e-11)


def test_tables_and_powers_agree():
    # exponents per cluster bypass the table of the first
    assert data_loss(500, weights=[3, 2], exponent=[0.5, 0.8]).loss == pytest.approx(
        0.6 * _alone(500, 0.6, 0.5) + 0.4 * _alone(500, 0.4, 0.8), rel=1e-12
    )
    assert expectation.powers_of_counts(0.5).size == expectation.TABLE_SIZE


def _alone(samples, p, exponent):
    d = np.arange(samples + 1)
    return float(stats.binom.pmf(d, samples, p) @ np.maximum(d, 1.0) ** -exponent)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"exponent": 0.5}, "exactly one"),
        ({"exponent": 0.5, "alpha": 1, "weights": [1]}, "exactly one"),
        ({"exponent": -0.5, "alpha": 1}, "exponent"),
        ({"exponent": 101, "alpha": 1}, "at most 100"),
        ({"exponent": 0.5, "alpha": 0}, "alpha"),
        ({"exponent": 0.5, "alpha": float("nan")}, "alpha"),
        ({"exponent": 0.5, "alpha": 1, "scales": 2}, "scales"),
        ({"exponent": 0.5, "alpha": 1, "law": "soft"}, "law"),
        ({"exponent": 0.6, "alpha": 1, "law": "tree"}, "exponent"),
        ({"exponent": 0.5, "alpha": 1, "law": "tree", "scales": 0}, "scales"),
        ({"exponent": 0.5, "alpha": 1, "distinct": True}, "distinct"),
        ({"exponent": 0.5, "weights": []}, "weights"),
        ({"exponent": 0.5, "weights": [1, 0]}, "weights"),
        ({"exponent": 0.5, "weights": [1, 2], "scales": [1, 2, 3]}, "scales"),
        ({"exponent": 0.5, "weights": [1, 2.5], "distinct": True}, "whole numbers"),
        ({"exponent": 0.5, "weights": [1, 2], "distinct": True}, "number of sites"),
    ],
)
def test_bad_arguments_are_named(arguments, match):
    with pytest.raises(DomainError, match=match):
        data_loss(10, **arguments)


def test_with_endless_samples_only_what_no_sample_teaches_is_left():
    found = data_loss([10, math.inf], alpha=1, exponent=0.5)
    assert found.loss[1] == 0.0
    assert found.loss[0] == data_loss(10, alpha=1, exponent=0.5).loss
    assert found.samples.tolist() == [10, math.inf]
    assert data_loss(math.inf, alpha=1, exponent=[0, 0.5]).loss.tolist() == [1, 0]
    assert data_loss(math.inf, weights=[1, 3], exponent=[0, 0.5]).loss == 0.25
    # and tended to from below
    assert data_loss(1e9, weights=[1, 3], exponent=[0, 0.5]).loss == pytest.approx(0.25, rel=2e-4)
    with pytest.raises(DomainError, match="samples = inf"):
        data_loss(math.inf, weights=[1, 3], exponent=0.5, distinct=True)


@pytest.mark.parametrize("wrong", [-1, 2.5, math.nan])
def test_samples_are_whole(wrong):
    with pytest.raises(DomainError, match="samples"):
        data_loss(wrong, alpha=1, exponent=0.5)


def test_results_can_be_kept(tmp_path):
    found = data_loss([10, 100], alpha=1, exponent=0.5)
    again = DataLoss.load(found.save(tmp_path / "loss.npz"))
    assert np.array_equal(again.loss, found.loss)


def test_without_compilation():
    code = "from scalinglaws.solvers.percolation import data_loss; print(data_loss(1500, weights=[600, 7], exponent=0.5).loss)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SCALINGLAWS_JIT": "0"},
    )
    assert float(run.stdout) == pytest.approx(
        data_loss(1500, weights=[600, 7], exponent=0.5).loss, rel=1e-13
    )


@pytest.mark.parametrize(
    ("alpha", "exponent", "theta", "samples", "loss"),
    [
        (1, 1, 0.75, 10**6, 3.677283696889e-4),
        (1, 1, 0.75, 10**10, 7.970119184394e-7),
        (1, 0.75, 2 / 3, 10**6, 5.641319014705e-4),
        (1, 0.5, 2 / 3, 10**6, 4.064236775523e-3),
        (2, 1, 0.5, 10**6, 5.654914276290e-6),
        (1, 2, 0.6, 10**6, 5.465687227114e-5),
        (1, 1, 0.51, 10**8, 5.863139640426e-6),
        (1, 1, 1.0, 10**8, 1.648851475184e-4),
    ],
)
def test_samples_drawn_by_a_power_of_the_weights(alpha, exponent, theta, samples, loss):
    found = data_loss(samples, alpha=alpha, exponent=exponent, sampling=theta)
    assert found.loss == pytest.approx(loss, rel=2e-12, abs=0)
    assert found.diagnostics.residual < 1e-14


@pytest.mark.parametrize(
    ("exponent", "theta", "support", "loss"),
    [(2, 1 / 3, 1400, 7.691728409640e-4), (1, 0.5, 570, 4.194411126729e-3)],
)
def test_samples_drawn_from_the_first_ranks_only(exponent, theta, support, loss):
    found = data_loss(10**4, alpha=1, exponent=exponent, sampling=theta, support=support)
    assert found.loss == pytest.approx(loss, rel=2e-12, abs=0)


def test_a_wide_support_is_an_infinite_one():
    given = {"alpha": 1.5, "exponent": 1, "sampling": 0.8}
    wide = data_loss(200, **given, support=10**6).loss
    assert wide == pytest.approx(data_loss(200, **given).loss, rel=1e-6)
    left = data_loss([0, math.inf], **given, support=10)
    rest = special.zeta(2.5, 11) / special.zeta(2.5)
    np.testing.assert_allclose(left.loss, [1, rest])


def test_a_list_is_drawn_by_a_power_too():
    weights = np.array([8.0, 1.0])
    q = weights ** (1 / 3) / np.sum(weights ** (1 / 3))
    p = weights / weights.sum()
    exact = sum(
        stats.binom.pmf(d, 5, q[0]) * (p @ [1 / max(d, 1), 1 / max(5 - d, 1)]) for d in range(6)
    )
    found = data_loss(5, weights=weights, exponent=1, sampling=1 / 3)
    assert found.loss == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"alpha": 1, "sampling": 0.5}, "sampling = 0.5 must be at least"),
        ({"alpha": 1, "sampling": -1}, "sampling"),
        ({"alpha": 1, "support": 1e9}, "support"),
        ({"weights": [2, 1], "support": 10}, "inf where weights are given"),
        ({"weights": [2, 1], "sampling": 0.5, "distinct": True}, "must be 1 where samples are"),
    ],
)
def test_what_cannot_be_drawn(given, complaint):
    with pytest.raises(DomainError, match=complaint):
        data_loss(2, exponent=1, **given)
