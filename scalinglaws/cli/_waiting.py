"""What a terminal shows while a command works: nothing for two seconds, then what is computed and for how long.

Every command is run inside of `waiting`, so that none has to think of it; one that knows how far it is shows that by `counting`
or by the bar of a sweep. What is shown vanishes before anything else is written.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock, Thread
from typing import Any

PATIENCE = 2.0
"""Seconds of silence after which somebody wants to know what is going on."""

_LONGEST = 60  # characters of what is said


class _Line:
    """A line on a terminal that comes while nothing else is written."""

    def __init__(self, what: str, terminal: Any) -> None:
        self.what, self.paused = what, 0
        self._terminal = terminal
        self._lock, self._ended = RLock(), Event()
        self._begun = self._last = time.monotonic()
        self._shown: Any = None
        self._watcher = Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        while not self._ended.wait(max(0.02, PATIENCE - (time.monotonic() - self._last))):
            with self._lock:
                silent = time.monotonic() - self._last >= PATIENCE
                if silent and not (self.paused or self._ended.is_set()):
                    self._show()

    def _show(self) -> None:
        if self._shown is not None:
            return
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
        )
        self._shown = Progress(
            *columns,
            console=Console(file=self._terminal),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        task = self._shown.add_task(self.what, total=None)
        self._shown.tasks[task].start_time = self._begun
        self._shown.start()

    def call(self, what: str) -> str:
        """Say something else; return what was said before."""
        with self._lock:
            before, self.what = self.what, what
            if self._shown is not None:
                self._shown.update(self._shown.task_ids[0], description=what)
            return before

    def away(self) -> None:
        """Take the line away, until it is silent again."""
        with self._lock:
            if self._shown is not None:
                self._shown.stop()
                self._shown = None
            self._last = time.monotonic()

    def end(self) -> None:
        """Take the line away for good."""
        self._ended.set()
        self.away()


class _Stream:
    """A stream before whose every word the line is taken away."""

    def __init__(self, stream: Any, line: _Line) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> Any:
        """Write; nothing is no reason to take anything away."""
        if text:
            self._line.away()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_line: _Line | None = None


def _on_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # none, or closed
        return False


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on a terminal what is computed, and for how long, where nothing else is written for more than two seconds.

    Parameters
    ----------
    what : str
        In a few words. Inside of another, it takes the place of what that says.

    Yields
    ------
    None
        Nothing; what was said is taken away again.
    """
    global _line
    said = " ".join(what.split())
    said = said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."
    if _line is not None:
        before = _line.call(said)
        try:
            yield
        finally:
            _line.call(before)
        return
    if not _on_terminal(sys.stderr):
        yield
        return
    streams = sys.stdout, sys.stderr
    _line = line = _Line(said, sys.stderr)
    sys.stderr = _Stream(sys.stderr, line)
    if _on_terminal(sys.stdout):
        sys.stdout = _Stream(sys.stdout, line)
    try:
        yield
    finally:
        line.end()
        _line = None
        sys.stdout, sys.stderr = streams


@contextmanager
def aside() -> Iterator[None]:
    """Say nothing while something else shows how far it is."""
    line = _line
    if line is None:
        yield
        return
    line.away()
    line.paused += 1
    try:
        yield
    finally:
        line.away()
        line.paused -= 1


@contextmanager
def counting(heading: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show which checks or figures are done, on a terminal only.

    Parameters
    ----------
    heading : str
        What stands before the bar.
    total : int
        How many there are.

    Yields
    ------
    callable
        To be called with the name of each as it ends.
    """
    from ..sweep._progress import progress
    from ..verify.compiling import is_compiling
    from ..verify.finished import default_folder

    folder, start = default_folder(), time.time()

    def note() -> str:
        return "compiling" if is_compiling(folder, start) else ""

    with aside(), progress(heading, total, 0, True, note) as advance:
        yield advance
