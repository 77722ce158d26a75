"""Files that hold no result, or one that is spoiled, are refused in words."""

import json
import zipfile

import numpy as np
import pytest

from scalinglaws.errors import DataError, ResourceError
from scalinglaws.results import Result
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.verify.finished import FinishedChecks


@pytest.fixture
def saved(tmp_path):
    return linear.ridge(PowerLawSpectrum(1.5, 1.0), samples=[10, 100]).save(tmp_path / "x.npz")


def _headed(path, header):
    np.savez(path, header=np.array(header))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"junk" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(path.read_bytes()[100:]),
        lambda path: path.write_text("{}", encoding="utf-8"),
        lambda path: np.savez(path, header=np.array([{"a": 1}], dtype=object)),
        lambda path: np.savez(path, header=np.ones(3)),
        lambda path: _headed(path, "[" * 100_000),
        lambda path: _headed(path, '{"format": 2, "result": ' + '{"tuple": [' * 900 + "]}" * 900 + "}"),
        lambda path: _headed(path, json.dumps({"format": 2, "result": {"array": "array_9"}})),
        lambda path: _headed(path, json.dumps({"format": 2, "result": {"class": 1, "fields": {}}})),
        lambda path: _headed(path, json.dumps({"format": 2, "result": {"class": "linear.RidgeSolution", "fields": []}})),
        lambda path: _headed(path, json.dumps({"format": 2, "result": {"mpf": ["1" * 5000, 0]}})),
        lambda path: _headed(path, json.dumps({"format": 2, "result": {"objects": [1], "shape": [7]}})),
        lambda path: _headed(path, json.dumps({"format": None, "result": 1})),
        lambda path: _headed(path, json.dumps({"format": 2, "result": float("nan")})),
    ],
    ids=range(17),
)  # fmt: skip
def test_spoiled_files(saved, spoil):
    spoil(saved)
    with pytest.raises(DataError):
        Result.load(saved)
    assert FinishedChecks(saved.parent).read(saved) is None


def test_a_file_that_unpacks_to_more_than_memory(saved, monkeypatch):
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("array_99.npy", bytes(2 * 10**6))
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="would hold 0.00"):
        Result.load(saved)


def test_a_header_that_claims_more_than_it_holds(saved):
    """The shape of an array is not believed before its bytes are there."""
    with zipfile.ZipFile(saved, "w") as parts:
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
        header = text.ljust(117).encode() + b"\n"
        parts.writestr("header.npy", b"\x93NUMPY\x01\x00v\x00" + header)
    with pytest.raises(DataError, match="holds no saved result"):
        Result.load(saved)


def test_what_is_no_file(tmp_path):
    for path, kind in (
        (tmp_path, IsADirectoryError),
        (tmp_path / "nowhere.npz", FileNotFoundError),
    ):
        with pytest.raises(kind):
            Result.load(path)
        assert FinishedChecks(tmp_path).read(path) is None
