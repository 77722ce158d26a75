"""Every public object shows itself in one short line."""

import dataclasses
import inspect
import pkgutil
from importlib import import_module

import numpy as np
import pytest
import sympy as sp

import scalinglaws
from scalinglaws import theory
from scalinglaws.reprs import LONGEST, described, in_short, line
from scalinglaws.results import Diagnostics, Result, Status

X = sp.Symbol("x", positive=True)


def _modules(package):
    yield package
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            module = import_module(found.name)
            yield from _modules(module) if found.ispkg else [module]


def _dataclasses():
    for module in _modules(scalinglaws):
        for name, kind in vars(module).items():
            own = inspect.isclass(kind) and kind.__module__ == module.__name__
            if own and not name.startswith("_") and dataclasses.is_dataclass(kind):
                yield pytest.param(kind, id=f"{module.__name__}.{name}")


CLASSES = list(_dataclasses())
HOSTILE = (
    np.geomspace(1, 1e-9, 1000),
    np.ones((30, 40, 50)),
    np.array([sp.sqrt(X)] * 900, dtype=object),
    "a line\n" * 500,
    tuple(range(1000)),
    {f"key {number}": np.arange(1000) for number in range(1000)},
    sp.Add(*(X**power for power in range(300))),
    10**4000,
    Status.LOST_ACCURACY,
    Diagnostics(Status.CONVERGED, 1e-300, 10**100, "words " * 100, 0.1),
    np.arange(5000).tolist(),
    None,
)


def test_there_are_results_and_other_classes_to_look_at():
    kinds = [parameter.values[0] for parameter in CLASSES]
    assert sum(issubclass(kind, Result) for kind in kinds) > 30
    assert len(kinds) > 150


@pytest.mark.parametrize("kind", CLASSES)
def test_no_class_writes_out_what_its_fields_hold(kind):
    """Whatever stands in the fields: classes that describe themselves are shown below, as they are."""
    assert kind.__repr__ in (described, _own(kind))
    if kind.__repr__ is not described:
        return
    for value in HOSTILE:
        thing = object.__new__(kind)
        for field in dataclasses.fields(kind):
            object.__setattr__(thing, field.name, value)
        _short(thing)


def _own(kind):
    """Return what a class defines itself, if its file holds it: what `dataclass` writes is in no file."""
    found = vars(kind).get("__repr__")
    code = getattr(found, "__code__", None)
    return found if code and code.co_filename == inspect.getsourcefile(kind) else None


def test_what_dataclass_writes_is_told_from_what_a_class_defines():
    assert _own(dataclasses.make_dataclass("Long", ["loss"])) is None
    assert _own(theory.formula.Law) is theory.formula.Law.__repr__


def _short(thing):
    shown = repr(thing)
    assert "\n" not in shown
    assert len(shown) <= LONGEST
    return shown


@pytest.mark.parametrize("name", theory.laws())
def test_laws_and_all_that_they_are_made_of(name):
    law = theory.law(name)
    parts = [law, law.derivation, law.derived, law.model, *law.regimes, *law.derivation.steps]
    parts += [*law.reference, *law.forms.values(), *law.blocks(), *law.derivation_blocks()]
    for part in parts:
        _short(part)
    assert repr(law).startswith(f"<Law {name}: ")


def test_comparisons_of_laws_say_what_came_out():
    found = theory.compare("linear.data", "linear.model", alpha=2, beta=3)
    assert _short(found) == "<LawComparison linear.data, linear.model: the exponents differ>"


def test_a_result_shows_first_what_its_table_shows():
    from scalinglaws import solvers

    spectrum = solvers.PowerLawSpectrum(1.5, 0.5)
    found = solvers.linear.ridge(spectrum, samples=[10, 100, 1000, 10000])
    assert _short(found).startswith("RidgeSolution(test_loss=<4 numbers from 0.0")
    assert repr(spectrum) == "PowerLawSpectrum(alpha=1.5, beta=0.5, size=inf)"
    alone = solvers.linear.ridge(spectrum, samples=10)
    assert repr(alone).startswith(f"RidgeSolution(test_loss={alone.test_loss}, ")


def test_reports_and_their_comparisons():
    from scalinglaws import verify

    found = verify.run(["linear.data.saturated"])
    assert _short(found).endswith(f"{found.summary_line()}>")
    assert {_short(entry).split(": ")[1] for entry in found.comparisons} == {
        f"pass, {entry.evidence}>" for entry in found.comparisons
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.float64(0.5), "0.5"),
        (np.array(2.0), "2.0"),
        (np.array([1.0, 2.0]), "[1.0, 2.0]"),
        (np.array([True] * 9), "<9 flags>"),
        (np.array([]), "[]"),
        (np.full(5, np.nan), "<5 numbers from nan to nan>"),
        ((1, 2, None), "(1, 2, None)"),
        ({"a": 1}, "{'a': 1}"),
        ([[1, 2]], "<1 entry>"),
        (np.mean, "mean"),
        (Result, "Result"),
        (10**100, "<101 digits>"),
    ],
)
def test_values_in_short(value, shown):
    assert in_short(value) == shown


def test_a_line_is_cut_at_its_end():
    assert line("x" * 200) == "x" * 117 + "..."
    assert line("a\n b") == "a b"
