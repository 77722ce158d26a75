"""Laws of percolation: reference values, limits, models that are not shipped, and independent sums."""

import mpmath
import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory import rendering
from scalinglaws.theory.asymptotics import RATIONAL
from scalinglaws.theory.percolation import (
    AllocationLimited,
    ClusterNumbers,
    PathLimited,
    Resampled,
    SampleLimited,
    break_rank_equation,
    derive_allocated,
    derive_break_rank,
    derive_path,
    derive_ranks,
    derive_resampled,
    derive_sampled,
)
from scalinglaws.theory.percolation.counts import CountTransform, PoleRest, mean_power


@pytest.fixture(scope="module")
def expected(reference):
    return reference("percolation_theory")


def _prefix(alpha, beta, n, clusters=4000):
    """Return break rank and loss of the exact optimum, by its own sums, over all numbers of learned clusters."""
    k = np.arange(1, clusters + 1.0)
    head = np.cumsum(k ** (-(1 + alpha) / (1 + beta)))
    tail = float(mpmath.zeta(1 + alpha)) - np.cumsum(k ** (-1 - alpha))
    loss = head ** (1 + beta) * n**-beta + tail
    return int(np.argmin(loss)) + 1, float(loss.min())


def test_printed_values(expected):
    law = theory.law("percolation.model")
    for row in expected["published"]:
        values = {"alpha": row["alpha"], "beta": row["beta"], "n": row["n"]}
        assert law.evaluate("published_break_rank", **values) == pytest.approx(
            row["break_rank"], rel=1e-9
        )
        assert law.evaluate("published_amplitude", **values) == pytest.approx(
            row["amplitude"], rel=1e-9
        )
        assert law.evaluate("published_loss", **values) == pytest.approx(row["loss"], rel=1e-9)
    for row in expected["closed"]:
        assert law.evaluate(
            "loss", alpha=row["alpha"], beta=row["beta"], n=row["n"]
        ) == pytest.approx(row["loss"], rel=1e-9, abs=0)
    for row in expected["hard"]:
        values = {"alpha": row["alpha"], "beta": row["beta"], "n": row["n"]}
        tolerance = 2e-9 if row["beta"] == 1 else 1e-3  # corrections k_b^-(1/3)
        assert law.evaluate("loss", **values) == pytest.approx(row["loss"], rel=tolerance, abs=0)
        # the sum to zeta(a) alone leaves out a relative k_b^-(1/3)/a, about 7e-4 at 4e10 clusters
        assert law.evaluate("break_rank", **values) == pytest.approx(
            row["break_rank"], rel=2e-9 if row["beta"] == 1 else 2e-3
        )


@pytest.mark.parametrize(("alpha", "beta"), [(3.0, 0.5), (0.5, 2.0), (1.0, 1.0)])
def test_closed_forms_against_exact_sums(alpha, beta):
    law = theory.law("percolation.model")
    rank, loss = _prefix(alpha, beta, 2000.0)
    tolerance = {3.0: 1e-4, 0.5: 0.1, 1.0: 1e-3}[alpha]
    assert law.evaluate("loss", alpha=alpha, beta=beta, n=2000.0) == pytest.approx(
        loss, rel=tolerance
    )
    assert law.evaluate("break_rank", alpha=alpha, beta=beta, n=2000.0) == pytest.approx(
        rank, rel=0.15
    )


def test_both_sides_of_the_boundary():
    law = theory.law("percolation.model")
    assert [law.regime(alpha=2, beta=beta) for beta in (1, 2, 3)] == [
        "smoothness-limited",
        "boundary",
        "cluster-limited",
    ]
    assert [law(alpha=2, beta=beta) for beta in (1, 2, 3)] == [1, 2, 2]
    assert [law.log_power(alpha=2, beta=beta) for beta in (1, 2, 3)] == [0, 3, 0]
    data = theory.law("percolation.data")
    third = sp.Rational(1, 3)
    assert [data(alpha=sp.S.Half, beta=beta) for beta in (third / 2, third, 1)] == [
        third / 2,
        third,
        third,
    ]
    assert [data.log_power(alpha=sp.S.Half, beta=beta) for beta in (third / 2, third, 1)] == [
        0,
        1,
        0,
    ]
    rank = theory.law("percolation.break_rank")
    assert [rank(alpha=2, beta=beta) for beta in (1, 2, 3)] == [sp.Rational(2, 3), 1, 1]
    assert rank.log_power(alpha=2, beta=2) == -1
    with pytest.raises(DomainError, match="not about capacity"):
        law.in_notation("bordelon")


def test_one_equation_for_the_break_rank():
    for beta, value in ((1, 190.4906005), (1 + 1e-7, 190.4906005)):
        found = float(break_rank_equation(1000, alpha=1, beta=beta, threshold=1).evaluate(20))
        assert found == pytest.approx(value, rel=1e-6)
    law = theory.law("percolation.break_rank")
    large = float(break_rank_equation(10**15, alpha=1, beta=3).evaluate(20))
    assert large == pytest.approx(law.evaluate("break_rank", alpha=1, beta=3, n=1e15), rel=1e-6)


def test_models_that_are_not_shipped():
    for model in (
        AllocationLimited(offset=1),
        AllocationLimited(threshold=1),
        AllocationLimited(2, 1),
        AllocationLimited(sp.Rational(5, 2), sp.S.Half),
    ):
        assert derive_allocated(model).derivation.refused() is None
    # a loss that falls from the first degree of freedom on, against its own exact prefix formula
    k = np.arange(1, 200001.0)
    alpha, beta, n = 0.5, 2.0, 2e4
    head, tail = np.cumsum(k**-0.5), float(mpmath.zeta(1.5)) - np.cumsum(k**-1.5)
    learned = head * k**0.5 - k <= n  # allocations stay positive
    loss = float(np.min((head**3 * (n + k) ** -2 + tail)[learned]))
    found = derive_allocated(AllocationLimited(sp.Rational(3, 2), 2, offset=1))
    assert float(found.constant) * n**-alpha == pytest.approx(loss, rel=0.05)
    assert beta > alpha
    assert float(derive_break_rank(AllocationLimited(2, 3, threshold=1)).constant) == 0.5
    with pytest.raises(DomainError, match="offset"):
        derive_allocated(AllocationLimited(offset=2))
    with pytest.raises(DomainError, match="weight"):
        derive_allocated(AllocationLimited(weight=1))


def test_mellin_expansion(expected):
    for row in expected["mellin"]:
        alpha, beta = (sp.Rational(str(row[name])) for name in ("alpha", "beta"))
        norm, s = 1 / sp.zeta(1 + alpha), alpha / (1 + alpha)
        assert float(
            norm ** (1 / (1 + alpha)) / (1 + alpha) * CountTransform(s, beta)
        ) == pytest.approx(row["clusters"], rel=1e-12)
        assert float(norm ** (1 - beta) * sp.zeta((1 + alpha) * (1 - beta))) == pytest.approx(
            row["smoothness"], rel=1e-12
        )
    assert float(PoleRest(sp.S.Half)) == pytest.approx(expected["pole_rest"], rel=1e-12)
    with mpmath.workdps(30):
        gap = sp.Rational(1, 10**8)
        nearby = [
            mpmath.mpf(CountTransform(sp.S.Half + sign * gap, sp.S.Half).evalf(30)._mpf_)
            for sign in (1, -1)
        ]
        assert float((nearby[0] + nearby[1]) / 2) == pytest.approx(expected["pole_rest"], rel=1e-12)
    assert float(mean_power(700, 0.5)) == pytest.approx(0.03781673470057654, rel=1e-12)


def test_data_law_values(expected):
    law = theory.law("percolation.data")
    for row in expected["data"]:
        assert law.evaluate(
            "loss", alpha=row["alpha"], beta=row["beta"], P=row["P"]
        ) == pytest.approx(row["loss"], rel=1e-5, abs=0)
    for row in expected["data_published"]:
        values = {"alpha": row["alpha"], "beta": row["beta"], "P": row["P"]}
        assert law.evaluate("published_loss", **values) == pytest.approx(row["loss"], rel=1e-12)


def test_data_models_that_are_not_shipped():
    assert derive_sampled(SampleLimited(2, sp.S.Half)).regimes[0].log_power == 1
    found = derive_sampled(SampleLimited(2, residual=RATIONAL(0, 2)))
    assert found.expr == sp.S.Half
    assert found.derivation.refused() is None
    k = np.arange(1, 4_000_001.0)
    p = k**-2 / (np.pi**2 / 6)
    total = float((p / (1 + 1e6 * p) ** 2).sum())
    assert float(found.constant) * 1e-3 == pytest.approx(total, rel=2e-3)


def test_ranks():
    assert theory.law("percolation.quanta")(tau=sp.Rational(5, 2)) == 1
    assert theory.law("percolation.quanta_lattice")(tau=sp.Rational(5, 2)) == sp.Rational(1, 3)
    tau = sp.Rational(7, 3)
    assert derive_ranks(ClusterNumbers(tau)).forms["rank_exponent"].expr == 3
    assert derive_ranks(ClusterNumbers(tau, "lattice")).forms["rank_exponent"].expr == sp.Rational(
        3, 4
    )
    for bad in (ClusterNumbers(2), ClusterNumbers(tau, "both")):
        with pytest.raises(DomainError):
            derive_ranks(bad)


def test_subcritical_sizes(expected):
    law = theory.law("percolation.subcritical_crossover")
    assert law(tau=sp.Rational(5, 2), sigma=sp.S.Half) == 1
    rank = law.forms["rank"].expr
    for place, size in expected["sizes"]:
        values = {"tau": sp.Rational(5, 2), "k_xi": 100, "y": sp.Float(size, 20)}
        found = rank.subs({symbol: values[str(symbol)] for symbol in rank.free_symbols})
        assert float(found) == pytest.approx(place, rel=2e-8)


def test_components(expected):
    law = theory.law("percolation.cluster_learning")
    assert law(c=2, D=4) == sp.S.Half
    for u, value, slope in expected["tree"]:
        assert law.evaluate("tree", u=u) == pytest.approx(value, rel=1e-9)
        assert law.evaluate("tree_slope", u=u) == pytest.approx(slope, rel=1e-8)
    assert law.evaluate("tree", u=1e-3) == pytest.approx(
        law.evaluate("tree_early", u=1e-3), abs=1e-6
    )
    assert law.evaluate("tree", u=1e4) == pytest.approx(law.evaluate("tree_late", u=1e4), rel=1e-12)
    infinite = theory.law("percolation.supercritical")
    assert infinite(c=2, d=3, D=sp.Rational(5, 2)) == sp.Rational(4, 5)
    assert theory.law("percolation.sharma_kaplan")(c=4, d=8) == sp.S.Half
    assert theory.law("percolation.michaud").asymptote(1e3, alpha=1) == pytest.approx(
        float(mpmath.zeta(2, 1001)), rel=1e-3
    )
    assert theory.law("percolation.hutter")(alpha=1) == sp.S.Half


def test_loss_reduction(expected):
    law = theory.law("percolation.loss_reduction")
    for p, vocabulary, extent, value, first in expected["reduction"]:
        values = {"p": p, "V": vocabulary, "R": extent}
        assert law.evaluate("reduction", **values) == pytest.approx(value, rel=1e-11)
        assert law.evaluate("first_order", **values) == pytest.approx(first, rel=1e-11)
        assert law.evaluate("reduction", p=p, V=vocabulary, R=vocabulary) == pytest.approx(
            0, abs=1e-12
        )
        best = law.evaluate("best_x", p=p) * p * vocabulary / (1 - p)
        assert law.evaluate("reduction", p=p, V=vocabulary, R=best) == pytest.approx(
            law.evaluate("largest", p=p), rel=1e-12
        )
    with pytest.raises(DomainError, match="p < 1"):
        law(p=2)


@pytest.mark.parametrize(
    ("alpha", "beta", "factor"),
    [
        ("1", "1/4", 0.67602),
        ("2", "1/4", 0.52323),
        ("4", "1/5", 0.30575),
        ("429/100", "1/2", 0.46411),
    ],
)
def test_the_printed_data_loss_is_off_by_a_factor_of_the_parameters(alpha, beta, factor):
    law, values = (
        theory.law("percolation.data"),
        {"alpha": sp.Rational(alpha), "beta": sp.Rational(beta)},
    )
    text = rendering.text(law.blocks(values))
    assert f"tends to {factor} times the derived one" in text
    found = rendering.data(law.blocks(values))["published"]["factor_here"]
    assert found == pytest.approx(factor, abs=5e-6)
    # the forms themselves, at many samples
    x = {**values, "P": 1e60}
    printed = law.evaluate("published_loss", **x) / law.evaluate(
        "normalized", alpha=values["alpha"]
    )
    assert printed / law.evaluate("loss", **x) == pytest.approx(factor, rel=1e-4)


def test_the_factor_is_told_as_a_formula_where_no_parameters_are_given():
    law = theory.law("percolation.data")
    assert "for beta < alpha/(alpha + 1) the printed formula tends to 1/(" in rendering.text(
        law.blocks()
    )
    elsewhere = rendering.data(law.blocks({"alpha": sp.S.One, "beta": sp.S.One}))["published"]
    assert "factor" in elsewhere
    assert "factor_here" not in elsewhere
    model = theory.law("percolation.model")
    found = rendering.data(model.blocks({"alpha": sp.S.One, "beta": sp.S.Half}))["published"]
    assert found["factor_here"] == pytest.approx(0.7604286, rel=1e-6)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.25), (1.0, 1.0), (2.0, 0.5)])
def test_drawing_by_the_weights_is_the_law_of_samples(alpha, beta):
    law, plain = theory.law("percolation.sampling"), theory.law("percolation.data")
    given = {"alpha": alpha, "beta": beta}
    assert law(**given, theta=1) == pytest.approx(plain(**given))
    assert law.evaluate("loss", P=1e5, **given, theta=1) == pytest.approx(
        plain.evaluate("loss", P=1e5, **given), rel=1e-12
    )


def test_both_terms_of_the_sampled_loss_are_right_to_one_over_samples():
    law = theory.law("percolation.sampling")
    for alpha, beta, theta, loss in (
        (1, 1, 0.75, 3.677283696889e-4),
        (1, 0.5, 2 / 3, 4.064236775523e-3),
        (2, 1, 0.5, 5.654914276290e-6),
    ):
        found = law.evaluate("loss", P=10**6, alpha=alpha, beta=beta, theta=theta)
        assert found == pytest.approx(loss, rel=3e-6)
    line = derive_resampled(Resampled(2, sp.Rational(3, 4), sp.Rational(2, 3)))
    merged = line.forms["loss"].expr
    assert float(merged.subs(dict.fromkeys(merged.free_symbols, 10**6))) == pytest.approx(
        5.641319014705e-4, rel=3e-6
    )
    assert line.regimes[0].log_power == 1


def test_the_best_power_has_the_least_constant():
    alpha, beta = 2.0, 0.5
    law = theory.law("percolation.sampling")
    best = float(law.evaluate("best_theta", beta=beta))
    constants = [
        float(derive_resampled(Resampled(1 + alpha, beta, theta)).constant)
        for theta in (best - 0.02, best, best + 0.02)
    ]
    assert constants[1] == min(constants)
    a = (1 + alpha) / (1 + beta)
    assert constants[1] == pytest.approx(
        float(mpmath.zeta(a) ** (1 + beta) / mpmath.zeta(1 + alpha))
    )


def test_too_small_a_power_is_refused():
    with pytest.raises(DomainError, match="sampling"):
        derive_resampled(Resampled(2, 1, sp.Rational(1, 2)))


def test_paths_and_space_agree_on_trees():
    paths, space = (
        theory.law("percolation.cluster_paths"),
        theory.law("percolation.cluster_learning"),
    )
    assert paths(D=4, d_min=2) == space(D=4, c=2) == sp.Rational(1, 2)
    assert paths.evaluate("lipschitz_exponent", D=4, d_min=2) == 1
    with pytest.raises(DomainError, match="dimension"):
        derive_path(PathLimited(dimension=-1))
