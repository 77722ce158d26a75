"""How a command ends when it is asked to: within about a second, wherever it is."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

_PATIENCE = (
    1.0  # seconds that compiled code has to come back before the process is ended from outside
)

_CODES = {signal.SIGINT: ("interrupted", 130), signal.SIGTERM: ("terminated", 143)}
_CLEAR = "\r\x1b[K\x1b[?25h"  # the line that says what is computed, which also hides the cursor
_SWALLOWED = 10.0  # seconds after which an interrupt that ended nothing is sent again
_noticed, _handled = threading.Event(), threading.Event()


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): an interrupt with another exit code."""


def stopped_by(interrupt: KeyboardInterrupt) -> tuple[str, int]:
    """Return how a process was stopped, in a word, and its exit code: 128 and the number of the signal."""
    _handled.set()
    return _CODES[signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT]


def watch() -> None:
    """Let SIGINT and SIGTERM end the process even while compiled code runs; of the main thread only.

    Python notices a signal when it runs its own code again, which a kernel may keep it from for minutes. Kernels release the
    interpreter's lock, so a second thread, woken by the signal, can wait a while and then end the process.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _raise)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not if it is ignored
        signal.signal(signal.SIGINT, _raise)
    if signal.set_wakeup_fd(-1) != -1:  # somebody else's
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_end, args=(read,), daemon=True).start()


def _raise(number: int, frame: Any) -> None:
    _noticed.set()
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end(read: int) -> None:
    """Wait for a signal, and for the main thread to notice it; end the process if it does not.

    What a destructor or a callback from C raises is printed and forgotten, an interrupt, too: then it is sent again.
    """
    while True:
        for number in os.read(read, 1):
            if number not in _CODES:
                continue
            if _noticed.wait(_PATIENCE):
                if not _handled.wait(_SWALLOWED):
                    os.kill(os.getpid(), number)
            else:
                word, code = _CODES[signal.Signals(number)]
                os.write(2, f"{_CLEAR if os.isatty(2) else ''}{word}\n".encode())
                os._exit(code)
