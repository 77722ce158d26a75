"""The one door to Numba."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..arguments import numba_threads

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

numba_threads()  # before Numba is imported

JIT = os.environ.get("SCALINGLAWS_JIT", "1") != "0"
"""Whether kernels are compiled; ``SCALINGLAWS_JIT=0`` in the environment runs them as plain Python."""


_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False, "nogil": True}


def available_threads() -> int:
    """Return how many threads kernels may use."""
    if not JIT:
        return 1
    import numba

    return int(numba.get_num_threads())


def njit(function: Kernel) -> Kernel:
    """Compile a kernel, with its machine code kept on disk where the folder can be written.

    Parameters
    ----------
    function : callable
        A module-level function of arrays and scalars.

    Returns
    -------
    callable
        The compiled function, or the function itself if ``SCALINGLAWS_JIT=0``.

    Notes
    -----
    Division by zero follows IEEE rules (``error_model="numpy"``) and sums keep their order (no fast-math), so results do
    not depend on the machine's vector width. A kernel releases the interpreter's lock, so that the command line can be
    interrupted while it runs.
    """
    if not JIT:
        return function
    import numba

    if cast(Any, numba.config).DISABLE_JIT:
        return function
    from ._kernel import Kernel as Compiled

    return cast(Kernel, Compiled(function, targetoptions=_OPTIONS))


def njit_shared(function: Kernel) -> Kernel:
    """Compile a kernel as `njit` does, but once for Python and for other kernels.

    Parameters
    ----------
    function : callable
        One that both call with the same types; `njit` would compile it twice.

    Returns
    -------
    callable
        The compiled function.
    """
    found = njit(function)
    if found is not function:
        cast(Any, found).share()
    return found


def pointer(kernel: Kernel, signature: str) -> Kernel:
    """Return a kernel as a value that other kernels can be given, so that they are compiled once for all of its kind.

    Parameters
    ----------
    kernel : callable
        As `njit` returned it.
    signature : str
        Of its result and arguments, in Numba's words, such as ``"float64(float64[::1], int64)"``; every kernel that is passed in
        the same place has the same.

    Returns
    -------
    callable
        The kernel itself if it is not compiled.

    Notes
    -----
    A call takes about 30 ns longer than one that the compiler knows, so what is called so should take longer.
    """
    if not hasattr(kernel, "given"):  # plain Python
        return kernel
    from numba.core import sigutils, types

    arguments, result = cast(Any, sigutils).normalize_signature(signature)
    compiled = cast(Any, kernel).given.get_compile_result(result(*arguments))
    return cast(Kernel, _Pointer(compiled, types.FunctionType(compiled.signature)))


class _Pointer:
    """Compiled code as an argument, by Numba's protocol for such; Numba's own class finds its type anew in every call: 30 microseconds."""

    def __init__(self, compiled: Any, kind: Any) -> None:
        self._numba_type_ = kind
        self._compiled = compiled  # kept alive
        self._address = compiled.library.get_pointer_to_function(
            compiled.fndesc.llvm_cfunc_wrapper_name
        )

    def __wrapper_address__(self) -> int:
        return int(self._address)
