"""Where features are taken to be Gaussian, it says so: in every docstring, and in a line of `law` and `solve`."""

import importlib
import inspect
import pkgutil

import pytest

from scalinglaws import theory
from scalinglaws.solvers import linear
from scalinglaws.solvers.catalogue import available
from scalinglaws.theory import linear as laws
from scalinglaws.theory import rendering
from scalinglaws.theory.catalogue import assumption

FUNCTIONS = [name for name in linear.__all__ if inspect.isfunction(getattr(linear, name))]
MODULES = [
    laws.__name__,
    *(f"{laws.__name__}.{info.name}" for info in pkgutil.iter_modules(laws.__path__)),
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_solver_says_what_it_assumes(name):
    assert "Features are assumed to be Gaussian" in inspect.getdoc(getattr(linear, name))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_of_the_theory_says_what_it_assumes(name):
    assert "Gaussian" in importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", [name for name in theory.laws() if name.startswith("linear.")])
def test_every_law_is_shown_with_the_assumption(name):
    assert "assumes   Gaussian features" in rendering.text(theory.law(name).blocks())


def test_every_solver_is_shown_with_the_assumption():
    solvers = [name for name in available() if name.startswith("linear.")]
    assert solvers
    assert all("Gaussian features" in assumption(name) for name in solvers)


@pytest.mark.parametrize("page", ["linear", "feature_learning", "dmft"])
def test_the_pages_say_so(page, root):
    text = (root / "docs" / "theory" / f"{page}.md").read_text(encoding="utf-8")
    assert "Gaussian" in text
    assert "act as if they were" in text
