"""One function on many inputs, in this process or in several, with the same numbers either way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from numbers import Integral
from typing import Any, TypeVar

from ..arguments import numba_threads
from ..errors import WorkerError, brief, refusal
from ._cluster import is_client, over_cluster

numba_threads()  # before Numba is imported

Item = TypeVar("Item")
Output = TypeVar("Output")
MapLike = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def run_many(
    function: Callable[[Item], Output],
    items: Iterable[Item],
    *,
    workers: int | MapLike = 1,
    on_done: Callable[[int], None] | None = None,
    finished: Mapping[int, Output] | None = None,
) -> list[Output]:
    """Apply a function to every item, in order, with one numerical thread per worker.

    Parameters
    ----------
    function : callable
        Called once per item; with ``workers > 1`` it must be importable by name.
    items : iterable
        The inputs.
    workers : int or map-like
        Number of processes, or any callable that maps like the built-in ``map``
        (a pool's, an executor's, a cluster's); it may return outputs in any order, but each one once.
        A client of ``dask.distributed``, too.
    on_done : callable, optional
        Called in this process with the position of every item as it finishes, in whatever order that happens.
    finished : mapping of int to output, optional
        Outputs that are known already, by the positions of their items, which are not run again: the ``finished`` of a
        `WorkerError`.

    Returns
    -------
    list
        Outputs in the order of `items`.

    Raises
    ------
    DomainError
        If `workers` is neither a positive integer nor callable, or `finished` names a position that no item has.
    WorkerError
        If a worker process died, as for want of memory, or a map-like gave back an item twice, something else, or not all items;
        its ``finished`` holds what there is.

    Notes
    -----
    BLAS and Numba are limited to one thread in every worker, this process included, so that sums are
    made in the same order whatever the number of workers.

    Examples
    --------
    >>> run_many(abs, [-2, 3])
    [2, 3]
    >>> run_many(abs, [-2, 3], finished={0: 2})
    [2, 3]
    """
    for name, value in (("function", function), ("on_done", on_done)):
        if not callable(value) and not (value is None and name == "on_done"):
            raise refusal(name, value, "must be a function")
    if not isinstance(items, Iterable):
        raise refusal("items", items, "must be inputs, one for each run")
    if finished is not None and not isinstance(finished, Mapping):
        raise refusal("finished", finished, "must map positions of items to outputs")
    outputs = dict(finished or {})
    every = list(items)
    tell = None if on_done is None else (lambda position, output: on_done(position))
    collect(function, every, workers, outputs, tell)
    return [outputs[position] for position in range(len(every))]


def collect(
    function: Callable[[Any], Any],
    items: list[Any],
    workers: int | MapLike,
    outputs: dict[int, Any],
    tell: Callable[[int, Any], None] | None,
) -> None:
    """Add the outputs that are not known yet, by the positions of their items, and tell of each as it arrives."""
    task, every = _SingleThreaded(function), list(enumerate(items))
    for position in outputs:
        if isinstance(position, bool) or position not in range(len(every)):
            raise refusal("finished", position, f"is no position of {len(every)} items")
    todo = [item for item in every if item[0] not in outputs]
    try:
        for answer in _answers(task, todo, workers):
            position, output = _placed(answer, len(every), outputs)
            outputs[position] = output
            if tell is not None:
                tell(position, output)
    except BrokenExecutor as failure:
        raise _stopped(
            f"a worker process died ({_first_line(failure)})", outputs, every
        ) from failure
    except _Misplaced as failure:
        raise _stopped(f"{_name(workers)} {failure}", outputs, every) from None
    if len(outputs) < len(every):
        missing = [position for position, _ in every if position not in outputs]
        shown = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        complaint = f"{_name(workers)} did not give back items {shown}"
        raise _stopped(complaint, outputs, every)


def _answers(
    task: _SingleThreaded, todo: list[tuple[int, Any]], workers: int | MapLike
) -> Iterator[Any]:
    """Run what is to be done, and return pairs of position and output as they come."""
    if is_client(workers):
        return over_cluster(workers, task, todo) if todo else iter(())
    if callable(workers):
        answers = workers(task, todo)
        try:
            return iter(answers)
        except TypeError:
            raise _Misplaced(f"gave back {brief(answers)}, which is no iterable") from None
    if isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1:
        raise refusal("workers", workers, "must be a positive integer or a map-like callable")
    if workers == 1 or len(todo) < 2:
        return map(task, todo)
    from joblib import Parallel, delayed

    processes = Parallel(n_jobs=min(int(workers), len(todo)), return_as="generator_unordered")
    answers = processes(delayed(task)(item) for item in todo)
    return iter(answers)


def end_workers() -> None:
    """End the processes that `run_many` started, at once, and what watches their resources; where there are none, do nothing."""
    if "joblib.externals.loky.reusable_executor" not in sys.modules:
        return
    from joblib.externals.loky import reusable_executor

    executor = reusable_executor._executor
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)


class _Misplaced(Exception):
    """A map-like gave back something that is not the output of an item still expected."""


def _placed(answer: Any, count: int, outputs: Mapping[int, Any]) -> tuple[int, Any]:
    """Return the position and the output that an answer holds."""
    if not isinstance(answer, _Placed):
        raise _Misplaced(
            f"gave back {brief(answer)} instead of what the function it was given returned"
        )
    if answer.position not in range(count):
        raise _Misplaced(f"gave back an item {answer.position} of {count}")
    if answer.position in outputs:
        raise _Misplaced(f"gave back item {answer.position} twice")
    return answer.position, answer.output


def _stopped(complaint: str, outputs: dict[int, Any], every: list[tuple[int, Any]]) -> WorkerError:
    return WorkerError(
        f"{complaint}; {len(outputs)} of {len(every)} items are finished: "
        "run_many(..., finished=error.finished) goes on from there",
        finished=outputs,
    )


def _name(workers: Any) -> str:
    return f"workers = {brief(workers)}"


def _first_line(failure: BaseException) -> str:
    return str(failure).strip().partition("\n")[0].rstrip(".") or type(failure).__name__


class _Placed:
    """What came of an item, and which item it was."""

    def __init__(self, position: int, output: Any) -> None:
        self.position, self.output = position, output


class _SingleThreaded:
    """A picklable wrapper that limits the thread pools while the function runs, and says which item it was."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: tuple[int, Any]) -> _Placed:
        import numba
        from threadpoolctl import threadpool_limits

        numba_threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            with threadpool_limits(limits=1):
                return _Placed(item[0], self.function(item[1]))
        finally:
            numba.set_num_threads(numba_threads)
