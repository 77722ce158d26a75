"""Every paper's notation, there and back."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws import SourceCapacity
from scalinglaws.errors import DomainError
from scalinglaws.notation import CONVENTIONS, convention

fractions = st.fractions(Fraction(1, 10), 5, max_denominator=60)


@given(fractions, fractions)
def test_round_trips_are_exact_for_fractions(alpha, beta):
    task = SourceCapacity(alpha, beta)
    assert SourceCapacity.from_ab(*task.to_ab()) == task
    assert SourceCapacity.from_paquette(*task.to_paquette()) == task
    assert SourceCapacity.from_caponnetto(*task.to_caponnetto()) == task


@given(fractions, fractions, st.integers(1, 40))
def test_kernel_round_trip(excess, beta, dimension):
    task = SourceCapacity(1 + excess, beta)
    assert SourceCapacity.from_kernel(*task.to_kernel(dimension)) == task


@given(fractions)
def test_bahri_round_trip_and_white_teacher(alpha_k):
    task = SourceCapacity.from_bahri(alpha_k)
    assert task.to_bahri() == alpha_k
    a, b = task.to_ab()
    assert a == b == 1 + alpha_k


@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_round_trips_of_floats(alpha, beta):
    task = SourceCapacity(alpha, beta)
    for name, entry in CONVENTIONS.items():
        if name in ("bahri", "kernel"):
            continue
        back = SourceCapacity.from_notation(
            name, **dict(zip(entry.parameters, entry.from_canonical(alpha, beta), strict=True))
        )
        assert (back.alpha, back.beta) == pytest.approx((task.alpha, task.beta), rel=1e-12)


@pytest.mark.parametrize(
    ("task", "ab", "paquette"),
    [
        # phases of the 4+3 diagram: beta_P = 1/2 is beta = 1, beta_P = alpha_P is beta = 2 - 1/alpha
        (
            SourceCapacity(Fraction(3, 2), 1),
            (Fraction(5, 2), Fraction(3, 2)),
            (Fraction(3, 4), Fraction(1, 2)),
        ),
        (SourceCapacity(2, Fraction(3, 2)), (4, 2), (1, 1)),
    ],
)
def test_boundaries_in_other_notations(task, ab, paquette):
    assert task.to_ab() == ab
    assert task.to_paquette() == paquette


def test_kernel_smoothness_of_equal_kernels_is_the_resolution_limit():
    task = SourceCapacity.from_kernel(student_smoothness=1, teacher_smoothness=1, dimension=4)
    assert task == SourceCapacity.from_bahri(Fraction(1, 4))


@pytest.mark.parametrize(
    ("alpha", "beta", "difficulty"),
    [
        (1.5, 0.5, "hard"),
        (1.5, 1, "hard"),  # the norm diverges as a logarithm
        (1.5, 1.2, "easy"),
        (2, Fraction(3, 2), "easy"),
        (2, 1.51, "super-easy"),
        (0.8, 1.1, "super-easy"),  # 2 - 1/alpha < 1: no easy tasks
    ],
)
def test_difficulty(alpha, beta, difficulty):
    assert SourceCapacity(alpha, beta).difficulty == difficulty


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), "x", None, 1j, True])
def test_refuses_exponents_that_are_not_positive_numbers(bad):
    with pytest.raises(DomainError, match="alpha > 0"):
        SourceCapacity(bad, 1)
    with pytest.raises(DomainError, match="beta > 0"):
        SourceCapacity(1, bad)


def test_refusals_name_what_is_allowed():
    with pytest.raises(DomainError, match="a > 1"):
        SourceCapacity.from_ab(1, 1.5)
    with pytest.raises(DomainError, match="white teacher"):
        SourceCapacity(1.5, 1.5).to_bahri()
    with pytest.raises(DomainError, match="alpha > 1 is needed"):
        SourceCapacity(1, 1).to_kernel(3)
    with pytest.raises(DomainError, match="dimension > 0"):
        SourceCapacity(2, 1).to_kernel(0)
    with pytest.raises(DomainError, match="takes exactly a, b; got a"):
        SourceCapacity.from_notation("bordelon", a=2)
    with pytest.raises(DomainError, match="did you mean 'bordelon'"):
        convention("bordolon")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bordelon", {"a": 2, "b": 0}),
        ("bordelon", {"a": "x", "b": 1}),
        ("bordelon", {"a": None, "b": 1}),
        ("paquette", {"alpha_p": 0, "beta_p": 1}),
        ("bahri", {"alpha_k": -1}),
        ("kernel", {"student_smoothness": -1, "teacher_smoothness": -1, "dimension": -2}),
    ],
)
def test_parameters_of_other_notations_are_checked(name, values):
    with pytest.raises(DomainError):
        SourceCapacity.from_notation(name, **values)


def test_white_teacher_is_checked_exactly_for_fractions():
    with pytest.raises(DomainError, match="white teacher"):
        SourceCapacity(Fraction(2), Fraction(1, 2) + Fraction(1, 10**14)).to_bahri()
