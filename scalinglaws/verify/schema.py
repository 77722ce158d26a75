"""Reports as JSON, schema version 2, and back: exactly, or not at all.

Numbers are finite, null, or the string ``"inf"``; unknown keys are refused. Version 1 is still read: it had no list of crashes,
but comparisons with the verdict ``"error"``, without sides, whose last warning was the error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..results import jsonable
from .comparison import EVIDENCE, KINDS, Comparison, Crash, Measurement, Prediction, Rival
from .families import Family
from .rule import ERROR, UNDERPOWERED, VERDICTS, Outcome, quantile

SCHEMA = 2

_REPORT_KEYS = (
    "schema",
    "created",
    "title",
    "seed_root",
    "environment",
    "comparisons",
    "families",
    "summary",
)
ENVIRONMENT_KEYS = ("package", "version", "python", "numpy", "scipy", "numba", "cpu")
ENVIRONMENT_EXTRAS = (
    "sympy",
    "platform",
    "precision",
    "source",
    "revision",
    "effort",
    "wall_s",
    "run_s",
    "compile_s",
)
_COMPARISON_KEYS = (
    "id", "kind", "prediction", "measurement", "tol", "tol_kind", "effect", "verdict", "expect", "expect_reason", "kind_of_evidence",
    "rival", "excluded", "warnings", "wall_s",
)  # fmt: skip
_PREDICTION_KEYS = ("value", "se", "x", "source", "domain")
_MEASUREMENT_KEYS = (
    "value",
    "se",
    "ci",
    "level",
    "df",
    "n_rep",
    "method",
    "window",
    "x",
    "systematic",
)
_EFFECT_KEYS = ("d", "ci", "z", "p_difference", "p_equivalence", "power")
_RIVAL_KEYS = ("name", "value", "verdict", "discriminating")
_CRASH_KEYS = ("check", "error", "expect", "expect_reason", "wall_s")


def interval(measured: Measurement) -> tuple[Any, Any]:
    """Return the two-sided 95 % interval of a measurement, or its error bounds."""
    reach = np.asarray(measured.se) * (
        1.0 if measured.deterministic else quantile(0.975, measured.df)
    )
    return measured.value - reach, measured.value + reach


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison in the form of the schema."""
    predicted, measured, outcome, rival = (
        comparison.prediction,
        comparison.measurement,
        comparison.outcome,
        comparison.rival,
    )
    statistics = (outcome.z, outcome.p_difference, outcome.p_equivalence, outcome.power)
    found = {
        "id": comparison.id,
        "kind": predicted.kind,
        "prediction": {
            "value": predicted.value,
            "se": predicted.se,
            "x": predicted.x,
            "source": predicted.source,
            "domain": dict(predicted.domain),
        },
        "measurement": {
            "value": measured.value,
            "se": measured.se,
            "ci": interval(measured),
            "level": 0.95,
            "df": measured.df,
            "n_rep": measured.n_rep,
            "method": measured.method,
            "window": measured.window,
            "x": predicted.x,
            "systematic": measured.systematic,
        },
        "tol": comparison.tolerance,
        "tol_kind": comparison.tolerance_kind,
        "effect": dict(
            zip(_EFFECT_KEYS, (outcome.difference, outcome.interval, *statistics), strict=True)
        ),
        "verdict": comparison.verdict,
        "expect": comparison.expect,
        "expect_reason": comparison.expect_reason,
        "kind_of_evidence": comparison.evidence,
        "rival": None
        if rival is None
        else {
            "name": rival.name,
            "value": rival.value,
            "verdict": comparison.rival_verdict,
            "discriminating": comparison.discriminating,
        },
        "excluded": comparison.excluded,
        "warnings": comparison.notes,
        "wall_s": comparison.wall_s,
    }
    plain: dict[str, Any] = jsonable(found)
    return plain


def comparison_from_dict(data: Any, row: int | None = None) -> Comparison:
    """Read a comparison, apply the rule to it again, and refuse it if the verdict does not follow from its numbers.

    Parameters
    ----------
    data : mapping
        As written by `comparison_to_dict`.
    row : int, optional
        Its place in the report, for messages.

    Returns
    -------
    Comparison
        Equal to the one written, except for what the schema leaves out: the prediction's name is the comparison's id.

    Raises
    ------
    DataError
        If a key is missing or unknown, a value has another type, or the verdict is not the rule's.
    """
    place = "comparison" if row is None else f"comparisons[{row}]"
    check_keys(place, data, _COMPARISON_KEYS, row=row)
    with located(f"{place} ({data['id']})", row):
        found = _comparison(data, place)
    if found.verdict != data["verdict"] or found.rival_verdict != (data["rival"] or {}).get(
        "verdict"
    ):
        raise DataError(
            f"{place} ({found.id}): its numbers give the verdict {found.verdict!r} (rival: {found.rival_verdict!r}), "
            f"and {data['verdict']!r} is written",
            row=row,
        )
    return found


def _comparison(data: Mapping[str, Any], place: str) -> Comparison:
    rival = None
    if (
        data["verdict"] not in VERDICTS
        or data["verdict"] == ERROR
        or data["kind_of_evidence"] not in EVIDENCE
        or data["kind"] not in KINDS
    ):
        raise DataError(
            f"{place}: unknown verdict {data['verdict']!r}, kind {data['kind']!r} or evidence {data['kind_of_evidence']!r}"
        )
    p, m, e = data["prediction"], data["measurement"], data["effect"]
    check_keys(f"{place}.prediction", p, _PREDICTION_KEYS)
    check_keys(f"{place}.measurement", m, _MEASUREMENT_KEYS)
    check_keys(f"{place}.effect", e, _EFFECT_KEYS)
    domain = {str(name): (_number(low), _number(high)) for name, (low, high) in p["domain"].items()}
    x = None if p["x"] is None else np.array([_number(entry) for entry in p["x"]])
    predicted = Prediction(
        str(data["id"]),
        data["kind"],
        _values(p["value"]),
        str(p["source"]),
        float(p["se"]),
        x=x,
        domain=domain,
    )
    start, end = m["window"]
    measured = Measurement(
        _values(m["value"]),
        _values(m["se"]),
        None if m["df"] is None else _as_written(m["df"]),
        int(m["n_rep"]),
        str(m["method"]),
        (_number(start), _number(end)),
        systematic=_number(m["systematic"]),
        deterministic=e["z"] is None,
        underpowered=data["verdict"] == UNDERPOWERED,
    )
    if data["rival"] is not None:
        check_keys(f"{place}.rival", data["rival"], _RIVAL_KEYS)
        rival = Rival(str(data["rival"]["name"]), _values(data["rival"]["value"]))
    found = Comparison(
        str(data["id"]),
        predicted,
        measured,
        _number(data["tol"]),
        tolerance_kind=str(data["tol_kind"]),
        rival=rival,
        expect=str(data["expect"]),
        expect_reason=_reason(data["expect_reason"]),
        evidence=str(data["kind_of_evidence"]),
        notes=tuple(map(str, data["warnings"])),
        excluded=int(data["excluded"]),
        wall_s=_number(data["wall_s"]),
    )
    # the prediction's degrees of freedom are not written down: where they matter, the written statistics stand
    found.__dict__["outcome"] = _as_judged(
        found.outcome, data["effect"], data["verdict"] if found.prediction.se else None
    )
    return found


def _as_judged(outcome: Outcome, effect: Mapping[str, Any], verdict: str | None) -> Outcome:
    """Return the outcome with the statistics that were written down: another SciPy may change their last digits."""
    low, high = effect["ci"]
    z, p_difference, p_equivalence, power = (
        None if effect[name] is None else float(effect[name])
        for name in ("z", "p_difference", "p_equivalence", "power")
    )
    return replace(
        outcome,
        verdict=outcome.verdict if verdict is None else verdict,
        difference=float(effect["d"]),
        interval=(float(low), float(high)),
        z=z,
        p_difference=p_difference,
        p_equivalence=p_equivalence,
        power=power,
    )


def crash_to_dict(crash: Crash) -> dict[str, Any]:
    """Return a crash in the form of the schema."""
    found: dict[str, Any] = jsonable({name: getattr(crash, name) for name in _CRASH_KEYS})
    return found


def _crash(data: Any, row: int) -> Crash:
    check_keys(f"crashes[{row}]", data, _CRASH_KEYS, row=row)
    with located(f"crashes[{row}] ({data['check']})", row):
        return Crash(
            str(data["check"]),
            str(data["error"]),
            str(data["expect"]),
            _reason(data["expect_reason"]),
            _number(data["wall_s"]),
        )


def _crash_of_version_1(data: Any, row: int) -> Crash:
    check_keys(f"comparisons[{row}]", data, _COMPARISON_KEYS, row=row)
    with located(f"comparisons[{row}] ({data['id']})", row):
        return Crash(
            str(data["id"]),
            "\n".join(map(str, data["warnings"])) or "no message",
            str(data["expect"]),
            _reason(data["expect_reason"]),
            _number(data["wall_s"]),
        )


def entries_from_dict(data: Mapping[str, Any]) -> tuple[tuple[Comparison, ...], tuple[Crash, ...]]:
    """Read the comparisons and the crashes of a report in either version of the schema.

    Parameters
    ----------
    data : mapping
        The whole report.

    Returns
    -------
    tuple of (tuple of Comparison, tuple of Crash)
        As `comparison_from_dict` reads them.

    Raises
    ------
    DataError
        If the schema is another one, or an entry is not as it should be.
    """
    version = data.get("schema", SCHEMA) if isinstance(data, Mapping) else SCHEMA
    if version not in (1, SCHEMA):
        raise DataError(f"schema = {version!r}: this version reads 1 and {SCHEMA}")
    check_keys("report", data, (*_REPORT_KEYS, *(["crashes"] if version == SCHEMA else [])))
    comparisons: list[Comparison] = []
    crashes: list[Crash] = []
    for kind in ("comparisons", "crashes"):
        if not isinstance(data.get(kind, []), list):
            raise DataError(f"{kind} must be a list")
    for row, entry in enumerate(data["comparisons"]):
        if version == 1 and isinstance(entry, Mapping) and entry.get("verdict") == ERROR:
            crashes.append(_crash_of_version_1(entry, row))
        else:
            comparisons.append(comparison_from_dict(entry, row))
    crashes += [_crash(entry, row) for row, entry in enumerate(data.get("crashes", []))]
    return tuple(comparisons), tuple(crashes)


def family_to_dict(entry: Family) -> dict[str, Any]:
    """Return a family in the form of the schema."""
    found: dict[str, Any] = jsonable(
        {
            "name": entry.name,
            "members": entry.members,
            "chi2": entry.chi2,
            "df": entry.df,
            "p": entry.p,
            "holm": entry.holm,
            "bias": entry.bias,
        }
    )
    return found


def check_keys(
    place: str,
    data: Any,
    wanted: Iterable[str],
    optional: Iterable[str] = (),
    row: int | None = None,
) -> None:
    """Refuse what is not an object with the wanted keys and no others."""
    if not isinstance(data, Mapping):
        raise DataError(f"{place} must be an object; got {data!r}", row=row)
    wanted = set(wanted)
    if unknown := sorted(set(data) - wanted - set(optional)):
        raise DataError(f"{place} has unknown keys: {', '.join(map(str, unknown))}", row=row)
    if missing := sorted(wanted - set(data)):
        raise DataError(f"{place} lacks the keys {', '.join(missing)}", row=row)


@contextmanager
def located(place: str, row: int | None = None) -> Iterator[None]:
    """Say where in a report a value was not what it should be, or too large to be judged."""
    try:
        with np.errstate(over="raise"):
            yield
    except DataError:
        raise
    except KeyError as failure:
        raise DataError(f"{place} lacks the key {failure}", row=row) from failure
    except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as failure:
        raise DataError(f"{place}: {failure}", row=row) from failure


def _as_written(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DataError(f"{value!r} is not a number")
    return value


def _reason(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DataError(f"expect_reason = {value!r} must be text or null")
    return value


def _number(value: Any) -> Any:
    if value in ("inf", "-inf"):
        return math.inf if value == "inf" else -math.inf
    return _as_written(value)


def _values(value: Any) -> Any:
    return (
        np.array([_number(entry) for entry in value], float)
        if isinstance(value, list)
        else _number(value)
    )
