"""Figures of the sources."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..arguments import choice
from ..errors import DomainError
from ..formatting import duration
from ..tables import Table
from ._app import Json, Latex, Names, Whole, app, whole
from ._formats import Answer, emit, wrote
from ._signals import stopped_by
from ._waiting import counting


@app.command
def figures(
    source: str | None = None,
    /,
    *,
    only: Names = None,
    listed: Annotated[bool, Parameter(name="--list", negative=())] = False,
    format: str = "png",  # the option's name
    effort: str = "quick",
    workers: Annotated[int | None, Parameter(converter=whole)] = None,
    seed: Whole = 0,
    fresh: Annotated[bool, Parameter(negative=())] = False,
    latex: Latex = False,
    json: Json = False,
    output: Annotated[Path | None, Parameter(name="--output")] = None,
) -> int:
    """Draw the figures of a source again, each with its caption, and a page that shows them together.

    Parameters
    ----------
    source : str
        atanasov, bordelon, brill, damico or ringel, or a key that cite prints; without one, sources are listed.
    only : str
        Names of figures; all by default.
    listed : bool
        List the figures instead of drawing them: names, titles, what is drawn, from what, and roughly how long it takes.
    format : str
        png, svg or pdf.
    effort : str
        quick (seconds) or full (minutes).
    workers : int
        Processes; one per available core by default. The numbers do not depend on it.
    seed : int
        Root of all random streams.
    fresh : bool
        Draw again what an earlier run of this version has kept.
    latex : bool
        Print the list as LaTeX.
    json : bool
        Print JSON: the list, or what was drawn.
    output : Path
        Folder for pictures, figures.md and index.html; figures/SOURCE by default.
    """
    from ..sweep import end_workers
    from ..verify.reproduced import figures_of, sources, write_figures
    from ..verify.reproduced._gallery import FORMATS
    from ..verify.reproduced._registry import SOURCES

    choice("format", format, FORMATS)
    if source is None:
        if only is not None or not listed:
            given = "--only needs a source" if only is not None else "which source?"
            raise DomainError(
                f"{given} There are {', '.join(sources())}; --list lists their figures",
                argument="source",
                value=None,
            )
        entries = [entry for name in sources() for entry in figures_of(name)]
    else:
        entries = list(figures_of(source, only))
    if listed:
        header = ("figure", "title", "what is drawn", "laws", "drawn with", "seconds")
        rows = [
            (
                f"{entry.source} {entry.name}",
                entry.title,
                entry.shown,
                ", ".join(entry.laws) or "none",
                ", ".join(entry.uses),
                f"{entry.seconds:g}",
            )
            for entry in entries
        ]
        data = [
            {
                "source": entry.source,
                "key": SOURCES[entry.source].key,
                "figure": entry.name,
                "title": entry.title,
                "claim": entry.claim,
                "shown": entry.shown,
                "laws": list(entry.laws),
                "uses": list(entry.uses),
                "seconds": entry.seconds,
            }
            for entry in entries
        ]
        emit(Answer(data, [Table(header, rows)], (header, rows)), json, None, latex=latex)
        return 0
    of = entries[0].source
    if only is None:
        for entry in entries:
            if entry.lacks:
                lacking = ", ".join(entry.lacks)
                print(f"{entry.name} is left out: {lacking} is not installed", file=sys.stderr)
        entries = [entry for entry in entries if not entry.lacks]
    folder = Path("figures", of) if output is None else output
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
    done: list[str] = []
    try:
        with counting(of, len(entries)) as advance:

            def on_done(name: str) -> None:
                done.append(name)
                advance(name)

            written = write_figures(
                of,
                folder,
                names=[entry.name for entry in entries],
                kind=format,
                effort=effort,
                workers=min(count, len(entries)) if workers is None else workers,
                rng=seed,
                fresh=fresh,
                on_done=on_done,
            )
    except KeyboardInterrupt as interrupt:
        end_workers()
        word, code = stopped_by(interrupt)
        print(
            f"{word}: {len(done)} of {len(entries)} figures are drawn and kept; run again to go on from there",
            file=sys.stderr,
        )
        return code
    columns = ("figure", "title", "file", "work")
    drawn = [
        {
            "figure": item.entry.name,
            "file": str(item.file),
            "caption": item.caption,
            "seconds": item.seconds,
            "kept": item.kept,
        }
        for item in written
    ]
    lines = [
        (
            item.entry.name,
            item.entry.title,
            item.file.name,
            "kept" if item.kept else duration(item.seconds),
        )
        for item in written
    ]
    emit(Answer(drawn, [Table(columns, lines)], (columns, lines)), json, None, latex=latex)
    wrote(folder / "index.html")
    return 0
