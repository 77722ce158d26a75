"""Training curves from tables, folders and files: what is read, and rows that cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import fit_curves
from scalinglaws.verify.empirical.curves._read_curves import Columns, read_curves

COLUMNS = Columns("lr", "step", "loss", "run", "run")


def _table(**changed):
    columns = {
        "run": ["a", "a", "a", "b", "b"],
        "step": [0, 10, 20, 5, 10],
        "lr": [0.1, 0.3, 0.1, 0.2, 0.2],
        "loss": [3.0, 2.5, 2.2, 2.8, 2.7],
    }
    return {**columns, **changed}


def test_table():
    (a, b), source = read_curves(_table(), COLUMNS)
    assert (a.name, a.group, b.name, source) == ("a", "a", "b", "arrays")
    assert a.curve.steps.tolist() == [1, 11, 21]  # a loss after step 0 is one after 1 step
    assert a.curve.losses.tolist() == [3.0, 2.5, 2.2]
    rates = a.curve.schedule.values()
    assert rates == pytest.approx(np.append(np.linspace(0.1, 0.3, 11), np.linspace(0.28, 0.1, 10)))
    assert b.curve.schedule.values() == pytest.approx(np.full(11, 0.2))


def test_rates_of_a_warmup_before_the_first_row_lie_on_a_line_through_zero():
    ((curve,), _) = read_curves(
        {"step": [3, 7, 9], "lr": [0.4, 0.8, 0.8], "loss": [3, 2, 1]}, COLUMNS
    )
    expected = 0.1 * np.array([1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
    assert curve.curve.schedule.values() == pytest.approx(expected)
    assert curve.name == "arrays"


def test_cells_may_be_empty():
    given = _table(lr=[0.1, None, 0.1, 0.2, 0.2], loss=[3.0, 2.5, None, 2.8, 2.7])
    (a, _), _ = read_curves(given, COLUMNS)
    assert a.curve.steps.tolist() == [1, 11]
    assert a.curve.schedule.values() == pytest.approx(np.full(21, 0.1))


def test_other_names_of_columns_and_groups(tmp_path):
    table = tmp_path / "log.csv"
    lines = ["name,_step,learning_rate,train/loss,recipe"]
    lines += [f"{name},{t},{0.1 + t / 1000},{3 - t / 100},{kind}" for name, kind in
              (("a", "x"), ("b", "x"), ("c", "y")) for t in (0, 5, 10)]  # fmt: skip
    table.write_text("\n".join(lines))
    columns = Columns("learning_rate", "_step", "train/loss", "name", "recipe")
    found, source = read_curves(table, columns)
    assert [(curve.name, curve.group) for curve in found] == [("a", "x"), ("b", "x"), ("c", "y")]
    assert source == str(table)


def _published(folder, name, rates):
    """A file as the public set has them: step, lr and loss of a run, every 128 steps from the end of warm-up on."""
    steps = np.arange(500, rates.size, 128)
    sums = np.cumsum(rates)
    losses = 2.6 + 0.6 * sums[steps] ** -0.45 + 400 * rates[steps]
    lines = [
        "step,lr,loss",
        *(f"{t},{rates[t]},{loss}" for t, loss in zip(steps, losses, strict=True)),
    ]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(name="folder")
def _folder(tmp_path):
    ramp = np.minimum((np.arange(8000) + 1) / 500, 1) * 3e-4
    k = np.arange(8000)
    _published(tmp_path, "constant_8000", ramp)
    cosine = np.where(k < 500, ramp, 3e-5 + 2.7e-4 * 0.5 * (1 + np.cos(np.pi * (k - 500) / 7500)))
    _published(tmp_path, "cosine_8000", cosine)
    _published(tmp_path, "wsdcon_9", np.where(k < 6000, ramp, 9e-5))
    return tmp_path


def test_folder_with_a_file_for_each_run(folder):
    warm = replace(COLUMNS, warmup=500)
    found, source = read_curves(folder, warm)
    assert [curve.name for curve in found] == ["constant_8000", "cosine_8000", "wsdcon_9"]
    assert source == str(folder)
    assert len(found[0].curve.steps) == 59
    again, _ = read_curves(sorted(folder.iterdir()), warm)
    assert [curve.curve for curve in again] == [curve.curve for curve in found]
    rates = found[0].curve.schedule.values()
    assert rates == pytest.approx(np.minimum((np.arange(rates.size) + 1) / 500, 1) * 3e-4)
    held = read_curves(folder, COLUMNS)[0][0].curve.schedule.values()
    assert held == pytest.approx(np.full(rates.size, 3e-4))


def test_folder_is_fitted(folder):
    fit = fit_curves("momentum", folder, warmup=500)
    assert fit.curves[0].warmup == 500
    with pytest.raises(DomainError, match="warmup"):
        fit_curves("momentum", folder, warmup=-1)
    assert [row.name for row in fit.held_out] == ["constant_8000", "cosine_8000", "wsdcon_9"]
    assert fit.held_out_rms < 0.01
    assert fit.source == str(folder)


@pytest.mark.parametrize(
    ("changed", "told", "row"),
    [
        ({"loss": [3.0, np.nan, 2.2, 2.8, 2.7]}, r"row 2: loss = nan must be > 0", 1),
        ({"loss": [3.0, 2.5, 2.2, 2.8, -1.0]}, r"row 5: loss = -1 must be > 0", 4),
        ({"loss": [3.0, 2.5, 2.2, np.inf, 2.7]}, r"row 4: loss = inf", 3),
        ({"step": [0, 10, 10, 5, 10]}, r"row 3: step = 10 does not increase .* of a$", 2),
        ({"step": [0, 10, 20, 5, 4]}, r"row 5: step = 4 does not increase .* of b$", 4),
        ({"step": [0, 10.5, 20, 5, 10]}, r"row 2: step = 10.5 must be a whole number", 1),
        ({"step": [-1, 10, 20, 5, 10]}, r"row 1: step = -1 must be", 0),
        ({"lr": [0.1, -0.3, 0.1, 0.2, 0.2]}, r"row 2: lr = -0.3 must be >= 0", 1),
        ({"lr": [0.1, 0.3, 0.1, 0.0, 0.0]}, r"row 4: there is no lr above 0 of b", 3),
        ({"loss": [3.0, 2.5, 2.2, None, None]}, r"row 4: there is no loss of b", 3),
        ({"run": ["a", "a", None, "b", "b"]}, r"row 3: run is empty", 2),
        ({"lr": ["x", 0.3, 0.1, 0.2, 0.2]}, r"row 1: lr = 'x' is no number", 0),
    ],
)  # fmt: skip
def test_malformed_rows(changed, told, row):
    with pytest.raises(DataError, match=told) as caught:
        read_curves(_table(**changed), COLUMNS)
    assert caught.value.row == row


def test_rows_of_several_runs_without_a_column_for_them():
    given = _table()
    del given["run"]
    with pytest.raises(DataError, match="name the column of runs"):
        read_curves(given, COLUMNS)


@pytest.mark.parametrize("name", ["lr", "step", "loss"])
def test_missing_columns(name):
    given = _table()
    del given[name]
    with pytest.raises(DomainError, match=f"unknown column of arrays '{name}'"):
        read_curves(given, COLUMNS)


def test_missing_column_of_runs_that_was_named():
    with pytest.raises(DomainError, match="unknown column of arrays 'name'"):
        read_curves(_table(), Columns("lr", "step", "loss", "name", "name"))


def test_group_must_be_one_for_each_run():
    given = _table(recipe=["x", "x", "y", "x", "x"])
    with pytest.raises(DataError, match="row 3: recipe = y is not that of a's rows above"):
        read_curves(given, Columns("lr", "step", "loss", "run", "recipe"))


def test_empty_folder_and_names_that_are_given_twice(tmp_path):
    with pytest.raises(DataError, match="holds no tables"):
        read_curves(tmp_path, COLUMNS)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cosine.csv").write_text("step,lr,loss\n0,0.1,3\n5,0.1,2\n")
    files = [tmp_path / folder / "cosine.csv" for folder in ("one", "two")]
    with pytest.raises(DataError, match="several curves are called cosine"):
        read_curves(files, COLUMNS)


def test_warmup_that_the_rows_tell_is_not_told_again():
    rows = {"step": [50, 200, 300], "lr": [0.1, 0.2, 0.2], "loss": [3, 2, 1]}
    with pytest.raises(DataError, match=r"row 1: warmup = 100 ends after step 50.*leave warmup"):
        read_curves(rows, replace(COLUMNS, warmup=100))
    with pytest.raises(DataError, match="row 1: warmup = "):
        read_curves(rows, replace(COLUMNS, warmup=10**30))
    ((curve,), _) = read_curves(rows, replace(COLUMNS, warmup=51))
    assert curve.curve.schedule.values()[:50] == pytest.approx(0.1 * np.arange(1, 51) / 51)
