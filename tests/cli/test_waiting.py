"""Every command says on a terminal what takes it so long, and nothing in a pipe."""

import functools
import io
import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scalinglaws import sweep
from scalinglaws.cli import _waiting, app, run

_LINES = runpy.run_path(str(Path(__file__).with_name("lines.py")))
LINES = _LINES["LINES"]
BARS = ("explore", "figures", "sweep", "verify")
"""Commands that know how far they are."""
CLEARED = "\x1b[2K"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    _LINES["write_files"](made)
    return made


@pytest.fixture(autouse=True)
def _here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))


class Terminal(io.StringIO):
    """A stream that says it is one."""

    encoding = "utf-8"

    def isatty(self):
        return True


def command(words):
    found = app
    for word in words.split():
        found = found[word]
    return found


@pytest.mark.parametrize("words", LINES)
def test_every_command_says_what_takes_long(words, monkeypatch):
    chosen = command(words)
    function = chosen.default_command

    @functools.wraps(function)
    def slow(*given, **named):
        time.sleep(0.3)
        return function(*given, **named)

    monkeypatch.setattr(chosen, "default_command", slow)
    monkeypatch.setattr(_waiting, "PATIENCE", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    out, err = io.StringIO(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    code = run(list(LINES[words]))
    monkeypatch.undo()
    assert code == 0
    said = err.getvalue()
    assert words in said
    assert "0:00:0" in said
    assert CLEARED in said  # it is taken away again
    assert out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert _waiting._line is None
    if words in BARS:
        assert re.search(r"\d+/\d+", said)


@pytest.mark.parametrize("words", LINES)
def test_every_command_is_quiet_in_a_pipe(words, monkeypatch, capsys):
    monkeypatch.setattr(_waiting, "PATIENCE", 0.0)
    assert run(list(LINES[words])) == 0
    told = capsys.readouterr()
    assert told.out
    assert [line for line in told.err.splitlines() if not line.startswith("wrote ")] == []


def test_what_is_written_meanwhile_stands_on_lines_of_its_own(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(_waiting, "PATIENCE", 0.05)
    monkeypatch.setattr(sys, "stderr", terminal)
    with _waiting.waiting("something"):
        time.sleep(0.2)
        before = terminal.getvalue()
        print("a warning", file=sys.stderr)
        after = terminal.getvalue().removeprefix(before)
        time.sleep(0.2)  # silent again
        again = terminal.getvalue().removeprefix(before + after)
        with _waiting.waiting("a  part\nof it"):
            time.sleep(0.2)
        with _waiting.aside():
            time.sleep(0.1)
            quiet = terminal.getvalue()
            time.sleep(0.2)
            assert terminal.getvalue() == quiet
    assert "something" in before
    cleared, _, rest = after.partition("a warning\n")
    assert CLEARED in cleared
    assert not rest
    assert "something" in again
    assert "a part of it" in terminal.getvalue()
    assert sys.stderr is terminal


def test_a_sweep_in_python_shows_a_bar_with_the_time_left(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    sweep.run(abs, [{"x": 1.0}], cache=False, on_failure="return")
    monkeypatch.undo()
    assert "1/1" in terminal.getvalue()
    assert "left" in terminal.getvalue()


_SLOW = """
import time
from scalinglaws.cli import _waiting, app, main

@app.command
def slow():
    time.sleep(0.5)
    print("the answer: é")

_waiting.PATIENCE = 0.05
main(["slow"])
"""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo terminals")
@pytest.mark.parametrize("piped", [True, False])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_pseudo_terminal(tmp_path, piped, term):
    (tmp_path / "slow.py").write_text(_SLOW, encoding="utf-8")
    ours, theirs = os.openpty()
    done = subprocess.Popen(
        [sys.executable, str(tmp_path / "slow.py")],
        env={**os.environ, "TERM": term, "COLUMNS": "20", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if piped else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    answer = done.stdout.read().decode() if piped else ""
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.wait() == 0
    shown = seen.decode()
    assert ("0:00:0" in shown) == (term == "xterm")
    assert (answer if piped else shown.replace("\r", "")).endswith("the answer: é\n")
    assert ("\x1b[?25l" in shown) == ("\x1b[?25h" in shown)  # the cursor is there again
