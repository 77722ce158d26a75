"""The command that opens the explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ._app import app, whole
from ._formats import wrote
from ._waiting import waiting


@app.command
def explore(
    *,
    port: Annotated[int, Parameter(converter=whole)] = 0,
    browser: bool = True,
    export: Path | None = None,
) -> None:
    """Turn laws and solvers by hand, in a browser on this machine: phases, loss curves, schedules, allocations, runs of your own.

    Parameters
    ----------
    port : int
        Where to listen on 127.0.0.1; 0 for any port that is free.
    browser : bool
        Whether to open a page.
    export : Path
        Instead of serving, write a page with states computed beforehand, which needs no server (.html, at most 10 MB).
    """
    from .. import explore as explorer

    if export is not None:
        with waiting("computing the states of the page"):
            states = explorer.export(export)
        wrote(export)
        print(f"{states} states")
        return
    explorer.serve(port, browser=browser, started=_started)


def _started(address: str) -> None:
    print(f"the explorer is at {address} (Ctrl-C ends it)", flush=True)
