"""Every option and every file of every command, spoiled: a short error that says of what, or a sane answer."""

import gzip
import inspect
import io
import re
import runpy
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from scalinglaws.cli import app, run
from scalinglaws.verify import empirical

_LINES = runpy.run_path(str(Path(__file__).with_name("lines.py")))
LINES = _LINES["LINES"]
HOSTILE = runpy.run_path(str(Path(__file__).parents[1] / "hostile.py"))
LONGEST = 700  # characters of an error, without names set in columns


COMMANDS = {" ".join(words): function for words, function in HOSTILE["commands"](app)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    _LINES["write_files"](made)
    fit = empirical.fit("surface", made / "runs.csv", bootstrap=3)
    fit.save(made / "fit.npz")
    fit.save(made / "fit.json")
    k = np.arange(1.0, 20)
    np.savetxt(made / "spectrum.csv", np.c_[k**-1.5, k**-2], delimiter=",")
    np.save(made / "spectrum.npy", k**-1.5)
    return made


@pytest.fixture(autouse=True)
def _here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "2e8")


def ran(line):
    """Run a line; return its exit code, what it said, and what it complained of."""
    out, err = io.StringIO(), io.StringIO()
    with HOSTILE["bounded"](), redirect_stdout(out), redirect_stderr(err):
        code = run(line)
    return code, out.getvalue(), err.getvalue()


def complaint(line, code, out, err):
    """Say what is wrong with how a line ended; nothing is an empty text."""
    if code not in (0, 1, 2):
        return f"exits with {code}"
    if (
        re.search(r"\bnan\b", out, re.IGNORECASE) and line[0] != "laws"
    ):  # which repeats what it sought
        return "answers with NaN"
    words = "".join(said for said in err.splitlines() if not said.startswith("  "))
    if code == 2 and not (err.startswith("error: ") and len(words) < LONGEST):
        return f"says {err!r}"
    return "says what the system calls it" if "Errno" in err else ""


# -- options ------------------------------------------------------------------------------------------------------------

TOKENS = ("nan", "\x00", "99999999999999999999")
ALSO = {
    "labels": "suffix",
    "length": "variable",
    "params": "tokens",
    "predict": ("schedule", "cannot read", "suffix"),
    "readout_variance": "ridge",
    "reference": ("recipe", ".npz"),
    "scale": ("symbol", "iteration"),
    "shape": "--shape",
    "tokens": "params",
    "weight_variance": "ridge",
}
"""What else messages call arguments."""
KINDS = re.compile(
    r"unknown (argument|check|column|figure|law|parameter|quantity|schedule|solver|symbol)|must be a path"
    r"|form name=value|which law"
)
"""What messages call values whatever the argument."""


def options(function):
    """Yield arguments of a command: its name, and the option that gives it, or none for what has a place."""
    for hints, entries in _signatures(function):
        for entry in entries:
            extras = getattr(hints[entry.name], "__metadata__", ())
            named = [name for extra in extras if (name := getattr(extra, "name", None))]
            default = getattr(entry, "default", None)
            if isinstance(default, bool) or is_dataclass(default):
                continue
            placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
            if getattr(entry, "kind", None) in placed:
                yield entry.name, None
            else:
                first = named[0] if named else f"--{entry.name.replace('_', '-')}"
                yield entry.name, first if isinstance(first, str) else first[0]


def _signatures(function):
    entries = list(inspect.signature(function).parameters.values())
    yield get_type_hints(function, include_extras=True), entries
    for entry in entries:
        if is_dataclass(entry.default):
            kind = type(entry.default)
            yield get_type_hints(kind, include_extras=True), fields(kind)


def spoiled(words, name, option, token, place):
    """Return a line in which one argument is another."""
    line = list(LINES[words])
    if option in line:
        line[line.index(option) + 1] = token
    elif option is not None:
        line += [option, token]
    else:
        at = len(words.split()) + place
        given = at < len(line) and not line[at].startswith("--") and name != "values"
        line[at : at + given] = [token] if given or name != "values" else [token, *line[at:]]
        if name == "values":
            line = [*LINES[words], token]
    return line


def test_every_command_has_a_line():
    assert set(LINES) == set(COMMANDS)


@pytest.mark.parametrize("words", LINES)
def test_the_line_does(words):
    code, out, err = ran(list(LINES[words]))
    assert code == 0, err
    assert out


@pytest.mark.parametrize("words", LINES)
def test_spoiled_options(words):
    faults, place = [], 0
    for name, option in options(COMMANDS[words]):
        for token in TOKENS:
            line = spoiled(words, name, option, token, place)
            code, out, err = ran(line)
            wrong = complaint(line, code, out, err)
            if code == 2 and not wrong:
                also = ALSO.get(name, ())
                known = (
                    name,
                    name.replace("_", "-"),
                    *((also,) if isinstance(also, str) else also),
                )
                told = any(word in err for word in known) or KINDS.search(err)
                if not (told or (option is None and token in err)):
                    wrong = f"does not name {name}: {err}"
            if wrong:
                faults.append((line, wrong))
        place += option is None
    assert not faults


def test_numbers_of_hundreds_of_digits_are_not_repeated():
    code, _, err = ran(["simulate", "percolation", "lattice", "--samples", "1e300"])
    assert code == 2
    assert "1e300 is beyond 2^53" in err


# -- files --------------------------------------------------------------------------------------------------------------

USES = [
    (("measure", "FILE"), "spectrum.npz"),
    (("adapt", "FILE", "--layers", "3", "--activation", "linear"), "inputs.npz"),
    (("adapt", "inputs.npz", "--predict", "FILE", "--layers", "3", "--activation", "linear"), "spectrum.csv"),
    (("complexity", "FILE"), "weights.npz"),
    (("complexity", "weights.npz", "--reference", "FILE"), "weights.npz"),
    (("curves", "FILE", "--law", "momentum", "--holdout", "none"), "curves.csv"),
    (("curves", "curves.csv", "--law", "momentum", "--holdout", "none", "--predict", "FILE"), "curves.csv"),
    (("design", "FILE", "--budget", "1e22", "--target", "1e24", "--max-runs", "6"), "fit.json"),
    (("fit", "FILE", "--law", "surface", "--bootstrap", "0"), "runs.csv"),
    (("fit", "FILE"), "fit.json"),
    (("learnability", "FILE", "--kernel", "rbf"), "inputs.npz"),
    (("plan", "FILE", "--compute", "1e22"), "fit.npz"),
    (("recipes", "FILE", "--reference", "a", "--bootstrap", "0"), "recipes.csv"),
    (("report", "FILE"), "report.json"),
    (("schedule", "spectrum=FILE", "steps=10", "linear"), "spectrum.csv"),
    (("solve", "linear.ridge", "spectrum=FILE", "samples=10"), "spectrum.npy"),
    (("sweep", "linear.ridge", "spectrum=FILE", "samples=10,20", "--workers", "1", "--fresh"), "spectrum.csv"),
    (("task", "FILE", "--bootstrap", "0"), "tasks.csv"),
]  # fmt: skip
"""Lines that read a file, and a good one."""

ARGUMENTS = {"data", "file", "fit", "path", "reference"}
"""Names of arguments that may be files."""


def test_every_command_that_reads_a_file_is_tried():
    read = {
        words
        for words, function in COMMANDS.items()
        for name, entry in inspect.signature(function).parameters.items()
        if name in ARGUMENTS and entry.kind is entry.POSITIONAL_ONLY
    }
    assert read <= {line[0] for line, _ in USES}


def broken(good):
    """Return contents that no command can read."""
    return {
        "empty": b"",
        "blank": b"\n\n  \n",
        "binary": bytes(range(256)) * 8,
        "UTF-16": good.decode("latin1").encode("utf-16"),
        "no UTF-8": b"\xe9" + good,
        "nested": b"[" * 100_000,
        "pickled": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "packed": gzip.compress(good),
        "long cell": b"params,tokens,loss\n" + b"9" * 200_000 + b",1,1\n",
    }


def damaged(good):
    """Return contents that may be good for something."""
    rows = [line for line in good.split(b"\n") if line]
    found = {
        "NUL": good[:50] + b"\0" + good[50:],
        "half": good[: len(good) // 2],
        "twice": good + good,
        "NaN": good.replace(b"1", b"nan", 3),
        "Infinity": b'[{"loss": NaN, "params": Infinity, "tokens": 1}]',
        "huge": good.replace(b"1", b"1e999", 3),
        "long number": b'[{"loss": ' + b"1" * 5000 + b"}]",
        "column twice": b"\n".join(row.split(b",")[0] + b"," + row for row in rows),
        "names only": rows[0] + b"\n",
        "one row": b"\n".join(rows[:2]),
        "quotes": b'"' * 999,
    }
    source = np.random.default_rng(0)
    for i in range(5):
        bits = bytearray(good)
        for place in source.integers(0, len(bits), 3):
            bits[place] = source.integers(256)
        found[f"{i} bytes"] = bytes(bits)
    return found


def with_file(line, file):
    return [word.replace("FILE", file) for word in line]


@pytest.mark.parametrize(
    ("line", "good"), USES, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_spoiled_files(line, good, folder):
    faults, suffix = [], Path(good).suffix
    content = (folder / good).read_bytes()
    spoiled = folder / f"spoiled{suffix}"
    for kinds, refused in ((broken(content), True), (damaged(content), False)):
        for kind, held in kinds.items():
            spoiled.write_bytes(held)
            given = with_file(line, spoiled.name)
            code, out, err = ran(given)
            wrong = complaint(given, code, out, err)
            if not wrong and refused and (code != 2 or "spoiled" not in err):
                wrong = f"is not refused by name: {code} {err}"
            if wrong:
                faults.append((kind, wrong))
    assert not faults


@pytest.mark.parametrize(
    ("line", "good"), USES, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_what_is_no_file(line, good, folder):
    suffix, faults = Path(good).suffix, []
    (folder / f"folder{suffix}").mkdir(exist_ok=True)
    names = ["nowhere", "folder", "runs.csv/below", "n" * 300]
    for name in [*(f"{name}{suffix}" for name in names), "/proc/self/mem", "/dev/full"]:
        if name.startswith("/") and not Path(name).exists():
            continue
        given = with_file(line, name)
        code, out, err = ran(given)
        wrong = complaint(given, code, out, err) or ("is taken" if code != 2 else "")
        if wrong:
            faults.append((name, wrong))
    assert not faults


@pytest.mark.parametrize("good", ["runs.csv", "report.json", "fit.json"])
def test_marks_of_the_byte_order_and_ends_of_lines_do_not_matter(good, folder):
    line = (
        ["report", "FILE"]
        if good == "report.json"
        else ["fit", "FILE", "--bootstrap", "0", "--json"]
    )
    content, suffix = (folder / good).read_bytes(), Path(good).suffix
    spoiled = folder / f"same{suffix}"
    said = []
    for held in (
        content,
        b"\xef\xbb\xbf" + content,
        content.replace(b"\n", b"\r\n"),
    ):
        spoiled.write_bytes(held)
        said.append(ran(with_file(line, spoiled.name)))
    assert said[0][0] in (0, 1)
    known = [re.sub(r'"sha256": "\w+"', "", out) for _, out, _ in said]
    assert known[0] == known[1] == known[2]


def test_a_file_name_that_is_no_text_can_be_written_about(folder):
    name = b"\xff.csv".decode("utf-8", "surrogateescape")
    (folder / name).write_bytes((folder / "curves.csv").read_bytes())
    line = ["curves", name, "--law", "momentum", "--holdout", "none", "--output", "about.txt"]
    code, _, err = ran(line)
    assert code == 0, err
    assert (folder / "about.txt").read_text(encoding="utf-8")
