"""The one door: what it lets in, in which form, and how it refuses."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws import arguments
from scalinglaws.arguments import (
    afford,
    affordable,
    broadcast,
    choice,
    flag,
    flags,
    generator,
    memory_budget,
    number,
    numbers,
    one,
    one_row,
    ordered,
    shaped,
    whole,
    whole_numbers,
    whole_or_inf,
)
from scalinglaws.errors import DomainError, ResourceError, brief, refusal

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: numbers("x", 3), 3.0),
        (lambda: numbers("x", [True, 2]), [1.0, 2.0]),
        (lambda: numbers("x", Fraction(1, 4)), 0.25),
        (lambda: numbers("x", [1, INF], low=1, infinite=True), [1.0, INF]),
        (lambda: numbers("x", [[0, 5]], low=0, high=5), [[0.0, 5.0]]),
        (lambda: numbers("x", []), []),
        (lambda: number("x", np.float32(0.5), low=0, strict=True), 0.5),
        (lambda: number("x", INF, infinite=True), INF),
        (lambda: one_row("x", (1, 2, 3), least=3, increasing=True), [1.0, 2.0, 3.0]),
        (lambda: whole_numbers("x", [1, 2.0]), [1.0, 2.0]),
        (lambda: whole_numbers("x", [1, INF], infinite=True), [1.0, INF]),
        (lambda: whole("x", 1e3), 1000),
        (lambda: whole("x", 10**30), 10**30),
        (lambda: whole("x", np.int8(5)), 5),
        (lambda: whole("x", 0, low=0), 0),
        (lambda: whole_or_inf("x", 7.0), 7),
        (lambda: ordered("x", [0, 2, 2, INF]), [0.0, 2.0, 2.0, INF]),
        (lambda: ordered("x", [[0, 2], [1, 1]], whole=True), [[0.0, 2.0], [1.0, 1.0]]),
        (lambda: ordered("x", 3, whole=True, infinite=False, single_row=True), 3.0),
        (lambda: one("x", np.array(2.0)), 2.0),
        (lambda: shaped(np.array([4.0]), ()), 4.0),
    ],
)
def test_values(found, expected):
    np.testing.assert_array_equal(found(), expected)


def test_forms():
    assert type(whole("x", 3.0)) is int
    assert type(number("x", np.float64(3))) is float
    assert type(shaped(np.array([4.0]), ())) is float
    assert flag("x", np.bool_(True)) is True
    assert whole_or_inf("x", np.float64(INF)) is None
    assert choice("x", "b", ("a", "b")) == "b"
    given = np.array([1.0, 2.0])
    assert ordered("x", given) is not given


def test_generators():
    source = np.random.default_rng(3)
    assert generator(source) is source
    assert generator(3).random() == np.random.default_rng(3).random()


def test_broadcasting():
    shape, (a, b) = broadcast({"a": np.array(1.0), "b": np.array([2.0, 3.0])})
    assert shape == (2,)
    np.testing.assert_array_equal([a, b], [[1, 1], [2, 3]])
    with pytest.raises(DomainError, match=r"do not broadcast: a \(2,\), b \(3,\)") as caught:
        broadcast({"a": np.ones(2), "b": np.ones(3)})
    assert caught.value.argument == "a"


REFUSED = [
    (numbers, "soon", {}, "a number or an array of numbers", "soon"),
    (numbers, [1j], {}, "a number or an array of numbers", [1j]),
    (numbers, [[1], [2, 3]], {}, "a number or an array of numbers", [[1], [2, 3]]),
    (numbers, [1, NAN], {}, r"x\[1\] = nan must be finite$", NAN),
    (numbers, [1, -2, -3], {"low": 0}, r"x\[1\] = -2.0 must be >= 0 and finite$", -2),
    (numbers, 0, {"low": 0, "strict": True}, "x = 0.0 must be > 0 and finite$", 0),
    (numbers, INF, {"low": 0}, "x = inf must be >= 0 and finite$", INF),
    (numbers, 0.5, {"low": 1, "infinite": True}, r"must be >= 1 \(inf for the limit\)$", 0.5),
    (numbers, -INF, {"infinite": True}, r"must be a number \(inf for the limit\)$", -INF),
    (numbers, 2, {"low": 0, "high": 1}, "x = 2.0 must lie between 0 and 1$", 2),
    (numbers, 2, {"high": 1}, "x = 2.0 must be <= 1$", 2),
    (numbers, 2, {"low": 0, "high": 1, "strict": True}, "must be > 0 and <= 1$", 2),
    (number, [1, 2], {}, r"x must be a single number; got an array of shape \(2,\)", [1, 2]),
    (one_row, 1, {}, "x = 1 must be one row of at least 1 numbers, finite$", 1),
    (one_row, [2, 1], {"least": 2, "increasing": True}, "at least 2 numbers, finite, incr", 1.0),
    (one_row, [0], {"low": 0, "strict": True}, "numbers, > 0 and finite$", 0.0),
    (whole_numbers, [1, 1.5], {}, r"x\[1\] = 1.5 must be a whole number >= 1$", 1.5),
    (whole_numbers, 9, {"high": 8}, "x = 9.0 must be a whole number from 1 to 8$", 9),
    (whole_numbers, 0, {}, "x = 0.0 must be >= 1", 0),
    (whole, 2.5, {}, "x = 2.5 must be a whole number >= 1$", 2.5),
    (whole, True, {}, "x = True must be a whole number >= 1$", True),
    (whole, INF, {}, "x = inf must be a whole number >= 1$", INF),
    (whole, 2**70, {"high": 10}, "must be a whole number from 1 to 10$", 2**70),
    (whole, "3", {}, "x = '3' must be a number", "3"),
    (whole, [3], {}, "x must be a single number", [3]),
    (whole_or_inf, 2.5, {}, "x = 2.5 must be a whole number >= 1, or inf$", 2.5),
    (whole_or_inf, -INF, {}, "x = -inf must be a whole number >= 1, or inf$", -INF),
    (ordered, -1, {}, "x = -1.0 must be >= 0", -1),
    (ordered, INF, {"infinite": False}, "x = inf must be >= 0 and finite$", INF),
    (ordered, [0, 1.5], {"whole": True}, r"x\[1\] = 1.5 must be a whole number \(or inf\)$", 1.5),
    (ordered, [3, 1], {}, "must not decrease along its last axis; got 3.0 before 1.0$", [3, 1]),
    (ordered, [0, -1], {"single_row": True}, r"x\[1\] = -1.0 must be >= 0", -1),
    (ordered, [0, 2, 1], {"single_row": True}, r"x\[2\] = 1.0 is less than the one before it", 1),
    (ordered, [[1]], {"single_row": True}, r"one-dimensional array; got shape \(1, 1\)", [[1]]),
    (ordered, [], {"single_row": True}, r"one-dimensional array; got shape \(0,\)", []),
    (
        ordered,
        2.0**53,
        {"whole": True, "infinite": False},
        "must be a finite whole number below 2",
        2.0**53,
    ),
    (choice, "c", {"allowed": ("a", "b", "d")}, "x = 'c' must be 'a', 'b' or 'd'$", "c"),
    (choice, None, {"allowed": ("a",)}, "x = None must be 'a'$", None),
    (choice, ["a"], {"allowed": ("a",)}, r"x = \['a'\] must be 'a'$", ["a"]),
    (flag, "no", {}, "x = 'no' must be True or False$", "no"),
    (flag, 1, {}, "x = 1 must be True or False$", 1),
    (flag, (True, False), {}, "must be True or False$", (True, False)),
    (flags, "no", {"count": 2}, "must be True or False, or a row of 2 of them$", "no"),
    (flags, (True, False), {"count": 3}, "or a row of 3 of them$", (True, False)),
]


@pytest.mark.parametrize(("check", "value", "options", "message", "blamed"), REFUSED)
def test_every_check_names_the_argument_the_value_and_what_is_allowed(
    check, value, options, message, blamed
):
    with pytest.raises(DomainError, match=message) as caught:
        check("x", value, **options)
    assert str(caught.value).startswith("x")
    assert caught.value.argument == "x"
    assert repr(caught.value.value) == repr(blamed) or np.all(caught.value.value == blamed)


def test_every_check_is_refused_somewhere():
    checks = {check.__name__ for check, *_ in REFUSED}
    for name in (
        "numbers",
        "number",
        "one_row",
        "whole_numbers",
        "whole",
        "whole_or_inf",
        "ordered",
    ):
        assert name in checks
        assert callable(getattr(arguments, name))


@pytest.mark.parametrize("value", [None, True, "three", -1, 0.5, [1, 2]])
def test_a_generator_is_not_made_from_nothing(value):
    with pytest.raises(DomainError, match="must be a Generator or a seed") as caught:
        generator(value)
    assert caught.value.argument == "rng"


def test_several_where_one_is_wanted():
    with pytest.raises(DomainError, match="x must be a single number"):
        one("x", np.ones(2))


@given(st.lists(st.floats(0, 1e300) | st.just(INF)))
def test_ordered_takes_exactly_what_does_not_decrease(values):
    if values == sorted(values):
        np.testing.assert_array_equal(ordered("t", values), values)
    else:
        with pytest.raises(DomainError, match="t must not decrease"):
            ordered("t", values)
    np.testing.assert_array_equal(ordered("t", sorted(values)), sorted(values))


@given(st.floats(), st.integers(-5, 5))
def test_whole_takes_exactly_the_whole_numbers(value, low):
    if math.isfinite(value) and value == math.floor(value) and value >= low:
        assert whole("n", value, low=low) == value
        assert whole_or_inf("n", value, low=low) == value
        assert whole_numbers("n", value, low=low) == value
    else:
        with pytest.raises(DomainError, match=f"must be a whole number >= {low}"):
            whole("n", value, low=low)
        with pytest.raises(DomainError):
            whole_numbers("n", value, low=low)


@given(st.integers(-(10**40), 10**40))
def test_integers_of_any_length_stay_exact(value):
    if value >= 1:
        assert whole("n", value) == value
    else:
        with pytest.raises(DomainError, match=f"n = {value} must be a whole number"):
            whole("n", value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 4e9),
        (" ", 4e9),
        ("8GB", 8e9),
        ("8 gb", 8e9),
        ("0.5G", 5e8),
        ("1e9", 1e9),
        ("2.5e+9", 2.5e9),
        ("300kB", 3e5),
        ("16MB", 1.6e7),
        ("1TB", 1e12),
        ("512", 512),
        ("512B", 512),
    ],
)
def test_memory_budget(monkeypatch, text, size):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", text)
    assert memory_budget() == size
    assert affordable(size=4) == size / 4
    afford(size / 8, "it", "ask for less")
    with pytest.raises(ResourceError, match="it would hold .* GB, more than .* GB; ask for less"):
        afford(size / 4, "it", "ask for less")


def test_the_memory_budget_does_not_depend_on_the_machine(monkeypatch):
    monkeypatch.delenv("SCALINGLAWS_MEMORY", raising=False)
    assert memory_budget() == 4e9
    with pytest.raises(ResourceError, match="8 GB, more than 4 GB; .*or raise SCALINGLAWS_MEMORY"):
        afford(1e9, "it", "ask for less")
    for entries in (NAN, INF):
        with pytest.raises(ResourceError):
            afford(entries, "it", "ask for less")


@pytest.mark.parametrize("text", ["much", "-1", "0", "0GB", "8GiB", "8 G B", "nan", "inf", "GB"])
def test_nonsense_is_no_memory_budget(monkeypatch, text):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", text)
    with pytest.raises(DomainError, match="a size such as 8GB") as caught:
        memory_budget()
    assert (caught.value.argument, caught.value.value) == ("SCALINGLAWS_MEMORY", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.5), "0.5"),
        (np.int64(3), "3"),
        (Fraction(1, 3), "1/3"),
        ("no", "'no'"),
        (np.arange(3), "array([0, 1, 2])"),
        (np.arange(30), "an array of shape (30,)"),
        (list(range(30)), "a list of 30 entries"),
    ],
)
def test_values_in_messages(value, text):
    assert brief(value) == text
    assert len(brief("x" * 1000)) < 90


def test_refusals():
    assert str(refusal("x", 2, "must be 1")) == "x = 2 must be 1"
    assert str(refusal("x", 2, "must be 1", shown=False)) == "x must be 1"
    assert str(refusal("x", 2, "must be 1", at=0)) == "x[0] = 2 must be 1"
    assert str(refusal("x", "a^b", ": write **")) == "x = 'a^b': write **"
    sentence = refusal("x", 2, "nothing is left", named=False)
    assert (str(sentence), sentence.argument, sentence.value) == ("nothing is left", "x", 2)
