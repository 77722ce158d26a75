"""The command line where there is no home, no locale, no room, no compiler, one thread or several: it works, or says why not."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

_LINES = runpy.run_path(str(Path(__file__).with_name("lines.py")))
LONG = 120  # seconds after which something hangs, on the slowest of machines

SWEEP = ["sweep", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=10,20", "--workers", "1"]
VERIFY = ["verify", "patterns.bound", "--workers", "1"]
SOLVE = ["solve", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=1:100", "--json"]
LAW = ["law", "linear.data", "alpha=3/2", "beta=1/2"]
FIT = ["fit", "runs.csv", "--law", "surface", "--bootstrap", "0", "--json"]

_SCRIPT = """
import json, sys
from scalinglaws.cli import run
sys.exit(max(run(line) for line in json.loads(sys.argv[1])))
"""
_EACH = """
for line in json.loads(sys.argv[1]):
    try:
        main([os.fsdecode(word.encode()) for word in line])  # as the system hands them over
    except SystemExit as ended:
        if ended.code:
            raise
"""
_NOBODY = "import pwd\npwd.getpwuid = lambda number: {}[number]\n"


def called(lines, before="", cwd=None, **environment):
    """Run lines in a process of their own, in another environment: None takes a variable out of it."""
    given = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", before + _SCRIPT, json.dumps(lines)],
        env={name: str(value) for name, value in given.items() if value is not None},
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=LONG,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("Läufe и 数据") / "a b"
    made.mkdir()
    _LINES["write_files"](made)
    return made


def told(done):
    """Return what was said on standard error, if it was said in words."""
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception ignored" not in done.stderr
    return done.stderr


# -- homes --------------------------------------------------------------------------------------------------------------

linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")


@linux
@pytest.mark.parametrize("kind", ["nowhere", "a file for a cache"])
def test_a_home_that_nobody_can_write_to(tmp_path, folder, kind):
    (tmp_path / "file").write_text("")
    homes = {
        "nowhere": {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": None},
        "a file for a cache": {"XDG_CACHE_HOME": tmp_path / "file" / "below"},
    }
    picture = [*SOLVE[:-1], "--output", str(tmp_path / "a.png")]
    done = called([SWEEP, VERIFY, picture], cwd=folder, XDG_CONFIG_HOME=None, **homes[kind])
    assert done.returncode == 0, done.stderr
    assert "the points cannot be kept in" in told(done)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@linux
def test_no_home_at_all(tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    done = called(
        [SWEEP, SWEEP, VERIFY],
        _NOBODY,
        cwd=here,
        HOME=None,
        XDG_CACHE_HOME=None,
        TMPDIR=temporary,
    )
    assert done.returncode == 0, done.stderr
    assert told(done) == ""
    assert not [*here.iterdir()]  # no folder called ~
    assert list((temporary / f"scalinglaws-{os.getuid()}" / "sweep").rglob("*.npz"))


def test_folders_with_blanks_and_letters_of_any_alphabet(tmp_path, folder):
    cache = tmp_path / "Zwischen speicher ü"
    lines = [[*SWEEP, "--output", "é 数.csv"], [*FIT[:-1], "--html", "é ü.html"], FIT]
    done = called(lines, cwd=folder, XDG_CACHE_HOME=cache, NUMBA_CACHE_DIR=cache / "n b")
    assert done.returncode == 0, done.stderr
    assert "é 数.csv" in told(done)
    assert (folder / "é 数.csv").read_text(encoding="utf-8").startswith("samples,")
    assert "<html" in (folder / "é ü.html").read_text(encoding="utf-8")
    assert list((cache / "scalinglaws" / "sweep").rglob("*.npz"))


# -- locales ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None},
        {"LC_ALL": None, "LC_CTYPE": None, "LANG": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    ],
    ids=["C", "POSIX"],
)  # fmt: skip
def test_locales_that_know_no_letters_but_the_plainest(folder, locale):
    (folder / "é.csv").write_bytes((folder / "runs.csv").read_bytes())
    lines = [
        LAW,
        ["cite", "linear.data"],
        [FIT[0], "é.csv", *FIT[2:]],
        [*LAW, "--output", "law é.md"],
    ]
    script = "import json, os, sys\nfrom scalinglaws.cli import main\n" + _EACH
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(lines)],
        env={k: v for k, v in {**os.environ, **locale}.items() if v is not None},
        cwd=folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout
    assert (folder / "law é.md").read_text(encoding="utf-8")


# -- terminals ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo terminals")
@pytest.mark.parametrize(
    "terminal", [{"TERM": "dumb", "COLUMNS": "20"}, {"NO_COLOR": "1", "COLUMNS": "20"}], ids=str
)
def test_terminals_of_few_words(folder, terminal):
    lines = [
        ["laws", "samples"],
        LAW,
        SOLVE[:-1],
        VERIFY,
        ["env"],
        [*FIT[:-1]],
        ["simulate", "--list"],
    ]
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, json.dumps(lines)],
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **terminal},
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    shown = seen.decode()
    assert process.wait() == 0, shown
    assert "Traceback" not in shown
    colors = re.findall(r"\x1b\[(?:3[1-7]|9[0-7])m", shown)
    assert not colors


def test_no_streams_at_all(folder):
    line = " ".join([sys.executable, "-m", "scalinglaws", *SOLVE])
    done = subprocess.run(["bash", "-c", f"{line} <&- >&- 2>&-"], cwd=folder, timeout=LONG)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "line", [["solve", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=1:1e4:5000"], SWEEP]
)
def test_a_reader_that_has_seen_enough(folder, line):
    command = " ".join([sys.executable, "-m", "scalinglaws", *line, "--json"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert told(done) == ""


def test_nothing_is_piped_in(folder):
    line = " ".join([sys.executable, "-m", "scalinglaws", "fit", "-"])
    done = subprocess.run(
        ["bash", "-c", f"{line} <&-"], cwd=folder, capture_output=True, text=True, timeout=LONG
    )
    assert done.returncode == 2
    assert told(done).startswith("error: ")


# -- threads and compilers ----------------------------------------------------------------------------------------------

NUMBERS = [
    SOLVE,
    ["solve", "linear.gradient_flow", "alpha=1.5", "beta=0.5", "t=1:1e4", "samples=100", "--json"],
    FIT,
    ["simulate", "percolation", "lattice", "--length", "32", "--samples", "3", "--json"],
    ["adapt", "inputs.npz", "--layers", "3", "--json"],
]


def numbers_of(folder, lines=NUMBERS, **environment):
    done = called(lines, cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numbers_do_not_depend_on_threads(folder):
    one = numbers_of(folder, NUMBA_NUM_THREADS=1, OMP_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1)
    two = numbers_of(folder, NUMBA_NUM_THREADS=2, OMP_NUM_THREADS=2, OPENBLAS_NUM_THREADS=2)
    assert one == two


def test_numbers_do_not_depend_on_the_compiler(folder):
    lines = [NUMBERS[0], NUMBERS[3]]
    found = [numbers_of(folder, lines, SCALINGLAWS_JIT=jit) for jit in ("0", "1")]
    split = [re.split(r"(-?\d+\.\d+(?:e[-+]\d+)?)", text) for text in found]
    assert split[0][::2] == split[1][::2]
    assert [float(x) for x in split[0][1::2]] == pytest.approx(
        [float(x) for x in split[1][1::2]], 1e-12
    )
