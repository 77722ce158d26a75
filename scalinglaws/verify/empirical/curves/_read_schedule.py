"""Schedules that somebody plans, from tables."""

from __future__ import annotations

import numpy as np

from ....arguments import afford, whole
from ....errors import DataError
from ....solvers.schedules import Schedule
from .._run_columns import numbers_of, resolved
from .._run_tables import RunSource, read_table
from ._read_curves import MOST_STEPS, _between


def read_schedule(
    source: RunSource, *, step: str = "step", lr: str = "lr", warmup: int = 0
) -> Schedule:
    """Read the rates of a schedule as those of training curves are read.

    Parameters
    ----------
    source : path, mapping or data frame
        A table with a row for each step, or for some: rates between them lie on lines, and those of warm-up before the first on the
        line through 0.
    step, lr : str
        Columns: the number of a step, counted from 0, and its rate. Rows without a rate are left out.
    warmup : int
        Steps of linear warm-up of a table whose first row comes after it.

    Returns
    -------
    Schedule
        Up to the last step of the table.

    Raises
    ------
    DataError
        If a row is malformed, which the message names.

    Examples
    --------
    >>> read_schedule({"step": [0, 2, 5], "lr": [0.1, 0.1, 0.04]}).values()
    array([0.1 , 0.1 , 0.1 , 0.08, 0.06, 0.04])
    """
    linear = whole("warmup", warmup, low=0)
    table = read_table(source)
    steps, _ = numbers_of(table, resolved(table, step))
    rates, empty = numbers_of(table, resolved(table, lr))
    counted = np.isfinite(steps) & (steps >= 0) & (steps < MOST_STEPS) & (steps == np.floor(steps))
    rises = np.append(True, np.diff(steps) > 0)
    known = empty | (np.isfinite(rates) & (rates >= 0))
    for good, name, values, complaint in (
        (counted, step, steps, "must be a whole number >= 0"),
        (rises, step, steps, "does not increase from row to row: a schedule is one run"),
        (known, lr, rates, "must be >= 0 and finite"),
    ):
        wrong = np.flatnonzero(~good)
        if wrong.size:
            row = int(wrong[0])
            told = f"{name} = {values[row]:.10g} {complaint}"
            raise DataError(f"{table.name}, row {row + 1}: {told}", row=row)
    if not np.any(rates[~empty] > 0):
        raise DataError(f"{table.name}: there is no {lr} above 0")
    last = int(steps[-1])
    afford(6.0 * (last + 1), f"{last + 1} steps", "count steps in larger units")
    return Schedule.from_array(_between(steps[~empty], rates[~empty], last, linear))
