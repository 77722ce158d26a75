"""Many runs: same order and same numbers whoever does them."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from scalinglaws.errors import DomainError
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
