"""Compute-optimal phases of schedules and of momentum: the tables, a linear programme, sums that are minimized, and lines."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar
from scipy.sparse import block_diag
from scipy.special import gamma, gammainc

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.derivation import Derivation
from scalinglaws.theory.schedules import (
    DanaLimited,
    NoisyLimited,
    decayed_noise,
    derive_compute,
    derive_dana,
)
from scalinglaws.theory.symbols import C, N

GOLDEN = (1 + 5**0.5) / 2


def _law(name):
    return theory.law(f"schedules.{name}")


# -- what is tabulated --------------------------------------------------------------------------------------------------


def _decaying(a, b):
    beta, chi = (a - 1) / b, 2 - 1 / b
    h = beta - 1 + 1 / b
    if beta < 1:
        return "Ia", b * beta * chi / (chi + b), chi / (chi + b)
    if b > (3 + 5**0.5) / 2:
        return "floor", b * chi / (chi + b), chi / (chi + b)
    if beta < chi:
        return "II", beta / (h + 1 / chi), h / (h + 1 / chi)
    return "III", chi**2 / (1 + chi), chi / (1 + chi)


def _constant(a, b):
    beta, chi = (a - 1) / b, 2 - 1 / b
    h = beta - 1 + 1 / b
    if beta < 1:
        return "Ia", 2 * b * beta / (3 + b), 2 / (3 + b)
    if b > 1.5:
        return "floor", 2 * b / (3 + b), 2 / (3 + b)
    if beta < chi:
        return "II", 2 * beta / (3 * h + 1), 2 * h / (3 * h + 1)
    return "III", chi / 2, 1 / 2


def _noisy(a, b):
    beta = (a - 1) / b
    if beta < 1 - 1 / b:
        return "hard", (a - 1) / (1 + b), 1 / (1 + b)
    if beta < 1:
        return "intermediate", (a - 1) / (a + 1), 1 / (a + 1)
    if b > 2:
        return "floor", b / (b + 2), 1 / (b + 2)
    scale = 2 * beta - 1 + 2 / b
    return "easy", beta / scale, (beta - 1 + 1 / b) / scale


def _noisy_constant(a, b):
    beta = (a - 1) / b
    if beta < 1:
        return None, (a - 1) / (a + b), 1 / (a + b)
    return None, beta / (2 * beta + 1 / b), (beta - 1 + 1 / b) / (2 * beta + 1 / b)


TABLES = {"dana_decaying": _decaying, "dana_constant": _constant, "compute": _noisy}


# -- the same by linear programming -------------------------------------------------------------------------------------

# powers of (C, tau, N, t), each a row; a loss is the largest of the terms, budgets and caps are logarithms in units of log C
BUDGET = ((-1, 0, 1, 1),)


def _bottlenecks(a, b):
    beta = (a - 1) / b
    rows = [(0, -beta, 0, 0), (0, 0, -b * min(1, beta), 0), (0, 1 / b - min(1, beta), -1, 0)]
    return rows, (0, 1 / b - 2, 0, 0)


def _program(name, a, b):
    """Return terms, equations and caps of one problem; for constant momentum of both branches."""
    rows, kick = _bottlenecks(a, b)
    if name == "dana_decaying":
        return [([*rows, kick], (*BUDGET, (0, -1, 0, 2 - 1 / b)), ())]
    if name == "dana_constant":
        return [
            ([*rows, kick], (*BUDGET, (0, -1, -1, 2)), ((0, 0, 1, -1),)),
            ([*rows, kick], (*BUDGET, (0, -1, 0, 1)), ((0, 0, -1, 1),)),
        ]
    left = 1 / b if name == "compute" else 1
    return [([*rows, (0, left, 0, -1)], BUDGET, ((0, 1, 0, -1),))]


def _least(problems, sizes=None):
    """Solve all problems at once: they share no variable, so that each is at its own optimum."""
    above, below, equal, right = [], [], [], []
    for number, (terms, equations, caps) in enumerate(problems):
        terms, caps, equations = (
            np.array(rows, float).reshape(-1, 4) for rows in (terms, caps, equations)
        )
        inequality = np.vstack(
            [
                np.hstack([terms[:, 1:], -np.ones((len(terms), 1))]),
                np.hstack([caps[:, 1:], np.zeros((len(caps), 1))]),
            ]
        )
        above.append(inequality)
        below.append(-np.concatenate([terms[:, 0], caps[:, 0]]))
        fixed = np.hstack([equations[:, 1:], np.zeros((len(equations), 1))])
        known = -equations[:, 0]
        if sizes is not None:
            fixed, known = np.vstack([fixed, [0, 1, 0, 0]]), np.append(known, sizes[number])
        equal.append(fixed)
        right.append(known)
    cost = np.tile([0, 0, 0, 1], len(problems))
    found = linprog(
        cost,
        A_ub=block_diag(above).tocsr(),
        b_ub=np.concatenate(below),
        A_eq=block_diag(equal).tocsr(),
        b_eq=np.concatenate(right),
        bounds=(-60, 60),
    )
    assert found.success
    return -found.x[3::4]


@pytest.mark.parametrize("name", ["dana_decaying", "dana_constant", "compute", "constant"])
def test_a_linear_programme_at_a_thousand_points(name):
    source = np.random.default_rng(24)
    capacity, beta = source.uniform(1.02, 4, 1000), source.uniform(0.2, 4, 1000)
    tasks = list(zip(capacity * beta + 1, capacity, strict=True))
    at = {"alpha": capacity, "beta": beta}
    if name == "constant":
        loss, size = (
            _law("compute").evaluate(form, **at) for form in ("constant", "constant_features")
        )
        table = [_noisy_constant(a, b) for a, b in tasks]
    else:
        law = _law(name)
        loss, size = law(**at), law.evaluate("features", **at)
        table = [TABLES[name](a, b) for a, b in tasks]
        assert law.evaluate("steps", **at) == pytest.approx(1 - size, abs=1e-12)
    assert loss == pytest.approx([entry[1] for entry in table], abs=1e-12)
    assert size == pytest.approx([entry[2] for entry in table], abs=1e-12)
    branches = [_program(name, a, b) for a, b in tasks]
    values = [_least(problems) for problems in zip(*branches, strict=True)]
    assert np.max(values, axis=0) == pytest.approx(loss, abs=1e-8)
    # momentum that does not help yet is never better, and the size reaches the optimum
    assert np.all(values[0] > np.max(values, axis=0) - 1e-9)
    reached = _least([problems[0] for problems in branches], size)
    assert reached == pytest.approx(loss, abs=1e-8)


def test_names_of_phases():
    points = {
        "dana_decaying": [(1.5, 0.5), (1.5, 1.2), (1.5, 2.0), (3.1, 1.3)],
        "dana_constant": [(1.4, 0.5), (1.4, 1.2), (1.4, 2.0), (2.1, 1.3)],
        "compute": [(2.5, 0.4), (2.5, 0.8), (2.5, 1.5), (1.5, 1.5)],
    }
    for name, places in points.items():
        phases = [TABLES[name](b * beta + 1, b)[0] for b, beta in places]
        assert [_law(name).regime(alpha=b, beta=beta) for b, beta in places] == phases
        assert len(set(phases)) == 4
        assert {_law(name).log_power(alpha=b, beta=beta) for b, beta in places} == {0}


# -- printed values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "a", "b", "loss"),
    [
        ("dana_constant", 1.6, 2, 0.24),
        ("dana_decaying", 1.6, 2, 0.2571),
        ("dana_constant", 1.7, 1.4, 0.3182),
        ("dana_decaying", 1.7, 1.4, 0.3351),
        ("dana_constant", 3.8, 2, 0.80),
        ("dana_decaying", 3.8, 2, 0.894),
        ("dana_constant", 3.4, 1.8, 0.75),
        ("dana_decaying", 3.4, 1.8, 0.843),
        ("dana_constant", 5, 3, 1.0),
        ("dana_decaying", 6, 2, 0.900),
        ("dana_constant", 4, 1.4, 0.6429),
        ("dana_decaying", 4, 1.4, 0.723),
        ("dana_constant", 2.6, 1.4, 0.640),
        ("dana_decaying", 2.6, 1.4, 0.699),
        ("compute", 2, 1.5, 0.3333),
        ("compute", 2.6, 1.4, 0.4211),
        ("compute", 1.4, 2.5, 0.1143),
    ],
)
def test_printed_exponents_of_the_loss(name, a, b, loss):
    assert _law(name).in_notation("bordelon")(a=a, b=b) == pytest.approx(loss, abs=6e-4)


def test_printed_exponents_of_size_and_time():
    constant, decaying, noisy = _law("dana_constant"), _law("dana_decaying"), _law("compute")
    assert constant.evaluate("features", alpha=3, beta=4 / 3) == pytest.approx(1 / 3)
    for a, b, value in ((2, 1.5, 0.2857), (2.6, 1.4, 0.3810), (1.4, 2.5, 0.1026)):
        found = noisy.evaluate("constant", alpha=b, beta=(a - 1) / b)
        assert found == pytest.approx(value, abs=6e-5)
    # N unlimited: t^(-chi min(beta, chi)) instead of t^-min(beta, chi)
    for a, b, value in (
        (1.75, 1.5, 0.6667),
        (1.6, 2, 0.45),
        (2.2, 1.5, 1.0667),
        (2.8, 1.5, 1.6),
        (4.2, 1.5, 1.7778),
        (1.3, 2.5, 0.192),
    ):
        found = decaying.evaluate("time", alpha=b, beta=(a - 1) / b)
        assert found == pytest.approx(value, abs=6e-5)
    assert constant.evaluate("time", alpha=2, beta=0.3) == pytest.approx(0.6)
    # the naive second phase at (5, 3) would give .889 and .444
    assert (constant(alpha=3, beta=Fraction(4, 3)), constant.regime(alpha=3, beta=1.5)) == (
        1,
        "floor",
    )


# -- sums, minimized ----------------------------------------------------------------------------------------------------


def _minimum(total, low, high):
    edges = np.linspace(low, high, 40)
    found = (
        minimize_scalar(total, bounds=pair, method="bounded", options={"xatol": 1e-9})
        for pair in pairwise(edges)
    )
    return min(found, key=lambda one: one.fun).fun


@pytest.mark.parametrize(
    ("name", "alpha", "beta"),
    [
        ("dana_decaying", 1.5, 0.5),
        ("dana_decaying", 1.6, 1.2),
        ("dana_decaying", 1.4, 2.0),
        ("dana_decaying", 3.2, 1.6),
        ("dana_constant", 1.5, 0.5),
        ("dana_constant", 1.3, 1.1),
        ("dana_constant", 1.25, 1.8),
        ("dana_constant", 2.2, 1.3),
    ],
)
def test_slopes_of_the_minimized_sum_with_momentum(name, alpha, beta):
    """The sum at the pace that is the faster one of SGD's and the momentum's, minimized over N at budgets of 1e1000 and 1e1100."""

    def lowest(budget):
        def total(n):
            t = budget - n
            gain = (1 - 1 / alpha) * t if name == "dana_decaying" else t - n
            tau = t + max(gain, 0)
            edge = min(1, beta) - 1 / alpha
            parts = [-beta * tau, -alpha * beta * n, -alpha * n, -n - edge * tau]
            return np.logaddexp.reduce([*parts, -(2 - 1 / alpha) * tau])

        return _minimum(total, 0, budget)

    one, two = 1000 * np.log(10), 1100 * np.log(10)
    slope = (lowest(one) - lowest(two)) / (two - one)
    assert slope == pytest.approx(float(_law(name)(alpha=alpha, beta=beta)), abs=2e-3)


@pytest.mark.parametrize("decay", [None, 0, 1])
@pytest.mark.parametrize(("alpha", "beta"), [(2.5, 0.3), (1.6, 0.7), (3.0, 1.5), (1.4, 1.5)])
def test_slopes_of_the_minimized_sum_with_label_noise(alpha, beta, decay):
    """The same over N and the intrinsic time, with the noise that a decay leaves; its sum over modes is tested below."""
    b, beta = sp.nsimplify(alpha), sp.nsimplify(beta)
    found = derive_compute(NoisyLimited(b, b * beta + 1, decay)).expr
    beta, left = float(beta), 1 if decay == 0 else max(1 / alpha, 0.5 if decay else 0)

    def lowest(budget):
        def total(n, tau):
            edge = min(1, beta) - 1 / alpha
            parts = [-beta * tau, -alpha * beta * n, -alpha * n, -n - edge * tau]
            return np.logaddexp.reduce([*parts, left * tau - (budget - n)])

        def over_time(n):
            return minimize_scalar(
                lambda tau: total(n, tau),
                bounds=(0, budget - n),
                method="bounded",
                options={"xatol": 1e-6},
            ).fun

        return minimize_scalar(
            over_time, bounds=(0, 0.9 * budget), method="bounded", options={"xatol": 1e-6}
        ).fun

    one, two = 1000 * np.log(10), 1200 * np.log(10)
    slope = (lowest(one) - lowest(two)) / (two - one)
    assert slope == pytest.approx(float(found), abs=2e-3)


@pytest.mark.parametrize(("b", "p"), [(1.5, 1), (1.5, 2), (3.0, 1), (2.5, 4), (1.8, 0), (4.0, 0.5)])
def test_the_noise_that_a_decay_leaves(b, p):
    """Every mode by its own integral, summed: the slope in intrinsic time is the largest derived power."""
    vanishing = p / (p + 1)
    k = np.unique(np.round(np.geomspace(1, 1e7, 4000)))
    width = np.gradient(k)

    def noise(time):
        y = k**-b * time
        kept = y**2 * (2 * y) ** (-1 - vanishing) * gamma(1 + vanishing)
        return np.sum(width * kept * gammainc(1 + vanishing, 2 * y))

    slope = np.log(noise(1e9) / noise(1e8)) / np.log(10)
    powers = decayed_noise(sp.nsimplify(b), sp.nsimplify(p))
    assert slope == pytest.approx(max(float(power) for power, _ in powers), abs=0.02)
    assert [logs for _, logs in powers] == [0] * len(powers)
    assert decayed_noise(sp.nsimplify(b), sp.nsimplify(b) - 1) == ((1 / sp.nsimplify(b), 1),)


# -- lines and points ---------------------------------------------------------------------------------------------------


def test_lines_of_momentum():
    decaying, constant = _law("dana_decaying"), _law("dana_constant")
    corner = (3 + sp.sqrt(5)) / 2
    assert decaying.regime(alpha=corner, beta=2) == "III | floor"
    assert decaying.regime(alpha=float(corner), beta=1.2) == "II | floor"
    assert decaying.regime(alpha=float(corner), beta=GOLDEN) == "II | III | floor"
    assert decaying.regime(alpha=2, beta=Fraction(3, 2)) == "II | III"
    assert sp.simplify(decaying(alpha=corner, beta=2) - 1) == 0
    assert decaying.log_power(alpha=corner, beta=2) == 0
    for alpha, name in ((Fraction(5, 4), "Ia | II"), (3, "Ia | floor"), (1.5, "Ia | II | floor")):
        assert constant.regime(alpha=alpha, beta=1) == name
        with pytest.raises(DomainError, match="it is not known"):
            constant.log_power(alpha=alpha, beta=1)
    assert constant.regime(alpha=1.5, beta=2) == "III | floor"
    assert constant.regime(alpha=1.5, beta=Fraction(4, 3)) == "II | III | floor"
    assert constant(alpha=Fraction(3, 2), beta=2) == Fraction(2, 3)
    for law in (decaying, constant):
        with pytest.raises(DomainError, match="alpha > 1"):
            law(alpha=1, beta=2)
        assert law.standing == "heuristic"
    # the best size jumps where momentum takes a network to its floor, so that nothing is claimed there
    size = derive_dana(DanaLimited(fading=0, shrinking=1), N)
    assert sp.Ne(sp.Symbol("alpha", positive=True), sp.Rational(3, 2)) in {
        part for condition in size.conditions for part in condition.atoms(sp.Ne)
    }


def test_lines_of_label_noise():
    law = _law("compute")
    assert law.regime(alpha=2, beta=2) == "easy | floor"
    assert (law(alpha=2, beta=3), law.log_power(alpha=2, beta=3)) == (Fraction(1, 2), 0)
    assert law.regime(alpha=3, beta=Fraction(2, 3)) == "hard | intermediate"
    assert law.log_power(alpha=3, beta=Fraction(2, 3)) == 0
    expected = {
        3: ("intermediate | floor", Fraction(2, 5)),
        2: ("intermediate | easy | floor", 0.5),
    }
    expected[Fraction(3, 2)] = ("intermediate | easy", Fraction(3, 7))
    for alpha, (name, power) in expected.items():
        assert law.regime(alpha=alpha, beta=1) == name
        assert law.log_power(alpha=alpha, beta=1) == pytest.approx(float(power))
        assert law(alpha=alpha, beta=1) == Fraction(alpha) / (Fraction(alpha) + 2)
    with pytest.raises(DomainError, match="exponent only"):
        law.asymptote(1e9, alpha=2, beta=0.5)


@pytest.mark.parametrize("alpha", [1.5, 3.0])
def test_logarithms_where_hard_tasks_meet_easy_ones(alpha):
    """The sum at beta = 1 with its logarithms, minimized at budgets of 1e400 and 1e800."""
    law, losses = _law("compute"), []
    for budget in (400 * np.log(10), 800 * np.log(10)):
        ln = np.log(budget)

        def total(n, tau, budget=budget, ln=ln):
            parts = [-tau, ln - alpha * n, ln - n - (1 - 1 / alpha) * tau]
            return np.logaddexp.reduce([*parts, tau / alpha - (budget - n)])

        def over_time(n, budget=budget, total=total):
            return minimize_scalar(
                lambda tau: total(n, tau),
                bounds=(0, budget - n),
                method="bounded",
                options={"xatol": 1e-8},
            ).fun

        losses.append(
            minimize_scalar(
                over_time, bounds=(0, 0.8 * budget), method="bounded", options={"xatol": 1e-8}
            ).fun
        )
    power = (losses[1] - losses[0] + alpha / (alpha + 2) * 400 * np.log(10)) / np.log(2)
    assert power == pytest.approx(float(law.log_power(alpha=alpha, beta=1)), abs=0.03)


@settings(max_examples=6, deadline=None)
@given(st.integers(13, 48), st.integers(3, 48))
def test_exponents_are_continuous_and_ordered(alpha, beta):
    at = {"alpha": Fraction(alpha, 12), "beta": Fraction(beta, 12)}
    near = {name: value + Fraction(1, 10**6) for name, value in at.items()}
    values = {name: _law(name)(**at) for name in TABLES}
    for name, value in values.items():
        assert value > 0
        assert abs(float(_law(name)(**near) - value)) < 1e-5
        assert _law(name).regime(**at)
    plain = theory.law("linear.compute")(**at)
    # fading momentum gains most, constant momentum something or nothing, and label noise costs
    assert values["dana_decaying"] > values["dana_constant"] >= plain >= values["compute"]
    decayed, constant = (
        float(values["compute"]),
        _law("compute").evaluate("constant", **_floats(at)),
    )
    assert decayed > constant


def _floats(at):
    return {name: float(value) for name, value in at.items()}


# -- models that are not shipped ----------------------------------------------------------------------------------------


def test_momentum_that_fades_as_time_is_sgd():
    found = derive_dana(DanaLimited(fading=1))
    plain = theory.law("linear.compute")
    alpha, beta = sp.symbols("alpha beta", positive=True)
    for point in ((1.5, 0.5), (1.5, 1.2), (1.5, 2)):
        at = {alpha: sp.nsimplify(point[0]), beta: sp.nsimplify(point[1])}
        assert found.expr.subs(at) == plain(alpha=at[alpha], beta=at[beta])
    assert found.derivation.refused() is None


@pytest.mark.parametrize(
    ("b", "a"), [(Fraction(3, 2), 2), (2, 3), (3, 5), (Fraction(7, 5), 4), (4, 6)]
)
def test_numbers_for_exponents(b, a):
    """Also on lines: where two powers of a bottleneck meet there is a logarithm, and the steps hold with it."""
    b, a = sp.Rational(b), sp.Rational(a)
    for model, table in (
        (DanaLimited(b, a), _decaying),
        (DanaLimited(b, a, fading=0, shrinking=1), _constant),
    ):
        found = derive_dana(model)
        assert float(found.expr) == pytest.approx(table(float(a), float(b))[1])
        assert found.derivation.refused() is None
    for decay in (None, 0, 1):
        found = derive_compute(NoisyLimited(b, a, decay))
        if decay is None:
            assert float(found.expr) == pytest.approx(_noisy(float(a), float(b))[1])
        assert found.derivation.refused() is None
        assert (found.regimes[0].log_power != 0) == (a - 1 == b or (decay == 1 and b == 2))


def test_momentum_in_between():
    """A rate t^-1/2 of the momentum: any number from 1/b, which is bounded, to 1, which is SGD."""
    found = derive_dana(DanaLimited(3, 2, fading=sp.S.Half))
    # tau = t^(3/2), tau^(-1/3) = N^-1
    assert found.expr == Fraction(1, 3)
    assert found.derivation.refused() is None
    more = derive_dana(DanaLimited(3, 2))
    assert more.expr > found.expr > theory.law("linear.compute")(alpha=3, beta=Fraction(1, 3))


def test_a_decay_that_is_too_slow():
    """Linear decay of the rate at b > 2: it acts like the capacity 2, and the size grows differently."""
    found = derive_compute(NoisyLimited(decay=1))
    alpha, beta = sp.symbols("alpha beta", positive=True)
    at = {alpha: 3, beta: sp.Rational(3, 4)}
    # tau^-beta = tau^(1/2)/t = N^(-alpha*beta)
    assert found.expr.subs(at) == sp.Rational(18, 38)
    line = [entry for entry in found.regimes if entry.condition.has(sp.Eq(alpha, 2))]
    assert line
    assert {entry.log_power for entry in line} == {None}  # the noise has a logarithm there


@pytest.mark.slow
def test_steps_of_a_decay_that_is_too_slow():
    assert derive_compute(NoisyLimited(decay=1)).derivation.refused() is None


def test_a_corrupted_step_of_a_model_that_is_not_shipped():
    derivation = derive_compute(NoisyLimited(decay=1)).derivation
    place = max(i for i, entry in enumerate(derivation.steps) if str(entry.quantity) == "h_2")
    entry = derivation.steps[place]
    wrong = type(entry)(
        entry.expr.func(entry.quantity, entry.value * sp.Rational(11, 10), evaluate=False),
        entry.relation,
        entry.reason,
        entry.reference,
        entry.where,
    )
    steps = (*derivation.steps[:place], wrong, *derivation.steps[place + 1 :])
    corrupted = Derivation(steps, derivation.conditions, derivation.box)
    assert corrupted.refused(start=place) == place


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: DanaLimited(fading=2), "at most 1"),
        (lambda: DanaLimited(fading=-1), "at least 0"),
        (lambda: DanaLimited(shrinking=-1), "at least 0"),
        (lambda: NoisyLimited(decay=-1), "at least 0"),
        (lambda: NoisyLimited(decay=sp.Symbol("p", positive=True)), "no range for p"),
        (lambda: derive_compute(NoisyLimited(1, 2)), "must exceed 1"),
        (lambda: derive_dana(3), "DanaLimited"),
        (
            lambda: derive_compute(NoisyLimited(), sp.Symbol("z", positive=True)),
            "none of the scales",
        ),
        (lambda: derive_compute(NoisyLimited(2, 5), C), "none of the scales"),
        (lambda: derive_compute(NoisyLimited(2, 5), N), "undetermined"),
    ],
)
def test_what_is_refused(make, complaint):
    with pytest.raises(DomainError, match=complaint):
        make()
