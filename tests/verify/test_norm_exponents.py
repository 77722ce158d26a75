"""Exponents along a norm: exact curves, their bias, errors, and refusals."""

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError, ResourceError
from scalinglaws.verify.estimate import norm_exponents

P = np.array([10.0, 40, 160, 640, 2560])


def curves(gamma0=0.0, gamma1=0.6, gamma2=0.5, seeds=5, noise=0.002, shelf=3.0):
    """Power laws below an elbow at 10 P^gamma2, plateaus above, a shelf before them."""
    norm = np.geomspace(0.5, 1e4, 400)
    elbow = 10 * P[:, None] ** gamma2
    law = P[:, None] ** -gamma0 * (1 + (np.minimum(norm, elbow) / shelf) ** 4) ** (-gamma1 / 4)
    errors = law * np.random.default_rng(0).normal(1, noise, (seeds, 1, 1))
    return np.broadcast_to(norm, errors.shape), errors


def test_curves_that_coincide_have_the_exponents_that_were_put_in():
    found = norm_exponents(P, *curves())
    assert found.gamma1 == pytest.approx(0.6, abs=0.01)
    assert found.measured == pytest.approx(0.3, abs=0.005)
    assert found.gamma2 == pytest.approx(0.5, abs=0.02)
    assert found.product == found.gamma1 * found.gamma2
    assert found.total == found.gamma0 + found.product
    np.testing.assert_allclose(found.least_error, found.error.min(axis=1))
    # the elbow is where 15 % are left: before the end of the power law by that much
    ahead = found.elbow / (10 * P**0.5 * 1.15 ** (-1 / 0.6))
    assert np.all((ahead > 0.99) & (ahead < 1.01 * np.exp(np.log(2e4) / 199)))  # one grid step


def test_plateaus_make_gamma0_too_large():
    """Curves that coincide have gamma_0 = 0; but where it is read, those with few samples have passed their elbow."""
    found = norm_exponents(P, *curves())
    assert found.gamma0 > 0.05
    assert found.total > found.measured + 0.05
    assert found.common_norm > found.elbow[0]


def test_errors_are_those_of_fresh_seeds():
    fresh = [norm_exponents(P, *_noisy(seed), resamples=60, rng=seed) for seed in range(12)]
    for name in ("measured", "gamma0"):
        spread = np.std([getattr(each, name) for each in fresh], ddof=1)
        told = np.mean([each.standard_errors[name] for each in fresh])
        assert 0.4 < told / spread < 1.8
    low, high = fresh[0].interval("measured")
    assert low < fresh[0].measured < high
    with pytest.raises(DomainError, match="must be one of gamma0"):
        fresh[0].interval("gamma3")


SMOOTH = np.geomspace(0.5, 1e4, 200)
TRUTH = P[:, None] ** -0.3 * (
    1 + ((SMOOTH**-6.0 + (10 * P[:, None] ** 0.5) ** -6.0) ** (-1 / 6) / 3) ** 4
) ** (-0.6 / 4)


def _measured(errors, rng):
    norms = np.broadcast_to(SMOOTH, errors.shape)
    return norm_exponents(P, norms, errors, resamples=80, rng=rng)


def _curves_of(seeds, rng):
    """Errors of fresh seeds, with the truth as their mean: a height and a wave along training for each curve."""
    height, size = rng.normal(0, 0.1, (2, seeds, P.size, 1))
    phase = rng.uniform(0, 2 * np.pi, (seeds, P.size, 1))
    return TRUTH * np.exp(height + size * np.sin(np.log(SMOOTH) / 2 + phase) - 0.0075)


@pytest.mark.parametrize(
    ("seeds", "sets"),
    [(3, 60), *(pytest.param(r, 300, marks=pytest.mark.slow) for r in (3, 6, 12))],
)
def test_intervals_hold_the_truth_and_errors_are_the_spread(seeds, sets):
    """Resampled values alone, uncorrected, hold the measured exponent in 71 of 100 sets of three seeds."""
    truth = _measured(np.broadcast_to(TRUTH, (2, *TRUTH.shape)), 0)
    found = [
        _measured(_curves_of(seeds, np.random.default_rng([seeds, k])), k) for k in range(sets)
    ]
    for name, least in (("measured", 0.9), ("total", 0.88), ("gamma0", 0.82), ("gamma2", 0.9)):
        known = getattr(truth, name)
        inside = [low <= known <= high for low, high in (each.interval(name) for each in found)]
        assert np.mean(inside) > least, name
    spread = np.std([each.measured for each in found], ddof=1)
    told = np.sqrt(np.mean([each.standard_errors["measured"] ** 2 for each in found]))
    assert 0.8 < told / spread < 1.25


def test_errors_are_those_of_resampled_seeds_corrected_for_their_number():
    found = norm_exponents(P, *_noisy(0), resamples=50)
    assert found.seeds == 6
    spread = found.replicates.std(axis=0, ddof=1) * np.sqrt(6 / 5)
    assert list(found.standard_errors.values()) == pytest.approx(spread)
    product, total, measured = found.replicates[:, 3:].T
    for name, other in (("product", product), ("total", total)):
        apart = np.std(measured - other, ddof=1) * np.sqrt(6 / 5)
        assert found.difference_errors[name] == pytest.approx(apart)
    low, high = found.interval("gamma1")  # 2.5706: Student's t, five degrees of freedom
    assert high - found.gamma1 == pytest.approx(2.5706 * found.standard_errors["gamma1"], rel=1e-4)
    assert low + high == pytest.approx(2 * found.gamma1)


def _noisy(seed):
    norms, errors = curves(seeds=6, noise=0.0)
    return norms, errors * np.random.default_rng(seed).lognormal(0, 0.1, (*errors.shape[:2], 1))


def test_the_largest_norm_so_far_counts():
    norms, errors = curves()
    shrunk = np.array(norms)
    shrunk[..., 301::2] *= 0.9  # every second record falls back
    found = norm_exponents(P, shrunk, errors)
    assert found.measured == pytest.approx(norm_exponents(P, norms, errors).measured, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"window": 0}, "window = 0 must"),
        ({"excess": -1}, "excess = -1 must"),
        ({"steepest": 9}, "steepest = 9 must"),
        ({"resamples": 1}, "resamples = 1 must"),
        ({"samples": [1, 2]}, "at least 3"),
        ({"samples": P[::-1]}, "increasing"),
    ],
)
def test_refusals(arguments, complaint):
    norms, errors = curves()
    with pytest.raises(DomainError, match=complaint):
        norm_exponents(**{"samples": P, "norms": norms, "errors": errors, **arguments})


def test_curves_that_cannot_be_used():
    norms, errors = curves()
    with pytest.raises(DataError, match="must both be"):
        norm_exponents(P, norms[0], errors[0])
    with pytest.raises(DataError, match="must be positive"):
        norm_exponents(P, -norms, errors)
    with pytest.raises(DataError, match="have no exponents"):
        norm_exponents(P, norms[..., :20], errors[..., :20])
    with pytest.raises(DataError, match="have no exponents"):
        norm_exponents(P, norms, np.where(norms > 100, 0.0, errors))
    for count in (0, 1):
        with pytest.raises(DataError, match="two records or more"):
            norm_exponents(P, norms[..., :count], errors[..., :count])


def test_curves_are_not_read_where_they_are_not():
    norms, errors = (np.array(each) for each in curves())
    shift = np.ones((5, P.size, 1))
    shift[0, 0] = 1e6  # seeds of the first curve have no norm in common
    with pytest.raises(DataError, match="at 10 samples seeds have no norms in common"):
        norm_exponents(P, norms * shift, errors)
    shift[:, 0] = 1e-6  # no curve of few samples reaches where gamma_0 is read
    with pytest.raises(DataError, match="gamma_0 is read at .* the curve at 10 samples runs from"):
        norm_exponents(P, norms * shift, errors)


@pytest.mark.parametrize("wrong", ["abc", None, [[1], [1, 2]], 1j * np.ones((5, 5, 400))])
@pytest.mark.parametrize("name", ["norms", "errors"])
def test_what_is_no_numbers_is_refused(name, wrong):
    norms, errors = curves()
    with pytest.raises(DomainError, match=name):
        norm_exponents(P, **{"norms": norms, "errors": errors, name: wrong})


def test_resamples_beyond_memory_are_refused():
    with pytest.raises(ResourceError, match="use fewer seeds, curves or resamples"):
        norm_exponents(P, *curves(), resamples=10**12)
