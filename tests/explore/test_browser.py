"""The explorer in a real browser: loads, drags, types, drops, two visitors, malformed input. Every wait is for a condition."""

import http.client
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from fractions import Fraction
from urllib.parse import parse_qsl, unquote

import pytest

from scalinglaws import theory
from scalinglaws.explore.panels import TITLES, panel

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("bokeh")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PATIENCE = 90_000  # milliseconds for what may have to be compiled first
PIXEL = """([frame, x, y]) => {
  const model = Bokeh.documents[0].get_model_by_name('frame-' + frame)
  const view = Bokeh.index.find_one(model)
  const box = view.canvas_view.el.getBoundingClientRect()
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home of the explorer")


@contextmanager
def serving(home, *options):
    """Run the command as a person does; yield its address and the process."""
    command = [sys.executable, "-m", "scalinglaws", "explore", "--no-browser", *options]
    given = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, env=given, cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line + process.stdout.read()
        yield found[0], process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def address(home):
    with serving(home) as (found, _):
        yield found


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Page:
    """A page of the explorer, with what went wrong in it."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(viewport={"width": 1400, "height": 900}, **options)
        self.page = self.context.new_page()
        self.address, self.wrong = address, []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.wrong.append(said.text) if said.type == "error" else None,
        )
        self.page.on("request", self._asked)

    def _asked(self, request):
        if not request.url.startswith((self.address, "data:", self.address.replace("http", "ws"))):
            self.wrong.append(f"asked for {request.url}")

    def open(self, path, shown=""):
        self.page.goto(self.address + path)
        self.wait_shown(shown)
        return self

    def wait_shown(self, part=""):
        """Wait until the answer of an address that holds a part is on the page."""
        self.page.wait_for_function(
            "part => document.body.dataset.shown !== undefined && document.body.dataset.shown.includes(part)",
            arg=part,
            timeout=PATIENCE,
        )
        self.wait_told()

    def wait_told(self):
        """Wait until the words are those of the address: they are put into the page a moment later."""
        at = self.page.locator(f'[data-state="{self.query}"]')
        at.wait_for(state="attached", timeout=PATIENCE)

    def dropped(self, points, near):
        """Wait until a dragged point lies near where the mouse let it go and the answer on the page is that point's; return it."""
        self.page.wait_for_function(
            """([points, x, y]) => {
              const at = Bokeh.documents[0].get_model_by_name('points-' + points).data
              const close = Math.abs(at.x[0] - x) < 0.03 && Math.abs(at.y[0] - y) < 0.03
              const [, a, b] = new RegExp(points + '=([^:]*):([^;&]*)').exec(document.body.dataset.shown)
              return close && Math.abs(at.x[0] - a) < 0.006 && Math.abs(at.y[0] - b) < 0.006
            }""",
            arg=[points, *near],
            timeout=PATIENCE,
        )
        self.wait_told()
        x, y = re.search(rf"{points}=([\d.]+):([\d.]+)", self.query).groups()
        return float(x), float(y)

    @property
    def query(self):
        return self.page.evaluate("() => document.body.dataset.shown")

    def value(self, name):
        return self.page.locator(f'[data-name="{name}"]').get_attribute("data-value")

    def values(self):
        return dict(
            self.page.locator("[data-name]").evaluate_all(
                "all => all.map(one => [one.dataset.name, one.dataset.value])"
            )
        )

    def notice(self):
        """Wait for a complaint and return it."""
        self.page.wait_for_function(
            "() => Bokeh.documents[0].get_model_by_name('notice').visible", timeout=PATIENCE
        )
        return self.page.evaluate("() => Bokeh.documents[0].get_model_by_name('notice').text")

    def drag(self, frame, start, stop):
        """Drag from one point of a picture to another, in its own coordinates."""
        (x0, y0), (x1, y1) = (self.page.evaluate(PIXEL, [frame, *at]) for at in (start, stop))
        mouse = self.page.mouse
        mouse.move(x0, y0)
        mouse.down()
        mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=4)
        mouse.move(x1, y1, steps=4)
        mouse.up()


@pytest.fixture
def visit(browser, address):
    """Open pages, and say at the end what went wrong in them."""
    pages = []

    def opened(path, shown=""):
        pages.append(Page(browser, address))
        return pages[-1].open(path, shown)

    yield opened
    for page in pages:
        assert page.wrong == []
        page.context.close()


def expected(name, **given):
    """Return the numbers of a panel as the page should hold them."""
    found = panel(name)
    answer = found.answer({**found.start(), **given})
    return {
        entry.name: entry.value if isinstance(entry.value, str) else repr(float(entry.value))
        for entry in answer.numbers
    }


@pytest.mark.parametrize("name", TITLES)
def test_a_panel_loads_and_shows_what_the_library_says(visit, name):
    page = visit(name)
    assert page.query == panel(name).query(panel(name).start())
    assert page.page.url.endswith(f"{name}?{page.query}" if page.query else name)
    assert page.values() == expected(name)
    assert page.page.locator("nav a[aria-current]").inner_text() == TITLES[name]


def test_a_point_is_dragged(visit):
    page = visit("phases")
    page.drag("plane", (1.5, 0.5), (2, 2))
    alpha, beta = (Fraction(str(one)) for one in page.dropped("task", (2, 2)))
    law = theory.law("linear.compute")
    assert page.value("exponent") == str(law(alpha=alpha, beta=beta))
    assert page.value("phase") == law.regime(alpha=alpha, beta=beta) == "III"
    # a shared address shows the same
    assert visit(page.page.url.removeprefix(page.address), page.query).values() == page.values()


def test_coordinates_are_typed(visit):
    page = visit("phases?learning=feature_learning&quantity=time")
    box = page.page.locator("input").nth(1)  # after capacity
    box.fill("0.75")
    box.press("Enter")
    page.wait_shown("task=1.5:0.75")
    assert page.value("exponent") == "6/7"  # 2 beta / (1 + beta)


def test_two_visitors_do_not_see_each_other(visit):
    first, second = visit("phases"), visit("phases?task=2.5:2.5")
    first.drag("plane", (1.5, 0.5), (0.75, 2))
    second.drag("plane", (2.5, 2.5), (2, 1.25))
    for page, near in ((first, (0.75, 2)), (second, (2, 1.25))):
        task = page.dropped("task", near)  # waits, before values are read
        assert page.values() == expected("phases", task=(task,))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("task=9:9", ["task", "9:9", "from 0 to 3"]),
        ("task=nan:nan", ["task", "nan:nan"]),
        ("quantity=banana", ["quantity", "banana", "compute"]),
        ("alpha=1", ["alpha", "not known here", "task"]),
        ("task=", ["task"]),
        ("quantity=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", ["quantity", "&lt;img"]),
        ("task=" + "1:1;" * 3000, ["task"]),
        ("task=%ff%fe", ["task"]),
    ],
)
def test_a_malformed_address_is_refused_in_words_and_the_page_lives(visit, query, words):
    page = visit(f"phases?{query}")
    said = page.notice()
    assert all(word in said for word in words), said
    assert page.page.locator("img").count() == 0
    assert page.values() == expected("phases")
    page.drag("plane", (1.5, 0.5), (2, 2))
    page.dropped("task", (2, 2))
    page.page.wait_for_function("() => !Bokeh.documents[0].get_model_by_name('notice').visible")


@pytest.mark.parametrize(
    "path",
    [
        "etc/passwd",
        "../../../../etc/passwd",
        "static/../../../../../../../../etc/passwd",
        "static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "static//etc/passwd",
        "static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "phases/../../etc/passwd",
        "phases/static/style.css",
        "components/x",
    ],
)
def test_no_file_is_read_through_it(address, path):
    host = http.client.HTTPConnection(address.split("/")[2], timeout=10)
    host.putrequest("GET", "/" + path, skip_host=False)
    host.endheaders()
    answer = host.getresponse()
    assert answer.status in (400, 403, 404)
    assert b"root:" not in answer.read()


def test_pages_of_other_sites_cannot_talk_to_it(address):
    where = address.split("/")[2]
    for origin, status in (("http://example.org", 403), (f"http://{where}", 101)):
        host = http.client.HTTPConnection(where, timeout=10)
        host.putrequest("GET", "/phases/ws")
        for name, value in {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "bokeh, token",
            "Origin": origin,
        }.items():
            host.putheader(name, value)
        host.endheaders()
        assert host.getresponse().status == status
        host.close()


def test_it_listens_on_this_machine_alone(address):
    import socket

    port = int(address.rstrip("/").rsplit(":", 1)[1])
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(("192.0.2.1", 9))  # sends nothing; says which address the machine has
        own = probe.getsockname()[0]
    except OSError:
        pytest.skip("no address but the loopback")
    finally:
        probe.close()
    if own.startswith("127."):
        pytest.skip("no address but the loopback")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own, port), timeout=2).close()


def test_a_page_says_that_its_server_has_gone(browser, home):
    with serving(home) as (found, process):
        page = Page(browser, found).open("phases")
        process.terminate()
        assert process.wait(10) == 143
        page.page.wait_for_function("() => document.body.dataset.lost === 'true'", timeout=PATIENCE)
        assert "does not answer any more" in page.notice()
        page.context.close()


def test_a_port_that_is_taken_is_refused_in_words(address):
    port = address.rstrip("/").rsplit(":", 1)[1]
    ran = subprocess.run(
        [sys.executable, "-m", "scalinglaws", "explore", "--no-browser", "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2
    assert f"port = {port} is taken" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_snapshot_needs_no_server(browser, tmp_path):
    from scalinglaws.explore.snapshot import export

    path = tmp_path / "with a space.html"
    assert export(path, ["percolation"]) > 100
    assert path.stat().st_size < 10_000_000
    page = Page(browser, path.as_uri(), offline=True)
    page.open("", "percolation?")
    start = panel("percolation").start()
    assert page.values() == expected("percolation")
    ((x, y),) = start["clusters"]
    page.drag("plane", (x, y), (2.81, 1.22))  # goes to the nearest state
    task = page.dropped("clusters", (2.8, 1.2))
    assert page.values() == expected("percolation", clusters=(task,))
    settle(page, "quantity", lambda: page.page.locator("select").first.select_option(index=1))
    assert page.wrong == []
    page.context.close()


def settle(page, control, changed):
    """Wait until the page shows another state of a control than before; return its value in the address."""
    before = re.search(rf"{control}=([^&]*)", page.query)[1]
    changed()
    page.page.wait_for_function(
        """([control, before]) => {
          const found = new RegExp(control + '=([^&]*)').exec(document.body.dataset.shown)
          return found !== null && found[1] !== before
        }""",
        arg=[control, before],
        timeout=PATIENCE,
    )
    page.wait_told()
    return unquote(re.search(rf"{control}=([^&]*)", page.query)[1])


def test_a_slider_is_moved_by_keys(visit):
    page = visit("losses")
    thumb = page.page.get_by_role("slider").first
    thumb.focus()
    alpha = settle(page, "alpha", lambda: thumb.press("ArrowRight"))
    values, complaints = panel("losses").read(dict(parse_qsl(page.query)))
    assert complaints == []
    assert values["alpha"] == float(alpha) > panel("losses").start()["alpha"]
    assert page.values() == expected("losses", **values)


def test_a_knot_of_a_schedule_is_dragged_and_its_loss_is_the_librarys(visit):
    page = visit("schedules")
    start = panel("schedules").start()["drawn"]
    x, y = start[1]
    drawn = settle(page, "drawn", lambda: page.drag("schedule", (x, y), (x - 0.2, y - 0.3)))
    page.page.wait_for_function(
        """start => {
          const at = Bokeh.documents[0].get_model_by_name('points-drawn').data
          return Math.abs(at.x[1] - start[0]) < 0.03 && Math.abs(at.y[1] - start[1]) < 0.03
            && document.body.dataset.shown.includes(`;${+at.x[1].toFixed(3)}:${+at.y[1].toFixed(3)};`)
        }""",
        arg=[x - 0.2, y - 0.3],
        timeout=PATIENCE,
    )
    page.wait_told()
    values, complaints = panel("schedules").read(dict(parse_qsl(page.query)))
    assert complaints == []
    assert len(values["drawn"]) == len(start)
    assert drawn.count(":") == len(start)
    assert page.values() == expected("schedules", **values)


def test_a_schedule_is_drawn_by_hand(visit):
    page = visit("schedules")
    page.page.get_by_title("Freehand Draw Tool").first.click()
    drawn = settle(page, "drawn", lambda: page.drag("schedule", (0.05, 0.9), (0.95, 0.1)))
    assert drawn.count(":") > 4
    values, _ = panel("schedules").read(dict(parse_qsl(page.query)))
    assert page.values() == expected("schedules", **values)


def test_a_typed_loss_is_minimized_and_a_malformed_one_refused(visit):
    page = visit("allocation")
    before = page.values()
    typed = page.page.locator("input[type=text]").first

    def enter(text):
        typed.fill(text)
        typed.press("Enter")

    enter("__import__('os').system('id')")
    said = page.notice()
    assert said.startswith("<p>loss = ")
    assert page.values() == before  # the last answer stays
    settle(page, "loss", lambda: enter("2 + 100/N**0.5 + 300/D**0.5"))
    values, complaints = panel("allocation").read(dict(parse_qsl(page.query)))
    assert complaints == []
    page.page.wait_for_function("() => !Bokeh.documents[0].get_model_by_name('notice').visible")
    assert page.values() == expected("allocation", **values)


RUNS = "params,tokens,loss\n" + "".join(
    f"{n:.6g},{d:.6g},{1.8 + 400 / n**0.34 + 410 / d**0.28:.6f}\n"
    for n in (1e7, 3e7, 1e8, 3e8, 1e9)
    for d in (2e8, 1e9, 5e9, 2e10)
)


def test_runs_are_dropped_in_and_leave_no_trace(visit, home):
    page = visit("runs")
    dropped = page.page.locator("input[type=file]")
    dropped.set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": RUNS.encode()})
    wanted = expected("runs", file=("mine.csv", RUNS.encode()))
    page.page.wait_for_selector(f'[data-name="runs"][data-value="{wanted["runs"]}"]')
    assert page.values() == wanted
    assert "mine" not in page.page.url
    dropped.set_input_files(
        {"name": "broken.csv", "mimeType": "text/csv", "buffer": b"a,b\n1\n\xff\x00"}
    )
    page.notice()
    assert page.values() == wanted
    dropped.set_input_files(
        {"name": "large.csv", "mimeType": "text/csv", "buffer": b"1,2,3\n" * 1_000_000}
    )
    page.page.wait_for_function(
        "() => Bokeh.documents[0].get_model_by_name('notice').text.includes('large.csv')",
        timeout=PATIENCE,
    )
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert not [
        path
        for path in kept
        if b"2e+08,1.8" in path.read_bytes() or b"mine.csv" in path.read_bytes()
    ]
    # another visitor sees nothing of it
    assert visit("runs").values() == expected("runs")
