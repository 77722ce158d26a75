"""The command that predicts accuracies in a task."""

import csv
import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical.accuracy import TARGET, draw_task

MODEL = ("--params", "1.94e10,7e10", "--tokens", "3.88e11,1.4e12")


def written(path, columns):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return str(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    columns = draw_task(np.random.default_rng(0))
    return written(tmp_path_factory.mktemp("task") / "runs.csv", columns)


def call(capsys, *arguments):
    code = run(["task", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_answer_is_that_of_the_function(capsys, table):
    code, out, err = call(capsys, table, *MODEL, "--counts", "total", "--bootstrap", 200)
    assert (code, err) == (0, "")
    found = empirical.fit_task(table, counts="total", bootstrap=200)
    at = found.predict([1.94e10, 7e10], [3.88e11, 1.4e12])
    assert out == found.report(at) + "\n"
    assert at.summary() in out
    code, out, _ = call(capsys, table, "--bootstrap", 0, "--strict", "--verbose")
    assert code == 1
    assert "accuracy" in out


def test_json_holds_all_digits(capsys, table):
    code, out, _ = call(capsys, table, *MODEL, "--bootstrap", 100, "--ceiling", 0.95, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert data["parameters"]["u"] == 0.95
    assert data["given_ceiling"] is True
    low, high = data["intervals"]["m"]
    assert low < data["parameters"]["m"] < high
    assert len(data["prediction"]["accuracy"]) == 2
    assert data["prediction"]["low"][0] < data["prediction"]["accuracy"][0]


def test_files(capsys, table, tmp_path):
    kept = tmp_path / "task.npz"
    assert call(capsys, table, "--bootstrap", 20, "--output", kept)[0] == 0
    assert len(empirical.TaskFit.load(kept).samples) == 20
    picture = tmp_path / "task.svg"
    assert call(capsys, table, *MODEL, "--bootstrap", 20, "--output", picture)[0] == 0
    assert "sigmoid" in picture.read_text(encoding="utf-8")
    code, _, err = call(capsys, kept)
    assert (code, "is a fit already" in err) == (2, True)


def test_errors_name_options(capsys, table, tmp_path):
    columns = draw_task(np.random.default_rng(0))
    percent = written(tmp_path / "percent.csv", columns | {"acc": 100 * columns["acc"]})
    weak = columns["acc"] < 0.45
    weak = written(tmp_path / "weak.csv", {name: held[weak] for name, held in columns.items()})
    for arguments, complaint in (
        ((percent,), "in percent?"),
        ((weak, *MODEL[:1], TARGET[0], "--tokens", TARGET[1]), "give --ceiling, the accuracy"),
        ((table, "--params", "7e9"), "tokens is missing"),
        ((table, "--tokens", "7e9"), "params is missing"),
        ((table, "--params", "7e9", "--tokens", "-1"), "--tokens"),
        ((table, "--accuracy", "accuracy"), "acc"),
        ((table, "--chance", "1"), "chance"),
        (("gadre",), "holds no accuracies"),
    ):
        code, out, err = call(capsys, *arguments, "--bootstrap", 100)
        assert (code, out) == (2, ""), arguments
        assert complaint in err, err


def test_all_rows_of_a_constant_rate(capsys, tmp_path):
    columns = draw_task(np.random.default_rng(0))
    twice = {name: np.repeat(held, 2) for name, held in columns.items()}
    twice["tokens"] = twice["tokens"] * np.tile([0.5, 1.0], 18)
    twice |= {"run": np.repeat([f"r{j}" for j in range(18)], 2), "step": np.tile([1, 2], 18)}
    path = written(tmp_path / "log.csv", twice)
    _, out, _ = call(capsys, path, "--rows", "all", "--bootstrap", 0, "--verbose")
    assert "W-mid-run" in out
    assert "--schedule constant" in out
    options = ("--rows", "all", "--schedule", "constant", "--bootstrap", 0, "--verbose")
    assert "W-mid-run" not in call(capsys, path, *options)[1]
