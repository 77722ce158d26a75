"""A function over a grid: labelled results, each point kept as it ends, and nothing computed twice."""

import functools
import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from scalinglaws import sweep
from scalinglaws.errors import AccuracyWarning, DomainError, WorkerError
from scalinglaws.solvers import PowerLawSpectrum, linear

CALLS = []


def root(number, power=2):
    CALLS.append((number, power))
    return number ** (1 / power)


def picky(number):
    CALLS.append(number)
    if number == 2:
        raise DomainError("two is not liked", argument="number", value=2)
    return {"square": number**2, "row": np.arange(3) * number}


def unsure(number):
    warnings.warn("nearly", AccuracyWarning, stacklevel=1)
    return number


def stops(number):
    CALLS.append(number)
    if number == 2 and len(CALLS) == 3:
        raise KeyboardInterrupt
    return number


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def test_all_combinations_in_order_with_their_values(tmp_path):
    found = sweep.run(root, {"number": [4.0, 64.0], "power": (1, 2, 3)}, cache=tmp_path)
    assert found.names == ("number", "power")
    assert found.shape == (2, 3)
    assert found.values == tuple((n, p) for n in (4.0, 64.0) for p in (1, 2, 3))
    assert found.results == tuple(n ** (1 / p) for n, p in found.values)
    assert [point["power"] for point, _ in found] == [1, 2, 3] * 2
    assert len(found) == 6
    assert sweep.Sweep.load(found.save(tmp_path / "sweep.npz")) == found
    assert sweep.Sweep.from_json(found.to_json()) == found
    assert found.columns()["result"] == list(found.results)


def test_points_one_by_one():
    points = [{"number": 4, "power": 2}, {"power": 3, "number": 27}]
    found = sweep.run(root, points, cache=False)
    assert (found.values, found.shape) == (((4, 2), (27, 3)), (2,))
    assert found.results == (2.0, 27 ** (1 / 3))


def test_kept_points_are_the_same_and_not_computed_again(tmp_path):
    grid = {"number": np.array([1.0, 2.0, 3.0])}
    first = sweep.run(root, grid, cache=tmp_path)
    assert len(CALLS) == 3
    seen = []
    wider = {"number": [3.0, 2.0, 1.0, 5.0]}
    again = sweep.run(root, wider, cache=tmp_path, on_done=seen.append)
    assert len(CALLS) == 4
    assert sorted(seen) == [0, 1, 2, 3]
    assert again.results[:3] == first.results[::-1]
    assert sweep.run(root, [{"power": 2, "number": 4.0}], cache=tmp_path).results == (2.0,)
    assert sweep.run(root, [{"number": 4.0, "power": 2}], cache=tmp_path).results == (2.0,)
    assert len(CALLS) == 5  # the order of names does not matter
    sweep.run(functools.partial(root, power=3), grid, cache=tmp_path)
    assert len(CALLS) == 8  # what is bound does
    sweep.run(root, grid, cache=False)
    assert len(CALLS) == 11


def test_points_are_kept_in_the_users_cache_folder():
    sweep.run(root, {"number": [7.0]})
    sweep.run(root, {"number": [7.0]})
    assert len(CALLS) == 1
    assert list(sweep.default_folder().rglob("*.npz"))


def test_other_sources_and_damaged_files_are_no_results(tmp_path, monkeypatch):
    sweep.run(root, {"number": [1.0, 2.0]}, cache=tmp_path)
    for path in tmp_path.rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:50])
    found = sweep.run(root, {"number": [1.0, 2.0]}, cache=tmp_path)
    assert (len(CALLS), found.results) == (4, (1.0, math.sqrt(2)))
    monkeypatch.setattr("scalinglaws.sweep._run.source_digest", lambda: "another")
    sweep.run(root, {"number": [1.0, 2.0]}, cache=tmp_path)
    assert len(CALLS) == 6


def test_an_interrupt_loses_nothing(tmp_path):
    grid = {"number": [0, 1, 2, 3]}
    with pytest.raises(KeyboardInterrupt):
        sweep.run(stops, grid, cache=tmp_path)
    assert CALLS == [0, 1, 2]
    assert sweep.run(stops, grid, cache=tmp_path).results == (0, 1, 2, 3)
    assert CALLS == [0, 1, 2, 2, 3]


def test_a_failing_point_ends_a_sweep_or_is_its_result(tmp_path):
    grid = {"number": [1, 2, 3]}
    with pytest.raises(DomainError, match="two is not liked") as caught:
        sweep.run(picky, grid, cache=tmp_path)
    assert caught.value.__notes__ == ["at number = 2"]
    assert CALLS == [1, 2]
    found = sweep.run(picky, grid, cache=tmp_path, on_failure="return")
    assert CALLS == [1, 2, 2, 3]
    assert found.failures == (1,)
    assert found.results[1] == sweep.Failure("DomainError", "two is not liked")
    table = found.columns()
    assert table["number"] == [1, 1, 1, 2, 3, 3, 3]
    assert table["square"] == [1, 1, 1, None, 9, 9, 9]
    assert table["row"] == [0, 1, 2, None, 0, 3, 6]
    assert table["failure"][3] == "DomainError: two is not liked"
    sweep.run(picky, grid, cache=tmp_path, on_failure="return")
    assert CALLS[4:] == [2]  # failures are not kept


@pytest.mark.parametrize("workers", [2, "threads"])
def test_the_numbers_do_not_depend_on_who_computes(workers, tmp_path):
    spectrum = PowerLawSpectrum(1.5, 0.5)
    function = functools.partial(linear.ridge, spectrum)
    grid = {"samples": [10.0, 1e3, 1e5], "ridge": [0.0, 0.01]}
    serial = sweep.run(function, grid, cache=False)
    if workers == 2:
        found = sweep.run(function, grid, workers=2, cache=tmp_path)
    else:
        with ThreadPoolExecutor(1) as pool:
            found = sweep.run(function, grid, workers=pool.map, cache=tmp_path)
    assert found == serial
    assert sweep.run(function, grid, cache=tmp_path) == serial
    assert len(list(tmp_path.rglob("*.npz"))) == 6
    assert serial.columns()["test_loss"] == [r.test_loss for r in serial.results]


def test_a_map_like_that_loses_points_is_told(tmp_path):
    def lossy(function, items):
        return list(map(function, items))[:2]

    with pytest.raises(WorkerError, match="2 of 3 points are finished and kept") as caught:
        sweep.run(root, {"number": [1.0, 4.0, 9.0]}, cache=tmp_path, workers=lossy)
    assert caught.value.finished == {0: 1.0, 1: 2.0}


def test_warnings_are_told_with_the_point_also_of_kept_ones(tmp_path):
    for _ in range(2):
        with pytest.warns(AccuracyWarning, match="number = 5: nearly"):
            sweep.run(unsure, {"number": [5]}, cache=tmp_path)
    with pytest.warns(UserWarning, match="more warnings|nearly") as caught:
        sweep.run(unsure, {"number": range(15)}, cache=tmp_path)
    assert len(caught) == 11
    assert str(caught[-1].message) == "5 more warnings"


def test_what_has_no_name_is_not_kept(tmp_path):
    with pytest.warns(UserWarning, match="cannot be kept"):
        found = sweep.run(lambda x: x + 1, {"x": [1, 2]})
    assert found.results == (2, 3)
    with pytest.raises(DomainError, match="cannot be kept"):
        sweep.run(lambda x: x + 1, {"x": [1]}, cache=tmp_path)
    with pytest.raises(DomainError, match="cannot be kept"):
        sweep.run([].append, {"x": [1]}, cache=tmp_path)
    with pytest.raises(DomainError, match="cannot be told from others"):
        sweep.run(root, {"number": [object()]}, cache=tmp_path)
    sweep.run(lambda x: x, {"x": [object]}, cache=False, on_failure="return")


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        (3, "must map names"),
        ({}, "must name an argument"),
        ([], "must hold points"),
        ([3], "must hold points"),
        ({"number": 3}, "must list values of number"),
        ({"number": "abc"}, "must list values of number"),
        ({"number": []}, "must list values of number"),
        ({"number": np.ones((2, 2))}, "must list values of number"),
        ({"a b": [1]}, "must have names"),
        ({1: [1]}, "must have names"),
        ([{"number": 1}, {"power": 1}], r"grid\[1\] = .*must have the names"),
        ({"number": range(2000), "power": range(1, 2000)}, "too many"),
        ({"number": range(10**9)}, "too many"),
    ],
)
def test_refuses_other_grids(grid, complaint):
    with pytest.raises(DomainError, match=complaint):
        sweep.run(root, grid)
    assert CALLS == []


def test_refuses_other_results_and_arguments(tmp_path):
    with pytest.raises(DomainError, match=r"getcwd|returned None"):
        sweep.run(print, {"sep": ["a"]}, cache=False)
    for wrong in ({"on_failure": "ignore"}, {"cache": 3}, {"on_done": 3}, {"workers": 0}):
        with pytest.raises(DomainError):
            sweep.run(root, {"number": [1.0]}, **({"cache": False} | wrong))
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DomainError, match="cannot be kept in"):
        sweep.run(root, {"number": [1.0]}, cache=file)


def test_a_bar_only_on_a_terminal(monkeypatch, capsys):
    sweep.run(root, {"number": [1.0, 2.0]}, cache=False)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    sweep.run(root, {"number": [1.0, 2.0]}, cache=False)
    assert "left" in capsys.readouterr().err
    sweep.run(root, {"number": [1.0, 2.0]}, cache=False, progress_bar=False)
    assert capsys.readouterr().err == ""


def test_as_a_data_frame():
    pytest.importorskip("pandas")
    found = sweep.run(picky, {"number": [1, 2, 3]}, cache=False, on_failure="return")
    frame = found.to_dataframe()
    assert list(frame.columns) == ["number", "square", "row", "failure"]
    assert frame["square"].isna().sum() == 1
    assert len(frame) == 7


def test_as_arrays_with_names():
    pytest.importorskip("xarray")
    data = sweep.run(root, {"number": [4.0, 64.0], "power": [1, 2, 3]}, cache=False).to_xarray()
    assert data["result"].dims == ("number", "power")
    assert float(data["result"].sel(number=64.0, power=3)) == 64 ** (1 / 3)
    found = sweep.run(picky, {"number": [1, 2, 3]}, cache=False, on_failure="return")
    data = found.to_xarray()
    assert data["row"].dims == ("number", "row_0")
    assert np.isnan(data["square"].sel(number=2))
    assert data["row"].sel(number=3).values.tolist() == [0, 3, 6]
    points = [{"number": 4, "power": 2}, {"power": 3, "number": 27}]
    data = sweep.run(root, points, cache=False).to_xarray()
    assert data["result"].dims == ("point",)
    assert data["power"].values.tolist() == [2, 3]
