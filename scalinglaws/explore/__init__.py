"""The explorer: laws and solvers under one's fingers, in a browser on one's own machine. It holds no science.

A panel is a description of what is set and what is drawn, with a pure function between the two (`panel`, `controls`, `answers`,
`panels`); one view shows any of them, live (`server`) or as a file (`snapshot`). Bokeh comes with the extra ``explore``, and only
`server`, `view`, `widgets` and `snapshot` import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..arguments import choice, flag, several, whole
from ..arguments import path as checked_path
from ..errors import DomainError, refusal
from .panels import TITLES

__all__ = ["export", "serve", "states"]


def serve(
    port: int = 0, *, browser: bool = True, started: Callable[[str], None] | None = None
) -> None:
    """Serve the explorer to browsers on this machine until interrupted.

    It listens on 127.0.0.1 alone, takes scripts and styles from the installed packages, answers with laws and solvers, and reads no
    file: what is dropped into a page stays in memory as long as that page is open. Each visitor has a state of their own, which the
    address holds.

    Parameters
    ----------
    port : int
        Where to listen, up to 65535; 0 for any port that is free.
    browser : bool
        Whether to open a page.
    started : callable, optional
        Called with the address once the server listens; by default it is printed.

    Raises
    ------
    DomainError
        If the port is taken, or Bokeh is not installed (``pip install 'scalinglaws[explore]'``).

    Notes
    -----
    Answers of all visitors are computed one after the other; the first at each panel takes seconds, because it compiles.

    Examples
    --------
    >>> serve(70000)
    Traceback (most recent call last):
        ...
    scalinglaws.errors.DomainError: port = 70000 must be a whole number from 0 to 65535
    """
    chosen, opened = whole("port", port, low=0, high=65535), flag("browser", browser)
    _bokeh_module("server").run(chosen, opened, started or _say)


def export(
    path: str | Path,
    *,
    panels: Sequence[str] | None = None,
    told: Callable[[str], None] | None = None,
) -> int:
    """Write a snapshot of the explorer: one page with states computed beforehand, which needs neither server nor network.

    Parameters
    ----------
    path : path
        File to write; ends in .html.
    panels : sequence of str, optional
        Names of the panels that it holds, as they stand in addresses; all by default.
    told : callable, optional
        Called with a panel's name as each of its states is computed.

    Returns
    -------
    int
        States in it. The page says of each panel which values they cover.

    Raises
    ------
    DomainError
        If the file cannot be written, a panel is unknown, or Bokeh is not installed (``pip install 'scalinglaws[explore]'``).
    ResourceError
        If the page would be larger than 10 MB.

    Examples
    --------
    >>> export("page.txt")
    Traceback (most recent call last):
        ...
    scalinglaws.errors.DomainError: path = 'page.txt' must end in .html
    """
    chosen = checked_path("path", path, ".html", ".htm")
    if not chosen.absolute().parent.is_dir() or chosen.is_dir():
        raise refusal("path", str(chosen), "must be a file in a folder that exists")
    names = _chosen(panels)
    written: int = _bokeh_module("snapshot").export(chosen, names, told)
    return written


def states(panels: Sequence[str] | None = None) -> int:
    """Count the states that a snapshot holds.

    Parameters
    ----------
    panels : sequence of str, optional
        As for `export`.

    Returns
    -------
    int
        How many; none for runs of one's own, which no file holds.

    Raises
    ------
    DomainError
        If a panel is unknown.

    Examples
    --------
    >>> states(["runs"])
    0
    """
    from .panels import panel

    return sum(panel(name).states for name in _chosen(panels))


def _chosen(panels: Sequence[str] | None) -> tuple[str, ...]:
    """Check names of panels."""
    if panels is None:
        return tuple(TITLES)
    given = several("panels", panels, str)
    return tuple(dict.fromkeys(choice("panels", name, tuple(TITLES)) for name in given))


def _say(address: str) -> None:
    print(address, flush=True)


def _bokeh_module(name: str) -> ModuleType:
    """Import a module that needs Bokeh."""
    try:
        import_module("bokeh")
    except ImportError:
        raise DomainError(
            "the explorer needs Bokeh, which is not installed: pip install 'scalinglaws[explore]'",
            argument="explore",
            value="bokeh",
        ) from None
    return import_module(f"{__name__}.{name}")
