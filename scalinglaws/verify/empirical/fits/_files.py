"""Files of fits: arrays in ``.npz``, or text in ``.json``."""

from __future__ import annotations

from pathlib import Path

from ....arguments import path as checked_path
from ....errors import DataError, refusal
from ....results import Result


def save_either(fit: Result, path: str | Path) -> Path:
    """Write a fit to a file of the kind that its suffix names."""
    target = checked_path("path", path)
    if target.suffix.lower() not in (".npz", ".json"):
        raise refusal("path", str(target), "must end in .npz or .json")
    if target.suffix.lower() != ".json":
        return Result.save(fit, target)
    fit.to_json(target)
    return target


def json_text(path: str | Path) -> str | None:
    """Read what a ``.json`` file holds; None for the name of another file."""
    source = checked_path("path", path)
    if source.suffix.lower() != ".json":
        return None
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as failure:
        raise DataError(f"{path} is no text: {failure}") from failure
