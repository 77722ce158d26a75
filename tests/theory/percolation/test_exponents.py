"""Exponents and thresholds of percolation: tables, scaling relations, and the family of models."""

from itertools import combinations

import pytest
import sympy as sp

from scalinglaws.errors import DomainError
from scalinglaws.theory.percolation import (
    chinchilla_models,
    chinchilla_width,
    critical_exponents,
    critical_threshold,
    path_dimension,
    rank_exponent,
    scaling_relations,
)


@pytest.fixture(scope="module")
def expected(reference):
    return reference("percolation_theory")


def test_table(expected):
    for d, tau, sigma, alpha, ratio, model2, model4, data2, data4 in expected["dimensions"]:
        found = critical_exponents(d)
        values = [found.tau, found.sigma, found.alpha, found.rank_ratio]
        values += [found.model_exponent(c).exponent for c in (2, 4)] + [
            found.data_exponent(c).exponent for c in (2, 4)
        ]
        for value, target in zip(
            values, (tau, sigma, alpha, ratio, model2, model4, data2, data4), strict=True
        ):
            assert float(value) == pytest.approx(target, abs=6e-7)
    for d, *errors in expected["errors"]:
        found = critical_exponents(d)
        for value, target in zip((found.tau, found.sigma, found.alpha), errors, strict=True):
            assert value.standard_error == pytest.approx(target, rel=0.03)
    mean_field = critical_exponents(6)
    assert (mean_field.model_exponent(4).log_power, mean_field.data_exponent(2).log_power) == (2, 1)
    assert critical_exponents(9).tau.value == sp.Rational(5, 2)
    assert critical_exponents(2).alpha.exact


def test_thresholds():
    assert critical_threshold(2).value == 0.5927460507921
    assert critical_threshold(7, "bond").standard_error == 2e-9
    assert critical_threshold(coordination=4).value == sp.Rational(1, 3)
    for bad in (
        {"dimension": 8},
        {"dimension": 3, "kind": "face"},
        {},
        {"dimension": 1},
        {"coordination": 2},
    ):
        with pytest.raises(DomainError):
            critical_threshold(**bad)


def test_any_two_exponents_give_the_rest():
    d, start = sp.Integer(2), {"D": sp.Rational(91, 48), "nu": sp.Rational(4, 3)}
    full = scaling_relations(dimension=d, **start)
    names = ("tau", "sigma", "beta_p", "gamma_p", "delta", "alpha", "D", "nu")
    static = {"tau", "delta", "alpha", "D"}
    for pair in combinations(names, 2):
        given = {name: getattr(full, name) for name in pair}
        if set(pair) <= static:
            with pytest.raises(DomainError, match="two independent"):
                scaling_relations(dimension=d, **given)
        else:
            assert scaling_relations(dimension=d, **given) == full
    assert full.gamma_p + 2 * full.beta_p == d * full.nu


def test_relations_refuse_what_they_cannot_say():
    half = sp.S.Half
    for bad, message in (
        ({"tau": sp.Rational(5, 2)}, "two independent"),
        ({"tau": sp.Rational(5, 2), "sigma": half, "beta_p": 2}, "contradicts"),
        ({"tau": sp.Rational(5, 2), "nu": half}, "needs the dimension"),
        ({"tau": sp.Rational(5, 2), "nu": half, "dimension": 8}, "hyperscaling ends"),
        ({"tau": 4, "sigma": half}, "between 2 and 3"),
        ({"tau": sp.Rational(5, 2), "rho": 1}, "unknown exponent"),
    ):
        with pytest.raises(DomainError, match=message):
            scaling_relations(**bad)
    assert scaling_relations(tau=sp.Rational(5, 2), sigma=half, dimension=7).D is None


def test_rank_exponents_of_the_two_ensembles():
    assert rank_exponent(sp.Rational(5, 2), ensemble="site_rooted") == 2
    assert rank_exponent(sp.Rational(5, 2), ensemble="lattice") == sp.Rational(2, 3)
    with pytest.raises(TypeError):
        rank_exponent(2.5)
    with pytest.raises(DomainError):
        rank_exponent(2.5, ensemble="sites")


def test_chinchilla_width(expected):
    found = chinchilla_width()
    for name, value in expected["chinchilla"].items():
        assert getattr(found, name) == pytest.approx(value, abs=6e-8)
    assert found.parameter_exponent(1) == found.exponent
    size, width, heads, layers, head = chinchilla_models().T
    counted = 32000 * width + layers * (5 * width * heads * head + 8 * width**2)
    assert abs(counted / size - 1).max() < 0.0081


def test_exponents_print_as_a_table():
    lines = str(critical_exponents(3)).splitlines()
    assert lines[0] == "percolation in 3 dimensions"
    assert lines[1].split() == ["tau", "2.189094", "+-", "0.000047"]


@pytest.mark.parametrize("wrong", ["x", 1, 2.5, True, float("nan")])
def test_wrong_dimensions_are_named(wrong):
    with pytest.raises(DomainError, match="dimension = "):
        critical_exponents(wrong)


def test_dimensions_of_shortest_paths():
    known = {d: path_dimension(d) for d in (2, 3, 6, 7)}
    assert known[6].exact
    assert known[6].value == known[7].value == 2
    ratios = [float(known[d]) / float(critical_exponents(d).D) for d in (2, 3)]
    assert ratios == pytest.approx([0.59645, 0.54524], abs=1e-5)
    with pytest.raises(DomainError, match="2, 3, or 6 and more"):
        path_dimension(4)
