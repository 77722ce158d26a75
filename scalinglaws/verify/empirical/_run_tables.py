"""Tables of runs, wherever they come from: files, standard input, data frames, dictionaries of arrays."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contents import read_bytes, read_stream
from ...equality import by_value
from ...errors import DataError, refusal
from ...files import column, read_arrays
from ...formatting import visible
from ...reprs import short_repr

RunSource = str | Path | Mapping[str, Any] | Any
"""What runs are read from."""

_INPUT = "standard input"


@short_repr
@dataclass(frozen=True)
@by_value
class RunTable:
    """Columns of one length.

    Attributes
    ----------
    name : str
        Of the file, or what else it is, for messages.
    columns : dict of str to ndarray
        Numbers, flags, words, or objects with None for an empty cell.
    rows : int
        Their length.
    sha256 : str
        Of the file; empty for what is no file.
    """

    name: str
    columns: dict[str, NDArray[Any]]
    rows: int
    sha256: str


def read_table(source: RunSource, *, named: str = "source") -> RunTable:
    """Read a table of runs.

    Parameters
    ----------
    source : str, Path, mapping or data frame
        A file as `scalinglaws.files.read_arrays` reads it, ``"-"`` for standard input, a mapping of names to columns, or whatever has
        columns by name as a data frame of pandas or polars has.
    named : str
        Name of the caller's argument, for error messages.

    Returns
    -------
    RunTable
        An empty cell, and NaN in a data frame, is None.

    Raises
    ------
    DataError
        If it cannot be read, is empty, or its columns have different lengths.
    DomainError
        If `source` is nothing of that kind.
    ResourceError
        If it would not fit into the memory budget.

    Examples
    --------
    >>> read_table({"params": ["7B", "350M"], "loss": [2.0, None]}).columns["loss"]
    array([2.0, None], dtype=object)
    """
    if isinstance(source, RunTable):
        return source
    if isinstance(source, str) and source == "-":
        return table_from(_INPUT, _standard_input())
    if isinstance(source, (str, os.PathLike)):
        if "\0" in str(source) or not str(source):
            raise refusal(named, source, "must be a path")
        path = Path(source)
        try:
            content = read_bytes(path)
        except OSError as failure:
            raise DataError(f"cannot read {path}: {failure.strerror or failure}") from None
        return table_from(f"{path}", content)
    if isinstance(source, Mapping):
        return _from_columns("arrays", dict(source))
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):
        return _from_columns("data frame", _frame_columns(source))
    raise refusal(named, source, "must be a path, '-', a data frame or a dictionary of arrays")


def _standard_input() -> bytes:
    stream = getattr(sys.stdin, "buffer", None)
    try:
        if stream is None or sys.stdin.isatty():
            raise DataError("nothing is piped into standard input: scalinglaws ... < runs.csv")
        content = read_stream(stream, _INPUT)
    except (OSError, ValueError) as failure:
        if isinstance(failure, DataError):
            raise
        raise DataError(f"standard input cannot be read: {failure}") from None
    return content


def table_from(name: str, content: bytes) -> RunTable:
    """Read a table of runs from what a file holds; the end of its name says of which kind it is."""
    columns = read_arrays(name, words=True, missing=True, content=content)
    return _table(name, columns, hashlib.sha256(content).hexdigest())


def _from_columns(name: str, columns: dict[Any, Any]) -> RunTable:
    return _table(name, {str(key): _array(str(key), given) for key, given in columns.items()}, "")


def _table(name: str, columns: dict[str, NDArray[Any]], sha256: str) -> RunTable:
    stripped = {visible(key.strip()): values for key, values in columns.items()}
    for key, values in stripped.items():
        if values.ndim != 1:
            raise DataError(f"{name}: column {key} must be one row of cells; shape {values.shape}")
    lengths = {key: len(values) for key, values in stripped.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{key} {length}" for key, length in list(lengths.items())[:6])
        raise DataError(f"{name}: the columns have different lengths: {shown}")
    rows = next(iter(lengths.values()), 0)
    if not rows:
        what = "names of columns, and no row below" if lengths else "it is empty"
        raise DataError(f"{name} holds no runs: {what}")
    return RunTable(name, stripped, rows, sha256)


def _array(name: str, given: Any) -> NDArray[Any]:
    """Return a column that somebody handed over, with None for what is masked or nothing."""
    if isinstance(given, np.ma.MaskedArray):
        given = given.tolist()
    if isinstance(given, np.ndarray) and given.dtype.kind in "iufbU":
        return given
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise DataError(f"arrays: column {name} must be a row of cells, not {given!r:.40}")
    cells = given.tolist() if hasattr(given, "tolist") else list(given)
    if not isinstance(cells, list):
        raise DataError(f"arrays: column {name} must be a row of cells")
    return column(name, cells, missing=True)


def _frame_columns(frame: Any) -> dict[str, list[Any]]:
    """Return the cells of a data frame, of which nothing but common manners is known."""
    try:
        found = {}
        names = list(frame.columns)
        for name in names:
            if sum(other == name for other in names) > 1:
                raise DataError(f"data frame: several columns are called {name!r}; rename them")
            cells = frame[name]
            values = cells.to_list() if hasattr(cells, "to_list") else list(cells)
            lacks = list(cells.isna()) if hasattr(cells, "isna") else [v is None for v in values]
            key = "/".join(map(str, name)) if isinstance(name, tuple) else str(name)
            found[key] = [
                None if empty or value != value else value
                for value, empty in zip(values, lacks, strict=True)
            ]
    except DataError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as failure:
        raise DataError(f"the data frame cannot be read: {str(failure)[:80]}") from None
    return found
