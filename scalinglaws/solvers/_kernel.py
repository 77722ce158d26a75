"""A kernel in two forms: one that Python calls, and one that other kernels call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

from numba.core import types
from numba.core.registry import CPUDispatcher

from ._kernel_cache import KernelCache

_Dispatcher: Any = CPUDispatcher
_BARE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class Kernel(_Dispatcher):  # type: ignore[misc]
    """A compiled function, with a second form that other kernels call.

    Around each function Numba compiles two more, which read the arguments from Python objects and let C code call it. They take
    longer than a small kernel itself, and most kernels are called by kernels alone: these get a form without.

    Parameters
    ----------
    py_func : callable
        The function in Python.
    locals : dict, optional
        Types of local variables, as Numba has it.
    targetoptions : dict, optional
        Options of the compiler.
    """

    def __init__(
        self,
        py_func: Callable[..., Any],
        locals: dict[str, Any] | None = None,  # the name that Numba passes
        targetoptions: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            py_func, locals, {"nopython": True, "boundscheck": None, **(targetoptions or {})}
        )
        with contextlib.suppress(RuntimeError):  # no folder that can be written: nothing is kept
            self._cache = KernelCache(py_func)

    @cached_property
    def inner(self) -> Any:
        """Return the form that kernels call."""
        found = _Dispatcher(self.py_func, self.locals, self.targetoptions | _BARE)
        if isinstance(self._cache, KernelCache):
            found._cache = self._cache.form(".inner")
        return found

    def share(self) -> None:
        """Let kernels call the form for Python."""
        self.inner = self

    @property
    def _numba_type_(self) -> Any:
        """What a kernel finds where it calls this one."""
        return types.Dispatcher(self.inner)
