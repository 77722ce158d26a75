"""The one thread that computes for all visitors."""

import threading

import pytest

pytest.importorskip("bokeh")

from scalinglaws.explore.server import Worker


def test_who_stops_waiting_stops_nobody_else():
    worker, go = Worker(), threading.Event()
    first = worker.put(lambda: go.wait(10))
    given_up = worker.put(lambda: 1 / 0)
    last = worker.put(lambda: "done")
    assert given_up.cancel()
    go.set()
    assert first.result(10)
    assert last.result(10) == "done"


def test_failures_reach_who_waits():
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker.put(lambda: 1 / 0).result(10)
    assert worker.put(lambda: 2).result(10) == 2
