"""A solver over a grid from the command line, and checks on a cluster."""

import csv
import json

import pytest

from scalinglaws import sweep as sweeps
from scalinglaws.cli import _sweep, run

RIDGE = ("linear.ridge", "alpha=1.5", "beta=0.5", "samples=1e1:1e3", "ridge=0,0.01")


def call(capsys, *arguments):
    code = run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "asked",
    [
        RIDGE,
        (
            "linear.online_sgd",
            "alpha=1.5",
            "beta=1",
            "steps=10,100",
            "learning_rate=0.1",
            "batch=8",
        ),
        ("percolation.data_loss", "alpha=1", "samples=1e2:1e4", "exponent=0.5,1"),
        (
            "schedules.train",
            "alpha=1.5",
            "beta=0.5",
            "schedule=wsd:0.2",
            "rate=0.1,0.2",
            "steps=50",
            "batch=4",
        ),
    ],
)
def test_a_sweep_has_the_numbers_of_solve(capsys, asked):
    code, out, err = call(capsys, "solve", *asked, "--json")
    assert (code, err) == (0, "")
    solved = json.loads(out)["columns"]
    code, out, err = call(capsys, "sweep", *asked, "--workers", "1", "--json")
    assert (code, err) == (0, "")
    swept = json.loads(out)["columns"]
    assert set(swept) == set(solved)
    axes = [token.partition("=")[0] for token in asked if "," in token or ":" in token]
    rows = [
        sorted(
            zip(*(columns[name] for name in (*axes, *sorted(set(solved) - set(axes)))), strict=True)
        )
        for columns in (solved, swept)
    ]
    for before, after in zip(*rows, strict=True):
        for one, other in zip(before, after, strict=True):
            assert other == (one if isinstance(one, str) else pytest.approx(one, rel=1e-10))


def test_files(capsys, tmp_path):
    for suffix in ("csv", "json", "parquet"):
        if suffix == "parquet":
            pytest.importorskip("pyarrow")
        target = tmp_path / f"found.{suffix}"
        code, out, err = call(capsys, "sweep", *RIDGE, "--workers", "1", "--output", str(target))
        assert (code, out, err) == (0, "", f"wrote {target}\n")
    rows = list(csv.DictReader((tmp_path / "found.csv").open()))
    assert [(float(row["samples"]), float(row["ridge"])) for row in rows] == [
        (samples, ridge) for samples in (10, 100, 1000) for ridge in (0, 0.01)
    ]
    columns = json.loads((tmp_path / "found.json").read_text())["columns"]
    assert columns["test_loss"] == [float(row["test_loss"]) for row in rows]
    from scalinglaws.files import read_arrays

    assert read_arrays(tmp_path / "found.parquet")["test_loss"].tolist() == columns["test_loss"]


def test_a_bad_point_ends_it_or_is_a_row(capsys):
    asked = ("sweep", "linear.ridge", "alpha=1.5", "beta=0.5", "samples=10,-1", "--workers", "1")
    code, out, err = call(capsys, *asked)
    assert (code, out) == (2, "")
    assert "at samples = -1" in err
    code, out, err = call(capsys, *asked, "--on-failure", "return", "--json")
    assert code == 0
    columns = json.loads(out)["columns"]
    assert columns["test_loss"][1] is None
    assert columns["failure"][1].startswith("DomainError: samples")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("linear.ridge", "alpha=1.5", "beta=0.5", "samples=10"), "needs an argument that varies"),
        (("linear.rigde", "alpha=1.5", "samples=1,2"), "did you mean"),
        ((*RIDGE, "--output", "x.png"), "the suffix must be one of"),
        ((*RIDGE, "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"), "exclude each other"),
        ((*RIDGE, "--on-failure", "ignore"), "on_failure"),
        ((*RIDGE, "--workers", "0"), "workers = 0"),
    ],
)
def test_refusals(capsys, arguments, complaint):
    code, out, err = call(capsys, "sweep", *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


def test_an_interrupt_says_how_to_go_on(capsys, monkeypatch):
    def stopped(function, grid, *, on_done, **options):
        on_done(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeps, "run", stopped)
    code, _, err = call(capsys, "sweep", *RIDGE)
    assert code == 130
    assert "1 points are finished and kept; run it again to go on from there" in err


def test_a_point_is_found_by_name():
    from scalinglaws.keeping import importable

    assert importable(_sweep.rows_of)


def test_on_a_cluster(capsys, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        there = ("--scheduler", cluster.scheduler_address)
        _, alone, _ = call(capsys, "sweep", *RIDGE, "--workers", "1", "--fresh", "--json")
        code, out, err = call(capsys, "sweep", *RIDGE, *there, "--fresh", "--json")
        assert (code, out, err) == (0, alone, "")
        code, out, _ = call(capsys, "verify", "linear.statics", *there, "--json")
        assert code == 0
        assert json.loads(out)["comparisons"]
