"""Arrays and tables in files that people bring. Nothing in a file is executed."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import afford
from .errors import DataError

ARRAYS = (".npy", ".npz")
TABLES = (".csv", ".parquet", ".tsv", ".txt")
SUFFIXES = tuple(sorted((*ARRAYS, *TABLES)))
"""Of files that are read."""

_TEXT_BYTES = (
    32  # of memory for a byte of text: a digit and a comma become a Python float in a list
)
_MOST_SHOWN = 60
_EXACT = 2.0**53  # whole numbers below are floats without rounding
_WHOLE = re.compile(r"[+-]?\d+")


def read_arrays(path: str | Path, *, words: bool = False) -> dict[str, NDArray[Any]]:
    r"""Read the arrays, or the columns, of a file by name.

    Parameters
    ----------
    path : str or Path
        ``.npy`` (one array, of the name ""), ``.npz`` (arrays by name), ``.parquet`` (columns by name; a column of lists of one length
        becomes two-dimensional; needs pyarrow), or text: ``.csv``, ``.tsv``, ``.txt`` with columns separated by commas, semicolons,
        tabs or blanks, what follows a ``#`` left out, and perhaps a line of names above, which may be 0, 1, 2, ... Columns without
        names are called "1", "2", ...; a first one without a name below names, which counts rows from 0, is left out.
    words : bool
        Whether words are allowed in place of numbers, as names of classes. A first line of words is taken for names unless one of
        them occurs again below it.

    Returns
    -------
    dict of str to ndarray
        In the order of the file: real numbers as floats, or as integers where all of a column are written as such, flags as they are,
        and words as strings.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or holds something else; the message names the line.
    ResourceError
        If what it holds would not fit into the memory budget.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "table.csv"
    ...     _ = path.write_text("width,loss\n64,2.5\n128,2.25\n")
    ...     read_arrays(path)
    {'width': array([ 64, 128]), 'loss': array([2.5 , 2.25])}
    """
    path = arguments.path("path", path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    try:
        if suffix in ARRAYS:
            found = _arrays(path)
        elif suffix == ".parquet":
            found = _parquet(path)
        else:
            found = _text(path, words)
    except OSError as failure:
        raise DataError(f"cannot read {path}: {failure.strerror or failure}") from None
    for name, array in found.items():
        kind = array.dtype.kind
        if kind not in "iufb" and not (words and kind == "U"):
            where = f"{path}: {name}" if name else f"{path}"
            raise DataError(f"{where} must hold real numbers; it holds {_described(array)}")
    if not any(array.size for array in found.values()):
        raise DataError(f"{path} holds no numbers")
    return found


def matrix(path: str | Path, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Put columns of a file side by side.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    arrays : dict of str to ndarray
        What was read from it: one array of any shape, or columns of one length.

    Returns
    -------
    ndarray
        The array, or two-dimensional with the columns in order.

    Raises
    ------
    DataError
        If there are several arrays that are no columns of one length.

    Examples
    --------
    >>> matrix("table.csv", {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])})
    array([[1., 3.],
           [2., 4.]])
    """
    columns = list(arrays.values())
    if len(columns) == 1:
        return columns[0]
    if any(column.ndim not in (1, 2) for column in columns) or len({len(c) for c in columns}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DataError(f"{path} holds arrays that are no columns of one table: {shapes}")
    return np.column_stack(columns)


def _described(array: NDArray[Any]) -> str:
    return {
        "U": "words",
        "S": "bytes",
        "O": "Python objects",
        "M": "dates",
        "c": "complex numbers",
    }.get(array.dtype.kind, str(array.dtype))


# -- arrays -------------------------------------------------------------------------------------------------------------


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    advice = "see whether it is the file you mean"
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as parts:
                unpacked = sum(part.file_size for part in parts.infolist())
            afford(unpacked, f"{path}", advice, size=1)
        else:
            afford(path.stat().st_size, f"{path}", advice, size=1)
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"": found}
        with found:
            return {name: found[name] for name in found.files}
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile):
        raise DataError(
            f"{path} is no file of plain arrays that NumPy reads: it is damaged, or holds Python objects, which are not loaded"
        ) from None


def _parquet(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError(f"cannot read {path}: there is no such file")
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise DataError(
            f"{path}: Parquet files need pyarrow, which is not installed: pip install pyarrow; "
            "or save the arrays as .npy"
        ) from None
    try:
        about = parquet.read_metadata(path)
        unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        afford(2 * unpacked, f"{path}", "see whether it is the file you mean", size=1)
        table = parquet.read_table(path)
        return {
            name: _parquet_column(path, name, table.column(name)) for name in table.column_names
        }
    except (ValueError, TypeError) as failure:  # errors of pyarrow derive from these
        if isinstance(failure, DataError):
            raise
        raise DataError(f"{path} is no Parquet file that can be read ({_short(failure)})") from None


def _parquet_column(path: Path, name: str, column: Any) -> NDArray[Any]:
    if column.null_count:
        raise DataError(f"{path}: column {name} has {column.null_count} missing values")
    if "list" in str(column.type):
        rows = [np.asarray(row) for row in column.to_pylist()]
        if len({row.shape for row in rows}) > 1:
            raise DataError(f"{path}: column {name} holds lists of different lengths")
        return np.array(rows)
    if str(column.type) in ("string", "large_string") or str(column.type).startswith("dictionary"):
        return np.array([str(entry) for entry in column.to_pylist()])
    return np.asarray(column.to_numpy())


def _short(failure: Exception) -> str:
    return str(failure).splitlines()[0][:_MOST_SHOWN] if str(failure) else type(failure).__name__


# -- text ---------------------------------------------------------------------------------------------------------------


def _text(path: Path, words: bool) -> dict[str, NDArray[Any]]:
    afford(path.stat().st_size, f"{path}", "save the numbers as .npy", size=_TEXT_BYTES)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text") from None
    places: list[int] = []
    rows: list[list[str]] = []
    for place, cells in _cells(lines):
        if rows and len(cells) != len(rows[0]):
            raise DataError(
                f"{path}, line {place}: {len(cells)} numbers, where line {places[0]} has {len(rows[0])}",
                row=len(rows),
            )
        places.append(place)
        rows.append(cells)
    if not rows:
        return {}
    names, start = _names(rows, words)
    columns: dict[str, NDArray[Any]] = {}
    for index, name in enumerate(names):
        cells = [row[index] for row in rows[start:]]
        try:
            columns[name] = _numbers(cells)
        except ValueError:
            if not words:
                at = next(i for i, cell in enumerate(cells) if not _is_number(cell))
                raise DataError(
                    f"{path}, line {places[start + at]}: {cells[at][:_MOST_SHOWN]!r} is no number",
                    row=at,
                ) from None
            columns[name] = np.array(cells)
    if not rows[0][0] and len(columns) > 1 and start:
        counted = columns[names[0]]
        if counted.dtype.kind == "i" and np.array_equal(counted, np.arange(counted.size)):
            del columns[names[0]]
    return columns


def _numbers(cells: list[str]) -> NDArray[Any]:
    found = np.array(list(map(float, cells)))
    if np.all(np.abs(found) < _EXACT) and all(map(_WHOLE.fullmatch, cells)):
        return found.astype(np.int64)
    return found


def _cells(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Cut the lines that hold something; the first sign between columns that a file uses is its own."""
    separator: str | None = None
    chosen = False
    for place, line in enumerate(lines, start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        if not chosen:
            separator = next((sign for sign in ";\t," if sign in content), None)
            chosen = True
        if separator is None:
            yield place, content.split()
        else:
            cells = next(csv.reader([content], delimiter=separator, skipinitialspace=True))
            yield place, [cell.strip() for cell in cells]


def _names(rows: list[list[str]], words: bool) -> tuple[list[str], int]:
    """Return the names of the columns, and the row from which on they hold something."""
    first = rows[0]
    numbered = [str(i + 1) for i in range(len(first))]
    if len(first) > 2 and first == [str(i) for i in range(len(first))]:
        return first, 1  # as pandas names columns that have no names
    if all(map(_is_number, first)):
        return numbered, 0
    if words and any(
        cell in (row[i] for row in rows[1:]) for i, cell in enumerate(first) if not _is_number(cell)
    ):
        return numbered, 0
    names: list[str] = []
    for cell, number in zip(first, numbered, strict=True):
        names.append(cell if cell and cell not in names else number)
    return names, 1


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
