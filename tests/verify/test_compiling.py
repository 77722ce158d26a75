"""Compilation is timed, nested or not, and a file says that it is going on."""

import os
import time

import pytest
from numba.core import event

from scalinglaws.verify.compiling import is_compiling, timed_compilation


def test_the_sign_stands_while_something_is_compiled(tmp_path):
    folder, start = tmp_path / "new", time.time() - 1
    with timed_compilation(folder) as seconds:
        assert not is_compiling(folder, start)
        with event.trigger_event("numba:compile"):
            assert is_compiling(folder, start)
            with event.trigger_event("numba:compile"):
                pass
            assert is_compiling(folder, start)
            assert seconds == []
        assert not is_compiling(folder, start)
    assert len(seconds) == 1
    assert seconds[0] > 0


def test_a_crash_leaves_no_sign(tmp_path):
    def crash():
        with timed_compilation(tmp_path):
            event.start_event("numba:compile")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert not list(tmp_path.iterdir())


def test_signs_of_killed_processes_do_not_count(tmp_path):
    sign = tmp_path / "compiling.1"
    sign.touch()
    os.utime(sign, (1.0, 1.0))
    assert not is_compiling(tmp_path, 2.0)
    assert is_compiling(tmp_path, 0.5)


def test_a_folder_that_cannot_be_made_is_no_reason_to_lose_a_run(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with timed_compilation(blocked / "folder") as seconds, event.trigger_event("numba:compile"):
        assert not is_compiling(blocked / "folder", 0.0)
    assert len(seconds) == 1
