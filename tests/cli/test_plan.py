"""Plans from the command line: tables, JSON, files, several kinds of fits, agreement with `allocate`, what is refused."""

import csv
import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify import empirical


def call(capsys, *arguments):
    code = run(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_table_of_plans(capsys):
    code, out, err = call(capsys, "plan", "besiroglu", "--compute", "1e22:1e25:4")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "surface: least loss for compute, C = 6*N*D",
        "compute  N_opt  D_opt   D/N loss",
        "1e22     9e9    1.8e11  20  2.141",
        "1e23     2.9e10 5.7e11  19  2.032",
        "1e24     9.6e10 1.7e12  18  1.960",
        "1e25     3.1e11 5.3e12  17  1.912",
    ]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--loss", "2.0"], {"loss": 2.0}),
        (["--params", "7e10"], {"params": 7e10}),
        (["--tokens", "1e12", "--max-params", "1e10"], {"tokens": 1e12, "max_params": 1e10}),
        (
            ["--loss", "2.1", "--inference-tokens", "1e12"],
            {"loss": 2.1, "inference_tokens": 1e12},
        ),
        (
            ["--compute", "1e23", "--unique-tokens", "1e11"],
            {"compute": 1e23, "unique_tokens": 1e11},
        ),
        (
            ["--compute", "1e22,1e23", "--max-tokens", "2e11", "--max-ratio", "15"],
            {"compute": [1e22, 1e23], "max_tokens": 2e11, "max_ratio": 15},
        ),
        (
            ["--compute", "1e22", "--cost", "6*N*D + N**2/1000"],
            {"compute": 1e22, "cost": "6*N*D + N**2/1000"},
        ),
    ],
)
def test_the_command_says_what_the_function_does(capsys, options, arguments):
    found = empirical.plan(empirical.from_parameters("besiroglu"), **arguments)
    code, out, _ = call(capsys, "plan", "besiroglu", *options)
    assert (code, out.strip()) == (0, found.summary())
    code, out, _ = call(capsys, "plan", "besiroglu", *options, "--json")
    data = json.loads(out)
    for name in ("params", "tokens", "compute", "total_cost", "loss", "ratio", "multiplier"):
        assert data[name] == np.asarray(getattr(found, name)).tolist()
    assert data["active"] == np.asarray(found.active).tolist()
    assert data["horizon"] is None or set(data["horizon"]) == {None}


def test_the_command_agrees_with_allocate(capsys):
    formula = "1.8172 + 482.01/N**0.3478 + 2085.43/D**0.3658"
    _, out, _ = call(
        capsys, "allocate", formula, "--budget", "6*N*D=1e23", "--json", "--digits", 15
    )
    best = json.loads(out)["optimum"]
    _, out, _ = call(capsys, "plan", "besiroglu", "--compute", "1e23", "--json")
    found = json.loads(out)
    assert found["params"] == pytest.approx(best["scales"]["N"], rel=2e-14)
    assert found["tokens"] == pytest.approx(best["scales"]["D"], rel=2e-14)
    assert found["loss"] == pytest.approx(best["total"], rel=2e-15)


def test_tables_of_runs_and_saved_fits_are_read(capsys, tmp_path):
    runs = empirical.example_runs("synthetic")
    fitted = empirical.fit("surface", runs, bootstrap=200)
    saved = fitted.save(tmp_path / "fit.json")
    _, out, _ = call(capsys, "plan", saved, "--compute", "1e23", "--json")
    wanted = empirical.plan(fitted, compute=1e23)
    assert json.loads(out)["params_low"] == pytest.approx(float(wanted.params_low), rel=1e-12)
    _, out, _ = call(
        capsys, "plan", "synthetic", "--compute", 1e23, "--law", "surface", "--bootstrap", 200
    )
    assert out.strip() == wanted.summary()
    assert max(map(len, out.splitlines())) <= 100
    assert "! up to 2 decades above the largest run" in out


def test_plans_are_written_to_files(capsys, tmp_path):
    table, text = tmp_path / "plan.csv", tmp_path / "plan.md"
    code, _, err = call(capsys, "plan", "besiroglu", "--compute", "1e22,1e23", "--output", table)
    assert (code, err) == (0, f"wrote {table}\n")
    rows = list(csv.DictReader(table.open()))
    assert [float(row["compute"]) for row in rows] == [1e22, 1e23]
    found = empirical.plan(empirical.from_parameters("besiroglu"), compute=[1e22, 1e23])
    assert [float(row["ratio"]) for row in rows] == found.ratio.tolist()
    assert rows[0]["params_low"] == ""
    assert call(capsys, "plan", "besiroglu", "--compute", 1e22, "--output", text)[0] == 0
    assert "N_opt" in text.read_text()


def test_strict_plans_end_with_a_code(capsys):
    given = ["plan", "besiroglu", "--compute", "1e24", "--unique-tokens", "1e10"]
    code, out, _ = call(capsys, *given)
    assert (code, "W-many-epochs" in out) == (0, True)
    assert call(capsys, *given, "--strict")[0] == 1
    assert call(capsys, "plan", "besiroglu", "--compute", "1e24", "--strict")[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "exactly one of --compute, --loss, --params, --tokens"),
        (["--compute", "1e22", "--loss", "2"], "got --compute, --loss"),
        (["--loss", "1.5"], "--loss = 1.5 is not above the irreducible loss E = 1.8172"),
        (["--loss", "2", "--max-params", "1e7"], "out of reach within --max-params"),
        (["--params", "1e10", "--max-params", "1e9"], "--params = 10000000000.0 is above --max-params"),
        (["--compute", "3"], "--compute = 3.0 is below the cheapest candidate"),
        (["--compute", "1e22,3"], "--compute[1] = 3.0 is below"),
        (["--compute", "1e22", "--max-params", "70x"], "--max-params = '70x' is not a number: write 0.5, 1/2, 1e9, 7B"),
        (["--compute", "1e22", "--cost", "6*N*M"], "--cost = '6*N*M' must be an expression in N and D"),
        (["--compute", "-1"], "--compute"),
        (["--compute", "1e22", "--output", "plan.png"], "suffix must be one of"),
        (["--compute", "1e22", "--where", "a=b"], "besiroglu is a fit already"),
    ],
)  # fmt: skip
def test_what_is_refused(capsys, options, words):
    code, out, err = call(capsys, "plan", "besiroglu", *options)
    assert (code, out) == (2, "")
    assert words in err


def test_intervals_are_named_and_only_what_costs_more_is_told(capsys):
    out = call(
        capsys, "plan", "synthetic", "--tokens", "1e13", "--bootstrap", "50", "--level", "0.9"
    )[1]
    assert out.splitlines()[0].endswith("model for tokens, C = 6*N*D; 90 % intervals")
    assert (
        "times the compute" not in out
    )  # the best model for these tokens is the best for its compute
    out = call(capsys, "plan", "besiroglu", "--loss", "2", "--inference-tokens", "1e12")[1]
    assert "intervals" not in out
    assert "training takes 1.04 times the compute" in out
