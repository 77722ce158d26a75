"""The command that fits laws to runs: its screen, its files, and every mistake that runs can hold."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.cli._runs import chosen_columns, chosen_values, plain_json, read_fit
from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical

RECORDED = Path(__file__).parents[1] / "reference" / "fit_synthetic.txt"
FAST = ("--bootstrap", "0")


def call(capsys, *arguments):
    code = run(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


def loss_of(N, D):
    return 1.8 + 480 / N**0.35 + 2000 / D**0.37


def runs(seed=1, noise=0.002):
    """Return the columns of 20 runs, four budgets of five sizes."""
    rng = np.random.default_rng(seed)
    C = np.repeat([1e19, 3e19, 1e20, 3e20], 5)
    N = np.sqrt(C / 6 / 20) * np.tile([0.25, 0.5, 1, 2, 4], 4)
    D = C / (6 * N)
    loss = loss_of(N, D) * np.exp(noise * rng.standard_normal(N.size))
    return {"params": N, "tokens": D, "loss": loss}


def written(path, columns, **changed):
    """Write a table, some of its cells changed: column = {row: cell}."""
    cells = {name: [format(value, ".10g") for value in values] for name, values in columns.items()}
    for name, entries in changed.items():
        for row, cell in entries.items():
            cells[name][row - 1] = cell
    lines = [",".join(cells), *(",".join(row) for row in zip(*cells.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def table(tmp_path):
    return written(tmp_path / "runs.csv", runs())


# -- what it prints ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_screen_is_reproduced_to_the_digit_on_any_number_of_threads(threads):
    done = subprocess.run(
        [sys.executable, "-m", "scalinglaws", "fit", "synthetic"],
        capture_output=True,
        check=False,
        env=os.environ | {"NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode() == RECORDED.read_text(encoding="utf-8")


def test_the_screen_is_small():
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    "arguments",
    [
        ("gadre", "--where", "dataset=rpj"),
        ("gadre", "--law", "power_offset", "--where=dataset=c4_original"),
        ("gadre", "--bootstrap", "0"),
        ("hoffmann",),
        ("besiroglu", "--compute", "1e22:1e25"),
        ("synthetic", "--law", "E + A*N**-a + B*D**-a", "--bootstrap", "50"),
        ("synthetic", "--law", "kaplan", "--bootstrap", "50"),
        ("synthetic", "--law", "surface_power", "--bootstrap", "50", "--delta", "inf"),
    ],
)
def test_every_screen_is_small(capsys, arguments):
    code, out, err = call(capsys, "fit", *arguments)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "nan" not in out.lower()
    assert "inf" not in out.replace("infinite", "")


def test_a_table_of_computes_is_what_was_asked_for(capsys, table):
    code, out, _ = call(capsys, "fit", table, *FAST, "--compute", "2e20,5e24")
    assert code == 0
    rows = [line.split()[0] for line in out.splitlines() if line.startswith(("2e20", "5e24"))]
    assert rows == ["2e20", "5e24"]


def test_next_lines_name_the_table_as_it_was_read(capsys, tmp_path):
    columns = runs()
    path = written(
        tmp_path / "my runs.csv",
        {"n": columns["params"], "d": columns["tokens"], "y": columns["loss"]},
    )
    _, out, _ = call(capsys, "fit", path, "--columns", "N=n,D=d,loss=y", *FAST)
    assert "--columns=N=n,D=d,loss=y" in out or "fit.json" in out


def test_json_holds_what_is_printed(capsys, table):
    code, out, err = call(capsys, "fit", table, "--bootstrap", "20", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    known = empirical.fit("auto", empirical.read_runs(table), bootstrap=20)
    assert found["laws"]["surface"]["parameters"] == known.parameters
    assert found["laws"]["surface"]["intervals"]["a"] == list(known.interval("a"))
    assert found["runs"]["count"] == 20
    assert found["optimum"]["compute"] == [3e20, 3e21, 3e22]
    assert {entry["code"] for entry in found["warnings"]} >= {"W-few-runs"}


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_saved_fit_is_read_again(capsys, tmp_path, table, suffix):
    kept = tmp_path / f"fit{suffix}"
    code, first, err = call(capsys, "fit", table, "--bootstrap", "50", "--save", kept)
    assert (code, err) == (0, f"wrote {kept}\n")
    assert str(kept) in first
    code, again, _ = call(capsys, "fit", kept)
    assert code == 0
    assert again.split("next:")[0] == first.split("next:")[0]
    code, _, err = call(capsys, "fit", kept, "--columns", "N=params")
    assert (code, f"{kept} is a fit already" in err) == (2, True)


def test_a_page_is_written(capsys, tmp_path, table):
    page = tmp_path / "page.html"
    code, _, err = call(capsys, "fit", table, "--bootstrap", "50", "--html", page)
    assert (code, err) == (0, f"wrote {page}\n")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "http" not in text.replace("http://www.w3.org", "")
    assert empirical.read_runs(table).sha256 in text


def test_standard_input_and_packed_files(capsys, tmp_path, table, monkeypatch):
    _, plain, _ = call(capsys, "fit", table, *FAST)
    content = table.read_bytes()
    packed = tmp_path / "r.csv.gz"
    packed.write_bytes(gzip.compress(content))
    _, out, _ = call(capsys, "fit", packed, *FAST)
    assert out.splitlines()[1:8] == plain.splitlines()[1:8]

    class Input:
        buffer = io.BytesIO(content)

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stdin", Input())
    code, out, _ = call(capsys, "fit", "-", *FAST)
    assert code == 0
    assert out.startswith("standard input: 20 runs")
    assert "--save fit.json" in out  # what comes next cannot read standard input again


def test_a_file_comes_before_an_example_of_its_name(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "table.csv", runs())
    (tmp_path / "table.csv").rename("gadre")
    _, out, _ = call(capsys, "fit", "gadre", *FAST)
    assert out.startswith("gadre: 20 runs")
    (tmp_path / "gadre").rename("hoffmann")
    _, out, _ = call(capsys, "fit", "hoffmann", *FAST)
    assert out.startswith("hoffmann: 20 runs")


def test_bad_folders_are_named_before_anything_is_fitted(capsys, table):
    code, _, err = call(capsys, "fit", table, "--save", "nowhere/fit.json")
    assert (code, "there is no folder nowhere" in err) == (2, True)
    code, _, err = call(capsys, "fit", table, "--html", "page.txt")
    assert (code, "the suffix must be one of .html" in err) == (2, True)


# -- what is wrong ------------------------------------------------------------------------------------------------------------


def complaint(capsys, path, *arguments):
    code, out, err = call(capsys, "fit", path, *FAST, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    return err


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("0", ("row 7", "loss = 0", "> 0 and finite", "--where")),
        ("-2.5", ("row 7", "loss = -2.5", "> 0 and finite")),
        ("inf", ("row 7", "inf")),
        ("abc", ("row 7", "'abc' is no number")),
    ],
)
def test_losses_that_are_none(capsys, tmp_path, cell, words):
    columns = runs() | {"run": np.arange(20.0)}
    err = (
        complaint(capsys, written(tmp_path / "t.csv", columns, loss={7: cell}))
        if cell != "inf"
        else ""
    )
    if cell == "inf":  # a run whose last loss is not finite diverged
        code, out, _ = call(
            capsys, "fit", written(tmp_path / "t.csv", columns, loss={7: cell}), *FAST
        )
        assert code == 0
        assert "dropped 1: 6 (diverged: the last loss is inf)" in out
        return
    for word in words:
        assert word in err


def test_an_empty_cell(capsys, tmp_path):
    err = complaint(capsys, written(tmp_path / "t.csv", runs(), tokens={4: ""}))
    assert "row 4" in err
    assert "the cell of tokens is empty" in err
    assert "leave the row out with --where" in err


def test_non_positive_sizes(capsys, tmp_path):
    err = complaint(capsys, written(tmp_path / "t.csv", runs(), params={3: "-1"}))
    assert "row 3" in err
    assert "params = -1 must be > 0" in err


def test_an_accuracy_given_as_loss(capsys, tmp_path):
    columns = runs()
    columns["loss"] = 1 - columns["loss"] / 5
    err = complaint(capsys, written(tmp_path / "t.csv", columns))
    assert (
        "rises with compute: an accuracy, not a loss? name the loss with --columns loss=..." in err
    )
    columns = runs()
    columns["accuracy"] = columns.pop("loss")
    err = complaint(capsys, written(tmp_path / "u.csv", columns), "--columns", "loss=accuracy")
    assert "accuracy is an accuracy by its name" in err


def test_a_perplexity(capsys, tmp_path):
    columns = runs()
    columns["loss"] = np.exp(columns["loss"])
    path = written(tmp_path / "t.csv", columns)
    err = complaint(capsys, path)
    assert "is above 12 nats: a perplexity? say --loss-unit perplexity" in err
    code, out, _ = call(capsys, "fit", path, *FAST, "--loss-unit", "perplexity")
    assert code == 0
    plain = call(capsys, "fit", written(tmp_path / "u.csv", runs()), *FAST)[1]
    assert next(line for line in plain.splitlines() if "N_opt ~" in line) in out


def test_bits_by_the_name_of_the_column(capsys, tmp_path):
    columns = runs()
    columns["loss_bits"] = columns.pop("loss") / np.log(2)
    path = written(tmp_path / "t.csv", columns)
    err = complaint(capsys, path)
    assert "row 1" in err
    assert "holds bits by its name; say --loss-unit bits" in err
    assert call(capsys, "fit", path, *FAST, "--loss-unit", "bits")[0] == 0


def test_parameters_in_millions(capsys, tmp_path):
    columns = runs()
    columns["params"] = columns["params"] / 1e6
    err = complaint(capsys, written(tmp_path / "t.csv", columns))
    assert "N in millions? write 350M" in err
    assert "row 1" in err


def test_compute_off_in_some_rows(capsys, tmp_path):
    columns = runs()
    columns["flops"] = 6 * columns["params"] * columns["tokens"]
    columns["flops"][[4, 11]] *= 3
    path = written(tmp_path / "t.csv", columns)
    err = complaint(capsys, path)
    assert "row 5" in err
    assert "3 times 6 N D" in err
    assert "off in row 5, row 12" in err
    assert "--flops '6*N*D'" in err
    assert "--flops given" in err
    assert call(capsys, "fit", path, *FAST, "--flops", "6*N*D")[0] == 0


def test_another_cost_is_used_and_told(capsys, tmp_path):
    columns = runs()
    columns["flops"] = 8 * columns["params"] * columns["tokens"]
    code, out, _ = call(capsys, "fit", written(tmp_path / "t.csv", columns), *FAST)
    assert code == 0
    assert "C = flops = 8 N D" in out.splitlines()[0]


def test_unknown_counts(capsys, table):
    code, out, _ = call(capsys, "fit", table, *FAST)
    assert (code, "W-counts" in out) == (0, True)
    assert "(counts unknown)" in out
    _, out, _ = call(capsys, "fit", table, *FAST, "--counts", "total")
    assert "W-counts" not in out
    assert "(total)" in out


def test_too_few_runs(capsys, tmp_path):
    columns = {name: values[6:12] for name, values in runs().items()}
    err = complaint(capsys, written(tmp_path / "t.csv", columns))
    assert "6 points are too few for the 5 parameters of surface; at least 7 are needed" in err


@pytest.mark.parametrize(("column", "name"), [("params", "N"), ("tokens", "D")])
def test_one_size_or_one_token_count(capsys, tmp_path, column, name):
    columns = runs()
    columns[column] = np.full(20, columns[column][0])
    columns["loss"] = loss_of(columns["params"], columns["tokens"])
    path = written(tmp_path / "t.csv", columns)
    err = complaint(capsys, path)
    assert f"all runs have {name} = " in err
    assert "power_offset needs only one scale" in err
    code, out, _ = call(capsys, "fit", path, *FAST, "--law", "power_offset")
    assert code == 0
    assert f"x = {'D' if name == 'N' else 'N'}," in out  # what varies


def test_a_constant_ratio(capsys, tmp_path):
    N = np.geomspace(1e8, 1e10, 12)
    path = written(tmp_path / "t.csv", {"params": N, "tokens": 20 * N, "loss": loss_of(N, 20 * N)})
    err = complaint(capsys, path)
    assert "all runs have D/N = 20: surface cannot tell N and D apart; fit power_offset in C" in err
    code, out, _ = call(capsys, "fit", path, *FAST, "--law", "power_offset")
    assert code == 0
    assert "power_offset: L = E + c x^-gamma, x = C," in out


def logs(rates, losses):
    """Return the log of 12 runs, whose learning rates and losses follow factors of theirs along three rows."""
    N = np.repeat(np.geomspace(1e8, 3e9, 4), 3)
    D = np.tile(np.geomspace(2e9, 2e11, 3), 4)
    rows = {"run": [], "step": [], "params": [], "tokens": [], "lr": [], "loss": []}
    for k, (n, d) in enumerate(zip(N, D, strict=True)):
        for row, (rate, factor) in enumerate(zip(rates, losses, strict=True)):
            share = (row + 1) / len(rates)
            for name, value in zip(
                rows, (k, 100 * (row + 1), n, d * share, rate, loss_of(n, d) * factor), strict=True
            ):
                rows[name].append(value)
    return {name: np.array(values, float) for name, values in rows.items()}


def test_points_of_unfinished_schedules(capsys, tmp_path):
    path = written(tmp_path / "t.csv", logs((1e-3, 6e-4, 1e-4), (1.3, 1.1, 1.0)))
    _, out, _ = call(capsys, "fit", path, *FAST, "--rows", "all")
    assert "W-mid-run" in out
    _, out, _ = call(capsys, "fit", path, *FAST)
    assert "W-mid-run" not in out


def test_a_run_that_diverged_is_named(capsys, tmp_path):
    columns = logs((1e-3, 6e-4, 1e-4), (1.3, 1.1, 1.0))
    path = written(tmp_path / "t.csv", columns, loss={6: "nan"})
    code, out, _ = call(capsys, "fit", path, *FAST)
    assert code == 0
    assert "dropped 1: 1 (diverged: the last loss is nan)" in out
    assert call(capsys, "fit", path, *FAST, "--strict")[0] == 1


def test_a_run_that_stopped_early(capsys, tmp_path):
    columns = runs()
    cells = written(tmp_path / "t.csv", columns).read_text().splitlines()
    states = ["status", *("crashed" if k == 2 else "finished" for k in range(20))]
    (tmp_path / "t.csv").write_text(
        "\n".join(f"{row},{state}" for row, state in zip(cells, states, strict=True))
    )
    _, out, _ = call(capsys, "fit", tmp_path / "t.csv", *FAST, "--verbose")
    assert "W-stopped-early: row 3 (crashed)" in out
    assert "--where status=finished" in out
    _, out, _ = call(capsys, "fit", tmp_path / "t.csv", *FAST, "--where", "status=finished")
    assert "W-stopped-early" not in out
    assert "19 runs" in out


def test_duplicate_rows_and_steps(capsys, tmp_path):
    columns = {name: np.append(values, values[3]) for name, values in runs().items()}
    _, out, _ = call(capsys, "fit", written(tmp_path / "t.csv", columns), *FAST, "--verbose")
    assert "W-duplicate-rows: row 21 (as row 4)" in out
    columns = logs((1e-3, 6e-4, 1e-4), (1.3, 1.1, 1.0))
    columns["step"][1] = columns["step"][0]
    _, out, _ = call(capsys, "fit", written(tmp_path / "u.csv", columns), *FAST, "--verbose")
    assert "W-duplicate-steps: 0 (1 rows)" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"params,tokens,loss\n", "names of columns, and no row below"),
        (b"params,tokens,loss\n1e8,2e9,\xff\xfe3\n", "UTF-8"),
    ],
)
def test_files_that_hold_nothing(capsys, tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert words in complaint(capsys, path)


def test_no_such_file(capsys):
    assert "cannot read nowhere.csv" in complaint(capsys, "nowhere.csv")
    assert "did you mean 'synthetic'?" in complaint(capsys, "sintetic")
    assert "did you mean 'besiroglu'?" in complaint(capsys, "besirogli")


def test_conditions_that_leave_nothing(capsys, table):
    err = complaint(capsys, table, "--where", "params=7")
    assert "leaves nothing: no row has params = " in err
    err = complaint(capsys, table, "--where", "state=finished")
    assert "unknown column of" in err
    assert "known: loss, params, tokens" in err


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ("surfac", "unknown law 'surfac'"),
        ("surfac", "surface"),
        ("E + A*M**-a", "M"),
        ("E + A*N**-a + )", "is not a formula"),
    ],
)
def test_unknown_laws_and_symbols(capsys, table, law, words):
    assert words in complaint(capsys, table, "--law", law)


def test_two_columns_that_could_be_one(capsys, tmp_path):
    columns = runs()
    columns["n_params"] = columns["params"]
    err = complaint(capsys, written(tmp_path / "t.csv", columns))
    assert "several columns could be N: n_params, params; choose one: --columns N=n_params" in err


def test_more_than_three_warnings_are_counted(capsys, tmp_path):
    columns = {name: np.append(values, values[3]) for name, values in runs(noise=0.1).items()}
    path = written(tmp_path / "t.csv", columns)
    _, out, _ = call(capsys, "fit", path, *FAST)
    shown = [line for line in out.splitlines() if line.startswith("W-")]
    assert len(shown) == 3
    assert " more warning" in out
    code, out, _ = call(capsys, "fit", path, *FAST, "--verbose", "--strict")
    assert code == 1
    everything = [line for line in out.splitlines() if line.startswith("W-")]
    assert len(everything) > 3
    assert " more warning" not in out


def test_options_that_are_not_understood(capsys, table):
    assert "must be pairs, as in N=params,loss=eval/loss" in complaint(
        capsys, table, "--columns", "params"
    )
    assert "must be column=value" in complaint(capsys, table, "--where", "finished")
    assert "rows" in complaint(capsys, table, "--rows", "first")
    assert "compute = 'abc' is not a number" in complaint(capsys, table, "--compute", "abc")
    assert "envelope" in complaint(capsys, table, "--envelope", "2")
    assert "delta" in complaint(capsys, table, "--delta", "0")


# -- reading ------------------------------------------------------------------------------------------------------------------


def test_columns_and_conditions_are_read():
    assert chosen_columns("N=params, loss=eval/loss,run=") == {
        "N": "params",
        "loss": "eval/loss",
        "run": None,
    }
    assert chosen_values(["a=1,2,b=x", "a=3"]) == {"a": ["1", "2", "3"], "b": ["x"]}
    with pytest.raises(DomainError, match="names N twice"):
        chosen_columns("N=a,N=b")


def test_a_law_of_a_saved_fit_is_chosen(tmp_path):
    known = empirical.fit("auto", empirical.example_runs("synthetic"), bootstrap=0)
    path = known.save(tmp_path / "fit.json")
    assert read_fit(str(path), law="surface_power").law == "surface_power"
    with pytest.raises(DomainError, match="must be one of surface, surface_power"):
        read_fit(str(path), law="kaplan")
    with pytest.raises(DataError):
        read_fit(str(tmp_path / "none.json"))


def test_numbers_that_json_has_not():
    assert plain_json({"a": np.array([1.0, np.nan]), "b": -np.inf}) == {
        "a": [1.0, None],
        "b": "-inf",
    }
