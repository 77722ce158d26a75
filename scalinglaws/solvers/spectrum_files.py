"""Spectra that people measured, read from files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import affordable
from ..errors import DataError, ResourceError
from .spectra import EmpiricalSpectrum

SUFFIXES = (".csv", ".npy", ".npz", ".txt")
"""Of files that are read."""

_NAMES = ("eigenvalues", "eigenvalue", "lambda", "spectrum", "s")
_SIGNALS = ("signal", "signals", "power")


def load_spectrum(path: str | Path, signal: str | Path | None = None) -> EmpiricalSpectrum:
    r"""Read a spectrum from a file.

    Parameters
    ----------
    path : str or Path
        ``.npy`` with a column of eigenvalues, or with a second one for the signal; ``.npz`` with arrays ``eigenvalues`` and
        perhaps ``signal`` (a single array of any name is taken for the eigenvalues); ``.csv`` or ``.txt`` with one or two
        columns, separated by commas, semicolons or blanks, and perhaps a line of names above them.
    signal : str or Path, optional
        Another such file with one column, the signal; its order is that of the eigenvalues.

    Returns
    -------
    EmpiricalSpectrum
        Mode by mode. Without a signal every mode gets the weight 1, :math:`s_k = \lambda_k`: a white target.

    Raises
    ------
    DataError
        If a file cannot be read, or does not hold one or two columns of numbers. Nothing in a file is executed.
    DomainError
        If a number is not allowed, as an eigenvalue that is not positive.
    ResourceError
        If a file is larger than the memory budget.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savetxt(Path(folder) / "eigenvalues.txt", [1.0, 0.5, 0.25])
    ...     load_spectrum(Path(folder) / "eigenvalues.txt").size
    3.0
    """
    columns = _columns(Path(path))
    eigenvalues = columns[0]
    if signal is not None:
        if len(columns) > 1:
            raise DataError(
                f"{path} has a column for the signal already: leave out signal={signal}"
            )
        more = _columns(Path(signal), names=_SIGNALS)
        if len(more) > 1:
            raise DataError(f"{signal} has {len(more)} columns; a signal is one")
        if more[0].size != eigenvalues.size:
            raise DataError(
                f"{signal} has {more[0].size} numbers, {path} has {eigenvalues.size} eigenvalues"
            )
        return EmpiricalSpectrum(eigenvalues, more[0])
    return EmpiricalSpectrum(eigenvalues, columns[1] if len(columns) > 1 else eigenvalues)


def _columns(path: Path, names: tuple[str, ...] = _NAMES) -> list[NDArray[np.float64]]:
    """Read one or two columns of numbers."""
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size > 8 * affordable():
            raise ResourceError(
                f"{path} is larger than the memory budget; raise SCALINGLAWS_MEMORY"
            )
        found = _text(path) if path.suffix in (".csv", ".txt") else _binary(path, names)
    except OSError as failure:
        raise DataError(f"cannot read {path}: {failure.strerror or failure}") from None
    if found and found[0].size == 0:
        raise DataError(f"{path} holds no numbers")
    return found


def _binary(path: Path, names: tuple[str, ...]) -> list[NDArray[np.float64]]:
    arrays: Any
    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.ndarray):
            with arrays:
                arrays = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise DataError(
            f"{path} is no file of plain arrays that NumPy reads: it is damaged, or holds Python objects, which are not loaded"
        ) from None
    return _split(path, arrays) if isinstance(arrays, np.ndarray) else _archive(path, arrays, names)


def _archive(
    path: Path, arrays: dict[str, Any], names: tuple[str, ...]
) -> list[NDArray[np.float64]]:
    chosen = next((name for name in names if name in arrays), None)
    if chosen is None and len(arrays) == 1:
        chosen = next(iter(arrays))
    if chosen is None:
        raise DataError(
            f"{path} has arrays {', '.join(sorted(arrays)) or 'none'}; name one of them {names[0]}"
        )
    found = _split(path, arrays[chosen])
    other = next((name for name in _SIGNALS if name in arrays and name != chosen), None)
    if other is not None and len(found) == 1:
        signal = _split(path, arrays[other])
        if len(signal) > 1 or signal[0].size != found[0].size:
            raise DataError(f"{path}: {other} must be one column as long as {chosen}")
        found += signal
    return found


def _split(path: Path, array: Any) -> list[NDArray[np.float64]]:
    """Turn an array into columns."""
    if array.dtype.kind not in "iuf":
        raise DataError(f"{path} must hold real numbers; it holds {array.dtype}")
    found = array.astype(float)
    if found.ndim == 1:
        return [found]
    if found.ndim == 2 and found.shape[1] in (1, 2):
        return list(found.T.copy())
    advice = ""
    if found.ndim == 2 and found.shape[0] == found.shape[1]:
        advice = "; of a square matrix give the eigenvalues: numpy.linalg.eigvalsh"
    raise DataError(
        f"{path} has shape {found.shape}; one column of eigenvalues, or two, eigenvalues and signal, are read{advice}"
    )


def _text(path: Path) -> list[NDArray[np.float64]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text") from None
    rows: list[list[float]] = []
    named = False
    for place, line in enumerate(lines, start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        cells = content.replace(",", " ").replace(";", " ").split()
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            if rows or named:
                raise DataError(
                    f"{path}, line {place}: {line.strip()[:60]!r} is no row of numbers",
                    row=len(rows),
                ) from None
            named = True  # a line of names above the numbers
            continue
        if len(row) > 2 or (rows and len(row) != len(rows[0])):
            raise DataError(
                f"{path}, line {place}: {len(row)} numbers; one or two are read in each row, the same everywhere",
                row=len(rows),
            )
        rows.append(row)
    if not rows:
        raise DataError(f"{path} holds no numbers")
    return list(np.array(rows).T.copy())
