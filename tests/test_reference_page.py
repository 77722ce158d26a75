"""The reference shows what every theory offers, in every room, without a list of theories."""

import inspect
import re
import runpy
from importlib import import_module

import pytest

from scalinglaws.verify import empirical
from scalinglaws.verify.registry import theories

ROOMS = ("theory", "solvers", "verify.simulate", "verify.plots")


@pytest.fixture(scope="module")
def reference(root):
    return runpy.run_path(str(root / "docs" / "reference_pages.py"))


@pytest.fixture(scope="module")
def by_hand(root):
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in (root / "docs" / "api").glob("*.md")
        if path.stem != "index"
    }


def test_the_list_at_the_side_holds_every_page(reference, by_hand):
    listed = [document for _, entries in reference["contents"]() for _, document in entries]
    assert len(set(listed)) == len(listed)
    assert set(listed) == {f"api/{place}" for place in [*reference["pages"](), *by_hand]}
    contents = reference["toctrees"]()
    assert all(f"<{document.removeprefix('api/')}>" in contents for document in listed)


def test_no_module_is_shown_twice(reference, by_hand):
    texts = [*by_hand.values(), *reference["pages"]().values()]
    shown = [name for text in texts for name in re.findall(r"automodule:: (\S+)", text)]
    assert len(set(shown)) == len(shown)
    assert len(shown) > 80


@pytest.mark.parametrize("room", ROOMS)
def test_every_theory_of_a_room_is_shown(root, reference, room):
    short = room.rpartition(".")[2]
    pages = {
        place.partition("/")[2]: text
        for place, text in reference["pages"]().items()
        if place.startswith(f"{short}/")
    }
    lived_in = [
        name
        for name in theories()
        if list((root / "scalinglaws" / room.replace(".", "/")).glob(f"{name}*"))
    ]
    assert lived_in
    assert set(lived_in) <= set(pages)
    assert not {"balance", "equivalents"} & set(pages)
    # what is offered is said to be, and therefore shown
    for name, text in pages.items():
        shown = re.findall(r"automodule:: (\S+)\n   :members:\n", text)
        assert shown[0] == f"scalinglaws.{room}.{name}"
        for module in map(import_module, shown):
            if hasattr(module, "__path__"):
                public = [getattr(module, entry) for entry in module.__all__]
                assert all(
                    inspect.getdoc(thing)
                    for thing in public
                    if inspect.isfunction(thing) or inspect.isclass(thing)
                )


def test_every_name_of_the_room_for_own_measurements_is_shown_once(reference):
    text = "\n".join(reference["empirical_pages"]().values())
    (listed,) = re.findall(r":members: (.+)", text)
    shown = listed.split(", ") + re.findall(r"auto(?:class|function):: (\w+)", text)
    assert sorted(shown) == sorted(empirical.__all__)
