"""The panel of people's runs fits what they drop in, and keeps nothing of it."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DataError, ScalingLawsError
from scalinglaws.explore.panels import panel
from scalinglaws.explore.panels.runs import LARGEST, LINES, MOST
from scalinglaws.formatting import typeset
from scalinglaws.verify.empirical import example_runs, fit, optimum, read_runs

PANEL = panel("runs")


def table(count, *, noise=0.005, seed=0):
    """Return runs of a law as a table."""
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(7, 10, count), 10 ** rng.uniform(9, 12, count)
    loss = (1.8 + 480 / n**0.35 + 2000 / d**0.37) * np.exp(noise * rng.normal(size=count))
    rows = "".join(f"{a:.8g},{b:.8g},{c:.8g}\n" for a, b, c in zip(n, d, loss, strict=True))
    return f"params,tokens,loss\n{rows}".encode()


def state(**changed):
    return PANEL.start() | changed


def test_without_a_file_public_runs_are_fitted_and_said_to_be(ask):
    answer = ask.judged(PANEL, state(budget=1e22))
    runs = example_runs("gadre", where={"dataset": "c4_original"})
    found = fit("surface", runs, bootstrap=200)
    for name, value in found.parameters.items():
        assert ask.number(answer, name) == value
    best = optimum(found, [1e22])
    assert ask.number(answer, "params") == best.params[0]
    assert ask.number(answer, "tokens") == best.tokens[0]
    assert ask.number(answer, "loss") == best.loss[0]
    assert "public runs" in answer.html
    for entry in found.warnings:
        assert entry.code in answer.html
    marks = ask.line(answer, "compute", "runs")
    assert np.array_equal(marks.y, runs.loss)


@pytest.mark.parametrize("law", ["surface", "surface_power", "power_offset", "power"])
def test_a_file_is_fitted_as_the_library_fits_it(ask, law, tmp_path):
    content = table(40)
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    answer = ask.judged(PANEL, state(file=("mine.csv", content), law=law))
    found = fit(law, read_runs(path), bootstrap=200)
    for name, value in found.parameters.items():
        assert ask.number(answer, name) == value
        low, high = found.interval(name)
        note = next(entry.note for entry in answer.numbers if entry.name == name)
        assert note == f"95 %: {typeset(low)} to {typeset(high)}"
    if law == "surface":
        assert ask.number(answer, "a") == pytest.approx(0.35, abs=0.03)
    if "N" not in found.model.variables:
        told = found.predict(interval="run", x=[1e21])
        assert ask.number(answer, "loss") == told.loss[0]
    assert "mine.csv" in answer.page()


def test_nothing_of_a_file_is_written(ask):
    values = state(file=("secret.csv", table(30)))
    ask.judged(PANEL, values)  # kernels are compiled and kept now
    opened, watching = [], True

    def hook(event, arguments):
        if watching and event == "open":
            path, mode, flags = arguments
            if (mode and set(mode) & set("wax+")) or (flags & 3):
                opened.append(path)

    sys.addaudithook(hook)
    try:
        ask.judged(PANEL, values)
    finally:
        watching = False
    assert opened == []
    assert "secret" not in PANEL.query(values)


def test_a_file_is_not_remembered(ask):
    first = ask.judged(PANEL, state(file=("a.csv", table(30, seed=1))))
    other = ask.judged(PANEL, state(file=("a.csv", table(30, seed=2))))
    assert ask.number(first, "E") != ask.number(other, "E")
    assert "public runs" in ask.judged(PANEL, state()).html


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"params,tokens,loss\n1e8,1e9,3\n1e8,xx,3\n", "row 2: tokens = 'xx'"),
        ("a.csv", b"params,tokens,loss\n1e8,1e9,-3\n1e8,1e9,2\n", "row 1: loss = -3"),
        ("a.csv", b"params,tokens,loss\n1,2\n", "line 2: 2 numbers"),
        ("a.csv", b"\xff\xfe\x00", "no text in UTF-8"),
        ("a.csv", b"width,loss\n1,2\n", "no column for N"),
        ("a.npz", b"PK", "must be one of .csv"),
        ("/etc/passwd", b"root", "must be one of .csv"),
        ("a.csv", table(4), "too few"),
        ("a.csv", table(MOST + 1), "more than"),
        ("a.csv", b"\n" * (LINES + 1), "lines, more than"),
        ("a.csv", b"x" * (LARGEST + 1), "is larger than"),
    ],
)
def test_malformed_files_are_refused_in_few_words(name, content, words):
    with pytest.raises(ScalingLawsError, match=".{1,250}$") as caught:
        PANEL.answer(state(file=(name, content)))
    assert words in str(caught.value)


def test_names_of_files_are_harmless(ask):
    answer = ask.judged(PANEL, state(file=("../<b>evil</b>\n.csv", table(30))))
    assert "<b>" not in answer.page()
    with pytest.raises(DataError, match=r"passwd\.csv"):
        PANEL.answer(state(file=("..\\..\\etc\\passwd.csv", b"")))


@given(st.binary(max_size=300) | st.text("0123456789.,eNDC\nloss-+\"' ", max_size=300))
@settings(max_examples=30)
def test_any_content_is_answered_or_refused(ask, content):
    content = content if isinstance(content, bytes) else f"N,D,loss\n{content}".encode()
    ask.judged(PANEL, state(file=("a.csv", content)))


@given(st.data())
@settings(max_examples=8)
def test_between_corners(ask, data):
    values = data.draw(ask.states(PANEL))
    values["file"] = data.draw(
        st.sampled_from([None, ("a.csv", table(12)), ("a.csv", table(30, noise=0.2))])
    )
    ask.judged(PANEL, values)
    ask.same_after_address(PANEL, values | {"file": None})


def test_corners(ask):
    for values in ask.corners(PANEL):
        assert ask.judged(PANEL, values) is not None, values
    assert not PANEL.snapshot
