"""What a run found, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from ..arguments import flag, number
from ..equality import by_value
from ..errors import DataError
from ..formatting import duration, short, uncertain
from ..reprs import line
from ..results import jsonable
from ..tables import Block, Table, as_markdown, as_text
from .comparison import Comparison, Crash, Entry
from .families import Family, family
from .rule import ERROR, PASS, VERDICTS
from .schema import (
    ENVIRONMENT_EXTRAS,
    ENVIRONMENT_KEYS,
    SCHEMA,
    check_keys,
    comparison_to_dict,
    crash_to_dict,
    entries_from_dict,
    family_to_dict,
    located,
)

_FAMILY_HEADER = (
    "family",
    "members",
    "chi-square",
    "common difference",
    "failures that stand",
    "detectable differences",
)
_DISAGREEMENT_HEADER = ("known disagreement", "expected", "found", "reason and evidence")
HEADER = ("comparison", "theory", "measured", "tol.", "verdict", "rival", "runs", "window")

LARGEST = 10**8
"""Characters of JSON beyond which a text is no report: a comparison takes about 2000."""
_DEEPEST = 20  # a curve's numbers stand 5 levels deep
_MOST = sys.float_info.max
_TOO_DEEP = "this is nested deeper than any report"


@dataclass(frozen=True)
@by_value
class Report:
    """Comparisons and crashes, and where they come from.

    Attributes
    ----------
    comparisons : tuple of Comparison
        All that were made; none is left out.
    statements : mapping of str to str
        What each check tests.
    seed_root : int
        Root of all random streams.
    effort : str
        ``"quick"`` or ``"full"``.
    environment : mapping
        Versions, CPU count, seconds.
    created : str
        Time of creation, ISO 8601.
    crashes : tuple of Crash
        Checks that could not go on.
    seconds : mapping of str to (float, float)
        Seconds of work and of compilation for each check; empty if the report was read from JSON, which leaves them out.
    """

    comparisons: tuple[Comparison, ...]
    statements: Mapping[str, str]
    seed_root: int
    effort: str
    environment: Mapping[str, Any]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    crashes: tuple[Crash, ...] = ()
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return line(f"<Report of {self.effort} effort: {self.summary_line()}>")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Comparisons and crashes as they are shown: a crash behind what its check compared, else in alphabetical order."""
        found: list[Entry] = list(self.comparisons)
        for crash in self.crashes:
            own = [place for place, entry in enumerate(found, 1) if entry.check == crash.check]
            later = [place for place, entry in enumerate(found) if entry.check > crash.check]
            found.insert(own[-1] if own else later[0] if later else len(found), crash)
        return tuple(found)

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the declared one, and no check crashed."""
        return all(entry.as_expected for entry in self.entries)

    def succeeded(self, *, strict: bool = False) -> bool:
        """Return whether the run counts as a success, which is what the exit code of ``scalinglaws verify`` says.

        Parameters
        ----------
        strict : bool
            Count a comparison that decided nothing, where something else was expected, as a failure.

        Returns
        -------
        bool
            True if no verdict contradicts its expectation and no check crashed. A comparison that decided nothing
            contradicts nothing: it is listed as not expected, and fails the run only if `strict`.
        """
        flag("strict", strict)
        return all(entry.as_expected or (entry.undecided and not strict) for entry in self.entries)

    @property
    def known_disagreements(self) -> tuple[Entry, ...]:
        """Entries for which a documented verdict other than a pass is declared."""
        return tuple(entry for entry in self.entries if entry.expect != PASS)

    @property
    def summary(self) -> dict[str, int]:
        """How many entries have each verdict; unexpected and non-discriminating ones are counted again."""
        entries = self.entries
        counts = {
            verdict: sum(entry.verdict == verdict for entry in entries) for verdict in VERDICTS
        }
        counts["unexpected"] = sum(not entry.as_expected for entry in entries)
        counts["non_discriminating"] = sum(not made.discriminating for made in self.comparisons)
        return counts

    @property
    def families(self) -> tuple[Family, ...]:
        """Numbers with standard errors, judged together: simulations by theory, published ones by check."""
        groups: dict[str, list[Comparison]] = {}
        for comparison in self.comparisons:
            outcome = comparison.outcome
            if (
                outcome.p_equivalence is None or outcome.worst is not None
            ):  # curves have other units
                continue
            check = comparison.check
            theory = check.split(".")[0]
            name = (
                f"{check}, published"
                if comparison.evidence == "literature"
                else f"{theory}, simulated"
            )
            groups.setdefault(name, []).append(comparison)
        return tuple(family(name, members) for name, members in groups.items() if len(members) > 1)

    def summary_line(self) -> str:
        """Return the summary in one sentence."""
        counts = self.summary
        parts = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]] or [
            "nothing compared"
        ]
        published = sum(comparison.evidence == "literature" for comparison in self.comparisons)
        parts += (
            [f"{published} of them of published numbers alone, no evidence for this code"]
            if published
            else []
        )
        parts += (
            [f"{counts['non_discriminating']} without power to reject their rival"]
            if counts["non_discriminating"]
            else []
        )
        ending = (
            "every verdict as expected"
            if self.as_expected
            else f"{counts['unexpected']} NOT AS EXPECTED"
        )
        head = f"{len(self.comparisons)} comparisons"
        if self.crashes:
            head += f" and {len(self.crashes)} crashes"
        return f"{head}: {', '.join(parts)}; {ending}"

    def provenance_line(self) -> str:
        """Return what is needed to repeat the run, in one line."""
        e = self.environment
        versions = ", ".join(f"{name} {e[name]}" for name in ("python", "numpy", "scipy", "numba"))
        time = duration(e.get("wall_s", 0.0))
        if "run_s" in e:
            time += f" (run {duration(e['run_s'])}, compile {duration(e['compile_s'])})"
        return f"seed {self.seed_root}, {self.effort} effort, {time}, scalinglaws {e['version']}, {versions}"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table below `HEADER`, one row per comparison or crash."""
        return [
            _crash_row(entry) if isinstance(entry, Crash) else _row(entry) for entry in self.entries
        ]

    def blocks(self) -> list[Block]:
        """Return the whole report as tables and paragraphs."""
        found: list[Block] = []
        if self.statements:
            found.append(Table(("check", "statement"), list(self.statements.items())))
        found.append(Table(HEADER, self.rows()))
        if self.families:
            found.append(Table(_FAMILY_HEADER, [_family_row(entry) for entry in self.families]))
        if self.known_disagreements:
            found.append(
                Table(
                    _DISAGREEMENT_HEADER,
                    [_disagreement_row(entry) for entry in self.known_disagreements],
                )
            )
        if notes := self.notes():
            found.append("\n".join(notes))
        return [*found, f"{self.summary_line()}\n{self.provenance_line()}"]

    def to_text(self) -> str:
        """Return the report as plain text."""
        return as_text(self.blocks())

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        return as_markdown([f"{self.title}, {self.created}", *self.blocks()])

    def notes(self) -> list[str]:
        """Return remarks, exclusions and tracebacks."""
        found = []
        for entry in self.entries:
            if isinstance(entry, Crash):
                found.append(f"{entry.check} crashed: {entry.error}")
                continue
            found += [f"{entry.id}: {note}" for note in entry.notes]
            if entry.excluded:
                found.append(
                    f"{entry.id}: {entry.excluded} points outside the theory's domain, not judged"
                )
        return found

    def to_html(self) -> str:
        """Return the report as one self-contained page, with a picture of every curve.

        Examples
        --------
        >>> from scalinglaws import verify
        >>> page = verify.run(["linear.data.saturated"]).to_html()
        >>> page[:15], page.count("<svg"), "http" in page
        ('<!DOCTYPE html>', 1, False)
        """
        from .page.document import report_page  # loads Jinja, which tables and JSON do not need

        return report_page(
            self.entries,
            title=self.title,
            statements=self.statements,
            families=self.families,
            summary=self.summary,
            provenance={
                "seed root": self.seed_root,
                "effort": self.effort,
                "created": self.created,
                **self.environment,
            },
        )

    def _repr_html_(self) -> str:
        from .page.document import report_summary  # as for the whole page

        return report_summary(self.entries, summary=self.summary, provenance=self.provenance_line())

    @property
    def title(self) -> str:
        """What was run."""
        return f"scalinglaws verify, {self.effort} effort"

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the form of its JSON schema, version 2: numbers finite, null, or the string ``"inf"``."""
        return {
            "schema": SCHEMA,
            "created": self.created,
            "title": self.title,
            "seed_root": self.seed_root,
            "environment": jsonable(dict(self.environment)),
            "comparisons": [comparison_to_dict(comparison) for comparison in self.comparisons],
            "crashes": [crash_to_dict(crash) for crash in self.crashes],
            "families": [family_to_dict(entry) for entry in self.families],
            "summary": self.summary,
        }

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Any, statements: Mapping[str, str] | None = None) -> Self:
        """Read a report back.

        Parameters
        ----------
        data : mapping
            As returned by `to_dict`, by this version or by one that wrote version 1 of the schema.
        statements : mapping of str to str, optional
            What each check tests, which the schema leaves out.

        Returns
        -------
        Report
            Whose `to_dict` returns `data` again, in version 2.

        Raises
        ------
        DataError
            If a key is missing or unknown, a value is of the wrong type, the schema has another version, or a verdict or
            count does not follow from the numbers.
        """
        comparisons, crashes = entries_from_dict(data)
        check_keys("environment", data["environment"], ENVIRONMENT_KEYS, ENVIRONMENT_EXTRAS)
        for name in ("wall_s", "run_s", "compile_s"):
            with located("environment"):
                number(name, data["environment"].get(name, 0.0), low=0)
        titled = re.fullmatch("scalinglaws verify, (quick|full) effort", str(data["title"]))
        if titled is None:
            raise DataError(
                f"title = {data['title']!r} must be 'scalinglaws verify, quick effort' or 'scalinglaws verify, full effort'"
            )
        if isinstance(data["seed_root"], bool) or not isinstance(data["seed_root"], int):
            raise DataError("seed_root must be a whole number")
        found = cls(
            comparisons,
            dict(statements or {}),
            data["seed_root"],
            titled[1],
            dict(data["environment"]),
            str(data["created"]),
            crashes,
        )
        if data["summary"] != found.summary:
            raise DataError(
                f"summary = {data['summary']} does not count the comparisons and crashes, which give {found.summary}"
            )
        with located("families"):
            follow = [(entry.name, entry.members) for entry in found.families]
            if [(entry["name"], tuple(entry["members"])) for entry in data["families"]] != follow:
                raise DataError("families do not follow from the comparisons")
        with located("what the report shows"):
            found.rows()
            found.to_dict()
        return found

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a report from JSON text, as `from_dict` does."""
        if len(text) > LARGEST:
            raise DataError(f"this is longer than any report: more than {LARGEST:.0e} characters")
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
        except RecursionError:
            raise DataError(_TOO_DEEP) from None
        except DataError:
            raise
        except ValueError as failure:  # numbers of too many digits, too
            raise DataError(f"this is not JSON: {failure}") from failure
        _check_tree(data)
        return cls.from_dict(data)


def _check_tree(data: Any) -> None:
    """Refuse what is nested deeper than a report, numbers that are not finite, and text that cannot be written."""
    level = [data]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for entry in level:
            if isinstance(entry, dict):
                below += [*entry.keys(), *entry.values()]
            elif isinstance(entry, list):
                below += entry
            elif isinstance(entry, str) and not entry.isascii():
                try:
                    entry.encode()
                except UnicodeEncodeError as failure:
                    raise DataError(f"this is not text: {failure}") from None
            elif isinstance(entry, (int, float)) and not -_MOST <= entry <= _MOST:
                _refuse_constant("a number beyond 1.8e308")
        level = below
    if level:
        raise DataError(_TOO_DEEP)


def _refuse_constant(name: str) -> Any:
    raise DataError(f'{name} is not allowed: numbers are finite, null, or the string "inf"')


def _row(comparison: Comparison) -> tuple[str, ...]:
    outcome, predicted, measured = comparison.outcome, comparison.prediction, comparison.measurement
    verdict = (
        outcome.verdict
        if comparison.as_expected
        else f"{outcome.verdict} (expected {comparison.expect})"
    )
    if outcome.worst is None:
        prediction = short(float(predicted.value))
        result = uncertain(float(measured.value), float(measured.se))
        tolerance = f"{comparison.tolerance:.3g}" + (
            " rel." if comparison.tolerance_kind == "relative" else ""
        )
    else:
        prediction = f"{np.size(predicted.value)} points"
        spread = float(
            np.broadcast_to(measured.se, np.shape(measured.value))[outcome.worst]
            / np.abs(np.asarray(predicted.value)[outcome.worst])
        )
        digits = max(
            1, 1 - math.floor(math.log10(100 * comparison.tolerance))
        )  # a tenth of the tolerance can be read
        result = f"{outcome.difference:+.{digits}%} +- {spread:.{digits}%} at worst"
        tolerance = f"{100 * comparison.tolerance:.3g}%"
    rival = ""
    if comparison.rival is not None:
        shown = (
            short(float(comparison.rival.value))
            if np.ndim(comparison.rival.value) == 0
            else comparison.rival.name
        )
        rival = f"{shown}: {'rejected' if comparison.discriminating else f'NOT rejected ({comparison.rival_verdict})'}"
    window = "..".join(short(end) for end in measured.window)
    return (
        comparison.id,
        prediction,
        result,
        tolerance,
        verdict,
        rival,
        str(measured.n_rep),
        window,
    )


def _crash_row(crash: Crash) -> tuple[str, ...]:
    return (crash.check, "", "", "", f"{ERROR} (!)", "", "", "")


def _family_row(entry: Family) -> tuple[str, ...]:
    return (
        entry.name,
        str(len(entry.members)),
        f"{entry.chi2:.1f}, p = {entry.p:.2g}",
        uncertain(*entry.bias),
        ", ".join(entry.failures) or "none",
        ", ".join(entry.detectable) or "none",
    )


def _disagreement_row(entry: Entry) -> tuple[str, ...]:
    found = entry.verdict if entry.as_expected else f"{entry.verdict} (!)"
    return (entry.id, entry.expect, found, entry.expect_reason or "")
