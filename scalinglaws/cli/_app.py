"""The application object, and the options that commands share."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from .. import __version__
from ..arguments import MOST_EXACT
from ..parsing import spelled_number

app = App(
    name="scalinglaws",
    help="Neural scaling laws: derived symbolically, solved at any scale, tested against simulation.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `scalinglaws.cli.run` says how a command ended
)

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON to standard output.")]
Output = Annotated[
    Path | None, Parameter(name="--output", help="Write to a file; its suffix picks the format.")
]

_MOST_SHOWN = 40  # characters of a number

Plain = Annotated[
    bool,
    Parameter(
        negative="", help="Write formulas in plain characters on a terminal too, as in a pipe."
    ),
]
Latex = Annotated[bool, Parameter(negative="", help="Print LaTeX, to be put into a document.")]


def in_paragraphs(commands: App) -> None:
    """Let descriptions of arguments be one line each in the docstrings of all commands: help breaks lines where a terminal ends.

    Parameters
    ----------
    commands : App
        An application, with all that is below it.
    """
    for name in commands:
        if name.startswith("-"):
            continue
        command = commands[name]
        function = command.default_command
        if function is not None and function.__doc__:
            function.__doc__ = _joined(inspect.cleandoc(function.__doc__))
        in_paragraphs(command)


def _joined(text: str) -> str:
    r"""Join indented lines that follow each other.

    Examples
    --------
    >>> _joined("size : int\n    How large\n    it is.\nrate : float\n    How fast.").splitlines()
    ['size : int', '    How large it is.', 'rate : float', '    How fast.']
    """
    return re.sub(
        r"(?m)(^ {4}\S.*(?:\n {4}\S.*)+)", lambda lines: re.sub(r"\n {4}", " ", lines[0]), text
    )


def whole(kind: Any, tokens: Sequence[Any]) -> int:
    """Read a whole number of ordinary size, also written as 1e6 or 1M; 1.9 is not one."""
    text = tokens[0].value
    try:
        value = int(text)
    except ValueError:
        found = _number(text)
        if not found.is_integer():
            raise ValueError(
                f"{text[:_MOST_SHOWN]} is not a whole number: write 100, 1e6 or 1M"
            ) from None
        value = int(found)
    return ordinary(value, text)


def real(kind: Any, tokens: Sequence[Any]) -> float:
    """Read a number, also with a letter for its size, as 7B."""
    text = tokens[0].value
    value = _number(text)
    if math.isnan(value):
        raise ValueError(f"{text} is not a number: write 0.5, 1e21 or 7B")
    return value


def _number(text: str) -> float:
    try:
        return float(spelled_number(text))
    except ValueError:
        return math.nan


def ordinary(value: int, text: str) -> int:
    """Refuse whole numbers beyond 2^53: nothing is counted so far, and messages are no place for hundreds of digits."""
    if abs(value) > MOST_EXACT:
        raise ValueError(
            f"{text[:_MOST_SHOWN]} is beyond 2^53, the largest whole number that is read"
        )
    return value


Whole = Annotated[int, Parameter(converter=whole)]
Real = Annotated[float, Parameter(converter=real)]
Names = Annotated[tuple[str, ...] | None, Parameter(consume_multiple=True, negative=())]
