"""What a first call costs: import, compilation from an empty cache, and the same call again, for every solver of `scalinglaws solve`.

Run ``python benchmarks/cold.py [SOLVER...]``; about eight minutes of CPU time for all solvers. CPU seconds of whole processes, one
thread: with an empty cache of compiled kernels (where that takes more than the limit, the best of three), with a filled one, and
of a second call in the same process. The arguments are those with which the tests call each solver.

``python benchmarks/cold.py --kernels [NAME...]`` says what it is that was compiled, for solvers or for quick checks of `verify` (all
checks without a name): one row for each kernel, with its own seconds (the kernels and library functions that it calls have rows of
their own), how often it was compiled, and for what first; then one row for each name. Kernels that were compiled more than once are
listed with their signatures.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # what is measured is what lies beside this file

BASELINE = "import numpy, scipy.optimize, numba"
LIMIT = 3.0  # CPU seconds that a first call may take
TRIES = 3

AGAIN = """
import sys, time
from scalinglaws.cli import run
code = run(sys.argv[1:])
start = time.process_time()
code = code or run(sys.argv[1:])
print(time.process_time() - start, file=sys.stderr)
sys.exit(code)
"""


def commands() -> dict[str, list[str]]:
    """Return the arguments of ``scalinglaws`` that call each solver, as the tests do."""
    from scalinglaws.solvers import catalogue

    tests = ast.parse((ROOT / "tests" / "cli" / "test_commands.py").read_text(encoding="utf-8"))
    given: dict[str, list[str]] = next(
        ast.literal_eval(node.value)
        for node in tests.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SOLVE"
    )
    found = {}
    for name in catalogue.available():
        takes = inspect.signature(catalogue.solver(name)).parameters
        task = ["alpha=1.5", "beta=0.5"] if "spectrum" in takes else []
        found[name] = ["solve", name, *task, *given[name], "--json"]
    return found


def cpu(cache: str, *arguments: str) -> tuple[float, str]:
    """Return the CPU seconds of a Python process, and what it wrote to standard error."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "NUMBA_CACHE_DIR": cache,
        "XDG_CACHE_HOME": cache,
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{ended.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended.stderr


def first_call(command: list[str]) -> tuple[float, float, float]:
    """Return the CPU seconds of a process with an empty cache, of one with a filled cache, and of a second call in one process."""
    cold = float("inf")
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="scalinglaws-cold-") as cache:
            cold = min(cold, cpu(cache, "-m", "scalinglaws", *command)[0])
            if cold <= LIMIT:
                warm, wrote = cpu(cache, "-c", AGAIN, *command)
                break
            warm, wrote = cpu(cache, "-c", AGAIN, *command)
    again = float(wrote.split()[-1])
    return cold, warm - again, again


def table(names: list[str]) -> None:
    """Print what first calls cost."""
    known = commands()
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f"no solvers: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="scalinglaws-cold-") as cache:
        base = min(cpu(cache, "-c", BASELINE)[0] for _ in range(TRIES))
        command = min(cpu(cache, "-c", "import scalinglaws.cli")[0] for _ in range(TRIES))
        theories = {name.partition(".")[0] for name in names or known}
        imports = {
            theory: min(
                cpu(cache, "-c", f"import scalinglaws.cli, scalinglaws.solvers.{theory}")[0]
                for _ in range(2)
            )
            for theory in sorted(theories)
        }
    print(
        f"baseline: python -c '{BASELINE}' takes {base:.2f} s; scalinglaws.cli alone {command:.2f} s"
    )
    print("CPU seconds of a process; of a second call in it\n")
    found = {name: first_call(known[name]) for name in names or known}
    print(
        f"{'solver':42s} {'import':>7s} {'cold':>7s} {'ratio':>6s} {'warm':>7s} {'ratio':>6s} {'again':>9s}"
    )
    for name, (cold, warm, again) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(
            f"{name:42s} {imports[name.partition('.')[0]]:7.2f} {cold:7.2f} {cold / base:6.2f} "
            f"{warm:7.2f} {warm / base:6.2f} {again * 1e3:6.0f} ms"
        )
    late = [name for name, (cold, _, _) in found.items() if cold > LIMIT]
    print(f"\n{len(found)} solvers, {len(late)} above {LIMIT:.0f} s: {', '.join(late) or 'none'}")


# -- what is compiled ---------------------------------------------------------------------------------------------------


@dataclass
class Kernel:
    """One function that was compiled, for one or several signatures.

    Attributes
    ----------
    seconds : float
        CPU seconds, without those of the functions that it calls.
    first : str
        The first name that needed it.
    signatures : list of str
        Types of the arguments, once for each compilation.
    """

    seconds: float = 0.0
    first: str = ""
    signatures: list[str] = field(default_factory=list)


class Account:
    """Charges every compilation to the function that is compiled, and not to the one that calls it."""

    def __init__(self) -> None:
        self.kernels: dict[str, Kernel] = defaultdict(Kernel)
        self.running: list[str] = []
        self.name = ""
        self.last = time.process_time()

    def charge(self) -> float:
        """Book the time since the last event."""
        now = time.process_time()
        if self.running:
            self.kernels[self.running[-1]].seconds += now - self.last
        self.last = now
        return now

    def on_start(self, event: Any) -> None:
        """Begin a compilation, inside another or not."""
        self.charge()
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__qualname__}"
        self.running.append(name)
        kernel = self.kernels[name]
        kernel.first = kernel.first or self.name
        kernel.signatures.append(", ".join(str(one) for one in event.data["args"]))

    def on_end(self, event: Any) -> None:
        """End the innermost compilation."""
        self.charge()
        self.running.pop()

    @property
    def total(self) -> float:
        """Seconds of all compilations."""
        return sum(kernel.seconds for kernel in self.kernels.values())


def kernels(names: list[str]) -> None:
    """Call solvers, or run checks, one by one in this process, and print what compilation cost."""
    folder = tempfile.mkdtemp(prefix="scalinglaws-cold-")
    os.environ |= {"NUMBA_CACHE_DIR": folder, "XDG_CACHE_HOME": folder}
    from numba.core import event

    from scalinglaws import verify
    from scalinglaws.cli import run
    from scalinglaws.verify.registry import select

    solvers = commands() if names else {}

    class Listening(Account, event.Listener):
        """Hears of every compilation."""

    account = Listening()
    event.register("numba:compile", account)
    rows = []
    for name in names or [entry.name for entry in select(None, "quick")]:
        account.name, start, before = name, time.process_time(), account.total
        if name in solvers:
            with contextlib.redirect_stdout(io.StringIO()):
                run(solvers[name])
        else:
            verify.run([name])
        rows.append((name, time.process_time() - start, account.total - before))
    found = sorted(account.kernels.items(), key=lambda item: -item[1].seconds)
    ours = {name: kernel for name, kernel in found if name.startswith("scalinglaws.")}
    print(
        f"{account.total:.1f} CPU seconds of compilation: {len(ours)} kernels and "
        f"{len(found) - len(ours)} functions of libraries\n"
    )
    print(f"{'kernel':72s} {'seconds':>7s} {'times':>5s}  first for")
    for name, kernel in found:
        if kernel.seconds >= 0.02:
            print(f"{name:72s} {kernel.seconds:7.2f} {len(kernel.signatures):5d}  {kernel.first}")
    print(f"\n{'name':72s} {'CPU':>7s} {'compile':>7s}")
    for name, taken, compiled in rows:
        print(f"{name:72s} {taken:7.2f} {compiled:7.2f}")
    print("\ncompiled more than once")
    for name, kernel in ours.items():
        if len(kernel.signatures) > 1:
            print(f"  {name}, {kernel.seconds:.2f} s")
            for signature in kernel.signatures:
                print(f"    ({signature})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--kernels", action="store_true", help="what is compiled")
    given = parser.parse_args()
    (kernels if given.kernels else table)(given.names)
