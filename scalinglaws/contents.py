"""What files hold, as bytes or text: no more than the memory budget allows, whatever a file says of its size."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from .arguments import afford
from .errors import DataError

TEXT_BYTES = 32
"""Bytes of memory for a byte of text: a digit and a comma become a Python float in a list."""
DOUBT = "see whether it is the file you mean"
"""What to do about a file that is too large."""

_AT_ONCE = 1 << 20  # bytes


def read_bytes(path: str | Path) -> bytes:
    r"""Read a file that fits into the memory budget.

    Parameters
    ----------
    path : str or Path
        A file; or a pipe or a device, which do not say how much they hold, and are read as text would be: up to a 32nd of the budget.

    Returns
    -------
    bytes
        What it holds.

    Raises
    ------
    ResourceError
        If it holds more, which is found out before it is read, or while it is.
    OSError
        If it is not there, or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "table.csv"
    ...     _ = path.write_text("1,2\n")
    ...     read_bytes(path)
    b'1,2\n'
    """
    with Path(path).open("rb") as stream:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            afford(os.fstat(stream.fileno()).st_size, f"{path}", DOUBT, size=1)
            return read_stream(stream, f"{path}", size=1)
        return read_stream(stream, f"{path}")


def read_stream(stream: Any, where: str, *, size: int = TEXT_BYTES) -> bytes:
    """Read all that a stream of bytes holds, as long as the budget lasts; a byte takes `size` bytes of memory."""
    parts, held = [], 0
    while part := stream.read(_AT_ONCE):
        held += len(part)
        afford(held, where, DOUBT, size=size)
        parts.append(part)
    return b"".join(parts)


def read_text(path: str | Path) -> str:
    """Read a file of text that fits into the memory budget; refuse what is no text in UTF-8."""
    return decoded(f"{path}", read_bytes(path))


def decoded(where: str, content: bytes) -> str:
    """Return bytes as text, without the mark of the byte order that some editors put before it; refuse what is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise DataError(
            f"{where} is no text in UTF-8 (from byte {failure.start} on); save it as UTF-8"
        ) from None
