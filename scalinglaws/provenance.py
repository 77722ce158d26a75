"""Where a result comes from: the package's sources, its environment, and the time it took."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import __version__


@cache
def source_digest() -> str:
    """Return a digest of the package's own sources: what a result was computed with, to the letter."""
    root = Path(__file__).resolve().parent
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def environment(wall_s: float | None = None, **seconds: float) -> dict[str, Any]:
    """Describe the software and the machine: versions, CPU count and, for a run, the seconds it took.

    Parameters
    ----------
    wall_s : float, optional
        Seconds from the beginning of a run to its end.
    **seconds : float
        ``run_s`` and ``compile_s``: seconds of work and of compilation, summed over all processes.

    Returns
    -------
    dict
        Plain values.
    """

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    found: dict[str, Any] = {
        "package": "scalinglaws",
        "version": __version__,
        "python": platform.python_version(),
    }
    found |= {name: installed(name) for name in ("numpy", "scipy", "numba", "sympy")}
    found |= {
        "cpu": os.cpu_count(),
        "platform": platform.platform(terse=True),
        "precision": "float64",
        "source": source_digest(),
    }
    if wall_s is not None:
        found["wall_s"] = wall_s
    return found | seconds
