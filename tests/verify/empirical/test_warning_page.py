"""Every warning stands in the documentation, with its cause and its cure."""

import runpy


def test_the_page_holds_every_code(root):
    written = runpy.run_path(str(root / "tests" / "write_warnings.py"))
    text = (root / "docs" / "runs.md").read_text(encoding="utf-8")
    assert written["MARK"] in text
    assert written["with_table"](text) == text, "run python tests/write_warnings.py"
