"""What commands print fits into the pages: every line, with the same words."""

import re
import runpy

import pytest

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def lines(root):
    return runpy.run_path(str(root / "docs" / "printed_lines.py"))


def test_what_the_pages_show_fits_and_loses_no_word(root, lines):
    seen = wide = 0
    for page in sorted((root / "docs").rglob("*.md")):
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            found = lines["fitted"](block)
            seen += found != block
            long = [line for line in found.splitlines() if len(line) > lines["WIDTH"] + 3]
            assert all(len(line) < 126 and line.strip().count("  ") > 4 for line in long), page
            wide += len(long)
            before, after = (re.sub(r"\\\n|-{3,}", "", text) for text in (block, found))
            assert sorted("".join(before.split())) == sorted("".join(after.split())), page
            assert lines["fitted"](found) == found or "  ---" in found, page
    assert seen > 50
    assert wide < 40  # tables of numbers


def test_words_go_on_where_they_began_and_tables_keep_their_columns(lines):
    text = "\n".join(
        [
            "$ scalinglaws solve linear.ridge alpha=1 --label 'two words'",
            "name   told                      sure",
            "-----  ------------------------  ----",
            "a.b.c  a sentence of some words  yes",
            "d      short                     no",
            "",
            "  assumes  nothing that anybody would miss",
        ]
    )
    assert lines["fitted"](text, 30).split("\n") == [
        "$ scalinglaws solve \\",
        "    linear.ridge alpha=1 \\",
        "    --label 'two words'",
        "name   told               sure",
        "-----  -----------------  ----",
        "a.b.c  a sentence of      yes",
        "       some words",
        "d      short              no",
        "",
        "  assumes  nothing that",
        "           anybody would",
        "           miss",
    ]


def test_names_break_behind_strokes_only_where_words_do_not_help(lines):
    text = (
        f"name{' ' * 20}  told\n{'-' * 24}  {'-' * 14}\nlinear.data/few-samples/a  0.5 +- 1/2 tol"
    )
    text = text.replace("-" * 24, "-" * 25).replace("name ", "name  ", 1)
    found = lines["fitted"](text, 30).split("\n")
    assert [line.split("  ")[0].strip() for line in found[2:]] == ["linear.data/", "few-samples/a"]
    assert "1/2" in found[2] + found[3]


def test_a_table_that_cannot_be_narrower_stays(lines):
    text = f"one  two\n---  {'-' * 30}\n1    {'x' * 30}"
    assert lines["fitted"](text, 20) == text
