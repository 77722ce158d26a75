"""What checks find, computed once for all processes of one run of the tests."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from scalinglaws import verify
from scalinglaws.verify.registry import registered, select
from scalinglaws.verify.simulate._digits import digits

_PATIENCE = 600.0  # seconds after which a process that took a check over is given up


@contextmanager
def plain_installation() -> Iterator[None]:
    """Without the packages that only extras bring: quick checks are the first that a newcomer runs."""
    hidden = ("sklearn", "sklearn.datasets", "pandas", "pyarrow", "pyarrow.parquet")
    digits.cache_clear()  # it may hold what was read before
    with pytest.MonkeyPatch.context() as patch:
        for name in hidden:
            patch.setitem(sys.modules, name, None)
        yield


@dataclass(frozen=True)
class SharedChecks:
    """A folder of finished checks, each run by the process that asks for it first.

    Attributes
    ----------
    folder : Path
        Where processes of the same run find one another's results.
    """

    folder: Path

    def report(self, names: Sequence[str] | None = None, *, rng: int = 0) -> verify.Report:
        """Return the report of a quick run of checks as they are shipped, all of them by default."""
        if (
            names is None
        ):  # documentation that has been tested in this process may have registered checks of its own
            names = [
                n for n, e in registered().items() if e.function.__module__[:12] == "scalinglaws."
            ]
            names = [n for n in names if registered()[n].effort == "quick"]
        chosen = [entry.name for entry in select(names, "quick")]
        elsewhere = [name for name in chosen if not self._take(name, rng)]
        for name in elsewhere:
            self._wait(name, rng)
        with plain_installation():  # a check that crashed is run again
            return verify.run(chosen, rng=rng, folder=self.folder, resume=True)

    def _take(self, name: str, rng: int) -> bool:
        """Run a check, unless another process runs it or has run it; say whether it is finished."""
        self.folder.mkdir(parents=True, exist_ok=True)
        done = self._mark(name, rng, "done")
        try:
            self._mark(name, rng, "taken").touch(exist_ok=False)
        except FileExistsError:
            return done.exists()
        try:
            with plain_installation() if registered()[name].effort == "quick" else nullcontext():
                verify.run([name], rng=rng, folder=self.folder)
        finally:
            done.touch()
        return True

    def _wait(self, name: str, rng: int) -> None:
        end = time.monotonic() + _PATIENCE
        while not self._mark(name, rng, "done").exists() and time.monotonic() < end:
            time.sleep(0.05)

    def _mark(self, name: str, rng: int, state: str) -> Path:
        return self.folder / f"{name}.{rng}.{state}"
