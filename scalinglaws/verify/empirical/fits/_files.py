"""Files of fits: arrays in ``.npz``, or text in ``.json``."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from ....arguments import path as checked_path
from ....contents import read_text
from ....errors import DataError, refusal
from ....results import Result

Kept = TypeVar("Kept", bound=Result)


def save_either(fit: Result, path: str | Path) -> Path:
    """Write a fit to a file of the kind that its suffix names."""
    target = checked_path("path", path)
    if target.suffix.lower() not in (".npz", ".json"):
        raise refusal("path", str(target), "must end in .npz or .json")
    if target.suffix.lower() != ".json":
        return Result.save(fit, target)
    fit.to_json(target)
    return target


def from_json_file(kind: type[Kept], path: str | Path) -> Kept | None:
    """Read a fit from a ``.json`` file; None for the name of another file."""
    source = checked_path("path", path)
    if source.suffix.lower() != ".json":
        return None
    text = read_text(source)
    try:
        return kind.from_json(text)
    except DataError as failure:
        raise DataError(f"{path}: {failure}") from failure
