"""A spoiled file of compiled code costs a compilation and a word, no computation."""

import importlib.util
import warnings

import numba
import pytest

from scalinglaws.arguments import numba_threads
from scalinglaws.errors import DomainError
from scalinglaws.solvers import _jit, _kernel_cache

pytestmark = pytest.mark.skipif(not _jit.JIT, reason="no kernels are compiled")

_MODULE = """
from scalinglaws.solvers._jit import njit

@njit
def square(x):
    return x * x
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that does what a new process does: import a module and call its kernel; and what it was told."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kernels"))
    path = tmp_path / "toy_kernels.py"
    path.write_text(_MODULE, encoding="utf-8")

    def again():
        monkeypatch.setattr(_kernel_cache, "_told", set())
        spec = importlib.util.spec_from_file_location("toy_kernels", path)
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            spec.loader.exec_module(module)
            found = [module.square(3.0), module.square(3)]
        assert found == [9.0, 9]
        hits = sum(module.square.stats.cache_hits.values())
        return hits, [str(entry.message) for entry in caught]

    return again


def _spoil(path, how):
    content = path.read_bytes()
    if how == "a changed byte":
        middle = len(content) // 2
        content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    elif how == "a folder":
        path.unlink()
        path.mkdir()
        return
    else:
        content = {"empty": b"", "cut": content[: len(content) // 2], "junk": b"\0junk" * 99}[how]
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("how", ["empty", "cut", "junk", "a changed byte"])
def test_spoiled_files_are_thrown_away_and_told_once(tmp_path, run, suffix, how):
    assert run() == (0, [])
    assert run() == (2, [])
    for path in tmp_path.rglob(f"*.{suffix}"):
        _spoil(path, how)
    hits, told = run()
    assert hits == 0 or (suffix, how) == ("nbi", "a changed byte")  # of a key, perhaps
    assert len(told) == 1 or (suffix, how) == ("nbi", "a changed byte")
    for message in told:
        assert message.startswith(f"compiled kernels in {tmp_path}")
        assert message.endswith("they are thrown away and compiled again")
    assert run()[1] == []
    assert run() == (2, [])


def test_what_cannot_even_be_thrown_away(tmp_path, run):
    assert run() == (0, [])
    for path in tmp_path.rglob("*.nbi"):
        _spoil(path, "a folder")
    for _ in range(2):  # each process says so, once
        hits, told = run()
        assert hits == 0
        assert len(told) == 1


def test_a_folder_that_is_full(run, monkeypatch):
    def full(self, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_kernel_cache._SealedFiles, "_open_for_write", full)
    assert run() == (0, [])


def test_a_number_of_threads_that_numba_refuses(monkeypatch):
    for given in ("", "1", " 2 ", "64"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", given)
        numba_threads()
    for given in ("0", "-3", "abc", "1.5", "²"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", given)
        with pytest.raises(DomainError, match="NUMBA_NUM_THREADS = .* whole number >= 1"):
            numba_threads()
