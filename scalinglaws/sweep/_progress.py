"""How far a sweep is, on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(heading: str, total: int, done: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Show how many of all points are done and how long the rest may take; nothing in a pipe.

    Parameters
    ----------
    heading : str
        What stands before the bar.
    total, done : int
        Points, and those that are done already.
    shown : bool
        Whether it is wanted.

    Yields
    ------
    callable
        To be called as a point ends.
    """
    if not shown or done == total or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(heading, total=total, completed=done)
        yield lambda: bar.advance(task)
