"""Spectra that people measured, read from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..errors import DataError
from ..files import ARRAYS, SUFFIXES, read_arrays
from .spectra import EmpiricalSpectrum

__all__ = ["SUFFIXES", "load_spectrum"]

_NAMES = ("eigenvalues", "eigenvalue", "lambda", "spectrum", "s")
_SIGNALS = ("signal", "signals", "power")


def load_spectrum(path: str | Path, signal: str | Path | None = None) -> EmpiricalSpectrum:
    r"""Read a spectrum from a file.

    Parameters
    ----------
    path : str or Path
        ``.npy`` with a column of eigenvalues, or with a second one for the signal; ``.npz`` with arrays ``eigenvalues`` and
        perhaps ``signal`` (a single array of any name is taken for the eigenvalues); a table with one or two columns, as
        `scalinglaws.files.read_arrays` reads it: ``.csv``, ``.tsv``, ``.txt``, ``.json``, ``.parquet``.
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
    columns = _columns(arguments.path("path", path))
    eigenvalues = columns[0]
    if signal is not None:
        if len(columns) > 1:
            raise DataError(
                f"{path} has a column for the signal already: leave out signal={signal}"
            )
        more = _columns(arguments.path("signal", signal), names=_SIGNALS)
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
    arrays = read_arrays(path)
    if path.suffix.lower() in ARRAYS:
        return _archive(path, arrays, names)
    if len(arrays) > 2:
        raise DataError(
            f"{path} has {len(arrays)} columns; one column of eigenvalues, or two, eigenvalues and signal, are read"
        )
    return [column for array in arrays.values() for column in _split(path, array)]


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
    if array.dtype.kind == "b":
        raise DataError(f"{path} must hold real numbers; it holds flags")
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
