"""How the command line calls a solver: read from the signature and from what the solver's theory declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..reprs import short_repr
from ._schedule_words import spoken

if TYPE_CHECKING:
    from ..solvers.catalogue import Shown

_SINGLE = ("float", "int", "str")  # annotations of what a solver takes one at a time, None aside
_HIDDEN = ("spectrum", "on_failure", "digits")  # given in another way, or of no use in a table


@short_repr
@dataclass(frozen=True)
class Solver:
    """A solver, and how its arguments are taken.

    Arguments are ``name=value``, by the names of the function; flags are left out but for those declared. If one of them is a
    spectrum, alpha, beta, a, b and size describe it; a solver without a spectrum may have arguments of these names.

    Attributes
    ----------
    name : str
        ``theory.function``.
    function : callable
        The solver.
    shown : Shown
        What it declares.
    """

    name: str
    function: Callable[..., Any]
    shown: Shown

    @staticmethod
    def named(name: str) -> Solver:
        """Return a solver by name; this loads its theory."""
        from ..solvers.catalogue import shown, solver

        function = solver(name)
        declared = shown(function)
        assert declared is not None
        return Solver(name, spoken(function), declared)

    @cached_property
    def signature(self) -> dict[str, inspect.Parameter]:
        """All arguments of the function that have a name."""
        return {
            name: item
            for name, item in inspect.signature(self.function).parameters.items()
            if item.kind is not item.VAR_POSITIONAL
        }

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Arguments that are given as ``name=value``."""
        return {
            key: item
            for key, item in self.signature.items()
            if key not in _HIDDEN and (_kind(item) != "bool" or key in self.shown.flags)
        }

    @property
    def has_spectrum(self) -> bool:
        """Whether alpha, beta, a, b and size describe a spectrum."""
        return "spectrum" in self.signature

    @property
    def words(self) -> list[str]:
        """Arguments that are names of something."""
        return [
            key
            for key, item in self.parameters.items()
            if isinstance(item.default, str) or _kind(item) == "str"
        ]

    @property
    def independent(self) -> list[str]:
        """Arguments whose values lie next to each other in the table; of several the solver itself makes a grid."""
        positional = [
            key for key, item in self.signature.items() if item.kind is not item.KEYWORD_ONLY
        ]
        if self.has_spectrum:
            return positional[: positional.index("spectrum")]
        return positional if len(positional) == 1 or self.shown.grid else []

    @property
    def one_by_one(self) -> list[str]:
        """Arguments of which each call gets one value."""
        return [
            key
            for key, item in self.parameters.items()
            if self.shown.along is not None
            or key in self.shown.one_by_one
            or _kind(item) in _SINGLE
        ]

    @property
    def counted(self) -> list[str]:
        """Arguments that are whole numbers: the points of a logarithmic range are rounded."""
        return [
            key
            for key, item in self.parameters.items()
            if key in self.shown.counted or _kind(item) == "int"
        ]

    @property
    def weights(self) -> str | None:
        """The argument that alpha= and size= may describe instead, as powers of the rank: weights, unless alpha is one too."""
        described = "weights" in self.parameters and "alpha" not in self.parameters
        return "weights" if described else None


def _kind(item: inspect.Parameter) -> str:
    """Write what an argument is, None aside."""
    kind = item.annotation
    text = kind if isinstance(kind, str) else inspect.formatannotation(kind)
    return text.removesuffix(" | None")
