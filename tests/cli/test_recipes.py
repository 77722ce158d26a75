"""The command that compares recipes."""

import csv
import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical.groups import BETTER, draw_recipes


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    columns = draw_recipes(np.random.default_rng(0), BETTER)
    path = tmp_path_factory.mktemp("recipes") / "runs.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return str(path)


def call(capsys, *arguments):
    code = run(["recipes", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_answer_is_that_of_the_function(capsys, table):
    code, out, err = call(
        capsys, table, "--group", "recipe", "--reference", "baseline", "--bootstrap", 300
    )
    assert (code, err) == (0, "")
    found = empirical.compare_recipes("surface", table, "baseline", "recipe", bootstrap=300)
    head, _, rest = out.partition("\n")
    assert head == found.report().split("\n")[0]
    assert out.rstrip().split("\n")[:12] == found.report().split("\n")[:12]
    assert len(rest.split("\n")) <= 24
    assert (
        "--counts"
        in call(capsys, table, "--reference", "baseline", "--bootstrap", 0, "--verbose")[1]
    )


def test_json_holds_all_digits(capsys, table):
    options = (
        "--reference",
        "baseline",
        "--bootstrap",
        200,
        "--compute",
        "1e20,1e24",
        "--shared",
        "E,a,b",
    )
    code, out, _ = call(capsys, table, *options, "--json")
    assert code == 0
    data = json.loads(out, parse_constant=pytest.fail)
    assert data["shared"] == ["E", "a", "b"]
    assert data["test"]["degrees"] == [3, 38]
    of_b = data["recipes"]["B"]["multipliers"]
    assert of_b["compute"] == [1e20, 1e24]
    assert of_b["multiplier"][0] == of_b["multiplier"][1]
    found = empirical.compare_recipes(
        "surface", table, "baseline", "recipe", ("E", "a", "b"), compute=[1e20, 1e24], bootstrap=200
    )
    assert of_b["low"] == found.multipliers["B"].low.tolist()
    none = json.loads(
        call(capsys, table, "--reference", "B", "--shared", "none", "--bootstrap", 0, "--json")[1]
    )
    assert none["shared"] == []
    assert none["recipes"]["baseline"]["multipliers"]["low"] is None


def test_files(capsys, table, tmp_path):
    for suffix in ("json", "md", "tex", "txt", "npz", "svg"):
        path = tmp_path / f"recipes.{suffix}"
        code, _, err = call(
            capsys, table, "--reference", "baseline", "--bootstrap", 100, "--output", path
        )
        assert code == 0
        assert f"wrote {path}" in err
        assert path.stat().st_size > 500
    assert empirical.RecipeComparison.load(tmp_path / "recipes.npz").reference == "baseline"
    code, _, err = call(capsys, tmp_path / "recipes.npz", "--reference", "baseline")
    assert code == 2
    assert "is a fit already" in err


def test_strict_makes_warnings_an_exit_code(capsys, table):
    assert call(capsys, table, "--reference", "baseline", "--bootstrap", 0, "--strict")[0] == 1


def test_an_example_by_its_name(capsys):
    code, out, _ = call(capsys, "gadre", "--reference", "rpj", "--bootstrap", 100)
    assert code == 0
    assert out.startswith("c4_original is better than rpj")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "reference is missing: name the recipe to compare with, one of baseline, B"),
        (("--reference", "base"), "recipe = 'base' is not there; there are baseline, B"),
        (
            ("--reference", "B", "--group", "optimizer"),
            "runs.csv 'optimizer'; known: loss, params",
        ),
        (("--reference", "B", "--shared", "q"), "unknown parameter 'q'"),
        (("--reference", "B", "--law", "power_offset"), "must be surface or surface_power"),
        (("--reference", "B", "--compute", "0"), "compute"),
        (("--reference", "B", "--where", "recipe=B"), "all 24 runs have recipe = 'B'"),
        (("--reference", "B", "--output", "x.doc"), "suffix"),
    ],
)
def test_refusals(capsys, table, options, complaint):
    code, out, err = call(capsys, table, *options)
    assert code == 2
    assert out == ""
    assert complaint in err


def test_a_table_without_groups(capsys):
    code, _, err = call(capsys, "synthetic", "--reference", "B")
    assert code == 2
    assert "no column of groups; read them with --group" in err
    assert "/" not in err
