"""The exact minimum of a sum under budgets and caps, against minimization by other means."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.balance import allocate

N, D, T, C = sp.symbols("N D t C", positive=True)


def found_by_search(terms, start, equal=(), below=()):
    """Minimize log(sum c exp(a.z)) by SciPy's SLSQP, which shares no code with the toolkit."""
    powers = np.array([power for _, power in terms], float)
    heights = np.log([float(size) for size, _ in terms])

    def loss(z):
        return float(np.logaddexp.reduce(powers @ z + heights))

    constraints = [
        {"type": "eq", "fun": lambda z, row=row, bound=bound: np.dot(row, z) - math.log(bound)}
        for row, bound in equal
    ] + [
        {"type": "ineq", "fun": lambda z, row=row, bound=bound: math.log(bound) - np.dot(row, z)}
        for row, bound in below
    ]
    best = minimize(
        loss,
        start,
        constraints=constraints,
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 999},
    )
    return math.exp(best.fun), np.exp(best.x)


def test_the_budget_of_a_practitioner():
    text = "1.69 + 406.4/N**0.34 + 410.7/D**0.28"
    best = theory.allocate(text, "6*N*D = C").minimum({C: 1e21})
    # an elementary closed form: N = (a A/(b B))^(1/(a + b)) (C/6)^(b/(a + b))
    ratio = 0.34 * 406.4 / (0.28 * 410.7)
    size = ratio ** (1 / 0.62) * (1e21 / 6) ** (0.28 / 0.62)
    assert best.scales[N] == pytest.approx(size, rel=1e-13)
    assert best.scales[D] == pytest.approx(1e21 / 6 / size, rel=1e-13)
    assert f"{best.excess:.6f}" == "0.638883"
    assert best.total == pytest.approx(1.69 + best.excess, rel=1e-15)
    assert best.reached
    assert list(best.shares.values()) == pytest.approx([0.28 / 0.62, 0.34 / 0.62], rel=1e-13)
    same = theory.allocate(text, "6*N*D = 1e21").at({}).minimum
    assert same.scales == pytest.approx(best.scales, rel=1e-14)
    assert theory.allocate(text, ["6*N*D = C"]).minimum({"C": 1e21}) == best


@pytest.mark.parametrize(
    ("terms", "equal", "below", "start"),
    [
        # three resources, one budget, five terms of several sizes
        (
            [
                (3, (-0.5, 0, 0)),
                (2, (0, -1, 0)),
                (7, (0, 0, -0.3)),
                (40, (-1, -0.5, 0)),
                (1, (0, -1, -1)),
            ],
            [((1, 1, 1), 1e9)],
            [],
            (7, 7, 7),
        ),
        # exponents that tie
        ([(1, (-0.5, 0)), (4, (0, -0.5)), (2, (-0.5, -0.5))], [((1, 1), 1e6)], [], (7, 7)),
        # a cap that is reached, and one that is not
        (
            [(3, (-0.5, 0, 0)), (2, (0, -1, 0)), (7, (0, 0, -0.3))],
            [((1, 1, 1), 1e9)],
            [((0, 0, 1), 1e4), ((1, 0, 0), 1e12)],
            (6, 6, 8),
        ),
        # two budgets on three scales
        (
            [(1, (-0.5, 0, 0)), (1, (0, -0.7, 0)), (5, (0, 0, -0.2)), (1e-6, (1, 0, 0))],
            [((1, 1, 0), 1e8), ((0, 1, 1), 1e7)],
            [],
            (9, 9, 7),
        ),
        # no budget, but a price
        ([(400, (-0.34,)), (1e-9, (1,))], [], [], (10,)),
    ],
)
def test_minimum_agrees_with_a_search(terms, equal, below, start):
    scales = (N, D, T)[: len(start)]

    def monomial(powers):
        return sp.Mul(*(x ** sp.Rational(str(p)) for x, p in zip(scales, powers, strict=True)))

    best = allocate(
        sp.Add(*(sp.Rational(str(size)) * monomial(power) for size, power in terms)),
        scales,
        [(monomial(row), sp.Rational(str(bound))) for row, bound in equal],
        [(monomial(row), sp.Rational(str(bound))) for row, bound in below],
    ).minimum()
    value, where = found_by_search(terms, start, equal, below)
    assert best.excess == pytest.approx(value, rel=1e-9)
    assert best.excess <= value * (1 + 1e-12)  # nothing that a search finds is better
    assert [best.scales[x] for x in scales] == pytest.approx(list(where), rel=1e-3)


exponents = st.integers(1, 30).map(lambda n: sp.Rational(n, 10))
sizes = st.integers(-8, 8).map(lambda n: sp.Integer(10) ** n)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(sizes, exponents), min_size=1, max_size=3),
    st.lists(st.tuples(sizes, exponents), min_size=1, max_size=3),
    sizes,
    st.integers(6, 40),
)
def test_random_sums_of_powers_have_no_better_neighbor_and_are_balanced(ones, twos, cross, decades):
    whole = (
        sp.Add(*(size * N**-power for size, power in ones))
        + sp.Add(*(size * D**-power for size, power in twos))
        + cross / (N * D)
    )
    budget = sp.Integer(10) ** decades
    best = allocate(whole, (N, D), (N * D, budget)).minimum(digits=25)
    with mpmath.workdps(40):
        loss = sp.lambdify((N, D), whole, "mpmath")
        n = best.scales[N]

        def along(u):
            return loss(n * mpmath.exp(u), budget / (n * mpmath.exp(u)))

        here = along(0)
        assert abs(best.excess / here - 1) < 1e-23
        assert all(along(u) >= here for u in (-3, -0.5, -1e-3, 1e-3, 0.5, 3))
        assert abs(mpmath.diff(along, 0)) < 1e-15 * here
        assert abs(sum(best.shares.values()) - 1) < 1e-23


def test_thirty_digits_are_digits():
    best = theory.allocate("406.4/N**0.34 + 410.7/D**0.28", "6*N*D = 1e21").minimum(digits=40)
    with mpmath.workdps(60):
        a, b = mpmath.mpf("0.34"), mpmath.mpf("0.28")
        ratio = a * mpmath.mpf("406.4") / (b * mpmath.mpf("410.7"))
        size = ratio ** (1 / (a + b)) * (mpmath.mpf(10) ** 21 / 6) ** (b / (a + b))
        assert abs(best.scales[N] / size - 1) < mpmath.mpf(10) ** -39


def test_limits_are_told_from_minima():
    gone = allocate(1 / N + 1 / D, (N, D), caps=[(D, sp.Integer(10))]).minimum()
    assert (gone.excess, gone.reached) == (pytest.approx(0.1), False)
    assert gone.scales[N] is None
    assert gone.shares[1 / N] == 0
    product = allocate(N * D + 1 / (N * D), (N, D)).minimum()
    assert product.excess == pytest.approx(2)
    assert product.scales == {N: None, D: None}
    pinned = allocate(N + 1 / N + 1 / D + D / N, (N, D), caps=[(N, sp.S(1)), (1 / N, sp.S(1))])
    assert pinned.minimum().scales == pytest.approx({N: 1, D: 1})


def test_elasticities_are_derivatives():
    terms = 1 / sp.sqrt(N) + 1 / D + 3 / T
    found = allocate(terms, (N, D, T), (N * D * T, C), [(T, sp.Symbol("T_0", positive=True))])
    numbers = {C: 1e9, sp.Symbol("T_0", positive=True): 50}
    here = found.minimum(numbers)
    for name, bound in zip(numbers, here.elasticities, strict=True):
        more = found.minimum({**numbers, name: numbers[name] * 1.001})
        slope = math.log(more.excess / here.excess) / math.log(1.001)
        assert here.elasticities[bound] == pytest.approx(slope, rel=2e-3)


def test_refusals_say_what_is_missing():
    found = theory.allocate("E + A/N**a + B/D**b", "6*N*D = C")
    with pytest.raises(DomainError, match="missing for C"):
        found.minimum({"A": 1, "B": 1, "a": 1, "b": 1})
    without = found.minimum({"A": 1, "B": 1, "a": 1, "b": 1, "C": 600})
    assert without.total is None
    assert without.excess == pytest.approx(0.2)
    with pytest.raises(DomainError, match="digits"):
        found.minimum({"A": 1, "B": 1, "a": 1, "b": 1, "C": 600}, digits=0)
    a, b = sp.symbols("a b", positive=True)
    with pytest.raises(DomainError, match="grows without bound"):
        _ = allocate(N**-a + D**-b, (N, D), (N * D, C)).at({a: 1, b: 1}, scale=C).minimum
    with pytest.raises(DomainError, match="no number that a float holds"):
        allocate(1 / N + 1 / D, (N, D), (N * D, C)).minimum({C: sp.Integer(10) ** 700})
    with pytest.raises(DomainError, match="which scales are free"):
        theory.allocate("1/N + N")
    with pytest.raises(DomainError, match="monomial=bound"):
        theory.allocate("1/N + 1/D", "N*D")


def test_values_are_short():
    found = theory.allocate("1.69 + 406.4/N**0.34 + 410.7/D**0.28", "6*N*D = 5.76e23")
    assert len(str(found.at({}).value)) < 25
    eighth = theory.allocate("K**-3 + v*K", free="K").at(
        {sp.Symbol("v", positive=True): sp.Rational(1, 16)}
    )
    assert eighth.value == sp.Rational(1, 8)
