"""What solvers declare about their tables is true of their results and signatures."""

import inspect
from dataclasses import fields, is_dataclass

import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import linear, percolation
from scalinglaws.solvers.catalogue import Shown, available, shown, shows, solver

NAMES = available()


@pytest.mark.parametrize("name", NAMES)
def test_declarations_name_fields_and_arguments(name):
    function, declared = solver(name), shown(solver(name))
    arguments = inspect.signature(function).parameters
    returned = function.__globals__.get(function.__annotations__["return"])
    held = {field.name for field in fields(returned)} if is_dataclass(returned) else set()
    held |= set(getattr(returned, "_fields", ()))
    assert declared.columns
    if held and declared.rows is None:
        assert {*declared.columns, *declared.totals} <= held
        assert declared.along is None or declared.along in held
    elif not held:
        assert len(declared.columns) == 1  # a number
    assert set(declared.logarithmic) <= set(declared.columns)
    assert {*declared.one_by_one, *declared.whole, *declared.counted} <= set(arguments)


def test_names_are_theory_and_function():
    assert len(NAMES) >= 40
    assert solver("linear.ridge") is linear.ridge
    assert list(NAMES) == sorted(NAMES)
    assert "percolation.allocate_integer" not in NAMES  # shows nothing


def test_a_function_is_asked_before_the_class_that_it_returns():
    assert shown(linear.compute_frontier) is shown(linear.ComputeFrontier)
    assert shown(percolation.allocate).totals == ("loss", "bound", "included")
    assert shown(percolation.prepare_allocation) is None

    @shows("t", counted=("n",))
    def toy(n): ...

    assert shown(toy) == Shown(("t",), counted=("n",))


@pytest.mark.parametrize(
    "name", ["linear.rigde", "linear.RidgeSolution", "liner.ridge", "ridge", "", "catalogue.shows"]
)
def test_an_unknown_solver_is_refused_with_the_nearest(name):
    with pytest.raises(DomainError, match="unknown solver"):
        solver(name)
    with pytest.raises(DomainError, match=r"did you mean 'linear\.ridge'"):
        solver("linear.rigde")


def test_what_is_no_theory_declares_nothing():
    assert not [name for name in NAMES if name.startswith(("kernels", "spectra", "equivalents"))]
