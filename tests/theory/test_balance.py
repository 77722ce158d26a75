"""Optimal allocation: symbolic results, an independent linear program, exact minima, phases, and clear refusals."""

import itertools
import math
import random

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar

from scalinglaws.errors import DomainError
from scalinglaws.theory.balance import allocate, regimes_in_region
from scalinglaws.theory.balance._feasibility import can_be_positive
from scalinglaws.theory.monomials import power_of
from scalinglaws.theory.optimum import CostLimited, derive_optimum

N, D, t, C, A, B, K, P, M, d = sp.symbols("N D t C A B K P M d", positive=True)
N1, N2, D0, v, b, a, alpha, beta = sp.symbols("N_1 N_2 D_0 v b a alpha beta", positive=True)


def _same(one, two):
    return sp.simplify(sp.powdenest(sp.expand_power_base(one / two, force=True), force=True)) == 1


def _base():
    return t ** (-(a - 1) / b) + N ** (1 - a) + N**-b


# -- results that must come out -------------------------------------------------------------------------------------------


def test_time_against_model():
    (found,) = allocate(t**-beta + N ** (-alpha * beta), (N, t), (N * t, C))
    assert found.exponent(C) == -alpha * beta / (alpha + 1)
    assert found.allocation == {N: C ** (1 / (alpha + 1)), t: C ** (alpha / (alpha + 1))}
    assert sorted(found.duals.values(), key=str) == sorted(
        [alpha / (alpha + 1), 1 / (alpha + 1)], key=str
    )
    assert _same(found.exact_constant, sp.Mul(*(y**-y for y in found.duals.values())))
    assert found.conditions == ()


def test_two_powers_under_a_product_budget():
    (found,) = allocate(A * N**-alpha + B * D**-beta, (N, D), (6 * N * D, C))
    total = alpha + beta
    value = A ** (beta / total) * B ** (alpha / total) * (C / 6) ** (-alpha * beta / total)
    assert _same(found.value, value)
    assert _same(
        found.exact_constant, (total / alpha) ** (alpha / total) * (total / beta) ** (beta / total)
    )
    factor = (alpha * A / (beta * B)) ** (1 / total)
    assert _same(found.exact_alloc[N], factor * (C / 6) ** (beta / total))
    assert _same(found.exact_alloc[D], (C / 6) ** (alpha / total) / factor)


def test_costs_without_a_budget():
    (found,) = allocate(N * beta + (d / beta) ** 3, beta)
    assert _same(
        found.value * found.exact_constant,
        (N * d) ** sp.Rational(3, 4) * sp.Rational(4, 3) * 3 ** sp.Rational(1, 4),
    )
    assert found.allocation[beta] == d ** sp.Rational(3, 4) / N ** sp.Rational(1, 4)
    (found,) = allocate(d * M + N1 / M * beta + N2 / beta, (M, beta))
    assert _same(found.value * found.exact_constant, 3 * (N1 * N2 * d) ** sp.Rational(1, 3))
    assert _same(found.allocation[M], (N1 * N2) ** sp.Rational(1, 3) * d ** sp.Rational(-2, 3))
    assert _same(found.allocation[beta], N2 ** sp.Rational(2, 3) * (N1 * d) ** sp.Rational(-1, 3))


def test_a_cap_adds_a_regime():
    found = allocate(N**-alpha + D**-beta, (N, D), (N * D, C), [(D, D0)])
    assert {entry.value for entry in found} == {C ** (-alpha * beta / (alpha + beta)), D0**-beta}
    capped = next(entry for entry in found if entry.value == D0**-beta)
    assert capped.allocation == {N: C / D0, D: D0}
    assert sp.Le(D, D0, evaluate=False) in capped.active
    assert capped.exact_constant is None
    free = next(entry for entry in found if entry is not capped)
    # the exact optimum is exact only while it respects the cap
    (condition,) = free.exact_conditions
    assert condition.free_symbols == {C, D0, alpha, beta}


def test_a_cap_that_excludes_the_free_optimum():
    found = allocate(1 / N + D ** sp.Rational(-1, 2), (N, D), (N * D, 10**6), [(D, 10)])
    free = next(entry for entry in found if len(entry.duals) == 2)
    assert float(free.value * free.leading_constant) == pytest.approx(0.0189, abs=1e-4)
    assert free.exact_constant is None
    with pytest.raises(DomainError, match="exact minimum is known only"):
        _ = free.exact_alloc
    winner = found.at({})
    assert float(winner.value) == pytest.approx(
        10**-0.5
    )  # the true optimum is .3162, up to a factor 2


def test_ridge_against_noise():
    found = allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K)
    entries = regimes_in_region(found, P, {a: (1.1, 8), b: (1.05, 3)})
    got = {sp.factor(entry.exponent): entry.conditions for entry in entries}
    assert got == {
        sp.factor(-(a - 1) / a): (a - 2 * b < 1,),
        sp.factor(-2 * b / (2 * b + 1)): (a - 2 * b > 1,),
    }
    assert all(entry.uncovered == 0 for entry in entries)


PHASES = {
    "capacity above one": (
        _base() + t ** (-1 + 1 / b) / N + t ** (-2 + 1 / b),
        N * t,
        {a: (1.1, 8), b: (1.05, 3)},
        {
            ((a - 1) / (b + 1), 1 / (b + 1)): {b + 1 - a},
            ((a - 1) / a, (a - b) / a): {a - b - 1, 2 * b - a},
            ((2 * b - 1) / (2 * b), sp.Rational(1, 2)): {a - 2 * b},
        },
    ),
    "between": (
        _base() + N ** (b - 1) * t ** (-2 + 1 / b),
        N ** (2 - b) * t,
        {a: (1.1, 4), b: (0.51, 0.99)},
        {
            ((a - 1) / 2, sp.Rational(1, 2)): {b + 1 - a},
            (b / 2, sp.Rational(1, 2)): {a - b - 1, -(b**2) + 4 * b - 2},
            (
                (a - 1) * (b - 1) / (a * b - 2 * a - b**2 + 3 * b),
                -(a - 2 * b) / (a * b - 2 * a - b**2 + 3 * b),
            ): {a - b - 1, b**2 - 4 * b + 2},
        },
    ),
    "below one half": (
        _base(),
        N ** (2 - b) * t,
        {a: (1.1, 4), b: (0.1, 0.49)},
        {
            ((a - 1) / 2, sp.Rational(1, 2)): {b + 1 - a},
            (
                -b * (a - 1) / (a * b - 2 * a - b**2 - b + 2),
                -(a - 1) / (a * b - 2 * a - b**2 - b + 2),
            ): {a - b - 1},
        },
    ),
}


@pytest.mark.parametrize("name", PHASES)
def test_the_seven_phases(name):
    terms, budget, box, expected = PHASES[name]
    found = regimes_in_region(allocate(terms, (N, t), (budget, C)), C, box)
    assert len(found) == len(expected)
    for entry in found:
        exponents = (-entry.exponent, power_of(entry.regime.allocation[N], C))
        key = next(
            key
            for key in expected
            if all(sp.cancel(one - two) == 0 for one, two in zip(key, exponents, strict=True))
        )
        margins = {sp.expand(c.gts - c.lts) for c in entry.conditions}
        assert margins == {sp.expand(margin) for margin in expected[key]}
        assert entry.uncovered == 0
    assert sum(entry.fraction for entry in found) == pytest.approx(1)
    # evaluation by piecewise and by recomputation agree, boundaries included
    whole, source = found.as_piecewise(decay=True), random.Random(3)
    for _ in range(20):
        point = {
            key: sp.Rational(source.randrange(1, 40), 40) * sp.Rational(str(hi - lo))
            + sp.Rational(str(lo))
            for key, (lo, hi) in box.items()
        }
        assert (
            whole.subs(point)
            == -allocate(terms.subs(point), (N, t), (budget.subs(point), C)).at({}, C).value
        )


# -- independent algorithms ---------------------------------------------------------------------------------------------


def _random_problem(source):
    count, scales = source.randrange(1, 7), source.randrange(1, 4)
    free = sp.symbols(f"x1:{scales + 1}", positive=True)

    def rational():
        return sp.Rational(source.randrange(-6, 7), source.randrange(1, 4))

    terms = [(rational(), [rational() for _ in free]) for _ in range(count)]
    budgets = (
        [(rational(), [rational() for _ in free])] if scales > 1 and source.random() < 0.7 else []
    )
    caps = [(rational(), [rational() for _ in free]) for _ in range(source.randrange(0, 3))]
    return (
        free,
        terms,
        [item for item in budgets if any(item[1])],
        [item for item in caps if any(item[1])],
    )


def _as_monomial(free, powers):
    return sp.Mul(*(name**power for name, power in zip(free, powers, strict=True)))


def test_random_linear_programs():
    source, checked, unbounded, impossible = random.Random(11), 0, 0, 0
    while checked < 50:
        free, terms, budgets, caps = _random_problem(source)
        sums = [C**c * _as_monomial(free, powers) for c, powers in terms]
        terms = [
            (c, powers) for c, powers in terms if c or any(powers)
        ]  # the optimum of the excess
        # minimize z with c_i + a_i.x <= z, F.x = C (budgets), F.x <= C (caps)
        upper = [[*map(float, powers), -1] for _, powers in terms] + [
            [*map(float, powers), 0] for _, powers in caps
        ]
        right = [-float(c) for c, _ in terms] + [float(c) for c, _ in caps]
        equal = (
            {
                "A_eq": [[*map(float, p), 0] for _, p in budgets],
                "b_eq": [float(c) for c, _ in budgets],
            }
            if budgets
            else {}
        )
        lp = linprog(
            [0] * len(free) + [1],
            A_ub=upper,
            b_ub=right,
            bounds=[(None, None)] * (len(free) + 1),
            **equal,
        )
        pairs = [
            [(_as_monomial(free, powers), C**c) for c, powers in group] for group in (budgets, caps)
        ]
        if lp.status == 0:
            value = allocate(sums, free, pairs[0], pairs[1]).at({}, C).value
            assert float(value) == pytest.approx(lp.fun, abs=1e-12)
            checked += 1
        else:
            with pytest.raises(DomainError, match=r"falls to zero|no balance|no common point"):
                allocate(sums, free, pairs[0], pairs[1]).at({}, C)
            unbounded, impossible = unbounded + (lp.status == 3), impossible + (lp.status == 2)
    assert unbounded > 10
    assert impossible > 0


def test_random_exact_minima():
    source = random.Random(5)
    for _ in range(10):
        c1, c2, p, q, budget = (source.uniform(0.3, 3) for _ in range(5))
        u, w = source.uniform(0.3, 2), source.uniform(0.3, 2)
        values = {A: c1, B: c2, alpha: p, beta: q, C: budget}
        (entry,) = allocate(
            A * N**-alpha + B * D**-beta,
            (N, D),
            (N ** sp.Rational(str(round(u, 3))) * D ** sp.Rational(str(round(w, 3))), C),
        )
        u, w = round(u, 3), round(w, 3)

        def loss(x, c1=c1, c2=c2, p=p, q=q, u=u, w=w, budget=budget):
            n = math.exp(x)
            return c1 * n**-p + c2 * (budget / n**u) ** (-q / w)

        best = minimize_scalar(loss, bracket=(-1, 1), tol=1e-14)
        assert float((entry.value * entry.exact_constant).subs(values)) == pytest.approx(
            best.fun, rel=1e-10
        )
        assert math.log(float(entry.exact_alloc[N].subs(values))) == pytest.approx(best.x, abs=1e-6)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0.2, 5), st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=5
    ),
    st.floats(1.5, 50),
)
def test_the_value_is_the_minimum_up_to_the_number_of_terms(terms, budget):
    exact = sp.Rational(str(round(budget, 3)))
    sums = [sp.Rational(str(round(c, 3))) * N**p * D**q for c, p, q in terms]
    try:
        value = float(allocate(sums, (N, D), (N * D, exact)).at({}).value)
    except DomainError:
        return  # unbounded
    function = sp.lambdify(N, sp.Add(*sums).subs(D, exact / N))
    grid = np.exp(np.linspace(-60, 60, 60_001))
    lowest = float(np.min(function(grid) * np.ones_like(grid)))
    assert value * (1 - 1e-9) <= lowest <= len(terms) * value * 1.01


def test_phase_exponents_at_random_points():
    """The derived exponents equal a direct minimization of the largest term, at 75 points."""
    source = np.random.default_rng(2)
    for terms, budget, box, _ in PHASES.values():
        found = allocate(terms, (N, t), (budget, C))
        for _ in range(25):
            point = {
                key: sp.Rational(str(round(source.uniform(lo, hi), 3)))
                for key, (lo, hi) in box.items()
            }
            powers = [
                (float(power_of(term.subs(point), N)), float(power_of(term.subs(point), t)))
                for term in sp.Add.make_args(terms)
            ]
            u, w = float(power_of(budget.subs(point), N)), float(power_of(budget.subs(point), t))

            def highest(n, powers=powers, u=u, w=w):
                return max(p * n + q * (1 - u * n) / w for p, q in powers)

            corners = {0.0}
            for (p1, q1), (p2, q2) in itertools.combinations(powers, 2):
                slope = (p1 - q1 * u / w) - (p2 - q2 * u / w)
                if slope:
                    corners.add(-(q1 - q2) / w / slope)
            assert float(found.at(point, C).value) == pytest.approx(
                min(map(highest, corners)), abs=1e-12
            )


# -- regions ------------------------------------------------------------------------------------------------------------


def test_a_region_may_be_a_sampler_or_have_conditions():
    found = allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K)
    sampled = regimes_in_region(
        found, P, lambda rng: (rng.uniform(1.1, 3), rng.uniform(1.05, 3)), (a, b)
    )
    assert len(sampled) == 1  # a < 3 < 1 + 2b
    assert sampled[0].conditions == ()
    hard = regimes_in_region(found, P, {a: (1.1, 8), b: (1.05, 3)}, where=[a < 2])
    assert len(hard) == 1
    with pytest.raises(DomainError, match="region is empty"):
        regimes_in_region(found, P, {a: (1.1, 8), b: (1.05, 3)}, where=[a < 1], samples=5)
    with pytest.raises(DomainError, match="no range for b"):
        regimes_in_region(found, P, {a: (1.1, 8)})


def test_ties_are_flagged():
    found = allocate(1 / N + 1 / t + N ** (-beta) + t ** (-beta), (N, t), (N * t, C))
    at_one = allocate(1 / N + 1 / t + 2 / sp.sqrt(N * t), (N, t), (N * t, C)).at({}, C)
    assert at_one.ties
    assert found.at({beta: 2}, C).ties == ()


def test_points_where_nothing_balances_are_refused():
    found = allocate(N ** (beta - 1) + 1 / N, N)
    assert found.at({beta: 2}, None).value == 1
    with pytest.raises(DomainError, match="no balance is possible at beta = 0.5"):
        found.at({beta: 0.5})
    with pytest.raises(DomainError, match="no balance is possible"):
        regimes_in_region(allocate(C * N ** (beta - 1) + C / N, N), C, {beta: (0.1, 0.9)})


# -- what can be, and what moves --------------------------------------------------------------------------------------------


def test_balances_that_contradict_themselves_are_not_listed():
    e = sp.Symbol("e", positive=True)
    found = allocate(N**-a + D**-b + N**-e, (N, D), (N * D, C))
    assert [set(entry.duals) for entry in found] == [{N**-a, D**-b}, {N**-e, D**-b}]
    assert all(entry.possible for entry in found)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([b - a, a - b], False),
        ([a - b, b - alpha, alpha - a], False),  # a circle of three
        ([a - b, b - alpha, alpha - 1], True),
        ([a - 1, 1 - a], False),
        ([-(a**2) - b], False),
        ([a - 2 * b, 2 * b - a + alpha], True),
        ([(a - b) * (a - v), (b - a) * (b - v), (v - a) * (v - b)], False),  # all are the largest
        ([a * b - a - 1, b - 2, 3 - b], True),
        ([a * b - 1, 1 - a * b], False),  # products, told apart by the program all the same
        ([10**6 * a - b, b - 999_999 * a, v - 1], True),  # no random point: the program finds one
        ([a * b - v, v - a, 1 - b], None),  # true that it never holds, and not proved
    ],
)
def test_whether_conditions_can_hold_together(signs, expected):
    assert can_be_positive(signs) is expected


def test_feasibility_agrees_with_an_independent_program():
    source = random.Random(5)
    names, found = (a, b, v), set()
    for _ in range(60):
        rows = [[source.randint(-3, 3) for _ in range(4)] for _ in range(4)]
        signs = [sp.Add(*(x * y for x, y in zip(row, (*names, 1), strict=True))) for row in rows]
        # largest room r with every row >= r and every symbol >= r
        matrix = [[*(-x for x in row[:3]), 1] for row in rows]
        matrix += [[*(-float(i == j) for j in range(3)), 1] for i in range(3)]
        room = linprog(
            [0, 0, 0, -1],
            A_ub=matrix,
            b_ub=[*(row[3] for row in rows), 0, 0, 0],
            bounds=[(None, None)] * 3 + [(None, 1)],
        )
        expected = bool(-room.fun > 1e-9)
        assert can_be_positive(signs) is expected
        found.add(expected)
    assert found == {True, False}


def test_constants_do_not_move_the_optimum():
    plain = allocate(A * N**-alpha + B * D**-beta, (N, D), (6 * N * D, C))
    found = allocate(A * N**-alpha + B * D**-beta + M + 3, (N, D), (6 * N * D, C))
    assert found.irreducible == M + 3
    assert plain.irreducible == 0
    assert [entry.value for entry in found] == [entry.value for entry in plain]
    assert found[0].exact_constant == plain[0].exact_constant
    numbers = {alpha: sp.Rational(1, 3), beta: sp.Rational(2, 5), A: 400, B: 410, C: 10**20}
    excess = found.at({**numbers, M: 1.7}).value * found[0].exact_constant.subs(numbers)

    def loss(log_n):
        n = math.exp(log_n)
        return 1.7 + 3 + 400 * n ** (-1 / 3) + 410 * (1e20 / 6 / n) ** -0.4

    least = minimize_scalar(loss, bounds=(5, 40), method="bounded", options={"xatol": 1e-9})
    assert float(excess) + 4.7 == pytest.approx(least.fun, rel=1e-12)
    assert found.at({**numbers, M: 2}, None) == found.at(numbers)
    with pytest.raises(DomainError, match="contains none of the free scales"):
        allocate(M + A, (N, D), (N * D, C))
    with pytest.raises(DomainError, match="must be positive"):
        found.at({**numbers, M: -1})
    # what grows with the budget is no constant
    assert allocate(1 / N + N / C + C ** (-b), N).irreducible == 0


# -- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((sp.exp(N) + 1 / N, N), r"exp\(N\) is not a monomial"),
        (((1 + N) ** alpha + 1 / N, N), "is not a monomial"),
        ((N**N + 1 / N, N), "is not a monomial"),
        ((-N + 1 / N, N), "coefficient -1 of -N must be positive"),
        ((sp.Symbol("c") * N + 1 / N, N), "declare its symbols with positive=True"),
        ((N ** sp.Symbol("p", imaginary=True) + 1 / N, N), "must be real"),
        ((N + 1 / N, sp.Symbol("n")), "must be one or more different symbols"),
        (([], N), "terms is empty"),
        ((N**-alpha + D**-beta, (N, D)), "with N -> infinity, D -> infinity all terms vanish"),
        ((N + D, (N, D), [(N * D, C), ((N * D) ** 2, C)]), "budgets .* depend on each other"),
        ((1 / N + 1 / D, (N, D), (N * D, 100), [(N, 5), (D, 5)]), "no common point"),
        ((1 / N + N, N, (N, D * N)), "must not contain free scales"),
        ((1 / N + N, N, (D, 3)), "contains none of the free scales"),
        ((1 / N + N, N, [sp.Ge(N, 3)]), "must be a pair"),
    ],
)
def test_bad_programs_name_the_culprit(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        allocate(*arguments)


def test_symbolic_caps_that_exclude_each_other_are_found_at_a_point():
    found = allocate(1 / N + 1 / D, (N, D), (N * D, C), [(N, A), (D, B)])
    (ratio,) = found.compatibility
    assert ratio == A * B / C
    assert float(found.at({A: 10, B: 20, C: 100}).value) == pytest.approx(0.1)
    with pytest.raises(DomainError, match="no common point"):
        found.at({A: 5, B: 5, C: 100})
    with pytest.raises(DomainError, match="no common point"):
        allocate(1 / N + 1 / D, (N, D), (N * D, C), [(N, C**alpha), (D, C**alpha)]).at(
            {alpha: 0.4}, C
        )


def test_numbers_that_are_missing_are_named():
    found = allocate(A * N**-alpha + B * D**-beta, (N, D), (N * D, C))
    with pytest.raises(DomainError, match="missing for beta"):
        found.at({alpha: 1}, C)
    with pytest.raises(DomainError, match="C grows without bound"):
        found.at({alpha: 1, beta: 1, C: 3}, C)


def test_equal_powers_are_one_term():
    (found,) = allocate([2 * A / N, 3 * A / N, N], N)
    assert _same(found.value * found.exact_constant, 2 * sp.sqrt(5 * A))
    assert len(allocate(A / N + B / N + N, N)) == 2  # either amplitude may be the larger one
    assert allocate(A * N**-0.5 + N, N)[0].exponent(A) == sp.Rational(
        2, 3
    )  # floats are read as decimals


def test_a_balance_prints_and_shows_itself():
    (found,) = allocate(t**-beta + N ** (-alpha * beta), (N, t), (N * t, C))
    assert "where" in str(found)
    assert found._repr_latex_().startswith("$")


# -- constants where balances are equal, and points where the symbolic answer does not hold ---------------------------------


def test_tied_balances_claim_no_constant():
    half = sp.Rational(1, 2)
    cases = [
        CostLimited({"m": 1 / N, "d": N / C, "e": N**3 / C**2}, (N,), C),
        CostLimited({"m": 1 / N, "d": N / C, "e": C**-half}, (N,), C),
        CostLimited(
            {"m": N**-a, "d": D**-a, "e": (N * D) ** (-a / 2)},
            (N, D),
            C,
            (N * D, C),
            box={a: (half, 2)},
        ),
    ]
    for model in cases:
        found = derive_optimum(model)
        assert [entry.constant for entry in found.regimes] == [None]
        assert found.derivation.refused() is None
    # the upper half of the argument is there even where the balance leaves a scale open
    steps = derive_optimum(cases[2]).derivation.steps
    assert [str(entry.quantity) for entry in steps[:2]] == ["N", "D"]
    lonely = derive_optimum(
        CostLimited({"e": (N * D) ** (-a / 2)}, (N, D), C, (N * D, C), box={a: (half, 2)})
    )
    assert lonely.regimes[0].constant == 1
    assert lonely.derivation.refused() is None


def test_only_a_symbol_of_the_problem_can_grow():
    found = allocate(N**-a + D**-b, (N, D), (N * D, C))
    for scale in (sp.Symbol("C"), "C", N, a):
        for call in (
            lambda scale=scale: found.at({a: 1, b: 1}, scale),
            lambda scale=scale: found[0].exponent(scale),
            lambda scale=scale: regimes_in_region(found, scale, {a: (1, 2), b: (1, 2)}),
        ):
            with pytest.raises(DomainError, match="is no symbol of the coefficients and bounds"):
                call()
    with pytest.raises(DomainError, match="of = A contains none of the scales"):
        derive_optimum(CostLimited({"m": 1 / N, "d": N / C}, (N,), C), of=A)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({a: 2}, "missing for b"),
        ({"a": 2, "b": 2}, "a is no parameter"),
        ({a: 1, b: 1, M: 3}, "M is no parameter"),
        ({a: 1, b: -1}, "b = -1 must be positive"),
        (None, "must map symbols to numbers"),
    ],
)
def test_values_are_checked_at_the_door(values, complaint):
    with pytest.raises(DomainError, match=complaint):
        allocate(N**-a + D**-b, (N, D), (N * D, C)).at(values, C)


def test_constraints_that_exclude_each_other_at_a_point():
    with pytest.raises(DomainError, match="no common point"):
        allocate(1 / N + 1 / D, (N, D), (N * D ** (a - 1), C), [(N, sp.sqrt(C))]).at({a: 1}, C)
    with pytest.raises(DomainError, match="degenerates"):
        allocate(1 / N + N**2, N, None, [(N ** (a - b), C**-b)]).at({a: 1, b: 1}, C)
    with pytest.raises(DomainError, match="degenerates"):
        allocate(1 / N + 1 / D, (N, D), [((N * D) ** (a - 1), C)], [(N * D, C**2)]).at({a: 1}, C)


def test_random_parametric_programs_at_random_points():
    """Symbolic once, evaluated at points: the same as a linear program at every point, or a refusal."""
    source, checked = random.Random(23), 0
    while checked < 40:
        powers = [
            [
                sp.Rational(source.randrange(-3, 4)) + source.choice([0, a, b, a * b])
                for _ in range(2)
            ]
            for _ in range(3)
        ]
        budget = [sp.Rational(1), sp.Rational(1) + source.choice([0, a - 1, b])]
        try:
            found = allocate(
                [_as_monomial((N, D), row) for row in powers],
                (N, D),
                (_as_monomial((N, D), budget), C),
            )
        except DomainError:
            continue
        used = set().union(
            *(sp.sympify(power).free_symbols for row in [*powers, budget] for power in row)
        )
        point = {name: sp.Rational(source.randrange(1, 8), 3) for name in (a, b) if name in used}
        rows = [[*(float(sp.sympify(p).subs(point)) for p in row), -1.0] for row in powers]
        fixed = [[*(float(sp.sympify(p).subs(point)) for p in budget), 0.0]]
        lp = linprog(
            [0, 0, 1], A_ub=rows, b_ub=[0.0] * 3, A_eq=fixed, b_eq=[1.0], bounds=[(None, None)] * 3
        )
        if lp.status == 0:
            assert float(found.at(point, C).value) == pytest.approx(lp.fun, abs=1e-9)
            checked += 1
        else:
            with pytest.raises(DomainError):
                found.at(point, C)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("N**-a", N), "must be a SymPy expression"),
        ((True, N), "must be a SymPy expression"),
        ((N + 1 / N, None), "must be one or more different symbols"),
    ],
)
def test_wrong_types_are_refused(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        allocate(*arguments)


def test_regions_are_checked_at_the_door():
    found = allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K)
    box = {a: (1.1, 3), b: (1.05, 3)}
    assert len(regimes_in_region(found, P, box, where=a < 2)) == 1  # a single condition
    for bad in ({a: (1,), b: (1, 2)}, {a: (np.nan, 2), b: (1, 2)}, {a: (3, 1), b: (1, 2)}):
        with pytest.raises(DomainError, match="two finite numbers"):
            regimes_in_region(found, P, bad)
    with pytest.raises(DomainError, match="samples = 0"):
        regimes_in_region(found, P, box, samples=0)
    with pytest.raises(DomainError, match="regimes is empty"):
        regimes_in_region([], P, box)
