"""The command line: every room of the package, one command each. No science lives here."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import CycloptsError

from ..errors import ScalingLawsError, brief
from . import (  # noqa: F401  # they register their commands
    _adapt,
    _allocate,
    _complexity,
    _count,
    _curves,
    _design,
    _experiments,
    _explore,
    _fit,
    _learnability,
    _measure,
    _pattern_tables,
    _patterns,
    _plan,
    _recipes,
    _reproduce,
    _schedule,
    _simulate,
    _simulate_tasks,
    _solve,
    _sweep,
    _task,
    _theory,
    _verify,
)
from ._app import app, in_paragraphs
from ._signals import stopped_by, watch
from ._waiting import waiting

__all__ = ["app", "main", "run"]

in_paragraphs(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.
    """
    watch()
    for stream in (sys.stdout, sys.stderr):  # a name is better spelled badly than not at all
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    code = run(arguments)
    # CPython remembers an interrupt that has passed through exec, as of a dataclass that was being made or of a file that was
    # imported, though it was caught since, and would end by the signal; running any code forgets it
    exec("")
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0 for success, 1 for a negative answer (an unexpected verdict, a refused step, nothing found), 2 for a request
        that cannot be carried out, 130 after an interrupt, 143 after a request to terminate.
    """
    _open_streams()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with waiting(" ".join(given)):
            code = app(given, exit_on_error=False, print_error=False, result_action="return_value")
            sys.stdout.flush()
    except (ScalingLawsError, CycloptsError) as failure:
        return _failed(f"error: {failure}", 2)
    except KeyboardInterrupt as interrupt:
        return _failed(*stopped_by(interrupt))
    except BrokenPipeError:
        # the reader has seen enough: nobody is left to tell
        _discard(sys.stdout)
        return 0
    except OSError as failure:
        _discard(sys.stdout)  # a full disk, for instance, would be met again at exit
        return _failed(f"error: {_trouble(failure)}", 2)
    return code if isinstance(code, int) else 0


def _trouble(failure: OSError) -> str:
    """Say what the system refused, and of which file."""
    why = failure.strerror or str(failure) or type(failure).__name__
    return why if failure.filename is None else f"{brief(os.fspath(failure.filename))}: {why}"


def _failed(message: str, code: int) -> int:
    """Say why on standard error, if somebody reads it."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)
    return code


def _open_streams() -> None:
    """Let output go nowhere if the process was started without the stream."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _discard(stream: Any) -> None:
    """Let what is still to be written, the rest of a buffer included, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    with contextlib.suppress(OSError, ValueError):  # no file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
