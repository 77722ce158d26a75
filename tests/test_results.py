"""Results can be kept: as dictionaries, as files, as data frames."""

import json
from dataclasses import dataclass, fields
from types import SimpleNamespace

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.results import Diagnostics, Result, Status, jsonable
from scalinglaws.solvers import PowerLawSpectrum, linear


@pytest.fixture(scope="module")
def solution():
    return linear.ridge(
        PowerLawSpectrum(1.5, 1.0), samples=[10, 100, np.inf], features=20, noise_variance=0.1
    )


def _same(one, two):
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(two, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right


def test_save_and_load_give_the_same_result_back(solution, tmp_path):
    path = solution.save(tmp_path / "ridge.npz")
    _same(linear.RidgeSolution.load(path), solution)
    _same(Result.load(path), solution)
    scalar = linear.ridge(PowerLawSpectrum(1.5, 1.0), samples=10)
    _same(Result.load(scalar.save(tmp_path / "scalar.npz")), scalar)


def test_no_pickle_in_a_saved_file(solution, tmp_path):
    with np.load(solution.save(tmp_path / "ridge.npz"), allow_pickle=False) as store:
        assert json.loads(str(store["header"]))["format"] == 2
        assert all(store[key].dtype != object for key in store)


def test_refusals_of_save_and_load(solution, tmp_path):
    with pytest.raises(DomainError, match=r"must end in \.npz"):
        solution.save(tmp_path / "ridge.json")
    np.savez(tmp_path / "other.npz", x=np.ones(2))
    with pytest.raises(DataError, match="holds no saved result"):
        Result.load(tmp_path / "other.npz")
    np.savez(tmp_path / "newer.npz", header=np.array(json.dumps({"format": 99})))
    with pytest.raises(DataError, match="has format 99; this version reads 1"):
        Result.load(tmp_path / "newer.npz")
    for path in (
        "os:system",
        "scalinglaws.errors:DomainError",
        "scalinglaws.solvers.linear:nothing",
    ):
        np.savez(
            tmp_path / "evil.npz",
            header=np.array(json.dumps({"format": 1, "result": {"class": path, "fields": {}}})),
        )
        with pytest.raises(DataError):
            Result.load(tmp_path / "evil.npz")


@pytest.mark.parametrize("path", [10**30, None, b"result.npz", "a\0.npz"])
def test_what_is_no_path_is_refused_by_name(solution, path):
    for call in (solution.save, type(solution).load):
        with pytest.raises(DomainError, match="must be a path") as caught:
            call(path)
        assert caught.value.argument == "path"


def test_files_that_are_something_else(solution, tmp_path):
    path = tmp_path / "x.npz"
    good = {
        "format": 1,
        "result": {"class": "scalinglaws.results:Diagnostics", "fields": {"no": 1}},
    }
    for content in (b"junk", b"", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="holds no saved result"):
            Result.load(path)
    for header in ("not json", "[]", "{}", json.dumps({"format": 1}), json.dumps(good)):
        np.savez(path, header=np.array(header))
        with pytest.raises(DataError, match="holds no saved result"):
            Result.load(path)
    with pytest.raises(FileNotFoundError):
        Result.load(tmp_path / "nowhere.npz")


def test_loading_another_kind_of_result_is_refused(solution, tmp_path):
    @dataclass(frozen=True)
    class Other(Result):
        value: float

    with pytest.raises(DataError, match="holds a RidgeSolution, not a Other"):
        Other.load(solution.save(tmp_path / "ridge.npz"))


def test_to_dict_is_plain(solution):
    found = solution.to_dict()
    assert found["samples"] == [10.0, 100.0, np.inf]
    assert found["diagnostics"]["status"] == "CONVERGED"


def test_to_dataframe_without_pandas_says_what_to_do(solution, monkeypatch):
    def no_pandas(name):
        raise ImportError(name)

    monkeypatch.setattr("scalinglaws.results.import_module", no_pandas)
    with pytest.raises(ImportError, match=r"use to_dict\(\) or save\(\)"):
        solution.to_dataframe()


def test_to_dataframe_broadcasts_scalars_over_rows(solution, monkeypatch):
    monkeypatch.setattr(
        "scalinglaws.results.import_module", lambda name: SimpleNamespace(DataFrame=dict)
    )
    frame = solution.to_dataframe()
    assert list(frame["samples"]) == [10.0, 100.0, np.inf]
    assert list(frame["features"]) == [20.0, 20.0, 20.0]
    assert list(frame["test_loss"]) == list(solution.test_loss)


def test_jsonable_refuses_nan_and_spells_infinity():
    assert jsonable({"x": (1, np.float64(2), -np.inf), "y": np.array([np.inf])}) == {
        "x": [1, 2.0, "-inf"],
        "y": ["inf"],
    }
    with pytest.raises(DomainError, match="NaN"):
        jsonable([float("nan")])
    with pytest.raises(DomainError, match="cannot hold a set"):
        jsonable({1, 2})


def test_saving_an_unknown_kind_of_field_is_refused(tmp_path):
    @dataclass(frozen=True)
    class Strange(Result):
        value: object

    with pytest.raises(DomainError, match="without pickling"):
        Strange(object()).save(tmp_path / "x.npz")
    with pytest.raises(DomainError, match="without pickling"):
        Strange(np.array([None, 1], dtype=object)).save(tmp_path / "x.npz")


def test_status_messages_say_what_to_do():
    assert Status.CONVERGED.ok
    assert not Status.MAX_ITERATIONS.ok
    assert not Status.UNDERSAMPLED.ok
    assert "use more samples" in Status.UNDERSAMPLED.value
    assert "on_failure='return'" in Status.MAX_ITERATIONS.value
    assert Diagnostics(Status.CONVERGED, 0.0, 1, "m", 0.0).status.ok
