"""Every benchmark, one after the other: a heading, what the program prints, the time it took; and which failed.

Run ``python benchmarks/run.py [NAME...] [--list] [--timeout SECONDS]``. The exit code is 1 if a program failed or ran out of time.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 900.0  # seconds of one program


@dataclass(frozen=True)
class Program:
    """A benchmark.

    Attributes
    ----------
    path : Path
        Its file.
    title : str
        First line of its docstring.
    """

    path: Path
    title: str

    @property
    def name(self) -> str:
        """What it is called by: the file's name without its suffix."""
        return self.path.stem


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    program : Program
        The benchmark.
    seconds : float
        Wall time.
    how : str
        "done", "failed (CODE)" or "out of time".
    """

    program: Program
    seconds: float
    how: str


def programs(folder: Path = FOLDER) -> list[Program]:
    """Return the benchmarks of a folder, by name: all files that do something when they are run, this one aside."""
    found = []
    for path in sorted(folder.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        runs = any(
            isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
            for node in module.body
        )
        if runs and path != Path(__file__).resolve():
            found.append(Program(path, (ast.get_docstring(module) or "").partition("\n")[0]))
    return found


def chosen(names: Sequence[str], known: Sequence[Program]) -> list[Program]:
    """Return the programs of given names, all if there are none.

    Raises
    ------
    SystemExit
        If a name is of no program.
    """
    by_name = {program.name: program for program in known}
    missing = [name for name in names if name.removesuffix(".py") not in by_name]
    if missing:
        raise SystemExit(f"no benchmarks: {', '.join(missing)}; there are {', '.join(by_name)}")
    return [by_name[name.removesuffix(".py")] for name in names] or list(known)


def run(program: Program, timeout: float) -> Ended:
    """Run a program to its end, or stop it and all that it started."""
    print(f"\n== {program.name}: {program.title}\n", flush=True)
    paths = [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(program.path)], env=environment, start_new_session=True
    )
    try:
        code = process.wait(timeout)
        how = "done" if code == 0 else f"failed ({code})"
    except subprocess.TimeoutExpired:
        how = "out of time"
    finally:
        if process.poll() is None:  # an interrupt comes here too
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    seconds = time.perf_counter() - start
    print(f"\n-- {program.name}: {how}, {seconds:.0f} s", flush=True)
    return Ended(program, seconds, how)


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Run benchmarks and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all without a name")
    parser.add_argument("--list", action="store_true", help="list them")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds of one program")
    given = parser.parse_args(arguments)
    wanted = chosen(given.names, programs(folder))
    if given.list:
        for program in wanted:
            print(f"{program.name:26s} {program.title}")
        return 0
    ended = [run(program, given.timeout) for program in wanted]
    print(f"\n== {len(ended)} benchmarks in {sum(one.seconds for one in ended) / 60:.1f} minutes\n")
    for one in ended:
        print(f"{one.program.name:26s} {one.seconds:6.0f} s  {one.how}")
    return int(any(one.how != "done" for one in ended))


if __name__ == "__main__":
    sys.exit(main())
