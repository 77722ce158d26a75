"""Laws as objects: how they are asked, what they refuse, and constants without closed form."""

from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws import SourceCapacity, theory
from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.notation import CONVENTIONS
from scalinglaws.theory.formula import Reference
from scalinglaws.theory.symbols import ALPHA, BETA


@pytest.fixture(scope="module")
def data():
    return theory.law("linear.data")


def test_exact_in_exact_out(data):
    for value in (
        data(alpha=Fraction(3, 2), beta=Fraction(1, 3)),
        data(alpha=sp.Rational(3, 2), beta=sp.Rational(1, 3)),
    ):
        assert isinstance(value, sp.Rational)
        assert value == sp.Rational(1, 2)
    assert data(alpha=3, beta=5) == 6


def test_floats_give_floats_and_digits_give_mpf(data):
    assert isinstance(data(alpha=1.5, beta=0.5), float)
    value = theory.law("linear.time").in_notation("bordelon")(a=2, b=3, digits=40)
    assert isinstance(value, mpmath.mpf)
    with mpmath.workdps(40):
        assert value == mpmath.mpf(1) / 3


def test_arrays_broadcast(data):
    alpha = np.array([1.5, 2.0, 3.0])[:, None]
    beta = np.array([0.5, 1.9, 2.1, 7.0])
    np.testing.assert_allclose(
        data(alpha=alpha, beta=beta), alpha * np.minimum(beta, 2), rtol=1e-15
    )


def test_outside_validity_raises_or_masks(data):
    with pytest.raises(DomainError, match=r"holds for alpha > 1; got alpha = 0.5, beta = 1"):
        data(alpha=0.5, beta=1)
    with pytest.raises(DomainError, match=r"holds for alpha > 1; got alpha = 0.5, beta = 2"):
        data(alpha=[2, 0.5], beta=2.0)
    masked = data(alpha=np.array([2.0, 0.5, np.nan]), beta=1.0, outside="mask")
    assert masked.mask.tolist() == [False, True, True]
    assert masked[0] == 2.0
    assert data(alpha=0.5, beta=1, outside="mask") is np.ma.masked
    with pytest.raises(DomainError, match="'raise' or 'mask'"):
        data(alpha=2, beta=1, outside="ignore")


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        float("inf"),
        mpmath.inf,
        sp.oo,
        sp.nan,
        "1.5",
        True,
        sp.Symbol("x"),
        None,
        1j,
        sp.I,
        np.array([1j]),
        ["a"],
        [np.inf],
    ],
)
def test_refuses_what_is_not_a_number(data, bad):
    with pytest.raises(DomainError):
        data(alpha=bad, beta=1)


def test_refuses_missing_and_unknown_parameters(data):
    with pytest.raises(DomainError, match=r"needs beta \(source"):
        data(alpha=2)
    with pytest.raises(DomainError, match="unknown parameter of linear.data 'gamma'"):
        data(alpha=2, beta=1, gamma=1)
    with pytest.raises(DomainError, match="unknown parameter of linear.data 'alpha'"):
        data.in_notation("bordelon")(alpha=2, beta=1)


def test_boundary_is_a_regime_with_a_logarithm(data):
    assert [data.regime(alpha=2, beta=beta) for beta in (1.9, 2, 2.1)] == [
        "source-limited",
        "boundary",
        "saturated",
    ]
    assert [data.log_power(alpha=2, beta=beta) for beta in (1.9, 2, 2.1)] == [0, 1, 0]
    x = np.array([1e6, 1e12])
    one, two = data.asymptote(x, alpha=2, beta=2)
    assert one / two == pytest.approx(1e24 / 2)
    with pytest.raises(DomainError, match="must be a number above 1"):
        data.asymptote(0.5, alpha=2, beta=1)


# laws of (alpha, beta) that hold in regions, not on lines
TASK_LAWS = [
    name
    for name in theory.laws()
    if theory.law(name).task
    and set(theory.law(name).symbols) == {"alpha", "beta"}
    and name != "linear.phase_boundaries"
]


@cache
def _written(name, notation):
    return theory.law(name).in_notation(notation)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
@settings(max_examples=8)
@given(
    st.fractions(Fraction(11, 10), 4, max_denominator=20),
    st.fractions(Fraction(1, 5), 4, max_denominator=20),
)
def test_every_notation_gives_the_same_answer(alpha, beta):
    for name in TASK_LAWS:
        law = theory.law(name)
        for notation, entry in CONVENTIONS.items():
            if notation in ("capacity", "bahri"):
                continue
            extra = (3,) if notation == "kernel" else ()
            values = dict(
                zip(entry.parameters, entry.from_canonical(alpha, beta, *extra), strict=True)
            )
            there = _written(name, notation)
            if not all(held.subs({ALPHA: alpha, BETA: beta}) for held in law.validity):
                with pytest.raises(DomainError):
                    there(**values)
                continue
            assert there(**values) == law(alpha=alpha, beta=beta)
            assert there.regime(**values) == law.regime(alpha=alpha, beta=beta)
            if law.published is not None:
                assert there.published_value(**values) == law.published_value(
                    alpha=alpha, beta=beta
                )
            if law.constant is not None:
                assert there.asymptote(1e3, **values) == pytest.approx(
                    law.asymptote(1e3, alpha=alpha, beta=beta), rel=1e-9, abs=0
                )


@pytest.mark.filterwarnings("ignore:feature_learning.sgd")
def test_white_teacher_notation():
    for name in TASK_LAWS:
        law, alpha_k = theory.law(name), Fraction(2, 3)
        task = SourceCapacity.from_bahri(alpha_k)
        assert law.in_notation("bahri")(alpha_k=alpha_k) == law(alpha=task.alpha, beta=task.beta)


def test_validity_is_kept_in_every_notation(data):
    bordelon = data.in_notation("bordelon")
    assert [str(condition) for condition in bordelon.validity] == ["a > 1", "b > 1"]
    with pytest.raises(DomainError, match="holds for a > 1"):
        bordelon(a=0.9, b=2)
    with pytest.raises(DomainError, match="holds for alpha_K > 0"):
        data.in_notation("bahri")(alpha_k=-0.5)
    # a task harder than white has beta_P < 0, which is allowed
    assert data.in_notation("paquette")(alpha_p=1, beta_p=Fraction(-1, 4)) == sp.Rational(1, 2)
    with pytest.raises(DomainError, match="beta_P"):
        data.in_notation("paquette")(alpha_p=1, beta_p=-1)


def test_unknown_notation(data):
    with pytest.raises(DomainError, match="did you mean 'bordelon'"):
        data.in_notation("Bordolon")
    assert data.in_notation("Bordelon") is data.in_notation("bordelon")


def test_rounded_floats_find_the_boundary(data):
    task = SourceCapacity.from_ab(4.6, 1.8)
    assert task.beta != 2
    assert data.regime(alpha=task.alpha, beta=task.beta) == "boundary"
    assert data.asymptote(1e6, alpha=task.alpha, beta=task.beta) == pytest.approx(
        data.asymptote(1e6, alpha=1.8, beta=2), rel=1e-9, abs=0
    )


def test_asymptote_takes_numbers_of_any_length(data):
    # exact powers of sixteen-digit fractions would take minutes
    long = data.asymptote([1e4, 1e8], alpha=1.8346134612346237, beta=0.9472345237452341)
    short = data.asymptote([1e4, 1e8], alpha=1.8346134612, beta=0.9472345237)
    np.testing.assert_allclose(long, short, rtol=1e-8, atol=0)
    assert data.asymptote([], alpha=1.5, beta=1).size == 0
    with pytest.raises(DomainError, match="must be a number"):
        data.asymptote("1e4", alpha=2, beta=1)


def test_asymptote_warns_next_to_a_boundary_and_nowhere_else(data):
    with pytest.warns(AccuracyWarning, match="close to the boundary"):
        data.asymptote(1e4, alpha=1.5, beta=1.99)
    data.asymptote(1e4, alpha=1.5, beta=1)
    data.asymptote(1e4, alpha=1.5, beta=2)
    assert data.asymptote(np.inf, alpha=1.5, beta=2) == 0
    with pytest.raises(DomainError, match="needs alpha"):
        theory.law("linear.time").asymptote(10, beta=2)


def test_shapes_digits_and_masks(data):
    with pytest.raises(DomainError, match="do not broadcast"):
        data(alpha=[2, 3], beta=[1, 2, 3])
    with pytest.raises(DomainError, match="digits = 0"):
        data(alpha=2, beta=1, digits=0)
    with pytest.raises(DomainError, match="not with arrays"):
        data(alpha=[2, 3], beta=1, digits=5)
    assert isinstance(data(alpha=np.array(2.0), beta=1.5), float)
    masked = data(alpha=np.ma.masked_array([2.0, 3.0], mask=[True, False]), beta=1, outside="mask")
    assert masked.mask.tolist() == [True, False]
    with mpmath.workdps(40):
        third = mpmath.mpf(1) / 3
        assert abs(data(alpha=2, beta=third, digits=35) - 2 * third) < mpmath.mpf(10) ** -34


def test_law_without_other_formula(data):
    with pytest.raises(DomainError, match="printed nowhere"):
        data.published_value(alpha=2, beta=1)


def test_reference_in_one_line():
    source = Reference("k", "A. Author", "Title", "Journal", 2020, "arXiv:2001.00001")
    assert str(source) == "A. Author (2020), arXiv:2001.00001"
    assert str(source.at("eq. (3)")).endswith("eq. (3)")


def test_a_notation_in_which_a_law_says_nothing_is_refused():
    with pytest.raises(DomainError, match="says nothing in the notation 'bahri'"):
        theory.law("linear.phase_boundaries").in_notation("bahri")
    # the family has alpha > 1 and beta < 1: no phase boundary of the table lies in it
    boundaries = theory.law("linear.phase_boundaries")
    for alpha_k in (sp.Rational(1, 7), 1, 3, 40):
        task = SourceCapacity.from_bahri(sp.sympify(alpha_k))
        with pytest.raises(DomainError):
            boundaries(alpha=task.alpha, beta=task.beta)


def test_no_law_is_undefined_in_any_notation():
    for name in theory.laws():
        law = theory.law(name)
        for notation in CONVENTIONS:
            try:
                written = law.in_notation(notation)
            except DomainError:
                continue
            assert written.regimes
            for expr in (written.expr, written.published_expr):
                assert expr is None or not expr.has(sp.nan, sp.zoo), (name, notation)


def test_names_of_parameters_do_not_clash_with_those_of_arguments():
    law = theory.law("linear.time")
    for ask in (law, law.regime, law.log_power, law.published_value):
        with pytest.raises(DomainError):
            ask(self=1)
    for name in ("self", "x"):
        with pytest.raises(DomainError):
            law.asymptote(10, **{name: 1})
    for name in ("self", "form"):
        with pytest.raises(DomainError):
            theory.law("empirical.hestness").evaluate("loss", **{name: 1})
    for name in ("self", "first", "second"):
        with pytest.raises(DomainError):
            theory.compare("linear.time", "linear.data", **{name: 1})
