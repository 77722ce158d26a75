"""A report as one page for the browser: no network, no scripts, nothing beside the file itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ... import formatting
from ...tables import Table
from ..comparison import Comparison, Crash, Entry
from ..families import Family
from ..rule import PASS
from . import words
from .figures import curve_figure, forest_figure

if TYPE_CHECKING:
    from ...theory.formula import Law


def report_page(
    entries: Sequence[Entry],
    *,
    title: str,
    statements: Mapping[str, str],
    families: Sequence[Family],
    summary: Mapping[str, int],
    provenance: Mapping[str, Any],
) -> str:
    """Write a report as one self-contained HTML page, with a figure for every curve and an overview of every theory.

    Parameters
    ----------
    entries : sequence of Comparison or Crash
        In the order in which they are shown.
    title : str
        Of the page.
    statements : mapping of str to str
        What each check tests.
    families : sequence of Family
        Comparisons judged together.
    summary : mapping of str to int
        Counts of verdicts.
    provenance : mapping
        ``"seed root"``, ``"effort"``, ``"created"``, and what else is needed to repeat the run.

    Returns
    -------
    str
        The page: styles and figures are inside it, light and dark, for screens of any width and for paper. The same report
        gives the same text.
    """
    shown = [_Shown(entry, f"c{number}") for number, entry in enumerate(entries, start=1)]
    laws = _laws(entry.prediction.source for entry in entries if isinstance(entry, Comparison))
    return rendered(
        "report.html.j2",
        title=title,
        entries=shown,
        comparisons=[item for item in shown if not item.crashed],
        theories=list(_theories(shown, statements)),
        families=families,
        summary=summary,
        provenance=provenance,
        laws=laws,
        sources=_bibtex(laws),
    )


def report_summary(
    entries: Sequence[Entry],
    *,
    summary: Mapping[str, int],
    provenance: str,
) -> str:
    """Write the summary of a report for a notebook: verdicts in one line, and every comparison in another.

    Parameters
    ----------
    entries : sequence of Comparison or Crash
        In the order in which they are shown.
    summary : mapping of str to int
        How many entries have each verdict.
    provenance : str
        What is needed to repeat the run.

    Returns
    -------
    str
        One element with styles of its own.
    """
    shown = [_Shown(entry, f"c{number}") for number, entry in enumerate(entries, start=1)]
    return rendered(
        "notebook.html.j2",
        entries=shown,
        comparisons=[item for item in shown if not item.crashed],
        unexpected=[item for item in shown if not item.entry.as_expected],
        summary=summary,
        provenance=provenance,
    )


def rendered(template: str, **given: Any) -> str:
    """Fill a template of the folder beside this file: what it is given is escaped, unless it is `Markup`."""
    return _templates().get_template(template).render(given)


def table_section(table: Table) -> Markup:
    """Write a table in the manner of the page, which styles it."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    return Markup(
        f'<h3>{escape(table.title)}</h3><div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


@cache
def _templates() -> Environment:
    """Return the templates beside this file: what they are given is escaped, unless it is `Markup`."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    filters: tuple[Callable[..., str | list[str] | list[Markup]], ...] = (
        words.breakable, words.counted, words.differences, words.evidence, words.glyph, words.measured, words.number,
        words.plain, words.prediction, words.relative, words.rival, words.shortened, words.tolerance, words.tone, words.uncertain,
        words.window, words.worst_place, formatting.duration,
    )  # fmt: skip
    found.filters |= {function.__name__: function for function in filters}
    found.filters["curve"] = lambda comparison, key: Markup(curve_figure(comparison, key))
    found.globals |= {"GLYPHS": words.GLYPHS, "PASS": PASS}
    return found


@dataclass(frozen=True)
class _Shown:
    """A comparison or a crash, and the target of links to it."""

    entry: Entry
    anchor: str

    @property
    def crashed(self) -> bool:
        """Whether it is a crash."""
        return isinstance(self.entry, Crash)

    @property
    def own_name(self) -> str:
        """The name without that of the check."""
        return self.entry.id.removeprefix(self.entry.check).removeprefix("/") or self.entry.id

    @property
    def kind(self) -> str:
        """The kind of the prediction; a crash has none."""
        return "" if isinstance(self.entry, Crash) else self.entry.prediction.kind


@dataclass(frozen=True)
class _Check:
    """One check on the page: its name, with and without that of the theory, and what it left behind."""

    name: str
    short: str
    anchor: str
    statement: str
    members: list[_Shown]

    @property
    def seconds(self) -> float:
        """Time it took."""
        return sum(item.entry.wall_s for item in self.members)

    @property
    def curves(self) -> list[_Shown]:
        """Members with a picture."""
        return [item for item in self.members if item.kind == "curve"]


@dataclass(frozen=True)
class _Theory:
    """One theory on the page."""

    name: str
    anchor: str
    checks: list[_Check]
    forests: list[Markup]


def _theories(shown: Sequence[_Shown], statements: Mapping[str, str]) -> Iterator[_Theory]:
    number = 0
    groups = _grouped(shown, lambda item: item.entry.check.split(".")[0])
    for place, (theory, members) in enumerate(groups.items(), start=1):
        checks = []
        for name, own in _grouped(members, lambda item: item.entry.check).items():
            number += 1
            short, statement = name.removeprefix(theory + "."), statements.get(name, "")
            checks.append(_Check(name, short, f"k{number}", statement, own))
        yield _Theory(theory, f"t{place}", checks, list(_forests(theory, members)))


def _grouped(shown: Iterable[_Shown], by: Callable[[_Shown], str]) -> dict[str, list[_Shown]]:
    groups: dict[str, list[_Shown]] = {}
    for item in shown:
        groups.setdefault(by(item), []).append(item)
    return groups


def _forests(theory: str, members: Sequence[_Shown]) -> Iterator[Markup]:
    """Draw what is a difference, and apart from it rankings: their numbers are advantages."""
    rankings = [item for item in members if item.kind == "ranking"]
    others = [item for item in members if item.kind != "ranking"]
    what = (
        (others, "measured minus predicted, in units of the tolerance"),
        (rankings, "advantage of the first, in units of the tolerance (band: a tie)"),
    )
    for drawn, axis_name in what:
        entries = []
        for item in drawn:
            worst = ", worst point" if item.kind == "curve" else ""
            name = item.entry.id.removeprefix(theory + ".") + worst
            entries.append((name, item.anchor, item.entry))
        if entries:
            verdicts = ", ".join(f"{name} {entry.verdict}" for name, _, entry in entries)
            title = f"{theory}: {axis_name}. {verdicts}"
            yield Markup(forest_figure(entries, title, axis_name))


def _laws(sources: Iterable[str]) -> dict[str, Law]:
    """Find the laws that sources begin with the names of."""
    named = [re.match(r"[a-z]\w*(\.\w+)+", source) for source in dict.fromkeys(sources)]
    if not any(named):
        return {}
    from ... import theory  # slow to load, and a report without laws does not need it

    known = set(theory.laws())
    names = dict.fromkeys(found.group() for found in named if found is not None)
    return {name: theory.law(name) for name in names if name in known}


def _bibtex(laws: Mapping[str, Law]) -> list[str]:
    """Write the entries of all that laws refer to."""
    if not laws:
        return []
    from ...theory.references import bibtex_of

    used = {entry.key: entry for law in laws.values() for entry in law.reference}
    used |= {
        law.published.reference.key: law.published.reference
        for law in laws.values()
        if law.published is not None
    }
    return [bibtex_of(entry) for entry in used.values()]
