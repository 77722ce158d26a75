"""The README's commands are where a stranger looks for them, and its output is real."""

import re
import shlex

import pytest

from scalinglaws.cli import run


@pytest.fixture(scope="module")
def blocks(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_the_first_two_blocks_are_the_two_commands(blocks):
    (kind, main), (other, tests) = blocks[:2]
    assert kind == other == "sh"
    assert len(main.splitlines()) == len(tests.splitlines()) == 1
    assert main.rstrip().endswith("scalinglaws verify")
    assert "pytest" in tests.split("&&")[-1]
    assert [kind for kind, _ in blocks[2:]].count("sh") == 0


def test_console_output_is_what_the_commands_print(blocks, capsys):
    shown = [text for kind, text in blocks if kind == "console"]
    assert len(shown) == 3
    for text in shown:
        command, _, expected = text.partition("\n")
        program, *arguments = shlex.split(command.removeprefix("$ "))
        assert program == "scalinglaws"
        assert run(arguments) == 0
        assert capsys.readouterr().out == expected


def test_the_picture_is_there(root):
    (path,) = re.findall(r"!\[.*?\]\((.*?)\)", (root / "README.md").read_text(encoding="utf-8"))
    assert (root / path).read_bytes()[:4] == b"\x89PNG"
