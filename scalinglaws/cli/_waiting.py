"""What a terminal shows while a command computes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

PATIENCE = 2.0
"""Seconds after which somebody wants to know what is going on."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on a terminal what is computed, and for how long, where it takes more than two seconds.

    Parameters
    ----------
    what : str
        In a few words.

    Yields
    ------
    None
        Nothing; what was said is taken away again.
    """
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    shown.add_task(what, total=None)
    timer = Timer(PATIENCE, shown.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        shown.stop()
