"""The command that opens the explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..errors import called, refusal
from ._app import Names, app, whole
from ._formats import wrote
from ._waiting import aside, counting


@app.command
def explore(
    *,
    port: Annotated[int, Parameter(converter=whole)] = 0,
    browser: bool = True,
    export: Path | None = None,
    only: Names = None,
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
    only : str
        Names of the panels that the page holds, as they stand in addresses; all by default.
    """
    from .. import explore as explorer

    if export is None:
        if only is not None:
            raise refusal("only", " ".join(only), "is for --export")
        with aside():
            explorer.serve(port, browser=browser, started=_started)
        return
    with (
        called(path="export", panels="only"),
        counting("explore", explorer.states(only)) as advance,
    ):
        states = explorer.export(export, panels=only, told=advance)
    wrote(export)
    print(f"{states} states")


def _started(address: str) -> None:
    print(f"the explorer is at {address} (Ctrl-C ends it)", flush=True)
