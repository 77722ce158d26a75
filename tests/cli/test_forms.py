"""In which form commands show what they found: LaTeX everywhere, Unicode on terminals, plain text in pipes."""

import contextlib
import io
import json

import pytest

from scalinglaws import typesetting
from scalinglaws.cli import run

ALLOCATE = ("allocate", "A*N**-a + B*D**-b", "--budget", "6*N*D=C", "a=1/3", "b=2/5")
TABLES = {
    "laws": ("laws", "percolation"),
    "law": ("law", "linear.model", "alpha=3/2", "beta=1/2"),
    "explain": ("law", "linear.time", "--explain"),
    "derive": ("derive", "linear.time"),
    "compare": ("compare", "linear.time", "feature_learning.time"),
    "allocate": ALLOCATE,
    "solve": ("solve", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=1e2:1e4"),
    "verify": ("verify", "linear.data.saturated", "--workers", "1"),
    "env": ("env",),
    "patterns": ("patterns", "fcn", "--widths", "1"),
    "simulate": (
        "simulate",
        "percolation",
        "bethe",
        "--clusters",
        "50",
        "--largest",
        "200",
        "--smallest",
        "10",
    ),
}


def _call(capsys, *arguments):
    code = run(arguments)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("name", TABLES)
def test_every_command_writes_latex(capsys, tmp_path, name):
    code, printed, _ = _call(capsys, *TABLES[name], "--latex")
    assert code == 0
    assert r"\documentclass" not in printed
    assert "\\" in printed
    file = tmp_path / "x.tex"
    code, out, err = _call(capsys, *TABLES[name], "--output", str(file))
    assert code == 0
    assert out == ""
    assert f"wrote {file}" in err
    text = file.read_text(encoding="utf-8")
    assert text.startswith(r"\documentclass")
    assert text.rstrip().endswith(r"\end{document}")
    assert all(package in text for package in typesetting.PACKAGES)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


@pytest.mark.parametrize("suffix", [".json", ".md", ".txt", ".csv", ".png", ".svg"])
def test_what_was_written_is_said_on_standard_error(capsys, tmp_path, suffix):
    file = tmp_path / f"x{suffix}"
    _, out, err = _call(capsys, *TABLES["solve"], "--output", str(file))
    assert out == ""
    assert f"wrote {file}\n" in err


def test_data_on_standard_output_stays_data(capsys, tmp_path):
    file = tmp_path / "x.md"
    _, out, err = _call(capsys, *TABLES["laws"], "--json", "--output", str(file))
    assert json.loads(out)
    assert err == f"wrote {file}\n"


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that runs a command on a terminal of 80 columns and returns what it shows."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    def shown(*arguments):
        screen = _Terminal()
        with contextlib.redirect_stdout(screen):
            assert run(arguments) == 0
        return screen.getvalue()

    return shown


@pytest.mark.parametrize("name", ["law", "derive", "compare", "allocate"])
def test_formulas_are_readable_on_a_terminal_of_80_columns(terminal, name):
    shown = terminal(*TABLES[name])
    assert "**" not in shown
    assert "─" in shown or "⎧" in shown or "Σ" in shown
    assert max(map(len, shown.split("\n"))) <= 80


def test_plain_forces_plain_characters_still_wrapped(terminal):
    shown = terminal(*TABLES["law"], "--plain")
    assert "Min(alpha, alpha*beta)" in shown
    assert shown.isascii()
    assert max(map(len, shown.split("\n"))) <= 80


def test_a_terminal_without_unicode_gets_plain_characters(terminal, monkeypatch):
    monkeypatch.setattr(_Terminal, "encoding", "latin-1")
    assert terminal(*TABLES["law"]).isascii()
    monkeypatch.setattr(_Terminal, "encoding", "utf-8")
    monkeypatch.setenv("TERM", "dumb")
    assert terminal(*TABLES["law"]).isascii()


def test_pipes_get_plain_lines_that_are_not_broken(capsys):
    _, out, _ = _call(capsys, *TABLES["law"])
    assert out.isascii()
    assert max(map(len, out.split("\n"))) > 80


def test_json_holds_formulas_as_latex_if_asked(capsys):
    _, out, _ = _call(capsys, "law", "linear.model", "--json", "--latex")
    assert json.loads(out)["exponent"].startswith(r"\min")


def test_json_and_latex_of_a_table_exclude_each_other(capsys):
    code, _, err = _call(capsys, "laws", "--json", "--latex")
    assert code == 2
    assert "exclude each other" in err
