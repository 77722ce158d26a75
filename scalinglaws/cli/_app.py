"""The application object, and the options that commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from .. import __version__

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

Plain = Annotated[
    bool,
    Parameter(
        negative="", help="Write formulas in plain characters on a terminal too, as in a pipe."
    ),
]
Latex = Annotated[bool, Parameter(negative="", help="Print LaTeX, to be put into a document.")]


def whole(kind: Any, tokens: Sequence[Any]) -> int:
    """Read a whole number; 1.9 is not one."""
    return int(tokens[0].value)


Whole = Annotated[int, Parameter(converter=whole)]
