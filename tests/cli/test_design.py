"""Runs to do next, from the command line."""

import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify import empirical


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


PUBLISHED = ("design", "besiroglu", "--budget", "1e22", "--target", "1e24", "--noise", "0.005")


def test_published_constants_plan_without_runs(capsys):
    code, out, err = call(capsys, *PUBLISHED, "--max-runs", 20)
    known = empirical.from_parameters("besiroglu")
    plan = empirical.design(known, budget=1e22, target={"compute": 1e24}, noise=0.005, max_runs=20)
    assert (code, err) == (0, "")
    assert out.startswith(plan.summary())
    assert plan.to_table().to_text() in out
    assert max(map(len, out.splitlines())) <= 100


def test_runs_are_read_and_the_next_ones_written(capsys, tmp_path):
    source, target = tmp_path / "runs.csv", tmp_path / "next_runs.csv"
    runs = empirical.example_runs("synthetic")
    rows = zip(runs.N, runs.D, runs.loss, strict=True)
    source.write_text(
        "params,tokens,loss\n" + "\n".join(",".join(map(repr, map(float, row))) for row in rows)
    )
    options = ("--budget", "3e21", "--target", "1e24", "--law", "surface", "--what", "params")
    code, out, err = call(capsys, "design", source, *options, "--output", target)
    assert code == 0
    assert "wrote" in err
    assert "isoFLOP plan" in out
    header, *written = target.read_text().splitlines()
    assert header == "run,N,tokens,flops,seed,loss"
    target.write_text("\n".join([header, *(row + "2.5" for row in written)]))
    again = empirical.read_runs(target)
    assert len(again) == len(written)
    np.testing.assert_allclose(again.C, 6 * again.N * again.D, rtol=1e-9)


def test_forms(capsys, tmp_path):
    code, out, _ = call(capsys, *PUBLISHED, "--misfit", 0, "--seeds", "inf", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["efficiency"] > 0.97
    assert found["sd_now"] == [None, None]
    place = ("--target", "N=7e10,D=1.4e12", "--ratio", "1/4,4", "--max-compute", "5e20")
    _, out, _ = call(capsys, *PUBLISHED[:4], *PUBLISHED[6:], *place, "--json")
    found = json.loads(out)
    assert found["names"] == ["loss"]
    assert max(found["C"]) <= 5e20 * (1 + 1e-9)
    for name in ("plan.md", "plan.png"):
        code, _, err = call(capsys, *PUBLISHED, "--output", tmp_path / name)
        assert (code, "wrote" in err) == (0, True)
        assert (tmp_path / name).stat().st_size > 100


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--budget", "1e22", "--target", "1e24"), "noise must be given"),
        (("--budget", "-1", "--target", "1e24", "--noise", "0.01"), "budget = -1"),
        (("--budget", "1e22", "--target", "N=3", "--noise", "0.01"), "target = 'N=3' must be"),
        (("--budget", "1e22", "--target", "big", "--noise", "0.01"), "target = 'big'"),
        (("--budget", "1e22", "--target", "1e24", "--noise", "0.01", "--what", "cats"), "cats"),
        (
            ("--budget", "1e22", "--target", "1e24", "--noise", "0.01", "--max-runs", "3"),
            "must be >= 5",
        ),
        (("--target", "1e24"), "budget"),
    ],
)
def test_refusals(capsys, options, complaint):
    code, out, err = call(capsys, "design", "hoffmann", *options)
    assert (code, out) == (2, "")
    assert complaint in err


def test_what_published_constants_lack_is_asked_for_by_its_option(capsys):
    code = run(["design", "besiroglu", "--budget", "1e21", "--target", "1e23"])
    assert (code, capsys.readouterr().err.startswith("error: --noise must be given")) == (2, True)
    run(["fit", "besiroglu"])
    typed = capsys.readouterr().out.splitlines()[-1].split()
    assert typed[-2:] == ["--noise", "0.005"]
