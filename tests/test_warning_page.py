"""The page on fits lists every warning as the code has it."""

import re
import runpy

import pytest

from scalinglaws.verify.empirical import WARNINGS


@pytest.fixture(scope="module")
def writer(root):
    return runpy.run_path(str(root / "tests" / "write_warnings.py"))


def test_the_page_has_every_warning(writer):
    written = writer["PAGE"].read_text(encoding="utf-8")
    assert written == writer["page"](written), f"the page is old: {writer['COMMAND']}"
    assert set(re.findall(r"^\| (W-[\w-]+) ", written, re.MULTILINE)) == set(WARNINGS)


def test_every_warning_that_the_code_makes_has_a_cause_and_a_cure(root):
    made = set()
    for path in (root / "scalinglaws").rglob("*.py"):
        if path.name != "_coded_warnings.py":
            made |= set(re.findall(r'"(W-[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert made == set(WARNINGS)
