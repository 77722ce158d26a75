"""The record of runs: budgets, saving, showing; and that neither order nor format of a table matters."""

import gzip
import json
import runpy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.results import Result
from scalinglaws.verify.empirical import Runs, example_runs, read_runs

HOFFMANN = np.array([6, 10, 30, 60, 100, 300, 600, 1000, 3000]) * 1e18


def _at_computes(C):
    C = np.asarray(C, dtype=float)
    N = np.geomspace(1e8, 1e10, len(C))
    return read_runs({"N": N, "C": C, "loss": 2 + 1e5 / N}, counts="total", compute="given")


def test_the_shipped_synthetic_runs_are_what_the_script_writes(root):
    script = runpy.run_path(str(root / "tests" / "write_example_runs.py"))
    shipped = (root / script["PATH"]).read_text(encoding="utf-8").splitlines()
    written = script["written"]().splitlines()
    assert [len(shipped), shipped[0]] == [61, written[0]]
    for one, other in zip(shipped[1:], written[1:], strict=True):
        one, other = one.split(","), other.split(",")
        assert one[0] == other[0]
        np.testing.assert_allclose(np.array(one[1:], float), np.array(other[1:], float), rtol=1e-5)


def test_what_comes_with_the_package_may_be_passed_on(root):
    """Two examples, and beside the one that others measured its licence and source."""
    folder = root / "scalinglaws" / "verify" / "empirical" / "data"
    assert {path.name for path in folder.iterdir()} == {
        "gadre_runs.csv",
        "gadre_runs.txt",
        "synthetic_runs.csv",
    }
    notice = (folder / "gadre_runs.txt").read_text(encoding="utf-8")
    for words in (
        "MIT License",
        "Permission is hereby granted",
        "arXiv:2403.08540",
        "mlfoundations/scaling",
    ):
        assert words in notice


def test_the_first_lines_of_the_screen():
    assert example_runs("synthetic").summary() == (
        "synthetic_runs.csv: 60 runs, N = params (total), D = tokens, L = eval/loss, C = 6 N D (no column for it)\n"
        "  4.4e7 < N < 1.7e10, 1.1e9 < D < 3.6e11, 1e19 < C < 1e21 (6 budgets), 0.6 < D/N < 873"
    )


# -- budgets ------------------------------------------------------------------------------------------------------------


def test_rounded_budgets_of_hoffmann_are_nine():
    noise = np.exp(np.random.default_rng(1).uniform(-0.02, 0.02, 63))
    C = np.repeat(HOFFMANN, 7) * noise
    order = np.random.default_rng(2).permutation(63)
    found = _at_computes(C[order]).budgets()
    assert len(found) == 9
    assert not found.on_grid
    np.testing.assert_array_equal(found.member, np.repeat(np.arange(9), 7)[order])
    means = np.log10(C).reshape(9, 7).mean(1)
    np.testing.assert_allclose(found.log10_compute, means, rtol=1e-14)


@pytest.mark.parametrize(("gap", "count"), [(0.049, 1), (0.051, 2)])
def test_a_gap_above_a_twentieth_of_a_decade_starts_a_budget(gap, count):
    assert len(_at_computes([1e20, 1e20 * 10**gap]).budgets()) == count


def test_more_than_twelve_budgets_lie_on_a_grid():
    twelve = 1e18 * 10 ** (0.1 * np.arange(12))
    assert not _at_computes(twelve).budgets().on_grid
    found = _at_computes(1e18 * 10 ** (0.1 * np.arange(13))).budgets()
    assert found.on_grid
    # 0, .1, .2 | .3, .4 | .5, .6, .7 | .8, .9 | 1, 1.1, 1.2
    np.testing.assert_array_equal(found.member, np.repeat(np.arange(5), [3, 2, 3, 2, 3]))
    np.testing.assert_allclose(found.log10_compute, [18.1, 18.35, 18.6, 18.85, 19.1], rtol=1e-12)
    empty_cells = np.concatenate([1e18 * 10 ** (0.1 * np.arange(12)), [1e22]])
    assert len(_at_computes(empty_cells).budgets()) == 6  # cells that are occupied


def test_computes_that_form_a_chain_are_no_budget():
    chain = np.geomspace(1e18, 1e22, 2000)
    found = _at_computes(chain).budgets()
    assert found.on_grid
    assert len(found) == 17  # four decades, and their end
    for k in range(len(found)):
        logs = np.log10(chain[found.member == k])
        assert logs.max() - logs.min() <= 0.25
    wide = _at_computes(10 ** np.array([19.0, 19.04, 19.08, 20.0])).budgets()
    assert len(wide) == 2
    assert not wide.on_grid


@settings(max_examples=50)
@given(st.lists(st.floats(15, 25), min_size=1, max_size=40))
def test_budgets_are_groups_of_neighbors_in_order(logarithms):
    runs = _at_computes(10 ** np.array(logarithms))
    found = runs.budgets()
    assert np.all(np.diff(found.log10_compute) > 0)
    assert set(found.member) == set(range(len(found)))
    for number, mean in enumerate(found.log10_compute):
        own = np.log10(runs.C[found.member == number])
        assert own.min() - 1e-9 <= mean <= own.max() + 1e-9
    order = np.argsort(runs.C, kind="stable")
    assert np.all(np.diff(found.member[order]) >= 0)


# -- the record ---------------------------------------------------------------------------------------------------------


def test_runs_are_saved_and_loaded(tmp_path):
    for runs in (
        example_runs("gadre"),
        read_runs({"N": [1e7, 2e7], "D": [1e9, 1e9], "loss": [3.0, 2.9], "lr": [0.1, None]}),
    ):
        loaded = Runs.load(runs.save(tmp_path / "runs.npz"))
        assert loaded == runs
        assert loaded.warnings[0].cure == runs.warnings[0].cure
        assert Result.load(tmp_path / "runs.npz").summary() == runs.summary()
        json.dumps(runs.to_dict())


def test_runs_can_be_taken():
    runs = example_runs("synthetic")
    few = runs.take(runs.C < 1e20)
    assert len(few) == 30
    assert few == runs.take(np.flatnonzero(runs.C < 1e20))
    assert few.sha256 == runs.sha256
    assert runs.take([-1]).row.tolist() == [60]
    for wrong in ([], [60], [0.5], [True], np.zeros(60, bool), 3, [[1]], ["a"]):
        with pytest.raises(DomainError, match="points"):
            runs.take(wrong)


def test_how_runs_show_themselves():
    assert repr(example_runs("gadre")) == "<Runs gadre_runs.csv: 104 runs, 1 warning>"
    shown = example_runs("gadre")._repr_html_()
    assert "<pre>gadre_runs.csv: 104 runs" in shown
    assert "4.4e7 &lt; N" in example_runs("synthetic")._repr_html_()


def test_runs_become_a_data_frame_and_come_back():
    pandas = pytest.importorskip("pandas")
    runs = example_runs("gadre")
    frame = runs.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["N", "D", "C", "loss", "run", "row", "group"]
    again = read_runs(frame, group="group")
    for name in ("N", "D", "C", "loss", "run", "group"):
        np.testing.assert_array_equal(getattr(again, name), getattr(runs, name))


# -- order and format ---------------------------------------------------------------------------------------------------


def _sorted(runs):
    """Put runs in an order of their own, and forget where they stood."""
    taken = runs.take(np.lexsort((runs.loss, runs.D, runs.N)))
    return replace(taken, row=np.zeros_like(taken.row), source="", sha256="")


sizes = st.integers(10, 9999).map(lambda k: k * 10**6)
rows = st.lists(
    st.tuples(sizes, st.integers(100, 9999).map(lambda k: k * 10**7), st.floats(1.5, 9)),
    min_size=2,
    max_size=12,
    unique_by=lambda row: row[0],
)


def _table(drawn):
    N, D, loss = zip(*drawn, strict=True)
    return {
        "run_name": [f'run "{i}", #{i}' for i in range(len(N))],
        "params": list(N),
        "tokens": list(D),
        "eval/loss": list(loss),
        "lr": [None if i % 3 else 0.5 for i in range(len(N))],
        "state": ["finished"] * len(N),
    }


@settings(max_examples=60)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(drawn, source):
    first = read_runs(_table(drawn))
    shuffled = list(range(len(drawn)))
    source.shuffle(shuffled)
    table = {name: [values[i] for i in shuffled] for name, values in _table(drawn).items()}
    names = list(table)
    source.shuffle(names)
    assert _sorted(read_runs({name: table[name] for name in names})) == _sorted(first)


def _written(value, suffix, power):
    digits = f"{value:d}"
    short = digits[:-power] + "." + digits[-power:]
    return short.rstrip("0").rstrip(".") + suffix


@settings(max_examples=60)
@given(rows, st.sampled_from([("K", 3), (" k", 3), ("M", 6), ("m", 6)]))
def test_units_and_suffixes_do_not_matter(drawn, unit):
    table = _table(drawn)
    short = table | {
        "params": [_written(value, *unit) for value in table["params"]],
        "tokens": [_written(value, "B", 9) for value in table["tokens"]],
    }
    plain = read_runs(table)
    assert read_runs(short) == plain
    other = read_runs(table | {"eval/loss": list(np.exp(plain.loss))}, loss_unit="perplexity")
    np.testing.assert_allclose(other.loss, plain.loss, rtol=1e-13)


def _as_text(table, sign):
    def cell(value):
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if set(text) & set('",;\t') else text

    lines = [sign.join(map(cell, row)) for row in zip(*table.values(), strict=True)]
    return "\n".join([sign.join(table), *lines]) + "\n"


def _nested(table):
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    for row in rows:
        row["config"] = {"params": row.pop("params"), "tokens": row.pop("tokens")}
        row["summary"] = {"eval": {"loss": row.pop("eval/loss")}}
        if row["lr"] is None:
            del row["lr"]
    return rows


def _files(table, folder):
    """Write a table in every format that needs no other package."""
    nested = _nested(table)
    texts = {
        "a.csv": "\ufeff" + _as_text(table, ","),
        "b.csv": _as_text(table, ";").replace("\n", "\r\n"),
        "a.tsv": _as_text(table, "\t"),
        "a.json": json.dumps(nested),
        "columns.json": json.dumps(table),
        "pandas.json": json.dumps(
            {name: {str(i): v for i, v in enumerate(values)} for name, values in table.items()}
        ),
        "a.jsonl": "\n".join(map(json.dumps, nested)),
        "a.ndjson": "\n\n".join(map(json.dumps, nested)) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        yield folder / name
        yield folder / f"{name}.gz"


@settings(max_examples=15)
@given(rows)
def test_every_format_gives_the_same_runs(tmp_path_factory, drawn):
    table = _table(drawn)
    first = read_runs(table)
    assert np.isnan(first.lr[1])
    for path in _files(table, tmp_path_factory.mktemp("runs")):
        runs = read_runs(path)
        assert len(runs.sha256) == 64
        names = {name: column.split("/", 1)[-1] for name, column in runs.columns.items()}
        wanted = {name: column.split("/", 1)[-1] for name, column in first.columns.items()}
        if "config/params" in runs.columns.values():
            names["loss"] = names["loss"].replace("eval/", "")
        assert names == wanted, path
        same = replace(runs, source=first.source, sha256="", columns=first.columns)
        assert same == replace(first, warnings=runs.warnings), path
        assert [entry.code for entry in runs.warnings] == [entry.code for entry in first.warnings]


@settings(max_examples=10)
@given(rows)
def test_parquet_gives_the_same_runs(tmp_path_factory, drawn):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path_factory.mktemp("runs") / "a.parquet"
    parquet.write_table(pyarrow.table(_table(drawn)), path)
    assert replace(read_runs(path), source="arrays", sha256="") == read_runs(_table(drawn))
    parquet.write_table(pyarrow.Table.from_pylist(_nested(_table(drawn))), path)
    np.testing.assert_array_equal(read_runs(path).loss, read_runs(_table(drawn)).loss)


@settings(max_examples=10)
@given(rows)
def test_data_frames_give_the_same_runs(drawn):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(_table(drawn))
    assert replace(read_runs(frame), source="arrays") == read_runs(_table(drawn))
    frame.index = [f"x{i}" for i in range(len(frame))]
    frame["when"] = pandas.Timestamp("2024-01-01")
    assert replace(read_runs(frame), source="arrays") == read_runs(_table(drawn))


def test_a_frame_of_which_only_common_manners_are_known():
    class Frame:
        columns = ("params", "tokens", "loss")

        def __getitem__(self, name):
            return {"params": (1e8, 2e8), "tokens": (1e9, 2e9), "loss": (3.0, float("nan"))}[name]

    runs = read_runs(Frame())
    assert runs.loss.tolist() == [3.0]
    assert runs.dropped == (("row 2", "no loss"),)
