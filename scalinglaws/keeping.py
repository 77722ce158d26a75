"""Finished work on disk: what a function found is kept under a digest of everything that could change it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import DataError, DomainError, ResourceError, refusal
from .provenance import environment, source_digest
from .results import Result

Kept = TypeVar("Kept", bound=Result)

_FORGOTTEN = 30 * 86400.0  # seconds after which what other versions computed is thrown away


def cache_folder(name: str) -> Path:
    """Return a folder of that name in the user's cache folder; in a temporary folder of the user's own where there is no home.

    Parameters
    ----------
    name : str
        Of what is kept.

    Returns
    -------
    Path
        It may not be there yet.
    """
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path("scalinglaws", appauthor=False)
    except (
        RuntimeError
    ):  # newer versions refuse; older ones would make a folder called ~ wherever one stands
        folder = Path()
    return (folder if folder.is_absolute() else _temporary()) / name


def _temporary() -> Path:
    """Return a folder in which nobody else can write."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"scalinglaws-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
        if stat.S_ISDIR(about.st_mode) and user in ("user", about.st_uid):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="scalinglaws-"))


def fingerprint(function: Callable[..., Any], settings: Any) -> str | None:
    """Return a digest of everything that could change what a function finds, or None if its source cannot be found.

    Parameters
    ----------
    function : callable
        Which computes, by its name; one that is defined elsewhere by its file, too.
    settings : object
        What it is given, as JSON can hold it.

    Returns
    -------
    str or None
        Of these, of the versions of Python and of the numerical packages, and of this package's version and sources.
    """
    own = function.__module__.split(".")[0] == __name__.split(".")[0]
    try:
        foreign = (
            ""
            if own
            else hashlib.sha256(
                Path(inspect.getsourcefile(function) or "").read_bytes()
            ).hexdigest()
        )
    except (OSError, TypeError):
        return None
    machine = {key: value for key, value in environment().items() if key not in ("cpu", "package")}
    jit = os.environ.get("SCALINGLAWS_JIT", "1")
    key = json.dumps([function.__qualname__, settings, foreign, jit, machine], sort_keys=True)
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def kept(kind: type[Kept], path: Path | None) -> Kept | None:
    """Return the result that a file holds; None if it is not there or cannot be read."""
    if path is None:
        return None
    try:
        return kind.load(path)
    except (OSError, DataError, ResourceError):
        return None


def keep(result: Result, path: Path | None) -> None:
    """Write a file, whole or not at all; a folder that cannot be written to is no reason to lose a run."""
    if path is None:
        return
    partial = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            result.save(partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Throw away what other versions left behind a month ago: folders that are named by other sources than today's."""
    with contextlib.suppress(OSError):
        for old in folder.iterdir():
            if (
                old.is_dir()
                and old.name != source_digest()
                and time.time() - old.stat().st_mtime > _FORGOTTEN
            ):
                shutil.rmtree(old, ignore_errors=True)


def importable(function: Any) -> bool:
    """Return whether a function is found by its name, in its module: no lambda, no method of an object, nothing made by a call.

    Examples
    --------
    >>> importable(tidy), importable(lambda x: x)
    (True, False)
    """
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for part in getattr(function, "__qualname__", "<unknown>").split("."):
        found = getattr(found, part, None)
    return found is function and inspect.isfunction(inspect.unwrap(function))


def name_of_call(function: Any) -> str | None:
    """Return a digest of a function, and of the arguments that `functools.partial` has bound to it.

    Parameters
    ----------
    function : callable
        Importable by name, or a partial one of such.

    Returns
    -------
    str or None
        The `fingerprint`; None where the function cannot be found by its name, or its source or an argument cannot be told.
    """
    bound: list[Any] = []
    while isinstance(function, functools.partial):
        try:
            bound.append([token(function.args), token(function.keywords)])
        except DomainError:
            return None
        function = function.func
    if not importable(function):
        return None
    return fingerprint(function, [function.__module__, bound])


def token(value: Any) -> Any:
    """Return what JSON can hold and what differs where values differ: of numbers, words, arrays, records and collections of such.

    Parameters
    ----------
    value : object
        Of one of these kinds; functions that are importable by name, too.

    Returns
    -------
    object
        For ``json.dumps``; an array is replaced by its type, shape and digest.

    Raises
    ------
    DomainError
        If the value is of another kind.

    Examples
    --------
    >>> token((1, 0.5)), token([np.float64(0.5)])
    (['tuple', [1, 0.5]], ['list', [0.5]])
    """
    if isinstance(value, Enum):
        return ["enum", *_kind(value), value.name]
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return token(value.item())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Fraction):
        return ["fraction", str(value)]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return ["array", value.dtype.str, list(value.shape), digest]
    if isinstance(value, (tuple, list)):
        return ["tuple" if isinstance(value, tuple) else "list", [token(part) for part in value]]
    if isinstance(value, Mapping):
        return ["mapping", [[token(key), token(part)] for key, part in value.items()]]
    if is_dataclass(value) and not isinstance(value, type):
        held = [[field.name, token(getattr(value, field.name))] for field in fields(value)]
        return ["record", *_kind(value), held]
    if importable(value) and (found := fingerprint(value, value.__module__)) is not None:
        return ["function", found]
    raise refusal("value", value, "cannot be told from others by what it holds")


def _kind(value: Any) -> tuple[str, str]:
    return type(value).__module__, type(value).__qualname__


def digest_of(value: Any) -> str:
    """Return a short digest of a value's `token`."""
    return hashlib.sha256(json.dumps(token(value)).encode()).hexdigest()[:32]
