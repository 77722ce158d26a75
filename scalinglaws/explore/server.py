"""The explorer live: a small server on this machine alone, one address for each panel, one state for each visitor."""

from __future__ import annotations

import asyncio
import logging
import socket
import webbrowser
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, partial
from html import escape
from importlib.resources import files
from queue import SimpleQueue
from threading import Thread
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document, without_document_lock
from bokeh.events import ConnectionLost, DocumentReady
from bokeh.models import Column, CustomJS, Div
from bokeh.server.server import Server
from jinja2 import Template
from tornado.web import RedirectHandler

from ..errors import DomainError, ScalingLawsError
from .answers import Answer
from .panel import Panel, Values, answered
from .panels import TITLES, panel
from .view import picture
from .widgets import handle

ADDRESS = "127.0.0.1"
LARGEST_MESSAGE = 32 * 2**20
"""Bytes that a browser may send at once."""
PATIENCE = 0.25
"""Seconds after which a page says that it computes."""
_ATTEMPTS = 5

_log = logging.getLogger(__name__)

_SHOWN = """
const query = address.text
if (query) {
  window.history.replaceState(null, '', '?' + query)
  document.body.dataset.shown = query
}
"""
_LARGEST_FILE = (
    3 * LARGEST_MESSAGE // 4 // 10**6
)  # MB, in the four letters for three bytes that are sent
_LOST = f"""
document.body.dataset.lost = 'true'
notice.visible = true
notice.text = 'The explorer does not answer any more: it was ended, or sent '
  + 'a file of more than {_LARGEST_FILE} MB. Start it again, or reload this page.'
"""


class Worker:
    """One thread that computes for all visitors: kernels that run on several threads themselves are not made to be called from several.

    It is a daemon, so that a server which is asked to end does so at once.
    """

    def __init__(self) -> None:
        self.tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        Thread(target=self._work, name="explorer", daemon=True).start()

    def put(self, task: Callable[[], Any]) -> Future[Any]:
        """Let a task be done after those that were put before."""
        promised: Future[Any] = Future()
        self.tasks.put((promised, task))
        return promised

    def _work(self) -> None:
        while True:
            promised, task = self.tasks.get()
            if not promised.set_running_or_notify_cancel():
                continue  # nobody waits any more
            try:
                promised.set_result(task())
            except BaseException as failure:  # belongs to whoever waits for the result
                promised.set_exception(failure)


@cache
def worker() -> Worker:
    """Return the one worker of this process."""
    return Worker()


class Visit:
    """One visitor at one panel: where the controls stand, and what is computed for them. The newest state wins."""

    def __init__(self, shown: Panel, document: Document) -> None:
        self.panel, self.document = shown, document
        self.values, complaints = shown.read(_query(document))
        self.computing = False
        self.stale = True
        self.putting = False
        self.pictures = {frame.name: picture(frame) for frame in shown.frames}
        self.handles = {
            control.name: handle(control, self.values[control.name], self.pictures, self.changed)
            for control in shown.controls
        }
        self.told = Div(name="told", sizing_mode="stretch_width", disable_math=True)
        self.status = Div(name="status", text="", disable_math=True, sizing_mode="stretch_width")
        self.notice = Div(
            name="notice",
            visible=bool(complaints),
            text="".join(map(_paragraph, complaints)),
            css_classes=["notice"],
            disable_math=True,
            sizing_mode="stretch_width",
        )
        self.complaints = complaints
        self.address = Div(name="address", visible=False, disable_math=True)
        shown_there = CustomJS(args={"address": self.address}, code=_SHOWN)
        self.address.js_on_change("text", shown_there)
        document.js_on_event(
            DocumentReady, shown_there
        )  # an answer may be there before the browser is
        self._place()
        document.js_on_event(ConnectionLost, CustomJS(args={"notice": self.notice}, code=_LOST))
        self._soon()

    def _place(self) -> None:
        """Put all models into the page."""
        widgets = [model for entry in self.handles.values() for model in entry.models]
        keys = [drawn.key for drawn in self.pictures.values()]
        for model in (*widgets, *keys, self.told, self.notice, self.status):
            model.stylesheets = [style()]
        self.document.title = f"{self.panel.title} · scalinglaws"
        self.document.template = template()
        self.document.template_variables.update(panel=self.panel, titles=TITLES, css=style())
        for name, models in (
            ("controls", [*widgets, self.notice, self.status]),
            (
                "pictures",
                [one for drawn in self.pictures.values() for one in (drawn.figure, drawn.key)],
            ),
            ("words", [self.told, self.address]),
        ):
            self.document.add_root(Column(*models, name=name, sizing_mode="stretch_width"))

    def changed(self, name: str, value: Any) -> None:
        """Take a value that the visitor has set."""
        if self.putting or self.values[name] == value:
            return
        self.values = {**self.values, name: value}
        self.complaints = []
        self.stale = True
        if not self.computing:
            self._soon()

    def _soon(self) -> None:
        """Compute when the server has time, while the visitor goes on."""
        self.document.add_next_tick_callback(without_document_lock(self.compute))

    async def compute(self) -> None:
        """Compute answers until the newest state has one."""
        if self.computing:
            return
        self.computing = True
        try:
            while self.stale:
                self.stale = False
                values = self.values
                waiting = asyncio.wrap_future(worker().put(partial(attempt, self.panel, values)))
                done, _ = await asyncio.wait([waiting], timeout=PATIENCE)
                if not done:
                    self.document.add_next_tick_callback(partial(self.say, "computing …"))
                answer, complaint = await waiting
                if not self.stale:
                    self.document.add_next_tick_callback(
                        partial(self.show, values, answer, complaint)
                    )
        finally:
            self.computing = False

    def say(self, words: str) -> None:
        """Say what the server is doing."""
        self.status.text = words

    def show(self, values: Values, answer: Answer | None, complaint: str) -> None:
        """Show an answer, or why there is none; then the address."""
        if values is not self.values:
            return
        self.putting = True  # models that follow are not the visitor's doing
        try:
            for name, entry in self.handles.items():
                entry.put(values[name])
        finally:
            self.putting = False
        self.status.text = ""
        query = self.panel.query(values)
        complaints = [*self.complaints, *([complaint] if complaint else [])]
        if answer is None and self.told.text:
            complaints.append("What is shown is the last answer.")
        self.notice.text = "".join(_paragraph(words) for words in complaints)
        self.notice.visible = bool(complaints)
        if answer is not None:
            for drawn in self.pictures.values():
                drawn.show(answer)
            self.told.text = f'<div data-state="{escape(query)}">{answer.page()}</div>'
        self.address.text = query


def attempt(shown: Panel, values: Values) -> tuple[Answer | None, str]:
    """Return an answer and no complaint, or none and why."""
    try:
        return answered(shown, values), ""
    except ScalingLawsError as failure:
        return None, str(failure)
    except Exception as failure:  # a visitor's page must not die of what is ours to mend
        _log.exception("panel %s at %s", shown.name, dict(values))
        return (
            None,
            f"This should not have happened ({type(failure).__name__}); the server's log says more.",
        )


def _paragraph(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def _query(document: Document) -> dict[str, str]:
    """Return what follows the question mark in the visitor's address; of a name that comes twice, the last one."""
    context = document.session_context
    given = context.request.arguments if context is not None and context.request else {}
    return {
        str(name)[:50]: values[-1].decode("utf-8", "replace")[:2000]
        for name, values in given.items()
        if values and not str(name).startswith("bokeh-")
    }


@cache
def template() -> Template:
    """Return the page around a panel."""
    written: Template = Template((files(__package__) / "page.html.j2").read_text(encoding="utf-8"))
    return written


@cache
def style() -> str:
    """Return the style of the page and of the words in it."""
    return files(__package__).joinpath("style.css").read_text(encoding="utf-8")


def _open(name: str, document: Document) -> None:
    """Let a visitor in."""
    Visit(panel(name), document)


def bound(port: int = 0) -> Server:
    """Make a server of all panels that is not started yet.

    Parameters
    ----------
    port : int
        Where to listen; 0 for any that is free.

    Returns
    -------
    Server
        Bound to 127.0.0.1; its `port` says where.

    Raises
    ------
    DomainError
        If the port is taken.
    """
    for _ in range(_ATTEMPTS):
        chosen = port or _free_port()
        applications = {
            f"/{name}": Application(FunctionHandler(partial(_open, name))) for name in TITLES
        }
        try:
            return Server(
                applications,
                port=chosen,
                address=ADDRESS,
                # pages of other sites may not speak to this one
                allow_websocket_origin=[f"{ADDRESS}:{chosen}", f"localhost:{chosen}"],
                use_index=False,
                extra_patterns=[(r"/", RedirectHandler, {"url": f"/{next(iter(TITLES))}"})],
                websocket_max_message_size=LARGEST_MESSAGE,
                check_unused_sessions_milliseconds=5000,
                unused_session_lifetime_milliseconds=10000,
            )
        except OSError as failure:
            if port:
                raise DomainError(
                    f"port = {port} is taken or not allowed: {failure.strerror}",
                    argument="port",
                    value=port,
                ) from failure
    raise DomainError("found no free port on 127.0.0.1", argument="port", value=port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def run(port: int, browser: bool, started: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    port : int
        Where to listen; 0 for any that is free.
    browser : bool
        Whether to open the page.
    started : callable
        Called with the address once the server listens.
    """
    serving = bound(port)
    serving.start()
    address = f"http://{ADDRESS}:{serving.port}/"
    started(address)
    if browser:
        serving.io_loop.call_later(0.1, webbrowser.open, address)
    try:
        serving.io_loop.start()  # until an interrupt, which goes on to the caller
    finally:
        serving.stop()
