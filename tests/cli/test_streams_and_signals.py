"""Commands end when asked to, with the exit code of the signal, and never write a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_COMMAND = [sys.executable, "-m", "scalinglaws"]
_LONG = 120  # seconds after which something hangs, on the slowest of machines


def _start(*arguments, **options):
    return _started([*_COMMAND, *arguments], **options)


def _started(command, **options):
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that starts tests in the background lets them, and their children, ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **options,
    )


def _children(pid):
    """List the living children of a process, as Linux tells."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in found]


def _lives(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def _wait(condition):
    end = time.monotonic() + _LONG
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")


@linux
@pytest.mark.parametrize(
    ("sent", "word", "code"),
    [(signal.SIGTERM, "terminated", 143), (signal.SIGINT, "interrupted", 130)],
)
def test_a_signal_ends_the_workers_and_keeps_what_is_finished(tmp_path, sent, word, code):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    process = _start("verify", "linear", "patterns", "--workers", "2", env=environment)
    try:
        assert _wait(lambda: len(_children(process.pid)) >= 3 or process.poll() is not None)
        assert process.poll() is None
        # workers are told by loky's pipes; one more second lets them begin
        time.sleep(1)
        children = _children(process.pid)
        process.send_signal(sent)
        out, told = process.communicate(timeout=_LONG)
    finally:
        process.kill()
    assert process.returncode == code
    assert f"{word}: " in told
    assert "are finished and kept; run again with --resume" in told
    assert "Traceback" not in told
    assert out == ""
    assert _wait(lambda: not any(map(_lives, children)))


def _watched(process):
    """Tell whether a process has begun to watch for SIGTERM."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return True
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@linux
@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "percolation.threshold", "--workers", "1"),
        ("simulate", "percolation", "lattice", "--length", "4096", "--samples", "1000000"),
        ("simulate", "percolation", "bethe", "--clusters", "1000000", "--smallest", "100000"),
        ("solve", "patterns.log_tail", "n=20000", "s=1.0", "method=importance", "samples=100000", "rng=0"),
    ],
    ids=lambda arguments: "-".join(arguments[:3]),
)  # fmt: skip
def test_an_interrupt_ends_a_long_command(tmp_path, arguments):
    process = _start(*arguments, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)})
    try:
        assert _wait(lambda: _watched(process))
        time.sleep(3)  # it is at work, wherever that is
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=_LONG)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told


_CAUGHT = """
import os, signal
from scalinglaws.cli import app, main

@app.command
def wait():
    exec("os.kill(os.getpid(), signal.SIGINT)", {"os": os, "signal": signal})

main(["wait"])
"""


def test_an_interrupt_of_code_that_is_executed_ends_with_its_own_code(tmp_path):
    (tmp_path / "interrupted.py").write_text(_CAUGHT, encoding="utf-8")
    process = _started([sys.executable, "-m", "interrupted"], cwd=tmp_path)
    _, told = process.communicate(timeout=_LONG)
    assert (process.returncode, told) == (130, "interrupted\n")


_SWALLOWED = """
import os, signal, time
from scalinglaws.cli import _signals, app, main

_signals._SWALLOWED = 0.5

class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

@app.command
def swallow():
    Swallows()
    time.sleep(60)

main(["swallow"])
"""


def test_an_interrupt_that_a_destructor_swallows_is_sent_again(tmp_path):
    (tmp_path / "swallowed.py").write_text(_SWALLOWED, encoding="utf-8")
    process = _started([sys.executable, "-m", "swallowed"], cwd=tmp_path)
    _, told = process.communicate(timeout=_LONG)
    assert process.returncode == 130
    assert told.endswith("\ninterrupted\n")


_SPIN = """
from scalinglaws.cli._signals import watch
from scalinglaws.solvers._jit import njit

@njit
def spin(x):
    while x > 0.0:
        x = 1.0 + 1.0 / x
    return x

spin(-1.0)  # compiled
watch()
print("ready", flush=True)
spin(1.0)
"""


@pytest.mark.skipif(os.environ.get("SCALINGLAWS_JIT") == "0", reason="no kernel is compiled")
@pytest.mark.parametrize(
    ("sent", "word", "code"),
    [(signal.SIGTERM, "terminated", 143), (signal.SIGINT, "interrupted", 130)],
)
def test_a_kernel_that_never_ends_is_ended_by_a_signal(tmp_path, sent, word, code):
    path = tmp_path / "spin.py"
    path.write_text(_SPIN, encoding="utf-8")
    process = _started([sys.executable, str(path)])
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)  # in it, by then
        process.send_signal(sent)
        _, told = process.communicate(timeout=_LONG)
    finally:
        process.kill()
    assert (process.returncode, told) == (code, f"{word}\n")


def _shell(redirected, *arguments):
    quoted = " ".join(map(str, (*_COMMAND, *arguments)))
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {quoted} {redirected}"],
        capture_output=True,
        text=True,
        timeout=_LONG,
    )


@pytest.mark.parametrize(
    ("redirected", "arguments", "code"),
    [
        (">&-", ("laws",), 0),
        (">&- 2>&-", ("laws",), 0),
        ("2>&-", ("law", "nope"), 2),
        (">&-", ("law", "nope"), 2),
        (">&-", ("--help",), 0),
        (">/dev/full", ("laws",), 2),
        (">/dev/full 2>&1", ("laws",), 2),
        ("2>/dev/full", ("law", "nope"), 2),
        ("| head -1", ("laws",), 0),
        ("| head -1", ("cite",), 0),
        ("<&-", ("laws",), 0),
    ],
)
def test_streams_that_are_closed_or_full(redirected, arguments, code):
    if "full" in redirected and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = _shell(redirected, *arguments)
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr
    assert done.returncode == code
    if redirected == "2>&-":
        assert done.stdout == ""  # an error is no answer


def test_names_are_written_in_any_encoding():
    done = subprocess.run(
        [*_COMMAND, "cite"],
        env={**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=_LONG,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_number_of_threads_that_numba_refuses_is_an_error_in_words():
    done = subprocess.run(
        [*_COMMAND, "verify", "linear.statics"],
        env={**os.environ, "NUMBA_NUM_THREADS": "0"},
        capture_output=True,
        text=True,
        timeout=_LONG,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: NUMBA_NUM_THREADS = '0'")
