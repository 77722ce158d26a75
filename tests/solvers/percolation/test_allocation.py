"""Budgets divided between clusters: known values, exhaustive search, convex optimization, duality and limits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.percolation import (
    allocate,
    allocate_integer,
    cluster_learning_curve,
    prepare_allocation,
    zipf_model_loss,
)
from scalinglaws.solvers.percolation.allocation import inverse_loss, prefix_sums
from scalinglaws.solvers.percolation.bethe import tree

POSITIVE = st.floats(1e-6, 1e3)
EXPONENT = st.floats(0.05, 5)
SCALE = st.floats(0.1, 10)


@st.composite
def problems(draw, most=12):
    count = draw(st.integers(1, most))
    column = [
        np.array(draw(st.lists(kind, min_size=count, max_size=count)))
        for kind in (POSITIVE, EXPONENT, SCALE)
    ]
    return (*column, draw(st.floats(1e-3, 1e5)))


def left(x, beta, law):
    if law == "tree":
        return cluster_learning_curve(x)
    if law == "shifted":
        return (1 + x) ** -beta
    with np.errstate(divide="ignore"):
        return np.minimum(1.0, x**-beta)


def heterogeneous():
    k = np.arange(1, 1001.0)
    return k**-1.7 * (1 + 0.3 * np.sin(k)), 1 + 0.5 * np.cos(k), 0.4 + 0.3 * np.sin(k) ** 2


def test_heterogeneous_clusters_have_the_known_losses(reference):
    known = reference("percolation_allocation")["heterogeneous"]
    w, m, beta = heterogeneous()
    hard = allocate(w, 1000, exponents=beta, scales=m)
    assert hard.loss == pytest.approx(known["hard"], rel=1e-12)
    assert hard.bound == hard.loss
    assert hard.diagnostics.error_estimate == 0.0
    assert hard.log_multiplier == pytest.approx(known["log_multiplier"], abs=1e-9)
    assert allocate(w, 1000, exponents=beta, scales=m, law="shifted").loss == pytest.approx(
        known["shifted"], rel=1e-12
    )


def test_bound_at_the_first_excluded_threshold(reference):
    known = reference("percolation_allocation")["heterogeneous"]
    w, m, beta = heterogeneous()
    hard = allocate(w, 1000, exponents=beta, scales=m)
    threshold = np.log(w * beta / m) - (1 + beta) / beta * np.log1p(beta)
    level = threshold[threshold < hard.log_multiplier].max()
    assert level == pytest.approx(known["first_excluded_threshold"], abs=5e-7)
    learned = threshold > level
    share = m * (beta * w / m * np.exp(-level)) ** (1 / (1 + beta)) * learned
    bound = np.sum(
        np.where(learned, w * left(np.where(learned, share, m) / m, beta, "hard"), w)
    ) + math.exp(level) * (share.sum() - 1000)
    assert bound == pytest.approx(known["bound_at_first_excluded"], rel=1e-12)


def test_curve_of_the_tree_law(reference):
    for u, loss, slope in reference("percolation_allocation")["tree"]["rows"]:
        assert cluster_learning_curve(u) == pytest.approx(loss, rel=2e-10)
        assert tree.tree_slope(u) == pytest.approx(slope, rel=2e-9)


@given(st.floats(1e-8, 1e12))
def test_inverse_of_the_slope(u):
    p = tree.tree_slope(u) ** (-1 / 3)
    found, rise = inverse_loss.inverse_slope(p, inverse_loss.table())
    assert found == pytest.approx(u, rel=1e-12, abs=2e-12)
    step = 1e-4 * p
    ends = [
        inverse_loss.inverse_slope(p + sign * step, inverse_loss.table())[0] for sign in (-1, 1)
    ]
    if ends[0] > 0:
        assert rise == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-6)


@given(
    st.lists(POSITIVE, min_size=1, max_size=6),
    st.floats(0.01, 8),
    st.floats(0.1, 10),
    st.floats(0.05, 1e4),
    st.sampled_from(["hard", "shifted"]),
)
def test_prefix_against_every_subset(weights, beta, m, n, law):
    w, x = np.array(weights), n / m
    best = w.sum()
    for size in range(1, w.size + 1):
        for chosen in itertools.combinations(range(w.size), size):
            c = w[list(chosen)] ** (1 / (1 + beta))
            rest = np.delete(w, chosen).sum()
            if law == "hard":
                best = min(best, c.sum() * (c.sum() / x) ** beta + rest)
            elif ((x + size) * c >= c.sum()).all():
                best = min(best, c.sum() * (c.sum() / (x + size)) ** beta + rest)
    found = allocate(w, n, exponents=beta, scales=m, law=law)
    assert found.loss == pytest.approx(best, rel=1e-12)


@given(problems(), st.sampled_from(["hard", "shifted", "tree"]))
def test_answer_is_feasible_and_above_its_bound(problem, law):
    w, beta, m, n = problem
    found = allocate(w, n, exponents=0.5 if law == "tree" else beta, scales=m, law=law)
    assert (found.allocation >= 0).all()
    assert found.bound <= found.loss <= w.sum() * (1 + 1e-14)
    assert found.loss == pytest.approx(np.sum(w * left(found.allocation / m, beta, law)), rel=1e-11)
    assert np.count_nonzero(found.allocation) == found.included
    if found.included:
        assert found.allocation.sum() == pytest.approx(n, rel=1e-12)
    else:
        assert law == "hard"


@given(problems(), st.sampled_from(["hard", "shifted", "tree"]), st.integers(0, 2**32 - 1))
def test_no_other_allocation_beats_the_bound(problem, law, seed):
    w, beta, m, n = problem
    found = allocate(w, n, exponents=0.5 if law == "tree" else beta, scales=m, law=law)
    rng = np.random.default_rng(seed)
    for spread in (0.01, 0.3, 3.0):
        other = (found.allocation + 1e-3 * n * rng.random(w.size)) * np.exp(
            spread * rng.standard_normal(w.size)
        )
        other *= n / other.sum()
        assert np.sum(w * left(other / m, beta, law)) >= found.bound * (1 - 1e-12)


@given(problems(5))
@settings(max_examples=50)
def test_gap_of_the_hard_law_is_at_most_one_cluster(problem):
    w, beta, m, n = problem
    found = allocate(w, n, exponents=beta, scales=m)
    best = w.sum()
    for size in range(1, w.size + 1):
        for chosen in map(list, itertools.combinations(range(w.size), size)):
            # on a set, the optimum of x^-beta; where a share falls below its scale the formula only overstates the loss
            low, high = -200.0, 200.0
            for _ in range(100):
                level = 0.5 * (low + high)
                share = m[chosen] * (beta[chosen] * w[chosen] / m[chosen] * math.exp(-level)) ** (
                    1 / (1 + beta[chosen])
                )
                low, high = (level, high) if share.sum() > n else (low, level)
            best = min(
                best,
                np.sum(w[chosen] * (share / m[chosen]) ** -beta[chosen])
                + np.delete(w, chosen).sum(),
            )
    assert found.bound <= best * (1 + 1e-11)
    assert best <= found.loss * (1 + 1e-11)
    assert found.loss - found.bound <= w.max()


@given(problems(), st.sampled_from(["shifted", "tree"]))
def test_optimality_conditions(problem, law):
    w, beta, m, n = problem
    beta = np.full(w.size, 0.5) if law == "tree" else beta
    found = allocate(w, n, exponents=beta, scales=m, law=law)
    x = found.allocation / m
    slopes = (
        np.array([tree.tree_slope(u) for u in x])
        if law == "tree"
        else beta * (1 + x) ** (-1 - beta)
    )
    prices = w / m * slopes
    level = math.exp(found.log_multiplier)
    assert prices[x > 0] == pytest.approx(level, rel=1e-9)
    assert (prices[x == 0] <= level * (1 + 1e-9)).all()


@given(problems())
def test_optimality_conditions_of_the_hard_law(problem):
    w, beta, m, n = problem
    found = allocate(w, n, exponents=beta, scales=m)
    x = found.allocation / m
    learned = x > 1
    prices = (w / m * beta)[learned] * x[learned] ** (-1 - beta[learned])
    assert prices == pytest.approx(math.exp(found.log_multiplier), rel=1e-9)
    if found.bound == found.loss and found.included:
        assert (x[learned] >= (1 + beta[learned]) ** (1 / beta[learned]) * (1 - 1e-9)).all()


@pytest.mark.parametrize("law", ["shifted", "tree"])
@pytest.mark.parametrize("n", [0.3, 4.0, 300.0])
def test_convex_laws_against_a_general_optimizer(law, n):
    rng = np.random.default_rng(5)
    w, m, beta = (
        rng.random(12) + 0.01,
        rng.random(12) + 0.3,
        np.full(12, 0.5) if law == "tree" else rng.random(12) + 0.3,
    )
    found = allocate(w, n, exponents=beta, scales=m, law=law)
    other = minimize(
        lambda x: np.sum(w * left(np.maximum(x, 0) * n / m, beta, law)),
        np.full(12, 1 / 12),
        method="SLSQP",
        bounds=[(0, 1)] * 12,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert other.fun >= found.loss * (1 - 1e-12)
    assert other.fun == pytest.approx(found.loss, rel=1e-6)


@given(
    st.lists(POSITIVE, min_size=2, max_size=30),
    EXPONENT,
    SCALE,
    st.floats(1e-2, 1e6),
    st.sampled_from(["hard", "shifted"]),
)
def test_general_solver_reproduces_the_prefix_solver(weights, beta, m, n, law):
    w = np.array(weights)
    prefix = allocate(w, n, exponents=beta, scales=m, law=law)
    # a second scale, of a cluster without weight, sends the same problem to the general solver
    scales = np.append(np.full(w.size, m), 2 * m)
    general = allocate(np.append(w, 0.0), n, exponents=beta, scales=scales, law=law)
    assert general.loss == pytest.approx(prefix.loss, rel=1e-12)
    assert general.bound == pytest.approx(prefix.bound, rel=1e-10, abs=1e-13 * w.sum())
    assert general.allocation[-1] == 0.0
    if prefix.diagnostics.error_estimate == 0.0:
        assert general.allocation[:-1] == pytest.approx(
            prefix.allocation, rel=1e-8, abs=1e-9 * (n + m)
        )
        if prefix.included:
            assert general.log_multiplier == pytest.approx(prefix.log_multiplier, abs=1e-9)


@given(problems(), st.sampled_from(["hard", "shifted", "tree"]), st.randoms(use_true_random=False))
def test_order_and_units_do_not_matter(problem, law, random):
    w, beta, m, n = problem
    beta = np.full(w.size, 0.5) if law == "tree" else beta
    order = np.array(random.sample(range(w.size), w.size))
    found = allocate(w, n, exponents=beta, scales=m, law=law)
    mixed = allocate(w[order], n, exponents=beta[order], scales=m[order], law=law)
    scaled = allocate(3 * w, 7 * n, exponents=beta, scales=7 * m, law=law)
    assert mixed.loss == pytest.approx(found.loss, rel=1e-12)
    assert scaled.loss == pytest.approx(3 * found.loss, rel=1e-12)
    if found.included and scaled.allocation == pytest.approx(7 * found.allocation, rel=1e-9):
        # where one more cluster makes no difference, either choice is the best, each with a multiplier of its own
        assert scaled.log_multiplier == pytest.approx(
            found.log_multiplier + math.log(3 / 7), abs=1e-8
        )
    if np.unique(w).size == w.size:
        assert mixed.allocation == pytest.approx(
            found.allocation[order], rel=1e-8, abs=1e-8 * (n + m.max())
        )


@pytest.mark.parametrize("law", ["hard", "shifted", "tree"])
@pytest.mark.parametrize("scales", [2.0, (1.0, 2.0, 0.5, 3.0, 1.0)])
def test_ends_zeros_and_ties(law, scales):
    w = np.array([1.0, 0.0, 2.0, 1.0, 1.0])
    found = allocate(w, [0.0, 1e-9, 7.0, 1e12, np.inf], exponents=0.5, scales=scales, law=law)
    assert found.allocation.shape == (5, 5)
    assert (found.allocation[:, 1] == 0).all()
    assert (found.allocation[0] == 0).all()
    assert found.loss[0] == found.bound[0] == 5.0
    assert np.isinf(found.allocation[-1][w > 0]).all()
    assert found.loss[-1] == 0.0
    assert found.log_multiplier[-1] == -np.inf
    assert found.included.tolist()[0] == 0
    assert found.included.tolist()[-2:] == [4, 4]
    assert (np.diff(found.loss) <= 0).all()
    assert (np.diff(found.log_multiplier) <= 1e-12).all()
    single = [
        allocate(w, n, exponents=0.5, scales=scales, law=law)
        for n in (0.0, 1e-9, 7.0, 1e12, np.inf)
    ]
    assert [one.loss for one in single] == pytest.approx(found.loss, rel=1e-13, abs=0)
    nothing = allocate(
        [0.0, 0.0],
        [0.0, 3.0, np.inf],
        exponents=0.5,
        scales=[1, 2] if np.ndim(scales) else 1,
        law=law,
    )
    assert (nothing.allocation == 0).all()
    assert (nothing.loss == 0).all()


def test_ties_are_taken_in_the_order_given():
    found = allocate([1.0] * 5, 2.5 * 3, exponents=0.5)
    assert found.included == 3
    assert found.allocation.tolist() == [2.5, 2.5, 2.5, 0.0, 0.0]


@pytest.mark.parametrize("beta", [1e-9, 1e-4, 0.5, 30.0, 1e5])
def test_first_two_entries_at_any_exponent(beta):
    # two equal clusters are worth as much as one where 2 (2/n)^beta = n^-beta + 1
    with mpmath.workdps(50):
        exact = float((mpmath.mpf(2) ** (1 + mpmath.mpf(beta)) - 1) ** (1 / mpmath.mpf(beta)))
    assert prefix_sums.entry(0.5, beta) == pytest.approx(exact, rel=1e-14)
    assert prefix_sums.entry(1.0, beta) == 1.0
    assert prefix_sums.entry(1e-18, beta) * 1e-18 == pytest.approx(
        math.exp(math.log1p(beta) / beta), rel=1e-12
    )


def test_large_exponents_buy_whole_clusters():
    w = np.arange(1, 11.0) ** -2
    found = allocate(w, 4.5, exponents=1e4)
    assert found.included == 4
    assert found.loss == pytest.approx(w[4:].sum(), rel=1e-12)
    assert found.allocation[:4] == pytest.approx(np.full(4, 4.5 / 4), rel=1e-3)


@pytest.mark.parametrize("law", ["hard", "shifted"])
def test_many_ranks_approach_the_infinite_ensemble(law):
    count, alpha = 200_000, 1.0
    w = np.arange(1, count + 1.0) ** -(1 + alpha)
    prepared = prepare_allocation(w, exponent=0.5, law=law)
    tail = np.pi**2 / 6 - w.sum()
    n = np.array([10.0, 1e3, 1e5])
    infinite = zipf_model_loss(n, alpha=alpha, exponent=0.5, law=law)
    found = prepared.solve(n)
    assert found.included.tolist() == infinite.break_rank.tolist()
    assert found.loss + tail == pytest.approx(infinite.loss, rel=1e-11)
    assert prepared.solve(1e3).loss == found.loss[1]


def test_smallest_share_is_the_tangent_point():
    # the next share is larger by a/k_b < 2e-3
    w = np.arange(1, 100_001.0) ** -2
    for beta, least in ((0.25, 2.441), (0.5, 2.25), (1, 2.0), (1.5, 1.842)):
        shares = allocate(w, 5e5, exponents=beta).allocation
        assert shares[shares > 0].min() == pytest.approx(least, rel=3e-3)


def test_tiny_budgets_are_spent_in_full():
    for law in ("shifted", "tree"):
        for n in (1e-300, 1e-20, 1e-12):
            found = allocate([1.0, 3.0, 2.0], n, exponents=0.5, scales=[1, 1, 2], law=law)
            assert found.allocation.tolist() == [0.0, pytest.approx(n, rel=1e-14, abs=0), 0.0]


def test_result_survives_a_file(tmp_path):
    found = allocate([2.0, 1.0], [1.0, 5.0], exponents=0.5)
    again = type(found).load(found.save(tmp_path / "a.npz"))
    assert again.to_dict() == found.to_dict()


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("weights", {"weights": [1.0, -1.0]}),
        ("weights", {"weights": []}),
        ("weights", {"weights": [[1.0]]}),
        ("weights", {"weights": [1e308, 1e308]}),
        ("n", {"n": -1.0}),
        ("n", {"n": np.nan}),
        ("exponents", {"exponents": 0.0}),
        ("exponents", {"exponents": [1.0, 2.0, 3.0]}),
        ("exponents", {"law": "tree", "exponents": 1.0}),
        ("scales", {"scales": [1.0, 0.0]}),
        ("law", {"law": "soft"}),
    ],
)
def test_bad_arguments_are_named(argument, change):
    given_ = {"weights": [2.0, 1.0], "n": 3.0, "exponents": 0.5, **change}
    with pytest.raises(DomainError) as refusal:
        allocate(**given_)
    assert refusal.value.argument == argument


def test_what_does_not_fit_is_refused_beforehand(monkeypatch):
    w = np.ones(10_000)
    n = np.ones(200_000)
    with pytest.raises(ResourceError, match="with_allocation=False"):
        allocate(w, n, exponents=0.5)
    with pytest.raises(ResourceError, match="at most 50000 budgets"):
        prepare_allocation(w, exponent=0.5).solve(n, with_allocation=True)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "300kB")
    with pytest.raises(ResourceError, match="10000 clusters would hold .* use at most 9375"):
        allocate_integer(w, 10, exponents=0.5)
    assert allocate(w, n, exponents=0.5, with_allocation=False).allocation is None
    with pytest.raises(DomainError, match="common"):
        prepare_allocation([1.0, 2.0], exponent=[0.5, 1.0])
