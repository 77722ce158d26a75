"""No callable answers a hostile argument with NaN, with somebody else's error, or not at all.

What is tried, and with what, is found by ``hostile.py`` beside this file: new callables enter by themselves.
"""

import runpy
from pathlib import Path

import pytest

from scalinglaws.cli import app

HOSTILE = runpy.run_path(str(Path(__file__).with_name("hostile.py")))
CALLABLES = dict(HOSTILE["callables"]())
COMMANDS = dict(HOSTILE["ending_commands"](app))
FUNCTIONS = [path for path in CALLABLES if path.startswith("solvers.")]
MOST = 20
"""Seconds of the processor for one solver, of which few can be called ten thousand times in them."""


@pytest.fixture(autouse=True)
def _sandbox():
    with HOSTILE["sandbox"]():
        yield


def test_there_are_values_for_every_parameter():
    unknown = []
    for path, call in CALLABLES.items():
        for entry in HOSTILE["parameters"](call):
            try:
                assert HOSTILE["sane"](entry, call)
            except HOSTILE["UnknownKindError"] as failure:
                unknown.append(f"{path}: {entry.name} ({failure})")
    assert not unknown, "say in tests/hostile_values.py what these are: " + "; ".join(unknown)


@pytest.mark.parametrize("path", CALLABLES)
def test_every_call_ends_well(path):
    made, faults = HOSTILE["sweep_call"](path, CALLABLES[path], HOSTILE["times_of"](path))
    assert made
    assert not faults


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_ends_well(words):
    made, faults = HOSTILE["sweep_command"](words, COMMANDS[words])
    assert made
    assert not faults


@pytest.mark.slow
@pytest.mark.parametrize("path", FUNCTIONS)
def test_ten_thousand_calls_end_well(path):
    made, faults = HOSTILE["sweep_call"](path, CALLABLES[path], 10_000, MOST)
    assert made
    assert not faults


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
