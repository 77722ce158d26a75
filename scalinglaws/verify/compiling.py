"""How long compilation takes, and a sign on disk while it lasts: checks run in other processes than the one that shows progress."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numba.core import event

_SIGN = "compiling"


@contextlib.contextmanager
def timed_compilation(folder: Path) -> Iterator[list[float]]:
    """Collect the seconds of every compilation in this process; a file in a folder says that one is going on.

    Parameters
    ----------
    folder : Path
        Where `is_compiling` looks; created if need be, and no harm done if that is not possible.

    Yields
    ------
    list of float
        Filled as compilations end; those inside others are not counted twice.
    """
    listener = _Listener(folder / f"{_SIGN}.{os.getpid()}")
    with event.install_listener("numba:compile", listener):
        try:
            yield listener.seconds
        finally:
            listener.lower()


def is_compiling(folder: Path, since: float) -> bool:
    """Return whether a process compiles now.

    Parameters
    ----------
    folder : Path
        As given to `timed_compilation`.
    since : float
        ``time.time()`` at the start of the run: older signs were left behind by processes that were killed.
    """
    with contextlib.suppress(OSError):
        return any(sign.stat().st_mtime >= since for sign in folder.glob(f"{_SIGN}.*"))
    return False


class _Listener(event.Listener):
    """Times the outermost of nested compilations."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign
        self.seconds: list[float] = []
        self.depth = 0
        self.start = 0.0

    def on_start(self, event: Any) -> None:
        if self.depth == 0:
            self.start = time.perf_counter()
            with contextlib.suppress(OSError):
                self.sign.parent.mkdir(parents=True, exist_ok=True)
                self.sign.touch()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.seconds.append(time.perf_counter() - self.start)
            self.lower()

    def lower(self) -> None:
        with contextlib.suppress(OSError):
            self.sign.unlink(missing_ok=True)
