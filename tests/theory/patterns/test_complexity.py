"""The pattern engine: reference values, closed forms, and three ways to the same exponents."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from scalinglaws.errors import DomainError
from scalinglaws.theory.balance import Power, TropicalProgram, allocate
from scalinglaws.theory.patterns import (
    Architecture,
    attention,
    closed_forms,
    convolutional,
    cost,
    enumerate_patterns,
    erf_cost,
    erf_optimum,
    fully_connected,
    optimize,
    sample_complexity,
    transfer_order,
)

d, N, M, beta, C, S = sp.symbols("d N M beta C S", positive=True)
n, n1, n2 = sp.symbols("n n_1 n_2", positive=True)
N1, N2, M1, M2, beta2 = sp.symbols("N_1 N_2 M_1 M_2 beta_2", positive=True)
u, u1, u2 = sp.symbols("u u_1 u_2", positive=True)
SECOND = sp.Rational(1, 2)


@pytest.fixture(scope="module")
def table(root):
    return json.loads((root / "tests/reference/patterns.json").read_text())


def _pattern(architecture, name, **options):
    return next(
        pattern for pattern in enumerate_patterns(architecture, **options) if str(pattern) == name
    )


def _fractions(architecture):
    return tuple(Fraction(int(entry.p), int(entry.q)) for entry in architecture.size_exponents)


# -- reference values ---------------------------------------------------------------------------------------------------


def _family(name):
    """M neurons of amplitude u are one family, S1 and S its edges; inflating all (G) is none."""
    return None if "G(" in name else name.replace("S1", "S")


@pytest.mark.parametrize("row", range(36))
def test_reference_rows(table, row):
    entry = table["engine"][row]
    build = convolutional if entry.get("cnn") else fully_connected
    found = sample_complexity(
        build(entry["widths"], entry["degree"]), purity=entry.get("purity", False)
    )
    assert found.exponent == sp.Rational(entry["exponent"])
    names = [str(winner) for winner in found.winners]
    assert names[: len(entry["winners"])] == entry["winners"]
    ranked = {str(ranked): ranked for ranked in found.ranking}
    for name, (exponent, parameters) in entry["others"].items():
        assert ranked[name].exponent == sp.Rational(exponent)
        if parameters is not None:
            # the table has squared amplitudes
            assert [
                2 * power if str(symbol).startswith("u") else power
                for symbol, power in ranked[name].parameters.items()
            ] == [sp.Rational(power) for power in parameters]
    if "second" in entry:
        assert min(
            other.exponent for other in found.ranking if other.exponent > found.exponent
        ) == sp.Rational(entry["second"])
    if "next" in entry:
        families = {}
        for other in found.ranking:
            families.setdefault(_family(str(other)), other.exponent)
        assert min(
            exponent
            for name, exponent in families.items()
            if name is not None and exponent > found.exponent
        ) == sp.Rational(entry["next"])
    assert [str(pattern) for pattern in found.infeasible] == entry.get(
        "infeasible", [str(pattern) for pattern in found.infeasible]
    )


def test_every_reference_row_is_tested(table):
    assert len(table["engine"]) == 36


def test_ties_are_reported_in_order_of_simplicity():
    winners = sample_complexity(fully_connected([1, 1], 3)).winners
    ranks = [winner.pattern.rank for winner in winners]
    assert ranks == sorted(ranks)
    assert "S(1) G(3)" in map(str, winners)


def test_two_layer_costs_in_closed_form():
    lazy, single, several, gaussian = enumerate_patterns(fully_connected([n], 3))
    assert cost(lazy).expr == d**3
    assert cost(single).expr == u**2 * d + N / u**6
    assert cost(single).bounds == (u >= 1 / sp.sqrt(d), u <= 1)
    assert cost(single).expr.subs(u, 1) == d + N
    assert cost(several).expr == d * M + N / M
    assert cost(several).bounds == (M >= 1, M <= N)
    assert cost(gaussian).expr == N * beta + (d / beta) ** 3
    inner, clamped = closed_forms(several)
    assert inner.value - 2 * sp.sqrt(N * d) == 0
    assert inner.parameters == {M: sp.sqrt(N) / sp.sqrt(d)}
    assert (inner.validity, clamped.validity) == ((n >= 1,), (n <= 1,))
    assert (clamped.value, clamped.parameters) == (d + N, {M: 1})
    inner, clamped = closed_forms(single)
    least = 4 * (N * d**3 / 27) ** sp.Rational(1, 4)
    assert sp.powsimp(sp.expand_power_base(inner.value / least, force=True), force=True) == 1
    assert sp.powsimp(inner.parameters[u] ** 8 - 3 * N / d) == 0
    assert list(inner.weights.values()) == [sp.Rational(3, 4), sp.Rational(1, 4)]
    assert (inner.validity, clamped.validity) == ((n <= 1,), (n >= 1,))
    assert (clamped.value, clamped.parameters) == (d + N, {u: 1})


@pytest.mark.parametrize("m", [3, 5, 7])
def test_one_neuron_in_a_narrow_layer_for_any_degree(m):
    # u^2 = (N/d)^(1/(m+1)) where that is below one, exponent (m + n)/(m + 1)
    for width in ("0", "1/3", "1/2", "7/8", "1"):
        found = sample_complexity(fully_connected([width], m))
        exact = sp.Rational(width)
        assert found.exponent == (m + exact) / (m + 1)
        assert str(found.winners[0]) == "S1(1)"
        assert 2 * found.winners[0].parameters[u] == (exact - 1) / (m + 1)
    # three layers, both narrow
    found = sample_complexity(fully_connected(["1/3", "1/4"], m))
    assert found.exponent == (m * sp.Rational(4, 3) + sp.Rational(1, 4)) / (2 * m + 1)
    assert str(found.winners[0]) == "S1(1) S1(1)"


@pytest.mark.parametrize("m", [1, 3, 5, 7])
def test_constants_of_weighted_means(m, table):
    architecture = fully_connected([n], m, activation="odd")
    found = optimize(_pattern(architecture, "G(1)"))
    constant = sp.Rational(m + 1, m) * sp.Integer(m) ** sp.Rational(1, m + 1)
    assert sp.powsimp(found.value / (N * d) ** sp.Rational(m, m + 1), force=True).equals(constant)
    assert float(found.value.subs({N: 1, d: 1})) == pytest.approx(float(constant), rel=1e-12)
    assert (
        sp.powsimp(found.parameters[beta] / (m * d**m / N) ** sp.Rational(1, m + 1), force=True)
        == 1
    )
    assert list(found.weights.values()) == [sp.Rational(m, m + 1), sp.Rational(1, m + 1)]
    if m == 3:
        assert float(found.value.subs({N: 1, d: 1})) == pytest.approx(
            table["constants"]["two_layer_cubic"], abs=5e-9
        )


@pytest.mark.parametrize("m", [3, 5])
def test_lazy_learning_wins_from_its_boundary_on(m):
    assert [
        str(winner) for winner in sample_complexity(fully_connected([2 * m - 1], m)).winners
    ] == ["GP", "S(1)"]
    below, above = (
        sample_complexity(fully_connected([2 * m - 1 + shift], m))
        for shift in (sp.Rational(-1, 100), sp.Rational(1, 100))
    )
    assert ([str(entry) for entry in below.winners], [str(entry) for entry in above.winners]) == (
        ["S(1)"],
        ["GP"],
    )


def test_convolutional_costs_in_closed_form():
    lazy, single, several, gaussian = enumerate_patterns(convolutional([SECOND]))
    patches = sp.Symbol("N", positive=True)
    assert cost(lazy).expr == patches * S
    assert cost(single).expr == u**2 * S + patches * C / u**2
    assert cost(single).expr.subs(u, 1) == S + patches * C
    assert cost(several).expr == S * M + patches * C / M
    assert cost(gaussian).expr == C * beta + patches * S / beta
    for pattern in (several, gaussian):
        assert sp.powsimp(optimize(pattern).value - 2 * sp.sqrt(C * patches * S), force=True) == 0
    assert sp.powsimp(optimize(several).parameters[M] / sp.sqrt(patches * C / S), force=True) == 1
    assert (
        sp.powsimp(optimize(gaussian).parameters[beta] / sp.sqrt(patches * S / C), force=True) == 1
    )


def test_three_layer_costs_in_closed_form(table):
    architecture = fully_connected([n1, n2], 3)
    both = cost(_pattern(architecture, "S1(1) S1(1)"))
    assert both.expr == u1**2 * d + u2**2 * N1 / u1**2 + N2 / u2**6
    assert both.expr.subs({u1: 1, u2: 1}) == d + N1 + N2
    assert sp.Le(u1**2 / (N1 * u2**2), 1) in both.bounds
    inner = closed_forms(both.pattern)[0]
    assert set(inner.validity) == {3 * n1 + n2 <= 4, n1 - 2 * n2 >= -1}
    assert float(inner.value.subs({d: 1, N1: 1, N2: 1})) == pytest.approx(
        table["constants"]["three_layer_narrow"], abs=5e-6
    )
    inner = closed_forms(_pattern(architecture, "S1(1) S(1)"))[0]
    assert sp.powsimp(inner.value / (N1 * N2 * d) ** sp.Rational(1, 3), force=True) == 3
    for name, wide, own, exponent in (("GP S(1)", N2, M2, n2), ("S(1) GP", N1, M1, n1)):
        inner, clamped = closed_forms(_pattern(architecture, name))
        assert inner.value == 2 * sp.sqrt(wide) * sp.sqrt(d)
        assert inner.parameters == {own: sp.sqrt(wide) / sp.sqrt(d)}
        assert (inner.validity, clamped.validity) == ((exponent >= 1,), (exponent <= 1,))
        assert clamped.value == d + wide
    posynomial = cost(_pattern(architecture, "S(1) G(3)"))
    assert posynomial.expr == d * M1 + N2 * beta2 + N1 / (M1 * beta2)
    inner = closed_forms(posynomial.pattern)[0]
    assert sp.powsimp(inner.value / (N1 * N2 * d) ** sp.Rational(1, 3), force=True) == 3
    assert sp.powsimp(inner.parameters[M1] / (N1 * N2 / d**2) ** sp.Rational(1, 3), force=True) == 1
    # the number of neurons that would do the same: beta' = N_2 beta M_1/N_1
    equivalent = N2 * inner.parameters[beta2] * inner.parameters[M1] / N1
    assert sp.powsimp(equivalent / (N2**2 / (N1 * d)) ** sp.Rational(1, 3), force=True) == 1
    assert {n1 + n2 >= 2, n1 - 2 * n2 >= -1} <= set(inner.validity)


def test_attention_in_closed_form():
    ell = sp.Symbol("ell", positive=True)
    L, A, W, eps = sp.symbols("L A W epsilon2", positive=True)
    lazy, softmax = enumerate_patterns(attention(ell))
    assert cost(softmax).expr == A**2 * eps + L * W**2 / eps
    inner, saturated = closed_forms(softmax)
    assert inner.value == 2 * A * sp.sqrt(L) * W  # with the halves of the priors: sqrt(L)/(s_A s_w)
    assert sp.powsimp(inner.parameters[eps] - sp.sqrt(L) * W / A) == 0
    assert (inner.validity, saturated.validity) == ((ell <= 1,), (ell >= 1,))
    assert cost(lazy).expr == L * A**2 * W**2
    short, long = (sample_complexity(attention(value)).exponent for value in (SECOND, 2))
    assert (short, long) == (sp.Rational(7, 4), 3)


# -- three methods ------------------------------------------------------------------------------------------------------


def _random_widths(rng, count):
    return [
        [sp.Rational(int(rng.integers(0, 37)), int(rng.integers(1, 7))) for _ in range(count)]
        for _ in range(50)
    ]


@pytest.mark.parametrize("purity", [False, True])
def test_exact_and_compiled_exponents_agree(purity):
    patterns = enumerate_patterns(fully_connected([n1, n2], 3), purity=purity)
    for widths in _random_widths(np.random.default_rng(purity), 2):
        sizes = _fractions(fully_connected(widths, 3))
        for pattern in patterns:
            found = pattern.program.minimum(sizes)
            assert (None if found is None else found[0]) == pattern.program.exponent(sizes)


@given(
    st.lists(st.fractions(0, 6, max_denominator=12), min_size=1, max_size=2),
    st.sampled_from(
        [(2, "generic"), (2, "even"), (3, "odd"), (4, "generic"), (5, "odd"), (1, "linear")]
    ),
    st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_methods_agree_for_any_architecture(widths, target, purity):
    degree, activation = target
    architecture = fully_connected(
        [sp.Rational(width) for width in widths], degree, activation=activation, tracked="all"
    )
    sizes = _fractions(architecture)
    for pattern in enumerate_patterns(architecture, purity=purity):
        found = pattern.program.minimum(sizes)
        assert (None if found is None else found[0]) == pattern.program.exponent(sizes)
        if found is not None:
            assert sp.expand(optimize(pattern).exponent - sp.Rational(found[0])) == 0


@pytest.mark.parametrize("purity", [False, True])
def test_exact_exponents_against_linear_programming(purity):
    rng = np.random.default_rng(3)
    patterns = enumerate_patterns(fully_connected([n1, n2], 3), purity=purity)
    for widths in _random_widths(rng, 2)[:10]:
        sizes = _fractions(fully_connected(widths, 3))
        at = np.array([float(size) for size in sizes])
        for pattern in patterns:
            program = pattern.program
            rows = [[*map(float, term.free), -1.0] for term in program.terms] + [
                [*map(float, cap.free), 0.0] for cap in program.caps
            ]
            right = [
                -np.dot([float(entry) for entry in power.sizes], at)
                for power in (*program.terms, *program.caps)
            ]
            outcome = linprog(
                [0.0] * len(pattern.parameters) + [1.0],
                A_ub=rows,
                b_ub=right,
                bounds=[(None, None)] * (len(rows[0])),
            )
            found = program.minimum(sizes)
            assert (found is None) == (outcome.status == 2)
            if found is not None:
                assert float(found[0]) == pytest.approx(outcome.fun, abs=1e-9)


def _carried_exponent(carried, widths, *, purity):
    """Minimize over M neurons of amplitude u, without the engine: three layers, cubic target, odd activation.

    Each layer carries the feature of the given degree, or is lazy (None). The variables of the linear program are the exponent
    of the cost, log_d M of both layers and log_d u^2 of both; a power of d is a constant and coefficients of the variables.
    """
    unit = np.eye(5)
    cost, count, square = unit[0], unit[1:3], unit[3:5]
    rows, right = [], []

    def at_most(constant, slopes, bound):
        rows.append(slopes)
        right.append(bound - constant)

    known, passed = {1: (-1.0, np.zeros(5))}, {1: ()}
    for layer, (k, width) in enumerate(zip(carried, widths, strict=True)):
        after, through = {}, {}
        if k:
            constant, slopes = known[k]
            if purity:
                for other in passed[k]:
                    at_most(-constant, -slopes, widths[other])
            at_most(-constant, count[layer] + square[layer] - slopes - cost, 0.0)
            at_most(0.0, -count[layer], 0.0)
            at_most(0.0, count[layer], width)
            at_most(0.0, square[layer], 0.0)
            at_most(constant, slopes - square[layer], 0.0)
        for end in (1, 3):
            if k:
                order = 1 if k == end else 3
                after[end] = (-width, count[layer] + order * square[layer])
                through[end] = (layer,)
            else:
                start = end if end in known else 1
                order = 1 if start == end else 3
                after[end] = (order * known[start][0], order * known[start][1])
                through[end] = (*passed[start], layer)
        known, passed = after, through
    constant, slopes = known[3]
    if purity:
        for other in passed[3]:
            at_most(-constant, -slopes, widths[other])
    at_most(-constant, -slopes - cost, 0.0)
    outcome = linprog(cost, A_ub=rows, b_ub=right, bounds=[(None, None)] * 5)
    assert outcome.status in (0, 2)
    return outcome.fun if outcome.status == 0 else np.inf


@pytest.mark.parametrize("purity", [False, True])
@pytest.mark.parametrize("points", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_a_linear_program_over_neurons_and_amplitudes_agrees(purity, points):
    rng = np.random.default_rng(points + purity)
    programs = [
        pattern.program
        for pattern in enumerate_patterns(fully_connected([n1, n2], 3), purity=purity)
    ]
    for pair in rng.integers(0, 301, (points, 2)).tolist():
        widths = [Fraction(entry, 100) for entry in pair]
        sizes = (*widths, Fraction(1), Fraction(0))
        found = (program.exponent(sizes) for program in programs)
        least = min(exponent for exponent in found if exponent is not None)
        assert float(least) == pytest.approx(
            min(
                _carried_exponent(carried, [float(width) for width in widths], purity=purity)
                for carried in itertools.product((None, 1), (None, 1, 3))
            ),
            abs=1e-9,
        )
        if purity:
            assert least == max(Fraction(1), (min(widths) + 1) / 2)


@given(
    st.lists(st.fractions(0, 4, max_denominator=12), min_size=1, max_size=2),
    st.sampled_from(
        [(1, "linear"), (2, "generic"), (2, "even"), (3, "odd"), (4, "generic"), (5, "odd")]
    ),
)
@settings(max_examples=25, deadline=None)
def test_gaussian_feature_learning_is_never_strictly_the_cheapest(widths, target):
    degree, activation = target
    architecture = fully_connected(
        [sp.Rational(width) for width in widths], degree, activation=activation, tracked="all"
    )
    found = sample_complexity(architecture)
    assert any("G(" not in str(winner) for winner in found.winners)
    assert "G(" not in str(found.winners[0])


def test_exponents_of_a_narrow_layer_from_its_cost_itself():
    # M u^2 d + N/(M u^6), the constants of the rules, over all M >= 1 and u <= 1 on a fine grid
    scale = 1e60
    for width in ("1/4", "1/2", "3/4", "3/2"):
        exponent = float(sample_complexity(fully_connected([width], 3)).exponent)
        count = np.linspace(0, 1, 401)[:, None]  # log_d M
        square = np.linspace(-1, 0, 4001)[None, :]  # log_d u^2
        power = float(sp.Rational(width))
        cost = np.logaddexp(
            (count + square + 1) * np.log(scale), (power - count - 3 * square) * np.log(scale)
        )
        assert cost.min() / np.log(scale) == pytest.approx(exponent, abs=0.01)


@pytest.mark.parametrize(
    "widths", [["1", "1"], ["7/4", "5/3"], ["3", "2/5"], ["1/3", "5/4"], ["5/2", "11/3"]]
)
def test_costs_against_direct_minimization(widths):
    architecture = fully_connected(widths, 3)
    for pattern in enumerate_patterns(architecture):
        posynomial = cost(pattern)
        exponent = float(optimize(pattern, method="exact").exponent)
        form = optimize(pattern)
        for scale in (1e3, 1e6):
            sizes = {
                name: float(value.subs(d, scale)) for name, value in posynomial.sizes.items()
            } | {d: scale}
            least = _minimized(posynomial, sizes)
            # the tropical minimum is right up to the number of terms, at every scale
            assert (
                scale**exponent * (1 - 1e-6)
                <= least
                <= len(posynomial.terms) * scale**exponent * (1 + 1e-6)
            )
            chosen = {name: float(value.subs(sizes)) for name, value in form.parameters.items()}
            inside = all(bool(bound.subs(sizes).subs(chosen)) for bound in posynomial.bounds)
            if inside:
                assert float(form.value.subs(sizes)) == pytest.approx(
                    float(posynomial.expr.subs(sizes).subs(chosen)), rel=1e-9
                )
                # a bound that is reached at infinite d may be left at a finite one
                assert least <= float(form.value.subs(sizes)) * (
                    1 + 1e-6
                )  # the accuracy of the minimizer
                if not form.clamped:
                    assert float(form.value.subs(sizes)) == pytest.approx(least, rel=1e-6)


def _minimized(posynomial, sizes):
    """Minimize the logarithm of the cost in the logarithms of the parameters, which is convex, from the program's own numbers."""
    names = posynomial.parameters
    if not names:
        return float(posynomial.expr.subs(sizes))
    terms = [sp.expand_log(sp.log(term), force=True).subs(sizes) for term in posynomial.terms]
    logs = [sp.log(name) for name in names]
    slopes = np.array([[float(term.coeff(log)) for log in logs] for term in terms])
    offsets = np.array([float(term.subs(dict.fromkeys(logs, 0))) for term in terms])
    rows, right = [], []
    for bound in posynomial.bounds:
        gap = sp.expand_log(sp.log(bound.gts) - sp.log(bound.lts), force=True).subs(sizes)
        rows.append([float(gap.coeff(log)) for log in logs])
        right.append(float(gap.subs(dict.fromkeys(logs, 0))))
    rows, right = np.array(rows), np.array(right)

    def value(x):
        return np.logaddexp.reduce(offsets + slopes @ x)

    def gradient(x):
        weights = np.exp(offsets + slopes @ x - value(x))
        return weights @ slopes

    # start from the vertex of the piecewise linear problem
    start = linprog(
        [0.0] * len(names) + [1.0],
        A_ub=np.vstack(
            [
                np.column_stack([slopes, -np.ones(len(terms))]),
                np.column_stack([-rows, np.zeros(len(rows))]),
            ]
        ),
        b_ub=np.concatenate([-offsets, right]),
        bounds=[(None, None)] * (len(names) + 1),
    ).x[:-1]
    constraint = {"type": "ineq", "fun": lambda x: rows @ x + right, "jac": lambda x: rows}
    found = minimize(
        value,
        start,
        jac=gradient,
        constraints=[constraint],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return float(np.exp(min(found.fun, value(start))))


def test_deep_networks_and_every_degree():
    architecture = fully_connected([1, 2, "3/2"], 3)
    found = sample_complexity(architecture)
    assert len(found.ranking) == 4 * 7 * 7
    assert found.exponent == 1
    # a layer more never costs more: it may stay lazy
    assert found.exponent <= sample_complexity(fully_connected([1, 2], 3)).exponent
    every = sample_complexity(fully_connected([2, 2], 5, tracked="all"))
    few = sample_complexity(fully_connected([2, 2], 5))
    assert every.exponent <= few.exponent
    assert {str(entry) for entry in few.ranking} <= {str(entry) for entry in every.ranking}


def test_three_symbols_give_the_least_of_largest():
    n3 = sp.Symbol("n_3", positive=True)
    found = sample_complexity(fully_connected([n1, n2, n3], 3))
    assert "give numbers" in str(found)
    assert "Heuristic" in found.explain()
    assert found.at(n_1="3/2", n_2=2, n_3="5/4").exponent == sp.Rational(9, 8)
    assert sp.lambdify((n1, n2, n3), found.exponent, "math")(1.5, 2.0, 1.25) == 1.125
    with pytest.raises(DomainError, match="at most two symbols"):
        _ = found.regions


# -- the calculus -------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3)),
        min_size=2,
        max_size=5,
        unique=True,
    )
)
@settings(max_examples=40, deadline=None)
def test_compiled_forms_agree_with_allocate(rows):
    x, z, scale = sp.symbols("x z s", positive=True)
    terms = [Power((Fraction(e + 3),), (Fraction(a), Fraction(b))) for e, a, b in rows]
    caps = [
        Power((Fraction(0),), row)
        for row in ((Fraction(-1), Fraction(0)), (Fraction(0), Fraction(-1)))
    ]
    caps += [
        Power((Fraction(-2),), (Fraction(1), Fraction(0))),
        Power((Fraction(-2),), (Fraction(0), Fraction(1))),
    ]
    program = TropicalProgram(tuple(terms), tuple(caps))
    sizes = (Fraction(1),)
    written = [scale ** (e + 3) * x**a * z**b for e, a, b in rows]
    found = allocate(written, (x, z), caps=[(1 / x, 1), (1 / z, 1), (x, scale**2), (z, scale**2)])
    assert program.exponent(sizes) == program.minimum(sizes)[0]
    # what does not change with anything is set aside by `allocate`: it does not move the optimum
    moving = tuple(term for term in terms if any((*term.sizes, *term.free)))
    rest = TropicalProgram(moving, tuple(caps)).exponent(sizes)
    assert sp.Rational(rest) == found.at({}, scale=scale).value


def test_a_program_without_bounds_falls_to_zero():
    program = TropicalProgram((Power((Fraction(1),), (Fraction(1),)),))
    with pytest.raises(DomainError, match="falls to zero"):
        program.minimum((Fraction(1),))


# -- prefactors ---------------------------------------------------------------------------------------------------------


def test_erf_layer_with_prefactors(table):
    for width, dimension, value, neurons, amplitude in table["erf"]["rows"]:
        found = erf_optimum(width, dimension)
        assert found.cost == pytest.approx(value, abs=6e-4)
        assert found.neurons == neurons
        assert found.amplitude == pytest.approx(amplitude, abs=6e-4)
        count, u = sp.symbols("count u", positive=True)
        brute = sp.lambdify((count, u), erf_cost(count, u, width, dimension))(
            np.arange(1, 16)[:, None], np.linspace(1.2, 1.5, 61)
        ).min()
        assert found.cost <= brute <= found.cost * (1 + 1e-4)
    low, high = (erf_optimum(width, 100).cost for width in (1600, 6400))
    assert np.log(high / low) / np.log(4) == pytest.approx(table["erf"]["slope"], abs=5e-5)
    with pytest.raises(DomainError, match="width"):
        erf_optimum(0.5, 100)


# -- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fully_connected([-1], 3), "must not be negative"),
        (lambda: fully_connected([1, sp.sqrt(2)], 3), "rational"),
        (lambda: fully_connected([], 3), "hidden layers"),
        (lambda: fully_connected(2, 3), "sequence"),
        (lambda: fully_connected([1], 0), "degree"),
        (lambda: fully_connected([1], True), "degree"),
        (
            lambda: fully_connected([1], 2, activation="odd"),
            "cannot be reached: a network with odd activation",
        ),
        (lambda: fully_connected([1], 3, activation="even"), "even degrees"),
        (lambda: fully_connected([1], 3, activation="linear"), "degree 1"),
        (lambda: fully_connected([1], 3, activation="relu"), "activation"),
        (lambda: fully_connected([n**2], 3), "affine"),
        (lambda: fully_connected([sp.Symbol("w")], 3), "positive=True"),
        (lambda: fully_connected([1], 3, tracked=(1, 7)), "tracked"),
        (lambda: convolutional([1], patch_exponent=2), "part of the input"),
        (lambda: attention(-1), "must not be negative"),
        (lambda: sample_complexity("fcn"), "must come from"),
        (
            lambda: optimize(_pattern(fully_connected([1], 3), "GP", purity=True), method="exact"),
            "no parameters satisfy",
        ),
        (
            lambda: optimize(_pattern(fully_connected([n], 3), "GP"), method="exact"),
            "needs numbers",
        ),
        (lambda: optimize(_pattern(fully_connected([n], 3), "GP"), method="guess"), "method"),
        (lambda: sample_complexity(fully_connected([n], 3)).at(m=1), "unknown symbol"),
        (lambda: sample_complexity(fully_connected([n], 3)).at(), "must be given"),
    ],
)
def test_bad_architectures_are_refused(build, message):
    with pytest.raises(DomainError, match=message):
        build()


def test_transfer_orders():
    assert [transfer_order(1, k, "generic") for k in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert [transfer_order(1, k, "even") for k in (1, 2, 4)] == [None, 2, 4]
    assert transfer_order(3, 5, "odd") == 3
    assert transfer_order(3, 1, "odd") == 3
    assert transfer_order(3, 1, "generic") == 3
    assert transfer_order(4, 2, "generic") == 2
    assert transfer_order(2, 1, "generic") is None
    for start in range(1, 5):
        for end in range(1, 9):
            order = transfer_order(start, end, "odd")
            assert (order is None) == (
                (start - end) % 2 == 1
            )  # odd powers keep the parity of the degree
            if order is not None:
                assert order * start >= end
                assert order % 2 == 1
                assert (order == 1) == (start == end)  # the first power is the feature itself
                assert order <= 3 or end > (order - 2) * start


def test_fields_are_filled_in():
    assert Architecture((1,), 3).tracked == (1, 3)
    assert fully_connected(["1/2"], 4).activation == "generic"
    assert fully_connected([0.1], 5, tracked="all").tracked == (1, 3, 5)
    assert fully_connected([0.1], 3).width_exponents == (sp.Rational(1, 10),)
