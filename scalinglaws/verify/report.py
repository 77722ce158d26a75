"""What a run found, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .. import __version__
from ..results import jsonable
from .comparison import ERROR, Comparison, Measurement, quantile
from .families import Family, family

SCHEMA = 1
VERDICTS = ("pass", "fail", "inconclusive", "underpowered", "error")
FAMILY_HEADER = ("family", "members", "chi-square", "common difference", "failures that stand", "detectable differences")
HEADER = ("comparison", "theory", "measured", "tol.", "verdict", "rival", "runs", "window")


def environment(wall_s: float | None = None) -> dict[str, Any]:
    """Describe the software and the machine: versions, CPU count and, for a run, the seconds it took."""

    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    found: dict[str, Any] = {"package": "scalinglaws", "version": __version__, "python": platform.python_version()}
    found |= {name: installed(name) for name in ("numpy", "scipy", "numba", "sympy")}
    found["cpu"] = os.cpu_count()
    if wall_s is not None:
        found["wall_s"] = wall_s
    return found


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
    """

    comparisons: tuple[Comparison, ...]
    statements: Mapping[str, str]
    seed_root: int
    effort: str
    environment: Mapping[str, Any]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the declared one; the exit code of ``scalinglaws verify`` is 0 iff so."""
        return all(comparison.as_expected for comparison in self.comparisons)

    @property
    def summary(self) -> dict[str, int]:
        """How many comparisons got each verdict; unexpected and non-discriminating ones are counted again."""
        counts = {verdict: sum(comparison.verdict == verdict for comparison in self.comparisons) for verdict in VERDICTS}
        counts["unexpected"] = sum(not comparison.as_expected for comparison in self.comparisons)
        counts["non_discriminating"] = sum(not comparison.discriminating for comparison in self.comparisons if comparison.verdict != ERROR)
        return counts

    @property
    def families(self) -> tuple[Family, ...]:
        """Numbers with standard errors, judged together: simulations by theory, published ones by check."""
        groups: dict[str, list[Comparison]] = {}
        for comparison in self.comparisons:
            outcome = comparison.outcome
            if outcome is None or outcome.p_equivalence is None or outcome.worst is not None:  # curves have other units
                continue
            theory, check = comparison.id.split(".")[0], comparison.id.split("/")[0]
            name = f"{check}, published" if comparison.evidence == "literature" else f"{theory}, simulated"
            groups.setdefault(name, []).append(comparison)
        return tuple(family(name, members) for name, members in groups.items() if len(members) > 1)

    def family_rows(self) -> list[tuple[str, ...]]:
        """Return the table below `FAMILY_HEADER`, one row per family."""
        return [
            (
                entry.name,
                str(len(entry.members)),
                f"{entry.chi2:.1f}, p = {entry.p:.2g}",
                f"{entry.bias[0]:+.4f} +- {entry.bias[1]:.1g}",
                ", ".join(entry.failures) or "none",
                ", ".join(entry.detectable) or "none",
            )
            for entry in self.families
        ]

    def summary_line(self) -> str:
        """Return the summary in one sentence."""
        counts = self.summary
        parts = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]] or ["nothing compared"]
        parts += [f"{counts['non_discriminating']} without power to reject their rival"] if counts["non_discriminating"] else []
        ending = "every verdict as expected" if self.as_expected else f"{counts['unexpected']} NOT AS EXPECTED"
        return f"{len(self.comparisons)} comparisons: {', '.join(parts)}; {ending}"

    def provenance_line(self) -> str:
        """Return what is needed to repeat the run, in one line."""
        e = self.environment
        versions = ", ".join(f"{name} {e[name]}" for name in ("python", "numpy", "scipy", "numba"))
        return f"seed {self.seed_root}, {self.effort} effort, {e.get('wall_s', 0.0):.1f} s, scalinglaws {e['version']}, {versions}"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table below `HEADER`, one row per comparison."""
        return [_row(comparison) for comparison in self.comparisons]

    def notes(self) -> list[str]:
        """Return remarks, tracebacks and the reasons of known disagreements."""
        found = []
        for comparison in self.comparisons:
            found += [f"{comparison.id}: {note}" for note in comparison.notes]
            if comparison.error:
                found.append(f"{comparison.id} crashed: {comparison.error}")
            if comparison.expect_reason:
                found.append(f"{comparison.id}: expected verdict {comparison.expect}: {comparison.expect_reason}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the form of its JSON schema, version 1: numbers finite, null, or the string ``"inf"``."""
        return {
            "schema": SCHEMA,
            "created": self.created,
            "title": f"scalinglaws verify, {self.effort} effort",
            "seed_root": self.seed_root,
            "environment": dict(self.environment),
            "comparisons": [_comparison_dict(comparison) for comparison in self.comparisons],
            "families": [_family_dict(entry) for entry in self.families],
            "summary": self.summary,
        }

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def _row(comparison: Comparison) -> tuple[str, ...]:
    outcome, predicted, measured = comparison.outcome, comparison.prediction, comparison.measurement
    if outcome is None or predicted is None or measured is None:
        return (comparison.id, "", "", "", ERROR + ("" if comparison.as_expected else " (!)"), "", "", "")
    verdict = outcome.verdict if comparison.as_expected else f"{outcome.verdict} (expected {comparison.expect})"
    if outcome.worst is None:
        prediction = _short(float(predicted.value))
        result = f"{float(measured.value):.4f} +- {float(measured.se):.1g}"
        tolerance = f"{comparison.tolerance:.3g}" + (" rel." if comparison.tolerance_kind == "relative" else "")
    else:
        prediction = f"{np.size(predicted.value)} points"
        spread = float(np.asarray(measured.se)[outcome.worst] / np.abs(np.asarray(predicted.value)[outcome.worst]))
        result = f"{outcome.difference:+.1%} +- {spread:.1%} at worst"
        tolerance = f"{comparison.tolerance:.0%}"
    rival = ""
    if comparison.rival is not None:
        shown = _short(float(comparison.rival.value)) if np.ndim(comparison.rival.value) == 0 else comparison.rival.name
        rival = f"{shown}: {'rejected' if comparison.discriminating else f'NOT rejected ({comparison.rival_verdict})'}"
    window = "..".join(_short(end) for end in measured.window)
    return (comparison.id, prediction, result, tolerance, verdict, rival, str(measured.n_rep), window)


def _short(value: float) -> str:
    """Write a number in few characters."""
    return f"{value:.4g}" if abs(value) < 1e5 else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")


def _interval(measured: Measurement) -> tuple[Any, Any]:
    """Return the two-sided 95 % interval of a measurement, or its error bounds."""
    reach = np.asarray(measured.se) * (1.0 if measured.deterministic else quantile(0.975, measured.df))
    return measured.value - reach, measured.value + reach


def _comparison_dict(comparison: Comparison) -> dict[str, Any]:
    predicted, measured, outcome = comparison.prediction, comparison.measurement, comparison.outcome
    found: dict[str, Any] = {"id": comparison.id, "kind": predicted.kind if predicted else None}
    if predicted is not None:
        found["prediction"] = {
            "value": jsonable(predicted.value),
            "se": predicted.se,
            "x": jsonable(predicted.x),
            "source": predicted.source,
            "domain": {name: jsonable(limits) for name, limits in predicted.domain.items()},
        }
    if measured is not None and outcome is not None:
        found["measurement"] = {
            "value": jsonable(measured.value),
            "se": jsonable(measured.se),
            "ci": jsonable(_interval(measured)),
            "level": 0.95,
            "df": measured.df,
            "n_rep": measured.n_rep,
            "method": measured.method,
            "window": jsonable(measured.window),
            "x": jsonable(predicted.x if predicted else None),
            "systematic": measured.systematic,
        }
        found["effect"] = jsonable(
            {
                "d": outcome.difference,
                "ci": outcome.interval,
                "z": outcome.z,
                "p_difference": outcome.p_difference,
                "p_equivalence": outcome.p_equivalence,
                "power": outcome.power,
            }
        )
    rival = comparison.rival
    found |= {
        "tol": comparison.tolerance,
        "tol_kind": comparison.tolerance_kind,
        "verdict": comparison.verdict,
        "expect": comparison.expect,
        "expect_reason": comparison.expect_reason,
        "kind_of_evidence": comparison.evidence,
        "rival": None
        if rival is None
        else {
            "name": rival.name,
            "value": jsonable(rival.value),
            "verdict": comparison.rival_verdict,
            "discriminating": comparison.discriminating,
        },
        "excluded": comparison.excluded,
        "warnings": [*comparison.notes, *([comparison.error] if comparison.error else [])],
        "wall_s": comparison.wall_s,
    }
    return found


def _family_dict(entry: Family) -> dict[str, Any]:
    found: dict[str, Any] = jsonable(
        {
            "name": entry.name,
            "members": list(entry.members),
            "chi2": entry.chi2,
            "df": entry.df,
            "p": entry.p,
            "holm": list(entry.holm),
            "bias": list(entry.bias),
        }
    )
    return found
