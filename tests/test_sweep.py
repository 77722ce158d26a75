"""Many runs: same order and same numbers whoever does them."""

import contextlib
import math
import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from scalinglaws.errors import DomainError, WorkerError
from scalinglaws.sweep import run_many


def test_serial_parallel_and_map_like_agree():
    items = [0.5, 1.0, 2.0, 3.0]
    expected = [math.sqrt(item) for item in items]
    assert run_many(math.sqrt, items) == expected
    assert run_many(math.sqrt, items, workers=2) == expected
    with ThreadPoolExecutor(2) as pool:
        assert run_many(math.sqrt, items, workers=pool.map) == expected


@pytest.mark.parametrize("workers", [1, 2, map])
def test_every_item_is_reported_when_done(workers):
    seen = []
    assert run_many(abs, [-1, -2, 3], workers=workers, on_done=seen.append) == [1, 2, 3]
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "two"])
def test_refuses_other_workers(bad):
    with pytest.raises(DomainError, match="positive integer or a map-like"):
        run_many(math.sqrt, [1.0], workers=bad)


def test_worker_runs_with_one_numerical_thread():
    import numba

    before = numba.get_num_threads()
    assert run_many(_threads, [0, 0]) == [1, 1]
    assert numba.get_num_threads() == before


def _threads(_):
    import numba

    return numba.get_num_threads()


def _square(number):
    return number * number


@pytest.mark.parametrize(
    ("spoil", "complaint", "kept"),
    [
        (lambda answers: answers[:-1], "did not give back items 3;", {0: 0, 1: 1, 2: 4}),
        (lambda answers: answers[1:2], r"did not give back items 0, 2, 3;", {1: 1}),
        (lambda answers: [], r"did not give back items 0, 1, 2, \.\.\.;", {}),
        (lambda answers: answers[:2] + answers[:1], "gave back item 0 twice", {0: 0, 1: 1}),
        (lambda answers: [*answers, answers[2]], "gave back item 2 twice", None),
        (lambda answers: [answers[0], None], "gave back None instead", {0: 0}),
        (lambda answers: [answers[0], (1, 1)], r"gave back \(1, 1\) instead", {0: 0}),
        (lambda answers: None, "gave back None, which is no iterable", {}),
        (lambda answers: answers[0], "which is no iterable", {}),
    ],
)
def test_a_map_like_that_loses_or_mixes_up_items_is_told(spoil, complaint, kept):
    def mapped(function, items):
        return spoil(list(map(function, items)))

    with pytest.raises(WorkerError, match=complaint) as caught:
        run_many(_square, range(4), workers=mapped)
    expected = {0: 0, 1: 1, 2: 4, 3: 9} if kept is None else kept
    assert caught.value.finished == expected
    assert f"{len(expected)} of 4 items are finished" in str(caught.value)
    again = run_many(_square, range(4), workers=map, finished=caught.value.finished)
    assert again == [0, 1, 4, 9]


def test_a_map_like_may_answer_in_any_order():
    assert run_many(_square, range(4), workers=lambda f, items: reversed(list(map(f, items)))) == [
        0,
        1,
        4,
        9,
    ]


def test_what_is_finished_is_not_run_again():
    ran = []
    assert run_many(ran.append, range(4), finished={1: "one", 2: None}) == [None, "one", None, None]
    assert ran == [0, 3]
    for wrong in (4, -1, True, "a"):
        with pytest.raises(DomainError, match="is no position of 4 items"):
            run_many(_square, range(4), finished={wrong: 0})


def _dies(item):
    number, mortal = item
    if mortal:
        time.sleep(1)  # until the others are done
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
@pytest.mark.parametrize("kind", ["joblib", "executor"])
def test_a_killed_worker_leaves_what_is_finished(kind):
    mortal, immortal = [(i, i == 3) for i in range(4)], [(i, False) for i in range(4)]
    with contextlib.ExitStack() as stack:
        if kind == "joblib":
            workers = 2
        else:
            # without fork: the suite's own threads stay out of it
            spawned = multiprocessing.get_context("spawn")
            workers = stack.enter_context(ProcessPoolExecutor(2, spawned)).map
        with pytest.raises(WorkerError, match=r"a worker process died \(.*; [0-3] of 4") as caught:
            run_many(_dies, mortal, workers=workers)
    kept = caught.value.finished
    assert all(kept[i] == i for i in kept)
    assert 3 not in kept
    assert run_many(_dies, immortal, finished=kept) == [0, 1, 2, 3]
    assert run_many(_dies, immortal, workers=2) == [0, 1, 2, 3]  # new workers are started
