"""Run one function on many inputs: in this process, in several or on a cluster, with the same numbers whoever does it.

`run` goes through a grid of named values, keeps every point as it ends, and returns labelled results; `run_many` is the bare
loop behind it.
"""

from __future__ import annotations

from ._cluster import connect
from ._many import MapLike, end_workers, run_many
from ._records import Failure, Point, Sweep
from ._run import default_folder, run

__all__ = [
    "Failure",
    "MapLike",
    "Point",
    "Sweep",
    "connect",
    "default_folder",
    "end_workers",
    "run",
    "run_many",
]
