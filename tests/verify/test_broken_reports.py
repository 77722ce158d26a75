"""A report that somebody changed, cut or made up is refused in words, whatever stands where."""

import copy
import json

import pytest

from scalinglaws.cli import run
from scalinglaws.errors import DataError
from scalinglaws.verify import report
from scalinglaws.verify.report import Report

_FOREIGN = [None, True, -1, 1e308, 10**400, "x", "inf", [[1]], {"a": 1}, "\ud800"]


@pytest.fixture(scope="module")
def base(root):
    """Return a report with a comparison of every kind, in version 2 of the schema."""
    text = (root / "tests" / "reference" / "report_v1.json").read_text(encoding="utf-8")
    return json.loads(Report.from_json(text).to_json())


def _places(tree, at=()):
    yield at
    entries = tree.items() if isinstance(tree, dict) else ()
    if isinstance(tree, list):
        entries = enumerate(tree[:2])
    for key, entry in entries:
        yield from _places(entry, (*at, key))


def _with(tree, place, value):
    new = copy.deepcopy(tree)
    node = new
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return new


@pytest.mark.parametrize("value", _FOREIGN, ids=str)
def test_a_foreign_value_anywhere_is_refused_or_shown(base, value):
    places = [place for place in _places(base) if place]
    assert len(places) > 150
    refused = 0
    for place in places:
        try:
            found = Report.from_json(json.dumps(_with(base, place, value)))
        except DataError:
            refused += 1
        else:
            assert found.to_text().encode()
            assert found.to_json()
    assert refused > 40


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 100_000, "nested deeper than any report"),
        ('{"a":' * 100_000, "nested deeper than any report"),
        ("[" * 60 + "]" * 60, "nested deeper than any report"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\0", "not JSON"),
        ("1" * 5000, "not JSON"),
        ("1" * 400, "not allowed"),
        ("1e999", "not allowed"),
        ("[NaN]", "NaN is not allowed"),
        ("[-Infinity]", "-Infinity is not allowed"),
        ('"\\ud800"', "not text"),
        ("[]", "must be an object"),
        ("{}", "lacks the keys"),
        ('{"schema": 99}', "schema = 99"),
        ('{"schema": null}', "schema = None"),
    ],
    ids=range(16),
)
def test_what_is_no_report(tmp_path, capsys, text, complaint):
    with pytest.raises(DataError, match=complaint):
        Report.from_json(text)
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    assert run(["report", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert complaint in told
    assert len(told) < 500


def test_a_file_that_is_too_large_is_not_read(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "LARGEST", 1000)
    path = tmp_path / "report.json"
    path.write_text(" " * 1001, encoding="utf-8")
    assert run(["report", str(path)]) == 2
    assert "longer than any report" in capsys.readouterr().err
    path.write_text(" " * 1000, encoding="utf-8")
    assert run(["report", str(path)]) == 2
    assert "not JSON" in capsys.readouterr().err


def test_a_file_that_cannot_be_read(tmp_path, capsys):
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    for path in (tmp_path, tmp_path / "nowhere", binary, loop, binary / "below"):
        assert run(["report", str(path)]) == 2
        assert f"error: cannot read {path}" in capsys.readouterr().err
