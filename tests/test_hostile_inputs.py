"""No callable answers a hostile argument with NaN, with somebody else's error, or not at all.

What is tried, and with what, is found by ``hostile.py`` beside this file: new callables enter by themselves.
"""

import inspect
import runpy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from scalinglaws.cli import app, run
from scalinglaws.solvers import Spectrum

HOSTILE = runpy.run_path(str(Path(__file__).with_name("hostile.py")))
CALLABLES = dict(HOSTILE["callables"]())
COMMANDS = dict(HOSTILE["commands"](app))
FUNCTIONS = [path for path in CALLABLES if path.startswith("solvers.")]
EXAMPLES = {"solvers": 8, "theory": 4, "verify": 4}
"""Calls of each callable in a default run, by room; a picture takes as long as ten others."""


@st.composite
def calls(draw, call):
    """Draw arguments that are right for a callable, and spoil up to two of them."""
    given = {
        entry.name: draw(st.sampled_from(HOSTILE["sane"](entry, call)))
        for entry in HOSTILE["parameters"](call)
        if HOSTILE["is_given"](entry) or draw(st.booleans())
    }
    for name in draw(st.lists(st.sampled_from([*given]), max_size=2)) if given else ():
        if name != "self":
            kind = "SPECTRA" if isinstance(given[name], Spectrum) else "EXTREME"
            kind = draw(st.sampled_from((kind, kind, "WRONG")))
            value = draw(st.sampled_from(HOSTILE[kind]))
            given[name] = HOSTILE["spoiled"](call, name, value)
    return given


def _try(path, examples):
    """Call something so many times, and fail at the first call that does not end well."""
    call = CALLABLES[path]

    @settings(
        max_examples=examples,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(call))
    def ends_well(arguments):
        try:
            assert HOSTILE["fault"](call, arguments) == ""
        finally:
            pyplot.close("all")

    ends_well()


@st.composite
def lines(draw, words, function):
    """Draw a line for a command: each argument that must be given, and some others, right or not."""
    line = [*words]
    for entry in inspect.signature(function).parameters.values():
        needed = entry.default is entry.empty and entry.kind is not entry.VAR_POSITIONAL
        if needed or HOSTILE["RUN_NOTHING"].get(words[0]) == entry.name or draw(st.booleans()):
            line += HOSTILE["tokens"](entry, draw(st.sampled_from(HOSTILE["TEXTS"])))
    return line


@pytest.fixture
def sandbox(monkeypatch, tmp_path):
    """Bound what one call may hold, and give it a folder of its own to write to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", f"{HOSTILE['BUDGET']:.0f}")


def test_there_are_values_for_every_parameter():
    unknown = []
    for path, call in CALLABLES.items():
        for entry in HOSTILE["parameters"](call):
            try:
                assert HOSTILE["sane"](entry, call)
            except HOSTILE["UnknownKindError"] as failure:
                unknown.append(f"{path}: {entry.name} ({failure})")
    assert not unknown, "say in tests/hostile.py (LEAVES, NAMED) what these are: " + "; ".join(
        unknown
    )


@pytest.mark.parametrize("path", CALLABLES)
def test_every_call_ends_well(path, sandbox):
    _try(path, 1 if ".plots." in path else EXAMPLES.get(path.partition(".")[0], 8))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_ends_well(words, sandbox, capsys):
    @settings(
        max_examples=8,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(lines(words, COMMANDS[words]))
    def ends_well(line):
        codes = []
        assert HOSTILE["fault"](lambda: codes.append(run(line)), {}) == ""
        printed = capsys.readouterr()
        assert codes in ([0], [1], [2])
        assert "Traceback" not in printed.err
        assert codes == [0] or printed.err or printed.out

    ends_well()


@pytest.mark.slow
@pytest.mark.parametrize("path", FUNCTIONS)
def test_ten_thousand_calls_end_well(path, sandbox):
    _try(path, 10_000)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: float("nan"), "NaN"),
        (lambda: [][1], "IndexError"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: bytearray(10**11), "MemoryError"),
    ],
)
def test_what_is_no_good_end_is_seen(call, complaint):
    assert complaint in HOSTILE["fault"](call, {})
