"""What a solver's table and picture show, declared beside its result class, and the list of all that declare it.

A solver is a function that its theory lists in `__all__`. The command line can call those that say what to show: by `shows`
on the class that the function returns or, where several functions return one class, or plain numbers, on the function itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

from ..errors import unknown_name
from ..reprs import short_repr
from ..rooms import submodules

Declared = TypeVar("Declared", bound=Callable[..., Any])


@short_repr
@dataclass(frozen=True)
class Shown:
    """What a table of results shows, and how the arguments are taken that make its rows.

    What the signature says need not be declared: arguments before the spectrum (or, without one, the only positional one) are
    the independent variables, whose values lie next to each other in the table; arguments annotated as single numbers are gone
    through one by one, all others at once as arrays; of those annotated as whole numbers, logarithmic ranges are rounded.

    Attributes
    ----------
    columns : tuple of str
        Fields of the result; the name of the result if it is a plain array.
    totals : tuple of str
        Fields that are shown once for each call, below the table.
    logarithmic : tuple of str
        Columns whose axis in a picture is logarithmic although some values are 0, which it leaves out.
    along : str or None
        A column that the result spreads over rows, as long as the other columns: if it is an argument, the solver takes its last
        value. All arguments are gone through one by one.
    one_by_one : tuple of str
        Arguments that take arrays for another purpose than making rows, and are gone through one by one too.
    whole : tuple of str
        Arguments of which a list is one value.
    counted : tuple of str
        Arguments that are whole numbers although the signature allows arrays of any.
    grid : bool
        Whether the solver itself makes a grid of its positional arguments, a row of each.
    rows : callable or None
        From result and arguments to the columns by name, where the fields of the result are not the columns.
    optional : tuple of str
        Fields that are columns too where any of their values is not 0.
    flags : tuple of str
        Arguments that are yes or no and may be given; others of the kind are of no use in a table.
    meanings : mapping of str to str
        What columns mean that are no documented attributes of a class of results; the only column of a plain function is what the
        first line of its docstring says.
    """

    columns: tuple[str, ...]
    totals: tuple[str, ...] = ()
    logarithmic: tuple[str, ...] = ()
    along: str | None = None
    one_by_one: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    grid: bool = False
    rows: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    optional: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)


_ROOM = __name__.rpartition(".")[0]
_MARK = "_shown"  # where a declaration is kept, on the class or function that it is about


def shows(*columns: str, **more: Any) -> Callable[[Declared], Declared]:
    """Declare what tables show of a class of results, or of what a function returns.

    Parameters
    ----------
    *columns : str
        Fields, in the order of the table.
    **more
        Other attributes of `Shown`.

    Returns
    -------
    callable
        A decorator that returns the class or function as it is.

    Examples
    --------
    >>> @shows("time", counted=("samples",))
    ... def halving_time(samples): ...
    >>> shown(halving_time).columns
    ('time',)
    """
    declared = Shown(columns, **more)

    def declare(target: Declared) -> Declared:
        setattr(target, _MARK, declared)
        return target

    return declare


def shown(solver: Callable[..., Any]) -> Shown | None:
    """Return what a solver's table shows: as declared for the function, or for the class that it returns.

    Parameters
    ----------
    solver : callable
        A function.

    Returns
    -------
    Shown or None
        None if nothing is declared.
    """
    returned = solver.__annotations__.get("return")
    if isinstance(returned, str):  # annotations are kept as text
        returned = getattr(solver, "__globals__", {}).get(returned)
    found: Shown | None = getattr(solver, _MARK, getattr(returned, _MARK, None))
    return found


def available() -> tuple[str, ...]:
    """List the solvers that say what to show, as ``theory.function``, in alphabetical order.

    Examples
    --------
    >>> [name for name in available() if name.startswith("linear.r")]
    ['linear.ridge']
    """
    return tuple(
        sorted(f"{theory}.{name}" for theory in submodules(_ROOM) for name in _solvers(theory))
    )


def solver(name: str) -> Callable[..., Any]:
    """Return a solver by name; only its theory is loaded.

    Parameters
    ----------
    name : str
        As listed by `available`.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    DomainError
        If there is none; the message names the nearest.
    """
    theory, _, function = name.partition(".") if isinstance(name, str) else ("", "", "")
    found = _solvers(theory).get(function) if theory in submodules(_ROOM) else None
    if found is None:
        there = theory in submodules(_ROOM) and hasattr(
            import_module(f"..{theory}", __name__), function
        )
        more = f"{name} is for Python only: it says nothing of what to show here"
        raise unknown_name("solver", name, available(), more if there else "")
    return found


def _solvers(theory: str) -> dict[str, Callable[..., Any]]:
    """Return the functions of a theory that say what to show, by name; a module that is no theory has none."""
    module = import_module(f"..{theory}", __name__)
    public = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return {
        name: function
        for name, function in public.items()
        if inspect.isfunction(function) and shown(function) is not None
    }
