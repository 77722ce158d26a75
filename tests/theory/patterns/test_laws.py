"""Phase diagrams, laws, the theorem, and what the slides print differently, each settled independently."""

import functools
import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import erf
from scipy.stats import norm

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.patterns import (
    EvidenceLimited,
    PatternLimited,
    attention,
    convolutional,
    cost,
    derive_bound,
    derive_pattern,
    enumerate_patterns,
    fully_connected,
    phase_diagram,
    sample_complexity,
)

n, n1, n2, s = sp.symbols("n n_1 n_2 s", positive=True)
HALF = sp.Rational(1, 2)


@pytest.fixture(scope="module")
def table(root):
    return json.loads((root / "tests/reference/patterns.json").read_text())


@pytest.fixture(scope="module")
def diagram():
    return phase_diagram(fully_connected([n1, n2], 3), {"n_1": (0, 6), "n_2": (0, 6)}, points=49)


# -- diagrams -----------------------------------------------------------------------------------------------------------


def test_grid_agrees_with_the_engine_point_by_point(diagram):
    rng = np.random.default_rng(0)
    for i, j in rng.integers(0, 49, (40, 2)):
        found = sample_complexity(
            fully_connected([sp.Rational(int(i), 8), sp.Rational(int(j), 8)], 3)
        )
        assert str(diagram.patterns[diagram.winner[i, j]]) == str(found.winners[0])
        assert diagram.exponent[i, j] == float(found.exponent)
        assert diagram.tied[i, j] == len(found.winners)


def test_regions_cover_the_diagram_and_agree_with_it(diagram):
    symbols = (n1, n2)
    holds = [
        sp.lambdify(symbols, sp.And(*region.conditions), "numpy") for region in diagram.regions
    ]
    exponents = [sp.lambdify(symbols, region.exponent, "numpy") for region in diagram.regions]
    x, y = np.meshgrid(*(points for _, points in diagram.axes), indexing="ij")
    inside = np.array([np.broadcast_to(condition(x, y), x.shape) for condition in holds])
    values = np.array([np.broadcast_to(exponent(x, y), x.shape) for exponent in exponents])
    assert np.all(inside.any(axis=0))
    assert np.max(np.abs(np.where(inside, values - diagram.exponent, 0))) < 1e-12
    areas = [abs(sp.Polygon(*region.corners).area) for region in diagram.regions]
    assert sum(areas) == 36


def test_boundaries_are_exact_and_both_sides_tie_there(diagram):
    # seven regions: six meet at (1, 1), three at (5, 5)
    assert len(diagram.boundaries) == 8
    assert sum(line.start == (1, 1) or line.end == (1, 1) for line in diagram.boundaries) == 6
    assert sum(line.start == (5, 5) or line.end == (5, 5) for line in diagram.boundaries) == 3
    for line in diagram.boundaries:
        middle = [(one + two) / 2 for one, two in zip(line.start, line.end, strict=True)]
        assert line.equation.subs(dict(zip((n1, n2), middle, strict=True))).doit() == sp.true
        found = sample_complexity(fully_connected(middle, 3))
        assert {str(side) for side in line.sides} <= {str(winner) for winner in found.winners}
        normal = np.array([float(line.end[1] - line.start[1]), float(line.start[0] - line.end[0])])
        step = [
            sp.Rational(round(1000 * entry / np.abs(normal).max()), 100_000) for entry in normal
        ]
        sides = {
            str(
                sample_complexity(
                    fully_connected([a + sign * b for a, b in zip(middle, step, strict=True)], 3)
                ).winners[0]
            )
            for sign in (1, -1)
        }
        assert sides == {str(side) for side in line.sides}


def test_the_middle_layer_takes_over_as_the_first_one_widens(diagram):
    line = next(
        line
        for line in diagram.boundaries
        if {str(side) for side in line.sides} == {"S(1) GP", "GP S(1)"}
    )
    assert (line.start, line.end) == ((1, 1), (5, 5))
    assert line.equation.subs(n2, n1).doit() == sp.true
    assert [
        str(sample_complexity(fully_connected([width, 2], 3)).winners[0])
        for width in ("7/4", "9/4")
    ] == ["S(1) GP", "GP S(1)"]


def test_diagrams_in_one_dimension_and_with_purity():
    found = phase_diagram(fully_connected([1], 3), points=13)
    assert [line.start for line in found.boundaries] == [(1,), (5,)]
    assert [str(found.patterns[k]) for k in found.winner[[0, 1, 4, 12]]] == [
        "S1(1)",
        "S1(1)",
        "S(1)",
        "GP",
    ]
    pure = phase_diagram(fully_connected([n1, n2], 3), points=25, purity=True)
    free = phase_diagram(fully_connected([n1, n2], 3), points=25)
    assert np.all(pure.exponent >= free.exponent)
    assert np.any(pure.exponent > free.exponent)


def test_patches_cannot_exceed_the_input():
    found = phase_diagram(
        convolutional([n], patch_exponent=s), {"n": (0, 1), "s": (0, 2)}, points=9
    )
    assert np.all(np.isinf(found.exponent[:, 5:]))
    assert np.all(found.winner[:, 5:] == -1)
    assert np.all(np.isfinite(found.exponent[:, :5]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phase_diagram(fully_connected([1, 1, 1], 3)), "one or two axes"),
        (lambda: phase_diagram(fully_connected([n], 3), {"m": (0, 1)}), "unknown axis"),
        (lambda: phase_diagram(fully_connected([n], 3), {"n": (1, 1)}), "low < high"),
        (lambda: phase_diagram(fully_connected([n1, n2], 3), {"n_1": (0, 1)}), "range for n_2"),
        (lambda: phase_diagram(fully_connected([n], 3), points=1), "points"),
        (
            lambda: phase_diagram(convolutional([n], patch_exponent=s), {"n": (0, 1), "s": (2, 3)}),
            "below one everywhere",
        ),
        (lambda: derive_pattern(fully_connected([1], 3)), "one or two symbols"),
        (
            lambda: derive_pattern(PatternLimited(fully_connected([n], 3), (n <= 3, n >= 4))),
            "nothing is left",
        ),
    ],
)
def test_bad_diagrams_are_refused(call, message):
    with pytest.raises(DomainError, match=message):
        call()


# -- piecewise laws -----------------------------------------------------------------------------------------------------


@given(st.fractions(0, 7, max_denominator=20), st.fractions(0, 7, max_denominator=20))
@settings(max_examples=25, deadline=None)
def test_piecewise_law_agrees_with_exact_exponents(first, second):
    law = _three_layer_everywhere()  # once
    values = {n1: sp.Rational(first), n2: sp.Rational(second)}
    assert law.subs(values) == sample_complexity(fully_connected(list(values.values()), 3)).exponent


@functools.cache
def _three_layer_everywhere():
    return sample_complexity(fully_connected([n1, n2], 3)).exponent


def test_the_talks_three_layer_pattern_is_never_strictly_the_cheapest():
    found = sample_complexity(fully_connected([n1, n2], 3))
    named = [[str(pattern) for pattern in region.winners] for region in found.regions]
    assert not any("S(1) G(3)" in names for names in named)
    at_corner = [str(winner) for winner in found.at(n_1=1, n_2=1).winners]
    assert "S(1) G(3)" in at_corner
    assert len(at_corner) > 1
    # beaten by the second layer alone if 2 n_1 > n_2 + 1, by the first alone if 2 n_2 > n_1 + 1; where n_1 + n_2 >= 2 one of the two
    # holds, except at n_1 = n_2 = 1, since the sum of the two differences is n_1 + n_2 - 2
    cubic = (n1 + n2 + 1) / 3
    assert sp.expand(cubic - (n2 + 1) / 2 - (2 * n1 - n2 - 1) / 6) == 0
    assert sp.expand(cubic - (n1 + 1) / 2 - (2 * n2 - n1 - 1) / 6) == 0


def test_regions_are_those_of_the_table(table):
    found = sample_complexity(fully_connected([n1, n2], 3))
    regions = {str(region.winners[0]): region for region in found.regions}
    assert len(found.regions) == len(regions) == len(table["regions"])
    names = {"n_1": n1, "n_2": n2}
    for row in table["regions"]:
        region = regions[row["winner"]]
        assert sp.expand(region.exponent - sp.sympify(row["exponent"], names)) == 0
        assert set(region.conditions) == {sp.sympify(entry, names) for entry in row["where"]}


def test_a_third_degree_makes_a_first_degree_in_third_order_only():
    # odd activation of u He_3(x) + noise: overlap with x falls as u^3, with He_3 as u
    nodes, weights = hermegauss(160)
    weights = weights / weights.sum()
    cubic = nodes**3 - 3 * nodes
    overlaps = []
    for amplitude in (1e-4, 2e-4):
        smoothed = erf(amplitude * cubic)  # noise turns erf into another erf
        overlaps.append([weights @ (smoothed * nodes), weights @ (smoothed * cubic)])
    slopes = np.log2(np.abs(np.array(overlaps[1]) / np.array(overlaps[0])))
    np.testing.assert_allclose(slopes, [3, 1], atol=1e-2)


def test_laws_at_numbers():
    two, three = theory.law("patterns.two_layer"), theory.law("patterns.three_layer")
    assert [two(n=value) for value in (sp.Rational(1, 5), 1, 2, 5, 6)] == [
        sp.Rational(4, 5),
        1,
        sp.Rational(3, 2),
        3,
        3,
    ]
    assert [two(n=sp.Rational(quarters, 4)) for quarters in (1, 2, 3)] == [
        sp.Rational(sixteenths, 16) for sixteenths in (13, 14, 15)
    ]
    assert two.regime(n=HALF) == "S1(1)"
    assert two.regime(n=3) == "S(1)"
    np.testing.assert_allclose(two(n=np.array([0.5, 3.0, 7.0])), [0.875, 2, 3])
    assert three(n_1=2, n_2=3) == sp.Rational(3, 2) == three(n_1=3, n_2=2)
    assert three(n_1=1, n_2=1) == 1
    assert three(n_1=7, n_2=9) == 3
    for first, second, exponent, pattern in (
        (HALF, HALF, "5/7", "S1(1) S1(1)"),
        (HALF, 2, "7/8", "S1(1) GP"),
        (sp.Rational(1, 4), 2, "13/16", "S1(1) GP"),
        (sp.Rational(1, 5), sp.Rational(4, 5), "2/3", "S1(1) S(1)"),
        (2, HALF, "7/8", "GP S1(1)"),
    ):
        assert three(n_1=first, n_2=second) == sp.Rational(exponent)
        assert three.regime(n_1=first, n_2=second) == pattern
    # the power of the talk's pattern is right where another pattern has it, and there only
    values = {"n_1": sp.Rational(1, 5), "n_2": sp.Rational(4, 5)}
    assert three(**values) == three.published_value(**values)
    assert three(n_1=2, n_2=2) < three.published_value(n_1=2, n_2=2)
    with pytest.raises(DomainError, match="n_1 > 0"):
        three(n_1=-1, n_2=1)
    filters = theory.law("patterns.convolutional")
    assert filters(n=HALF, s=HALF) == sp.Rational(3, 4)
    assert filters.published_value(n=HALF, s=HALF) == 1
    assert theory.law("patterns.attention")(ell=1) == 2
    with pytest.raises(DomainError, match="not known"):
        two.log_power(n=2)


def test_other_architectures_have_laws_too():
    for degree in (5, 7):
        found = derive_pattern(fully_connected([n], degree))
        assert found.expr.subs(n, 2 * degree) == degree
        assert found.derivation.refused() is None
    local = derive_pattern(convolutional([n], patch_exponent=HALF, weight_sharing=False))
    shared = derive_pattern(convolutional([n], patch_exponent=HALF))
    assert local.derivation.refused() is None
    for value in (0, sp.Rational(1, 4), HALF, 1, 2):
        assert local.expr.subs(n, value) >= shared.expr.subs(n, value)
    assert (local.expr.subs(n, HALF), shared.expr.subs(n, HALF)) == (1, sp.Rational(3, 4))


def test_heuristics_say_so():
    for name in ("two_layer", "convolutional", "three_layer", "attention"):
        law = theory.law(f"patterns.{name}")
        assert law.standing == "heuristic"
        assert "heuristic" in law.explain()
        assert law.constant is None
    assert theory.law("patterns.unlearnability_bound").standing == "exact"
    text = sample_complexity(fully_connected([2, 2], 3)).explain()
    assert "Heuristic" in text
    assert "P_LB" in text
    assert "GP S(1)" in text
    assert "heuristic" in str(sample_complexity(fully_connected([n], 3)))


# -- the theorem --------------------------------------------------------------------------------------------------------


def test_the_bound_and_its_constant():
    law = theory.law("patterns.unlearnability_bound")
    sigma2, variance, power = sp.symbols("sigma2 K y2", positive=True)
    assert sp.simplify(law.constant - 2 * sigma2 / (variance + power)) == 0
    assert law() == 1
    assert law.asymptote(100, sigma2=0.5, K=1, y2=1) == pytest.approx(50)
    f, y = sp.Symbol("f", real=True), sp.Symbol("y", real=True)
    quartic = derive_bound(EvidenceLimited(f**4))
    assert sp.simplify(quartic.constant - 1 / (3 * variance**2)) == 0
    assert quartic.derivation.refused() is None
    with pytest.raises(DomainError, match="polynomial"):
        derive_bound(EvidenceLimited(sp.Abs(f - y)))
    with pytest.raises(DomainError, match="mean square"):
        derive_bound(EvidenceLimited((f - y) ** 4))


@pytest.mark.parametrize("noise", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("samples", [1, 5, 40])
def test_no_posterior_beats_the_bound(noise, samples):
    # f = theta x with theta ~ N(0, lambda): everything is Gaussian, the posterior of the alignment theta E[x y] is known exactly
    rng = np.random.default_rng(samples)
    eigenvalue, x = 0.05, rng.standard_normal(samples)
    for slope in (1.0, 3.0):
        y = slope * x
        precision = 1 / eigenvalue + x @ x / noise
        mean = (x @ y / noise) / precision
        posterior = norm.logsf((1 - mean) * np.sqrt(precision))
        log_prior = norm.logsf(1 / np.sqrt(eigenvalue))
        bound = log_prior + (eigenvalue * x @ x + y @ y) / (2 * noise)
        assert posterior <= bound + 1e-12
        # fewer samples than P_LB leave alignment less likely than not
        least = -2 * noise * log_prior / (np.mean(eigenvalue * x**2) + np.mean(y**2))
        assert bound < 0 if samples < least else bound >= -1e-9


def test_a_gaussian_process_costs_half_of_one_over_its_eigenvalue():
    for eigenvalue in (1e-3, 1e-5):
        assert -norm.logsf(1 / np.sqrt(eigenvalue)) * 2 * eigenvalue == pytest.approx(1, abs=0.02)


# -- what the slides print differently ----------------------------------------------------------------------------------


def test_the_printed_number_of_neurons_is_not_stationary():
    d, N1, N2, M, b = sp.symbols("d N_1 N_2 M b", positive=True)
    whole = d * M + N1 * b / M + N2 / b
    right = {M: (N1 * N2 / d**2) ** sp.Rational(1, 3), b: (N2**2 / (N1 * d)) ** sp.Rational(1, 3)}
    for name in (M, b):
        assert sp.powsimp(
            sp.expand(sp.powdenest(whole.diff(name).subs(right), force=True)), force=True
        ).equals(0)
    printed = {**right, M: (N1 * d / d**2) ** sp.Rational(1, 3)}
    numbers = {d: 1000, N1: 10**5, N2: 10**6}
    assert abs(whole.diff(M).subs(printed).subs(numbers).evalf()) > 100
    assert whole.subs(printed).subs(numbers).evalf() > 1.5 * whole.subs(right).subs(numbers).evalf()
    assert printed[M].subs(N2, d) == right[M].subs(N2, d)  # the two agree at N_2 = d only


def test_one_channel_costs_d_and_the_best_number_of_channels_less():
    single = enumerate_patterns(convolutional([HALF]))[1]
    for scale in (10**4, 10**8):
        values = {
            name: float(size.subs(sp.Symbol("d", positive=True), scale))
            for name, size in cost(single).sizes.items()
        }
        values |= {sp.Symbol("u", positive=True): 1}
        assert float(cost(single).expr.subs(values)) / scale == pytest.approx(
            1, abs=2 / np.sqrt(scale) * 1.1
        )
    found = {
        str(entry): entry.exponent for entry in sample_complexity(convolutional([HALF])).ranking
    }
    assert found == {"S(1)": sp.Rational(3, 4), "G(1)": sp.Rational(3, 4), "GP": 1, "S1(1)": 1}


def test_overlap_of_erf_with_a_cubic_keeps_its_constants():
    nodes, weights = hermegauss(120)
    weights = weights / weights.sum()
    cubic = nodes**3 - 3 * nodes
    assert weights @ cubic**2 == pytest.approx(6)
    for first, rest in ((0.3, 0.5), (1.0, 0.2), (0.7, 0.0)):
        z = first * nodes[:, None] + rest * nodes[None, :]
        overlap = weights @ (erf(z) * cubic[:, None]) @ weights
        norm2 = first**2 + rest**2
        assert overlap == pytest.approx(
            -4 / np.sqrt(np.pi) * first**3 * (1 + 2 * norm2) ** -1.5, abs=1e-9
        )
    # the eigenvalue of a linear feature under the erf kernel, and the kernel at equal inputs
    kernel = sp.Function("k")
    rho = sp.Symbol("rho")
    kernel = 2 / sp.pi * sp.asin(2 * rho / 3)
    assert sp.simplify(kernel.diff(rho).subs(rho, 0) - 4 / (3 * sp.pi)) == 0


def test_tail_of_a_cubed_gaussian():
    for t in (1e4, 1e6, 1e8):
        assert -norm.logsf(t ** (1 / 3)) / (t ** (2 / 3) / 2) == pytest.approx(
            1, abs=10 * np.log(t) / t ** (2 / 3)
        )


def test_the_printed_attention_target_has_no_overlap():
    # all sequences of two positions with coordinates +-1, scores eps x_1^a x_2^b, output on x_3: exact averages
    length, eps = 2, 0.7
    printed = consistent = 0.0
    for signs in itertools.product((-1, 1), repeat=3 * length):
        x = np.array(signs, float).reshape(length, 3)
        scores = np.exp(eps * np.outer(x[:, 0], x[:, 1]))
        attended = scores / scores.sum(axis=1, keepdims=True)
        f = (attended @ x[:, 2]).sum() / np.sqrt(length)
        printed += f * np.einsum("a,a,b->", x[:, 0], x[:, 1], x[:, 2]) / length
        consistent += f * np.einsum("a,b,b->", x[:, 0], x[:, 1], x[:, 2]) / length
    assert printed / 2 ** (3 * length) == pytest.approx(0, abs=1e-12)
    assert abs(consistent) / 2 ** (3 * length) > 0.1


def test_priors_have_their_halves_and_posteriors_their_sign():
    # shifting a Gaussian weight by v costs v^2 / (2 variance) in the exponent; inflating N variances by beta costs their divergence
    variance, shift, inflation = 0.2, 3.0, 2.5
    assert norm.logpdf(0, scale=np.sqrt(variance)) - norm.logpdf(
        shift, scale=np.sqrt(variance)
    ) == pytest.approx(shift**2 / (2 * variance))
    nodes, weights = hermegauss(60)
    wide = nodes * np.sqrt(inflation)
    divergence = (weights / weights.sum()) @ (
        norm.logpdf(wide, scale=np.sqrt(inflation)) - norm.logpdf(wide)
    )
    assert divergence == pytest.approx((inflation - 1 - np.log(inflation)) / 2)
    # a likelihood must fall with the distance of the output from the label
    likelihood = theory.law("patterns.unlearnability_bound").model.loss
    f, y = sp.Symbol("f", real=True), sp.Symbol("y", real=True)
    assert sp.simplify(likelihood.diff(f, 2)).is_positive
    assert likelihood.subs(f, y) == 0


# -- purity -------------------------------------------------------------------------------------------------------------


def test_what_comes_with_a_feature_off_target(table):
    entry = table["purity"]
    dimension, inflation, neurons = entry["dimension"], entry["inflation"], entry["neurons"]
    eigenvalue = inflation / dimension
    trace = (dimension - 1) / dimension
    assert trace / (neurons * eigenvalue) == pytest.approx(entry["formula"], abs=5e-7)
    rng = np.random.default_rng(5)
    weights = rng.standard_normal((4000, neurons, dimension)) / np.sqrt(dimension)
    weights[:, :, 0] *= np.sqrt(inflation)
    aligned = weights[:, :, 0]
    readout = aligned / np.sum(
        aligned**2, axis=1, keepdims=True
    )  # mean readout, given alignment one
    off = np.sum(np.einsum("sn,snd->sd", readout, weights[:, :, 1:]) ** 2, axis=1)
    error = off.std(ddof=1) / np.sqrt(off.size)
    assert off.mean() == pytest.approx(
        trace / ((neurons - 2) * eigenvalue), abs=4 * error
    )  # exact at any number of neurons
    assert trace / ((neurons - 2) * eigenvalue) == pytest.approx(entry["sampled"], abs=5e-6)


def test_purity_only_adds_conditions():
    for widths in ([1], [HALF, HALF], [2, sp.Rational(3, 4)], [0]):
        free = sample_complexity(fully_connected(widths, 3))
        pure = sample_complexity(fully_connected(widths, 3), purity=True)
        costs = {str(entry): entry.exponent for entry in free.ranking}
        assert all(entry.exponent >= costs[str(entry)] for entry in pure.ranking)
        assert {str(entry) for entry in pure.ranking} | {
            str(entry) for entry in pure.infeasible
        } == set(costs)


def test_generic_and_even_activations():
    found = sample_complexity(fully_connected([1], 2))
    assert (found.exponent, str(found.winners[0])) == (1, "S1(1)")
    even = sample_complexity(fully_connected([1, 1], 2, activation="even"))
    assert even.exponent == 1
    # an even layer passes nothing linear on, so that only the target's own degree can be carried further
    assert {layer.feature for entry in even.ranking for layer in entry.pattern.layers[1:]} == {
        None,
        2,
    }
    sizes = tuple(Fraction(1) for _ in range(4))
    assert all(
        entry.pattern.program.minimum((*sizes[:3], Fraction(0)))[0] == entry.exponent
        for entry in even.ranking
    )


def test_attention_learns_its_pattern_rather_than_staying_lazy():
    found = sample_complexity(attention(1))
    assert [(str(entry), entry.exponent) for entry in found.ranking] == [("softmax", 2), ("GP", 4)]
