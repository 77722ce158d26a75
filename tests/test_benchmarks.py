"""The program that runs all benchmarks: it knows each of them, and says which failed."""

import runpy

import pytest

GOOD = '"""A good one: {name}.\n\nMore of it.\n"""\n\nif __name__ == "__main__":\n    print("measured")\n'
BAD = '"""A bad one."""\n\nif __name__ == "__main__":\n    raise SystemExit(3)\n'
SLOW = '"""A slow one."""\n\nimport time\n\nif __name__ == "__main__":\n    time.sleep(600)\n'


@pytest.fixture(scope="module")
def benchmarks(root):
    """Return what ``benchmarks/run.py`` defines."""
    return runpy.run_path(str(root / "benchmarks" / "run.py"))


@pytest.fixture
def folder(tmp_path):
    """Return a folder of three programs, and of what is none."""
    for name, text in (("good", GOOD), ("bad", BAD), ("slow", SLOW), ("helper", '"""None."""\n')):
        (tmp_path / f"{name}.py").write_text(text.replace("{name}", name), encoding="utf-8")
    return tmp_path


def test_every_program_of_the_folder_is_listed(benchmarks, root, capsys):
    assert benchmarks["main"](["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    files = {path.stem for path in (root / "benchmarks").glob("*.py")} - {"run", "timing"}
    assert {line.split()[0] for line in lines} == files
    for line in lines:
        name, title = line.split(maxsplit=1)
        assert title.endswith((".", ":"))
        assert (root / "benchmarks" / f"{name}.py").read_text(encoding="utf-8").find(title) <= 4


def test_a_program_is_run_and_named_in_the_summary(benchmarks, folder, capfd):
    assert benchmarks["main"](["good"], folder) == 0
    out = capfd.readouterr().out
    assert "== good: A good one: good.\n\nmeasured\n\n-- good: done, 0 s\n" in out
    assert out.splitlines()[-1].split() == ["good", "0", "s", "done"]


def test_what_fails_or_takes_too_long_is_told(benchmarks, folder, capfd):
    assert benchmarks["main"](["--timeout", "1"], folder) == 1
    out = capfd.readouterr().out
    assert [line.split(maxsplit=3)[::3] for line in out.splitlines()[-3:]] == [
        ["bad", "failed (3)"],
        ["good", "done"],
        ["slow", "out of time"],
    ]


def test_names_that_are_none(benchmarks, folder):
    with pytest.raises(SystemExit, match="no benchmarks: nothing; there are bad, good, slow"):
        benchmarks["main"](["good.py", "nothing"], folder)
