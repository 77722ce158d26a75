"""The page on reading logs lists every warning as the code has it."""

import re
import runpy

from scalinglaws.verify.empirical import WARNINGS


def test_the_page_has_every_warning(root):
    writer = runpy.run_path(str(root / "tests" / "write_warnings.py"))
    written = writer["PAGE"].read_text(encoding="utf-8")
    assert writer["MARK"] in written
    assert written == writer["with_table"](written), "run python tests/write_warnings.py"
    assert set(re.findall(r"^\| (W-[\w-]+) ", written, re.MULTILINE)) == set(WARNINGS)


def test_every_warning_that_the_code_makes_has_a_cause_and_a_cure(root):
    made = set()
    for path in (root / "scalinglaws").rglob("*.py"):
        if path.name != "_coded_warnings.py":
            made |= set(re.findall(r'"(W-[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert made == set(WARNINGS)
