"""How far a sweep is, on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(
    heading: str, total: int, done: int, shown: bool, note: Callable[[], str] | None = None
) -> Iterator[Callable[..., None]]:
    """Show how many of all are done and how long the rest may take; nothing in a pipe.

    Parameters
    ----------
    heading : str
        What stands before the bar.
    total, done : int
        Of points, checks or figures, and of those that are done already.
    shown : bool
        Whether it is wanted.
    note : callable, optional
        Says what stands behind the bar, whenever it is drawn.

    Yields
    ------
    callable
        To be called as one ends, with its name where that is to stand before the bar.
    """
    if not shown or done == total or sys.stderr is None or not sys.stderr.isatty():
        yield lambda name="": None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Note(ProgressColumn):
        """What stands behind the bar."""

        def render(self, task: Task) -> Text:
            return Text("" if note is None else note())

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        Note(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(heading, total=total, completed=done)
        yield lambda name="": bar.update(task, advance=1, description=name or heading)
