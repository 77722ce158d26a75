"""Run one function on many inputs, in this process or in several, with the same numbers either way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, TypeVar

from .errors import refusal

Item = TypeVar("Item")
Output = TypeVar("Output")
MapLike = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def run_many(
    function: Callable[[Item], Output],
    items: Iterable[Item],
    *,
    workers: int | MapLike = 1,
    on_done: Callable[[int], None] | None = None,
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
        (a pool's, an executor's, a cluster's).
    on_done : callable, optional
        Called in this process with the position of every item as it finishes, in whatever order that happens.

    Returns
    -------
    list
        Outputs in the order of `items`.

    Raises
    ------
    DomainError
        If `workers` is neither a positive integer nor callable.

    Notes
    -----
    BLAS and Numba are limited to one thread in every worker, this process included, so that sums are
    made in the same order whatever the number of workers.

    Examples
    --------
    >>> run_many(abs, [-2, 3])
    [2, 3]
    """
    task, todo = _SingleThreaded(function), list(enumerate(items))
    if callable(workers):
        finished = iter(workers(task, todo))
    elif isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1:
        raise refusal("workers", workers, "must be a positive integer or a map-like callable")
    elif workers == 1 or len(todo) < 2:
        finished = map(task, todo)
    else:
        from joblib import Parallel, delayed

        processes = Parallel(n_jobs=min(int(workers), len(todo)), return_as="generator_unordered")
        finished = processes(delayed(task)(item) for item in todo)
    outputs: dict[int, Output] = {}
    for position, output in finished:
        outputs[position] = output
        if on_done is not None:
            on_done(position)
    return [outputs[position] for position, _ in todo]


class _SingleThreaded:
    """A picklable wrapper that limits the thread pools while the function runs, and says which item it was."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: tuple[int, Any]) -> tuple[int, Any]:
        import numba
        from threadpoolctl import threadpool_limits

        numba_threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            with threadpool_limits(limits=1):
                return item[0], self.function(item[1])
        finally:
            numba.set_num_threads(numba_threads)
