"""Machine code kept on disk, as Numba keeps it, with a seal: what cannot be read, or is not what was written, is made anew."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import pickle
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import caching

_FunctionCache: Any = caching.FunctionCache
_IndexDataCacheFile: Any = caching.IndexDataCacheFile
_told: set[str] = set()


def import_source(text: str, name: str) -> dict[str, Any]:
    """Run source that was generated, from a file in the cache folder: only functions that have one are kept there as machine code.

    Parameters
    ----------
    text : str
        Python, made by this package. It is this text that is run, never what the file holds.
    name : str
        Of the module, whose file is also named by the text's digest.

    Returns
    -------
    dict
        What the module defines.
    """
    module = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if module in sys.modules:
        return vars(sys.modules[module])
    file = f"<{module}>"
    with contextlib.suppress(RuntimeError, OSError):  # no folder: then nothing is kept
        folder = Path(KernelCache(import_source)._cache_path) / "generated"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{module}.py"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(text, encoding="utf-8")
            part.replace(path)  # at once: other processes may read it
        file = str(path)
    found = types.ModuleType(module)
    found.__file__ = file
    sys.modules[module] = found  # where Numba looks for it
    exec(compile(text, file, "exec"), vars(found))
    return vars(found)


class KernelCache(_FunctionCache):  # type: ignore[misc]
    """Numba's cache of a kernel, of which no file can make a computation fail.

    Parameters
    ----------
    function : callable
        The kernel in Python.

    Raises
    ------
    RuntimeError
        If there is no folder that can be written.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._stamp = ("sealed, unlocked", self._impl.locator.get_source_stamp())
        self._cache_file = self._files("")

    def form(self, suffix: str) -> KernelCache:
        """Return the cache of the same function compiled in another way, in files whose names differ by a suffix."""
        found = copy.copy(self)
        found._cache_file = self._files(suffix)
        return found

    def _files(self, suffix: str) -> _SealedFiles:
        return _SealedFiles(self._cache_path, self._impl.filename_base + suffix, self._stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature, or None if there is none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as failure:  # whatever else a file can hold
            if self._cache_path not in _told:
                _told.add(self._cache_path)
                warnings.warn(
                    f"compiled kernels in {self._cache_path} cannot be read "
                    f"({type(failure).__name__}: {failure}); they are thrown away and compiled again",
                    stacklevel=2,
                )
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel; a folder that is full, or spoiled, is no reason to lose a computation."""
        try:
            super().save_overload(sig, data)
        except (OSError, EOFError, ValueError, TypeError, LookupError, pickle.PickleError):
            self.disable()


class _SealedFiles(_IndexDataCacheFile):  # type: ignore[misc]
    """Files of machine code that begin with the digest of the rest: a changed byte would otherwise be run."""

    def _save_data(self, name: str, data: Any) -> None:
        payload = self._dump(data)
        super()._save_data(name, (hashlib.sha256(payload).digest(), payload))

    def _load_data(self, name: str) -> Any:
        digest, payload = super()._load_data(name)
        if hashlib.sha256(payload).digest() != digest:
            raise ValueError(f"{name} is not what was written")
        return pickle.loads(payload)
