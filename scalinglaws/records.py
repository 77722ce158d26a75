"""Records as programs write them, in JSON: a list of them, one a line, or columns by name."""

from __future__ import annotations

import json
from typing import Any

from .errors import DataError


def read_records(where: str, text: str) -> dict[str, list[Any]]:
    r"""Read records, and return what they hold by name.

    Parameters
    ----------
    where : str
        What holds them, for messages.
    text : str
        A list of objects; an object a line; one object; or an object with columns, as lists, or by row as pandas writes them.

    Returns
    -------
    dict of str to list
        Names in the order in which they appear, those of objects inside objects joined by ``/``; None where a record lacks a name.

    Raises
    ------
    DataError
        If it is no JSON, or holds something else; the message names the line or the record.

    Examples
    --------
    >>> read_records("runs", '{"config": {"N": 1}, "loss": 3.5}\n{"loss": 3.25}')
    {'config/N': [1, None], 'loss': [3.5, 3.25]}
    """
    try:
        try:
            found = json.loads(text)
        except ValueError:
            found = _each_line(where, text)
        if isinstance(found, dict) and found and all(isinstance(v, list) for v in found.values()):
            if len({len(values) for values in found.values()}) > 1:
                raise DataError(f"{where}: the columns have different lengths")
            return found
        if isinstance(found, dict) and _is_frame(found):
            rows = next(iter(found.values()))
            found = [{name: cells[row] for name, cells in found.items()} for row in rows]
        records = found if isinstance(found, list) else [found]
        for place, record in enumerate(records):
            if not isinstance(record, dict):
                complaint = f"{where}, record {place + 1} is no object with names and values"
                raise DataError(complaint, row=place)
        flat = [_flat(record) for record in records]
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    names = dict.fromkeys(name for record in flat for name in record)
    return {name: [record.get(name) for record in flat] for name in names}


def _each_line(where: str, text: str) -> list[Any]:
    found = []
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError as failure:
                why = getattr(failure, "msg", failure)
                complaint = f"{where}, line {place} is no JSON: {why}"
                raise DataError(complaint, row=len(found)) from None
    return found


def _is_frame(found: dict[str, Any]) -> bool:
    """Tell whether columns by name hold cells by row, as pandas writes them."""
    columns = list(found.values())
    if not columns or not all(isinstance(cells, dict) and cells for cells in columns):
        return False
    rows = columns[0].keys()
    return all(row.isdigit() for row in rows) and all(cells.keys() == rows for cells in columns)


def _flat(record: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{name}/")
        else:
            found[above + name] = value
    return found
