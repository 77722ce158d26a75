"""Docstrings: lists of references count from one, and formulas keep their backslashes."""

import ast
import re


def _docstrings(root):
    for path in sorted((root / "scalinglaws").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.stem}.{getattr(node, 'name', '')}", text


def test_references_count_from_one(root):
    wrong, lists = [], 0
    for name, text in _docstrings(root):
        numbers = [int(number) for number in re.findall(r"^\s*\.\. \[(\d+)\]", text, re.MULTILINE)]
        cited = {int(number) for number in re.findall(r"\[(\d+)\]_", text)}
        lists += bool(numbers)
        if numbers != list(range(1, len(numbers) + 1)) or not cited <= set(numbers):
            wrong.append(name)
    assert lists > 40
    assert wrong == []


def test_no_escape_has_become_a_control_character(root):
    """``\\alpha`` and ``\\frac`` begin like escapes of a bell and of a form feed."""
    wrong = [
        name for name, text in _docstrings(root) if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
    ]
    assert wrong == []
