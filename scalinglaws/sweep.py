"""Run one function on many inputs, in this process or in several, with the same numbers either way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, TypeVar

from .errors import DomainError

Item = TypeVar("Item")
Output = TypeVar("Output")
MapLike = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def run_many(function: Callable[[Item], Output], items: Iterable[Item], *, workers: int | MapLike = 1) -> list[Output]:
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
    task, items = _SingleThreaded(function), list(items)
    if callable(workers):
        return list(workers(task, items))
    if isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1:
        raise DomainError(f"workers = {workers!r} must be a positive integer or a map-like callable", argument="workers", value=workers)
    if workers == 1 or len(items) < 2:
        return [task(item) for item in items]
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=min(int(workers), len(items)))(delayed(task)(item) for item in items))


class _SingleThreaded:
    """A picklable wrapper that limits the thread pools while the function runs."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: Any) -> Any:
        import numba
        from threadpoolctl import threadpool_limits

        numba_threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            with threadpool_limits(limits=1):
                return self.function(item)
        finally:
            numba.set_num_threads(numba_threads)
