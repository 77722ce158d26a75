"""Finished checks are kept, found again only if nothing could have changed, and never half written."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from scalinglaws import verify
from scalinglaws.verify import Comparison, Crash, registry
from scalinglaws.verify.finished import Finished, FinishedChecks, default_folder


def numbers(report):
    """Everything but times."""
    data = report.to_dict()
    data.pop("created")
    for name in ("wall_s", "run_s", "compile_s"):
        data["environment"].pop(name)
    for comparison in data["comparisons"]:
        comparison.pop("wall_s")
    return data


def test_resuming_repeats_nothing(tmp_path):
    first = verify.run(["linear.statics"], folder=tmp_path)
    started = time.perf_counter()
    again = verify.run(["linear.statics"], folder=tmp_path, resume=True)
    assert time.perf_counter() - started < 0.5 * max(first.environment["wall_s"], 0.2)
    assert numbers(again) == numbers(first)
    assert again.comparisons[0].wall_s == first.comparisons[0].wall_s  # the time it took then


def test_only_exact_matches_are_used(tmp_path, monkeypatch):
    store = FinishedChecks(tmp_path)
    entry = registry.registered()["linear.statics"]
    path = store.path(entry.name, entry.function, "quick", 0)
    others = {
        store.path("linear.other", entry.function, "quick", 0),
        store.path(entry.name, entry.function, "full", 0),
        store.path(entry.name, entry.function, "quick", 1),
    }
    monkeypatch.setattr("scalinglaws.verify.finished.source_digest", lambda: "another")
    others.add(store.path(entry.name, entry.function, "quick", 0))
    assert len(others | {path}) == 5


def test_a_damaged_file_is_no_result(tmp_path):
    first = verify.run(["manifold.variance-limited"], folder=tmp_path)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert numbers(
        verify.run(["manifold.variance-limited"], folder=tmp_path, resume=True)
    ) == numbers(first)


def test_crashes_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_CHECKS", dict(registry.registered()))

    @registry.check("zz.crash", statement="crashes")
    def crash(context):
        raise RuntimeError("no")

    verify.run(["zz"], folder=tmp_path)
    assert not list(tmp_path.rglob("*.npz"))


def test_a_crash_survives_a_file(tmp_path):
    made = verify.run(["linear.statics"], folder=tmp_path).comparisons
    finished = Finished(made, 1.0, 0.5, (Crash("linear.statics", "no", "fail", "known", 0.1),))
    assert Finished.load(finished.save(tmp_path / "x.npz")).crashes == finished.crashes


def test_what_version_0_1_0_kept_has_its_crashes_apart(root):
    found = Finished.load(root / "tests" / "reference" / "saved_0_1_0" / "verify-Finished.npz")
    assert [type(entry) for entry in found.comparisons] == [Comparison] * 4
    assert found.crashes == (Crash("example.crash", "ValueError: example"),)
    assert [entry.verdict for entry in found.comparisons[:1]] == ["pass"]


def test_a_folder_that_cannot_be_written_loses_no_run(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert verify.run(["manifold.variance-limited"], folder=blocked).as_expected


def test_finished_checks_live_in_the_users_cache_folder():
    assert default_folder().name == "verify"
    assert "scalinglaws" in default_folder().parts


def test_one_two_and_four_workers_agree(tmp_path):
    one, two, four = (
        verify.run(
            ["manifold", "linear.statics", "linear.null"], workers=n, folder=tmp_path / str(n)
        )
        for n in (1, 2, 4)
    )
    assert numbers(one) == numbers(two) == numbers(four)


def test_a_killed_run_resumes_to_the_same_report(tmp_path):
    script = textwrap.dedent(f"""
        from scalinglaws import verify
        from scalinglaws.verify.registry import check

        if __name__ == "__main__":
            print("started", flush=True)
            verify.run(["linear.statics", "manifold"], folder={str(tmp_path / "killed")!r}, on_done=lambda name: print(name, flush=True))
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    assert process.stdout.readline() == "linear.statics\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(list((tmp_path / "killed").rglob("*.npz"))) in (1, 2)
    seen = []
    resumed = verify.run(
        ["linear.statics", "manifold"], folder=tmp_path / "killed", resume=True, on_done=seen.append
    )
    assert seen[0] == "linear.statics"
    whole = verify.run(["linear.statics", "manifold"], folder=tmp_path / "whole")
    assert numbers(resumed) == numbers(whole)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_done_is_told(tmp_path, workers):
    seen = []
    verify.run(["manifold"], workers=workers, folder=tmp_path, on_done=seen.append)
    assert sorted(seen) == [
        "manifold.model-resolution",
        "manifold.nearest-neighbor",
        "manifold.spectral",
        "manifold.variance-limited",
        "manifold.variance-limited-model",
        "manifold.width-variance",
    ]
