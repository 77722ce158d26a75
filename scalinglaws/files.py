"""Arrays and tables in files that people bring. Nothing in a file is executed."""

from __future__ import annotations

import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .arguments import afford, affordable
from .contents import DOUBT, TEXT_BYTES, decoded, read_bytes
from .errors import DataError, ResourceError
from .records import read_records

ARRAYS = (".npy", ".npz")
_TEXTS = (".csv", ".json", ".jsonl", ".ndjson", ".tsv", ".txt")
_PACKED = tuple(f"{suffix}.gz" for suffix in _TEXTS)
TABLES = tuple(sorted((*_TEXTS, *_PACKED, ".parquet")))
SUFFIXES = tuple(sorted((*ARRAYS, *TABLES)))
"""Of files that are read."""

_MOST_SHOWN = 60
_EXACT = 2.0**53  # whole numbers below are floats without rounding
_WHOLE = re.compile(r"[+-]?\d+")
_EMPTY = ("", "na", "n/a", "null", "none")  # cells that hold nothing, in small letters
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"  # first bytes


def read_arrays(
    path: str | Path, *, words: bool = False, missing: bool = False, content: bytes | None = None
) -> dict[str, NDArray[Any]]:
    r"""Read the arrays, or the columns, of a file by name.

    Parameters
    ----------
    path : str or Path
        ``.npy`` (one array, of the name ""), ``.npz`` (arrays by name), ``.parquet`` (columns by name; a column of lists of one length
        becomes two-dimensional; needs pyarrow, or pandas with an engine of its own), ``.json`` (a list of records, or columns by name)
        and ``.jsonl``, ``.ndjson`` (a record a line), whose nested keys are joined by ``/``, or text: ``.csv``, ``.tsv``, ``.txt`` with
        columns separated by commas, semicolons, tabs or blanks, what follows a ``#`` left out, and perhaps a line of names above, which
        may be 0, 1, 2, ... Columns without names are called "1", "2", ...; a first one without a name below names, which counts rows
        from 0, is left out. All that is text may be packed: ``.csv.gz``, ...
    words : bool
        Whether words are allowed in place of numbers, as names of classes. A first line of words is taken for names unless one of
        them occurs again below it.
    missing : bool
        Whether cells may be empty (or ``NA``, ``null``, ``none``), as in tables that several people, or a tracker of experiments, wrote.
        Then a first line that is no row of numbers is one of names, a ``#`` begins a comment only at the beginning of a line, and what is
        neither number nor word (dates, lists) is written as a word.
    content : bytes, optional
        What the file holds, where it was read already; `path` is then a name only, and without a suffix the kind is told from the content.

    Returns
    -------
    dict of str to ndarray
        In the order of the file: real numbers as floats, or as integers where all of a column are written as such, flags as they are,
        and words as strings. A column with empty cells is an array of objects, with None in these.

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

    >>> read_arrays("lines", content=b'{"config": {"width": 64}, "loss": 2.5}')
    {'config/width': array([64]), 'loss': array([2.5])}
    """
    path = arguments.path("path", path)
    kind = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    if content is not None and not kind:
        kind = _kind_of(content)
    if not kind:
        raise DataError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    try:
        if content is None and not path.is_file():
            content = read_bytes(path)  # nothing, a folder, or what does not say how much it holds
        if kind in ARRAYS:
            found = _arrays(path, kind, content)
        elif kind == ".parquet":
            found = _parquet(path, content, missing)
        else:
            lines = _unpacked(path, kind, content)
            plain = kind.removesuffix(".gz") in (".csv", ".tsv", ".txt")
            found = (
                _text(path, lines.splitlines(), words, missing)
                if plain
                else {
                    name: column(f"{path}: {name}", values, missing)
                    for name, values in read_records(f"{path}", lines).items()
                }
            )
    except OSError as failure:
        raise DataError(f"cannot read {path}: {failure.strerror or failure}") from None
    for name, array in found.items():
        letter = array.dtype.kind
        allowed = letter in "iufb" or (words and letter == "U") or (missing and letter == "O")
        if not allowed:
            where = f"{path}: {name}" if name else f"{path}"
            raise DataError(f"{where} must hold real numbers; it holds {_described(array)}")
    if not any(array.size for array in found.values()):
        what = "names of columns, and no row below" if found else "it is empty"
        raise DataError(f"{path} holds no numbers: {what}")
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


def _arrays(path: Path, kind: str, content: bytes | None) -> dict[str, NDArray[Any]]:
    try:
        if kind == ".npz":
            with zipfile.ZipFile(path if content is None else BytesIO(content)) as parts:
                unpacked = sum(part.file_size for part in parts.infolist())
        else:
            unpacked = path.stat().st_size if content is None else len(content)
        afford(unpacked, f"{path}", DOUBT, size=1)
        found = np.load(path if content is None else BytesIO(content), allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"": found}
        with found:
            return {name: found[name] for name in found.files}
    except (OSError, ResourceError):
        raise
    except Exception:  # whatever else a damaged archive, or a header that lies, can raise
        raise DataError(
            f"{path} is no file of plain arrays that NumPy reads: it is damaged, or holds Python objects, which are not loaded"
        ) from None


# -- Parquet ------------------------------------------------------------------------------------------------------------


def _parquet(path: Path, content: bytes | None, missing: bool) -> dict[str, NDArray[Any]]:
    if content is None and not path.is_file():
        raise DataError(f"cannot read {path}: there is no such file")
    source = path if content is None else BytesIO(content)
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        return _parquet_by_pandas(path, source, missing)
    try:
        about = parquet.read_metadata(source)
        unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        afford(2 * unpacked, f"{path}", DOUBT, size=1)
        table = parquet.read_table(source)
        while missing and any(str(kind).startswith("struct") for kind in table.schema.types):
            table = table.flatten()
        _refuse_twice(f"{path}", table.column_names)
        return {
            name: _parquet_column(path, name, table.column(name), missing)
            for name in table.column_names
        }
    except (ValueError, TypeError) as failure:  # errors of pyarrow derive from these
        if isinstance(failure, DataError):
            raise
        raise DataError(f"{path} is no Parquet file that can be read ({_short(failure)})") from None


def _parquet_by_pandas(path: Path, source: Any, missing: bool) -> dict[str, NDArray[Any]]:
    """Read by an engine that pandas has and that is not pyarrow."""
    try:
        frame = import_module("pandas").read_parquet(source)
    except ImportError:
        raise DataError(
            f"{path}: Parquet files need pyarrow, or pandas with an engine, neither of which is installed: pip install pyarrow; "
            "or save the arrays as .npy"
        ) from None
    except Exception as failure:  # of whatever engine
        raise DataError(f"{path} is no Parquet file that can be read ({_short(failure)})") from None
    empty = frame.isna()
    return {
        str(name): column(
            f"{path}: column {name}",
            [
                None if lacks else value
                for value, lacks in zip(frame[name].tolist(), empty[name].tolist(), strict=True)
            ],
            missing,
        )
        for name in frame.columns
    }


def _parquet_column(path: Path, name: str, cells: Any, missing: bool) -> NDArray[Any]:
    where, kind = f"{path}: column {name}", str(cells.type)
    if cells.null_count or "list" in kind:
        return column(where, cells.to_pylist(), missing)
    if kind in ("string", "large_string") or kind.startswith("dictionary"):
        return np.array([str(entry) for entry in cells.to_pylist()])
    found = np.asarray(cells.to_numpy())
    return found.astype(str) if missing and found.dtype.kind not in "iufb" else found


def _short(failure: Exception) -> str:
    return str(failure).splitlines()[0][:_MOST_SHOWN] if str(failure) else type(failure).__name__


# -- columns ------------------------------------------------------------------------------------------------------------


def column(where: str, values: Sequence[Any], missing: bool = False) -> NDArray[Any]:
    """Make an array of Python's numbers, flags, words, or rows of numbers of one length.

    Parameters
    ----------
    where : str
        What holds them, for messages.
    values : sequence
        None stands for nothing.
    missing : bool
        Whether there may be nothing; what is neither number, flag nor word is then written as a word.

    Returns
    -------
    ndarray
        Of integers, floats, flags or strings; of objects where something is missing.

    Raises
    ------
    DataError
        If something is missing that must not be, or rows have different lengths.

    Examples
    --------
    >>> column("loss", [3, 2.5]), column("loss", [3, None], missing=True)
    (array([3. , 2.5]), array([3, None], dtype=object))
    """
    lacking = sum(value is None for value in values)
    if lacking and not missing:
        raise DataError(f"{where} has {lacking} missing values")
    held = [value for value in values if value is not None]
    if held and not missing and all(isinstance(value, (list, np.ndarray)) for value in held):
        rows = [np.asarray(row) for row in held]
        if len({row.shape for row in rows}) > 1:
            raise DataError(f"{where} holds lists of different lengths")
        return np.array(rows)
    flags = all(isinstance(value, (bool, np.bool_)) for value in held)
    if not flags and not all(_is_plain_number(value) for value in held):
        values = [None if value is None else str(value) for value in values]
    if lacking:
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found
    whole = all(isinstance(value, (int, np.integer)) for value in held)
    if held and not flags and all(_is_plain_number(value) for value in values):
        try:
            exact = np.array([float(value) for value in values])
        except OverflowError:
            raise DataError(f"{where} holds a number above 1.8e308") from None
        fits = whole and bool(np.all(np.abs(exact) < _EXACT))
        return exact.astype(np.int64) if fits else exact
    return np.array(values)


def _is_plain_number(value: Any) -> bool:
    numeric = isinstance(value, (int, float, np.integer, np.floating))
    return numeric and not isinstance(value, (bool, np.timedelta64))


# -- text ---------------------------------------------------------------------------------------------------------------


def _kind_of(content: bytes) -> str:
    """Tell from the first bytes what a file without a suffix holds."""
    if content.startswith(_GZIP):
        return ".json.gz" if _opens_json(_gzip_start(content)) else ".csv.gz"
    if content.startswith(_PARQUET):
        return ".parquet"
    return ".json" if _opens_json(content) else ".csv"


def _gzip_start(content: bytes) -> bytes:
    """Unpack the first bytes; nothing of what is damaged."""
    try:
        return zlib.decompressobj(wbits=31).decompress(content, 100)
    except zlib.error:
        return b""


def _opens_json(content: bytes) -> bool:
    return content[:100].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _unpacked(path: Path, kind: str, content: bytes | None) -> str:
    """Return the text of a file."""
    cure = "save the numbers as .npy"
    if content is None:
        afford(path.stat().st_size, f"{path}", cure, size=TEXT_BYTES)
        content = read_bytes(path)
    if kind.endswith(".gz"):
        most = int(affordable(size=TEXT_BYTES))
        try:
            with gzip.open(BytesIO(content)) as stream:
                content = stream.read(most + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise DataError(f"{path} is no gzip file, or damaged") from None
    afford(len(content), f"{path}", cure, size=TEXT_BYTES)
    return decoded(f"{path}", content)


def _text(path: Path, lines: Sequence[str], words: bool, missing: bool) -> dict[str, NDArray[Any]]:
    places: list[int] = []
    rows: list[list[str]] = []
    for place, cells in _cells(path, lines, missing):
        if rows and len(cells) != len(rows[0]):
            raise DataError(
                f"{path}, line {place}: {len(cells)} numbers, where line {places[0]} has {len(rows[0])}",
                row=len(rows),
            )
        places.append(place)
        rows.append(cells)
    if not rows:
        return {}
    names, start = _names(rows, words and not missing)
    if missing and start:
        _refuse_twice(f"{path}", rows[0])
    columns: dict[str, NDArray[Any]] = {}
    for index, name in enumerate(names):
        cells = [row[index] for row in rows[start:]]
        if missing and any(cell.lower() in _EMPTY for cell in cells):
            columns[name] = _with_empty(f"{path}: {name}", cells)
            continue
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


def _with_empty(where: str, cells: list[str]) -> NDArray[Any]:
    held = [cell for cell in cells if cell.lower() not in _EMPTY]
    try:
        values: list[Any] = _numbers(held).tolist() if held else []
    except ValueError:
        values = [*held]
    given = iter(values)
    return column(where, [None if c.lower() in _EMPTY else next(given) for c in cells], True)


def _numbers(cells: list[str]) -> NDArray[Any]:
    found = np.array(list(map(float, cells)))
    if np.all(np.abs(found) < _EXACT) and all(map(_WHOLE.fullmatch, cells)):
        return found.astype(np.int64)
    return found


def _cells(path: Path, lines: Sequence[str], missing: bool) -> Iterator[tuple[int, list[str]]]:
    """Cut the lines that hold something; the first sign between columns that a file uses is its own."""
    full = _full_lines(lines, missing)
    first = next(full, None)
    if first is None:
        return
    separator = next((sign for sign in ";\t," if sign in first[1]), None)
    full = chain([first], full)
    if separator is None:
        yield from ((place, content.split()) for place, content in full)
        return
    place = first[0]

    def fed() -> Iterator[str]:
        nonlocal place
        for place, content in full:  # noqa: B007
            yield content

    # a cell in quotes may go over lines
    read = csv.reader(fed(), delimiter=separator, skipinitialspace=separator != "\t")
    while True:
        try:
            cells = [cell.strip() for cell in next(read)]
        except StopIteration:
            return
        except csv.Error as failure:
            raise DataError(f"{path}, line {place} cannot be read: {failure}") from None
        if any(cells) or not missing:
            yield place, cells


def _full_lines(lines: Sequence[str], missing: bool) -> Iterator[tuple[int, str]]:
    for place, line in enumerate(lines, start=1):
        content = line if missing else line.partition("#")[0].strip()
        if content.strip() and not (missing and content.lstrip().startswith("#")):
            yield place, content


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
        spare = number if number not in first else f"column {number}"
        names.append(cell if cell and cell not in names else spare)
    return names, 1


def _refuse_twice(where: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: {names.count(twice)} columns are called {twice!r}; rename them")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
