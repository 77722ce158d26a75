"""Finished work, kept on disk so that an interrupted run can go on where it stopped: whole checks, and points of long ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..keeping import cache_folder, fingerprint, keep, kept, tidy
from ..provenance import source_digest
from ..reprs import short_repr
from ..results import Result
from .comparison import Comparison, Crash


@dataclass(frozen=True)
class Finished(Result):
    """What one check found, and how long it took.

    Attributes
    ----------
    comparisons : tuple of Comparison
        All it made.
    run_s, compile_s : float
        Seconds of work and of compilation.
    crashes : tuple of Crash
        Why it could not go on, if it could not.
    """

    comparisons: tuple[Comparison, ...]
    run_s: float
    compile_s: float
    crashes: tuple[Crash, ...] = ()

    @classmethod
    def _from_saved(cls, fields: dict[str, Any]) -> Finished:
        """Build what was saved; version 0.1.0 kept crashes among the comparisons."""
        entries = (*fields.pop("comparisons"), *fields.pop("crashes", ()))
        return cls(
            comparisons=tuple(entry for entry in entries if isinstance(entry, Comparison)),
            crashes=tuple(entry for entry in entries if isinstance(entry, Crash)),
            **fields,
        )


def default_folder() -> Path:
    """Return the folder in which finished checks are kept: ``verify`` in the user's cache folder."""
    return cache_folder("verify")


@short_repr
@dataclass(frozen=True)
class FinishedChecks:
    """A folder of finished checks, one file for each, found again only if everything that could change a number is the same.

    Attributes
    ----------
    folder : Path
        Where it is.
    """

    folder: Path

    def path(self, name: str, function: Callable[..., Any], effort: str, root: int) -> Path | None:
        """Return the file of a check, or None if the check's own source cannot be found.

        The file's name is the `fingerprint` of the check, the effort and the root of all random streams; its folder is named by
        this package's sources.
        """
        key = fingerprint(function, [name, effort, root])
        return None if key is None else self.folder / source_digest() / f"{key}.npz"

    def read(self, path: Path | None) -> Finished | None:
        """Return what a file holds; None if it is not there or cannot be read."""
        return kept(Finished, path)

    def write(self, path: Path | None, finished: Finished) -> None:
        """Write a file, whole or not at all; what crashed is not kept."""
        if not finished.crashes:
            keep(finished, path)

    def pieces(self, path: Path | None, *, resume: bool) -> Path | None:
        """Return the folder in which the check of a file keeps its own finished work, emptied unless a run is resumed."""
        if path is None:
            return None
        folder = path.with_suffix("")
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        return folder

    def tidy(self) -> None:
        """Throw away what other versions left behind a month ago."""
        tidy(self.folder)
