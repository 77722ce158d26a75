"""Tables of the expected loss of a cluster: against sums in many digits and the sums they replace; many points against single ones."""

import math

import mpmath
import numpy as np
import pytest

from scalinglaws.solvers.percolation import crossover_data_loss, data_loss
from scalinglaws.solvers.percolation.sampling import tabulated
from scalinglaws.solvers.percolation.sampling.expectation import (
    HARD,
    TREE,
    expansion_threshold,
    expected_losses,
    law_table,
)

LAWS = [
    (HARD, 0.05, 1.0),
    (HARD, 0.5, 1.0),
    (HARD, 0.5, 0.01),
    (HARD, 1.3, 0.2),
    (HARD, 2.0, 1.0),
    (TREE, 0.5, 1e-4),
    (TREE, 0.5, 1.0),
    (TREE, 0.5, 70.0),
    (TREE, 0.5, 1e6),
]
SAMPLES = (10_000, 23_456, 1_000_000)
MEANS = (0.0101, 0.7, 5.3, 40.0, 63.9, 64.1, 250.0, 3000.0)


def curve(d, law, exponent, scale):
    """Return the loss after d samples."""
    if law == HARD:
        return mpmath.mpf(1) if d <= scale else (mpmath.mpf(d) / scale) ** -mpmath.mpf(exponent)
    if d == 0:
        return mpmath.mpf(1)
    u = mpmath.mpf(d) / scale
    return mpmath.log(mpmath.cosh(2 * mpmath.sqrt(u))) / (2 * u)


def summed(samples, p, law, exponent, scale):
    """Sum over the counts of one cluster within sixteen standard deviations, upward from the smallest."""
    with mpmath.workdps(30):
        p, odds = mpmath.mpf(p), mpmath.mpf(p) / (1 - mpmath.mpf(p))
        mean = float(samples * p)
        low = max(0, int(mean - 16 * math.sqrt(mean)))
        high = min(samples, int(mean + 16 * math.sqrt(mean) + 40))
        chance, norm, total = mpmath.mpf(1), mpmath.mpf(0), mpmath.mpf(0)
        for d in range(low, high + 1):
            norm += chance
            total += chance * curve(d, law, exponent, scale)
            chance *= (samples - d) * odds / (d + 1)
        return float(total / norm)


@pytest.mark.parametrize(("law", "exponent", "scale"), LAWS)
def test_tables_have_the_digits_of_sums_in_thirty(law, exponent, scale):
    table = tabulated.loss_table(law, exponent, scale)
    for k, mean in enumerate(MEANS):
        samples = SAMPLES[k % 3]
        p = mean / samples
        found = table.total(np.array([math.log(p)]), math.log(samples), np.ones(1))
        assert found == pytest.approx(summed(samples, p, law, exponent, scale), rel=1e-13), mean


@pytest.mark.parametrize(("law", "exponent", "scale"), LAWS)
@pytest.mark.parametrize("samples", [1e4, 3.1e5, 1e9, 1e18])
def test_tables_are_the_sums_and_expansions_they_replace(law, exponent, scale, samples):
    table = tabulated.loss_table(law, exponent, scale)
    logs = np.linspace(math.log(0.01), math.log(0.999 * samples), 400) - math.log(samples)
    exponents, found = np.array([exponent]), np.empty(1)
    rule = (exponents, expansion_threshold(exponents), np.array([scale]), law)
    rule = (*rule, *law_table(law, exponent, scale))
    for log in logs:
        size = np.array([math.exp(log)])
        expected_losses(np.array([samples]), size, 0.0, np.ones(1), *rule, found)
        one = table.total(np.array([log]), math.log(samples), np.ones(1))
        # rounding of the logarithm of a mean moves what falls as its power
        assert one == pytest.approx(found[0], rel=1e-13), log


@pytest.mark.parametrize(
    ("law", "exponent", "scale"),
    [
        (HARD, 0.0, 1.0),
        (HARD, 2.1, 1.0),
        (HARD, math.inf, 1.0),
        (HARD, 0.5, 1.5),
        (HARD, 0.5, 0.0),
        (HARD, 2.0, 0.1),
        (TREE, 0.5, 1e-5),
        (TREE, 0.5, 1e7),
    ],
)
def test_no_table_where_it_would_lose_digits(law, exponent, scale):
    assert tabulated.loss_table(law, exponent, scale) is None


POINTS = np.array([0, 1, 50, 9_999, 10_000, 123_456, 1e8, 1e12, 1e19])


@pytest.mark.parametrize(
    "given",
    [
        {"alpha": 1, "exponent": 0.5},
        {"alpha": 0.3, "exponent": 0.5, "law": "tree", "scales": 3},
        {"alpha": 4, "exponent": 2.5},
        {"alpha": 1, "exponent": 0.5, "sampling": 0.7},
        {"alpha": 1, "exponent": 1, "support": 2000},
        {"weights": np.arange(700, 0, -1) ** -2.0, "exponent": 0.5},
        {"weights": np.arange(1, 9.0), "exponent": 0.5, "scales": 2},
    ],
)
def test_many_points_are_single_ones(given):
    many = data_loss(POINTS, **given).loss
    assert many.tolist() == [data_loss(point, **given).loss for point in POINTS]
    assert many[::-1].tolist() == data_loss(POINTS[::-1], **given).loss.tolist()


def test_many_points_below_the_threshold_are_single_ones():
    given = {"alpha": 1, "exponent": 0.5}
    many = crossover_data_loss(POINTS, **given)
    assert many.tolist() == [crossover_data_loss(point, **given) for point in POINTS]


@pytest.mark.parametrize(
    ("law", "exponent", "scale"), [(HARD, 0.5, 1.0), (HARD, 1.9, 0.9), (TREE, 0.5, 20.0)]
)
def test_lists_in_any_order_with_clusters_too_rare_for_a_table(law, exponent, scale, monkeypatch):
    rng = np.random.default_rng(0)
    weights = 10.0 ** rng.uniform(-12, 0, 900)
    drawn = weights / weights.sum()
    samples = np.array([20.0, 1e4, 1e7, 1e11])
    found = tabulated.listed_losses(samples, drawn, drawn, exponent, scale, law)
    monkeypatch.setattr(tabulated, "_SHORT", 1000)
    plain = tabulated.listed_losses(samples, drawn, drawn, exponent, scale, law)
    assert found == pytest.approx(plain, rel=1e-13)
    assert found[0] == plain[0]
    assert np.any(found != plain)
