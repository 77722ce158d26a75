"""Who lives in the rooms: which folders are no theory, and how those of a room are reached without a list of them."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

NO_THEORY = (
    "balance",
    "checks",
    "equivalents",
    "estimate",
    "kernels",
    "page",
    "plots",
    "reproduced",
    "simulate",
)
"""Folders inside a room that belong to no theory, the rooms of `verify` among them; every other folder is a theory's."""


def submodules(package: str) -> tuple[str, ...]:
    """List the public modules and folders of an imported package, in alphabetical order.

    Parameters
    ----------
    package : str
        Its full name.

    Returns
    -------
    tuple of str
        Names below the package.

    Examples
    --------
    >>> import scalinglaws.solvers
    >>> [name for name in submodules("scalinglaws.solvers") if name not in NO_THEORY]
    ['catalogue', 'expressions', 'feature_learning', 'kernel_adaptation', 'learnability', 'linear', 'patterns', 'perceptron', 'percolation',
     'renormalization', 'schedules', 'spectra', 'spectrum_files']
    """
    names = (info.name for info in pkgutil.iter_modules(sys.modules[package].__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def lazy_submodules(
    package: str,
) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """Make the two functions by which a package offers its modules as attributes, each imported when it is first touched.

    Parameters
    ----------
    package : str
        Its ``__name__``.

    Returns
    -------
    tuple of callable
        To be bound to ``__getattr__`` and ``__dir__`` in the package.
    """

    def load(name: str) -> ModuleType:
        if name in submodules(package):
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*sys.modules[package].__all__, *submodules(package)})

    return load, names
