"""A cluster of two processes of which one dies: nothing lost, and the numbers of a serial run."""

import functools
import os
import signal
import time

import pytest

from scalinglaws import sweep, verify
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:distributed")


def solved(spectrum, log, samples, ridge):
    """Solve, and leave a line behind."""
    with open(log, "a", encoding="utf-8") as stream:
        stream.write(f"{samples} {ridge}\n")
    time.sleep(0.05)
    return linear.ridge(spectrum, samples=samples, ridge=ridge)


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as started:
        yield started


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_a_killed_worker_loses_nothing(cluster, tmp_path):
    log = tmp_path / "log"
    function = functools.partial(solved, PowerLawSpectrum(1.5, 0.5), str(log))
    grid = {"samples": [10.0, 1e2, 1e3, 1e4, 1e5], "ridge": [0.0, 1e-4, 1e-3, 1e-2, 0.1, 1.0]}
    serial = sweep.run(function, grid, cache=False)
    log.unlink()
    done, killed = [], []

    with sweep.connect(cluster.scheduler_address) as client:
        processes = client.run(os.getpid)

        def kill_one(position):
            done.append(position)
            if len(done) == 6:
                killed.append(min(processes.values()))
                os.kill(killed[0], signal.SIGKILL)

        started = time.perf_counter()
        found = sweep.run(function, grid, workers=client, cache=tmp_path / "kept", on_done=kill_one)
        assert time.perf_counter() - started < 60
        client.wait_for_workers(2, timeout=60)
        assert killed[0] not in client.run(os.getpid).values()
        assert found == serial
        assert sorted(done) == list(range(30))
        # what was being computed, and at most what had not been handed over, is computed again
        lines = log.read_text(encoding="utf-8").splitlines()
        assert 30 <= len(lines) <= 32
        assert len(list((tmp_path / "kept").rglob("*.npz"))) == 30
        assert sweep.run(function, grid, workers=client, cache=tmp_path / "kept") == serial
        assert len(log.read_text(encoding="utf-8").splitlines()) == len(lines)
        # many in any order, checks too
        assert sweep.run_many(abs, [-3, 2, -1], workers=client) == [3, 2, 1]
        report = verify.run(["linear.statics"], workers=client, folder=tmp_path / "checks")
        alone = verify.run(["linear.statics"], folder=tmp_path / "alone")
        assert [c.measurement for c in report.comparisons] == [
            c.measurement for c in alone.comparisons
        ]


def refused(number):
    raise DomainError(f"{number} is not liked")


def test_a_failing_point_says_where_it_is(cluster):
    with sweep.connect(cluster.scheduler_address) as client:
        with pytest.raises(DomainError, match="7 is not liked") as caught:
            sweep.run(refused, {"number": [7]}, workers=client, cache=False)
        assert caught.value.__notes__ == ["at number = 7"]
        found = sweep.run(
            refused, {"number": [7]}, workers=client, cache=False, on_failure="return"
        )
        assert found.results == (sweep.Failure("DomainError", "7 is not liked"),)


def test_other_clusters_are_refused(cluster, monkeypatch):
    with sweep.connect(cluster.scheduler_address) as client:
        monkeypatch.setattr(client, "run", lambda function: {"a": "another"})
        with pytest.raises(DomainError, match="workers have another version"):
            sweep.run_many(abs, [1], workers=client)
        monkeypatch.undo()
        monkeypatch.setattr(client, "nthreads", lambda: {"a": 2})
        with pytest.raises(DomainError, match="one thread in each worker"):
            sweep.run_many(abs, [1], workers=client)
    monkeypatch.setattr("scalinglaws.sweep._cluster._PATIENCE", 0.2)
    for address in ("tcp://127.0.0.1:9", "tcp://127.0.0.1:99999"):
        with (
            pytest.raises(DomainError, match="is no scheduler that answers"),
            sweep.connect(address),
        ):
            pass


@pytest.mark.parametrize("address", ["nowhere", "", "tcp://127.0.0.1:x", "inproc://1", 3])
def test_refuses_what_is_no_address(address):
    with pytest.raises(DomainError, match="address"), sweep.connect(address):
        pass
