"""From rows to runs: a run that has many rows is read as its log, and what it ended with is taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, refusal
from ._coded_warnings import CodedWarning, listed
from ._run_columns import LABELS, labels_of, numbers_of, resolved
from ._run_tables import RunTable

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_UNFINISHED = ("crashed", "failed", "killed", "preempted", "preempting", "running")
_DECAYED = 0.5  # of the largest rate: below, a schedule has decayed
_FURTHER = 0.15  # of the largest rate, by which others that decayed further are told from a run that ended halfway
_COMPLETE = 0.95  # of the tokens, or of the planned steps


@dataclass
class _Found:
    """What rows have become so far."""

    rows: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    dropped: list[tuple[str, str]] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class _Cells:
    """Columns of the table that are needed, as numbers and as names."""

    table: RunTable
    chosen: Mapping[str, str]
    numbers: dict[str, Array]
    empty: dict[str, NDArray[np.bool_]]
    labels: dict[str, list[str]]
    left_out: list[CodedWarning]


def rows_rule(rows: Any) -> tuple[str, int]:
    """Return what is taken of a run with many rows: ``last`` of how many, or ``all``.

    Examples
    --------
    >>> rows_rule("last:20"), rows_rule("all")
    (('last', 20), ('all', 1))
    """
    if isinstance(rows, str) and rows in ("last", "all"):
        return rows, 1
    head, _, count = rows.partition(":") if isinstance(rows, str) else ("", "", "")
    if head != "last" or not (count.isascii() and count.isdigit() and 0 < int(count[:9]) < 10**6):
        raise refusal("rows", rows, "must be 'last', 'last:20' or another number, or 'all'")
    return head, int(count)


def chosen_rows(table: RunTable, where: Any) -> Rows:
    """Return the rows in which columns have the values that were asked for.

    Examples
    --------
    >>> from ._run_tables import read_table
    >>> chosen_rows(read_table({"lr": [0.1, 0.2], "kind": ["a", "b"]}), {"kind": ["b", "c"]})
    array([1])
    """
    kept = np.ones(table.rows, dtype=bool)
    if where is None:
        return np.flatnonzero(kept)
    if not isinstance(where, Mapping):
        raise refusal("where", where, "must be a dictionary: column -> value, or several values")
    for name, wanted in where.items():
        column = resolved(table, name)
        several = isinstance(wanted, (list, tuple, set, frozenset, np.ndarray))
        allowed = {_comparable(value) for value in (wanted if several else (wanted,))}
        cells = [_comparable(cell) for cell in table.columns[column].tolist()]
        kept &= np.array([cell in allowed for cell in cells])
        if not kept.any():
            values = sorted({str(cell) for cell in table.columns[column].tolist()})
            raise DataError(
                f"{table.name}: where leaves nothing: no row has {column} = {str(wanted)[:60]} (and what stands before it); "
                f"{column} is {listed(values)}"
            )
    return np.flatnonzero(kept)


def _comparable(value: Any) -> Any:
    """Compare numbers as numbers, whatever they are written as, and all else as text."""
    if isinstance(value, (bool, np.bool_)) or value is None:
        return str(value).lower()
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value).strip().lower() if str(value).lower() in ("true", "false") else str(value)


def read_cells(table: RunTable, chosen: Mapping[str, str], needed: set[str]) -> _Cells:
    """Read the columns that were chosen; one that is not needed may hold other things than numbers, and is then left out."""
    numbers, empty, labels, left_out = {}, {}, {}, []
    for quantity, column in chosen.items():
        if quantity in LABELS:
            labels[quantity] = labels_of(table, column)
            continue
        try:
            numbers[quantity], empty[quantity] = numbers_of(table, column)
        except DataError as failure:
            if quantity in needed:
                raise
            left_out.append(CodedWarning("W-column-left-out", str(failure)))
    return _Cells(table, chosen, numbers, empty, labels, left_out)


def without_duplicates(table: RunTable, rows: Rows) -> tuple[Rows, list[CodedWarning]]:
    """Leave out rows that agree with an earlier one in every cell."""
    pattern = np.zeros(len(rows), dtype=np.int64)  # rows agree where their numbers do
    for values in table.columns.values():
        held = values[rows]
        if held.dtype.kind == "O":
            held = np.array(list(map(str, held.tolist())))
        codes = np.unique(held, return_inverse=True)[1]
        pattern = np.unique(pattern * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[
            1
        ]
        if pattern.max(initial=-1) + 1 == len(rows):
            return rows, []
    _, first, own = np.unique(pattern, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[own] != np.arange(len(rows)))
    twice = [f"row {rows[place] + 1} (as row {rows[first[own[place]]] + 1})" for place in again]
    kept = np.delete(rows, again)
    notes = [CodedWarning("W-duplicate-rows", listed(twice))] if twice else []
    return kept, notes


def runs_of(cells: _Cells, rows: Rows, rule: tuple[str, int], constant: bool = False) -> _Found:
    """Take from each run what the rule says.

    A run is what has one name, and one group where there are groups; without names, every row is one. Its rows are ordered by
    their steps, else by their tokens, else as they stand. Empty cells of N, D, C and the rate are filled from the other rows
    of the run, along its steps. `constant` says that the learning rate was, where no column does.
    """
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows.tolist():
        members[_key(cells, row)].append(row)
    found = _Found()
    series = {key: _ordered(cells, np.array(own)) for key, own in members.items()}
    usual = _scheduled(cells, series, rule, constant)
    for (_, run), own in series.items():
        _take(cells, run, own, rule, usual, found)
    several = max(map(len, series.values())) > 1
    if rule[0] == "all" and "lr" not in cells.numbers and several and not constant:
        found.notes["W-mid-run"].append("no column for the learning rate")
    return found


def _key(cells: _Cells, row: int) -> tuple[str, str]:
    name = cells.labels["run"][row] if "run" in cells.labels else ""
    group = cells.labels["group"][row] if "group" in cells.labels else ""
    return (group, name) if name else (f"\0{row}", f"row {row + 1}")


def _ordered(cells: _Cells, rows: Rows) -> Rows:
    for quantity in ("step", "D"):
        if quantity in cells.numbers and len(rows) > 1:
            values = cells.numbers[quantity][rows]
            if np.all(np.isfinite(values)) and np.any(values != values[0]):
                return rows[np.argsort(values, kind="stable")]
    return rows


def _along(cells: _Cells, quantity: str, rows: Rows) -> Array:
    """Return a quantity in the rows of a run, its empty cells filled along the steps."""
    values = cells.numbers[quantity][rows]
    lacks = cells.empty[quantity][rows]
    if not lacks.any() or lacks.all():
        return values
    at = np.arange(len(rows), dtype=float)
    if "step" in cells.numbers and np.all(np.isfinite(cells.numbers["step"][rows])):
        at = cells.numbers["step"][rows]
    return np.where(lacks, np.interp(at, at[~lacks], values[~lacks]), values)


def _scheduled(
    cells: _Cells, series: Mapping[tuple[str, str], Rows], rule: tuple[str, int], constant: bool
) -> float | None:
    """Return what is usually left of the largest rate at the end of a run, in the middle of those that decay; None for constant rates.

    Rates count as decaying where most of the runs that show them do, or, where all rows are taken, any.
    """
    if "lr" not in cells.numbers:
        return None
    ends = []
    for (_, run), rows in series.items():
        rate = _along(cells, "lr", rows)
        rate = rate[np.isfinite(rate)]
        if rate.size > 1 and rate.max() > 0:
            ends.append(float(rate[-1] / rate.max()))
            if constant and rate[-1] <= _DECAYED * rate.max():
                raise refusal(
                    "schedule",
                    "constant",
                    f"is not what {cells.chosen['lr']} says: {run} ends at {ends[-1]:.2g} of its largest rate",
                )
    decayed = [end for end in ends if end <= _DECAYED]
    told = bool(decayed) if rule[0] == "all" else 2 * len(decayed) >= max(len(ends), 1)
    return float(np.median(decayed)) if told else None


def _take(
    cells: _Cells, run: str, rows: Rows, rule: tuple[str, int], usual: float | None, found: _Found
) -> None:
    loss, lacks = cells.numbers["loss"][rows], cells.empty["loss"][rows]
    with_loss = _last_of_each_step(cells, rows, np.flatnonzero(~lacks), run, found)
    if not with_loss.size:
        found.dropped.append((run, "no loss"))
        found.notes["W-no-loss"].append(run)
        return
    if not np.isfinite(loss[with_loss[-1]]):
        found.dropped.append((run, f"diverged: the last loss is {loss[with_loss[-1]]:g}"))
        found.notes["W-diverged"].append(run)
        return
    finite = with_loss[np.isfinite(loss[with_loss])]
    how, count = rule
    points = finite if how == "all" else finite[-1:]
    filled: dict[str, Array] = {
        name: _along(cells, name, rows) for name in ("D", "C", "lr") if name in cells.numbers
    }
    if how == "all" and "D" in filled:
        points = points[~(filled["D"][points] == 0)]  # before the first step
    size = _constant(cells, "N", run, rows)
    others = {name: _filled(values[rows]) for name, values in cells.numbers.items()}
    for point in points.tolist():
        found.rows.append(int(rows[point]))
        found.loss.append(float(loss[point] if how == "all" else np.mean(loss[finite[-count:]])))
        for name, values in (others | filled).items():
            found.values[name].append(size if name == "N" else float(values[point]))
        for name in cells.labels:
            found.labels[name].append(_label(cells, name, rows, point))
        found.labels["name"].append(run)
    if len(rows) > 1:
        _judge_log(cells, run, rows, points, filled, rule, usual, found)
    _judge_end(cells, run, rows, finite[-1], filled, found)


def _last_of_each_step(cells: _Cells, rows: Rows, places: Rows, run: str, found: _Found) -> Rows:
    if "step" not in cells.numbers or places.size < 2:
        return places
    steps = cells.numbers["step"][rows[places]]
    last = dict(zip(steps.tolist(), places.tolist(), strict=True))
    if len(last) < places.size and np.all(np.isfinite(steps)):
        found.notes["W-duplicate-steps"].append(f"{run} ({places.size - len(last)} rows)")
        return np.array(sorted(last.values()), dtype=np.intp)
    return places


def _constant(cells: _Cells, quantity: str, run: str, rows: Rows) -> float:
    """Return what a run has one of."""
    if quantity not in cells.numbers:
        return float("nan")
    values = cells.numbers[quantity][rows]
    own = values[~np.isnan(values)]
    if own.size and np.any(own != own[0]):
        other = own[own != own[0]][0]
        raise DataError(
            f"{cells.table.name}, row {rows[0] + 1}: the run {run} has {cells.chosen[quantity]} = {own[0]:g} and {other:g}; "
            f"{cells.chosen['run']} does not name runs: choose another column with run=, or none with columns={{'run': None}}",
            row=int(rows[0]),
        )
    return float(own[0]) if own.size else float("nan")


def _filled(values: Array) -> Array:
    """Return numbers of a run with the last of them in empty cells."""
    lacks = np.isnan(values)
    return (
        np.where(lacks, values[~lacks][-1], values) if lacks.any() and not lacks.all() else values
    )


def _label(cells: _Cells, name: str, rows: Rows, point: int) -> str:
    own = cells.labels[name][int(rows[point])]
    return own or next(
        (cells.labels[name][row] for row in rows[::-1] if cells.labels[name][row]), ""
    )


def _judge_log(
    cells: _Cells,
    run: str,
    rows: Rows,
    points: Rows,
    filled: Mapping[str, Array],
    rule: tuple[str, int],
    usual: float | None,
    found: _Found,
) -> None:
    if "step" not in cells.numbers:
        found.notes["W-log-rows"].append(f"{run} ({len(rows)} rows)")
    rate = filled.get("lr")
    if usual is None or rate is None or not points.size or not np.all(np.isfinite(rate)):
        return
    share = float(rate[points[-1]] / max(rate.max(), np.finfo(float).tiny))
    if share > min(usual + _FURTHER, _DECAYED):
        others = f", others end at {usual:.2g}" if share <= _DECAYED else ""
        found.notes["W-mid-run"].append(f"{run} (rate {share:.2g} of its largest{others})")
    elif rule[0] == "all" and points.size > 1:
        found.notes["W-mid-run"].append(f"{run} ({points.size - 1} rows before its last)")


def _judge_end(
    cells: _Cells, run: str, rows: Rows, last: Any, filled: Mapping[str, Array], found: _Found
) -> None:
    row = int(rows[last])
    status = _label(cells, "status", rows, int(last)) if "status" in cells.labels else ""
    planned = cells.numbers.get("planned_steps", np.full(cells.table.rows, np.nan))[row]
    step = cells.numbers.get("step", np.full(cells.table.rows, np.nan))[row]
    tokens = filled.get("D", np.array([np.nan]))
    most = np.max(tokens, initial=0.0, where=np.isfinite(tokens))
    if status.lower() in _UNFINISHED:
        found.notes["W-stopped-early"].append(f"{run} ({status})")
    elif planned > 0 and step < _COMPLETE * planned:
        found.notes["W-stopped-early"].append(f"{run} (step {step:g} of {planned:g})")
    elif len(rows) > 1 and tokens[last if tokens.size > 1 else 0] < _COMPLETE * most:
        found.notes["W-stopped-early"].append(f"{run} (no loss near its end)")
