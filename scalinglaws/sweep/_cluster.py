"""A cluster of dask.distributed, as a map-like."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from importlib import import_module
from typing import Any

from ..arguments import text
from ..errors import DomainError, brief, refusal
from ..provenance import source_digest

_PATIENCE = 15.0  # seconds until a cluster answers, and has a worker
_ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:\d{1,5}")


@contextlib.contextmanager
def connect(address: str) -> Iterator[Any]:
    """Connect to the scheduler of a cluster, for as long as a block lasts.

    Parameters
    ----------
    address : str
        Where it listens, as ``tcp://127.0.0.1:8786``.

    Yields
    ------
    distributed.Client
        To be given as ``workers``.

    Raises
    ------
    DomainError
        If nobody answers, or dask.distributed is not installed.
    """
    if not _ADDRESS.fullmatch(text("address", address)):
        raise refusal("address", address, "must be that of a scheduler, as tcp://127.0.0.1:8786")
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise DomainError(
            "a cluster needs dask.distributed, which is not installed: pip install 'scalinglaws[distributed]'",
            argument="address",
            value=address,
        ) from None
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, OverflowError) as failure:
        why = str(failure).partition("\n")[0] or type(failure).__name__
        raise refusal("address", address, f"is no scheduler that answers ({why})") from None
    with client:
        yield client


def is_client(workers: Any) -> bool:
    """Tell whether something is a client of dask.distributed, without loading that."""
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(workers, distributed.Client)


def over_cluster(client: Any, task: Any, todo: Iterable[Any]) -> Iterator[Any]:
    """Run a task on a cluster, and return what comes of it in the order in which it ends."""
    distributed: Any = import_module("distributed")
    _refuse_others(client)
    waiting = set(client.map(task, list(todo), pure=False))
    try:
        # what has arrived is let go, so that it is not run again when the worker that held it dies
        for future, output in distributed.as_completed(
            waiting.copy(), loop=client.loop, with_results=True
        ):
            waiting.discard(future)
            future.release()
            yield output
    except distributed.KilledWorker as failure:
        raise BrokenExecutor(f"several workers died of it: {failure}") from failure
    except CancelledError as failure:
        raise BrokenExecutor(f"the cluster has gone: {failure}") from failure
    finally:
        with contextlib.suppress(Exception):
            client.cancel(list(waiting), force=True)


def _refuse_others(client: Any) -> None:
    """Refuse a cluster whose workers would not compute the same numbers as this process."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise refusal(
            "workers", client, "are none: the cluster has no worker", shown=False
        ) from None
    threads = client.nthreads()
    if any(count > 1 for count in threads.values()):
        raise refusal(
            "workers",
            client,
            "must have one thread in each worker, so that sums are made in the same order: dask worker --nthreads 1 --nworkers ...",
            shown=False,
        )
    try:
        digests = set(client.run(source_digest).values())
    except Exception as failure:
        complaint = f"cannot import this package: {brief(failure)}"
        raise refusal("workers", client, complaint, shown=False) from failure
    if digests - {source_digest()}:
        raise refusal("workers", client, "have another version of this package", shown=False)
