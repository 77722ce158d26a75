"""Figures of a source drawn into a folder, each with its caption, and pages that show them together."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import choice, flag, function, path, root_seed
from ...contents import read_bytes, read_text
from ...errors import DomainError, ResourceError
from ...formatting import duration
from ...reprs import short_repr
from ...sweep import MapLike, run_many
from ..finished import FinishedChecks, default_folder
from ..registry import EFFORTS, Context, checks_of
from ._registry import SOURCES, ReproducedFigure, figures_of

FORMATS = ("png", "svg", "pdf")
_DPI = 160
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
_STYLE = """
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem; color: #1c2128; background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { line-height: 1.2; margin: 0; } h2 { margin: 2.5rem 0 .5rem; }
nav ul { columns: 2; padding-left: 1.2rem; } a { color: #1659c7; }
figure { margin: 0; } img { width: 100%; height: auto; }
figcaption { max-width: 52rem; } .minor { color: #57606a; font-size: .87em; overflow-wrap: anywhere; }
@media (max-width: 40rem) { nav ul { columns: 1; } }
"""


@short_repr
@dataclass(frozen=True)
class Written:
    """A figure that stands in a file.

    Attributes
    ----------
    entry : ReproducedFigure
        What was drawn.
    file : Path
        Where.
    caption : str
        The claim, what is shown, and what was found.
    seconds : float
        Of work, now or when it was kept.
    kept : bool
        Whether an earlier run had drawn it.
    """

    entry: ReproducedFigure
    file: Path
    caption: str
    seconds: float
    kept: bool


def write_figures(
    source: str,
    folder: str | Path,
    *,
    names: Sequence[str] | None = None,
    kind: str = "png",
    effort: str = "quick",
    workers: int | MapLike = 1,
    rng: np.random.Generator | int = 0,
    fresh: bool = False,
    cache: str | Path | None = None,
    on_done: Callable[[str], None] | None = None,
) -> tuple[Written, ...]:
    """Draw the figures of a source into a folder, with an index of them as ``figures.md`` and as ``index.html``.

    Parameters
    ----------
    source : str
        Its name, or its citation key.
    folder : str or Path
        Is made if it is not there. Figures of the same source that an earlier run left in it stay in the index.
    names : sequence of str, optional
        Of figures; by default all for which what they require is installed.
    kind : {"png", "svg", "pdf"}
        Of files. Beside a PDF stands a PNG for the page.
    effort : {"quick", "full"}
        How large simulations are.
    workers : int or map-like
        Processes; the numbers do not depend on it.
    rng : int or Generator
        Root of all random streams.
    fresh : bool
        Draw again what an earlier run with the same effort and root, by the same version of everything, has kept.
    cache : str or Path, optional
        Where drawn figures are kept; ``figures`` in the user's cache folder by default.
    on_done : callable, optional
        Called with the name of every figure as it ends.

    Returns
    -------
    tuple of Written
        What was drawn, in the order of the source.

    Raises
    ------
    DomainError
        If an argument is not valid, or the folder cannot be written to.
    """
    chosen = figures_of(source, names)
    if names is None:
        chosen = tuple(entry for entry in chosen if not entry.lacks)
    choice("kind", kind, FORMATS)
    choice("effort", effort, EFFORTS)
    flag("fresh", fresh)
    if on_done is not None:
        function("on_done", on_done)
    to = path("folder", folder)
    place = default_folder().with_name("figures") if cache is None else path("cache", cache)
    root = root_seed(rng)
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise _unwritable(to, failure) from failure
    store = FinishedChecks(place)
    store.tidy()
    kinds = ("pdf", "png") if kind == "pdf" else (kind,)
    jobs = [_Job(entry.source, entry.name, kinds, effort, root, store, fresh) for entry in chosen]
    kept = {i: found for i, job in enumerate(jobs) if (found := _kept(job)) is not None}

    def tell(i: int) -> None:
        if on_done is not None:
            on_done(chosen[i].name)

    for i in kept:
        tell(i)
    outcomes = run_many(_draw, jobs, workers=workers, on_done=tell, finished=kept)
    written = []
    try:
        for entry, outcome in zip(chosen, outcomes, strict=True):
            for suffix, picture in zip(kinds, outcome.pictures, strict=True):
                (to / f"{entry.name}.{suffix}").write_bytes(picture)
            file = to / f"{entry.name}.{kind}"
            about = (entry.caption(outcome.found), outcome.seconds, outcome.kept)
            written.append(Written(entry, file, *about))
        _write_index(to, chosen[0].source, written, effort)
    except OSError as failure:
        raise _unwritable(to, failure) from failure
    return tuple(written)


def _unwritable(folder: Path, failure: OSError) -> DomainError:
    return DomainError(
        f"cannot write to {folder}: {failure.strerror}", argument="folder", value=folder
    )


# -- a figure -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Job:
    """What a worker is told."""

    source: str
    name: str
    kinds: tuple[str, ...]
    effort: str
    root: int
    store: FinishedChecks
    fresh: bool


@dataclass(frozen=True)
class _Outcome:
    """What a worker sends back."""

    pictures: tuple[bytes, ...]
    found: str
    seconds: float
    kept: bool


def _place(job: _Job) -> Path | None:
    """Return where a figure is kept, but for the suffix."""
    (entry,) = figures_of(job.source, [job.name])
    name = f"figures/{job.source}.{job.name} {version('matplotlib')}"
    return job.store.path(name, entry.function, job.effort, job.root)


def _kept(job: _Job) -> _Outcome | None:
    """Return a figure that is kept in all formats that are asked for."""
    known = None if job.fresh else _place(job)
    if known is None:
        return None
    try:
        about = json.loads(read_text(known.with_suffix(".json")))
        pictures = tuple(read_bytes(known.with_suffix(f".{kind}")) for kind in job.kinds)
        return _Outcome(pictures, str(about["found"]), float(about["seconds"]), kept=True)
    except (OSError, ValueError, KeyError, TypeError, ResourceError):
        return None


def _draw(job: _Job) -> _Outcome:
    """Draw a figure and keep it."""
    import matplotlib

    (entry,) = figures_of(job.source, [job.name])
    name = f"figures/{job.source}.{job.name}"
    start = time.perf_counter()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure, said = entry.function(Context(name, job.effort, job.root))
        pictures = []
        for kind in job.kinds:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=_DPI, metadata=_UNDATED[kind])
            pictures.append(buffer.getvalue())
    drawn = _Outcome(tuple(pictures), said, time.perf_counter() - start, kept=False)
    _keep(_place(job), job.kinds, drawn)
    return drawn


def _keep(known: Path | None, kinds: tuple[str, ...], drawn: _Outcome) -> None:
    """Keep a figure, what is said of it last; a folder that cannot be written to is no reason to lose it."""
    if known is None:
        return
    about = json.dumps({"found": drawn.found, "seconds": drawn.seconds}).encode()
    with contextlib.suppress(OSError):
        known.parent.mkdir(parents=True, exist_ok=True)
        for kind, content in zip((*kinds, "json"), (*drawn.pictures, about), strict=True):
            partial = known.with_suffix(f".{os.getpid()}.part")
            partial.write_bytes(content)
            os.replace(partial, known.with_suffix(f".{kind}"))


# -- the index ----------------------------------------------------------------------------------------------------------


def _write_index(folder: Path, source: str, written: Sequence[Written], effort: str) -> None:
    """Write both pages, of what was drawn now and of what stands in the folder already."""
    listing = folder / "figures.json"
    entries: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(
        OSError, ValueError, LookupError, AttributeError, TypeError, ResourceError
    ):
        old = json.loads(read_text(listing))
        if old["source"] == source:
            entries = {
                name: entry
                for name, entry in old["figures"].items()
                if (folder / entry["file"]).is_file() and (folder / entry["picture"]).is_file()
            }
    for item in written:
        picture = item.file.with_suffix(".png") if item.file.suffix == ".pdf" else item.file
        entries[item.entry.name] = {
            "title": item.entry.title,
            "caption": item.caption,
            "file": item.file.name,
            "picture": picture.name,
            "behind": _behind(item.entry),
            "how": f"{effort} effort, {duration(item.seconds)}",
        }
    order = [entry.name for entry in figures_of(source)]
    shown = {name: entries[name] for name in order if name in entries}
    listing.write_text(
        json.dumps({"source": source, "figures": shown}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    (folder / "figures.md").write_text(_markdown(source, shown), encoding="utf-8")
    (folder / "index.html").write_text(_page(source, shown), encoding="utf-8")


def _behind(entry: ReproducedFigure) -> list[str]:
    """Say which laws, checks and computations stand behind a figure."""
    checks = dict.fromkeys(check for law in entry.laws for check in checks_of(law))
    return [
        f"{word}: {', '.join(names)}"
        for word, names in (
            ("laws", entry.laws),
            ("drawn with", entry.uses),
            ("the laws are tested by", tuple(checks)),
        )
        if names
    ]


def _markdown(source: str, shown: dict[str, dict[str, Any]]) -> str:
    reference = SOURCES[source]
    parts = [
        f"# Figures of {reference.authors} ({reference.year})",
        f"{reference.title}, {reference.identifier}",
    ]
    for entry in shown.values():
        parts += [
            f"## {entry['title']}",
            f"![{entry['title']}]({entry['picture']})",
            entry["caption"],
            "\n".join(f"* {line}" for line in (*entry["behind"], entry["how"])),
        ]
    return "\n\n".join(parts) + "\n"


def _page(source: str, shown: dict[str, dict[str, Any]]) -> str:
    reference = SOURCES[source]
    heading = escape(f"Figures of {reference.authors} ({reference.year})")
    links = "".join(
        f'<li><a href="#{escape(name)}">{escape(entry["title"])}</a></li>'
        for name, entry in shown.items()
    )
    figures = "".join(
        f'<section id="{escape(name)}"><h2>{escape(entry["title"])}</h2><figure>'
        f'<a href="{escape(entry["file"])}"><img src="{escape(entry["picture"])}" alt="{escape(entry["title"])}"></a>'
        f"<figcaption><p>{escape(entry['caption'])}</p>"
        f'<p class="minor">{"<br>".join(map(escape, (*entry["behind"], entry["how"])))}</p></figcaption></figure></section>\n'
        for name, entry in shown.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>\n<body><h1>{heading}</h1>"
        f"<p>{escape(reference.title)}, {escape(reference.identifier)}</p><nav><ul>{links}</ul></nav>\n{figures}</body></html>\n"
    )
