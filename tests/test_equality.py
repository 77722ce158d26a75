"""Records are values: equal if they hold the same, with equal hashes, whatever arrays they hold."""

import pkgutil
import sys
import typing
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import ArrayLike

import scalinglaws
from scalinglaws.equality import by_value, same
from scalinglaws.results import Result
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear, percolation


def _holds_array(hint):
    return (
        hint == ArrayLike
        or (typing.get_origin(hint) or hint) is np.ndarray
        or any(_holds_array(part) for part in typing.get_args(hint))
    )


def _records():
    """List every frozen dataclass of the package that is a result or whose fields may be arrays; private plots aside."""
    for info in pkgutil.walk_packages(scalinglaws.__path__, "scalinglaws."):
        if not info.name.endswith("__main__"):
            import_module(info.name)
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] != "scalinglaws":
            continue
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and is_dataclass(kind)
                and kind.__module__ == name
                and kind.__dataclass_params__.frozen
                and not kind.__name__.startswith("_")
            ):
                names = {**vars(sys.modules[name]), **_only_checked(kind)}
                hints = typing.get_type_hints(kind, names)
                if issubclass(kind, Result) or any(map(_holds_array, hints.values())):
                    found[f"{name}.{kind.__qualname__}"] = kind
    return found


class _Unknown(type):
    def __getattr__(cls, name):
        return object


class Anything(metaclass=_Unknown):
    """Stands for a module or a type."""


def _only_checked(kind):
    """Stand in for names that only a type checker imports."""
    lacking = {}
    while True:
        try:
            typing.get_type_hints(kind, {**vars(sys.modules[kind.__module__]), **lacking})
        except NameError as failure:
            lacking[failure.name] = Anything
        else:
            return lacking


RECORDS = _records()


def _filled(kind, last):
    """Make a record whose every field is an array, without its checks."""
    record = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(record, field.name, np.array([[1.0, np.nan], [-0.0, last]]))
    return record


def test_the_sweep_finds_results_and_others():
    assert len(RECORDS) >= 50
    assert sum(issubclass(kind, Result) for kind in RECORDS.values()) >= 36
    assert EmpiricalSpectrum in RECORDS.values()


@pytest.mark.parametrize("kind", RECORDS.values(), ids=RECORDS)
def test_records_with_arrays_are_compared_and_hashed_by_value(kind):
    one, again, other = _filled(kind, 2.0), _filled(kind, 2.0), _filled(kind, 3.0)
    assert one == again
    assert hash(one) == hash(again)
    assert one != other
    for field in fields(kind):
        if field.compare:  # each field counts, and its shape
            changed = _filled(kind, 2.0)
            object.__setattr__(changed, field.name, np.array([1.0, np.nan]))
            assert changed != one
    assert one != 1
    assert len({one, again, other}) == 2


def test_results_of_solvers():
    spectrum = PowerLawSpectrum(1.5, 1.0)
    one, two = (linear.ridge(spectrum, samples=[10, 100]) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != linear.ridge(spectrum, samples=[10, 101])
    assert one != linear.ridge(spectrum, samples=[10, 100, 1000])
    assert linear.ridge(spectrum, samples=10) != linear.ridge(spectrum, samples=[10])
    assert percolation.allocate(2, [1.0, 0.5], exponents=1) == percolation.allocate(
        2, [1.0, 0.5], exponents=1
    )
    assert one != linear.gradient_flow([10, 100], spectrum)


def test_spectra_are_values():
    one = EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25])
    assert one == EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25])
    assert one != EmpiricalSpectrum([1.0, 0.5], [0.5, 0.2])
    assert one != PowerLawSpectrum(1.5, 1.0, 2)
    assert len({one, EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25])}) == 1


def test_a_saved_result_equals_the_loaded_one(tmp_path):
    solution = linear.ridge(PowerLawSpectrum(1.5, 1.0), samples=[10, np.inf], features=20)
    assert Result.load(solution.save(tmp_path / "x.npz")) == solution


def test_what_is_the_same():
    nan = float("nan")
    assert same((nan, [np.float64(nan)]), (nan, [nan]))
    assert same(np.array([1, 2]), np.array([1.0, 2.0]))
    assert same(np.array(["a"]), np.array(["a"]))
    assert not same(np.array([nan, 1.0]), np.array([1.0, nan]))
    assert same(np.array([nan, None], dtype=object), np.array([nan, None], dtype=object))
    assert not same([1], (1,))
    assert not same({"a": 1}, {"b": 1})
    assert not same(np.array(1.0), 1.0)


def test_equal_records_hash_equally_whatever_their_numbers_are_made_of():
    @dataclass(frozen=True)
    @by_value
    class Held:
        value: object

    for one, other in (
        (np.array([1, 0]), np.array([1.0, -0.0])),
        (np.array([True]), np.array([1])),
        (1, np.float64(1)),
        ({"a": np.ones(2)}, {"a": np.ones(2, dtype=int)}),
        ([1, np.nan], [1.0, float("nan")]),
        (np.array([1.5]), np.array([1.5], dtype=complex)),
    ):
        assert Held(one) == Held(other)
        assert hash(Held(one)) == hash(Held(other))
