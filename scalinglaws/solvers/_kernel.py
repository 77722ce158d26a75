"""A kernel in several forms: one that Python calls, one that other kernels call, and one that they are given."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

from numba.core import types
from numba.core.registry import CPUDispatcher

from ._kernel_cache import KernelCache

_Dispatcher: Any = CPUDispatcher
_NOT_FOR_PYTHON = {"no_cpython_wrapper": True}
_NOT_FOR_C = {"no_cfunc_wrapper": True}


class Kernel(_Dispatcher):  # type: ignore[misc]
    """A compiled function, of which each caller gets the form that it needs.

    Around each function Numba compiles two more, which read the arguments from Python objects and let C code call it. They take
    longer than a small kernel itself, and most kernels are called by kernels alone.

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
        given = targetoptions or {}
        options = {"nopython": True, "boundscheck": None, **_NOT_FOR_C, **given}
        super().__init__(py_func, locals, options)
        with contextlib.suppress(RuntimeError):  # no folder that can be written: nothing is kept
            self._cache = KernelCache(py_func)

    @cached_property
    def inner(self) -> Any:
        """The form that kernels call."""
        return self._form(".inner", _NOT_FOR_PYTHON | _NOT_FOR_C)

    @cached_property
    def given(self) -> Any:
        """The form whose address kernels can be given."""
        return self._form(".given", _NOT_FOR_PYTHON | {"no_cfunc_wrapper": False})

    def _form(self, suffix: str, options: dict[str, Any]) -> Any:
        found = _Dispatcher(self.py_func, self.locals, self.targetoptions | options)
        if isinstance(self._cache, KernelCache):
            found._cache = self._cache.form(suffix)
        return found

    def share(self) -> None:
        """Let kernels call the form for Python."""
        self.inner = self

    @property
    def _numba_type_(self) -> Any:
        """What a kernel finds where it calls this one."""
        return types.Dispatcher(self.inner)
