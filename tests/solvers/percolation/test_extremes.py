"""Arguments at the ends of floating-point numbers: an answer, or a refusal in words, in bounded work."""

import math

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.results import Result
from scalinglaws.solvers.percolation import (
    allocate_integer,
    cluster_cutoff,
    cluster_size_probability,
    crossover_data_loss,
    crossover_model_loss,
    data_loss,
    data_loss_expansion,
    subcritical_sizes,
    zipf_model_loss,
)
from scalinglaws.solvers.percolation.allocation import whole_units

INF = math.inf


@pytest.mark.parametrize("occupation", [1e-300, 1e-30, 1e-9, 0.3, 1 - 1e-9, 1 - 2.0**-52])
@pytest.mark.parametrize(("size", "coordination"), [(3, 3), (4, 20), (4, 2), (30, 5)])
def test_sizes_at_chances_next_to_nothing_and_to_one(size, coordination, occupation):
    with mpmath.workdps(40):
        s, z, p = size, coordination, mpmath.mpf(occupation)
        exact = (
            mpmath.mpf(z)
            / (s - 1)
            * mpmath.binomial((z - 1) * s, s - 2)
            * p ** (s - 1)
            * (1 - p) ** ((z - 2) * s + 2)
        )
        rate = -mpmath.log(p * (1 - p) ** (z - 2))
        if z > 2:
            rate -= mpmath.log(mpmath.mpf(z - 1) ** (z - 1) / mpmath.mpf(z - 2) ** (z - 2))
    found = cluster_size_probability(s, coordination=z, occupation=occupation)
    assert found == pytest.approx(float(exact), rel=1e-11, abs=1e-310)
    assert cluster_cutoff(coordination=z, occupation=occupation) == pytest.approx(
        float(rate), rel=1e-12
    )


def test_the_size_law_of_the_report():
    # 19/3 C(76, 2) 20/19 p^3 = 20/3 * 2850 p^3
    found = cluster_size_probability(4, coordination=20, occupation=1e-30)
    assert found == pytest.approx(1.9e-86, rel=1e-13)


@pytest.mark.parametrize("alpha", [1e-3, 2.0, 1e3, 1e4, 1e6])
@pytest.mark.parametrize("rank", [5e-324, 1e-300, 1e-5, 0.3, 0.9])
def test_subcritical_sizes_solve_their_equation(alpha, rank):
    log_x = math.log(max(subcritical_sizes(rank, alpha=alpha, crossover_rank=1.0), 5e-324))
    if log_x < -700:  # underflow: x^-t = k + Gamma(1 - t), below all floating-point numbers
        return
    with mpmath.workdps(30):
        t = 1 / (1 + mpmath.mpf(alpha))
        assert float(t * mpmath.gammainc(-t, mpmath.exp(log_x))) == pytest.approx(
            rank, rel=1e-10 * max(1, abs(math.log(rank))), abs=1e-322
        )


def test_a_rank_that_underflows_in_units_of_the_crossover():
    found = subcritical_sizes(5e-324, alpha=2, crossover_rank=1.85e6)
    with mpmath.workdps(30):
        t = mpmath.mpf(1) / 3
        log = mpmath.log(t * mpmath.gammainc(-t, found))
        assert float(log) == pytest.approx(math.log(5e-324) - math.log(1.85e6), rel=1e-13)


def _relative_sizes(alpha, crossover, count):
    """Return s_k/s_1 for a small t, by mpmath."""
    with mpmath.workdps(40):
        t = 1 / (1 + mpmath.mpf(alpha))
        logs = []
        for k in range(1, count + 1):
            start = -k * alpha / mpmath.mpf(crossover) - mpmath.euler
            logs.append(
                mpmath.findroot(
                    lambda y, k=k: (
                        t * mpmath.gammainc(-t, mpmath.exp(y)) - mpmath.mpf(k) / crossover
                    ),
                    start,
                )
            )
        return np.array([float(mpmath.exp(y - logs[0])) for y in logs])


def test_clusters_that_fall_off_a_cliff():
    sizes = _relative_sizes(1e4, 1000, 3)
    # each cluster is e^10 times smaller than the last: at n = 1000 some of them are learned
    best = min(
        np.sum(np.sqrt(sizes[:j])) ** 2 / 1000 + np.sum(sizes[j:]) for j in range(1, 4)
    ) / np.sum(sizes)
    found = crossover_model_loss(1e3, alpha=1e4, exponent=1.0)
    assert found == pytest.approx(best, rel=1e-3)
    assert found == pytest.approx(0.001013576, rel=1e-6)
    # without any second cluster, that of the first alone
    assert crossover_model_loss(1e3, alpha=1e300, exponent=1.0) == pytest.approx(1e-3, rel=1e-12)
    assert crossover_data_loss(1e3, alpha=1e300, exponent=1.0) == pytest.approx(1e-3, rel=1e-9)


@pytest.mark.parametrize("alpha", [5e-324, 1e-300, 1e-17])
@pytest.mark.parametrize("exponent", [0.5, 1.0, 100.0])
def test_weights_that_hardly_fall_leave_everything_unlearned(alpha, exponent):
    task = {"alpha": alpha, "exponent": exponent}
    assert crossover_model_loss(538.0, **task) == pytest.approx(1.0, abs=1e-12)
    assert crossover_data_loss(538.0, **task) == pytest.approx(1.0, abs=1e-12)
    assert data_loss(538.0, **task).loss == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("alpha", [1e-12, 1e-8, 1e-4])
def test_a_loss_next_to_one_has_its_slope(alpha):
    # the leading term of the Mellin expansion, in which all but the first sample teach: M(s) = Gamma(s) + Gamma(s + 1)
    shortfall = 1 - data_loss(1e15, alpha=alpha, exponent=INF).loss
    with mpmath.workdps(30):
        a = mpmath.mpf(alpha)
        s, c = a / (1 + a), 1 / mpmath.zeta(1 + a)
        transform = mpmath.gamma(s) * (1 + s)
        exact = 1 - transform / (1 + a) * c ** (1 / (1 + a)) * mpmath.mpf(1e15) ** -s
    assert shortfall == pytest.approx(float(exact), rel=1e-6, abs=3e-14)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.ExtrapolationWarning")
def test_the_expansion_at_the_ends():
    huge = data_loss_expansion(1e300, alpha=0.01, exponent=100.0)
    assert huge.loss == pytest.approx(data_loss(1e300, alpha=0.01, exponent=100.0).loss, rel=1e-9)
    assert data_loss_expansion(1e300, alpha=1, exponent=1).loss == pytest.approx(
        data_loss(1e300, alpha=1, exponent=1).loss, rel=1e-9
    )
    for samples, alpha, exponent in ((1, 1e-300, 100.0), (1e300, 1e4, 1.0), (1, 30.0, 100.0)):
        with pytest.raises(DomainError, match="is beyond the expansion at alpha"):
            data_loss_expansion(samples, alpha=alpha, exponent=exponent)
    for alpha in (5e-324, 1e300):
        with pytest.raises(DomainError, match="alpha = .* must lie between 1e-300 and 1e"):
            data_loss_expansion(10, alpha=alpha, exponent=1.0)


@pytest.mark.parametrize("law", ["hard", "shifted"])
@pytest.mark.parametrize("exponent", [1e-300, 1e-9, 1.0, 1e9, 1e300])
@pytest.mark.parametrize("n", [10, 2**53])
def test_whole_units_at_any_exponent(law, exponent, n):
    found = allocate_integer([1.0, 2.0], n, exponents=exponent, law=law)
    assert found.allocation.sum() == n
    assert (found.allocation > 0).all()
    if exponent >= 1e9:
        assert found.loss < 1e-300  # two units each, or one under the shifted law, teach everything
    if exponent <= 1e-9 and n > 10:  # shares in proportion to the weights
        assert found.allocation[1] / found.allocation[0] == pytest.approx(2, rel=1e-6)


def test_whole_units_are_handed_out_in_bounded_work(monkeypatch):
    monkeypatch.setattr(whole_units, "_MOST_CHOICES", 2**20)
    monkeypatch.setattr(whole_units, "_PORTION", 2**16)
    # two blocks of 2e12 and most of a third: single units, one by one
    with pytest.raises(ResourceError, match="take more than 1048576 choices of single units"):
        allocate_integer([1.0] * 10, 5 * 10**12, exponents=1.0, scales=1e12)
    # portions change nothing
    monkeypatch.undo()
    weights = 1.0 / np.arange(1.0, 40) ** 2
    expected = allocate_integer(weights, 10**4, exponents=0.5, scales=3.0)
    monkeypatch.setattr(whole_units, "_PORTION", 1)
    found = allocate_integer(weights, 10**4, exponents=0.5, scales=3.0)
    np.testing.assert_array_equal(found.allocation, expected.allocation)
    assert (found.loss, found.bound) == (expected.loss, expected.bound)


def test_many_digits_are_bounded_and_saved(tmp_path):
    with pytest.raises(
        DomainError, match="digits = 10000000 must be a whole number from 1 to 1000"
    ):
        zipf_model_loss(1e3, alpha=1, exponent=0.5, digits=10**7)
    one = zipf_model_loss(1e15, alpha=1, exponent=0.5, digits=25)
    many = zipf_model_loss([0.0, 1e3, 1e15, INF], alpha=1, exponent=0.5, digits=25)
    far = zipf_model_loss(1e100, alpha=0.3, exponent=0.7, digits=25)
    for found in (one, many, far):
        again = Result.load(found.save(tmp_path / "loss.npz"))
        assert np.all(again.loss == found.loss)
        assert np.all(again.break_rank == found.break_rank)
        assert type(again.loss) is type(found.loss)
    assert type(one.break_rank) is int
    assert one.to_dict()["loss"].lstrip("0.").startswith("2160303975502039028")
    assert many.to_dict()["break_rank"][1] == 45
    assert float(far.loss) == pytest.approx(
        zipf_model_loss(1e100, alpha=0.3, exponent=0.7).loss, rel=1e-12
    )
