"""Infinitely many clusters, and whole units: known values, dynamic programming, direct sums, digits and limits."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import allocate, allocate_integer, zipf_model_loss
from scalinglaws.solvers.percolation.allocation import zipf


def test_known_values(reference):
    for law, alpha, beta, n, rank, loss in reference("percolation_allocation")["zipf"]["rows"]:
        found = zipf_model_loss(n, alpha=alpha, exponent=beta, law=law)
        assert found.break_rank == rank
        assert found.loss == pytest.approx(loss, rel=5e-13, abs=0)
        exact = zipf_model_loss(n, alpha=alpha, exponent=beta, law=law, digits=30)
        assert exact.break_rank == rank
        assert isinstance(exact.break_rank, int)
        assert float(exact.loss) == pytest.approx(loss, rel=5e-13, abs=0)
        assert found.loss == pytest.approx(float(exact.loss), rel=1e-14, abs=0)


@given(
    st.floats(0.01, 4), st.floats(0.02, 5), st.floats(0, 12), st.sampled_from(["hard", "shifted"])
)
@settings(max_examples=40)
def test_double_precision_against_digits(alpha, beta, decades, law):
    n = 10.0**decades
    found = zipf_model_loss(n, alpha=alpha, exponent=beta, law=law)
    exact = zipf_model_loss(n, alpha=alpha, exponent=beta, law=law, digits=25)
    assert found.loss == pytest.approx(float(exact.loss), rel=1e-13 * (1 + beta), abs=0)
    # where ranks are counted in doubles, one unit, or the rounding of the condition for entering
    assert found.break_rank == pytest.approx(exact.break_rank, rel=1e-12, abs=1)


@given(st.floats(0.05, 3), st.floats(0.05, 3), st.integers(31, 3000))
def test_sums_against_direct_ones(alpha, beta, m):
    a = (1 + alpha) / (1 + beta)
    first = 20 + 2 * math.ceil(max(a, 1 + alpha))
    head = math.fsum(k**-a for k in range(1, first + 1))
    assert zipf.zipf_head(float(m), a, float(first), head) == pytest.approx(
        math.fsum(k**-a for k in range(1, m + 1)), rel=1e-14
    )
    exact = float(mpmath.zeta(1 + alpha, m + 1))
    assert zipf.zipf_tail(float(m), alpha, float(first)) == pytest.approx(exact, rel=1e-13)
    assert zipf.zipf_tail(3.0, alpha, float(first)) == pytest.approx(
        float(mpmath.zeta(1 + alpha, 4)), rel=1e-13
    )


@pytest.mark.parametrize("law", ["hard", "shifted"])
def test_nothing_happens_where_the_exponents_meet(law):
    at = zipf_model_loss(1e9, alpha=1, exponent=1.0, law=law).loss
    for distance in (1e-15, 1e-12, 1e-9, 1e-6):
        beside = [
            zipf_model_loss(1e9, alpha=1, exponent=1 + sign * distance, law=law).loss
            for sign in (-1, 1)
        ]
        assert sum(beside) / 2 == pytest.approx(at, rel=1e-13 + 1e3 * distance**2)
        assert beside == pytest.approx([at, at], rel=1e-13 + 30 * distance)
        assert distance < 1e-12 or beside[0] > at > beside[1]


def test_exponents_of_the_loss_with_their_logarithm():
    n = 10.0 ** np.array([200, 240])
    for alpha, beta in ((1, 0.25), (1, 3), (0.5, 2), (2, 0.5)):
        loss = zipf_model_loss(n, alpha=alpha, exponent=beta).loss
        assert np.log(loss[0] / loss[1]) / np.log(1e40) == pytest.approx(min(alpha, beta), rel=1e-9)
    loss = zipf_model_loss(n, alpha=1, exponent=1).loss
    x = 1 + np.log(n) + np.euler_gamma - math.log(2)
    from scipy.special import lambertw

    w = lambertw(np.exp(np.euler_gamma) * n / 2).real
    closed = w**2 / n + 1 / (n / 2 / w)
    assert loss == pytest.approx(closed, rel=1e-9, abs=0)
    assert (x > w).all()


def test_closed_forms_of_large_budgets():
    least = 2.25
    n = 1e6
    zeta = float(mpmath.zeta(4 / 3))
    rank = (n / (least * zeta)) ** 0.75
    assert zeta**1.5 * n**-0.5 - 0.5 * 2 / 0.5 / rank == pytest.approx(0.006529465165, rel=1e-9)
    assert zipf_model_loss(n, alpha=1, exponent=0.5).loss == pytest.approx(0.006529465165, rel=1e-3)
    rank = 0.5 / 2.5 * 1e15 / 2.5 ** (1 / 1.5)
    assert 1.5 / 0.5 / rank == pytest.approx(2.763023624e-14, rel=1e-9, abs=0)
    assert zipf_model_loss(1e15, alpha=1, exponent=1.5).loss == pytest.approx(
        2.763023624e-14, rel=3e-3, abs=0
    )


@pytest.mark.parametrize("law", ["hard", "shifted"])
def test_ends(law):
    total = np.pi**2 / 6
    found = zipf_model_loss([0, 0.5, 1, 1e18, np.inf], alpha=1, exponent=0.5, law=law)
    assert found.loss[0] == pytest.approx(total, rel=1e-15)
    assert found.break_rank[0] == 0
    assert found.break_rank[1] == (0 if law == "hard" else 1)
    assert found.break_rank[2] == 1
    assert found.loss[-1] == 0
    assert found.break_rank[-1] == np.inf
    exact = zipf_model_loss([0, 0.5, 1, np.inf], alpha=1, exponent=0.5, law=law, digits=20)
    assert exact.break_rank.tolist()[:3] == found.break_rank.tolist()[:3]
    assert [float(x) for x in exact.loss[:3]] == pytest.approx(found.loss[:3], rel=1e-14)
    with pytest.raises(DomainError, match="count"):
        zipf_model_loss(1e305, alpha=0.5, exponent=3.0, law=law)


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("n", {"n": -1}),
        ("alpha", {"alpha": 0}),
        ("alpha", {"alpha": [1, 2]}),
        ("exponent", {"exponent": np.inf}),
        ("exponent", {"exponent": 2000.0}),
        ("law", {"law": "tree"}),
        ("digits", {"digits": 0}),
        ("digits", {"digits": 2.5}),
    ],
)
def test_bad_arguments_are_named(argument, change):
    with pytest.raises(DomainError) as refusal:
        zipf_model_loss(**{"n": 10.0, "alpha": 1, "exponent": 0.5, **change})
    assert refusal.value.argument == argument


def dynamic_programming(w, beta, m, n, law):
    """Return the smallest loss of whole shares that sum to at most n."""
    beta, m = np.broadcast_to(beta, w.shape), np.broadcast_to(m, w.shape)
    units = np.arange(n + 1.0)
    best = np.zeros(n + 1)
    for weight, b, size in zip(w, beta, m, strict=True):
        curve = (
            (1 + units / size) ** -b
            if law == "shifted"
            else np.minimum(1.0, (np.maximum(units, 1e-9) / size) ** -b)
        )
        best = np.array(
            [np.min(best[: i + 1][::-1] + weight * curve[: i + 1]) for i in range(n + 1)]
        )
    return best[n]


def test_whole_units_have_the_known_losses(reference):
    known = reference("percolation_allocation")["integer"]
    w = np.arange(1, known["clusters"] + 1.0) ** -(1 + known["alpha"])
    for law, beta, n, loss in known["rows"]:
        assert dynamic_programming(w, beta, 1.0, n, law) == pytest.approx(loss, rel=1e-12)
        found = allocate_integer(w, n, exponents=beta, law=law)
        assert found.loss == pytest.approx(loss, rel=1e-12)
        assert found.allocation.sum() == n


@st.composite
def small(draw):
    count = draw(st.integers(1, 8))
    columns = [st.floats(0.01, 10), st.floats(0.1, 3), st.floats(0.3, 5)]
    return (
        *(np.array(draw(st.lists(kind, min_size=count, max_size=count))) for kind in columns),
        draw(st.integers(0, 60)),
    )


@given(small())
@settings(max_examples=60)
def test_greedy_choice_of_the_shifted_law_is_optimal(problem):
    w, beta, m, n = problem
    found = allocate_integer(w, n, exponents=beta, scales=m, law="shifted")
    assert found.allocation.sum() == n
    assert (
        found.bound
        == found.loss
        == pytest.approx(dynamic_programming(w, beta, m, n, "shifted"), rel=1e-13)
    )


@given(small())
@settings(max_examples=100)
def test_greedy_choice_of_the_hard_law_keeps_its_bound(problem):
    w, beta, m, n = problem
    found = allocate_integer(w, n, exponents=beta, scales=m)
    best = dynamic_programming(w, beta, m, n, "hard")
    assert found.bound <= best * (1 + 1e-13)
    assert best <= found.loss * (1 + 1e-13)
    assert found.allocation.sum() <= n
    if found.bound == found.loss:
        assert found.loss == pytest.approx(best, rel=1e-13)


@pytest.mark.parametrize("law", ["hard", "shifted"])
@pytest.mark.parametrize("scales", [1.0, 2.7])
def test_head_start_gives_the_same_units(law, scales):
    # K much below n: nearly all units are given at once; the dynamic program knows nothing of that
    w = np.arange(1, 7.0) ** -1.5
    for n in (13, 40, 150):
        found = allocate_integer(w, n, exponents=0.7, scales=scales, law=law)
        best = dynamic_programming(w, 0.7, scales, n, law)
        assert found.loss == pytest.approx(best, rel=1e-13) or (
            law == "hard" and found.bound <= best < found.loss
        )
    large = allocate_integer(w, 10**12, exponents=0.7, scales=scales, law=law)
    assert large.allocation.sum() == 10**12
    assert large.loss == pytest.approx(
        allocate(w, 1e12, exponents=0.7, scales=scales, law=law).loss, rel=1e-12
    )


def test_whole_units_refuse_fractions():
    for n in (1.5, -1, [1, 2], 2**60):
        with pytest.raises(DomainError):
            allocate_integer([1.0, 2.0], n, exponents=0.5)
    with pytest.raises(DomainError):
        allocate_integer([1.0], 3, exponents=0.5, law="tree")
    assert allocate_integer([0.0, 0.0], 5, exponents=0.5).allocation.tolist() == [0.0, 0.0]
