"""Training curves from logs: one table with many rows for each run, a folder with a table for each, or curves as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, text, whole
from ....equality import by_value
from ....errors import DataError, refusal
from ....files import TABLES
from ....reprs import short_repr
from ....solvers.schedules import Schedule
from ...estimate import ScheduledCurve
from .._run_columns import labels_of, numbers_of, resolved
from .._run_tables import RunTable, read_table

Array = NDArray[np.float64]
MOST_STEPS = 2**53

CurveSource = str | Path | Mapping[str, Any] | Sequence[Any] | Any
"""What training curves are read from."""


@short_repr
@dataclass(frozen=True)
@by_value
class NamedCurve:
    """A measured curve.

    Attributes
    ----------
    name : str
        Of its run.
    group : str
        What it is held out with: its name, or the value of another column.
    curve : ScheduledCurve
        Rates of all steps, and the measured losses.
    """

    name: str
    group: str
    curve: ScheduledCurve


@short_repr
@dataclass(frozen=True)
@by_value
class Columns:
    """Names of columns: rate, step, loss, run, and what is held out together; and steps of warm-up that no row shows."""

    lr: str
    step: str
    loss: str
    run: str
    group: str | None
    warmup: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no name."""
        for name in ("lr", "step", "loss", "run"):
            text(name, getattr(self, name))
        object.__setattr__(self, "warmup", whole("warmup", self.warmup, low=0))


def read_curves(source: CurveSource, columns: Columns) -> tuple[list[NamedCurve], str]:
    """Read training curves.

    Parameters
    ----------
    source : path, mapping, data frame, or sequence
        As `fit_curves` takes them.
    columns : Columns
        Of tables.

    Returns
    -------
    list of NamedCurve, str
        In the order of the source, and where they come from.
    """
    if columns.warmup and not _has_columns(source):
        raise refusal(
            "warmup", columns.warmup, "goes with tables; curves have the rates of all steps"
        )
    if isinstance(source, (str, os.PathLike)) and str(source) and "\0" not in str(source):
        folder = Path(source)
        if folder.is_dir():
            files = [file for file in sorted(folder.iterdir()) if file.name.endswith(TABLES)]
            if not files:
                raise DataError(f"{folder} holds no tables ({', '.join(TABLES)})")
            return _from_files(files, columns), str(folder)
    if isinstance(source, ScheduledCurve):
        source = [source]
    elif columns.group not in (None, columns.run) and not _has_columns(source):
        raise refusal(
            "holdout", columns.group, f"is no column: curves have none; use {columns.run!r}"
        )
    if isinstance(source, Mapping) and _all_curves(source.values()):
        return _from_curves(source), "curves"
    if isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        if len(source) and all(isinstance(entry, (str, os.PathLike)) for entry in source):
            return _from_files([Path(entry) for entry in source], columns), "files"
        for place, entry in enumerate(source):
            if not isinstance(entry, ScheduledCurve):
                raise refusal("runs", entry, "must be a ScheduledCurve or a path", at=place)
        if not len(source):
            raise refusal("runs", source, "must hold a curve")
        named = {f"curve {place}": entry for place, entry in enumerate(source, start=1)}
        return _from_curves(named), "curves"
    table = read_table(source, named="runs")
    return _from_table(table, columns, Path(table.name).stem), table.name


def _has_columns(source: Any) -> bool:
    """Tell whether a source is a table, or paths of tables."""
    if isinstance(source, ScheduledCurve):
        return False
    if isinstance(source, Mapping):
        return not _all_curves(source.values())
    if isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        return not _all_curves(source)
    return True


def _all_curves(entries: Any) -> bool:
    held = list(entries)
    return bool(held) and all(isinstance(entry, ScheduledCurve) for entry in held)


def _from_curves(named: Mapping[Any, ScheduledCurve]) -> list[NamedCurve]:
    return [NamedCurve(str(name), str(name), curve) for name, curve in named.items()]


def _from_files(files: Sequence[Path], columns: Columns) -> list[NamedCurve]:
    """Read a curve, or several, from each of some files; one without names is called like its file."""
    found = [
        curve
        for file in files
        for curve in _from_table(read_table(file), columns, file.name.partition(".")[0])
    ]
    names = [curve.name for curve in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"several curves are called {twice}")
    return found


def _from_table(table: RunTable, columns: Columns, alone: str) -> list[NamedCurve]:
    """Make a curve of the rows of each run."""
    step, rate, loss = (
        numbers_of(table, resolved(table, name))
        for name in (columns.step, columns.lr, columns.loss)
    )
    runs = _labels(table, columns.run, columns.run == "run")
    names = [alone] * table.rows if runs is None else runs
    # runs without names are one curve, which is held out under its own
    groups = names
    if columns.group is not None and columns.group != columns.run:
        groups = _labels(table, columns.group, False) or names
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    if "" in rows:
        raise _refused(table, rows[""][0], f"{columns.run} is empty")
    found = []
    for name, held in rows.items():
        other = next((row for row in held if groups[row] != groups[held[0]]), None)
        if other is not None:
            raise _refused(
                table,
                other,
                f"{columns.group} = {groups[other]} is not that of {name}'s rows above",
            )
        place = np.array(held)
        known = "" if runs is None else f" of {name}"
        if runs is None:
            known = f"; name the column of runs, if there are several: run={columns.run!r} is none"
        made = _curve(
            table, columns, place, step[0][place], rate[0][place], loss[0][place],
            loss[1][place], rate[1][place], known,
        )  # fmt: skip
        found.append(NamedCurve(name, groups[held[0]], made))
    return found


def _labels(table: RunTable, name: str, optional: bool) -> list[str] | None:
    """Return a column of names; None where it need not be there and is not."""
    if optional and name not in table.columns:
        return None
    return labels_of(table, resolved(table, name))


def _curve(
    table: RunTable,
    columns: Columns,
    rows: NDArray[np.int64],
    step: Array,
    rate: Array,
    loss: Array,
    no_loss: NDArray[np.bool_],
    no_rate: NDArray[np.bool_],
    whose: str,
) -> ScheduledCurve:
    """Check the rows of a run, and put its rates between them."""

    def check(wrong: Any, name: str, values: Array, complaint: str) -> None:
        places = np.flatnonzero(wrong)
        if places.size:
            first = int(places[0])
            told = f"{name} = {values[first]:.10g} {complaint}"
            raise _refused(table, int(rows[first]), told)

    counted = np.isfinite(step) & (step >= 0) & (step < MOST_STEPS) & (step == np.floor(step))
    check(~counted, columns.step, step, "must be a whole number >= 0")
    rises = np.append(True, np.diff(step) > 0)
    check(~rises, columns.step, step, f"does not increase from row to row{whose}")
    check(
        ~no_rate & ~(np.isfinite(rate) & (rate >= 0)), columns.lr, rate, "must be >= 0 and finite"
    )
    check(
        ~no_loss & ~(np.isfinite(loss) & (loss > 0)), columns.loss, loss, "must be > 0 and finite"
    )
    if no_loss.all():
        raise _refused(table, int(rows[0]), f"there is no {columns.loss}{whose}")
    if no_rate.all() or not np.any(rate[~no_rate] > 0):
        raise _refused(table, int(rows[0]), f"there is no {columns.lr} above 0{whose}")
    first = int(np.argmin(no_rate))
    if columns.warmup > step[first] + 1:
        raise _refused(
            table,
            int(rows[first]),
            f"warmup = {columns.warmup} ends after {columns.step} {step[first]:g}{whose}, from which on the rows tell the rates; "
            "leave warmup out where they show it",
        )
    last = int(step[-1])
    afford(6.0 * (last + 1), f"{last + 1} steps{whose}", "count steps in larger units")
    return ScheduledCurve(
        Schedule.from_array(_between(step[~no_rate], rate[~no_rate], last, columns.warmup)),
        steps=step[~no_loss].astype(np.int64) + 1,
        losses=loss[~no_loss],
    )


def _between(step: Array, rate: Array, last: int, warmup: int = 0) -> Array:
    """Return the rates of all steps: on lines between those that were logged, in warm-up before the first on the line through 0.

    Examples
    --------
    >>> _between(np.array([1.0, 3.0, 5.0]), np.array([0.2, 0.4, 0.2]), 6)
    array([0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.2])
    >>> _between(np.array([4.0, 5.0]), np.array([0.2, 0.2]), 5, warmup=2)
    array([0.1, 0.2, 0.2, 0.2, 0.2, 0.2])
    """
    at = np.arange(last + 1, dtype=float)
    found = np.interp(at, step, rate)
    early = at < step[0]
    if warmup:
        found[early] *= np.minimum((at[early] + 1) / warmup, 1.0)
    elif rate.size > 1 and rate[1] > rate[0]:
        found[early] *= (at[early] + 1) / (step[0] + 1)
    return np.asarray(found)


def _refused(table: RunTable, row: int, told: str) -> DataError:
    return DataError(f"{table.name}, row {row + 1}: {told}", row=row)
