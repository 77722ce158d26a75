"""What a run found, as a table for people and as JSON for machines."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import __version__
from ..errors import DataError
from ..results import jsonable
from ..tables import Block, Table, as_markdown, as_text
from .comparison import ERROR, PASS, VERDICTS, Comparison
from .families import Family, family
from .schema import (
    ENVIRONMENT_EXTRAS,
    ENVIRONMENT_KEYS,
    REPORT_KEYS,
    SCHEMA,
    check_keys,
    comparison_from_dict,
    comparison_to_dict,
    family_to_dict,
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


@cache
def source_digest() -> str:
    """Return a digest of the package's own sources: what a result was computed with, to the letter."""
    root = Path(__file__).resolve().parents[1]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def environment(wall_s: float | None = None, **seconds: float) -> dict[str, Any]:
    """Describe the software and the machine: versions, CPU count and, for a run, the seconds it took.

    Parameters
    ----------
    wall_s : float, optional
        Seconds from the beginning of a run to its end.
    **seconds : float
        ``run_s`` and ``compile_s``: seconds of work and of compilation, summed over all processes.

    Returns
    -------
    dict
        Plain values.
    """

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    found: dict[str, Any] = {
        "package": "scalinglaws",
        "version": __version__,
        "python": platform.python_version(),
    }
    found |= {name: installed(name) for name in ("numpy", "scipy", "numba", "sympy")}
    found |= {
        "cpu": os.cpu_count(),
        "platform": platform.platform(terse=True),
        "precision": "float64",
        "source": source_digest(),
    }
    if wall_s is not None:
        found["wall_s"] = wall_s
    return found | seconds


@dataclass(frozen=True)
class Report:
    """Comparisons, and where they come from.

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
    seconds : mapping of str to (float, float)
        Seconds of work and of compilation for each check; empty if the report was read from JSON, which leaves them out.
    """

    comparisons: tuple[Comparison, ...]
    statements: Mapping[str, str]
    seed_root: int
    effort: str
    environment: Mapping[str, Any]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the declared one."""
        return all(comparison.as_expected for comparison in self.comparisons)

    def succeeded(self, *, strict: bool = False) -> bool:
        """Return whether the run counts as a success, which is what the exit code of ``scalinglaws verify`` says.

        Parameters
        ----------
        strict : bool
            Count a comparison that decided nothing, where something else was expected, as a failure.

        Returns
        -------
        bool
            True if no verdict contradicts its expectation. A comparison that decided nothing contradicts nothing: it is
            listed as not expected, and fails the run only if `strict`.
        """
        return all(
            comparison.as_expected or (comparison.undecided and not strict)
            for comparison in self.comparisons
        )

    @property
    def known_disagreements(self) -> tuple[Comparison, ...]:
        """Comparisons for which a documented verdict other than a pass is declared."""
        return tuple(comparison for comparison in self.comparisons if comparison.expect != PASS)

    @property
    def summary(self) -> dict[str, int]:
        """How many comparisons got each verdict; unexpected and non-discriminating ones are counted again."""
        counts = {
            verdict: sum(comparison.verdict == verdict for comparison in self.comparisons)
            for verdict in VERDICTS
        }
        counts["unexpected"] = sum(not comparison.as_expected for comparison in self.comparisons)
        counts["non_discriminating"] = sum(
            not comparison.discriminating
            for comparison in self.comparisons
            if comparison.verdict != ERROR
        )
        return counts

    @property
    def families(self) -> tuple[Family, ...]:
        """Numbers with standard errors, judged together: simulations by theory, published ones by check."""
        groups: dict[str, list[Comparison]] = {}
        for comparison in self.comparisons:
            outcome = comparison.outcome
            if (
                outcome is None or outcome.p_equivalence is None or outcome.worst is not None
            ):  # curves have other units
                continue
            check = comparison.id.split("/")[0]
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
        return f"{len(self.comparisons)} comparisons: {', '.join(parts)}; {ending}"

    def provenance_line(self) -> str:
        """Return what is needed to repeat the run, in one line."""
        e = self.environment
        versions = ", ".join(f"{name} {e[name]}" for name in ("python", "numpy", "scipy", "numba"))
        time = f"{e.get('wall_s', 0.0):.1f} s"
        if "run_s" in e:
            time += f" (run {e['run_s']:.1f} s, compile {e['compile_s']:.1f} s)"
        return f"seed {self.seed_root}, {self.effort} effort, {time}, scalinglaws {e['version']}, {versions}"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table below `HEADER`, one row per comparison."""
        return [_row(comparison) for comparison in self.comparisons]

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
        for comparison in self.comparisons:
            found += [f"{comparison.id}: {note}" for note in comparison.notes]
            if comparison.excluded:
                found.append(
                    f"{comparison.id}: {comparison.excluded} points outside the theory's domain, not judged"
                )
            if comparison.error:
                found.append(f"{comparison.id} crashed: {comparison.error}")
        return found

    def to_html(self) -> str:
        """Return the report as one self-contained page, with a picture of every curve."""
        from .page.document import report_page

        return report_page(self)

    @property
    def title(self) -> str:
        """What was run."""
        return f"scalinglaws verify, {self.effort} effort"

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the form of its JSON schema, version 1: numbers finite, null, or the string ``"inf"``."""
        return {
            "schema": SCHEMA,
            "created": self.created,
            "title": self.title,
            "seed_root": self.seed_root,
            "environment": jsonable(dict(self.environment)),
            "comparisons": [comparison_to_dict(comparison) for comparison in self.comparisons],
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
            As returned by `to_dict`.
        statements : mapping of str to str, optional
            What each check tests, which the schema leaves out.

        Returns
        -------
        Report
            Whose `to_dict` returns `data` again.

        Raises
        ------
        DataError
            If a key is missing or unknown, a value is of the wrong type, the schema has another version, or a verdict or
            count does not follow from the numbers.
        """
        check_keys("report", data, REPORT_KEYS)
        if data["schema"] != SCHEMA:
            raise DataError(f"schema = {data['schema']!r}: this version reads {SCHEMA}")
        check_keys("environment", data["environment"], ENVIRONMENT_KEYS, ENVIRONMENT_EXTRAS)
        titled = re.fullmatch("scalinglaws verify, (quick|full) effort", str(data["title"]))
        if titled is None:
            raise DataError(
                f"title = {data['title']!r} must be 'scalinglaws verify, quick effort' or 'scalinglaws verify, full effort'"
            )
        if (
            isinstance(data["seed_root"], bool)
            or not isinstance(data["seed_root"], int)
            or not isinstance(data["comparisons"], list)
        ):
            raise DataError("seed_root must be a whole number and comparisons a list")
        comparisons = tuple(
            comparison_from_dict(entry, row) for row, entry in enumerate(data["comparisons"])
        )
        found = cls(
            comparisons,
            dict(statements or {}),
            data["seed_root"],
            titled[1],
            dict(data["environment"]),
            str(data["created"]),
        )
        if data["summary"] != found.summary:
            raise DataError(
                f"summary = {data['summary']} does not count the comparisons, which give {found.summary}"
            )
        if [(entry["name"], tuple(entry["members"])) for entry in data["families"]] != [
            (e.name, e.members) for e in found.families
        ]:
            raise DataError("families do not follow from the comparisons")
        return found

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a report from JSON text, as `from_dict` does."""
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
        except json.JSONDecodeError as failure:
            raise DataError(f"this is not JSON: {failure}") from failure
        return cls.from_dict(data)


def _refuse_constant(name: str) -> Any:
    raise DataError(f'{name} is not allowed: numbers are finite, null, or the string "inf"')


def _row(comparison: Comparison) -> tuple[str, ...]:
    outcome, predicted, measured = comparison.outcome, comparison.prediction, comparison.measurement
    if outcome is None or predicted is None or measured is None:
        return (
            comparison.id,
            "",
            "",
            "",
            ERROR + ("" if comparison.as_expected else " (!)"),
            "",
            "",
            "",
        )
    verdict = (
        outcome.verdict
        if comparison.as_expected
        else f"{outcome.verdict} (expected {comparison.expect})"
    )
    if outcome.worst is None:
        prediction = _short(float(predicted.value))
        result = f"{float(measured.value):.4f} +- {float(measured.se):.1g}"
        tolerance = f"{comparison.tolerance:.3g}" + (
            " rel." if comparison.tolerance_kind == "relative" else ""
        )
    else:
        prediction = f"{np.size(predicted.value)} points"
        spread = float(
            np.asarray(measured.se)[outcome.worst]
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
            _short(float(comparison.rival.value))
            if np.ndim(comparison.rival.value) == 0
            else comparison.rival.name
        )
        rival = f"{shown}: {'rejected' if comparison.discriminating else f'NOT rejected ({comparison.rival_verdict})'}"
    window = "..".join(_short(end) for end in measured.window)
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


def _family_row(entry: Family) -> tuple[str, ...]:
    return (
        entry.name,
        str(len(entry.members)),
        f"{entry.chi2:.1f}, p = {entry.p:.2g}",
        f"{entry.bias[0]:+.4f} +- {entry.bias[1]:.1g}",
        ", ".join(entry.failures) or "none",
        ", ".join(entry.detectable) or "none",
    )


def _disagreement_row(comparison: Comparison) -> tuple[str, ...]:
    found = comparison.verdict if comparison.as_expected else f"{comparison.verdict} (!)"
    return (comparison.id, comparison.expect, found, comparison.expect_reason or "")


def _short(value: float) -> str:
    """Write a number in few characters."""
    return (
        f"{value:.4g}"
        if abs(value) < 1e5
        else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    )
