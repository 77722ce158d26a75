"""What the kernels of a quick `scalinglaws verify` cost to compile, from an empty cache.

Run ``python benchmarks/compilation.py [CHECK...]``: one row for each kernel, with its own seconds (the kernels and library
functions that it calls have rows of their own), how often it was compiled, and for which check first; then one row for each check.
Kernels that were compiled more than once are listed with their signatures.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="scalinglaws-compilation-")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="scalinglaws-compilation-")

from numba.core import event

from scalinglaws import verify
from scalinglaws.verify.registry import select


@dataclass
class Kernel:
    """One function that was compiled, for one or several signatures.

    Attributes
    ----------
    seconds : float
        CPU seconds, without those of the functions that it calls.
    check : str
        The first check that needed it.
    signatures : list of str
        Types of the arguments, once for each compilation.
    """

    seconds: float = 0.0
    check: str = ""
    signatures: list[str] = field(default_factory=list)


class Account(event.Listener):  # type: ignore[misc]
    """Charges every compilation to the function that is compiled, and not to the one that calls it."""

    def __init__(self) -> None:
        self.kernels: dict[str, Kernel] = defaultdict(Kernel)
        self.running: list[str] = []
        self.check = ""
        self.last = time.process_time()

    def charge(self) -> None:
        """Book the time since the last event."""
        now = time.process_time()
        if self.running:
            self.kernels[self.running[-1]].seconds += now - self.last
        self.last = now

    def on_start(self, event: Any) -> None:
        """Begin a compilation, inside another or not."""
        self.charge()
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__qualname__}"
        self.running.append(name)
        kernel = self.kernels[name]
        kernel.check = kernel.check or self.check
        kernel.signatures.append(", ".join(str(one) for one in event.data["args"]))

    def on_end(self, event: Any) -> None:
        """End the innermost compilation."""
        self.charge()
        self.running.pop()


def main(names: list[str]) -> None:
    """Run checks one by one in this process, and print what compilation cost."""
    account = Account()
    event.register("numba:compile", account)
    checks = []
    for entry in select(names or None, "quick"):
        account.check = entry.name
        start = time.process_time()
        found = verify.run([entry.name])
        checks.append((entry.name, time.process_time() - start, found.environment["compile_s"]))
    kernels = sorted(account.kernels.items(), key=lambda item: -item[1].seconds)
    total = sum(kernel.seconds for _, kernel in kernels)
    ours = {name: kernel for name, kernel in kernels if name.startswith("scalinglaws.")}
    print(
        f"{total:.1f} CPU seconds of compilation: {len(ours)} kernels and "
        f"{len(kernels) - len(ours)} functions of libraries\n"
    )
    print(f"{'kernel':72s} {'seconds':>7s} {'times':>5s}  first for")
    for name, kernel in kernels:
        if kernel.seconds >= 0.05:
            print(f"{name:72s} {kernel.seconds:7.2f} {len(kernel.signatures):5d}  {kernel.check}")
    print(f"\n{'check':72s} {'CPU':>7s} {'compile':>7s}")
    for name, cpu, compiled in checks:
        print(f"{name:72s} {cpu:7.2f} {compiled:7.2f}")
    print("\ncompiled more than once")
    for name, kernel in ours.items():
        if len(kernel.signatures) > 1:
            print(f"  {name}, {kernel.seconds:.2f} s")
            for signature in kernel.signatures:
                print(f"    ({signature})")


if __name__ == "__main__":
    main(sys.argv[1:])
