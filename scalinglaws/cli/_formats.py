"""Answers of commands, and the forms in which they are shown or written."""

from __future__ import annotations

import contextlib
import csv
import io
import json as json_module
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DomainError
from ..reprs import short_repr
from ..tables import Block, as_latex, as_markdown, as_text
from ..typesetting import document
from ..wrapping import wrapped


@short_repr
@dataclass(frozen=True)
class Answer:
    """What a command found, before it is known how it will be shown.

    Attributes
    ----------
    data : object
        For JSON.
    blocks : sequence of str or Table
        For people.
    table : tuple of header and rows, or None
        For CSV: full precision.
    terminal : callable or None
        Writes the blocks for a terminal of so many columns, with formulas in Unicode; by default they are wrapped.
    latex : callable or None
        Writes the blocks as LaTeX; by default words are escaped and tables set.
    """

    data: Any
    blocks: Sequence[Block]
    table: tuple[tuple[str, ...], list[tuple[Any, ...]]] | None = None
    terminal: Callable[[int], str] | None = None
    latex: Callable[[], str] | None = None


def _as_csv(answer: Answer) -> str:
    assert answer.table is not None
    header, rows = answer.table
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def _as_text(answer: Answer) -> str:
    return as_text(answer.blocks)


def _as_markdown(answer: Answer) -> str:
    return as_markdown(answer.blocks)


def _as_latex(answer: Answer) -> str:
    return as_latex(answer.blocks) if answer.latex is None else answer.latex()


def _as_document(answer: Answer) -> str:
    return document(_as_latex(answer))


def _as_json(answer: Answer) -> str:
    return json_module.dumps(answer.data, indent=2, allow_nan=False) + "\n"


TEXT_FORMATS: dict[str, Callable[[Answer], str]] = {
    ".json": _as_json,
    ".md": _as_markdown,
    ".tex": _as_document,
    ".txt": _as_text,
}
TABLE_FORMATS = {**TEXT_FORMATS, ".csv": _as_csv}


def emit(
    answer: Answer,
    json: bool,
    output: Path | None,
    *,
    plain: bool = False,
    latex: bool = False,
) -> None:
    """Show an answer, or write it in the format that a file's suffix names and say so."""
    if json and latex and answer.latex is None:
        raise DomainError("--json and --latex exclude each other", argument="latex", value=latex)
    if output is None:
        if json:
            sys.stdout.write(_as_json(answer))
        elif latex:
            sys.stdout.write(_as_latex(answer))
        elif sys.stdout.isatty():
            _emit_rich(answer, plain)
        else:
            sys.stdout.write(_as_text(answer))
        return
    writers = TABLE_FORMATS if answer.table is not None else TEXT_FORMATS
    check_suffix(output, writers)
    write(output, writers[output.suffix](answer))
    if json or latex:
        sys.stdout.write(_as_json(answer) if json else _as_latex(answer))


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what is warned of meanwhile, each message once, for the answer to say."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield said
    said += dict.fromkeys(str(entry.message) for entry in caught)


def write(output: Path, text: str) -> None:
    """Write a file, or say why it cannot be written."""
    try:
        output.write_text(
            text, encoding="utf-8", errors="backslashreplace"
        )  # of names that are no text
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


def wrote(output: Path) -> None:
    """Say what was written: on standard error, since standard output may hold data."""
    print(f"wrote {output}", file=sys.stderr)


def check_suffix(output: Path, writers: Iterable[str], *, option: str = "--output") -> None:
    """Refuse a file that could not be written: a suffix that names no format, or a folder that is not there."""
    if output.suffix not in (writers := sorted(writers)):
        raise DomainError(
            f"{option} {output}: the suffix must be one of {', '.join(writers)}",
            argument=option[2:],
            value=output,
        )
    if not output.parent.is_dir():
        raise DomainError(
            f"{option} {output}: there is no folder {output.parent}",
            argument=option[2:],
            value=output,
        )


def _speaks_unicode(stream: Any) -> bool:
    """Whether a terminal shows letters of any alphabet."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return encoding.startswith("utf") and os.environ.get("TERM") != "dumb"


def _emit_rich(answer: Answer, plain: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False)
    colors = {
        "pass": "green",
        "rejected": "green",
        "fail": "red",
        "error": "red",
        "inconclusive": "yellow",
        "underpowered": "yellow",
    }
    width = console.width
    if answer.terminal is not None and not plain and _speaks_unicode(sys.stdout):
        sys.stdout.write(answer.terminal(width) + "\n")
        return
    for block in answer.blocks:
        if isinstance(block, str):
            console.print(Text(wrapped(block, width)))
            continue
        table = RichTable(
            title=block.title or None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            header_style="bold",
        )
        for position, name in enumerate(block.header):
            table.add_column(name, no_wrap=position == 0, overflow="fold")
        for row in block.rows:
            table.add_row(*(Text(cell, style=colors.get(cell.split(" ")[0], "")) for cell in row))
        console.print(table)
