"""No file that somebody brings is executed, unpickled, or read without a look at its size: what could do so is listed here."""

import ast
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scalinglaws import contents, files, keeping
from scalinglaws.errors import DataError, ResourceError
from scalinglaws.results import Result
from scalinglaws.verify.empirical import Fit

ALLOWED = {
    # an empty text, so that CPython forgets an interrupt
    "cli/__init__.py: exec",
    # source that this package wrote a moment before; never what a file holds
    "solvers/_kernel_cache.py: compile",
    "solvers/_kernel_cache.py: exec",
    # machine code that this package kept, under the digest that it wrote before it: Numba would unpickle it anyhow
    "solvers/_kernel_cache.py: pickle.loads",
    # a loop of two lines around a compiled formula, in which nothing is typed by anybody but names of columns made here
    "solvers/expressions.py: exec",
    # the source in which a function is defined, for its digest
    "keeping.py: read_bytes",
    "provenance.py: read_bytes",
    "solvers/_kernel_cache.py: read_text",
    # tables that come with the package
    "theory/percolation/exponents.py: read_text",
    "theory/percolation/width.py: read_text",
    # pages, styles and scripts that come with the package
    "explore/server.py: read_text",
    "explore/snapshot.py: read_text",
    # the first bytes of a file, to tell what it is
    "cli/_runs.py: open",
    # nothing, in place of a stream that is closed
    "cli/__init__.py: open",
    # the one place where files are read
    "contents.py: open",
    # to be written
    "results.py: open",
    # after the sizes of the parts
    "results.py: ZipFile",
    "files.py: ZipFile",
    "cli/_runs.py: ZipFile",  # names of the parts alone
    "files.py: gzip.open",  # as far as the budget lasts
    "files.py: read_parquet",  # by an engine of pandas where there is no pyarrow
    "files.py: read_table",  # after the size that its metadata tell
}
"""What looks dangerous, by the file in which it stands, and why it is not."""

DANGEROUS = {
    *("eval", "exec", "compile", "__import__", "open", "breakpoint"),
    *("read_text", "read_bytes", "ZipFile", "read_csv", "read_parquet", "read_table", "read_json"),
    *("loadtxt", "genfromtxt", "fromfile", "memmap", "load_module", "system", "popen"),
}
MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "yaml",
    "subprocess",
    "joblib.load",
}


def calls(path):
    """Yield the names under which a file calls what looks dangerous."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        first = name.partition(".")[0]
        if name == "sp.Interval.open":
            continue
        if name in DANGEROUS or (last in DANGEROUS - {"compile"} and "." in name):
            yield "gzip.open" if name == "gzip.open" else last, node
        elif (
            first in MODULES
            or name in MODULES
            or (last == "load" and first in ("np", "numpy", "joblib", "json"))
        ):
            yield name, node


def package():
    root = Path(contents.__file__).parent
    for path in sorted(root.rglob("*.py")):
        yield path.relative_to(root).as_posix(), path


def test_nothing_else_executes_or_reads():
    found = set()
    for name, path in package():
        for call, node in calls(path):
            if call in ("np.load", "numpy.load"):
                pickled = {entry.arg: ast.unparse(entry.value) for entry in node.keywords}
                assert pickled.get("allow_pickle") == "False", f"{name}: {ast.unparse(node)}"
                assert name in ("files.py", "results.py"), (
                    f"{name} reads arrays: use scalinglaws.files"
                )
            elif call != "read_table" or "parquet" in ast.unparse(node.func):
                own = call in ("read_text", "read_bytes") and isinstance(node.func, ast.Name)
                if not own:  # those of `scalinglaws.contents` look at the size
                    found.add(f"{name}: {call}")
    assert found == ALLOWED


def test_no_text_is_made_an_expression_by_sympy():
    """SymPy's own reader evaluates Python; formulas are read by `scalinglaws.parsing`."""
    for name, path in package():
        text = path.read_text(encoding="utf-8")
        assert "parse_expr(" not in text, name
        assert "sympy.parsing" not in text, name


# -- sizes --------------------------------------------------------------------------------------------------------------


def test_what_does_not_say_how_much_it_holds_is_read_as_far_as_the_budget_lasts(monkeypatch):
    if not Path("/dev/zero").exists():
        pytest.skip("there is no /dev/zero")
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e8")
    with pytest.raises(ResourceError, match="see whether it is the file you mean"):
        contents.read_bytes("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_read_to_its_end(tmp_path):
    pipe = tmp_path / "runs.csv"
    os.mkfifo(pipe)
    if (child := os.fork()) == 0:
        with pipe.open("w") as stream:
            stream.write("x,y\n1,2\n")
        os._exit(0)
    found = files.read_arrays(pipe)
    os.waitpid(child, 0)
    np.testing.assert_array_equal(files.matrix(pipe, found), [[1, 2]])


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    for name in ("fit.json", "runs.csv", "a.npy", "a.parquet"):
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(10**8)  # a hole: it takes no place
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e6")
    with pytest.raises(ResourceError):
        Fit.load(tmp_path / "fit.json")
    with pytest.raises(ResourceError):
        files.read_arrays(tmp_path / "runs.csv")
    with pytest.raises(ResourceError):
        files.read_arrays(tmp_path / "a.npy")
    with pytest.raises(DataError):  # no Parquet file: its metadata are read first
        files.read_arrays(tmp_path / "a.parquet")


def test_a_header_that_lies_is_a_damaged_file(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(3,), }", b"(3e9,)}").replace(b"(3,)", b"(9,)"))
    with pytest.raises(DataError, match="damaged"):
        files.read_arrays(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as parts:
        parts.writestr("a.npy", content[:-8])
    with pytest.raises(DataError, match="damaged"):
        files.read_arrays(tmp_path / "a.npz")


def test_objects_are_loaded_nowhere(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    bomb = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / "a.npz", header=bomb, features=bomb)
    np.save(tmp_path / "a.npy", bomb)
    for read in (files.read_arrays, Result.load, Fit.load):
        with pytest.raises(DataError):
            read(tmp_path / "a.npz")
    with pytest.raises(DataError):
        files.read_arrays(tmp_path / "a.npy")
    assert keeping.kept(Fit, tmp_path / "a.npz") is None
    assert not (tmp_path / "executed").exists()


def test_a_saved_result_makes_no_other_class(tmp_path):
    for name in ("os:system", "subprocess.Popen", "builtins.eval", "cli.run", "theory.law", "a b"):
        tree = {"class": name, "fields": {"command": "true"}}
        np.savez(tmp_path / "a.npz", header=np.array(json.dumps({"format": 2, "result": tree})))
        with pytest.raises(DataError, match="no saved result|refusing"):
            Result.load(tmp_path / "a.npz")


def test_what_is_kept_and_too_large_is_computed_again(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "kept.npz", header=np.zeros(10**6))
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e6")
    assert keeping.kept(Result, tmp_path / "kept.npz") is None
