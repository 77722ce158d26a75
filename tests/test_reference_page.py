"""The reference page shows what every theory offers, in every room, without a list of theories."""

import inspect
import re
import runpy
from importlib import import_module

import pytest

from scalinglaws.verify.registry import theories

ROOMS = ("theory", "solvers", "verify.simulate", "verify.plots")


@pytest.fixture(scope="module")
def conf(root):
    return runpy.run_path(str(root / "docs" / "conf.py"))


def test_the_page_has_a_place_for_every_room(root):
    text = (root / "docs" / "api.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- theories of scalinglaws\.([\w.]+) -->", text)
    assert tuple(found) == ROOMS
    listed = re.findall(r"automodule:: scalinglaws\.(\S+)", text)
    shown_by_themselves = tuple(f"{room}.{name}" for room in ROOMS for name in theories())
    assert not [
        name
        for name in listed
        if (name + ".").startswith(tuple(f"{one}." for one in shown_by_themselves))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_theory_of_a_room_is_shown(root, conf, room):
    source = [f"before\n<!-- theories of scalinglaws.{room} -->\nafter\n"]
    conf["list_theories"](None, "api", source)
    shown = re.findall(r"automodule:: (\S+)\n   :members:\n", source[0])
    lived_in = [
        f"scalinglaws.{room}.{name}"
        for name in theories()
        if list((root / "scalinglaws" / room.replace(".", "/")).glob(f"{name}*"))
    ]
    assert lived_in
    assert set(lived_in) <= set(shown)
    assert not [name for name in shown if name.split(".")[-1] in ("balance", "equivalents")]
    # what is offered is said to be, and therefore shown
    for name in shown:
        module = import_module(name)
        if hasattr(module, "__path__"):
            public = [getattr(module, entry) for entry in module.__all__]
            assert all(
                inspect.getdoc(thing)
                for thing in public
                if inspect.isfunction(thing) or inspect.isclass(thing)
            )
