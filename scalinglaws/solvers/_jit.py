"""The one door to Numba."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

JIT = os.environ.get("SCALINGLAWS_JIT", "1") != "0"
"""Whether kernels are compiled; ``SCALINGLAWS_JIT=0`` in the environment runs them as plain Python."""


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
    not depend on the machine's vector width. A kernel holds no lock of the interpreter: threads can run it side by side.
    """
    if not JIT:
        return function
    import numba

    compiler = cast(Any, numba.njit)
    options = {"error_model": "numpy", "fastmath": False, "nogil": True}
    try:
        return cast(Kernel, compiler(cache=True, **options)(function))
    except (
        RuntimeError
    ):  # no place for the cache: neither beside the source nor in the user's cache folder
        return cast(Kernel, compiler(cache=False, **options)(function))
